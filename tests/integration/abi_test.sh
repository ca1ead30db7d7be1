#!/usr/bin/env bash
# A program that was compiled against other versions of the headers works with these libraries: all structs that may grow
# have a member more, or all have one less. Where it fails, each is changed alone, to say which it is.
# usage: abi_test.sh LIBRARY_FOLDER (from the root of the sources)
set -euo pipefail

libraries=$1
here=tests/integration/abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

link=(-L"$libraries" -lotlog -lotlog-api "-Wl,-rpath,$libraries")
if [[ -e $libraries/libotlog-grpc.so ]]; then
  link=(-DWITH_GRPC -L"$libraries" -lotlog-grpc "${link[@]:1}")
fi

# tries HOW STRUCT
tries() {
  local folder=$work/$1-$2
  mkdir "$folder"
  python3 $here/change_headers.py include "$folder/include" "$1" "$2"
  "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$folder/include" $here/program.c -o "$folder/program" \
    "${link[@]}"
  env -i PATH="$PATH" "$folder/program" "$folder/lines.jsonl" >"$folder/out" 2>&1 || {
    echo "FAILED: a program whose headers have $2 with one member ${1/same/as it is} ended with status $?:" >&2
    cat "$folder/out" >&2
    return 1
  }
}

python3 $here/change_headers.py include --list more >"$work/more"
python3 $here/change_headers.py include --list less >"$work/less"
while read -r name; do
  grep -q "\b$name\b" $here/program.c || {
    echo "FAILED: $name may grow, but $here/program.c does not pass one" >&2
    exit 1
  }
done <"$work/more"

tries same none
failed=0
for how in more less; do
  tries $how all && continue
  failed=1
  # Which of them it is.
  while read -r name; do
    tries $how "$name" || true
  done <"$work/$how"
done
echo "$(wc -l <"$work/more") structs with a member more, $(wc -l <"$work/less") with one less"
exit $failed
