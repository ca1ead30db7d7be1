#if defined(__x86_64__)

#include "sdk/queue/crc32c_hardware.h"

#include <nmmintrin.h>
#include <string.h>

bool
otlog__crc32c_has_hardware(void)
{
	return __builtin_cpu_supports("sse4.2"); /* a word that was set before main */
}

__attribute__((target("sse4.2"))) uint32_t
otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint64_t state = ~crc;
	for (; size >= 8; size -= 8, byte += 8) {
		uint64_t word;
		memcpy(&word, byte, sizeof word);
		state = _mm_crc32_u64(state, word);
	}
	for (; size; size--)
		state = _mm_crc32_u8((uint32_t)state, *byte++);
	return ~(uint32_t)state;
}

#else
typedef int otlog__not_this_architecture;
#endif
