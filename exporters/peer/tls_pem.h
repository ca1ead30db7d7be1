/* What PEM texts hold: checked with what libcurl uses, OpenSSL, before a connection depends on them. Thread-safe. */
#ifndef OTLOG_EXPORTERS_PEER_TLS_PEM_H
#define OTLOG_EXPORTERS_PEER_TLS_PEM_H

#include <stddef.h>
#include <stdint.h>

typedef enum otlog__pem_fault {
	OTLOG__PEM_GOOD,
	OTLOG__PEM_NO_CERTIFICATE, /* none, or one that is cut off or damaged */
	OTLOG__PEM_NO_KEY,         /* none, or one that is cut off or damaged */
	OTLOG__PEM_ENCRYPTED,      /* the key wants a password */
	OTLOG__PEM_FOREIGN_KEY,    /* the key is not the certificate's */
	OTLOG__PEM_REFUSED,        /* OpenSSL would not use the certificate: its key is too short, for example */
	OTLOG__PEM_NO_MEMORY
} otlog__pem_fault;

/* The certificates of authorities: at least one, and nothing damaged. */
otlog__pem_fault otlog__pem_check_authorities(const void *text, size_t size);

/*
 * A certificate, its intermediate ones behind it, and its key; both texts may be the same. *expires_unix_s is when the
 * certificate does, if the answer is OTLOG__PEM_GOOD. Nobody is asked for a password.
 */
otlog__pem_fault otlog__pem_check_pair(const void *certificate, size_t certificate_size, const void *key,
                                       size_t key_size, int64_t *expires_unix_s);

#endif
