/* Bytes as text: base64 with padding (RFC 4648, section 4). */
#ifndef OTLOG_BASE_BASE64_H
#define OTLOG_BASE_BASE64_H

#include <stddef.h>

/* Letters that so many bytes become; `size` is at most SIZE_MAX / 2. */
#define OTLOG__BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Writes the letters, without a NUL; returns where they end. A text in pieces must be cut after every third byte. */
char *otlog__base64_put(char *at, const void *data, size_t size);

#endif
