"""Certificates for one run, made by the openssl command: an authority, and what it signed for a server and a client."""

import pathlib
import subprocess

CONFIG = """
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = {name}
[extensions]
{extensions}
"""

AUTHORITY = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign"
SERVER = "basicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth\nsubjectAltName = IP:127.0.0.1"
CLIENT = "basicConstraints = CA:FALSE\nextendedKeyUsage = clientAuth"


class Certificates:
    """The files lie in `folder`; each .pem has its .key beside it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.authority = self.make("authority", AUTHORITY)
        signed_by = ["-CA", self.authority, "-CAkey", self.key(self.authority)]
        self.server = self.make("server", SERVER, *signed_by)
        self.client = self.make("client", CLIENT, *signed_by)

    def make(self, name, extensions, *signed_by):
        config, certificate = self.folder / f"{name}.cnf", self.folder / f"{name}.pem"
        config.write_text(CONFIG.format(name=f"otlog interop {name}", extensions=extensions), encoding="utf-8")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-days", "2", "-config", config, "-keyout", self.key(certificate), "-out", certificate, *signed_by],
            check=True,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return certificate

    @staticmethod
    def key(certificate):
        return certificate.with_suffix(".key")
