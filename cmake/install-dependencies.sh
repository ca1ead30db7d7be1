#!/bin/bash
# Installs with apt what otlog's build or its tests need and this machine lacks. Prints nothing when all is there.
# usage: install-dependencies.sh build|tests

set -euo pipefail

usage="usage: install-dependencies.sh build|tests
  build   what the libraries and the examples need
  tests   that, and what the tests need
Prints what is missing and why, and installs it with apt-get (through sudo where not root).
Does nothing and prints nothing when all is there."

# name : how to see that it is there : why it is needed
build_packages=(
  "gcc : command gcc : compiles otlog"
  "libc6-dev : header stdio.h : the C library's headers"
  "cmake : command cmake : configures the build"
  "ninja-build : command ninja : runs the build"
  "pkg-config : command pkg-config : finds the libraries below"
  "libcurl4-openssl-dev : library libcurl : HTTP transport of the exporters"
  "libssl-dev : library libssl : checks certificates before they are used"
  "libdeflate-dev : library libdeflate : gzip of requests"
  "libprotobuf-c-dev : library libprotobuf-c : reads OTLP responses"
  "protobuf-c-compiler : command protoc-c : compiles proto/"
  "libmicrohttpd-dev : library libmicrohttpd : HTTP server of the examples"
  "zlib1g-dev : library zlib : the example receiver unpacks gzip"
  "curl : command curl : drives the example gateway"
)
test_packages=(
  "libgrpc-dev : library grpc : gRPC's C core, for OTLP/gRPC (without it only that is left out)"
  "libnghttp2-dev : library libnghttp2 : HTTP/2 server that breaks its connections, for the tests of gRPC"
  "libcmocka-dev : library cmocka : test framework"
  "python3 : command python3 : structural checks and interop tests"
  "g++ : command g++ : the headers must compile as C++"
  "clang : command clang : second compiler, address and undefined-behaviour sanitizers"
  "clang-runtime : sanitizers : the sanitizers' runtime for clang"
  "llvm : command llvm-symbolizer : names functions in the sanitizers' reports"
  "clang-format-14 : command clang-format-14 : format check (formats differ between versions)"
  "shellcheck : command shellcheck : checks the scripts"
  "valgrind : command valgrind : counts instructions, so that no cost creeps in"
  "git : command git : lists the files to check"
  "golang-go : command go : builds the OpenTelemetry Collector for the interop tests"
  "openssl : command openssl : makes certificates for the tests of TLS"
  "nginx-light : command nginx : TLS reverse proxy of the integration tests"
  "ca-certificates : file /etc/ssl/certs/ca-certificates.crt : Go's downloads are over TLS"
)

say() {
  echo "otlog: $*" >&2
}

# Without pkg-config its files can still be looked for where Debian puts them.
has_library() {
  if command -v pkg-config > /dev/null; then
    pkg-config --exists "$1"
  else
    compgen -G "/usr/lib/*/pkgconfig/$1.pc" > /dev/null || compgen -G "/usr/*/pkgconfig/$1.pc" > /dev/null
  fi
}

clang_can_sanitize() {
  command -v clang > /dev/null &&
    echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null 2> /dev/null
}

is_there() {
  case $1 in
  command) command -v "$2" > /dev/null || [ -x "/usr/sbin/$2" ] ;; # servers lie there, outside most users' PATH
  library) has_library "$2" ;;
  file) [ -e "$2" ] ;;
  header) command -v gcc > /dev/null && echo "#include <$2>" | gcc -E -x c - > /dev/null 2>&1 ;;
  sanitizers) clang_can_sanitize ;;
  esac
}

# One line "package : why" for each row whose probe fails.
list_missing() {
  local row package probe why
  for row in "$@"; do
    package=${row%% : *}
    why=${row##* : }
    probe=${row#* : }
    probe=${probe% : *}
    # shellcheck disable=SC2086 # a probe is a word or two
    is_there $probe || echo "$package : $why"
  done
}

# Debian's name of a row. Only the runtime's depends on the release: it carries clang's version.
package_name() {
  if [ "$1" != clang-runtime ]; then
    echo "$1"
    return
  fi
  local version
  version=$(apt-cache depends clang 2> /dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
  echo "libclang-rt-${version:-14}-dev"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

may_install() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo > /dev/null || return
  sudo -n true 2> /dev/null && return
  # A person at a terminal can be asked for the password once.
  [ -t 0 ] && sudo -v
}

# Runs apt-get and shows what it said only if it fails.
apt() {
  local log status=0
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" > "$log" 2>&1 < /dev/null || status=$?
  if [ "$status" != 0 ]; then
    cat "$log" >&2
    say "apt-get $1 failed; the reason stands above"
  fi
  rm -f "$log"
  return "$status"
}

# The rows "package : why" of $1, as lines to read.
explain() {
  local line
  while IFS= read -r line; do
    printf '  %-22s %s\n' "$(package_name "${line%% : *}")" "${line#* : }" >&2
  done <<< "$1"
}

# The rows "package : why" of $1, as one line of names.
names_of() {
  local line
  while IFS= read -r line; do
    echo -n "$(package_name "${line%% : *}") "
  done <<< "$1"
}

install_rows() {
  local packages
  if ! command -v apt-get > /dev/null; then
    say "missing on this machine:"
    explain "$1"
    say "there is no apt-get here: please install them yourself (the names are Debian's), then start again"
    return 1
  fi
  if ! may_install; then
    say "missing on this machine:"
    explain "$1"
    say "no right to install them. Please run this, then start again:"
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $(names_of "$1")" >&2
    return 1
  fi
  # Before the names: a fresh machine has no lists to look clang's version up in.
  apt update
  say "missing on this machine, installing with apt-get:"
  explain "$1"
  read -ra packages <<< "$(names_of "$1")"
  apt install -y --no-install-recommends "${packages[@]}"
}

main() {
  local rows=("${build_packages[@]}") missing
  case ${1-} in
  build) ;;
  tests) rows+=("${test_packages[@]}") ;;
  -h | --help)
    echo "$usage"
    return 0
    ;;
  *)
    echo "$usage" >&2
    return 2
    ;;
  esac

  missing=$(list_missing "${rows[@]}")
  [ -n "$missing" ] || return 0
  install_rows "$missing"
  missing=$(list_missing "${rows[@]}")
  if [ -n "$missing" ]; then
    say "still missing after apt-get:"
    explain "$missing"
    return 1
  fi
}

main "$@"
