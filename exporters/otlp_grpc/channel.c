#include "exporters/otlp_grpc/channel.h"

#include "exporters/otlp_grpc/grpc_verdict_table.h"
#include "sdk/base/clock.h"
#include "sdk/base/version.h"

#include <grpc/grpc_security.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_AGENT "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION

/* ---- Certificates ------------------------------------------------------------------------------------------------ */

/* As gRPC wants it: with a NUL behind it. NULL if memory is short. */
static char *
copy_text(const otlog__buffer *text)
{
	return strndup((const char *)text->data, text->size);
}

static void
free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* NULL if memory is short. */
static grpc_channel_credentials *
create_tls(const otlog__tls_material *authorities, const otlog__tls_material *client)
{
	grpc_channel_credentials *credentials = NULL;
	char *roots = authorities->count ? copy_text(&authorities->used[0]) : NULL;
	char *certificate = client->count ? copy_text(&client->used[0]) : NULL;
	char *key = client->count ? copy_text(&client->used[client->count - 1]) : NULL;
	grpc_ssl_pem_key_cert_pair pair = { .private_key = key, .cert_chain = certificate };
	if ((!authorities->count || roots) && (!client->count || (certificate && key)))
		credentials = grpc_ssl_credentials_create_ex(roots, key ? &pair : NULL, NULL, NULL);
	free(roots);
	free(certificate);
	free_secret(key);
	return credentials;
}

/* Nothing is sent with other trust, or without the certificate that was asked for. */
static bool
is_missing(const otlog__tls_material *material, otlog_export_result *result)
{
	if (!material->count || material->used[0].size)
		return false;
	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s (%s)", 140, material->problem, material->sources[0].setting);
	otlog__grpc_fail(&otlog__grpc_tls_files, cause, result);
	return true;
}

static grpc_channel_credentials *
create_credentials(const otlog__grpc_channels *channels, otlog_export_result *result)
{
	const otlog__tls_material *authorities = &channels->files.authorities.material;
	const otlog__tls_material *client = &channels->files.client.material;
	if (channels->destination->target.plaintext)
		return grpc_insecure_credentials_create();
	if (is_missing(authorities, result) || is_missing(client, result))
		return NULL;
	return create_tls(authorities, client);
}

/* ---- Channels ---------------------------------------------------------------------------------------------------- */

#define ARGS_MAX 16

static void
add_number(grpc_channel_args *args, const char *key, int value)
{
	args->args[args->num_args++] =
	    (grpc_arg){ .type = GRPC_ARG_INTEGER, .key = (char *)key, .value = { .integer = value } };
}

static int
clamp_to_int(uint32_t value)
{
	return value < INT_MAX ? (int)value : INT_MAX;
}

static grpc_channel *
open_channel(const otlog__grpc_destination *to, grpc_channel_credentials *credentials)
{
	grpc_arg room[ARGS_MAX];
	grpc_channel_args args = { .num_args = 0, .args = room };
	room[args.num_args++] = (grpc_arg){ .type = GRPC_ARG_STRING,
		                            .key = (char *)GRPC_ARG_PRIMARY_USER_AGENT_STRING,
		                            .value = { .string = (char *)USER_AGENT } };
	add_number(&args, GRPC_ARG_ENABLE_RETRIES, 0);                    /* the processor tries again, and alone */
	add_number(&args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1); /* nor does a name server say how */
	add_number(&args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); /* a new channel shall not find a failed connection */
	add_number(&args, GRPC_ARG_ENABLE_CHANNELZ, 0);
	add_number(&args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, OTLOG__GRPC_RECEIVE_MAX);
	if (to->target.loopback)
		add_number(&args, GRPC_ARG_ENABLE_HTTP_PROXY, 0); /* a proxy's loopback is another one */
	if (to->compress)
		add_number(&args, GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM, GRPC_COMPRESS_GZIP);
	if (to->keepalive_time_ms) {
		add_number(&args, GRPC_ARG_KEEPALIVE_TIME_MS, clamp_to_int(to->keepalive_time_ms));
		if (to->keepalive_timeout_ms)
			add_number(&args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, clamp_to_int(to->keepalive_timeout_ms));
	}
	return grpc_channel_create(to->target.name, credentials, &args);
}

static bool
has_failed(grpc_channel *channel)
{
	grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 0);
	return state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN;
}

bool
otlog__grpc_understands(const otlog__grpc_destination *destination)
{
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	/* gRPC makes a channel of anything; where it can never connect, that has failed before it began. */
	grpc_channel *channel = open_channel(destination, credentials);
	bool good = !has_failed(channel);
	grpc_channel_destroy(channel);
	grpc_channel_credentials_release(credentials);
	return good;
}

static otlog__grpc_link *
open_link(const otlog__grpc_channels *channels, otlog_export_result *result)
{
	const otlog__grpc_destination *to = channels->destination;
	otlog__grpc_link *link = calloc(1, sizeof *link);
	otlog__grpc_fail(&otlog__grpc_out_of_memory, NULL, result);
	if (!link)
		return NULL;
	grpc_channel_credentials *credentials = create_credentials(channels, result);
	if (credentials) {
		char cause[sizeof result->message];
		link->channel = open_channel(to, credentials);
		grpc_channel_credentials_release(credentials);
		if (!has_failed(link->channel))
			return link;
		grpc_channel_destroy(link->channel);
		snprintf(cause, sizeof cause, "%.80s: gRPC opens no channel", to->target.display);
		otlog__grpc_fail(&otlog__grpc_no_channel, cause, result);
	}
	free(link);
	return NULL;
}

static void
close_link(otlog__grpc_link *link)
{
	if (!link)
		return;
	grpc_channel_destroy(link->channel);
	free(link);
}

/* Under the lock. Returns a link that nobody uses any more, to be closed without the lock, or NULL. */
static otlog__grpc_link *
retire(otlog__grpc_channels *channels)
{
	otlog__grpc_link *link = channels->current;
	channels->current = NULL;
	return link && --link->users == 0 ? link : NULL;
}

otlog__grpc_link *
otlog__grpc_link_take(otlog__grpc_channels *channels, otlog_export_result *result)
{
	otlog__grpc_link *unused = NULL;
	pthread_mutex_lock(&channels->lock);
	if (otlog__tls_files_refresh(&channels->files, otlog__monotonic_nano(), channels->look_at_once))
		unused = retire(channels);
	channels->look_at_once = false;
	if (!channels->current) {
		channels->current = open_link(channels, result);
		if (channels->current)
			channels->current->users = 1;
	}
	otlog__grpc_link *link = channels->current;
	if (link)
		link->users++;
	pthread_mutex_unlock(&channels->lock);
	close_link(unused);
	return link;
}

void
otlog__grpc_link_give(otlog__grpc_channels *channels, otlog__grpc_link *link, otlog__grpc_link_state state)
{
	bool useless =
	    state == OTLOG__GRPC_LINK_SILENT || (state == OTLOG__GRPC_LINK_DOUBTFUL && has_failed(link->channel));
	pthread_mutex_lock(&channels->lock);
	if (state != OTLOG__GRPC_LINK_GOOD)
		channels->look_at_once = true;
	if (useless && channels->current == link)
		retire(channels); /* not the last: the caller's use counts */
	bool last = --link->users == 0;
	pthread_mutex_unlock(&channels->lock);
	if (last)
		close_link(link);
}

/* ---- Opening and closing ----------------------------------------------------------------------------------------- */

bool
otlog__grpc_channels_open(otlog__grpc_channels *channels, const otlog__grpc_destination *destination,
                          const otlog_otlp_options *options)
{
	const otlog__tls_options tls = {
		.ca_file = options->ca_file,
		.client_certificate_file = options->client_certificate_file,
		.client_key_file = options->client_key_file,
		.names = { .ca_file = "OTEL_EXPORTER_OTLP_CERTIFICATE",
		           .client_certificate = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
		           .client_key = "OTEL_EXPORTER_OTLP_CLIENT_KEY" },
	};
	channels->destination = destination;
	return destination->target.plaintext || otlog__tls_files_open(&channels->files, &tls, otlog__monotonic_nano());
}

void
otlog__grpc_channels_close(otlog__grpc_channels *channels, bool usable)
{
	if (usable)
		close_link(channels->current);
	channels->current = NULL;
	otlog__tls_files_close(&channels->files);
}
