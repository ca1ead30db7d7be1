#!/usr/bin/env bash
# Builds otlog and shows it at work: a gateway service and a Mito session log to a local OTLP receiver, or to the
# collector that OTEL_EXPORTER_OTLP_ENDPOINT names. Exit status 0 only if every record arrived.
#
#   bash examples/quickstart.sh                       installs what is missing (apt), builds, runs
#   bash examples/quickstart.sh --bin DIR --out DIR   takes programs that are built, keeps its files in a new DIR
set -euo pipefail
export LC_ALL=C

main() {
  local bin="" out=""
  while (($#)); do
    case $1 in
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    *) die "unknown option $1: see the head of this script" ;;
    esac
    shift 2
  done
  if [[ -z $bin ]]; then
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    build
    bin=build/quickstart/bin
  fi
  run=${out:-build/quickstart/run}
  [[ $out ]] || rm -rf "$run"
  mkdir -p "$run"
  [[ -z $(ls -A "$run") ]] || die "$run is not empty: name a new folder"
  began=$SECONDS

  choose_destination "$bin"
  serve_requests "$bin"
  replay_session "$bin"
  stop_gateway
  if [[ -n $local_receiver ]]; then
    stop_receiver
    show_records
    compare
  else
    title "Delivered to $destination in $((SECONDS - began)) s"
  fi
}

# ---- Words ----------------------------------------------------------------------------------------------------------

bold="" plain=""
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\033[1m' plain=$'\033[0m'
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
die() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

# ---- Processes ------------------------------------------------------------------------------------------------------

declare -A pid=() port=()

# start NAME COMMAND...: in the background, on a free port; returns when it listens.
start() {
  local name=$1 got=""
  shift
  mkfifo "$run/$name.port"
  "$@" --port 0 --port-file /dev/fd/3 3>"$run/$name.port" >"$run/$name.out" 2>"$run/$name.err" &
  pid[$name]=$!
  read -r -t 10 got <"$run/$name.port" || true # ends at once if the program does
  rm "$run/$name.port"
  [[ $got ]] || die "the $name did not start: $(cat "$run/$name.err")"
  port[$name]=$got
}

# stop NAME: by SIGTERM; its exit status.
stop() {
  local status=0 of=${pid[$1]}
  unset "pid[$1]"
  kill -TERM "$of" 2>/dev/null || true
  wait "$of" || status=$?
  return $status
}

cleanup() {
  local name
  for name in "${!pid[@]}"; do
    stop "$name" || true
  done
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- The steps ------------------------------------------------------------------------------------------------------

# Without a preset: those are for work on otlog, and ask for all that its tests need.
build() {
  local log=build/quickstart.log
  bash cmake/install-dependencies.sh build
  command -v curl >/dev/null || die "curl is missing; install it with: apt-get install curl"
  title "Building (the log is $log)"
  mkdir -p build
  if ! {
    cmake -G Ninja -B build/quickstart -DCMAKE_BUILD_TYPE=Release -DOTLOG_EXAMPLES=ON -DOTLOG_GRPC=OFF &&
      cmake --build build/quickstart --target receiver gateway mito_replay
  } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die "the build failed; the whole log is $log"
  fi
}

choose_destination() {
  local_receiver=""
  destination=${OTEL_EXPORTER_OTLP_LOGS_ENDPOINT:-${OTEL_EXPORTER_OTLP_ENDPOINT:-}}
  if [[ -n $destination ]]; then
    title "Sending to $destination"
    return
  fi
  local name
  for name in $(compgen -e); do # the show is the same on every machine
    [[ $name == OTEL_* || $name == OTLOG_* || $name == MITO_* ]] && unset "$name"
  done
  export no_proxy=127.0.0.1
  start receiver "$1/example_receiver" --json "$run/records.jsonl"
  local_receiver=yes
  destination=http://127.0.0.1:${port[receiver]}
  export OTEL_EXPORTER_OTLP_ENDPOINT=$destination
  title "Receiver on $destination"
}

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

new_trace() {
  trace=$(random_hex 16)
  printf '%s %s\n' "${trace:0:8}" "$1" >>"$run/traces"
}

# ask STATUS KEY MODEL [traced]: one request to the gateway, which must answer with that status.
ask() {
  local status shown=-------- header=()
  if [[ ${4:-} ]]; then
    shown=${trace:0:8}
    header=(-H "traceparent: 00-$trace-$(random_hex 8)-01")
  fi
  status=$(curl -sS --noproxy '*' --max-time 10 -o "$run/answer" -w '%{http_code}' \
    "http://127.0.0.1:${port[gateway]}/v1/chat/completions" -H "authorization: Bearer $2" "${header[@]}" \
    -H 'content-type: application/json' \
    -d "{\"model\": \"$3\", \"messages\": [{\"role\": \"user\", \"content\": \"Say hello.\"}]}") ||
    die "the gateway did not answer: $(cat "$run/gateway.err")"
  printf '  %s  %-7s asks %-14s -> %s\n' "$shown" "${2#demo-}" "$3" "$status"
  [[ $status == "$1" ]] || die "expected status $1, got $status: $(cat "$run/answer")"
}

serve_requests() {
  start gateway "$1/example_gateway" --emitted "$run/gateway.emitted"
  title "Gateway on http://127.0.0.1:${port[gateway]}: requests, each with its trace"
  new_trace "two questions in one trace"
  ask 200 demo-ana gpt-4o traced
  ask 200 demo-ana gpt-4o traced
  new_trace "the first provider times out, the second answers"
  ask 200 demo-ana claude-sonnet traced
  new_trace "the provider is overloaded"
  ask 429 demo-ben llama-3-70b traced
  new_trace "no provider answers"
  ask 502 demo-ben mistral-large traced
  new_trace "a key that nobody has"
  ask 401 mallory gpt-4o traced
  new_trace "a model that nobody has"
  ask 400 demo-ben gpt-99 traced
  ask 200 demo-ben gpt-4o
}

replay_session() {
  title "Mito session: render, add column, rename, set formula, a rename that fails"
  "$1/example_mito_replay" "$run/mito.emitted" | sed 's/^/  /' ||
    die "the Mito replay could not deliver its events; is $destination up?"
}

stop_gateway() {
  local status=0
  stop gateway || status=$?
  tail -n 1 "$run/gateway.out" | sed 's/^/  /'
  ((status == 0)) || die "the gateway ended with status $status: $(cat "$run/gateway.err")"
}

stop_receiver() {
  stop receiver || die "the receiver failed: $(cat "$run/receiver.err")"
}

# The receiver's lines: time, trace, severity, service, event, body and attributes, two spaces between them.
show_records() {
  title "What the receiver got, by trace"
  awk -v bold="$bold" -v plain="$plain" '
    function add(line) { text[trace] = text[trace] line "\n" }
    FNR == NR { order[++traces] = $1; label[$1] = substr($0, 10); next }
    /^[0-9][0-9]:[0-9][0-9]:/ {
      n = split($0, field, /  +/)
      trace = field[2]
      line = sprintf("    %s  %-5s  %-7s  %s", field[1], field[3], field[4], field[5])
      i = 6
      if (field[i] ~ /^"/) line = line "  " field[i++]
      while (i <= n) {
        add(line)
        for (line = "                "; i <= n && (length(line) == 16 || length(line field[i]) < 110); i++)
          line = line "  " field[i]
      }
      add(line)
      next
    }
    /^ / { add("            " $0) }
    END {
      order[++traces] = "--------"
      label["--------"] = "outside any trace"
      for (i = 1; i <= traces; i++)
        printf "\n  %s%s  %s%s\n%s", bold, order[i], label[order[i]], plain, text[order[i]]
    }' "$run/traces" "$run/receiver.out"
}

# Which records were emitted, by the programs that did, and which the receiver kept: as sets of event name and time.
compare() {
  sort "$run/gateway.emitted" "$run/mito.emitted" >"$run/emitted"
  sed 's/{"timeUnixNano":"/\n&/g' "$run/records.jsonl" |
    sed -n 's/^{"timeUnixNano":"\([0-9]*\)".*"eventName":"\([^"]*\)"}.*/\2 \1/p' | sort >"$run/received"
  local missing unknown
  missing=$(comm -23 "$run/emitted" "$run/received")
  unknown=$(sort -u "$run/received" | comm -13 "$run/emitted" -)

  title "$(tail -n 1 "$run/receiver.out"), $(wc -l <"$run/emitted") were emitted, in $((SECONDS - began)) s"
  printf '  OTLP JSON, one request a line: %s\n' "$run/records.jsonl"
  [[ -z $missing ]] || die "emitted and not received:"$'\n'"$missing"
  [[ -z $unknown ]] || die "received and not emitted:"$'\n'"$unknown"
  printf '  Every record arrived.\n'
}

main "$@"
