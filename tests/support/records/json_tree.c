#include "tests/support/records/json_tree.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/utf8_oracle.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 1000

typedef struct parser {
	const uint8_t *at, *end;
	unsigned depth;
} parser;

static bool parse_value(parser *p, json_tree *out);

static void
skip_space(parser *p)
{
	while (p->at < p->end && memchr(" \t\r\n", *p->at, 4))
		p->at++;
}

static bool
take(parser *p, const char *word)
{
	size_t size = strlen(word);
	if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size) != 0)
		return false;
	p->at += size;
	return true;
}

static bool
take_digits(parser *p)
{
	const uint8_t *begin = p->at;
	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return p->at > begin;
}

static bool
parse_number(parser *p, json_tree *out)
{
	const uint8_t *begin = p->at;
	take(p, "-");
	if (!take(p, "0") && !take_digits(p))
		return false;
	if (take(p, ".") && !take_digits(p))
		return false;
	if (take(p, "e") || take(p, "E")) {
		if (!take(p, "+"))
			take(p, "-");
		if (!take_digits(p))
			return false;
	}
	out->kind = JSON_NUMBER;
	out->size = (size_t)(p->at - begin);
	out->text = strndup((const char *)begin, out->size);
	CHECK(out->text);
	return true;
}

static bool
parse_unit(parser *p, uint32_t *unit)
{
	*unit = 0;
	if (p->end - p->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = *p->at ? strchr(digits, *p->at) : NULL;
		if (!digit)
			return false;
		*unit = *unit << 4 | (uint32_t)(digit - digits);
		p->at++;
	}
	return true;
}

static char *
put_utf8(char *to, uint32_t character)
{
	if (character < 0x80) {
		*to++ = (char)character;
	} else if (character < 0x800) {
		*to++ = (char)(0xc0 | character >> 6);
		*to++ = (char)(0x80 | (character & 0x3f));
	} else if (character < 0x10000) {
		*to++ = (char)(0xe0 | character >> 12);
		*to++ = (char)(0x80 | (character >> 6 & 0x3f));
		*to++ = (char)(0x80 | (character & 0x3f));
	} else {
		*to++ = (char)(0xf0 | character >> 18);
		*to++ = (char)(0x80 | (character >> 12 & 0x3f));
		*to++ = (char)(0x80 | (character >> 6 & 0x3f));
		*to++ = (char)(0x80 | (character & 0x3f));
	}
	return to;
}

/* Behind the backslash. NULL: no escape. */
static char *
parse_escape(parser *p, char *to)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	if (p->at == p->end || !*p->at)
		return NULL;
	uint8_t letter = *p->at++;
	const char *known = strchr(from, letter);
	if (known) {
		*to = is[known - from];
		return to + 1;
	}
	uint32_t unit, second;
	if (letter != 'u' || !parse_unit(p, &unit) || (unit >= 0xdc00 && unit < 0xe000))
		return NULL;
	if (unit < 0xd800 || unit >= 0xe000)
		return put_utf8(to, unit);
	if (!take(p, "\\u") || !parse_unit(p, &second) || second < 0xdc00 || second >= 0xe000)
		return NULL;
	return put_utf8(to, 0x10000 + ((unit - 0xd800) << 10 | (second - 0xdc00)));
}

static bool
parse_string(parser *p, char **text, size_t *size)
{
	if (!take(p, "\""))
		return false;
	char *to = *text = malloc((size_t)(p->end - p->at) + 1); /* no escape is shorter than what it stands for */
	CHECK(to);
	while (p->at < p->end && *p->at >= 0x20 && *p->at != '"') {
		if (*p->at != '\\') {
			*to++ = (char)*p->at++;
			continue;
		}
		p->at++;
		to = parse_escape(p, to);
		if (!to)
			return false;
	}
	*to = '\0';
	*size = (size_t)(to - *text);
	return take(p, "\"") && utf8_oracle_is_valid((const uint8_t *)*text, *size);
}

static bool
name_is_new(const json_tree *object)
{
	const json_tree *last = &object->items[object->count - 1];
	for (const json_tree *item = object->items; item < last; item++)
		if (item->name_size == last->name_size && memcmp(item->name, last->name, last->name_size) == 0)
			return false;
	return true;
}

static bool
parse_item(parser *p, json_tree *container)
{
	if (!(container->count & (container->count - 1))) {
		size_t room = container->count ? 2 * container->count : 1;
		container->items = realloc(container->items, room * sizeof *container->items);
		CHECK(container->items);
	}
	json_tree *item = &container->items[container->count++];
	*item = (json_tree){ .kind = JSON_NULL };
	skip_space(p);
	if (container->kind == JSON_OBJECT) {
		if (!parse_string(p, &item->name, &item->name_size) || !name_is_new(container))
			return false;
		skip_space(p);
		if (!take(p, ":"))
			return false;
	}
	return parse_value(p, item);
}

static bool
parse_container(parser *p, json_tree *out, json_kind kind, const char *closing)
{
	out->kind = kind;
	skip_space(p);
	if (take(p, closing))
		return true;
	if (++p->depth > MAX_DEPTH)
		return false;
	do {
		if (!parse_item(p, out))
			return false;
		skip_space(p);
	} while (take(p, ","));
	p->depth--;
	return take(p, closing);
}

static bool
parse_value(parser *p, json_tree *out)
{
	skip_space(p);
	if (take(p, "{"))
		return parse_container(p, out, JSON_OBJECT, "}");
	if (take(p, "["))
		return parse_container(p, out, JSON_ARRAY, "]");
	if (p->at < p->end && *p->at == '"') {
		out->kind = JSON_STRING;
		return parse_string(p, &out->text, &out->size);
	}
	out->kind = JSON_BOOL;
	out->boolean = take(p, "true");
	if (out->boolean || take(p, "false"))
		return true;
	out->kind = JSON_NULL;
	return take(p, "null") || parse_number(p, out);
}

static void
free_content(json_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free_content(&tree->items[i]);
	free(tree->items);
	free(tree->text);
	free(tree->name);
}

json_tree *
json_parse(const void *text, size_t size)
{
	parser p = { .at = text, .end = (const uint8_t *)text + size };
	json_tree *tree = calloc(1, sizeof *tree);
	CHECK(tree);
	bool parsed = parse_value(&p, tree);
	skip_space(&p);
	if (parsed && p.at == p.end)
		return tree;
	json_free(tree);
	return NULL;
}

void
json_free(json_tree *tree)
{
	if (!tree)
		return;
	free_content(tree);
	free(tree);
}

const json_tree *
json_member(const json_tree *object, const char *name)
{
	size_t size = strlen(name);
	for (size_t i = 0; object->kind == JSON_OBJECT && i < object->count; i++)
		if (object->items[i].name_size == size && memcmp(object->items[i].name, name, size) == 0)
			return &object->items[i];
	return NULL;
}

bool
json_is(const json_tree *tree, const void *text, size_t size)
{
	return tree && tree->kind == JSON_STRING && tree->size == size &&
	       (!size || memcmp(tree->text, text, size) == 0);
}
