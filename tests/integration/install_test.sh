#!/usr/bin/env bash
# What the README says about linking: an installed otlog is found by pkg-config and by find_package, the static library
# too, the programs run, and the documentation is there. usage: install_test.sh BUILD_DIR (from the root of the sources)
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

runs() {
  # With the SDK off nothing is sent, so nothing has to listen.
  OTEL_SDK_DISABLED=true LD_LIBRARY_PATH=$libraries "$1" || { echo "FAILED: $1 ended with status $?" >&2; exit 1; }
}

cmake --install "$1" --prefix "$prefix" >"$work/log"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name otlog.pc)")
export PKG_CONFIG_PATH
libraries=$(dirname "$PKG_CONFIG_PATH")

for file in README.md CHANGELOG.md LICENSE docs/*.md; do
  cmp "$file" "$prefix/share/doc/otlog/$file"
done

# The options of pkg-config are words.
# shellcheck disable=SC2046
gcc -o "$work/shared" examples/hello.c $(pkg-config --cflags --libs otlog)
runs "$work/shared"

# shellcheck disable=SC2046
gcc -o "$work/static" examples/hello.c $(pkg-config --static --cflags --libs otlog | sed 's/-lotlog /-l:libotlog.a /')
if ldd "$work/static" | grep -q 'libotlog\.so'; then
  echo "FAILED: the static library was not the one that was linked" >&2
  exit 1
fi
runs "$work/static"

cat >"$work/library.c" <<'END'
#include <otlog/logs.h>
void work(void);
void work(void) { OTLOG_INFO(otlog_get_logger("library", NULL), "worked"); }
END
# shellcheck disable=SC2046
gcc -shared -fPIC -Wl,--no-undefined -o "$work/library.so" "$work/library.c" $(pkg-config --cflags --libs otlog-api)

cat >"$work/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.22)
project(uses_otlog C)
find_package(otlog 0.1 REQUIRED)
add_executable(hello $PWD/examples/hello.c)
target_link_libraries(hello otlog::otlog)
add_library(library SHARED library.c)
target_link_libraries(library otlog::otlog-api)
END
{ cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$work/build"; } >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
runs "$work/build/hello"
