/* Upper bounds of what the encoder writes, from sizes alone: contents are not looked at. */
#ifndef OTLOG_RECORD_BOUND_H
#define OTLOG_RECORD_BOUND_H

#include "sdk/record/encode.h"
#include "sdk/record/keys.h"

/*
 * Attributes as fields of a message, at most `count_limit` of them sent, and what a plan of many keys borrows.
 * SIZE_MAX if it cannot be told. U+FFFD in keys may exceed it.
 */
size_t otlog__attributes_bound(const otlog__keys *keys, size_t count_limit, const otlog__limits *limits);

/* A field with so many bytes; SIZE_MAX if it cannot be told. */
size_t otlog__field_bound(size_t size);

#endif
