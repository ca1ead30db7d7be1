#!/usr/bin/env python3
"""Each folder includes only what its layer may include, and no two files of the product share a name, so that a
backtrace tells them apart. usage: layers.py ROOT"""

import fnmatch
import pathlib
import re
import sys

PUBLIC = "otlog/*"
BASE = "sdk/base/*"
WIRE = "sdk/wire/*"
EXPORTER_TABLE = "sdk/base/exporter_table.h"
PEER = "exporters/peer/*"

QUEUE_FILE = ["sdk/queue/%s.h" % noun for noun in ("crc32c", "file_header", "layout", "mapping", "queue")]

# Files (the first pattern that matches counts) : what they may include of ours, beside their own folder.
# A folder that matches none has no layer, which is an error too.
MAY_INCLUDE = [
    ("include/otlog/*", [PUBLIC]),
    ("sdk/base/process/*", [PUBLIC, BASE]),
    ("sdk/base/rare/*", [PUBLIC, BASE]),
    ("sdk/base/*", [PUBLIC]),
    ("sdk/api/*", [PUBLIC, BASE, "sdk/api/*"]),
    ("sdk/wire/*", [PUBLIC]),
    ("sdk/record/*", [PUBLIC, BASE, WIRE]),
    ("sdk/view/*", [PUBLIC, WIRE]),
    ("sdk/events/back/*", [PUBLIC, "sdk/base/limits.h", "sdk/events/*.h"]),
    ("sdk/events/*", [PUBLIC, "sdk/base/hex.h", "sdk/base/utf8.h", "sdk/events/*"]),
    # The queue of this process knows neither of what lies beside it.
    ("sdk/queue/spool/*", [PUBLIC, BASE] + QUEUE_FILE),
    ("sdk/queue/recovery/*", [PUBLIC, BASE, "sdk/queue/*.h"]),
    ("sdk/queue/*", [PUBLIC, BASE]),
    ("sdk/processor/*", [PUBLIC, BASE, WIRE, "sdk/queue/*"]),
    ("sdk/settings/*", [PUBLIC, BASE, "sdk/api/rare/clone.h"]),
    ("sdk/resource/*", [PUBLIC, BASE, "sdk/record/encode.h", "sdk/settings/config.h"]),
    ("sdk/crash/*", [PUBLIC, "sdk/base/hex.h"]),
    ("sdk/inspect/*", [PUBLIC, BASE, "sdk/queue/*", "sdk/processor/request.h"]),
    # What wires it all.
    (
        "sdk/provider/*",
        [PUBLIC, BASE]
        + ["sdk/%s/*" % folder for folder in ("api", "record", "queue", "processor", "resource", "crash")]
        + ["sdk/settings/config.h", "sdk/settings/given_options.h"],
    ),
    ("sdk/bridges/*", [PUBLIC]),
    # The tool sees what its users see, and of ours what reads text.
    ("sdk/tool/common/*", [PUBLIC, "sdk/base/utf8.h"]),
    ("sdk/tool/doctor/*", [PUBLIC, EXPORTER_TABLE, "sdk/base/rare/address.h", "sdk/base/rare/grpc_target.h", "sdk/tool/common/*"]),
    ("sdk/tool/queue/*", [PUBLIC, EXPORTER_TABLE, "sdk/tool/common/*"]),
    ("sdk/tool/*", [PUBLIC, "sdk/tool/common/*"]),
    # What exporters share, the lower before the higher.
    ("exporters/peer/*", [PUBLIC, BASE]),
    ("exporters/http/*", [PUBLIC, BASE, PEER]),
    ("exporters/json/*", [PUBLIC, BASE, WIRE]),
    ("exporters/stream/*", [PUBLIC, BASE, "exporters/json/*"]),
    # The exporters, of which none knows another. A new one gets a row of its own.
    ("exporters/otlp_http/*", [PUBLIC, BASE, "exporters/http/*", "exporters/json/*", "proto/*.pb-c.h"]),
    # A library of its own, without libotlog's code: of what it shares with others it has copies (cmake/Grpc.cmake).
    ("exporters/otlp_grpc/*", [PUBLIC, BASE, PEER, "proto/*.pb-c.h"]),
    ("exporters/mito/*", [PUBLIC, BASE, "exporters/http/*", "exporters/json/*"]),
    ("exporters/otlp_file/*", [PUBLIC, BASE, "exporters/stream/*"]),
    ("exporters/console/*", [PUBLIC, BASE, "exporters/json/*", "exporters/stream/*"]),
    ("exporters/memory/*", [PUBLIC, BASE]),
    # Examples are what a user could write.
    ("examples/*", [PUBLIC, "proto/*.pb-c.h"]),
    ("tests/interop/*", [PUBLIC]),
    ("tests/checks/*", [PUBLIC]),
    ("tests/*", ["*"]),
]

# Libraries from outside : who may include their headers.
OUTSIDE = [
    ("curl/*", ["exporters/http/*", "tests/*"]),
    ("openssl/*", ["exporters/http/*", PEER, "tests/*"]),
    ("libdeflate.h", ["exporters/http/*", "tests/*"]),
    ("zlib.h", ["examples/*", "tests/*"]),
    ("protobuf-c/*", ["exporters/*", "examples/*", "tests/*"]),
    ("microhttpd.h", ["examples/*", "tests/*"]),
    ("cmocka.h", ["tests/*"]),
    ("nghttp2/*", ["tests/*"]),
    ("grpc/*", ["exporters/otlp_grpc/*", "tests/*"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def first_match(table, name):
    return next((row for row in table if fnmatch.fnmatchcase(name, row[0])), None)


def is_one_of(patterns, name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def broken_rule(path, quoted, name):
    """Why the file `path` may not include `name`; None if it may."""
    outside = first_match(OUTSIDE, name)
    if outside:
        return None if is_one_of(outside[1], path) else "only " + ", ".join(outside[1]) + " may include " + name
    if not quoted and not name.startswith("otlog/"):
        return None
    if quoted and "/" not in name and not path.startswith(("examples/", "tests/")):
        return f'"{name}" must be named from the root, and public headers as <otlog/...>'
    if quoted and name.startswith(("otlog/", "include/")):
        return f"public headers are included as <otlog/...>, not \"{name}\""
    folder = path.rsplit("/", 1)[0]
    if name.rsplit("/", 1)[0] == folder or "/" not in name:
        return None
    layer = first_match(MAY_INCLUDE, path)
    if is_one_of(layer[1], name):
        return None
    return f"{layer[0]} may include only its own folder and {', '.join(layer[1])}, not {name}"


def check(root, path):
    name = path.relative_to(root).as_posix()
    if not first_match(MAY_INCLUDE, name):
        return [f"{name}:1: this folder has no row in tests/checks/layers.py: give it a layer"]
    errors = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            rule = broken_rule(name, include[1] == '"', include[2])
            if rule:
                errors.append(f"{name}:{number}: {rule}")
    return errors


def shared_names(root, files):
    seen = {}
    for path in files:
        name = path.relative_to(root).as_posix()
        if name.startswith(("sdk/", "exporters/")):
            seen.setdefault(path.name, []).append(name)
    return [f"{names[1]}:1: {names[0]} has the same file name" for names in seen.values() if len(names) > 1]


def main():
    root = pathlib.Path(sys.argv[1])
    files = [
        path
        for top in ("include", "sdk", "exporters", "examples", "tests")
        for path in sorted((root / top).rglob("*.[ch]"))
    ]
    if not files:
        sys.exit(f"no C file under {root}: give the root of the sources")
    errors = [error for path in files for error in check(root, path)] + shared_names(root, files)
    print("\n".join(errors + [f"{len(files)} files, {len(errors)} broken rules"]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
