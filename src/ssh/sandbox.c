/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "ssh/files.h"

enum {
	OPEN_FILES_MAX = 64, /* poll() takes no more descriptors than may be open */
};

/* Harmless with any arguments, on the descriptors it has. */
static const int allowed[] = {
	SCMP_SYS(read),         SCMP_SYS(write),           SCMP_SYS(readv),
	SCMP_SYS(writev),       SCMP_SYS(pread64),         SCMP_SYS(pwrite64),
	SCMP_SYS(recvfrom),     SCMP_SYS(sendto),          SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),      SCMP_SYS(getsockopt),      SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),  SCMP_SYS(getpeername),     SCMP_SYS(shutdown),
	SCMP_SYS(close),        SCMP_SYS(fstat),           SCMP_SYS(lseek),
	SCMP_SYS(fcntl),        SCMP_SYS(poll),            SCMP_SYS(ppoll),
	SCMP_SYS(futex),        SCMP_SYS(munmap),          SCMP_SYS(brk),
	SCMP_SYS(madvise),      SCMP_SYS(mremap),          SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn),    SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(getpid),
	SCMP_SYS(gettid),       SCMP_SYS(getuid),          SCMP_SYS(geteuid),
	SCMP_SYS(sched_yield),  SCMP_SYS(exit),            SCMP_SYS(exit_group),
	SCMP_SYS(getrandom),    SCMP_SYS(alarm),           SCMP_SYS(setitimer),
	SCMP_SYS(sigaltstack),  SCMP_SYS(nanosleep),       SCMP_SYS(clock_nanosleep),
};

/* Libraries look for files of theirs and do without. */
static const int absent[] = {
	SCMP_SYS(open),   SCMP_SYS(openat), SCMP_SYS(stat),     SCMP_SYS(lstat),
	SCMP_SYS(access), SCMP_SYS(statx),  SCMP_SYS(readlink), SCMP_SYS(readlinkat),
};

static int
limit(int resource, rlim_t most)
{
	const struct rlimit both = { most, most };
	return setrlimit((__rlimit_resource_t)resource, &both) == 0 ? 0 : -errno;
}

static int
set_limits(void)
{
	int rc = limit(RLIMIT_CORE, 0); /* passwords and keys were in this memory */
	if (rc == 0)
		rc = limit(RLIMIT_FSIZE, FILES_BACKUP_BYTES);
	if (rc == 0)
		rc = limit(RLIMIT_NPROC, 0);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, OPEN_FILES_MAX);
	return rc;
}

static int
add_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp plain_memory[] = {
		{ 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
		{ 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS },
	};
	const struct scmp_arg_cmp not_executable = { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 };
	const struct scmp_arg_cmp how_much = { 1, SCMP_CMP_EQ, FIONREAD, 0 };
	const struct scmp_arg_cmp not_blocking = { 1, SCMP_CMP_EQ, FIONBIO, 0 };
	/* abort(), when a CHECK fails; no signal to anybody else. */
	const struct scmp_arg_cmp itself = { 0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0 };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(allowed); i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(absent); i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOENT), absent[i], 0, NULL);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
		                            COUNT_OF(plain_memory), plain_memory);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
		                            &not_executable);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &how_much);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		                            &not_blocking);
	if (rc == 0)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself);
	return rc;
}

int
front_sandbox_enter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	int rc = set_limits();
	if (rc != 0)
		return rc;
	const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return -ENOMEM;
	rc = add_rules(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
