#include "sdk/base/buffer.h"

#include <stdlib.h>
#include <string.h>

bool
otlog__buffer_reserve(otlog__buffer *buffer, size_t more)
{
	if (more <= buffer->capacity - buffer->size)
		return true;
	if (more > SIZE_MAX / 2 - buffer->size)
		return false;
	size_t wanted = buffer->size + more;
	size_t capacity = buffer->capacity ? buffer->capacity : 256;
	while (capacity < wanted)
		capacity *= 2;
	uint8_t *data = realloc(buffer->data, capacity);
	if (!data)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

bool
otlog__buffer_append(otlog__buffer *buffer, const void *data, size_t size)
{
	if (!otlog__buffer_reserve(buffer, size))
		return false;
	if (size)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return true;
}

void
otlog__buffer_free(otlog__buffer *buffer)
{
	free(buffer->data);
	*buffer = (otlog__buffer){ 0 };
}
