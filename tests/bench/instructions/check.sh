#!/bin/bash
# Emitting R1, emitting R2 and making the request of a batch of R1 take no more instructions than figures.txt says, and
# 3 %: a little more each time is nothing that a clock shows. Callgrind counts the same on every run and every machine.
# usage: check.sh [--write] [PROGRAM [COMPILER]] (from the root of the sources)
#   --write    puts what is counted into figures.txt instead of comparing
#   PROGRAM    otlog_instructions, of the release preset if not given, as COMPILER (gcc) has made it

set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/checks/tracked.sh
. "$here/../../checks/tracked.sh"

write=no
if [ "${1-}" = --write ]; then
  write=yes
  shift
fi
program=${1:-build/release/bin/otlog_instructions}
compiler=${2:-gcc}
figures=$here/figures.txt
profiles=$(dirname "$(dirname "$program")")/instructions

# name, what the program emits, in which function is counted, by what that is divided
counted=(
  "emit_r1 r1 bench_emit_r1 512"
  "emit_r2 r2 bench_emit_r2 512"
  "request_r1_512 r1 otlog__request_write 1"
)

# What differs between machines: functions of libc chosen by the processor, the environment.
no_features=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-RTM,-MOVBE
no_features+=,-BMI1,-BMI2,-SSE4_2,-SSE4_1,-SSSE3,-ERMS,-FSRM
fixed=(env -i PATH=/usr/bin:/bin LD_BIND_NOW=1 GLIBC_TUNABLES=glibc.cpu.hwcaps="$no_features")

figure() {
  sed -n "s/^$1 //p" "$figures"
}

this_compiler() {
  "$compiler" --version | sed -n "1s/^[^ ]* (Debian \([0-9.]*\).*/gcc \1 of Debian on $(uname -m)/p"
}

# count NAME EMITTED FUNCTION DIVISOR
count() {
  local total
  "${fixed[@]}" valgrind --tool=callgrind --callgrind-out-file="$profiles/$1" --toggle-collect="$3" "$program" "$2" \
    > "$profiles/$1.log" 2>&1 || { cat "$profiles/$1.log" >&2; return 1; }
  total=$(sed -n 's/^totals: //p' "$profiles/$1")
  if [ "$total" = 0 ]; then
    echo "$1: nothing was counted in $3: if it has another name now, give that one in $here/check.sh" >&2
    return 1
  fi
  echo $((total / $4))
}

# compare NAME COUNT; false if that is too much.
compare() {
  local kept
  kept=$(figure "$1")
  [ -n "$kept" ] || { echo "$1: $2 instructions, and no figure in $figures to hold them against"; return 1; }
  echo "$1: $2 instructions, $kept in $figures"
  if (($2 * 100 > kept * 103)); then
    echo "  that is over 3 % more; where they go: callgrind_annotate $profiles/$1"
    return 1
  elif (($2 * 100 < kept * 97)); then
    echo "  that is over 3 % less: keep it so with bash $here/check.sh --write"
  fi
}

kept_compiler=$(figure compiler)
if [ "$(this_compiler)" != "$kept_compiler" ]; then
  echo "skipped: the figures hold for $kept_compiler, and here is $("$compiler" --version | head -n 1), $(uname -m)"
  exit 77
fi
need valgrind
mkdir -p "$profiles"

status=0
for row in "${counted[@]}"; do
  read -r name emitted function divisor <<< "$row"
  count=$(count "$name" "$emitted" "$function" "$divisor")
  if [ "$write" = yes ]; then
    sed -i "s/^$name .*/$name $count/" "$figures"
    echo "$name: $count instructions"
  else
    compare "$name" "$count" || status=1
  fi
done
[ "$status" = 0 ] || echo "If they are worth it, write the new figures and say why: bash $here/check.sh --write"
exit "$status"
