/* One record. */
#include "sdk/view/view.h"
#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"

/* Whoever copies an id takes its size for granted, so one of another size is none. */
static otlog_slice
id_of(otlog_slice bytes, size_t size)
{
	return bytes.size == size ? bytes : (otlog_slice){ .data = NULL };
}

static bool
take_field(const otlog__field *field, otlog_record_view *record)
{
	switch (field->tag) {
	case OTLOG__LOG_RECORD_TIME_UNIX_NANO:
		record->time_unix_nano = field->number;
		break;
	case OTLOG__LOG_RECORD_SEVERITY_NUMBER:
		record->severity = (int32_t)(uint32_t)field->number;
		break;
	case OTLOG__LOG_RECORD_SEVERITY_TEXT:
		record->severity_text = field->bytes;
		break;
	case OTLOG__LOG_RECORD_BODY:
		return otlog__view_value(field->bytes, &record->body);
	case OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT:
		record->dropped_attributes_count = (uint32_t)field->number;
		break;
	case OTLOG__LOG_RECORD_FLAGS:
		record->flags = (uint32_t)field->number;
		break;
	case OTLOG__LOG_RECORD_TRACE_ID:
		record->trace_id = id_of(field->bytes, 16);
		break;
	case OTLOG__LOG_RECORD_SPAN_ID:
		record->span_id = id_of(field->bytes, 8);
		break;
	case OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO:
		record->observed_time_unix_nano = field->number;
		break;
	case OTLOG__LOG_RECORD_EVENT_NAME:
		record->event_name = field->bytes;
		break;
	}
	return true;
}

bool
otlog__view_record(otlog_slice bytes, otlog_record_view *record)
{
	*record = (otlog_record_view){ .body = { .type = OTLOG_VALUE_EMPTY }, .encoded = bytes };
	if (!bytes.size)
		return true;
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field field = { .tag = 0 };
		const uint8_t *start = at;
		at = otlog__read_field(at, end, &field);
		if (!at || !take_field(&field, record))
			return false;
		if (field.tag != OTLOG__LOG_RECORD_ATTRIBUTES)
			continue;
		/* From the first to the end of the last one; what else lies between is passed over by who reads them. */
		if (!record->attributes.data)
			record->attributes.data = start;
		record->attributes.size = (size_t)(at - record->attributes.data);
	}
	return true;
}

void
otlog__view_hand_out(const otlog_record_view *from, otlog_record_view *to, size_t to_size)
{
	size_t common = to_size < sizeof *from ? to_size : sizeof *from;
	memcpy(to, from, common);
	memset((char *)to + common, 0, to_size - common);
}

bool
otlog_record_view_open_sized(const void *bytes, size_t size, otlog_record_view *record, size_t record_size)
{
	otlog_record_view read;
	if (!record)
		return false;
	if ((!bytes && size) || !otlog__view_record((otlog_slice){ bytes, size }, &read)) {
		memset(record, 0, record_size);
		return false;
	}
	otlog__view_hand_out(&read, record, record_size);
	return true;
}
