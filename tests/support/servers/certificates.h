/* Certificates for tests of TLS, made by the openssl command, in a folder of their own. */
#ifndef TESTS_SUPPORT_SERVERS_CERTIFICATES_H
#define TESTS_SUPPORT_SERVERS_CERTIFICATES_H

#include <stdbool.h>

typedef struct certificate {
	char directory[64];
	char certificate_file[96];
	char key_file[96];
	char *certificate; /* what is in the files */
	char *key;
} certificate;

/* {0} is a self-signed one: its own authority. */
typedef struct certificate_options {
	const char *names;         /* as openssl writes alternative names; NULL: "IP:127.0.0.1" */
	const char *subject;       /* NULL: "otlog test" */
	const certificate *issuer; /* NULL: itself */
	bool expired;              /* years ago */
	bool short_key;            /* RSA with 512 bits: nobody should take it */
	const char *password;      /* of the key; NULL: none */
} certificate_options;

/* Ends the test program if there is no openssl. */
certificate *certificate_make(const certificate_options *options);

/* A self-signed one with these names. */
certificate *certificate_create(const char *names);

/* Removes the folder. NULL is allowed. */
void certificate_free(certificate *certificate);

#endif
