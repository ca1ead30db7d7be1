#include "exporters/mito/flat.h"

#include <stdio.h>
#include <string.h>

/* A key that was written, where it lies in the output, without its quotes. Escaped texts are equal if the texts are. */
typedef struct key {
	size_t at;
	uint32_t size;
	uint32_t tail; /* its last four bytes: tells most keys apart */
} key;

bool
otlog__flat_open(otlog__flat *flat, const char *const *reserved)
{
	flat->reserved = reserved;
	flat->keys.size = 0;
	return flat->out.data[flat->out.size - 1] == '}' ? OTLOG__PUT(&flat->out, ", {") : OTLOG__PUT(&flat->out, "{");
}

bool
otlog__flat_close(otlog__flat *flat)
{
	return OTLOG__PUT(&flat->out, "}");
}

static bool
put_separator(otlog__buffer *out)
{
	return out->data[out->size - 1] == '{' || OTLOG__PUT(out, ", ");
}

bool
otlog__flat_key(otlog__flat *flat, const char *name)
{
	otlog__buffer *out = &flat->out;
	return put_separator(out) && OTLOG__PUT(out, "\"") && otlog__buffer_append(out, name, strlen(name)) &&
	       OTLOG__PUT(out, "\": ");
}

static key
key_at(const otlog__flat *flat, size_t at)
{
	const otlog__buffer *out = &flat->out;
	key found = { .at = at, .size = (uint32_t)(out->size - at) };
	if (out->size >= 4) /* of a shorter key, what stands before it, which is the same for all but the first */
		memcpy(&found.tail, out->data + out->size - 4, 4);
	return found;
}

static bool
is_taken(const otlog__flat *flat, const key *wanted, bool may_be_reserved)
{
	const uint8_t *text = flat->out.data + wanted->at;
	const key *keys = (const void *)flat->keys.data;
	for (size_t i = 0; i < flat->keys.size / sizeof *keys; i++)
		if (keys[i].size == wanted->size && (wanted->size < 4 || keys[i].tail == wanted->tail) &&
		    memcmp(flat->out.data + keys[i].at, text, wanted->size) == 0)
			return true;
	for (const char *const *name = flat->reserved; may_be_reserved && *name; name++)
		if (strlen(*name) == wanted->size && memcmp(*name, text, wanted->size) == 0)
			return true;
	return false;
}

/* The key ends where the output does. */
static bool
make_unique(otlog__flat *flat, size_t at, bool may_be_reserved)
{
	const size_t end = flat->out.size;
	key mine = key_at(flat, at);
	for (unsigned number = 2; is_taken(flat, &mine, may_be_reserved); number++) {
		char suffix[16];
		int size = snprintf(suffix, sizeof suffix, "_%u", number);
		flat->out.size = end;
		if (!otlog__buffer_append(&flat->out, suffix, (size_t)size))
			return false;
		mine = key_at(flat, at);
	}
	return otlog__buffer_append(&flat->keys, &mine, sizeof mine);
}

bool
otlog__flat_attribute(otlog__flat *flat, const char *prefix, otlog_slice name)
{
	otlog__buffer *out = &flat->out;
	if (!put_separator(out))
		return false;
	const size_t quote = out->size;
	if (prefix && !(OTLOG__PUT(out, "\"") && otlog__buffer_append(out, prefix, strlen(prefix))))
		return false;
	const size_t at = out->size;
	if (!otlog__python_string(out, name))
		return false;
	out->size--; /* the quote behind it */
	if (prefix)
		out->data[at] = '_'; /* the quote before it */
	for (size_t i = at; !prefix && i < out->size; i++)
		if (out->data[i] == '.')
			out->data[i] = '_';
	return make_unique(flat, quote + 1, !prefix) && OTLOG__PUT(out, "\": ");
}

void
otlog__flat_free(otlog__flat *flat)
{
	otlog__buffer_free(&flat->out);
	otlog__buffer_free(&flat->keys);
	*flat = (otlog__flat){ .reserved = NULL };
}
