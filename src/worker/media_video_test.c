/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: everybody is sent what he was to be shown, from a key frame on and without a hole; layers fit
 * tiles; what is lost comes again; key frames are asked for when needed and never in a storm; what
 * is muted, paused or forged goes nowhere.
 * Method: the real machine on virtual time with peers of video_world_fixture.h. */
#include "worker/video_world_fixture.h"

static void
begin(struct video_world *world, struct peer *peer)
{
	agree(world, peer, 2);
	peer->layer_count = 1;
	peer->key_due[0] = true;
}

TEST(a_picture_goes_from_one_to_another_whole)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 1000);
	EXPECT(b->heard[0].frames >= 25);
	EXPECT(b->heard[0].keys >= 1);
	EXPECT_EQ(b->heard[0].width, 1280);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	EXPECT_EQ(a->heard[0].packets, 0);
	EXPECT(a->picture[VIDEO_TRACK_MAIN].flows);
	EXPECT_EQ(a->picture[VIDEO_TRACK_MAIN].height, 720);
	EXPECT_EQ(a->pictures, 1);
	hang_up(world, a);
	pass(world, 500);
	hang_up(world, b);
	world_free(world);
}

TEST(a_late_receiver_begins_with_a_key_frame_that_was_asked_for)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	pass(world, 1000);
	const unsigned asked = a->key_asked[0];
	show_source(world, b, 0, a, 0);
	pass(world, 5);
	EXPECT_EQ(b->heard[0].packets, 0);
	EXPECT_EQ(a->key_asked[0], asked + 1);
	pass(world, 200);
	EXPECT(b->heard[0].keys == 1);
	EXPECT(b->heard[0].frames > 3);
	EXPECT_EQ(a->key_asked[0], asked + 1);
	world_free(world);
}

TEST(a_flood_of_key_requests_costs_the_sender_few)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	begin(world, a);
	for (unsigned i = 0; i < 8; i++) {
		struct peer *b = peer_new(world);
		agree(world, b, 1);
		show_source(world, b, 0, a, 0);
	}
	pass(world, 1000);
	const unsigned asked = a->key_asked[0];
	for (unsigned ms = 0; ms < 2000; ms += 10) {
		for (unsigned i = 1; i < world->peer_count; i++)
			peer_pli(world, &world->peers[i], 0);
		pass(world, 10);
	}
	EXPECT(a->key_asked[0] - asked <= 8);
	EXPECT(a->key_asked[0] > asked);
	world_free(world);
}

/* FIR number `seq` of the peer's. */
static void
peer_fir(struct video_world *world, struct peer *peer, uint8_t seq)
{
	uint8_t bytes[96];
	struct writer w = writer_of(bytes, sizeof bytes);
	const struct rtcp_fir fir = { .ssrc = tx_ssrc(peer, 0), .seq = seq };
	rtcp_write_rr(&w, 1, NULL, 0);
	rtcp_fb_write_fir(&w, 1, &fir, 1);
	peer_write_rtcp(world, peer, &w);
}

TEST(a_command_for_a_key_frame_that_is_repeated_is_obeyed_once)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 2000);
	const unsigned asked = a->key_asked[0];
	peer_fir(world, b, 255);
	pass(world, 400);
	EXPECT_EQ(a->key_asked[0], asked + 1);
	peer_fir(world, b, 255);
	pass(world, 400);
	EXPECT_EQ(a->key_asked[0], asked + 1);
	peer_fir(world, b, 0);
	pass(world, 1000);
	EXPECT_EQ(a->key_asked[0], asked + 2);
	/* One that has no new numbers is served, too. */
	peer_fir(world, b, 0);
	pass(world, 400);
	EXPECT_EQ(a->key_asked[0], asked + 3);
	world_free(world);
}

TEST(a_sender_without_feedback_is_asked_by_control)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	struct media_order video = video_line(a, 0);
	video.video.pli = false;
	video.video.nack = false;
	order(world, video);
	a->layer_count = 1;
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 100);
	EXPECT(a->key_wanted >= 1);
	EXPECT_EQ(a->key_asked[0], 0);
	a->key_due[0] = true;
	pass(world, 200);
	EXPECT(b->heard[0].frames > 2);
	world_free(world);
}

TEST(lost_packets_come_again_and_nothing_is_missing)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	struct peer *c = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	agree(world, c, 1);
	show_source(world, b, 0, a, 0);
	show_source(world, c, 0, a, 0);
	pass(world, 500);
	b->lose_pct = 10;
	const unsigned frames = c->heard[0].frames;
	pass(world, 3000);
	b->lose_pct = 0;
	pass(world, 500);
	EXPECT(b->heard[0].rtx > 20);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	EXPECT_EQ(c->heard[0].rtx, 0);
	EXPECT(c->heard[0].frames - frames > 95);
	world_free(world);
}

/* Most rooms know no RTX; SRTP takes the same number again if it is the same packet to the byte. */
TEST(without_a_stream_for_it_lost_packets_come_again_as_they_were)
{
	for (unsigned twcc = 0; twcc <= 1; twcc++) {
		struct video_world *world = world_new();
		struct peer *a = peer_new(world);
		struct peer *b = peer_new(world);
		begin(world, a);
		struct media_order video = video_line(b, 0);
		video.video.tx_rtx_ssrc = 0;
		video.video.payloads[0].tx_rtx_payload_type = FORWARD_NO_PAYLOAD_TYPE;
		video.video.twcc = twcc != 0;
		video.video.twcc_ext_id = EXT_TWCC;
		order(world, video);
		show_source(world, b, 0, a, 0);
		pass(world, 500);
		world->lose_datagrams_pct = 5;
		const unsigned frames = b->heard[0].frames;
		pass(world, 3000);
		world->lose_datagrams_pct = 0;
		pass(world, 500);
		EXPECT(world->lost_datagrams > 10);
		EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
		EXPECT_EQ(b->heard[0].rtx, 0);
		EXPECT(b->heard[0].frames - frames > 95);
		world_free(world);
	}
}

TEST(what_a_sender_loses_is_asked_for)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 500);
	a->lose_in_pct = 5;
	pass(world, 1000);
	EXPECT(a->nacked > 3);
	world_free(world);
}

TEST(the_layer_fits_the_tile)
{
	static const struct {
		uint16_t tile, height;
	} cases[] = { { 0, 720 }, { 180, 180 }, { 200, 180 }, { 300, 360 }, { 400, 360 }, { 700, 720 },
		      { 1080, 720 } };
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct video_world *world = world_new();
		struct peer *a = peer_new(world);
		struct peer *b = peer_new(world);
		simulcast(world, a);
		agree(world, b, 1);
		show_source(world, b, 0, a, cases[i].tile);
		pass(world, 2000);
		EXPECT_EQ(b->heard[0].height, cases[i].height);
		EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
		world_free(world);
	}
}

TEST(a_tile_that_grows_gets_another_layer_without_a_break)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	simulcast(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 180);
	pass(world, 1000);
	EXPECT_EQ(b->heard[0].height, 180);
	b->heard[0].silence_us_max = 0;
	show_source(world, b, 0, a, 720);
	pass(world, 1000);
	EXPECT_EQ(b->heard[0].height, 720);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	EXPECT(b->heard[0].silence_us_max <= 2 * FRAME_US);
	/* A layer that its sender stops gives way to the next. */
	a->stopped[0] = true;
	pass(world, 1500);
	EXPECT_EQ(b->heard[0].height, 360);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	EXPECT_EQ(a->picture[VIDEO_TRACK_MAIN].height, 360);
	world_free(world);
}

TEST(a_line_that_is_shown_nothing_sends_nothing)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 500);
	show_source(world, b, 0, NULL, 0);
	pass(world, 10);
	const unsigned packets = b->heard[0].packets;
	pass(world, 500);
	EXPECT_EQ(b->heard[0].packets, packets);
	show_source(world, b, 0, a, 0);
	pass(world, 500);
	EXPECT(b->heard[0].packets > packets + 20);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

TEST(another_person_begins_with_a_key_frame_and_the_numbers_go_on)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	struct peer *c = peer_new(world);
	begin(world, a);
	begin(world, b);
	agree(world, c, 1);
	for (unsigned i = 0; i < 10; i++) {
		const unsigned keys = c->heard[0].keys;
		show_source(world, c, 0, i % 2 == 0 ? a : b, 0);
		pass(world, 300);
		EXPECT_EQ(c->heard[0].keys, keys + 1);
	}
	EXPECT_EQ(heard_gaps(&c->heard[0]), 0);
	world_free(world);
}

TEST(muted_pictures_stop_and_come_back)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	begin(world, b);
	show_source(world, b, 0, a, 0);
	show_source(world, a, 0, b, 0);
	pass(world, 500);
	set_flags(world, a, (struct media_leg_flags){ .rx_video_muted = true });
	EXPECT(!a->picture[VIDEO_TRACK_MAIN].flows);
	pass(world, 50);
	const unsigned packets = b->heard[0].packets;
	const unsigned to_a = a->heard[0].packets;
	pass(world, 500);
	EXPECT_EQ(b->heard[0].packets, packets);
	EXPECT(a->heard[0].packets > to_a);
	set_flags(world, a, (struct media_leg_flags){ .tx_video_muted = true });
	EXPECT(a->picture[VIDEO_TRACK_MAIN].flows);
	pass(world, 500);
	const unsigned before = a->heard[0].packets;
	EXPECT(b->heard[0].packets > packets);
	pass(world, 500);
	EXPECT_EQ(a->heard[0].packets, before);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

TEST(a_track_ends_when_nothing_comes_and_when_its_leg_goes)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 500);
	a->stopped[0] = true;
	pass(world, 2500);
	EXPECT(a->picture[VIDEO_TRACK_MAIN].flows);
	pass(world, 1500);
	EXPECT(!a->picture[VIDEO_TRACK_MAIN].flows);
	EXPECT(!a->lost);
	a->stopped[0] = false;
	pass(world, 500);
	EXPECT(a->picture[VIDEO_TRACK_MAIN].flows);
	EXPECT(b->heard[0].frames > 20);
	hang_up(world, a);
	pass(world, 1000);
	world_free(world);
}

TEST(a_source_that_is_not_there_yet_is_shown_when_it_comes)
{
	struct video_world *world = world_new();
	struct peer *b = peer_new(world);
	agree(world, b, 1);
	struct media_order show = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = b->id };
	show.show.kind = MEDIA_SHOW_SOURCE;
	show.show.source = video_source(1u << SLAB_INDEX_BITS | 1, VIDEO_TRACK_MAIN);
	order(world, show);
	pass(world, 500);
	struct peer *a = peer_new(world);
	begin(world, a);
	pass(world, 500);
	EXPECT(b->heard[0].frames >= 5);
	world_free(world);
}

TEST(reports_tell_of_every_stream)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 5000);
	EXPECT(b->sr >= 3);
	EXPECT(a->rr >= 3);
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = a->id });
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = b->id });
	EXPECT_EQ(a->stats[0].rx.codec, VIDEO_CODEC_VP8);
	EXPECT_EQ(a->stats[0].rx.height, 720);
	EXPECT(a->stats[0].rx.frame_rate >= 28 && a->stats[0].rx.frame_rate <= 32);
	EXPECT_EQ(a->sound.rx.bit_rate_bps, 0); /* it sends none */
	EXPECT_EQ(b->stats[0].tx.codec, VIDEO_CODEC_VP8);
	EXPECT(b->stats[0].tx.bit_rate_bps > 900000 && b->stats[0].tx.bit_rate_bps < 1600000);
	EXPECT(b->stats[0].tx.frame_rate >= 28);
	world_free(world);
}

TEST(more_frames_a_second_than_can_be_told_are_told_as_the_most)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	static const uint8_t frame[] = { 0x10, 0x01, 0x55, 0x55 }; /* VP8, between key frames */
	agree(world, a, 1);
	a->key_due[0] = true;
	peer_frame(world, a, 0);
	for (unsigned i = 0; i < 1250; i++) {
		a->timestamp_rtp += 180;
		peer_send(world, a, 0, PT_VP8, true, frame, sizeof frame);
		pass(world, 2);
	}
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = a->id });
	EXPECT_EQ(a->stats[0].rx.frame_rate, 255);
	world_free(world);
}

TEST(a_sender_whose_packets_get_lost_is_asked_for_less)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct media_order video = video_line(a, 0);
	video.video.tmmbr = true;
	order(world, video);
	a->layer_count = 1;
	a->key_due[0] = true;
	pass(world, 3000);
	EXPECT_EQ(a->tmmbr, 0);
	a->lose_in_pct = 20;
	pass(world, 3000);
	EXPECT(a->tmmbr >= 1);
	EXPECT(a->tmmbr_bps < 1200000);
	const uint64_t low_bps = a->tmmbr_bps;
	a->lose_in_pct = 0;
	pass(world, 8000);
	EXPECT(a->tmmbr_bps > low_bps);
	world_free(world);
}

TEST(a_thin_line_gets_a_small_layer_and_a_wide_one_the_large)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	struct peer *c = peer_new(world);
	simulcast(world, a);
	agree(world, c, 1);
	struct media_order video = video_line(b, 0);
	video.video.tx_bps_max = 400000;
	order(world, video);
	show_source(world, b, 0, a, 0);
	show_source(world, c, 0, a, 0);
	pass(world, 3000);
	EXPECT_EQ(b->heard[0].height, 180);
	EXPECT_EQ(c->heard[0].height, 720);
	world_free(world);
}

/* b=AS:1, and the same in a re-offer: less than any picture costs. */
TEST(a_line_too_thin_for_any_picture_is_agreed_on_like_others)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	struct media_order video = video_line(b, 0);
	video.video.tx_bps_max = 1000;
	order(world, video);
	show_source(world, b, 0, a, 0);
	pass(world, 1000);
	video.video.tx_bps_max = 1;
	order(world, video);
	pass(world, 1000);
	video.video.tx_bps_max = 0;
	order(world, video);
	pass(world, 3000);
	EXPECT(b->heard[0].frames > 0);
	world_free(world);
}

/* For the last world: holes in what its second peer received, and those not followed by a key frame. */
static struct {
	bool started[4];
	uint16_t next[4];
	unsigned holes, bad_holes;
} sent;

static void
watch_holes(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	struct video_facts facts;
	peer_rtp(world, peer, bytes, len);
	EXPECT_EQ(rtp_parse(&packet, bytes, len), RTP_OK);
	const unsigned line = packet.ssrc & 3;
	if (peer != &world->peers[1] || (packet.ssrc & ~0xfffu) != TX_SSRC)
		return;
	if (sent.started[line] && packet.seq != sent.next[line]) {
		sent.holes++;
		EXPECT_EQ(video_facts_parse(&facts, VIDEO_CODEC_VP8, rtp_payload(&packet),
		                            packet.payload_len),
		          VIDEO_OK);
		sent.bad_holes += !facts.key_start;
	}
	sent.started[line] = true;
	sent.next[line] = (uint16_t)(packet.seq + 1);
}

/* `lines` pictures of 7 Mbit/s towards one whose line takes far less. */
static void
crowd(unsigned lines)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	memset(&sent, 0, sizeof sent);
	world->network = watch_holes;
	begin(world, a);
	a->frame_bytes = 31000;
	for (unsigned line = 0; line < lines; line++) {
		struct media_order video = video_line(b, line);
		video.video.twcc = true;
		video.video.twcc_ext_id = EXT_TWCC;
		video.video.tx_bps_max = 900000 / lines;
		order(world, video);
		show_source(world, b, line, a, 0);
	}
	const unsigned asked = a->key_asked[0];
	pass(world, 3000);
	EXPECT(sent.holes >= 2);
	EXPECT_EQ(sent.bad_holes, 0);
	EXPECT(a->key_asked[0] > asked);
	EXPECT(a->key_asked[0] - asked <= 11); /* one each KEY_REQUEST_US_MIN */
	EXPECT(b->heard[0].frames > 3);
	world_free(world);
}

TEST(what_waits_too_long_is_dropped_up_to_a_key_frame)
{
	crowd(1);
}

TEST(what_the_queue_has_no_room_for_is_dropped_up_to_a_key_frame)
{
	crowd(3);
}

TEST(what_is_estimated_by_the_sound_alone_bounds_no_pictures)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	a->frame_bytes = 1500;
	struct media_order video = video_line(b, 0);
	video.video.twcc = true;
	video.video.remb = true;
	video.video.twcc_ext_id = EXT_TWCC;
	order(world, video);
	show_source(world, b, 0, a, 0);
	const uint32_t ssrc = tx_ssrc(b, 0);
	for (unsigned i = 0; i < 30; i++) {
		uint8_t bytes[128];
		struct writer w = writer_of(bytes, sizeof bytes);
		rtcp_write_rr(&w, 1, NULL, 0);
		rtcp_fb_write_remb(&w, 1, 60000, &ssrc, 1);
		peer_write_rtcp(world, b, &w);
		pass(world, 100);
	}
	EXPECT(b->heard[0].frames >= 85);
	EXPECT_EQ(b->heard[0].keys, 1);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

/* What a browser fills its line with to find out how much that carries: packets that came before. */
static void
send_redundant(struct video_world *world, struct peer *peer, size_t len)
{
	uint8_t bytes[1600];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	const uint8_t vp8_end_of_frame[] = { 0x00, 0x01 };
	static uint16_t seq;
	const struct rtp_header header = { .payload_type = PT_RTX,
		                           .seq = seq++,
		                           .timestamp_rtp = peer->timestamp_rtp,
		                           .marker = true,
		                           .ssrc = RX_SSRC | slab_index(peer->id) << 4 | 8 };
	rtp_write_header(&w, &header);
	writer_u16(&w, (uint16_t)(peer->seq[0] - 1));
	writer_bytes(&w, vp8_end_of_frame, sizeof vp8_end_of_frame);
	while (w.at < len)
		writer_u8(&w, 0x55);
	peer_input(world, peer, bytes, w.at);
}

TEST(what_is_sent_again_for_nothing_makes_no_picture_larger)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	a->frame_bytes = 1500;
	pass(world, 500);
	const unsigned frames = b->heard[0].frames;
	for (unsigned ms = 0; ms < 2000; ms++) {
		send_redundant(world, a, 900);
		pass(world, 1);
	}
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = a->id });
	EXPECT(a->stats[0].rx.bit_rate_bps > 200000 && a->stats[0].rx.bit_rate_bps < 500000);
	EXPECT(a->stats[0].rx.frame_rate <= 32);
	EXPECT(b->heard[0].frames - frames >= 58 && b->heard[0].frames - frames <= 62);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

TEST(camera_control_passes_whole)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	static const uint8_t packet[] = { 1, 2, 3, 4, 5 };
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_DATA,
	                                   .leg = a->id,
	                                   .data = { true, true, 100, 101 } });
	peer_send(world, a, 0, 100, true, packet, sizeof packet);
	EXPECT_EQ(a->data_count, 1);
	EXPECT_EQ(a->data.len, sizeof packet);
	EXPECT(memcmp(a->data.bytes, packet, sizeof packet) == 0);
	const uint8_t large[MEDIA_DATA_MAX + 1] = { 0 };
	peer_send(world, a, 0, 100, true, large, sizeof large);
	EXPECT_EQ(a->data_count, 1);
	world_free(world);
}

/* ---- Strangers ----------------------------------------------------------------------------- */

TEST(forged_and_broken_feedback_moves_nothing)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 1000);
	const unsigned asked = a->key_asked[0];
	const unsigned packets = b->heard[0].packets;
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t bytes[128];
		struct writer w = writer_of(bytes, sizeof bytes);
		const struct rtcp_fir fir = { .ssrc = prng_u32(&world->prng) };
		rtcp_write_rr(&w, 1, NULL, 0);
		rtcp_fb_write_pli(&w, 1, prng_u32(&world->prng));
		rtcp_fb_write_fir(&w, 1, &fir, 1);
		for (size_t at = 8; at < w.at; at++)
			if (i % 2 == 0 && prng_below(&world->prng, 8) == 0)
				bytes[at] = (uint8_t)prng_u32(&world->prng);
		peer_write_rtcp(world, b, &w);
		/* From where nobody is. */
		const struct net_addr stranger = addr_ip4(203, 0, 113, 9, 4000);
		struct writer pli = writer_of(bytes, sizeof bytes);
		rtcp_write_rr(&pli, 1, NULL, 0);
		rtcp_fb_write_pli(&pli, 1, tx_ssrc(b, 0));
		media_input(world->media, MEDIA_SOCKET_RTP, b->id, &stranger, bytes, pli.at,
		            world->now_us);
	}
	pass(world, 500);
	EXPECT_EQ(a->key_asked[0], asked);
	EXPECT(b->heard[0].packets > packets + 50);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

TEST(junk_in_a_stream_neither_passes_nor_stops_it)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 500);
	for (unsigned i = 0; i < 500; i++) {
		uint8_t junk[64];
		const size_t len = prng_below(&world->prng, sizeof junk);
		prng_bytes(&world->prng, junk, len);
		junk[0] |= 0x80, junk[1] |= 0x0f; /* a descriptor with reserved bits */
		peer_send(world, a, 0, (uint8_t)(i % 3 == 0 ? PT_RTX : PT_VP8), i % 2 == 0, junk, len);
		pass(world, 1);
	}
	const unsigned frames = b->heard[0].frames;
	pass(world, 1500);
	EXPECT(b->heard[0].frames > frames + 20);
	world_free(world);
}

TEST(sizes_that_change_every_frame_are_told_and_do_no_harm)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	for (unsigned i = 0; i < 60; i++) {
		a->key_due[0] = true;
		pass(world, 33);
	}
	EXPECT(b->heard[0].keys >= 50);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}

TEST(a_sender_that_begins_anew_is_followed)
{
	struct video_world *world = world_new();
	struct peer *a = peer_new(world);
	struct peer *b = peer_new(world);
	begin(world, a);
	agree(world, b, 1);
	show_source(world, b, 0, a, 0);
	pass(world, 1000);
	a->seq[0] = (uint16_t)(a->seq[0] + 20000);
	a->timestamp_rtp += 123456789;
	pass(world, 1500);
	const unsigned frames = b->heard[0].frames;
	pass(world, 1000);
	EXPECT(b->heard[0].frames > frames + 25);
	EXPECT_EQ(heard_gaps(&b->heard[0]), 0);
	world_free(world);
}
