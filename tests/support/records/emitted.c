#include "tests/support/records/emitted.h"

#include "sdk/record/encode.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

emitted out;

static otlog_emit_result
keep(const otlog__binding *binding, const otlog_record *record, const otlog_span_context *context)
{
	static const otlog__limits limits = OTLOG__DEFAULT_LIMITS;
	emitted *e = binding->self;
	if (!record) {
		e->null_count++;
		return OTLOG_EMIT_INVALID;
	}
	uint8_t *bytes = NULL;
	size_t size = 0;
	for (size_t room = 1024; size == 0; room *= 2) {
		otlog__encode_notes notes = { 0 };
		bytes = realloc(bytes, room);
		CHECK(bytes && room < SIZE_MAX / 4);
		size = otlog__record_encode(record, context, EMITTED_NOW, &limits, bytes, room, &notes);
	}
	free(e->bytes);
	e->bytes = malloc(size);
	CHECK(e->bytes);
	memcpy(e->bytes, bytes, size);
	free(bytes);
	e->size = size;
	e->count++;
	return OTLOG_EMIT_ACCEPTED;
}

static uint16_t
add_scope(void *self, const otlog_logger_options *scope)
{
	(void)self;
	(void)scope;
	return 0;
}

static bool
takes_all(const otlog__binding *binding, int severity, const char *event_name)
{
	(void)binding;
	(void)severity;
	(void)event_name;
	return true;
}

void
emitted_open(emitted *e, int minimum_severity)
{
	static const otlog__backend backend = { OTLOG__SEAM, add_scope, keep, takes_all };
	*e = (emitted){ .registry = otlog__registry_create() };
	CHECK(e->registry);
	CHECK(otlog__registry_bind(e->registry, &backend, e, minimum_severity));
	e->logger = otlog__registry_get_logger(e->registry, &(otlog_logger_options){ .name = "test" });
}

void
emitted_close(emitted *e)
{
	free(e->bytes);
	otlog__registry_destroy(e->registry);
}

int
emitted_setup(void **state)
{
	(void)state;
	emitted_open(&out, 0);
	return 0;
}

int
emitted_teardown(void **state)
{
	(void)state;
	emitted_close(&out);
	return 0;
}

void
emitted_assert_same(const emitted *a, const emitted *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->bytes, b->bytes, b->size);
}

uint8_t *
emitted_damaged(const emitted *e, random_values *random, size_t round, size_t *size)
{
	*size = round <= e->size ? round : e->size;
	uint8_t *bytes = malloc(*size + !*size);
	CHECK(bytes);
	memcpy(bytes, e->bytes, *size);
	for (size_t flips = round <= e->size ? 0 : 1 + round % 4; flips > 0; flips--)
		bytes[random_number(random, *size)] = (uint8_t)random_number(random, 256);
	return bytes;
}

otlog_record_view
emitted_view(const emitted *e)
{
	otlog_record_view view;
	CHECK(otlog_record_view_open(e->bytes, e->size, &view));
	return view;
}

bool
emitted_find(const emitted *e, const char *key, otlog_value_view *value)
{
	const otlog_record_view view = emitted_view(e);
	otlog_items items = otlog_attributes(&view);
	otlog_slice its_key;
	otlog_value_view its_value;
	unsigned found = 0;
	while (otlog_next_item(&items, &its_key, &its_value)) {
		if (its_key.size != strlen(key) || memcmp(its_key.data, key, its_key.size) != 0)
			continue;
		*value = its_value;
		found++;
	}
	CHECK(!items.malformed);
	CHECK(found <= 1);
	return found == 1;
}

size_t
emitted_attribute_count(const emitted *e)
{
	const otlog_record_view view = emitted_view(e);
	otlog_items items = otlog_attributes(&view);
	otlog_slice key;
	otlog_value_view value;
	size_t count = 0;
	while (otlog_next_item(&items, &key, &value))
		count++;
	return count;
}

void
assert_slice(otlog_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	if (slice.size > 0)
		assert_memory_equal(slice.data, text, slice.size);
}

void
emitted_assert_text(const emitted *e, const char *key, const char *text)
{
	otlog_value_view value;
	if (!text) {
		assert_false(emitted_find(e, key, &value));
		return;
	}
	assert_true(emitted_find(e, key, &value));
	assert_int_equal(value.type, OTLOG_VALUE_STRING);
	assert_slice(value.as.bytes, text);
}

void
emitted_assert_int64(const emitted *e, const char *key, int64_t number)
{
	otlog_value_view value;
	assert_true(emitted_find(e, key, &value));
	assert_int_equal(value.type, OTLOG_VALUE_INT64);
	assert_true(value.as.int64 == number);
}
