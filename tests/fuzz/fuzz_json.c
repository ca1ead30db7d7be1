/*
 * OTLP/JSON of any bytes is strict JSON or nothing. Where the first byte is odd, the others choose a record instead, whose
 * JSON is compared with what protobuf-c reads.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/otlp_json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size || bytes[0] % 2 == 0) { /* a request begins with 0x0a */
		otlp_json_check_bytes(bytes, size);
		return 0;
	}
	random_record *record = random_record_from_bytes(bytes + 1, size - 1);
	otlog__buffer request = { 0 };
	otlp_json_request_of(record, &request);
	otlp_json_check_request(request.data, request.size);
	otlog__buffer_free(&request);
	random_record_free(record);
	return 0;
}
