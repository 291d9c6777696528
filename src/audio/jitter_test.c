/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the jitter buffer keeps delay near the least that the path allows, loses nothing that was
 * not lost, and never gets stuck.  Method: single steps for every rule; then whole calls of a
 * minute or so over a made-up network, from a table, with bounds on delay and on what had to be
 * invented. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio_level.h"
#include "audio/audio_receiver.h"
#include "audio/g711.h"
#include "audio/testing.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	PACKETS_MAX = 4096,
	CHUNKS = 512,
	MS = 1000,
	TYPE_OPUS = 111,
	TYPE_PCMU = 0,
	TYPE_NOISE = 13,
	TYPE_EVENT = 101,
};

/* ---- single steps ---- */

static struct jitter_pool *pool;
static struct jitter_buffer jitter;

static void
begin(uint32_t clock_hz)
{
	EXPECT_EQ(jitter_pool_create(&pool, CHUNKS), 0);
	jitter_init(&jitter, pool, &(struct jitter_settings){ .clock_hz = clock_hz });
}

static void
end(void)
{
	jitter_fini(&jitter);
	EXPECT_EQ(jitter_pool_used(pool), 0);
	jitter_pool_destroy(pool);
	pool = NULL;
}

/* A G.711 packet of 20 ms whose payload is its number. */
static enum jitter_verdict
put(uint16_t sequence, uint32_t timestamp_rtp, int64_t now_us)
{
	const uint8_t payload[2] = { (uint8_t)(sequence >> 8), (uint8_t)sequence };
	return jitter_insert(&jitter,
	                     &(struct jitter_packet){
	                             .ssrc = 1,
	                             .timestamp_rtp = timestamp_rtp,
	                             .sequence = sequence,
	                             .duration_rtp = 160,
	                             .payload = payload,
	                             .len = sizeof payload,
	                     },
	                     now_us);
}

/* The number of the packet that is played, -1 for a concealment, -2 for waiting, -3 for noise. */
static int
get(int64_t now_us)
{
	const struct jitter_decision decision = jitter_next(&jitter, 0, now_us);
	switch (decision.action) {
	case JITTER_DECODE:
	case JITTER_FEC:
		EXPECT_EQ(decision.len, 2);
		return decision.payload[0] << 8 | decision.payload[1];
	case JITTER_CONCEAL:
		return -1;
	case JITTER_COMFORT:
		return -3;
	case JITTER_WAIT:
		break;
	}
	return -2;
}

TEST(nothing_is_played_before_the_first_packet)
{
	begin(8000);
	EXPECT_EQ(get(0), -2);
	EXPECT(jitter_is_idle(&jitter));
	end();
}

TEST(packets_are_played_in_order_whatever_the_order_they_came_in)
{
	begin(8000);
	EXPECT_EQ(put(101, 160, 0), JITTER_TAKEN);
	EXPECT_EQ(put(100, 0, 1 * MS), JITTER_TAKEN); /* overtaken before the start */
	EXPECT_EQ(put(103, 480, 21 * MS), JITTER_TAKEN);
	EXPECT_EQ(put(102, 320, 22 * MS), JITTER_TAKEN);
	EXPECT_EQ(put(103, 480, 23 * MS), JITTER_DUPLICATE);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(get((50 + 20 * i) * MS), 100 + i);
	EXPECT_EQ(put(101, 160, 131 * MS), JITTER_DUPLICATE);
	EXPECT_EQ(jitter.stats.concealed, 0);
	end();
}

TEST(sequence_numbers_and_timestamps_wrap)
{
	begin(8000);
	uint16_t sequence = 65500;
	uint32_t timestamp = UINT32_MAX - 160 * 40;
	for (int i = 0; i < 200; i++) {
		EXPECT_EQ(put(sequence, timestamp, i * 20 * MS), JITTER_TAKEN);
		if (i > 0)
			EXPECT_EQ(get((i * 20 + 10) * MS), (uint16_t)(sequence - 1) + 0);
		sequence++;
		timestamp += 160;
		if (i == 0)
			EXPECT_EQ(get(2 * MS), -2);
	}
	EXPECT_EQ(jitter.stats.concealed + jitter.stats.underruns, 0);
	end();
}

TEST(a_lost_packet_is_concealed_once_and_a_late_one_is_told)
{
	begin(8000);
	(void)put(10, 0, 0);
	(void)put(12, 320, 40 * MS);
	(void)put(13, 480, 60 * MS);
	EXPECT_EQ(get(60 * MS), 10);
	EXPECT_EQ(get(80 * MS), -1);
	EXPECT_EQ(put(11, 160, 81 * MS), JITTER_LATE);
	EXPECT_EQ(get(100 * MS), 12);
	EXPECT_EQ(get(120 * MS), 13);
	EXPECT_EQ(jitter.stats.concealed, 1);
	EXPECT_EQ(jitter.stats.verdicts[JITTER_LATE], 1);
	end();
}

TEST(a_packet_that_is_only_late_is_waited_for)
{
	begin(8000);
	(void)put(10, 0, 0);
	EXPECT_EQ(get(10 * MS), 10);
	EXPECT_EQ(get(30 * MS), -1);
	EXPECT_EQ(get(50 * MS), -1);
	EXPECT_EQ(put(11, 160, 60 * MS), JITTER_TAKEN);
	EXPECT_EQ(get(70 * MS), 11);
	EXPECT_EQ(jitter.stats.concealed, 0);
	EXPECT_EQ(jitter.stats.underruns, 1);
	EXPECT_EQ(jitter.stats.delay_us, 50 * MS);
	end();
}

TEST(a_loss_found_out_after_the_fact_takes_no_more_time)
{
	begin(8000);
	(void)put(10, 0, 0);
	EXPECT_EQ(get(10 * MS), 10);
	EXPECT_EQ(get(30 * MS), -1);
	(void)put(12, 320, 40 * MS);
	EXPECT_EQ(get(50 * MS), 12);
	EXPECT_EQ(jitter.stats.concealed, 1);
	EXPECT_EQ(jitter.stats.delay_us, 10 * MS);
	end();
}

TEST(the_copy_in_its_successor_stands_in_for_a_lost_packet)
{
	begin(48000);
	struct jitter_packet packet = {
		.ssrc = 1, .sequence = 1, .duration_rtp = 960, .fec = true,
		.payload = (const uint8_t *)"ab", .len = 2,
	};
	(void)jitter_insert(&jitter, &packet, 0);
	packet.sequence = 3;
	packet.timestamp_rtp = 1920;
	(void)jitter_insert(&jitter, &packet, 40 * MS);
	EXPECT_EQ(jitter_next(&jitter, 0, 41 * MS).action, JITTER_DECODE);
	const struct jitter_decision decision = jitter_next(&jitter, 0, 61 * MS);
	EXPECT_EQ(decision.action, JITTER_FEC);
	EXPECT_EQ(decision.duration_rtp, 960);
	EXPECT(decision.len == 2 && memcmp(decision.payload, "ab", 2) == 0);
	EXPECT_EQ(jitter_next(&jitter, 0, 81 * MS).action, JITTER_DECODE);
	EXPECT_EQ(jitter.stats.recovered, 1);
	EXPECT_EQ(jitter.stats.concealed, 0);
	end();
}

TEST(a_pause_without_packets_is_no_loss)
{
	begin(8000);
	for (uint16_t i = 0; i < 10; i++) {
		(void)put(i, i * 160u, i * 20 * MS);
		EXPECT_EQ(get((i * 20 + 8) * MS), i);
	}
	/* Two seconds of nothing, then the next number with a timestamp two seconds on. */
	int invented = 0;
	for (int t = 208; t < 2200; t += 20)
		invented += get(t * MS) == -1;
	EXPECT(invented <= 5);
	EXPECT(jitter_is_idle(&jitter));
	(void)put(10, 110 * 160u, 2200 * MS);
	EXPECT_EQ(get(2208 * MS), 10);
	EXPECT_EQ(jitter.stats.concealed, 0);
	EXPECT_EQ(jitter.stats.delay_us, 8 * MS);
	end();
}

TEST(noise_and_events_use_up_numbers_but_are_no_loss)
{
	begin(8000);
	struct jitter_packet packet = { .ssrc = 1, .payload = (const uint8_t *)"@", .len = 1 };
	(void)put(1, 0, 0);
	EXPECT_EQ(get(6 * MS), 1);
	packet.kind = JITTER_NOISE;
	packet.sequence = 2;
	packet.timestamp_rtp = 160;
	(void)jitter_insert(&jitter, &packet, 20 * MS);
	EXPECT_EQ(get(26 * MS), -3);
	EXPECT_EQ(get(26 * MS), -2);
	packet.kind = JITTER_OTHER;
	for (uint16_t i = 3; i < 9; i++) {
		packet.sequence = i;
		packet.timestamp_rtp = 320;
		(void)jitter_insert(&jitter, &packet, (i * 20) * MS);
		EXPECT_EQ(get((i * 20 + 6) * MS), -2);
	}
	(void)put(9, 160 * 9, 180 * MS);
	EXPECT_EQ(get(186 * MS), 9);
	EXPECT_EQ(jitter.stats.concealed + jitter.stats.underruns, 0);
	end();
}

TEST(another_source_starts_anew_and_a_single_stray_does_not)
{
	begin(8000);
	(void)put(100, 0, 0);
	EXPECT_EQ(get(6 * MS), 100);
	EXPECT_EQ(put(30000, 99999, 20 * MS), JITTER_STRAY);
	EXPECT_EQ(put(101, 160, 20 * MS), JITTER_TAKEN);
	EXPECT_EQ(get(26 * MS), 101);
	EXPECT_EQ(put(30000, 7, 40 * MS), JITTER_STRAY);
	EXPECT_EQ(put(30001, 167, 60 * MS), JITTER_TAKEN);
	EXPECT_EQ(get(66 * MS), 30001);
	EXPECT_EQ(jitter.stats.restarts, 1);

	const struct jitter_packet other = {
		.ssrc = 2, .sequence = 5, .timestamp_rtp = 12345, .duration_rtp = 160,
		.payload = (const uint8_t *)"\0\5", .len = 2,
	};
	EXPECT_EQ(jitter_insert(&jitter, &other, 80 * MS), JITTER_TAKEN);
	EXPECT_EQ(get(86 * MS), 5);
	EXPECT_EQ(jitter.stats.restarts, 2);
	end();
}

TEST(a_jump_of_the_timestamps_is_followed)
{
	begin(8000);
	for (uint16_t i = 0; i < 20; i++) {
		(void)put(i, i * 160u + (i >= 10 ? 5000000u : 0), i * 20 * MS);
		EXPECT_EQ(get((i * 20 + 8) * MS), i);
	}
	EXPECT_EQ(jitter.stats.restarts, 1);
	end();
}

TEST(an_empty_pool_and_a_full_window_refuse)
{
	struct jitter_pool *small = NULL;
	EXPECT_EQ(jitter_pool_create(&small, 5), 0);
	jitter_init(&jitter, small, &(struct jitter_settings){ .clock_hz = 8000 });
	uint8_t big[1000] = { 0 };
	struct jitter_packet packet = { .ssrc = 1, .duration_rtp = 160, .payload = big,
		                        .len = sizeof big };
	EXPECT_EQ(jitter_insert(&jitter, &packet, 0), JITTER_TAKEN); /* four chunks */
	EXPECT_EQ(jitter_pool_used(small), 4);
	packet.sequence = 1;
	EXPECT_EQ(jitter_insert(&jitter, &packet, 0), JITTER_NO_CHUNK);
	EXPECT_EQ(jitter_pool_used(small), 4);
	jitter_fini(&jitter);
	EXPECT_EQ(jitter_pool_used(small), 0);
	jitter_pool_destroy(small);

	begin(8000);
	for (uint16_t i = 0; i < JITTER_PACKETS_MAX; i++)
		EXPECT_EQ(put(i, i * 160u, 0), JITTER_TAKEN);
	EXPECT_EQ(put(JITTER_PACKETS_MAX, JITTER_PACKETS_MAX * 160u, 0), JITTER_FULL);
	end();
}

TEST(the_position_tells_what_a_pull_begins_with)
{
	struct jitter_position position;
	begin(8000);
	EXPECT(!jitter_position(&jitter, 0, 0, &position));
	for (uint16_t i = 0; i < 4; i++)
		EXPECT_EQ(put(i, 1000 + 160u * i, 20 * i * MS), JITTER_TAKEN);
	/* Before the start: what is due now by the delay that is aimed at. */
	EXPECT(jitter_position(&jitter, 0, 40 * MS, &position));
	EXPECT_EQ(position.delay_us, jitter.stats.target_us);
	EXPECT_EQ(position.timestamp_rtp, 1000 + (40 * MS - position.delay_us) * 8 / 1000);
	EXPECT_EQ(get(70 * MS), 0);
	EXPECT(jitter_position(&jitter, 0, 90 * MS, &position));
	EXPECT_EQ(position.timestamp_rtp, 1160);
	EXPECT_EQ(position.delay_us, 70 * MS);
	EXPECT_EQ(position.packet_us, 20 * MS);
	/* Half of what was taken out waits still. */
	EXPECT(jitter_position(&jitter, 80, 90 * MS, &position));
	EXPECT_EQ(position.timestamp_rtp, 1080);
	EXPECT_EQ(position.delay_us, 80 * MS);
	end();
}

TEST(a_long_payload_comes_back_whole)
{
	begin(8000);
	uint8_t bytes[1300];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	const struct jitter_packet packet = { .ssrc = 1, .duration_rtp = 160, .payload = bytes,
		                              .len = sizeof bytes };
	EXPECT_EQ(jitter_insert(&jitter, &packet, 0), JITTER_TAKEN);
	const struct jitter_decision decision = jitter_next(&jitter, 0, 20 * MS);
	EXPECT_EQ(decision.len, sizeof bytes);
	EXPECT(memcmp(decision.payload, bytes, sizeof bytes) == 0);
	end();
}

TEST(skipping_keeps_time_and_playing_goes_on_where_time_is)
{
	begin(8000);
	for (uint16_t i = 0; i < 100; i++) {
		(void)put(i, i * 160u, i * 20 * MS);
		jitter_skip(&jitter, (i * 20 + 8) * MS);
		EXPECT(jitter.count <= 1);
	}
	(void)put(100, 100 * 160u, 2000 * MS);
	const int got = get(2008 * MS);
	EXPECT(got == 100 || got == -2);
	(void)put(101, 101 * 160u, 2020 * MS);
	EXPECT_EQ(get(2028 * MS), got == 100 ? 101 : 100);
	EXPECT_EQ(jitter.stats.concealed + jitter.stats.underruns, 0);
	end();
}

/* ---- whole calls ---- */

struct scenario {
	const char *name;
	int drift_ppm;       /* of the sender's clock */
	int packet_ms;
	int phase_us;        /* of packets against pulls */
	int jitter_us;       /* uniform in [0, jitter_us) */
	int loss_pct;
	int burst;           /* packets lost together, once a second; 0: none */
	int spike_ms;        /* one delay spike every 5 s */
	int talk_ms, pause_ms; /* DTX; 0: always talking */
	bool duplicates;
	/* Bounds. */
	int delay_ms_max;    /* of the last ten seconds, worst */
	int invented_pct_max; /* share of the sound that was concealed */
};

static const struct scenario scenarios[] = {
	{ .name = "clean, aligned", .packet_ms = 20, .phase_us = 500, .delay_ms_max = 23 },
	{ .name = "clean, late phase", .packet_ms = 20, .phase_us = 19000, .delay_ms_max = 23 },
	{ .name = "clean, middle", .packet_ms = 20, .phase_us = 9000, .delay_ms_max = 23 },
	{ .name = "clean, 10 ms packets", .packet_ms = 10, .phase_us = 3000, .delay_ms_max = 23 },
	{ .name = "clean, 30 ms packets", .packet_ms = 30, .phase_us = 3000, .delay_ms_max = 23 },
	{ .name = "clean, 60 ms packets", .packet_ms = 60, .phase_us = 3000, .delay_ms_max = 23 },
	{ .name = "fast clock", .packet_ms = 20, .phase_us = 9000, .drift_ppm = 200,
	  .delay_ms_max = 24, .invented_pct_max = 1 },
	{ .name = "slow clock", .packet_ms = 20, .phase_us = 3000, .drift_ppm = -200,
	  .delay_ms_max = 26, .invented_pct_max = 1 },
	{ .name = "jitter 15 ms", .packet_ms = 20, .phase_us = 9000, .jitter_us = 15000,
	  .delay_ms_max = 39, .invented_pct_max = 2 },
	{ .name = "jitter 60 ms, reordering", .packet_ms = 20, .phase_us = 5000, .jitter_us = 60000,
	  .delay_ms_max = 85, .invented_pct_max = 3 },
	{ .name = "spikes of 120 ms", .packet_ms = 20, .phase_us = 5000, .spike_ms = 120,
	  .jitter_us = 3000, .delay_ms_max = 160, .invented_pct_max = 3 },
	{ .name = "loss 20 %", .packet_ms = 20, .phase_us = 9000, .loss_pct = 20, .jitter_us = 4000,
	  .delay_ms_max = 28, .invented_pct_max = 25 },
	{ .name = "bursts of 4", .packet_ms = 20, .phase_us = 9000, .burst = 4, .jitter_us = 4000,
	  .delay_ms_max = 28, .invented_pct_max = 10 },
	{ .name = "DTX", .packet_ms = 20, .phase_us = 9000, .talk_ms = 1000, .pause_ms = 700,
	  .jitter_us = 8000, .delay_ms_max = 32, .invented_pct_max = 10 },
	{ .name = "everything", .packet_ms = 20, .phase_us = 2000, .drift_ppm = 150, .loss_pct = 5,
	  .talk_ms = 3000, .pause_ms = 900, .jitter_us = 30000, .duplicates = true,
	  .delay_ms_max = 60, .invented_pct_max = 14 },
};

struct arrival {
	int64_t at_us;
	uint16_t sequence;
	uint32_t timestamp_rtp;
};

static struct arrival arrivals[2 * PACKETS_MAX];

static int
by_time(const void *a, const void *b)
{
	const int64_t left = ((const struct arrival *)a)->at_us;
	const int64_t right = ((const struct arrival *)b)->at_us;
	return left < right ? -1 : left > right;
}

static bool
talks_at(const struct scenario *s, int64_t ms)
{
	return s->talk_ms == 0 || ms % (s->talk_ms + s->pause_ms) < s->talk_ms;
}

/* The network: which packets come when.  `*sent` and `*lost` count packets. */
static size_t
plan(const struct scenario *s, struct prng *prng, int seconds, unsigned *sent, unsigned *lost)
{
	size_t count = 0;
	uint16_t sequence = 65000;
	*sent = *lost = 0;
	for (int64_t ms = 0; ms < (int64_t)seconds * 1000; ms += s->packet_ms) {
		if (!talks_at(s, ms))
			continue;
		const uint16_t own = sequence++;
		(*sent)++;
		const bool burst =
		        s->burst != 0 && ms % 1000 < s->burst * s->packet_ms && ms > 1000;
		if (burst || prng_below(prng, 100) < (uint32_t)s->loss_pct) {
			(*lost)++;
			continue;
		}
		/* A packet leaves when its last sample is there; a spike delays all until it is
		 * over. */
		int64_t at_us = 50 * MS + s->phase_us + ms * MS - ms * s->drift_ppm / 1000;
		if (s->jitter_us != 0)
			at_us += prng_below(prng, (uint32_t)s->jitter_us);
		if (s->spike_ms != 0 && ms % 5000 >= 3000 && ms % 5000 < 3000 + s->spike_ms)
			at_us += (3000 + s->spike_ms - ms % 5000) * MS;
		arrivals[count++] = (struct arrival){ at_us, own, (uint32_t)ms * 8 };
		if (s->duplicates && prng_below(prng, 10) == 0)
			arrivals[count++] =
			        (struct arrival){ at_us + 30 * MS, own, (uint32_t)ms * 8 };
	}
	qsort(arrivals, count, sizeof *arrivals, by_time);
	return count;
}

static struct audio_codec_pool *codecs;
static struct audio_receiver rx;

static const struct audio_format formats[] = {
	{ TYPE_PCMU, AUDIO_FORMAT_CODEC, AUDIO_CODEC_PCMU },
	{ TYPE_OPUS, AUDIO_FORMAT_CODEC, AUDIO_CODEC_OPUS },
	{ TYPE_NOISE, AUDIO_FORMAT_NOISE, AUDIO_CODEC_NONE },
	{ TYPE_EVENT, AUDIO_FORMAT_EVENT, AUDIO_CODEC_NONE },
};

static void
begin_call(void)
{
	EXPECT_EQ(jitter_pool_create(&pool, CHUNKS), 0);
	EXPECT_EQ(audio_codec_pool_create(&codecs, &(struct audio_codec_pool_settings){
	                                                   .opus_decoders_max = 2,
	                                                   .opus_encoders_max = 1,
	                                                   .plain_decoders_max = 2,
	                                                   .plain_encoders_max = 1 }),
	          0);
	audio_receiver_init(&rx, &(struct audio_receiver_settings){ .codecs = codecs,
	                                                            .chunks = pool });
	audio_receiver_set_formats(&rx, formats, COUNT_OF(formats));
}

static void
end_call(void)
{
	audio_receiver_fini(&rx);
	EXPECT_EQ(jitter_pool_used(pool), 0);
	for (unsigned kind = 0; kind < AUDIO_STATE_KINDS; kind++)
		EXPECT_EQ(audio_codec_pool_used(codecs, (enum audio_state_kind)kind), 0);
	jitter_pool_destroy(pool);
	audio_codec_pool_destroy(codecs);
	pool = NULL;
	codecs = NULL;
}

static void
encode_speech(uint8_t *payload, size_t bytes, uint32_t timestamp_rtp)
{
	int16_t narrow[960];
	for (size_t i = 0; i < bytes; i++)
		testing_speech(narrow + i, 1, (timestamp_rtp + i) * 6);
	g711_encode_mulaw(payload, narrow, bytes);
}

struct outcome {
	int delay_us_max; /* over the last ten seconds */
	int step_max;
};

static struct outcome
run_call(const struct scenario *s, size_t count, int seconds)
{
	struct outcome outcome = { 0 };
	int16_t pcm[1 + AUDIO_FRAME_SAMPLES] = { 0 };
	size_t next = 0;
	for (int64_t now_us = 0; now_us < (int64_t)seconds * 1000 * MS; now_us += AUDIO_FRAME_US) {
		for (; next < count && arrivals[next].at_us <= now_us; next++) {
			uint8_t payload[960];
			const size_t bytes = (size_t)s->packet_ms * 8;
			encode_speech(payload, bytes, arrivals[next].timestamp_rtp);
			(void)audio_receiver_input(
			        &rx,
			        &(struct audio_packet){ .ssrc = 7,
			                                .sequence = arrivals[next].sequence,
			                                .timestamp_rtp =
			                                        arrivals[next].timestamp_rtp,
			                                .payload_type = TYPE_PCMU,
			                                .payload = payload,
			                                .len = bytes },
			        arrivals[next].at_us);
		}
		/* The last sample of the frame before stands in front: joints count. */
		pcm[0] = pcm[AUDIO_FRAME_SAMPLES];
		(void)audio_receiver_pull(&rx, pcm + 1, now_us);
		const int step = testing_step_max(pcm, COUNT_OF(pcm));
		outcome.step_max = step > outcome.step_max ? step : outcome.step_max;
		const bool late = now_us > (int64_t)(seconds - 10) * 1000 * MS;
		if (late && rx.jitter.stats.delay_us > outcome.delay_us_max)
			outcome.delay_us_max = rx.jitter.stats.delay_us;
	}
	return outcome;
}

TEST(calls_over_every_kind_of_network_stay_within_their_bounds)
{
	static int16_t clean[2 * AUDIO_RATE_HZ];
	testing_speech(clean, COUNT_OF(clean), 0);
	const int clean_step = testing_step_max(clean, COUNT_OF(clean));

	for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		const int seconds = 40;
		unsigned sent = 0;
		unsigned lost = 0;
		struct prng prng;
		prng_init(&prng, 1000 + i);
		const size_t count = plan(s, &prng, seconds, &sent, &lost);
		begin_call();
		const struct outcome outcome = run_call(s, count, seconds);
		const struct jitter_stats *stats = &rx.jitter.stats;
		const uint64_t invented_pct = rx.stats.samples_concealed * 100 /
		                              ((uint64_t)sent * (uint64_t)s->packet_ms * 48);
		print_message(
		        "%-26s delay %3d ms target %3d ms, lost %u concealed %u late %u "
		        "underruns %u invented %u %% shortened %u ms lengthened %u ms step %d\n",
		        s->name, outcome.delay_us_max / MS, stats->target_us / MS, lost,
		        (unsigned)stats->concealed, (unsigned)stats->verdicts[JITTER_LATE],
		        (unsigned)stats->underruns, (unsigned)invented_pct,
		        (unsigned)rx.stats.samples_shortened / 48,
		        (unsigned)rx.stats.samples_lengthened / 48, outcome.step_max);

		EXPECT(outcome.delay_us_max <= s->delay_ms_max * MS);
		EXPECT(invented_pct <= (uint64_t)s->invented_pct_max);
		EXPECT(outcome.step_max < 3 * clean_step);
		/* Every loss is known, and nothing else is called a loss but what came too late. */
		EXPECT(stats->concealed + 5 >= lost);
		EXPECT(stats->concealed <=
		       lost + stats->verdicts[JITTER_LATE] + stats->skipped + 5);
		EXPECT(stats->restarts == 0);
		if (lost == 0 && s->jitter_us == 0)
			EXPECT_EQ(stats->underruns, 0);
		if (s->duplicates)
			EXPECT(stats->verdicts[JITTER_DUPLICATE] + stats->verdicts[JITTER_LATE] >
			       sent / 20);
		end_call();
	}
}

TEST(a_leg_that_never_talks_owns_no_decoder)
{
	begin_call();
	for (int64_t now_us = 0; now_us < 3000 * MS; now_us += AUDIO_FRAME_US) {
		uint8_t payload[160];
		memset(payload, 0xFF, sizeof payload);
		(void)audio_receiver_input(&rx,
		                           &(struct audio_packet){
		                                   .ssrc = 7,
		                                   .sequence = (uint16_t)(now_us / AUDIO_FRAME_US),
		                                   .timestamp_rtp = (uint32_t)(now_us * 8 / MS),
		                                   .payload = payload,
		                                   .len = sizeof payload,
		                                   .has_level = true,
		                                   .level = 127 },
		                           now_us);
		EXPECT(audio_receiver_may_skip(&rx));
		EXPECT_EQ(audio_receiver_level(&rx, now_us), 127);
		audio_receiver_skip(&rx, now_us + 5 * MS);
	}
	EXPECT_EQ(audio_codec_pool_used(codecs, AUDIO_STATE_PLAIN_DECODER), 0);
	EXPECT(jitter_pool_used(pool) <= 2);
	end_call();
	EXPECT(sizeof(struct audio_receiver) <= 2560);
}

TEST(a_decoder_is_given_back_after_a_rest)
{
	begin_call();
	uint8_t payload[160];
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	encode_speech(payload, sizeof payload, 4000);
	struct audio_packet packet = { .ssrc = 7, .payload = payload, .len = sizeof payload };
	EXPECT(audio_receiver_input(&rx, &packet, 0));
	EXPECT_EQ(audio_receiver_pull(&rx, pcm, 10 * MS), AUDIO_SOURCE_VOICE);
	EXPECT_EQ(audio_codec_pool_used(codecs, AUDIO_STATE_PLAIN_DECODER), 1);
	char text[400];
	struct writer w = writer_of(text, sizeof text);
	audio_receiver_dump(&rx, &w);
	EXPECT(!w.failed && str_starts(writer_view(&w), STR("codec=PCMU level=")));
	EXPECT(str_contains_nocase(writer_view(&w), STR("decoded=1 recovered=0 concealed=0")));
	EXPECT(audio_receiver_level(&rx, 20 * MS) < 40);
	for (int64_t now_us = 30 * MS; now_us < 5200 * MS; now_us += AUDIO_FRAME_US)
		(void)audio_receiver_pull(&rx, pcm, now_us);
	EXPECT_EQ(audio_codec_pool_used(codecs, AUDIO_STATE_PLAIN_DECODER), 0);
	EXPECT_EQ(audio_receiver_level(&rx, 5200 * MS), AUDIO_LEVEL_SILENCE);
	end_call();
}

TEST(codecs_change_in_the_middle_of_a_call)
{
	begin_call();
	struct audio_quality quality = audio_quality_for(0);
	struct audio_encoder *encoder = audio_encoder_take(codecs, AUDIO_CODEC_OPUS, &quality);
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	unsigned heard[2] = { 0 };
	for (unsigned i = 0; i < 100; i++) {
		uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
		struct audio_packet packet = { .ssrc = 7, .sequence = (uint16_t)i,
			                       .payload = payload };
		if (i < 50) {
			testing_tone(pcm, AUDIO_FRAME_SAMPLES, 440, 8000, i * AUDIO_FRAME_SAMPLES);
			packet.len = audio_encode(encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
			packet.payload_type = TYPE_OPUS;
			packet.timestamp_rtp = i * 960;
		} else {
			encode_speech(payload, 160, 800);
			packet.len = 160;
			packet.timestamp_rtp = i * 160;
		}
		EXPECT(audio_receiver_input(&rx, &packet, i * AUDIO_FRAME_US));
		heard[i >= 50] +=
		        audio_receiver_pull(&rx, pcm, i * AUDIO_FRAME_US + 8 * MS) ==
		        AUDIO_SOURCE_VOICE;
	}
	EXPECT(heard[0] >= 48 && heard[1] >= 48);
	EXPECT_EQ(audio_codec_pool_used(codecs, AUDIO_STATE_OPUS_DECODER), 0);
	audio_encoder_put(codecs, encoder);
	end_call();
}

TEST(comfort_noise_follows_its_description)
{
	begin_call();
	uint8_t payload[160];
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	encode_speech(payload, sizeof payload, 4000);
	for (uint16_t i = 0; i < 20; i++) {
		const struct audio_packet voice = { .ssrc = 7, .sequence = i,
			                            .timestamp_rtp = i * 160u, .payload = payload,
			                            .len = sizeof payload };
		EXPECT(audio_receiver_input(&rx, &voice, i * AUDIO_FRAME_US));
		(void)audio_receiver_pull(&rx, pcm, i * AUDIO_FRAME_US + 8 * MS);
	}
	const uint8_t level = 50;
	const struct audio_packet noise = { .ssrc = 7, .sequence = 20, .timestamp_rtp = 20 * 160,
		                            .payload_type = TYPE_NOISE, .payload = &level,
		                            .len = 1 };
	EXPECT(audio_receiver_input(&rx, &noise, 400 * MS));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(audio_receiver_pull(&rx, pcm, (408 + 20 * i) * MS), AUDIO_SOURCE_COMFORT);
	const int got = audio_level_of(pcm, AUDIO_FRAME_SAMPLES);
	EXPECT(got >= 48 && got <= 52);
	end_call();
}

TEST(strangers_types_and_broken_packets_are_counted)
{
	begin_call();
	uint8_t payload[7] = { 0 };
	struct audio_packet packet = { .ssrc = 7, .payload_type = 99, .payload = payload,
		                       .len = sizeof payload };
	EXPECT(!audio_receiver_input(&rx, &packet, 0));
	EXPECT_EQ(rx.stats.unknown_type, 1);
	packet.payload_type = TYPE_PCMU;
	EXPECT(!audio_receiver_input(&rx, &packet, 0));
	packet.payload_type = TYPE_NOISE;
	packet.len = 0;
	EXPECT(!audio_receiver_input(&rx, &packet, 0));
	EXPECT_EQ(rx.stats.rejected, 2);
	packet.payload_type = TYPE_EVENT;
	EXPECT(!audio_receiver_input(&rx, &packet, 0)); /* before any sound: nothing to do */
	end_call();
}

TEST(opus_with_a_fifth_lost_keeps_its_tone_and_its_count)
{
	begin_call();
	struct prng prng;
	prng_init(&prng, 4);
	const struct audio_quality quality = audio_quality_for(20);
	struct audio_encoder *encoder = audio_encoder_take(codecs, AUDIO_CODEC_OPUS, &quality);
	static int16_t out[500 * AUDIO_FRAME_SAMPLES];
	unsigned lost = 0;
	uint16_t sequence = 0;
	for (size_t i = 0; i < 500; i++) {
		int16_t pcm[AUDIO_FRAME_SAMPLES];
		uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
		testing_speech(pcm, AUDIO_FRAME_SAMPLES, i * AUDIO_FRAME_SAMPLES);
		const size_t len = audio_encode(encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
		const int64_t at_us = (int64_t)i * AUDIO_FRAME_US + prng_below(&prng, 3000);
		if (len != 0) {
			const struct audio_packet packet = { .ssrc = 7, .sequence = sequence++,
				                             .payload_type = TYPE_OPUS,
				                             .timestamp_rtp = (uint32_t)i * 960,
				                             .payload = payload, .len = len };
			if (prng_below(&prng, 100) < 20)
				lost++;
			else
				(void)audio_receiver_input(&rx, &packet, at_us);
		}
		(void)audio_receiver_pull(&rx, out + i * AUDIO_FRAME_SAMPLES,
		                          (int64_t)i * AUDIO_FRAME_US + 10 * MS);
	}
	const struct jitter_stats *stats = &rx.jitter.stats;
	EXPECT(stats->recovered + stats->concealed + 3 >= lost);
	EXPECT(stats->recovered + stats->concealed <= lost + 3);
	/* Once the buffer waits for the copies, most single losses are made good. */
	EXPECT(stats->recovered > lost / 3);
	static int16_t clean[500 * AUDIO_FRAME_SAMPLES];
	testing_speech(clean, COUNT_OF(clean), 0);
	const double ratio = testing_rms(out, COUNT_OF(out)) / testing_rms(clean, COUNT_OF(clean));
	EXPECT(ratio > 0.75 && ratio < 1.2);
	audio_encoder_put(codecs, encoder);
	end_call();
}
