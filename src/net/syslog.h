/* SPDX-License-Identifier: Apache-2.0 */
/* syslog -- sends the event log to other machines (RFC 5424), over UDP (RFC 5426), TCP (RFC 6587,
 * octet counting) or TLS (RFC 5425).
 *
 *	syslog_create() -> syslog_server_add() ... -> syslog_send() for each line
 *
 * A server that is away is tried again, later and later up to SYSLOG_RETRY_US_MAX; meanwhile lines wait
 * up to SYSLOG_QUEUE_BYTES, then the oldest go, and a line tells how many.
 *
 * Ownership  Everything given is copied.
 * Threads    The loop's.
 * Units      Wall-clock microseconds since 1970.
 * Errors     0 or -errno; -EINVAL: a bad address.
 * Limits     SYSLOG_SERVERS_MAX.
 */
#ifndef NET_SYSLOG_H
#define NET_SYSLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/str.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/tls.h"

enum {
	SYSLOG_SERVERS_MAX = 4,
	SYSLOG_HOST_MAX = 256,
	SYSLOG_QUEUE_BYTES = 256 * 1024,
	SYSLOG_RETRY_US_MAX = 60 * 1000 * 1000,
	SYSLOG_PORT = 514,
	SYSLOG_TLS_PORT = 6514,
};

enum syslog_transport { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };

/* Facilities of RFC 5424 s6.2.1 that are used. */
enum syslog_facility { SYSLOG_USER = 1, SYSLOG_DAEMON = 3, SYSLOG_AUTH = 10, SYSLOG_LOCAL0 = 16 };

struct syslog_server {
	enum syslog_transport transport;
	char host[SYSLOG_HOST_MAX]; /* name or address */
	uint16_t port;              /* 0: the transport's */
};

struct syslog;

struct syslog_settings {
	struct loop *loop;
	struct dns *dns;            /* for names */
	struct tls_context *tls;    /* for SYSLOG_TLS; NULL: such a server is refused */
	const char *host_name;      /* ours, told in each line; copied */
};

[[nodiscard]] int syslog_create(struct syslog **out, const struct syslog_settings *settings);
/* What is in sockets still goes out. */
void syslog_destroy(struct syslog *syslog);

/* -EEXIST, -ENOSPC, -EINVAL. */
[[nodiscard]] int syslog_server_add(struct syslog *syslog, const struct syslog_server *server);
/* -ENOENT. */
[[nodiscard]] int syslog_server_del(struct syslog *syslog, const struct syslog_server *server);

struct syslog_line {
	enum syslog_facility facility;
	enum log_level level;
	int64_t wall_us;
	const char *app;            /* "callbridge" */
	int32_t pid;                /* 0: not told */
	struct str text;
};

void syslog_send(struct syslog *syslog, const struct syslog_line *line);

struct syslog_state {
	struct syslog_server server;
	bool connected;             /* UDP: its address is known */
	uint64_t sent;
	uint64_t lost;
};
/* `n` from 0; false behind the last. */
[[nodiscard]] bool syslog_state(const struct syslog *syslog, unsigned n, struct syslog_state *out);

#endif
