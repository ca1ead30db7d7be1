#!/usr/bin/env python3
"""Sends through otlog to a real OpenTelemetry Collector and compares what it wrote with what was sent.

usage: interop_test.py CASE EMITTER COLLECTOR_STATUS
CASE is one of `fields`, `burst`, `restart`, `third` (of all calls fails), `memory` (of the Collector is short) and
`maps` (of the process), with what it is to be done by: `-json` or `-grpc` instead of http/protobuf, `-gzip`, `-tls` or `-mtls`. COLLECTOR_STATUS is the file that
find_collector.py wrote. Exit status 77: skipped."""

import pathlib
import subprocess
import sys
import tempfile

import compare
import expected
from certificates import Certificates
from collector import Collector, Failed
from emitter import Burst, Emitted, Stream, environment
from grpc_proxy import GrpcProxy
from otlp_json import Malformed, Received
from recorder import Recorder

SKIPPED = 77
BATCH = 512
GRPC_CALLS = 4  # in flight


class Run:
    """How to send: the Collector, and the environment of the emitter."""

    def __init__(self, emitter, program, folder, ways):
        self.emitter = emitter
        self.ways = ways
        self.grpc = "grpc" in ways
        self.gzip = "gzip" in ways
        self.secure = bool(ways & {"tls", "mtls"})
        self.certificates = Certificates(folder) if self.secure else None
        self.collector = Collector(program, folder, self.certificates, "mtls" in ways)

    @property
    def kind(self):
        return "grpc" if self.grpc else "http"

    @property
    def content_type(self):
        return "application/json" if "json" in self.ways else "application/x-protobuf"

    def variables(self, endpoint, **more):
        chosen = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        if self.grpc:
            chosen["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc"
        elif "json" in self.ways:
            chosen["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] = "http/json"
        if self.gzip:
            chosen["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
        if self.secure:
            chosen["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(self.certificates.authority)
        return environment(**chosen, **more)

    def direct(self, **more):
        return self.variables(self.collector.endpoint(self.kind), **more)

    def client_certificate(self):
        client = self.certificates.client
        return {
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(client),
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(self.certificates.key(client)),
        }

    def proxy(self, fail_every=0, hold_for=0):
        port = self.collector.ports[self.kind]
        return GrpcProxy(port, fail_every, hold_for) if self.grpc else Recorder(port, fail_every)


def check(differences):
    if differences:
        raise Failed(f"{len(differences)} differences:\n" + "\n".join(differences))


# ---- fields ----------------------------------------------------------------------------------------------------------


def check_proxy(run, proxy):
    """That the requests were of the form that was asked for."""
    if run.grpc:
        check([f"compressed: expected {run.gzip} of each message, got {proxy.compressed}"]
              * (set(proxy.compressed) != {run.gzip}))
        return
    wanted = {
        "content-type": run.content_type,
        "content-encoding": "gzip" if run.gzip else None,
        "x-tenant": "interop",
        "x-encoded": "a b",
    }
    for headers in proxy.requests:
        check([f"header {name}: expected {value}, got {headers.get(name)}" for name, value in wanted.items()
               if headers.get(name) != value])
    check(["no request came"] * (not proxy.requests))


def refuse_strangers(run):
    """Nothing of a client without a certificate arrives: the fields are all that does."""
    with Stream(run.emitter, run.direct()) as emitting:
        answers = [emitting.ask("emit 5"), emitting.ask("flush 2000")]
    if answers not in (["accepted 5", "TIMEOUT"], ["accepted 5", "DROPPED"]):
        raise Failed(f"without a certificate, the emitter said {answers}")


def emit_fields(run):
    # One batch, so that the order is kept where several are in flight.
    more = {"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=interop,x-encoded=a%20b", "OTEL_BLRP_SCHEDULE_DELAY": "60000"}
    if run.secure:
        if "mtls" in run.ways:
            refuse_strangers(run)
            more.update(run.client_certificate())
        return Emitted(run.emitter, ["fields"], run.direct(**more))
    with run.proxy() as proxy:
        sent = Emitted(run.emitter, ["fields"], run.variables(proxy.endpoint, **more))
    check_proxy(run, proxy)
    return sent


def case_fields(run):
    with run.collector:
        sent = emit_fields(run)
        run.collector.stop()
    received = Received(run.collector.output)
    check(
        compare.records_differences(expected.by_scope(), received.records, (sent.start, sent.end))
        + compare.resource_differences(
            expected.resource(sent.process_id), expected.RESOURCE_SCHEMA_URL, received.resources
        )
    )
    print(f"{len(received.records)} records, every field as expected")


# ---- numbered records ------------------------------------------------------------------------------------------------


def numbers(run):
    """(thread, sequence) of every numbered record that arrived, duplicates too."""
    found = []
    for _, record in Received(run.collector.output).records:
        attributes = dict(record["attributes"])
        found.append((attributes["thread"][1], attributes["sequence"][1]))
    return found


def check_all_there(wanted, found, most_duplicates):
    missing = sorted(wanted - set(found))
    duplicates = len(found) - len(set(found))
    check(
        [f"{len(missing)} of {len(wanted)} records are missing, the first {missing[:5]}"] * bool(missing)
        + [f"{number} was not accepted, but arrived" for number in sorted(set(found) - wanted)[:5]]
        + [f"{duplicates} duplicates, at most {most_duplicates} expected"] * (duplicates > most_duplicates)
    )
    print(f"{len(wanted)} records accepted, none missing, {duplicates} twice")


def check_books(sent, delivered, retries):
    wanted = {
        "emitted": len(sent.emitted),
        "delivered": delivered,
        "dropped": len(sent.refused),
        "queued": 0,
        "retries": retries,
    }
    check([f"books: {name}: expected {number}, got {sent.books[name]}" for name, number in wanted.items()
           if sent.books[name] != number])


def case_burst(run):
    with run.collector:
        variables = run.direct(OTLOG_QUEUE_FULL="block", OTLOG_QUEUE_BLOCK_TIMEOUT="60000")
        sent = Burst(run.emitter, 10000, 4, variables)
        run.collector.stop()
    if sent.result != "DELIVERED" or sent.refused:
        raise Failed(f"the emitter said {sent.result}, with {len(sent.refused)} records refused")
    check_all_there(sent.emitted, numbers(run), 0)
    check_books(sent, len(sent.emitted), 0)


def emit_around_a_restart(emitting, collector, part, large_part):
    """The emitter's answers, and what its flush says while the Collector is away."""
    answers = [emitting.ask(f"emit {part}"), emitting.ask("flush 60000")]
    emitting.tell(f"emit {large_part}")
    collector.stop()  # while records are emitted and sent
    answers += [emitting.answer(), emitting.ask(f"emit {part}")]
    away = emitting.ask("flush 200")
    collector.start()
    answers += [emitting.ask(f"emit {part}"), emitting.ask("flush 60000"), emitting.finish()]
    return answers, away


def case_restart(run, part=5000, large_part=100000):
    with run.collector:
        variables = run.direct(OTEL_BLRP_SCHEDULE_DELAY="10", OTLOG_QUEUE_BYTES="67108864")
        with Stream(run.emitter, variables) as emitting:
            answers, away = emit_around_a_restart(emitting, run.collector, part, large_part)
        run.collector.stop()
    small, large = f"accepted {part}", f"accepted {large_part}"
    if answers != [small, "DELIVERED", large, small, small, "DELIVERED", "DELIVERED"]:
        raise Failed(f"the emitter said {answers}")
    if away != "TIMEOUT":
        raise Failed(f"with the Collector away, flush said {away}")
    # Requests whose answers were cut off are sent again.
    in_flight = GRPC_CALLS if run.grpc else 1
    wanted = {(0, sequence) for sequence in range(3 * part + large_part)}
    check_all_there(wanted, numbers(run), BATCH * in_flight)


def case_third(run):
    """One call in three fails. What arrives is what emit said it had accepted, record by record, and nothing twice: the
    Collector never had what failed. The queue is small, so that some are refused."""
    more = {
        "OTLOG_QUEUE_BYTES": "524288",
        "OTLOG_QUEUE_FULL": "block",
        "OTLOG_QUEUE_BLOCK_TIMEOUT": "20",
        "OTEL_BLRP_SCHEDULE_DELAY": "10",
    }
    with run.collector:
        with run.proxy(fail_every=3, hold_for=GRPC_CALLS) as proxy:
            sent = Burst(run.emitter, 2500, 4, run.variables(proxy.endpoint, **more))
        run.collector.stop()
    check_all_there(sent.accepted, numbers(run), 0)
    check([f"only {proxy.failed} calls failed"] * (proxy.failed < 3))
    if run.grpc:
        check([f"{proxy.most_open} calls were in flight at most"] * (proxy.most_open != GRPC_CALLS))
    check_books(sent, len(sent.accepted), proxy.failed)
    if sent.result != ("DROPPED" if sent.refused else "DELIVERED"):
        raise Failed(f"with {len(sent.refused)} records refused, the shutdown said {sent.result}")
    print(f"{proxy.failed} calls failed, {len(sent.refused)} records were refused by the full queue")


def case_memory(run, part=5000):
    """Its memory limiter refuses what comes. The records wait, and arrive once each when there is memory again."""
    run.collector.short_of_memory = True
    with run.collector:
        run.collector.wait_for_refusals()
        with Stream(run.emitter, run.direct(OTEL_BLRP_SCHEDULE_DELAY="10")) as emitting:
            answers = [emitting.ask(f"emit {part}"), emitting.ask("flush 1000"), emitting.ask(f"emit {part}")]
            run.collector.stop()
            refused = numbers(run)
            run.collector.short_of_memory = False
            run.collector.start()
            answers += [emitting.ask("flush 60000"), emitting.finish()]
        run.collector.stop()
    if answers != [f"accepted {part}", "TIMEOUT", f"accepted {part}", "DELIVERED", "DELIVERED"]:
        raise Failed(f"the emitter said {answers}")
    check([f"{len(refused)} records passed the memory limiter"] * bool(refused))
    check_all_there({(0, sequence) for sequence in range(2 * part)}, numbers(run), 0)


# ---- what a process maps ---------------------------------------------------------------------------------------------

GRPC_LIBRARIES = ("libotlog-grpc.so", "libgrpc.so", "libgpr.so")


def mapped_after_delivery(run, variables):
    """The files that the emitter has mapped when ten records are delivered."""
    with Stream(run.emitter, variables) as emitting:
        answers = [emitting.ask("emit 10"), emitting.ask("flush 30000")]
        if answers != ["accepted 10", "DELIVERED"]:
            raise Failed(f"the emitter said {answers}")
        maps = pathlib.Path(f"/proc/{emitting.process.pid}/maps").read_text(encoding="utf-8")
    return {line.split(maxsplit=5)[5] for line in maps.splitlines() if len(line.split()) > 5}


def grpc_in(files):
    return sorted({library for library in GRPC_LIBRARIES for file in files if library in file})


def needed(library):
    out = subprocess.run(["ldd", library], check=True, capture_output=True, text=True).stdout
    return out.splitlines()


def case_maps(run):
    """HTTP never brings gRPC into a process; gRPC, where it is built, does."""
    with run.collector, Recorder(0) as mito:
        http = run.collector.endpoint("http")
        found = {
            "http/protobuf": environment(OTEL_EXPORTER_OTLP_ENDPOINT=http),
            "http/json": environment(OTEL_EXPORTER_OTLP_ENDPOINT=http, OTEL_EXPORTER_OTLP_PROTOCOL="http/json"),
            "Mito": environment(MITO_CONFIG_VERSION="2", MITO_CONFIG_LOG_SERVER_URL=mito.endpoint),
        }
        if run.grpc:
            found["grpc"] = run.direct()
        for protocol, variables in found.items():
            found[protocol] = mapped_after_delivery(run, variables)
        run.collector.stop()
    check(["Mito: no request came"] * (not mito.requests))
    ours = next(file for file in found["http/protobuf"] if "/libotlog.so" in file)
    for protocol, files in found.items():
        wanted = sorted(GRPC_LIBRARIES) if protocol == "grpc" else []
        if grpc_in(files) != wanted:
            raise Failed(f"{protocol}: expected {wanted} to be mapped, got {grpc_in(files)}")
    check([f"{ours} needs {library}" for library in grpc_in(needed(ours))])
    if run.grpc:
        theirs = next(file for file in found["grpc"] if "/libotlog-grpc.so" in file)
        check([f"ldd does not show {library} of {theirs}" for library in GRPC_LIBRARIES[1:]
               if library not in grpc_in(needed(theirs))])
    print(f"no gRPC in a process that sends by {', '.join(set(found) - {'grpc'})}" + ", but by grpc" * run.grpc)


CASES = {
    "fields": case_fields,
    "burst": case_burst,
    "restart": case_restart,
    "third": case_third,
    "memory": case_memory,
    "maps": case_maps,
}


def main():
    case, emitter, status_file = sys.argv[1:]
    status, _, detail = pathlib.Path(status_file).read_text(encoding="utf-8").strip().partition(" ")
    if status != "program":
        print(f"{'skipped' if status == 'skip' else 'failed'}: no Collector: {detail}")
        return SKIPPED if status == "skip" else 1
    name, *ways = case.split("-")
    try:
        with tempfile.TemporaryDirectory(prefix="otlog-interop-") as folder:
            CASES[name](Run(emitter, detail, folder, set(ways)))
    except (Failed, Malformed) as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
