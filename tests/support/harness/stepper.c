#include "tests/support/harness/stepper.h"

#include "tests/support/harness/check.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL_STOP (SIGTRAP | 0x80)
#define MOST_CALLS 65536u

#define TUNABLES "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000"

void
stepper_prepare(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", TUNABLES, 1);
	execv("/proc/self/exe", argv);
}

/* Stops where the parent sees it: before the walk, and behind it. */
static void
mark(void)
{
	raise(SIGSTOP);
}

static void
be_stepped(const stepper_path *path)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	if (path->prepare)
		path->prepare(path->user);
	mark();
	path->walk(path->user);
	mark();
	_exit(0);
}

/* Goes on to the next stop that is ours, and returns its signal; what is not ours is handed on to the victim. */
static int
go_on(pid_t victim, enum __ptrace_request how)
{
	int status, signal = 0;
	do {
		CHECK(ptrace(how, victim, NULL, signal) == 0);
		CHECK(waitpid(victim, &status, 0) == victim);
		CHECK(WIFSTOPPED(status));
		signal = WSTOPSIG(status);
	} while (signal != SIGSTOP && signal != SIGTRAP && signal != CALL_STOP);
	return signal;
}

static void
stay_on(pid_t pid, const cpu_set_t *processors)
{
	sched_setaffinity(pid, sizeof *processors, processors); /* a matter of speed alone */
}

/* The victim at the first mark, on our processor: we take turns, and waking another one takes longer. */
static pid_t
launch(const stepper_path *path)
{
	cpu_set_t here;
	int status, cpu = sched_getcpu();
	fflush(NULL);
	pid_t victim = fork();
	CHECK(victim >= 0);
	if (victim == 0)
		be_stepped(path);
	CHECK(waitpid(victim, &status, 0) == victim && WIFSTOPPED(status));
	CHECK(WSTOPSIG(status) == SIGSTOP || go_on(victim, PTRACE_CONT) == SIGSTOP);
	CHECK(ptrace(PTRACE_SETOPTIONS, victim, NULL, PTRACE_O_TRACESYSGOOD) == 0);
	CPU_ZERO(&here);
	CPU_SET(cpu < 0 ? 0 : cpu, &here);
	stay_on(victim, &here);
	stay_on(0, &here);
	return victim;
}

static void
end(pid_t victim, const cpu_set_t *before)
{
	int status;
	kill(victim, SIGKILL);
	do
		CHECK(waitpid(victim, &status, 0) == victim);
	while (!WIFSIGNALED(status) && !WIFEXITED(status));
	stay_on(0, before);
}

/* Whether the next instruction is a call of the system. */
static bool
is_at_call(pid_t victim)
{
	struct user_regs_struct registers;
	struct iovec all = { .iov_base = &registers, .iov_len = sizeof registers };
	CHECK(ptrace(PTRACE_GETREGSET, victim, NT_PRSTATUS, &all) == 0);
	errno = 0;
#if defined(__x86_64__)
	long code = ptrace(PTRACE_PEEKTEXT, victim, registers.rip, NULL);
	return errno == 0 && (code & 0xffff) == 0x050f;
#elif defined(__aarch64__)
	long code = ptrace(PTRACE_PEEKTEXT, victim, registers.pc, NULL);
	return errno == 0 && (code & 0xffe0001f) == 0xd4000001;
#else
	return false;
#endif
}

bool
stepper_allowed(void)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
stepper_explore(const stepper_path *path, stepper_trail *trail)
{
	cpu_set_t before;
	bool call;
	sched_getaffinity(0, sizeof before, &before);
	*trail = (stepper_trail){ .behind = calloc(MOST_CALLS, sizeof *trail->behind) };
	CHECK(trail->behind);
	pid_t victim = launch(path);
	while (call = is_at_call(victim), go_on(victim, PTRACE_SINGLESTEP) == SIGTRAP) {
		trail->instructions++;
		if (call && trail->calls < MOST_CALLS)
			trail->behind[trail->calls++] = trail->instructions;
	}
	end(victim, &before);
}

void
stepper_trail_free(stepper_trail *trail)
{
	free(trail->behind);
	*trail = (stepper_trail){ 0 };
}

void
stepper_kill(const stepper_path *path, const stepper_trail *trail, uint64_t instructions)
{
	cpu_set_t before;
	uint32_t calls = 0;
	bool there = true;
	sched_getaffinity(0, sizeof before, &before);
	while (calls < trail->calls && trail->behind[calls] <= instructions)
		calls++;
	pid_t victim = launch(path);
	for (uint32_t stops = 0; stops < 2 * calls && there; stops++) /* into it, and out of it */
		there = go_on(victim, PTRACE_SYSCALL) == CALL_STOP;
	for (uint64_t done = calls ? trail->behind[calls - 1] : 0; done < instructions && there; done++)
		there = go_on(victim, PTRACE_SINGLESTEP) == SIGTRAP;
	end(victim, &before);
}
