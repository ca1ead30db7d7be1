"""An HTTP server in front of a Collector: passes requests on as they are, remembers their headers, and can fail one in so
many before the Collector has it."""

import http.client
import http.server
import os
import socket
import struct
import threading


class Recorder:
    """`port` 0: there is no Collector, everything is answered with 200. `fail_every`: 3 fails the third request, the sixth
    and so on; every other of them with 503, the rest by a reset of the connection. That is then a new one: on one that was
    used before, libcurl would try again by itself."""

    def __init__(self, port, fail_every=0):
        self.requests = []  # headers, with names in small letters
        self.failed = 0
        lock = threading.Lock()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    recorder.requests.append({name.lower(): value for name, value in self.headers.items()})
                    before_failure = -len(recorder.requests) % fail_every if fail_every else None
                    recorder.failed += before_failure == 0
                    resets = recorder.failed % 2 == 0
                self.last = before_failure == 1
                if before_failure == 0 and resets:
                    self.reset()
                elif before_failure == 0:
                    self.answer(503, "text/plain", b"busy")
                elif port:
                    self.pass_on(body)
                else:
                    self.answer(200, "text/plain", b"")

            def pass_on(self, body):
                collector = http.client.HTTPConnection("127.0.0.1", port)
                names = ("Content-Type", "Content-Encoding")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                collector.request("POST", self.path, body, headers)
                answer = collector.getresponse()
                content = answer.read()
                collector.close()
                self.answer(answer.status, answer.getheader("Content-Type"), content)

            def answer(self, status, content_type, content):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                if self.last:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)

            def reset(self):
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())  # at once, and not in order as the server would

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
