/* Secrets in what a peer says: servers are known to quote the credentials that they refuse. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_SECRETS_H
#define OTLOG_EXPORTERS_HTTP_SECRETS_H

#include "exporters/http/transport.h"

/*
 * Puts *** for what the options hold of credentials wherever the text has it: the URL's password and query, and the values
 * of headers whose names sound like a credential.
 */
void otlog__secrets_mask(const otlog__http_options *options, char *text);

#endif
