/* Deep copies of attribute lists, for what must be kept: a logger's scope, a resource. */
#ifndef OTLOG_API_RARE_CLONE_H
#define OTLOG_API_RARE_CLONE_H

#include <otlog/logs.h>

/*
 * A copy that owns all it points to, in one block: `items` is what to free(). Containers deeper than OTLOG__DEPTH_MAX
 * become empty.
 * False, with *out empty, when memory is short.
 */
OTLOG_API bool otlog__attrs_clone(otlog_attrs attributes, otlog_attrs *out);

/* Same keys and values in the same order. */
bool otlog__attrs_equal(otlog_attrs a, otlog_attrs b);

#endif
