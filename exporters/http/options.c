#include "exporters/http/options.h"

#include "sdk/base/rare/header_rules.h"

#include <stdlib.h>
#include <string.h>

/* NULL stays NULL. */
static bool
copy_text(const char *from, const char **to)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static bool
copy_headers(const otlog__http_options *from, otlog__http_options *to)
{
	otlog_header *headers = from->header_count ? calloc(from->header_count, sizeof *headers) : NULL;
	to->headers = headers;
	if (!headers)
		return from->header_count == 0;
	for (size_t i = 0; i < from->header_count; i++) {
		const otlog_header *header = &from->headers[i];
		if (otlog__http_header_check(header) == OTLOG__HEADER_OURS)
			continue;
		otlog_header *copy = &headers[to->header_count++];
		if (!copy_text(header->name, &copy->name) || !copy_text(header->value, &copy->value))
			return false;
	}
	return true;
}

bool
otlog__http_options_copy(const otlog__http_options *from, otlog__http_options *to)
{
	const char *certificate = from->client_certificate_file;
	*to = (otlog__http_options){ .compression = from->compression,
		                     .follow_redirects = from->follow_redirects,
		                     .names = from->names };
	return copy_text(from->url, &to->url) && copy_text(from->content_type, &to->content_type) &&
	       copy_text(from->ca_file, &to->ca_file) && copy_text(certificate, &to->client_certificate_file) &&
	       copy_text(certificate && *certificate ? from->client_key_file : NULL, &to->client_key_file) &&
	       copy_headers(from, to);
}

void
otlog__http_options_free(otlog__http_options *options)
{
	free((char *)options->url);
	free((char *)options->content_type);
	free((char *)options->ca_file);
	free((char *)options->client_certificate_file);
	free((char *)options->client_key_file);
	for (size_t i = 0; i < options->header_count; i++) {
		free((char *)options->headers[i].name);
		free((char *)options->headers[i].value);
	}
	free((otlog_header *)options->headers);
	*options = (otlog__http_options){ 0 };
}
