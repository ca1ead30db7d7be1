"""What the Collector must have written for `interop_emit fields`, by hand from the OpenTelemetry specification and otlog's
documentation: nothing here comes from otlog's encoder."""

import uuid

# Values, as (kind, content): what OTLP's AnyValue can say, and no more.
EMPTY = ("empty", None)


def text(content):
    return ("string", content)


def integer(content):
    return ("int", content)


def double(content):
    return ("double", content)


def boolean(content):
    return ("bool", content)


def binary(content):
    return ("bytes", content)


def array(*items):
    return ("array", list(items))


def mapping(*pairs):
    return ("map", list(pairs))


class Now:
    """A time between the start and the end of the emitter."""

    def __repr__(self):
        return "<now>"


class AnyUuid:
    """A text that is a UUID in its canonical form."""

    def __eq__(self, other):
        try:
            return isinstance(other, str) and str(uuid.UUID(other)) == other
        except ValueError:
            return False

    def __repr__(self):
        return "<any UUID>"


NOW = Now()
NO_TRACE = {"trace_id": "", "span_id": "", "flags": 0}


def record(**fields):
    whole = {
        "time": 0,
        "observed_time": NOW,
        "severity_number": 0,
        "severity_text": "",
        "event_name": "",
        "body": EMPTY,
        "attributes": [],
        "dropped_attributes_count": 0,
        **NO_TRACE,
    }
    assert set(fields) <= set(whole)
    whole.update(fields)
    return whole


def value(name, content):
    return record(event_name=name, body=content, attributes=[("value", content)])


VALUES = [
    value("empty", EMPTY),
    value("string", text("text")),
    value("string.empty", text("")),
    value("string.unicode", text("héllo 日本語 🎉 e\u0301")),
    value("string.controls", text("tab\t quote\" backslash\\ newline\n bell\a <&>")),
    value("string.nul", text("a\0b")),
    value("string.invalid", binary(b"bad \xff\xfe")),
    value("bool.true", boolean(True)),
    value("bool.false", boolean(False)),
    value("int.zero", integer(0)),
    value("int.minus", integer(-1)),
    value("int.min", integer(-9223372036854775808)),
    value("int.max", integer(9223372036854775807)),
    value("uint.small", integer(42)),
    value("uint.max", text("18446744073709551615")),
    value("uint.first_over", text("9223372036854775808")),
    value("double", double(0.1)),
    value("double.zero", double(0.0)),
    value("double.minus_zero", double(-0.0)),
    value("double.nan", double(float("nan"))),
    value("double.infinity", double(float("inf"))),
    value("double.minus_infinity", double(float("-inf"))),
    value("double.largest", double(1.7976931348623157e308)),
    value("double.smallest", double(5e-324)),
    value("bytes", binary(b"\x00\x01\xfe\xff")),
    value("bytes.empty", binary(b"")),
    value("array.empty", array()),
    value("map.empty", mapping()),
    value(
        "array",
        array(
            text("s"),
            boolean(True),
            integer(7),
            double(-0.0),
            EMPTY,
            binary(b"\x80"),
            array(integer(1), array()),
            mapping(("in", text("array"))),
        ),
    ),
    value(
        "map",
        mapping(
            ("z first", integer(1)),
            ("a second", mapping(("deep", mapping(("er", text("leaf")))))),
            ("list", array(mapping(("k", integer(2))))),
            ("nothing", EMPTY),
            ("no text", text("")),
            ("no items", mapping()),
        ),
    ),
]

SEVERITY_NAMES = [
    name + number for name in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL") for number in ("", "2", "3", "4")
]

SEVERITIES = [
    record(
        event_name="severity",
        severity_number=given if 1 <= given <= 24 else 0,
        severity_text=SEVERITY_NAMES[given - 1] if 1 <= given <= 24 else "UNSPECIFIED",
        attributes=[("given", integer(given))],
    )
    for given in range(-1, 26)
]

TIMES = [
    record(event_name="time", time=time, observed_time=observed, attributes=[("index", integer(index))])
    for index, (time, observed) in enumerate(
        [
            (0, NOW),
            (1, 2),
            (1772442845123456789, 1772442846987654321),
            (18446744073709551615, 18446744073709551615),
            (0, 5),
            (5, NOW),
        ]
    )
]

CURRENT_TRACE = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}

TRACES = [
    record(
        event_name="trace.explicit",
        trace_id="ffeeddccbbaa99887766554433221100",
        span_id="0102030405060708",
        flags=3,
    ),
    record(event_name="trace.current", flags=1, **CURRENT_TRACE),
    record(event_name="trace.none"),
    record(event_name="trace.unsampled", flags=0, **CURRENT_TRACE),
]

ATTRIBUTES = [
    record(
        event_name="attributes.names",
        attributes=[
            ("twice", integer(3)),
            ("once", integer(2)),
            ("キー", text("key")),
            ("bad\ufffd", integer(4)),
        ],
    ),
    # 130 of which 128 are sent, and one with an empty key.
    record(
        event_name="attributes.dropped",
        attributes=[(f"k{number}", integer(number)) for number in range(128)],
        dropped_attributes_count=3,
    ),
    record(event_name="attributes.large", attributes=[("large", text("x" * 100000))]),
]

NAMES = [
    record(body=text("no event")),
    record(event_name="événement"),
    record(),
    record(
        severity_number=9,
        time=NOW,
        body=text("order placed"),
        attributes=[
            ("order.id", text("o-17")),
            ("total", double(42.5)),
            ("code.file.path", text("src/checkout.c")),
            ("code.function.name", text("place_order")),
            ("code.line.number", integer(42)),
        ],
    ),
]

BONITO = [
    record(
        event_name="bonito.gateway.request",
        time=1772442845000000000,
        severity_number=17,
        severity_text="error",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        body=text("Completed chat completion request"),
        attributes=[
            ("bonito.log_type", text("gateway")),
            ("bonito.event_type", text("request")),
            ("bonito.org_id", text("5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21")),
            ("user.id", text("u-1")),
            ("bonito.resource_id", text("r-1")),
            ("bonito.resource_type", text("model")),
            ("bonito.action", text("execute")),
            ("bonito.duration_ms", integer(2500)),
            ("bonito.cost", double(0.045)),
            ("gen_ai.request.model", text("gpt-4o")),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.usage.input_tokens", integer(1200)),
            ("gen_ai.usage.output_tokens", integer(300)),
            ("bonito.metadata.retry", boolean(False)),
        ],
    ),
]

MITO = [
    record(
        event_name="mito.rename_column_edit",
        time=1772442845000000000,
        severity_number=9,
        attributes=[
            ("mito.params.sheet_index", integer(0)),
            ("mito.params.new_column_header", text("B")),
            ("mito.version.python", text("3.11.9")),
        ],
    ),
    record(
        event_name="mito.error",
        time=1772442846000000000,
        severity_number=14,
        attributes=[
            ("mito.error_severity_code", text("10")),
            ("exception.type", text("KeyError")),
            ("exception.message", text("'B'")),
            (
                "exception.stacktrace",
                text("Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'B'"),
            ),
            ("mito.params.failed_log_event", text("rename_column_edit_failed")),
        ],
    ),
]


def scoped(*indices):
    return [record(event_name="scope", attributes=[("index", integer(index))]) for index in indices]


# {(name, version, schema URL, attributes as text): records in the order they were emitted}
def by_scope():
    return {
        scope("fields", "0.1"): VALUES + SEVERITIES + TIMES + TRACES + ATTRIBUTES + NAMES,
        scope("plain"): scoped(0, 2),
        scope("plain", "2.0"): scoped(3, 7),
        scope(""): scoped(4),
        scope(
            "scöpe",
            "3.1.4",
            "https://opentelemetry.io/schemas/1.37.0",
            [("scope.key", text("v")), ("scope.list", array(integer(1)))],
        ): scoped(1, 5, 6),
        scope("bonito", "1.0"): BONITO,
        scope("mito", "1.0"): MITO,
    }


def scope(name, version="", schema_url="", attributes=()):
    return (name, version, schema_url, repr(list(attributes)))


# The emitter's environment.
ENVIRONMENT = {
    "OTEL_SERVICE_NAME": "interop",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=t%C3%A9st,team=from environment,service.name=not this one",
}

RESOURCE_SCHEMA_URL = "https://opentelemetry.io/schemas/1.36.0"


def resource(process_id):
    return {
        "service.name": text("interop"),
        "service.instance.id": ("string", AnyUuid()),
        "telemetry.sdk.name": text("otlog"),
        "telemetry.sdk.language": text("c"),
        "telemetry.sdk.version": text("0.1.0"),
        "process.pid": integer(process_id),
        "process.executable.name": text("interop_emit"),
        "deployment.environment.name": text("tést"),
        "team": text("from code"),
        "build.number": integer(7),
        "build.flags": array(text("-O2"), text("-g")),
    }
