#include "tests/bench/common/count.h"

#include <string.h>

/* Reads the tag and length of a length-delimited field; returns its content, or NULL at the end. */
static const uint8_t *
next_field(const uint8_t *at, const uint8_t *end, uint8_t *tag, size_t *size)
{
	if (at >= end)
		return NULL;
	*tag = *at++;
	*size = 0;
	for (int shift = 0; at < end && shift < 63; shift += 7) {
		*size |= (size_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			return *size <= (size_t)(end - at) ? at : NULL;
	}
	return NULL;
}

/* Log records in a request: field 1 ResourceLogs, field 2 ScopeLogs, field 2 LogRecord. */
static uint64_t
count_records(const uint8_t *body, size_t size, int depth)
{
	static const uint8_t wanted[] = { 1 << 3 | 2, 2 << 3 | 2, 2 << 3 | 2 };
	const uint8_t *end = body + size, *content;
	uint64_t records = 0;
	uint8_t tag;
	for (const uint8_t *at = body; (content = next_field(at, end, &tag, &size)); at = content + size)
		if (tag == wanted[depth])
			records += depth == 2 ? 1 : count_records(content, size, depth + 1);
	return records;
}

uint64_t
bench_count_protobuf(const uint8_t *body, size_t size)
{
	return count_records(body, size, 0);
}

uint64_t
bench_count(const uint8_t *body, size_t size, const char *text)
{
	size_t length = strlen(text);
	uint64_t found = 0;
	const uint8_t *end = body + size;
	while ((body = memmem(body, (size_t)(end - body), text, length))) {
		body += length;
		found++;
	}
	return found;
}

uint64_t
bench_count_json(const uint8_t *body, size_t size)
{
	return bench_count(body, size, "\"observedTimeUnixNano\""); /* every record has one */
}
