/* The resource, read back by protobuf-c. */
#include "proto/logs.pb-c.h"
#include "sdk/base/version.h"
#include "sdk/resource/resource.h"
#include "tests/support/harness/cmocka.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef Opentelemetry__Proto__Logs__V1__ResourceLogs resource_logs;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;
typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;

#define STRING_VALUE OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE

/* A resource as a receiver sees it. */
typedef struct seen {
	otlog__resource resource;
	resource_logs *logs;
} seen;

static seen
see(const otlog__settings *settings, const otlog_options *options)
{
	seen seen = { 0 };
	otlog__buffer whole = { 0 };
	otlog__config *config = otlog__config_merge(settings, options);
	assert_non_null(config);
	assert_true(otlog__resource_make(&seen.resource, config));
	otlog__config_free(config);
	assert_true(otlog__buffer_append(&whole, seen.resource.head.data, seen.resource.head.size));
	assert_true(otlog__buffer_append(&whole, seen.resource.tail.data, seen.resource.tail.size));
	seen.logs = opentelemetry__proto__logs__v1__resource_logs__unpack(NULL, whole.size, whole.data);
	otlog__buffer_free(&whole);
	assert_non_null(seen.logs);
	assert_non_null(seen.logs->resource);
	assert_int_equal(seen.logs->n_scope_logs, 0);
	return seen;
}

static void
forget(seen *seen)
{
	opentelemetry__proto__logs__v1__resource_logs__free_unpacked(seen->logs, NULL);
	otlog__resource_free(&seen->resource);
}

/* The value of the key, which must not be there twice; NULL if it is not there. */
static const any_value *
find(const seen *seen, const char *key)
{
	const any_value *found = NULL;
	for (size_t i = 0; i < seen->logs->resource->n_attributes; i++) {
		const key_value *item = seen->logs->resource->attributes[i];
		if (item->key.len != strlen(key) || memcmp(item->key.data, key, item->key.len) != 0)
			continue;
		assert_null(found);
		found = item->value;
	}
	return found;
}

static void
assert_text(const seen *seen, const char *key, const char *wanted)
{
	const any_value *value = find(seen, key);
	if (!value)
		fail_msg("no %s", key);
	assert_int_equal(value->value_case, STRING_VALUE);
	assert_int_equal(value->string_value.len, strlen(wanted));
	assert_memory_equal(value->string_value.data, wanted, strlen(wanted));
}

static const otlog__settings no_settings;
static const otlog_options no_options;

/* What the kernel calls this program. */
static const char *
own_name(void)
{
	static char path[4096];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	assert_true(size > 0);
	path[size] = '\0';
	return strrchr(path, '/') + 1;
}

static void
defaults_say_what_the_process_is(void **state)
{
	(void)state;
	char name[300];
	seen s = see(&no_settings, &no_options);
	snprintf(name, sizeof name, "unknown_service:%s", own_name());
	assert_text(&s, "service.name", name);
	assert_string_equal(s.resource.service_name, name);
	assert_text(&s, "telemetry.sdk.name", "otlog");
	assert_text(&s, "telemetry.sdk.language", "c");
	assert_text(&s, "telemetry.sdk.version", OTLOG__VERSION);
	assert_text(&s, "process.executable.name", own_name());
	const any_value *pid = find(&s, "process.pid");
	assert_int_equal(pid->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE);
	assert_int_equal(pid->int_value, getpid());
	assert_non_null(find(&s, "service.instance.id"));
	assert_int_equal(s.logs->resource->n_attributes, 7);
	assert_int_equal(s.logs->schema_url.len, 0);
	assert_int_equal(s.resource.tail.size, 0);
	forget(&s);
}

static void
the_instance_is_a_random_uuid_that_is_new_each_time(void **state)
{
	(void)state;
	char seen_ids[16][37];
	for (int i = 0; i < 16; i++) {
		seen s = see(&no_settings, &no_options);
		const any_value *id = find(&s, "service.instance.id");
		assert_int_equal(id->string_value.len, 36);
		memcpy(seen_ids[i], id->string_value.data, 36);
		seen_ids[i][36] = '\0';
		for (int at = 0; at < 36; at++) {
			bool dash = at == 8 || at == 13 || at == 18 || at == 23;
			assert_non_null(strchr(dash ? "-" : "0123456789abcdef", seen_ids[i][at]));
		}
		assert_int_equal(seen_ids[i][14], '4');
		assert_non_null(strchr("89ab", seen_ids[i][19]));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(seen_ids[i], seen_ids[j]);
		forget(&s);
	}
}

static void
each_source_wins_over_the_ones_before_it(void **state)
{
	(void)state;
	otlog__settings settings = { .resource_attributes = "service.name=listed,host.name=a%2Cb" };
	otlog_options options = { 0 };
	seen s = see(&settings, &options);
	assert_text(&s, "service.name", "listed");
	assert_text(&s, "host.name", "a,b");
	forget(&s);

	settings.service_name = "named";
	s = see(&settings, &options);
	assert_text(&s, "service.name", "named");
	assert_string_equal(s.resource.service_name, "named");
	forget(&s);

	const otlog_attr items[] = { OTLOG_KV("service.name", "coded"), OTLOG_KV("host.name", "own"),
		                     OTLOG_KV("telemetry.sdk.name", "mine"), OTLOG_KV("service.instance.id", "one") };
	options.resource_attributes = (otlog_attrs){ items, 4 };
	s = see(&settings, &options);
	assert_text(&s, "service.name", "coded");
	assert_text(&s, "host.name", "own");
	assert_text(&s, "telemetry.sdk.name", "mine");
	assert_text(&s, "service.instance.id", "one");
	forget(&s);

	options.service_name = "last word";
	s = see(&settings, &options);
	assert_text(&s, "service.name", "last word");
	assert_string_equal(s.resource.service_name, "last word");
	forget(&s);
}

static void
an_empty_value_of_the_user_wins_but_an_empty_service_name_option_is_none(void **state)
{
	(void)state;
	otlog__settings settings = { .resource_attributes = "service.instance.id=,x=1" };
	const otlog_attr items[] = { OTLOG_KV("telemetry.sdk.name", ""), OTLOG_KV("x", otlog_empty()) };
	otlog_options options = { .service_name = "", .resource_attributes = { items, 2 } };
	settings.service_name = "named";
	seen s = see(&settings, &options);
	assert_text(&s, "service.instance.id", "");
	assert_text(&s, "telemetry.sdk.name", "");
	assert_int_equal(find(&s, "x")->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET);
	assert_text(&s, "service.name", "named");
	forget(&s);
}

static void
attributes_without_a_key_are_left_out_and_the_last_of_two_counts(void **state)
{
	(void)state;
	const otlog_attr items[] = { OTLOG_KV("", "nothing"),
		                     { .value = otlog_string("no key") },
		                     OTLOG_KV("a", 1),
		                     { .key = NULL, .key_size = 5 },
		                     OTLOG_KV("a", "second") };
	const otlog_options options = { .resource_attributes = { items, sizeof items / sizeof items[0] } };
	seen s = see(&no_settings, &options);
	assert_text(&s, "a", "second");
	assert_int_equal(s.logs->resource->n_attributes, 8);
	forget(&s);
}

static void
a_list_without_items_is_empty(void **state)
{
	(void)state;
	const otlog_options options = { .resource_attributes = { NULL, SIZE_MAX } };
	seen s = see(&no_settings, &options);
	assert_int_equal(s.logs->resource->n_attributes, 7);
	forget(&s);
}

static void
the_limits_of_records_do_not_hold_for_the_resource(void **state)
{
	(void)state;
	enum { COUNT = 300 };
	static char keys[COUNT][16];
	otlog_attr items[COUNT];
	for (int i = 0; i < COUNT; i++) {
		snprintf(keys[i], sizeof keys[i], "key.%d", i);
		items[i] = OTLOG_KV(keys[i], i);
	}
	const otlog_options options = { .resource_attributes = { items, COUNT } };
	seen s = see(&no_settings, &options);
	assert_int_equal(s.logs->resource->n_attributes, COUNT + 7);
	assert_int_equal(s.logs->resource->dropped_attributes_count, 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(find(&s, keys[i])->int_value, i);
	forget(&s);
}

static void
a_service_name_that_is_no_text_is_sent_as_it_is(void **state)
{
	(void)state;
	const otlog_attr items[] = { OTLOG_KV("service.name", 42) };
	const otlog_options options = { .resource_attributes = { items, 1 } };
	seen s = see(&no_settings, &options);
	assert_int_equal(find(&s, "service.name")->int_value, 42);
	assert_string_equal(s.resource.service_name, "unknown_service");
	forget(&s);
}

static void
the_schema_url_is_the_one_given(void **state)
{
	(void)state;
	const otlog_options options = { .resource_schema_url = "https://example.com/schema/1" };
	seen s = see(&no_settings, &options);
	assert_int_equal(s.logs->schema_url.len, strlen(options.resource_schema_url));
	assert_memory_equal(s.logs->schema_url.data, options.resource_schema_url, s.logs->schema_url.len);
	forget(&s);
}

static void
a_forked_child_has_its_own_pid_and_instance(void **state)
{
	(void)state;
	seen parent = see(&no_settings, &no_options);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		seen own = see(&no_settings, &no_options);
		const any_value *ours = find(&own, "service.instance.id");
		const any_value *theirs = find(&parent, "service.instance.id");
		bool differs = memcmp(ours->string_value.data, theirs->string_value.data, 36) != 0;
		_exit(differs && find(&own, "process.pid")->int_value == getpid() ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	forget(&parent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_say_what_the_process_is),
		cmocka_unit_test(the_instance_is_a_random_uuid_that_is_new_each_time),
		cmocka_unit_test(each_source_wins_over_the_ones_before_it),
		cmocka_unit_test(an_empty_value_of_the_user_wins_but_an_empty_service_name_option_is_none),
		cmocka_unit_test(attributes_without_a_key_are_left_out_and_the_last_of_two_counts),
		cmocka_unit_test(a_list_without_items_is_empty),
		cmocka_unit_test(the_limits_of_records_do_not_hold_for_the_resource),
		cmocka_unit_test(a_service_name_that_is_no_text_is_sent_as_it_is),
		cmocka_unit_test(the_schema_url_is_the_one_given),
		cmocka_unit_test(a_forked_child_has_its_own_pid_and_instance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
