/*
 * otlog doctor: what lies between this machine and each destination, one step after the other.
 *
 *   doctor.c            the command: settings, destinations, the test record
 *   doctor_directory.c  whether the queue directory can be used, and what waits there
 *   doctor_target.c      where a destination is, from its settings; through which proxy
 *   doctor_reach.c      resolves, connects, and finds out what a port speaks
 *   doctor_problem.c    what is wrong, from all that was seen. Pure
 *   doctor_text.c, doctor_json.c  the two reports
 */
#ifndef OTLOG_TOOL_DOCTOR_DOCTOR_H
#define OTLOG_TOOL_DOCTOR_DOCTOR_H

#include "sdk/tool/common/tool.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- Settings ---------------------------------------------------------------------------------------------------- */

/* Copies of otlog_setting_view. */
typedef struct otlog__doctor_setting {
	char *variable;
	char *value;
	char *source; /* NULL: the default */
	char *about;
} otlog__doctor_setting;

typedef struct otlog__doctor_settings {
	otlog__doctor_setting *items;
	size_t count;
} otlog__doctor_settings;

/* Never NULL. */
const otlog__doctor_setting *otlog__doctor_setting_find(const otlog__doctor_settings *settings, const char *variable);

/* ---- Where ------------------------------------------------------------------------------------------------------- */

#define OTLOG__DOCTOR_NAME_MAX 256

/* A host and a port to connect to. Both empty: there is none. */
typedef struct otlog__doctor_host {
	char name[OTLOG__DOCTOR_NAME_MAX]; /* without brackets */
	char port[8];
} otlog__doctor_host;

typedef struct otlog__doctor_target {
	char endpoint[512]; /* as settings show it: without secrets. "": standard output */
	bool grpc;
	bool tls;
	otlog__doctor_host host;
	char socket[sizeof((struct sockaddr_un *)0)->sun_path]; /* a Unix socket instead of a host; "" for none */
	otlog__doctor_host proxy;
	const char *proxy_variable; /* NULL: no proxy */
	/* The variables that remedies name. */
	const char *endpoint_variable, *headers_variable, *ca_variable, *client_variable, *timeout_variable;
	const char *ca_file; /* NULL: the system's */
} otlog__doctor_target;

/* Fills *target for an exporter of this name. `proxies` looks up a variable: getenv. */
void otlog__doctor_target_find(const char *exporter, const otlog__doctor_settings *settings,
                               char *(*proxies)(const char *variable), otlog__doctor_target *target);

/* Whether a list such as no_proxy, of hosts and domains with commas between, names the host. */
bool otlog__doctor_is_exempt(const char *list, const char *host);

/* ---- Reach ------------------------------------------------------------------------------------------------------- */

typedef enum otlog__doctor_state {
	OTLOG__DOCTOR_SKIPPED,
	OTLOG__DOCTOR_FINE,
	OTLOG__DOCTOR_BROKEN,
	OTLOG__DOCTOR_TIMED_OUT
} otlog__doctor_state;

typedef struct otlog__doctor_step {
	otlog__doctor_state state;
	double ms;
	int error;      /* errno of a connect; 0: none */
	char text[256]; /* what came of it, for people */
} otlog__doctor_step;

#define OTLOG__DOCTOR_ADDRESSES 8
#define OTLOG__DOCTOR_ADDRESS_MAX (INET6_ADDRSTRLEN + 8)

typedef struct otlog__doctor_address {
	struct sockaddr_storage socket;
	socklen_t size;
	char text[OTLOG__DOCTOR_ADDRESS_MAX]; /* without the port */
} otlog__doctor_address;

/* What a port answers with, where it answers at all. */
typedef enum otlog__doctor_speech {
	OTLOG__DOCTOR_SILENCE,
	OTLOG__DOCTOR_TLS,
	OTLOG__DOCTOR_HTTP1,
	OTLOG__DOCTOR_HTTP2,
	OTLOG__DOCTOR_GIBBERISH
} otlog__doctor_speech;

typedef struct otlog__doctor_reach {
	otlog__doctor_address addresses[OTLOG__DOCTOR_ADDRESSES];
	size_t address_count;
	size_t connected; /* its index, once connect is fine */
	otlog__doctor_step resolve;
	otlog__doctor_step connect;
} otlog__doctor_reach;

/* Resolves and connects, to the proxy if there is one. Blocks for twice the time at most. */
void otlog__doctor_try(const otlog__doctor_target *target, uint64_t timeout_ms, otlog__doctor_reach *reach);

/* Greets the address that was connected to in other protocols. Blocks for twice the time at most. */
otlog__doctor_speech otlog__doctor_listen(const otlog__doctor_reach *reach, uint64_t timeout_ms);

/* What the first bytes of an answer are. */
otlog__doctor_speech otlog__doctor_speech_of(const void *bytes, size_t size);

/* ---- Problems ---------------------------------------------------------------------------------------------------- */

/* The words are a stable interface: docs/otlog.md lists them. */
#define OTLOG__DOCTOR_PROBLEMS(X)               \
	X(NONE, "none")                         \
	X(NAME_NOT_FOUND, "name_not_found")     \
	X(REFUSED, "connection_refused")        \
	X(NO_CONNECTION, "no_connection")       \
	X(TIMEOUT, "timeout")                   \
	X(CLOSED, "connection_closed")          \
	X(NAME_MISMATCH, "tls_name_mismatch")   \
	X(EXPIRED, "tls_expired")               \
	X(UNTRUSTED, "tls_untrusted")           \
	X(TLS_FILES, "tls_files")               \
	X(CLIENT_REFUSED, "tls_client_refused") \
	X(TLS_FAILED, "tls_failed")             \
	X(GRPC_PORT, "grpc_port")               \
	X(HTTP_PORT, "http_port")               \
	X(TLS_PORT, "tls_port")                 \
	X(PLAIN_PORT, "plain_port")             \
	X(WRONG_PROTOCOL, "wrong_protocol")     \
	X(PROXY, "proxy")                       \
	X(UNAUTHORIZED, "unauthorized")         \
	X(FORBIDDEN, "forbidden")               \
	X(NOT_FOUND, "not_found")               \
	X(REDIRECTED, "redirected")             \
	X(THROTTLED, "throttled")               \
	X(UNAVAILABLE, "unavailable")           \
	X(TOO_LARGE, "too_large")               \
	X(REJECTED, "rejected")                 \
	X(FAILED, "failed")

typedef enum otlog__doctor_problem {
#define OTLOG__X(name, word) OTLOG__DOCTOR_##name,
	OTLOG__DOCTOR_PROBLEMS(OTLOG__X)
#undef OTLOG__X
} otlog__doctor_problem;

typedef struct otlog__doctor_finding {
	otlog__doctor_problem problem;
	char what[256];   /* a sentence */
	char detail[256]; /* in the library's words; "" if there are none */
	char remedy[256]; /* a sentence */
} otlog__doctor_finding;

const char *otlog__doctor_problem_word(otlog__doctor_problem problem);

/* What is wrong by the steps and the verdict alone. */
otlog__doctor_problem otlog__doctor_judge(const otlog__doctor_target *target, const otlog__doctor_reach *reach,
                                          const otlog_export_result *result);

/* Whether it is worth while to ask what the port speaks. */
bool otlog__doctor_is_vague(otlog__doctor_problem problem);

/* What is wrong, given what the port speaks. */
otlog__doctor_problem otlog__doctor_judge_speech(const otlog__doctor_target *target, otlog__doctor_problem problem,
                                                 otlog__doctor_speech speech);

void otlog__doctor_explain(const otlog__doctor_target *target, const otlog__doctor_reach *reach,
                           const otlog_export_result *result, otlog__doctor_problem problem,
                           otlog__doctor_finding *finding);

/* ---- The queue directory ----------------------------------------------------------------------------------------- */

typedef struct otlog__doctor_directory {
	const char *path; /* NULL: none is set, or the SDK is off */
	bool usable;
	char what[512]; /* is wrong; a sentence */
	char remedy[256];
	size_t queues;
	size_t live_queues;
	uint64_t records_waiting; /* of dead processes */
} otlog__doctor_directory;

/* Tries it. The notes hear the library; what it says of the directory is taken out of them. */
void otlog__doctor_directory_try(const char *path, otlog__tool_notes *notes, otlog__doctor_directory *directory);

/* ---- Reports ----------------------------------------------------------------------------------------------------- */

typedef struct otlog__doctor_destination {
	const char *exporter;
	otlog__doctor_target target;
	otlog__doctor_reach reach;
	double send_ms;
	otlog_export_result result;
	otlog__doctor_finding finding;
} otlog__doctor_destination;

typedef struct otlog__doctor_report {
	const otlog__doctor_settings *settings;
	bool all; /* settings at their defaults too */
	otlog__tool_notes *notes;
	otlog__doctor_directory directory;
	const otlog__doctor_destination *destinations;
	size_t destination_count;
	size_t missing; /* asked for, but the library could not make them: the notes say why */
	size_t failing; /* those included */
	int exit_status;
} otlog__doctor_report;

/* In pieces, so that each is there as soon as it is known. */
void otlog__doctor_text_settings(const otlog__doctor_report *report, FILE *out);
void otlog__doctor_text_directory(const otlog__doctor_directory *directory, FILE *out);
void otlog__doctor_text_destination(const otlog__doctor_destination *destination, FILE *out);
void otlog__doctor_text_end(const otlog__doctor_report *report, FILE *out);

/* One object, one line. */
void otlog__doctor_json(const otlog__doctor_report *report, FILE *out);

#endif
