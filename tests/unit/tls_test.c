/* When certificates are read again, and what is said about them; in virtual time. */
#include "exporters/http/tls.h"
#include "sdk/base/clock.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/certificate_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define S OTLOG__NANOS_PER_S
#define MS OTLOG__NANOS_PER_MS
#define START (100 * S)

static const otlog__peer_names names = { .peer = "the server",
	                                 .ca_file = "THE_CA_FILE",
	                                 .client_certificate = "THE_CLIENT_CERTIFICATE",
	                                 .client_key = "THE_CLIENT_KEY" };

static certificate *first;
static certificate *second;

typedef struct fixture {
	certificate_files files;
	otlog__tls *tls;
	CURL *easy;
} fixture;

static int
make_certificates(void **state)
{
	(void)state;
	first = certificate_make(&(certificate_options){ .subject = "one" });
	second = certificate_make(&(certificate_options){ .subject = "two" });
	return curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK;
}

static int
remove_certificates(void **state)
{
	(void)state;
	certificate_free(first);
	certificate_free(second);
	curl_global_cleanup();
	return 0;
}

static int
setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	certificate_files_make(&f->files);
	f->easy = curl_easy_init();
	diagnosed_begin();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;
	curl_easy_cleanup(f->easy);
	otlog__tls_free(f->tls);
	certificate_files_remove(&f->files);
	free(f);
	return 0;
}

static void
start(fixture *f)
{
	const otlog__tls_options options = { .ca_file = f->files.authority,
		                             .client_certificate_file = f->files.certificate,
		                             .client_key_file = f->files.key,
		                             .names = names };
	f->tls = otlog__tls_create(&options, START);
	assert_non_null(f->tls);
	assert_true(otlog__tls_apply(f->tls, f->easy));
}

static void
start_good(fixture *f)
{
	file_write(f->files.authority, first->certificate);
	certificate_files_put(&f->files, first);
	start(f);
	assert_int_equal(diagnosed_times("stays in use") + diagnosed_times("Nothing is sent"), 0);
}

static bool
refresh(fixture *f, uint64_t now_nano)
{
	bool changed = otlog__tls_refresh(f->tls, now_nano, false);
	if (changed)
		assert_true(otlog__tls_apply(f->tls, f->easy));
	return changed;
}

static void
without_files_there_is_nothing_to_do_or_say(void **state)
{
	fixture *f = *state;
	f->tls = otlog__tls_create(&(otlog__tls_options){ .ca_file = "", .names = names }, START);
	assert_true(otlog__tls_apply(f->tls, f->easy));
	assert_false(refresh(f, START + S));
	assert_false(otlog__tls_refresh(f->tls, START + S, true));
	assert_null(otlog__tls_problem(f->tls, CURLE_SSL_CERTPROBLEM));
	assert_int_equal(diagnosed_count(), 0);
}

static void
files_are_looked_at_once_a_second(void **state)
{
	fixture *f = *state;
	start_good(f);
	certificate_files_put(&f->files, second);
	assert_false(refresh(f, START + 1));
	assert_false(refresh(f, START + S - 1));
	assert_true(refresh(f, START + S));
	assert_false(refresh(f, START + 2 * S));
	file_write(f->files.authority, second->certificate);
	assert_true(refresh(f, START + 3 * S));
}

static void
after_a_failure_they_are_looked_at_at_once(void **state)
{
	fixture *f = *state;
	start_good(f);
	certificate_files_put(&f->files, second);
	assert_true(otlog__tls_refresh(f->tls, START + 1, true));
}

static void
a_change_is_told_until_it_is_applied(void **state)
{
	fixture *f = *state;
	start_good(f);
	certificate_files_put(&f->files, second);
	assert_true(otlog__tls_refresh(f->tls, START + S, false));
	assert_true(otlog__tls_refresh(f->tls, START + S + 1, false));
	assert_true(otlog__tls_apply(f->tls, f->easy));
	assert_false(otlog__tls_refresh(f->tls, START + S + 2, false));
}

static void
what_is_wrong_for_a_moment_is_not_said(void **state)
{
	fixture *f = *state;
	start_good(f);
	file_write(f->files.certificate, second->certificate);
	assert_false(refresh(f, START + S));
	file_write(f->files.key, second->key);
	assert_true(refresh(f, START + 2 * S));
	assert_int_equal(diagnosed_times("does not belong"), 0);
}

static void
what_stays_wrong_is_said_once_with_the_settings(void **state)
{
	fixture *f = *state;
	start_good(f);
	file_write(f->files.key, second->key);
	for (uint64_t s = 1; s < 60; s++)
		assert_false(refresh(f, START + s * S));
	assert_int_equal(diagnosed_times("does not belong"), 1);
	assert_true(diagnosed_says("stays in use; correct the file, or THE_CLIENT_CERTIFICATE and THE_CLIENT_KEY"));
	assert_null(otlog__tls_problem(f->tls, CURLE_SSL_CERTPROBLEM)); /* what is in use is good */
}

static void
something_else_that_is_wrong_is_said_again(void **state)
{
	fixture *f = *state;
	start_good(f);
	unlink(f->files.authority);
	refresh(f, START + S);
	refresh(f, START + 2 * S);
	file_write(f->files.authority, "rubbish");
	refresh(f, START + 3 * S);
	refresh(f, START + 4 * S);
	assert_int_equal(diagnosed_times("ca.pem cannot be read: No such file"), 1);
	assert_int_equal(diagnosed_times("ca.pem holds no PEM certificate"), 1);
	assert_int_equal(diagnosed_times("stays in use; correct the file, or THE_CA_FILE"), 2);
	file_write(f->files.authority, first->certificate); /* the one that was in use all the time */
	assert_false(refresh(f, START + 5 * S));
	unlink(f->files.authority);
	refresh(f, START + 6 * S);
	refresh(f, START + 7 * S);
	assert_int_equal(diagnosed_times("ca.pem cannot be read: No such file"), 2);
}

static void
the_authorities_change_whatever_the_pair_is(void **state)
{
	fixture *f = *state;
	start_good(f);
	file_write(f->files.key, "rubbish");
	file_write(f->files.authority, second->certificate);
	assert_true(refresh(f, START + S));
}

static void
bad_files_at_the_start_are_said_at_once_and_once(void **state)
{
	fixture *f = *state;
	file_write(f->files.key, first->key);
	start(f);
	assert_int_equal(diagnosed_count(), 2);
	assert_true(diagnosed_says("ca.pem cannot be read: No such file or directory. Nothing is sent over TLS until "
	                           "the file, or THE_CA_FILE, is corrected"));
	assert_true(
	    diagnosed_says("certificate.pem cannot be read: No such file or directory. Nothing is sent over TLS "
	                   "until the file, or THE_CLIENT_CERTIFICATE and THE_CLIENT_KEY, is corrected"));
	assert_non_null(strstr(otlog__tls_problem(f->tls, CURLE_SSL_CACERT_BADFILE), "ca.pem cannot be read"));
	assert_non_null(strstr(otlog__tls_problem(f->tls, CURLE_SSL_CERTPROBLEM), "certificate.pem cannot be read"));
	assert_null(otlog__tls_problem(f->tls, CURLE_COULDNT_CONNECT));
	for (uint64_t s = 1; s < 20; s++)
		assert_false(refresh(f, START + s * S));
	assert_int_equal(diagnosed_count(), 2);

	file_write(f->files.authority, first->certificate);
	certificate_files_put(&f->files, first);
	assert_true(refresh(f, START + 20 * S));
	assert_null(otlog__tls_problem(f->tls, CURLE_SSL_CACERT_BADFILE));
	assert_null(otlog__tls_problem(f->tls, CURLE_SSL_CERTPROBLEM));
}

static void
a_key_without_a_certificate_is_said(void **state)
{
	fixture *f = *state;
	f->tls = otlog__tls_create(&(otlog__tls_options){ .client_key_file = first->key_file, .names = names }, START);
	assert_non_null(f->tls);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("THE_CLIENT_KEY is of no use"));
	assert_true(diagnosed_says("until THE_CLIENT_CERTIFICATE is set"));
}

static void
an_expired_certificate_is_said(void **state)
{
	fixture *f = *state;
	certificate *expired = certificate_make(&(certificate_options){ .expired = true });
	file_write(f->files.authority, first->certificate);
	certificate_files_put(&f->files, expired);
	start(f);
	assert_int_equal(diagnosed_times("certificate.pem has expired: servers will refuse it"), 1);
	certificate_free(expired);
}

static void
no_message_shows_what_is_in_a_key(void **state)
{
	fixture *f = *state;
	char line[32];
	const char *secret = strchr(first->key, '\n') + 1;
	snprintf(line, sizeof line, "%.16s", secret);
	file_write(f->files.authority, first->key);
	file_write(f->files.certificate, first->key);
	file_write(f->files.key, first->key);
	start(f);
	otlog__tls_free(otlog__tls_create(&(otlog__tls_options){ .client_certificate_file = f->files.certificate,
	                                                         .client_key_file = first->key,
	                                                         .names = names },
	                                  START));
	assert_true(diagnosed_count() >= 3);
	assert_false(diagnosed_says(line));
	assert_false(diagnosed_says("BEGIN"));
}

int
main(void)
{
#define WITH_FILES(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FILES(without_files_there_is_nothing_to_do_or_say),
		WITH_FILES(files_are_looked_at_once_a_second),
		WITH_FILES(after_a_failure_they_are_looked_at_at_once),
		WITH_FILES(a_change_is_told_until_it_is_applied),
		WITH_FILES(what_is_wrong_for_a_moment_is_not_said),
		WITH_FILES(what_stays_wrong_is_said_once_with_the_settings),
		WITH_FILES(something_else_that_is_wrong_is_said_again),
		WITH_FILES(the_authorities_change_whatever_the_pair_is),
		WITH_FILES(bad_files_at_the_start_are_said_at_once_and_once),
		WITH_FILES(a_key_without_a_certificate_is_said),
		WITH_FILES(an_expired_certificate_is_said),
		WITH_FILES(no_message_shows_what_is_in_a_key),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
