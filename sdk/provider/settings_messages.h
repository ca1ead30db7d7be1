/* What is said about a value that cannot be used: which variable, what is wrong, what holds instead, what to set. */
#ifndef OTLOG_PROVIDER_SETTINGS_MESSAGES_H
#define OTLOG_PROVIDER_SETTINGS_MESSAGES_H

#include "sdk/provider/settings_table.h"

/* A row's variable that is set, and its value. */
typedef struct otlog__given {
	const otlog__setting *row;
	const char *variable;
	char *value; /* owned; NULL: neither of the row's variables is set */
} otlog__given;

/* `wrong` continues `VARIABLE="value" is`; `reason` may be NULL; `remedy` is a sentence without its end. */
void otlog__given_is_bad(const otlog__given *given, const char *wrong, const char *reason, const char *remedy);

/* The three kinds of values whose range or choices say what is wrong. */
void otlog__given_is_no_bool(const otlog__given *given);
void otlog__given_is_no_choice(const otlog__given *given);
void otlog__given_is_no_number(const otlog__given *given);

/* The value is right, but this release lacks what it names. `hint` is a further sentence, or "". */
void otlog__given_is_not_built(const otlog__given *given, const char *hint);

/* The range of a number as messages and the page name it: "a whole number of milliseconds from 0 to 2147483647". */
void otlog__setting_range(const otlog__setting *row, char *out, size_t size);

#endif
