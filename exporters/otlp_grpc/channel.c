#include "exporters/otlp_grpc/channel.h"

#include "sdk/base/version.h"

#include <grpc/grpc_security.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_AGENT "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION
#define PEM_MAX ((size_t)4 * 1024 * 1024)

/* ---- Certificate files ------------------------------------------------------------------------------------------- */

/* The file as a string; NULL with errno if it cannot be read. An empty one is no PEM file, nor is one of that size. */
static char *
read_pem(const char *name)
{
	FILE *file = fopen(name, "re");
	if (!file)
		return NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	char piece[4096];
	size_t got = 0;
	while (memory && size <= PEM_MAX && (got = fread(piece, 1, sizeof piece, file)) > 0) {
		fwrite(piece, 1, got, memory);
		fflush(memory);
	}
	int error = ferror(file) ? errno : 0;
	bool whole = memory && fclose(memory) == 0;
	fclose(file);
	if (!error && (!size || size > PEM_MAX || memchr(text, '\0', size)))
		error = EINVAL;
	if (whole && !error)
		return text;
	free(text);
	errno = error ? error : ENOMEM;
	return NULL;
}

/* True if there is no such file to read or it was read; else `why` says what to do. */
static bool
read_if_given(const char *name, const char *variable, char **text, char *why, size_t why_size)
{
	if (!name)
		return true;
	*text = read_pem(name);
	if (!*text)
		snprintf(why, why_size, "%.120s cannot be read: %s. Set %s to a readable PEM file", name,
		         errno == EINVAL ? "no PEM file" : strerror(errno), variable);
	return *text != NULL;
}

static grpc_channel_credentials *
open_tls(const otlog__grpc_destination *to, char *why, size_t why_size)
{
	grpc_channel_credentials *credentials = NULL;
	char *authorities = NULL;
	char *certificate = NULL;
	char *key = NULL;
	if (!read_if_given(to->ca_file, "OTEL_EXPORTER_OTLP_CERTIFICATE", &authorities, why, why_size) ||
	    !read_if_given(to->client_certificate_file, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate, why,
	                   why_size) ||
	    !read_if_given(to->client_key_file, "OTEL_EXPORTER_OTLP_CLIENT_KEY", &key, why, why_size))
		goto done;
	if (!certificate != !key) {
		snprintf(why, why_size,
		         "a client certificate needs its key, and a key its certificate. Set both "
		         "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY");
		goto done;
	}
	grpc_ssl_pem_key_cert_pair pair = { .private_key = key, .cert_chain = certificate };
	credentials = grpc_ssl_credentials_create_ex(authorities, key ? &pair : NULL, NULL, NULL);
	if (!credentials)
		snprintf(why, why_size, "gRPC takes the certificates for none. Check OTEL_EXPORTER_OTLP_CERTIFICATE");
done:
	free(authorities);
	free(certificate);
	free(key);
	return credentials;
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

void
otlog__grpc_destination_free(otlog__grpc_destination *destination)
{
	otlog__grpc_target_free(&destination->target);
	free(destination->ca_file);
	free(destination->client_certificate_file);
	free(destination->client_key_file);
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
open_link(const otlog__grpc_destination *to, char *why, size_t why_size)
{
	otlog__grpc_link *link = calloc(1, sizeof *link);
	snprintf(why, why_size, "memory is short. Give the process more memory");
	if (!link)
		return NULL;
	grpc_channel_credentials *credentials =
	    to->target.plaintext ? grpc_insecure_credentials_create() : open_tls(to, why, why_size);
	if (credentials) {
		link->channel = open_channel(to, credentials);
		grpc_channel_credentials_release(credentials);
		if (!has_failed(link->channel))
			return link;
		grpc_channel_destroy(link->channel);
		snprintf(why, why_size, "%.80s: gRPC opens no channel. Check OTEL_EXPORTER_OTLP_ENDPOINT",
		         to->target.display);
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

otlog__grpc_link *
otlog__grpc_link_take(otlog__grpc_channels *channels, char *why, size_t why_size)
{
	pthread_mutex_lock(&channels->lock);
	if (!channels->current) {
		channels->current = open_link(channels->destination, why, why_size);
		if (channels->current)
			channels->current->users = 1;
	}
	otlog__grpc_link *link = channels->current;
	if (link)
		link->users++;
	pthread_mutex_unlock(&channels->lock);
	return link;
}

void
otlog__grpc_link_give(otlog__grpc_channels *channels, otlog__grpc_link *link, bool failed)
{
	bool useless = failed && has_failed(link->channel);
	pthread_mutex_lock(&channels->lock);
	if (useless && channels->current == link) {
		channels->current = NULL;
		link->users--;
	}
	bool last = --link->users == 0;
	pthread_mutex_unlock(&channels->lock);
	if (last)
		close_link(link);
}

void
otlog__grpc_channels_close(otlog__grpc_channels *channels)
{
	close_link(channels->current);
	channels->current = NULL;
}
