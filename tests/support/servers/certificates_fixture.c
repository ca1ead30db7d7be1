#include "tests/support/servers/certificates_fixture.h"

#include <stddef.h>

certificate *ours, *foreign, *expired;

int
make_certificates(void **state)
{
	(void)state;
	ours = certificate_create("IP:127.0.0.1");
	foreign = certificate_create("DNS:elsewhere.example");
	expired = certificate_make(&(certificate_options){ .expired = true });
	return 0;
}

int
remove_certificates(void **state)
{
	(void)state;
	certificate_free(ours);
	certificate_free(foreign);
	certificate_free(expired);
	return 0;
}
