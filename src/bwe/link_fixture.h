/* SPDX-License-Identifier: Apache-2.0 */
/* link_fixture -- a sender, a link and a receiver in one loop, for the tests: the real estimator,
 * pacer and feedback on both sides of a queue with a rate, a length, a delay, jitter and loss.
 *
 * Deterministic: the clock is a number, the loss is seeded.  The picture is 30 frames a second that
 * follow the target; beside it goes sound of 40 kbit/s.
 */
#ifndef BWE_LINK_FIXTURE_H
#define BWE_LINK_FIXTURE_H

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "bwe/bwe_send.h"
#include "bwe/pacer.h"
#include "bwe/twcc_receive.h"

enum {
	LINK_MS = 1000,
	LINK_S = 1000 * 1000,
	LINK_FRAME_US = LINK_S / 30,
	LINK_SOUND_US = 20 * LINK_MS,
	LINK_PACKET = 1200,
	LINK_SOUND_PACKET = 100,
	LINK_PADDING_PACKET = 250,
	LINK_FLIGHT_MAX = 8192,
	LINK_MESSAGES_MAX = 64,
	LINK_MESSAGE_BYTES_MAX = 1200,
};

#define LINK_PEER_CLOCK_US INT64_C(777777777)

/* May be changed while it runs. */
struct link_path {
	int64_t rate_bps;
	int64_t queue_bytes;
	int64_t bucket_bytes; /* that pass at any speed: a tbf's burst */
	int64_t delay_us;     /* one way, both ways */
	int64_t jitter_us;    /* added at random, in order */
	double loss;
	int64_t other_bps; /* of the rate, taken by others */
	double back_loss;  /* of feedback */
	double reorder;    /* of packets, late by reorder_us */
	int64_t reorder_us;
};

struct link_packet {
	int64_t at_us;
	uint16_t seq, bytes;
	int64_t sent_us;
};

struct link_message {
	int64_t at_us;
	size_t len;
	uint8_t bytes[LINK_MESSAGE_BYTES_MAX];
};

struct link {
	struct link_path path;
	struct bwe_send bwe;
	struct pacer pacer;
	struct twcc_receive receive;
	struct prng prng;
	int64_t now_us;
	/* The sender. */
	int64_t media_bps_max; /* what its encoder makes at most */
	int64_t media_bps_min;
	int64_t key_us; /* between key frames, five times the size; 0: none */
	int64_t next_key_us;
	int64_t drift_ppm; /* of the peer's clock */
	int64_t report_us; /* between report blocks of a peer without twcc; 0: it has twcc */
	bool nacks;        /* it asks again for what is missing */
	bool key_asks;     /* it asks for key frames instead, which cost five times a frame */
	bool spoilt;
	int64_t key_asked_us;
	int64_t frame_us, sound_us;
	int64_t backlog_bytes;
	uint16_t seq;
	/* The link. */
	int64_t busy_us;    /* when the queue is empty */
	int64_t last_at_us; /* latest arrival of those in order */
	struct link_packet flight[LINK_FLIGHT_MAX];
	unsigned flight_at, flight_count;
	struct link_message messages[LINK_MESSAGES_MAX];
	unsigned message_at, message_count;
	/* For the tests. */
	uint64_t sent, lost, arrived, arrived_bytes;
	int64_t delay_us;     /* of the packet that arrived last */
	int64_t delay_us_max; /* since link_mark() */
	int64_t target_bps_min, target_bps_max, target_sum;
	uint64_t steps, mark_sent, mark_lost, mark_bytes;
	uint64_t feedback_bytes;
	/* A peer without twcc. */
	int64_t reported_us;
	uint32_t reported_sent, reported_lost;
};

static inline void
link_init(struct link *link, const struct bwe_settings *settings, const struct link_path *path,
          uint64_t seed)
{
	memset(link, 0, sizeof *link);
	link->path = *path;
	link->now_us = 1000 * LINK_S;
	link->media_bps_max = INT64_C(3000) * 1000;
	link->media_bps_min = 50 * 1000;
	link->seq = 65000; /* wraps soon */
	bwe_send_init(&link->bwe, settings, link->now_us);
	pacer_init(&link->pacer, bwe_send_target_bps(&link->bwe), link->now_us);
	twcc_receive_init(&link->receive, 1);
	prng_init(&link->prng, seed);
	link->frame_us = link->sound_us = link->busy_us = link->now_us;
}

static inline double
link_chance(struct link *link)
{
	return prng_u32(&link->prng) / 4294967296.0;
}

/* Through the queue: when a packet leaves it, or -1: dropped. */
static inline int64_t
link_queue(struct link *link, unsigned bytes)
{
	const int64_t rate_bps = link->path.rate_bps - link->path.other_bps;
	if (rate_bps <= 0)
		return -1;
	const int64_t busy_us = link->busy_us > link->now_us ? link->busy_us : link->now_us;
	const int64_t done_us = busy_us + (int64_t)bytes * 8 * LINK_S / rate_bps;
	const int64_t bucket_us = link->path.bucket_bytes * 8 * LINK_S / rate_bps;
	const int64_t leave_us =
	        done_us - bucket_us > link->now_us ? done_us - bucket_us : link->now_us;
	if ((leave_us - link->now_us) * rate_bps / 8 / LINK_S > link->path.queue_bytes)
		return -1;
	link->busy_us = done_us;
	return leave_us;
}

static inline struct link_packet *
link_flying(struct link *link, unsigned at)
{
	return &link->flight[(link->flight_at + at) % LINK_FLIGHT_MAX];
}

/* Jitter keeps the order; reordering does not. */
static inline void
link_fly(struct link *link, const struct link_packet *packet)
{
	CHECK(link->flight_count < LINK_FLIGHT_MAX);
	struct link_packet late = *packet;
	if (link_chance(link) < link->path.reorder)
		late.at_us += link->path.reorder_us;
	else if (late.at_us < link->last_at_us)
		late.at_us = link->last_at_us;
	if (late.at_us == packet->at_us || late.at_us == link->last_at_us)
		link->last_at_us = late.at_us;
	unsigned at = link->flight_count++;
	for (; at > 0 && link_flying(link, at - 1)->at_us > late.at_us; at--)
		*link_flying(link, at) = *link_flying(link, at - 1);
	*link_flying(link, at) = late;
}

static inline void
link_transmit(struct link *link, enum pacer_class class, unsigned bytes)
{
	const uint8_t probe_id = pacer_sent(&link->pacer, class, bytes, link->now_us);
	const struct bwe_sent sent = { .seq = link->seq++,
		                       .bytes = (uint16_t)bytes,
		                       .probe_id = probe_id };
	bwe_send_sent(&link->bwe, &sent, link->now_us);
	link->sent++;
	int64_t at_us = link_queue(link, bytes);
	if (at_us < 0 || link_chance(link) < link->path.loss) {
		link->lost++;
		if (link->nacks)
			bwe_send_nacked(&link->bwe, 1, link->now_us);
		link->spoilt = true;
		return;
	}
	at_us += link->path.delay_us + (int64_t)(link_chance(link) * (double)link->path.jitter_us);
	link_fly(link, &(struct link_packet){ .at_us = at_us,
	                                      .seq = sent.seq,
	                                      .bytes = sent.bytes,
	                                      .sent_us = link->now_us });
}

/* Everything that the sender does in a millisecond. */
static inline void
link_send(struct link *link)
{
	const int64_t target_bps = bwe_send_target_bps(&link->bwe);
	struct bwe_probe probe;
	if (link->now_us >= bwe_send_deadline(&link->bwe))
		bwe_send_tick(&link->bwe, link->now_us);
	if (bwe_send_probe(&link->bwe, &probe, link->now_us))
		pacer_probe(&link->pacer, &probe, link->now_us);
	pacer_target(&link->pacer, target_bps, link->now_us);

	for (; link->sound_us <= link->now_us; link->sound_us += LINK_SOUND_US)
		link_transmit(link, PACER_AUDIO, LINK_SOUND_PACKET);
	for (; link->frame_us <= link->now_us; link->frame_us += LINK_FRAME_US) {
		int64_t bps = target_bps - 40 * 1000;
		bps = bps < link->media_bps_max ? bps : link->media_bps_max;
		bps = bps > link->media_bps_min ? bps : link->media_bps_min;
		int64_t bytes = bps * LINK_FRAME_US / LINK_S / 8;
		if ((link->key_us | link->next_key_us) != 0 && link->frame_us >= link->next_key_us) {
			link->next_key_us = link->key_us != 0 ? link->frame_us + link->key_us : 0;
			bytes *= 5;
		}
		link->backlog_bytes += bytes;
	}
	while (link->backlog_bytes > 0 && pacer_may(&link->pacer, PACER_VIDEO, link->now_us)) {
		const int64_t bytes =
		        link->backlog_bytes < LINK_PACKET ? link->backlog_bytes : LINK_PACKET;
		link->backlog_bytes -= bytes;
		link_transmit(link, PACER_VIDEO, (unsigned)bytes + 40);
	}
	while (link->backlog_bytes == 0 && pacer_padding_bytes(&link->pacer) != 0 &&
	       pacer_may(&link->pacer, PACER_PADDING, link->now_us))
		link_transmit(link, PACER_PADDING, LINK_PADDING_PACKET);
}

static inline int64_t
link_peer_us(const struct link *link, int64_t at_us)
{
	return at_us + LINK_PEER_CLOCK_US + at_us / LINK_S * link->drift_ppm;
}

/* Everything that the receiver does. */
static inline void
link_receive(struct link *link)
{
	const int64_t peer_us = link_peer_us(link, link->now_us);
	while (link->flight_count != 0 && link->flight[link->flight_at].at_us <= link->now_us) {
		const struct link_packet *packet = &link->flight[link->flight_at];
		int64_t at_us = link_peer_us(link, packet->at_us);
		if (at_us < link->receive.input_us)
			at_us = link->receive.input_us;
		twcc_receive_input(&link->receive, packet->seq, 2, packet->bytes, at_us);
		link->arrived++;
		link->arrived_bytes += packet->bytes;
		link->delay_us = packet->at_us - packet->sent_us;
		if (link->delay_us > link->delay_us_max)
			link->delay_us_max = link->delay_us;
		link->flight_at = (link->flight_at + 1) % LINK_FLIGHT_MAX;
		link->flight_count--;
	}
	while (link->report_us == 0 && twcc_receive_deadline(&link->receive) <= peer_us) {
		CHECK(link->message_count < LINK_MESSAGES_MAX);
		struct link_message *message =
		        &link->messages[(link->message_at + link->message_count) %
		                        LINK_MESSAGES_MAX];
		struct writer w = writer_of(message->bytes, sizeof message->bytes);
		rtcp_write_rr(&w, 1, NULL, 0);
		CHECK(twcc_receive_write(&link->receive, &w, peer_us));
		message->len = w.at;
		message->at_us = link->now_us + link->path.delay_us;
		link->feedback_bytes += w.at;
		if (link_chance(link) >= link->path.back_loss)
			link->message_count++;
	}
}

static inline void
link_hear(struct link *link)
{
	while (link->message_count != 0 && link->messages[link->message_at].at_us <= link->now_us) {
		const struct link_message *message = &link->messages[link->message_at];
		struct rtcp_packet packet;
		struct rtcp_fb fb;
		size_t at = 0;
		CHECK(rtcp_parse(message->bytes, message->len, false) == RTCP_OK);
		while (rtcp_next(message->bytes, message->len, &at, &packet)) {
			if (packet.type != RTCP_RTPFB)
				continue;
			CHECK(rtcp_fb_parse(&fb, &packet) == RTCP_FB_OK);
			bwe_send_feedback(&link->bwe, &fb, link->now_us);
		}
		link->message_at = (link->message_at + 1) % LINK_MESSAGES_MAX;
		link->message_count--;
	}
}

/* A room that cannot show what it gets; its sender makes a key frame no more often than that. */
static inline void
link_ask_key(struct link *link)
{
	if (!link->key_asks || !link->spoilt || link->now_us - link->key_asked_us < 350 * LINK_MS)
		return;
	link->spoilt = false;
	link->key_asked_us = link->now_us;
	link->next_key_us = link->now_us;
	bwe_send_spoilt(&link->bwe, link->now_us);
}

/* A room that only reports, a round trip later. */
static inline void
link_report(struct link *link)
{
	if (link->report_us == 0 || link->now_us - link->reported_us < link->report_us)
		return;
	const uint32_t sent = (uint32_t)link->sent - link->reported_sent;
	const uint32_t lost = (uint32_t)link->lost - link->reported_lost;
	const struct rtcp_block block = {
		.ssrc = 3,
		.fraction_lost = (uint8_t)(sent != 0 ? lost * 255 / sent : 0),
		.highest_seq = (uint32_t)link->sent,
	};
	link->reported_us = link->now_us;
	link->reported_sent += sent;
	link->reported_lost += lost;
	bwe_send_report(&link->bwe, &block, link->delay_us + link->path.delay_us, link->now_us);
}

/* From here on the figures count. */
static inline void
link_mark(struct link *link)
{
	link->delay_us_max = 0;
	link->target_bps_min = INT64_MAX;
	link->target_bps_max = 0;
	link->target_sum = 0;
	link->steps = 0;
	link->mark_sent = link->sent;
	link->mark_lost = link->lost;
	link->mark_bytes = link->arrived_bytes;
}

static inline void
link_step(struct link *link)
{
	link->now_us += LINK_MS;
	link_hear(link);
	link_send(link);
	link_receive(link);
	link_ask_key(link);
	link_report(link);
	const int64_t target_bps = bwe_send_target_bps(&link->bwe);
	link->target_bps_min =
	        target_bps < link->target_bps_min ? target_bps : link->target_bps_min;
	link->target_bps_max =
	        target_bps > link->target_bps_max ? target_bps : link->target_bps_max;
	link->target_sum += target_bps;
	link->steps++;
}

static inline void
link_run(struct link *link, int64_t us)
{
	link_mark(link);
	for (const int64_t end_us = link->now_us + us; link->now_us < end_us;)
		link_step(link);
}

static inline int64_t
link_target_bps_mean(const struct link *link)
{
	return link->target_sum / (int64_t)link->steps;
}

static inline double
link_loss(const struct link *link)
{
	const uint64_t sent = link->sent - link->mark_sent;
	return sent != 0 ? (double)(link->lost - link->mark_lost) / (double)sent : 0;
}

/* How long until the target is at least (`up`) or at most so much; `us_max` if it never is. */
static inline int64_t
link_run_until(struct link *link, int64_t bps, bool up, int64_t us_max)
{
	link_mark(link);
	const int64_t start_us = link->now_us;
	while (link->now_us - start_us < us_max) {
		const int64_t target_bps = bwe_send_target_bps(&link->bwe);
		if (up ? target_bps >= bps : target_bps <= bps)
			break;
		link_step(link);
	}
	return link->now_us - start_us;
}

#endif
