/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: whatever is switched, left out or lost on the way here, a receiver sees one stream: numbers
 * without holes but for what never came, time that goes on, picture ids one by one, and nothing
 * that cannot be decoded.  Method: small scenes, then seeded ones whose result a model of a
 * receiver checks; at last real VP8 through a frame builder. */
#include "base/prng.h"
#include "base/test.h"
#include "video/forward.h"
#include "video/frame_build.h"
#include "video/stream_fixture.h"

enum {
	FRAME_US = 33333,
	FRAME_RTP = 3000,
	FIRST_SEQ = 1000,
	FIRST_PICTURE = 0x7ffe,
	H264_TYPE = 102,
	VP8_TYPE = 96,
	POOL_PACKETS = 4096,
};

static const uint32_t FIRST_TIMESTAMP = 0xfffff000; /* wraps soon */
static const int64_t BEGIN_US = 1000000;
/* So that the clock stands at the first timestamp then. */
static const int64_t EPOCH_US = INT64_C(0xfffff000) * 100 / 9 + 1 - BEGIN_US;

/* ---- Sources: VP8 frames of `packets` packets in up to three temporal layers ---- */

struct source {
	uint64_t id;
	int64_t seq; /* next */
	uint32_t timestamp_rtp;
	uint16_t picture_id;
	uint8_t tl0_index;
	unsigned frame;     /* number since the last key frame */
	unsigned layers;    /* 1, 2 or 3 */
	unsigned packets;   /* a frame */
	bool short_id;
};

static struct packet_pool *pool;

static struct packet *
vp8_packet(const struct source *source, bool key, bool first, bool last, unsigned temporal,
           bool sync)
{
	uint8_t payload[64];
	struct writer w = writer_of(payload, sizeof payload);
	writer_u8(&w, (uint8_t)(0x80 | (first ? 0x10 : 0)));
	writer_u8(&w, 0xe0);
	if (source->short_id)
		writer_u8(&w, source->picture_id & 0x7f);
	else
		writer_u16(&w, 0x8000 | source->picture_id);
	writer_u8(&w, source->tl0_index);
	writer_u8(&w, (uint8_t)(temporal << 6 | (sync ? 0x20 : 0)));
	const uint8_t head[] = { key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0 };
	writer_bytes(&w, head, sizeof head);
	struct packet *packet = packet_take(pool, payload, w.at);
	EXPECT(packet != NULL);
	packet->source = source->id;
	packet->seq = source->seq;
	packet->timestamp_rtp = source->timestamp_rtp;
	packet->codec = VIDEO_CODEC_VP8;
	packet->marker = last;
	EXPECT_EQ(video_facts_parse(&packet->facts, VIDEO_CODEC_VP8, packet->payload, w.at),
	          VIDEO_OK);
	return packet;
}

/* The next frame; a key frame when asked for.  The layers go 0 2 1 2, or 0 1. */
static unsigned
source_frame(struct source *source, bool key, struct packet **out)
{
	static const uint8_t three[] = { 0, 2, 1, 2 };
	if (key)
		source->frame = 0;
	const unsigned at = source->frame % 4;
	const unsigned temporal = source->layers == 3   ? three[at]
	                          : source->layers == 2 ? at & 1
	                                                : 0;
	/* A layer's first frame after one of the base needs only that. */
	const bool sync = temporal != 0 && at <= 2;
	source->picture_id = (source->picture_id + 1) & (source->short_id ? 0x7f : 0x7fff);
	source->timestamp_rtp += FRAME_RTP;
	if (temporal == 0)
		source->tl0_index++;
	for (unsigned i = 0; i < source->packets; i++) {
		out[i] = vp8_packet(source, key, i == 0, i + 1 == source->packets,
		                    temporal, sync);
		source->seq++;
	}
	source->frame++;
	return source->packets;
}

/* ---- Scenes ---- */

struct scene {
	struct forward forward;
	struct forward_out out;
	int64_t now_us;
	int64_t sound_us; /* how much later the sound of a picture is heard than it arrives */
	uint16_t seq; /* of the last packet sent */
	bool started;
};

static void
scene_open(struct scene *scene)
{
	struct forward_settings settings = { .seq = FIRST_SEQ,
		                             .epoch_us = EPOCH_US,
		                             .picture_id = FIRST_PICTURE };
	EXPECT_EQ(packet_pool_create(&pool, POOL_PACKETS), 0);
	memset(settings.payload_types, FORWARD_NO_PAYLOAD_TYPE, sizeof settings.payload_types);
	settings.payload_types[VIDEO_CODEC_H264] = H264_TYPE;
	settings.payload_types[VIDEO_CODEC_VP8] = VP8_TYPE;
	memset(scene, 0, sizeof *scene);
	forward_init(&scene->forward, &settings);
	scene->now_us = BEGIN_US;
}

static void
scene_close(void)
{
	EXPECT_EQ(packet_pool_used(pool), 0);
	packet_pool_destroy(pool);
}

/* Gives a packet away and returns the verdict. */
static enum forward_verdict
scene_input(struct scene *scene, struct packet *packet)
{
	packet->heard_us = scene->now_us + scene->sound_us;
	const enum forward_verdict verdict =
	        forward_input(&scene->forward, &scene->out, packet, NULL);
	packet_put(packet);
	return verdict;
}

/* A whole frame, of which each packet is to be sent in its order; returns the header of the last.
 * */
static struct forward_header
scene_sends(struct scene *scene, struct source *source, bool key)
{
	struct packet *packets[8];
	const unsigned count = source_frame(source, key, packets);
	for (unsigned i = 0; i < count; i++) {
		EXPECT_EQ(scene_input(scene, packets[i]), FORWARD_SEND);
		EXPECT_EQ(scene->out.count, 1);
		EXPECT_EQ(scene->out.headers[0].seq,
		          scene->started ? (uint16_t)(scene->seq + 1) : FIRST_SEQ);
		EXPECT_EQ(scene->out.headers[0].payload_type, VP8_TYPE);
		EXPECT_EQ(scene->out.headers[0].marker, i + 1 == count);
		scene->seq = scene->out.headers[0].seq;
		scene->started = true;
	}
	scene->now_us += FRAME_US;
	return scene->out.headers[0];
}

/* A whole frame that gets this verdict. */
static void
scene_refuses(struct scene *scene, struct source *source, bool key, enum forward_verdict verdict)
{
	struct packet *packets[8];
	const unsigned count = source_frame(source, key, packets);
	for (unsigned i = 0; i < count; i++) {
		EXPECT_EQ(scene_input(scene, packets[i]), verdict);
		EXPECT_EQ(scene->out.count, 0);
	}
	scene->now_us += FRAME_US;
}

static struct source
plain_source(uint64_t id)
{
	return (struct source){ .id = id,
		                .seq = (int64_t)id * 7000,
		                .timestamp_rtp = (uint32_t)id * 123456789,
		                .picture_id = (uint16_t)(id * 77),
		                .tl0_index = (uint8_t)(id * 50),
		                .layers = 1,
		                .packets = 3 };
}

TEST(nothing_is_sent_before_a_key_frame)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 0);
	scene_refuses(&scene, &a, true, FORWARD_NOT_WANTED);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 1);
	EXPECT_EQ(forward_source(&scene.forward), 0);
	scene_refuses(&scene, &a, false, FORWARD_NO_KEY);
	const struct forward_header first = scene_sends(&scene, &a, true);
	EXPECT_EQ(first.timestamp_rtp, (uint32_t)(FIRST_TIMESTAMP + 2 * FRAME_RTP));
	EXPECT_EQ(first.picture_id, FIRST_PICTURE);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 0);
	EXPECT_EQ(forward_source(&scene.forward), 1);
	const struct forward_header second = scene_sends(&scene, &a, false);
	EXPECT_EQ(second.timestamp_rtp, first.timestamp_rtp + FRAME_RTP);
	EXPECT_EQ(second.picture_id, 0x7fff);
	EXPECT_EQ(second.tl0_index, (uint8_t)(first.tl0_index + 1));
	EXPECT_EQ(scene_sends(&scene, &a, false).picture_id, 0);
	scene_close();
}

TEST(another_layer_takes_over_at_its_key_frame)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct source b = plain_source(2);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	forward_want(&scene.forward, 2, FORWARD_TEMPORAL_ALL, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 2);
	const struct forward_header last = scene_sends(&scene, &a, false); /* it goes on */
	scene_refuses(&scene, &b, false, FORWARD_NO_KEY);
	const struct forward_header first = scene_sends(&scene, &b, true);
	/* Two frames' time has gone by since. */
	EXPECT_EQ((uint32_t)(first.timestamp_rtp - last.timestamp_rtp), 5999);
	EXPECT_EQ(first.picture_id, (last.picture_id + 1) & 0x7fff);
	EXPECT_EQ(first.tl0_index, (uint8_t)(last.tl0_index + 1));
	scene_refuses(&scene, &a, false, FORWARD_NOT_WANTED);
	(void)scene_sends(&scene, &b, false);
	EXPECT_EQ(scene.forward.stats.switches, 2);
	scene_close();
}

TEST(another_person_is_not_waited_for_with_the_old_picture)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct source b = plain_source(2);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, false);
	(void)scene_sends(&scene, &a, true);
	forward_want(&scene.forward, 2, FORWARD_TEMPORAL_ALL, false);
	scene_refuses(&scene, &a, false, FORWARD_NOT_WANTED);
	(void)scene_sends(&scene, &b, true);
	scene_close();
}

TEST(a_change_of_mind_back_costs_nothing)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	forward_want(&scene.forward, 2, FORWARD_TEMPORAL_ALL, true);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 0);
	(void)scene_sends(&scene, &a, false);
	scene_close();
}

TEST(a_paused_stream_goes_on_with_a_key_frame)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	const struct forward_header last = scene_sends(&scene, &a, true);
	forward_want(&scene.forward, 0, FORWARD_TEMPORAL_ALL, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 0);
	scene_refuses(&scene, &a, false, FORWARD_NOT_WANTED);
	scene.now_us += 10 * 1000000 - FRAME_US * 2;
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 1);
	scene_refuses(&scene, &a, false, FORWARD_NO_KEY);
	const struct forward_header first = scene_sends(&scene, &a, true);
	EXPECT_EQ((uint32_t)(first.timestamp_rtp - last.timestamp_rtp),
	          10 * VIDEO_CLOCK_HZ + FRAME_RTP);
	EXPECT_EQ(first.picture_id, (last.picture_id + 1) & 0x7fff);
	scene_close();
}

TEST(a_source_whose_numbers_jump_goes_on_at_its_key_frame)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	for (unsigned i = 0; i < 2; i++) {
		a.seq += i == 0 ? 10000 : -20000;
		scene_refuses(&scene, &a, false, FORWARD_NO_KEY);
		EXPECT_EQ(forward_key_wanted(&scene.forward), 1);
		(void)scene_sends(&scene, &a, true);
		(void)scene_sends(&scene, &a, false);
	}
	scene_close();
}

TEST(packets_out_of_order_keep_their_places)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	(void)source_frame(&a, false, packets);
	EXPECT_EQ(scene_input(&scene, packet_hold(packets[2])), FORWARD_SEND);
	EXPECT_EQ(scene.out.headers[0].seq, scene.seq + 3);
	EXPECT_EQ(scene_input(&scene, packets[0]), FORWARD_SEND);
	EXPECT_EQ(scene.out.headers[0].seq, scene.seq + 1);
	EXPECT_EQ(scene_input(&scene, packets[1]), FORWARD_SEND);
	EXPECT_EQ(scene.out.headers[0].seq, scene.seq + 2);
	EXPECT_EQ(scene_input(&scene, packets[2]), FORWARD_DUPLICATE);
	scene_close();
}

TEST(what_comes_late_from_before_the_switch_keeps_its_place)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct source b = plain_source(2);
	struct packet *old[8];
	struct packet *older[8];
	scene_open(&scene);
	(void)source_frame(&a, false, older);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	forward_want(&scene.forward, 2, FORWARD_TEMPORAL_ALL, true);
	(void)source_frame(&a, false, old);
	EXPECT_EQ(scene_input(&scene, old[0]), FORWARD_SEND);
	EXPECT_EQ(scene_input(&scene, old[2]), FORWARD_SEND);
	const uint16_t seq = scene.out.headers[0].seq;
	const uint32_t timestamp_rtp = scene.out.headers[0].timestamp_rtp;
	scene.seq = seq;
	(void)scene_sends(&scene, &b, true);
	EXPECT_EQ(scene_input(&scene, old[1]), FORWARD_SEND);
	EXPECT_EQ(scene.out.headers[0].seq, seq - 1);
	EXPECT_EQ(scene.out.headers[0].timestamp_rtp, timestamp_rtp);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(scene_input(&scene, older[i]), FORWARD_LATE);
	(void)scene_sends(&scene, &b, false);
	scene_close();
}

TEST(a_key_frame_whose_rest_was_passed_by_is_not_begun)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)source_frame(&a, true, packets);
	EXPECT_EQ(scene_input(&scene, packets[1]), FORWARD_NO_KEY);
	EXPECT_EQ(scene_input(&scene, packets[0]), FORWARD_NO_KEY);
	EXPECT_EQ(scene_input(&scene, packets[2]), FORWARD_NO_KEY);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 1);
	(void)scene_sends(&scene, &a, true);
	scene_close();
}

TEST(a_packet_far_behind_is_dropped)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	(void)source_frame(&a, false, packets);
	scene.seq += 3;
	for (unsigned i = 0; i < FORWARD_LATE_MAX / 3; i++)
		(void)scene_sends(&scene, &a, false);
	EXPECT_EQ(scene_input(&scene, packets[0]), FORWARD_LATE);
	EXPECT_EQ(scene_input(&scene, packets[1]), FORWARD_SEND);
	EXPECT_EQ(scene_input(&scene, packets[2]), FORWARD_SEND);
	scene_close();
}

TEST(a_codec_that_is_not_taken_is_not_sent_and_another_gets_its_type)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	uint8_t types[VIDEO_FORMATS];
	scene_open(&scene);
	memset(types, FORWARD_NO_PAYLOAD_TYPE, sizeof types);
	types[VIDEO_CODEC_H264] = H264_TYPE;
	forward_set_payload_types(&scene.forward, types);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	scene_refuses(&scene, &a, true, FORWARD_NO_CODEC);

	/* The same source in H.264, whose parameter sets came with the SDP. */
	const uint8_t idr[] = { 0x65, 0x88, 1, 2, 3 };
	const uint8_t sps[] = { 0x67, 1, 2, 3 };
	struct packet *sets = packet_take(pool, sps, sizeof sps);
	sets->source = 1;
	sets->codec = VIDEO_CODEC_H264;
	for (unsigned i = 0; i < 2; i++) {
		packets[i] = packet_take(pool, idr, sizeof idr);
		packets[i]->source = 1;
		packets[i]->codec = VIDEO_CODEC_H264;
		packets[i]->seq = a.seq + i;
		packets[i]->timestamp_rtp = i * FRAME_RTP;
		packets[i]->marker = true;
		EXPECT_EQ(video_facts_parse(&packets[i]->facts, VIDEO_CODEC_H264,
		                            packets[i]->payload, packets[i]->len),
		          VIDEO_OK);
	}
	EXPECT_EQ(forward_input(&scene.forward, &scene.out, packets[0], sets), FORWARD_SEND);
	EXPECT_EQ(scene.out.count, 2);
	EXPECT(scene.out.packets[0] == sets && scene.out.packets[1] == packets[0]);
	EXPECT_EQ(scene.out.headers[0].seq, FIRST_SEQ);
	EXPECT_EQ(scene.out.headers[1].seq, FIRST_SEQ + 1);
	EXPECT_EQ(scene.out.headers[0].timestamp_rtp, scene.out.headers[1].timestamp_rtp);
	EXPECT_EQ(scene.out.headers[0].payload_type, H264_TYPE);
	EXPECT(!scene.out.headers[0].marker && scene.out.headers[1].marker);
	EXPECT_EQ(forward_input(&scene.forward, &scene.out, packets[1], sets), FORWARD_SEND);
	EXPECT_EQ(scene.out.count, 1); /* the receiver has them */
	EXPECT_EQ(scene.out.headers[0].seq, FIRST_SEQ + 2);
	packet_put(packets[0]);
	packet_put(packets[1]);
	packet_put(sets);
	scene_close();
}

/* ---- Temporal layers ---- */

TEST(layers_left_out_leave_no_gap)
{
	for (unsigned short_id = 0; short_id < 2; short_id++) {
		struct scene scene;
		struct source a = plain_source(1);
		a.layers = 3;
		a.short_id = short_id;
		a.picture_id &= 0x7f;
		scene_open(&scene);
		forward_want(&scene.forward, 1, 0, true);
		struct forward_header last = scene_sends(&scene, &a, true);
		for (unsigned i = 0; i < 200; i++) {
			for (unsigned left_out = 0; left_out < 3; left_out++)
				scene_refuses(&scene, &a, false, FORWARD_LAYER);
			const struct forward_header next = scene_sends(&scene, &a, false);
			EXPECT_EQ(next.picture_id, (last.picture_id + 1) & 0x7fff);
			EXPECT_EQ(next.tl0_index, (uint8_t)(last.tl0_index + 1));
			EXPECT_EQ((uint32_t)(next.timestamp_rtp - last.timestamp_rtp),
			          4 * FRAME_RTP);
			last = next;
		}
		scene_close();
	}
}

TEST(layers_begin_where_they_need_only_the_base)
{
	struct scene scene;
	struct source a = plain_source(1);
	a.layers = 3;
	scene_open(&scene);
	forward_want(&scene.forward, 1, 0, true);
	(void)scene_sends(&scene, &a, true);
	scene_refuses(&scene, &a, false, FORWARD_LAYER); /* 2 */
	forward_want(&scene.forward, 1, 2, true);
	EXPECT_EQ(forward_key_wanted(&scene.forward), 0);
	(void)scene_sends(&scene, &a, false);            /* 1, in sync: begins */
	scene_refuses(&scene, &a, false, FORWARD_LAYER); /* 2, not in sync */
	(void)scene_sends(&scene, &a, false);            /* 0 */
	(void)scene_sends(&scene, &a, false);            /* 2, in sync: begins */
	(void)scene_sends(&scene, &a, false);            /* 1 */
	(void)scene_sends(&scene, &a, false);            /* 2 */
	forward_want(&scene.forward, 1, 1, true);
	(void)scene_sends(&scene, &a, false);            /* 0 */
	scene_refuses(&scene, &a, false, FORWARD_LAYER); /* 2 */
	(void)scene_sends(&scene, &a, false);            /* 1 */
	scene_close();
}

TEST(a_frame_under_way_keeps_its_layer)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	a.layers = 2;
	scene_open(&scene);
	forward_want(&scene.forward, 1, 1, true);
	(void)scene_sends(&scene, &a, true);
	(void)source_frame(&a, false, packets);
	EXPECT_EQ(scene_input(&scene, packets[0]), FORWARD_SEND);
	forward_want(&scene.forward, 1, 0, true);
	EXPECT_EQ(scene_input(&scene, packets[1]), FORWARD_SEND);
	EXPECT_EQ(scene_input(&scene, packets[2]), FORWARD_SEND);
	scene.seq = scene.out.headers[0].seq;
	(void)scene_sends(&scene, &a, false);
	scene_refuses(&scene, &a, false, FORWARD_LAYER);
	scene_close();
}

TEST(a_number_kept_for_what_is_left_out_is_sent_empty)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	uint8_t bytes[64];
	a.layers = 2;
	a.packets = 1;
	scene_open(&scene);
	forward_want(&scene.forward, 1, 0, true);
	(void)scene_sends(&scene, &a, true);
	(void)source_frame(&a, false, packets); /* of layer 1, comes late */
	scene.seq++;
	(void)scene_sends(&scene, &a, false);
	EXPECT_EQ(scene_input(&scene, packet_hold(packets[0])), FORWARD_SEND);
	EXPECT(scene.out.headers[0].empty && !scene.out.headers[0].marker);
	EXPECT_EQ(scene.out.headers[0].seq, scene.seq - 1);
	struct writer w = writer_of(bytes, sizeof bytes);
	forward_write(&w, packets[0], &scene.out.headers[0]);
	EXPECT(!w.failed && w.at == 0);
	packet_put(packets[0]);
	scene_refuses(&scene, &a, false, FORWARD_LAYER);
	(void)scene_sends(&scene, &a, false);
	EXPECT_EQ(scene.forward.stats.empties, 1);
	scene_close();
}

TEST(a_sources_padding_is_not_forwarded)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	struct packet *padding = packet_take(pool, NULL, 0);
	padding->source = 1;
	padding->codec = VIDEO_CODEC_VP8;
	padding->seq = a.seq++;
	padding->timestamp_rtp = a.timestamp_rtp;
	EXPECT_EQ(scene_input(&scene, padding), FORWARD_LAYER);
	(void)scene_sends(&scene, &a, false);
	scene_close();
}

TEST(the_time_for_reports_goes_on_with_the_clock)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	EXPECT_EQ(forward_timestamp_at(&scene.forward, BEGIN_US), FIRST_TIMESTAMP);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	EXPECT_EQ(forward_timestamp_at(&scene.forward, scene.now_us),
	          (uint32_t)(FIRST_TIMESTAMP + FRAME_RTP));
	scene_close();
}

static int32_t
off_rtp(const struct scene *scene, const struct forward_header *header, int64_t heard_us)
{
	return (int32_t)(header->timestamp_rtp - forward_timestamp_at(&scene->forward, heard_us));
}

TEST(a_picture_has_the_time_at_which_its_sound_is_heard)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct source b = plain_source(2);
	scene_open(&scene);
	scene.sound_us = 150 * 1000;
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	struct forward_header header = scene_sends(&scene, &a, true);
	EXPECT_EQ(off_rtp(&scene, &header, scene.now_us - FRAME_US + scene.sound_us), 0);
	/* The next person is heard at once: time does not go back for that. */
	scene.sound_us = 0;
	forward_want(&scene.forward, 2, FORWARD_TEMPORAL_ALL, false);
	const struct forward_header next = scene_sends(&scene, &b, true);
	EXPECT_EQ(next.timestamp_rtp, header.timestamp_rtp + 1);
	for (unsigned i = 0; i < 60; i++)
		header = scene_sends(&scene, &b, false);
	const int32_t off = off_rtp(&scene, &header, scene.now_us - FRAME_US);
	EXPECT(off <= VIDEO_CLOCK_HZ / 1000 && off >= -VIDEO_CLOCK_HZ / 1000);
	scene_close();
}

TEST(pictures_follow_their_sound_in_small_steps)
{
	struct scene scene;
	struct source a = plain_source(1);
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	struct forward_header last = scene_sends(&scene, &a, true);
	for (unsigned turn = 0; turn < 2; turn++) {
		scene.sound_us = turn == 0 ? 200 * 1000 : 20 * 1000;
		for (unsigned i = 0; i < 60; i++) {
			const struct forward_header header = scene_sends(&scene, &a, false);
			const uint32_t step = header.timestamp_rtp - last.timestamp_rtp;
			EXPECT(step >= FRAME_RTP * 7 / 8 && step <= FRAME_RTP * 9 / 8);
			last = header;
		}
		const int32_t off =
		        off_rtp(&scene, &last, scene.now_us - FRAME_US + scene.sound_us);
		EXPECT(off <= VIDEO_CLOCK_HZ / 1000 && off >= -VIDEO_CLOCK_HZ / 1000);
	}
	scene_close();
}

TEST(a_packet_that_comes_late_has_the_time_of_its_frame)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	scene_open(&scene);
	forward_want(&scene.forward, 1, FORWARD_TEMPORAL_ALL, true);
	(void)scene_sends(&scene, &a, true);
	scene.sound_us = 200 * 1000;
	(void)scene_sends(&scene, &a, false);
	(void)source_frame(&a, false, packets);
	EXPECT_EQ(scene_input(&scene, packets[0]), FORWARD_SEND);
	const uint32_t timestamp_rtp = scene.out.headers[0].timestamp_rtp;
	EXPECT_EQ(scene_input(&scene, packets[2]), FORWARD_SEND);
	scene.seq = scene.out.headers[0].seq;
	for (unsigned i = 0; i < FORWARD_TIMES / 2; i++)
		(void)scene_sends(&scene, &a, false);
	EXPECT_EQ(scene_input(&scene, packets[1]), FORWARD_SEND);
	EXPECT_EQ(scene.out.headers[0].timestamp_rtp, timestamp_rtp);
	scene_close();
}

TEST(ids_are_written_where_they_stood)
{
	struct scene scene;
	struct source a = plain_source(1);
	struct packet *packets[8];
	uint8_t bytes[64];
	scene_open(&scene);
	for (unsigned short_id = 0; short_id < 2; short_id++) {
		a.short_id = short_id != 0;
		(void)source_frame(&a, true, packets);
		const struct forward_header header = { .picture_id = 0x1234, .tl0_index = 99 };
		struct writer w = writer_of(bytes, sizeof bytes);
		forward_write(&w, packets[0], &header);
		struct video_facts facts;
		EXPECT_EQ(w.at, packets[0]->len);
		EXPECT_EQ(video_facts_parse(&facts, VIDEO_CODEC_VP8, bytes, w.at), VIDEO_OK);
		EXPECT_EQ(facts.picture_id, short_id != 0 ? 0x34 : 0x1234);
		EXPECT_EQ(facts.tl0_index, 99);
		EXPECT_EQ(facts.picture_id_bits, short_id != 0 ? 7 : 15);
		EXPECT(facts.key_start);
		for (unsigned i = 0; i < 3; i++)
			packet_put(packets[i]);
	}
	scene_close();
}

/* ---- Seeded scenes ---- */

enum {
	SENT_MAX = 8192,
	SOURCES = 3,
	WAITING_MAX = 64,
	PASSED_MAX = 32,
};

/* What a receiver got under one number. */
struct got {
	bool there;
	bool empty;
	bool key;
	bool start;
	bool marker;
	uint32_t timestamp_rtp;
	uint16_t picture_id;
	uint8_t temporal;
	uint64_t source;
};

/* The highest numbers of each source that went by while it was not sent. */
static int64_t passed_by[SOURCES][PASSED_MAX];
static struct got got[SENT_MAX];
static unsigned got_max;

static void
receive(const struct forward_out *out)
{
	for (unsigned i = 0; i < out->count; i++) {
		const struct forward_header *header = &out->headers[i];
		const struct packet *packet = out->packets[i];
		const unsigned at = (uint16_t)(header->seq - FIRST_SEQ);
		EXPECT(at < SENT_MAX);
		EXPECT(!got[at].there); /* no number is used twice */
		got[at] = (struct got){ .there = true,
			                .empty = header->empty,
			                .key = packet->facts.key_start,
			                .start = packet->facts.frame_start,
			                .marker = header->marker,
			                .timestamp_rtp = header->timestamp_rtp,
			                .picture_id = header->picture_id,
			                .temporal = packet->facts.temporal,
			                .source = packet->source };
		got_max = at + 1 > got_max ? at + 1 : got_max;
	}
}

/* Notes a packet that is not sent; and at the begin of a source, counts those behind its key frame
 * that went by before it: they will be missing, and nobody could know. */
static unsigned
note(const struct forward *forward, const struct packet *packet, enum forward_verdict verdict,
     bool begins)
{
	int64_t *passed = passed_by[packet->source - 1];
	unsigned missing = 0;
	if (verdict == FORWARD_NOT_WANTED || verdict == FORWARD_NO_KEY) {
		memmove(passed + 1, passed, (PASSED_MAX - 1) * sizeof *passed);
		passed[0] = packet->seq;
	}
	for (unsigned i = 0; begins && i < PASSED_MAX; i++)
		missing += passed[i] > forward->now.first;
	return missing;
}

/* The stream as received: in order of numbers, time and pictures go on, sources change at key
 * frames only; returns how many numbers are missing. */
static unsigned
look_back(bool all_came)
{
	unsigned missing = 0;
	const struct got *last = NULL;
	for (unsigned at = 0; at < got_max; at++) {
		const struct got *now = &got[at];
		missing += !now->there;
		if (!now->there || now->empty)
			continue;
		if (last == NULL || last->source != now->source) {
			EXPECT(now->key || !all_came);
		}
		if (last != NULL) {
			const int32_t ahead =
			        (int32_t)(now->timestamp_rtp - last->timestamp_rtp);
			const int pictures = (now->picture_id - last->picture_id) & 0x7fff;
			EXPECT(ahead >= 0);
			EXPECT((ahead == 0) == (pictures == 0));
			if (all_came)
				EXPECT(pictures <= 1);
		}
		last = now;
	}
	return missing;
}

/* A packet arrives, perhaps twice; returns what note() does. */
static unsigned
go_on(struct scene *scene, struct packet *packet, bool twice)
{
	const uint64_t before = scene->forward.stats.switches;
	const enum forward_verdict verdict = scene_input(scene, packet_hold(packet));
	receive(&scene->out);
	const unsigned missing = note(&scene->forward, packet, verdict,
	                              before != scene->forward.stats.switches);
	if (twice)
		EXPECT(scene_input(scene, packet_hold(packet)) != FORWARD_SEND);
	packet_put(packet);
	return missing;
}

/* Three sources, seeded changes of mind, and a network that reorders and, when told so, loses. */
static void
run_seed(uint64_t seed, unsigned loss_pct, unsigned reorder)
{
	struct scene scene;
	struct prng prng;
	struct source sources[SOURCES];
	struct packet *waiting[SOURCES][WAITING_MAX];
	unsigned waiting_count[SOURCES] = { 0 };
	unsigned lost = 0;
	unsigned since_switch = 0;
	unsigned picks = 0;
	uint64_t switches = 0;
	scene_open(&scene);
	prng_init(&prng, seed);
	memset(got, 0, sizeof got);
	memset(passed_by, 0, sizeof passed_by);
	got_max = 0;
	for (unsigned s = 0; s < SOURCES; s++) {
		sources[s] = plain_source(s + 1);
		sources[s].layers = s + 1;
	}
	for (unsigned round = 0; round < 400; round++) {
		since_switch = switches == scene.forward.stats.switches ? since_switch + 1 : 0;
		switches = scene.forward.stats.switches;
		/* Packets come late by less than this, and only one source before is remembered. */
		if (since_switch > 8 && prng_below(&prng, 8) == 0)
			forward_want(&scene.forward, prng_below(&prng, SOURCES + 1),
			             (uint8_t)prng_below(&prng, 3), prng_below(&prng, 2) != 0);
		for (unsigned s = 0; s < SOURCES; s++) {
			struct packet *packets[8];
			const bool key = forward_key_wanted(&scene.forward) == s + 1 &&
			                 prng_below(&prng, 3) == 0;
			sources[s].packets = 1 + prng_below(&prng, 4);
			const unsigned count = source_frame(&sources[s], key, packets);
			for (unsigned i = 0; i < count; i++) {
				if (prng_below(&prng, 100) < loss_pct) {
					packet_put(packets[i]);
					lost++;
					continue;
				}
				CHECK(waiting_count[s] < WAITING_MAX);
				waiting[s][waiting_count[s]++] = packets[i];
			}
			/* All but a few go on, in any order when told so; every second one is
			 * the oldest, so that none is very late. */
			while (waiting_count[s] > reorder) {
				const unsigned any =
				        prng_below(&prng, reorder + 1) % waiting_count[s];
				const unsigned at = picks++ % 2 == 0 ? 0 : any;
				struct packet *packet = waiting[s][at];
				waiting_count[s]--;
				memmove(&waiting[s][at], &waiting[s][at + 1],
				        (waiting_count[s] - at) * sizeof(struct packet *));
				lost += go_on(&scene, packet, prng_below(&prng, 20) == 0);
			}
		}
		scene.now_us += FRAME_US;
	}
	for (unsigned s = 0; s < SOURCES; s++) {
		for (unsigned i = 0; i < waiting_count[s]; i++) {
			(void)scene_input(&scene, waiting[s][i]);
			receive(&scene.out);
		}
	}
	const unsigned missing = look_back(loss_pct == 0 && reorder == 0);
	EXPECT(missing <= lost);
	EXPECT(got_max > 200);
	scene_close();
}

TEST(a_receiver_sees_one_stream_whatever_happens)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		run_seed(seed, 0, 0);
		run_seed(seed, 5, 0);
		run_seed(seed, 0, 6);
		run_seed(seed, 5, 6);
	}
}

/* ---- Real pictures through a forward into a decoder's builder ---- */

TEST(a_decoder_behind_it_gets_whole_frames_of_both_sources)
{
	static struct stream stream;
	static uint8_t bytes[VIDEO_FRAME_BYTES_MAX];
	struct scene scene;
	struct frame_build build;
	struct built_frame frame;
	unsigned frames = 0;
	unsigned markers = 0;
	scene_open(&scene);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	stream_load(&stream, VIDEO_CODEC_VP8);
	struct stream_sender senders[2];
	for (unsigned s = 0; s < 2; s++)
		senders[s] = (struct stream_sender){ .pool = pool,
			                             .source = s + 1,
			                             .seq = 65500 * (s + 1),
			                             .payload_max = 400 };
	for (unsigned i = 0; i < 60; i++) {
		forward_want(&scene.forward, 1 + i / 7 % 2, FORWARD_TEMPORAL_ALL, true);
		for (unsigned s = 0; s < 2; s++) {
			struct stream_packets packets;
			/* The second is two frames behind. */
			const unsigned number = i + (s == 0 ? 0 : 8);
			stream_packetize(&senders[s], &packets, &stream, number, scene.now_us);
			for (unsigned p = 0; p < packets.count; p++) {
				(void)scene_input(&scene, packets.packets[p]);
				if (scene.out.count == 0)
					continue;
				markers += scene.out.headers[0].marker;
				uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
				struct writer w = writer_of(payload, sizeof payload);
				forward_write(&w, scene.out.packets[0],
				              &scene.out.headers[0]);
				struct packet *sent = packet_take(pool, payload, w.at);
				sent->seq = scene.out.headers[0].seq;
				sent->timestamp_rtp = scene.out.headers[0].timestamp_rtp;
				sent->marker = scene.out.headers[0].marker;
				sent->codec = VIDEO_CODEC_VP8;
				EXPECT_EQ(video_facts_parse(&sent->facts, VIDEO_CODEC_VP8,
				                            sent->payload, sent->len),
				          VIDEO_OK);
				EXPECT_EQ(sent->facts.picture_id,
				          scene.out.headers[0].picture_id);
				frame_build_input(&build, sent, scene.now_us);
				packet_put(sent);
				if (!frame_build_take(&build, &frame, bytes, sizeof bytes,
				                      scene.now_us))
					continue;
				const struct stream_frame *want =
				        &stream.frames[number % stream.frame_count];
				EXPECT_EQ(frame.len, want->len);
				EXPECT(memcmp(bytes, stream.bytes + want->at, want->len) ==
				       0);
				frames++;
			}
		}
		scene.now_us += FRAME_US;
	}
	EXPECT_EQ(frames, markers);
	EXPECT(frames >= 60);
	EXPECT(scene.forward.stats.switches >= 6);
	frame_build_fini(&build);
	scene_close();
}
