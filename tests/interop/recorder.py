"""An HTTP server in front of a Collector: passes requests on as they are, and remembers their headers."""

import http.client
import http.server
import threading


class Recorder:
    def __init__(self, port):
        self.requests = []  # headers, with names in small letters
        self.connections = 0
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                recorder.connections += 1
                super().setup()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.requests.append({name.lower(): value for name, value in self.headers.items()})
                collector = http.client.HTTPConnection("127.0.0.1", port)
                names = ("Content-Type", "Content-Encoding")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                collector.request("POST", self.path, body, headers)
                answer = collector.getresponse()
                content = answer.read()
                collector.close()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

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
