/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the media machine is made whole or not at all, and a leg that finds no memory is refused.
 * Method: each allocation fails once, OpenSSL's too. */
#include "base/fail_openssl.h"
#include "base/prng.h"
#include "base/slab.h"
#include "base/test.h"
#include "dtls/dtls.h"
#include "worker/media.h"

struct stage {
	struct prng prng;
	struct dtls_context *dtls;
	unsigned opened, refused, closed;
};

static bool
ports_open(void *context, media_leg_id leg, struct net_addr *rtp)
{
	(void)context;
	(void)leg;
	*rtp = addr_ip4(192, 0, 2, 1, 50002);
	return true;
}

static void
ports_close(void *context, media_leg_id leg)
{
	(void)context;
	(void)leg;
}

static void
sent(void *context, enum media_socket socket, media_leg_id leg, const struct net_addr *to,
     const uint8_t *bytes, size_t len)
{
	(void)context, (void)socket, (void)leg, (void)to, (void)bytes, (void)len;
}

static void
happened(void *context, const struct media_event *event)
{
	struct stage *stage = context;
	stage->opened += event->kind == MEDIA_EVENT_LEG_OPENED;
	stage->refused += event->kind == MEDIA_EVENT_LEG_REFUSED;
	stage->closed += event->kind == MEDIA_EVENT_LEG_CLOSED;
}

static void
random_bytes_of_test(void *context, void *out, size_t len)
{
	struct stage *stage = context;
	prng_bytes(&stage->prng, out, len);
}

static void
give(struct media *media, struct media_order order)
{
	media_order(media, &order, 1000);
}

/* A telephone with ICE and DTLS, and a browser, meet in a room and leave. */
static bool
meet(void *context)
{
	struct stage *stage = context;
	const media_leg_id phone = 1u << SLAB_INDEX_BITS, browser = phone + 1;
	const media_room_id room = 1u << SLAB_INDEX_BITS;
	struct media *media = NULL;
	const struct media_settings settings = {
		.legs_max = 4,
		.rooms_max = 2,
		.seed = 4,
		.shared_addr = addr_ip4(192, 0, 2, 1, 50000),
		.dtls = stage->dtls,
		.sink = { stage, ports_open, ports_close, sent, happened, NULL },
		.random = random_bytes_of_test,
		.random_context = stage,
	};
	stage->opened = stage->refused = stage->closed = 0;
	if (media_create(&media, &settings, 1000) != 0)
		return false;
	give(media, (struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN, .room = room });
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_OPEN,
	                                  .leg = phone,
	                                  .open = { .transport = MEDIA_TRANSPORT_PORTS,
	                                            .ice = true,
	                                            .dtls = true,
	                                            .local = { .family = ADDR_IP4 } } });
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_OPEN,
	                                  .leg = browser,
	                                  .open = { .transport = MEDIA_TRANSPORT_SHARED,
	                                            .ice = true,
	                                            .dtls = true,
	                                            .local = { .family = ADDR_IP4 } } });
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = phone };
	const struct dtls_fingerprint *fingerprint = dtls_context_fingerprint(stage->dtls);
	transport.transport.security = MEDIA_SECURITY_DTLS;
	transport.transport.remote_rtp = addr_ip4(198, 51, 100, 1, 4000);
	transport.transport.fingerprint_len = 32;
	memcpy(transport.transport.fingerprint, fingerprint->digest, 32);
	give(media, transport);
	const struct media_audio_settings audio = {
		.receive = true, .send = true, .tx_codec = MEDIA_CODEC_PCMU, .frame_ms = 60,
	};
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_AUDIO, .leg = phone,
	                                  .audio = audio });
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN, .leg = phone,
	                                  .room = room });
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN, .leg = browser,
	                                  .room = room });
	for (int64_t now_us = 20000; now_us < 200000; now_us += 20000)
		media_tick(media, now_us);
	struct media_order close = { .kind = MEDIA_ORDER_LEG_CLOSE, .leg = phone };
	media_order(media, &close, 200000);
	close.leg = browser;
	media_order(media, &close, 200000);
	const bool well = stage->opened == 2;
	EXPECT_EQ(stage->opened + stage->refused, 2);
	media_destroy(media);
	return well;
}

TEST(a_leg_without_memory_is_refused_and_the_others_go_on)
{
	struct stage stage = { 0 };
	prng_init(&stage.prng, 1);
	EXPECT_EQ(dtls_context_create(&stage.dtls,
	                              &(struct dtls_context_settings){
	                                      .common_name = "convoke",
	                                      .serial = 42,
	                                      .not_before_s = 1700000000,
	                                      .not_after_s = 1900000000,
	                              }),
	          0);
	EXPECT(fail_at_each(meet, &stage) > 20);
	dtls_context_destroy(stage.dtls);
}
