/* SPDX-License-Identifier: Apache-2.0 */
#include "net/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "net/wall.h"

enum {
	MESSAGE_MAX = LOG_LINE_MAX + 512, /* header and framing */
	HEAD_BYTES = 2,                   /* a line's length in the queue */
	TCP_QUEUE_MAX = 64 * 1024,        /* beyond, lines wait here: there they can be counted */
	RETRY_US_MIN = 500 * 1000,
};

static_assert(MESSAGE_MAX <= UINT16_MAX, "a length of two bytes");

enum state {
	STATE_IDLE, /* until `retry_us` */
	STATE_RESOLVING,
	STATE_CONNECTING,
	STATE_UP,
};

struct server {
	struct syslog *syslog;
	bool used;
	struct syslog_server wanted;
	enum state state;
	struct net_addr addr;
	dns_query query;
	struct udp_socket *udp;
	struct tcp_connection *tcp;
	int64_t retry_us;
	int64_t pause_us;
	uint64_t sent;
	uint64_t lost;
	uint64_t lost_untold;
	size_t first;  /* of the queue's bytes */
	size_t end;
	uint8_t *queue;
};

struct syslog {
	struct syslog_settings settings;
	char host_name[SYSLOG_HOST_MAX];
	struct loop_timer *timer;
	struct server servers[SYSLOG_SERVERS_MAX];
};

static void pump(struct server *server);

/* -- connections ------------------------------------------------------------------------------- */

static void
arm(struct syslog *syslog)
{
	int64_t deadline_us = INT64_MAX;
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++) {
		const struct server *server = &syslog->servers[i];
		if (server->used && server->state == STATE_IDLE && server->retry_us < deadline_us)
			deadline_us = server->retry_us;
	}
	loop_timer_arm(syslog->timer, deadline_us);
}

/* It says so nowhere: a line about it would be one more to send. */
static void
retry_later(struct server *server)
{
	server->state = STATE_IDLE;
	server->retry_us = loop_now_us() + server->pause_us;
	server->pause_us = server->pause_us * 2 < SYSLOG_RETRY_US_MAX ? server->pause_us * 2
	                                                              : SYSLOG_RETRY_US_MAX;
	arm(server->syslog);
}

static void
on_opened(void *context, struct tcp_connection *connection)
{
	struct server *server = context;
	(void)connection;
	server->state = STATE_UP;
	server->pause_us = RETRY_US_MIN;
	pump(server);
}

static void
on_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	(void)context; /* servers have nothing to say */
	(void)connection;
	(void)bytes;
	(void)len;
}

static void
on_drained(void *context, struct tcp_connection *connection)
{
	(void)connection;
	pump(context);
}

static void
on_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct server *server = context;
	(void)connection;
	(void)end;
	(void)text;
	server->tcp = NULL;
	retry_later(server);
}

static const struct tcp_handler handler = { .opened = on_opened, .received = on_received,
	                                    .drained = on_drained, .closed = on_closed };

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	(void)context;
	(void)socket;
	(void)datagram;
}

static void
connect_udp(struct server *server)
{
	const struct udp_settings settings = {
		.bind = server->addr.family == ADDR_IP4 ? addr_ip4(0, 0, 0, 0, 0)
		                                        : (struct net_addr){ .family = ADDR_IP6 },
		.receive = on_datagram,
		.context = server,
	};
	if (server->udp == NULL &&
	    udp_open(&server->udp, server->syslog->settings.loop, &settings) != 0) {
		server->udp = NULL;
		retry_later(server);
		return;
	}
	server->state = STATE_UP;
	server->pause_us = RETRY_US_MIN;
	pump(server);
}

static void
connect_server(struct server *server)
{
	server->addr.port = server->wanted.port;
	if (server->wanted.transport == SYSLOG_UDP) {
		connect_udp(server);
		return;
	}
	const bool tls = server->wanted.transport == SYSLOG_TLS;
	const struct tcp_connect_settings settings = {
		.to = server->addr,
		.tls = tls ? server->syslog->settings.tls : NULL,
		.host = server->wanted.host,
		.handler = &handler,
		.context = server,
		.limits = { .queue_bytes_max = 2 * TCP_QUEUE_MAX },
	};
	server->state = STATE_CONNECTING;
	if (tcp_connect(&server->tcp, server->syslog->settings.loop, &settings) != 0) {
		server->tcp = NULL;
		retry_later(server);
	}
}

static void
on_resolved(void *context, const struct dns_answer *answer, const char *text)
{
	struct server *server = context;
	(void)text;
	server->query = (dns_query){ 0 };
	for (size_t i = 0; answer->status == DNS_OK && i < answer->count; i++) {
		if (answer->records[i].type != DNS_A)
			continue;
		server->addr = answer->records[i].addr;
		connect_server(server);
		return;
	}
	retry_later(server);
}

static void
start(struct server *server)
{
	const struct syslog_settings *settings = &server->syslog->settings;
	if (addr_parse_ip(&server->addr, str_of(server->wanted.host))) {
		connect_server(server);
		return;
	}
	server->state = STATE_RESOLVING;
	server->query = dns_ask(settings->dns, DNS_A, server->wanted.host, on_resolved, server);
	if (server->query.v == 0)
		retry_later(server);
}

static void
on_timer(void *context, int64_t now_us)
{
	struct syslog *syslog = context;
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++) {
		struct server *server = &syslog->servers[i];
		if (server->used && server->state == STATE_IDLE && now_us >= server->retry_us)
			start(server);
	}
	arm(syslog);
}

/* -- lines ------------------------------------------------------------------------------------- */

static void
write_time(struct writer *w, int64_t wall_us)
{
	char text[32];
	struct tm tm;
	const time_t seconds = (time_t)(wall_us / 1000000);
	gmtime_r(&seconds, &tm);
	if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	writer_format(w, "%s.%03dZ", text, (int)(wall_us / 1000 % 1000));
}

/* RFC 5424 s6: <PRI>1 TIME HOST APP PID MSGID SD MSG. */
static size_t
write_line(const struct syslog *syslog, const struct syslog_line *line, char out[MESSAGE_MAX])
{
	static const unsigned severities[LOG_LEVELS] = {
		[LOG_ERROR] = 3, [LOG_WARNING] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7,
	};
	struct writer w = writer_of(out, MESSAGE_MAX);
	writer_format(&w, "<%u>1 ", (unsigned)line->facility * 8 + severities[line->level]);
	write_time(&w, line->wall_us);
	writer_format(&w, " %s %s ", syslog->host_name, line->app);
	if (line->pid != 0)
		writer_format(&w, "%d", line->pid);
	else
		writer_text(&w, "-");
	writer_text(&w, " - - ");
	const size_t room = w.cap - w.at;
	writer_bytes(&w, line->text.at, line->text.len < room ? line->text.len : room);
	CHECK(!w.failed);
	return w.at;
}

static void
drop_oldest(struct server *server)
{
	const uint8_t *at = server->queue + server->first;
	server->first += HEAD_BYTES + (size_t)(at[0] << 8 | at[1]);
	server->lost++;
	server->lost_untold++;
}

static void
put(struct server *server, const char *bytes, size_t len)
{
	while (server->end - server->first + HEAD_BYTES + len > SYSLOG_QUEUE_BYTES)
		drop_oldest(server);
	if (server->end + HEAD_BYTES + len > SYSLOG_QUEUE_BYTES) {
		memmove(server->queue, server->queue + server->first, server->end - server->first);
		server->end -= server->first;
		server->first = 0;
	}
	server->queue[server->end++] = (uint8_t)(len >> 8);
	server->queue[server->end++] = (uint8_t)len;
	memcpy(server->queue + server->end, bytes, len);
	server->end += len;
}

/* False: the connection takes no more for now. */
static bool
send_bytes(struct server *server, const void *bytes, size_t len)
{
	if (server->wanted.transport == SYSLOG_UDP) {
		udp_send(server->udp, &server->addr, bytes, len);
		udp_flush(server->syslog->settings.loop);
		server->sent++;
		return true;
	}
	char framed[MESSAGE_MAX + 16];
	if (tcp_queued(server->tcp) > TCP_QUEUE_MAX)
		return false;
	/* RFC 6587 s3.4.1 and RFC 5425 s4.3: the length, a blank, the message. */
	struct writer w = writer_of(framed, sizeof framed);
	writer_format(&w, "%zu ", len);
	writer_bytes(&w, bytes, len);
	CHECK(!w.failed);
	if (tcp_send(server->tcp, framed, w.at) != 0)
		return false;
	server->sent++;
	return true;
}

static void
tell_lost(struct server *server)
{
	char text[96];
	char out[MESSAGE_MAX];
	if (server->lost_untold == 0)
		return;
	snprintf(text, sizeof text, "%llu lines before this one could not be kept for this server",
	         (unsigned long long)server->lost_untold);
	const struct syslog_line line = {
		.facility = SYSLOG_USER, .level = LOG_WARNING, .app = "convoke",
		.wall_us = wall_now().us,
		.text = str_of(text),
	};
	if (send_bytes(server, out, write_line(server->syslog, &line, out)))
		server->lost_untold = 0;
}

static void
pump(struct server *server)
{
	if (server->state != STATE_UP)
		return;
	if (server->first != server->end)
		tell_lost(server);
	while (server->first != server->end) {
		const uint8_t *at = server->queue + server->first;
		const size_t len = (size_t)(at[0] << 8 | at[1]);
		if (!send_bytes(server, at + HEAD_BYTES, len))
			return;
		server->first += HEAD_BYTES + len;
	}
	server->first = server->end = 0;
}

void
syslog_send(struct syslog *syslog, const struct syslog_line *line)
{
	char out[MESSAGE_MAX];
	const size_t len = write_line(syslog, line, out);
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++) {
		struct server *server = &syslog->servers[i];
		if (!server->used)
			continue;
		put(server, out, len);
		pump(server);
	}
}

/* -- life -------------------------------------------------------------------------------------- */

int
syslog_create(struct syslog **out, const struct syslog_settings *settings)
{
	struct syslog *syslog = calloc(1, sizeof *syslog);
	if (syslog == NULL)
		return -ENOMEM;
	syslog->settings = *settings;
	if (!str_copy(syslog->host_name, sizeof syslog->host_name, str_of(settings->host_name)) ||
	    syslog->host_name[0] == '\0')
		(void)str_copy(syslog->host_name, sizeof syslog->host_name, STR("-"));
	const int rc = loop_timer_create(&syslog->timer, settings->loop, on_timer, syslog);
	if (rc != 0) {
		free(syslog);
		return rc;
	}
	*out = syslog;
	return 0;
}

static void
server_end(struct server *server)
{
	if (server->query.v != 0)
		dns_cancel(server->syslog->settings.dns, server->query);
	tcp_close(server->tcp);
	if (server->udp != NULL)
		udp_close(server->udp);
	free(server->queue);
	*server = (struct server){ 0 };
}

void
syslog_destroy(struct syslog *syslog)
{
	if (syslog == NULL)
		return;
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++)
		if (syslog->servers[i].used)
			server_end(&syslog->servers[i]);
	loop_timer_destroy(syslog->timer);
	free(syslog);
}

static uint16_t
port_of(const struct syslog_server *server)
{
	if (server->port != 0)
		return server->port;
	return server->transport == SYSLOG_TLS ? SYSLOG_TLS_PORT : SYSLOG_PORT;
}

static struct server *
find(struct syslog *syslog, const struct syslog_server *wanted)
{
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++) {
		struct server *server = &syslog->servers[i];
		if (server->used && server->wanted.transport == wanted->transport &&
		    server->wanted.port == port_of(wanted) &&
		    str_eq_nocase(str_of(server->wanted.host), str_of(wanted->host)))
			return server;
	}
	return NULL;
}

int
syslog_server_add(struct syslog *syslog, const struct syslog_server *wanted)
{
	struct net_addr addr;
	struct server *server = NULL;
	const struct syslog_settings *settings = &syslog->settings;
	if (wanted->host[0] == '\0' ||
	    (wanted->transport == SYSLOG_TLS && settings->tls == NULL) ||
	    (settings->dns == NULL && !addr_parse_ip(&addr, str_of(wanted->host))))
		return -EINVAL;
	if (find(syslog, wanted) != NULL)
		return -EEXIST;
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX && server == NULL; i++)
		if (!syslog->servers[i].used)
			server = &syslog->servers[i];
	if (server == NULL)
		return -ENOSPC;
	*server = (struct server){ .syslog = syslog, .used = true, .wanted = *wanted,
		                   .pause_us = RETRY_US_MIN,
		                   .queue = malloc(SYSLOG_QUEUE_BYTES) };
	if (server->queue == NULL) {
		server->used = false;
		return -ENOMEM;
	}
	server->wanted.port = port_of(wanted);
	start(server);
	return 0;
}

int
syslog_server_del(struct syslog *syslog, const struct syslog_server *wanted)
{
	struct server *server = find(syslog, wanted);
	if (server == NULL)
		return -ENOENT;
	server_end(server);
	return 0;
}

bool
syslog_state(const struct syslog *syslog, unsigned n, struct syslog_state *out)
{
	for (unsigned i = 0; i < SYSLOG_SERVERS_MAX; i++) {
		const struct server *server = &syslog->servers[i];
		if (!server->used || n-- != 0)
			continue;
		*out = (struct syslog_state){ .server = server->wanted,
			                      .connected = server->state == STATE_UP,
			                      .sent = server->sent, .lost = server->lost };
		return true;
	}
	return false;
}
