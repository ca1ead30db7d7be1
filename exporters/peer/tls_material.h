/*
 * What TLS needs from one or two files that are good or bad together: the certificates of authorities, or a client's
 * certificate with its key. The texts in use are in memory; others from the files take their place only when they are
 * good.
 */
#ifndef OTLOG_EXPORTERS_PEER_TLS_MATERIAL_H
#define OTLOG_EXPORTERS_PEER_TLS_MATERIAL_H

#include "sdk/base/buffer.h"

#include <sys/stat.h>

typedef struct otlog__tls_source {
	char *name; /* of the file; may be a secret by mistake: print it with otlog__tls_source_show only */
	const char *setting;
	struct stat seen; /* the file when it was read; {0}: it could not be */
	otlog__buffer text;
} otlog__tls_source;

/* {0} is one that nobody asks for. */
typedef struct otlog__tls_material {
	bool pair; /* certificate and key; else authorities */
	size_t count;
	otlog__tls_source sources[2];
	otlog__buffer used[2];  /* the texts in use; used[0].size 0: none yet */
	int64_t expires_unix_s; /* that pair */
	bool unsettled;         /* the files are read again, changed or not */
	uint64_t bad_since_nano;
	char problem[256]; /* with what lies in the files now; "": none */
} otlog__tls_material;

/* Adds a file; the setting is a static string. False if memory is short. */
bool otlog__tls_material_add(otlog__tls_material *material, const char *name, const char *setting);

/*
 * Reads and checks the files, if they may have changed since the last time. True if what is in use has changed; what it
 * was before is freed.
 */
bool otlog__tls_material_read(otlog__tls_material *material, uint64_t now_nano);

void otlog__tls_material_free(otlog__tls_material *material);

#define OTLOG__TLS_SHOWN_SIZE 80

/* The end of the file's name, printable; without what may be a key that stands where the name of its file belongs. */
void otlog__tls_source_show(const otlog__tls_source *source, char out[OTLOG__TLS_SHOWN_SIZE]);

#endif
