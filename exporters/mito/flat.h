/* Flat JSON objects, whose keys come from attributes and must not meet. */
#ifndef OTLOG_EXPORTERS_MITO_FLAT_H
#define OTLOG_EXPORTERS_MITO_FLAT_H

#include "exporters/mito/python.h"

/* {0} is an empty one. Every function returns false when memory is short; the output then ends anywhere. */
typedef struct otlog__flat {
	otlog__buffer out;
	otlog__buffer keys;          /* those of the open object that came from attributes */
	const char *const *reserved; /* keys that no attribute gets; ends with NULL */
} otlog__flat;

/* Opens an object, behind ", " where it is not the first. `reserved` lives as long as the object is open. */
bool otlog__flat_open(otlog__flat *flat, const char *const *reserved);
bool otlog__flat_close(otlog__flat *flat);

/* A reserved key and ": ". Each of them at most once. */
bool otlog__flat_key(otlog__flat *flat, const char *name);

/*
 * The key of an attribute and ": ", as `<prefix>_<name>`. Without a prefix, which is NULL then, it is the name with
 * underscores for its dots. A key that is reserved or was given to another attribute gets `_2` behind it, or `_3` ...
 */
bool otlog__flat_attribute(otlog__flat *flat, const char *prefix, otlog_slice name);

void otlog__flat_free(otlog__flat *flat);

#endif
