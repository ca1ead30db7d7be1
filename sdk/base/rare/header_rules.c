#include "sdk/base/rare/header_rules.h"

#include <string.h>
#include <strings.h>

#define LETTERS_AND_DIGITS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Of these characters alone, and not empty. */
static bool
consists_of(const char *name, const char *characters)
{
	return name && *name && name[strspn(name, characters)] == '\0';
}

static bool
is_one_of(const char *name, const char *const *names)
{
	while (*names && strcasecmp(name, *names) != 0)
		names++;
	return *names;
}

static bool
is_http_value(const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

otlog__header_fault
otlog__http_header_check(const otlog_header *header)
{
	/* What describes the body or the connection. */
	static const char *const ours[] = { "Content-Type",    "Content-Encoding",
		                            "Content-Length",  "Transfer-Encoding",
		                            "Expect",          "Connection",
		                            "Upgrade",         "TE",
		                            "Accept-Encoding", NULL };
	if (!consists_of(header->name, "!#$%&'*+-.^_`|~" LETTERS_AND_DIGITS))
		return OTLOG__HEADER_BAD_NAME;
	if (!header->value || !is_http_value(header->value))
		return OTLOG__HEADER_BAD_VALUE;
	return is_one_of(header->name, ours) ? OTLOG__HEADER_OURS : OTLOG__HEADER_GOOD;
}

static bool
is_grpc_value(const char *name, const char *value)
{
	size_t size = strlen(name);
	if (size >= 4 && strcasecmp(name + size - 4, "-bin") == 0)
		return true;
	for (; *value; value++)
		if (*value < 0x20 || *value > 0x7e)
			return false;
	return true;
}

otlog__header_fault
otlog__grpc_header_check(const otlog_header *header)
{
	static const char *const ours[] = { "connection",      "content-type",      "content-length", "host", "te",
		                            "accept-encoding", "transfer-encoding", "user-agent",     NULL };
	if (!consists_of(header->name, "-_." LETTERS_AND_DIGITS))
		return OTLOG__HEADER_BAD_NAME;
	if (!header->value || !is_grpc_value(header->name, header->value))
		return OTLOG__HEADER_BAD_VALUE;
	bool is_ours = is_one_of(header->name, ours) || strncasecmp(header->name, "grpc-", 5) == 0;
	return is_ours ? OTLOG__HEADER_OURS : OTLOG__HEADER_GOOD;
}
