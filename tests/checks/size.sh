#!/bin/bash
# A library, stripped, is not larger than it may be.
# usage: size.sh LIBRARY KIB

set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
strip -o "$folder/stripped" "$1"
bytes=$(stat -c %s "$folder/stripped")
echo "${1##*/}: $bytes bytes stripped, $(($2 * 1024)) allowed"
[ "$bytes" -le $(($2 * 1024)) ] || {
  echo "it is too large: see what grew with nm --size-sort -S $1"
  exit 1
}
