#include "exporters/console/console_text.h"

#include "sdk/base/utf8.h"

#include <stdio.h>
#include <string.h>

void
otlog__console_put(otlog__console_out *out, const void *data, size_t size)
{
	if (!out->failed && !otlog__buffer_append(out->buffer, data, size))
		out->failed = true;
}

void
otlog__console_puts(otlog__console_out *out, const char *string)
{
	otlog__console_put(out, string, strlen(string));
}

/* C1 controls, line separators, and marks that reorder what is shown around them (Unicode, "Bidi_Control"). */
static bool
is_harmful(uint32_t code)
{
	return (code >= 0x80 && code <= 0x9f) || code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* What cannot be shown as it is: at text[0]. Returns the bytes it took. */
static size_t
put_special(otlog__console_out *out, const uint8_t *text, size_t left)
{
	char shown[16];
	bool valid;
	size_t size = otlog__utf8_step(text, text + left, &valid);
	if (!valid) {
		otlog__console_puts(out, OTLOG__UTF8_REPLACEMENT);
		return size;
	}
	if (size > 1) {
		uint32_t code = otlog__utf8_code_point(text, size);
		if (is_harmful(code)) {
			snprintf(shown, sizeof shown, "\\u%04x", (unsigned)code);
			otlog__console_puts(out, shown);
		} else {
			otlog__console_put(out, text, size);
		}
		return size;
	}
	switch (text[0]) {
	case '\n':
		otlog__console_puts(out, "\\n");
		break;
	case '\r':
		otlog__console_puts(out, "\\r");
		break;
	case '\t':
		otlog__console_puts(out, "\\t");
		break;
	default:
		snprintf(shown, sizeof shown, "\\x%02x", text[0]);
		otlog__console_puts(out, shown);
	}
	return 1;
}

/* As it is, but for what harms, and a backslash before either of two characters. */
static void
put_clean(otlog__console_out *out, otlog_slice text, const char *backslashed, bool keep_tabs)
{
	size_t i = 0;
	while (i < text.size) {
		size_t begin = i;
		uint8_t c = 0;
		for (; i < text.size; i++) {
			c = text.data[i];
			if ((c < 0x20 && !(keep_tabs && c == '\t')) || c >= 0x7f || c == backslashed[0] ||
			    c == backslashed[1])
				break;
		}
		otlog__console_put(out, text.data + begin, i - begin);
		if (i == text.size)
			return;
		if (c >= 0x20 && c < 0x7f) {
			const char escaped[2] = { '\\', (char)c };
			otlog__console_put(out, escaped, sizeof escaped);
			i++;
		} else {
			i += put_special(out, text.data + i, text.size - i);
		}
	}
}

static const char nothing[2] = { '\x7f', '\x7f' }; /* special anyway */

void
otlog__console_put_text(otlog__console_out *out, otlog_slice text)
{
	put_clean(out, text, nothing, false);
}

void
otlog__console_put_quoted(otlog__console_out *out, otlog_slice text)
{
	otlog__console_put(out, "\"", 1);
	put_clean(out, text, "\"\\", false);
	otlog__console_put(out, "\"", 1);
}

void
otlog__console_put_word(otlog__console_out *out, otlog_slice text)
{
	bool plain = text.size != 0 && text.data[0] != '{' && text.data[0] != '[';
	for (size_t i = 0; plain && i < text.size; i++) {
		uint8_t c = text.data[i];
		plain = c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
	}
	if (plain)
		otlog__console_put(out, text.data, text.size);
	else
		otlog__console_put_quoted(out, text);
}

void
otlog__console_put_block(otlog__console_out *out, otlog_slice text, const char *prefix)
{
	while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
		text.size--;
	while (text.size) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;
		otlog_slice line = { text.data, size && text.data[size - 1] == '\r' ? size - 1 : size };
		otlog__console_puts(out, prefix);
		put_clean(out, line, nothing, true);
		otlog__console_put(out, "\n", 1);
		text.data += size + (end != NULL);
		text.size -= size + (end != NULL);
	}
}
