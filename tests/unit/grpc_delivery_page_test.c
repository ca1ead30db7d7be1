/* The part about gRPC of docs/delivery.md is what the tables of the code say. With --write: writes it. */
#include "exporters/otlp_grpc/grpc_verdict_table.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/page_section.h"

#include <stdio.h>
#include <string.h>

#define PAGE OTLOG_SOURCE_DIR "/docs/delivery.md"

static const char *const verdicts[] = {
	[OTLOG_VERDICT_OK] = "OK",     [OTLOG_VERDICT_RETRY] = "RETRY",         [OTLOG_VERDICT_PARTIAL] = "PARTIAL",
	[OTLOG_VERDICT_DROP] = "DROP", [OTLOG_VERDICT_TOO_LARGE] = "TOO_LARGE", [OTLOG_VERDICT_INVALID] = "INVALID",
};

/* What the exporter finds out by itself. */
static const otlog__grpc_failure *const own[] = {
	&otlog__grpc_request_too_large, &otlog__grpc_answer_too_large, &otlog__grpc_partial_success,
	&otlog__grpc_tls_files,         &otlog__grpc_no_channel,       &otlog__grpc_out_of_memory,
	&otlog__grpc_cancelled,         &otlog__grpc_forked,           &otlog__grpc_busy,
};

/* The remedy, with the names of variables as code. */
static void
write_remedy(FILE *out, const char *remedy)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	while (*remedy) {
		size_t size = strspn(remedy, letters);
		if (size > 6)
			fprintf(out, "`%.*s`", (int)size, remedy);
		else
			fprintf(out, "%.*s", (int)(size += !size), remedy);
		remedy += size;
	}
}

static void
write_status(FILE *out, const char *number, const otlog__grpc_status *row)
{
	fprintf(out, "| %s%s%s | %s | %s | ", number, *row->name ? " " : "", row->name, verdicts[row->verdict],
	        row->about);
	write_remedy(out, row->remedy);
	fputs(" |\n", out);
}

static void
write_statuses(FILE *out)
{
	fputs("\n| Status | Verdict | What it means | What to do |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < OTLOG__GRPC_STATUS_COUNT; i++) {
		char number[40];
		snprintf(number, sizeof number, "%zu", i);
		write_status(out, number, &otlog__grpc_statuses[i]);
		if (i != GRPC_STATUS_RESOURCE_EXHAUSTED)
			continue;
		snprintf(number, sizeof number, "%zu, with a RetryInfo:", i);
		write_status(out, number, &otlog__grpc_throttled);
	}
	write_status(out, "any other", &otlog__grpc_other_status);
}

static void
write_failure(FILE *out, const otlog__grpc_failure *row)
{
	if (row->error_type)
		fprintf(out, "| `%s`", row->error_type);
	else
		fputs("| the status's name", out);
	fprintf(out, " | %s | %s | ", verdicts[row->verdict], row->cause);
	write_remedy(out, row->remedy);
	if (row->remedy_tls) {
		fputs("; with TLS: ", out);
		write_remedy(out, row->remedy_tls);
	}
	fputs(" |\n", out);
}

static void
write_failures(FILE *out)
{
	fputs("\nA status's name is its error type: `UNAVAILABLE`. Where gRPC's words tell more, and for what is no "
	      "matter of a "
	      "status, there is another:\n\n"
	      "| Error type | Verdict | What it means | What to do |\n|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < otlog__grpc_words_count; i++)
		if (i == 0 ||
		    strcmp(otlog__grpc_words_table[i].failure.cause, otlog__grpc_words_table[i - 1].failure.cause) != 0)
			write_failure(out, &otlog__grpc_words_table[i].failure);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		write_failure(out, own[i]);
}

static void
write_http_statuses(FILE *out)
{
	fputs("\nAn answer that is HTTP's and not gRPC's, from a proxy or another server, has its status as the error "
	      "type:\n\n"
	      "| HTTP status | Verdict | What to do |\n|---|---|---|\n",
	      out);
	for (size_t i = 0; i < otlog__grpc_http_status_count; i++) {
		const otlog__grpc_http_status *row = &otlog__grpc_http_statuses[i];
		if (row->status)
			fprintf(out, "| %d", row->status);
		else
			fputs("| any other but 200", out);
		fprintf(out, " | %s | ", verdicts[row->verdict]);
		write_remedy(out, row->remedy);
		fputs(" |\n", out);
	}
	fputs("\n", out);
}

static char *
section_of_the_tables(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	write_statuses(out);
	write_failures(out);
	write_http_statuses(out);
	fclose(out);
	return text;
}

static void
committed_section_is_what_the_tables_say(void **state)
{
	(void)state;
	page_section_check(PAGE, "grpc", section_of_the_tables, "unit-grpc_delivery_page_test");
}

static void
check_failure(const otlog__grpc_failure *row)
{
	const otlog_export_result *result = NULL;
	assert_true(row->cause && *row->cause && row->remedy && *row->remedy);
	if (row->error_type) {
		assert_in_range(strlen(row->error_type), 1, sizeof result->error_type - 1);
		assert_int_equal(strspn(row->error_type, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->error_type));
	}
	assert_true(strlen(row->remedy) < 150);
	assert_true(!row->remedy_tls || strlen(row->remedy_tls) < 150);
}

static void
rows_are_whole_and_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < OTLOG__GRPC_STATUS_COUNT; i++) {
		const otlog__grpc_status *row = &otlog__grpc_statuses[i];
		assert_true(row->name && row->about && row->remedy);
		assert_true(*row->remedy || i == 0);
	}
	for (size_t i = 0; i < otlog__grpc_words_count; i++)
		check_failure(&otlog__grpc_words_table[i].failure);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		check_failure(own[i]);
	assert_int_equal(otlog__grpc_http_statuses[otlog__grpc_http_status_count - 1].status, 0);
}

int
main(int argc, char **argv)
{
	int status;
	if (page_section_main(argc, argv, PAGE, "grpc", section_of_the_tables, &status))
		return status;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(committed_section_is_what_the_tables_say),
		cmocka_unit_test(rows_are_whole_and_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
