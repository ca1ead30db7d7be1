/* Loggers and their bindings; what emit needs to see of them. */
#ifndef OTLOG_API_RARE_REGISTRY_H
#define OTLOG_API_RARE_REGISTRY_H

#include "sdk/api/backend.h"

/* What an otlog_logger really is. */
typedef struct otlog__logger {
	otlog_logger face; /* first: the public pointer is a pointer to the whole */
	/* Writer: otlog__registry_bind and get_logger, under the registry's lock. NULL: no-op. */
	_Atomic(otlog__binding *) binding;
	otlog_logger_options scope; /* owned copies */
	struct otlog__logger *next;
} otlog__logger;

#endif
