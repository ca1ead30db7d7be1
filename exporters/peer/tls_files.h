/*
 * The certificate files of one destination: read, checked, and read again when they change. Each trouble with them is said
 * once.
 */
#ifndef OTLOG_EXPORTERS_PEER_TLS_FILES_H
#define OTLOG_EXPORTERS_PEER_TLS_FILES_H

#include "exporters/peer/names.h"
#include "exporters/peer/tls_material.h"

/* Everything is copied, but for the names: these must be static strings. */
typedef struct otlog__tls_options {
	const char *ca_file; /* these three: NULL or "" for none, and the system's roots instead of the first */
	const char *client_certificate_file;
	const char *client_key_file; /* none: the key is in the certificate's file */
	otlog__peer_names names;
} otlog__tls_options;

typedef struct otlog__tls_part {
	otlog__tls_material material;
	char said[256]; /* the problem that was reported; "": all was well since */
} otlog__tls_part;

/* {0} has none. One thread at a time. */
typedef struct otlog__tls_files {
	otlog__tls_part authorities;
	otlog__tls_part client;
	uint64_t next_look_nano;
} otlog__tls_files;

/* Reads the files for the first time, into what is {0}. False if memory is short; close them then too. */
bool otlog__tls_files_open(otlog__tls_files *files, const otlog__tls_options *options, uint64_t now_nano);

/*
 * Looks whether the files have changed: at most once a second, unless `at_once`. The time is monotonic. True if what is in
 * use has changed; texts that were in use before are freed.
 */
bool otlog__tls_files_refresh(otlog__tls_files *files, uint64_t now_nano, bool at_once);

void otlog__tls_files_close(otlog__tls_files *files);

#endif
