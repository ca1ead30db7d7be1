#include "tests/support/servers/certificates.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/files.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
run(char *const arguments[])
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDERR_FILENO); /* it draws dots */
		execvp("openssl", arguments);
		_exit(127);
	}
	int status = 0;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define NAME_SIZE 128

static void
make_request(const certificate *made, const certificate_options *options, char *request)
{
	char names[160];
	char subject[96];
	char password[64];
	snprintf(names, sizeof names, "subjectAltName=%s", options->names ? options->names : "IP:127.0.0.1");
	snprintf(subject, sizeof subject, "/CN=%s", options->subject ? options->subject : "otlog test");
	snprintf(password, sizeof password, "pass:%s", options->password ? options->password : "");
	char *arguments[] = { "openssl",
		              "req",
		              "-new",
		              "-newkey",
		              options->short_key ? "rsa:512" : "ec",
		              "-pkeyopt",
		              options->short_key ? "rsa_keygen_pubexp:65537" : "ec_paramgen_curve:prime256v1",
		              "-subj",
		              subject,
		              "-addext",
		              names,
		              "-addext",
		              "basicConstraints=critical,CA:TRUE",
		              "-keyout",
		              (char *)made->key_file,
		              "-out",
		              request,
		              options->password ? "-passout" : "-nodes",
		              options->password ? password : NULL,
		              NULL };
	run(arguments);
}

/* Only `openssl ca` makes certificates of the past. */
static void
write_authority(const char *directory, const char *name)
{
	char database[NAME_SIZE];
	snprintf(database, sizeof database, "%s/database", directory);
	FILE *file = fopen(database, "w");
	CHECK(file);
	fclose(file);
	file = fopen(name, "w");
	CHECK(file);
	fprintf(file,
	        "[ca]\ndefault_ca=test\n[test]\ndatabase=%s\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
	        "unique_subject=no\ncopy_extensions=copy\npolicy=any\n[any]\ncommonName=supplied\n",
	        database, directory);
	CHECK(fclose(file) == 0);
}

/* In a folder of its own, which goes away with the papers of the authority. */
static void
sign(const certificate *made, const certificate_options *options)
{
	char directory[] = "/tmp/otlog-ca-XXXXXX";
	char request[NAME_SIZE];
	char authority[NAME_SIZE];
	char password[64];
	CHECK(mkdtemp(directory));
	snprintf(request, sizeof request, "%s/request.pem", directory);
	snprintf(authority, sizeof authority, "%s/authority.cnf", directory);
	snprintf(password, sizeof password, "pass:%s", options->password ? options->password : "");
	make_request(made, options, request);
	write_authority(directory, authority);
	const certificate *issuer = options->issuer ? options->issuer : made;
	char *arguments[] = { "openssl",
		              "ca",
		              "-batch",
		              "-notext",
		              "-config",
		              authority,
		              "-in",
		              request,
		              "-out",
		              (char *)made->certificate_file,
		              "-startdate",
		              options->expired ? "20200101000000Z" : "20240101000000Z",
		              "-enddate",
		              options->expired ? "20200102000000Z" : "20991231000000Z",
		              "-keyfile",
		              (char *)issuer->key_file,
		              "-passin",
		              password,
		              options->issuer ? "-cert" : "-selfsign",
		              options->issuer ? (char *)issuer->certificate_file : NULL,
		              NULL };
	run(arguments);
	file_remove_all(directory);
}

certificate *
certificate_make(const certificate_options *options)
{
	certificate *made = calloc(1, sizeof *made);
	CHECK(made);
	snprintf(made->directory, sizeof made->directory, "/tmp/otlog-tls-XXXXXX");
	CHECK(mkdtemp(made->directory));
	snprintf(made->certificate_file, sizeof made->certificate_file, "%s/certificate.pem", made->directory);
	snprintf(made->key_file, sizeof made->key_file, "%s/key.pem", made->directory);
	sign(made, options);
	made->certificate = file_read(made->certificate_file);
	made->key = file_read(made->key_file);
	return made;
}

certificate *
certificate_create(const char *names)
{
	return certificate_make(&(certificate_options){ .names = names });
}

void
certificate_free(certificate *made)
{
	if (!made)
		return;
	file_remove_all(made->directory);
	free(made->certificate);
	free(made->key);
	free(made);
}
