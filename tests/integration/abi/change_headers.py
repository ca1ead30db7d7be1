#!/usr/bin/env python3
"""Copies the public headers as another version of otlog could have them: structs that may grow get a member more, or have
their last one taken away. Beside them comes abi_known.h, by which tests/integration/abi/program.c knows what there is.

usage: change_headers.py INCLUDE OUT same|more|less STRUCT|all
       change_headers.py INCLUDE --list more|less
"""

import pathlib
import re
import sys

ADDED = "otlog_added"

# Passed by a pointer inside of another struct, with its own size as first member.
WITH_OWN_SIZE = ["otlog_exporter_functions"]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def growing(headers):
    """Names of the structs that functions take together with their size, or with that of an array's elements."""
    found = set(WITH_OWN_SIZE)
    for text in headers.values():
        for parameters in re.findall(r"\bOTLOG_API\b[^;{]*\b\w+_sized\(([^;]*?)\);", text, flags=re.S):
            pointers = re.findall(r"(?:const )?(\w+) \*(\w+)", parameters)
            for size in re.findall(r"size_t (\w+)_size\b", parameters):
                found |= {kind for kind, name in pointers if name in (size, size + "s") and kind not in ("void", "char")}
    return sorted(found)


def struct(headers, name):
    """(header, start, end) of the members of a struct."""
    for header, text in headers.items():
        at = re.search(rf"typedef struct {name} \{{(.*?)\n\}} {name};", text, flags=re.S)
        if at:
            return header, at.start(1), at.end(1)
    raise SystemExit(f"no header has struct {name}")


def members(headers, name):
    header, start, end = struct(headers, name)
    return [member for member in headers[header][start:end].split(";") if member.strip()]


def change(headers, name, how):
    header, start, end = struct(headers, name)
    all_members = members(headers, name)
    if how == "more":
        all_members.append(f"\n\tuint64_t {ADDED} OTLOG__INIT")
    else:
        all_members.pop()
    text = headers[header]
    headers[header] = text[:start] + ";".join(all_members) + ";" + text[end:]


def known(name, changed):
    """What this version knows of the struct: the rest is a member that the program alone has."""
    size = f"offsetof({name}, {ADDED})" if changed else f"sizeof({name})"
    return f"#define KNOWN_{name} {size}\n"


def main():
    include = pathlib.Path(sys.argv[1])
    headers = {path.name: without_comments(path.read_text(encoding="utf-8")) for path in include.glob("otlog/*.h")}
    names = growing(headers)
    if sys.argv[2] == "--list":
        # Of a struct with one member none can be taken away.
        print("\n".join(name for name in names if sys.argv[3] == "more" or len(members(headers, name)) > 1))
        return
    out, how, wanted = pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    chosen = [name for name in names if how != "same" and wanted in (name, "all")]
    for name in chosen:
        if how == "more" or len(members(headers, name)) > 1:
            change(headers, name, how)
    (out / "otlog").mkdir(parents=True)
    for name, text in headers.items():
        (out / "otlog" / name).write_text(text, encoding="utf-8")
    sizes = "".join(known(name, how == "more" and name in chosen) for name in names)
    (out / "abi_known.h").write_text("#include <stddef.h>\n" + sizes, encoding="utf-8")


main()
