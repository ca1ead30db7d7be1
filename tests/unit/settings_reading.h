/* Settings read from an environment of the test's own, and what was said about it. */
#ifndef TESTS_UNIT_SETTINGS_READING_H
#define TESTS_UNIT_SETTINGS_READING_H

#include "sdk/base/process/diagnostics.h"
#include "sdk/settings/settings.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>
#include <string.h>

typedef struct variable {
	const char *name;
	const char *value;
} variable;

#define MESSAGES_MAX 8

static struct {
	size_t count;
	int level;
	char text[MESSAGES_MAX][1100];
} said;

static inline void
listen(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user;
	assert_true(said.count < MESSAGES_MAX);
	said.level = level;
	snprintf(said.text[said.count++], sizeof said.text[0], "%s", message);
}

static inline const char *
look_up(void *user, const char *name)
{
	for (const variable *v = user; v->name; v++) {
		if (strcmp(v->name, name) == 0)
			return v->value;
	}
	return NULL;
}

static inline otlog__settings
read_from(const variable *environment)
{
	otlog__settings settings;
	said.count = 0;
	assert_true(otlog__settings_read(&settings, look_up, (void *)environment));
	return settings;
}

#define READ(...) read_from((const variable[]){ __VA_ARGS__, { NULL, NULL } })

static inline void
assert_said_nothing(void)
{
	if (said.count)
		fail_msg("said: %s", said.text[0]);
}

static inline int
start_listening(void **state)
{
	(void)state;
	otlog__diagnostics_set(listen, NULL, OTLOG__DEBUG);
	return 0;
}

#endif
