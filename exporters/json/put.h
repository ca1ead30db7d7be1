/*
 * Writing JSON into room that is there already: the pieces under json_writer.h, for who reserves once for many of them.
 *
 * Each takes where to begin and returns where it ended. Nothing is checked: the room must be there.
 */
#ifndef OTLOG_JSON_PUT_H
#define OTLOG_JSON_PUT_H

#include "exporters/json/json_writer.h"

#include <string.h>

/* Bytes of room that the content of a string may take: each byte can become \u00XX, and copies run over their end. */
#define OTLOG__JSON_TEXT_ROOM(size) (6 * (size) + 16)

/* Bytes of room for any number, the quotes of NaN included. */
#define OTLOG__JSON_NUMBER_ROOM 32

/* A literal, without its NUL. */
#define OTLOG__JSON_PUT(at, literal) otlog__json_put_bytes(at, literal, sizeof literal - 1)

static inline uint8_t *
otlog__json_put_bytes(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

/* What stands between the quotes of a string. Room: OTLOG__JSON_TEXT_ROOM(size). */
uint8_t *otlog__json_put_text(uint8_t *at, const uint8_t *text, size_t size, otlog__json_text form);

/* Room: OTLOG__JSON_NUMBER_ROOM each. */
uint8_t *otlog__json_put_uint64(uint8_t *at, uint64_t value);
uint8_t *otlog__json_put_int64(uint8_t *at, int64_t value);
uint8_t *otlog__json_put_double(uint8_t *at, double value);

#endif
