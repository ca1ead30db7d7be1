#include "sdk/base/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four letters for three bytes, of which only `size` are given. */
static char *
put_group(char *at, const uint8_t *bytes, size_t size)
{
	uint32_t group = (uint32_t)bytes[0] << 16;
	if (size > 1)
		group |= (uint32_t)bytes[1] << 8;
	if (size > 2)
		group |= bytes[2];
	at[0] = letters[group >> 18];
	at[1] = letters[group >> 12 & 63];
	at[2] = size > 1 ? letters[group >> 6 & 63] : '=';
	at[3] = size > 2 ? letters[group & 63] : '=';
	return at + 4;
}

char *
otlog__base64_put(char *at, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	for (; size > 3; bytes += 3, size -= 3)
		at = put_group(at, bytes, 3);
	return size ? put_group(at, bytes, size) : at;
}
