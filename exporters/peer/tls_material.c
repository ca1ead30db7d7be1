#include "exporters/peer/tls_material.h"

#include "exporters/peer/printable.h"
#include "exporters/peer/tls_pem.h"
#include "sdk/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((off_t)4 * 1024 * 1024)
#define NAME_SHOWN 60

/* File systems' clocks are coarse, some by 2 s: a file written so lately may change again and look the same. */
#define SETTLED_S 3

bool
otlog__tls_material_add(otlog__tls_material *material, const char *name, const char *setting)
{
	otlog__tls_source *source = &material->sources[material->count];
	source->name = strdup(name);
	source->setting = setting;
	if (source->name)
		material->count++;
	return source->name;
}

static void
wipe(otlog__buffer *text)
{
	if (text->data)
		explicit_bzero(text->data, text->capacity);
	otlog__buffer_free(text);
}

void
otlog__tls_material_free(otlog__tls_material *material)
{
	for (size_t i = 0; i < material->count; i++) {
		free(material->sources[i].name);
		wipe(&material->sources[i].text);
		wipe(&material->used[i]);
	}
	*material = (otlog__tls_material){ 0 };
}

/* ---- What is wrong ----------------------------------------------------------------------------------------------- */

/* Some write the PEM text itself, or base64 of it, where the name of its file belongs. */
static bool
is_pem(const char *name)
{
	return strchr(name, '\n') || strstr(name, "-----") || strncmp(name, "LS0tLS", 6) == 0 ||
	       strlen(name) >= PATH_MAX;
}

void
otlog__tls_source_show(const otlog__tls_source *source, char out[OTLOG__TLS_SHOWN_SIZE])
{
	size_t size = strlen(source->name);
	if (is_pem(source->name)) {
		snprintf(out, OTLOG__TLS_SHOWN_SIZE, "what stands in %s", source->setting);
	} else if (size <= NAME_SHOWN) {
		otlog__http_printable(source->name, size, out, OTLOG__TLS_SHOWN_SIZE);
	} else {
		memcpy(out, "...", 3);
		otlog__http_printable(source->name + size - NAME_SHOWN, NAME_SHOWN, out + 3, OTLOG__TLS_SHOWN_SIZE - 3);
	}
}

static void
set_problem(otlog__tls_material *material, const otlog__tls_source *source, const char *what)
{
	char shown[OTLOG__TLS_SHOWN_SIZE];
	otlog__tls_source_show(source, shown);
	snprintf(material->problem, sizeof material->problem, "%s %s", shown, what);
}

static void
set_unreadable(otlog__tls_material *material, const otlog__tls_source *source, int error)
{
	char what[128];
	snprintf(what, sizeof what, "cannot be read: %s", strerror(error));
	set_problem(material, source, what);
}

static void
set_fault(otlog__tls_material *material, otlog__pem_fault fault)
{
	const otlog__tls_source *first = &material->sources[0];
	const otlog__tls_source *last = &material->sources[material->count - 1];
	char shown[OTLOG__TLS_SHOWN_SIZE];
	char what[OTLOG__TLS_SHOWN_SIZE + 64];
	switch (fault) {
	case OTLOG__PEM_GOOD:
		break;
	case OTLOG__PEM_NO_CERTIFICATE:
		set_problem(material, first, "holds no PEM certificate, or a damaged one");
		break;
	case OTLOG__PEM_NO_KEY:
		set_problem(material, last, "holds no PEM private key, or a damaged one");
		break;
	case OTLOG__PEM_ENCRYPTED:
		set_problem(material, last, "holds a key that wants a password: store it without");
		break;
	case OTLOG__PEM_FOREIGN_KEY:
		otlog__tls_source_show(first, shown);
		snprintf(what, sizeof what, "holds a key that does not belong to the certificate in %s", shown);
		set_problem(material, last, what);
		break;
	case OTLOG__PEM_REFUSED:
		set_problem(material, first, "holds a certificate that OpenSSL refuses: its key may be too short");
		break;
	case OTLOG__PEM_NO_MEMORY:
		set_problem(material, first, "cannot be checked: memory is short");
		break;
	}
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool
may_have_changed(const otlog__tls_material *material)
{
	if (material->unsettled)
		return true;
	for (size_t i = 0; i < material->count; i++) {
		struct stat now;
		if (stat(material->sources[i].name, &now) != 0 || !is_same(&now, &material->sources[i].seen))
			return true;
	}
	return false;
}

static bool
is_settled(const struct stat *seen)
{
	int64_t age_s = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S) - seen->st_mtim.tv_sec;
	return age_s > SETTLED_S || age_s < -SETTLED_S;
}

static bool
read_whole(otlog__tls_material *material, otlog__tls_source *source, int fd)
{
	if (fstat(fd, &source->seen) != 0) {
		set_unreadable(material, source, errno);
		return false;
	}
	size_t size = (size_t)source->seen.st_size;
	const char *wrong = NULL;
	if (!S_ISREG(source->seen.st_mode))
		wrong = "is no regular file";
	else if (source->seen.st_size > FILE_MAX)
		wrong = "is over 4 MiB: it cannot be certificates";
	else if (!otlog__buffer_reserve(&source->text, size + 1))
		wrong = "cannot be read: memory is short";
	ssize_t got = wrong ? 0 : 1;
	while (got > 0 && source->text.size <= size) {
		got = read(fd, source->text.data + source->text.size, size + 1 - source->text.size);
		source->text.size += got > 0 ? (size_t)got : 0;
	}
	if (got < 0) {
		set_unreadable(material, source, errno);
		return false;
	}
	if (!wrong && source->text.size != size)
		wrong = "changes while it is read";
	if (wrong)
		set_problem(material, source, wrong);
	return !wrong;
}

static bool
read_source(otlog__tls_material *material, otlog__tls_source *source)
{
	source->seen = (struct stat){ .st_size = 0 };
	if (is_pem(source->name)) {
		set_problem(material, source, "is no name of a file");
		return false;
	}
	/* Without waiting for a writer, should it be a FIFO. */
	int fd = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		set_unreadable(material, source, errno);
		return false;
	}
	bool whole = read_whole(material, source, fd);
	close(fd);
	return whole;
}

static bool
read_sources(otlog__tls_material *material)
{
	material->unsettled = false;
	for (size_t i = 0; i < material->count; i++) {
		if (!read_source(material, &material->sources[i]))
			return false;
		if (!is_settled(&material->sources[i].seen))
			material->unsettled = true;
	}
	return true;
}

/* ---- Taking into use --------------------------------------------------------------------------------------------- */

static bool
is_in_use(const otlog__tls_material *material)
{
	for (size_t i = 0; i < material->count; i++) {
		const otlog__buffer *text = &material->sources[i].text;
		const otlog__buffer *used = &material->used[i];
		if (!used->size || text->size != used->size || memcmp(text->data, used->data, used->size) != 0)
			return false;
	}
	return true;
}

static bool
check(otlog__tls_material *material, int64_t *expires_unix_s)
{
	const otlog__buffer *first = &material->sources[0].text;
	const otlog__buffer *last = &material->sources[material->count - 1].text;
	otlog__pem_fault fault =
	    material->pair ? otlog__pem_check_pair(first->data, first->size, last->data, last->size, expires_unix_s)
			   : otlog__pem_check_authorities(first->data, first->size);
	set_fault(material, fault);
	if (fault != OTLOG__PEM_GOOD)
		return false;
	/* Expired is better than none, for it is the server that judges it, but not better than one that is not. */
	int64_t now_s = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S);
	if (!material->pair || !material->used[0].size || *expires_unix_s > now_s || material->expires_unix_s <= now_s)
		return true;
	set_problem(material, &material->sources[0], "holds a certificate that has expired");
	return false;
}

static void
take(otlog__tls_material *material)
{
	for (size_t i = 0; i < material->count; i++) {
		wipe(&material->used[i]);
		material->used[i] = material->sources[i].text;
		material->sources[i].text = (otlog__buffer){ 0 };
	}
}

bool
otlog__tls_material_read(otlog__tls_material *material, uint64_t now_nano)
{
	if (!material->count || !may_have_changed(material))
		return false;
	bool was_bad = *material->problem;
	int64_t expires_unix_s = 0;
	bool taken = false;
	material->problem[0] = '\0';
	if (read_sources(material) && !is_in_use(material) && check(material, &expires_unix_s)) {
		take(material);
		material->expires_unix_s = expires_unix_s;
		taken = true;
	}
	if (*material->problem)
		material->unsettled = true;
	if (*material->problem && !was_bad)
		material->bad_since_nano = now_nano;
	for (size_t i = 0; i < material->count; i++)
		wipe(&material->sources[i].text);
	return taken;
}
