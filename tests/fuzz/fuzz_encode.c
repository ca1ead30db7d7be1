/* The bytes choose a record; what the encoder makes of it is compared with protobuf-c. */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/record_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	random_record *record = random_record_from_bytes(bytes, size);
	oracle_check_record(record);
	random_record_free(record);
	return 0;
}
