/* A client's certificate files, which a test exchanges while somebody reads them. */
#ifndef TESTS_SUPPORT_SERVERS_CERTIFICATE_FILES_H
#define TESTS_SUPPORT_SERVERS_CERTIFICATE_FILES_H

#include "tests/support/servers/certificates.h"

typedef struct certificate_files {
	char directory[64];
	char authority[96]; /* ca.pem */
	char certificate[96];
	char key[96];
} certificate_files;

/* A folder without files. */
void certificate_files_make(certificate_files *files);
void certificate_files_remove(const certificate_files *files);

/* Writes certificate and key, in place: one after the other. */
void certificate_files_put(const certificate_files *files, const certificate *from);

#endif
