/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"

#if SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

static const rlim_t address_bytes_max = (rlim_t)4 << 30;
enum { OPEN_FILES_MAX = 16 }; /* poll() takes no more descriptors than may be open */

static int
limit(int resource, rlim_t most)
{
	const struct rlimit both = { most, most };
	return setrlimit((__rlimit_resource_t)resource, &both) == 0 ? 0 : -errno;
}

static int
set_limits(void)
{
	int rc = limit(RLIMIT_CORE, 0); /* no picture of anybody in a dump */
	if (rc == 0)
		rc = limit(RLIMIT_NPROC, 0);
	if (rc == 0)
		rc = limit(RLIMIT_MEMLOCK, 0);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, OPEN_FILES_MAX);
	/* A sanitizer reserves terabytes of addresses, and its report may go to a file. */
	if (rc == 0 && !SANITIZED)
		rc = limit(RLIMIT_FSIZE, 0);
	if (rc == 0 && !SANITIZED)
		rc = limit(RLIMIT_AS, address_bytes_max);
	return rc;
}

/* ---- The one question that is answered ------------------------------------------------------ */

/* libvpx counts the processors whenever it makes an encoder, and the C library looks into these
 * files for that.  They are not there, is the answer: nothing is opened, and it asks the scheduler
 * next. */
static const char *const absent_files[] = {
	"/sys/devices/system/cpu/online",
	"/proc/stat",
#if SANITIZED
	"/proc/self/exe",
#endif
};

#if defined(__x86_64__)
#define OPENAT_PATH(machine) ((const char *)(machine).gregs[REG_RSI])
#define OPENAT_RESULT(machine) ((machine).gregs[REG_RAX])
#elif defined(__aarch64__)
#define OPENAT_PATH(machine) ((const char *)(machine).regs[1])
#define OPENAT_RESULT(machine) ((machine).regs[0])
#endif

/* An openat() came to nothing; here is decided whether it is answered or deadly. */
static void
on_openat(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
#ifdef OPENAT_PATH
	ucontext_t *caller = context;
	for (size_t i = 0; info->si_syscall == SYS_openat && i < COUNT_OF(absent_files); i++) {
		if (strcmp(OPENAT_PATH(caller->uc_mcontext), absent_files[i]) == 0) {
			OPENAT_RESULT(caller->uc_mcontext) = -ENOENT;
			return;
		}
	}
#endif
	(void)socket(AF_UNIX, SOCK_STREAM, 0); /* kills, as all else that is forbidden */
}

static int
answer_openat(void)
{
	const struct sigaction action = { .sa_sigaction = on_openat, .sa_flags = SA_SIGINFO };
	return sigaction(SIGSYS, &action, NULL) == 0 ? 0 : -errno;
}

/* ---- What is allowed ------------------------------------------------------------------------ */

/* Harmless with any arguments. */
static const int allowed[] = {
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(futex),
	SCMP_SYS(munmap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrandom),
};

static int
allow_all(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		const int rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
allow_if(scmp_filter_ctx filter, int call, unsigned count, const struct scmp_arg_cmp *conditions)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, conditions);
}

/* One argument has one value. */
static int
allow_equal(scmp_filter_ctx filter, int call, unsigned argument, uint64_t value)
{
	const struct scmp_arg_cmp equal = { argument, SCMP_CMP_EQ, value, 0 };
	return allow_if(filter, call, 1, &equal);
}

/* ---- In builds that look for mistakes --------------------------------------------------------- */

/* What a sanitizer found must be readable, and what it goes on after must not be deadly: it asks for a
 * terminal's width and for files that help to name functions.  They are not there, is the answer; the
 * calls of the C library that tests try (openat and others) kill as ever. */
static int
allow_reports(scmp_filter_ctx filter)
{
	static const int absent[] = { SCMP_SYS(open), SCMP_SYS(stat), SCMP_SYS(lstat),
		                      SCMP_SYS(access), SCMP_SYS(readlink) };
	int rc = allow_equal(filter, SCMP_SYS(ioctl), 0, STDERR_FILENO);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(sigaltstack), 0, NULL);
	for (size_t i = 0; i < COUNT_OF(absent) && rc == 0; i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOENT), absent[i], 0, NULL);
	return rc;
}

/* It remembers what it may need of the system. */
static void
warn_sanitizer(void)
{
#if SANITIZED
	__sanitizer_sandbox_on_notify(NULL);
#endif
}

/* ---- All of it -------------------------------------------------------------------------------- */

static int
add_rules(scmp_filter_ctx filter, const struct sandbox_settings *settings)
{
	const struct scmp_arg_cmp plain_memory[] = {
		{ 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
		{ 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS },
	};
	const struct scmp_arg_cmp not_executable = { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 };
	int rc = allow_all(filter);
	if (rc == 0)
		rc = allow_if(filter, SCMP_SYS(mmap), COUNT_OF(plain_memory), plain_memory);
	if (rc == 0)
		rc = allow_if(filter, SCMP_SYS(mprotect), 1, &not_executable);
	if (rc == 0)
		rc = allow_equal(filter, SCMP_SYS(read), 0, (uint64_t)settings->read_fd);
	if (rc == 0)
		rc = allow_equal(filter, SCMP_SYS(write), 0, (uint64_t)settings->write_fd);
	if (rc == 0 && settings->write_fd != STDERR_FILENO)
		rc = allow_equal(filter, SCMP_SYS(write), 0, STDERR_FILENO);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_TRAP, SCMP_SYS(openat), 0, NULL);
	/* abort(), when a CHECK fails; no signal to anybody else. */
	if (rc == 0)
		rc = allow_equal(filter, SCMP_SYS(tgkill), 0, (uint64_t)getpid());
	if (rc == 0 && SANITIZED)
		rc = allow_reports(filter);
	return rc;
}

int
sandbox_enter(const struct sandbox_settings *settings)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	warn_sanitizer();
	int rc = set_limits();
	if (rc == 0)
		rc = answer_openat();
	if (rc != 0)
		return rc;
	const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return -ENOMEM;
	rc = add_rules(filter, settings);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
