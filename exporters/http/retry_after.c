#include "exporters/http/retry_after.h"

#include <curl/curl.h>

#include <string.h>

#define CAP_S (OTLOG__RETRY_AFTER_CAP_MS / 1000)

/* The number, or CAP_S where it is larger. */
static uint64_t
read_seconds(const char *digits, size_t count)
{
	uint64_t seconds = 0;
	for (size_t i = 0; i < count && seconds < CAP_S; i++)
		seconds = seconds * 10 + (uint64_t)(digits[i] - '0');
	return seconds < CAP_S ? seconds : CAP_S;
}

uint64_t
otlog__retry_after_ms(const char *value, int64_t now_unix_s)
{
	if (!value)
		return 0;
	value += strspn(value, " \t");
	size_t digits = strspn(value, "0123456789");
	if (digits && value[digits + strspn(value + digits, " \t\r\n")] == '\0')
		return read_seconds(value, digits) * 1000;
	if (digits) /* no form of a date begins with a digit; libcurl would guess */
		return 0;

	int64_t date = (int64_t)curl_getdate(value, NULL);
	if (date < 0 || date <= now_unix_s)
		return 0;
	uint64_t wait_s = (uint64_t)date - (uint64_t)now_unix_s;
	return (wait_s < CAP_S ? wait_s : CAP_S) * 1000;
}
