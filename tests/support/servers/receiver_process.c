#include "tests/support/servers/receiver_process.h"

#include "tests/support/harness/check.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
serve(const receiver_options *options, int ready)
{
	char url[sizeof((receiver_process *)0)->url] = "";
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	receiver *receiver = receiver_start(options);
	snprintf(url, sizeof url, "%s", receiver_url(receiver));
	CHECK(write(ready, url, sizeof url) == (ssize_t)sizeof url);
	close(ready);
	for (;;)
		pause();
}

void
receiver_process_start(receiver_process *process, const receiver_options *options)
{
	int ready[2];
	CHECK(pipe(ready) == 0);
	fflush(NULL);
	process->pid = fork();
	CHECK(process->pid >= 0);
	if (process->pid == 0) {
		close(ready[0]);
		serve(options, ready[1]);
	}
	close(ready[1]);
	CHECK(read(ready[0], process->url, sizeof process->url) == (ssize_t)sizeof process->url);
	close(ready[0]);
}

void
receiver_process_stop(receiver_process *process)
{
	kill(process->pid, SIGKILL);
	CHECK(waitpid(process->pid, NULL, 0) == process->pid);
}
