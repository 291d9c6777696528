/* SPDX-License-Identifier: Apache-2.0 */
/* log_audit -- sends the audit log to syslog servers: what every process of ours appends to
 * DATA/log/audit is read as it comes.  Lines that were written while nobody supervised are not sent.
 *
 * Ownership  open/close in the caller's memory; the syslog is borrowed.
 * Threads    The supervisor's.
 * Errors     0 or -errno.
 * Limits     LOG_AUDIT_US until a line is seen.
 */
#ifndef SUPERVISOR_LOG_AUDIT_H
#define SUPERVISOR_LOG_AUDIT_H

#include "net/audit.h"
#include "net/loop.h"
#include "net/syslog.h"

enum { LOG_AUDIT_US = 1000 * 1000 };

struct log_audit {
	struct loop_timer *timer; /* NULL: closed */
	struct syslog *syslog;
	int fd; /* -1: the file is not there yet */
	size_t len;
	char line[AUDIT_LINE_MAX]; /* an unfinished one */
	char path[AUDIT_PATH_MAX];
};

[[nodiscard]] int log_audit_open(struct log_audit *audit, struct loop *loop, const char *path,
                                 struct syslog *syslog);
/* What is there is sent first.  Fine when it is not open. */
void log_audit_close(struct log_audit *audit);

#endif
