#!/usr/bin/env bash
# The examples, as they were built: against the example receiver the quickstart's whole show, hello, and what the receiver
# refuses; the exporter of one's own against a socket. usage: examples_test.sh BIN_DIR (from the root of the sources)
set -euo pipefail

bin=$1
work=$(mktemp -d)
receiver=""

cleanup() {
  if [[ $receiver ]]; then
    kill -TERM "$receiver" 2>/dev/null || true
    wait "$receiver" || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# expect STATUS CURL_ARGUMENT...
expect() {
  local wanted=$1 got
  shift
  got=$(curl -sS --noproxy '*' --max-time 10 -o "$work/answer" -w '%{http_code}' "$@")
  [[ $got == "$wanted" ]] || fail "status $got instead of $wanted for: $*"
}

quickstart_shows_every_record() {
  local out=$work/show
  bash examples/quickstart.sh --bin "$bin" --out "$out" >"$work/shown" 2>&1 || {
    cat "$work/shown" >&2
    fail "the quickstart ended with status $?"
  }
  grep -q 'Every record arrived' "$work/shown" || fail "the quickstart does not say that every record arrived"
  # The gateway's entries of one trace lie under that trace; the failed rename shows its traceback.
  grep -A 4 'two questions in one trace' "$work/shown" | grep -q 'bonito.gateway.request' || fail "no trace with its requests"
  grep -q '| Traceback (most recent call last):' "$work/shown" || fail "no traceback"
  python3 - "$out/records.jsonl" <<'END' || fail "the JSON lines are not what was emitted"
import json
import sys

names = []
for line in open(sys.argv[1], encoding="utf-8"):
    for resource in json.loads(line)["resourceLogs"]:
        assert resource["resource"]["attributes"], "no resource"
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                names.append(record["eventName"])
                assert int(record["timeUnixNano"]) > 0 and record["severityNumber"] in range(1, 25)
                if "traceId" in record:
                    assert len(record["traceId"]) == 32 and len(record["spanId"]) == 16 and record["flags"] == 1
for name in ("bonito.gateway.provider_failover", "bonito.gateway.rate_limit", "bonito.gateway.error",
             "bonito.auth.failed_auth", "mito.error", "mito.set_column_formula_edit"):
    assert name in names, name
END
}

quickstart_fails_where_nobody_listens() {
  # An address of the loopback network that nothing else uses, and the port of a service that is long gone.
  if OTEL_EXPORTER_OTLP_ENDPOINT=http://127.99.99.99:9 \
    bash examples/quickstart.sh --bin "$bin" --out "$work/nobody" >"$work/shown" 2>&1; then
    cat "$work/shown" >&2
    fail "the quickstart says all is well although nothing was delivered"
  fi
  grep -q '127.99.99.99' "$work/shown" || fail "the error does not name the endpoint"
}

start_receiver() {
  mkfifo "$work/port"
  "$bin/example_receiver" --port 0 --port-file /dev/fd/3 --json "$work/hello.jsonl" 3>"$work/port" >"$work/hello.out" &
  receiver=$!
  read -r -t 10 port <"$work/port" || fail "the receiver did not start"
  url=http://127.0.0.1:$port/v1/logs
}

receiver_refuses_what_is_not_otlp() {
  local type='Content-Type: application/x-protobuf'
  expect 200 -H "$type" -X POST "$url"
  expect 404 -H "$type" -X POST "http://127.0.0.1:$port/v1/traces"
  expect 405 -H "$type" "$url"
  expect 415 -H 'Content-Type: application/json' -d '{}' "$url"
  expect 400 -H "$type" -d 'this is no protobuf message' "$url"
  expect 400 -H "$type" -H 'Content-Encoding: gzip' -d 'this is not gzip' "$url"
}

hello_arrives() {
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port "$bin/example_hello" || fail "hello ended with status $?"
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port OTEL_EXPORTER_OTLP_COMPRESSION=gzip "$bin/example_hello" ||
    fail "hello with gzip ended with status $?"
  kill -TERM "$receiver"
  wait "$receiver" || fail "the receiver ended with status $?"
  receiver=""
  [[ $(grep -c '"stringValue":"order placed"' "$work/hello.jsonl") == 2 ]] || fail "not two lines in the JSON file"
  grep -q 'order.id=A-1042  total=42.5  items=3' "$work/hello.out" || fail "the attributes are not shown"
  [[ $(tail -n 1 "$work/hello.out") == "received 2 records in 3 requests" ]] || fail "wrong summary"
}

custom_exporter_retries_until_the_system_log_is_there() {
  local socket=$work/log said program
  mkfifo "$work/said"
  exec 4<>"$work/said"
  "$bin/example_custom_exporter" "$socket" >"$work/custom.out" 2>&4 4>&- &
  program=$!
  read -r -t 10 -u 4 said || fail "the exporter does not say that nobody listens"
  [[ $said == *"system_log: $socket: No such file or directory"* ]] || fail "unexpected diagnostic: $said"
  python3 - "$socket" >"$work/datagrams" <<'END' || fail "the records did not reach the socket"
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.settimeout(10)
listener.bind(sys.argv[1])
for _ in range(2):
    print(listener.recv(65536).decode())
END
  wait "$program" || fail "the example with its own exporter ended with status $?"
  exec 4>&-
  # Warnings and worse there, everything on the console.
  grep -q '^<12>checkout: stock is low item=tea left=3 ' "$work/datagrams" || fail "no warning in the system log"
  grep -q '^<11>payment: card refused order.id=A-1043 ' "$work/datagrams" || fail "no error in the system log"
  [[ $(grep -cE 'order placed|stock is low|card refused' "$work/custom.out") == 3 ]] || fail "not three console lines"
}

unset "${!OTEL_@}" "${!OTLOG_@}"
quickstart_shows_every_record
quickstart_fails_where_nobody_listens
start_receiver
receiver_refuses_what_is_not_otlp
hello_arrives
custom_exporter_retries_until_the_system_log_is_there
