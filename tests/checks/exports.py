"""The libraries export exactly what their version scripts list, the headers declare exactly the public part of it.
Where a size is passed, the call without one stands below. The static library takes no name that could be somebody else's.
usage: exports.py ROOT NAME=LIBRARY... NAME=ARCHIVE.a"""

import pathlib
import re
import subprocess
import sys

# What a static library may call its symbols; the last are of the code generated from proto/.
OUR_PREFIXES = ("otlog_", "bonito_", "mito_", "opentelemetry__proto__")


def listed(script):
    """{version node: names} of a version script."""
    text = re.sub(r"/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.S)
    nodes = {}
    for node, body in re.findall(r"(\w+)\s*\{(.*?)\}", text, flags=re.S):
        exported = re.search(r"global:(.*?)(?:local:|$)", body, flags=re.S)
        nodes[node] = [name.strip() for name in exported[1].split(";") if name.strip()] if exported else []
    return nodes


def exported(library):
    """{version node: names} of a built library."""
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    nodes = {}
    for line in out.splitlines():
        _, kind, symbol = line.split()
        name, _, node = symbol.partition("@@")
        if kind != "A":  # the nodes themselves
            nodes.setdefault(node, []).append(name)
    return nodes


def declared(root):
    """{name: header} of everything that the public headers declare with OTLOG_API."""
    names = {}
    for header in sorted((root / "include/otlog").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"^\s*#\s*define.*?(?<!\\)$", "", text, flags=re.S | re.M)
        for declaration in re.findall(r"\bOTLOG_API\b([^;{]*)", text):
            name = re.search(r"(\w+)\s*(?:\(|\[|$)", declaration.strip())
            names[name[1]] = header.relative_to(root)
    return names


def without_call(root):
    """Functions with a size that no inline function of the same name, without `_sized`, stands right below."""
    for name, header in sorted(declared(root).items()):
        text = (root / header).read_text(encoding="utf-8")
        call = re.escape(name[: -len("_sized")])
        below = rf"\b{name}\([^;]*\);\s*(?:static inline [^;{{]*\b{call}\(|OTLOG__EMIT_CALL\({call},)"
        if name.endswith("_sized") and not re.search(below, text):
            yield f"{header}: no inline {name[: -len('_sized')]} stands below {name}: see otlog/otlog.h"


def compare(script, library):
    """Where script and library differ."""
    wanted, found = listed(script), exported(library)
    for node in sorted(set(wanted) | set(found)):
        for name in wanted.get(node, []):
            if "*" in name:
                yield f"{script}: {name} is a pattern: list the names"
        for name in sorted(set(wanted.get(node, [])) - set(found.get(node, []))):
            if "*" not in name:
                yield f"{script}: lists {name} under {node}, which the library does not export"
        for name in sorted(set(found.get(node, [])) - set(wanted.get(node, []))):
            yield f"{script}: does not list {name}, which the library exports under {node or 'no version'}"


def foreign_names(archive):
    """Global symbols of a static library that could clash with a program's own."""
    out = subprocess.run(["nm", "-g", "--defined-only", archive], check=True, capture_output=True, text=True).stdout
    for fields in map(str.split, out.splitlines()):
        if len(fields) == 3 and not fields[2].startswith(OUR_PREFIXES):
            yield f"{archive}: {fields[2]} is global: make it static, or begin it with otlog__"


def main():
    root = pathlib.Path(sys.argv[1])
    errors, public = [], set()
    for argument in sys.argv[2:]:
        name, library = argument.split("=", 1)
        if library.endswith(".a"):
            errors += foreign_names(library)
            continue
        script = root / "cmake" / f"{name}.map"
        errors += compare(script, library)
    # Also of a library that was not built.
    for script in (root / "cmake").glob("*.map"):
        public |= set(listed(script).get("OTLOG_0", []))
    headers = declared(root)
    for name in sorted(set(headers) - public):
        errors.append(f"{headers[name]}: declares {name} with OTLOG_API, which no version script lists")
    for name in sorted(public - set(headers)):
        if "*" not in name:
            errors.append(f"cmake: {name} is exported, but no public header declares it with OTLOG_API")
    errors += without_call(root)
    print("\n".join(errors + [f"{len(headers)} declared functions, {len(errors)} differences"]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
