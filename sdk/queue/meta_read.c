/* Reading a NAME.meta. Any bytes are taken. */
#include "sdk/queue/crc32c.h"
#include "sdk/queue/meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (UINT64_C(256) << 20) /* of a file; behind that nothing is read */

static bool
read_file(int fd, otlog__buffer *out)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return true;
	uint64_t size = (uint64_t)info.st_size < MOST_BYTES ? (uint64_t)info.st_size : MOST_BYTES;
	if (!otlog__buffer_reserve(out, size + 1))
		return false;
	while (out->size < size) {
		ssize_t got = pread(fd, out->data + out->size, size - out->size, (off_t)out->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		out->size += (size_t)got;
	}
	return true;
}

static bool
take_pipeline(otlog__meta *meta, uint16_t bit, const uint8_t *payload, uint32_t size)
{
	if (bit >= OTLOG__LAYOUT_PIPELINES || meta->pipelines[bit])
		return true;
	char *name = malloc((size_t)size + 1);
	if (!name)
		return false;
	memcpy(name, payload, size);
	name[size] = '\0';
	meta->pipelines[bit] = name;
	return true;
}

static bool
take_scope(otlog__meta *meta, uint16_t number, const uint8_t *payload, uint32_t size)
{
	uint32_t head;
	if (size < sizeof head)
		return true;
	memcpy(&head, payload, sizeof head);
	if (head > size - sizeof head)
		return true;
	const uint8_t *bytes = payload + sizeof head;
	return otlog__scopes_get(meta->scopes, number).head ||
	       otlog__scopes_put(meta->scopes, number, bytes, head, bytes + head, size - sizeof head - head);
}

static bool
take_entry(otlog__meta *meta, const otlog__meta_entry *entry, const uint8_t *payload)
{
	switch (entry->kind) {
	case OTLOG__META_RESOURCE:
		meta->resource.size = 0;
		meta->has_resource = otlog__buffer_append(&meta->resource, payload, entry->size);
		return meta->has_resource;
	case OTLOG__META_PIPELINE:
		return take_pipeline(meta, entry->number, payload, entry->size);
	case OTLOG__META_SCOPE:
		return entry->number == UINT16_MAX || take_scope(meta, entry->number, payload, entry->size);
	default:
		return true;
	}
}

static bool
take_entries(otlog__meta *meta, const otlog__buffer *file)
{
	size_t at = sizeof(otlog__meta_header);
	while (file->size - at >= sizeof(otlog__meta_entry) + sizeof(uint32_t)) {
		const uint8_t *bytes = file->data + at;
		otlog__meta_entry entry;
		uint32_t crc;
		memcpy(&entry, bytes, sizeof entry);
		if (entry.size > file->size - at - sizeof entry - sizeof crc)
			break;
		memcpy(&crc, bytes + sizeof entry + entry.size, sizeof crc);
		if (crc != otlog__crc32c(0, bytes, sizeof entry + entry.size))
			break;
		if (!take_entry(meta, &entry, bytes + sizeof entry))
			return false;
		at += sizeof entry + entry.size + sizeof crc;
	}
	meta->whole = at == file->size;
	return true;
}

bool
otlog__meta_read(otlog__meta *meta, int fd, uint64_t salt)
{
	otlog__buffer file = { 0 };
	otlog__meta_header header;
	*meta = (otlog__meta){ .scopes = otlog__scopes_create(-1) };
	bool done = meta->scopes && read_file(fd, &file);
	meta->bytes = file.size;
	if (done && file.size >= sizeof header) {
		memcpy(&header, file.data, sizeof header);
		if (memcmp(header.magic, OTLOG__META_MAGIC, sizeof header.magic) == 0 &&
		    header.byte_order == OTLOG__BYTE_ORDER && header.version == OTLOG__QUEUE_VERSION &&
		    header.salt == salt)
			done = take_entries(meta, &file);
	}
	otlog__buffer_free(&file);
	return done;
}

void
otlog__meta_free(otlog__meta *meta)
{
	otlog__buffer_free(&meta->resource);
	for (uint32_t p = 0; p < OTLOG__LAYOUT_PIPELINES; p++)
		free(meta->pipelines[p]);
	otlog__scopes_free(meta->scopes);
	*meta = (otlog__meta){ 0 };
}
