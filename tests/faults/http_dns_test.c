/*
 * A name server that does not answer, under an exporter over HTTP: attempts end in time, records wait, and arrive once
 * each when it answers. In a network and a resolv.conf of its own; skipped where these are refused. OTLOG_FAULTS_FACTOR as
 * in http_faults_test.c.
 */
#include "tests/support/harness/factor.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPETITIONS 20
#define RECORDS 50
#define HOST "collector.otlog.test"
#define TIMEOUT_MS 200

/* ---- The name server --------------------------------------------------------------------------------------------- */

static int name_server = -1;
static _Atomic bool answers;     /* writer: the test */
static _Atomic unsigned ignored; /* queries; writer: the name server */

/* Makes a query its own answer (RFC 1035 section 4.1): 127.0.0.1 to one for an address of IPv4, nothing to others. */
static size_t
make_answer(uint8_t *message, size_t size)
{
	static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1 };
	size_t end = 12;
	while (end < size && message[end])
		end += message[end] + 1u;
	end += 5; /* the name's end, type, class */
	if (end > size)
		return 0;
	bool ipv4 = message[end - 3] == 1;
	message[2] = 0x84; /* an answer, with authority */
	message[3] = 0;
	message[7] = ipv4; /* answers */
	memset(message + 8, 0, 4);
	if (ipv4)
		memcpy(message + end, record, sizeof record);
	return ipv4 ? end + sizeof record : end;
}

static void *
serve_names(void *unused)
{
	uint8_t message[512 + 16];
	struct sockaddr_in client;
	for (;;) {
		socklen_t client_size = sizeof client;
		ssize_t got = recvfrom(name_server, message, 512, 0, (struct sockaddr *)&client, &client_size);
		if (got < 12)
			break;                                               /* shut down */
		if (!atomic_load_explicit(&answers, memory_order_relaxed)) { /* nothing hangs on the order of the two */
			atomic_fetch_add_explicit(&ignored, 1, memory_order_relaxed);
			continue;
		}
		size_t size = make_answer(message, (size_t)got);
		sendto(name_server, message, size, 0, (struct sockaddr *)&client, client_size);
	}
	return unused;
}

/* ---- A network of our own ---------------------------------------------------------------------------------------- */

static bool
leave_the_network(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0;
}

static bool
start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return up;
}

static bool
mount_over(const char *path, const char *text)
{
	char file[] = "/tmp/otlog-dns-XXXXXX";
	int fd = mkstemp(file);
	bool mounted = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, 0644) == 0 &&
	               mount(file, path, NULL, MS_BIND, NULL) == 0;
	close(fd);
	unlink(file);
	return mounted;
}

static bool
listen_for_queries(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                             .sin_port = htons(53) };
	name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return name_server >= 0 && bind(name_server, (const struct sockaddr *)&address, sizeof address) == 0;
}

/* Before the first thread. */
static bool
move_out(void)
{
	return leave_the_network() && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && start_loopback() &&
	       mount_over("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n") &&
	       mount_over("/etc/nsswitch.conf", "hosts: files dns\n") && listen_for_queries();
}

/* ---- The test ---------------------------------------------------------------------------------------------------- */

static otlog_provider *
start(receiver *server)
{
	char url[64];
	otlog_pipeline_options pipeline = {
		.schedule_delay_ms = 10, .export_timeout_ms = TIMEOUT_MS, .retry_initial_ms = 1, .retry_cap_ms = 5
	};
	snprintf(url, sizeof url, "http://" HOST ":%u/v1/logs", receiver_port(server));
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = url }, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence });
	assert_non_null(provider);
	return provider;
}

static void
stall_once(void)
{
	sdk_books books;
	receiver *server = receiver_start(NULL);
	otlog_provider *provider = start(server);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "dns" });
	unsigned before = atomic_load_explicit(&ignored, memory_order_relaxed);
	atomic_store_explicit(&answers, false, memory_order_relaxed);
	for (int i = 0; i < RECORDS; i++)
		assert_int_equal(otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO }),
		                 OTLOG_EMIT_ACCEPTED);
	do { /* until an attempt has ended, for all that nobody answers */
		assert_int_equal(otlog_provider_flush(provider, 50), OTLOG_TIMEOUT);
		sdk_take_books(provider, &books);
	} while (books.pipelines[0].retries == 0);
	assert_true(atomic_load_explicit(&ignored, memory_order_relaxed) > before);
	assert_string_equal(books.pipelines[0].last_error, "timeout");
	assert_int_equal(books.pipelines[0].queued, RECORDS);
	assert_int_equal(receiver_request_count(server), 0);

	atomic_store_explicit(&answers, true, memory_order_relaxed);
	assert_int_equal(otlog_provider_shutdown(provider, 20000), OTLOG_DELIVERED);
	sdk_take_books(provider, &books);
	assert_int_equal(books.pipelines[0].delivered, RECORDS);
	assert_int_equal(receiver_record_count(server), RECORDS);
	otlog_provider_destroy(provider);
	receiver_stop(server);
}

static void
a_name_server_that_is_silent_costs_no_record(void **state)
{
	pthread_t thread;
	(void)state;
	if (!move_out()) {
		print_message("no network of its own for a name server here\n");
		skip();
	}
	assert_int_equal(pthread_create(&thread, NULL, serve_names, NULL), 0);
	for (unsigned i = 0; i < faults_count(REPETITIONS); i++)
		stall_once();
	shutdown(name_server, SHUT_RDWR);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	close(name_server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_name_server_that_is_silent_costs_no_record) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
