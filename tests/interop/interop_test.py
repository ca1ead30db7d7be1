#!/usr/bin/env python3
"""Sends through otlog to a real OpenTelemetry Collector and compares what it wrote with what was sent.

usage: interop_test.py CASE EMITTER COLLECTOR_STATUS
COLLECTOR_STATUS is the file that find_collector.py wrote. Exit status 77: skipped."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import compare
import expected
from collector import Collector, Failed
from otlp_json import Malformed, Received
from recorder import Recorder

EMITTER_SECONDS = 120
SKIPPED = 77


def environment(endpoint, **more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTLOG_", "MITO_"))}
    return {**clean, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **expected.ENVIRONMENT, **more}


class Emitted:
    """A run of the emitter: its output, its process id and the time it took."""

    def __init__(self, emitter, arguments, variables):
        self.start = time.time_ns()
        process = subprocess.Popen([emitter, *arguments], env=variables, stdout=subprocess.PIPE, text=True)
        try:
            self.output = process.communicate(timeout=EMITTER_SECONDS)[0].splitlines()
        finally:
            process.kill()
            process.wait()
        self.end = time.time_ns()
        self.process_id = process.pid
        if process.returncode != 0:
            raise Failed(f"the emitter ended with status {process.returncode}, output {self.output}")


def check(differences):
    if differences:
        raise Failed(f"{len(differences)} differences:\n" + "\n".join(differences))


def fields(emitter, collector, **variables):
    with collector, Recorder(collector.port) as recorder:
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = "x-tenant=interop,x-encoded=a%20b"
        sent = Emitted(emitter, ["fields"], environment(recorder.endpoint, **variables))
        collector.stop()
    received = Received(collector.output)
    check(
        compare.records_differences(expected.by_scope(), received.records, (sent.start, sent.end))
        + compare.resource_differences(
            expected.resource(sent.process_id), expected.RESOURCE_SCHEMA_URL, received.resources
        )
    )
    print(f"{len(received.records)} records in {len(recorder.requests)} requests, every field as expected")
    return recorder


def check_headers(recorder, content_encoding):
    for headers in recorder.requests:
        wanted = {
            "content-type": "application/x-protobuf",
            "content-encoding": content_encoding,
            "x-tenant": "interop",
            "x-encoded": "a b",
        }
        check([f"header {name}: expected {value}, got {headers.get(name)}" for name, value in wanted.items()
               if headers.get(name) != value])


def case_fields(emitter, collector):
    check_headers(fields(emitter, collector), None)


def case_fields_gzip(emitter, collector):
    check_headers(fields(emitter, collector, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"), "gzip")


def numbers(received):
    """(thread, sequence) of every numbered record, duplicates too."""
    found = []
    for _, record in received.records:
        attributes = dict(record["attributes"])
        found.append((attributes["thread"][1], attributes["sequence"][1]))
    return found


def check_all_there(wanted, found, most_duplicates):
    missing = sorted(wanted - set(found))
    duplicates = len(found) - len(set(found))
    check(
        [f"{len(missing)} of {len(wanted)} records are missing, the first {missing[:5]}"] * bool(missing)
        + [f"{number} was never sent" for number in sorted(set(found) - wanted)[:5]]
        + [f"{duplicates} duplicates, at most {most_duplicates} expected"] * (duplicates > most_duplicates)
    )
    print(f"{len(wanted)} records sent, none missing, {duplicates} twice")


def case_burst(emitter, collector, per_thread=10000, threads=4):
    with collector:
        variables = {"OTLOG_QUEUE_FULL": "block", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
        arguments = ["burst", str(per_thread), str(threads)]
        sent = Emitted(emitter, arguments, environment(collector.endpoint, **variables))
        collector.stop()
    if sent.output != [f"accepted {per_thread * threads}", "DELIVERED"]:
        raise Failed(f"the emitter said {sent.output}")
    wanted = {(thread, sequence) for thread in range(threads) for sequence in range(per_thread)}
    check_all_there(wanted, numbers(Received(collector.output)), 0)


def tell(process, command):
    process.stdin.write(command + "\n")
    process.stdin.flush()


def ask(process, command):
    tell(process, command)
    return process.stdout.readline().strip()


def emit_around_a_restart(emitting, collector, part, large_part):
    """The emitter's answers, and what its flush says while the Collector is away."""
    answers = [ask(emitting, f"emit {part}"), ask(emitting, "flush 60000")]
    tell(emitting, f"emit {large_part}")
    collector.stop()  # while records are emitted and sent
    answers += [emitting.stdout.readline().strip(), ask(emitting, f"emit {part}")]
    away = ask(emitting, "flush 200")
    collector.start()
    answers += [ask(emitting, f"emit {part}"), ask(emitting, "flush 60000")]
    answers.append(emitting.communicate(timeout=EMITTER_SECONDS)[0].strip())
    return answers, away


def case_restart(emitter, collector, part=5000, large_part=100000):
    with collector:
        emitting = subprocess.Popen(
            [emitter, "stream"],
            env=environment(collector.endpoint, OTEL_BLRP_SCHEDULE_DELAY="10", OTLOG_QUEUE_BYTES="67108864"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            answers, away = emit_around_a_restart(emitting, collector, part, large_part)
        finally:
            emitting.kill()
            emitting.wait()
        collector.stop()
    small, large = f"accepted {part}", f"accepted {large_part}"
    if answers != [small, "DELIVERED", large, small, small, "DELIVERED", "DELIVERED"]:
        raise Failed(f"the emitter said {answers}")
    if away != "TIMEOUT":
        raise Failed(f"with the Collector away, flush said {away}")
    # A request whose answer was cut off is sent again; there is one at a time.
    wanted = {(0, sequence) for sequence in range(3 * part + large_part)}
    check_all_there(wanted, numbers(Received(collector.output)), 512)


CASES = {
    "fields": case_fields,
    "fields_gzip": case_fields_gzip,
    "burst": case_burst,
    "restart": case_restart,
}


def main():
    case, emitter, status_file = sys.argv[1:]
    status, _, detail = pathlib.Path(status_file).read_text(encoding="utf-8").strip().partition(" ")
    if status != "program":
        print(f"{'skipped' if status == 'skip' else 'failed'}: no Collector: {detail}")
        return SKIPPED if status == "skip" else 1
    try:
        with tempfile.TemporaryDirectory(prefix="otlog-interop-") as folder:
            CASES[case](emitter, Collector(detail, folder))
    except (Failed, Malformed) as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
