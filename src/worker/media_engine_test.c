/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: pictures that real encoders made go in as RTP, are decoded, composed and encoded by the real
 * engine, and come out as RTP that a real decoder takes: for a room, and for a browser that lacks the
 * codec; also when the engine dies in between.  On the way nothing is allocated by the worker.
 * Method: peers of video_world_fixture.h, the codec engine called straight, streams of
 * video/testdata. */
#include "codec/decoder.h"
#include "video/frame_build.h"
#include "video/stream_fixture.h"
#include "worker/video_world_fixture.h"

enum {
	CANVAS_ID = 3,
	POOL_PACKETS = 2048,
	WATCHED_MAX = 4,
};

/* A peer's screen. */
struct screen {
	struct peer *peer;
	struct frame_build build;
	struct decoder *decoder;
	enum video_codec codec;
	struct rtp_seq seq;
	unsigned pictures, broken;
	int width, height;
	uint8_t luma_min, luma_max;
	int64_t picture_us;
};

static struct {
	struct codec_engine *engine;
	struct video_world *world;
	struct packet_pool *pool;
	struct stream streams[VIDEO_CODEC_COUNT];
	enum video_codec camera_codecs[PEERS_MAX]; /* NONE: no camera */
	struct stream_sender senders[PEERS_MAX];
	unsigned frames;
	int64_t framed_us;
	struct screen screens[WATCHED_MAX];
	unsigned screen_count;
} studio;

static bool
to_engine(struct video_world *world, const struct codec_message *message)
{
	codec_engine_input(studio.engine, message, world->now_us);
	return true;
}

static void
from_engine(void *context, const struct codec_message *message)
{
	(void)context;
	media_codec_input(studio.world->media, message, studio.world->now_us);
}

static void
start_engine(void)
{
	const struct codec_engine_settings settings = { .sink = { NULL, from_engine } };
	EXPECT_EQ(codec_engine_create(&studio.engine, &settings, studio.world->now_us), 0);
	media_codec_attached(studio.world->media, true, studio.world->now_us);
}

static void
kill_engine(void)
{
	media_codec_attached(studio.world->media, false, studio.world->now_us);
	codec_engine_destroy(studio.engine);
	studio.engine = NULL;
}

static void
show_picture(struct screen *screen, int64_t now_us)
{
	const struct picture *picture = decoder_picture(screen->decoder);
	screen->pictures++;
	screen->width = picture->width;
	screen->height = picture->height;
	screen->picture_us = now_us;
	screen->luma_min = 255;
	screen->luma_max = 0;
	for (int y = 0; y < picture->height; y++) {
		const uint8_t *row = picture->planes[PICTURE_Y] + y * picture->strides[PICTURE_Y];
		for (int x = 0; x < picture->width; x++) {
			screen->luma_min = row[x] < screen->luma_min ? row[x] : screen->luma_min;
			screen->luma_max = row[x] > screen->luma_max ? row[x] : screen->luma_max;
		}
	}
}

static void
watch(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	static uint8_t frame[VIDEO_FRAME_BYTES_MAX + 8192];
	struct built_frame built;
	struct rtp_packet rtp;
	peer_rtp(world, peer, bytes, len);
	EXPECT_EQ(rtp_parse(&rtp, bytes, len), RTP_OK);
	for (unsigned i = 0; i < studio.screen_count; i++) {
		struct screen *screen = &studio.screens[i];
		if (screen->peer != peer)
			continue;
		struct packet *packet = packet_take(studio.pool, rtp_payload(&rtp), rtp.payload_len);
		EXPECT(packet != NULL);
		packet->seq = rtp_seq_input(&screen->seq, rtp.seq);
		packet->timestamp_rtp = rtp.timestamp_rtp;
		packet->marker = rtp.marker;
		packet->codec = (uint8_t)screen->codec;
		packet->arrived_us = world->now_us;
		EXPECT_EQ(video_facts_parse(&packet->facts, screen->codec, packet->payload,
		                            packet->len),
		          VIDEO_OK);
		frame_build_input(&screen->build, packet, world->now_us);
		packet_put(packet);
		while (frame_build_take(&screen->build, &built, frame, sizeof frame, world->now_us)) {
			const enum decoder_result result =
				decoder_input(screen->decoder, frame, built.len, built.key);
			if (result == DECODER_PICTURE)
				show_picture(screen, world->now_us);
			screen->broken += result == DECODER_BROKEN;
		}
	}
}

static struct screen *
screen_of(struct peer *peer, enum video_codec codec)
{
	struct screen *screen = &studio.screens[studio.screen_count++];
	screen->peer = peer;
	screen->codec = codec;
	frame_build_init(&screen->build, &(struct frame_build_settings){ 0 });
	EXPECT_EQ(decoder_create(&screen->decoder, codec), 0);
	return screen;
}

static void
send_cameras(struct video_world *world)
{
	struct stream_packets packets = { 0 };
	for (unsigned i = 0; i < world->peer_count; i++) {
		struct peer *peer = &world->peers[i];
		const enum video_codec codec = studio.camera_codecs[i];
		if (codec == VIDEO_CODEC_NONE)
			continue;
		stream_packetize(&studio.senders[i], &packets, &studio.streams[codec],
		                 studio.frames % studio.streams[codec].frame_count, world->now_us);
		for (unsigned p = 0; p < packets.count; p++) {
			const struct packet *packet = packets.packets[p];
			peer->timestamp_rtp = packet->timestamp_rtp;
			peer_send(world, peer, 0, codec == VIDEO_CODEC_H264 ? PT_H264 : PT_VP8,
			          packet->marker, packet->payload, packet->len);
			packet_put(packets.packets[p]);
		}
	}
	studio.frames++;
}

static void
run_studio(struct video_world *world)
{
	if (world->now_us - studio.framed_us >= 2 * FRAME_US) { /* 15 frames a second */
		studio.framed_us = world->now_us;
		send_cameras(world);
	}
	if (studio.engine != NULL && codec_engine_deadline(studio.engine) <= world->now_us)
		codec_engine_tick(studio.engine, world->now_us);
}

static struct video_world *
studio_open(void)
{
	memset(&studio, 0, sizeof studio);
	studio.world = world_new();
	studio.world->network = watch;
	studio.world->codec = to_engine;
	studio.world->codec_pass = run_studio;
	EXPECT_EQ(packet_pool_create(&studio.pool, POOL_PACKETS), 0);
	stream_load(&studio.streams[VIDEO_CODEC_VP8], VIDEO_CODEC_VP8);
	stream_load(&studio.streams[VIDEO_CODEC_H264], VIDEO_CODEC_H264);
	start_engine();
	return studio.world;
}

static void
studio_close(void)
{
	world_free(studio.world);
	codec_engine_destroy(studio.engine);
	for (unsigned i = 0; i < studio.screen_count; i++) {
		frame_build_fini(&studio.screens[i].build);
		decoder_destroy(studio.screens[i].decoder);
	}
	packet_pool_destroy(studio.pool);
}

static struct peer *
camera(struct video_world *world, enum video_codec codec)
{
	struct peer *peer = peer_new(world);
	order(world, codec == VIDEO_CODEC_H264 ? h264_line(peer, 0, 1) : video_line(peer, 0));
	studio.camera_codecs[slab_index(peer->id)] = codec;
	studio.senders[slab_index(peer->id)] =
		(struct stream_sender){ .pool = studio.pool, .source = 1, .payload_max = 1000 };
	return peer;
}

static void
set_canvas(struct video_world *world, const struct peer *left, const struct peer *right)
{
	struct media_order set = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = CANVAS_ID } };
	struct canvas *canvas = calloc(1, sizeof *canvas);
	EXPECT(canvas != NULL);
	canvas->pane_count = 2;
	canvas->panes[0] = (struct canvas_pane){ .width = 960, .height = 1080,
		                                 .source = video_source(left->id, 0) };
	canvas->panes[1] = (struct canvas_pane){ .x = 960, .width = 960, .height = 1080,
		                                 .source = video_source(right->id, 0) };
	set.canvas.canvas = canvas;
	order(world, set);
}

static struct peer *
room(struct video_world *world)
{
	struct peer *peer = peer_new(world);
	struct media_order video = h264_line(peer, 0, 1);
	video.video.tx_height_max = 360; /* the sanitizers make encoding slow */
	order(world, video);
	return peer;
}

TEST(a_room_sees_two_cameras_composed)
{
	struct video_world *world = studio_open();
	struct peer *a = camera(world, VIDEO_CODEC_VP8);
	struct peer *b = camera(world, VIDEO_CODEC_H264);
	struct peer *r = room(world);
	struct screen *screen = screen_of(r, VIDEO_CODEC_H264);
	set_canvas(world, a, b);
	show_canvas(world, r, CANVAS_ID);
	pass(world, 2500);
	EXPECT(screen->pictures > 20);
	EXPECT_EQ(screen->broken, 0);
	EXPECT_EQ(screen->width, 640);
	EXPECT_EQ(screen->height, 360);
	EXPECT(screen->luma_max - screen->luma_min > 60);
	EXPECT_EQ(codec_engine_load(studio.engine).sources, 2);
	EXPECT_EQ(codec_engine_load(studio.engine).encodes, 1);
	EXPECT(codec_engine_load(studio.engine).frames_decoded > 30);
	EXPECT_EQ(heard_gaps(&r->heard[0]), 0);
	studio_close();
}

TEST(a_browser_without_h264_sees_a_room_transcoded)
{
	struct video_world *world = studio_open();
	struct peer *a = camera(world, VIDEO_CODEC_H264);
	struct peer *b = peer_new(world);
	agree(world, b, 1);
	struct screen *screen = screen_of(b, VIDEO_CODEC_VP8);
	show_source(world, b, 0, a, 180);
	pass(world, 2500);
	EXPECT(screen->pictures > 15);
	EXPECT_EQ(screen->broken, 0);
	EXPECT_EQ(screen->height, 96); /* as it is */
	EXPECT_EQ(screen->width, 128);
	EXPECT(screen->luma_max - screen->luma_min > 60);
	studio_close();
}

TEST(a_dead_engine_is_replaced_and_pictures_are_back_within_a_second)
{
	struct video_world *world = studio_open();
	struct peer *a = camera(world, VIDEO_CODEC_VP8);
	struct peer *b = camera(world, VIDEO_CODEC_VP8);
	struct peer *r = room(world);
	struct screen *screen = screen_of(r, VIDEO_CODEC_H264);
	set_canvas(world, a, b);
	show_canvas(world, r, CANVAS_ID);
	pass(world, 1500);
	EXPECT(screen->pictures > 5);
	kill_engine();
	pass(world, 100);
	start_engine();
	const unsigned before = screen->pictures;
	pass(world, 800);
	EXPECT(screen->pictures > before + 3);
	EXPECT_EQ(screen->broken, 0);
	EXPECT(codec_engine_load(studio.engine).sources == 2);
	EXPECT(screen->luma_max - screen->luma_min > 60);
	studio_close();
}
