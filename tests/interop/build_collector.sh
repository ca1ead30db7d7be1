#!/bin/bash
# Builds the real OpenTelemetry Collector with its own builder, once per manifest, and prints the program's path.
# usage: build_collector.sh
# Exit status: 0 built, or there already; 3 the Go module proxy cannot be reached; 1 anything else. The reason is the
# last line on stderr.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
manifest=$here/collector-builder.yaml
# The least that the Collector's modules ask for, and what is fetched where Go is older.
go_needed=1.26
go_fetched=go1.26.0

cache=${XDG_CACHE_HOME:-$HOME/.cache}/otlog
collector=$cache/collector-$(sha256sum "$manifest" | cut -c 1-16)
program=$collector/otelcol

say() {
  echo "build_collector: $*" >&2
}

# True if version $1 (as 1.19.8) is at least $2.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Any answer will do, a refusal too.
proxy_answers() {
  local proxies
  proxies=$(go env GOPROXY)
  curl --silent --output /dev/null --max-time 60 "${proxies%%[,|]*}/go.opentelemetry.io/collector/@v/list"
}

give_up() {
  if proxy_answers; then
    say "$*"
    exit 1
  fi
  say "the Go module proxy cannot be reached"
  exit 3
}

# Go before 1.21 does not fetch toolchains by itself, but they are modules, so it can download one. Modules carry no
# execute permission.
fetch_toolchain() {
  local module root
  module=golang.org/toolchain@v0.0.1-$go_fetched.$(go env GOOS)-$(go env GOARCH)
  say "Go $1 is too old: fetching $go_fetched from the module proxy"
  (cd "$work" && go mod download "$module" >&2) || return
  root=$(go env GOMODCACHE)/$module
  chmod +x "$root"/bin/* "$root"/pkg/tool/*/* || return
  export GOROOT=$root PATH=$root/bin:$PATH GOTOOLCHAIN=local
}

provide_go() {
  local have
  if ! command -v go > /dev/null; then
    say "there is no go command here: bash cmake/install-dependencies.sh tests installs it"
    exit 1
  fi
  have=$(go env GOVERSION)
  have=${have#go}
  if at_least "$have" "$go_needed"; then
    return
  elif at_least "$have" 1.21; then
    export GOTOOLCHAIN=$go_fetched
  else
    fetch_toolchain "$have" || give_up "$go_fetched could not be fetched"
  fi
}

build() {
  local version
  version=$(sed -n 's/^  version: //p' "$manifest")
  say "building the Collector $version; this takes some minutes, once"
  sed "s|^dist:|&\n  output_path: $work/collector|" "$manifest" > "$work/manifest.yaml"
  export CGO_ENABLED=0 GOBIN=$work GOFLAGS=-buildvcs=false
  (
    cd "$work"
    nice go install "go.opentelemetry.io/collector/cmd/builder@v$version" &&
      nice ./builder --config manifest.yaml
  ) > "$work/log" 2>&1 < /dev/null || {
    tail -n 20 "$work/log" >&2
    give_up "the Collector did not build; the builder's last lines stand above"
  }
  # In one step, so that nobody ever finds half of it.
  mkdir "$work/done"
  mv "$work/collector/otelcol" "$work/done/"
  mv -T "$work/done" "$collector"
}

main() {
  if [ ! -x "$program" ]; then
    mkdir -p "$cache"
    exec 9> "$cache/collector.lock"
    flock 9
    if [ ! -x "$program" ]; then
      work=$(mktemp -d "$cache/building.XXXXXX")
      trap 'rm -rf "$work"' EXIT
      provide_go
      build
    fi
  fi
  echo "$program"
}

main
