/* The table of settings: one row each. Parser, checks and documentation page read it. */
#ifndef OTLOG_SETTINGS_TABLE_H
#define OTLOG_SETTINGS_TABLE_H

#include "sdk/settings/settings.h"

/* The kind decides how a value is read and what type the member of otlog__settings has. */
typedef enum otlog__setting_kind {
	OTLOG__KIND_BOOL,     /* bool; the specification lets nothing but `true` be true */
	OTLOG__KIND_SWITCH,   /* bool, of ours: 1 and 0 will do as well */
	OTLOG__KIND_ENUM,     /* an enum; row->choices */
	OTLOG__KIND_SET,      /* unsigned, the values of several choices put together; OTLOG__TO_NONE stands alone */
	OTLOG__KIND_DURATION, /* uint64_t, milliseconds */
	OTLOG__KIND_SECONDS,  /* the same, but given in seconds, as least, most and initial are */
	OTLOG__KIND_COUNT,    /* uint64_t */
	OTLOG__KIND_BYTES,    /* uint64_t */
	OTLOG__KIND_TEXT,     /* char *, as those below */
	OTLOG__KIND_NAMES,
	OTLOG__KIND_FILE,
	OTLOG__KIND_DIRECTORY,
	OTLOG__KIND_ADDRESS, /* a whole URL; NULL where not given */
	OTLOG__KIND_URL,     /* whole in row->variable, a base URL in row->general */
	OTLOG__KIND_LIST,
	OTLOG__KIND_HEADERS /* a list whose value never stands in a message */
} otlog__setting_kind;

/* One value of an enum. A list of them ends with a NULL name. */
typedef struct otlog__choice {
	const char *name;
	unsigned value;
	const char *refused; /* known, but never taken: what it is, instead of one of the others */
} otlog__choice;

typedef struct otlog__setting {
	const char *group; /* heading on the page */
	const char *variable;
	const char *general; /* the variable that counts where the one above is not set; NULL: none */
	otlog__setting_kind kind;
	size_t offset;  /* in otlog__settings */
	uint64_t least; /* range of a number */
	uint64_t most;
	uint64_t initial;         /* default of a bool, enum or number */
	const char *initial_text; /* the default in words, where a number does not say it; the default of a URL */
	const char *initial_grpc; /* the default of a URL with gRPC, where it differs */
	const otlog__choice *choices;
	bool (*wanted)(const otlog__settings *so_far); /* whether the row is read at all; NULL: always */
	const char *in_code;                           /* what does the same in a program */
	const char *about;
} otlog__setting;

extern const otlog__setting otlog__setting_table[];
extern const size_t otlog__setting_count;

#define OTLOG__INITIAL_SHOWN 32

/* The default as a message and the page name it: written to out, or a static string. */
const char *otlog__setting_initial(const otlog__setting *row, char out[OTLOG__INITIAL_SHOWN]);

#endif
