/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/log_lines.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "component/component.h"
#include "net/wall.h"

enum {
	TIME_LEN = 23, /* "2026-11-20 13:04:30.075" */
	HOST_NAME_MAX_BYTES = 256,
};

/* ---- Reading a line ------------------------------------------------------------------------ */

static bool
read_digits(const char *at, unsigned count, int *out)
{
	*out = 0;
	for (unsigned i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*out = *out * 10 + (at[i] - '0');
	}
	return true;
}

static bool
read_time(const char *at, int64_t *wall_us)
{
	static const struct {
		unsigned at;
		unsigned count;
	} parts[] = { { 0, 4 }, { 5, 2 }, { 8, 2 }, { 11, 2 }, { 14, 2 }, { 17, 2 }, { 20, 3 } };
	int numbers[7];
	for (unsigned i = 0; i < 7; i++) {
		if (!read_digits(at + parts[i].at, parts[i].count, &numbers[i]))
			return false;
	}
	struct tm tm = { .tm_year = numbers[0] - 1900, .tm_mon = numbers[1] - 1,
		         .tm_mday = numbers[2], .tm_hour = numbers[3], .tm_min = numbers[4],
		         .tm_sec = numbers[5] };
	*wall_us = (int64_t)timegm(&tm) * 1000000 + numbers[6] * 1000;
	return true;
}

bool
log_lines_parse(struct str line, enum log_level *level, int64_t *wall_us, struct str *text)
{
	int64_t time_us;
	if (line.len < TIME_LEN + 2 || !read_time(line.at, &time_us))
		return false;
	struct str rest = str_trim(str_sub(line, TIME_LEN, line.len - TIME_LEN));
	const struct str word = str_cut(&rest, ' ');
	for (unsigned i = 0; i < LOG_LEVELS; i++) {
		if (str_eq(word, str_of(log_level_name((enum log_level)i)))) {
			*level = (enum log_level)i;
			*wall_us = time_us;
			*text = str_trim(rest);
			return true;
		}
	}
	return false;
}

/* ---- Where lines go ------------------------------------------------------------------------ */

static void
to_servers(struct log_lines *lines, const struct syslog_line *line)
{
	if (lines->syslog != NULL)
		syslog_send(lines->syslog, line);
}

static void
on_own_line(void *context, enum log_level level, int64_t wall_us, const char *text)
{
	struct log_lines *lines = context;
	log_file_make_room(&lines->file, LOG_LINE_MAX);
	log_write_line(lines->file.fd, level, wall_us, text);
	if (lines->terminal)
		log_write_line(STDERR_FILENO, level, wall_us, text);
	to_servers(lines, &(struct syslog_line){ .facility = SYSLOG_DAEMON, .level = level,
	                                         .wall_us = wall_us, .app = "convoke",
	                                         .pid = (int32_t)getpid(),
	                                         .text = str_of(text) });
}

/* What is no line of the log, a sanitizer's report for instance, is sent as it is. */
void
log_lines_component(struct log_lines *lines, const char *name, pid_t pid, const char *bytes,
                    size_t len)
{
	struct str text = str_trim((struct str){ bytes, len });
	struct syslog_line line = { .facility = SYSLOG_USER, .level = LOG_INFO, .app = name,
		                    .pid = (int32_t)pid, .wall_us = wall_now().us,
		                    .text = text };
	log_file_write(&lines->file, bytes, len);
	if (lines->terminal && write(STDERR_FILENO, bytes, len) < 0)
		lines->terminal = false; /* it is gone */
	if (text.len == 0)
		return;
	(void)log_lines_parse(text, &line.level, &line.wall_us, &line.text);
	to_servers(lines, &line);
}

int
log_lines_open(struct log_lines *lines, const char *path, bool terminal)
{
	const int rc = log_file_open(&lines->file, path);
	lines->terminal = terminal;
	if (rc == 0)
		log_set_sink(on_own_line, lines);
	return rc;
}

void
log_lines_close(struct log_lines *lines)
{
	log_set_sink(NULL, NULL);
	log_file_close(&lines->file);
}

/* ---- Servers ------------------------------------------------------------------------------- */

void
log_lines_servers_close(struct log_lines *lines)
{
	log_audit_close(&lines->audit_log);
	syslog_destroy(lines->audit);
	syslog_destroy(lines->syslog);
	if (lines->dns != NULL)
		dns_destroy(lines->dns);
	tls_context_destroy(lines->tls);
	lines->audit = NULL;
	lines->syslog = NULL;
	lines->dns = NULL;
	lines->tls = NULL;
}

/* What all servers need. */
static void
open_means(struct log_lines *lines, const struct data_dir *dir, const struct config *config)
{
	char trust[DATA_PATH_MAX + CONFIG_FILE_MAX];
	char error[TLS_ERROR_MAX];
	const struct dns_settings dns = { .servers = config->dns.host[0] != '\0' ? config->dns.host
		                                                                 : NULL };
	struct tls_settings tls = { 0 };
	component_demands(&tls, &config->tls.syslog);
	if (config->syslog.trust[0] != '\0' &&
	    config_path(trust, sizeof trust, dir->path, config->syslog.trust))
		tls.trust_file = trust;
	if (tls_context_create(&lines->tls, &tls, error) != 0) {
		lines->tls = NULL;
		log_error("syslog servers over TLS are left out: %s", error);
	}
	if (dns_create(&lines->dns, lines->loop, &dns) != 0)
		lines->dns = NULL;
}

/* NULL: nowhere. */
static struct syslog *
open_syslog(struct log_lines *lines, const struct config_syslog *list)
{
	char host[HOST_NAME_MAX_BYTES] = "";
	struct syslog *syslog;
	(void)gethostname(host, sizeof host - 1);
	const struct syslog_settings settings = { .loop = lines->loop, .dns = lines->dns,
		                                  .tls = lines->tls, .host_name = host };
	if (list->count == 0 || syslog_create(&syslog, &settings) != 0)
		return NULL;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct config_syslog_server *from = &list->servers[i];
		struct syslog_server server = { .port = from->port,
			                        .transport = from->tls   ? SYSLOG_TLS
			                                     : from->tcp ? SYSLOG_TCP
			                                                 : SYSLOG_UDP };
		(void)str_copy(server.host, sizeof server.host, str_of(from->host));
		const int rc = syslog_server_add(syslog, &server);
		if (rc != 0)
			log_warning("syslog server %s is left out: %s", from->host, strerror(-rc));
	}
	return syslog;
}

static bool
is_unchanged(const struct log_lines *lines, const struct config *config)
{
	return memcmp(&lines->servers, &config->syslog, sizeof lines->servers) == 0 &&
	       memcmp(&lines->audit_servers, &config->audit, sizeof lines->audit_servers) == 0 &&
	       memcmp(&lines->demands, &config->tls.syslog, sizeof lines->demands) == 0 &&
	       strcmp(lines->dns_host, config->dns.host) == 0;
}

void
log_lines_servers(struct log_lines *lines, struct loop *loop, const struct data_dir *dir,
                  const struct config *config)
{
	char path[DATA_PATH_MAX + 64];
	lines->loop = loop;
	if ((lines->syslog != NULL || lines->audit != NULL) && is_unchanged(lines, config))
		return;
	log_lines_servers_close(lines);
	lines->servers = config->syslog;
	lines->audit_servers = config->audit;
	lines->demands = config->tls.syslog;
	memcpy(lines->dns_host, config->dns.host, sizeof lines->dns_host);
	if (!config->syslog.enabled || (config->syslog.count == 0 && config->audit.count == 0))
		return;
	open_means(lines, dir, config);
	lines->syslog = open_syslog(lines, &config->syslog);
	lines->audit = open_syslog(lines, &config->audit);
	if (lines->audit != NULL &&
	    log_audit_open(&lines->audit_log, loop, data_dir_file(path, dir, "log/audit"),
	                   lines->audit) != 0)
		log_error("the audit log cannot be sent: not enough memory");
}
