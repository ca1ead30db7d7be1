#include "exporters/console/console_lines.h"

#include "exporters/console/console_value.h"
#include "sdk/base/clock.h"

#include <string.h>

/* What the records of a request share while they are written. */
typedef struct writer {
	otlog__console_out out;
	bool colour;
	uint64_t second;     /* of which `time` is the text */
	char time[20];       /* 2026-03-02T09:14:05 */
	otlog__buffer label; /* service/scope of the current scope */
} writer;

typedef struct severity_look {
	const char *name; /* as wide as the widest */
	const char *colour;
} severity_look;

/* Source: specification logs/data-model.md, "Displaying Severity". */
static const severity_look severities[] = {
	{ "-     ", "" },           { "TRACE ", "\x1b[2m" },    { "TRACE2", "\x1b[2m" },    { "TRACE3", "\x1b[2m" },
	{ "TRACE4", "\x1b[2m" },    { "DEBUG ", "\x1b[36m" },   { "DEBUG2", "\x1b[36m" },   { "DEBUG3", "\x1b[36m" },
	{ "DEBUG4", "\x1b[36m" },   { "INFO  ", "\x1b[32m" },   { "INFO2 ", "\x1b[32m" },   { "INFO3 ", "\x1b[32m" },
	{ "INFO4 ", "\x1b[32m" },   { "WARN  ", "\x1b[33m" },   { "WARN2 ", "\x1b[33m" },   { "WARN3 ", "\x1b[33m" },
	{ "WARN4 ", "\x1b[33m" },   { "ERROR ", "\x1b[31m" },   { "ERROR2", "\x1b[31m" },   { "ERROR3", "\x1b[31m" },
	{ "ERROR4", "\x1b[31m" },   { "FATAL ", "\x1b[1;31m" }, { "FATAL2", "\x1b[1;31m" }, { "FATAL3", "\x1b[1;31m" },
	{ "FATAL4", "\x1b[1;31m" },
};

static void
put_colour(writer *w, const char *colour)
{
	if (w->colour)
		otlog__console_puts(&w->out, colour);
}

static void
put_space(writer *w)
{
	otlog__console_put(&w->out, " ", 1);
}

/* Decimal digits with leading zeros. */
static void
digits(char *at, unsigned count, uint64_t number)
{
	while (count--) {
		at[count] = (char)('0' + number % 10);
		number /= 10;
	}
}

/* The date of a day since 1970: years that begin in March have their leap day at the end, so months add up evenly. */
static void
write_date(char *at, uint64_t day)
{
	uint64_t since_0000 = day + 719468;
	uint64_t era = since_0000 / 146097, of_era = since_0000 % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* 0: March */
	digits(at + 8, 2, of_year - (153 * month + 2) / 5 + 1);
	digits(at + 5, 2, month < 10 ? month + 3 : month - 9);
	digits(at, 4, year + era * 400 + (month >= 10));
}

static void
put_time(writer *w, uint64_t unix_nano)
{
	uint64_t second = unix_nano / OTLOG__NANOS_PER_S;
	if (second != w->second || !w->time[0]) {
		memcpy(w->time, "0000-00-00T00:00:00", sizeof w->time);
		write_date(w->time, second / 86400);
		digits(w->time + 11, 2, second / 3600 % 24);
		digits(w->time + 14, 2, second / 60 % 60);
		digits(w->time + 17, 2, second % 60);
		w->second = second;
	}
	char fraction[5] = { '.', '0', '0', '0', 'Z' };
	digits(fraction + 1, 3, unix_nano % OTLOG__NANOS_PER_S / OTLOG__NANOS_PER_MS);
	otlog__console_put(&w->out, w->time, sizeof w->time - 1);
	otlog__console_put(&w->out, fraction, sizeof fraction);
}

static void
put_severity(writer *w, const otlog_record_view *record)
{
	bool known = record->severity > 0 && record->severity < (int32_t)(sizeof severities / sizeof *severities);
	const severity_look *look = &severities[known ? record->severity : 0];
	put_colour(w, look->colour);
	if (!known && record->severity_text.size)
		otlog__console_put_word(&w->out, record->severity_text);
	else
		otlog__console_puts(&w->out, look->name);
	put_colour(w, "\x1b[0m");
}

/* Makes the label of a new scope. */
static bool
label(writer *w, const otlog_record_view *record)
{
	otlog__console_out out = { .buffer = &w->label };
	const otlog_slice scope = record->scope.name;
	otlog_slice service = { .data = NULL };
	otlog_value_view value;
	w->label.size = 0;
	if (otlog_find_item(otlog_resource_attributes(record), "service.name", &value) &&
	    value.type == OTLOG_VALUE_STRING)
		service = value.as.bytes;
	if (service.size)
		otlog__console_put_word(&out, service);
	if (service.size && scope.size)
		otlog__console_puts(&out, "/");
	if (scope.size)
		otlog__console_put_word(&out, scope);
	if (!service.size && !scope.size)
		otlog__console_puts(&out, "-");
	return !out.failed;
}

/* Whether a string is shown below the line, and not in it. */
static bool
is_block(otlog_slice key, const otlog_value_view *value)
{
	return value->type == OTLOG_VALUE_STRING && value->as.bytes.size &&
	       (memchr(value->as.bytes.data, '\n', value->as.bytes.size) ||
	        otlog_slice_is(key, "exception.stacktrace"));
}

/* Returns what of the body is left for below the line. */
static otlog_slice
put_body(writer *w, const otlog_value_view *body)
{
	otlog_slice rest = { .data = NULL };
	if (body->type == OTLOG_VALUE_EMPTY)
		return rest;
	put_space(w);
	if (body->type != OTLOG_VALUE_STRING) {
		otlog__console_put_value(&w->out, body);
		return rest;
	}
	otlog_slice line = body->as.bytes;
	const uint8_t *end = line.size ? memchr(line.data, '\n', line.size) : NULL;
	if (end) {
		rest = (otlog_slice){ end + 1, (size_t)(line.data + line.size - end - 1) };
		line.size = (size_t)(end - line.data);
		if (line.size && line.data[line.size - 1] == '\r')
			line.size--;
	}
	otlog__console_put_text(&w->out, line);
	return rest;
}

/* Those that fit the line. Returns whether there are others; *sound is cleared where they make no sense. */
static bool
put_attributes(writer *w, otlog_items attributes, bool *sound)
{
	otlog_slice key;
	otlog_value_view value;
	bool blocks = false;
	while (otlog_next_item(&attributes, &key, &value)) {
		if (is_block(key, &value)) {
			blocks = true;
			continue;
		}
		put_space(w);
		put_colour(w, "\x1b[2m");
		otlog__console_put_word(&w->out, key);
		otlog__console_put(&w->out, "=", 1);
		put_colour(w, "\x1b[0m");
		if (!otlog__console_put_value(&w->out, &value))
			*sound = false;
	}
	if (attributes.malformed)
		*sound = false;
	return blocks;
}

static void
put_blocks(writer *w, otlog_items attributes)
{
	otlog_slice key;
	otlog_value_view value;
	while (otlog_next_item(&attributes, &key, &value)) {
		if (!is_block(key, &value))
			continue;
		otlog__console_puts(&w->out, "  ");
		put_colour(w, "\x1b[2m");
		otlog__console_put_word(&w->out, key);
		otlog__console_puts(&w->out, ":");
		put_colour(w, "\x1b[0m");
		otlog__console_puts(&w->out, "\n");
		otlog__console_put_block(&w->out, value.as.bytes, "    | ");
	}
}

/* The first four bytes tell requests apart; the whole is in the other exporters. */
static void
put_id(writer *w, const char *name, otlog_slice id)
{
	if (id.size < 4)
		return;
	put_colour(w, "\x1b[2m");
	otlog__console_puts(&w->out, name);
	otlog__console_put_hex(&w->out, (otlog_slice){ id.data, 4 });
	put_colour(w, "\x1b[0m");
}

static void
put_head(writer *w, const otlog_record_view *record)
{
	put_colour(w, "\x1b[2m");
	put_time(w, record->time_unix_nano ? record->time_unix_nano : record->observed_time_unix_nano);
	put_colour(w, "\x1b[0m");
	put_space(w);
	put_severity(w, record);
	put_space(w);
	otlog__console_put(&w->out, w->label.data, w->label.size);
	if (record->event_name.size) {
		otlog__console_puts(&w->out, " [");
		otlog__console_put_text(&w->out, record->event_name);
		otlog__console_puts(&w->out, "]");
	}
}

static void
put_record(writer *w, const otlog_record_view *record)
{
	bool sound = true;
	put_head(w, record);
	otlog_slice more = put_body(w, &record->body);
	bool blocks = put_attributes(w, otlog_attributes(record), &sound);
	if (!sound)
		otlog__console_puts(&w->out, " (an attribute cannot be read)");
	put_id(w, " trace=", record->trace_id);
	put_id(w, " span=", record->span_id);
	otlog__console_puts(&w->out, "\n");
	otlog__console_put_block(&w->out, more, "    | ");
	if (blocks)
		put_blocks(w, otlog_attributes(record));
}

otlog__console_end
otlog__console_lines(const otlog_batch *batch, bool colour, otlog__buffer *out)
{
	writer w = { .out = { .buffer = out }, .colour = colour };
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	bool labelled = true;
	while (labelled && !w.out.failed && (otlog_batch_next(&reader, &record) || reader.can_skip)) {
		if (reader.malformed) {
			reader.malformed = false;
			otlog__console_puts(&w.out, "(a record that cannot be read)\n");
			continue;
		}
		if (record.new_scope)
			labelled = label(&w, &record);
		if (labelled)
			put_record(&w, &record);
	}
	otlog__buffer_free(&w.label);
	if (w.out.failed || !labelled)
		return OTLOG__CONSOLE_NO_MEMORY;
	return reader.malformed ? OTLOG__CONSOLE_MALFORMED : OTLOG__CONSOLE_DONE;
}
