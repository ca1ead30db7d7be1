"""A gRPC proxy in front of a Collector: passes calls on frame by frame, and can fail one in so many before the Collector
has their message."""

import socket
import threading

import http2

UNAVAILABLE = 14
HELD_SECONDS = 5


class Connection:
    """One of the client's, and its counterpart to the Collector."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.collector = socket.create_connection(("127.0.0.1", proxy.port))
        self.to_client = threading.Lock()  # both directions write to the client
        self.refused = set()  # streams

    def run(self):
        back = threading.Thread(target=self.guarded, args=(self.pass_back,), daemon=True)
        back.start()
        self.guarded(self.pass_on)
        back.join()
        self.client.close()
        self.collector.close()

    def guarded(self, direction):
        try:
            direction()
        except OSError:
            pass  # the other side has gone
        for end in (self.client, self.collector):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def answer(self, *frames):
        with self.to_client:
            self.client.sendall(b"".join(frame.to_bytes() for frame in frames))

    def refuse(self, frame, with_status):
        """The Collector gets the headers, for its table of them to stay the client's, but never a message."""
        self.refused.add(frame.stream)
        self.collector.sendall(frame.to_bytes() + http2.reset(frame.stream).to_bytes())
        self.answer(http2.grpc_status(frame.stream, UNAVAILABLE) if with_status else http2.reset(frame.stream))

    def pass_on(self):
        self.collector.sendall(http2.read_exactly(self.client, len(http2.PREFACE)) or b"")
        begun = set()
        while frame := http2.Frame.read(self.client):
            if frame.kind == http2.HEADERS:
                number = self.proxy.begin((self, frame.stream))
                if number:
                    self.proxy.end((self, frame.stream))
                    self.refuse(frame, with_status=number % 2)
                    continue
            if frame.stream in self.refused:
                if frame.kind == http2.DATA and frame.payload:
                    self.answer(http2.credit(len(frame.payload)))
                continue
            if frame.kind == http2.DATA and frame.stream not in begun and frame.content():
                begun.add(frame.stream)
                self.proxy.compressed.append(frame.content()[0] == 1)
            self.collector.sendall(frame.to_bytes())

    def pass_back(self):
        while frame := http2.Frame.read(self.collector):
            if frame.kind == http2.HEADERS:
                self.proxy.enough_open.wait(HELD_SECONDS)
            if frame.flags & http2.END_STREAM and frame.kind in (http2.HEADERS, http2.DATA):
                self.proxy.end((self, frame.stream))
            self.answer(frame)


class GrpcProxy:
    """`fail_every`: 3 fails the third call, the sixth and so on; every other of them with UNAVAILABLE, the rest by a reset
    of its stream. `hold_for`: no answer passes until so many calls are open at once."""

    def __init__(self, port, fail_every=0, hold_for=0):
        self.port = port
        self.fail_every = fail_every
        self.hold_for = hold_for
        self.lock = threading.Lock()
        self.calls = 0
        self.failed = 0
        self.open = set()
        self.most_open = 0
        self.enough_open = threading.Event()
        self.compressed = []  # of each call that passed: whether its message was
        if not hold_for:
            self.enough_open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def begin(self, call):
        """The number of failures so far if this call is to fail, else 0."""
        with self.lock:
            self.calls += 1
            self.open.add(call)
            self.most_open = max(self.most_open, len(self.open))
            if len(self.open) >= self.hold_for:
                self.enough_open.set()
            if not self.fail_every or self.calls % self.fail_every:
                return 0
            self.failed += 1
            return self.failed

    def end(self, call):
        with self.lock:
            self.open.discard(call)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(self, client).run, daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self.listener.close()
