#include "tests/support/servers/nginx.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/files.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct nginx {
	char directory[64];
	char configuration[96];
	char url[64];
	unsigned port;
	int listener; /* nginx inherits it, so that the port is ours from the beginning and nobody must wait for it */
	pid_t pid;
};

static void
listen_somewhere(nginx *nginx)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	nginx->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(nginx->listener >= 0);
	CHECK(bind(nginx->listener, (struct sockaddr *)&address, size) == 0);
	CHECK(listen(nginx->listener, 64) == 0);
	CHECK(getsockname(nginx->listener, (struct sockaddr *)&address, &size) == 0);
	nginx->port = ntohs(address.sin_port);
}

static void
write_configuration(const nginx *nginx, const nginx_options *options)
{
	static const char *const folders[] = { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" };
	FILE *file = fopen(nginx->configuration, "w");
	CHECK(file);
	fprintf(file,
	        "%sdaemon off; worker_processes 1; pid %s/pid; error_log %s/error.log;\n"
	        "events {}\n"
	        "http {\n"
	        "access_log off; client_max_body_size %s;\n",
	        geteuid() == 0 ? "user root root; " : "", nginx->directory, nginx->directory,
	        options->body_limit ? options->body_limit : "64m");
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		fprintf(file, "%s_temp_path %s/%s;\n", folders[i], nginx->directory, folders[i]);
	fprintf(file, "server {\nlisten 127.0.0.1:%u%s;\n", nginx->port, options->certificate ? " ssl" : "");
	if (options->certificate)
		fprintf(file, "ssl_certificate %s; ssl_certificate_key %s;\n", options->certificate->certificate_file,
		        options->certificate->key_file);
	if (options->client_authorities)
		fprintf(file, "ssl_verify_client on; ssl_client_certificate %s;\n", options->client_authorities);
	if (options->answer)
		fprintf(file, "location / { %s }\n", options->answer);
	else
		fprintf(file,
		        "location / { proxy_pass http://127.0.0.1:%u; proxy_set_header X-Client $ssl_client_s_dn; }\n",
		        options->upstream_port);
	fprintf(file, "} }\n");
	CHECK(fclose(file) == 0);
}

static void
become_nginx(const nginx *nginx)
{
	char inherited[16];
	char errors[96];
	prctl(PR_SET_PDEATHSIG, SIGTERM);    /* which it passes on to its worker */
	int listener = dup(nginx->listener); /* without FD_CLOEXEC */
	snprintf(inherited, sizeof inherited, "%d;", listener);
	snprintf(errors, sizeof errors, "%s/error.log", nginx->directory);
	setenv("NGINX", inherited, 1);
	setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/sbin:/bin", 1);
	int log = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, STDERR_FILENO);
	execlp("nginx", "nginx", "-p", nginx->directory, "-e", errors, "-c", nginx->configuration, (char *)NULL);
	_exit(127);
}

static void
run(nginx *nginx, const nginx_options *options)
{
	snprintf(nginx->url, sizeof nginx->url, "http%s://127.0.0.1:%u/v1/logs", options->certificate ? "s" : "",
	         nginx->port);
	write_configuration(nginx, options);
	nginx->pid = fork();
	CHECK(nginx->pid >= 0);
	if (nginx->pid == 0)
		become_nginx(nginx);
}

static void
end(nginx *nginx)
{
	int status = 0;
	kill(nginx->pid, SIGTERM);
	CHECK(waitpid(nginx->pid, &status, 0) == nginx->pid);
	/* By the signal if it had not got as far as to wait for it. */
	bool well = WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGTERM;
	if (!well)
		fprintf(stderr, "nginx ended badly: see %s/error.log\n", nginx->directory);
	CHECK(well);
}

nginx *
nginx_start(const nginx_options *options)
{
	nginx *nginx = calloc(1, sizeof *nginx);
	CHECK(nginx);
	snprintf(nginx->directory, sizeof nginx->directory, "/tmp/otlog-nginx-XXXXXX");
	CHECK(mkdtemp(nginx->directory));
	snprintf(nginx->configuration, sizeof nginx->configuration, "%s/nginx.conf", nginx->directory);
	listen_somewhere(nginx);
	run(nginx, options);
	return nginx;
}

void
nginx_restart(nginx *nginx, const nginx_options *options)
{
	end(nginx);
	run(nginx, options);
}

void
nginx_stop(nginx *nginx)
{
	if (!nginx)
		return;
	end(nginx);
	close(nginx->listener);
	file_remove_all(nginx->directory);
	free(nginx);
}

const char *
nginx_url(const nginx *nginx)
{
	return nginx->url;
}

unsigned
nginx_port(const nginx *nginx)
{
	return nginx->port;
}
