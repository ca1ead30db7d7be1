/*
 * The settings: one table row each, read from the environment. The parser, the checks and the documentation page come
 * from the table; nothing else in the SDK calls getenv.
 */
#ifndef OTLOG_SETTINGS_SETTINGS_H
#define OTLOG_SETTINGS_SETTINGS_H

#include "sdk/base/buffer.h"
#include "sdk/settings/pairs.h"

#include <otlog/exporters.h>
#include <otlog/sdk.h>

#include <stdio.h>

typedef enum otlog__protocol { OTLOG__HTTP_PROTOBUF, OTLOG__HTTP_JSON, OTLOG__GRPC } otlog__protocol;

/* Bits of otlog__settings.exporters. The Mito log server is beside them: it is on where it has a URL. */
enum { OTLOG__TO_OTLP = 1, OTLOG__TO_CONSOLE = 2, OTLOG__TO_OTLP_STDOUT = 4, OTLOG__TO_NONE = 8 };

/* Of MITO_CONFIG_VERSION; the older one has no log server. */
#define OTLOG__MITO_VERSION 2

/* The default of sync_interval_ms. */
#define OTLOG__SYNC_INTERVAL_MS 1000

/* The settings in force, after defaults. Strings are owned. Every one of them is usable as it is: checked on reading.
 */
typedef struct otlog__settings {
	bool sdk_disabled;
	otlog_diagnostic_level log_level;
	char *service_name;        /* NULL: not given */
	char *resource_attributes; /* a list that otlog__pairs_parse takes; NULL: not given */
	unsigned exporters;        /* 0: none of them, because of OTLOG__TO_NONE or because only Mito is set up */
	otlog__protocol protocol;  /* one that is built in */
	char *endpoint;            /* a whole URL, v1/logs already appended where the specification says so */
	bool insecure;             /* gRPC without TLS where the endpoint does not say */
	char *headers;             /* a list that otlog__pairs_parse takes, of valid headers; NULL: not given */
	uint64_t otlp_timeout_ms;  /* 0: none */
	otlog_compression compression;
	char *ca_file; /* files are not opened here: the exporter says what is wrong with them */
	char *client_certificate_file;
	char *client_key_file;
	unsigned mito_version;          /* 0: not given, or none that has a log server */
	char *mito_url;                 /* NULL: no Mito log server */
	uint64_t mito_interval_ms;      /* at least 1 */
	char *mito_resource_attributes; /* names with commas between; NULL: none */
	char *mito_ca_file;
	char *mito_client_certificate_file;
	char *mito_client_key_file;
	uint64_t schedule_delay_ms; /* at least 1 */
	uint64_t export_timeout_ms; /* 0: none */
	uint64_t max_queue_records; /* 0: not given */
	uint64_t max_batch_records; /* at most max_queue_records where that is given */
	otlog_queue_full queue_full;
	uint64_t queue_block_timeout_ms; /* at least 1: the wait is bounded */
	uint64_t queue_bytes;
	char *queue_directory; /* NULL: not given */
	otlog_durability durability;
	uint64_t sync_interval_ms; /* at least 1 */
	uint64_t spool_bytes;      /* 0: none */
	otlog_spool_full spool_full;
	bool flush_at_exit;
	bool crash_handler;
} otlog__settings;

/* Looks one variable up; NULL where it is not set. The result is copied at once. */
typedef const char *(*otlog__lookup)(void *user, const char *name);

/*
 * Reads every setting. A bad value is reported once, as a diagnostic at level warn (which variable, what is wrong, what
 * is used instead, what to set), and the default holds. A NULL lookup is the environment; a program that runs with more
 * rights than its caller (setuid) sees none of it. False only when memory is short. Free with otlog__settings_free in
 * every case.
 */
bool otlog__settings_read(otlog__settings *settings, otlog__lookup lookup, void *user);
void otlog__settings_free(otlog__settings *settings);

/*
 * OTEL_LOG_LEVEL alone, without a word about a bad value: call it first and hand the level to otlog__diagnostics_set,
 * so that what otlog__settings_read has to say, that bad value included, goes where the user wants it.
 */
otlog_diagnostic_level otlog__settings_log_level(otlog__lookup lookup, void *user);

/* The documentation page, as Markdown. */
void otlog__settings_write_page(FILE *out);

#endif
