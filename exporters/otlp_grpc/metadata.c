#include "exporters/otlp_grpc/metadata.h"

#include <string.h>

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
