/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: in a room everybody hears everybody else and never himself; muting, leaving, prompts, keys
 * and silence do what the orders say; what many hear alike is encoded once; nothing is left behind.
 * Method: the real machine on virtual time, with telephones made of a tone and a tone meter: clear
 * G.711, each with a pitch of its own.  What a telephone hears is measured by Goertzel's filter. */
#include "worker/media.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio/brand.h"
#include "base/check.h"
#include "base/slab.h"
#include "base/test.h"
#include "ice/ice_check.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"
#include "rtp/rtp_dtmf.h"

enum {
	PHONES_MAX = 12,
	RATE_HZ = 8000,
	FRAME = RATE_HZ / 50,
	HEARD = RATE_HZ, /* a second of what was heard last */
	ROOM = 1 << SLAB_INDEX_BITS | 3,
	PCMU = 0,
	EVENT = 101,
};

struct phone {
	media_leg_id id;
	struct net_addr addr;  /* its own */
	struct net_addr bridge; /* the leg's port */
	double pitch_hz;
	double phase;
	bool opened, closed, connected, bye;
	bool silent;
	int amplitude;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t packets;
	uint32_t events;   /* telephone-event packets received */
	unsigned event_units; /* how long the last one said the key was pressed */
	char dtmf[16];     /* what the machine reported */
	unsigned dtmf_count;
	unsigned played;
	unsigned talking_on, talking_off;
	struct media_stats stats;
	bool browser; /* on the shared port, found by ICE */
	struct ice_check ice;
	struct media_opened local;
	int16_t heard[HEARD];
	unsigned heard_at;
};

struct world {
	struct media *media;
	int64_t now_us;
	unsigned ports_open;
	unsigned rooms_closed;
	uint16_t next_port;
	unsigned phone_count;
	struct phone phones[PHONES_MAX];
};

/* ---- G.711 of our own, so that the codec under test is not its own judge ---------------------- */

static uint8_t
mulaw(int sample)
{
	const int sign = sample < 0 ? 0x80 : 0;
	int magnitude = (sample < 0 ? -sample : sample) + 132;
	if (magnitude > 32767)
		magnitude = 32767;
	int exponent = 7;
	for (int mask = 0x4000; (magnitude & mask) == 0 && exponent > 0; mask >>= 1)
		exponent--;
	return (uint8_t)~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 15));
}

static int16_t
linear(uint8_t byte)
{
	const int value = ~byte & 0xff;
	const int magnitude = (((value & 15) << 3) + 132) << (value >> 4 & 7);
	return (int16_t)((value & 0x80) != 0 ? 132 - magnitude : magnitude - 132);
}

/* ---- The sink ------------------------------------------------------------------------------ */

static struct phone *
phone_of(struct world *world, media_leg_id id)
{
	for (unsigned i = 0; i < world->phone_count; i++)
		if (world->phones[i].id == id)
			return &world->phones[i];
	return NULL;
}

static bool
ports_open(void *context, media_leg_id leg, struct net_addr *rtp)
{
	struct world *world = context;
	(void)leg;
	*rtp = addr_ip4(192, 0, 2, 1, world->next_port);
	world->next_port = (uint16_t)(world->next_port + 2);
	world->ports_open++;
	return true;
}

static void
ports_close(void *context, media_leg_id leg)
{
	struct world *world = context;
	(void)leg;
	world->ports_open--;
}

static void
sent(void *context, unsigned socket, media_leg_id leg, const struct net_addr *to,
     const uint8_t *bytes, size_t len)
{
	struct phone *phone = phone_of(context, leg);
	struct rtp_packet packet;
	EXPECT(phone != NULL);
	if (rtp_kind_of(bytes, len) == RTP_KIND_STUN) {
		struct world *world = context;
		ice_check_input(&phone->ice, &phone->bridge, bytes, len, world->now_us);
		return;
	}
	if (socket == MEDIA_SOCKET_RTCP || rtp_kind_of(bytes, len) == RTP_KIND_RTCP) {
		struct rtcp_packet rtcp;
		EXPECT_EQ(rtcp_parse(bytes, len, false), RTCP_OK);
		for (size_t at = 0; rtcp_next(bytes, len, &at, &rtcp);)
			phone->bye |= rtcp.type == RTCP_BYE;
		return;
	}
	EXPECT(addr_eq(to, &phone->addr));
	EXPECT_EQ(rtp_parse(&packet, bytes, len), RTP_OK);
	if (packet.payload_type == EVENT) {
		phone->events++;
		phone->event_units = (unsigned)rtp_payload(&packet)[2] << 8 | rtp_payload(&packet)[3];
		return;
	}
	EXPECT_EQ(packet.payload_type, PCMU);
	phone->packets++;
	for (unsigned i = 0; i < packet.payload_len; i++) {
		phone->heard[phone->heard_at] = linear(rtp_payload(&packet)[i]);
		phone->heard_at = (phone->heard_at + 1) % HEARD;
	}
}

static void
happened(void *context, const struct media_event *event)
{
	struct world *world = context;
	struct phone *phone = phone_of(world, event->leg);
	switch ((enum media_event_kind)event->kind) {
	case MEDIA_EVENT_LEG_OPENED:
		phone->opened = true;
		phone->bridge = event->opened.local_rtp;
		phone->local = event->opened;
		break;
	case MEDIA_EVENT_LEG_CONNECTED:
		phone->connected = true;
		break;
	case MEDIA_EVENT_LEG_DTMF:
		EXPECT(phone->dtmf_count < sizeof phone->dtmf - 1);
		phone->dtmf[phone->dtmf_count++] = (char)event->value;
		break;
	case MEDIA_EVENT_LEG_PLAYED:
		phone->played++;
		break;
	case MEDIA_EVENT_LEG_TALKING:
		if (event->value != 0)
			phone->talking_on++;
		else
			phone->talking_off++;
		break;
	case MEDIA_EVENT_LEG_STATS:
		phone->stats = event->stats;
		break;
	case MEDIA_EVENT_LEG_CLOSED:
		phone->closed = true;
		break;
	case MEDIA_EVENT_ROOM_CLOSED:
		world->rooms_closed++;
		break;
	case MEDIA_EVENT_LEG_REFUSED:
	case MEDIA_EVENT_LEG_LOST:
	case MEDIA_EVENT_LEG_PICTURE:
	case MEDIA_EVENT_LEG_VIDEO_STATS:
	case MEDIA_EVENT_LEG_QUALITY:
	case MEDIA_EVENT_LEG_KEY_WANTED:
	case MEDIA_EVENT_LEG_DATA:
	case MEDIA_EVENT_COUNT:
		test_failed("an event that was not expected", __FILE__, __LINE__);
		break;
	}
}

static void
random_bytes_of_test(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

static struct prng test_prng;

static struct world *
world_new(void)
{
	struct world *world = calloc(1, sizeof *world);
	EXPECT(world != NULL);
	prng_init(&test_prng, 1);
	world->now_us = 1000000;
	world->next_port = 50002;
	const struct media_settings settings = {
		.legs_max = PHONES_MAX,
		.rooms_max = 8,
		.seed = 4,
		.sink = { world, ports_open, ports_close, sent, happened, NULL },
		.random = random_bytes_of_test,
		.random_context = &test_prng,
	};
	EXPECT_EQ(media_create(&world->media, &settings, world->now_us), 0);
	return world;
}

static void
order(struct world *world, struct media_order order)
{
	media_order(world->media, &order, world->now_us);
}

static struct media_order
audio_order(const struct phone *phone)
{
	struct media_order audio = { .kind = MEDIA_ORDER_LEG_AUDIO, .leg = phone->id };
	audio.audio = (struct media_audio_settings){
		.receive = true,
		.send = true,
		.tx_payload_type = PCMU,
		.tx_codec = MEDIA_CODEC_PCMU,
		.tx_dtmf_payload_type = EVENT,
		.tx_dtmf_khz = 8,
		.frame_ms = 20,
		.rx_count = 2,
		.rx = { { PCMU, MEDIA_CODEC_PCMU, 8 }, { EVENT, MEDIA_CODEC_TELEPHONE_EVENT, 8 } },
	};
	return audio;
}

static struct phone *
call_in(struct world *world, double pitch_hz)
{
	struct phone *phone = &world->phones[world->phone_count];
	phone->id = 1u << SLAB_INDEX_BITS | world->phone_count++;
	phone->addr = addr_ip4(198, 51, 100, (uint8_t)world->phone_count, 4000);
	phone->pitch_hz = pitch_hz;
	phone->amplitude = 6000;
	struct media_order open = { .kind = MEDIA_ORDER_LEG_OPEN, .leg = phone->id };
	open.open.local = addr_ip4(192, 0, 2, 1, 0);
	order(world, open);
	EXPECT(phone->opened);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = phone->id };
	transport.transport.remote_rtp = phone->addr;
	order(world, transport);
	order(world, audio_order(phone));
	EXPECT(phone->connected);
	return phone;
}

/* Opens a leg with ICE and answers its one check; then it may talk. */
static struct phone *
check_in(struct world *world, double pitch_hz, const struct net_addr *addr, bool browser)
{
	struct phone *phone = &world->phones[world->phone_count];
	phone->id = 1u << SLAB_INDEX_BITS | world->phone_count++;
	phone->addr = *addr;
	phone->pitch_hz = pitch_hz;
	phone->amplitude = 6000;
	phone->browser = browser;
	struct media_order open = { .kind = MEDIA_ORDER_LEG_OPEN, .leg = phone->id };
	open.open.transport = browser ? MEDIA_TRANSPORT_SHARED : MEDIA_TRANSPORT_PORTS;
	open.open.local = addr_ip4(192, 0, 2, 1, 0);
	open.open.ice = true;
	order(world, open);
	EXPECT(phone->opened);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = phone->id };
	transport.transport.ice = true;
	transport.transport.rtcp_mux = true;
	memcpy(transport.transport.ice_ufrag, "page", 5);
	memcpy(transport.transport.ice_pwd, "twenty-two-characters-", 23);
	order(world, transport);
	order(world, audio_order(phone));

	const struct ice_check_settings ice = {
		.local_ufrag = STR("page"),
		.local_pwd = STR("twenty-two-characters-"),
		.remote_ufrag = str_of(phone->local.ice_ufrag),
		.remote_pwd = str_of(phone->local.ice_pwd),
		.priority = ice_priority(110, 1),
		.aggressive = true,
		.seed = phone->id,
	};
	ice_check_init(&phone->ice, &ice, world->now_us);
	EXPECT(ice_check_add_remote(&phone->ice, &phone->bridge, 1));
	ice_check_tick(&phone->ice, world->now_us);
	for (struct ice_check_out out;
	     (out = ice_check_poll(&phone->ice)).kind != ICE_CHECK_OUT_NONE;) {
		uint8_t bytes[ICE_CHECK_OUT_BYTES_MAX];
		if (out.kind != ICE_CHECK_OUT_DATAGRAM)
			continue;
		memcpy(bytes, out.bytes, out.len);
		media_input(world->media, browser ? MEDIA_SOCKET_SHARED : MEDIA_SOCKET_RTP,
		            browser ? 0 : phone->id, &phone->addr, bytes, out.len, world->now_us);
	}
	EXPECT(phone->connected);
	return phone;
}

static void
join(struct world *world, const struct phone *phone)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN, .leg = phone->id,
	                                   .room = ROOM });
}

static void
set(struct world *world, const struct phone *phone, struct media_leg_flags flags)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_SET, .leg = phone->id,
	                                   .flags = flags });
}

static void
hang_up(struct world *world, struct phone *phone)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_CLOSE, .leg = phone->id });
	EXPECT(phone->closed && phone->bye);
}

static void
send_rtp(struct world *world, struct phone *phone, uint8_t payload_type, bool marker,
         uint32_t timestamp, const uint8_t *payload, size_t len)
{
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof bytes);
	const struct rtp_header header = { .payload_type = payload_type,
		                           .marker = marker,
		                           .seq = phone->seq++,
		                           .timestamp_rtp = timestamp,
		                           .ssrc = phone->id * 77 };
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	EXPECT(!w.failed);
	media_input(world->media, phone->browser ? MEDIA_SOCKET_SHARED : MEDIA_SOCKET_RTP,
	            phone->browser ? 0 : phone->id, &phone->addr, bytes, w.at, world->now_us);
}

static void
speak(struct world *world, struct phone *phone)
{
	uint8_t payload[FRAME];
	for (unsigned i = 0; i < FRAME; i++) {
		phone->phase += 2 * M_PI * phone->pitch_hz / RATE_HZ;
		payload[i] = mulaw(phone->silent ? 0 : (int)(phone->amplitude * sin(phone->phase)));
	}
	send_rtp(world, phone, PCMU, false, phone->timestamp, payload, sizeof payload);
	phone->timestamp += FRAME;
}

/* Lets `frames` of 20 ms pass: phones speak 3 ms after their frame begins. */
static void
pass(struct world *world, unsigned frames)
{
	for (unsigned frame = 0; frame < frames; frame++) {
		world->now_us += 3000;
		for (unsigned i = 0; i < world->phone_count; i++)
			if (!world->phones[i].closed)
				speak(world, &world->phones[i]);
		for (unsigned i = 0; i < 17; i++) {
			world->now_us += 1000;
			if (media_deadline(world->media) <= world->now_us)
				media_tick(world->media, world->now_us);
		}
	}
}

/* How loud a pitch is in the last second heard: amplitude, about. */
static double
loudness(const struct phone *phone, double pitch_hz, unsigned samples)
{
	const double coefficient = 2 * cos(2 * M_PI * pitch_hz / RATE_HZ);
	double s1 = 0;
	double s2 = 0;
	for (unsigned i = 0; i < samples; i++) {
		const unsigned at = (phone->heard_at + HEARD - samples + i) % HEARD;
		const double s = phone->heard[at] + coefficient * s1 - s2;
		s2 = s1;
		s1 = s;
	}
	return 2 * sqrt(fabs(s1 * s1 + s2 * s2 - coefficient * s1 * s2)) / samples;
}

static bool
hears(const struct phone *phone, const struct phone *other)
{
	return loudness(phone, other->pitch_hz, HEARD) > 1000;
}

static bool
hears_none_of(const struct phone *phone, const struct phone *other)
{
	return loudness(phone, other->pitch_hz, HEARD) < 100;
}

static void
open_room(struct world *world)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN, .room = ROOM });
}

static void
world_end(struct world *world)
{
	for (unsigned i = 0; i < world->phone_count; i++)
		if (!world->phones[i].closed)
			hang_up(world, &world->phones[i]);
	order(world, (struct media_order){ .kind = MEDIA_ORDER_ROOM_CLOSE, .room = ROOM });
	EXPECT_EQ(world->ports_open, 0);
	EXPECT_EQ(media_counters(world->media)->legs, 0);
	EXPECT_EQ(media_counters(world->media)->rooms, 0);
	EXPECT(media_deadline(world->media) == INT64_MAX);
	media_destroy(world->media);
	free(world);
}

/* ---- Tests --------------------------------------------------------------------------------- */

TEST(everybody_hears_all_others_and_nobody_himself)
{
	struct world *world = world_new();
	static const double pitches[] = { 400, 700, 1100 };
	open_room(world);
	for (unsigned i = 0; i < COUNT_OF(pitches); i++)
		join(world, call_in(world, pitches[i]));
	pass(world, 100);
	for (unsigned a = 0; a < world->phone_count; a++)
		for (unsigned b = 0; b < world->phone_count; b++) {
			const struct phone *phone = &world->phones[a];
			if (a == b)
				EXPECT(hears_none_of(phone, &world->phones[b]));
			else
				EXPECT(hears(phone, &world->phones[b]));
		}
	EXPECT_EQ(world->phones[0].talking_on, 1);
	world_end(world);
}

TEST(a_muted_phone_is_silent_within_100_ms_and_heard_again_after)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *talker = call_in(world, 500);
	struct phone *listener = call_in(world, 900);
	listener->silent = true;
	join(world, talker);
	join(world, listener);
	pass(world, 60);
	EXPECT(hears(listener, talker));
	set(world, talker, (struct media_leg_flags){ .rx_muted = true });
	pass(world, 5);
	pass(world, 10);
	EXPECT(loudness(listener, talker->pitch_hz, RATE_HZ / 5) < 50);
	set(world, talker, (struct media_leg_flags){ 0 });
	pass(world, 5);
	pass(world, 10);
	EXPECT(loudness(listener, talker->pitch_hz, RATE_HZ / 5) > 1000);
	set(world, listener, (struct media_leg_flags){ .tx_muted = true });
	pass(world, 60);
	EXPECT(hears_none_of(listener, talker));
	world_end(world);
}

TEST(listeners_share_one_encode)
{
	struct world *world = world_new();
	open_room(world);
	join(world, call_in(world, 500));
	for (unsigned i = 0; i < 8; i++) {
		struct phone *listener = call_in(world, 2000);
		listener->silent = true;
		join(world, listener);
	}
	pass(world, 50);
	const uint64_t before = media_counters(world->media)->frames_encoded;
	pass(world, 50);
	const uint64_t encoded = media_counters(world->media)->frames_encoded - before;
	/* One a frame for the eight; the talker alone would hear nothing and gets silence. */
	EXPECT(encoded >= 49 && encoded <= 51);
	for (unsigned i = 1; i < world->phone_count; i++)
		EXPECT(hears(&world->phones[i], &world->phones[0]));
	EXPECT(hears_none_of(&world->phones[0], &world->phones[0]));
	world_end(world);
}

TEST(a_silent_room_encodes_nothing)
{
	struct world *world = world_new();
	open_room(world);
	for (unsigned i = 0; i < 3; i++) {
		struct phone *phone = call_in(world, 500);
		phone->silent = true;
		join(world, phone);
	}
	pass(world, 200);
	const uint64_t before = media_counters(world->media)->frames_encoded;
	pass(world, 50);
	EXPECT_EQ(media_counters(world->media)->frames_encoded, before);
	world_end(world);
}

TEST(only_the_loudest_few_are_mixed_but_all_hear_them)
{
	struct world *world = world_new();
	open_room(world);
	for (unsigned i = 0; i < 10; i++)
		join(world, call_in(world, 300 + 130 * i));
	pass(world, 100);
	unsigned heard = 0;
	for (unsigned i = 1; i < 10; i++)
		heard += hears(&world->phones[0], &world->phones[i]);
	EXPECT(heard >= 5 && heard <= 6);
	EXPECT(hears_none_of(&world->phones[0], &world->phones[0]));
	world_end(world);
}

TEST(a_tone_that_does_not_end_is_heard_to_the_end)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *tone = call_in(world, 500);
	struct phone *listener = call_in(world, 900);
	listener->silent = true;
	tone->amplitude = 2500;
	join(world, tone);
	join(world, listener);
	pass(world, 50 * 60); /* longer than a noise floor needs to rise to it */
	EXPECT(hears(listener, tone));
	world_end(world);
}

TEST(a_phone_in_no_room_is_heard_by_nobody)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *inside = call_in(world, 500);
	struct phone *other = call_in(world, 800);
	struct phone *outside = call_in(world, 1200);
	join(world, inside);
	join(world, other);
	pass(world, 100);
	EXPECT(hears(inside, other) && hears_none_of(inside, outside));
	EXPECT(hears_none_of(outside, inside) && hears_none_of(outside, other));
	EXPECT(outside->packets > 90); /* silence all the same: telephones want packets */
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_LEAVE, .leg = inside->id });
	pass(world, 100);
	EXPECT(hears_none_of(other, inside));
	world_end(world);
}

TEST(keys_are_told_once_and_sent_as_events)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *phone = call_in(world, 500);
	phone->silent = true;
	pass(world, 10);
	for (unsigned digit = 0; digit < 3; digit++) {
		const uint32_t start = phone->timestamp;
		for (unsigned update = 1; update <= 6; update++) {
			const unsigned duration = 160 * (update > 4 ? 4 : update);
			const uint8_t payload[] = { (uint8_t)(digit + 1),
				                    (uint8_t)((update >= 4 ? 0x80 : 0) | 10),
				                    (uint8_t)(duration >> 8), (uint8_t)duration };
			send_rtp(world, phone, EVENT, update == 1, start, payload,
			         sizeof payload);
		}
		pass(world, 10);
	}
	EXPECT_STR(str_of(phone->dtmf), "123");
	struct media_order dtmf = { .kind = MEDIA_ORDER_LEG_DTMF, .leg = phone->id };
	dtmf.dtmf.count = 2;
	memcpy(dtmf.dtmf.digits, "5#", 2);
	order(world, dtmf);
	pass(world, 30);
	EXPECT(phone->events >= 2 * 4);
	world_end(world);
}

TEST(a_prompt_that_is_missing_ends_at_once_and_tones_are_heard)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *phone = call_in(world, 500);
	struct media_order play = { .kind = MEDIA_ORDER_LEG_PLAY, .leg = phone->id };
	phone->silent = true;
	join(world, phone);
	pass(world, 10);
	play.play.sound = MEDIA_SOUND_WELCOME;
	order(world, play);
	EXPECT_EQ(phone->played, 1);
	play.play.sound = MEDIA_SOUND_JOIN_TONE;
	order(world, play);
	pass(world, 20);
	EXPECT_EQ(phone->played, 2);
	int loudest = 0;
	for (unsigned i = 0; i < HEARD; i++)
		if (abs(phone->heard[i]) > loudest)
			loudest = abs(phone->heard[i]);
	EXPECT(loudest > 1000);
	world_end(world);
}

/* A tenth of a second of noise as a file. */
static size_t
make_wav(uint8_t bytes[2048])
{
	static const uint8_t head[44] = "RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\1\0\1\0"
					"\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\x06\0";
	memcpy(bytes, head, sizeof head);
	for (unsigned i = 0; i < 800; i++) {
		bytes[44 + 2 * i] = 0;
		bytes[45 + 2 * i] = i % 16 < 8 ? 0x40 : 0xc0;
	}
	return 44 + 1600;
}

TEST(a_brands_recording_is_played_after_everybody_else_has_put_it)
{
	struct world *world = world_new();
	uint8_t bytes[2048];
	struct brand *brand = NULL;
	enum wav_reject reject = WAV_OK;
	EXPECT_EQ(brand_create(&brand), 0);
	EXPECT_EQ(brand_add(brand, PROMPT_WELCOME, bytes, make_wav(bytes), &reject), 0);
	EXPECT_EQ(reject, WAV_OK);
	open_room(world);
	struct phone *phone = call_in(world, 500);
	struct media_order play = { .kind = MEDIA_ORDER_LEG_PLAY, .leg = phone->id };
	phone->silent = true;
	pass(world, 10);
	play.play = (struct media_play){ .sound = MEDIA_SOUND_WELCOME, .brand = brand_get(brand) };
	order(world, play);
	/* For a leg that is gone meanwhile. */
	play.leg = phone->id + 1;
	play.play.brand = brand;
	order(world, play);
	EXPECT_EQ(phone->played, 0);
	pass(world, 10);
	EXPECT_EQ(phone->played, 1);
	int loudest = 0;
	for (unsigned i = 0; i < HEARD; i++)
		if (abs(phone->heard[i]) > loudest)
			loudest = abs(phone->heard[i]);
	EXPECT(loudest > 8000);
	world_end(world);
}

TEST(keys_last_as_long_by_their_own_clock_beside_a_faster_sound)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *phone = call_in(world, 500);
	struct media_order audio = audio_order(phone);
	audio.audio.tx_codec = MEDIA_CODEC_OPUS;
	order(world, audio);
	struct media_order dtmf = { .kind = MEDIA_ORDER_LEG_DTMF, .leg = phone->id };
	dtmf.dtmf.count = 1;
	dtmf.dtmf.digits[0] = '5';
	order(world, dtmf);
	phone->silent = true;
	pass(world, 20);
	EXPECT(phone->events != 0);
	EXPECT_EQ(phone->event_units, DTMF_TONE_US / 1000 * 8);
	world_end(world);
}

TEST(a_stranger_is_counted_and_not_heard)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *talker = call_in(world, 500);
	struct phone *listener = call_in(world, 900);
	talker->silent = true;
	listener->silent = true;
	join(world, talker);
	join(world, listener);
	pass(world, 50);
	const struct net_addr real = talker->addr;
	const uint64_t rejected = media_counters(world->media)->rejected;
	for (unsigned i = 0; i < 50; i++) {
		pass(world, 1);
		talker->addr = addr_ip4(203, 0, 113, 66, 6666);
		talker->silent = false;
		const uint16_t seq = talker->seq;
		const uint32_t timestamp = talker->timestamp;
		speak(world, talker);
		talker->seq = seq;
		talker->timestamp = timestamp;
		talker->silent = true;
		talker->addr = real;
	}
	EXPECT(media_counters(world->media)->rejected >= rejected + 50);
	EXPECT(hears_none_of(listener, talker));
	world_end(world);
}

TEST(a_page_that_comes_back_from_the_same_port_is_the_one_that_is_heard)
{
	struct world *world = world_new();
	const struct net_addr addr = addr_ip4(198, 51, 100, 200, 4000);
	open_room(world);
	struct phone *listener = call_in(world, 900);
	listener->silent = true;
	struct phone *before = check_in(world, 500, &addr, true);
	join(world, listener);
	join(world, before);
	pass(world, 100);
	EXPECT(hears(listener, before));
	before->closed = true; /* the page is shut; nobody tells the bridge */
	struct phone *after = check_in(world, 1500, &addr, true);
	join(world, after);
	pass(world, 100);
	EXPECT(hears(listener, after));
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = after->id });
	EXPECT_EQ(after->stats.rx.packets, 100);
	before->closed = false;
	world_end(world);
}

/* RFC 5245 asked for no consent: such a peer checks once, and its sound is its sign of life. */
TEST(a_telephone_with_ice_that_checks_no_more_stays_as_long_as_it_sends)
{
	struct world *world = world_new();
	const struct net_addr addr = addr_ip4(198, 51, 100, 200, 4000);
	open_room(world);
	struct phone *old = check_in(world, 500, &addr, false);
	struct phone *listener = call_in(world, 900);
	join(world, old);
	join(world, listener);
	pass(world, 50 * 70);
	EXPECT(hears(listener, old) && hears(old, listener));
	world_end(world);
}

TEST(statistics_tell_codec_and_packets)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *phone = call_in(world, 500);
	join(world, phone);
	pass(world, 150);
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_STATS, .leg = phone->id });
	EXPECT_EQ(phone->stats.rx.packets, 150);
	EXPECT_EQ(phone->stats.rx.lost, 0);
	EXPECT_EQ(phone->stats.rx.codec, MEDIA_CODEC_PCMU);
	EXPECT(phone->stats.rx.bit_rate_bps > 60000 && phone->stats.rx.bit_rate_bps < 80000);
	EXPECT(phone->stats.tx.packets > 100);
	EXPECT(phone->stats.delay_us < 40000);
	world_end(world);
}

TEST(orders_for_legs_that_are_gone_are_dropped)
{
	struct world *world = world_new();
	open_room(world);
	struct phone *phone = call_in(world, 500);
	join(world, phone);
	hang_up(world, phone);
	join(world, phone);
	set(world, phone, (struct media_leg_flags){ 0 });
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_CLOSE, .leg = phone->id });
	world_end(world);
}
