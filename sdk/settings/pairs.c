#include "sdk/settings/pairs.h"

#include "sdk/base/rare/header_rules.h"
#include "sdk/base/strings.h"

#include <stdlib.h>
#include <string.h>

/* The next member, trimmed; false at the end. */
static bool
next_member(otlog__text *rest, otlog__text *member)
{
	if (!rest->size)
		return false;
	const char *comma = memchr(rest->data, ',', rest->size);
	size_t size = comma ? (size_t)(comma - rest->data) : rest->size;
	size_t taken = comma ? size + 1 : size;
	*member = otlog__text_trim((otlog__text){ .data = rest->data, .size = size });
	rest->data += taken;
	rest->size -= taken;
	return true;
}

/* Takes both strings. */
static void
put(otlog__pairs *pairs, char *name, char *value)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (strcmp(pairs->items[i].name, name) == 0) {
			free(name);
			free((char *)pairs->items[i].value);
			pairs->items[i].value = value;
			return;
		}
	}
	pairs->items[pairs->count++] = (otlog_header){ .name = name, .value = value };
}

static bool
add_member(otlog__pairs *pairs, otlog__text member, const char **error)
{
	const char *equals = memchr(member.data, '=', member.size);
	if (!equals) {
		*error = "a member has no '='";
		return false;
	}
	size_t at = (size_t)(equals - member.data);
	otlog__text key = otlog__text_trim((otlog__text){ .data = member.data, .size = at });
	otlog__text value = otlog__text_trim((otlog__text){ .data = equals + 1, .size = member.size - at - 1 });
	if (!key.size) {
		*error = "a member has no key";
		return false;
	}
	char *name = otlog__percent_decode(key, error);
	char *decoded = name ? otlog__percent_decode(value, error) : NULL;
	if (!decoded) {
		free(name);
		return false;
	}
	put(pairs, name, decoded);
	return true;
}

bool
otlog__pairs_parse(const char *text, otlog__pairs *pairs, const char **error)
{
	*pairs = (otlog__pairs){ 0 };
	*error = NULL;
	otlog__text rest = otlog__text_of(text);
	size_t most = 1;
	for (size_t i = 0; i < rest.size; i++)
		most += rest.data[i] == ',';
	pairs->items = calloc(most, sizeof *pairs->items);
	if (!pairs->items)
		return false;
	otlog__text member;
	while (next_member(&rest, &member)) {
		if (member.size && !add_member(pairs, member, error)) {
			otlog__pairs_free(pairs);
			return false;
		}
	}
	return true;
}

void
otlog__pairs_free(otlog__pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free((char *)pairs->items[i].name);
		free((char *)pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (otlog__pairs){ 0 };
}

const char *
otlog__pairs_header_problem(const otlog__pairs *pairs, bool is_grpc)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const otlog_header *header = &pairs->items[i];
		switch (is_grpc ? otlog__grpc_header_check(header) : otlog__http_header_check(header)) {
		case OTLOG__HEADER_BAD_NAME:
			return is_grpc ? "a header's name has a character that gRPC does not allow there"
			               : "a header's name has a character that HTTP does not allow there";
		case OTLOG__HEADER_BAD_VALUE:
			return is_grpc
			           ? "a header's value is more than printable ASCII, which is all that gRPC can send"
			           : "a header's value has a control character";
		case OTLOG__HEADER_GOOD:
		case OTLOG__HEADER_OURS: /* left out, with a warning, where the requests are made */
			break;
		}
	}
	return NULL;
}
