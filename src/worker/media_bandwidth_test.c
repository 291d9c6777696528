/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a leg whose line becomes thin is sent a smaller picture within three seconds and stays
 * smooth, nobody else notices, and it has the large one back within ten seconds after; whether it is a
 * browser with transport-wide feedback or a room that only reports losses.
 * Method: peers of video_world_fixture.h behind a queue with a rate, a length and a delay. */
#include "bwe/twcc_receive.h"
#include "worker/video_world_fixture.h"

enum {
	FLIGHT_MAX = 4096,
	DELAY_US = 20 * 1000,
	QUEUE_US_MAX = 300 * 1000, /* what does not fit is lost */
	SELDOM_US = 5 * 1000 * 1000,
	KEY_ASK_US = 100 * 1000,
	PATIENCE_US = 250 * 1000,
	CANVAS_ID = 5,
	FAST_BPS = 10 * 1000 * 1000,
};

struct flying {
	int64_t at_us;
	struct peer *peer;
	size_t len;
	uint8_t bytes[1500];
};

/* What lies between the machine and one peer. */
struct line {
	int64_t bps; /* 0: a perfect one */
	int64_t busy_us;
	int64_t queue_us_max;
	int64_t report_us; /* 0: it does not report */
	bool asks_keys;    /* of all that is missing it makes a wish for a key frame */
	int64_t asked_us;
	unsigned lose_pct; /* at random */
	/* A decoder that shows what is whole up to the first hole, and then from a key frame on. */
	bool broken;
	uint16_t next_seq;
	unsigned shown;
	int64_t shown_us, still_us_max;
	struct twcc_receive twcc;
	struct rtp_receive receive;
	int64_t reported_us;
	int64_t looked_us;
	unsigned gaps; /* when last looked */
	uint64_t lost;
};

static struct {
	unsigned first, count;
	struct flying flights[FLIGHT_MAX];
	struct line lines[PEERS_MAX];
	struct rung {
		uint32_t id;
		struct codec_encode spec;
		bool key_due;
		int64_t framed_us;
	} encodes[16];
	unsigned key_cost;   /* in frames */
	int64_t held_us_max; /* between frames' coming in and their packets' going out */
} net;

static struct line *
line_of(const struct peer *peer)
{
	return &net.lines[slab_index(peer->id)];
}

static void
fly(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct line *line = line_of(peer);
	int64_t at_us = world->now_us + DELAY_US;
	/* Cameras send at whole frame times. */
	const int64_t held_us = world->now_us % FRAME_US;
	if (held_us > net.held_us_max)
		net.held_us_max = held_us;
	if (line->bps != 0) {
		const int64_t busy_us = line->busy_us > world->now_us ? line->busy_us
		                                                      : world->now_us;
		if (busy_us - world->now_us > line->queue_us_max) {
			line->lost++;
			return;
		}
		line->busy_us = busy_us + (int64_t)(len + 28) * 8 * 1000000 / line->bps;
		at_us = line->busy_us + DELAY_US;
	}
	CHECK(net.count < FLIGHT_MAX && len <= sizeof net.flights[0].bytes);
	/* Peers have lines of their own: kept in the order of arrival. */
	unsigned at = net.count++;
	for (; at > 0 && net.flights[(net.first + at - 1) % FLIGHT_MAX].at_us > at_us; at--)
		net.flights[(net.first + at) % FLIGHT_MAX] =
			net.flights[(net.first + at - 1) % FLIGHT_MAX];
	struct flying *flying = &net.flights[(net.first + at) % FLIGHT_MAX];
	*flying = (struct flying){ .at_us = at_us, .peer = peer, .len = len };
	memcpy(flying->bytes, bytes, len);
}

static void
decode(struct video_world *world, struct line *line, const struct rtp_packet *packet)
{
	struct video_facts facts;
	if (packet->payload_len == 0 ||
	    video_facts_parse(&facts, VIDEO_CODEC_VP8, rtp_payload(packet), packet->payload_len) !=
	            VIDEO_OK)
		return;
	line->broken = !facts.key_start && (line->broken || packet->seq != line->next_seq);
	line->next_seq = (uint16_t)(packet->seq + 1);
	if (line->broken || !packet->marker)
		return;
	if (world->now_us - line->shown_us > line->still_us_max)
		line->still_us_max = world->now_us - line->shown_us;
	line->shown_us = world->now_us;
	line->shown++;
}

static void
arrive(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct line *line = line_of(peer);
	struct rtp_packet packet;
	struct rtp_ext ext;
	EXPECT_EQ(rtp_parse(&packet, bytes, len), RTP_OK);
	if (prng_below(&world->prng, 100) < line->lose_pct)
		return;
	if ((packet.ssrc & ~0xfffu) == TX_SSRC)
		decode(world, line, &packet);
	if (rtp_ext_find(&packet, EXT_TWCC, &ext))
		twcc_receive_input(&line->twcc,
		                   (uint16_t)(ext.value[0] << 8 | ext.value[1]), packet.ssrc,
		                   len + 28, world->now_us);
	if ((packet.ssrc & ~0xfffu) == TX_SSRC)
		(void)rtp_receive_input(&line->receive, &packet, world->now_us);
	peer_rtp(world, peer, bytes, len);
}

/* What stays missing in spite of all asking makes a decoder want a key frame. */
static void
give_up(struct video_world *world, struct peer *peer)
{
	struct line *line = line_of(peer);
	struct heard *heard = &peer->heard[0];
	if (world->now_us - line->looked_us < PATIENCE_US)
		return;
	line->looked_us = world->now_us;
	const unsigned gaps = heard_gaps(heard);
	if (gaps != 0 && line->gaps != 0) {
		memset(heard->missing, 0, sizeof heard->missing);
		peer_pli(world, peer, 0);
	}
	line->gaps = gaps;
}

/* It is not whole, and there is no other way to mend it. */
static void
ask_key(struct video_world *world, struct peer *peer)
{
	struct line *line = line_of(peer);
	struct heard *heard = &peer->heard[0];
	if (heard_gaps(heard) == 0 || world->now_us - line->asked_us < KEY_ASK_US)
		return;
	memset(heard->missing, 0, sizeof heard->missing);
	line->asked_us = world->now_us;
	peer_pli(world, peer, 0);
}

static void
feed_back(struct video_world *world, struct peer *peer)
{
	struct line *line = line_of(peer);
	uint8_t bytes[1400];
	if (peer->closed)
		return;
	if (twcc_receive_deadline(&line->twcc) <= world->now_us) {
		struct writer w = writer_of(bytes, sizeof bytes);
		rtcp_write_rr(&w, 1, NULL, 0);
		if (twcc_receive_write(&line->twcc, &w, world->now_us))
			peer_write_rtcp(world, peer, &w);
	}
	if (line->report_us != 0 && rtp_receive_valid(&line->receive) &&
	    world->now_us - line->reported_us >= line->report_us) {
		struct writer w = writer_of(bytes, sizeof bytes);
		const struct rtcp_last_sr none = { 0 };
		const struct rtcp_block block = rtcp_block_of(tx_ssrc(peer, 0), &line->receive, &none,
		                                              world->now_us);
		rtcp_write_rr(&w, 1, &block, 1);
		peer_write_rtcp(world, peer, &w);
		line->reported_us = world->now_us;
	}
	if (line->asks_keys)
		ask_key(world, peer);
	else if (line->report_us != 0 && peer->answers_nack)
		give_up(world, peer);
}

static void
land(struct video_world *world)
{
	while (net.count != 0 && net.flights[net.first].at_us <= world->now_us) {
		const struct flying flying = net.flights[net.first];
		net.first = (net.first + 1) % FLIGHT_MAX;
		net.count--;
		if (!flying.peer->closed)
			arrive(world, flying.peer, flying.bytes, flying.len);
	}
	for (unsigned i = 0; i < world->peer_count; i++)
		feed_back(world, &world->peers[i]);
}

/* ---- A codec process that makes frames of the size it is told -------------------------------- */

static bool
take(struct video_world *world, const struct codec_message *message)
{
	(void)world;
	for (unsigned i = 0; i < COUNT_OF(net.encodes); i++) {
		struct rung *rung = &net.encodes[i];
		if (message->kind == CODEC_ENCODE_OPEN && rung->id == 0) {
			*rung = (struct rung){ message->id, message->encode, true, 0 };
			return true;
		}
		if (rung->id != message->id || rung->id == 0)
			continue;
		if (message->kind == CODEC_ENCODE_KEY)
			rung->key_due = true;
		else if (message->kind == CODEC_ENCODE_CLOSE)
			rung->id = 0;
	}
	return true;
}

static void
give(struct video_world *world)
{
	static uint8_t frame[64 * 1024];
	for (unsigned i = 0; i < COUNT_OF(net.encodes); i++) {
		struct rung *rung = &net.encodes[i];
		if (rung->id == 0 || world->now_us - rung->framed_us < 1000000 / rung->spec.fps)
			continue;
		rung->framed_us = world->now_us;
		const struct codec_message message = {
			.kind = CODEC_FRAME,
			.id = rung->id,
			.frame = { .captured_us = world->now_us, .codec = VIDEO_CODEC_VP8 },
			.bytes = frame,
			.len = rung->spec.bps / 8 / rung->spec.fps * (rung->key_due ? net.key_cost : 1),
		};
		frame[0] = rung->key_due ? 0x10 : 0x11;
		frame[3] = 0x9d, frame[4] = 0x01, frame[5] = 0x2a;
		frame[6] = (uint8_t)rung->spec.width, frame[7] = (uint8_t)(rung->spec.width >> 8);
		frame[8] = (uint8_t)rung->spec.height, frame[9] = (uint8_t)(rung->spec.height >> 8);
		rung->key_due = false;
		media_codec_input(world->media, &message, world->now_us);
	}
}

static struct video_world *
world_with_lines(void)
{
	struct video_world *world = world_new();
	memset(&net, 0, sizeof net);
	net.key_cost = 1;
	world->network = fly;
	world->network_pass = land;
	world->codec = take;
	world->codec_pass = give;
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		twcc_receive_init(&net.lines[i].twcc, 1);
		rtp_receive_init(&net.lines[i].receive, VIDEO_CLOCK_HZ);
		net.lines[i].queue_us_max = QUEUE_US_MAX;
	}
	media_codec_attached(world->media, true, world->now_us);
	return world;
}

static struct peer *
browser(struct video_world *world, unsigned lines)
{
	struct peer *peer = peer_new(world);
	for (unsigned line = 0; line < lines; line++) {
		struct media_order video = video_line(peer, line);
		video.video.twcc = true;
		video.video.twcc_ext_id = EXT_TWCC;
		order(world, video);
	}
	line_of(peer)->bps = FAST_BPS;
	return peer;
}

static struct peer *
camera(struct video_world *world)
{
	struct peer *peer = peer_new(world);
	simulcast(world, peer);
	return peer;
}

/* Passes time until the picture is `height` high; how long that took, in milliseconds. */
static unsigned
until_height(struct video_world *world, const struct peer *peer, bool above, uint16_t height)
{
	for (unsigned ms = 0; ms < 30000; ms += 20) {
		const uint16_t now = peer->heard[0].height;
		if (above ? now >= height : now <= height)
			return ms;
		pass(world, 20);
	}
	return UINT32_MAX;
}

TEST(a_browser_whose_line_becomes_thin_steps_down_and_up_again)
{
	struct video_world *world = world_with_lines();
	struct peer *a = camera(world);
	struct peer *b = browser(world, 1);
	struct peer *c = browser(world, 1);
	show_source(world, b, 0, a, 0);
	show_source(world, c, 0, a, 0);
	EXPECT(until_height(world, b, true, 720) < 5000);
	EXPECT(until_height(world, c, true, 720) < 5000);
	pass(world, 3000);
	const unsigned frames = c->heard[0].frames;
	c->heard[0].silence_us_max = 0;
	line_of(b)->bps = 400 * 1000;
	EXPECT(until_height(world, b, false, 360) <= 3000);
	pass(world, 3000);
	b->heard[0].silence_us_max = 0;
	pass(world, 8000);
	EXPECT(b->heard[0].height <= 360);
	EXPECT(b->heard[0].silence_us_max < 500000);
	EXPECT_EQ(c->heard[0].height, 720);
	EXPECT(c->heard[0].frames - frames > 300);
	EXPECT(c->heard[0].silence_us_max < 200000);
	line_of(b)->bps = FAST_BPS;
	EXPECT(until_height(world, b, true, 720) <= 10000);
	pass(world, 5000);
	EXPECT_EQ(b->heard[0].height, 720);
	world_free(world);
}

TEST(a_room_that_only_reports_steps_down_and_up_again)
{
	struct video_world *world = world_with_lines();
	struct peer *r = peer_new(world);
	agree(world, r, 1);
	line_of(r)->report_us = 1000 * 1000;
	line_of(r)->bps = FAST_BPS;
	struct media_order set = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = CANVAS_ID } };
	set.canvas.canvas = calloc(1, sizeof *set.canvas.canvas);
	EXPECT(set.canvas.canvas != NULL);
	order(world, set);
	show_canvas(world, r, CANVAS_ID);
	EXPECT(until_height(world, r, true, 720) < 10000);
	pass(world, 5000);
	line_of(r)->bps = 400 * 1000;
	EXPECT(until_height(world, r, false, 360) <= 3000);
	pass(world, 5000);
	r->heard[0].silence_us_max = 0;
	pass(world, 10000);
	EXPECT(r->heard[0].height <= 360);
	EXPECT(r->heard[0].silence_us_max < 500000);
	line_of(r)->bps = FAST_BPS;
	EXPECT(until_height(world, r, true, 720) <= 10000);
	world_free(world);
}

/* Like baresip: a report each 5 s, no NACK; and a queue shorter than most key frames. */
static struct peer *
room_that_asks_for_keys(struct video_world *world)
{
	struct peer *r = peer_new(world);
	struct media_order video = video_line(r, 0);
	video.video.nack = false;
	video.video.tx_rtx_ssrc = 0;
	order(world, video);
	r->answers_nack = false;
	net.key_cost = 5;
	struct line *line = line_of(r);
	line->report_us = SELDOM_US;
	line->asks_keys = true;
	line->queue_us_max = 100 * 1000;
	line->bps = FAST_BPS;
	struct media_order set = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = CANVAS_ID } };
	set.canvas.canvas = calloc(1, sizeof *set.canvas.canvas);
	EXPECT(set.canvas.canvas != NULL);
	order(world, set);
	show_canvas(world, r, CANVAS_ID);
	return r;
}

TEST(a_room_that_reports_seldom_is_heard_by_the_key_frames_it_asks_for)
{
	for (unsigned phase = 0; phase < 5; phase++) {
		struct video_world *world = world_with_lines();
		struct peer *r = room_that_asks_for_keys(world);
		EXPECT(until_height(world, r, true, 720) < 10000);
		pass(world, 10000 + phase * 1000);
		line_of(r)->bps = 400 * 1000;
		EXPECT(until_height(world, r, false, 360) <= 3000);
		pass(world, 8000);
		r->heard[0].silence_us_max = 0;
		for (unsigned i = 0; i < 60; i++) {
			pass(world, 200);
			EXPECT(r->heard[0].height >= 270 && r->heard[0].height <= 360);
		}
		EXPECT(r->heard[0].silence_us_max < 500000);
		line_of(r)->bps = FAST_BPS;
		EXPECT(until_height(world, r, true, 720) <= 11000);
		world_free(world);
	}
}

/* The height of what is made for the only room. */
static uint16_t
height_made(void)
{
	uint16_t height = 0;
	for (unsigned i = 0; i < COUNT_OF(net.encodes); i++)
		if (net.encodes[i].id != 0 && net.encodes[i].spec.height > height)
			height = net.encodes[i].spec.height;
	return height;
}

static unsigned
until_made(struct video_world *world, bool above, uint16_t height)
{
	for (unsigned ms = 0; ms < 60000; ms += 20) {
		if (above ? height_made() >= height : height_made() <= height)
			return ms;
		pass(world, 20);
	}
	return UINT32_MAX;
}

TEST(loss_at_a_room_that_asks_for_keys_only_stops_its_picture_for_moments)
{
	for (unsigned pct = 1; pct <= 5; pct += 2) {
		struct video_world *world = world_with_lines();
		struct peer *r = room_that_asks_for_keys(world);
		struct line *line = line_of(r);
		EXPECT(until_height(world, r, true, 720) < 10000);
		pass(world, 5000);
		line->lose_pct = pct;
		pass(world, 5000);
		line->still_us_max = 0;
		line->shown = 0;
		pass(world, 30000);
		EXPECT(line->still_us_max < 1000000);
		EXPECT(line->shown > (pct == 1 ? 500 : 300));
		world_free(world);
	}
}

TEST(a_room_that_can_ask_for_nothing_is_followed_by_its_reports)
{
	for (unsigned phase = 0; phase < 5; phase++) {
		struct video_world *world = world_with_lines();
		struct peer *r = room_that_asks_for_keys(world);
		line_of(r)->asks_keys = false;
		struct media_order video = video_line(r, 0);
		video.video.nack = video.video.pli = false;
		video.video.tx_rtx_ssrc = 0;
		order(world, video);
		EXPECT(until_made(world, true, 720) < 20000);
		pass(world, 10000 + phase * 1000);
		line_of(r)->bps = 400 * 1000;
		EXPECT(until_made(world, false, 540) <= 6000);
		EXPECT(until_made(world, false, 360) <= 5500);
		pass(world, 8000);
		pass(world, 12000);
		EXPECT(height_made() >= 180 && height_made() <= 360);
		line_of(r)->bps = FAST_BPS;
		EXPECT(until_made(world, true, 720) <= 40000);
		world_free(world);
	}
}

TEST(five_in_a_hundred_lost_freezes_nobody_for_a_second)
{
	struct video_world *world = world_with_lines();
	struct peer *a = camera(world);
	struct peer *b = browser(world, 1);
	show_source(world, b, 0, a, 0);
	EXPECT(until_height(world, b, true, 720) < 5000);
	pass(world, 2000);
	b->lose_pct = 5;
	b->heard[0].silence_us_max = 0;
	const unsigned frames = b->heard[0].frames;
	pass(world, 15000);
	EXPECT(b->heard[0].silence_us_max < 500000);
	EXPECT(b->heard[0].frames - frames > 14 * 25);
	b->lose_pct = 0;
	pass(world, 1000);
	EXPECT(heard_gaps(&b->heard[0]) == 0);
	world_free(world);
}

TEST(of_many_tiles_on_a_thin_line_the_most_wanted_are_seen)
{
	struct video_world *world = world_with_lines();
	struct peer *cameras[3];
	struct peer *b = browser(world, 3);
	line_of(b)->bps = 500 * 1000;
	for (unsigned i = 0; i < 3; i++) {
		cameras[i] = camera(world);
		struct media_order show = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = b->id };
		show.show.line = (uint8_t)i;
		show.show.kind = MEDIA_SHOW_SOURCE;
		show.show.source = video_source(cameras[i]->id, VIDEO_TRACK_MAIN);
		show.show.priority = (uint8_t)(i == 1 ? 9 : 1);
		order(world, show);
	}
	pass(world, 10000);
	const unsigned frames = b->heard[1].frames;
	pass(world, 5000);
	EXPECT(b->heard[1].frames - frames > 5 * 25);
	EXPECT(b->heard[0].height <= 180 && b->heard[2].height <= 180);
	world_free(world);
}

TEST(a_picture_of_one_size_is_made_smaller_for_a_thin_line_alone)
{
	struct video_world *world = world_with_lines();
	struct peer *a = peer_new(world);
	agree(world, a, 1);
	a->layer_count = 1;
	struct peer *b = browser(world, 1);
	struct peer *c = browser(world, 1);
	show_source(world, b, 0, a, 0);
	show_source(world, c, 0, a, 0);
	pass(world, 8000);
	EXPECT_EQ(media_counters(world->media)->encodes, 0);
	EXPECT_EQ(b->heard[0].height, 720);
	line_of(b)->bps = 400 * 1000;
	EXPECT(until_height(world, b, false, 360) <= 3000);
	pass(world, 5000);
	EXPECT_EQ(media_counters(world->media)->encodes, 1);
	EXPECT_EQ(c->heard[0].height, 720);
	line_of(b)->bps = FAST_BPS;
	EXPECT(until_height(world, b, true, 720) <= 10000);
	pass(world, 3000);
	EXPECT_EQ(media_counters(world->media)->encodes, 0);
	world_free(world);
}

TEST(a_picture_of_one_size_leaves_room_for_others_on_a_thin_line)
{
	struct video_world *world = world_with_lines();
	struct peer *a = peer_new(world);
	agree(world, a, 1);
	a->layer_count = 1;
	a->frame_bytes = 1200; /* 290 kbit/s */
	struct peer *c = camera(world);
	struct peer *b = browser(world, 2);
	show_source(world, b, 0, a, 0);
	show_source(world, b, 1, c, 0);
	pass(world, 8000);
	EXPECT_EQ(media_counters(world->media)->encodes, 0);
	line_of(b)->bps = 400 * 1000;
	pass(world, 4000);
	for (unsigned line = 0; line < 2; line++)
		b->heard[line].silence_us_max = 0;
	pass(world, 10000);
	for (unsigned line = 0; line < 2; line++) {
		EXPECT(world->now_us - b->heard[line].last_us < 500000);
		EXPECT(b->heard[line].silence_us_max < 700000);
	}
	line_of(b)->bps = FAST_BPS;
	pass(world, 10000);
	EXPECT_EQ(media_counters(world->media)->encodes, 0);
	EXPECT_EQ(b->heard[1].height, 720);
	world_free(world);
}

/* ---- Delay --------------------------------------------------------------------------------- */

TEST(what_is_forwarded_is_hardly_held_back)
{
	struct video_world *world = world_with_lines();
	struct peer *a = camera(world);
	struct peer *b = browser(world, 1);
	line_of(b)->bps = 0;
	show_source(world, b, 0, a, 0);
	EXPECT(until_height(world, b, true, 720) < 5000);
	pass(world, 3000);
	net.held_us_max = 0;
	pass(world, 5000);
	EXPECT(net.held_us_max <= 5000);
	world_free(world);
}
