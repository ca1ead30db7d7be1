#include "sdk/crash/crash.h"

#include "sdk/base/hex.h"
#include "sdk/crash/modules.h"
#include "sdk/crash/stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES_MAX 64
#define LINE_MAX_BYTES (OTLOG__MODULE_NAME_MAX + 32)
#define HEX_MAX 19 /* 0x, sixteen digits, NUL */

/* The unwinder and an emit need some 20 KiB; the kernel's own part grows with the processor's registers. */
#define STACK_BYTES (64u * 1024)
#define GUARD_BYTES 4096u

/* A handler that was there before may recover, again and again: no more records than this. */
#define RECORDS_MAX 16

/* What the other threads wait that crash meanwhile, so that none of them ends the process before the record is written. */
#define WAIT_STEPS 100
#define WAIT_STEP_NANO 10000000

typedef struct deadly {
	int number;
	const char *name;
} deadly;

static const deadly signals[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
	{ SIGFPE, "SIGFPE" },   { SIGILL, "SIGILL" },
};
#define SIGNALS (sizeof signals / sizeof signals[0])

/* Who handled each signal before. Writer: install, before our handler is set. */
static struct sigaction before[SIGNALS];
static bool in_chain[SIGNALS]; /* our handler is set, or somebody who came later may call it */
static otlog_logger *logger;
static _Atomic bool armed; /* writers: install, remove. Else the handler only hands on */

/* ---- The handler: async-signal-safe from here on ----------------------------------------------------------------- */

enum { COLLECTING = 1, EMITTING = 2 };

/* The thread that writes its record, or 0. */
static _Atomic int crashing;
/* How far it is: a crash within the handler goes on with the next step. Writer: that thread. */
static volatile sig_atomic_t stage;
static const deadly *first_signal;
static siginfo_t first_info;
static _Atomic unsigned records;

/* That thread's. */
static uintptr_t addresses[ADDRESSES_MAX];
static char stack_text[ADDRESSES_MAX * LINE_MAX_BYTES];

static char *
put_hex(char *out, uintptr_t number)
{
	unsigned shift = 0;
	while (shift + 4 < sizeof number * 8 && number >> (shift + 4))
		shift += 4;
	*out++ = '0';
	*out++ = 'x';
	for (;; shift -= 4) {
		*out++ = otlog__hex_digit((unsigned)(number >> shift));
		if (shift == 0)
			break;
	}
	*out = '\0';
	return out;
}

/* One address a line: `module+0xoffset`, or the address where it lies in none. */
static void
write_stack(size_t count)
{
	char *out = stack_text;
	for (size_t i = 0; i < count; i++) {
		uintptr_t offset = addresses[i];
		const char *name = otlog__modules_find(addresses[i], &offset);
		if (i > 0)
			*out++ = '\n';
		for (size_t n = 0; name && name[n] && n < OTLOG__MODULE_NAME_MAX; n++)
			*out++ = name[n];
		if (name)
			*out++ = '+';
		out = put_hex(out, offset);
	}
	*out = '\0';
}

static void
emit_record(const deadly *signal, const siginfo_t *info)
{
	char thread_name[17] = "";
	char address[HEX_MAX];
	prctl(PR_GET_NAME, thread_name);
	put_hex(address, (uintptr_t)info->si_addr);
	const otlog_attr attributes[] = {
		OTLOG_KV("otlog.crash.signal", signal->name),
		OTLOG_KV("otlog.crash.signal_number", signal->number),
		OTLOG_KV("otlog.crash.code", info->si_code),
		OTLOG_KV("otlog.crash.address", (const char *)address),
		OTLOG_KV("otlog.crash.thread_id", (int64_t)syscall(SYS_gettid)),
		OTLOG_KV("otlog.crash.thread_name", (const char *)thread_name),
		OTLOG_KV("code.stacktrace", (const char *)stack_text),
	};
	otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_FATAL,
	                                    .event_name = "otlog.crash",
	                                    .body = otlog_string(signal->name),
	                                    .attributes = { attributes, sizeof attributes / sizeof attributes[0] } });
}

static void
begin_record(const deadly *signal, const siginfo_t *info)
{
	first_signal = signal;
	first_info = *info;
	stage = COLLECTING;
	write_stack(otlog__stack_addresses(addresses, ADDRESSES_MAX));
	stage = EMITTING;
	emit_record(signal, info);
}

/* A crash within the handler: a stack that cannot be read costs the stack, not the record. */
static void
end_record(void)
{
	if (stage != COLLECTING)
		return;
	stack_text[0] = '\0';
	stage = EMITTING;
	emit_record(first_signal, &first_info);
}

/* Writes the record, unless another thread does, which is waited for. True if this thread has begun it. */
static bool
report(const deadly *signal, const siginfo_t *info)
{
	int none = 0;
	int self = (int)syscall(SYS_gettid);
	/* Acquire: what the last thread has written is ours. */
	if (atomic_compare_exchange_strong_explicit(&crashing, &none, self, memory_order_acquire,
	                                            memory_order_relaxed)) {
		stage = 0;
		/* Relaxed: a plain count. */
		if (atomic_fetch_add_explicit(&records, 1, memory_order_relaxed) < RECORDS_MAX)
			begin_record(signal, info);
		return true;
	}
	if (none == self) {
		end_record();
		return false;
	}
	for (int i = 0; i < WAIT_STEPS && atomic_load_explicit(&crashing, memory_order_relaxed) == none; i++)
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_STEP_NANO }, NULL);
	return false;
}

/* Whether the processor raised it and will again when the handler returns. */
static bool
is_fault(const deadly *signal, const siginfo_t *info)
{
	return signal->number != SIGABRT && info->si_code > 0;
}

/* As if no handler had been there. A fault comes again by itself, at the same instruction. */
static void
let_die(const deadly *signal, siginfo_t *info)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t one;
	sigemptyset(&plain.sa_mask);
	sigaction(signal->number, &plain, NULL);
	sigemptyset(&one);
	sigaddset(&one, signal->number);
	if (is_fault(signal, info))
		return;
	int thread = (int)syscall(SYS_gettid);
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal->number, info) != 0)
		syscall(SYS_tgkill, getpid(), thread, signal->number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

/* The handler that was there before, under the mask that it was to have. */
static void
hand_on(const deadly *signal, struct sigaction *to, siginfo_t *info, void *context)
{
	struct sigaction old = *to;
	sigset_t mask = old.sa_mask, saved;
	if (!(old.sa_flags & SA_NODEFER))
		sigaddset(&mask, signal->number);
	if (old.sa_flags & SA_RESETHAND)
		to->sa_handler = SIG_DFL;
	pthread_sigmask(SIG_BLOCK, &mask, &saved);
	if (old.sa_flags & SA_SIGINFO)
		old.sa_sigaction(signal->number, info, context);
	else
		old.sa_handler(signal->number);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

static void
handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	size_t i = 0;
	while (i < SIGNALS - 1 && signals[i].number != number)
		i++;
	const deadly *signal = &signals[i];
	bool ignored = !(before[i].sa_flags & SA_SIGINFO) && before[i].sa_handler == SIG_IGN;
	bool plain = !(before[i].sa_flags & SA_SIGINFO) && before[i].sa_handler == SIG_DFL;
	if (ignored && !is_fault(signal, info))
		return; /* as the program wished; a fault cannot be ignored */
	/* Relaxed: changes while signals come are nobody's guarantee. */
	bool begun = atomic_load_explicit(&armed, memory_order_relaxed) && report(signal, info);
	if (ignored || plain) {
		let_die(signal, info); /* now, or when the fault comes again: no other thread gets to write one */
	} else {
		/* Whoever is called may never come back, and yet the program may go on. Release: to the next one. */
		if (begun)
			atomic_store_explicit(&crashing, 0, memory_order_release);
		hand_on(signal, &before[i], info, context);
	}
	errno = saved;
}

/* ---- Stacks of its own ------------------------------------------------------------------------------------------- */

static pthread_key_t stack_key;
static bool has_stack_key;

static void
free_stack(void *memory)
{
	stack_t now;
	const stack_t none = { .ss_flags = SS_DISABLE };
	if (sigaltstack(NULL, &now) == 0 && now.ss_sp == (char *)memory + GUARD_BYTES)
		sigaltstack(&none, NULL);
	munmap(memory, GUARD_BYTES + STACK_BYTES);
}

static void
make_stack_key(void)
{
	has_stack_key = pthread_key_create(&stack_key, free_stack) == 0;
}

static bool
give_stack(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	stack_t now;
	pthread_once(&once, make_stack_key);
	if (!has_stack_key)
		return false;
	if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
		return true;
	char *memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	mprotect(memory, GUARD_BYTES, PROT_NONE);
	const stack_t stack = { .ss_sp = memory + GUARD_BYTES, .ss_size = STACK_BYTES };
	if (pthread_setspecific(stack_key, memory) == 0 && sigaltstack(&stack, NULL) == 0)
		return true;
	pthread_setspecific(stack_key, NULL);
	munmap(memory, GUARD_BYTES + STACK_BYTES);
	return false;
}

bool
otlog_crash_prepare_thread(void)
{
	return !atomic_load_explicit(&armed, memory_order_relaxed) || give_stack();
}

/* ---- In and out -------------------------------------------------------------------------------------------------- */

static bool
is_ours(const struct sigaction *action)
{
	return action->sa_flags & SA_SIGINFO && action->sa_sigaction == handle;
}

void
otlog__crash_install(otlog_logger *takes)
{
	struct sigaction ours = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	logger = takes;
	otlog__stack_prime();
	give_stack();
	/* Others wait, but not our own signals: a crash within the handler comes to it too. */
	sigfillset(&ours.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++)
		sigdelset(&ours.sa_mask, signals[i].number);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (in_chain[i])
			continue; /* whoever came behind us calls us; to call him in turn would never end */
		sigaction(signals[i].number, NULL, &before[i]);
		in_chain[i] = sigaction(signals[i].number, &ours, NULL) == 0;
	}
	atomic_store_explicit(&armed, true, memory_order_relaxed);
	otlog__crash_refresh();
}

void
otlog__crash_refresh(void)
{
	static _Atomic bool busy;
	/* Relaxed, acquire and release: the one who gets in has the list to himself. */
	if (!atomic_load_explicit(&armed, memory_order_relaxed) ||
	    atomic_load_explicit(&crashing, memory_order_relaxed) ||
	    atomic_exchange_explicit(&busy, true, memory_order_acquire))
		return;
	otlog__modules_refresh();
	atomic_store_explicit(&busy, false, memory_order_release);
}

void
otlog__crash_remove(void)
{
	struct sigaction now;
	atomic_store_explicit(&armed, false, memory_order_relaxed);
	for (size_t i = 0; i < SIGNALS; i++)
		if (in_chain[i] && sigaction(signals[i].number, NULL, &now) == 0 && is_ours(&now))
			in_chain[i] = sigaction(signals[i].number, &before[i], NULL) != 0;
}
