#include "sdk/settings/settings.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/rare/grpc_target.h"
#include "sdk/base/strings.h"
#include "sdk/settings/messages.h"
#include "sdk/settings/table.h"
#include "sdk/settings/url.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
	otlog__settings *settings;
	otlog__lookup lookup;
	void *user;
} reader;

static const char *
look_in_environment(void *user, const char *name)
{
	(void)user;
	return secure_getenv(name);
}

/* An empty value counts as none. False only when memory is short. */
static bool
look_up(const reader *reader, const otlog__setting *row, otlog__given *out)
{
	const char *const variables[] = { row->variable, row->general };
	*out = (otlog__given){ .row = row, .variable = row->variable };
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
		const char *value = variables[i] ? reader->lookup(reader->user, variables[i]) : NULL;
		if (!value || !*value)
			continue;
		out->variable = variables[i];
		out->value = strdup(value);
		return out->value;
	}
	return true;
}

static void *
member(const reader *reader, const otlog__setting *row)
{
	return (char *)reader->settings + row->offset;
}

static const otlog__setting *
row_of(size_t offset)
{
	const otlog__setting *row = otlog__setting_table;
	while (row->offset != offset)
		row++;
	return row;
}

static void
put_choice(const reader *reader, const otlog__setting *row, uint64_t value)
{
	/* The compiler makes each of these an unsigned int; to the aliasing rules it is a type of its own. */
	_Static_assert(
	    sizeof(otlog__protocol) == sizeof(unsigned) && sizeof(otlog_compression) == sizeof(unsigned) &&
		sizeof(otlog_queue_full) == sizeof(unsigned) && sizeof(otlog_durability) == sizeof(unsigned) &&
		sizeof(otlog_spool_full) == sizeof(unsigned) && sizeof(otlog_diagnostic_level) == sizeof(unsigned),
	    "enums are written as unsigned int");
	unsigned number = (unsigned)value;
	memcpy(member(reader, row), &number, sizeof number);
}

static bool
is_grpc(const reader *reader)
{
	return reader->settings->protocol == OTLOG__GRPC;
}

static const char *
initial_url(const reader *reader, const otlog__setting *row)
{
	return is_grpc(reader) && row->initial_grpc ? row->initial_grpc : row->initial_text;
}

/* False only when memory is short. */
static bool
put_initial(const reader *reader, const otlog__setting *row)
{
	switch (row->kind) {
	case OTLOG__KIND_BOOL:
	case OTLOG__KIND_SWITCH:
		*(bool *)member(reader, row) = row->initial;
		return true;
	case OTLOG__KIND_ENUM:
	case OTLOG__KIND_SET:
		put_choice(reader, row, row->initial);
		return true;
	case OTLOG__KIND_SECONDS:
		*(uint64_t *)member(reader, row) = row->initial * 1000;
		return true;
	case OTLOG__KIND_DURATION:
	case OTLOG__KIND_COUNT:
	case OTLOG__KIND_BYTES:
		*(uint64_t *)member(reader, row) = row->initial;
		return true;
	case OTLOG__KIND_URL:
		*(char **)member(reader, row) = strdup(initial_url(reader, row));
		return *(char **)member(reader, row);
	default:
		*(char **)member(reader, row) = NULL;
		return true;
	}
}

static void
read_bool(const reader *reader, const otlog__given *given)
{
	otlog__text value = otlog__text_of(given->value);
	bool is_switch = given->row->kind == OTLOG__KIND_SWITCH;
	bool is_true = otlog__text_is(value, "true") || (is_switch && otlog__text_is(value, "1"));
	*(bool *)member(reader, given->row) = is_true;
	if (!is_true && !otlog__text_is(value, "false") && !(is_switch && otlog__text_is(value, "0")))
		otlog__given_is_no_bool(given);
}

static const otlog__choice *
find_named(const otlog__setting *row, otlog__text name)
{
	for (const otlog__choice *choice = row->choices; choice->name; choice++) {
		if (otlog__text_is(name, choice->name))
			return choice;
	}
	return NULL;
}

static const otlog__choice *
find_choice(const otlog__given *given)
{
	return find_named(given->row, otlog__text_trim(otlog__text_of(given->value)));
}

static void
read_enum(const reader *reader, const otlog__given *given)
{
	const otlog__choice *choice = find_choice(given);
	if (!choice || choice->refused) {
		otlog__given_is_no_choice(given);
		return;
	}
	put_choice(reader, given->row, choice->value);
}

/* The first member of a list with commas; takes it off. */
static otlog__text
next_member(otlog__text *list)
{
	const char *comma = memchr(list->data, ',', list->size);
	otlog__text first = { list->data, comma ? (size_t)(comma - list->data) : list->size };
	size_t passed = comma ? first.size + 1 : first.size;
	list->data += passed;
	list->size -= passed;
	return otlog__text_trim(first);
}

static void
read_set(const reader *reader, const otlog__given *given)
{
	otlog__text list = otlog__text_of(given->value);
	char unknown[96] = "";
	unsigned set = 0;
	while (list.size) {
		otlog__text name = next_member(&list);
		const otlog__choice *choice = find_named(given->row, name);
		size_t used = strlen(unknown);
		if (choice)
			set |= choice->value;
		else if (name.size && used + 8 < sizeof unknown) {
			used += (size_t)snprintf(unknown + used, sizeof unknown - used, "%s", used ? ", " : "");
			otlog__text_show(name, unknown + used, sizeof unknown - used);
		}
	}
	if (*unknown)
		otlog__given_has_unknown(given, unknown, set);
	if (set & OTLOG__TO_NONE && set != OTLOG__TO_NONE) {
		otlog__given_has_none_and_more(given);
		set &= ~(unsigned)OTLOG__TO_NONE;
	}
	if (set)
		put_choice(reader, given->row, set);
}

static void
read_number(const reader *reader, const otlog__given *given)
{
	otlog__text value = otlog__text_trim(otlog__text_of(given->value));
	uint64_t number = 0;
	bool read = given->row->kind == OTLOG__KIND_BYTES ? otlog__parse_bytes(value, &number)
	                                                  : otlog__parse_u64(value, &number);
	if (!read || number < given->row->least || number > given->row->most)
		otlog__given_is_no_number(given);
	else
		*(uint64_t *)member(reader, given->row) =
		    given->row->kind == OTLOG__KIND_SECONDS ? number * 1000 : number;
}

/* Takes the string; false if it is NULL, which means that memory is short. */
static bool
put_string(const reader *reader, const otlog__setting *row, char *string)
{
	char **text = member(reader, row);
	if (!string)
		return false;
	free(*text);
	*text = string;
	return true;
}

/* Puts a URL of http or https with its path; *problem says why it is none. False only when memory is short. */
static bool
put_url(const reader *reader, const otlog__given *given, const char *path, const char **problem)
{
	otlog__text text = otlog__text_trim(otlog__text_of(given->value));
	otlog__url url;
	*problem = otlog__url_parse(text, &url);
	if (*problem)
		return true;
	char *whole = path ? otlog__url_append(text, path) : otlog__url_complete(text);
	*problem = otlog__url_parse(otlog__text_of(whole), &url); /* it is longer now */
	if (!whole || !*problem)
		return put_string(reader, given->row, whole);
	free(whole);
	return true;
}

static bool
put_grpc_target(const reader *reader, const otlog__given *given, const char **problem)
{
	otlog__text text = otlog__text_trim(otlog__text_of(given->value));
	*problem = otlog__grpc_target_problem(text);
	return *problem || put_string(reader, given->row, otlog__text_copy(text));
}

/* By the rule of the protocol that is chosen; its row stands before. */
static bool
read_url(const reader *reader, const otlog__given *given)
{
	const char *problem;
	const char *path = given->variable == given->row->general ? "v1/logs" : NULL;
	if (!(is_grpc(reader) ? put_grpc_target(reader, given, &problem) : put_url(reader, given, path, &problem)))
		return false;
	otlog__given bad = *given;
	bad.instead = initial_url(reader, given->row);
	if (problem && is_grpc(reader))
		otlog__given_is_bad(&bad, "nothing that gRPC can send to", problem,
		                    "Set it to a URL such as http://localhost:4317");
	else if (problem)
		otlog__given_is_bad(&bad, "no http or https URL", problem,
		                    "Set it to a URL such as http://localhost:4318");
	return true;
}

static bool
read_address(const reader *reader, const otlog__given *given)
{
	const char *problem;
	if (!put_url(reader, given, NULL, &problem))
		return false;
	if (problem)
		otlog__given_is_bad(given, "no http or https URL", problem,
		                    "Set it to a URL such as https://logs.example.com/mito");
	return true;
}

static bool
read_list(const reader *reader, const otlog__given *given)
{
	otlog__pairs pairs;
	const char *problem = NULL;
	bool parsed = otlog__pairs_parse(given->value, &pairs, &problem);
	if (!parsed && !problem)
		return false;
	if (parsed && given->row->kind == OTLOG__KIND_HEADERS)
		problem = otlog__pairs_header_problem(&pairs, is_grpc(reader));
	otlog__pairs_free(&pairs);
	if (problem) {
		otlog__given_is_bad(given, "no list of the form key=value,key=value", problem,
		                    "Correct it, with ',' '=' and '%' inside of keys and values percent-encoded");
		return true;
	}
	return put_string(reader, given->row, strdup(given->value));
}

static bool
read_given(const reader *reader, const otlog__given *given)
{
	switch (given->row->kind) {
	case OTLOG__KIND_BOOL:
	case OTLOG__KIND_SWITCH:
		read_bool(reader, given);
		return true;
	case OTLOG__KIND_ENUM:
		read_enum(reader, given);
		return true;
	case OTLOG__KIND_SET:
		read_set(reader, given);
		return true;
	case OTLOG__KIND_DURATION:
	case OTLOG__KIND_SECONDS:
	case OTLOG__KIND_COUNT:
	case OTLOG__KIND_BYTES:
		read_number(reader, given);
		return true;
	case OTLOG__KIND_ADDRESS:
		return read_address(reader, given);
	case OTLOG__KIND_URL:
		return read_url(reader, given);
	case OTLOG__KIND_LIST:
	case OTLOG__KIND_HEADERS:
		return read_list(reader, given);
	case OTLOG__KIND_TEXT:
	case OTLOG__KIND_NAMES:
	case OTLOG__KIND_FILE:
	case OTLOG__KIND_DIRECTORY:
		break;
	}
	return put_string(reader, given->row, strdup(given->value));
}

static bool
read_row(const reader *reader, const otlog__setting *row)
{
	otlog__given given;
	if (!put_initial(reader, row))
		return false;
	if (row->wanted && !row->wanted(reader->settings))
		return true;
	if (!look_up(reader, row, &given))
		return false;
	bool read = !given.value || read_given(reader, &given);
	free(given.value);
	return read;
}

/* False only when memory is short. */
static bool
batch_fits_queue(const reader *reader)
{
	otlog__settings *settings = reader->settings;
	if (!settings->max_queue_records || settings->max_batch_records <= settings->max_queue_records)
		return true;
	const otlog__setting *row = row_of(offsetof(otlog__settings, max_batch_records));
	otlog__given given;
	if (!look_up(reader, row, &given))
		return false;
	/* The default gives way without a word; a number that was asked for does not. */
	uint64_t asked = 0;
	otlog__parse_u64(otlog__text_trim(otlog__text_of(given.value)), &asked);
	free(given.value);
	if (asked == settings->max_batch_records)
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s=\"%" PRIu64 "\" is more than the queue holds by %s=\"%" PRIu64 "\"; %" PRIu64
		                       " is used instead. Lower the former or raise the latter.",
		                       row->variable, asked,
		                       row_of(offsetof(otlog__settings, max_queue_records))->variable,
		                       settings->max_queue_records, settings->max_queue_records);
	settings->max_batch_records = settings->max_queue_records;
	return true;
}

/* Says so if a Mito log server is set up by half. False only when memory is short. */
static bool
check_mito(const reader *reader)
{
	const otlog__setting *version_row = row_of(offsetof(otlog__settings, mito_version));
	const otlog__setting *url_row = row_of(offsetof(otlog__settings, mito_url));
	otlog__given version;
	otlog__given url;
	bool known = look_up(reader, version_row, &version);
	known = look_up(reader, url_row, &url) && known;
	if (known && url.value && !version.value)
		otlog__given_is_alone(&url, version_row->variable, "Set MITO_CONFIG_VERSION to 2");
	else if (known && !url.value && reader->settings->mito_version == OTLOG__MITO_VERSION)
		otlog__given_is_alone(&version, url_row->variable,
		                      "Set MITO_CONFIG_LOG_SERVER_URL to a URL such as https://logs.example.com/mito");
	free(version.value);
	free(url.value);
	return known;
}

/*
 * With nothing but a Mito log server set up, OTLP is not there by default: nobody has asked for it. False only when
 * memory is short.
 */
static bool
choose_exporters(const reader *reader)
{
	const size_t askers[] = { offsetof(otlog__settings, exporters), offsetof(otlog__settings, endpoint) };
	otlog__settings *settings = reader->settings;
	bool asked = false;
	for (size_t i = 0; i < sizeof askers / sizeof askers[0]; i++) {
		otlog__given given;
		if (!look_up(reader, row_of(askers[i]), &given))
			return false;
		asked |= given.value != NULL;
		free(given.value);
	}
	if (settings->exporters == OTLOG__TO_NONE || (settings->mito_url && !asked))
		settings->exporters = 0;
	return true;
}

bool
otlog__settings_read(otlog__settings *settings, otlog__lookup lookup, void *user)
{
	*settings = (otlog__settings){ 0 };
	reader reader = { .settings = settings, .lookup = lookup ? lookup : look_in_environment, .user = user };
	for (size_t i = 0; i < otlog__setting_count; i++) {
		if (!read_row(&reader, &otlog__setting_table[i]))
			return false;
	}
	/* A worker that never waits would spin. */
	if (settings->schedule_delay_ms == 0)
		settings->schedule_delay_ms = 1;
	if (settings->mito_interval_ms == 0)
		settings->mito_interval_ms = 1;
	return check_mito(&reader) && choose_exporters(&reader) && batch_fits_queue(&reader);
}

otlog_diagnostic_level
otlog__settings_log_level(otlog__lookup lookup, void *user)
{
	const otlog__setting *row = row_of(offsetof(otlog__settings, log_level));
	reader reader = { .lookup = lookup ? lookup : look_in_environment, .user = user };
	otlog__given given;
	const otlog__choice *choice = look_up(&reader, row, &given) && given.value ? find_choice(&given) : NULL;
	free(given.value);
	return (otlog_diagnostic_level)(choice ? choice->value : row->initial);
}

void
otlog__settings_free(otlog__settings *settings)
{
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		if (row->kind >= OTLOG__KIND_TEXT)
			free(*(char **)((char *)settings + row->offset));
	}
	*settings = (otlog__settings){ 0 };
}
