#include "exporters/otlp_grpc/metadata.h"

#include <string.h>
#include <strings.h>

static bool
name_valid(const char *name)
{
	static const char allowed[] = "0123456789-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return name && *name && name[strspn(name, allowed)] == '\0';
}

static bool
is_ours(const char *name)
{
	static const char *const ours[] = { "connection", "content-type",    "content-length",    "host",
		                            "te",         "accept-encoding", "transfer-encoding", "user-agent" };
	if (strncasecmp(name, "grpc-", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return false;
}

static bool
is_binary(const char *name)
{
	size_t size = strlen(name);
	return size >= 4 && strcasecmp(name + size - 4, "-bin") == 0;
}

static bool
value_valid(const char *value)
{
	for (; *value; value++)
		if (*value < 0x20 || *value > 0x7e)
			return false;
	return true;
}

otlog__grpc_header
otlog__grpc_header_check(const otlog_header *header)
{
	if (!name_valid(header->name))
		return OTLOG__GRPC_HEADER_BAD_NAME;
	if (!header->value || (!is_binary(header->name) && !value_valid(header->value)))
		return OTLOG__GRPC_HEADER_BAD_VALUE;
	return is_ours(header->name) ? OTLOG__GRPC_HEADER_OURS : OTLOG__GRPC_HEADER_GOOD;
}

void
otlog__grpc_header_lower(char *name, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
}

static void
mask(const char *value, size_t size, char *text)
{
	const size_t shortest = 6;
	char *found = text;
	while (size >= shortest && (found = memmem(found, strlen(found), value, size))) {
		memset(found, '*', size);
		found += size;
	}
}

void
otlog__grpc_header_mask(const void *value, size_t value_size, char *text)
{
	const char *space = memrchr(value, ' ', value_size); /* "Bearer secret" */
	mask(value, value_size, text);
	if (space)
		mask(space + 1, value_size - (size_t)(space + 1 - (const char *)value), text);
}
