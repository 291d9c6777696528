/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: datagrams come out as they went in, runs leave in one call and fall back when refused,
 * the address told is the address used, and a taken port names its holder.  Method: loopback. */
#include "net/udp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "net/port_owner.h"

enum { BYTES_MAX = 2000 };

struct ear {
	struct loop *loop;
	struct udp_socket *socket;
	unsigned count;
	unsigned wanted;
	bool echo;
	bool close_early;
	uint32_t next;
	size_t len_last;
	struct net_addr from;
	struct net_addr local;
};

/* Each datagram carries its number and a pattern that its length and number decide. */
static size_t
compose(uint8_t *bytes, uint32_t number, size_t len)
{
	memcpy(bytes, &number, sizeof number);
	for (size_t i = sizeof number; i < len; i++)
		bytes[i] = (uint8_t)(number * 31 + i);
	return len;
}

static void
hear(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct ear *ear = context;
	uint8_t want[BYTES_MAX];
	uint32_t number;
	EXPECT(datagram->len >= sizeof number && datagram->len <= sizeof want);
	memcpy(&number, datagram->bytes, sizeof number);
	EXPECT_EQ(number, ear->next);
	compose(want, number, datagram->len);
	EXPECT(memcmp(want, datagram->bytes, datagram->len) == 0);
	EXPECT(datagram->now_us > 0);
	ear->next++;
	ear->count++;
	ear->len_last = datagram->len;
	ear->from = *datagram->from;
	ear->local = *datagram->local;
	if (ear->echo)
		udp_send_from(socket, datagram->local, datagram->from, datagram->bytes,
		              datagram->len);
	if (ear->close_early) {
		udp_close(socket);
		ear->socket = NULL;
	}
	if (ear->count == ear->wanted)
		loop_stop(ear->loop);
}

static struct net_addr
loopback(bool ip6)
{
	struct net_addr addr;
	EXPECT(addr_parse(&addr, ip6 ? STR("[::1]:0") : STR("127.0.0.1:0")));
	return addr;
}

static void
ear_open(struct ear *ear, struct loop *loop, struct net_addr bind)
{
	ear->loop = loop;
	EXPECT_EQ(udp_open(&ear->socket, loop,
	                   &(struct udp_settings){ .bind = bind,
	                                           .receive = hear,
	                                           .context = ear,
	                                           .dscp = 46,
	                                           .receive_bytes = 1 << 20,
	                                           .send_bytes = 1 << 20 }),
	          0);
	EXPECT(udp_local(ear->socket)->port != 0);
}

static void
run_briefly(struct loop *loop)
{
	loop_run_until(loop, loop_now_us() + 2000000);
}

static void
echo_runs(bool ip6)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { 0 }, far = { .echo = true };
	ear_open(&near, loop, loopback(ip6));
	ear_open(&far, loop, loopback(ip6));

	uint8_t bytes[BYTES_MAX];
	const size_t lens[] = { 1200, 1200, 1200, 900, 1200, 160, 160, 160, 4, 1500, 1500 };
	const unsigned count = 110;
	near.wanted = count;
	for (uint32_t i = 0; i < count; i++)
		udp_send(near.socket, udp_local(far.socket), bytes,
		         compose(bytes, i, lens[i % (sizeof lens / sizeof *lens)]));
	run_briefly(loop);

	EXPECT_EQ(near.count, count);
	EXPECT_EQ(far.count, count);
	EXPECT(addr_eq(&near.from, udp_local(far.socket)));
	EXPECT(addr_eq(&far.local, udp_local(far.socket)));
	const struct udp_counters *counters = udp_counters(near.socket);
	EXPECT_EQ(counters->datagrams_out, count);
	EXPECT_EQ(counters->datagrams_in, count);
	EXPECT_EQ(counters->bytes_in, counters->bytes_out);
	if (!counters->gso_refused)
		EXPECT(counters->sends <= 40); /* 4 runs in every 11 datagrams */
	udp_close(near.socket);
	udp_close(far.socket);
	loop_destroy(loop);
}

TEST(runs_of_datagrams_come_back_as_they_were_sent)
{
	echo_runs(false);
}

TEST(so_they_do_over_ipv6)
{
	echo_runs(true);
}

TEST(sixty_four_equal_datagrams_leave_in_one_call)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { 0 }, far = { .wanted = 54 };
	ear_open(&near, loop, loopback(false));
	ear_open(&far, loop, loopback(false));
	uint8_t bytes[BYTES_MAX];
	for (uint32_t i = 0; i < 54; i++)
		udp_send(near.socket, udp_local(far.socket), bytes, compose(bytes, i, 1200));
	udp_flush(loop);
	if (!udp_counters(near.socket)->gso_refused)
		EXPECT_EQ(udp_counters(near.socket)->sends, 1);
	run_briefly(loop);
	EXPECT_EQ(far.count, 54);
	udp_close(near.socket);
	udp_close(far.socket);
	loop_destroy(loop);
}

TEST(a_wildcard_socket_answers_from_where_it_was_asked)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { .wanted = 1 }, far = { .echo = true };
	struct net_addr any;
	EXPECT(addr_parse(&any, STR("0.0.0.0:0")));
	ear_open(&near, loop, loopback(false));
	ear_open(&far, loop, any);
	const struct net_addr to = addr_ip4(127, 0, 0, 77, udp_local(far.socket)->port);
	uint8_t bytes[BYTES_MAX];
	udp_send(near.socket, &to, bytes, compose(bytes, 0, 100));
	run_briefly(loop);
	EXPECT(addr_eq(&far.local, &to));
	EXPECT(addr_eq(&near.from, &to));
	udp_close(near.socket);
	udp_close(far.socket);
	loop_destroy(loop);
}

TEST(a_connected_socket_survives_a_dead_peer_and_hears_only_its_own)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { .wanted = 1 }, far = { 0 }, stranger = { 0 };
	ear_open(&near, loop, loopback(false));
	ear_open(&far, loop, loopback(false));
	ear_open(&stranger, loop, loopback(false));
	const struct net_addr to = *udp_local(far.socket);
	EXPECT_EQ(udp_connect(near.socket, &to), 0);
	udp_close(far.socket);

	uint8_t bytes[BYTES_MAX];
	for (unsigned i = 0; i < 3; i++) {
		udp_send(near.socket, &to, bytes, compose(bytes, i, 100));
		udp_flush(loop); /* the ICMP error of one is met by the next */
	}
	far = (struct ear){ .wanted = 1 };
	ear_open(&far, loop, to);
	udp_send(near.socket, &to, bytes, compose(bytes, 0, 100));
	run_briefly(loop);
	EXPECT_EQ(far.count, 1);

	udp_send(stranger.socket, udp_local(near.socket), bytes, compose(bytes, 0, 50));
	udp_send(far.socket, udp_local(near.socket), bytes, compose(bytes, 0, 70));
	run_briefly(loop);
	EXPECT_EQ(near.count, 1);
	EXPECT_EQ(near.len_last, 70);
	EXPECT_EQ(udp_connect(near.socket, &(struct net_addr){ 0 }), 0);
	udp_close(near.socket);
	udp_close(far.socket);
	udp_close(stranger.socket);
	loop_destroy(loop);
}

TEST(a_socket_closed_in_its_callback_hears_no_more)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { 0 }, far = { .close_early = true, .wanted = 1 };
	ear_open(&near, loop, loopback(false));
	ear_open(&far, loop, loopback(false));
	uint8_t bytes[BYTES_MAX];
	for (uint32_t i = 0; i < 30; i++)
		udp_send(near.socket, udp_local(far.socket), bytes, compose(bytes, i, 300));
	run_briefly(loop);
	EXPECT_EQ(far.count, 1);
	EXPECT(far.socket == NULL);
	udp_close(near.socket);
	loop_destroy(loop);
}

TEST(what_cannot_be_sent_is_counted)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear near = { 0 };
	ear_open(&near, loop, loopback(false));
	static uint8_t bytes[UDP_DATAGRAM_BYTES_MAX + 1];
	udp_send(near.socket, udp_local(near.socket), bytes, sizeof bytes);
	EXPECT_EQ(udp_counters(near.socket)->dropped_long, 1);
	/* A loopback source cannot reach another network. */
	const struct net_addr away = addr_ip4(192, 0, 2, 1, 9);
	udp_send(near.socket, &away, bytes, 10);
	udp_flush(loop);
	EXPECT_EQ(udp_counters(near.socket)->dropped_error, 1);
	EXPECT_EQ(udp_set_dscp(near.socket, 0), 0);
	udp_close(near.socket);
	loop_destroy(loop);
}

TEST(a_taken_port_names_its_holder)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear first = { 0 };
	ear_open(&first, loop, loopback(false));
	struct udp_socket *second;
	const struct udp_settings settings = { .bind = *udp_local(first.socket), .receive = hear };
	EXPECT_EQ(udp_open(&second, loop, &settings), -EADDRINUSE);

	const struct port_owner owner = port_owner_find(PORT_UDP, &settings.bind);
	EXPECT(owner.bound);
	EXPECT_EQ(owner.pid, getpid());
	struct net_addr any = addr_ip4(0, 0, 0, 0, settings.bind.port);
	EXPECT_EQ(port_owner_find(PORT_UDP, &any).pid, getpid());

	char text[PORT_OWNER_TEXT_MAX], want[PORT_OWNER_TEXT_MAX];
	snprintf(want, sizeof want, "UDP port %u on 127.0.0.1 is in use by %s (process %d)",
	         settings.bind.port, owner.name, (int)getpid());
	EXPECT_STR(str_of(port_owner_text(text, PORT_UDP, &settings.bind)), want);

	udp_close(first.socket);
	EXPECT(!port_owner_find(PORT_UDP, &settings.bind).bound);
	loop_destroy(loop);
}

TEST(a_port_held_over_ipv6_is_found_too)
{
	struct loop *loop;
	EXPECT_EQ(loop_create(&loop), 0);
	struct ear first = { 0 };
	ear_open(&first, loop, loopback(true));
	EXPECT_EQ(port_owner_find(PORT_UDP, udp_local(first.socket)).pid, getpid());
	udp_close(first.socket);
	loop_destroy(loop);
}
