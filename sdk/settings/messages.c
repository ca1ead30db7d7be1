#include "sdk/settings/messages.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/rare/address.h"

#include <inttypes.h>
#include <string.h>

/* Room for a value in a message: the remedy behind it must not fall off the end. */
#define SHOWN_SIZE 160
#define SETTING_SIZE (SHOWN_SIZE + 64)

/* Writes `VARIABLE="value"`, without what must stay secret. */
static void
show(const otlog__given *given, char *out, size_t size)
{
	char value[SHOWN_SIZE];
	if (given->row->kind == OTLOG__KIND_HEADERS) {
		snprintf(out, size, "%s", given->variable);
		return;
	}
	if (given->row->kind == OTLOG__KIND_URL || given->row->kind == OTLOG__KIND_ADDRESS)
		otlog__address_show(otlog__text_of(given->value), value, sizeof value);
	else
		otlog__text_show(otlog__text_of(given->value), value, sizeof value);
	snprintf(out, size, "%s=\"%s\"", given->variable, value);
}

void
otlog__given_is_bad(const otlog__given *given, const char *wrong, const char *reason, const char *remedy)
{
	char setting[SETTING_SIZE];
	char initial[OTLOG__INITIAL_SHOWN];
	const char *instead = given->instead ? given->instead : otlog__setting_initial(given->row, initial);
	show(given, setting, sizeof setting);
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s is %s%s%s. It is ignored and the default is used instead: %s. %s, or unset it.",
	                       setting, wrong, reason ? ": " : "", reason ? reason : "", instead, remedy);
}

void
otlog__given_is_no_bool(const otlog__given *given)
{
	const char *wrong = given->row->kind == OTLOG__KIND_SWITCH ? "neither 1 nor 0" : "neither true nor false";
	otlog__given_is_bad(given, wrong, NULL, "Set it to one of them");
}

/* The choices that can be taken, with commas between; returns how many. */
static unsigned
list_choices(const otlog__setting *row, char *out, size_t size)
{
	unsigned count = 0;
	size_t used = 0;
	out[0] = '\0';
	for (const otlog__choice *choice = row->choices; choice->name; choice++) {
		if (choice->refused || used >= size)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s", count ? ", " : "", choice->name);
		count++;
	}
	return count;
}

void
otlog__given_is_no_choice(const otlog__given *given)
{
	char names[128];
	char wrong[144];
	char remedy[144] = "Set it to one of them";
	bool only = list_choices(given->row, names, sizeof names) == 1;
	const otlog__choice *choice = given->row->choices;
	while (choice->name && !(choice->refused && strcmp(choice->name, given->value) == 0))
		choice++;
	if (choice->name)
		snprintf(wrong, sizeof wrong, "%s", choice->refused);
	else
		snprintf(wrong, sizeof wrong, "%s%s", only ? "not " : "none of ", names);
	if (only)
		snprintf(remedy, sizeof remedy, "Set it to %s", names);
	otlog__given_is_bad(given, wrong, NULL, remedy);
}

void
otlog__given_has_unknown(const otlog__given *given, const char *unknown, bool has_others)
{
	char setting[SETTING_SIZE];
	char names[128];
	char initial[OTLOG__INITIAL_SHOWN];
	list_choices(given->row, names, sizeof names);
	show(given, setting, sizeof setting);
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s names %s, which is none of %s. That is ignored and %s used instead%s%s. Set it to "
	                       "names from this list, with commas between, or unset it.",
	                       setting, unknown, names, has_others ? "the other names are" : "the default is",
	                       has_others ? "" : ": ", has_others ? "" : otlog__setting_initial(given->row, initial));
}

void
otlog__given_has_none_and_more(const otlog__given *given)
{
	char setting[SETTING_SIZE];
	show(given, setting, sizeof setting);
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s has none beside other names. The none is ignored and the others are used instead. "
	                       "Set it to none alone, or take it out of the list.",
	                       setting);
}

void
otlog__given_is_alone(const otlog__given *given, const char *lacking, const char *remedy)
{
	char setting[SETTING_SIZE];
	show(given, setting, sizeof setting);
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s is set, but %s is not: nothing goes to a Mito log server. %s, or unset %s.", setting,
	                       lacking, remedy, given->variable);
}

void
otlog__setting_range(const otlog__setting *row, char *out, size_t size)
{
	char least[OTLOG__BYTES_SHOWN];
	char most[OTLOG__BYTES_SHOWN];
	if (row->kind == OTLOG__KIND_BYTES)
		snprintf(out, size, "a number of bytes from %s to %s", otlog__bytes_show(row->least, least),
		         otlog__bytes_show(row->most, most));
	else
		snprintf(out, size, "a whole number%s from %" PRIu64 " to %" PRIu64,
		         row->kind == OTLOG__KIND_DURATION  ? " of milliseconds"
		         : row->kind == OTLOG__KIND_SECONDS ? " of seconds"
		                                            : "",
		         row->least, row->most);
}

void
otlog__given_is_no_number(const otlog__given *given)
{
	char range[96];
	char wrong[112];
	char remedy[160];
	otlog__setting_range(given->row, range, sizeof range);
	snprintf(wrong, sizeof wrong, "not %s", range);
	snprintf(remedy, sizeof remedy, "Set it to such a number%s",
	         given->row->kind == OTLOG__KIND_BYTES ? ", plain or with KiB, MiB or GiB behind it" : "");
	otlog__given_is_bad(given, wrong, NULL, remedy);
}
