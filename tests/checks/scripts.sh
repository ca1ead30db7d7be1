#!/bin/bash
# Every shell script parses and is clean under shellcheck; every Python script compiles.
# usage: scripts.sh (from the root of the sources)

set -euo pipefail
# shellcheck source=tests/checks/tracked.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracked.sh"

need shellcheck
status=0
mapfile -t files < <(tracked_files '*.sh' '.ci/run')
[ "${#files[@]}" -gt 0 ] || { echo "no script found: run this from the root of the sources"; exit 1; }
for file in "${files[@]}"; do
  bash -n "$file" || status=1
done
shellcheck --external-sources --shell=bash "${files[@]}" || status=1

mapfile -t files < <(tracked_files '*.py')
python3 - "${files[@]}" << 'END' || status=1
import sys

for path in sys.argv[1:]:
    compile(open(path, encoding="utf-8").read(), path, "exec")
END
exit "$status"
