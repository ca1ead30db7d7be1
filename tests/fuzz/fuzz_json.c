/* The bytes choose a record, of which a request is made: its OTLP/JSON says what protobuf-c reads in it. */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/otlp_json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	random_record *record = random_record_from_bytes(bytes, size);
	otlog__buffer request = { 0 };
	otlp_json_request_of(record, &request);
	otlp_json_check_request(request.data, request.size);
	otlog__buffer_free(&request);
	random_record_free(record);
	return 0;
}
