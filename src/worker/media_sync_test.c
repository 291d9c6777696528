/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what was seen and heard at one moment has one time on the way out, whatever happened to it on
 * the way in; and reports say so from the first packets on.
 *
 * Method: Ann hums, and beeps once; each of her pictures says when it was taken.  Her sound comes through
 * a network that is late now and then, her pictures an encoder's time later.  What Ben receives is read by
 * its RTP times, and by the sender reports. */
#include <stdio.h>

#include "video_world_fixture.h"

enum {
	ROOM = 1,
	PT_PCMU = 0,
	SOUND_MS = 20,
	SOUND_SAMPLES = 160,
	PICTURE_MS = 33,
	BEEP_MS = 100,
	LOUD = 0x60, /* of a PCMU sample's magnitude; the hum is below, the beep above */
	PAYLOAD_BYTES = 18,
	SHOWN_MAX = 512,
	REPORTS_MAX = 64,
	SENDER_WALL_US = 77 * 1000 * 1000, /* her clock is another one than ours */
	SAME_MS = 12,
	TOGETHER_MS = 60, /* what nobody notices */
};

/* A packet on Ben's line of pictures. */
struct shown {
	uint32_t taken_ms;
	uint32_t timestamp_rtp;
};

struct told {
	uint32_t ssrc;
	struct rtcp_sender_info info;
	int64_t at_us;
};

struct scene {
	struct video_world *world;
	struct peer *ann, *ben;
	struct peer *camera;    /* Ann's, with a transport of its own or hers */
	bool apart;             /* it has its own */
	int64_t began_us;
	unsigned encode_ms;     /* her pictures come so much later than her sound */
	unsigned late_ms;       /* of some packets of sound */
	unsigned stall_ms;      /* all that was said until then comes at once */
	bool reports;           /* of hers */
	unsigned beep_ms;
	uint16_t sound_seq;
	/* What Ben got. */
	bool beeped;
	uint32_t beep_rtp;
	unsigned shown_count;
	struct shown shown[SHOWN_MAX];
	unsigned told_count;
	struct told told[REPORTS_MAX];
	int64_t first_us[2]; /* packet of sound, of a picture */
	int64_t beep_us;     /* when it was heard */
	int64_t decoded_us;  /* when the picture of that moment was given to the codec process */
};

static struct scene scene;

static uint8_t
magnitude(uint8_t ulaw)
{
	return (uint8_t)~ulaw & 0x7f;
}

/* ---- What Ben gets ------------------------------------------------------------------------- */

static void
got(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	EXPECT_EQ(rtp_parse(&packet, bytes, len), RTP_OK);
	const uint8_t *payload = rtp_payload(&packet);
	if (peer != scene.ben || packet.payload_len == 0)
		return;
	const bool sound = packet.payload_type == PT_PCMU;
	if (scene.first_us[sound ? 0 : 1] == 0)
		scene.first_us[sound ? 0 : 1] = world->now_us;
	for (unsigned i = 0; sound && !scene.beeped && i < packet.payload_len; i++) {
		scene.beeped = magnitude(payload[i]) >= LOUD;
		scene.beep_rtp = packet.timestamp_rtp + i;
		scene.beep_us = world->now_us + i * 1000 / 8;
	}
	if (sound || (packet.ssrc & ~0xfffu) != TX_SSRC || scene.shown_count == SHOWN_MAX)
		return;
	EXPECT_EQ(packet.payload_len, PAYLOAD_BYTES);
	struct shown *shown = &scene.shown[scene.shown_count++];
	memcpy(&shown->taken_ms, payload + packet.payload_len - 4, 4);
	shown->timestamp_rtp = packet.timestamp_rtp;
}

static void
told(struct video_world *world, struct peer *peer, const struct rtcp_packet *packet)
{
	if (peer == scene.ben && scene.told_count < REPORTS_MAX)
		scene.told[scene.told_count++] = (struct told){
			packet->ssrc, rtcp_sender_info(packet), world->now_us
		};
}

/* A codec process that makes nothing of what it gets. */
static bool
fed(struct video_world *world, const struct codec_message *message)
{
	uint32_t taken_ms;
	if (message->kind != CODEC_SOURCE_FRAME)
		return true;
	EXPECT(message->len > sizeof taken_ms);
	memcpy(&taken_ms, message->bytes + message->len - sizeof taken_ms, sizeof taken_ms);
	if (taken_ms <= scene.beep_ms && taken_ms + PICTURE_MS > scene.beep_ms)
		scene.decoded_us = world->now_us + (scene.beep_ms - taken_ms) * 1000;
	return true;
}

/* ---- What Ann sends ------------------------------------------------------------------------ */

static void
send_sound(unsigned taken_ms)
{
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	const struct rtp_header header = { .payload_type = PT_PCMU,
		                           .seq = (uint16_t)(taken_ms / SOUND_MS),
		                           .timestamp_rtp = taken_ms * 8 + 5000,
		                           .ssrc = 99 };
	rtp_write_header(&w, &header);
	for (unsigned i = 0; i < SOUND_SAMPLES; i++) {
		const unsigned at_ms = taken_ms + i / 8;
		const bool beep = at_ms >= scene.beep_ms && at_ms < scene.beep_ms + BEEP_MS;
		const uint8_t sign = i / 10 % 2 == 0 ? 0x80 : 0;
		writer_u8(&w, sign | (beep ? 0x10 : 0x40));
	}
	EXPECT(!w.failed);
	peer_input(scene.world, scene.ann, bytes, w.at);
}

static void
send_picture(unsigned taken_ms)
{
	uint8_t payload[PAYLOAD_BYTES];
	struct writer w = writer_of(payload, sizeof payload);
	const bool key = scene.camera->key_due[0] || taken_ms == 0;
	const uint8_t head[] = { key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0, 5, 0xd0, 2 };
	scene.camera->key_due[0] = false;
	writer_u8(&w, 0x90);
	writer_u8(&w, 0x80);
	writer_u16(&w, (uint16_t)(0x8000 | taken_ms / PICTURE_MS));
	writer_bytes(&w, head, sizeof head);
	writer_bytes(&w, (const uint8_t *)&taken_ms, sizeof taken_ms);
	EXPECT(!w.failed);
	scene.camera->timestamp_rtp = taken_ms * 90 + 70000;
	peer_send(scene.world, scene.camera, 0, PT_VP8, true, payload, w.at);
}

static void
send_reports(unsigned now_ms)
{
	uint8_t bytes[160];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct rtcp_sender_info info = { .ntp = rtcp_ntp(SENDER_WALL_US + now_ms * 1000ll),
		                         .timestamp_rtp = now_ms * 8 + 5000 };
	rtcp_write_sr(&w, 99, &info, NULL, 0);
	peer_write_rtcp(scene.world, scene.ann, &w);
	w = writer_of(bytes, sizeof bytes);
	info.timestamp_rtp = now_ms * 90 + 70000;
	rtcp_write_sr(&w, RX_SSRC | slab_index(scene.camera->id) << 4, &info, NULL, 0);
	peer_write_rtcp(scene.world, scene.camera, &w);
}

/* Every fifth packet of sound is late. */
static unsigned
sound_way_ms(unsigned taken_ms)
{
	if (scene.stall_ms != 0 && taken_ms < scene.stall_ms)
		return scene.stall_ms - taken_ms + SOUND_MS;
	return SOUND_MS + (taken_ms / SOUND_MS % 5 == 0 ? scene.late_ms : 0);
}

static void
go_on_to(unsigned end_ms)
{
	static unsigned now_ms;
	for (now_ms = scene.world->now_us == scene.began_us ? 0 : now_ms; now_ms < end_ms; now_ms++) {
		for (unsigned back = scene.late_ms + scene.stall_ms + SOUND_MS + 1; back-- != 0;) {
			const unsigned taken_ms = now_ms - back;
			if (back <= now_ms && taken_ms % SOUND_MS == 0 && sound_way_ms(taken_ms) == back)
				send_sound(taken_ms);
		}
		if (now_ms >= scene.encode_ms && (now_ms - scene.encode_ms) % PICTURE_MS == 0)
			send_picture(now_ms - scene.encode_ms);
		if (scene.reports && now_ms % 500 == 250)
			send_reports(now_ms);
		scene.world->now_us += 1000;
		world_serve(scene.world);
	}
}

/* ---- The scene ----------------------------------------------------------------------------- */

static struct peer *
come_in(void)
{
	struct peer *peer = peer_new(scene.world);
	struct media_order audio = { .kind = MEDIA_ORDER_LEG_AUDIO, .leg = peer->id };
	audio.audio = (struct media_audio_settings){ .receive = true,
		                                     .send = true,
		                                     .tx_payload_type = PT_PCMU,
		                                     .tx_codec = MEDIA_CODEC_PCMU,
		                                     .frame_ms = 20,
		                                     .rx_count = 1,
		                                     .rx = { { PT_PCMU, MEDIA_CODEC_PCMU, 8 } } };
	order(scene.world, audio);
	agree(scene.world, peer, 1);
	order(scene.world, (struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN, .leg = peer->id,
	                                         .room = ROOM });
	return peer;
}

static void
begin(void)
{
	const struct scene wanted = scene;
	scene = (struct scene){ .encode_ms = wanted.encode_ms, .late_ms = wanted.late_ms,
		                .stall_ms = wanted.stall_ms, .apart = wanted.apart,
		                .reports = wanted.reports, .beep_ms = wanted.beep_ms };
	scene.world = world_new();
	scene.world->network = got;
	scene.world->report = told;
	scene.began_us = scene.world->now_us;
	order(scene.world, (struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN, .room = ROOM });
	scene.ann = come_in();
	scene.ben = come_in();
	scene.camera = scene.ann;
	if (scene.apart) {
		scene.world->sound = scene.ann->id;
		scene.camera = peer_new(scene.world);
		agree(scene.world, scene.camera, 1);
	}
	show_source(scene.world, scene.ben, 0, scene.camera, 720);
}

/* How much later a picture's time is than that of the sound of the same moment, around the beep. */
static double
apart_ms(void)
{
	const double sound_ms = scene.beep_rtp / 8.0 - scene.beep_ms;
	EXPECT(scene.beeped);
	for (unsigned i = 0; i < scene.shown_count; i++)
		if (scene.shown[i].taken_ms + PICTURE_MS > scene.beep_ms)
			return scene.shown[i].timestamp_rtp / 90.0 - scene.shown[i].taken_ms -
			       sound_ms;
	test_failed("no picture of that moment", __FILE__, __LINE__);
	return 0;
}

static bool
is_near(double ms, double wanted_ms, double slack_ms)
{
	const bool near = ms > wanted_ms - slack_ms && ms < wanted_ms + slack_ms;
	if (!near)
		printf("%.1f ms apart, not %.1f\n", ms, wanted_ms);
	return near;
}

TEST(sound_and_picture_of_one_moment_have_one_time)
{
	static const unsigned late[] = { 0, 60, 120 };
	for (unsigned i = 0; i < COUNT_OF(late) * 2; i++) {
		scene = (struct scene){ .late_ms = late[i / 2], .encode_ms = 50, .reports = true,
			                .beep_ms = 5000, .apart = i % 2 != 0 };
		begin();
		go_on_to(6000);
		EXPECT(is_near(apart_ms(), 0, SAME_MS));
		world_free(scene.world);
	}
}

TEST(pictures_whose_sound_has_left_are_not_lost)
{
	scene = (struct scene){ .late_ms = 60, .reports = true, .beep_ms = 1500, .apart = true };
	begin();
	go_on_to(2000);
	hang_up(scene.world, scene.ann);
	const unsigned shown = scene.shown_count;
	for (unsigned taken_ms = 2013; taken_ms < 3000; taken_ms += PICTURE_MS) {
		send_picture(taken_ms);
		scene.world->now_us += PICTURE_MS * 1000;
		world_serve(scene.world);
	}
	EXPECT(scene.shown_count > shown + 25);
	world_free(scene.world);
}

TEST(soon_after_joining_they_have_too)
{
	scene = (struct scene){ .late_ms = 120, .encode_ms = 50, .reports = true, .beep_ms = 1500 };
	begin();
	go_on_to(2500);
	EXPECT(is_near(apart_ms(), 0, TOGETHER_MS));
	world_free(scene.world);
}

TEST(a_stall_at_the_beginning_is_over_soon)
{
	static const unsigned beeps_ms[] = { 1500, 2500, 4000 };
	static const unsigned late_ms_max[] = { 200, 100, 50 };
	for (unsigned i = 0; i < COUNT_OF(beeps_ms); i++) {
		scene = (struct scene){ .stall_ms = 600, .beep_ms = beeps_ms[i] };
		begin();
		go_on_to(beeps_ms[i] + 1000);
		EXPECT(is_near(apart_ms(), 0, TOGETHER_MS));
		EXPECT(scene.beep_us - scene.began_us <=
		       (int64_t)(beeps_ms[i] + late_ms_max[i]) * 1000);
		world_free(scene.world);
	}
}

TEST(without_reports_arrival_is_believed)
{
	scene = (struct scene){ .late_ms = 60, .encode_ms = 50, .beep_ms = 5000 };
	begin();
	go_on_to(6000);
	/* Nobody told that a picture takes its time to be encoded. */
	EXPECT(is_near(apart_ms(), 50, SAME_MS));
	world_free(scene.world);
}

static void
show_composed(void)
{
	struct media_order composed = { .kind = MEDIA_ORDER_CANVAS, .canvas = { .id = 7 } };
	struct canvas *canvas = calloc(1, sizeof *canvas);
	EXPECT(canvas != NULL);
	canvas->pane_count = 1;
	canvas->panes[0] = (struct canvas_pane){ .width = CANVAS_WIDTH,
		                                 .height = CANVAS_HEIGHT,
		                                 .source = video_source(scene.camera->id,
		                                                        VIDEO_TRACK_MAIN) };
	composed.canvas.canvas = canvas;
	scene.world->codec = fed;
	media_codec_attached(scene.world->media, true, scene.world->now_us);
	order(scene.world, composed);
	show_canvas(scene.world, scene.ben, 7);
}

TEST(a_picture_is_composed_when_its_sound_is_mixed)
{
	static const unsigned late[] = { 0, 60, 120 };
	for (unsigned i = 0; i < COUNT_OF(late); i++) {
		scene = (struct scene){ .late_ms = late[i], .reports = true, .beep_ms = 3000,
			                .apart = i == 1 };
		begin();
		show_composed();
		go_on_to(4000);
		EXPECT(scene.beeped && scene.decoded_us != 0);
		EXPECT(is_near((double)(scene.decoded_us - scene.beep_us) / 1000, -25, SAME_MS));
		world_free(scene.world);
	}
}

TEST(reports_come_with_the_first_packets_and_tell_of_one_clock)
{
	scene = (struct scene){ .encode_ms = 50, .reports = true, .beep_ms = 5000 };
	begin();
	go_on_to(6000);
	const uint32_t picture_ssrc = tx_ssrc(scene.ben, 0);
	unsigned counts[2] = { 0, 0 };
	double clock_ms[2];
	for (unsigned i = 0; i < scene.told_count; i++) {
		const struct told *one = &scene.told[i];
		const unsigned which = one->ssrc == picture_ssrc;
		const int64_t since_us = one->at_us - scene.first_us[which];
		const double rtp_ms = one->info.timestamp_rtp / (which ? 90.0 : 8.0);
		const double wall_ms = (double)rtcp_ntp_us(one->info.ntp) / 1000;
		if (counts[which]++ == 0)
			EXPECT(since_us <= 50 * 1000);
		else if (counts[which] == 2)
			EXPECT(since_us <= 400 * 1000);
		clock_ms[which] = rtp_ms - wall_ms;
		/* Sound's and the pictures' are the same. */
		EXPECT(counts[1] == 0 || counts[0] == 0 ||
		       (clock_ms[1] - clock_ms[0] < 0.2 && clock_ms[0] - clock_ms[1] < 0.2));
	}
	EXPECT(counts[0] >= 3 && counts[1] >= 3);
	world_free(scene.world);
}
