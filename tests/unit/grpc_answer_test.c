#include "exporters/http/retry_after.h"
#include "exporters/otlp_grpc/grpc_answer.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/rpc_status.h"

#include <stdlib.h>
#include <string.h>

static otlog__grpc_answer
read_success(const void *body, size_t size)
{
	otlog__grpc_answer answer;
	memset(&answer, 0x55, sizeof answer);
	otlog__grpc_read_success(body, size, &answer);
	return answer;
}

static void
an_empty_answer_is_a_full_success(void **state)
{
	(void)state;
	otlog__grpc_answer answer = read_success("", 0);
	assert_false(answer.foreign);
	assert_int_equal(answer.rejected, 0);
	assert_string_equal(answer.text, "");
}

static void
a_partial_success_says_how_many_and_why(void **state)
{
	(void)state;
	otlog__grpc_answer answer = read_success("\x0a\x0b\x08\x02\x12\x07too old", 13);
	assert_false(answer.foreign);
	assert_int_equal(answer.rejected, 2);
	assert_string_equal(answer.text, "too old");
	answer = read_success("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13); /* -1 */
	assert_false(answer.foreign);
	assert_int_equal(answer.rejected, 0);
}

static void
no_answer_and_one_of_another_kind_are_foreign(void **state)
{
	(void)state;
	assert_true(read_success(NULL, 0).foreign);
	assert_true(read_success("\xff\xff", 2).foreign);
	assert_true(read_success("\x0a\x05\x08", 3).foreign); /* ends too early */
}

static void
a_retry_info_is_found_and_rounded_up(void **state)
{
	static const struct {
		int64_t seconds;
		int32_t nanos;
		uint64_t delay_ms;
	} rows[] = {
		{ 0, 0, 0 },
		{ 3, 0, 3000 },
		{ 1, 500000000, 1500 },
		{ 0, 1, 1 },
		{ 0, 999999999, 1000 },
		{ 0, INT32_MAX, 1000 },
		{ -1, 0, 0 },
		{ 5, -1, 0 },
		{ INT64_MIN, INT32_MIN, 0 },
		{ INT64_MAX, INT32_MAX, OTLOG__RETRY_AFTER_CAP_MS },
		{ 3600, 0, OTLOG__RETRY_AFTER_CAP_MS },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		rpc_status status = rpc_status_with_delay(rows[i].seconds, rows[i].nanos);
		uint64_t delay_ms = 99;
		assert_true(otlog__grpc_read_retry_info(status.bytes, status.size, &delay_ms));
		assert_int_equal(delay_ms, rows[i].delay_ms);
	}
}

static void
an_empty_retry_info_asks_for_no_delay(void **state)
{
	uint64_t delay_ms = 99;
	(void)state;
	rpc_status status = rpc_status_with("type.googleapis.com/google.rpc.RetryInfo", "", 0);
	assert_true(otlog__grpc_read_retry_info(status.bytes, status.size, &delay_ms));
	assert_int_equal(delay_ms, 0);
}

static void
what_holds_no_retry_info_asks_for_nothing(void **state)
{
	static const char *const types[] = { "", "google.rpc.RetryInfo", "x/google.rpc.RetryInfoX",
		                             "x/google.rpc.Help" };
	uint64_t delay_ms = 99;
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		rpc_status status = rpc_status_with(types[i], "", 0);
		assert_false(otlog__grpc_read_retry_info(status.bytes, status.size, &delay_ms));
	}
	rpc_status broken = rpc_status_with("x/google.rpc.RetryInfo", "\x0a\x7f", 2);
	assert_false(otlog__grpc_read_retry_info(broken.bytes, broken.size, &delay_ms));
	assert_false(otlog__grpc_read_retry_info("", 0, &delay_ms));
	assert_int_equal(delay_ms, 0);
}

/* Cut off after every byte there is no delay but one that was whole, and no bit turned takes it out of bounds. */
static void
a_damaged_status_does_no_harm(void **state)
{
	rpc_status whole = rpc_status_with_delay(7, 5);
	uint64_t delay_ms;
	(void)state;
	for (size_t size = 0; size < whole.size; size++) {
		uint8_t *exact = malloc(size + !size); /* the sanitizer sees reads beyond it */
		assert_non_null(exact);
		memcpy(exact, whole.bytes, size);
		assert_false(otlog__grpc_read_retry_info(exact, size, &delay_ms));
		assert_int_equal(delay_ms, 0);
		free(exact);
	}
	for (size_t at = 0; at < whole.size; at++)
		for (int bit = 0; bit < 8; bit++) {
			rpc_status damaged = whole;
			damaged.bytes[at] ^= (uint8_t)(1 << bit);
			otlog__grpc_read_retry_info(damaged.bytes, damaged.size, &delay_ms);
			assert_true(delay_ms <= OTLOG__RETRY_AFTER_CAP_MS);
		}
}

/* Lengths inside lengths, deeper than any stack: none of these messages holds itself, so nothing follows them down. */
static void
deep_nesting_is_not_followed(void **state)
{
	static uint8_t nested[200 * 1000];
	uint64_t delay_ms;
	size_t used = sizeof nested;
	(void)state;
	/* From the inside out, each a field 3 (details, and in these an unknown field) of the one around it. */
	for (size_t size = 0; used >= 8; size = sizeof nested - used) {
		uint8_t head[8] = { 0x1a };
		size_t head_size = 1;
		for (size_t rest = size; head_size == 1 || rest; rest >>= 7)
			head[head_size++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		used -= head_size;
		memcpy(nested + used, head, head_size);
	}
	otlog__grpc_read_retry_info(nested + used, sizeof nested - used, &delay_ms);
	read_success(nested + used, sizeof nested - used);
	memset(nested, 0x1b, sizeof nested); /* the starts of groups, none of which ends */
	assert_false(otlog__grpc_read_retry_info(nested, sizeof nested, &delay_ms));
	assert_true(read_success(nested, sizeof nested).foreign);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_answer_is_a_full_success),
		cmocka_unit_test(a_partial_success_says_how_many_and_why),
		cmocka_unit_test(no_answer_and_one_of_another_kind_are_foreign),
		cmocka_unit_test(a_retry_info_is_found_and_rounded_up),
		cmocka_unit_test(an_empty_retry_info_asks_for_no_delay),
		cmocka_unit_test(what_holds_no_retry_info_asks_for_nothing),
		cmocka_unit_test(a_damaged_status_does_no_harm),
		cmocka_unit_test(deep_nesting_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
