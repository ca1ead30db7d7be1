#include "sdk/base/rare/address.h"
#include "sdk/settings/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "********"

#define MEMBER(row, settings) ((const void *)((const char *)(settings) + (row)->offset))

/* The first of the row's variables that is set, as the parser looks them up; NULL: none. */
static const char *
find_variable(const otlog__setting *row, const char **value)
{
	const char *const variables[] = { row->variable, row->general };
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		*value = variables[i] ? secure_getenv(variables[i]) : NULL;
		if (*value && **value)
			return variables[i];
	}
	*value = NULL;
	return NULL;
}

static uint64_t
number_of(const otlog__setting *row, const otlog__settings *settings)
{
	if (row->kind == OTLOG__KIND_ENUM || row->kind == OTLOG__KIND_SET) {
		unsigned choice;
		memcpy(&choice, MEMBER(row, settings), sizeof choice);
		return choice;
	}
	if (row->kind < OTLOG__KIND_ENUM)
		return *(const bool *)MEMBER(row, settings);
	return *(const uint64_t *)MEMBER(row, settings);
}

static void
write_set(const otlog__setting *row, uint64_t set, FILE *out)
{
	const char *before = "";
	for (const otlog__choice *choice = row->choices; choice->name; choice++) {
		if (!(set & choice->value) && !(set == 0 && choice->value == OTLOG__TO_NONE))
			continue;
		fprintf(out, "%s%s", before, choice->name);
		before = ",";
	}
}

static const char *
choice_name(const otlog__setting *row, uint64_t value)
{
	for (const otlog__choice *choice = row->choices; choice->name; choice++)
		if (!choice->refused && choice->value == value)
			return choice->name;
	return "";
}

static void
write_number(const otlog__setting *row, uint64_t number, FILE *out)
{
	char text[OTLOG__BYTES_SHOWN];
	switch (row->kind) {
	case OTLOG__KIND_SET:
		write_set(row, number, out);
		return;
	case OTLOG__KIND_ENUM:
		fputs(choice_name(row, number), out);
		return;
	case OTLOG__KIND_SECONDS:
		number /= 1000;
		break;
	case OTLOG__KIND_BYTES:
		if (number % 1024 || number == 0)
			break;
		fputs(otlog__bytes_show(number, text), out);
		return;
	case OTLOG__KIND_COUNT:
		if (number < row->least)
			return; /* no number stands for it */
		break;
	case OTLOG__KIND_BOOL:
		fputs(number ? "true" : "false", out);
		return;
	default:
		break;
	}
	fprintf(out, "%" PRIu64, number);
}

/* A URL may hold user and password, and a key in its query. Other targets of gRPC have no user. */
static void
write_url(const char *text, FILE *out)
{
	otlog__url url;
	const char *shown = text;
	if (!otlog__url_parse(otlog__text_of(text), &url)) {
		bool hidden = url.authority.user.size || url.authority.password.size;
		fprintf(out, "%s%s", url.tls ? "https://" : "http://", hidden ? SECRET "@" : "");
		shown = url.server.data;
	}
	size_t size = strcspn(shown, "?");
	fprintf(out, "%.*s%s", (int)size, shown, shown[size] ? "?" SECRET : "");
}

static void
write_value(const otlog__setting *row, const otlog__settings *settings, FILE *out)
{
	if (row->kind < OTLOG__KIND_TEXT) {
		write_number(row, number_of(row, settings), out);
		return;
	}
	const char *text = *(char *const *)MEMBER(row, settings);
	if (!text)
		return;
	if (row->kind == OTLOG__KIND_HEADERS)
		fputs(SECRET, out);
	else if (row->kind == OTLOG__KIND_URL || row->kind == OTLOG__KIND_ADDRESS)
		write_url(text, out);
	else
		fputs(text, out);
}

static bool
is_default(const otlog__setting *row, const otlog__settings *settings)
{
	if (row->kind < OTLOG__KIND_TEXT) {
		uint64_t scale = row->kind == OTLOG__KIND_SECONDS ? 1000 : 1;
		return number_of(row, settings) == row->initial * scale;
	}
	const char *text = *(char *const *)MEMBER(row, settings);
	if (row->kind == OTLOG__KIND_URL && text)
		return strcmp(text, row->initial_text) == 0 ||
		       (row->initial_grpc && strcmp(text, row->initial_grpc) == 0);
	return !text;
}

/* Whether what was given says the default in so many words, and so is not one that could not be used. */
static bool
says_default(const otlog__setting *row, const char *given, const char *shown)
{
	otlog__text text = otlog__text_trim(otlog__text_of(given));
	uint64_t number = 0;
	bool is_number = row->kind >= OTLOG__KIND_DURATION && row->kind < OTLOG__KIND_TEXT;
	if (is_number && otlog__parse_bytes(text, &number))
		return number == row->initial;
	if (row->kind < OTLOG__KIND_ENUM)
		return otlog__text_is(text, "false") || otlog__text_is(text, "0");
	if (row->kind == OTLOG__KIND_URL) /* where the base URL is given, v1/logs was appended to it */
		return text.size && otlog__text_starts_with(otlog__text_of(shown), "http") &&
		       strncmp(shown, text.data, text.size - (text.data[text.size - 1] == '/')) == 0;
	return otlog__text_is(text, shown);
}

/*
 * Which variable the value in force is from. The parser does not keep that: what is not the default is from the variable
 * that is set, and what is may be given in words, or take the place of something that could not be used. Two values
 * follow from other variables: without exporters there is a Mito log server alone, and a batch is no larger than the
 * queue.
 */
static const char *
find_source(const otlog__setting *row, const otlog__settings *settings, const char *shown)
{
	const char *given = NULL;
	const char *variable = find_variable(row, &given);
	if (row->offset == offsetof(otlog__settings, exporters) && settings->exporters == 0)
		return variable ? variable : "MITO_CONFIG_LOG_SERVER_URL";
	if (row->offset == offsetof(otlog__settings, max_batch_records) && !is_default(row, settings)) {
		uint64_t asked = 0;
		bool in_force = given && otlog__parse_u64(otlog__text_trim(otlog__text_of(given)), &asked) &&
		                asked == settings->max_batch_records;
		return in_force ? variable : "OTEL_BLRP_MAX_QUEUE_SIZE";
	}
	if (!variable || (row->wanted && !row->wanted(settings)))
		return NULL;
	return !is_default(row, settings) || says_default(row, given, shown) ? variable : NULL;
}

/* False when memory is short. */
static bool
visit_row(const otlog__setting *row, const otlog__settings *settings,
          void (*take)(void *user, const otlog_setting_view *setting), void *user)
{
	char *value = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&value, &size);
	if (!out)
		return false;
	write_value(row, settings, out);
	bool written = !ferror(out);
	written = fclose(out) == 0 && written;
	if (written)
		take(user, &(otlog_setting_view){ .variable = row->variable,
		                                  .value = value,
		                                  .source = find_source(row, settings, value),
		                                  .about = row->about });
	free(value);
	return written;
}

bool
otlog_settings_visit(void (*take)(void *user, const otlog_setting_view *setting), void *user)
{
	otlog__settings settings;
	bool done = otlog__settings_read(&settings, NULL, NULL);
	for (size_t i = 0; done && i < otlog__setting_count; i++)
		done = visit_row(&otlog__setting_table[i], &settings, take, user);
	otlog__settings_free(&settings);
	return done;
}
