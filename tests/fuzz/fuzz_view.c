/* The view over any bytes, and protobuf-c's reading of them where it has one. */
#include <stddef.h>
#include <stdint.h>

#include "tests/support/records/record_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	bool sound = oracle_walk_view(bytes, size);
	oracle_record *read = opentelemetry__proto__logs__v1__log_record__unpack(NULL, size, bytes);
	if (sound && read)
		oracle_check_view(bytes, size, read, true);
	if (read)
		opentelemetry__proto__logs__v1__log_record__free_unpacked(read, NULL);
	return 0;
}
