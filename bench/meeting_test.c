/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of meeting_load against ourselves: its offer is one that a bridge takes whole, and two links
 * back to back tell of what was sent and what was lost. */
#include <string.h>

#include "base/test.h"
#include "meeting_offer.h"
#include "meeting_stream.h"
#include "sdp/sdp_fixture.h"

enum {
	TICK_US = 4 * 1000,
	POOL_PACKETS = 4096,
	SEEN_US = 1500 * 1000,
	ANSWER_BYTES_MAX = 128 * 1024,
};

/* ---- Offer and answer ----------------------------------------------------------------------- */

static struct offer_answer
answer_to(unsigned tiles, bool h264, struct sdp_session *session)
{
	static char offer[ANSWER_BYTES_MAX];
	static char text[ANSWER_BYTES_MAX];
	static struct sdp_settings settings;
	struct sdp_transport transports[FIXTURE_MEDIAS];
	const struct offer_lines lines = { .ufrag = "abcdefgh",
		                           .pwd = "0123456789abcdef01234567",
		                           .fingerprint = "sha-256 00:01:02:03:04:05:06:07:08:09:0A:"
		                                          "0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:"
		                                          "18:19:1A:1B:1C:1D:1E:1F",
		                           .local = addr_ip4(192, 0, 2, 1, 40000),
		                           .session_id = 7,
		                           .tiles = tiles,
		                           .h264 = h264 };
	struct writer w = writer_of(offer, sizeof offer);
	settings = fixture_browser();
	sdp_session_init(session, &settings);
	offer_write(&w, &lines);
	EXPECT(!w.failed);
	EXPECT_EQ(sdp_session_offer_take(session, writer_view(&w)), SDP_OK);
	fixture_transports(transports, true);
	w = writer_of(text, sizeof text);
	for (unsigned i = 0; i < tiles; i++)
		sdp_session_sources_set(session, 2 + i, 1000 + i, 2000 + i);
	sdp_session_answer_write(session, transports, &w);
	EXPECT(!w.failed);
	struct offer_answer answer;
	const char *wrong = offer_answer_read(&answer, writer_view(&w));
	EXPECT_STR(str_of(wrong != NULL ? wrong : ""), "");
	return answer;
}

TEST(a_bridge_takes_every_line_of_the_offer)
{
	static struct sdp_session session;
	const struct offer_answer answer = answer_to(OFFER_TILES_MAX, true, &session);
	EXPECT_EQ(session.line_count, 2 + OFFER_TILES_MAX);
	EXPECT(answer.camera);
	EXPECT(answer.candidate_count != 0 && answer.ufrag.len != 0 && answer.pwd.len != 0);
	EXPECT(answer.mid_ext != 0 && answer.rid_ext != 0 && answer.repaired_ext != 0);
	EXPECT(answer.level_ext != 0 && answer.twcc_ext != 0);
	EXPECT_EQ(session.lines[1].rid_count, 3);
	EXPECT_STR(str_of(session.lines[1].rids[0]), "l");
	for (unsigned i = 0; i < OFFER_TILES_MAX; i++) {
		EXPECT(answer.tiles[i].accepted);
		EXPECT_EQ(answer.tiles[i].ssrcs[0], 1000 + i);
		EXPECT_EQ(answer.tiles[i].ssrcs[1], 2000 + i);
	}
	sdp_session_fini(&session);
}

TEST(a_browser_without_h264_is_one)
{
	static struct sdp_session session;
	const struct offer_answer answer = answer_to(1, false, &session);
	EXPECT(answer.tiles[0].accepted);
	EXPECT_EQ(session.lines[2].codec_count, 1);
	EXPECT_EQ(session.codecs[session.lines[2].codec_first].send_payload, OFFER_VP8);
	EXPECT_EQ(session.codecs[session.lines[2].codec_first].send_rtx_payload, OFFER_VP8_RTX);
	sdp_session_fini(&session);
}

TEST(an_answer_that_no_browser_could_use_is_told)
{
	struct offer_answer answer;
	EXPECT_STR(str_of(offer_answer_read(&answer, STR("nothing"))), "cannot be read");
	EXPECT_STR(str_of(offer_answer_read(
	                   &answer, STR("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"))),
	           "has too few lines");
}

/* ---- Two ends ------------------------------------------------------------------------------- */

struct end {
	struct link link;
	struct streams streams;
};

static struct {
	struct loop *loop;
	struct loop_timer *timer;
	struct prng prng;
	struct packet_pool *pool;
	struct clip *clip;
	struct voice voice;
	struct end ends[2];
} two;

static void
on_connected(void *context, int64_t now_us)
{
	(void)context;
	(void)now_us;
}

static void
on_rtp(void *context, const struct rtp_packet *packet, int64_t now_us)
{
	streams_rtp(&((struct end *)context)->streams, packet, now_us);
}

static void
on_rtcp(void *context, const uint8_t *bytes, size_t len, int64_t now_us)
{
	streams_rtcp(&((struct end *)context)->streams, bytes, len, now_us);
}

static const struct link_handler handler = {
	.connected = on_connected, .rtp = on_rtp, .rtcp = on_rtcp,
};

static void
tick(void *context, int64_t now_us)
{
	(void)context;
	for (unsigned i = 0; i < 2; i++)
		streams_tick(&two.ends[i].streams, now_us);
	loop_timer_arm(two.timer, now_us + TICK_US);
}

/* One end sends sound and a picture, the other loses `drop_permille` of it. */
static struct in_video *
connect_ends(enum video_codec codec, unsigned drop_permille, bool rtx)
{
	static const uint8_t key[30] = { 1, 2, 3 };
	static const struct stream_marks none;
	const struct clip_settings clip = { codec, 320, 180, 30, 200 * 1000, 2, false };
	prng_init(&two.prng, 42);
	EXPECT_EQ(loop_create(&two.loop), 0);
	EXPECT_EQ(loop_timer_create(&two.timer, two.loop, tick, NULL), 0);
	EXPECT_EQ(packet_pool_create(&two.pool, POOL_PACKETS), 0);
	EXPECT_EQ(clip_create(&two.clip, &clip), 0);
	EXPECT_EQ(voice_make(&two.voice), 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct link_settings settings = { .loop = two.loop,
			                                .bind = addr_ip4(127, 0, 0, 1, 0),
			                                .drop_permille = i == 1 ? drop_permille : 0,
			                                .prng = &two.prng,
			                                .handler = &handler,
			                                .context = &two.ends[i] };
		EXPECT_EQ(link_open(&two.ends[i].link, &settings), 0);
		streams_init(&two.ends[i].streams, &two.ends[i].link, two.pool, &two.prng);
	}
	const int64_t now_us = loop_now_us();
	for (unsigned i = 0; i < 2; i++) {
		const struct link_room room = { .remote = *udp_local(two.ends[!i].link.socket),
			                        .suite = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
			                        .key_tx = key,
			                        .key_rx = key };
		link_start_room(&two.ends[i].link, &room, now_us);
	}
	const struct out_video_settings out = { .clip = two.clip, .payload_type = 96,
		                                .rtx_payload_type = rtx ? 97 : 0,
		                                .again = rtx };
	struct in_video_settings in = { .again = rtx };
	*(codec == VIDEO_CODEC_VP8 ? &in.vp8 : &in.h264) = 96;
	*(codec == VIDEO_CODEC_VP8 ? &in.vp8_rtx : &in.h264_rtx) = rtx ? 97 : 0;
	two.ends[0].streams.out_sound.talks = true;
	out_sound_start(&two.ends[0].streams, &two.voice, 111, &none, now_us);
	out_video_add(&two.ends[0].streams, &out, now_us);
	two.ends[1].streams.in_sound.payload_type = 111;
	struct in_video *made = in_video_add(&two.ends[1].streams, &in);
	EXPECT(made != NULL);
	in_video_show(made, true, true, now_us);
	streams_begin(&two.ends[1].streams, now_us);
	loop_timer_arm(two.timer, now_us);
	return made;
}

static void
take_apart(void)
{
	for (unsigned i = 0; i < 2; i++) {
		streams_fini(&two.ends[i].streams);
		link_close(&two.ends[i].link);
	}
	EXPECT_EQ(packet_pool_used(two.pool), 0);
	packet_pool_destroy(two.pool);
	clip_destroy(two.clip);
	loop_timer_destroy(two.timer);
	loop_destroy(two.loop);
}

/* Counts, not rates: the machine of a test may be slow. */
TEST(pictures_and_sound_arrive_as_they_were_sent)
{
	struct in_video *in = connect_ends(VIDEO_CODEC_H264, 0, false);
	loop_run_until(two.loop, loop_now_us() + SEEN_US);
	const struct in_video_stats stats = in_video_stats(in, loop_now_us());
	EXPECT(stats.frames > 5);
	EXPECT_EQ(stats.packets_lost, 0);
	EXPECT_EQ(stats.keys, 1);
	EXPECT_EQ(in->width, 320);
	EXPECT_EQ(in->height, 180);
	EXPECT(two.ends[1].streams.in_sound.packets > 10);
	EXPECT_EQ(in_sound_lost(&two.ends[1].streams.in_sound), 0);
	EXPECT_EQ(two.ends[1].link.forged, 0);
	take_apart();
}

TEST(what_is_lost_is_asked_for_and_sent_again)
{
	struct in_video *in = connect_ends(VIDEO_CODEC_VP8, 100, true);
	loop_run_until(two.loop, loop_now_us() + SEEN_US);
	const struct in_video_stats stats = in_video_stats(in, loop_now_us());
	EXPECT(stats.frames > 5);
	EXPECT(stats.asked > 0);
	EXPECT(two.ends[0].streams.outs[0].stats.resent > 0);
	take_apart();
}

TEST(without_retransmission_a_key_frame_makes_it_good)
{
	struct in_video *in = connect_ends(VIDEO_CODEC_H264, 200, false);
	loop_run_until(two.loop, loop_now_us() + 2 * SEEN_US);
	const struct in_video_stats stats = in_video_stats(in, loop_now_us());
	EXPECT(stats.plis > 0);
	EXPECT(stats.packets_lost > 0);
	EXPECT(stats.keys > 1);
	EXPECT(two.ends[0].streams.outs[0].stats.keys_asked > 0);
	take_apart();
}
