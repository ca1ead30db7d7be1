/*
 * Certificates that are swapped every few 100 ms under a steady load, over TLS to nginx. Nginx asks for the client's
 * certificate, and is started anew every second with another one of its own, so that every connection is made again. The
 * client's files are good pairs and bad ones (a key of another certificate, half a file, garbage, nothing, one that is out
 * of date, one of a stranger), and authorities that are right, wrong and garbage. None of it may cost a record, a
 * descriptor or a thread; only what nginx was answering when it ended may come twice.
 *
 * OTLOG_FAULTS_FACTOR times 8 s.
 */
#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/load.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/servers/nginx.h"

#include <string.h>
#include <unistd.h>

#define PER_SECOND 2000u
#define THREADS 2u
#define STEP_MS 200u
#define RESTART_STEPS 5u
#define LONG_MS 30000

enum { ONE, TWO, EXPIRED, STRANGER, CERTIFICATES };

typedef struct run {
	char directory[64]; /* the client's files */
	char queue[64];
	char ca[16384]; /* what makes both servers trusted */
	char ca_file[96], certificate_file[96], key_file[96];
	certificate *server[2], *authority, *client[CERTIFICATES];
	tally *tally;
	receiver *receiver;
	nginx *nginx;
	otlog_provider *provider;
	otlog_logger *logger;
} run;

/* In one step, as careful people do it, or not. */
static void
put(const char *name, const char *text, size_t size, bool careful)
{
	char other[128];
	snprintf(other, sizeof other, "%s.new", name);
	FILE *file = fopen(careful ? other : name, "w");
	CHECK(file && fwrite(text, 1, size, file) == size && fclose(file) == 0);
	CHECK(!careful || rename(other, name) == 0);
}

static void
put_text(const char *name, const char *text)
{
	put(name, text, strlen(text), otlog__random_u64() % 2);
}

static void
put_pair(const run *r, const certificate *its, const certificate *key)
{
	put_text(r->certificate_file, its->certificate);
	put_text(r->key_file, key->key);
}

/* Every other one is good. */
static void
swap(const run *r, uint32_t step)
{
	static const char garbage[] = "-----BEGIN CERTIFICATE-----\nthis is none\n-----END CERTIFICATE-----\n";
	const certificate *good = r->client[step / 2 % 2];
	if (step % 2 == 0) {
		put_pair(r, good, good);
		put_text(r->ca_file, r->ca);
		return;
	}
	switch (otlog__random_u64() % 8) {
	case 0:
		put_pair(r, r->client[ONE], r->client[TWO]);
		break;
	case 1:
		put(r->certificate_file, good->certificate, strlen(good->certificate) / 2, true);
		break;
	case 2:
		put_text(r->key_file, garbage);
		break;
	case 3:
		put(r->certificate_file, "", 0, false);
		break;
	case 4:
		put_pair(r, r->client[EXPIRED], r->client[EXPIRED]);
		break;
	case 5:
		put_pair(r, r->client[STRANGER], r->client[STRANGER]);
		break;
	case 6:
		put_text(r->ca_file, r->client[STRANGER]->certificate);
		break;
	default:
		put_text(r->ca_file, garbage);
		unlink(r->key_file);
		break;
	}
}

static void
make_certificates(run *r)
{
	r->server[0] = certificate_make(&(certificate_options){ .subject = "server one" });
	r->server[1] = certificate_make(&(certificate_options){ .subject = "server two" });
	int size = snprintf(r->ca, sizeof r->ca, "%s%s", r->server[0]->certificate, r->server[1]->certificate);
	CHECK(size > 0 && (size_t)size < sizeof r->ca);
	r->authority = certificate_make(&(certificate_options){ .subject = "authority" });
	r->client[ONE] = certificate_make(&(certificate_options){ .subject = "one", .issuer = r->authority });
	r->client[TWO] = certificate_make(&(certificate_options){ .subject = "two", .issuer = r->authority });
	r->client[EXPIRED] =
	    certificate_make(&(certificate_options){ .subject = "old", .issuer = r->authority, .expired = true });
	r->client[STRANGER] = certificate_make(&(certificate_options){ .subject = "stranger" });
}

static nginx_options
server(const run *r, uint32_t which)
{
	return (nginx_options){ .certificate = r->server[which % 2],
		                .client_authorities = r->authority->certificate_file,
		                .upstream_port = receiver_port(r->receiver) };
}

static void
start(run *r)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10, .retry_initial_ms = 5, .retry_cap_ms = 50 };
	const otlog_otlp_options options = { .endpoint = nginx_url(r->nginx),
		                             .ca_file = r->ca_file,
		                             .client_certificate_file = r->certificate_file,
		                             .client_key_file = r->key_file };
	CHECK(otlog_otlp_http_exporter_create(&options, &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_bytes = 4 << 20,
	                                                      .queue_directory = r->queue,
	                                                      .spool_bytes = 256 << 20,
	                                                      .diagnostic = sdk_silence });
	CHECK(r->provider);
	r->logger = otlog_provider_get_logger(r->provider, &(otlog_logger_options){ .name = "certificates" });
}

static int
make_run(void **state)
{
	run *r = calloc(1, sizeof *r);
	queue_directory_make(r->directory);
	queue_directory_make(r->queue);
	snprintf(r->ca_file, sizeof r->ca_file, "%s/ca.pem", r->directory);
	snprintf(r->certificate_file, sizeof r->certificate_file, "%s/certificate.pem", r->directory);
	snprintf(r->key_file, sizeof r->key_file, "%s/key.pem", r->directory);
	make_certificates(r);
	swap(r, 0);
	r->tally = tally_make(THREADS, (faults_count(8) + 20) * PER_SECOND);
	r->receiver = receiver_start(
	    &(receiver_options){ .judge = tally_judge, .user = &r->tally->destinations[0], .forgets = true });
	const nginx_options options = server(r, 0);
	r->nginx = nginx_start(&options);
	start(r);
	*state = r;
	return 0;
}

static int
end_run(void **state)
{
	run *r = *state;
	otlog_provider_destroy(r->provider);
	nginx_stop(r->nginx);
	receiver_stop(r->receiver);
	for (int i = 0; i < CERTIFICATES; i++)
		certificate_free(r->client[i]);
	certificate_free(r->authority);
	certificate_free(r->server[0]);
	certificate_free(r->server[1]);
	queue_directory_remove(r->directory);
	queue_directory_remove(r->queue);
	tally_free(r->tally);
	free(r);
	return 0;
}

static void
certificates_that_are_swapped_cost_no_record(void **state)
{
	run *r = *state;
	sdk_books books;
	const uint32_t steps = faults_count(8) * 1000 / STEP_MS;
	unsigned descriptors = 0, threads = 0;
	load *load = load_start(r->tally, r->logger, PER_SECOND);
	for (uint32_t i = 1; i <= steps; i++) {
		swap(r, i);
		if (i % RESTART_STEPS == 0) {
			const nginx_options options = server(r, i);
			nginx_restart(r->nginx, &options);
		}
		usleep(STEP_MS * 1000);
		if (i == steps / 4) {
			descriptors = process_descriptors();
			threads = process_threads();
		}
	}
	swap(r, 0);
	load_stop(load);
	assert_int_equal(otlog_provider_flush(r->provider, LONG_MS), OTLOG_DELIVERED);
	unsigned descriptors_now = process_descriptors(), threads_now = process_threads();
	sdk_take_books(r->provider, &books);
	assert_int_equal(otlog_provider_shutdown(r->provider, LONG_MS), OTLOG_DELIVERED);
	tally_sum sum = tally_count(&r->tally->destinations[0], 0, THREADS);
	tally_check_statistics(&sum, &books);
	print_message(
	    "certificates swapped %u times: %lu emitted, %lu lost, %lu twice; %lu attempts failed; descriptors "
	    "%u, %u at the end, threads %u, %u\n",
	    steps, (unsigned long)sum.returned, (unsigned long)(sum.missing + sum.refused), (unsigned long)sum.twice,
	    (unsigned long)books.pipelines[0].retries, descriptors, descriptors_now, threads, threads_now);
	assert_in_range(sum.twice, 0, steps / RESTART_STEPS * atomic_load(&r->tally->largest));
	assert_int_equal(sum.missing + sum.refused + atomic_load(&r->tally->strange), 0);
	assert_in_range(descriptors_now, 0, descriptors + 4); /* a connection, a segment of the spool, both ends here */
	assert_in_range(threads_now, 0, threads + 2);         /* the receiver has one a connection */
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
	    certificates_that_are_swapped_cost_no_record, make_run, end_run) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
