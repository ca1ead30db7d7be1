/* The view over any bytes of a record, and what protobuf-c reads in them. */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/record_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	oracle_check_bytes(bytes, size);
	return 0;
}
