/* Runs `otlog doctor` twice, for people and with --json, and compares both with what a reader needs. */
#ifndef TESTS_FAULTS_DOCTOR_EXPECT_H
#define TESTS_FAULTS_DOCTOR_EXPECT_H

#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/tool.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/servers/certificates_fixture.h"

#include <stdio.h>
#include <string.h>

#define CA_FILE "OTEL_EXPORTER_OTLP_CERTIFICATE"

typedef struct expectation {
	const char *problem;  /* the word; NULL: every destination takes records */
	const char *cause[2]; /* stand in the report for people */
	const char *remedy;   /* stands in the remedy: a setting's name mostly */
	const char *timeout;  /* --timeout; NULL: "10" */
} expectation;

/* NAME=VALUE in one of eight buffers. */
static inline const char *
setting(const char *name, const char *value)
{
	static char buffers[8][512];
	static unsigned next;
	char *out = buffers[next++ % 8];
	snprintf(out, sizeof buffers[0], "%s=%s", name, value);
	return out;
}

static inline const char *
text_of(const json_tree *object, const char *name)
{
	const json_tree *member = json_member(object, name);
	assert_non_null(member);
	return member->kind == JSON_STRING ? member->text : NULL;
}

static inline void
assert_says(const char *text, const char *word)
{
	if (word && !strstr(text, word))
		fail_msg("'%s' does not stand in:\n%s", word, text);
}

static inline void
expect_text(const char *const *environment, const expectation *expected)
{
	const char *timeout = expected->timeout ? expected->timeout : "10";
	tool_run run = tool_start(OTLOG_TOOL, environment, TOOL_LIST("doctor", "--timeout", timeout), NULL);
	if (run.status != (expected->problem ? 1 : 0))
		fail_msg("exit status %d:\n%s%s", run.status, run.out, run.err);
	assert_string_equal(run.err, "");
	assert_null(strchr(run.out, '\033'));
	if (expected->problem) {
		const char *remedy = strstr(run.out, "\n  remedy ");
		assert_says(run.out, expected->problem);
		assert_says(run.out, expected->cause[0]);
		assert_says(run.out, expected->cause[1]);
		assert_non_null(remedy);
		assert_says(remedy, expected->remedy);
	} else {
		assert_says(run.out, "Every destination takes records.");
	}
	tool_free(&run);
}

static inline void
expect_json(const char *const *environment, const expectation *expected)
{
	const char *timeout = expected->timeout ? expected->timeout : "10";
	tool_run run = tool_start(OTLOG_TOOL, environment, TOOL_LIST("doctor", "--json", "--timeout", timeout), NULL);
	assert_int_equal(run.status, expected->problem ? 1 : 0);
	assert_string_equal(run.err, "");
	json_tree *report = json_parse(run.out, strlen(run.out));
	if (!report)
		fail_msg("no JSON: %s", run.out);
	const json_tree *destinations = json_member(report, "destinations");
	assert_non_null(destinations);
	assert_int_equal(destinations->count, 1);
	const json_tree *only = &destinations->items[0];
	assert_int_equal(json_member(only, "takes_records")->boolean, !expected->problem);
	const char *problem = text_of(only, "problem");
	if (expected->problem) {
		assert_non_null(problem);
		assert_string_equal(problem, expected->problem);
		assert_says(text_of(only, "remedy"), expected->remedy);
	} else {
		assert_null(problem);
	}
	json_free(report);
	tool_free(&run);
}

/* The rest are causes. */
#define EXPECT(environment, problem_, remedy_, ...)                         \
	do {                                                                \
		const expectation expected_ = { .problem = (problem_),      \
			                        .remedy = (remedy_),        \
			                        .cause = { __VA_ARGS__ } }; \
		expect_text(environment, &expected_);                       \
		expect_json(environment, &expected_);                       \
	} while (0)

/* Servers whose certificates do not hold, and what is said of them. `endpoint` is the setting that names the server. */
typedef struct shown_certificate {
	const certificate *shown;
	bool trusted;
	expectation expected;
} shown_certificate;

#define BAD_CERTIFICATES 3

static inline shown_certificate
bad_certificate(size_t i, const char *endpoint)
{
	const shown_certificate all[BAD_CERTIFICATES] = {
		{ foreign, true, { "tls_name_mismatch", { "for another name than 127.0.0.1" }, endpoint, NULL } },
		{ expired, true, { "tls_expired", { "has expired" }, "Renew the certificate", NULL } },
		{ ours, false, { "tls_untrusted", { "authority that is not trusted" }, CA_FILE, NULL } },
	};
	return all[i];
}

/* Expects that of a server with it. `protocol` is a setting too; NULL: none. */
static inline void
expect_bad_certificate(const shown_certificate *c, const char *endpoint, const char *url, const char *protocol)
{
	const char *environment[4] = { setting(endpoint, url) };
	size_t count = 1;
	if (c->trusted)
		environment[count++] = setting(CA_FILE, c->shown->certificate_file);
	if (protocol)
		environment[count] = protocol;
	expect_text(environment, &c->expected);
	expect_json(environment, &c->expected);
}

#endif
