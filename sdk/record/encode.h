/*
 * The wire encoder: a record becomes the bytes of an opentelemetry.proto.logs.v1.LogRecord, once, in place.
 *
 * One pass, no allocation, no lock, no clock, no errno: async-signal-safe. Varints are minimal and fields come in the
 * order of their numbers, so the bytes are what any protobuf library would pack.
 */
#ifndef OTLOG_RECORD_ENCODE_H
#define OTLOG_RECORD_ENCODE_H

#include "sdk/base/limits.h"

#include <otlog/logs.h>

/* opentelemetry-specification common/README.md, "Attribute Limits". */
typedef struct otlog__limits {
	uint32_t attribute_count; /* of the record, top level only */
	uint32_t depth;           /* containers below this many become empty; OTLOG__DEPTH_MAX at most */
	size_t value_size; /* bytes of a string or bytes value, nested ones and the body too; SIZE_MAX: no limit */
} otlog__limits;

#define OTLOG__DEFAULT_LIMITS                   \
	{                                       \
		128, OTLOG__DEPTH_MAX, SIZE_MAX \
	}

/* What had to be changed, for the books and the diagnostics. Comes zeroed. */
typedef struct otlog__encode_notes {
	uint32_t dropped_attributes; /* over the limit or without a key; also in the record's own field */
	bool not_utf8;               /* U+FFFD in a name or key, or a string that became bytes */
	bool too_deep;               /* a container became empty */
	bool truncated;              /* a value was cut to limits->value_size */
} otlog__encode_notes;

/*
 * An upper bound of what otlog__record_encode writes, in bytes, SIZE_MAX if it cannot be told. Cheap: it reads sizes,
 * not contents. A name or key that is not UTF-8 may exceed it.
 */
size_t otlog__record_bound(const otlog_record *record, const otlog__limits *limits);

/*
 * Writes the record to out[0…capacity). `context` NULL, or its trace id zero: no trace fields; its span id zero: no
 * span id. record->observed_time_unix_nano 0 is written as `now_unix_nano`.
 * Returns the bytes written, or 0 if they do not fit (out is then scratch). A record is never 0 bytes long.
 * The bound's capacity always suffices, unless a key or name is not UTF-8. Less suffices if the bytes fit, but with
 * more than 4096 keys in one list, some of them twice, there must be room for a table too.
 */
size_t otlog__record_encode(const otlog_record *record, const otlog_span_context *context, uint64_t now_unix_nano,
                            const otlog__limits *limits, uint8_t *out, size_t capacity, otlog__encode_notes *notes);

/*
 * The value limit that makes the record fit `room` bytes: its longest values lose their ends, no other does. 0 if no
 * limit does. For the rare record that is larger than half a lane.
 */
size_t otlog__record_value_limit(const otlog_record *record, const otlog__limits *limits, size_t room);

/*
 * The parts of a request around the records, each with its tag and length, into a buffer: the field `scope` of
 * ScopeLogs, the field `resource` of ResourceLogs, and the field `schema_url` of either (nothing for NULL or ""). Return
 * false when memory is short. Not signal-safe.
 */
struct otlog__buffer;
bool otlog__scope_encode(const otlog_logger_options *scope, struct otlog__buffer *out);
bool otlog__resource_encode(otlog_attrs attributes, struct otlog__buffer *out);
bool otlog__schema_url_encode(const char *schema_url, struct otlog__buffer *out);

#endif
