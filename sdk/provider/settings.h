/*
 * The settings: one table row each, read from the environment. The parser, the checks and the documentation page come
 * from the table; nothing else in the SDK calls getenv.
 */
#ifndef OTLOG_PROVIDER_SETTINGS_H
#define OTLOG_PROVIDER_SETTINGS_H

#include "sdk/base/buffer.h"

#include <otlog/exporters.h>
#include <otlog/sdk.h>

#include <stdio.h>

typedef enum otlog__protocol { OTLOG__HTTP_PROTOBUF, OTLOG__HTTP_JSON, OTLOG__GRPC } otlog__protocol;

/* The settings in force, after defaults. Strings are owned. */
typedef struct otlog__settings {
	bool sdk_disabled;
	otlog_diagnostic_level log_level;
	char *service_name;        /* NULL: not given */
	char *resource_attributes; /* raw; NULL: not given */
	char *endpoint;            /* of this signal, v1/logs already appended where the specification says so */
	otlog__protocol protocol;
	char *headers;            /* raw list of the form k=v,k=v */
	uint64_t otlp_timeout_ms; /* 0: none */
	otlog_compression compression;
	char *ca_file;
	char *client_certificate_file;
	char *client_key_file;
	uint64_t schedule_delay_ms;
	uint64_t export_timeout_ms; /* 0: none */
	uint64_t max_queue_records; /* 0: not given */
	uint64_t max_batch_records;
	otlog_queue_full queue_full;
	uint64_t queue_block_timeout_ms;
	uint64_t queue_bytes;
} otlog__settings;

/* Looks one variable up: getenv, or a test's own list. The result is copied at once. */
typedef const char *(*otlog__lookup)(void *user, const char *name);

/*
 * Reads every setting. A bad value is reported once (which variable, what is wrong, what is used instead) and the
 * default holds. False only when memory is short. Free with otlog__settings_free in every case.
 */
bool otlog__settings_read(otlog__settings *settings, otlog__lookup lookup, void *user);
void otlog__settings_free(otlog__settings *settings);

/* The documentation page, as Markdown. */
void otlog__settings_write_page(FILE *out);

/* A list `k=v,k=v` of strings, percent-decoded, keys and values trimmed. Free with otlog__pairs_free. */
typedef struct otlog__pairs {
	otlog_header *items; /* name, value; one allocation each */
	size_t count;
} otlog__pairs;

/* False, with *pairs empty, if any of it is malformed (`*error` then points at a static reason) or memory is short. */
bool otlog__pairs_parse(const char *text, otlog__pairs *pairs, const char **error);
void otlog__pairs_free(otlog__pairs *pairs);

#endif
