/*
 * Writing JSON through a pointer into a buffer that grows: what the parts of otlp_json.h share.
 *
 * Functions take where they may write and return where they ended, NULL if memory is short (errno is then ENOMEM) or
 * what they read makes no sense. OTLOG__JSON_SPARE bytes are free wherever one begins and wherever one ends: room for
 * names, brackets and a number between two values. The buffer's own size is not kept up meanwhile.
 *
 * Behind each value stands a comma. What closes a list or an object takes the last one away.
 */
#ifndef OTLOG_JSON_ROOM_H
#define OTLOG_JSON_ROOM_H

#include "exporters/json/put.h"

#include <otlog/exporter.h>

#include <errno.h>

#define OTLOG__JSON_SPARE 96

/* Texts up to here are written into room for the worst that can become of them. */
#define OTLOG__JSON_SHORT_TEXT ((size_t)1024)

static inline uint8_t *
otlog__json_no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static inline uint8_t *
otlog__json_make_room(otlog__buffer *out, uint8_t *at, size_t size)
{
	if (size + OTLOG__JSON_SPARE <= (size_t)(out->data + out->capacity - at))
		return at;
	out->size = (size_t)(at - out->data);
	return otlog__buffer_reserve(out, size + OTLOG__JSON_SPARE) ? out->data + out->size : otlog__json_no_memory();
}

/* Where a function of json_writer.h that `appended` has ended. */
static inline uint8_t *
otlog__json_end_of(otlog__buffer *out, bool appended)
{
	return appended ? otlog__json_make_room(out, out->data + out->size, 0) : otlog__json_no_memory();
}

static inline uint8_t *
otlog__json_put_string(otlog__buffer *out, uint8_t *at, otlog_slice text)
{
	if (text.size > OTLOG__JSON_SHORT_TEXT) {
		out->size = (size_t)(at - out->data);
		return otlog__json_end_of(out, otlog__json_string(out, text.data, text.size, OTLOG__JSON_UTF8));
	}
	at = otlog__json_make_room(out, at, OTLOG__JSON_TEXT_ROOM(text.size));
	if (!at)
		return NULL;
	*at++ = '"';
	at = otlog__json_put_text(at, text.data, text.size, OTLOG__JSON_UTF8);
	*at++ = '"';
	return at;
}

static inline uint8_t *
otlog__json_close(uint8_t *at, uint8_t bracket)
{
	if (at[-1] == ',')
		at--;
	*at++ = bracket;
	*at++ = ',';
	return at;
}

#endif
