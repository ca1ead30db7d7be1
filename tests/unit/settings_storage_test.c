/* Which directory, durability and spool hold, and what is said where one lacks the other. */
#include "sdk/settings/config.h"
#include "tests/unit/settings_reading.h"

static otlog__config *
choose(otlog__settings settings, otlog_options options)
{
	said.count = 0;
	otlog__config *config = otlog__config_merge(&settings, &options);
	assert_non_null(config);
	otlog__settings_free(&settings);
	return config;
}

static void
nothing_given_stays_in_memory_in_silence(void **state)
{
	(void)state;
	otlog__config *s = choose(READ({ "OTLOG_SYNC_INTERVAL", "1000" }), (otlog_options){ 0 });
	assert_null(s->queue_directory);
	assert_int_equal(s->durability, OTLOG_DURABILITY_NONE);
	assert_int_equal(s->sync_interval_ms, 1000);
	assert_int_equal(s->spool_bytes, 0);
	assert_int_equal(s->spool_full, OTLOG_SPOOL_FULL_DROP_OLDEST);
	assert_said_nothing();
	otlog__config_free(s);
}

static void
the_environment_says_all_of_it(void **state)
{
	(void)state;
	otlog__config *s = choose(READ({ "OTLOG_QUEUE_DIR", "/var/lib/app" }, { "OTLOG_DURABILITY", "interval" },
	                               { "OTLOG_SYNC_INTERVAL", "250" }, { "OTLOG_SPOOL_BYTES", "64 MiB" },
	                               { "OTLOG_SPOOL_FULL", "block" }),
	                          (otlog_options){ 0 });
	assert_string_equal(s->queue_directory, "/var/lib/app");
	assert_int_equal(s->durability, OTLOG_DURABILITY_INTERVAL);
	assert_int_equal(s->sync_interval_ms, 250);
	assert_int_equal(s->spool_bytes, 64 << 20);
	assert_int_equal(s->spool_full, OTLOG_SPOOL_FULL_BLOCK);
	assert_said_nothing();
	otlog__config_free(s);
}

static void
code_wins(void **state)
{
	(void)state;
	otlog__config *s = choose(READ({ "OTLOG_QUEUE_DIR", "/var/lib/app" }, { "OTLOG_DURABILITY", "batch" },
	                               { "OTLOG_SPOOL_BYTES", "64 MiB" }, { "OTLOG_SPOOL_FULL", "block" }),
	                          (otlog_options){ .queue_directory = "/srv",
	                                           .durability = OTLOG_DURABILITY_INTERVAL,
	                                           .sync_interval_ms = 7,
	                                           .spool_bytes = 4096,
	                                           .spool_full = OTLOG_SPOOL_FULL_DROP_NEWEST });
	assert_string_equal(s->queue_directory, "/srv");
	assert_int_equal(s->durability, OTLOG_DURABILITY_INTERVAL);
	assert_int_equal(s->sync_interval_ms, 7);
	assert_int_equal(s->spool_bytes, 1 << 20); /* the least that is a spool */
	assert_int_equal(s->spool_full, OTLOG_SPOOL_FULL_DROP_NEWEST);
	otlog__config_free(s);
	s = choose(READ({ "OTLOG_QUEUE_DIR", "/var/lib/app" }), (otlog_options){ .queue_directory = "" });
	assert_null(s->queue_directory);
	assert_said_nothing();
	otlog__config_free(s);
}

static void
what_needs_a_directory_says_so_once_where_there_is_none(void **state)
{
	(void)state;
	static const struct {
		variable environment[3];
		const char *names;
	} cases[] = {
		{ { { "OTLOG_DURABILITY", "interval" }, { "no", "no" } }, "OTLOG_DURABILITY is set" },
		{ { { "OTLOG_SPOOL_BYTES", "1MiB" }, { "no", "no" } }, "OTLOG_SPOOL_BYTES is set" },
		{ { { "OTLOG_SPOOL_BYTES", "1MiB" }, { "OTLOG_DURABILITY", "batch" } },
		  "OTLOG_DURABILITY and OTLOG_SPOOL_BYTES are set" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__config *s = choose(read_from(cases[i].environment), (otlog_options){ 0 });
		assert_int_equal(said.count, 1);
		assert_non_null(strstr(said.text[0], cases[i].names));
		assert_non_null(strstr(said.text[0], "Set OTLOG_QUEUE_DIR"));
		assert_int_equal(s->durability, OTLOG_DURABILITY_NONE);
		assert_int_equal(s->spool_bytes, 0);
		otlog__config_free(s);
	}
}

static void
what_has_no_effect_is_said_with_what_it_needs(void **state)
{
	(void)state;
	static const struct {
		variable environment[3];
		otlog_options options;
		const char *says; /* NULL: nothing */
	} cases[] = {
		{ { { "OTLOG_SYNC_INTERVAL", "5" } }, { 0 }, "Set OTLOG_DURABILITY=interval" },
		{ { { "OTLOG_QUEUE_DIR", "/srv" } }, { .sync_interval_ms = 5 }, "Set OTLOG_DURABILITY=interval" },
		{ { { "OTLOG_SPOOL_FULL", "block" } }, { 0 }, "Set OTLOG_SPOOL_BYTES" },
		{ { { "OTLOG_QUEUE_DIR", "/srv" } },
		  { .spool_full = OTLOG_SPOOL_FULL_DROP_NEWEST },
		  "Set OTLOG_SPOOL_BYTES" },
		{ { { "OTLOG_SPOOL_FULL", "drop_oldest" } }, { 0 }, NULL },
		{ { { "OTLOG_QUEUE_DIR", "/srv" }, { "OTLOG_SYNC_INTERVAL", "5" } },
		  { .durability = OTLOG_DURABILITY_INTERVAL },
		  NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__config *s = choose(read_from(cases[i].environment), cases[i].options);
		assert_int_equal(said.count, cases[i].says != NULL);
		assert_true(!cases[i].says || strstr(said.text[0], cases[i].says));
		otlog__config_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_stays_in_memory_in_silence),
		cmocka_unit_test(the_environment_says_all_of_it),
		cmocka_unit_test(code_wins),
		cmocka_unit_test(what_needs_a_directory_says_so_once_where_there_is_none),
		cmocka_unit_test(what_has_no_effect_is_said_with_what_it_needs),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
