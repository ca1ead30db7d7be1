#include "exporters/peer/tls_pem.h"

#include "exporters/peer/fork_guard.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <limits.h>
#include <stdbool.h>
#include <time.h>

/* Left to itself OpenSSL asks at the terminal, and waits. */
static int
refuse_password(char *out, int out_size, int writing, void *asked)
{
	(void)out;
	(void)out_size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static BIO *
open_text(const void *text, size_t size)
{
	return size <= INT_MAX ? BIO_new_mem_buf(text, (int)size) : NULL;
}

/* True if the reading of PEM blocks ended because there are no more of them. */
static bool
is_at_end(void)
{
	unsigned long error = ERR_peek_last_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

otlog__pem_fault
otlog__pem_check_authorities(const void *text, size_t size)
{
	otlog__pem_fault fault = OTLOG__PEM_NO_CERTIFICATE;
	bool asked = false;
	otlog__fork_guard_enter();
	ERR_set_mark(); /* the program's own errors are to stay as they are */
	BIO *in = open_text(text, size);
	STACK_OF(X509_INFO) *blocks = in ? PEM_X509_INFO_read_bio(in, NULL, refuse_password, &asked) : NULL;
	for (int i = 0; i < sk_X509_INFO_num(blocks); i++)
		if (sk_X509_INFO_value(blocks, i)->x509)
			fault = OTLOG__PEM_GOOD;
	if (!in)
		fault = OTLOG__PEM_NO_MEMORY;
	sk_X509_INFO_pop_free(blocks, X509_INFO_free);
	BIO_free(in);
	ERR_pop_to_mark();
	otlog__fork_guard_leave();
	return fault;
}

static bool
read_expiry(const X509 *certificate, int64_t *expires_unix_s)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm))
		return false;
	*expires_unix_s = timegm(&tm);
	return true;
}

static otlog__pem_fault
use_certificate(SSL_CTX *context, BIO *in, int64_t *expires_unix_s)
{
	bool asked = false;
	otlog__pem_fault fault = OTLOG__PEM_NO_CERTIFICATE;
	X509 *certificate = PEM_read_bio_X509_AUX(in, NULL, refuse_password, &asked);
	if (!certificate || !read_expiry(certificate, expires_unix_s))
		goto done;
	if (SSL_CTX_use_certificate(context, certificate) != 1) {
		fault = OTLOG__PEM_REFUSED;
		goto done;
	}
	for (;;) {
		X509 *intermediate = PEM_read_bio_X509(in, NULL, refuse_password, &asked);
		if (!intermediate)
			break;
		bool added = SSL_CTX_add0_chain_cert(context, intermediate) == 1;
		if (!added) {
			X509_free(intermediate);
			fault = OTLOG__PEM_REFUSED;
			goto done;
		}
	}
	if (is_at_end())
		fault = OTLOG__PEM_GOOD;
done:
	X509_free(certificate);
	return fault;
}

static otlog__pem_fault
use_key(SSL_CTX *context, BIO *in)
{
	bool asked = false;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, refuse_password, &asked);
	if (!key)
		return asked ? OTLOG__PEM_ENCRYPTED : OTLOG__PEM_NO_KEY;
	/* The context holds the certificate already, and takes no key that is not its. */
	bool used = SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
	EVP_PKEY_free(key);
	return used ? OTLOG__PEM_GOOD : OTLOG__PEM_FOREIGN_KEY;
}

otlog__pem_fault
otlog__pem_check_pair(const void *certificate, size_t certificate_size, const void *key, size_t key_size,
                      int64_t *expires_unix_s)
{
	otlog__pem_fault fault = OTLOG__PEM_NO_MEMORY;
	otlog__fork_guard_enter();
	ERR_set_mark();
	BIO *certificate_in = open_text(certificate, certificate_size);
	BIO *key_in = open_text(key, key_size);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!certificate_in || !key_in || !context)
		goto done;
	fault = use_certificate(context, certificate_in, expires_unix_s);
	if (fault == OTLOG__PEM_GOOD)
		fault = use_key(context, key_in);
done:
	SSL_CTX_free(context);
	BIO_free(key_in);
	BIO_free(certificate_in);
	ERR_pop_to_mark();
	otlog__fork_guard_leave();
	return fault;
}
