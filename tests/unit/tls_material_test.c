/* Certificate files that change, break and vanish under the one who reads them. */
#include "exporters/peer/tls_material.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/certificate_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static certificate *first;
static certificate *second;
static certificate *expired;

typedef struct fixture {
	certificate_files files;
	otlog__tls_material material;
} fixture;

static int
make_certificates(void **state)
{
	(void)state;
	first = certificate_make(&(certificate_options){ .subject = "one" });
	second = certificate_make(&(certificate_options){ .subject = "two" });
	expired = certificate_make(&(certificate_options){ .expired = true });
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	certificate_free(first);
	certificate_free(second);
	certificate_free(expired);
	return 0;
}

static int
setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	certificate_files_make(&f->files);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;
	otlog__tls_material_free(&f->material);
	certificate_files_remove(&f->files);
	free(f);
	return 0;
}

static void
write_sized(const char *name, const char *text, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

static void
write_text(const char *name, const char *text)
{
	write_sized(name, text, strlen(text));
}

static void
open_pair(fixture *f)
{
	f->material.pair = true;
	assert_true(otlog__tls_material_add(&f->material, f->files.certificate, "THE_CERTIFICATE"));
	assert_true(otlog__tls_material_add(&f->material, f->files.key, "THE_KEY"));
}

static void
open_good_pair(fixture *f)
{
	certificate_files_put(&f->files, first);
	open_pair(f);
	assert_true(otlog__tls_material_read(&f->material, 0));
}

static void
assert_uses(const fixture *f, const certificate *expected)
{
	const otlog__buffer *used = f->material.used;
	assert_int_equal(used[0].size, strlen(expected->certificate));
	assert_memory_equal(used[0].data, expected->certificate, used[0].size);
	assert_int_equal(used[1].size, strlen(expected->key));
	assert_memory_equal(used[1].data, expected->key, used[1].size);
}

static void
assert_keeps(fixture *f, const certificate *expected, const char *problem)
{
	assert_false(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, expected);
	assert_non_null(strstr(f->material.problem, problem));
}

static void
a_good_pair_is_taken_once(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	assert_uses(f, first);
	assert_string_equal(f->material.problem, "");
	assert_false(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, first);
}

static void
another_good_pair_takes_its_place(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	certificate_files_put(&f->files, second);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, second);
}

/* Faster than the file system's clock, and of one size: nothing but the text tells them apart. */
static void
no_change_is_too_quick_to_be_seen(void **state)
{
	fixture *f = *state;
	char two[2][2048];
	open_good_pair(f);
	for (int i = 0; i < 2; i++) {
		memset(two[i], '#', sizeof two[i]);
		const char *text = (i ? second : first)->certificate;
		memcpy(two[i], text, strlen(text));
	}
	otlog__tls_material authorities = { 0 };
	assert_true(otlog__tls_material_add(&authorities, f->files.certificate, "THE_CA"));
	for (int i = 0; i < 300; i++) {
		write_sized(f->files.certificate, two[i % 2], sizeof two[0]);
		assert_true(otlog__tls_material_read(&authorities, 0));
		assert_memory_equal(authorities.used[0].data, two[i % 2], sizeof two[0]);
		assert_true(authorities.unsettled); /* whatever this file system's clock can tell */
	}
	otlog__tls_material_free(&authorities);
}

static void
set_time(const char *name, time_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void
a_change_with_an_old_time_is_seen(void **state)
{
	fixture *f = *state;
	certificate_files_put(&f->files, first);
	set_time(f->files.certificate, 1000);
	set_time(f->files.key, 1000);
	open_pair(f);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_false(f->material.unsettled);
	certificate_files_put(&f->files, second);
	set_time(f->files.certificate, 1000);
	set_time(f->files.key, 1000);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, second);
}

static void
a_touched_file_is_no_change(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	set_time(f->files.certificate, 1000);
	assert_false(otlog__tls_material_read(&f->material, 0));
	certificate_files_put(&f->files, first);
	assert_false(otlog__tls_material_read(&f->material, 0));
	assert_string_equal(f->material.problem, "");
}

static void
a_pair_half_exchanged_waits_for_its_other_half(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	write_text(f->files.certificate, second->certificate);
	assert_keeps(f, first, "does not belong to the certificate in");
	assert_non_null(strstr(f->material.problem, "key.pem"));
	assert_non_null(strstr(f->material.problem, "certificate.pem"));
	write_text(f->files.key, second->key);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, second);
	assert_string_equal(f->material.problem, "");
}

static void
a_file_written_byte_by_byte_is_taken_at_its_end(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	write_text(f->files.key, second->key);
	size_t size = strlen(second->certificate);
	for (size_t i = 0; i < size - 1; i += 7) {
		write_sized(f->files.certificate, second->certificate, i);
		assert_keeps(f, first, "certificate.pem holds no PEM certificate");
	}
	write_text(f->files.certificate, second->certificate);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, second);
}

static void
what_is_damaged_or_gone_leaves_the_old_pair_in_use(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	write_text(f->files.key, "rubbish");
	assert_keeps(f, first, "key.pem holds no PEM private key");
	write_text(f->files.key, "");
	assert_keeps(f, first, "key.pem holds no PEM private key");
	unlink(f->files.key);
	assert_keeps(f, first, "key.pem cannot be read: No such file");
	unlink(f->files.certificate);
	assert_keeps(f, first, "certificate.pem cannot be read: No such file");
	certificate_files_put(&f->files, first);
	assert_false(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, first);
	assert_string_equal(f->material.problem, "");
}

static void
what_is_no_file_is_not_read(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	unlink(f->files.key);
	assert_int_equal(mkfifo(f->files.key, 0600), 0); /* with nobody who writes */
	assert_keeps(f, first, "is no regular file");
	unlink(f->files.key);
	assert_int_equal(mkdir(f->files.key, 0700), 0);
	assert_keeps(f, first, "is no regular file");
	rmdir(f->files.key);
	int fd = open(f->files.key, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0); /* sparse */
	close(fd);
	assert_keeps(f, first, "is over 4 MiB");
}

/* As Kubernetes exchanges secrets: files are links through one to a folder, which is set to another in one step. */
static void
links_to_another_folder_are_followed(void **state)
{
	fixture *f = *state;
	char one[96], two[96], data[96], certificate_link[128], key_link[128];
	snprintf(one, sizeof one, "%s/one", f->files.directory);
	snprintf(two, sizeof two, "%s/two", f->files.directory);
	snprintf(data, sizeof data, "%s/data", f->files.directory);
	snprintf(certificate_link, sizeof certificate_link, "%s/certificate.pem", data);
	snprintf(key_link, sizeof key_link, "%s/key.pem", data);
	assert_int_equal(symlink(first->directory, data), 0);
	assert_int_equal(symlink(certificate_link, f->files.certificate), 0);
	assert_int_equal(symlink(key_link, f->files.key), 0);
	open_pair(f);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, first);
	assert_int_equal(symlink(second->directory, two), 0);
	assert_int_equal(rename(two, data), 0);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, second);
}

static void
bad_files_are_taken_when_they_become_good(void **state)
{
	fixture *f = *state;
	open_pair(f);
	assert_false(otlog__tls_material_read(&f->material, 0));
	assert_non_null(strstr(f->material.problem, "certificate.pem cannot be read: No such file"));
	assert_int_equal(f->material.used[0].size, 0);
	certificate_files_put(&f->files, first);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, first);
}

static void
an_expired_pair_is_better_than_none_only(void **state)
{
	fixture *f = *state;
	certificate_files_put(&f->files, expired);
	open_pair(f);
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_uses(f, expired);
	certificate_files_put(&f->files, first);
	assert_true(otlog__tls_material_read(&f->material, 0));
	certificate_files_put(&f->files, expired);
	assert_keeps(f, first, "certificate.pem holds a certificate that has expired");
}

static void
one_file_may_hold_certificate_and_key(void **state)
{
	fixture *f = *state;
	char both[4096];
	snprintf(both, sizeof both, "%s%s", first->key, first->certificate);
	write_text(f->files.certificate, both);
	f->material.pair = true;
	assert_true(otlog__tls_material_add(&f->material, f->files.certificate, "THE_CERTIFICATE"));
	assert_true(otlog__tls_material_read(&f->material, 0));
	assert_string_equal((const char *)f->material.problem, "");
	assert_int_equal(f->material.used[0].size, strlen(both));
}

static void
a_problem_is_as_old_as_its_beginning(void **state)
{
	fixture *f = *state;
	open_good_pair(f);
	unlink(f->files.key);
	otlog__tls_material_read(&f->material, 100);
	otlog__tls_material_read(&f->material, 200);
	assert_int_equal(f->material.bad_since_nano, 100);
	write_text(f->files.key, first->key);
	otlog__tls_material_read(&f->material, 300);
	unlink(f->files.key);
	otlog__tls_material_read(&f->material, 400);
	assert_int_equal(f->material.bad_since_nano, 400);
}

static void
a_key_that_stands_where_its_files_name_belongs_is_never_shown(void **state)
{
	static const char base64[] = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VBTUJNR0J5cUdTTTQ5";
	const char *const secrets[] = { first->key, base64 };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		otlog__tls_material material = { .pair = true };
		assert_true(otlog__tls_material_add(&material, secrets[i], "THE_KEY"));
		assert_false(otlog__tls_material_read(&material, 0));
		assert_string_equal(material.problem, "what stands in THE_KEY is no name of a file");
		otlog__tls_material_free(&material);
	}
}

static void
long_and_odd_names_are_shown_by_their_end(void **state)
{
	char name[300];
	char shown[OTLOG__TLS_SHOWN_SIZE];
	(void)state;
	memset(name, 'x', sizeof name);
	snprintf(name + 280, 20, "/\033[2J\tkey.pem");
	otlog__tls_source source = { .name = name };
	otlog__tls_source_show(&source, shown);
	assert_int_equal(strlen(shown), 63);
	assert_memory_equal(shown, "...xxx", 6);
	assert_string_equal(shown + 63 - 13, "/?[2J?key.pem");
}

int
main(void)
{
#define WITH_FILES(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FILES(a_good_pair_is_taken_once),
		WITH_FILES(another_good_pair_takes_its_place),
		WITH_FILES(no_change_is_too_quick_to_be_seen),
		WITH_FILES(a_change_with_an_old_time_is_seen),
		WITH_FILES(a_touched_file_is_no_change),
		WITH_FILES(a_pair_half_exchanged_waits_for_its_other_half),
		WITH_FILES(a_file_written_byte_by_byte_is_taken_at_its_end),
		WITH_FILES(what_is_damaged_or_gone_leaves_the_old_pair_in_use),
		WITH_FILES(what_is_no_file_is_not_read),
		WITH_FILES(links_to_another_folder_are_followed),
		WITH_FILES(bad_files_are_taken_when_they_become_good),
		WITH_FILES(an_expired_pair_is_better_than_none_only),
		WITH_FILES(one_file_may_hold_certificate_and_key),
		WITH_FILES(a_problem_is_as_old_as_its_beginning),
		cmocka_unit_test(a_key_that_stands_where_its_files_name_belongs_is_never_shown),
		cmocka_unit_test(long_and_odd_names_are_shown_by_their_end),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
