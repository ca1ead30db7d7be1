#include "sdk/events/attributes.h"

#include "sdk/base/utf8.h"

bool
otlog__event_name_join(const otlog__piece *pieces, size_t count, char out[OTLOG__EVENT_NAME_SIZE])
{
	size_t room = OTLOG__EVENT_NAME_SIZE - 1;
	bool fits = true;
	for (size_t i = 0; i < count && fits; i++) {
		size_t size = pieces[i].size;
		if (size > room) {
			fits = false;
			size = otlog__utf8_cut((const uint8_t *)pieces[i].text, size, room);
		}
		memcpy(out, pieces[i].text, size);
		out += size;
		room -= size;
	}
	*out = '\0';
	return fits;
}

otlog_emit_result
otlog__emit_nothing(otlog_logger *logger)
{
	return otlog_emit_sized(logger, NULL, sizeof(otlog_record));
}

const void *
otlog__widen(const void *given, size_t given_size, void *whole, size_t whole_size)
{
	memset(whole, 0, whole_size);
	memcpy(whole, given, given_size);
	return whole;
}
