/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: loops, sockets, servers and their TLS are made whole or not at all.  Method: each allocation
 * of ours, OpenSSL and c-ares fails once.  (libuv aborts by itself when its loop finds no memory.) */
#include <ares.h>

#include "base/fail_openssl.h"
#include "base/test.h"
#include "net/dns.h"
#include "net/http.h"
#include "net/tcp.h"
#include "net/test_certs.h"
#include "net/udp.h"

__attribute__((constructor)) static void
libraries_by_fail_at(void)
{
	CHECK(ares_library_init_mem(ARES_LIB_INIT_ALL, fail_at_malloc, fail_at_free,
	                            fail_at_realloc) == ARES_SUCCESS);
}

/* A loop that is never short of memory, with something on it that is. */
static bool
on_loop(int (*make)(struct loop *loop))
{
	struct loop *loop;
	if (loop_create(&loop) != 0)
		return false;
	const int rc = make(loop);
	loop_destroy(loop);
	return rc == 0;
}

static void
woken(void *context)
{
	(void)context;
}

static void
fired(void *context, int64_t now_us)
{
	(void)context;
	(void)now_us;
}

static int
make_timer_and_waker(struct loop *loop)
{
	struct loop_timer *timer = NULL;
	struct loop_waker *waker = NULL;
	int rc = loop_timer_create(&timer, loop, fired, NULL);
	if (rc == 0)
		loop_timer_arm(timer, loop_now_us());
	if (rc == 0)
		rc = loop_waker_create(&waker, loop, woken, NULL);
	loop_timer_destroy(timer);
	loop_waker_destroy(waker);
	return rc;
}

static void
received(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	(void)context, (void)socket, (void)datagram;
}

static int
make_udp(struct loop *loop)
{
	struct udp_socket *udp = NULL;
	const int rc = udp_open(&udp, loop,
	                        &(struct udp_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
	                                                .receive = received });
	udp_close(udp);
	return rc;
}

static int
make_dns(struct loop *loop)
{
	struct dns *dns = NULL;
	const int rc = dns_create(&dns, loop, &(struct dns_settings){ .servers = "127.0.0.1:9" });
	dns_destroy(dns);
	return rc;
}

static void
requested(void *context, const struct http_request *request)
{
	(void)context;
	(void)request;
}

static int
make_https(struct loop *loop)
{
	char error[TLS_ERROR_MAX];
	struct tls_context *tls = NULL;
	struct http *http = NULL;
	struct http_listener *listener = NULL;
	int rc = tls_context_create(&tls,
	                            &(struct tls_settings){ .server = true,
	                                                    .cert_file = test_cert("good.crt"),
	                                                    .key_file = test_cert("good.key"),
	                                                    .alpn = "http/1.1" },
	                            error);
	if (rc == 0)
		rc = http_create(&http, loop, 16);
	if (rc == 0)
		rc = http_listen(&listener, http,
		                 &(struct http_listen_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
		                                                 .tls = tls,
		                                                 .request = requested });
	http_destroy(http);
	tls_context_destroy(tls);
	return rc;
}

static void
heard(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	(void)context, (void)connection, (void)bytes, (void)len;
}

static void
gone(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	(void)connection, (void)end, (void)text;
	bool *ended = context;
	*ended = true;
}

static int
make_client(struct loop *loop)
{
	static const struct tcp_handler handler = { .received = heard, .closed = gone };
	char error[TLS_ERROR_MAX];
	struct tls_context *tls = NULL;
	struct tcp_connection *connection = NULL;
	bool ended = false;
	int rc = tls_context_create(&tls, &(struct tls_settings){ .no_verify = true }, error);
	if (rc == 0)
		rc = tcp_connect(&connection, loop,
		                 &(struct tcp_connect_settings){ .to = addr_ip4(127, 0, 0, 1, 9),
		                                                 .tls = tls,
		                                                 .host = "host.test",
		                                                 .handler = &handler,
		                                                 .context = &ended });
	if (rc == 0) {
		tcp_send(connection, "x", 1);
		if (!ended)
			tcp_abort(connection);
	}
	tls_context_destroy(tls);
	return rc;
}

static bool
timer_and_waker(void *context)
{
	(void)context;
	return on_loop(make_timer_and_waker);
}

static bool
udp(void *context)
{
	(void)context;
	return on_loop(make_udp);
}

static bool
dns(void *context)
{
	(void)context;
	return on_loop(make_dns);
}

static bool
https(void *context)
{
	(void)context;
	return on_loop(make_https);
}

static bool
client(void *context)
{
	(void)context;
	return on_loop(make_client);
}

TEST(timers_and_wakers_are_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(timer_and_waker, NULL) >= 3);
}

TEST(sockets_are_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(udp, NULL) >= 3);
	EXPECT(fail_at_each(dns, NULL) >= 8);
}

TEST(servers_are_made_whole_or_not_at_all)
{
	(void)test_cert("good.crt");
	EXPECT(fail_at_every(7, https, NULL) > 20);
}

TEST(clients_are_made_whole_or_not_at_all)
{
	EXPECT(fail_at_every(7, client, NULL) > 20);
}
