#include "tests/support/servers/grpc/h2_server.h"

#include "sdk/base/buffer.h"
#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/loopback.h"

#include <nghttp2/nghttp2.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define SCRIPT_MAX 64
#define DUE_MAX 128
#define REQUESTS_MAX 65536
#define MESSAGE_HEAD 5 /* of gRPC: a flag and four bytes of size */

typedef struct stream {
	int32_t id;
	h2_play play;
	bool over; /* something was done to it: what still comes does not count */
	h2_request request;
	otlog__buffer body;
	size_t sent;                 /* of the answer's body */
	struct stream *next, **link; /* of the connection's */
} stream;

/* OPEN ──▶ DRAINING: the rest is written, then only the peer's end is waited for.  SILENT: until the peer's end */
typedef enum connection_state { OPEN, DRAINING, SILENT } connection_state;

typedef struct connection {
	h2_server *server;
	int fd; /* -1: free */
	connection_state state;
	nghttp2_session *session;
	stream *streams;
	otlog__buffer out;
	size_t written;
	bool limited; /* the answer that goes out has limits: */
	size_t left;  /* bytes until the end of the connection; SIZE_MAX: no end */
	unsigned pause_ms;
	uint64_t next_byte_nano;
	int32_t due[DUE_MAX]; /* streams to act on as soon as nghttp2 does not call back */
	size_t due_count;
	bool reset;
} connection;

struct h2_server {
	int listener;
	int bell; /* an eventfd; readable once there is something to be told */
	char url[64];
	pthread_t thread;
	connection connections[CONNECTIONS_MAX];

	watched w; /* guards the rest */
	bool stop;
	bool disconnect;
	h2_play script[SCRIPT_MAX];
	size_t script_size;
	h2_request *requests;
	size_t request_count;
	size_t connection_count;
};

/* ---- The script -------------------------------------------------------------------------------------------------- */

static h2_play
next_play(h2_server *server, bool for_connection)
{
	h2_play play = { 0 };
	pthread_mutex_lock(&server->w.lock);
	h2_play *first = server->script;
	if (server->script_size && (first->when == H2_AT_CONNECT) == for_connection) {
		play = *first;
		if (first->times > 1)
			first->times--;
		else
			memmove(first, first + 1, --server->script_size * sizeof *first);
	}
	pthread_mutex_unlock(&server->w.lock);
	return play;
}

static bool
succeeds(const h2_play *play)
{
	return play->act == H2_ANSWER && (!play->grpc_status || strcmp(play->grpc_status, "0") == 0) &&
	       (!play->http_status || strcmp(play->http_status, "200") == 0);
}

/* Whether a receiver would have the records of a request that has come to its end. */
static bool
is_taken(const h2_play *play)
{
	if (play->act == H2_ANSWER)
		return succeeds(play);
	return play->act != H2_GOAWAY && !(play->act == H2_RST_STREAM && play->code == NGHTTP2_REFUSED_STREAM);
}

static void
keep_request(h2_server *server, stream *stream)
{
	CHECK(stream->body.size >= MESSAGE_HEAD && stream->body.data[0] == 0);
	size_t size = stream->body.size - MESSAGE_HEAD;
	stream->request.body = malloc(size + 1);
	CHECK(stream->request.body);
	memcpy(stream->request.body, stream->body.data + MESSAGE_HEAD, size);
	stream->request.body_size = size;
	stream->request.answered = stream->play.act == H2_ANSWER && !stream->play.cut_bytes && !stream->play.pause_ms;
	pthread_mutex_lock(&server->w.lock);
	CHECK(server->request_count < REQUESTS_MAX);
	server->requests[server->request_count++] = stream->request;
	pthread_mutex_unlock(&server->w.lock);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static nghttp2_nv
header(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static size_t
list_trailers(const stream *stream, nghttp2_nv *out)
{
	const h2_play *play = &stream->play;
	size_t count = 0;
	if (!play->grpc_status || *play->grpc_status)
		out[count++] = header("grpc-status", play->grpc_status ? play->grpc_status : "0");
	if (play->echo_headers)
		out[count++] = header("grpc-message", stream->request.authorization);
	else if (play->grpc_message)
		out[count++] = header("grpc-message", play->grpc_message);
	if (play->details)
		out[count++] = header("grpc-status-details-bin", play->details);
	return count;
}

static ssize_t
give_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t size, uint32_t *flags, nghttp2_data_source *source,
          void *user)
{
	static const uint8_t empty_message[MESSAGE_HEAD];
	stream *stream = source->ptr;
	const h2_play *play = &stream->play;
	const uint8_t *body = play->body ? play->body : empty_message;
	size_t body_size = play->body ? play->body_size : sizeof empty_message;
	size_t whole = body_size + play->padding;
	size_t used = 0;
	(void)user;
	while (used < size && stream->sent < whole) {
		out[used++] = stream->sent < body_size ? body[stream->sent] : 0;
		stream->sent++;
	}
	if (stream->sent < whole)
		return (ssize_t)used;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	nghttp2_nv trailers[4];
	size_t count = list_trailers(stream, trailers);
	if (count) {
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		CHECK(nghttp2_submit_trailer(session, id, trailers, count) == 0);
	}
	return (ssize_t)used;
}

static void write_session(connection *c);

static void
answer(connection *c, stream *stream)
{
	const h2_play *play = &stream->play;
	const bool goaway_after = play->goaway_after;
	const uint32_t code = play->code;
	const int32_t id = stream->id;
	nghttp2_nv headers[8];
	size_t count = 0;
	nghttp2_data_provider body = { .source.ptr = stream, .read_callback = give_body };
	if (play->cut_bytes || play->pause_ms) {
		write_session(c); /* what belongs to no answer goes first */
		c->limited = true;
		c->left = play->cut_bytes ? play->cut_bytes : SIZE_MAX;
		c->pause_ms = play->pause_ms;
	}
	headers[count++] = header(":status", play->http_status ? play->http_status : "200");
	if (!play->content_type || *play->content_type)
		headers[count++] = header("content-type", play->content_type ? play->content_type : "application/grpc");
	if (play->goaway_first)
		nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, stream->id, play->code, NULL, 0);
	if (play->no_body) {
		count += list_trailers(stream, headers + count);
		CHECK(nghttp2_submit_response(c->session, stream->id, headers, count, NULL) == 0);
	} else {
		CHECK(nghttp2_submit_response(c->session, stream->id, headers, count, &body) == 0);
	}
	if (goaway_after) {
		write_session(c); /* the stream is gone then */
		nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, id, code, NULL, 0);
	}
}

/* ---- Acts -------------------------------------------------------------------------------------------------------- */

static void
act(connection *c, stream *stream, const h2_play *play)
{
	static const uint8_t garbage[] = "\xff\xff\xff\xff\xff\xff no frame of HTTP/2 looks like this \xff\xff\xff\xff";
	switch (play->act) {
	case H2_ANSWER:
		if (stream)
			answer(c, stream);
		break;
	case H2_GOAWAY:
		nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, 0, play->code, NULL, 0);
		write_session(c);
		c->state = DRAINING;
		break;
	case H2_RST_STREAM:
		if (stream)
			nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, stream->id, play->code);
		break;
	case H2_RESET:
		c->reset = true;
		break;
	case H2_CLOSE:
		write_session(c);
		c->state = DRAINING;
		break;
	case H2_SILENCE:
		c->state = SILENT;
		break;
	case H2_GARBAGE:
		write_session(c);
		CHECK(otlog__buffer_append(&c->out, garbage, sizeof garbage));
		c->state = DRAINING;
		break;
	}
}

/* ---- What comes -------------------------------------------------------------------------------------------------- */

static int
begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	connection *c = user;
	if (nghttp2_session_get_stream_user_data(session, frame->hd.stream_id))
		return 0;
	stream *stream = calloc(1, sizeof *stream);
	CHECK(stream);
	stream->id = frame->hd.stream_id;
	stream->play = next_play(c->server, false);
	stream->next = c->streams;
	stream->link = &c->streams;
	if (c->streams)
		c->streams->link = &stream->next;
	c->streams = stream;
	nghttp2_session_set_stream_user_data(session, stream->id, stream);
	return 0;
}

static int
take_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
            const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
	stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	char *out = NULL;
	(void)flags, (void)user;
	if (!stream)
		return 0;
	if (name_size == 10 && memcmp(name, "user-agent", name_size) == 0)
		out = stream->request.user_agent;
	if (name_size == 13 && memcmp(name, "authorization", name_size) == 0)
		out = stream->request.authorization;
	if (out)
		snprintf(out, sizeof stream->request.user_agent, "%.*s", (int)value_size, (const char *)value);
	return 0;
}

static int
take_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *user)
{
	stream *stream = nghttp2_session_get_stream_user_data(session, id);
	(void)flags, (void)user;
	if (stream && !stream->over)
		CHECK(otlog__buffer_append(&stream->body, data, size));
	return 0;
}

static int
end_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	connection *c = user;
	stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (!stream || stream->over)
		return 0;
	bool head = frame->hd.type == NGHTTP2_HEADERS && stream->play.when == H2_AT_HEAD;
	bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) || (!head && !end))
		return 0;
	stream->over = true;
	if (!head && is_taken(&stream->play))
		keep_request(c->server, stream);
	CHECK(c->due_count < DUE_MAX);
	c->due[c->due_count++] = stream->id;
	return 0;
}

static void
free_stream(stream *stream)
{
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	otlog__buffer_free(&stream->body);
	free(stream);
}

static int
close_stream(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	stream *stream = nghttp2_session_get_stream_user_data(session, id);
	(void)code, (void)user;
	nghttp2_session_set_stream_user_data(session, id, NULL);
	if (stream)
		free_stream(stream);
	return 0;
}

/* ---- Connections ------------------------------------------------------------------------------------------------- */

/* Moves what the session has to say to the buffer. */
static void
write_session(connection *c)
{
	const uint8_t *data;
	ssize_t size;
	while (c->state == OPEN && (size = nghttp2_session_mem_send(c->session, &data)) > 0)
		CHECK(otlog__buffer_append(&c->out, data, (size_t)size));
}

static void
close_connection(connection *c)
{
	if (c->reset) {
		const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	}
	while (c->streams)
		free_stream(c->streams);
	nghttp2_session_del(c->session);
	otlog__buffer_free(&c->out);
	close(c->fd);
	*c = (connection){ .fd = -1 };
}

static nghttp2_session *
create_session(connection *c)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *session;
	CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, end_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
	CHECK(nghttp2_session_server_new(&session, callbacks, c) == 0);
	nghttp2_session_callbacks_del(callbacks);
	return session;
}

/* False once the connection has ended. */
static bool
read_some(connection *c)
{
	uint8_t bytes[64 * 1024];
	ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	if (c->state != OPEN)
		return true;
	if (nghttp2_session_mem_recv(c->session, bytes, (size_t)got) < 0)
		return false;
	for (size_t i = 0; i < c->due_count && c->state == OPEN && !c->reset; i++) {
		stream *stream = nghttp2_session_get_stream_user_data(c->session, c->due[i]);
		if (stream)
			act(c, stream, &stream->play);
	}
	c->due_count = 0;
	return true;
}

/* False once the connection has ended. */
static bool
write_some(connection *c, uint64_t now)
{
	size_t waiting = c->out.size - c->written;
	if (c->limited && waiting > c->left)
		waiting = c->left;
	if (c->pause_ms && waiting) {
		if (now < c->next_byte_nano)
			return true;
		waiting = 1;
		c->next_byte_nano = now + c->pause_ms * OTLOG__NANOS_PER_MS;
	}
	ssize_t sent = waiting ? send(c->fd, c->out.data + c->written, waiting, MSG_NOSIGNAL) : 0;
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	c->written += (size_t)sent;
	if (c->limited && c->left != SIZE_MAX && (c->left -= (size_t)sent) == 0)
		c->state = DRAINING;
	if (c->written == c->out.size || (c->state == DRAINING && c->limited && c->left == 0)) {
		c->out.size = c->written = 0;
		if (c->state == DRAINING)
			shutdown(c->fd, SHUT_WR);
	}
	return true;
}

/* When the connection wants to be looked at again, at the latest. */
static int
wait_ms(const connection *c)
{
	return c->pause_ms && c->written < c->out.size ? (int)c->pause_ms : -1;
}

static void
turn(connection *c, short events)
{
	bool goes_on = true;
	if (c->state == SILENT) {
		if (events & (POLLERR | POLLHUP | POLLRDHUP))
			close_connection(c);
		return;
	}
	if (events & (POLLIN | POLLERR | POLLHUP | POLLRDHUP))
		goes_on = read_some(c);
	if (goes_on && !c->reset) {
		write_session(c);
		goes_on = write_some(c, otlog__monotonic_nano());
	}
	if (goes_on && c->state == OPEN && !nghttp2_session_want_read(c->session) &&
	    !nghttp2_session_want_write(c->session) && c->written == c->out.size) {
		c->state = DRAINING;
		shutdown(c->fd, SHUT_WR);
	}
	if (!goes_on || c->reset)
		close_connection(c);
}

static void
accept_connection(h2_server *server)
{
	connection *c = NULL;
	const int on = 1;
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX && !c; i++)
		if (server->connections[i].fd < 0)
			c = &server->connections[i];
	CHECK(c);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	*c = (connection){ .server = server, .fd = fd, .left = SIZE_MAX };
	c->session = create_session(c);
	watched_add(&server->w, &server->connection_count);
	nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0);
	h2_play play = next_play(server, true);
	if (play.act == H2_SILENCE)
		c->state = SILENT;
	else
		act(c, NULL, &play);
	turn(c, 0);
}

/* False once the server is to stop. */
static bool
obey(h2_server *server)
{
	uint64_t rings;
	CHECK(read(server->bell, &rings, sizeof rings) == sizeof rings);
	pthread_mutex_lock(&server->w.lock);
	bool stop = server->stop;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (server->connections[i].fd >= 0 && (stop || server->disconnect))
			close_connection(&server->connections[i]);
	server->disconnect = false;
	pthread_cond_broadcast(&server->w.changed);
	pthread_mutex_unlock(&server->w.lock);
	return !stop;
}

static void *
serve(void *self)
{
	h2_server *server = self;
	for (;;) {
		struct pollfd fds[CONNECTIONS_MAX + 2] = { { .fd = server->bell, .events = POLLIN },
			                                   { .fd = server->listener, .events = POLLIN } };
		int timeout = -1;
		for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
			const connection *c = &server->connections[i];
			short read = c->state == SILENT ? 0 : POLLIN;
			short write = c->written < c->out.size && !c->pause_ms && c->state != SILENT ? POLLOUT : 0;
			int wait = wait_ms(c);
			fds[i + 2] = (struct pollfd){ .fd = c->fd, .events = (short)(read | write | POLLRDHUP) };
			if (c->fd >= 0 && wait >= 0 && (timeout < 0 || wait < timeout))
				timeout = wait;
		}
		if (poll(fds, CONNECTIONS_MAX + 2, timeout) < 0)
			continue;
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			if (server->connections[i].fd >= 0 && (fds[i + 2].revents || server->connections[i].pause_ms))
				turn(&server->connections[i], fds[i + 2].revents);
		if (fds[0].revents && !obey(server))
			return NULL;
		if (fds[1].revents)
			accept_connection(server);
	}
}

/* ---- For the tests ----------------------------------------------------------------------------------------------- */

h2_server *
h2_server_start(void)
{
	h2_server *server = calloc(1, sizeof *server);
	CHECK(server);
	server->requests = calloc(REQUESTS_MAX, sizeof *server->requests);
	CHECK(server->requests);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		server->connections[i].fd = -1;
	unsigned port;
	server->listener = loopback_listen(&port);
	CHECK(fcntl(server->listener, F_SETFL, O_NONBLOCK) == 0);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", port);
	server->bell = loopback_bell_make();
	watched_init(&server->w);
	CHECK(pthread_create(&server->thread, NULL, serve, server) == 0);
	return server;
}

void
h2_server_stop(h2_server *server)
{
	if (!server)
		return;
	pthread_mutex_lock(&server->w.lock);
	server->stop = true;
	pthread_mutex_unlock(&server->w.lock);
	loopback_bell_ring(server->bell);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->bell);
	h2_server_forget(server);
	watched_destroy(&server->w);
	free(server->requests);
	free(server);
}

const char *
h2_server_url(const h2_server *server)
{
	return server->url;
}

void
h2_server_script(h2_server *server, const h2_play *play)
{
	pthread_mutex_lock(&server->w.lock);
	CHECK(server->script_size < SCRIPT_MAX);
	server->script[server->script_size++] = *play;
	pthread_mutex_unlock(&server->w.lock);
}

void
h2_server_disconnect(h2_server *server)
{
	struct timespec deadline = check_deadline();
	pthread_mutex_lock(&server->w.lock);
	server->disconnect = true;
	loopback_bell_ring(server->bell);
	while (server->disconnect)
		CHECK(pthread_cond_timedwait(&server->w.changed, &server->w.lock, &deadline) == 0);
	pthread_mutex_unlock(&server->w.lock);
}

size_t
h2_server_request_count(h2_server *server)
{
	return watched_read(&server->w, &server->request_count);
}

const h2_request *
h2_server_request_at(h2_server *server, size_t i)
{
	CHECK(i < h2_server_request_count(server));
	return &server->requests[i];
}

void
h2_server_forget(h2_server *server)
{
	pthread_mutex_lock(&server->w.lock);
	for (size_t i = 0; i < server->request_count; i++)
		free(server->requests[i].body);
	server->request_count = 0;
	pthread_mutex_unlock(&server->w.lock);
}

size_t
h2_server_plays_left(h2_server *server)
{
	return watched_read(&server->w, &server->script_size);
}

size_t
h2_server_connection_count(h2_server *server)
{
	return watched_read(&server->w, &server->connection_count);
}
