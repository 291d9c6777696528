/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/log_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "net/wall.h"

static void
send_line(const struct log_audit *audit)
{
	struct str text = { audit->line, audit->len };
	(void)str_cut(&text, ' '); /* its time: syslog has its own */
	syslog_send(audit->syslog, &(struct syslog_line){ .facility = SYSLOG_AUTH,
	                                                  .level = LOG_INFO,
	                                                  .wall_us = wall_now().us,
	                                                  .app = "audit",
	                                                  .text = text });
}

static void
read_on(struct log_audit *audit)
{
	char bytes[4096];
	ssize_t len;
	while (audit->fd >= 0 && (len = read(audit->fd, bytes, sizeof bytes)) > 0) {
		for (ssize_t i = 0; i < len; i++) {
			if (bytes[i] != '\n' && audit->len < sizeof audit->line) {
				audit->line[audit->len++] = bytes[i];
			} else if (bytes[i] == '\n') {
				send_line(audit);
				audit->len = 0;
			}
		}
	}
}

/* It was turned over, or is there at last. */
static bool
is_another(const struct log_audit *audit)
{
	struct stat opened, named;
	if (stat(audit->path, &named) != 0)
		return false;
	return audit->fd < 0 || fstat(audit->fd, &opened) != 0 || opened.st_ino != named.st_ino;
}

static void
look(struct log_audit *audit)
{
	read_on(audit);
	if (!is_another(audit))
		return;
	if (audit->fd >= 0)
		close(audit->fd);
	audit->fd = open(audit->path, O_RDONLY | O_CLOEXEC);
	read_on(audit);
}

static void
on_time(void *context, int64_t now_us)
{
	struct log_audit *audit = context;
	look(audit);
	loop_timer_arm(audit->timer, now_us + LOG_AUDIT_US);
}

int
log_audit_open(struct log_audit *audit, struct loop *loop, const char *path, struct syslog *syslog)
{
	*audit = (struct log_audit){ .syslog = syslog, .fd = -1 };
	if (!str_copy(audit->path, sizeof audit->path, str_of(path)))
		return -ENAMETOOLONG;
	const int rc = loop_timer_create(&audit->timer, loop, on_time, audit);
	if (rc != 0) {
		audit->timer = NULL;
		return rc;
	}
	audit->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (audit->fd >= 0)
		(void)lseek(audit->fd, 0, SEEK_END);
	loop_timer_arm(audit->timer, loop_now_us() + LOG_AUDIT_US);
	return 0;
}

void
log_audit_close(struct log_audit *audit)
{
	if (audit->timer == NULL)
		return;
	look(audit);
	loop_timer_destroy(audit->timer);
	if (audit->fd >= 0)
		close(audit->fd);
	*audit = (struct log_audit){ .fd = -1 };
}
