#include "sdk/tool/common/tool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * How many bytes the UTF-8 character at the text has; 0 if it is none. Overlong forms, surrogates and what is beyond
 * U+10FFFF are none. Source: RFC 3629, section 4.
 */
static size_t
character_size(const unsigned char *text)
{
	size_t size = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((*text == 0xe0 && text[1] < 0xa0) || (*text == 0xed && text[1] > 0x9f) ||
	    (*text == 0xf0 && text[1] < 0x90) || (*text == 0xf4 && text[1] > 0x8f))
		return 0;
	return size;
}

void
otlog__tool_json_string(FILE *out, const char *text)
{
	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t size = character_size(at);
		if (size == 0)
			fputs("\xef\xbf\xbd", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, size, out);
		at += size ? size : 1;
	}
	putc('"', out);
}

void
otlog__tool_put(FILE *out, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t size = character_size(at);
		bool control = size == 0 || *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0);
		if (control)
			putc('?', out);
		else
			fwrite(at, 1, size, out);
		at += size ? size : 1;
	}
}

bool
otlog__tool_colours(FILE *out)
{
	const char *never = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	return isatty(fileno(out)) && !(never && *never) && terminal && strcmp(terminal, "dumb") != 0;
}

double
otlog__tool_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}
