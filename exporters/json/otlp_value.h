/* AnyValue and KeyValue as OTLP/JSON, however they are nested; without recursion. For otlp_json.c. */
#ifndef OTLOG_JSON_OTLP_VALUE_H
#define OTLOG_JSON_OTLP_VALUE_H

#include "sdk/base/buffer.h"
#include "sdk/wire/read.h"

/*
 * Reads an AnyValue: *value becomes its last field that is a value, and stays as it is if there is none. Before the first
 * of several that are merged its tag is 0. False if the bytes make no sense.
 */
bool otlog__otlp_read_value(otlog_slice bytes, otlog__field *value);

/*
 * An AnyValue that has been read, and a comma. As the functions of room.h. NULL too if containers are nested over 200
 * deep.
 */
uint8_t *otlog__otlp_put_value(otlog__buffer *out, uint8_t *at, const otlog__field *value);

/* An encoded KeyValue, and a comma, in the same way. */
uint8_t *otlog__otlp_put_attribute(otlog__buffer *out, uint8_t *at, otlog_slice bytes);

#endif
