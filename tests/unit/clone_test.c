#include "tests/support/harness/cmocka.h"

#include "sdk/api/rare/clone.h"

static void
the_copy_of_attributes_owns_all_it_points_to(void **state)
{
	(void)state;
	char key[] = "key", text[] = "text", bytes[] = { 1, 0, 2 };
	otlog_attrs from = OTLOG_ATTRS(OTLOG_KV(key, text), OTLOG_KV("b", otlog_bytes(bytes, 3)),
	                               OTLOG_KV("m", OTLOG_ATTRS(OTLOG_KV("inner", OTLOG_ARRAY(OTLOG_VALUE(text))))),
	                               OTLOG_KV("null", otlog_string_n(NULL, 7)), OTLOG_KV("d", 1.5));
	otlog_attrs copy;
	assert_true(otlog__attrs_clone(from, &copy));
	assert_true(otlog__attrs_equal(from, copy));
	key[0] = text[0] = 'X';
	bytes[0] = 9;
	assert_false(otlog__attrs_equal(from, copy));
	assert_memory_equal(copy.items[0].key, "key", 3);
	const otlog_value *inner = &copy.items[2].value.as.map.items[0].value;
	assert_memory_equal(inner->as.array.items[0].as.bytes.data, "text", 4);
	free((void *)copy.items);

	assert_true(otlog__attrs_clone((otlog_attrs){ NULL, 5 }, &copy));
	assert_int_equal(copy.count, 0);
	assert_null(copy.items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_copy_of_attributes_owns_all_it_points_to) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
