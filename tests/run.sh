#!/bin/bash
# Builds otlog and runs its tests. See --help.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="usage: bash tests/run.sh [options]
Installs what is missing, builds the release preset and runs every test.

  --all               also the sanitizer builds: clang with address and undefined (unit and integration tests), gcc
                      with thread (concurrency tests)
  --nightly           every fault ten times as often as otherwise: some hours
  --interop-required  the interop tests fail where they would be skipped for want of a Collector, unless the Go module
                      proxy cannot be reached at all
  --no-install        install nothing: what is missing is an error of the build
  --jobs N            builds and tests N at a time (default: the number of processors)
  -h, --help          this text

Ends at the first thing that fails, with CTest's own lines last; else with the minutes that each suite took, and which took
more than CONTRIBUTING.md allows. The builds lie in build/release, build/asan and build/tsan."

all=no
nightly=no
install=yes
jobs=$(nproc)

usage_error() {
  printf '%s\n\n%s\n' "run.sh: $1" "$usage" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
  --all) all=yes ;;
  --nightly)
    nightly=yes
    export OTLOG_FAULTS_FACTOR=10
    ;;
  --interop-required) export OTLOG_INTEROP_REQUIRED=1 ;;
  --no-install) install=no ;;
  --jobs)
    [[ ${2-} =~ ^[1-9][0-9]*$ ]] || usage_error "--jobs needs a number"
    jobs=$2
    shift
    ;;
  -h | --help)
    echo "$usage"
    exit 0
    ;;
  *) usage_error "unknown option $1" ;;
  esac
  shift
done

# Tests that build a project of their own take what is installed: there may be no make.
export CMAKE_GENERATOR=Ninja

# Lines "seconds suite" of what has ended, and the step that has not.
took=()
suite="" began=0

end_step() {
  [ -z "$suite" ] || took+=("$((SECONDS - began)) $suite")
  suite=""
}

step() {
  end_step
  printf '\n== %s (%d s since the start)\n' "$*" "$SECONDS"
  suite=$* began=$SECONDS
}

# The sanitizers keep their books at fixed addresses, which kernels with much address randomisation hand out to others.
# A container may forbid to switch it off; then the tests run as they are.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2> /dev/null; then
  fixed_addresses=(setarch "$(uname -m)" -R)
fi

# build PRESET
build() {
  step "build $1"
  cmake --preset "$1"
  cmake --build --preset "$1" -j "$jobs"
}

# run_tests PRESET [COMMAND that runs ctest...]
run_tests() {
  step "test $1"
  "${@:2}" ctest --preset "$1" -j "$jobs" --output-log "build/$1/tests.log"
}

# A label's seconds, as CTest adds them up.
take_labels() {
  local label seconds
  end_step
  while read -r label seconds; do
    took+=("$seconds $label")
  done < <(sed -n 's/^\([a-z]*\) *= *\([0-9]*\)\.[0-9]* sec\*proc.*/\1 \2/p' "build/$1/tests.log")
}

# The table in CONTRIBUTING.md is where the minutes are kept that a suite may take.
report() {
  local line seconds name allowed
  end_step
  printf '\n== minutes, and those that CONTRIBUTING.md allows\n'
  for line in "${took[@]}" "$SECONDS in all"; do
    seconds=${line%% *} name=${line#* }
    allowed=$(sed -n "s/^| \`$name\` *| *\([0-9]*\) *|.*/\1/p" CONTRIBUTING.md)
    printf '  %-16s %4d.%d of %s' "$name" $((seconds / 60)) $((seconds % 60 / 6)) "${allowed:-?}"
    if [ -z "$allowed" ]; then
      printf ': give it a row in the table'
    elif [ "$nightly" = no ] && ((seconds > allowed * 60)); then
      printf ': OVER ITS BUDGET'
    fi
    printf '\n'
  done
}

if [ "$install" = yes ]; then
  bash cmake/install-dependencies.sh tests
fi
build release
step "build Collector"
bash tests/interop/build_collector.sh || echo "without it the interop tests say what is wrong"
run_tests release
take_labels release
if [ "$all" = yes ]; then
  build asan
  run_tests asan "${fixed_addresses[@]}"
  build tsan
  run_tests tsan "${fixed_addresses[@]}"
fi
report
