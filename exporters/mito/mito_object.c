#include "exporters/mito/mito_object.h"

#include "exporters/json/json_writer.h"

#include <otlog/mito.h>

#include <stdio.h>
#include <string.h>

static const char *const reserved[] = { "timestamp_gmt",
	                                "time_unix_nano",
	                                "event",
	                                "message",
	                                "severity",
	                                "severity_number",
	                                "logger",
	                                "trace_id",
	                                "span_id",
	                                "trace_flags",
	                                "dropped_attributes_count",
	                                NULL };

bool
otlog__flat_put_extras(otlog__flat *flat, otlog__flat_extras extras)
{
	for (size_t i = 0; i < extras.count; i++) {
		const otlog__flat_extra *extra = &extras.items[i];
		if (extra->value.type == OTLOG_VALUE_EMPTY)
			continue;
		const otlog_slice name = { (const uint8_t *)extra->name, strlen(extra->name) };
		if (!otlog__flat_attribute(flat, NULL, name) || !otlog__python_value(&flat->out, &extra->value))
			return false;
	}
	return true;
}

bool
otlog__flat_put_time(otlog__flat *flat, const otlog_record_view *record)
{
	char text[MITO_TIMESTAMP_SIZE];
	mito_format_timestamp(record->time_unix_nano ? record->time_unix_nano : record->observed_time_unix_nano, text);
	return otlog__flat_key(flat, "timestamp_gmt") && OTLOG__PUT(&flat->out, "\"") &&
	       otlog__buffer_append(&flat->out, text, sizeof text - 1) && OTLOG__PUT(&flat->out, "\"");
}

/* To the nanosecond, as text: as a number it would be too long for many parsers. */
static bool
put_exact_time(otlog__flat *flat, const otlog_record_view *record)
{
	if (record->time_unix_nano == 0)
		return true;
	return otlog__flat_key(flat, "time_unix_nano") && OTLOG__PUT(&flat->out, "\"") &&
	       otlog__json_uint64(&flat->out, record->time_unix_nano) && OTLOG__PUT(&flat->out, "\"");
}

static bool
put_text(otlog__flat *flat, const char *key, otlog_slice text)
{
	return text.size == 0 || (otlog__flat_key(flat, key) && otlog__python_string(&flat->out, text));
}

static bool
put_hex(otlog__flat *flat, const char *key, otlog_slice bytes)
{
	return bytes.size == 0 || (otlog__flat_key(flat, key) && otlog__json_hex(&flat->out, bytes.data, bytes.size));
}

static bool
put_number(otlog__flat *flat, const char *key, int64_t number)
{
	return number == 0 || (otlog__flat_key(flat, key) && otlog__json_int64(&flat->out, number));
}

/* The text as the source spells it, else the number's name. Source: specification logs/data-model.md. */
static bool
put_severity(otlog__flat *flat, const otlog_record_view *record)
{
	static const char *const words[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };
	otlog_slice text = record->severity_text;
	char name[8];
	int32_t number = record->severity;
	if (text.size == 0 && number >= OTLOG_SEVERITY_TRACE && number <= OTLOG_SEVERITY_FATAL4) {
		int32_t step = (number - 1) % 4;
		int size = snprintf(name, sizeof name, "%s%.0d", words[(number - 1) / 4], step ? step + 1 : 0);
		text = (otlog_slice){ (const uint8_t *)name, (size_t)size };
	}
	return put_text(flat, "severity", text) && put_number(flat, "severity_number", number);
}

/* A receiver may look for `event` in every object. */
static bool
put_name(otlog__flat *flat, const otlog_record_view *record)
{
	static const char none[] = "log";
	otlog_slice name = record->event_name;
	if (name.size == 0)
		name = (otlog_slice){ (const uint8_t *)none, sizeof none - 1 };
	return put_text(flat, "event", name);
}

static bool
put_attributes(otlog__flat *flat, const otlog_record_view *record)
{
	otlog_items attributes = otlog_attributes(record);
	otlog_slice key;
	otlog_value_view value;
	while (otlog_next_item(&attributes, &key, &value))
		if (!otlog__flat_attribute(flat, NULL, key) || !otlog__python_value(&flat->out, &value))
			return false;
	return true;
}

bool
otlog__flat_put_record(otlog__flat *flat, const otlog_record_view *record, otlog__flat_extras extras)
{
	if (!otlog__flat_open(flat, reserved) || !put_attributes(flat, record) ||
	    !otlog__flat_put_extras(flat, extras) || !otlog__flat_put_time(flat, record) ||
	    !put_exact_time(flat, record) || !put_name(flat, record))
		return false;
	if (record->body.type != OTLOG_VALUE_EMPTY &&
	    !(otlog__flat_key(flat, "message") && otlog__python_value(&flat->out, &record->body)))
		return false;
	return put_severity(flat, record) && put_text(flat, "logger", record->scope.name) &&
	       put_hex(flat, "trace_id", record->trace_id) && put_hex(flat, "span_id", record->span_id) &&
	       put_number(flat, "trace_flags", record->flags & 0xff) &&
	       put_number(flat, "dropped_attributes_count", record->dropped_attributes_count) &&
	       otlog__flat_close(flat);
}
