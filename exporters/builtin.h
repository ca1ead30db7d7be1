/* The exporters that come with the SDK, by name. All that the provider sees of any of them. */
#ifndef OTLOG_EXPORTERS_BUILTIN_H
#define OTLOG_EXPORTERS_BUILTIN_H

#include <otlog/exporters.h>

typedef struct otlog__builtin {
	const char *name;
	/* As otlog_otlp_http_exporter_create: false, with one diagnostic and *out untouched, if it cannot be had. */
	bool (*create)(const otlog_otlp_options *options, otlog_exporter *out);
} otlog__builtin;

/* NULL if there is none of that name. */
const otlog__builtin *otlog__builtin_find(const char *name);

#endif
