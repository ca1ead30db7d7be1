"""Compares what arrived with what was expected, and says every difference."""

import math
import struct

import expected


def same(want, got):
    """Equal in kind and content. Doubles by their bits, so that 0.0 is not -0.0; any NaN equals any other."""
    if want[0] != got[0]:
        return False
    kind = want[0]
    if kind == "double":
        if math.isnan(want[1]) or math.isnan(got[1]):
            return math.isnan(want[1]) and math.isnan(got[1])
        return struct.pack("<d", want[1]) == struct.pack("<d", got[1])
    if kind == "array":
        return len(want[1]) == len(got[1]) and all(map(same, want[1], got[1]))
    if kind == "map":
        return same_attributes(want[1], got[1])
    return want[1] == got[1]


def same_attributes(want, got):
    return len(want) == len(got) and all(
        want_key == got_key and same(want_value, got_value)
        for (want_key, want_value), (got_key, got_value) in zip(want, got)
    )


def short(thing):
    text = repr(thing)
    return text if len(text) < 300 else text[:300] + f"... ({len(text)} characters)"


def field_differs(name, want, got, span):
    if isinstance(want, expected.Now):
        return not span[0] <= got <= span[1]
    if name == "body":
        return not same(want, got)
    if name == "attributes":
        return not same_attributes(want, got)
    return want != got


def record_differences(place, want, got, span):
    return [
        f"{place}: {name}: expected {short(want[name])}, got {short(got[name])}"
        for name in want
        if field_differs(name, want[name], got[name], span)
    ]


def records_differences(want, received, span):
    """`want` is {scope: records}; `received` a list of (scope, record)."""
    differences = []
    got = {}
    for scope, record in received:
        got.setdefault(scope, []).append(record)
    for scope in sorted(set(want) | set(got)):
        wanted, given = want.get(scope, []), got.get(scope, [])
        if len(wanted) != len(given):
            differences.append(f"scope {scope}: expected {len(wanted)} records, got {len(given)}")
        for index, pair in enumerate(zip(wanted, given)):
            place = f"scope {scope[0]!r} record {index} ({pair[0]['event_name'] or 'no event'})"
            differences += record_differences(place, *pair, span)
    return differences


def resource_differences(want, schema_url, resources):
    differences = [] if resources else ["no resource arrived"]
    for attributes, url in resources:
        if url != schema_url:
            differences.append(f"resource: schema URL: expected {schema_url}, got {url}")
        got = dict(attributes)
        if len(got) != len(attributes):
            differences.append(f"resource: a key more than once in {attributes}")
        for key in sorted(set(want) | set(got)):
            if key not in want or key not in got or not same(want[key], got[key]):
                differences.append(f"resource: {key}: expected {want.get(key)}, got {got.get(key)}")
    return differences
