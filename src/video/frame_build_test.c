/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what comes out is, byte for byte, what the encoder made: all of it when all packets come,
 * in whatever order; and when some do not, whole frames only, none behind a hole but a key frame.
 * Method: streams of real encoders, cut into packets, through seeded networks. */
#include "base/prng.h"
#include "base/test.h"
#include "video/frame_build.h"
#include "video/stream_fixture.h"

enum {
	FRAME_US = 66667,
	POOL_PACKETS = 4096,
	IN_FLIGHT_MAX = 1024,
};

static const enum video_codec all_codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8, VIDEO_CODEC_VP9,
	                                       VIDEO_CODEC_AV1 };
static struct stream stream;
static uint8_t bytes[VIDEO_FRAME_BYTES_MAX];

/* ---- One builder under test ---- */

struct bench {
	struct packet_pool *pool;
	struct stream_sender sender;
	struct frame_build build;
	int64_t now_us;
	unsigned sent;  /* frames */
	unsigned taken;
	int last_taken; /* number of the frame, -1: none */
	struct built_frame frame; /* the last one */
};

static void
bench_open(struct bench *bench, enum video_codec codec)
{
	stream_load(&stream, codec);
	memset(bench, 0, sizeof *bench);
	EXPECT_EQ(packet_pool_create(&bench->pool, POOL_PACKETS), 0);
	bench->sender = (struct stream_sender){
		.pool = bench->pool, .source = 1, .seq = 65530, .payload_max = 300
	};
	bench->last_taken = -1;
	frame_build_init(&bench->build, &(struct frame_build_settings){ .wait_us = 200000 });
}

static void
bench_close(struct bench *bench)
{
	frame_build_fini(&bench->build);
	EXPECT_EQ(packet_pool_used(bench->pool), 0);
	packet_pool_destroy(bench->pool);
}

/* Takes all there is and holds it against what was sent. */
static void
bench_take(struct bench *bench)
{
	struct built_frame *frame = &bench->frame;
	while (frame_build_take(&bench->build, frame, bytes, sizeof bytes, bench->now_us)) {
		const int number = (int)(frame->timestamp_rtp / STREAM_FRAME_RTP);
		const struct stream_frame *want =
		        &stream.frames[(unsigned)number % stream.frame_count];
		EXPECT_EQ(frame->codec, stream.codec);
		EXPECT_EQ(frame->key, want->key);
		EXPECT_EQ(frame->len, want->len);
		EXPECT(memcmp(bytes, stream.bytes + want->at, want->len) == 0);
		EXPECT_EQ(frame->width, 128);
		EXPECT_EQ(frame->height, 96);
		EXPECT(frame->first_us <= bench->now_us);
		EXPECT(number > bench->last_taken);
		EXPECT(number == bench->last_taken + 1 || frame->key);
		bench->last_taken = number;
		bench->taken++;
	}
	EXPECT(frame_build_deadline(&bench->build) > bench->now_us);
}

static void
bench_input(struct bench *bench, struct packet *packet)
{
	packet->arrived_us = bench->now_us;
	frame_build_input(&bench->build, packet, bench->now_us);
	bench_take(bench);
}

/* The next frame's packets. */
static void
bench_packetize(struct bench *bench, struct stream_packets *out)
{
	stream_packetize(&bench->sender, out, &stream, bench->sent++, bench->now_us);
}

/* The next frame but packet `lost`. */
static void
bench_send_but(struct bench *bench, unsigned lost)
{
	struct stream_packets packets;
	bench_packetize(bench, &packets);
	for (unsigned i = 0; i < packets.count; i++) {
		if (i != lost)
			bench_input(bench, packets.packets[i]);
		packet_put(packets.packets[i]);
	}
	bench->now_us += FRAME_US;
}

static void
bench_send(struct bench *bench)
{
	bench_send_but(bench, STREAM_PACKETS_MAX);
}

/* ---- What must hold on a good network ---- */

TEST(frames_come_out_as_the_encoder_made_them)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		struct bench bench;
		bench_open(&bench, all_codecs[c]);
		EXPECT(frame_build_key_wanted(&bench.build));
		for (unsigned i = 0; i < 25; i++) {
			bench_send(&bench);
			EXPECT_EQ(bench.taken, i + 1); /* at once, thanks to the marker */
			EXPECT(!frame_build_key_wanted(&bench.build));
		}
		EXPECT_EQ(bench.build.stats.frames, 25);
		EXPECT_EQ(bench.build.stats.keys, 5);
		EXPECT_EQ(packet_pool_used(bench.pool), 0);
		bench_close(&bench);
	}
}

TEST(without_markers_a_frame_ends_where_the_next_begins)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		struct bench bench;
		bench_open(&bench, all_codecs[c]);
		bench.sender.no_markers = true;
		for (unsigned i = 0; i < 12; i++) {
			bench_send(&bench);
			EXPECT_EQ(bench.taken, i);
		}
		bench_close(&bench);
	}
}

TEST(padding_fills_its_numbers_only)
{
	struct bench bench;
	bench_open(&bench, VIDEO_CODEC_VP8);
	for (unsigned i = 0; i < 10; i++) {
		struct packet *padding = packet_take(bench.pool, NULL, 0);
		padding->seq = bench.sender.seq++;
		padding->timestamp_rtp = bench.sender.timestamp_rtp;
		bench_input(&bench, padding);
		packet_put(padding);
		bench_send(&bench);
		EXPECT_EQ(bench.taken, i + 1);
	}
	bench_close(&bench);
}

TEST(it_begins_with_a_key_frame)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		struct bench bench;
		struct stream_packets packets;
		bench_open(&bench, all_codecs[c]);
		for (unsigned i = 0; i < 3; i++) {
			bench_packetize(&bench, &packets); /* frames 0, 1 and 2 go nowhere */
			for (unsigned p = 0; p < packets.count; p++)
				packet_put(packets.packets[p]);
		}
		bench_send(&bench);
		bench_send(&bench);
		EXPECT_EQ(bench.taken, 0);
		EXPECT(frame_build_key_wanted(&bench.build));
		bench_send(&bench); /* frame 5 */
		EXPECT_EQ(bench.taken, 1);
		EXPECT(bench.frame.key);
		EXPECT(!frame_build_key_wanted(&bench.build));
		bench_close(&bench);
	}
}

/* Datagrams of ffmpeg's packetizers, each behind its length: another's idea of the RFCs. */
TEST(packets_of_another_program_make_the_same_frames)
{
	static const char *const names[] = { "/h264.rtp", "/vp8.rtp", "/vp9.rtp" };
	static uint8_t file_bytes[STREAM_BYTES_MAX];
	for (unsigned c = 0; c < COUNT_OF(names); c++) {
		struct bench bench;
		char path[512];
		bench_open(&bench, all_codecs[c]);
		(void)snprintf(path, sizeof path, "%s%s", STREAMS_DIR, names[c]);
		FILE *file = fopen(path, "rb");
		EXPECT(file != NULL);
		struct reader r =
		        reader_of(file_bytes, fread(file_bytes, 1, sizeof file_bytes, file));
		(void)fclose(file);
		uint32_t first_rtp = 0;
		while (reader_left(&r) != 0) {
			const uint16_t len = reader_u16(&r);
			struct reader d = reader_of(reader_take(&r, len), len);
			EXPECT(!r.failed);
			reader_skip(&d, 1);
			const bool marker = (reader_u8(&d) & 0x80) != 0;
			const uint16_t seq = reader_u16(&d);
			const uint32_t timestamp_rtp = reader_u32(&d);
			reader_skip(&d, 4);
			first_rtp = bench.sent++ == 0 ? timestamp_rtp : first_rtp;
			struct packet *packet =
			        packet_take(bench.pool, d.bytes + d.at, reader_left(&d));
			packet->seq = seq;
			packet->timestamp_rtp = timestamp_rtp - first_rtp;
			packet->marker = marker;
			packet->codec = (uint8_t)all_codecs[c];
			EXPECT_EQ(video_facts_parse(&packet->facts, all_codecs[c], packet->payload,
			                            packet->len),
			          VIDEO_OK);
			bench_input(&bench, packet);
			packet_put(packet);
		}
		EXPECT_EQ(bench.taken, stream.frame_count);
		EXPECT_EQ(bench.build.stats.keys, 2);
		bench_close(&bench);
	}
}

/* ---- Loss ---- */

TEST(a_lost_packet_costs_everything_up_to_the_next_key_frame)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		struct bench bench;
		bench_open(&bench, all_codecs[c]);
		bench_send(&bench);
		bench_send(&bench);
		bench_send_but(&bench, 0); /* frame 2 */
		bench_send(&bench);
		EXPECT_EQ(bench.taken, 2);
		EXPECT(!frame_build_key_wanted(&bench.build)); /* it may still come */
		bench.now_us = frame_build_deadline(&bench.build);
		bench_take(&bench);
		EXPECT(frame_build_key_wanted(&bench.build));
		EXPECT(bench.build.stats.lost == 1);
		bench_send(&bench);
		EXPECT_EQ(bench.taken, 2);
		bench_send(&bench); /* frame 5, key */
		EXPECT_EQ(bench.taken, 3);
		EXPECT_EQ(bench.last_taken, 5);
		bench_send(&bench);
		EXPECT_EQ(bench.taken, 4);
		bench_close(&bench);
	}
}

TEST(a_packet_sent_again_in_time_costs_nothing)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		struct bench bench;
		struct stream_packets packets;
		bench_open(&bench, all_codecs[c]);
		bench_send(&bench);
		bench_packetize(&bench, &packets);
		for (unsigned p = 1; p < packets.count; p++)
			bench_input(&bench, packets.packets[p]);
		bench.now_us += FRAME_US;
		bench_send(&bench);
		EXPECT_EQ(bench.taken, 1);
		bench_input(&bench, packets.packets[0]);
		EXPECT_EQ(bench.taken, 3);
		bench_input(&bench, packets.packets[0]);
		EXPECT_EQ(bench.build.stats.dropped_late, 1);
		for (unsigned p = 0; p < packets.count; p++)
			packet_put(packets.packets[p]);
		bench_close(&bench);
	}
}

TEST(a_decoder_that_lost_its_place_gets_a_key_frame_next)
{
	struct bench bench;
	bench_open(&bench, VIDEO_CODEC_H264);
	bench_send(&bench);
	frame_build_need_key(&bench.build);
	EXPECT(frame_build_key_wanted(&bench.build));
	for (unsigned i = 0; i < 4; i++)
		bench_send(&bench);
	EXPECT_EQ(bench.taken, 1);
	bench_send(&bench);
	EXPECT_EQ(bench.last_taken, 5);
	bench_close(&bench);
}

/* A datagram on its way. */
struct flight {
	struct packet *packet;
	int64_t at_us;
};

/* Everything a network does; what is lost may come again, and sometimes in time. */
static void
run_network(enum video_codec codec, uint64_t seed, unsigned loss_pct, unsigned again_pct)
{
	static struct flight flights[IN_FLIGHT_MAX];
	unsigned flight_count = 0;
	unsigned lost_for_good = 0;
	struct bench bench;
	struct prng prng;
	bench_open(&bench, codec);
	prng_init(&prng, seed);
	int64_t send_us = 0;
	while (bench.sent < 60 || flight_count != 0) {
		/* The next frame is sent before what arrives after that. */
		unsigned next = 0;
		for (unsigned i = 1; i < flight_count; i++)
			next = flights[i].at_us < flights[next].at_us ? i : next;
		if (bench.sent < 60 && (flight_count == 0 || flights[next].at_us >= send_us)) {
			struct stream_packets packets;
			bench_packetize(&bench, &packets);
			for (unsigned p = 0; p < packets.count; p++) {
				int64_t at_us = send_us + 10000 + prng_below(&prng, 8000);
				bool goes = prng_below(&prng, 100) >= loss_pct;
				if (!goes && prng_below(&prng, 100) < again_pct) {
					at_us += 50000 + prng_below(&prng, 200000);
					goes = true;
				}
				if (prng_below(&prng, 50) == 0 && goes) {
					CHECK(flight_count < IN_FLIGHT_MAX);
					flights[flight_count++] = (struct flight){
						packet_hold(packets.packets[p]), at_us + 3000
					};
				}
				CHECK(flight_count < IN_FLIGHT_MAX);
				if (goes)
					flights[flight_count++] =
					        (struct flight){ packets.packets[p], at_us };
				else
					packet_put(packets.packets[p]);
				lost_for_good += !goes;
			}
			send_us += FRAME_US;
			continue;
		}
		const struct flight flight = flights[next];
		flights[next] = flights[--flight_count];
		/* What is due in between is served first. */
		while (frame_build_deadline(&bench.build) <= flight.at_us) {
			bench.now_us = frame_build_deadline(&bench.build);
			bench_take(&bench);
		}
		bench.now_us = flight.at_us;
		bench_input(&bench, flight.packet);
		packet_put(flight.packet);
	}
	if (loss_pct == 0) {
		EXPECT_EQ(bench.taken, bench.sent);
	} else {
		EXPECT(bench.taken != 0 || loss_pct > 5);
		EXPECT(lost_for_good == 0 || bench.build.stats.lost != 0 ||
		       bench.taken < bench.sent);
	}
	bench_close(&bench);
}

TEST(no_network_makes_it_give_what_was_not_sent)
{
	for (size_t c = 0; c < COUNT_OF(all_codecs); c++) {
		for (uint64_t seed = 1; seed <= 12; seed++) {
			run_network(all_codecs[c], seed, 0, 0);
			run_network(all_codecs[c], seed, 5, 90);
			run_network(all_codecs[c], seed, 10, 0);
			run_network(all_codecs[c], seed, 30, 50);
		}
	}
}

/* ---- H.264's parameter sets ---- */

/* The sets of the stream's first frame. */
static void
stream_sets(struct h264_sets *sets)
{
	size_t at = 0;
	const uint8_t *nal;
	size_t nal_len;
	memset(sets, 0, sizeof *sets);
	while (h264_annexb_next(stream.bytes, stream.frames[0].len, &at, &nal, &nal_len))
		(void)h264_sets_keep(sets, nal, nal_len);
	EXPECT(h264_sets_complete(sets));
}

TEST(parameter_sets_from_the_sdp_stand_in_front_of_key_frames)
{
	struct bench bench;
	struct h264_sets sets;
	bench_open(&bench, VIDEO_CODEC_H264);
	stream_sets(&sets);
	bench.sender.no_parameter_sets = true;
	bench_send(&bench);
	bench.now_us += 50000; /* the packet before may have been a parameter set */
	bench_take(&bench);
	EXPECT_EQ(bench.taken, 0); /* none are known */
	EXPECT_EQ(bench.build.stats.broken, 1);
	EXPECT(frame_build_key_wanted(&bench.build));
	frame_build_set_parameters(&bench.build, &sets);
	for (unsigned i = 1; i < 12; i++)
		bench_send(&bench);
	EXPECT_EQ(bench.taken, 7); /* frames 5 to 11, as bench_take() wants them: with the sets */
	bench_close(&bench);
}

TEST(parameter_sets_seen_once_serve_later_key_frames)
{
	struct bench bench;
	bench_open(&bench, VIDEO_CODEC_H264);
	bench_send(&bench);
	bench.sender.no_parameter_sets = true;
	for (unsigned i = 1; i < 12; i++)
		bench_send(&bench);
	EXPECT_EQ(bench.taken, 12);
	bench_close(&bench);
}

TEST(parameter_sets_that_come_late_are_waited_for)
{
	struct bench bench;
	struct stream_packets packets;
	bench_open(&bench, VIDEO_CODEC_H264);
	bench_packetize(&bench, &packets);
	EXPECT(packets.packets[0]->facts.parameter_sets);
	EXPECT(!packets.packets[1]->facts.parameter_sets && packets.packets[1]->facts.key_start);
	for (unsigned p = 1; p < packets.count; p++)
		bench_input(&bench, packets.packets[p]);
	EXPECT_EQ(bench.taken, 0);
	bench.now_us += 20000;
	bench_input(&bench, packets.packets[0]);
	EXPECT_EQ(bench.taken, 1);
	for (unsigned p = 0; p < packets.count; p++)
		packet_put(packets.packets[p]);
	bench_close(&bench);
}

/* ---- What strangers do ---- */

/* A packet of one VP8 frame or the start of one. */
static struct packet *
make_packet(struct packet_pool *pool, int64_t seq, uint32_t timestamp_rtp, bool key, size_t len)
{
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX] = { 0x10, key ? 0x10 : 0x11, 0,    0, 0x9d, 0x01,
		                                      0x2a, 0x10,              0x00, 0x10 };
	struct packet *packet = packet_take(pool, payload, len);
	packet->seq = seq;
	packet->timestamp_rtp = timestamp_rtp;
	packet->codec = VIDEO_CODEC_VP8;
	packet->marker = true;
	EXPECT_EQ(video_facts_parse(&packet->facts, VIDEO_CODEC_VP8, packet->payload, len),
	          VIDEO_OK);
	return packet;
}

static void
give(struct frame_build *build, struct packet *packet, int64_t now_us)
{
	packet->arrived_us = now_us;
	frame_build_input(build, packet, now_us);
	packet_put(packet);
}

TEST(numbers_that_jump_are_a_new_beginning)
{
	struct packet_pool *pool;
	struct frame_build build;
	struct built_frame frame;
	EXPECT_EQ(packet_pool_create(&pool, 16), 0);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	const int64_t seqs[] = { 100000, 50000, 90000 };
	for (unsigned i = 0; i < COUNT_OF(seqs); i++) {
		give(&build, make_packet(pool, seqs[i], i, true, 20), 0);
		EXPECT(frame_build_take(&build, &frame, bytes, sizeof bytes, 0));
		EXPECT_EQ(frame.first_seq, seqs[i]);
		give(&build, make_packet(pool, seqs[i] + 1, i + 10, false, 20), 0);
		EXPECT(frame_build_take(&build, &frame, bytes, sizeof bytes, 0));
	}
	EXPECT_EQ(build.stats.resets, 2);
	frame_build_fini(&build);
	packet_pool_destroy(pool);
}

TEST(what_is_kept_is_bounded_and_given_back_in_time)
{
	struct packet_pool *pool;
	struct frame_build build;
	struct built_frame frame;
	EXPECT_EQ(packet_pool_create(&pool, 4096), 0);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	for (int64_t i = 0; i < 4000; i++) {
		give(&build, make_packet(pool, i, (uint32_t)i, false, 20), 1000);
		EXPECT(!frame_build_take(&build, &frame, bytes, sizeof bytes, 1000));
	}
	EXPECT(packet_pool_used(pool) <= FRAME_BUILD_PACKETS_MAX);
	EXPECT_EQ(frame_build_deadline(&build), 1000 + FRAME_BUILD_WAIT_US_DEFAULT);
	EXPECT(!frame_build_take(&build, &frame, bytes, sizeof bytes,
	                         frame_build_deadline(&build)));
	EXPECT_EQ(packet_pool_used(pool), 0);
	EXPECT_EQ(frame_build_deadline(&build), INT64_MAX);
	frame_build_fini(&build);
	packet_pool_destroy(pool);
}

TEST(a_frame_that_is_too_large_is_dropped)
{
	struct packet_pool *pool;
	struct frame_build build;
	struct built_frame frame;
	EXPECT_EQ(packet_pool_create(&pool, 1024), 0);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	for (int64_t i = 0; i < 720; i++) { /* 720 * 1,499 bytes */
		struct packet *packet =
		        make_packet(pool, i, 7, i == 0, PACKET_PAYLOAD_BYTES_MAX);
		packet->facts.frame_start = i == 0;
		packet->marker = i == 719;
		give(&build, packet, 0);
		EXPECT(!frame_build_take(&build, &frame, bytes, sizeof bytes, 0));
	}
	EXPECT_EQ(build.stats.too_large, 1);
	EXPECT(frame_build_key_wanted(&build));
	EXPECT_EQ(packet_pool_used(pool), 0);
	frame_build_fini(&build);
	packet_pool_destroy(pool);
}

TEST(a_frame_that_contradicts_itself_is_dropped)
{
	struct packet_pool *pool;
	struct frame_build build;
	struct built_frame frame;
	EXPECT_EQ(packet_pool_create(&pool, 16), 0);
	frame_build_init(&build, &(struct frame_build_settings){ 0 });
	for (int64_t i = 0; i < 2; i++) { /* two beginnings under one timestamp */
		struct packet *packet = make_packet(pool, i, 7, true, 20);
		packet->marker = i == 1;
		give(&build, packet, 0);
		EXPECT(!frame_build_take(&build, &frame, bytes, sizeof bytes, 0));
	}
	EXPECT_EQ(build.stats.broken, 1);
	struct packet *packet = make_packet(pool, 2, 8, true, 20);
	packet->orientation = 1;
	give(&build, packet, 0);
	EXPECT(frame_build_take(&build, &frame, bytes, sizeof bytes, 0));
	EXPECT_EQ(frame.len, 19);
	EXPECT_EQ(frame.rotation, 90);
	frame_build_fini(&build);
	packet_pool_destroy(pool);
}
