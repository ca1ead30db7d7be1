/*
 * Writing values of any kind and depth, and lists of attributes with their duplicates merged.
 *
 * Nothing here recurses: a container is written by a loop over a small stack of open ones. The size of a container is
 * known when it is complete: its lengths have one byte until then, and what needs more is moved up.
 */
#ifndef OTLOG_RECORD_VALUE_H
#define OTLOG_RECORD_VALUE_H

#include "sdk/record/leaf.h"

/* A field `tag` that is an AnyValue; or a KeyValue, unless `key` is NULL. */
uint8_t *otlog__put_value(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__key *key,
                          const otlog_value *value);

/* A field `tag` that is a KeyValue for each of the attributes, at most `limit` of them. */
uint8_t *otlog__put_attributes(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__keys *keys, size_t limit);

#endif
