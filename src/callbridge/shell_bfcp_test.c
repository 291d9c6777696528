/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a floor is asked for and granted over every transport, whoever connects; strangers get
 * nothing.  Method: two hubs on one loop, one that serves and one that plays the device. */
#include "callbridge/shell_bfcp.h"

#include <errno.h>
#include <string.h>

#include "base/fail_at.h"
#include "base/test.h"
#include "bfcp/bfcp_msg.h"
#include "net/tcp.h"
#include "net/test_certs.h"
#include "net/tls.h"
#include "net/udp.h"

enum {
	PATIENCE_US = 4 * 1000 * 1000,
	WAIT_US = 150 * 1000,
	USER = 7,
	FLOOR = 2,
	KINDS = BFCP_HUB_DOWN + 1,
};

struct side {
	struct bfcp_hub *hub;
	bfcp_leg_id leg;
	unsigned counts[KINDS];
	uint16_t holder;
	bool grants;    /* as soon as it is asked */
	bool leaves;    /* removes the leg when it is granted */
};

static struct loop *loop;
static struct side server;
static struct side client;
static unsigned awaited_kind;
static const struct side *awaited;

static void
on_event(void *context, const struct bfcp_hub_event *event)
{
	struct side *side = context;
	EXPECT(event->context == side);
	EXPECT_EQ(event->leg.v, side->leg.v);
	side->counts[event->kind]++;
	side->holder = event->holder;
	if (event->kind == BFCP_HUB_ASK && side->grants)
		bfcp_hub_grant(side->hub, side->leg);
	if (event->kind == BFCP_HUB_GRANTED && side->leaves)
		bfcp_hub_remove(side->hub, side->leg);
	if (side == awaited && event->kind == awaited_kind)
		loop_stop(loop);
}

static void
wait_for(const struct side *side, enum bfcp_hub_event_kind kind)
{
	const unsigned before = side->counts[kind];
	awaited = side;
	awaited_kind = kind;
	loop_run_until(loop, loop_now_us() + PATIENCE_US);
	awaited = NULL;
	EXPECT_EQ(side->counts[kind], before + 1);
}

static void
wait_a_little(void)
{
	loop_run_until(loop, loop_now_us() + WAIT_US);
}

/* `port`: of TCP, 0: any. */
static void
open_hub_at(struct side *side, uint16_t port)
{
	char error[TLS_ERROR_MAX];
	const struct net_addr any = addr_ip4(127, 0, 0, 1, 0);
	const struct bfcp_hub_settings settings = { .udp = any,
		                                    .tcp = addr_ip4(127, 0, 0, 1, port),
		                                    .tls = any,
		                                    .cert_file = test_cert("self.crt"),
		                                    .key_file = test_cert("self.key"),
		                                    .legs_max = 4,
		                                    .event = on_event,
		                                    .context = side };
	*side = (struct side){ 0 };
	EXPECT_EQ(bfcp_hub_create(&side->hub, loop, &settings, error), 0);
}

static void
begin(void)
{
	EXPECT_EQ(loop_create(&loop), 0);
	open_hub_at(&server, 0);
	open_hub_at(&client, 0);
}

static void
end(void)
{
	bfcp_hub_destroy(server.hub);
	bfcp_hub_destroy(client.hub);
	loop_destroy(loop);
}

static struct bfcp_leg_settings
leg_towards(const struct side *to, enum bfcp_hub_proto proto, uint32_t conference)
{
	struct bfcp_leg_settings settings = { .proto = proto,
		                              .remote = addr_ip4(127, 0, 0, 1,
		                                                 bfcp_hub_port(to->hub, proto)),
		                              .conference_id = conference,
		                              .user_id = USER,
		                              .floor_id = FLOOR,
		                              .fingerprint_len = TLS_FINGERPRINT_BYTES };
	memcpy(settings.fingerprint, bfcp_hub_fingerprint(to->hub), TLS_FINGERPRINT_BYTES);
	return settings;
}

static uint32_t conference_id;

/* Both ends of one association. */
static void
join(enum bfcp_hub_proto proto, bool client_connects)
{
	conference_id++;
	struct bfcp_leg_settings settings = leg_towards(&client, proto, conference_id);
	settings.context = &server;
	settings.active = proto != BFCP_HUB_UDP && !client_connects;
	if (!settings.active) /* its own port, where it will not come from */
		settings.remote.port = proto == BFCP_HUB_UDP ? settings.remote.port : 9;
	EXPECT_EQ(bfcp_hub_add(server.hub, &server.leg, &settings), 0);
	settings = leg_towards(&server, proto, conference_id);
	settings.context = &client;
	settings.client = true;
	settings.active = proto != BFCP_HUB_UDP && client_connects;
	EXPECT_EQ(bfcp_hub_add(client.hub, &client.leg, &settings), 0);
}

static void
present(void)
{
	wait_for(&client, BFCP_HUB_UP);
	server.grants = true;
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&client, BFCP_HUB_GRANTED);
	EXPECT_EQ(server.counts[BFCP_HUB_ASK], 1);
	bfcp_hub_holder(server.hub, server.leg, 9, STR("Somebody"));
	wait_for(&client, BFCP_HUB_HOLDER);
	EXPECT_EQ(client.holder, 9);
	bfcp_hub_revoke(server.hub, server.leg, "taken over");
	wait_for(&client, BFCP_HUB_REVOKED);
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&client, BFCP_HUB_GRANTED);
	bfcp_hub_release(client.hub, client.leg);
	wait_for(&server, BFCP_HUB_RELEASED);
	server.grants = false;
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&server, BFCP_HUB_ASK);
	bfcp_hub_deny(server.hub, server.leg, "not you");
	wait_for(&client, BFCP_HUB_DENIED);
	bfcp_hub_remove(client.hub, client.leg);
	wait_for(&server, BFCP_HUB_DOWN);
	bfcp_hub_remove(server.hub, server.leg);
	EXPECT_EQ(bfcp_hub_counters(server.hub).rejects, 0);
	EXPECT_EQ(bfcp_hub_counters(server.hub).strangers, 0);
}

TEST(a_floor_is_granted_over_every_transport_whoever_connects)
{
	static const struct {
		enum bfcp_hub_proto proto;
		bool client_connects;
	} cases[] = {
		{ BFCP_HUB_UDP, false }, { BFCP_HUB_TCP, true },  { BFCP_HUB_TCP, false },
		{ BFCP_HUB_TLS, true },  { BFCP_HUB_TLS, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		join(cases[i].proto, cases[i].client_connects);
		present();
		end();
	}
}

TEST(a_wrong_certificate_opens_nothing)
{
	begin();
	conference_id++;
	struct bfcp_leg_settings settings = leg_towards(&client, BFCP_HUB_TLS, conference_id);
	settings.context = &server;
	settings.fingerprint[0] ^= 1;
	EXPECT_EQ(bfcp_hub_add(server.hub, &server.leg, &settings), 0);
	settings = leg_towards(&server, BFCP_HUB_TLS, conference_id);
	settings.context = &client;
	settings.client = settings.active = true;
	EXPECT_EQ(bfcp_hub_add(client.hub, &client.leg, &settings), 0);
	wait_for(&client, BFCP_HUB_DOWN);
	EXPECT_EQ(bfcp_hub_counters(server.hub).refused_certificates, 1);
	EXPECT_EQ(client.counts[BFCP_HUB_UP], 0);
	EXPECT_EQ(server.counts[BFCP_HUB_UP], 0);

	/* And the other way: the device connects to us and is not who it should be. */
	bfcp_hub_remove(client.hub, client.leg);
	settings.fingerprint[0] ^= 1;
	EXPECT_EQ(bfcp_hub_add(client.hub, &client.leg, &settings), 0);
	wait_a_little();
	EXPECT_EQ(bfcp_hub_counters(client.hub).refused_certificates, 1);
	end();
}

TEST(a_connection_that_breaks_is_opened_again)
{
	begin();
	join(BFCP_HUB_TCP, true);
	server.grants = true;
	wait_for(&client, BFCP_HUB_UP);
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&client, BFCP_HUB_GRANTED);

	/* The server's program ends, and is started again on the same port. */
	struct bfcp_leg_settings settings = leg_towards(&client, BFCP_HUB_TCP, conference_id);
	const uint16_t port = bfcp_hub_port(server.hub, BFCP_HUB_TCP);
	settings.context = &server;
	bfcp_hub_destroy(server.hub);
	wait_for(&client, BFCP_HUB_DOWN);
	EXPECT_EQ(client.counts[BFCP_HUB_REVOKED], 1);
	open_hub_at(&server, port);
	EXPECT_EQ(bfcp_hub_add(server.hub, &server.leg, &settings), 0);
	wait_for(&client, BFCP_HUB_UP);
	server.grants = true;
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&client, BFCP_HUB_GRANTED);
	end();
}

TEST(a_leg_may_go_inside_its_own_callback)
{
	begin();
	join(BFCP_HUB_UDP, false);
	wait_for(&client, BFCP_HUB_UP);
	server.grants = client.leaves = true;
	bfcp_hub_request(client.hub, client.leg);
	wait_for(&server, BFCP_HUB_DOWN);
	EXPECT_EQ(server.counts[BFCP_HUB_RELEASED], 1);
	bfcp_hub_remove(client.hub, client.leg);
	bfcp_hub_request(client.hub, client.leg);
	end();
}

static unsigned heard;

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	(void)context, (void)socket, (void)datagram;
	heard++;
}

TEST(strangers_get_no_answer)
{
	struct udp_socket *socket = NULL;
	uint8_t bytes[64];
	begin();
	join(BFCP_HUB_UDP, false);
	wait_for(&client, BFCP_HUB_UP);
	const struct udp_settings settings = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                               .receive = on_datagram };
	const struct net_addr to = addr_ip4(127, 0, 0, 1, bfcp_hub_port(server.hub, BFCP_HUB_UDP));
	EXPECT_EQ(udp_open(&socket, loop, &settings), 0);
	struct bfcp_msg hello = { .header = { .version = 2, .primitive = BFCP_HELLO,
		                              .conference_id = 1, .user_id = USER,
		                              .transaction_id = 1 } };
	struct writer w = writer_of(bytes, sizeof bytes);
	bfcp_msg_write(&w, &hello);
	udp_send(socket, &to, bytes, w.at);
	udp_send(socket, &to, "", 0);
	udp_send(socket, &to, "BFCP", 4);
	wait_a_little();
	EXPECT_EQ(heard, 0);
	EXPECT_EQ(bfcp_hub_counters(server.hub).strangers, 3);
	udp_close(socket);
	end();
}

static bool closed;

static void
on_closed(void *context, struct tcp_connection *connection, enum tcp_end why, const char *text)
{
	(void)context, (void)connection, (void)why, (void)text;
	closed = true;
}

static void
on_opened(void *context, struct tcp_connection *connection)
{
	(void)context;
	static const uint8_t junk[] = "GET / HTTP/1.1\r\n\r\n";
	EXPECT_EQ(tcp_send(connection, junk, sizeof junk), 0);
}

static void
on_bytes(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	(void)context, (void)connection, (void)bytes, (void)len;
	heard++;
}

TEST(a_stranger_s_connection_is_closed)
{
	static const struct tcp_handler handler = { .opened = on_opened, .received = on_bytes,
		                                    .closed = on_closed };
	struct tcp_connection *connection = NULL;
	begin();
	heard = 0;
	closed = false;
	const struct tcp_connect_settings settings = {
		.to = addr_ip4(127, 0, 0, 1, bfcp_hub_port(server.hub, BFCP_HUB_TCP)),
		.handler = &handler,
	};
	EXPECT_EQ(tcp_connect(&connection, loop, &settings), 0);
	wait_a_little();
	EXPECT(closed);
	EXPECT_EQ(heard, 0);
	EXPECT_EQ(bfcp_hub_counters(server.hub).strangers, 1);
	end();
}

TEST(legs_that_cannot_be_are_refused)
{
	char error[TLS_ERROR_MAX];
	struct bfcp_hub *hub = NULL;
	bfcp_leg_id leg = { 0 };
	begin();
	struct bfcp_leg_settings settings = leg_towards(&client, BFCP_HUB_UDP, 5);
	settings.context = &server;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), 0);
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), -EEXIST);
	settings.remote = (struct net_addr){ .family = ADDR_IP6, .port = 5070 };
	settings.conference_id = 6;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), -EAFNOSUPPORT);
	settings.remote = addr_ip4(127, 0, 0, 1, 9);
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), 0);
	settings.client = true;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), -EDESTADDRREQ);
	settings.proto = BFCP_HUB_TCP;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), 0);
	settings.active = true;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), -EDESTADDRREQ);
	settings.active = settings.client = false;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), 0);
	settings.conference_id = 7;
	EXPECT_EQ(bfcp_hub_add(server.hub, &leg, &settings), -ENOSPC);

	const struct bfcp_hub_settings taken = {
		.udp = addr_ip4(127, 0, 0, 1, bfcp_hub_port(server.hub, BFCP_HUB_UDP)),
		.legs_max = 1,
		.event = on_event,
	};
	EXPECT_EQ(bfcp_hub_create(&hub, loop, &taken, error), -EADDRINUSE);
	const struct bfcp_hub_settings bare = { .tls = addr_ip4(127, 0, 0, 1, 0), .legs_max = 1,
		                                .cert_file = "/nonexistent", .key_file = "/none",
		                                .event = on_event };
	EXPECT_EQ(bfcp_hub_create(&hub, loop, &bare, error), -EINVAL);
	EXPECT(error[0] != '\0');
	end();
}

static bool
make_and_use(void *context)
{
	char error[TLS_ERROR_MAX];
	struct bfcp_hub *hub = NULL;
	bfcp_leg_id leg = { 0 };
	struct loop *own = NULL;
	const struct bfcp_hub_settings settings = { .udp = addr_ip4(127, 0, 0, 1, 0),
		                                    .tcp = addr_ip4(127, 0, 0, 1, 0),
		                                    .legs_max = 4,
		                                    .event = on_event };
	(void)context;
	if (loop_create(&own) != 0)
		return false;
	int rc = bfcp_hub_create(&hub, own, &settings, error);
	EXPECT_EQ(rc == 0, hub != NULL);
	if (rc == 0) {
		const struct bfcp_leg_settings connecting = {
			.proto = BFCP_HUB_TCP,
			.active = true,
			.remote = addr_ip4(127, 0, 0, 1, bfcp_hub_port(hub, BFCP_HUB_TCP)),
			.conference_id = 5,
		};
		/* A connection that cannot be had is tried again: the leg is there. */
		rc = bfcp_hub_add(hub, &leg, &connecting);
		EXPECT_EQ(rc, 0);
	}
	bfcp_hub_destroy(hub);
	loop_destroy(own);
	return rc == 0;
}

TEST(a_hub_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make_and_use, NULL) > 8);
}
