#include "exporters/http/tls.h"

#include "exporters/peer/fork_guard.h"
#include "sdk/base/process/diagnostics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct otlog__tls {
	otlog__tls_files files;
	bool changed; /* what easy handles use may be gone: they must be told */
};

/* ---- Creating ---------------------------------------------------------------------------------------------------- */

/* Only with some TLS libraries can libcurl take certificates from memory. */
static bool
can_take_texts(void)
{
	otlog__fork_guard_enter();
	CURL *easy = curl_easy_init();
	bool can = easy && curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, NULL) == CURLE_OK;
	curl_easy_cleanup(easy);
	otlog__fork_guard_leave();
	return can;
}

otlog__tls *
otlog__tls_create(const otlog__tls_options *options, uint64_t now_nano)
{
	otlog__tls *tls = calloc(1, sizeof *tls);
	bool created = false;
	if (!tls || !otlog__tls_files_open(&tls->files, options, now_nano)) {
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "memory is short for certificates: nothing is exported. Give the process more memory");
		goto done;
	}
	created = can_take_texts() || (!tls->files.authorities.material.count && !tls->files.client.material.count);
	if (!created) {
		otlog__diagnose_always(OTLOG__ERROR,
		                       "this libcurl (%s) takes no certificates from memory: nothing is exported. "
		                       "Install one that was built with OpenSSL",
		                       curl_version_info(CURLVERSION_NOW)->ssl_version);
		goto done;
	}
	tls->changed = true; /* also if there is nothing good: requests must fail then */
done:
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
	otlog__tls_files_close(&tls->files);
	free(tls);
}

/* ---- Use --------------------------------------------------------------------------------------------------------- */

bool
otlog__tls_refresh(otlog__tls *tls, uint64_t now_nano, bool at_once)
{
	if (otlog__tls_files_refresh(&tls->files, now_nano, at_once))
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
	const otlog__tls_material *authorities = &tls->files.authorities.material;
	const otlog__tls_material *client = &tls->files.client.material;
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
		material = &tls->files.authorities.material;
	if (curl_code == CURLE_SSL_CERTPROBLEM)
		material = &tls->files.client.material;
	return material && *material->problem && !material->used[0].size ? material->problem : NULL;
}
