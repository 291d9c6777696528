/* SPDX-License-Identifier: Apache-2.0 */
/* privilege -- becoming an ordinary user, and keeping nothing else either.
 *
 * Threads    The main thread, before there are others.
 * Errors     0 or -errno.
 */
#ifndef SUPERVISOR_PRIVILEGE_H
#define SUPERVISOR_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As many open files as the system lets us have. */
void privilege_raise_files(void);

/* As root: threads started from here may run somewhat before others (RLIMIT_NICE), which media
 * workers do: late sound is no sound. */
void privilege_allow_haste(void);

/* As root: becomes `uid` and `gid` (which may be root's own) for good.  As anybody: gives up every
 * capability, but binding ports below 1024 if `low_ports` and it is there, and no program started
 * from here can gain privileges. */
[[nodiscard]] int privilege_drop(uid_t uid, gid_t gid, bool low_ports);

/* May this process open packet sockets? */
[[nodiscard]] bool privilege_may_tap(void);
/* As privilege_drop(), for the one process that opens them: CAP_NET_RAW is all that is left. */
[[nodiscard]] int privilege_keep_tap(uid_t uid, gid_t gid);

/* Whether children may bind ports below 1024, as far as this process may. */
void privilege_children_low_ports(bool wanted);

/* Can this user get at `path`?  If not, `blocked` gets the folder it may not enter.  As root only;
 * nobody else can know. */
[[nodiscard]] bool privilege_reaches(uid_t uid, gid_t gid, const char *path, char *blocked,
                                     size_t cap);

#endif
