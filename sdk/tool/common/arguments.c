#include "sdk/tool/common/tool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)

bool
otlog__tool_seconds(const char *text, uint64_t *ms)
{
	char *end;
	double seconds = strtod(text, &end);
	bool is_plain = text[strspn(text, "0123456789.")] == '\0';
	if (!is_plain || end == text || *end || !(seconds > 0) || seconds * 1000 > (double)DAY_MS)
		return false;
	*ms = (uint64_t)ceil(seconds * 1000);
	return true;
}

bool
otlog__tool_severity(const char *text, int *severity)
{
	static const struct {
		const char *name;
		int severity;
	} others[] = {
		{ "warning", OTLOG_SEVERITY_WARN },
		{ "err", OTLOG_SEVERITY_ERROR },
		{ "critical", OTLOG_SEVERITY_FATAL },
	};
	for (int i = OTLOG_SEVERITY_TRACE; i <= OTLOG_SEVERITY_FATAL4; i++) {
		char number[4];
		snprintf(number, sizeof number, "%d", i);
		if (strcasecmp(text, otlog_severity_name(i)) == 0 || strcmp(text, number) == 0) {
			*severity = i;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strcasecmp(text, others[i].name) == 0) {
			*severity = others[i].severity;
			return true;
		}
	}
	return false;
}

/* As JSON has numbers: no hexadecimal, no "nan", no spaces. */
static bool
read_number(const char *text, otlog_value *value)
{
	char *end;
	if (!*text || text[strspn(text, "0123456789+-.eE")])
		return false;
	errno = 0;
	long long whole = strtoll(text, &end, 10);
	if (!*end && errno == 0) {
		*value = otlog_int64(whole);
		return true;
	}
	double number = strtod(text, &end);
	*value = otlog_double(number);
	return !*end && isfinite(number);
}

static bool
read_typed(const char *text, otlog_value *value)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		*value = otlog_bool(*text == 't');
	else if (strcmp(text, "null") == 0)
		*value = otlog_empty();
	else
		return read_number(text, value);
	return true;
}

const char *
otlog__tool_attribute(char *text, otlog_attr *attr)
{
	char *sign = strchr(text, '=');
	if (!sign)
		return "it has no =; write key=value, and quote a body of several words";
	bool typed = sign > text && sign[-1] == ':';
	size_t key_size = (size_t)(sign - text) - typed;
	if (key_size == 0)
		return "it has no key before the =";
	text[key_size] = '\0';
	*attr = otlog_attr_of(text, otlog_string(sign + 1));
	if (typed && !read_typed(sign + 1, &attr->value))
		return "behind := stands a number, true, false or null; text goes behind a plain =";
	return NULL;
}
