/* The checks of PEM texts, with certificates made for the run. */
#include "exporters/peer/tls_pem.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/harness/cmocka.h"

#include <openssl/err.h>

#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static certificate *ours;
static certificate *other;
static certificate *signed_by_other;

static int
make_certificates(void **state)
{
	(void)state;
	ours = certificate_make(&(certificate_options){ .subject = "ours" });
	other = certificate_make(&(certificate_options){ .subject = "other" });
	signed_by_other = certificate_make(&(certificate_options){ .subject = "leaf", .issuer = other });
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	certificate_free(ours);
	certificate_free(other);
	certificate_free(signed_by_other);
	return 0;
}

static otlog__pem_fault
check_sized(const char *certificate, size_t certificate_size, const char *key, size_t key_size)
{
	/* Blocks of exactly these sizes: the sanitizer sees reads beyond them. */
	char *certificate_block = malloc(certificate_size ? certificate_size : 1);
	char *key_block = malloc(key_size ? key_size : 1);
	int64_t expires = 0;
	memcpy(certificate_block, certificate, certificate_size);
	memcpy(key_block, key, key_size);
	otlog__pem_fault fault =
	    otlog__pem_check_pair(certificate_block, certificate_size, key_block, key_size, &expires);
	free(certificate_block);
	free(key_block);
	return fault;
}

static otlog__pem_fault
check_pair(const char *certificate, const char *key)
{
	return check_sized(certificate, strlen(certificate), key, strlen(key));
}

static char *
join(const char *a, const char *b)
{
	char *joined = NULL;
	assert_true(asprintf(&joined, "%s%s", a, b) > 0);
	return joined;
}

/* Up to and with the last line that is not empty. */
static size_t
size_of_blocks(const char *text)
{
	size_t size = strlen(text);
	while (size && text[size - 1] == '\n')
		size--;
	return size;
}

static void
a_certificate_and_its_key_are_good(void **state)
{
	(void)state;
	assert_int_equal(check_pair(ours->certificate, ours->key), OTLOG__PEM_GOOD);
	assert_int_equal(check_pair(signed_by_other->certificate, signed_by_other->key), OTLOG__PEM_GOOD);
}

static void
the_expiry_is_the_certificates(void **state)
{
	certificate *expired = certificate_make(&(certificate_options){ .expired = true });
	int64_t expires = 0;
	(void)state;
	assert_int_equal(otlog__pem_check_pair(expired->certificate, strlen(expired->certificate), expired->key,
	                                       strlen(expired->key), &expires),
	                 OTLOG__PEM_GOOD);
	assert_int_equal(expires, 1577923200); /* 2020-01-02 */
	assert_int_equal(
	    otlog__pem_check_pair(ours->certificate, strlen(ours->certificate), ours->key, strlen(ours->key), &expires),
	    OTLOG__PEM_GOOD);
	assert_true(expires > time(NULL));
	certificate_free(expired);
}

static void
one_file_may_hold_both_in_either_order(void **state)
{
	char *certificate_first = join(ours->certificate, ours->key);
	char *key_first = join(ours->key, ours->certificate);
	(void)state;
	assert_int_equal(check_pair(certificate_first, certificate_first), OTLOG__PEM_GOOD);
	assert_int_equal(check_pair(key_first, key_first), OTLOG__PEM_GOOD);
	free(certificate_first);
	free(key_first);
}

static void
intermediate_certificates_may_follow_and_must_be_whole(void **state)
{
	char *chain = join(signed_by_other->certificate, other->certificate);
	size_t leaf = strlen(signed_by_other->certificate);
	size_t size = size_of_blocks(chain);
	const char *key = signed_by_other->key;
	(void)state;
	assert_int_equal(check_pair(chain, key), OTLOG__PEM_GOOD);
	/* Less than the line that begins the next block cannot be told from a comment. */
	size_t line = strlen("-----BEGIN CERTIFICATE-----\n");
	for (size_t i = leaf + line; i < size; i++)
		assert_int_equal(check_sized(chain, i, key, strlen(key)), OTLOG__PEM_NO_CERTIFICATE);
	free(chain);
}

static void
a_key_of_another_certificate_is_foreign(void **state)
{
	(void)state;
	assert_int_equal(check_pair(ours->certificate, other->key), OTLOG__PEM_FOREIGN_KEY);
	assert_int_equal(check_pair(other->certificate, ours->key), OTLOG__PEM_FOREIGN_KEY);
}

static void
whatever_is_cut_off_is_not_good(void **state)
{
	size_t certificate_size = size_of_blocks(ours->certificate);
	size_t key_size = size_of_blocks(ours->key);
	(void)state;
	for (size_t i = 0; i < certificate_size; i++) {
		assert_int_equal(check_sized(ours->certificate, i, ours->key, key_size), OTLOG__PEM_NO_CERTIFICATE);
		assert_int_equal(otlog__pem_check_authorities(ours->certificate, i), OTLOG__PEM_NO_CERTIFICATE);
	}
	for (size_t i = 0; i < key_size; i++)
		assert_int_equal(check_sized(ours->certificate, certificate_size, ours->key, i), OTLOG__PEM_NO_KEY);
	assert_int_equal(check_sized(ours->certificate, certificate_size, ours->key, key_size), OTLOG__PEM_GOOD);
}

static void
damaged_text_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < strlen(ours->certificate); i++) {
		char *text = join(ours->certificate, "");
		text[i] ^= (char)(1 + i % 255);
		check_pair(text, ours->key);
		otlog__pem_check_authorities(text, strlen(ours->certificate));
		free(text);
	}
	for (size_t i = 0; i < strlen(ours->key); i++) {
		char *text = join(ours->key, "");
		text[i] ^= (char)(1 + i % 255);
		/* Only the public half is compared, so that damage of the other may go unnoticed. */
		check_sized(ours->certificate, strlen(ours->certificate), text, strlen(ours->key));
		free(text);
	}
}

static void
a_certificate_and_a_key_exchanged_are_named(void **state)
{
	(void)state;
	assert_int_equal(check_pair(ours->key, ours->certificate), OTLOG__PEM_NO_CERTIFICATE);
	assert_int_equal(check_pair(ours->certificate, ours->certificate), OTLOG__PEM_NO_KEY);
	assert_int_equal(check_pair("", ""), OTLOG__PEM_NO_CERTIFICATE);
}

static void
a_key_too_short_to_be_used_is_refused(void **state)
{
	certificate *weak = certificate_make(&(certificate_options){ .short_key = true });
	(void)state;
	assert_int_equal(check_pair(weak->certificate, weak->key), OTLOG__PEM_REFUSED);
	certificate_free(weak);
}

static void
nobody_is_asked_for_a_password(void **state)
{
	certificate *locked = certificate_make(&(certificate_options){ .password = "secret" });
	int terminal = -1;
	(void)state;
	pid_t child = forkpty(&terminal, NULL, NULL, NULL); /* it has a terminal at which it could ask */
	if (child < 0) {
		certificate_free(locked);
		print_message("skipped: this machine has no pseudo-terminals (is /dev/pts mounted?)\n");
		skip();
	}
	if (child == 0) {
		alarm(30);
		_exit(check_pair(locked->certificate, locked->key) == OTLOG__PEM_ENCRYPTED ? 0 : 1);
	}
	char said[256];
	assert_true(read(terminal, said, sizeof said) <= 0); /* until the child has ended */
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(terminal);
	certificate_free(locked);
}

static void
authorities_are_one_or_more_certificates(void **state)
{
	char *two = join(ours->certificate, other->certificate);
	char *with_text = join("An authority\n============\n", two);
	(void)state;
	assert_int_equal(otlog__pem_check_authorities(ours->certificate, strlen(ours->certificate)), OTLOG__PEM_GOOD);
	assert_int_equal(otlog__pem_check_authorities(two, strlen(two)), OTLOG__PEM_GOOD);
	assert_int_equal(otlog__pem_check_authorities(with_text, strlen(with_text)), OTLOG__PEM_GOOD);
	assert_int_equal(otlog__pem_check_authorities("text", 4), OTLOG__PEM_NO_CERTIFICATE);
	assert_int_equal(otlog__pem_check_authorities(ours->key, strlen(ours->key)), OTLOG__PEM_NO_CERTIFICATE);
	free(two);
	free(with_text);
}

static void
the_programs_own_openssl_errors_stay_as_they_are(void **state)
{
	(void)state;
	ERR_clear_error();
	ERR_raise(ERR_LIB_USER, 7);
	check_pair("", "");
	check_pair(ours->certificate, other->key);
	otlog__pem_check_authorities("text", 4);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_int_equal(ERR_get_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_and_its_key_are_good),
		cmocka_unit_test(the_expiry_is_the_certificates),
		cmocka_unit_test(one_file_may_hold_both_in_either_order),
		cmocka_unit_test(intermediate_certificates_may_follow_and_must_be_whole),
		cmocka_unit_test(a_key_of_another_certificate_is_foreign),
		cmocka_unit_test(whatever_is_cut_off_is_not_good),
		cmocka_unit_test(damaged_text_is_survived),
		cmocka_unit_test(a_certificate_and_a_key_exchanged_are_named),
		cmocka_unit_test(a_key_too_short_to_be_used_is_refused),
		cmocka_unit_test(nobody_is_asked_for_a_password),
		cmocka_unit_test(authorities_are_one_or_more_certificates),
		cmocka_unit_test(the_programs_own_openssl_errors_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
