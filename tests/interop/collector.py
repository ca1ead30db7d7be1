"""A real OpenTelemetry Collector on free loopback ports, which writes what it receives to a file."""

import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{http}
{tls}
      grpc:
        endpoint: 127.0.0.1:{grpc}
{tls}
{processors}
exporters:
  file:
    path: {path}
    format: json
    append: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [otlp]
      processors: [{used}]
      exporters: [file]
"""

TLS = """
        tls:
          cert_file: {certificate}
          key_file: {key}
"""
CLIENT_AUTHORITY = """
          client_ca_file: {authority}
"""

# Less than any Collector takes: it refuses everything.
MEMORY_LIMITER = """
processors:
  memory_limiter:
    check_interval: 20ms
    limit_mib: 2
    spike_limit_mib: 1
"""
REFUSING = "Refusing data"

READY = "Everything is ready"
START_SECONDS = 60
STOP_SECONDS = 60


class Failed(Exception):
    pass


def free_ports(count):
    """Below the ports that the kernel hands out by itself, so that they are still free for a restart."""
    found = []
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                found.append(port)
            except OSError:
                continue
        if len(found) == count:
            return found
    raise Failed("no free ports found on the loopback")


class Collector:
    """With `certificates` it speaks TLS; `mutual`: to clients that have one of them. `short_of_memory` counts from the next
    start on: its memory limiter then refuses all records."""

    def __init__(self, program, folder, certificates=None, mutual=False):
        self.program = program
        self.tls = ""
        if certificates:
            self.tls = TLS.format(certificate=certificates.server, key=certificates.key(certificates.server))
        if mutual:
            self.tls = self.tls.rstrip() + CLIENT_AUTHORITY.format(authority=certificates.authority)
        self.config = pathlib.Path(folder) / "collector.yaml"
        self.output = pathlib.Path(folder) / "received.jsonl"
        self.short_of_memory = False
        self.log = []
        self.process = None
        self.ports = None

    def start(self):
        """Starts it, on the ports it had before if it had some. Another program may take a free port first."""
        for _ in range(1 if self.ports else 5):
            ports = self.ports or dict(zip(("http", "grpc"), free_ports(2)))
            self.write_config(ports)
            if self.became_ready():
                self.ports = ports
                return self
            if not any("address already in use" in line for line in self.log):
                break
        raise Failed("the Collector did not start:\n" + "".join(self.log[-30:]))

    def write_config(self, ports):
        processors, used = (MEMORY_LIMITER, "memory_limiter") if self.short_of_memory else ("", "")
        config = CONFIG.format(**ports, tls=self.tls, path=self.output, processors=processors, used=used)
        self.config.write_text(config, encoding="utf-8")

    def wait_for_refusals(self):
        """Until it has noticed that it is short of memory."""
        deadline = time.monotonic() + START_SECONDS
        while not any(REFUSING in line for line in list(self.log)):
            if time.monotonic() > deadline:
                raise Failed("the Collector does not refuse anything:\n" + "".join(self.log[-30:]))
            time.sleep(0.02)

    def became_ready(self):
        self.log = []
        ready = threading.Event()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self.process = subprocess.Popen(
            [self.program, "--config", f"file:{self.config}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        threading.Thread(target=self.read_log, args=(self.process, ready), daemon=True).start()
        ready.wait(START_SECONDS)
        if self.process.poll() is None and any(READY in line for line in self.log):
            return True
        self.kill()
        return False

    def read_log(self, process, ready):
        for line in process.stderr:
            self.log.append(line)
            if READY in line:
                ready.set()
        process.stderr.close()
        ready.set()

    def stop(self):
        """Ends it in order: it finishes the requests it has and flushes its file."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("the Collector did not stop:\n" + "".join(self.log[-30:])) from None
        if status != 0:
            raise Failed(f"the Collector ended with status {status}:\n" + "".join(self.log[-30:]))

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def endpoint(self, kind):
        """Of "http" or "grpc"."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.ports[kind]}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
