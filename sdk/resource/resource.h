/* The resource: what the process is, merged from code, environment and defaults, encoded once. */
#ifndef OTLOG_RESOURCE_RESOURCE_H
#define OTLOG_RESOURCE_RESOURCE_H

#include "sdk/base/buffer.h"
#include "sdk/settings/config.h"

typedef struct otlog__resource {
	otlog__buffer head; /* the field `resource` of ResourceLogs, tag and length included */
	otlog__buffer tail; /* its field `schema_url`, or nothing */
	char *service_name; /* as it came out, for file names; "unknown_service" if it is no text */
} otlog__resource;

/*
 * In rising order of precedence: defaults (service.name = unknown_service:<executable>, service.instance.id = a random
 * UUID, telemetry.sdk.*, process.pid, process.executable.name), then what the configuration has. The later value wins
 * even if it is empty. Attributes without a key are left out. False when memory is short; free it in every case. Source:
 * specification resource/sdk.md.
 *
 * telemetry.sdk.language is "c": the specification's list has no such value, and none of its others is true.
 * telemetry.sdk.name is "otlog": "opentelemetry" is reserved.
 *
 * Call it again in a forked child: process.pid and service.instance.id are taken anew.
 */
bool otlog__resource_make(otlog__resource *resource, const otlog__config *config);
void otlog__resource_free(otlog__resource *resource);

#endif
