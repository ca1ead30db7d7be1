#include "sdk/tool/doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Resolve ----------------------------------------------------------------------------------------------------- */

/* getaddrinfo has no time-out, so it runs in a thread; the last of the two threads to use this frees it. */
typedef struct lookup {
	pthread_mutex_t lock; /* guards the rest but the host */
	pthread_cond_t changed;
	otlog__doctor_host host;
	bool done;
	bool given_up;
	int error;
	int system_error;
	struct addrinfo *found;
} lookup;

static void
lookup_free(lookup *l)
{
	if (l->found)
		freeaddrinfo(l->found);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->changed);
	free(l);
}

static void *
look_up(void *argument)
{
	lookup *l = argument;
	struct addrinfo *found = NULL;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int error = getaddrinfo(l->host.name, l->host.port, &hints, &found);
	pthread_mutex_lock(&l->lock);
	l->error = error;
	l->system_error = errno;
	l->found = error ? NULL : found;
	l->done = true;
	bool given_up = l->given_up;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	if (given_up)
		lookup_free(l);
	return NULL;
}

static lookup *
lookup_start(const otlog__doctor_host *host)
{
	lookup *l = calloc(1, sizeof *l);
	pthread_t thread;
	pthread_condattr_t attributes;
	if (!l)
		return NULL;
	l->host = *host;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&thread, NULL, look_up, l) == 0) {
		pthread_detach(thread);
		return l;
	}
	lookup_free(l);
	return NULL;
}

/* Adds what was found, once each, and names it in the step's text. */
static void
keep_addresses(const struct addrinfo *found, otlog__doctor_reach *reach)
{
	for (; found && reach->address_count < OTLOG__DOCTOR_ADDRESSES; found = found->ai_next) {
		otlog__doctor_address *address = &reach->addresses[reach->address_count];
		if (found->ai_addrlen > sizeof address->socket)
			continue;
		memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
		address->size = found->ai_addrlen;
		getnameinfo(found->ai_addr, found->ai_addrlen, address->text, sizeof address->text, NULL, 0,
		            NI_NUMERICHOST);
		size_t used = strlen(reach->resolve.text);
		snprintf(reach->resolve.text + used, sizeof reach->resolve.text - used, "%s%s", used ? ", " : "",
		         address->text);
		reach->address_count++;
	}
}

static void
resolve(const otlog__doctor_host *host, uint64_t timeout_ms, otlog__doctor_reach *reach)
{
	otlog__doctor_step *step = &reach->resolve;
	double begin = otlog__tool_now_ms();
	lookup *l = lookup_start(host);
	step->state = OTLOG__DOCTOR_BROKEN;
	if (!l) {
		snprintf(step->text, sizeof step->text, "no memory or no thread for it");
		return;
	}
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;

	pthread_mutex_lock(&l->lock);
	while (!l->done && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
		;
	bool done = l->done;
	l->given_up = !done;
	step->ms = otlog__tool_now_ms() - begin;
	if (!done) {
		step->state = OTLOG__DOCTOR_TIMED_OUT;
		snprintf(step->text, sizeof step->text, "the name server does not answer");
	} else if (l->error) {
		snprintf(step->text, sizeof step->text, "%.160s: %s", host->name,
		         l->error == EAI_SYSTEM ? strerror(l->system_error) : gai_strerror(l->error));
	} else {
		step->state = OTLOG__DOCTOR_FINE;
		keep_addresses(l->found, reach);
	}
	pthread_mutex_unlock(&l->lock);
	if (done)
		lookup_free(l);
}

/* ---- Connect ----------------------------------------------------------------------------------------------------- */

/* A connected, non-blocking socket, or -1 with errno. */
static int
open_connection(const otlog__doctor_address *address, uint64_t timeout_ms)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	int error = connect(fd, (const struct sockaddr *)&address->socket, address->size) == 0 ? 0 : errno;
	if (error == EINPROGRESS) {
		struct pollfd polled = { .fd = fd, .events = POLLOUT };
		socklen_t size = sizeof error;
		int ready = poll(&polled, 1, (int)timeout_ms);
		if (ready == 0)
			error = ETIMEDOUT;
		else if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Tries one address after the other until one takes the connection; the text tells of all. */
static void
connect_to_any(uint64_t timeout_ms, otlog__doctor_reach *reach)
{
	otlog__doctor_step *step = &reach->connect;
	double begin = otlog__tool_now_ms();
	step->state = OTLOG__DOCTOR_BROKEN;
	for (size_t i = 0; i < reach->address_count; i++) {
		double left = (double)timeout_ms - (otlog__tool_now_ms() - begin);
		int fd = open_connection(&reach->addresses[i], left > 1 ? (uint64_t)left : 1);
		size_t used = strlen(step->text);
		step->error = fd < 0 ? errno : 0;
		snprintf(step->text + used, sizeof step->text - used, "%s%s: %s", used ? "; " : "",
		         reach->addresses[i].text, fd < 0 ? strerror(step->error) : "connected");
		if (fd < 0)
			continue;
		close(fd);
		step->state = OTLOG__DOCTOR_FINE;
		reach->connected = i;
		break;
	}
	if (step->state != OTLOG__DOCTOR_FINE && step->error == ETIMEDOUT)
		step->state = OTLOG__DOCTOR_TIMED_OUT;
	step->ms = otlog__tool_now_ms() - begin;
}

void
otlog__doctor_try(const otlog__doctor_target *target, uint64_t timeout_ms, otlog__doctor_reach *reach)
{
	*reach = (otlog__doctor_reach){ 0 };
	if (*target->socket) {
		struct sockaddr_un *address = (struct sockaddr_un *)&reach->addresses[0].socket;
		address->sun_family = AF_UNIX;
		memcpy(address->sun_path, target->socket, sizeof address->sun_path);
		reach->addresses[0].size = sizeof *address;
		snprintf(reach->addresses[0].text, sizeof reach->addresses[0].text, "the socket");
		reach->address_count = 1;
	} else if (*target->host.name) {
		resolve(*target->proxy.name ? &target->proxy : &target->host, timeout_ms, reach);
	}
	if (reach->address_count)
		connect_to_any(timeout_ms, reach);
}

/* ---- What the port speaks ---------------------------------------------------------------------------------------- */

otlog__doctor_speech
otlog__doctor_speech_of(const void *bytes, size_t size)
{
	enum { ALERT = 0x15, HANDSHAKE = 0x16, SETTINGS = 4, GOAWAY = 7 };
	const unsigned char *b = bytes;
	if (size == 0)
		return OTLOG__DOCTOR_SILENCE;
	if (size >= 2 && (b[0] == ALERT || b[0] == HANDSHAKE) && b[1] == 3)
		return OTLOG__DOCTOR_TLS;
	if (size >= 5 && memcmp(b, "HTTP/", 5) == 0)
		return OTLOG__DOCTOR_HTTP1;
	/* A frame of HTTP/2: three bytes of length, the type, flags, a stream, which is 0 for these. */
	if (size >= 9 && b[0] == 0 && (b[3] == SETTINGS || b[3] == GOAWAY) && !(b[5] | b[6] | b[7] | b[8]))
		return OTLOG__DOCTOR_HTTP2;
	return OTLOG__DOCTOR_GIBBERISH;
}

static bool
is_plain(const unsigned char *answer, size_t size)
{
	otlog__doctor_speech speech = otlog__doctor_speech_of(answer, size);
	return speech != OTLOG__DOCTOR_SILENCE && speech != OTLOG__DOCTOR_GIBBERISH;
}

/* The first bytes of what comes back for a greeting; how many. */
static size_t
exchange(const otlog__doctor_address *address, const void *greeting, size_t greeting_size, uint64_t timeout_ms,
         unsigned char *answer, size_t most)
{
	int fd = open_connection(address, timeout_ms);
	double until = otlog__tool_now_ms() + (double)timeout_ms;
	size_t got = 0;
	if (fd < 0)
		return 0;
	if (send(fd, greeting, greeting_size, MSG_NOSIGNAL) == (ssize_t)greeting_size) {
		struct pollfd polled = { .fd = fd, .events = POLLIN };
		double left;
		while (!is_plain(answer, got) && got < most && (left = until - otlog__tool_now_ms()) > 0 &&
		       poll(&polled, 1, (int)left + 1) > 0) {
			ssize_t n = recv(fd, answer + got, most - got, 0);
			if (n <= 0)
				break;
			got += (size_t)n;
		}
	}
	close(fd);
	return got;
}

otlog__doctor_speech
otlog__doctor_listen(const otlog__doctor_reach *reach, uint64_t timeout_ms)
{
	/*
	 * A ClientHello of TLS 1.2 that any server of gRPC or HTTP should take: six suites, and the extensions
	 * supported_groups, ec_point_formats, signature_algorithms and ALPN. RFC 5246, section 7.4.1.2; RFC 8422; RFC 7301.
	 */
	/* clang-format off */
	static const unsigned char hello[116] = {
		0x16, 3, 1, 0, 111, 1, 0, 0, 107, 3, 3, /* 32 bytes that need not be random; no session */
		[44] = 0, 12, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 1, 0,
		0, 54, /* extensions */
		0, 10, 0, 8, 0, 6, 0, 0x1d, 0, 0x17, 0, 0x18,
		0, 11, 0, 2, 1, 0,
		0, 13, 0, 14, 0, 12, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1,
		0, 16, 0, 14, 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'
	};
	/* clang-format on */
	/* What HTTP/2 begins with, and empty SETTINGS: gRPC answers with its own. RFC 9113, section 3.4. */
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
	unsigned char answer[9];
	if (reach->connect.state != OTLOG__DOCTOR_FINE)
		return OTLOG__DOCTOR_SILENCE;
	const otlog__doctor_address *address = &reach->addresses[reach->connected];
	size_t size = exchange(address, hello, sizeof hello, timeout_ms, answer, sizeof answer);
	otlog__doctor_speech first = otlog__doctor_speech_of(answer, size);
	if (is_plain(answer, size))
		return first;
	size = exchange(address, preface, sizeof preface - 1, timeout_ms, answer, sizeof answer);
	otlog__doctor_speech second = otlog__doctor_speech_of(answer, size);
	return second == OTLOG__DOCTOR_SILENCE ? first : second;
}
