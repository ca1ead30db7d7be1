/* The part about HTTP of docs/delivery.md is what the tables of the code say. With --write: writes it. */
#include "exporters/http/http_verdict_table.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/page_section.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE OTLOG_SOURCE_DIR "/docs/delivery.md"

/* As the exporters over OTLP have them. */
static const otlog__peer_names names = {
	.peer = "the collector",
	.endpoint = "`OTEL_EXPORTER_OTLP_ENDPOINT`",
	.headers = "`OTEL_EXPORTER_OTLP_HEADERS`",
	.timeout = "`OTEL_EXPORTER_OTLP_TIMEOUT`",
	.ca_file = "`OTEL_EXPORTER_OTLP_CERTIFICATE`",
	.client_certificate = "`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`",
	.client_key = "`OTEL_EXPORTER_OTLP_CLIENT_KEY`",
	.batch_size = "`OTEL_BLRP_MAX_EXPORT_BATCH_SIZE`",
};

static const char *const verdicts[] = {
	[OTLOG_VERDICT_OK] = "OK",     [OTLOG_VERDICT_RETRY] = "RETRY",         [OTLOG_VERDICT_PARTIAL] = "PARTIAL",
	[OTLOG_VERDICT_DROP] = "DROP", [OTLOG_VERDICT_TOO_LARGE] = "TOO_LARGE", [OTLOG_VERDICT_INVALID] = "INVALID",
};

static void
write_status(FILE *out, const otlog__http_status *row)
{
	char remedy[256];
	otlog__http_remedy_text(&row->remedy, &names, remedy, sizeof remedy);
	if (row->status >= 100)
		fprintf(out, "| %ld %s", row->status, row->phrase);
	else if (row->status)
		fprintf(out, "| %s%ldxx", row->status == 2 || row->status == 3 ? "" : "other ", row->status);
	else
		fputs("| any other", out);
	fprintf(out, " | %s | %s | %s |\n", verdicts[row->verdict], row->about, remedy);
}

static void
write_failure(FILE *out, const otlog__http_failure_row *row)
{
	char remedy[256];
	otlog__http_remedy_text(&row->remedy, &names, remedy, sizeof remedy);
	fprintf(out, "| `%s` | %s | %s | %s |\n", row->error_type, verdicts[row->verdict], row->about, remedy);
}

static char *
section_of_the_tables(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fputs("\n| Status | Verdict | What it means | What to do |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < otlog__http_status_count; i++)
		write_status(out, &otlog__http_statuses[i]);
	fputs("\nA status is its own error type: `404`. All else has a word:\n\n"
	      "| Error type | Verdict | What it means | What to do |\n|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < OTLOG__HTTP_FAILURE_COUNT; i++)
		write_failure(out, &otlog__http_failures[i]);
	fputs("\n", out);
	fclose(out);
	return text;
}

static void
committed_section_is_what_the_tables_say(void **state)
{
	(void)state;
	page_section_check(PAGE, "http", section_of_the_tables, "unit-delivery_page_http_test");
}

static void
rows_are_whole_and_their_types_fit(void **state)
{
	const otlog_export_result *result = NULL;
	(void)state;
	for (size_t i = 0; i < OTLOG__HTTP_FAILURE_COUNT; i++) {
		const otlog__http_failure_row *row = &otlog__http_failures[i];
		assert_true(row->error_type && row->cause && row->about);
		assert_in_range(strlen(row->error_type), 1, sizeof result->error_type - 1);
		assert_int_equal(strspn(row->error_type, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->error_type));
	}
	for (size_t i = 0; i < otlog__http_status_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(otlog__http_statuses[i].status, otlog__http_statuses[j].status);
}

static void
a_section_is_replaced_and_its_surroundings_stay(void **state)
{
	char path[] = "/tmp/otlog-page-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	(void)state;
	assert_non_null(file);
	fputs("above\n<!-- a: begin, and more -->\nold\n<!-- a: end -->\n<!-- b: begin -->\n<!-- b: end -->\nbelow\n",
	      file);
	fclose(file);
	assert_true(page_section_write(path, "a", "new\nlines\n"));
	char *a = page_section_read(path, "a");
	char *b = page_section_read(path, "b");
	assert_string_equal(a, "new\nlines\n");
	assert_string_equal(b, "");
	assert_null(page_section_read(path, "c"));
	assert_false(page_section_write(path, "c", ""));
	free(a);
	free(b);
	remove(path);
}

int
main(int argc, char **argv)
{
	int status;
	if (page_section_main(argc, argv, PAGE, "http", section_of_the_tables, &status))
		return status;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(committed_section_is_what_the_tables_say),
		cmocka_unit_test(rows_are_whole_and_their_types_fit),
		cmocka_unit_test(a_section_is_replaced_and_its_surroundings_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
