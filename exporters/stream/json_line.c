#include "exporters/stream/json_line.h"

#include "exporters/json/otlp_json.h"
#include "sdk/base/strings.h"

#include <stdio.h>

/* More than any request grows by: a byte becomes at most \u00XX, a number at most its digits and its name. */
#define GROWTH 32

bool
otlog__json_line_append(const otlog_batch *batch, otlog__buffer *line, otlog_export_result *result)
{
	size_t before = line->size;
	if (otlog__otlp_json_append(batch->request, batch->request_size, line) && otlog__buffer_append(line, "\n", 1))
		return true;
	line->size = before;
	/* With room for whatever it becomes, only the bytes can be at fault. */
	if (batch->request_size > SIZE_MAX / GROWTH ||
	    !otlog__buffer_reserve(line, batch->request_size * GROWTH + 256)) {
		result->verdict = OTLOG_VERDICT_RETRY;
		snprintf(result->message, sizeof result->message,
		         "memory is short for the JSON of %zu record%s. Give the process more memory or lower "
		         "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
		         batch->records, otlog__s(batch->records));
		return false;
	}
	if (otlog__otlp_json_append(batch->request, batch->request_size, line) && otlog__buffer_append(line, "\n", 1))
		return true;
	line->size = before;
	result->verdict = OTLOG_VERDICT_DROP;
	snprintf(result->message, sizeof result->message,
	         "a request of %zu bytes is no OTLP logs request. Look for what has damaged the queue",
	         batch->request_size);
	return false;
}
