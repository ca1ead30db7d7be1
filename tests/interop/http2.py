"""As much of HTTP/2 (RFC 9113) as it takes to stand between a gRPC client and its server: frames, and an answer."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, WINDOW_UPDATE = 0, 1, 3, 8
END_STREAM, END_HEADERS, PADDED = 1, 4, 8
CANCEL = 8


def read_exactly(connection, size):
    """None if the connection ends before."""
    parts = []
    while size:
        part = connection.recv(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload

    @classmethod
    def read(cls, connection):
        """None at the end of the connection."""
        header = read_exactly(connection, 9)
        if header is None:
            return None
        size, kind, flags, stream = int.from_bytes(header[:3], "big"), header[3], header[4], header[5:]
        payload = read_exactly(connection, size)
        return None if payload is None else cls(kind, flags, int.from_bytes(stream, "big") & 0x7FFFFFFF, payload)

    def to_bytes(self):
        size = len(self.payload).to_bytes(3, "big")
        return size + bytes([self.kind, self.flags]) + self.stream.to_bytes(4, "big") + self.payload

    def content(self):
        """What a DATA frame carries, without padding."""
        if self.flags & PADDED:
            return self.payload[1 : len(self.payload) - self.payload[0]]
        return self.payload


def literal(name, value):
    """A header that changes nothing in the receiver's table (RFC 7541, 6.2.2: not indexed, with a new name)."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def grpc_status(stream, status):
    """An answer of trailers only."""
    block = bytes([0x88]) + literal(b"content-type", b"application/grpc") + literal(b"grpc-status", b"%d" % status)
    return Frame(HEADERS, END_HEADERS | END_STREAM, stream, block)


def reset(stream):
    return Frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))


def credit(size):
    """Lets the peer send that much more on the connection."""
    return Frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", size))
