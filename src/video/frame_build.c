/* SPDX-License-Identifier: Apache-2.0 */
#include "video/frame_build.h"

#include <string.h>

#include "base/check.h"
#include "video/av1.h"

static_assert((FRAME_BUILD_PACKETS_MAX & (FRAME_BUILD_PACKETS_MAX - 1)) == 0, "it is a mask");

#define NO_KEY INT64_MIN

enum {
	JUMP_MAX = 3000,   /* a larger jump is a new beginning, as in rtp/rtp.h */
	BEFORE_FIRST = 64, /* packets that may still come before the first one seen */
	NAL_TYPE = 0x1f,
	SEI_RECOVERY_POINT = 6,
};

void
frame_build_init(struct frame_build *build, const struct frame_build_settings *settings)
{
	memset(build, 0, sizeof *build);
	build->settings = *settings;
	if (build->settings.wait_us == 0)
		build->settings.wait_us = FRAME_BUILD_WAIT_US_DEFAULT;
	build->key_needed = true;
	build->key_at = NO_KEY;
	build->due_us = INT64_MAX;
}

void
frame_build_set_parameters(struct frame_build *build, const struct h264_sets *sets)
{
	build->sets = *sets;
}

/* ---- The packets kept ---- */

static struct packet **
slot_of(struct frame_build *build, int64_t seq)
{
	return &build->packets[(uint64_t)seq & (FRAME_BUILD_PACKETS_MAX - 1)];
}

/* NULL when it is not there. */
static struct packet *
packet_at(struct frame_build *build, int64_t seq)
{
	return seq >= build->next && seq <= build->newest ? *slot_of(build, seq) : NULL;
}

/* What is below `seq` is not needed any more; returns how many packets that were. */
static unsigned
advance(struct frame_build *build, int64_t seq)
{
	unsigned dropped = 0;
	for (; build->next < seq && build->count != 0; build->next++) {
		struct packet **slot = slot_of(build, build->next);
		if (*slot == NULL)
			continue;
		packet_put(*slot);
		*slot = NULL;
		build->count--;
		dropped++;
	}
	build->next = seq;
	if (build->scanned < seq)
		build->scanned = seq;
	if (build->newest < seq - 1)
		build->newest = seq - 1;
	if (build->key_at < seq)
		build->key_at = NO_KEY;
	return dropped;
}

void
frame_build_fini(struct frame_build *build)
{
	(void)advance(build, build->newest + 1);
	CHECK(build->count == 0);
}

static void
find_key(struct frame_build *build)
{
	for (int64_t seq = build->next; seq <= build->newest && build->count != 0; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet != NULL && packet->facts.key_start) {
			build->key_at = seq;
			return;
		}
	}
	build->key_at = NO_KEY;
}

/* Nothing is given any more before the next key frame. */
static void
lose_place(struct frame_build *build)
{
	build->key_needed = true;
	build->anchored = false;
	build->scanned = build->next;
	find_key(build);
}

void
frame_build_need_key(struct frame_build *build)
{
	lose_place(build);
}

bool
frame_build_key_wanted(const struct frame_build *build)
{
	return build->key_needed && !build->anchored && build->key_at == NO_KEY;
}

int64_t
frame_build_oldest(const struct frame_build *build)
{
	return build->next;
}

int64_t
frame_build_deadline(const struct frame_build *build)
{
	return build->due_us;
}

static void
restart(struct frame_build *build, int64_t seq)
{
	if (build->started)
		build->stats.dropped_waiting += advance(build, build->newest + 1);
	build->started = true;
	build->next = seq - BEFORE_FIRST;
	build->newest = seq - 1;
	lose_place(build);
}

void
frame_build_input(struct frame_build *build, struct packet *packet, int64_t now_us)
{
	const int64_t seq = packet->seq;
	build->due_us = now_us;
	if (!build->started) {
		restart(build, seq);
	} else if (seq > build->newest + JUMP_MAX || seq < build->next - JUMP_MAX) {
		build->stats.resets++;
		restart(build, seq);
	}
	if (seq < build->next) {
		build->stats.dropped_late++;
		return;
	}
	if (seq >= build->next + FRAME_BUILD_PACKETS_MAX) {
		/* Too much to keep: what was waited for is given up. */
		build->stats.dropped_waiting +=
		        advance(build, seq - FRAME_BUILD_PACKETS_MAX + 1);
		lose_place(build);
	}
	struct packet **slot = slot_of(build, seq);
	if (*slot != NULL) {
		build->stats.dropped_duplicate++;
		return;
	}
	*slot = packet_hold(packet);
	build->count++;
	if (seq > build->newest)
		build->newest = seq;
	if (packet->facts.key_start && (build->key_at == NO_KEY || seq < build->key_at))
		build->key_at = seq;
}

/* ---- Where a key frame begins ---- */

/* Packets wait no longer for a key frame that they may be of. */
static void
drop_old(struct frame_build *build, int64_t now_us)
{
	for (int64_t seq = build->next; seq <= build->newest && build->count != 0; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet == NULL)
			continue;
		build->due_us = packet->arrived_us + build->settings.wait_us;
		if (build->due_us > now_us)
			return;
		build->stats.dropped_waiting += advance(build, seq + 1);
	}
	build->due_us = INT64_MAX;
}

/* The first packet of what the one at `seq` belongs to, as far back as packets are there. */
static int64_t
first_of(struct frame_build *build, int64_t seq)
{
	const uint32_t timestamp_rtp = packet_at(build, seq)->timestamp_rtp;
	for (;; seq--) {
		const struct packet *before = packet_at(build, seq - 1);
		if (before == NULL || before->len == 0 || before->timestamp_rtp != timestamp_rtp)
			return seq;
	}
}

/* Lets the builder begin at the first key frame it has something of. */
static bool
anchor(struct frame_build *build, int64_t now_us)
{
	if (build->key_at == NO_KEY) {
		drop_old(build, now_us);
		return false;
	}
	const struct packet *key = packet_at(build, build->key_at);
	CHECK(key != NULL);
	const int64_t first = first_of(build, build->key_at);
	/* A slice of H.264 may have its parameter sets in a packet before, which is late. */
	if (key->codec == VIDEO_CODEC_H264 && !key->facts.parameter_sets &&
	    first > build->next && packet_at(build, first - 1) == NULL) {
		build->due_us = key->arrived_us + build->settings.wait_us / 4;
		if (build->due_us > now_us)
			return false;
	}
	build->stats.dropped_waiting += advance(build, first);
	build->anchored = true;
	return true;
}

/* ---- Whether a frame is complete ---- */

enum scan {
	SCAN_MORE,     /* to come */
	SCAN_COMPLETE, /* up to `*last` */
	SCAN_LOST,
};

/* A packet is missing at `seq`: how long is another one there behind it? */
static enum scan
wait_for(struct frame_build *build, int64_t seq, int64_t now_us)
{
	build->due_us = INT64_MAX;
	if (seq > build->newest)
		return SCAN_MORE;
	int64_t behind = seq + 1;
	while (packet_at(build, behind) == NULL)
		behind++;
	build->due_us = packet_at(build, behind)->arrived_us + build->settings.wait_us;
	if (build->due_us > now_us)
		return SCAN_MORE;
	build->stats.lost += (uint64_t)(behind - seq);
	build->stats.dropped_waiting += advance(build, behind);
	lose_place(build);
	return SCAN_LOST;
}

/* A frame ends with its marker, or where another timestamp begins: some rooms set no markers. */
static enum scan
scan(struct frame_build *build, int64_t *last, int64_t now_us)
{
	const struct packet *packet;
	while ((packet = packet_at(build, build->next)) != NULL && packet->len == 0)
		(void)advance(build, build->next + 1);
	for (int64_t seq = build->scanned;; seq++) {
		build->scanned = seq;
		packet = packet_at(build, seq);
		if (packet == NULL)
			return wait_for(build, seq, now_us);
		const struct packet *first = packet_at(build, build->next);
		if (packet->len != 0 && packet->timestamp_rtp != first->timestamp_rtp) {
			*last = seq - 1;
			return SCAN_COMPLETE;
		}
		if (packet->len != 0 && packet->marker) {
			*last = seq;
			return SCAN_COMPLETE;
		}
	}
}

/* ---- Frames put together ---- */

/* SEI messages (H.264 s7.3.2.3.1): does one say that pictures are right from here on? */
static bool
is_recovery_point(const uint8_t *nal, size_t len)
{
	struct reader r = reader_of(nal, len);
	reader_skip(&r, 1);
	while (!r.failed && reader_left(&r) > 2) {
		unsigned numbers[2] = { 0, 0 }; /* payloadType, payloadSize */
		for (unsigned i = 0; i < 2; i++) {
			uint8_t byte;
			while ((byte = reader_u8(&r)) == 0xff)
				numbers[i] += byte;
			numbers[i] += byte;
		}
		const uint8_t *payload = reader_take(&r, numbers[1]);
		/* recovery_frame_cnt is 0: its ue(v) is the bit 1. */
		if (payload != NULL && numbers[0] == SEI_RECOVERY_POINT && numbers[1] != 0)
			return (payload[0] & 0x80) != 0;
	}
	return false;
}

struct h264_frame {
	bool sps;
	bool pps;
	bool key;
};

/* What the access unit holds; its parameter sets are kept. */
static struct h264_frame
look_at_h264(struct frame_build *build, int64_t last)
{
	struct h264_frame frame = { 0 };
	for (int64_t seq = build->next; seq <= last; seq++) {
		const struct packet *packet = packet_at(build, seq);
		struct h264_walk walk;
		struct h264_piece piece;
		if (packet->len == 0 ||
		    h264_walk_init(&walk, packet->payload, packet->len) != VIDEO_OK)
			continue;
		while (h264_walk_next(&walk, &piece)) {
			const unsigned type = piece.header & NAL_TYPE;
			frame.sps |= type == H264_NAL_SPS;
			frame.pps |= type == H264_NAL_PPS;
			frame.key |= type == H264_NAL_IDR;
			if (piece.fragment)
				continue;
			if (type == H264_NAL_SPS || type == H264_NAL_PPS)
				(void)h264_sets_keep(&build->sets, piece.bytes, piece.len);
			else if (type == H264_NAL_SEI)
				frame.key |= is_recovery_point(piece.bytes, piece.len);
		}
	}
	return frame;
}

/* One payload's NAL units; `*open` is the header of the one whose rest is to come, or 0. */
static bool
write_pieces(struct writer *w, const struct packet *packet, uint8_t *open)
{
	struct h264_walk walk;
	struct h264_piece piece;
	if (h264_walk_init(&walk, packet->payload, packet->len) != VIDEO_OK)
		return false;
	while (h264_walk_next(&walk, &piece)) {
		if (piece.first ? *open != 0 : *open != piece.header)
			return false;
		if (piece.first)
			writer_u32(w, 1);
		if (piece.first && piece.fragment)
			writer_u8(w, piece.header);
		writer_bytes(w, piece.bytes, piece.len);
		*open = piece.last ? 0 : piece.header;
	}
	return true;
}

static bool
write_h264(struct frame_build *build, struct built_frame *frame, struct writer *w)
{
	const struct h264_frame found = look_at_h264(build, frame->last_seq);
	frame->key = found.key;
	if (found.key && !(found.sps && found.pps)) {
		if (!h264_sets_complete(&build->sets))
			return false;
		h264_sets_write_annexb(&build->sets, w);
	}
	uint8_t open = 0;
	for (int64_t seq = frame->first_seq; seq <= frame->last_seq; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet->len != 0 && !write_pieces(w, packet, &open))
			return false;
	}
	struct h264_sps sps;
	if (found.key && h264_sets_sps(&build->sets, &sps)) {
		build->width = sps.width;
		build->height = sps.height;
	}
	return open == 0;
}

/* VP8 and VP9: what is behind the descriptors, one after the other. */
static bool
write_plain(struct frame_build *build, struct built_frame *frame, struct writer *w)
{
	for (int64_t seq = frame->first_seq; seq <= frame->last_seq; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet->len == 0)
			continue;
		const struct video_facts *facts = &packet->facts;
		if (seq == frame->first_seq && !facts->frame_start)
			return false;
		if (seq != frame->first_seq && facts->frame_start &&
		    packet->codec == VIDEO_CODEC_VP8)
			return false;
		writer_bytes(w, packet->payload + facts->descriptor_len,
		             (size_t)packet->len - facts->descriptor_len);
	}
	return true;
}

static bool
write_av1(struct frame_build *build, struct built_frame *frame, struct writer *w)
{
	struct av1_join join;
	av1_join_init(&join, w);
	for (int64_t seq = frame->first_seq; seq <= frame->last_seq; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet->len != 0 && !av1_join_input(&join, packet->payload, packet->len))
			return false;
	}
	return av1_join_end(&join);
}

/* What the packets of the frame tell together. */
static bool
describe(struct frame_build *build, struct built_frame *frame, int64_t last)
{
	static const uint16_t degrees[] = { 0, 90, 180, 270 };
	const struct packet *first = packet_at(build, build->next);
	*frame = (struct built_frame){ .first_us = first->arrived_us,
		                       .first_seq = build->next,
		                       .last_seq = last,
		                       .timestamp_rtp = first->timestamp_rtp,
		                       .codec = first->codec,
		                       .key = first->facts.key_start,
		                       .discardable = true };
	for (int64_t seq = build->next; seq <= last; seq++) {
		const struct packet *packet = packet_at(build, seq);
		if (packet->len == 0)
			continue;
		if (packet->codec != first->codec)
			return false;
		if (packet->arrived_us < frame->first_us)
			frame->first_us = packet->arrived_us;
		frame->discardable &= packet->facts.discardable;
		if (packet->facts.width != 0) {
			build->width = packet->facts.width;
			build->height = packet->facts.height;
		}
		/* 3GPP TS 26.114 s7.4.5: the two low bits say how far to turn it. */
		if (packet->orientation != PACKET_NO_ORIENTATION)
			build->rotation = degrees[packet->orientation & 3];
	}
	return true;
}

/* Writes the frame from `next` to `last`; false when it cannot be used. */
static bool
put_together(struct frame_build *build, struct built_frame *frame, struct writer *w, int64_t last)
{
	bool whole = describe(build, frame, last);
	if (whole) {
		switch ((enum video_codec)frame->codec) {
		case VIDEO_CODEC_H264:
			whole = write_h264(build, frame, w);
			break;
		case VIDEO_CODEC_VP8:
		case VIDEO_CODEC_VP9:
			whole = write_plain(build, frame, w);
			break;
		case VIDEO_CODEC_AV1:
			whole = write_av1(build, frame, w);
			break;
		case VIDEO_CODEC_NONE:
		case VIDEO_CODEC_COUNT:
			whole = false;
			break;
		}
	}
	if (w->failed)
		build->stats.too_large++;
	else if (!whole)
		build->stats.broken++;
	frame->len = w->at;
	frame->width = build->width;
	frame->height = build->height;
	frame->rotation = build->rotation;
	return whole && !w->failed;
}

bool
frame_build_take(struct frame_build *build, struct built_frame *frame, uint8_t *bytes, size_t cap,
                 int64_t now_us)
{
	CHECK(cap >= VIDEO_FRAME_BYTES_MAX);
	for (;;) {
		int64_t last;
		if (build->key_needed && !build->anchored && !anchor(build, now_us))
			return false;
		const enum scan found = scan(build, &last, now_us);
		if (found == SCAN_MORE)
			return false;
		if (found == SCAN_LOST)
			continue;
		struct writer w = writer_of(bytes, VIDEO_FRAME_BYTES_MAX);
		const bool whole = put_together(build, frame, &w, last);
		(void)advance(build, last + 1);
		if (!whole || (build->key_needed && !frame->key)) {
			lose_place(build);
			continue;
		}
		build->key_needed = false;
		build->anchored = false;
		build->stats.frames++;
		build->stats.keys += frame->key;
		return true;
	}
}
