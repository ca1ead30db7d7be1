#include "sdk/crash/modules.h"

#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define MODULES_MAX 256

typedef struct module {
	uintptr_t begin;
	uintptr_t end;
	uintptr_t bias; /* what its own addresses have been moved by */
	char name[OTLOG__MODULE_NAME_MAX];
} module;

typedef struct list {
	size_t count;
	unsigned long long added; /* the loader's own counts, when this was copied */
	unsigned long long removed;
	module modules[MODULES_MAX];
} list;

/* One is read while the other is written. */
static list lists[2];
static _Atomic(const list *) current; /* NULL: there is none. Writer: who refreshes, with release */

static void
put_name(char out[OTLOG__MODULE_NAME_MAX], const char *path)
{
	char program[512];
	ssize_t size = *path ? 0 : readlink("/proc/self/exe", program, sizeof program - 1);
	if (size > 0) { /* the program itself has no name in the list */
		program[size] = '\0';
		path = program;
	}
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strnlen(name, OTLOG__MODULE_NAME_MAX - 1);
	memcpy(out, name, length);
	out[length] = '\0';
}

static int
copy(struct dl_phdr_info *info, size_t size, void *user)
{
	list *l = user;
	(void)size;
	if (l->count == MODULES_MAX)
		return 1;
	module *m = &l->modules[l->count];
	*m = (module){ .begin = UINTPTR_MAX, .bias = info->dlpi_addr };
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + part->p_vaddr;
		if (part->p_type != PT_LOAD)
			continue;
		m->begin = begin < m->begin ? begin : m->begin;
		m->end = begin + part->p_memsz > m->end ? begin + part->p_memsz : m->end;
	}
	if (m->end == 0)
		return 0;
	put_name(m->name, info->dlpi_name ? info->dlpi_name : "");
	l->added = info->dlpi_adds;
	l->removed = info->dlpi_subs;
	l->count++;
	return 0;
}

/* Looks at the first module only: the counts are the same in all. */
static int
is_same(struct dl_phdr_info *info, size_t size, void *user)
{
	const list *l = user;
	(void)size;
	return info->dlpi_adds == l->added && info->dlpi_subs == l->removed ? 1 : 2;
}

void
otlog__modules_refresh(void)
{
	const list *before = atomic_load_explicit(&current, memory_order_relaxed); /* our own */
	if (before && dl_iterate_phdr(is_same, (void *)before) == 1)
		return;
	list *l = &lists[before == &lists[0]];
	l->count = 0;
	dl_iterate_phdr(copy, l);
	/* Release: who reads it finds it whole. */
	atomic_store_explicit(&current, l, memory_order_release);
}

const char *
otlog__modules_find(uintptr_t address, uintptr_t *offset)
{
	const list *l = atomic_load_explicit(&current, memory_order_acquire);
	for (size_t i = 0; l && i < l->count; i++) {
		const module *m = &l->modules[i];
		if (address >= m->begin && address < m->end) {
			*offset = address - m->bias;
			return m->name;
		}
	}
	return NULL;
}
