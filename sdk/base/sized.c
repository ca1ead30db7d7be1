#include "sdk/base/sized.h"

#include <string.h>

void
otlog__sized_copy(void *to, size_t to_size, const void *from, size_t from_size)
{
	size_t common = !from ? 0 : from_size < to_size ? from_size : to_size;
	if (common)
		memcpy(to, from, common);
	memset((char *)to + common, 0, to_size - common);
}
