/*
 * The certificates of an HTTP transport: read from their files, checked, and read again when the files change, so that
 * they can be renewed under a running process. What was found good is kept in memory and stays in use until the files
 * hold something else that is good: a pair half exchanged, damaged, or gone does no harm.
 */
#ifndef OTLOG_EXPORTERS_HTTP_TLS_H
#define OTLOG_EXPORTERS_HTTP_TLS_H

#include "exporters/peer/tls_files.h"

#include <curl/curl.h>

typedef struct otlog__tls otlog__tls;

/*
 * Reads the files. What is wrong with them is said in one diagnostic and may be put right later; until then TLS fails.
 * NULL, with one diagnostic, if memory is short or libcurl takes no certificates from memory. Needs curl_global_init.
 */
otlog__tls *otlog__tls_create(const otlog__tls_options *options, uint64_t now_nano);

/*
 * Looks whether the files have changed: at most once a second, unless `at_once`, as after a failure, which they may have
 * been changed to put right. The time is monotonic. True if otlog__tls_apply must be called before the next request, on
 * a new connection: old ones were made with other certificates. One thread at a time; reads files.
 */
bool otlog__tls_refresh(otlog__tls *tls, uint64_t now_nano, bool at_once);

/* Has requests of `easy` use what is in use now; they borrow it. False if memory is short: call it again. */
bool otlog__tls_apply(otlog__tls *tls, CURL *easy);

/* Takes from a request what shows who we are. */
void otlog__tls_hide_client(CURL *easy);

/* What is wrong with a file, if a request failed with that CURLcode because of it, until the next refresh; else NULL. */
const char *otlog__tls_problem(const otlog__tls *tls, int curl_code);

/* Requests may borrow no more. NULL is allowed. */
void otlog__tls_free(otlog__tls *tls);

#endif
