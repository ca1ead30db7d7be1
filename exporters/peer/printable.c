#include "exporters/peer/printable.h"

void
otlog__http_printable(const void *text, size_t text_size, char *out, size_t out_size)
{
	const unsigned char *bytes = text;
	size_t used = 0;
	size_t i = 0;
	while (i < text_size && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\r' || bytes[i] == '\n'))
		i++;
	for (; i < text_size && bytes[i] != '\n' && bytes[i] != '\r' && used + 1 < out_size; i++)
		out[used++] = bytes[i] < 0x20 || bytes[i] > 0x7e ? '?' : (char)bytes[i];
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
}
