/* docs/settings.md is what the table of settings says. With --write: writes it. */
#include "sdk/settings/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE OTLOG_SOURCE_DIR "/docs/settings.md"

static char *
page_of_the_table(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	otlog__settings_write_page(out);
	fclose(out);
	return text;
}

static char *
committed_page(void)
{
	FILE *in = fopen(PAGE, "r");
	if (!in)
		return NULL;
	char *text = calloc(1, 1 << 16);
	assert_non_null(text);
	size_t size = fread(text, 1, (1 << 16) - 1, in);
	assert_true(size < (1 << 16) - 1);
	fclose(in);
	return text;
}

static void
committed_page_is_what_the_table_says(void **state)
{
	(void)state;
	char *wanted = page_of_the_table();
	char *found = committed_page();
	bool same = found && strcmp(wanted, found) == 0;
	free(wanted);
	free(found);
	if (!same)
		fail_msg("%s is not what the table of settings says; write it with: unit-settings_page_test --write",
		         PAGE);
}

static void
page_names_every_variable_and_its_doc(void **state)
{
	(void)state;
	char *page = page_of_the_table();
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		assert_non_null(strstr(page, row->variable));
		assert_true(!row->general || strstr(page, row->general));
		assert_non_null(strstr(page, row->about));
	}
	free(page);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--write") == 0) {
		FILE *out = fopen(PAGE, "w");
		if (!out) {
			perror(PAGE);
			return 1;
		}
		otlog__settings_write_page(out);
		return fclose(out) ? 1 : 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(committed_page_is_what_the_table_says),
		cmocka_unit_test(page_names_every_variable_and_its_doc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
