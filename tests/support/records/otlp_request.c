#include "tests/support/records/otlp_request.h"

#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;
typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;

static log_record *
create_record(size_t number, size_t body_size)
{
	log_record *record = calloc(1, sizeof *record);
	any_value *body = calloc(1, sizeof *body);
	char *text = calloc(1, body_size + 32);
	CHECK(record && body && text);
	opentelemetry__proto__logs__v1__log_record__init(record);
	opentelemetry__proto__common__v1__any_value__init(body);
	snprintf(text, 32, "%zu ", number);
	memset(text + strlen(text), 'b', body_size);
	body->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
	body->string_value = (ProtobufCBinaryData){ body_size, (uint8_t *)text };
	record->body = body;
	record->severity_number = 9;
	return record;
}

otlog_batch
otlp_request_create(size_t records, size_t body_size)
{
	Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request =
	    OPENTELEMETRY__PROTO__COLLECTOR__LOGS__V1__EXPORT_LOGS_SERVICE_REQUEST__INIT;
	Opentelemetry__Proto__Logs__V1__ResourceLogs resource = OPENTELEMETRY__PROTO__LOGS__V1__RESOURCE_LOGS__INIT;
	Opentelemetry__Proto__Logs__V1__ScopeLogs scope = OPENTELEMETRY__PROTO__LOGS__V1__SCOPE_LOGS__INIT;
	Opentelemetry__Proto__Logs__V1__ResourceLogs *resources[] = { &resource };
	Opentelemetry__Proto__Logs__V1__ScopeLogs *scopes[] = { &scope };
	log_record **items = calloc(records, sizeof *items);
	CHECK(items);
	for (size_t i = 0; i < records; i++)
		items[i] = create_record(i, body_size);
	request.resource_logs = resources;
	request.n_resource_logs = 1;
	resource.scope_logs = scopes;
	resource.n_scope_logs = 1;
	scope.log_records = items;
	scope.n_log_records = records;

	size_t size = opentelemetry__proto__collector__logs__v1__export_logs_service_request__get_packed_size(&request);
	uint8_t *bytes = malloc(size);
	CHECK(bytes);
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__pack(&request, bytes);
	for (size_t i = 0; i < records; i++)
		opentelemetry__proto__logs__v1__log_record__free_unpacked(items[i], NULL);
	free(items);
	return (otlog_batch){ .request = bytes, .request_size = size, .records = records };
}

void
otlp_request_free(otlog_batch *batch)
{
	free((void *)batch->request);
	*batch = (otlog_batch){ 0 };
}
