#!/usr/bin/env python3
"""Compares JSON with what Python's json.dumps writes.

Reads lines from standard input, a kind and its parts with tabs between:

    d BITS JSON    a double, its bits as 16 hex digits
    s BYTES JSON   a text, its bytes in hex; what is not UTF-8 counts as U+FFFD
    o JSON         an object: as json.dumps would write what json.loads reads, and no key of it twice

Exits with 1, and the first line that differs, if there is one.
"""

import json
import struct
import sys


class Pairs(list):
    """An object, with its keys in their order."""


def dumps(value):
    if isinstance(value, Pairs):
        return "{" + ", ".join(json.dumps(key) + ": " + dumps(item) for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(dumps(item) for item in value) + "]"
    return json.dumps(value)


def expected(kind, parts):
    if kind == "d":
        return json.dumps(struct.unpack(">d", bytes.fromhex(parts[0]))[0])
    if kind == "s":
        return json.dumps(bytes.fromhex(parts[0]).decode("utf-8", "replace"))
    value = json.loads(parts[-1], object_pairs_hook=Pairs)
    keys = [key for key, _ in value]
    return dumps(value) if len(set(keys)) == len(keys) else "keys that are all different"


def main():
    count = 0
    for line in sys.stdin.buffer:
        kind, *parts = line.decode("ascii").rstrip("\n").split("\t")
        wanted = expected(kind, parts)
        if parts[-1] != wanted:
            sys.exit(f"line {count + 1}: {parts}\nis not {wanted}")
        count += 1
    if count == 0:
        sys.exit("nothing to compare")


if __name__ == "__main__":
    main()
