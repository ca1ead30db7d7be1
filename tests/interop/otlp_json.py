"""Reads the OTLP JSON that a Collector's file exporter writes, into plain values. Anything unknown is an error, so that no
field goes unseen."""

import base64
import json

EMPTY = ("empty", None)


class Malformed(Exception):
    pass


def take(message, known):
    """The fields of a JSON object, with defaults; what is not known is an error."""
    unknown = set(message) - set(known)
    if unknown:
        raise Malformed(f"unknown fields {sorted(unknown)} in {message}")
    return [message.get(name, default) for name, default in known.items()]


def value_of(message):
    if not message:
        return EMPTY
    if len(message) != 1:
        raise Malformed(f"more than one kind in {message}")
    kind, content = next(iter(message.items()))
    if kind == "stringValue":
        return ("string", content)
    if kind == "boolValue":
        return ("bool", content)
    if kind == "intValue":
        return ("int", int(content))
    if kind == "doubleValue":
        return ("double", float(content))  # "NaN" and "Infinity" are texts in JSON
    if kind == "bytesValue":
        return ("bytes", base64.b64decode(content, validate=True))
    if kind == "arrayValue":
        return ("array", [value_of(item) for item in take(content, {"values": []})[0]])
    if kind == "kvlistValue":
        return ("map", attributes_of(take(content, {"values": []})[0]))
    raise Malformed(f"unknown kind of value {kind}")


def attributes_of(messages):
    pairs = []
    for message in messages:
        key, value = take(message, {"key": "", "value": {}})
        pairs.append((key, value_of(value)))
    return pairs


RECORD_FIELDS = {
    "timeUnixNano": 0,
    "observedTimeUnixNano": 0,
    "severityNumber": 0,
    "severityText": "",
    "eventName": "",
    "body": {},
    "attributes": [],
    "droppedAttributesCount": 0,
    "flags": 0,
    "traceId": "",
    "spanId": "",
}


def record_of(message):
    time, observed, number, severity, event, body, attributes, dropped, flags, trace, span = take(message, RECORD_FIELDS)
    return {
        "time": int(time),
        "observed_time": int(observed),
        "severity_number": number,
        "severity_text": severity,
        "event_name": event,
        "body": value_of(body),
        "attributes": attributes_of(attributes),
        "dropped_attributes_count": dropped,
        "flags": flags,
        "trace_id": trace,
        "span_id": span,
    }


def scope_of(message):
    return take(message, {"name": "", "version": "", "attributes": []})


def number(literal):
    # JSON has a minus zero, Python's integers have none.
    return -0.0 if literal == "-0" else int(literal)


class Received:
    """Everything in the file: resources as (attributes, schema URL), and records with their scope, in order."""

    def __init__(self, path):
        self.resources = []
        self.records = []  # ((name, version, schema URL, attributes as text), record)
        with open(path, encoding="utf-8") as file:
            for line in file:
                self.add_request(json.loads(line, parse_int=number))

    def add_request(self, request):
        for logs in take(request, {"resourceLogs": []})[0]:
            resource, scopes, schema_url = take(logs, {"resource": {}, "scopeLogs": [], "schemaUrl": ""})
            self.resources.append((attributes_of(take(resource, {"attributes": []})[0]), schema_url))
            for scope_logs in scopes:
                self.add_scope(*take(scope_logs, {"scope": {}, "logRecords": [], "schemaUrl": ""}))

    def add_scope(self, scope, records, schema_url):
        name, version, attributes = scope_of(scope)
        key = (name, version, schema_url, repr(attributes_of(attributes)))
        self.records += [(key, record_of(message)) for message in records]
