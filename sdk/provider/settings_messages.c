#include "sdk/provider/settings_messages.h"

#include "sdk/base/diagnostics.h"
#include "sdk/base/strings.h"
#include "sdk/provider/url.h"

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
	if (given->row->kind == OTLOG__KIND_URL)
		otlog__url_show(otlog__text_of(given->value), value, sizeof value);
	else
		otlog__text_show(otlog__text_of(given->value), value, sizeof value);
	snprintf(out, size, "%s=\"%s\"", given->variable, value);
}

void
otlog__given_is_bad(const otlog__given *given, const char *wrong, const char *reason, const char *remedy)
{
	char setting[SETTING_SIZE];
	char initial[OTLOG__INITIAL_SHOWN];
	show(given, setting, sizeof setting);
	otlog__diagnose_always(
	    OTLOG__WARN, "%s is %s%s%s. It is ignored and the default is used instead: %s. %s, or unset it.", setting,
	    wrong, reason ? ": " : "", reason ? reason : "", otlog__setting_initial(given->row, initial), remedy);
}

void
otlog__given_is_no_bool(const otlog__given *given)
{
	otlog__given_is_bad(given, "neither true nor false", NULL, "Set it to one of them");
}

void
otlog__given_is_no_choice(const otlog__given *given)
{
	char names[128] = "none of ";
	for (const otlog__choice *choice = given->row->choices; choice->name; choice++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", choice == given->row->choices ? "" : ", ",
		         choice->name);
	}
	otlog__given_is_bad(given, names, NULL, "Set it to one of them");
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
		         row->kind == OTLOG__KIND_DURATION ? " of milliseconds" : "", row->least, row->most);
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

void
otlog__given_is_not_built(const otlog__given *given, const char *hint)
{
	char setting[SETTING_SIZE];
	char initial[OTLOG__INITIAL_SHOWN];
	show(given, setting, sizeof setting);
	const char *instead = otlog__setting_initial(given->row, initial);
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s is not built into this release; %s is used instead. Set it to %s, or unset it.%s",
	                       setting, instead, instead, hint);
}
