/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: orders and events cross between two threads without loss or race, also when far more come at
 * once than a ring holds; ports are bound and given back.
 * Method: a real worker thread on a real loop; a burst of opens and closes; the thread sanitizer
 * watches in ./test. */
#include "worker/worker.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/slab.h"
#include "base/test.h"
#include "net/udp.h"
#include "rtp/rtp.h"

enum {
	LEGS = 3000,
	FIRST_PORT = 33000,
	PATIENCE_US = 60 * 1000 * 1000,
};

struct tally {
	struct loop *loop;
	unsigned opened;
	unsigned refused;
	unsigned closed;
	unsigned wanted;
};

static void
on_event(void *context, unsigned worker, const struct media_event *event)
{
	struct tally *tally = context;
	EXPECT_EQ(worker, 5);
	tally->opened += event->kind == MEDIA_EVENT_LEG_OPENED;
	tally->refused += event->kind == MEDIA_EVENT_LEG_REFUSED;
	tally->closed += event->kind == MEDIA_EVENT_LEG_CLOSED;
	if (event->kind == MEDIA_EVENT_LEG_OPENED) {
		EXPECT(event->opened.local_rtp.port >= FIRST_PORT);
		EXPECT_EQ(event->opened.local_rtp.port % 2, 0);
	}
	if (tally->closed + tally->refused == tally->wanted)
		loop_stop(tally->loop);
}

static void
run(uint16_t last_port, unsigned legs, struct tally *tally)
{
	struct worker *worker = NULL;
	*tally = (struct tally){ .wanted = legs };
	EXPECT_EQ(loop_create(&tally->loop), 0);
	const struct worker_settings settings = {
		.media = { .legs_max = LEGS, .rooms_max = 4, .seed = 3 },
		.index = 5,
		.addresses = { addr_ip4(127, 0, 0, 1, 0) },
		.address_count = 1,
		.shared_port = 0,
		.first_port = FIRST_PORT,
		.last_port = last_port,
		.event = on_event,
		.context = tally,
	};
	EXPECT_EQ(worker_create(&worker, tally->loop, &settings), 0);
	for (unsigned i = 0; i < legs; i++) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_OPEN,
			                     .leg = 1u << SLAB_INDEX_BITS | i };
		order.open.local = addr_ip4(127, 0, 0, 1, 0);
		worker_post(worker, &order);
	}
	for (unsigned i = 0; i < legs; i++) {
		const struct media_order order = { .kind = MEDIA_ORDER_LEG_CLOSE,
			                           .leg = 1u << SLAB_INDEX_BITS | i };
		worker_post(worker, &order);
	}
	loop_run_until(tally->loop, loop_now_us() + PATIENCE_US);
	worker_destroy(worker);
	loop_destroy(tally->loop);
}

TEST(a_burst_of_orders_is_carried_out_whole_and_in_order)
{
	struct tally tally;
	run(FIRST_PORT + 399, 200, &tally);
	EXPECT_EQ(tally.opened, 200);
	EXPECT_EQ(tally.closed, 200);
	EXPECT_EQ(tally.refused, 0);
}

TEST(more_orders_than_a_ring_holds_wait_their_turn)
{
	struct tally tally;
	run(FIRST_PORT + 19, LEGS, &tally);
	EXPECT_EQ(tally.opened + tally.refused, LEGS);
	EXPECT_EQ(tally.closed, tally.opened);
	EXPECT(tally.opened >= 10);
}

/* ---- The codec process --------------------------------------------------------------------- */

struct receiver {
	struct loop *loop;
	struct udp_socket *socket;
	unsigned pictures;
};

static void
on_picture(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct receiver *receiver = context;
	struct rtp_packet packet;
	(void)socket;
	if (rtp_kind_of(datagram->bytes, datagram->len) != RTP_KIND_RTP)
		return;
	EXPECT_EQ(rtp_parse(&packet, datagram->bytes, datagram->len), RTP_OK);
	EXPECT_EQ(packet.payload_type, 96);
	receiver->pictures++;
	loop_stop(receiver->loop);
}

static void
no_event(void *context, unsigned worker, const struct media_event *event)
{
	(void)context, (void)worker, (void)event;
}

/* The other end of the link, played by the test: it is told of a canvas and an encode, and gives one
 * frame. */
static void
play_codec(struct codec_link *end, struct loop *loop)
{
	static const uint8_t frame[] = { 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0, 1, 2, 3 };
	struct codec_message message;
	bool canvas = false;
	uint32_t encode = 0;
	const int64_t until_us = loop_now_us() + PATIENCE_US;
	while ((!canvas || encode == 0) && loop_now_us() < until_us) {
		switch (codec_link_take(end, &message)) {
		case CODEC_LINK_MESSAGE:
			canvas |= message.kind == CODEC_CANVAS_SET && message.id == 7;
			if (message.kind == CODEC_ENCODE_OPEN)
				encode = message.id;
			break;
		case CODEC_LINK_EMPTY:
			loop_run_until(loop, loop_now_us() + 1000);
			break;
		case CODEC_LINK_BROKEN:
			test_failed("a broken link", __FILE__, __LINE__);
			return;
		}
	}
	EXPECT(canvas && encode != 0);
	const struct codec_message picture = { .kind = CODEC_FRAME,
		                               .id = encode,
		                               .frame = { .captured_us = loop_now_us(),
		                                          .codec = VIDEO_CODEC_VP8,
		                                          .key = true,
		                                          .width = 64,
		                                          .height = 64 },
		                               .bytes = frame,
		                               .len = sizeof frame };
	EXPECT(codec_link_post(end, &picture));
}

static void
show_canvas(struct worker *worker, media_leg_id leg, const struct net_addr *to)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_OPEN, .leg = leg };
	order.open.local = addr_ip4(127, 0, 0, 1, 0);
	worker_post(worker, &order);
	order = (struct media_order){ .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = leg };
	order.transport.remote_rtp = *to;
	worker_post(worker, &order);
	order = (struct media_order){ .kind = MEDIA_ORDER_LEG_VIDEO, .leg = leg };
	order.video.send = true;
	order.video.payload_count = 1;
	order.video.tx_ssrc = 5;
	order.video.payloads[0] = (struct media_video_payload){ .codec = VIDEO_CODEC_VP8,
		                                                .rx_payload_type = 96,
		                                                .tx_payload_type = 96,
		                                                .rx_rtx_payload_type = 255,
		                                                .tx_rtx_payload_type = 255 };
	worker_post(worker, &order);
	order = (struct media_order){ .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = 7 } };
	order.canvas.canvas = calloc(1, sizeof *order.canvas.canvas);
	EXPECT(order.canvas.canvas != NULL);
	worker_post(worker, &order);
	order = (struct media_order){ .kind = MEDIA_ORDER_LEG_SHOW, .leg = leg };
	order.show.kind = MEDIA_SHOW_CANVAS;
	order.show.canvas = 7;
	worker_post(worker, &order);
}

TEST(pictures_cross_to_the_codec_process_and_back)
{
	struct receiver receiver = { 0 };
	struct worker *worker = NULL;
	EXPECT_EQ(loop_create(&receiver.loop), 0);
	const struct udp_settings udp = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                          .receive = on_picture,
		                          .context = &receiver };
	EXPECT_EQ(udp_open(&receiver.socket, receiver.loop, &udp), 0);
	const struct worker_settings settings = {
		.media = { .legs_max = 4, .rooms_max = 4, .seed = 3 },
		.addresses = { addr_ip4(127, 0, 0, 1, 0) },
		.address_count = 1,
		.first_port = FIRST_PORT,
		.last_port = FIRST_PORT + 9,
		.event = no_event,
	};
	EXPECT_EQ(worker_create(&worker, receiver.loop, &settings), 0);
	show_canvas(worker, 1u << SLAB_INDEX_BITS, udp_local(receiver.socket));
	/* The second process is told all that the first was. */
	for (unsigned process = 0; process < 2; process++) {
		struct codec_link *link = NULL;
		struct codec_link *end = NULL;
		int fds[CODEC_LINK_FDS];
		EXPECT_EQ(codec_link_create(&link), 0);
		for (unsigned i = 0; i < CODEC_LINK_FDS; i++)
			fds[i] = fcntl(codec_link_child_fds(link)[i], F_DUPFD, 200 + (int)i);
		EXPECT_EQ(fds[CODEC_LINK_FDS - 1], 200 + CODEC_LINK_FDS - 1);
		EXPECT_EQ(codec_link_adopt(&end, fds[0]), 0);
		worker_codec(worker, link);
		play_codec(end, receiver.loop);
		const unsigned before = receiver.pictures;
		loop_run_until(receiver.loop, loop_now_us() + PATIENCE_US);
		EXPECT_EQ(receiver.pictures, before + 1);
		codec_link_put(end);
	}
	worker_codec(worker, NULL);
	worker_destroy(worker);
	udp_close(receiver.socket);
	loop_destroy(receiver.loop);
}
