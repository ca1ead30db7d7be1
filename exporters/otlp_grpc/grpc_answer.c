#include "exporters/otlp_grpc/grpc_answer.h"

#include "exporters/peer/printable.h"
#include "sdk/base/limits.h"
#include "proto/logs_service.pb-c.h"
#include "proto/status.pb-c.h"

#include <string.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceResponse response_message;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsPartialSuccess partial_message;
typedef Opentelemetry__Proto__Rpc__Status status_message;
typedef Opentelemetry__Proto__Rpc__Detail detail_message;
typedef Opentelemetry__Proto__Rpc__RetryInfo retry_info_message;

/* Here and below: none of these messages holds itself, so that unpacking ends at the second level, whatever comes. */
void
otlog__grpc_read_success(const void *body, size_t body_size, otlog__grpc_answer *answer)
{
	*answer = (otlog__grpc_answer){ 0 };
	response_message *response =
	    body
		? opentelemetry__proto__collector__logs__v1__export_logs_service_response__unpack(NULL, body_size, body)
		: NULL;
	if (!response) {
		answer->foreign = true;
		return;
	}
	const partial_message *partial = response->partial_success;
	if (partial) {
		if (partial->rejected_log_records > 0)
			answer->rejected = (uint64_t)partial->rejected_log_records;
		otlog__http_printable(partial->error_message.data, partial->error_message.len, answer->text,
		                      sizeof answer->text);
	}
	opentelemetry__proto__collector__logs__v1__export_logs_service_response__free_unpacked(response, NULL);
}

/* What stands before the last slash of a type's URL names who defines it, and may be anything. */
static bool
is_retry_info(const detail_message *detail)
{
	static const char name[] = "/google.rpc.RetryInfo";
	const size_t size = sizeof name - 1;
	return detail->type_url.len >= size &&
	       memcmp(detail->type_url.data + detail->type_url.len - size, name, size) == 0;
}

static bool
read_delay(const detail_message *detail, uint64_t *delay_ms)
{
	const int64_t cap_s = (int64_t)(OTLOG__RETRY_AFTER_CAP_MS / 1000);
	retry_info_message *info =
	    opentelemetry__proto__rpc__retry_info__unpack(NULL, detail->value.len, detail->value.data);
	if (!info)
		return false;
	int64_t seconds = info->retry_delay ? info->retry_delay->seconds : 0;
	int32_t nanos = info->retry_delay ? info->retry_delay->nanos : 0;
	opentelemetry__proto__rpc__retry_info__free_unpacked(info, NULL);
	if (seconds < 0 || nanos < 0)
		seconds = nanos = 0;
	if (nanos > 999999999)
		nanos = 999999999;
	*delay_ms = seconds >= cap_s ? OTLOG__RETRY_AFTER_CAP_MS
	                             : (uint64_t)seconds * 1000 + ((uint64_t)nanos + 999999) / 1000000;
	return true;
}

bool
otlog__grpc_read_retry_info(const void *details, size_t details_size, uint64_t *delay_ms)
{
	bool found = false;
	*delay_ms = 0;
	status_message *status = opentelemetry__proto__rpc__status__unpack(NULL, details_size, details);
	if (!status)
		return false;
	for (size_t i = 0; i < status->n_details && !found; i++)
		found = is_retry_info(status->details[i]) && read_delay(status->details[i], delay_ms);
	opentelemetry__proto__rpc__status__free_unpacked(status, NULL);
	return found;
}
