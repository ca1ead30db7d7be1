/* AnyValue and KeyValue as OTLP/JSON, however they are nested; without recursion. For otlp_json.c. */
#ifndef OTLOG_JSON_OTLP_VALUE_H
#define OTLOG_JSON_OTLP_VALUE_H

#include "sdk/base/buffer.h"

#include <otlog/exporter.h>

/* An encoded AnyValue, and a comma. As the functions of room.h. NULL too if containers are nested over 200 deep. */
uint8_t *otlog__otlp_put_value(otlog__buffer *out, uint8_t *at, otlog_slice bytes);

/* An encoded KeyValue in the same way. */
uint8_t *otlog__otlp_put_attribute(otlog__buffer *out, uint8_t *at, otlog_slice bytes);

#endif
