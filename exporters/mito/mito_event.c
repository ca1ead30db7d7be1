/* Mito events: back into the keys that made them, in the caller's order. */
#include "exporters/mito/mito_object.h"

#include <otlog/mito.h>

#include <stddef.h>
#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static const char event_name[] = "mito";

/* Keys that attributes without a prefix cannot have. */
static const char *const reserved[] = {
	"timestamp_gmt", "event", "error_severity_code", "error_traceback", "error_traceback_last_line", "message", NULL
};

typedef struct field {
	otlog_slice text;
	bool given;
	bool written;
} field;

/* The texts that have keys of their own. */
typedef struct fields {
	field event;
	field timestamp;
	field code;
	field last_line;
	field type;
	field message;
	field stacktrace;
} fields;

typedef struct name {
	const char *text;
	size_t size;
	size_t offset;
} name;

static const name names[] = {
	{ TEXT("mito.event"), offsetof(fields, event) },
	{ TEXT("mito.timestamp_gmt"), offsetof(fields, timestamp) },
	{ TEXT("mito.error_severity_code"), offsetof(fields, code) },
	{ TEXT("mito.error_traceback_last_line"), offsetof(fields, last_line) },
	{ TEXT("exception.type"), offsetof(fields, type) },
	{ TEXT("exception.message"), offsetof(fields, message) },
	{ TEXT("exception.stacktrace"), offsetof(fields, stacktrace) },
};

/* Attributes whose keys have a prefix on the wire; that of `extra` has none. */
typedef struct group {
	const char *text;
	size_t size;
	const char *prefix;
} group;

static const group groups[] = {
	{ TEXT("mito.params."), "params" },
	{ TEXT("mito.version."), "version" },
	{ TEXT("mito.extra."), NULL },
};

bool
otlog__is_mito_event(const otlog_record_view *record)
{
	const size_t size = sizeof event_name - 1;
	return record->event_name.size >= size && memcmp(record->event_name.data, event_name, size) == 0 &&
	       (record->event_name.size == size || record->event_name.data[size] == '.');
}

static const group *
group_of(otlog_slice key)
{
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		if (key.size > groups[i].size && memcmp(key.data, groups[i].text, groups[i].size) == 0)
			return &groups[i];
	return NULL;
}

/* Keeps the attribute for its own key. False if it has none, or is no text, or comes a second time. */
static bool
keep(fields *found, otlog_slice key, const otlog_value_view *value)
{
	for (size_t i = 0; value->type == OTLOG_VALUE_STRING && i < sizeof names / sizeof names[0]; i++) {
		field *f = (field *)((char *)found + names[i].offset);
		if (key.size != names[i].size || memcmp(key.data, names[i].text, key.size) != 0)
			continue;
		if (f->given)
			return false;
		*f = (field){ .text = value->as.bytes, .given = true };
		return true;
	}
	return false;
}

static bool
take(field *f)
{
	bool first = f->given && !f->written;
	f->written = f->given;
	return first;
}

/* The last line is written whole, or put together again from type and message. */
static bool
put_last_line(otlog__flat *flat, fields *found)
{
	otlog__buffer *out = &flat->out;
	if (take(&found->last_line))
		return otlog__flat_key(flat, "error_traceback_last_line") &&
		       otlog__python_string(out, found->last_line.text);
	if (found->last_line.given || !found->type.given || !found->message.given || !take(&found->type) ||
	    !take(&found->message))
		return true;
	if (!otlog__flat_key(flat, "error_traceback_last_line") || !otlog__python_string(out, found->type.text))
		return false;
	out->data[out->size - 1] = ':'; /* for the quote behind the type */
	const size_t quote = out->size;
	if (!otlog__python_string(out, found->message.text))
		return false;
	out->data[quote] = ' ';
	return true;
}

/* Mito logs what went wrong between the params and the versions. */
static bool
put_error(otlog__flat *flat, fields *found)
{
	if (take(&found->stacktrace) &&
	    !(otlog__flat_key(flat, "error_traceback") && otlog__python_lines(&flat->out, found->stacktrace.text)))
		return false;
	return put_last_line(flat, found);
}

/* What should have been the half of a last line, but is alone. */
static bool
put_half_line(otlog__flat *flat, field *f, const char *key)
{
	return !take(f) || (otlog__flat_attribute(flat, NULL, (otlog_slice){ (const uint8_t *)key, strlen(key) }) &&
	                    otlog__python_string(&flat->out, f->text));
}

static bool
put_attributes(otlog__flat *flat, const otlog_record_view *record, fields *found)
{
	otlog_items attributes = otlog_attributes(record);
	otlog_slice key;
	otlog_value_view value;
	while (otlog_next_item(&attributes, &key, &value)) {
		const group *group = group_of(key);
		if (!group && keep(found, key, &value))
			continue;
		if (group != &groups[0] && !put_error(flat, found))
			return false;
		if (group) {
			key.data += group->size;
			key.size -= group->size;
		}
		if (!otlog__flat_attribute(flat, group ? group->prefix : NULL, key) ||
		    !otlog__python_value(&flat->out, &value))
			return false;
	}
	return put_error(flat, found) && put_half_line(flat, &found->type, "exception.type") &&
	       put_half_line(flat, &found->message, "exception.message");
}

/* The name that the event was given; null where it was none. */
static bool
put_name(otlog__flat *flat, const otlog_record_view *record, const field *given)
{
	otlog_slice name = record->event_name;
	if (!otlog__flat_key(flat, "event"))
		return false;
	if (given->given)
		return otlog__python_string(&flat->out, given->text);
	if (name.size < sizeof event_name)
		return OTLOG__PUT(&flat->out, "null");
	return otlog__python_string(&flat->out,
	                            (otlog_slice){ name.data + sizeof event_name, name.size - sizeof event_name });
}

bool
otlog__flat_put_event(otlog__flat *flat, const otlog_record_view *record, otlog__flat_extras extras)
{
	fields found = { .event = { .given = false } };
	if (!otlog__flat_open(flat, reserved) || !put_attributes(flat, record, &found))
		return false;
	if (record->body.type != OTLOG_VALUE_EMPTY &&
	    !(otlog__flat_key(flat, "message") && otlog__python_value(&flat->out, &record->body)))
		return false;
	if (!otlog__flat_put_extras(flat, extras))
		return false;
	if (found.timestamp.given
	        ? !(otlog__flat_key(flat, "timestamp_gmt") && otlog__python_string(&flat->out, found.timestamp.text))
	        : !otlog__flat_put_time(flat, record))
		return false;
	if (!put_name(flat, record, &found.event))
		return false;
	if (found.code.given &&
	    !(otlog__flat_key(flat, "error_severity_code") && otlog__python_string(&flat->out, found.code.text)))
		return false;
	return otlog__flat_close(flat);
}
