#include "sdk/wire/read.h"

const uint8_t *
otlog__read_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	uint64_t result = 0;
	for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
		uint8_t byte = *at++;
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = result;
			return at;
		}
	}
	return NULL;
}

/* Groups inside are counted, not entered, so depth costs nothing. */
const uint8_t *
otlog__skip_group(const uint8_t *at, const uint8_t *end)
{
	otlog__field field = { .number = 0 };
	for (uint64_t depth = 1; depth && at;) {
		at = otlog__read_tag(at, end, &field.tag);
		if (!at)
			return NULL;
		if (OTLOG__TAG_TYPE(field.tag) == OTLOG__WIRE_GROUP)
			depth++;
		else if (OTLOG__TAG_TYPE(field.tag) == OTLOG__WIRE_GROUP_END)
			depth--;
		else
			at = otlog__read_content(at, end, &field);
	}
	return at;
}

const uint8_t *
otlog__read_field_cold(const uint8_t *at, const uint8_t *end, otlog__field *field)
{
	return otlog__read_field(at, end, field);
}
