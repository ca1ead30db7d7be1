/* Cancelling a transport from another thread, while changing certificates make it renew its connections. */
#include "exporters/http/transport.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/certificates.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static certificate *texts[2];

static int
make_certificates(void **state)
{
	(void)state;
	texts[0] = certificate_make(&(certificate_options){ .subject = "one" });
	texts[1] = certificate_make(&(certificate_options){ .subject = "two" });
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	certificate_free(texts[0]);
	certificate_free(texts[1]);
	return 0;
}

static void *
cancel(void *http)
{
	usleep(2000); /* anywhere in the posts */
	otlog__http_cancel(http);
	return NULL;
}

/* Nobody listens: each attempt fails at once, and so each next one looks at the file, which has changed. */
static void
a_cancel_is_heard_on_old_and_new_connections(void **state)
{
	char file[96];
	(void)state;
	diagnosed_begin();
	snprintf(file, sizeof file, "%s/ca.pem", texts[0]->directory);
	for (int round = 0; round < 10; round++) {
		file_write(file, texts[0]->certificate);
		otlog__http *http = otlog__http_create(&(otlog__http_options){ .url = "https://127.0.0.1:1/",
		                                                               .content_type = "text/plain",
		                                                               .ca_file = file,
		                                                               .names = { .ca_file = "CA" } });
		assert_non_null(http);
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, cancel, http), 0);
		otlog__http_outcome outcome = { 0 };
		for (int i = 1; !outcome.cancelled; i++) {
			file_write(file, texts[i % 2]->certificate);
			otlog__http_post(http, "text", 4, 10000, &outcome);
			diagnosed_begin(); /* a message a change */
		}
		assert_int_equal(pthread_join(thread, NULL), 0);
		otlog__http_destroy(http);
	}
	unlink(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_cancel_is_heard_on_old_and_new_connections) };
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
