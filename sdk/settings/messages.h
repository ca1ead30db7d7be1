/* What is said about a value that cannot be used: which variable, what is wrong, what holds instead, what to set. */
#ifndef OTLOG_SETTINGS_MESSAGES_H
#define OTLOG_SETTINGS_MESSAGES_H

#include "sdk/settings/table.h"

/* A row's variable that is set, and its value. */
typedef struct otlog__given {
	const otlog__setting *row;
	const char *variable;
	char *value;         /* owned; NULL: neither of the row's variables is set */
	const char *instead; /* what holds where the value is bad; NULL: the row's default */
} otlog__given;

/* `wrong` continues `VARIABLE="value" is`; `reason` may be NULL; `remedy` is a sentence without its end. */
void otlog__given_is_bad(const otlog__given *given, const char *wrong, const char *reason, const char *remedy);

/* The three kinds of values whose range or choices say what is wrong. */
void otlog__given_is_no_bool(const otlog__given *given);
void otlog__given_is_no_choice(const otlog__given *given);
void otlog__given_is_no_number(const otlog__given *given);

/* Names in a list that are none of the choices; whether there are others, which are taken. */
void otlog__given_has_unknown(const otlog__given *given, const char *unknown, bool has_others);

/* A list that says both none and something. */
void otlog__given_has_none_and_more(const otlog__given *given);

/* Two variables that need each other; this one is set. `remedy` is a sentence without its end. */
void otlog__given_is_alone(const otlog__given *given, const char *lacking, const char *remedy);

/* The range of a number as messages and the page name it: "a whole number of milliseconds from 0 to 2147483647". */
void otlog__setting_range(const otlog__setting *row, char *out, size_t size);

#endif
