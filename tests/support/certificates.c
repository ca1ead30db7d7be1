#include "tests/support/certificates.h"

#include "tests/support/check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
run_openssl(const certificate *made, const char *names)
{
	char extension[128];
	snprintf(extension, sizeof extension, "subjectAltName=%s", names);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDERR_FILENO); /* it draws dots */
		execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=otlog test", "-addext",
		       extension, "-keyout", made->key_file, "-out", made->certificate_file, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static char *
read_text(const char *name)
{
	char *text = calloc(1, 16 * 1024);
	FILE *file = fopen(name, "r");
	CHECK(text && file);
	size_t size = fread(text, 1, 16 * 1024 - 1, file);
	CHECK(size > 0);
	fclose(file);
	return text;
}

certificate *
certificate_create(const char *names)
{
	certificate *made = calloc(1, sizeof *made);
	CHECK(made);
	snprintf(made->directory, sizeof made->directory, "/tmp/otlog-tls-XXXXXX");
	CHECK(mkdtemp(made->directory));
	snprintf(made->certificate_file, sizeof made->certificate_file, "%s/certificate.pem", made->directory);
	snprintf(made->key_file, sizeof made->key_file, "%s/key.pem", made->directory);
	CHECK(run_openssl(made, names));
	made->certificate = read_text(made->certificate_file);
	made->key = read_text(made->key_file);
	return made;
}

void
certificate_free(certificate *made)
{
	if (!made)
		return;
	unlink(made->certificate_file);
	unlink(made->key_file);
	rmdir(made->directory);
	free(made->certificate);
	free(made->key);
	free(made);
}
