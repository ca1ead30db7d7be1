#include "tests/support/servers/rpc_status.h"

#include "proto/status.pb-c.h"
#include "tests/support/harness/check.h"

#include <string.h>

typedef Opentelemetry__Proto__Rpc__Status status_message;
typedef Opentelemetry__Proto__Rpc__Detail detail_message;
typedef Opentelemetry__Proto__Rpc__RetryInfo retry_info_message;
typedef Opentelemetry__Proto__Rpc__RetryDelay delay_message;

static void
set_detail(detail_message *detail, const char *type_url, const void *value, size_t value_size)
{
	opentelemetry__proto__rpc__detail__init(detail);
	detail->type_url = (ProtobufCBinaryData){ strlen(type_url), (uint8_t *)type_url };
	detail->value = (ProtobufCBinaryData){ value_size, (uint8_t *)value };
}

static rpc_status
pack(detail_message **details, size_t count)
{
	status_message message = OPENTELEMETRY__PROTO__RPC__STATUS__INIT;
	message.code = 14;
	message.message = (ProtobufCBinaryData){ 4, (uint8_t *)"busy" };
	message.details = details;
	message.n_details = count;
	rpc_status made = { 0 };
	CHECK(opentelemetry__proto__rpc__status__get_packed_size(&message) <= sizeof made.bytes);
	made.size = opentelemetry__proto__rpc__status__pack(&message, made.bytes);
	return made;
}

rpc_status
rpc_status_with(const char *type_url, const void *value, size_t value_size)
{
	detail_message detail;
	detail_message *details[] = { &detail };
	set_detail(&detail, type_url, value, value_size);
	return pack(details, 1);
}

rpc_status
rpc_status_with_delay(int64_t seconds, int32_t nanos)
{
	delay_message delay = OPENTELEMETRY__PROTO__RPC__RETRY_DELAY__INIT;
	retry_info_message info = OPENTELEMETRY__PROTO__RPC__RETRY_INFO__INIT;
	detail_message other, retry;
	detail_message *details[] = { &other, &retry };
	uint8_t value[64];
	delay.seconds = seconds;
	delay.nanos = nanos;
	info.retry_delay = &delay;
	set_detail(&other, "type.googleapis.com/google.rpc.DebugInfo", "\xff\xff", 2);
	set_detail(&retry, "type.googleapis.com/google.rpc.RetryInfo", value,
	           opentelemetry__proto__rpc__retry_info__pack(&info, value));
	return pack(details, 2);
}
