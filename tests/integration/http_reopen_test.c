/*
 * Exporters over HTTP in children of fork: the parent's is in the middle of its requests, the child opens another one
 * from it, to the same destination with the same options, and sends over a connection of its own.
 */
#include "sdk/base/process/diagnostics.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The allocator of the address sanitizer has locks that a child of several threads may find held for ever. */
#if defined __SANITIZE_ADDRESS__
#define FORKS 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define FORKS 0
#endif
#endif
#ifndef FORKS
#define FORKS 20
#endif

#define LONG_MS 30000

/* An exporter in use: one thread exports until it is told to stop. */
typedef struct busy {
	otlog_exporter exporter;
	otlog_batch batch;
	bool anew;         /* each time through another exporter: with TLS, a handshake a request */
	_Atomic bool stop; /* writer: the test */
	unsigned exported;
	pthread_t thread;
} busy;

static otlog_verdict
export_once(otlog_exporter exporter, const otlog_batch *batch)
{
	return export_batch(exporter, batch, LONG_MS).verdict;
}

static void
export_anew(otlog_exporter first, const otlog_batch *batch)
{
	otlog_exporter own = { 0 };
	CHECK(first.functions->reopen(first.self, &own));
	CHECK(export_once(own, batch) == OTLOG_VERDICT_OK);
	close_exporter(own);
}

static void *
keep_exporting(void *self)
{
	busy *b = self;
	do {
		if (b->anew)
			export_anew(b->exporter, &b->batch);
		else
			CHECK(export_once(b->exporter, &b->batch) == OTLOG_VERDICT_OK);
		b->exported++;
	} while (!atomic_load_explicit(&b->stop, memory_order_relaxed)); /* nothing hangs on the order */
	return NULL;
}

static void
be_child(const otlog_exporter *parents, const otlog_batch *batch)
{
	otlog_exporter own = { 0 };
	alarm(20); /* a child that hangs is killed, and that is seen */
	CHECK(parents->functions->reopen(parents->self, &own));
	CHECK(own.self != parents->self && strcmp(own.name, parents->name) == 0);
	CHECK(export_once(own, batch) == OTLOG_VERDICT_OK);
	CHECK(export_once(own, batch) == OTLOG_VERDICT_OK);

	/* A child of the child may do the same. */
	otlog_exporter again = { 0 };
	CHECK(own.functions->reopen(own.self, &again));
	close_exporter(again);
	close_exporter(own);
	_exit(0);
}

static void
fork_child(const otlog_exporter *parents, const otlog_batch *batch)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		be_child(parents, batch);
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The same in this process, where leaks are looked for. */
static void
check_second(const otlog_exporter *first, const otlog_batch *batch)
{
	otlog_exporter second = { 0 };
	assert_true(first->functions->reopen(first->self, &second));
	assert_int_equal(export_once(second, batch), OTLOG_VERDICT_OK);
	close_exporter(second);
}

/* Every request is as the options wanted it, whoever sent it. */
static void
check_requests(receiver *server, const char *encoding)
{
	const receiver_request *first = receiver_request_at(server, 0);
	for (size_t i = 0; i < receiver_request_count(server); i++) {
		const receiver_request *request = receiver_request_at(server, i);
		const char *sent = receiver_header(request, "Content-Encoding");
		assert_string_equal(sent ? sent : "", encoding);
		assert_string_equal(receiver_header(request, "X-Token"), "secret");
		assert_string_equal(receiver_header(request, "Content-Type"), receiver_header(first, "Content-Type"));
		assert_int_equal(request->body_size, first->body_size);
		assert_memory_equal(request->body, first->body, first->body_size);
	}
}

static void
check_children(receiver *server, otlog_exporter exporter, const char *encoding)
{
	busy b = { .exporter = exporter, .batch = otlp_request_create(3, 100) };
	assert_int_equal(pthread_create(&b.thread, NULL, keep_exporting, &b), 0);
	receiver_wait_requests(server, 1);
	if (!FORKS)
		print_message("no fork under the address sanitizer\n");
	for (int i = 0; i < FORKS; i++)
		fork_child(&exporter, &b.batch);
	check_second(&exporter, &b.batch);
	atomic_store_explicit(&b.stop, true, memory_order_relaxed);
	pthread_join(b.thread, NULL);
	assert_int_equal(receiver_request_count(server), b.exported + 2 * FORKS + 1);
	assert_int_equal(receiver_connection_count(server), 2 + FORKS);
	check_requests(server, encoding);
	assert_int_equal(diagnosed_count(), diagnosed_times("are in use from now on"));
	otlp_request_free(&b.batch);
	close_exporter(exporter);
}

typedef bool (*create_function)(const otlog_otlp_options *options, size_t options_size, otlog_exporter *out);

/* What the options point to is gone before the first fork. */
static otlog_exporter
create_from_strings_that_go(create_function create, const char *url, const char *ca_file, otlog_compression compression)
{
	char endpoint[128], authority[128], name[] = "X-Token", value[] = "secret";
	otlog_header headers[] = { { name, value } };
	otlog_exporter exporter = { 0 };
	snprintf(endpoint, sizeof endpoint, "%s", url);
	snprintf(authority, sizeof authority, "%s", ca_file ? ca_file : "");
	const otlog_otlp_options options = { .endpoint = endpoint,
		                             .headers = headers,
		                             .header_count = 1,
		                             .compression = compression,
		                             .ca_file = authority };
	diagnosed_begin();
	assert_true(create(&options, sizeof options, &exporter));
	memset(endpoint, 'x', sizeof endpoint - 1);
	memset(authority, 'x', sizeof authority - 1);
	memset(name, 'x', sizeof name - 1);
	memset(value, 'x', sizeof value - 1);
	memset(headers, 0, sizeof headers);
	return exporter;
}

static void
a_child_sends_protobuf_of_its_own(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	check_children(server,
	               create_from_strings_that_go(otlog_otlp_http_exporter_create_sized, receiver_url(server), NULL,
	                                           OTLOG_COMPRESSION_GZIP),
	               "gzip");
	receiver_stop(server);
}

static void
a_child_sends_json_of_its_own(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	check_children(server,
	               create_from_strings_that_go(otlog_otlp_http_json_exporter_create_sized, receiver_url(server),
	                                           NULL, OTLOG_COMPRESSION_NONE),
	               "");
	receiver_stop(server);
}

static void
a_child_trusts_whom_its_parent_trusts(void **state)
{
	certificate *ours = certificate_create("IP:127.0.0.1");
	const receiver_options options = { .certificate = ours->certificate, .key = ours->key };
	receiver *server = receiver_start(&options);
	(void)state;
	check_children(server,
	               create_from_strings_that_go(otlog_otlp_http_exporter_create_sized, receiver_url(server),
	                                           ours->certificate_file, OTLOG_COMPRESSION_NONE),
	               "");
	receiver_stop(server);
	certificate_free(ours);
}

/* OpenSSL has locks for the whole process, which handshakes and certificates being read take all the time. */
static void
a_child_of_a_parent_in_a_handshake_gets_on(void **state)
{
	certificate *ours = certificate_create("IP:127.0.0.1");
	const receiver_options options = { .certificate = ours->certificate, .key = ours->key };
	receiver *server = receiver_start(&options);
	otlog_exporter exporter =
	    create_from_strings_that_go(otlog_otlp_http_exporter_create_sized, receiver_url(server),
	                                ours->certificate_file, OTLOG_COMPRESSION_NONE);
	busy b = { .exporter = exporter, .batch = otlp_request_create(3, 100), .anew = true };
	(void)state;
	otlog__diagnostics_set(diagnosed_take, NULL, OTLOG__WARN);
	assert_int_equal(pthread_create(&b.thread, NULL, keep_exporting, &b), 0);
	for (int i = 0; i < 10 * FORKS; i++)
		fork_child(&exporter, &b.batch);
	atomic_store_explicit(&b.stop, true, memory_order_relaxed);
	pthread_join(b.thread, NULL);
	assert_int_equal(receiver_request_count(server), b.exported + 20 * FORKS);
	otlp_request_free(&b.batch);
	close_exporter(exporter);
	receiver_stop(server);
	certificate_free(ours);
}

static void
a_child_uploads_to_the_log_server_itself(void **state)
{
	receiver *server = receiver_start(NULL);
	const otlog_header token = { "X-Token", "secret" };
	char name[] = "service.name";
	const char *const names[] = { "", name };
	otlog_exporter exporter = { 0 };
	(void)state;
	diagnosed_begin();
	assert_true(otlog_mito_exporter_create(&(otlog_mito_options){ .url = receiver_url(server),
	                                                              .headers = &token,
	                                                              .header_count = 1,
	                                                              .resource_attributes = names,
	                                                              .resource_attribute_count = 2 },
	                                       &exporter));
	memset(name, 'x', sizeof name - 1);
	check_children(server, exporter, "");
	receiver_stop(server);
}

static void
what_was_warned_of_is_not_warned_of_again(void **state)
{
	const otlog_header headers[] = { { "Content-Length", "7" }, { "a", "b" } };
	otlog_exporter exporter = { 0 }, second = { 0 };
	(void)state;
	diagnosed_begin();
	assert_true(otlog_otlp_http_exporter_create(
	    &(otlog_otlp_options){ .headers = headers, .header_count = 2, .client_key_file = "/nowhere/key.pem" },
	    &exporter));
	assert_int_equal(diagnosed_count(), 2);
	assert_true(exporter.functions->reopen(exporter.self, &second));
	assert_int_equal(diagnosed_count(), 2);
	close_exporter(exporter);
	close_exporter(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_sends_protobuf_of_its_own),
		cmocka_unit_test(a_child_sends_json_of_its_own),
		cmocka_unit_test(a_child_trusts_whom_its_parent_trusts),
		cmocka_unit_test(a_child_of_a_parent_in_a_handshake_gets_on),
		cmocka_unit_test(a_child_uploads_to_the_log_server_itself),
		cmocka_unit_test(what_was_warned_of_is_not_warned_of_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
