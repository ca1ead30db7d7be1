# Sourced by the checks that look at every file of a kind. Run from the root of the sources.

# Paths of the files whose names match the patterns: those git tracks, or all there are in an unpacked archive.
tracked_files() {
  local patterns=("$@") pattern names=()
  if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
    # One that is tracked but was just deleted has nothing to check.
    git ls-files -- "${patterns[@]}" | while IFS= read -r path; do [ ! -e "$path" ] || echo "$path"; done
    return
  fi
  for pattern in "${patterns[@]}"; do
    names+=(-o -path "./$pattern")
  done
  find . -path ./build -prune -o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||'
}

need() {
  command -v "$1" > /dev/null && return
  echo "$1 is not installed: run bash cmake/install-dependencies.sh tests"
  exit 1
}
