/*
 * The configuration in force: what code and environment say together, merged, checked, and what was wrong with it said.
 * It is made once, and everything after it takes this and asks nobody else.
 *
 *   given_options.c what code says (otlog_options)
 *   table.c         what can be set: a row a setting
 *   settings.c      what the environment says, by the table; messages.c: what is said of bad values
 *   config.c        the two merged; code wins
 *   destinations.c  the pipelines, those of the environment from environment.c
 */
#ifndef OTLOG_SETTINGS_CONFIG_H
#define OTLOG_SETTINGS_CONFIG_H

#include "sdk/settings/settings.h"

/* Nothing in it stands for a default: every number is the one that holds. */
typedef struct otlog__config {
	/* In rising order of precedence; a key may be there several times. Owned, in one block. */
	otlog_attrs resource_attributes;
	char *resource_schema_url; /* NULL: none */

	/*
	 * At least one. An exporter belongs to whoever starts its pipeline, and stays here after that as a borrowed copy.
	 * Exporter and pipeline always have a name, which is the same one where the pipeline was given none.
	 */
	size_t pipeline_count;
	otlog_pipeline_options pipelines[OTLOG_MAX_PIPELINES];
	char *pipeline_names[OTLOG_MAX_PIPELINES]; /* those that were given, owned; else NULL */

	uint64_t queue_bytes;
	uint64_t max_queue_records; /* 0: bounded by bytes alone */
	bool queue_blocks;          /* when it is full */
	uint64_t queue_block_timeout_ms;

	char *queue_directory;       /* NULL: the queue is in memory; durability is NONE then, and there is no spool */
	otlog_durability durability; /* never DEFAULT */
	uint64_t sync_interval_ms;   /* at least 1 */
	uint64_t spool_bytes;        /* of each pipeline; 0: no spool; else at least 1 MiB */
	otlog_spool_full spool_full; /* never DEFAULT */

	int minimum_severity; /* of every logger */
	bool flush_at_exit;
	bool crash_handler;
} otlog__config;

/*
 * Reads the environment, merges it with the options and creates the exporters that it asks for. Diagnostics go where
 * options and environment say from here on. NULL: the SDK is switched off, or it cannot be had; that was said, and the
 * exporters of the options are destroyed. Free it with otlog__config_free.
 */
otlog__config *otlog__config_read(const otlog_options *options);

/* Its exporters stay: they belong to others, or are destroyed with otlog__config_give_up before. NULL is allowed. */
void otlog__config_free(otlog__config *config);

/* Destroys the exporters, which nobody has taken. */
void otlog__config_give_up(otlog__config *config);

/*
 * The steps of reading it. The first merges all but the pipelines; NULL when memory is short. The second adds those, and
 * takes the exporters of the options in every case; false if there is none.
 */
otlog__config *otlog__config_merge(const otlog__settings *settings, const otlog_options *options);
bool otlog__config_add_destinations(otlog__config *config, const otlog__settings *settings,
                                    const otlog_options *options);

/* What code says, else what the environment says. */
static inline uint64_t
otlog__config_choose(uint64_t option, uint64_t setting)
{
	return option ? option : setting;
}

#endif
