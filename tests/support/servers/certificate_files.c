#include "tests/support/servers/certificate_files.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/files.h"

#include <stdio.h>
#include <stdlib.h>

void
certificate_files_make(certificate_files *files)
{
	snprintf(files->directory, sizeof files->directory, "/tmp/otlog-client-XXXXXX");
	CHECK(mkdtemp(files->directory));
	snprintf(files->authority, sizeof files->authority, "%s/ca.pem", files->directory);
	snprintf(files->certificate, sizeof files->certificate, "%s/certificate.pem", files->directory);
	snprintf(files->key, sizeof files->key, "%s/key.pem", files->directory);
}

void
certificate_files_remove(const certificate_files *files)
{
	file_remove_all(files->directory);
}

void
certificate_files_put(const certificate_files *files, const certificate *from)
{
	file_write(files->certificate, from->certificate);
	file_write(files->key, from->key);
}
