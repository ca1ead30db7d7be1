#!/usr/bin/env python3
"""Has the Collector built, and writes down for the interop tests where it lies or why there is none.

usage: find_collector.py STATUS_FILE
The file's line is `program PATH`, `skip REASON` or `fail REASON`. Without a Collector the tests are skipped; where
OTLOG_INTEROP_REQUIRED=1 they fail, unless the Go module proxy cannot be reached at all. Exit status 77: skipped."""

import os
import pathlib
import subprocess
import sys

PROXY_UNREACHABLE = 3
SKIPPED = 77


def main():
    status_file = pathlib.Path(sys.argv[1])
    script = pathlib.Path(__file__).with_name("build_collector.sh")
    run = subprocess.run(["bash", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    sys.stdout.write(run.stderr)
    if run.returncode == 0:
        line = f"program {run.stdout.strip()}"
    else:
        required = os.environ.get("OTLOG_INTEROP_REQUIRED") == "1" and run.returncode != PROXY_UNREACHABLE
        reason = (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]
        line = f"{'fail' if required else 'skip'} {reason}"
    status_file.write_text(line + "\n", encoding="utf-8")
    print(line)
    return {"program": 0, "skip": SKIPPED, "fail": 1}[line.split()[0]]


if __name__ == "__main__":
    sys.exit(main())
