/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, not a test: what one packet costs on its way in (facts, frame builder) and, for each
 * receiver, on its way out (forward, payload copied and rewritten, history), without SRTP and
 * socket. */
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "video/forward.h"
#include "video/frame_build.h"
#include "video/history.h"
#include "video/vp8.h"

enum {
	PACKETS = 200000,
	FRAME_BYTES = 4700, /* four packets: 1.1 Mbit/s at 30 frames a second */
	FRAME_US = 33333,
	RECEIVERS = 50,
	ENTRIES = 256,
};

static int64_t
clock_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct receiver {
	struct forward forward;
	struct history history;
	struct history_entry entries[ENTRIES];
};

static uint8_t frame_bytes[VIDEO_FRAME_BYTES_MAX];
static struct receiver receivers[RECEIVERS];
static struct frame_build build;

/* One packet to every receiver. */
static void
fan_out(struct packet *packet, int64_t now_us)
{
	uint8_t datagram[PACKET_PAYLOAD_BYTES_MAX];
	for (unsigned i = 0; i < RECEIVERS; i++) {
		struct receiver *receiver = &receivers[i];
		struct forward_out out;
		const enum forward_verdict verdict =
		        forward_input(&receiver->forward, &out, packet, NULL);
		CHECK(verdict == FORWARD_SEND && out.count == 1);
		struct writer w = writer_of(datagram, sizeof datagram);
		forward_write(&w, packet, &out.headers[0]);
		history_put(&receiver->history, packet, &out.headers[0], now_us);
	}
}

int
main(void)
{
	struct packet_pool *pool;
	struct built_frame frame;
	uint8_t picture[FRAME_BYTES] = { 0x10, 2, 0, 0x9d, 1, 0x2a, 0, 5, 0xd0, 2 };
	int64_t in_ns = 0;
	int64_t out_ns = 0;
	unsigned packets = 0;
	unsigned frames = 0;
	CHECK(packet_pool_create(&pool, 4096) == 0);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	for (unsigned i = 0; i < RECEIVERS; i++) {
		forward_init(&receivers[i].forward, &(struct forward_settings){ 0 });
		forward_want(&receivers[i].forward, 1, FORWARD_TEMPORAL_ALL, true);
		history_init(&receivers[i].history,
		             &(struct history_settings){ .entries = receivers[i].entries,
		                                         .entry_count = ENTRIES });
	}
	while (packets < PACKETS) {
		const int64_t now_us = (int64_t)frames * FRAME_US;
		struct vp8_packetizer packetizer;
		bool last;
		vp8_packetizer_init(&packetizer, picture, sizeof picture, (uint16_t)frames, false,
		                    VIDEO_PAYLOAD_BYTES_MAX);
		for (;;) {
			const int64_t from_ns = clock_ns();
			struct packet *packet = packet_take(pool, NULL, VIDEO_PAYLOAD_BYTES_MAX);
			CHECK(packet != NULL);
			struct writer w = writer_of(packet->payload, sizeof packet->payload);
			if (!vp8_packetizer_next(&packetizer, &w, &last)) {
				packet_put(packet);
				break;
			}
			packet->source = 1;
			packet->seq = packets++;
			packet->len = (uint16_t)w.at;
			packet->codec = VIDEO_CODEC_VP8;
			packet->marker = last;
			packet->timestamp_rtp = frames * 3000;
			packet->arrived_us = now_us;
			const enum video_reject reject = video_facts_parse(
			        &packet->facts, VIDEO_CODEC_VP8, packet->payload, packet->len);
			CHECK(reject == VIDEO_OK);
			frame_build_input(&build, packet, now_us);
			if (frame_build_take(&build, &frame, frame_bytes, sizeof frame_bytes,
			                     now_us))
				frames++;
			const int64_t between_ns = clock_ns();
			fan_out(packet, now_us);
			out_ns += clock_ns() - between_ns;
			in_ns += between_ns - from_ns;
			packet_put(packet);
		}
		picture[0] |= 1; /* the first was a key frame */
	}
	printf("in:  %4.0f ns a packet (taken, read, put into a frame and that written)\n",
	       (double)in_ns / packets);
	printf("out: %4.0f ns a packet and receiver (renumbered, copied, kept), %u receivers\n",
	       (double)out_ns / packets / RECEIVERS, (unsigned)RECEIVERS);
	printf("a forward is %zu bytes, a history of %u %zu, a frame builder %zu, a packet %zu\n",
	       sizeof(struct forward), (unsigned)ENTRIES, sizeof(struct history_entry) * ENTRIES,
	       sizeof(struct frame_build), sizeof(struct packet));
	for (unsigned i = 0; i < RECEIVERS; i++)
		history_clear(&receivers[i].history);
	frame_build_fini(&build);
	packet_pool_destroy(pool);
	return 0;
}
