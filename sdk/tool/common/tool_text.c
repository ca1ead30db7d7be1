#include "sdk/tool/common/tool.h"

#include "sdk/base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
otlog__tool_json_string(FILE *out, const char *text)
{
	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	const uint8_t *end = (const uint8_t *)text + strlen(text);
	for (const uint8_t *at = (const uint8_t *)text; at < end;) {
		bool valid;
		size_t size = otlog__utf8_step(at, end, &valid);
		if (!valid)
			fputs(OTLOG__UTF8_REPLACEMENT, out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, size, out);
		at += size;
	}
	putc('"', out);
}

void
otlog__tool_put(FILE *out, const char *text)
{
	const uint8_t *end = (const uint8_t *)text + strlen(text);
	for (const uint8_t *at = (const uint8_t *)text; at < end;) {
		bool valid;
		size_t size = otlog__utf8_step(at, end, &valid);
		uint32_t character = valid ? otlog__utf8_code_point(at, size) : 0;
		if (character < ' ' || (character >= 0x7f && character < 0xa0))
			putc('?', out);
		else
			fwrite(at, 1, size, out);
		at += size;
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
