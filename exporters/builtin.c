#include "exporters/builtin.h"

#include <string.h>

static const otlog__builtin builtins[] = {
	{ "otlp_http", otlog_otlp_http_exporter_create },
};

const otlog__builtin *
otlog__builtin_find(const char *name)
{
	if (!name)
		return NULL;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}
