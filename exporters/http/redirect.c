#include "exporters/http/redirect.h"

#include <curl/curl.h>

#include <string.h>
#include <strings.h>

static bool
same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *of_a = NULL;
	char *of_b = NULL;
	bool same = curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	            curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(of_a, of_b) == 0;
	curl_free(of_a);
	curl_free(of_b);
	return same;
}

static void
copy_part(CURLU *from, CURLU *to, CURLUPart part)
{
	char *text = NULL;
	if (from && curl_url_get(from, part, &text, 0) != CURLUE_OK)
		text = NULL;
	curl_url_set(to, part, text, 0); /* NULL takes away what is there */
	curl_free(text);
}

static bool
has_user(CURLU *url)
{
	char *user = NULL;
	bool has = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK;
	curl_free(user);
	return has;
}

bool
otlog__redirect_read(const char *from, const char *to, otlog__redirect *redirect)
{
	*redirect = (otlog__redirect){ .same_origin = false };
	CURLU *source = curl_url();
	CURLU *target = curl_url();
	char *text = NULL;
	bool read = source && target && curl_url_set(source, CURLUPART_URL, from, 0) == CURLUE_OK &&
	            curl_url_set(target, CURLUPART_URL, to, 0) == CURLUE_OK;
	if (!read)
		goto done;
	redirect->same_origin = same_part(source, target, CURLUPART_SCHEME) &&
	                        same_part(source, target, CURLUPART_HOST) && same_part(source, target, CURLUPART_PORT);
	if (!redirect->same_origin || !has_user(target)) {
		copy_part(redirect->same_origin ? source : NULL, target, CURLUPART_USER);
		copy_part(redirect->same_origin ? source : NULL, target, CURLUPART_PASSWORD);
	}
	read = curl_url_get(target, CURLUPART_URL, &text, 0) == CURLUE_OK &&
	       !otlog__endpoint_read(text, &redirect->target);
done:
	curl_free(text);
	curl_url_cleanup(source);
	curl_url_cleanup(target);
	return read;
}
