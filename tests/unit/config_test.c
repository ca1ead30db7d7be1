/* What code and environment say together: code wins, and no value stands for a default any more. */
#include "sdk/settings/config.h"
#include "sdk/settings/given_options.h"
#include "tests/unit/settings_reading.h"

/* An exporter that counts how often it was destroyed. */
static unsigned destroyed;

static void
take(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms, (void)result;
}

static void
count_destroyed(void *self)
{
	(void)self;
	destroyed++;
}

static const otlog_exporter_functions counted = { .size = sizeof counted,
	                                          .export_batch = take,
	                                          .destroy = count_destroyed };

static otlog__config *
merge(otlog__settings settings, otlog_options options)
{
	destroyed = 0;
	otlog__config *config = otlog__config_merge(&settings, &options);
	assert_non_null(config);
	assert_true(!options.pipelines || otlog__config_add_destinations(config, &settings, &options));
	otlog__settings_free(&settings);
	return config;
}

static void
nothing_given_leaves_every_default_in_force(void **state)
{
	(void)state;
	const otlog_pipeline_options pipeline = { .exporter = { .functions = &counted } };
	otlog__config *c = merge(READ({ "NO", "NO" }), (otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 });
	assert_int_equal(c->queue_bytes, 16 << 20);
	assert_int_equal(c->max_queue_records, 0);
	assert_false(c->queue_blocks);
	assert_int_equal(c->queue_block_timeout_ms, 5000);
	assert_false(c->flush_at_exit || c->crash_handler);
	assert_int_equal(c->resource_attributes.count, 0);
	assert_int_equal(c->pipeline_count, 1);
	assert_string_equal(c->pipelines[0].exporter.name, "exporter");
	assert_string_equal(c->pipelines[0].name, "exporter");
	assert_int_equal(c->pipelines[0].max_batch_records, 512);
	assert_int_equal(c->pipelines[0].max_batch_bytes, 1 << 20);
	assert_int_equal(c->pipelines[0].schedule_delay_ms, 1000);
	assert_int_equal(c->pipelines[0].export_timeout_ms, 10000); /* the smaller of 30000 and 10000 */
	assert_int_equal(c->pipelines[0].retry_initial_ms, 1000);
	assert_int_equal(c->pipelines[0].retry_cap_ms, 30000);
	assert_said_nothing();
	otlog__config_free(c);
	assert_int_equal(destroyed, 0); /* whoever starts the pipeline has it */
}

static void
the_environment_holds_where_code_says_nothing(void **state)
{
	(void)state;
	const otlog_pipeline_options pipeline = { .exporter = { .functions = &counted } };
	otlog__config *c = merge(READ({ "OTLOG_QUEUE_BYTES", "1 MiB" }, { "OTEL_BLRP_MAX_QUEUE_SIZE", "900" },
	                              { "OTLOG_QUEUE_FULL", "block" }, { "OTLOG_QUEUE_BLOCK_TIMEOUT", "70" },
	                              { "OTLOG_FLUSH_AT_EXIT", "1" }, { "OTLOG_CRASH_HANDLER", "1" },
	                              { "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "8" }, { "OTEL_BLRP_SCHEDULE_DELAY", "9" },
	                              { "OTEL_BLRP_EXPORT_TIMEOUT", "0" }, { "OTEL_EXPORTER_OTLP_TIMEOUT", "77" }),
	                         (otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 });
	assert_int_equal(c->queue_bytes, 1 << 20);
	assert_int_equal(c->max_queue_records, 900);
	assert_true(c->queue_blocks);
	assert_int_equal(c->queue_block_timeout_ms, 70);
	assert_true(c->flush_at_exit && c->crash_handler);
	assert_int_equal(c->pipelines[0].max_batch_records, 8);
	assert_int_equal(c->pipelines[0].schedule_delay_ms, 9);
	assert_int_equal(c->pipelines[0].export_timeout_ms, 77);
	assert_said_nothing();
	otlog__config_free(c);
}

static void
code_wins_over_the_environment(void **state)
{
	(void)state;
	const otlog_pipeline_options pipeline = { .exporter = { .functions = &counted, .name = "mine" },
		                                  .name = "audit",
		                                  .max_batch_records = 1000000,
		                                  .max_batch_bytes = 5,
		                                  .schedule_delay_ms = 6,
		                                  .export_timeout_ms = 7,
		                                  .retry_initial_ms = 8,
		                                  .retry_cap_ms = 9,
		                                  .minimum_severity = OTLOG_SEVERITY_WARN };
	otlog__config *c = merge(READ({ "OTLOG_QUEUE_BYTES", "1 MiB" }, { "OTEL_BLRP_MAX_QUEUE_SIZE", "900" },
	                              { "OTLOG_QUEUE_FULL", "block" }, { "OTLOG_QUEUE_BLOCK_TIMEOUT", "70" },
	                              { "OTLOG_FLUSH_AT_EXIT", "1" }, { "OTEL_BLRP_SCHEDULE_DELAY", "9" }),
	                         (otlog_options){ .pipelines = &pipeline,
	                                          .pipeline_count = 1,
	                                          .queue_bytes = 2 << 20,
	                                          .max_queue_records = 3,
	                                          .queue_full = OTLOG_QUEUE_FULL_DROP,
	                                          .queue_block_timeout_ms = 4,
	                                          .flush_at_exit = OTLOG_SWITCH_OFF,
	                                          .crash_handler = OTLOG_SWITCH_ON,
	                                          .minimum_severity = OTLOG_SEVERITY_INFO });
	assert_int_equal(c->queue_bytes, 2 << 20);
	assert_int_equal(c->max_queue_records, 3);
	assert_false(c->queue_blocks);
	assert_int_equal(c->queue_block_timeout_ms, 4);
	assert_false(c->flush_at_exit);
	assert_true(c->crash_handler);
	assert_int_equal(c->minimum_severity, OTLOG_SEVERITY_INFO);
	assert_string_equal(c->pipelines[0].exporter.name, "mine");
	assert_string_equal(c->pipelines[0].name, "audit");
	assert_int_equal(c->pipelines[0].max_batch_records, 65536); /* the most there can be */
	assert_int_equal(c->pipelines[0].max_batch_bytes, 5);
	assert_int_equal(c->pipelines[0].schedule_delay_ms, 6);
	assert_int_equal(c->pipelines[0].export_timeout_ms, 7);
	assert_int_equal(c->pipelines[0].retry_initial_ms, 8);
	assert_int_equal(c->pipelines[0].retry_cap_ms, 9);
	assert_int_equal(c->pipelines[0].minimum_severity, OTLOG_SEVERITY_WARN);
	otlog__config_free(c);
}

/* The value of the last attribute of that key, which is the one that counts. */
static const char *
resource_text(const otlog__config *config, const char *key)
{
	const char *text = NULL;
	for (size_t i = 0; i < config->resource_attributes.count; i++) {
		const otlog_attr *item = &config->resource_attributes.items[i];
		if (item->key_size == strlen(key) && memcmp(item->key, key, item->key_size) == 0)
			text = item->value.as.bytes.data;
	}
	return text;
}

static void
the_resource_owns_what_code_and_environment_say(void **state)
{
	(void)state;
	char name[] = "code", value[] = "ours";
	const otlog_attr given = OTLOG_KV("b", value);
	otlog__config *c = merge(
	    READ({ "OTEL_SERVICE_NAME", "named" }, { "OTEL_RESOURCE_ATTRIBUTES", "a=1,b=2,service.name=listed" }),
	    (otlog_options){ .service_name = name, .resource_attributes = { &given, 1 }, .resource_schema_url = "u" });
	name[0] = value[0] = 'X';
	assert_memory_equal(resource_text(c, "service.name"), "code", 4);
	assert_memory_equal(resource_text(c, "a"), "1", 1);
	assert_memory_equal(resource_text(c, "b"), "ours", 4);
	assert_string_equal(c->resource_schema_url, "u");
	otlog__config_free(c);
}

static void
a_pipeline_that_cannot_be_had_is_given_up_and_said(void **state)
{
	(void)state;
	static const otlog_exporter_functions unable = { .size = sizeof unable, .destroy = count_destroyed };
	otlog_pipeline_options pipelines[OTLOG_MAX_PIPELINES + 2] = { { .exporter = { .functions = &unable } } };
	const otlog_options options = { .pipelines = pipelines, .pipeline_count = OTLOG_MAX_PIPELINES + 2 };
	otlog__given_options given;
	for (size_t i = 1; i < sizeof pipelines / sizeof *pipelines; i++)
		pipelines[i].exporter.functions = &counted;
	destroyed = 0;
	otlog__given_options_take(&given, &options, sizeof options, sizeof *pipelines);
	assert_int_equal(destroyed, 2); /* those beyond the most that there can be */
	otlog__config *c = merge(READ({ "NO", "NO" }), given.options);
	assert_int_equal(c->pipeline_count, OTLOG_MAX_PIPELINES - 1);
	assert_int_equal(destroyed, 1);
	assert_int_equal(said.count, 2);
	assert_non_null(strstr(said.text[0], "from number 16 on are left out"));
	assert_non_null(strstr(said.text[1], "pipeline 0 has no exporter"));
	otlog__config_give_up(c);
	assert_int_equal(destroyed, OTLOG_MAX_PIPELINES);
	otlog__config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_leaves_every_default_in_force),
		cmocka_unit_test(the_environment_holds_where_code_says_nothing),
		cmocka_unit_test(code_wins_over_the_environment),
		cmocka_unit_test(the_resource_owns_what_code_and_environment_say),
		cmocka_unit_test(a_pipeline_that_cannot_be_had_is_given_up_and_said),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
