/* The public view over any bytes of a request: it reads all it can reach, and as many records as there are. */
#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/check.h"
#include "tests/support/records/canonical.h"

#include <otlog/exporter.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request_message;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
touch(otlog_slice slice)
{
	for (size_t i = 0; i < slice.size; i++)
		(void)*(const volatile uint8_t *)&slice.data[i];
}

static void
write_text(const otlog_value_view *value)
{
	char text[300];
	size_t size = otlog_value_text(value, text, sizeof text);
	CHECK(strlen(text) < sizeof text);
	CHECK(otlog_value_text(value, NULL, 0) == size);
}

static void
walk(otlog_items items)
{
	otlog_slice key;
	otlog_value_view value;
	while (otlog_next_item(&items, &key, &value)) {
		touch(key);
		write_text(&value);
	}
}

static void
check_count(const uint8_t *bytes, size_t size, size_t records)
{
	canonical meaning = canonical_of(
	    &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor, bytes, size);
	request_message *read = opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
	    NULL, meaning.bytes.size, meaning.bytes.data);
	size_t expected = 0;
	for (size_t r = 0; meaning.sound && r < read->n_resource_logs; r++)
		for (size_t s = 0; s < read->resource_logs[r]->n_scope_logs; s++)
			expected += read->resource_logs[r]->scope_logs[s]->n_log_records;
	CHECK(!meaning.sound || records == expected);
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(read, NULL);
	otlog__buffer_free(&meaning.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = bytes, .request_size = size });
	otlog_record_view record;
	size_t records = 0;
	for (; otlog_batch_next(&reader, &record); records++) {
		touch(record.encoded);
		touch(record.resource.schema_url);
		touch(record.scope.name);
		touch(record.scope.version);
		touch(record.scope.schema_url);
		write_text(&record.body);
		walk(otlog_attributes(&record));
		walk(otlog_resource_attributes(&record));
		walk(otlog_scope_attributes(&record));
	}
	if (!reader.malformed)
		check_count(bytes, size, records);
	return 0;
}
