#include "exporters/json/json_reader.h"

#include "sdk/base/hex.h"
#include "sdk/base/limits.h"

#include <string.h>

/*
 * Every function takes where it may begin and returns where it ended, NULL at what is no JSON.
 */

static const uint8_t *
skip_space(const uint8_t *at, const uint8_t *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

/* From quote to quote. */
static const uint8_t *
skip_string(const uint8_t *at, const uint8_t *end)
{
	if (at == end || *at != '"')
		return NULL;
	for (at++; at < end && *at >= ' '; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return NULL;
}

/* A number, true, false or null. */
static const uint8_t *
skip_word(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *begin = at;
	while (at < end && ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') || *at == 'E' || *at == '-' ||
	                    *at == '+' || *at == '.'))
		at++;
	return at > begin ? at : NULL;
}

static const uint8_t *
skip_value(const uint8_t *at, const uint8_t *end)
{
	uint64_t is_object = 0; /* a bit per container that is open; the lowest is that of the innermost */
	unsigned depth = 0;
	_Static_assert(OTLOG__DEPTH_MAX <= 64, "each open container has its bit");
	do {
		at = skip_space(at, end);
		if (at == end)
			return NULL;
		if (*at == '{' || *at == '[') {
			if (depth++ == OTLOG__DEPTH_MAX)
				return NULL;
			is_object = is_object << 1 | (*at++ == '{');
		} else if (depth && *at == (is_object & 1 ? '}' : ']')) {
			is_object >>= 1;
			depth--;
			at++;
		} else if (depth && (*at == ',' || *at == ':')) {
			at++;
		} else {
			at = *at == '"' ? skip_string(at, end) : skip_word(at, end);
		}
	} while (at && depth);
	return at;
}

otlog__json_object
otlog__json_object_of(const void *text, size_t size)
{
	return (otlog__json_object){ .rest = { size ? text : "", size } };
}

/* Past what comes before a member: the bracket, or the comma. NULL, with *ended set, at the end of the object. */
static const uint8_t *
enter_member(const otlog__json_object *object, const uint8_t *end, bool *ended)
{
	const uint8_t *at = skip_space(object->rest.data, end);
	if (at < end && *at == (object->begun ? ',' : '{')) {
		at = skip_space(at + 1, end);
		if (object->begun || at == end || *at != '}')
			return at;
	} else if (!object->begun || at == end || *at != '}') {
		return NULL;
	}
	*ended = skip_space(at + 1, end) == end;
	return NULL;
}

bool
otlog__json_next_member(otlog__json_object *object, otlog_slice *name, otlog_slice *value)
{
	if (!object->rest.data)
		return false;
	const uint8_t *end = object->rest.data + object->rest.size;
	bool ended = false;
	const uint8_t *at = enter_member(object, end, &ended);
	const uint8_t *after = at ? skip_string(at, end) : NULL;
	if (after) {
		*name = (otlog_slice){ at + 1, (size_t)(after - at) - 2 };
		at = skip_space(after, end);
		at = at < end && *at == ':' ? skip_space(at + 1, end) : NULL;
		after = at ? skip_value(at, end) : NULL;
	}
	object->begun = true;
	if (!after) {
		object->malformed = !ended;
		object->rest = (otlog_slice){ .data = NULL };
		return false;
	}
	*value = (otlog_slice){ at, (size_t)(after - at) };
	object->rest = (otlog_slice){ after, (size_t)(end - after) };
	return true;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static bool
is_string(otlog_slice value)
{
	return value.size >= 2 && value.data[0] == '"';
}

bool
otlog__json_read_int64(otlog_slice value, int64_t *out)
{
	if (is_string(value))
		value = (otlog_slice){ value.data + 1, value.size - 2 };
	bool negative = value.size && value.data[0] == '-';
	if (negative)
		value = (otlog_slice){ value.data + 1, value.size - 1 };
	uint64_t most = negative ? UINT64_C(1) << 63 : INT64_MAX;
	uint64_t number = 0;
	for (size_t i = 0; i < value.size; i++) {
		uint64_t digit = (uint64_t)value.data[i] - '0';
		if (digit > 9 || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (!value.size)
		return false;
	*out = (int64_t)(negative ? -number : number);
	return true;
}

/* What the escape behind a backslash stands for, and how many letters it has. */
static char
unescape(const uint8_t *at, const uint8_t *end, size_t *size)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known = *at ? strchr(from, *at) : NULL;
	*size = 1;
	if (*at != 'u')
		return known ? to[known - from] : (char)*at;
	unsigned number = 0;
	for (; *size < 5 && at + *size < end; ++*size) {
		int digit = otlog__hex_value((char)at[*size]);
		number = number * 16 + (digit < 0 ? 0 : (unsigned)digit);
	}
	return number && number < 0x80 && *size == 5 ? (char)number : '?';
}

bool
otlog__json_read_string(otlog_slice value, char *out, size_t out_size)
{
	size_t used = 0;
	out[0] = '\0';
	if (!is_string(value))
		return false;
	const uint8_t *end = value.data + value.size - 1;
	for (const uint8_t *at = value.data + 1; at < end && used + 1 < out_size;) {
		size_t size = 1;
		char letter = (char)*at;
		if (*at == '\\' && ++at < end)
			letter = unescape(at, end, &size);
		out[used++] = letter;
		at += size;
	}
	out[used] = '\0';
	return true;
}
