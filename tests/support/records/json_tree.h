/*
 * A strict reader of JSON (RFC 8259), to check what the SDK writes: valid UTF-8, no surrogate alone, no name twice in an
 * object, nothing around the text. Slow and plain; a thousand containers deep at most.
 */
#ifndef TESTS_SUPPORT_RECORDS_JSON_TREE_H
#define TESTS_SUPPORT_RECORDS_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } json_kind;

typedef struct json_tree {
	json_kind kind;
	bool boolean;
	char *text; /* STRING, unescaped, and NUMBER as it is written; a NUL follows */
	size_t size;
	struct json_tree *items; /* ARRAY, OBJECT */
	size_t count;
	char *name; /* of an item of an OBJECT */
	size_t name_size;
} json_tree;

/* NULL if the text is no JSON. Free with json_free. */
json_tree *json_parse(const void *text, size_t size);
void json_free(json_tree *tree); /* NULL is allowed */

/* An object's member; NULL if there is none. */
const json_tree *json_member(const json_tree *object, const char *name);

/* A string of these bytes. */
bool json_is(const json_tree *tree, const void *text, size_t size);

#endif
