#!/usr/bin/env python3
"""A Mito log server as a customer writes one: takes POSTs of JSON arrays, checks them, and prints what came.

Listens on a free loopback port, whose number is the first line of output. Each POST is one more line, with tabs between:
path, Content-Type, Authorization, x-token (`-` for what was not sent), `ok` or what is wrong with the body, and the body
as it came. What the path asks for is the answer:

    /logs             200
    /status/CODE/N    CODE for the first N requests to this path, then 200
    /move/CODE/URL    CODE with `Location: URL`
    /loop             308 to itself
    anything else     404

Ends when its standard input does.
"""

import http.server
import json
import os
import sys
import threading

LOCK = threading.Lock()
SEEN = {}


def fault(content_type, body):
    """What a script that stores the events would trip over; None if nothing."""
    if content_type != "application/json":
        return "not application/json"
    try:
        events = json.loads(body)
    except ValueError as error:
        return f"no JSON: {error}"
    if not isinstance(events, list) or not events:
        return "no list of events"
    for event in events:
        if not isinstance(event, dict):
            return "an event that is no object"
        if not isinstance(event.get("event"), str) or not isinstance(event.get("timestamp_gmt"), str):
            return "an event without event or timestamp_gmt"
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        content_type = self.headers.get("Content-Type", "-")
        with LOCK:
            SEEN[self.path] = SEEN.get(self.path, 0) + 1
            times = SEEN[self.path]
            heads = [content_type, self.headers.get("Authorization", "-"), self.headers.get("x-token", "-")]
            columns = [self.path, *heads, fault(content_type, body) or "ok", body.decode("ascii", "backslashreplace")]
            print("\t".join(columns), flush=True)
        parts = self.path.split("/", 3)[1:]
        if parts[0] == "status":
            self.answer(int(parts[1]) if times <= int(parts[2]) else 200)
        elif parts[0] == "move":
            self.answer(int(parts[1]), parts[2])
        elif self.path == "/loop":
            self.answer(308, "/loop")
        else:
            self.answer(200 if self.path == "/logs" else 404)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
