#!/bin/bash
# Every C file is as clang-format 14 writes it with the .clang-format at the root.
# usage: format.sh (from the root of the sources)

set -euo pipefail
# shellcheck source=tests/checks/tracked.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracked.sh"

need clang-format-14
mapfile -t files < <(tracked_files '*.c' '*.h')
[ "${#files[@]}" -gt 0 ] || { echo "no C file found: run this from the root of the sources"; exit 1; }
clang-format-14 --dry-run -Werror "${files[@]}" || {
  echo "to repair: clang-format-14 -i on the files above"
  exit 1
}
echo "${#files[@]} files are formatted"
