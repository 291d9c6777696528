/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a telephone behind NAT, whose SDP names an address of its own network, gets its DTLS
 * handshake and with it its sound; strangers get no answer.
 * Method: a DTLS client of ours stands for the telephone, a queue of datagrams for the network. */
#include <stdlib.h>

#include "base/prng.h"
#include "base/slab.h"
#include "base/test.h"
#include "dtls/dtls.h"
#include "worker/media.h"

enum { QUEUE_MAX = 16, DATAGRAM_MAX = 2048, STEP_US = 1000 };

static const media_leg_id leg = 1u << SLAB_INDEX_BITS;

struct datagram {
	struct net_addr to;
	size_t len;
	uint8_t bytes[DATAGRAM_MAX];
};

struct world {
	struct prng prng;
	struct dtls_context *ours, *theirs;
	struct media *media;
	struct dtls phone;
	struct datagram queue[QUEUE_MAX];
	size_t count;
	unsigned connected;
};

static bool
ports_open(void *context, media_leg_id id, struct net_addr *rtp)
{
	(void)context, (void)id;
	*rtp = addr_ip4(192, 0, 2, 1, 50002);
	return true;
}

static void
ports_close(void *context, media_leg_id id)
{
	(void)context, (void)id;
}

static void
sent(void *context, enum media_socket socket, media_leg_id id, const struct net_addr *to,
     const uint8_t *bytes, size_t len)
{
	struct world *world = context;
	(void)socket, (void)id;
	if (world->count == QUEUE_MAX || len > DATAGRAM_MAX)
		return;
	struct datagram *datagram = &world->queue[world->count++];
	datagram->to = *to;
	datagram->len = len;
	memcpy(datagram->bytes, bytes, len);
}

static void
happened(void *context, const struct media_event *event)
{
	struct world *world = context;
	world->connected += event->kind == MEDIA_EVENT_LEG_CONNECTED;
}

static void
random_bytes_of_test(void *context, void *out, size_t len)
{
	struct world *world = context;
	prng_bytes(&world->prng, out, len);
}

static struct dtls_context *
context_of(uint64_t serial)
{
	struct dtls_context *context = NULL;
	EXPECT_EQ(dtls_context_create(&context, &(struct dtls_context_settings){
	                                                .common_name = "test",
	                                                .serial = serial,
	                                                .not_before_s = 1700000000,
	                                                .not_after_s = 1900000000,
	                                        }),
	          0);
	return context;
}

/* A leg whose SDP named `signalled`, and whose signalling comes from `signalling`. */
static void
begin(struct world *world, struct net_addr signalled, struct net_addr signalling)
{
	*world = (struct world){ 0 };
	prng_init(&world->prng, 1);
	world->ours = context_of(1);
	world->theirs = context_of(2);
	const struct media_settings settings = {
		.legs_max = 1,
		.rooms_max = 1,
		.seed = 4,
		.shared_addr = addr_ip4(192, 0, 2, 1, 50000),
		.dtls = world->ours,
		.sink = { world, ports_open, ports_close, sent, happened, NULL },
		.random = random_bytes_of_test,
		.random_context = world,
	};
	EXPECT_EQ(media_create(&world->media, &settings, STEP_US), 0);
	media_order(world->media,
	            &(struct media_order){ .kind = MEDIA_ORDER_LEG_OPEN,
	                                   .leg = leg,
	                                   .open = { .transport = MEDIA_TRANSPORT_PORTS,
	                                             .dtls = true,
	                                             .local = { .family = ADDR_IP4 } } },
	            STEP_US);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = leg };
	transport.transport.security = MEDIA_SECURITY_DTLS;
	transport.transport.dtls_server = true;
	transport.transport.remote_rtp = signalled;
	transport.transport.signalling = signalling;
	transport.transport.fingerprint_len = 32;
	memcpy(transport.transport.fingerprint, dtls_context_fingerprint(world->theirs)->digest,
	       32);
	media_order(world->media, &transport, STEP_US);
	const struct dtls_settings phone = {
		.context = world->theirs,
		.role = DTLS_CLIENT,
		.fingerprints = dtls_context_fingerprint(world->ours),
		.fingerprint_count = 1,
	};
	dtls_init(&world->phone, &phone, STEP_US);
	EXPECT_EQ(dtls_start(&world->phone, STEP_US), 0);
}

/* Carries datagrams until nobody says any more; the phone is seen at `from`. */
static void
run(struct world *world, const struct net_addr *from)
{
	for (int64_t now_us = 2 * STEP_US; now_us < 50 * STEP_US; now_us += STEP_US) {
		uint8_t bytes[DATAGRAM_MAX];
		for (struct dtls_out out;
		     (out = dtls_poll(&world->phone)).kind != DTLS_OUT_NONE;) {
			if (out.kind != DTLS_OUT_DATAGRAM || out.len > sizeof bytes)
				continue;
			memcpy(bytes, out.bytes, out.len);
			media_input(world->media, MEDIA_SOCKET_RTP, leg, from, bytes, out.len,
			            now_us);
		}
		const size_t count = world->count;
		world->count = 0;
		for (size_t i = 0; i < count; i++) {
			const struct datagram *datagram = &world->queue[i];
			EXPECT(addr_eq(&datagram->to, from));
			dtls_input(&world->phone, datagram->bytes, datagram->len, now_us);
		}
	}
}

static void
end(struct world *world)
{
	media_destroy(world->media);
	dtls_fini(&world->phone);
	dtls_context_destroy(world->ours);
	dtls_context_destroy(world->theirs);
}

static bool
connects(struct net_addr signalled, struct net_addr signalling, struct net_addr from)
{
	struct world *world = calloc(1, sizeof *world);
	EXPECT(world != NULL);
	begin(world, signalled, signalling);
	run(world, &from);
	const bool yes = world->phone.state == DTLS_CONNECTED;
	EXPECT_EQ(world->connected, yes);
	end(world);
	free(world);
	return yes;
}

TEST(a_handshake_comes_from_the_signalled_phone_or_from_the_nat_before_it)
{
	const struct net_addr public = addr_ip4(203, 0, 113, 7, 4000);
	const struct net_addr nat = addr_ip4(203, 0, 113, 7, 61000);
	const struct net_addr other = addr_ip4(198, 51, 100, 9, 4000);
	const struct net_addr inside = addr_ip4(192, 168, 1, 20, 4000);
	EXPECT(connects(public, nat, public));
	EXPECT(connects(public, other, nat));
	EXPECT(connects(public, other, other)); /* where its signalling comes from */
	EXPECT(connects(inside, nat, nat));     /* the SDP names an address behind the NAT */
	EXPECT(!connects(public, nat, other));
}
