#!/bin/bash
# Each public header compiles alone, without a warning.
# usage: headers.sh COMPILER STANDARD (from the root of the sources)

set -euo pipefail
# shellcheck source=tests/checks/tracked.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracked.sh"

compiler=$1 standard=$2
need "$compiler"
language=c
[[ $standard != c++* ]] || language=c++

status=0 count=0
for header in include/otlog/*.h; do
  # Twice, for its include guard.
  for body in "#include <otlog/${header##*/}>" "extern \"C\" {
#include <otlog/${header##*/}>
}"; do
    [[ $language = c++ || $body != extern* ]] || continue
    printf '%s\n%s\nint otlog_check_unit;\n' "$body" "$body" |
      "$compiler" -std="$standard" -x "$language" -Iinclude -Wall -Wextra -Wpedantic -Wconversion -Werror \
        -fsyntax-only - || {
      echo "$header does not compile alone with $compiler -std=$standard: it must include what it uses"
      status=1
    }
  done
  count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no header found: run this from the root of the sources"; exit 1; }
exit "$status"
