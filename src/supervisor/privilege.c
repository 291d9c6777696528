/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

enum {
	NICE_LIMIT = 30, /* 20 minus the nice value allowed: -10 */
};

void
privilege_raise_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
privilege_allow_haste(void)
{
	const struct rlimit limit = { NICE_LIMIT, NICE_LIMIT };
	/* Without root this is refused, and threads stay as they are. */
	(void)setrlimit(RLIMIT_NICE, &limit);
}

/* -- capabilities, by the kernel's own interface ----------------------------------------------- */

static struct __user_cap_header_struct
cap_header(void)
{
	return (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
}

static bool
has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = cap_header();
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	return (data[0].permitted & (1u << capability)) != 0;
}

static bool
may_bind_low_ports(void)
{
	return has_capability(CAP_NET_BIND_SERVICE);
}

bool
privilege_may_tap(void)
{
	return has_capability(CAP_NET_RAW);
}

/* These and no other. */
static int
set_capabilities(unsigned permitted, unsigned inheritable)
{
	struct __user_cap_header_struct header = cap_header();
	struct __user_cap_data_struct data[2] = { { .effective = permitted,
		                                    .permitted = permitted,
		                                    .inheritable = inheritable } };
	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

void
privilege_children_low_ports(bool wanted)
{
	/* What they get by exec without any help of the file's. */
	if (may_bind_low_ports())
		(void)prctl(PR_CAP_AMBIENT, wanted ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER,
		            CAP_NET_BIND_SERVICE, 0, 0);
}

static void
drop_bounding_set(unsigned long kept)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap != kept)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int
become(uid_t uid, gid_t gid, unsigned long kept)
{
	drop_bounding_set(kept);
	if (uid == 0)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 ||
	    setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -errno;
	return 0;
}

int
privilege_drop(uid_t uid, gid_t gid, bool low_ports)
{
	int rc = geteuid() == 0 ? become(uid, gid, CAP_NET_BIND_SERVICE) : 0;
	const unsigned kept = low_ports && may_bind_low_ports() ? 1u << CAP_NET_BIND_SERVICE : 0;
	if (rc == 0)
		rc = set_capabilities(kept, kept);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = -errno;
	CHECK(rc != 0 || getuid() == 0 || setuid(0) != 0); /* there is no way back */
	return rc;
}

int
privilege_keep_tap(uid_t uid, gid_t gid)
{
	int rc = geteuid() == 0 ? become(uid, gid, CAP_NET_RAW) : 0;
	if (rc == 0)
		rc = set_capabilities(1u << CAP_NET_RAW, 0);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = -errno;
	return rc;
}

/* -- reaching ---------------------------------------------------------------------------------- */

static bool
walk(const char *path, char *blocked, size_t cap)
{
	size_t parent_len = 1;
	for (size_t len = 1;; len++) {
		char part[4096];
		struct stat info;
		if (path[len] != '/' && path[len] != '\0')
			continue;
		if (!str_copy(part, sizeof part, (struct str){ .at = path, .len = len }))
			return false;
		if (stat(part, &info) != 0 && errno == EACCES) {
			str_copy(blocked, cap, (struct str){ .at = path, .len = parent_len });
			return false;
		}
		parent_len = len;
		if (path[len] == '\0')
			return true;
	}
}

bool
privilege_reaches(uid_t uid, gid_t gid, const char *path, char *blocked, size_t cap)
{
	gid_t groups[64];
	const gid_t own_gid = getegid();
	const uid_t own_uid = geteuid();
	const int group_count = getgroups((int)COUNT_OF(groups), groups);
	CHECK(path[0] == '/');
	if (group_count < 0 || setgroups(0, NULL) != 0)
		return false;
	const bool became = setegid(gid) == 0 && seteuid(uid) == 0;
	const bool reached = became && walk(path, blocked, cap);
	CHECK(seteuid(own_uid) == 0 && setegid(own_gid) == 0);
	CHECK(setgroups((size_t)group_count, groups) == 0);
	return reached;
}
