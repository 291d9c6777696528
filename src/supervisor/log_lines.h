/* SPDX-License-Identifier: Apache-2.0 */
/* log_lines -- where lines of the event log go: DATA/log/convoke.log, the terminal of a supervisor in
 * the foreground, and the syslog servers of the settings; and the audit log to its own servers.
 *
 * Ownership  init/fini in the caller's memory.
 * Threads    The supervisor's.
 * Errors     What cannot be written is lost: a log has nowhere to say so.
 */
#ifndef SUPERVISOR_LOG_LINES_H
#define SUPERVISOR_LOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/log.h"
#include "mmp/config.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/syslog.h"
#include "net/tls.h"
#include "supervisor/data_dir.h"
#include "supervisor/log_audit.h"
#include "supervisor/log_file.h"

struct log_lines {
	struct log_file file;
	bool terminal; /* standard error gets them, too */
	/* Servers, as they were last set. */
	struct loop *loop;
	struct dns *dns;
	struct tls_context *tls;
	struct syslog *syslog;
	struct syslog *audit;
	struct log_audit audit_log;
	struct config_syslog servers;
	struct config_syslog audit_servers;
	struct config_tls demands;
	char dns_host[CONFIG_HOST_MAX];
};

/* The supervisor's own lines come here from now on. */
[[nodiscard]] int log_lines_open(struct log_lines *lines, const char *path, bool terminal);
void log_lines_close(struct log_lines *lines);

/* Opens what the settings name, on the loop; again when they have changed. */
void log_lines_servers(struct log_lines *lines, struct loop *loop, const struct data_dir *dir,
                       const struct config *config);
/* Before the loop goes. */
void log_lines_servers_close(struct log_lines *lines);

/* One line of a component, with its line break. */
void log_lines_component(struct log_lines *lines, const char *name, pid_t pid, const char *bytes,
                         size_t len);

/* Reads "2026-11-20 13:04:30.075  Info     text"; false: it is no such line. */
[[nodiscard]] bool log_lines_parse(struct str line, enum log_level *level, int64_t *wall_us,
                                   struct str *text);

#endif
