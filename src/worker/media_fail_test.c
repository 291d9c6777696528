/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the media machine is made whole or not at all, and a leg that finds no memory is refused.
 * Method: each allocation fails once, OpenSSL's too. */
#include "base/fail_openssl.h"
#include "base/prng.h"
#include "base/slab.h"
#include "base/test.h"
#include "dtls/dtls.h"
#include "worker/media.h"
#include "worker/video_world_fixture.h"

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

/* Two lines each, a canvas that one is shown, and camera control. */
static void
show_pictures(struct media *media, media_leg_id leg)
{
	for (uint8_t line = 0; line < 2; line++) {
		struct media_order video = { .kind = MEDIA_ORDER_LEG_VIDEO, .leg = leg };
		video.video = (struct media_video_settings){
			.line = line,
			.receive = line == 0,
			.send = true,
			.nack = true,
			.tx_ssrc = 7u + line,
			.payload_count = 1,
			.payloads = { { VIDEO_CODEC_VP8, 96, 96, 97, 97, 0, 0, 0, 0, 0, 0 } },
		};
		give(media, video);
	}
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_DATA,
	                                  .leg = leg,
	                                  .data = { true, true, 100, 100 } });
	struct media_order canvas = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = 3 } };
	canvas.canvas.canvas = calloc(1, sizeof *canvas.canvas.canvas);
	if (canvas.canvas.canvas != NULL)
		give(media, canvas);
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_SHOW,
	                                  .leg = leg,
	                                  .show = { .kind = MEDIA_SHOW_CANVAS, .canvas = 3 } });
	give(media, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = leg });
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
	show_pictures(media, phone);
	show_pictures(media, browser);
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

static bool
forward_on(void *context)
{
	pass(context, 2000);
	return true;
}

TEST(packets_of_pictures_allocate_nothing)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	simulcast(world, a);
	for (unsigned i = 0; i < 3; i++) {
		struct peer *b = peer_new(world);
		agree(world, b, 1);
		show_source(world, b, 0, a, (uint16_t)(180 << i));
		b->lose_pct = i * 5;
	}
	/* From the first packet on: layers, loss and retransmission. */
	EXPECT_EQ(fail_at_each(forward_on, world), 0);
	EXPECT(world->peers[3].heard[0].frames > 40);
	EXPECT(world->peers[3].heard[0].rtx > 5);
	world_free(world);
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
