/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as packets that arrive one after the other: flags, a step of the sequence number, a
 * step of the timestamp, a length and the payload. */
#include "base/bytes.h"
#include "video/frame_build.h"
#include "video/video_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	POOL_PACKETS = 2048,
	CODEC = 0x07,
	MARKER = 0x08,
	WAIT = 0x10, /* time passes */
	NEED_KEY = 0x20,
	FAR = 0x40, /* a large step of the sequence number */
};

static uint8_t frame_bytes[VIDEO_FRAME_BYTES_MAX];

struct watch {
	int64_t last_seq;
	unsigned padding;
	bool any;
};

/* Frames come in order, and one that is no key frame follows its predecessor at once. */
static void
take_all(struct frame_build *build, struct watch *watch, int64_t now_us)
{
	struct built_frame frame;
	while (frame_build_take(build, &frame, frame_bytes, sizeof frame_bytes, now_us)) {
		CHECK(frame.len != 0 && frame.len <= sizeof frame_bytes);
		CHECK(frame.first_seq <= frame.last_seq);
		CHECK(frame.last_seq < frame_build_oldest(build));
		CHECK(frame.key || (watch->any && frame.first_seq > watch->last_seq &&
		                    frame.first_seq - watch->last_seq - 1 <= watch->padding));
		CHECK(frame.first_us <= now_us);
		CHECK(!frame_build_key_wanted(build));
		watch->last_seq = frame.last_seq;
		watch->any = true;
	}
	CHECK(frame_build_deadline(build) > now_us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct packet_pool *pool;
	struct frame_build build;
	struct watch watch = { 0 };
	struct reader r = reader_of(bytes, len);
	int64_t now_us = 0;
	int64_t seq = 1000;
	uint32_t timestamp_rtp = 0;
	if (packet_pool_create(&pool, POOL_PACKETS) != 0)
		return 0;
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	for (;;) {
		const uint8_t flags = reader_u8(&r);
		const int step = (int8_t)reader_u8(&r);
		timestamp_rtp += reader_u8(&r);
		const size_t payload_len = reader_u16(&r) % (PACKET_PAYLOAD_BYTES_MAX + 1);
		const uint8_t *payload = reader_take(&r, payload_len);
		if (r.failed)
			break;
		seq += (flags & FAR) != 0 ? step * 100 : step;
		now_us += (flags & WAIT) != 0 ? 100000 : 1000;
		if ((flags & NEED_KEY) != 0)
			frame_build_need_key(&build);
		struct packet *packet = packet_take(pool, payload, payload_len);
		CHECK(packet != NULL);
		packet->codec = flags & CODEC;
		packet->marker = (flags & MARKER) != 0;
		packet->seq = seq;
		packet->timestamp_rtp = timestamp_rtp;
		packet->arrived_us = now_us;
		const enum video_reject reject =
		        payload_len == 0 || packet->codec >= VIDEO_CODEC_COUNT
		                ? VIDEO_REJECT_SHORT
		                : video_facts_parse(&packet->facts,
		                                    (enum video_codec)packet->codec, payload,
		                                    payload_len);
		if (payload_len == 0 || reject == VIDEO_OK)
			frame_build_input(&build, packet, now_us);
		watch.padding += payload_len == 0;
		packet_put(packet);
		take_all(&build, &watch, now_us);
		CHECK(packet_pool_used(pool) <= FRAME_BUILD_PACKETS_MAX);
	}
	frame_build_fini(&build);
	packet_pool_destroy(pool);
	return 0;
}
