#include "sdk/events/rare/traceback.h"

#include "sdk/base/utf8.h"

#include <string.h>

#define LEFT_OUT_BEFORE "... "
#define LEFT_OUT_AFTER " lines left out ..."
/* Room for that line with a 64-bit number and its newlines. */
#define LEFT_OUT_SIZE 64

static size_t
size_of(const char *line)
{
	return line ? strlen(line) : 0;
}

static bool
all_fit(const char *const *lines, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count && total <= OTLOG__TRACEBACK_SIZE; i++)
		total += size_of(lines[i]) + (i > 0);
	return total <= OTLOG__TRACEBACK_SIZE;
}

static char *
append(char *at, const char *text, size_t size)
{
	if (size > 0)
		memcpy(at, text, size);
	return at + size;
}

/* Appends lines from the first one on, each behind a newline but the first, as long as they fit. */
static char *
append_lines(char *at, const char *end, const char *const *lines, size_t count, size_t *done)
{
	size_t i;
	for (i = 0; i < count; i++) {
		const size_t size = size_of(lines[i]);
		if (size + (i > 0) > (size_t)(end - at))
			break;
		if (i > 0)
			*at++ = '\n';
		at = append(at, lines[i], size);
	}
	*done = i;
	return at;
}

static char *
append_left_out(char *at, size_t count, bool is_first)
{
	char digits[20];
	size_t size = 0;
	do
		digits[sizeof digits - ++size] = (char)('0' + count % 10);
	while ((count /= 10) > 0);
	if (!is_first)
		*at++ = '\n';
	at = append(at, LEFT_OUT_BEFORE, sizeof LEFT_OUT_BEFORE - 1);
	at = append(at, digits + sizeof digits - size, size);
	return append(at, LEFT_OUT_AFTER, sizeof LEFT_OUT_AFTER - 1);
}

size_t
otlog__traceback_join(const char *const *lines, size_t count, char out[OTLOG__TRACEBACK_SIZE])
{
	size_t done;
	char *at = out;
	if (all_fit(lines, count))
		return (size_t)(append_lines(at, out + OTLOG__TRACEBACK_SIZE, lines, count, &done) - out);

	const char *last = lines[count - 1];
	size_t last_size = otlog__utf8_cut((const uint8_t *)last, size_of(last), OTLOG__TRACEBACK_SIZE / 2);
	at = append_lines(at, out + OTLOG__TRACEBACK_SIZE - LEFT_OUT_SIZE - last_size, lines, count - 1, &done);
	if (done < count - 1)
		at = append_left_out(at, count - 1 - done, done == 0);
	if (count > 1)
		*at++ = '\n';
	return (size_t)(append(at, last, last_size) - out);
}
