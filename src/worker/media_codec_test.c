/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the codec process is fed with what somebody is sent a picture of and with nothing else; equal
 * receivers share an encode; each gets his rung; key frames are asked of it sparingly; when it dies
 * all is told again to the next one; what it says is not believed blindly.
 * Method: peers of video_world_fixture.h, and a codec process played by the test: it keeps what it is
 * told, and gives each encode a frame every 33 ms. */
#include "worker/video_world_fixture.h"

enum {
	PLAYED_MAX = 32,
};

struct played_encode {
	uint32_t id; /* 0: free */
	struct codec_encode spec;
	bool key_due;
	unsigned keys_asked;
};

struct played_source {
	video_source_id id;
	unsigned frames, keys;
	uint16_t width;
	bool open;
};

struct process {
	bool dead;
	bool full;
	unsigned canvases;   /* set and not closed */
	uint32_t canvas_ids[PLAYED_MAX];
	unsigned canvas_sets;
	unsigned encodes;
	unsigned encodes_opened;
	struct played_encode encode[PLAYED_MAX];
	struct played_source source[PLAYED_MAX];
	int64_t framed_us;
};

static struct process process; /* of the test that runs */

static struct played_source *
source_of(video_source_id id)
{
	struct played_source *unused = NULL;
	for (unsigned i = 0; i < PLAYED_MAX; i++) {
		if (process.source[i].id == id)
			return &process.source[i];
		if (process.source[i].id == 0 && unused == NULL)
			unused = &process.source[i];
	}
	CHECK(unused != NULL);
	unused->id = id;
	return unused;
}

static struct played_encode *
encode_of(uint32_t id)
{
	for (unsigned i = 0; i < PLAYED_MAX; i++)
		if (process.encode[i].id == id)
			return &process.encode[i];
	test_failed("an encode that is not open", __FILE__, __LINE__);
	return NULL;
}

static void
take_canvas(const struct codec_message *message)
{
	for (unsigned i = 0; i < process.canvases; i++)
		if (process.canvas_ids[i] == message->id)
			return;
	process.canvas_ids[process.canvases++] = message->id;
}

static void
drop_canvas(uint32_t id)
{
	for (unsigned i = 0; i < process.canvases; i++)
		if (process.canvas_ids[i] == id) {
			process.canvas_ids[i] = process.canvas_ids[--process.canvases];
			return;
		}
	test_failed("a canvas that was not set", __FILE__, __LINE__);
}

static void
take_frame(const struct codec_message *message)
{
	struct played_source *source = source_of(message->source);
	EXPECT(message->len != 0);
	/* Never a frame before a key frame. */
	EXPECT(source->open || message->frame.key);
	source->open = true;
	source->frames++;
	source->keys += message->frame.key;
	if (message->frame.width != 0)
		source->width = message->frame.width;
}

static bool
take(struct video_world *world, const struct codec_message *message)
{
	(void)world;
	EXPECT(!process.dead);
	switch (message->kind) {
	case CODEC_SOURCE_FRAME:
		if (process.full)
			return false;
		take_frame(message);
		break;
	case CODEC_SOURCE_CLOSE:
		EXPECT(source_of(message->source)->open);
		source_of(message->source)->open = false;
		break;
	case CODEC_CANVAS_SET:
		process.canvas_sets++;
		take_canvas(message);
		break;
	case CODEC_CANVAS_CLOSE:
		drop_canvas(message->id);
		break;
	case CODEC_ENCODE_OPEN:
		process.encodes++;
		process.encodes_opened++;
		*encode_of(0) = (struct played_encode){ .id = message->id,
			                                .spec = message->encode,
			                                .key_due = true };
		break;
	case CODEC_ENCODE_KEY:
		encode_of(message->id)->key_due = true;
		encode_of(message->id)->keys_asked++;
		break;
	case CODEC_ENCODE_CLOSE:
		process.encodes--;
		encode_of(message->id)->id = 0;
		break;
	default:
		test_failed("not an order", __FILE__, __LINE__);
	}
	return true;
}

static size_t
write_vp8(uint8_t *frame, const struct codec_encode *spec, bool key)
{
	const size_t len = spec->bps / 8 / (spec->fps + 1u) + 16;
	memset(frame, 0x55, len);
	frame[0] = key ? 0x10 : 0x11;
	frame[3] = 0x9d, frame[4] = 0x01, frame[5] = 0x2a;
	frame[6] = (uint8_t)spec->width, frame[7] = (uint8_t)(spec->width >> 8);
	frame[8] = (uint8_t)spec->height, frame[9] = (uint8_t)(spec->height >> 8);
	return len;
}

static size_t
write_h264(uint8_t *frame, const struct codec_encode *spec, bool key)
{
	static const uint8_t sets[] = { 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16,
		                        0xe8, 0x06, 0xd0, 0xa1, 0x35, 0, 0, 0, 1, 0x68, 0xce, 0x06,
		                        0xe2 };
	const size_t nal = spec->single_nals ? 900 : 4000;
	struct writer w = writer_of(frame, 64 * 1024);
	if (key)
		writer_bytes(&w, sets, sizeof sets);
	for (unsigned slice = 0; slice < 3; slice++) {
		writer_u32(&w, 1);
		writer_u8(&w, key ? 0x65 : 0x41);
		writer_u8(&w, slice == 0 ? 0x80 : 0x20); /* first_mb_in_slice 0 */
		for (size_t i = 0; i < nal; i++)
			writer_u8(&w, 0x5a);
	}
	return w.at;
}

static void
give_frames(struct video_world *world)
{
	static uint8_t frame[64 * 1024];
	if (process.dead || world->now_us - process.framed_us < FRAME_US)
		return;
	process.framed_us = world->now_us;
	for (unsigned i = 0; i < PLAYED_MAX; i++) {
		struct played_encode *encode = &process.encode[i];
		if (encode->id == 0)
			continue;
		const bool h264 = encode->spec.codec == VIDEO_CODEC_H264;
		struct codec_message message = {
			.kind = CODEC_FRAME,
			.id = encode->id,
			.frame = { .captured_us = world->now_us,
			           .codec = encode->spec.codec,
			           .key = encode->key_due,
			           .width = encode->spec.width,
			           .height = encode->spec.height },
			.bytes = frame,
		};
		message.len = h264 ? write_h264(frame, &encode->spec, encode->key_due)
		                   : write_vp8(frame, &encode->spec, encode->key_due);
		encode->key_due = false;
		media_codec_input(world->media, &message, world->now_us);
	}
}

static struct video_world *
world_with_process(void)
{
	struct video_world *world = world_new();
	process = (struct process){ 0 };
	world->codec = take;
	world->codec_pass = give_frames;
	media_codec_attached(world->media, true, world->now_us);
	return world;
}

/* `panes` of the first peers, side by side. */
static void
set_canvas(struct video_world *world, uint32_t id, const struct peer *const *peers, unsigned count)
{
	struct media_order order_canvas = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = id } };
	struct canvas *canvas = calloc(1, sizeof *canvas);
	EXPECT(canvas != NULL);
	canvas->pane_count = (uint8_t)count;
	for (unsigned i = 0; i < count; i++)
		canvas->panes[i] = (struct canvas_pane){
			.x = (uint16_t)(i * CANVAS_WIDTH / count),
			.width = (uint16_t)(CANVAS_WIDTH / count),
			.height = (uint16_t)(CANVAS_HEIGHT / count),
			.source = video_source(peers[i]->id, VIDEO_TRACK_MAIN),
		};
	order_canvas.canvas.canvas = canvas;
	order(world, order_canvas);
}

static void
close_canvas(struct video_world *world, uint32_t id)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = id } });
}

static struct peer *
camera(struct video_world *world)
{
	struct peer *peer = peer_new(world);
	agree(world, peer, 1);
	peer->layer_count = 1;
	peer->key_due[0] = true;
	return peer;
}

static struct peer *
room(struct video_world *world, uint8_t mode, uint32_t bps_max)
{
	struct peer *peer = peer_new(world);
	struct media_order video = h264_line(peer, 0, mode);
	video.video.tx_bps_max = bps_max;
	order(world, video);
	return peer;
}

TEST(nothing_is_decoded_while_nobody_needs_it)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *b = camera(world);
	show_source(world, b, 0, a, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a, b }, 2);
	pass(world, 1000);
	EXPECT_EQ(process.canvas_sets, 0);
	EXPECT_EQ(process.encodes, 0);
	EXPECT_EQ(source_of(video_source(a->id, VIDEO_TRACK_MAIN))->frames, 0);
	EXPECT(b->heard[0].frames > 20);
	world_free(world);
}

TEST(a_canvas_is_composed_while_it_is_shown)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *b = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a, b }, 2);
	show_canvas(world, r, 5);
	pass(world, 1000);
	EXPECT_EQ(process.canvases, 1);
	EXPECT_EQ(process.encodes, 1);
	EXPECT(source_of(video_source(a->id, VIDEO_TRACK_MAIN))->frames > 20);
	EXPECT(source_of(video_source(b->id, VIDEO_TRACK_MAIN))->frames > 20);
	EXPECT(r->heard[0].frames > 20);
	EXPECT(r->heard[0].keys >= 1);
	EXPECT_EQ(heard_gaps(&r->heard[0]), 0);
	EXPECT_EQ(media_counters(world->media)->encodes, 1);
	EXPECT_EQ(media_counters(world->media)->decodes, 2);
	show_source(world, r, 0, NULL, 0);
	pass(world, 200);
	EXPECT_EQ(process.canvases, 0);
	EXPECT_EQ(process.encodes, 0);
	EXPECT(!source_of(video_source(a->id, VIDEO_TRACK_MAIN))->open);
	EXPECT_EQ(media_counters(world->media)->encodes, 0);
	EXPECT_EQ(media_counters(world->media)->decodes, 0);
	world_free(world);
}

/* How long it takes until a sender that lost a packet is asked for a key frame. */
static unsigned
ms_to_key_request(bool nack)
{
	struct video_world *world = world_with_process();
	struct peer *a = peer_new(world);
	struct peer *r = room(world, 1, 0);
	struct media_order video = video_line(a, 0);
	video.video.nack = nack;
	order(world, video);
	a->layer_count = 1;
	a->key_due[0] = true;
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	show_canvas(world, r, 5);
	pass(world, 2000);
	const unsigned asked = a->key_asked[0];
	unsigned ms = 0;
	a->seq[0]++; /* one that never comes */
	while (a->key_asked[0] == asked && ms < 1000) {
		pass(world, 1);
		ms++;
	}
	world_free(world);
	return ms;
}

TEST(what_never_comes_again_is_not_waited_for)
{
	EXPECT(ms_to_key_request(false) <= 80); /* a frame and 40 ms */
	const unsigned ms = ms_to_key_request(true);
	EXPECT(ms > 200 && ms <= 320);
}

TEST(equal_receivers_share_one_encode)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *rooms[5];
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	for (unsigned i = 0; i < 5; i++) {
		rooms[i] = room(world, 1, 0);
		show_canvas(world, rooms[i], 5);
	}
	pass(world, 3000);
	EXPECT_EQ(process.encodes, 1);
	for (unsigned i = 0; i < 5; i++) {
		EXPECT(rooms[i]->heard[0].frames > 80);
		EXPECT_EQ(heard_gaps(&rooms[i]->heard[0]), 0);
	}
	/* One who takes single NAL units only, and a thin one, have encodes of their own. */
	struct peer *old = room(world, 0, 0);
	struct peer *thin = room(world, 1, 200000);
	show_canvas(world, old, 5);
	show_canvas(world, thin, 5);
	pass(world, 3000);
	EXPECT_EQ(process.encodes, 3);
	EXPECT(old->heard[0].frames > 80);
	EXPECT(thin->heard[0].frames > 80);
	hang_up(world, old);
	hang_up(world, thin);
	pass(world, 100);
	EXPECT_EQ(process.encodes, 1);
	world_free(world);
}

TEST(the_rung_is_what_the_receiver_takes)
{
	static const struct {
		uint32_t bps_max, macroblocks, macroblocks_per_s;
		uint16_t height_max;
		uint8_t fps_max;
		uint16_t height;
		uint8_t fps;
	} cases[] = {
		{ 0, 0, 0, 0, 0, 1080, 30 },
		{ 1800000, 0, 0, 0, 0, 720, 30 },
		{ 400000, 0, 0, 0, 0, 360, 15 },
		{ 0, 3600, 108000, 0, 0, 720, 30 }, /* level 3.1 */
		{ 0, 1620, 40500, 0, 0, 360, 30 },  /* level 3 */
		{ 0, 396, 11880, 0, 0, 180, 15 },   /* level 2 */
		{ 0, 99, 1485, 0, 0, 90, 15 },      /* level 1 */
		{ 0, 0, 0, 720, 0, 720, 30 },
		{ 0, 0, 0, 0, 15, 1080, 15 },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct video_world *world = world_with_process();
		struct peer *a = camera(world);
		struct peer *r = peer_new(world);
		struct media_order video = h264_line(r, 0, 1);
		video.video.tx_bps_max = cases[i].bps_max;
		video.video.tx_height_max = cases[i].height_max;
		video.video.tx_fps_max = cases[i].fps_max;
		video.video.payloads[0].frame_macroblocks_max = cases[i].macroblocks;
		video.video.payloads[0].macroblocks_per_s_max = cases[i].macroblocks_per_s;
		order(world, video);
		set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
		show_canvas(world, r, 5);
		pass(world, 300);
		EXPECT_EQ(process.encodes, 1);
		for (unsigned e = 0; e < PLAYED_MAX; e++) {
			if (process.encode[e].id == 0)
				continue;
			EXPECT(process.encode[e].spec.height <= cases[i].height);
			if (cases[i].height <= 720) {
				EXPECT_EQ(process.encode[e].spec.height, cases[i].height);
				EXPECT_EQ(process.encode[e].spec.fps, cases[i].fps);
			}
		}
		world_free(world);
	}
}

TEST(a_browser_without_the_codec_gets_one_shared_transcode)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world); /* VP8 */
	struct peer *b = room(world, 1, 0);
	struct peer *c = room(world, 1, 0);
	struct peer *d = camera(world);
	show_source(world, b, 0, a, 360);
	show_source(world, c, 0, a, 360);
	show_source(world, d, 0, a, 360);
	pass(world, 1500);
	EXPECT_EQ(process.encodes, 1);
	EXPECT_EQ(process.canvases, 0);
	EXPECT(b->heard[0].frames > 30);
	EXPECT_EQ(b->heard[0].payload_type, PT_H264);
	EXPECT_EQ(d->heard[0].payload_type, PT_VP8);
	hang_up(world, b);
	pass(world, 200);
	EXPECT_EQ(process.encodes, 1);
	hang_up(world, c);
	pass(world, 200);
	EXPECT_EQ(process.encodes, 0);
	EXPECT(!source_of(video_source(a->id, VIDEO_TRACK_MAIN))->open);
	world_free(world);
}

/* A key frame of H.264 in main profile, 1280 x 720: parameter sets and a slice. */
static void
send_main_profile(struct video_world *world, struct peer *peer)
{
	static const uint8_t frame[] = { 0x78, 0, 25, 0x67, 0x4d, 0x40, 0x1f, 0xec, 0xa0, 0x28, 0x02,
		                         0xdd, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00,
		                         0x03, 0x01, 0xe0, 0x78, 0xc1, 0x8c, 0xb0, 0, 4, 0x68, 0xee,
		                         0x06, 0xe2, 0, 6, 0x65, 0x88, 0x55, 0x55, 0x55, 0x55 };
	peer->timestamp_rtp += 3000;
	peer_send(world, peer, 0, PT_H264, true, frame, sizeof frame);
}

/* Who is agreed to take VP8, and H.264 of a profile and level. */
static struct peer *
taker(struct video_world *world, uint8_t profile_idc, uint32_t macroblocks)
{
	struct peer *peer = peer_new(world);
	struct media_order video = video_line(peer, 0);
	video.video.payload_count = 2;
	video.video.payloads[1] = h264_line(peer, 0, 1).video.payloads[0];
	video.video.payloads[1].h264_profile = profile_idc;
	video.video.payloads[1].frame_macroblocks_max = macroblocks;
	order(world, video);
	return peer;
}

TEST(a_profile_or_size_somebody_does_not_take_is_transcoded_for_him)
{
	static const struct {
		uint8_t profile_idc;
		uint32_t macroblocks;
		uint8_t payload_type;
	} cases[] = {
		{ 66, 3600, PT_VP8 },
		{ 77, 3600, PT_H264 },
		{ 100, 0, PT_H264 },
		{ 77, 1620, PT_VP8 },
	};
	struct video_world *world = world_with_process();
	struct peer *a = peer_new(world);
	struct peer *takers[COUNT_OF(cases)];
	order(world, h264_line(a, 0, 1));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		takers[i] = taker(world, cases[i].profile_idc, cases[i].macroblocks);
		show_source(world, takers[i], 0, a, 0);
	}
	for (unsigned i = 0; i < 60; i++) {
		send_main_profile(world, a);
		pass(world, 33);
	}
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT(takers[i]->heard[0].frames > 40);
		EXPECT_EQ(takers[i]->heard[0].payload_type, cases[i].payload_type);
	}
	EXPECT_EQ(process.encodes, 1);
	world_free(world);
}

TEST(each_profile_has_the_payload_type_it_was_agreed_on_with)
{
	struct video_world *world = world_with_process();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	struct media_order video = h264_line(b, 0, 1);
	order(world, h264_line(a, 0, 1));
	video.video.payload_count = 2;
	video.video.payloads[0].h264_profile = 66;
	video.video.payloads[1] = video.video.payloads[0];
	video.video.payloads[1].h264_profile = 100;
	video.video.payloads[1].tx_payload_type = PT_H264_HIGH;
	order(world, video);
	show_source(world, b, 0, a, 0);
	for (unsigned i = 0; i < 10; i++) {
		send_main_profile(world, a);
		pass(world, 33);
	}
	EXPECT(b->heard[0].frames > 5);
	EXPECT_EQ(b->heard[0].payload_type, PT_H264_HIGH);
	EXPECT_EQ(process.encodes, 0);
	world_free(world);
}

TEST(a_picture_larger_than_somebody_may_get_is_encoded_anew)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world); /* 720 lines of VP8 */
	struct peer *b = peer_new(world);
	struct media_order video = video_line(b, 0);
	video.video.tx_height_max = 360;
	order(world, video);
	show_source(world, b, 0, a, 0);
	pass(world, 1500);
	EXPECT_EQ(process.encodes, 1);
	for (unsigned e = 0; e < PLAYED_MAX; e++)
		EXPECT(process.encode[e].id == 0 || process.encode[e].spec.height <= 360);
	EXPECT(b->heard[0].frames > 30);
	world_free(world);
}

TEST(the_smallest_layer_that_fills_its_pane_is_decoded)
{
	struct video_world *world = world_with_process();
	struct peer *a = peer_new(world);
	simulcast(world, a);
	struct peer *r = room(world, 1, 1200000); /* 540 lines */
	set_canvas(world, 5, (const struct peer *const[]){ a, a, a }, 3);
	show_canvas(world, r, 5);
	pass(world, 2000);
	const struct played_source *source = source_of(video_source(a->id, VIDEO_TRACK_MAIN));
	EXPECT_EQ(source->width, 320);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	pass(world, 1000);
	EXPECT_EQ(source->width, 1280);
	world_free(world);
}

TEST(key_frames_are_asked_of_an_encode_sparingly)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	struct peer *first = room(world, 1, 0);
	show_canvas(world, first, 5);
	pass(world, 1000);
	struct played_encode *encode = NULL;
	for (unsigned i = 0; i < PLAYED_MAX; i++)
		if (process.encode[i].id != 0)
			encode = &process.encode[i];
	EXPECT(encode != NULL);
	EXPECT_EQ(encode->keys_asked, 0);
	struct peer *second = room(world, 1, 0);
	show_canvas(world, second, 5);
	pass(world, 300);
	EXPECT_EQ(encode->keys_asked, 1);
	EXPECT(second->heard[0].frames > 4);
	for (unsigned ms = 0; ms < 2000; ms += 5) {
		peer_pli(world, first, 0);
		peer_pli(world, second, 0);
		pass(world, 5);
	}
	EXPECT(encode->keys_asked <= 12);
	/* What is asked for too soon is not forgotten. */
	pass(world, 1000);
	const unsigned asked = encode->keys_asked;
	peer_pli(world, first, 0);
	pass(world, 100);
	EXPECT_EQ(encode->keys_asked, asked + 1);
	peer_pli(world, first, 0);
	pass(world, 50);
	EXPECT_EQ(encode->keys_asked, asked + 1);
	pass(world, 300);
	EXPECT_EQ(encode->keys_asked, asked + 2);
	EXPECT_EQ(heard_gaps(&first->heard[0]), 0);
	world_free(world);
}

TEST(after_a_crash_all_is_told_again_and_pictures_are_back_within_a_second)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *b = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a, b }, 2);
	show_canvas(world, r, 5);
	show_source(world, b, 0, a, 0);
	pass(world, 1000);
	const unsigned asked = a->key_asked[0];
	process = (struct process){ .dead = true };
	media_codec_attached(world->media, false, world->now_us);
	const unsigned forwarded = b->heard[0].frames;
	pass(world, 300);
	EXPECT(b->heard[0].frames > forwarded + 5);
	process = (struct process){ 0 };
	media_codec_attached(world->media, true, world->now_us);
	const unsigned keys = r->heard[0].keys;
	pass(world, 700);
	EXPECT_EQ(process.canvases, 1);
	EXPECT_EQ(process.encodes, 1);
	EXPECT(a->key_asked[0] > asked);
	EXPECT(source_of(video_source(a->id, VIDEO_TRACK_MAIN))->frames > 5);
	EXPECT(r->heard[0].keys > keys);
	EXPECT_EQ(heard_gaps(&r->heard[0]), 0);
	world_free(world);
}

TEST(a_full_ring_costs_a_key_frame_and_no_broken_picture)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	show_canvas(world, r, 5);
	pass(world, 1000);
	struct played_source *source = source_of(video_source(a->id, VIDEO_TRACK_MAIN));
	const unsigned keys = source->keys;
	process.full = true;
	pass(world, 100);
	process.full = false;
	source->open = false; /* so that anything but a key frame is a mistake */
	pass(world, 1000);
	EXPECT(source->keys > keys);
	world_free(world);
}

TEST(a_muted_source_is_not_decoded)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	show_canvas(world, r, 5);
	pass(world, 500);
	set_flags(world, a, (struct media_leg_flags){ .rx_video_muted = true });
	pass(world, 100);
	const struct played_source *source = source_of(video_source(a->id, VIDEO_TRACK_MAIN));
	const unsigned frames = source->frames;
	EXPECT(!source->open);
	pass(world, 300);
	EXPECT_EQ(source->frames, frames);
	set_flags(world, a, (struct media_leg_flags){ 0 });
	pass(world, 500);
	EXPECT(source->frames > frames + 5);
	world_free(world);
}

TEST(a_new_canvas_comes_while_the_old_one_goes_on)
{
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	set_canvas(world, 6, (const struct peer *const[]){ a, a }, 2);
	show_canvas(world, r, 5);
	pass(world, 1000);
	r->heard[0].silence_us_max = 0;
	show_canvas(world, r, 6);
	pass(world, 1000);
	EXPECT(r->heard[0].silence_us_max <= 2 * FRAME_US);
	EXPECT_EQ(process.canvases, 1);
	EXPECT_EQ(process.canvas_ids[0], 6);
	EXPECT_EQ(heard_gaps(&r->heard[0]), 0);
	close_canvas(world, 5);
	close_canvas(world, 6);
	pass(world, 300);
	EXPECT_EQ(process.canvases, 0);
	EXPECT_EQ(process.encodes, 0);
	/* Known only later. */
	show_canvas(world, r, 9);
	pass(world, 200);
	EXPECT_EQ(process.encodes, 0);
	set_canvas(world, 9, (const struct peer *const[]){ a }, 1);
	pass(world, 200);
	EXPECT_EQ(process.encodes, 1);
	world_free(world);
}

TEST(lies_of_the_process_do_no_harm)
{
	static uint8_t bytes[4096];
	struct video_world *world = world_with_process();
	struct peer *a = camera(world);
	struct peer *r = room(world, 1, 0);
	set_canvas(world, 5, (const struct peer *const[]){ a }, 1);
	show_canvas(world, r, 5);
	pass(world, 500);
	uint32_t id = 0;
	for (unsigned i = 0; i < PLAYED_MAX; i++)
		if (process.encode[i].id != 0)
			id = process.encode[i].id;
	for (unsigned i = 0; i < 5000; i++) {
		prng_bytes(&world->prng, bytes, sizeof bytes);
		const struct codec_message lie = {
			.kind = (uint8_t)prng_below(&world->prng, CODEC_MESSAGE_KINDS + 2),
			.id = i % 2 == 0 ? id : prng_u32(&world->prng),
			.source = i % 3 == 0 ? video_source(a->id, VIDEO_TRACK_MAIN)
			                     : prng_u64(&world->prng),
			.frame = { .captured_us = (int64_t)prng_u64(&world->prng),
			           .codec = (uint8_t)prng_below(&world->prng, 7),
			           .key = i % 2 == 0 },
			.bytes = bytes,
			.len = prng_below(&world->prng, sizeof bytes),
		};
		media_codec_input(world->media, &lie, world->now_us);
		world->now_us += 100;
		world_serve(world);
	}
	EXPECT(a->key_asked[0] < 20);
	world_free(world);
}
