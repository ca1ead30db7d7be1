/*
 * The public API as a user writes it, in C11 and in C++17 and C++20: one text for both. What the macros make of each
 * argument is looked at directly; what is emitted goes to an exporter of our own.
 */
#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define BOOL_OF_TRUE OTLOG_VALUE_BOOL
#define NOTHING \
	{       \
	}
#else
#define BOOL_OF_TRUE OTLOG_VALUE_INT64 /* in C11 `true` and comparisons are int */
#define NOTHING   \
	{         \
		0 \
	}
#endif

static int failures;

#define CHECK(condition)                                                                     \
	do {                                                                                 \
		if (!(condition)) {                                                          \
			printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
			failures++;                                                          \
		}                                                                            \
	} while (0)

/* ---- An exporter that keeps what it is given --------------------------------------------------------------------- */

typedef struct kept {
	char *bytes;
	size_t size;
	size_t records;
} kept;

static void
keep_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	kept *all = (kept *)self;
	char *bytes = (char *)realloc(all->bytes, all->size + batch->request_size);
	(void)timeout_ms;
	if (!bytes) {
		result->verdict = OTLOG_VERDICT_DROP;
		return;
	}
	memcpy(bytes + all->size, batch->request, batch->request_size);
	all->bytes = bytes;
	all->size += batch->request_size;
	all->records += batch->records;
	result->verdict = OTLOG_VERDICT_OK;
}

static bool
was_sent(const kept *all, const char *text)
{
	size_t size = strlen(text);
	for (size_t i = 0; i + size <= all->size; i++)
		if (memcmp(all->bytes + i, text, size) == 0)
			return true;
	return false;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

enum colour { RED, GREEN };

static void
check_numbers(void)
{
	long long signed_long = -5;
	unsigned long long unsigned_long = UINT64_MAX;
	unsigned char octet = 255;
	enum colour colour = GREEN;
	float narrow = 1.5f;

	CHECK(OTLOG_VALUE(-1).type == OTLOG_VALUE_INT64 && OTLOG_VALUE(-1).as.int64 == -1);
	CHECK(OTLOG_VALUE(signed_long).type == OTLOG_VALUE_INT64 && OTLOG_VALUE(signed_long).as.int64 == -5);
	CHECK(OTLOG_VALUE('a').type == OTLOG_VALUE_INT64 && OTLOG_VALUE('a').as.int64 == 'a');
	CHECK(OTLOG_VALUE(octet).type == OTLOG_VALUE_UINT64 && OTLOG_VALUE(octet).as.uint64 == 255);
	CHECK(OTLOG_VALUE(unsigned_long).type == OTLOG_VALUE_UINT64);
	CHECK(OTLOG_VALUE(unsigned_long).as.uint64 == UINT64_MAX);
	CHECK(OTLOG_VALUE(sizeof(int)).type == OTLOG_VALUE_UINT64 && OTLOG_VALUE(sizeof(int)).as.uint64 == sizeof(int));
	CHECK(OTLOG_VALUE((int)colour).as.int64 == 1);
	CHECK(OTLOG_KV("enum", colour).value.type == OTLOG_VALUE_INT64 ||
	      OTLOG_KV("enum", colour).value.type == OTLOG_VALUE_UINT64);
	CHECK(OTLOG_VALUE(2.5).type == OTLOG_VALUE_DOUBLE && OTLOG_VALUE(2.5).as.float64 > 2.4);
	CHECK(OTLOG_VALUE(narrow).type == OTLOG_VALUE_DOUBLE && OTLOG_VALUE(narrow).as.float64 > 1.4);
}

static void
check_truth(void)
{
	bool flag = true;
	int three = 3;

	CHECK(OTLOG_VALUE(flag).type == OTLOG_VALUE_BOOL && OTLOG_VALUE(flag).as.boolean);
	CHECK(OTLOG_VALUE(true).type == BOOL_OF_TRUE);
	CHECK(OTLOG_VALUE(three > 3).type == BOOL_OF_TRUE);
	CHECK(OTLOG_VALUE(otlog_bool(three > 2)).type == OTLOG_VALUE_BOOL);
	CHECK(OTLOG_VALUE(otlog_bool(three > 2)).as.boolean);
}

static bool
is_text(otlog_value value, const char *text)
{
	return value.type == OTLOG_VALUE_STRING && value.as.bytes.size == strlen(text) &&
	       memcmp(value.as.bytes.data, text, strlen(text)) == 0;
}

static void
check_text(void)
{
	char array[] = "an array";
	char *pointer = array;
	const char *none = NULL;
	otlog_attr attr = OTLOG_KV("the.key", "x");

	CHECK(is_text(OTLOG_VALUE("literal"), "literal"));
	CHECK(is_text(OTLOG_VALUE(array), "an array"));
	CHECK(is_text(OTLOG_VALUE(pointer), "an array"));
	CHECK(is_text(OTLOG_VALUE(""), ""));
	CHECK(OTLOG_VALUE(none).type == OTLOG_VALUE_EMPTY);
	CHECK(OTLOG_VALUE(otlog_bytes("\0\1", 2)).type == OTLOG_VALUE_BYTES);
	CHECK(OTLOG_VALUE(otlog_bytes("\0\1", 2)).as.bytes.size == 2);
	CHECK(OTLOG_VALUE(otlog_string_n("a\0b", 3)).as.bytes.size == 3);
	CHECK(OTLOG_VALUE(otlog_empty()).type == OTLOG_VALUE_EMPTY);
	CHECK(attr.key_size == 7 && strcmp(attr.key, "the.key") == 0);
#ifdef __cplusplus
	CHECK(is_text(OTLOG_VALUE(std::string_view("viewed", 4)), "view"));
	CHECK(OTLOG_VALUE(nullptr).type == OTLOG_VALUE_EMPTY);
#endif
}

/* Taken apart in a call, as long as C++ keeps the lists. */
static void
check_array(otlog_value value)
{
	CHECK(value.type == OTLOG_VALUE_ARRAY && value.as.array.count == 3);
	CHECK(value.as.array.items[0].type == OTLOG_VALUE_INT64);
	CHECK(is_text(value.as.array.items[1], "x"));
	CHECK(value.as.array.items[2].type == OTLOG_VALUE_ARRAY && value.as.array.items[2].as.array.count == 1);
	CHECK(value.as.array.items[2].as.array.items[0].type == OTLOG_VALUE_DOUBLE);
}

static void
check_map(otlog_value value)
{
	otlog_value inner;
	CHECK(value.type == OTLOG_VALUE_MAP && value.as.map.count == 2);
	CHECK(strcmp(value.as.map.items[0].key, "a") == 0 && value.as.map.items[0].value.as.int64 == 1);
	inner = value.as.map.items[1].value;
	CHECK(inner.type == OTLOG_VALUE_MAP && inner.as.map.count == 1);
	inner = inner.as.map.items[0].value;
	CHECK(inner.type == OTLOG_VALUE_MAP && is_text(inner.as.map.items[0].value, "deep"));
}

static void
check_count(otlog_attrs list, size_t count)
{
	CHECK(list.count == count);
	CHECK(count == 0 || list.items[count - 1].value.as.int64 == (int64_t)count);
}

#define KV(n) OTLOG_KV("k", n)
#define EIGHT(n) KV(n + 1), KV(n + 2), KV(n + 3), KV(n + 4), KV(n + 5), KV(n + 6), KV(n + 7), KV(n + 8)

static void
check_lists(void)
{
	check_array(OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("x"), OTLOG_ARRAY(OTLOG_VALUE(2.0))));
	check_map(OTLOG_VALUE(OTLOG_ATTRS(
	    OTLOG_KV("a", 1), OTLOG_KV("b", OTLOG_ATTRS(OTLOG_KV("c", OTLOG_ATTRS(OTLOG_KV("d", "deep"))))))));
	check_count(OTLOG__NO_ATTRS, 0);
	check_count(OTLOG_ATTRS(KV(1)), 1);
	check_count(OTLOG_ATTRS(EIGHT(0), EIGHT(8), EIGHT(16), EIGHT(24), EIGHT(32), EIGHT(40)), 48);
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static int evaluations;

static int
side_effect(void)
{
	return ++evaluations;
}

static void
emit_by_macros(otlog_logger *log)
{
	char mutable_text[] = "mutable";
	const char *order_id = "o-17";
	unsigned long long big = 1;
	bool flag = true;

	OTLOG_INFO(log, "no attributes");
	OTLOG_INFO(log, "order placed", OTLOG_KV("order.id", order_id), OTLOG_KV("total", 42.5), OTLOG_KV("items", 3));
	OTLOG_WARN(log, "many kinds", OTLOG_KV("text", mutable_text), OTLOG_KV("big", big),
	           OTLOG_KV("size", sizeof big), OTLOG_KV("flag", flag), OTLOG_KV("bytes", otlog_bytes("\0\1", 2)),
	           OTLOG_KV("array", OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("x"), OTLOG_ARRAY(OTLOG_VALUE(2.0)))),
	           OTLOG_KV("map", OTLOG_ATTRS(OTLOG_KV("a", 1), OTLOG_KV("b", OTLOG_ATTRS(OTLOG_KV("c", "deep"))))),
	           OTLOG_KV("nothing", otlog_empty()));
	OTLOG_DEBUG(log, "never sent", OTLOG_KV("side", side_effect()));
	if (flag)
		OTLOG_ERROR(log, "the branch taken");
	else
		OTLOG_ERROR(log, "the branch not taken");
	OTLOG_INFO(NULL, "no logger");
}

static otlog_emit_result
emit_a_record(otlog_logger *log)
{
	otlog_span_context none = NOTHING;
	otlog_record record = NOTHING;
	record.severity = OTLOG_SEVERITY_FATAL;
	record.severity_text = "fatal";
	record.body = OTLOG_VALUE("a record of fields");
	record.event_name = "an.event";
	record.span_context = &none;
	return otlog_emit(log, &record);
}

static otlog_emit_result
emit_an_entry(otlog_logger *log)
{
#ifndef __cplusplus
	return bonito_emit(log,
	                   &(bonito_entry){ .org_id = "org-1",
	                                    .log_type = BONITO_LOG_GATEWAY,
	                                    .event_type = "request",
	                                    .severity = BONITO_SEVERITY_INFO,
	                                    .duration_ms = OTLOG_OPT(2500),
	                                    .cost = OTLOG_OPT(1),
	                                    .message = "an entry",
	                                    .metadata = OTLOG_ATTRS(OTLOG_KV("model", "m"), OTLOG_KV("tokens", 9)) });
#elif __cplusplus >= 202002L
	return bonito_emit(log, { .org_id = "org-1",
	                          .log_type = BONITO_LOG_GATEWAY,
	                          .event_type = "request",
	                          .severity = BONITO_SEVERITY_INFO,
	                          .duration_ms = OTLOG_OPT(2500),
	                          .cost = OTLOG_OPT(1),
	                          .message = "an entry",
	                          .metadata = OTLOG_ATTRS(OTLOG_KV("model", "m"), OTLOG_KV("tokens", 9)) });
#else
	bonito_entry entry;
	entry.org_id = "org-1";
	entry.log_type = BONITO_LOG_GATEWAY;
	entry.event_type = "request";
	entry.duration_ms = OTLOG_OPT(sizeof(int));
	entry.cost = OTLOG_OPT(1);
	entry.message = "an entry";
	return bonito_emit(log, entry);
#endif
}

static void
check_emits(otlog_logger *early)
{
	static const otlog_exporter_functions functions = { sizeof functions, keep_batch, NULL, NULL, NULL, NULL };
	kept all = NOTHING;
	otlog_pipeline_options pipeline = NOTHING;
	otlog_options options = NOTHING;

	pipeline.exporter.functions = &functions;
	pipeline.exporter.self = &all;
	pipeline.exporter.name = "kept";
	options.service_name = "api_use";
	options.minimum_severity = OTLOG_SEVERITY_INFO;
	options.pipelines = &pipeline;
	options.pipeline_count = 1;
	CHECK(otlog_start(&options));

	emit_by_macros(early);
	CHECK(emit_a_record(early) == OTLOG_EMIT_ACCEPTED);
	CHECK(emit_an_entry(early) == OTLOG_EMIT_ACCEPTED);
	CHECK(otlog_log(early, OTLOG_SEVERITY_DEBUG, NULL, "too low", OTLOG__NO_ATTRS) == OTLOG_EMIT_FILTERED);
	CHECK(otlog_shutdown(10000) == OTLOG_DELIVERED);
	CHECK(otlog_log(early, OTLOG_SEVERITY_INFO, NULL, "late", OTLOG__NO_ATTRS) != OTLOG_EMIT_ACCEPTED);

	CHECK(all.records == 6);
	CHECK(was_sent(&all, "no attributes") && was_sent(&all, "order.id") && was_sent(&all, "o-17"));
	CHECK(was_sent(&all, "deep") && was_sent(&all, "the branch taken"));
	CHECK(!was_sent(&all, "never sent") && !was_sent(&all, "the branch not taken") && !was_sent(&all, "no logger"));
	CHECK(was_sent(&all, "a record of fields") && was_sent(&all, "an.event"));
	CHECK(was_sent(&all, "bonito.gateway.request") && was_sent(&all, "an entry"));
	CHECK(evaluations == 0);
	free(all.bytes);
}

int
main(void)
{
	otlog_logger *early = otlog_get_logger("api.use", "1.0");

	check_numbers();
	check_truth();
	check_text();
	check_lists();
	CHECK(early != NULL && early == otlog_get_logger("api.use", "1.0"));
	CHECK(emit_a_record(early) == OTLOG_EMIT_DISABLED);
	CHECK(emit_a_record(NULL) == OTLOG_EMIT_DISABLED);
	check_emits(early);
	return failures ? 1 : 0;
}
