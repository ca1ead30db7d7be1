/* The certificates that most tests of TLS want, made for a test program: hand these two to cmocka_run_group_tests. */
#ifndef TESTS_SUPPORT_SERVERS_CERTIFICATES_FIXTURE_H
#define TESTS_SUPPORT_SERVERS_CERTIFICATES_FIXTURE_H

#include "tests/support/servers/certificates.h"

extern certificate *ours;    /* for 127.0.0.1 */
extern certificate *foreign; /* for another host, and another authority */
extern certificate *expired; /* for 127.0.0.1 */

int make_certificates(void **state);
int remove_certificates(void **state);

#endif
