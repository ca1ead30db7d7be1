#!/bin/bash
# The public API as a user writes it compiles without a warning and does what it says.
# usage: api_use.sh COMPILER STANDARD LIBRARY_FOLDER (from the root of the sources)

set -euo pipefail
# shellcheck source=tests/checks/tracked.sh
. "$(dirname "${BASH_SOURCE[0]}")/tracked.sh"

compiler=$1 standard=$2 libraries=$3
need "$compiler"
language=c
[[ $standard != c++* ]] || language=c++
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$compiler" -std="$standard" -x "$language" -Iinclude -Wall -Wextra -Wpedantic -Wconversion -Werror -O1 \
  -c tests/checks/api_use.c -o "$folder/api_use.o"
"$compiler" "$folder/api_use.o" -L"$libraries" -lotlog -lotlog-api -Wl,-rpath,"$libraries" -o "$folder/api_use"
"$folder/api_use"
