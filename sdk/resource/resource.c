#include "sdk/resource/resource.h"

#include "sdk/base/random.h"
#include "sdk/base/strings.h"
#include "sdk/base/version.h"
#include "sdk/record/encode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_NAME "service.name"
#define UNKNOWN_SERVICE "unknown_service"
#define DEFAULTS 7
#define UUID_SIZE 37 /* with its NUL */

/* The text that the default attributes point to. */
typedef struct defaults {
	char executable[NAME_MAX + 1]; /* empty: not known */
	char service_name[sizeof UNKNOWN_SERVICE + 1 + NAME_MAX];
	char instance_id[UUID_SIZE];
} defaults;

/* A list of attributes with room for every one that may come. Keys in it are unique. */
typedef struct list {
	otlog_attr *items;
	size_t count;
} list;

static void
put(list *list, otlog_attr attr)
{
	if (!attr.key || !attr.key_size)
		return;
	for (size_t i = 0; i < list->count; i++) {
		otlog_attr *item = &list->items[i];
		if (item->key_size == attr.key_size && memcmp(item->key, attr.key, attr.key_size) == 0) {
			item->value = attr.value;
			return;
		}
	}
	list->items[list->count++] = attr;
}

/* The base name of the program's file, whose path the kernel marks if the file has been deleted or replaced since. */
static void
read_executable(char out[NAME_MAX + 1])
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX];
	out[0] = '\0';
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	if (size <= 0)
		return;
	path[size] = '\0';
	size_t used = (size_t)size;
	size_t mark = sizeof deleted - 1;
	if (used > mark && strcmp(path + used - mark, deleted) == 0)
		path[used - mark] = '\0';
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (strlen(name) <= NAME_MAX)
		strcpy(out, name);
}

/* Version 4, variant 1 (RFC 9562, section 5.4). */
static void
make_uuid(char out[UUID_SIZE])
{
	uint64_t high = (otlog__random_u64() & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
	uint64_t low = (otlog__random_u64() & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
	snprintf(out, UUID_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
	         (unsigned)(high & 0xffff), (unsigned)(low >> 48),
	         (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

static void
put_defaults(list *list, defaults *defaults)
{
	read_executable(defaults->executable);
	make_uuid(defaults->instance_id);
	snprintf(defaults->service_name, sizeof defaults->service_name, "%s%s%s", UNKNOWN_SERVICE,
	         *defaults->executable ? ":" : "", defaults->executable);
	put(list, OTLOG_KV(SERVICE_NAME, defaults->service_name));
	put(list, OTLOG_KV("service.instance.id", defaults->instance_id));
	put(list, OTLOG_KV("telemetry.sdk.name", "otlog"));
	put(list, OTLOG_KV("telemetry.sdk.language", "c"));
	put(list, OTLOG_KV("telemetry.sdk.version", OTLOG__VERSION));
	put(list, OTLOG_KV("process.pid", (int64_t)getpid()));
	if (*defaults->executable)
		put(list, OTLOG_KV("process.executable.name", defaults->executable));
}

static char *
service_name_of(const list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const otlog_attr *item = &list->items[i];
		if (item->key_size == strlen(SERVICE_NAME) && memcmp(item->key, SERVICE_NAME, item->key_size) == 0 &&
		    item->value.type == OTLOG_VALUE_STRING && item->value.as.bytes.data)
			return otlog__text_copy(
			    (otlog__text){ .data = item->value.as.bytes.data, .size = item->value.as.bytes.size });
	}
	return strdup(UNKNOWN_SERVICE);
}

bool
otlog__resource_make(otlog__resource *resource, const otlog__config *config)
{
	const otlog_attrs given = config->resource_attributes;
	defaults defaults;
	bool made = false;
	*resource = (otlog__resource){ 0 };
	list list = { .items = calloc(DEFAULTS + given.count, sizeof *list.items) };
	if (!list.items)
		return false;
	put_defaults(&list, &defaults);
	for (size_t i = 0; i < given.count; i++)
		put(&list, given.items[i]);
	resource->service_name = service_name_of(&list);
	made = resource->service_name &&
	       otlog__resource_encode((otlog_attrs){ .items = list.items, .count = list.count }, &resource->head) &&
	       otlog__schema_url_encode(config->resource_schema_url, &resource->tail);
	free(list.items);
	return made;
}

void
otlog__resource_free(otlog__resource *resource)
{
	otlog__buffer_free(&resource->head);
	otlog__buffer_free(&resource->tail);
	free(resource->service_name);
	*resource = (otlog__resource){ 0 };
}
