#include "exporters/http/tls.h"

#include "exporters/http/tls_material.h"
#include "sdk/base/clock.h"
#include "sdk/base/diagnostics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NANO OTLOG__NANOS_PER_S

/* Two files are seldom exchanged in one step: what is wrong for less than this, with good ones in use, is no news. */
#define GRACE_NANO OTLOG__NANOS_PER_S

/* One of the two, and what was said about it. */
typedef struct part {
	otlog__tls_material material;
	char said[256]; /* the problem that was reported; "": all was well since */
} part;

struct otlog__tls {
	part authorities;
	part client;
	uint64_t next_look_nano;
	bool changed; /* what easy handles use may be gone: they must be told */
};

static bool
given(const char *text)
{
	return text && *text;
}

/* ---- Saying ------------------------------------------------------------------------------------------------------ */

static void
say_taken(const part *part)
{
	char shown[OTLOG__TLS_SHOWN_SIZE];
	const otlog__tls_material *material = &part->material;
	otlog__tls_source_show(&material->sources[0], shown);
	int64_t now_s = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S);
	if (material->pair && material->expires_unix_s <= now_s)
		otlog__diagnose_always(
		    OTLOG__WARN,
		    "the client certificate in %s has expired: servers will refuse it. Renew the file "
		    "that %s names",
		    shown, material->sources[0].setting);
	else
		otlog__diagnose_always(OTLOG__DEBUG, "the certificates in %s are in use from now on", shown);
}

static void
say_problem(part *part, uint64_t now_nano)
{
	const otlog__tls_material *material = &part->material;
	bool in_use = material->used[0].size;
	if (strcmp(material->problem, part->said) == 0 || (in_use && now_nano - material->bad_since_nano < GRACE_NANO))
		return;
	memcpy(part->said, material->problem, sizeof part->said);
	const char *and = material->count > 1 ? " and " : "";
	const char *second = material->count > 1 ? material->sources[1].setting : "";
	if (in_use)
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s. What was read before stays in use; correct the file, or %s%s%s", part->said,
		                       material->sources[0].setting, and, second);
	else
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s. Nothing is sent over TLS until the file, or %s%s%s, is corrected",
		                       part->said, material->sources[0].setting, and, second);
}

static bool
read_part(part *part, uint64_t now_nano)
{
	bool taken = otlog__tls_material_read(&part->material, now_nano);
	if (taken)
		say_taken(part);
	if (*part->material.problem)
		say_problem(part, now_nano);
	else
		part->said[0] = '\0';
	return taken;
}

/* ---- Creating ---------------------------------------------------------------------------------------------------- */

static bool
add_files(otlog__tls *tls, const otlog__tls_options *options)
{
	const otlog__http_names *names = &options->names;
	otlog__tls_material *authorities = &tls->authorities.material;
	otlog__tls_material *client = &tls->client.material;
	client->pair = true;
	if (given(options->ca_file) && !otlog__tls_material_add(authorities, options->ca_file, names->ca_file))
		return false;
	if (!given(options->client_certificate_file)) {
		if (given(options->client_key_file))
			otlog__diagnose_always(OTLOG__WARN,
			                       "%s is of no use without a certificate: servers see no client "
			                       "certificate until %s is set",
			                       names->client_key, names->client_certificate);
		return true;
	}
	return otlog__tls_material_add(client, options->client_certificate_file, names->client_certificate) &&
	       (!given(options->client_key_file) ||
	        otlog__tls_material_add(client, options->client_key_file, names->client_key));
}

/* Only with some TLS libraries can libcurl take certificates from memory. */
static bool
can_take_texts(CURL *easy)
{
	return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, NULL) == CURLE_OK;
}

otlog__tls *
otlog__tls_create(const otlog__tls_options *options, uint64_t now_nano)
{
	CURL *easy = curl_easy_init();
	otlog__tls *tls = calloc(1, sizeof *tls);
	bool created = false;
	if (!easy || !tls || !add_files(tls, options)) {
		otlog__diagnose_always(OTLOG__ERROR, "memory is short for certificates: nothing is exported");
		goto done;
	}
	created = can_take_texts(easy) || (!tls->authorities.material.count && !tls->client.material.count);
	if (!created) {
		otlog__diagnose_always(OTLOG__ERROR,
		                       "this libcurl (%s) takes no certificates from memory: nothing is exported. "
		                       "Install one that was built with OpenSSL",
		                       curl_version_info(CURLVERSION_NOW)->ssl_version);
		goto done;
	}
	otlog__tls_refresh(tls, now_nano, true);
	tls->changed = true; /* also if there is nothing good: requests must fail then */
done:
	curl_easy_cleanup(easy);
	if (created)
		return tls;
	otlog__tls_free(tls);
	return NULL;
}

void
otlog__tls_free(otlog__tls *tls)
{
	if (!tls)
		return;
	otlog__tls_material_free(&tls->authorities.material);
	otlog__tls_material_free(&tls->client.material);
	free(tls);
}

/* ---- Use --------------------------------------------------------------------------------------------------------- */

bool
otlog__tls_refresh(otlog__tls *tls, uint64_t now_nano, bool at_once)
{
	if (!at_once && now_nano < tls->next_look_nano)
		return tls->changed;
	tls->next_look_nano = now_nano + LOOK_NANO;
	if (read_part(&tls->authorities, now_nano))
		tls->changed = true;
	if (read_part(&tls->client, now_nano))
		tls->changed = true;
	return tls->changed;
}

/* Where no text is good yet, one that libcurl cannot use either: leaving it out would mean other trust, or none asked. */
static bool
set_text(CURL *easy, CURLoption option, const otlog__buffer *text)
{
	static char bad[] = "no certificate";
	struct curl_blob blob = { .data = text->size ? (void *)text->data : bad,
		                  .len = text->size ? text->size : sizeof bad - 1,
		                  .flags = CURL_BLOB_NOCOPY };
	return curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

bool
otlog__tls_apply(otlog__tls *tls, CURL *easy)
{
	const otlog__tls_material *authorities = &tls->authorities.material;
	const otlog__tls_material *client = &tls->client.material;
	bool applied = true;
	if (authorities->count) {
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* these authorities, and not the system's as well */
		applied = set_text(easy, CURLOPT_CAINFO_BLOB, &authorities->used[0]);
	}
	if (client->count)
		applied = set_text(easy, CURLOPT_SSLCERT_BLOB, &client->used[0]) &&
		          set_text(easy, CURLOPT_SSLKEY_BLOB, &client->used[client->count - 1]) && applied;
	tls->changed = !applied;
	return applied;
}

void
otlog__tls_hide_client(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, NULL);
	curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, NULL);
}

const char *
otlog__tls_problem(const otlog__tls *tls, int curl_code)
{
	const otlog__tls_material *material = NULL;
	if (curl_code == CURLE_SSL_CACERT_BADFILE)
		material = &tls->authorities.material;
	if (curl_code == CURLE_SSL_CERTPROBLEM)
		material = &tls->client.material;
	return material && *material->problem && !material->used[0].size ? material->problem : NULL;
}
