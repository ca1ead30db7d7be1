#include <stdlib.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/record_oracle.h"

static void
thousands_of_random_records_are_what_protobuf_would_pack(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6000; seed++) {
		random_record *given = random_record_from_seed(seed);
		oracle_check_record(given);
		random_record_free(given);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_of_random_records_are_what_protobuf_would_pack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
