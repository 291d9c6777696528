/* SPDX-License-Identifier: Apache-2.0 */
/* jitter_buffer -- puts RTP audio packets in order and decides when each is played.
 *
 * Sans-IO, and knows nothing of codecs: packets in, one decision per jitter_next() out.  Most
 * callers want audio_receiver.h, which adds decoder, concealment and time stretching to it.
 *
 * The delay is the smallest that lets 98.5 % of the packets of the last seconds arrive in time: up
 * at once, down by 10 ms a second.  On a clean path it is the phase between the sender's packets
 * and our pulls, which is less than one packet.
 *
 * Ownership  The buffer is a member of its leg.  Payloads live in a pool of chunks shared by the
 *            legs of a worker, so a leg with nothing buffered holds none.
 * Threads    One owner: the worker.
 * Units      `_rtp` is in units of the codec's RTP clock.  Times are microseconds, monotonic.
 * Errors     A packet that cannot be used gives a verdict other than JITTER_TAKEN and is counted.
 * Limits     JITTER_PACKETS_MAX packets and settings.delay_us_max of sound per leg.  About 1.5 kB
 *            a leg, plus a chunk of 256 bytes per buffered packet.
 */
#ifndef AUDIO_JITTER_BUFFER_H
#define AUDIO_JITTER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio.h"

enum {
	JITTER_PACKETS_MAX = 64,
	JITTER_CHUNK_BYTES = 252,
	JITTER_BINS = 128, /* 64 of 1 ms, then 64 of 4 ms */
	JITTER_DELAY_US_MAX = 320 * 1000,
};

/* ---- the payloads' memory, one per worker ---- */

struct jitter_pool;

[[nodiscard]] int jitter_pool_create(struct jitter_pool **pool, uint32_t chunks_max);
void jitter_pool_destroy(struct jitter_pool *pool);
[[nodiscard]] uint32_t jitter_pool_used(const struct jitter_pool *pool);

/* ---- packets ---- */

enum jitter_kind {
	JITTER_VOICE,
	JITTER_NOISE, /* comfort noise description (RFC 3389), starts a pause */
	JITTER_OTHER, /* its sequence number is used but there is no sound: telephone-event */
};

struct jitter_packet {
	uint32_t ssrc;
	uint32_t timestamp_rtp;
	uint16_t sequence;
	uint8_t tag;               /* given back with the decision: the codec, say */
	uint8_t kind;              /* enum jitter_kind */
	uint32_t duration_rtp;     /* of VOICE; not zero */
	const uint8_t *payload;    /* copied */
	size_t len;                /* at most AUDIO_PAYLOAD_BYTES_MAX */
	bool fec;                  /* carries a copy of the packet before it */
	bool pause_follows;        /* an Opus DTX packet: silence after it is no loss */
};

enum jitter_verdict {
	JITTER_TAKEN,
	JITTER_DUPLICATE,
	JITTER_LATE,     /* its time was concealed already */
	JITTER_FULL,     /* too many packets of this leg */
	JITTER_NO_CHUNK, /* the worker's pool is empty */
	JITTER_STRAY, /* far from every sequence number seen; a second one in a row is believed */
	JITTER_VERDICTS,
};

/* ---- decisions ---- */

enum jitter_action {
	JITTER_WAIT,    /* nothing to play yet, or a pause: silence or comfort noise */
	JITTER_DECODE,  /* decode `payload` */
	JITTER_FEC,     /* decode the lost packet out of its successor `payload` */
	JITTER_CONCEAL, /* lost or late: invent `duration_rtp` of sound */
	JITTER_COMFORT, /* `payload` describes the noise of the pause that begins; ask again */
};

struct jitter_decision {
	enum jitter_action action;
	uint8_t tag;
	bool fresh;            /* DECODE: the sound before it was not played (start, skip, jump) */
	uint32_t duration_rtp; /* DECODE, FEC, CONCEAL */
	const uint8_t *payload; /* borrowed from the pool until the next call on it */
	size_t len;
};

enum jitter_adjust {
	JITTER_KEEP,
	JITTER_SHORTEN,  /* more delay than needed */
	JITTER_LENGTHEN, /* less */
};

struct jitter_stretch {
	enum jitter_adjust adjust;
	bool hurry;       /* far off: do it even where it can be heard */
	bool spare;       /* SHORTEN: a whole further packet is there to fill up from */
	uint32_t rtp_max; /* by no more than this */
};

struct jitter_stats {
	uint64_t verdicts[JITTER_VERDICTS];
	uint64_t decoded;     /* packets */
	uint64_t recovered;   /* packets, by FEC */
	uint64_t concealed;   /* packets */
	uint64_t skipped;     /* packets passed over while not selected, or to catch up */
	uint64_t underruns;   /* pulls that found nothing although the sender was talking */
	uint64_t restarts;    /* new SSRC, clock or timestamp base */
	uint32_t jitter_rtp;  /* RFC 3550 s6.4.1, for receiver reports */
	int32_t delay_us;     /* buffering of the sound played last, beyond the fastest packet's */
	int32_t target_us;
};

struct jitter_settings {
	uint32_t clock_hz;
	int32_t delay_us_min; /* never less; 0 is fine */
	int32_t delay_us_max; /* never more, at most JITTER_DELAY_US_MAX; 0 means 200 ms */
};

struct jitter_entry {
	int64_t timestamp; /* extended */
	uint32_t duration_rtp;
	uint32_t chunk;    /* first one, or 0 */
	uint16_t len;
	uint16_t sequence;
	uint8_t kind;
	uint8_t tag;
	uint8_t flags;
};

/* Fields are private. */
struct jitter_buffer {
	struct jitter_pool *pool;
	struct jitter_settings settings;
	struct jitter_stats stats;

	uint32_t ssrc;
	uint16_t next;        /* sequence number to play next */
	uint16_t count;       /* entries in use */
	uint16_t newest;      /* highest sequence number taken */
	uint16_t stray;       /* the number that would follow the last stray */
	uint8_t state;
	uint8_t far_count;    /* packets in a row that came later than any delay allows */
	bool stray_seen;
	bool in_pause;
	bool skipping;        /* nobody heard the packets before */
	bool fec_seen;
	uint64_t seen;        /* bit n: newest - n came */

	int64_t play;         /* extended timestamp of the next sample to decode */
	int64_t newest_timestamp;
	uint32_t duration_rtp; /* of the last voice packet */
	uint32_t held_rtp;    /* concealed while the buffer was empty, not yet accounted */

	int64_t base_us;      /* fastest transit of the last seconds */
	int64_t window_base_us;
	int64_t window_end_us;
	int64_t transit_us;   /* of the packet before, for RFC 3550 jitter */
	int64_t target_at_us; /* when target_us was last lowered */
	int64_t jitter_q4;
	uint32_t loss_q16;    /* recent share of lost packets */
	uint32_t histogram_total;
	uint16_t histogram_age;
	uint16_t histogram[JITTER_BINS];
	struct jitter_entry entries[JITTER_PACKETS_MAX]; /* by sequence number */
};

void jitter_init(struct jitter_buffer *jitter, struct jitter_pool *pool,
                 const struct jitter_settings *settings);
/* Gives the chunks back. */
void jitter_fini(struct jitter_buffer *jitter);

enum jitter_verdict jitter_insert(struct jitter_buffer *jitter, const struct jitter_packet *packet,
                                  int64_t now_us);

/* What to do next, with `pending_rtp` of decoded sound not played yet.  A caller asks until it has
 * 20 ms; after WAIT it fills up with silence and asks again at the next pull. */
[[nodiscard]] struct jitter_decision jitter_next(struct jitter_buffer *jitter, uint32_t pending_rtp,
                                                 int64_t now_us);

/* Once per pull, before jitter_next(): should sound be shortened or lengthened by a pitch
 * period? */
[[nodiscard]] struct jitter_stretch jitter_stretch(struct jitter_buffer *jitter,
                                                   uint32_t pending_rtp, int64_t now_us);

/* In place of a pull, for a leg that nobody hears: lets the time pass without payload copies. */
void jitter_skip(struct jitter_buffer *jitter, int64_t now_us);

/* Which sound a pull at `now_us` begins with, by its sender's time; in a pause, which would be due. */
struct jitter_position {
	uint32_t timestamp_rtp;
	int64_t delay_us;  /* as stats.delay_us */
	int64_t packet_us; /* what one packet holds: it came when its last sample was taken */
};

/* False before the first packet. */
[[nodiscard]] bool jitter_position(const struct jitter_buffer *jitter, uint32_t pending_rtp,
                                   int64_t now_us, struct jitter_position *out);

/* When packets stopped for good (hold, mute): is anything buffered or concealed? */
[[nodiscard]] bool jitter_is_idle(const struct jitter_buffer *jitter);

#endif
