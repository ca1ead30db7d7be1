/* OTLP/JSON and the view over any bytes of a request, and what protobuf-c reads in them: they say the same. */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/otlp_json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	otlp_json_check_bytes(bytes, size);
	return 0;
}
