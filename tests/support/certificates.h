/* Certificates for tests of TLS, made by the openssl command, in a folder of their own. */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

/* A self-signed certificate: its own authority. */
typedef struct certificate {
	char directory[64];
	char certificate_file[96];
	char key_file[96];
	char *certificate; /* what is in the files */
	char *key;
} certificate;

/* `names` as openssl writes alternative names: "IP:127.0.0.1". Ends the test program if there is no openssl. */
certificate *certificate_create(const char *names);

/* Removes the folder. NULL is allowed. */
void certificate_free(certificate *certificate);

#endif
