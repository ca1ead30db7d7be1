#include "exporters/http/endpoint.h"

#include "sdk/base/rare/address.h"

#include <stdlib.h>

const char *
otlog__endpoint_read(const char *text, otlog__endpoint *endpoint)
{
	otlog__url url;
	*endpoint = (otlog__endpoint){ 0 };
	const char *problem = otlog__url_parse(otlog__text_of(text), &url);
	if (problem)
		return problem;
	endpoint->full = otlog__text_copy(otlog__text_of(text));
	endpoint->display = otlog__url_display(&url);
	endpoint->host = otlog__text_copy(otlog__host_bare(url.authority.host));
	endpoint->port = otlog__text_copy(otlog__url_port(&url));
	endpoint->loopback = otlog__host_is_loopback(url.authority.host);
	if (endpoint->full && endpoint->display && endpoint->host && endpoint->port)
		return NULL;
	otlog__endpoint_free(endpoint);
	return "memory is short";
}

void
otlog__endpoint_free(otlog__endpoint *endpoint)
{
	free(endpoint->full);
	free(endpoint->display);
	free(endpoint->host);
	free(endpoint->port);
	*endpoint = (otlog__endpoint){ 0 };
}
