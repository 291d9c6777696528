/* SPDX-License-Identifier: Apache-2.0 */
/* How delay is reckoned.
 *
 * A packet's transit is its arrival time minus its timestamp; `base` is the smallest transit of the
 * last seconds, so it follows a drifting clock.  The sample with timestamp s that leaves at time T
 * has the delay d = T - s - base: what we added to the fastest packet's way.
 *
 * A pull at T takes F = 20 ms of sound, from s to s + F, and so needs the packet that covers its
 * end.  Let packets last P and g = gcd(F, P).  The last packet a pull needs starts up to F - g
 * after s, and (-s mod g) more when pulls and packets are not aligned; that sum is R.  A packet
 * that is late by j against `base` is there in time when d >= j + R.  Hence
 *
 *	slack = d - R - target,     target = a high quantile of j.
 *
 * Taking sound out only helps when it frees a whole g: slack falls by g, then d falls while slack
 * stays.  So we shorten when slack >= g (and a margin), or when (-s mod g) is left over; we
 * lengthen when slack < 0.  On a clean path slack ends between 0 and g: less than one packet. */
#include "audio/jitter_buffer.h"

#include <string.h>

#include "audio/jitter_internal.h"
#include "base/check.h"

enum {
	STATE_EMPTY,    /* no packet was ever taken */
	STATE_STARTING, /* the first packet there is played when its time comes */
	STATE_PLAYING,
};

enum {
	ENTRY_USED = 1,
	ENTRY_FEC = 2,
	ENTRY_PAUSE = 4,
};

enum {
	DELAY_US_MAX_DEFAULT = 200 * 1000,
	TARGET_US_FIRST = 5 * 1000, /* before anything is known */
	TARGET_RESERVE_US = 250, /* time to act before a drifting clock empties the buffer */
	TARGET_FALL_US_PER_S = 10 * 1000,
	BASE_WINDOW_US = 5 * 1000 * 1000,
	JUMP_US = 2 * 1000 * 1000, /* a transit that differs this much is another time base */
	FAR_COUNT_MAX = 10,
	HOLD_US_MAX = 100 * 1000, /* an empty buffer is concealed this long, then it is a pause */
	CATCH_UP_US = 60 * 1000,  /* this far above the largest delay packets are passed over */
	SHORTEN_MARGIN_US = 1500,
	STRETCH_US_MIN = 2500,    /* the shortest pitch period of time_stretch.h */
	HURRY_US = 60 * 1000,

	BIN_FINE_US = 1000,
	BIN_COARSE_US = 4000,
	BINS_FINE = 64,
	HISTOGRAM_UNIT = 64,
	HISTOGRAM_AGE_PACKETS = 32, /* then everything shrinks by an eighth: a memory of 5 s */
	LATE_PER_MILLE = 15,

	LOSS_SHIFT = 6, /* the loss rate is averaged over about 64 packets */
	LOSS_FOR_FEC_Q16 = 65536 / 50,
};

static_assert((JITTER_PACKETS_MAX & (JITTER_PACKETS_MAX - 1)) == 0, "entries are found by mask");
static_assert(BINS_FINE * BIN_FINE_US + (JITTER_BINS - BINS_FINE) * BIN_COARSE_US ==
                      JITTER_DELAY_US_MAX, "the histogram covers every delay");
static_assert(HISTOGRAM_UNIT * HISTOGRAM_AGE_PACKETS * 9 <= UINT16_MAX, "a bin cannot overflow");

/* ---- small things ---- */

static int64_t
us_of(const struct jitter_buffer *jitter, int64_t rtp)
{
	return rtp * 1000000 / jitter->settings.clock_hz;
}

static uint32_t
rtp_of(const struct jitter_buffer *jitter, int64_t us)
{
	return (uint32_t)(us * jitter->settings.clock_hz / 1000000);
}

static struct jitter_entry *
slot_of(struct jitter_buffer *jitter, uint16_t sequence)
{
	return &jitter->entries[sequence % JITTER_PACKETS_MAX];
}

static struct jitter_entry *
entry_of(struct jitter_buffer *jitter, uint16_t sequence)
{
	struct jitter_entry *entry = slot_of(jitter, sequence);
	const bool here = (entry->flags & ENTRY_USED) != 0 && entry->sequence == sequence;
	return here ? entry : NULL;
}

/* The first packet at or behind `next`, or NULL. */
static struct jitter_entry *
first_entry(struct jitter_buffer *jitter)
{
	if (jitter->count == 0)
		return NULL;
	struct jitter_entry *entry = NULL;
	for (unsigned ahead = 0; entry == NULL; ahead++) {
		CHECK(ahead < JITTER_PACKETS_MAX);
		entry = entry_of(jitter, (uint16_t)(jitter->next + ahead));
	}
	return entry;
}

static void
drop(struct jitter_buffer *jitter, struct jitter_entry *entry)
{
	CHECK((entry->flags & ENTRY_USED) != 0 && jitter->count != 0);
	jitter_pool_free(jitter->pool, entry->chunk);
	entry->flags = 0;
	entry->chunk = 0;
	jitter->count--;
}

static void
drop_all(struct jitter_buffer *jitter)
{
	for (unsigned i = 0; i < JITTER_PACKETS_MAX && jitter->count != 0; i++)
		if ((jitter->entries[i].flags & ENTRY_USED) != 0)
			drop(jitter, &jitter->entries[i]);
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		const uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* ---- delay ---- */

static uint32_t
frame_rtp(const struct jitter_buffer *jitter)
{
	return jitter->settings.clock_hz / (1000 / AUDIO_FRAME_MS);
}

/* g above, in RTP units. */
static uint32_t
grid_rtp(const struct jitter_buffer *jitter)
{
	return common_divisor(frame_rtp(jitter), jitter->duration_rtp);
}

/* R above. */
static int64_t
reserve_us(const struct jitter_buffer *jitter, uint32_t pending_rtp)
{
	const uint32_t grid = grid_rtp(jitter);
	return us_of(jitter, frame_rtp(jitter) - grid + pending_rtp % grid);
}

/* d above, were the sample `timestamp` played behind what is pending. */
static int64_t
delay_us(const struct jitter_buffer *jitter, int64_t timestamp, uint32_t pending_rtp,
         int64_t now_us)
{
	return now_us - us_of(jitter, timestamp - pending_rtp) - jitter->base_us;
}

static unsigned
bin_of(int64_t late_us)
{
	if (late_us < 0)
		return 0;
	if (late_us < BINS_FINE * BIN_FINE_US)
		return (unsigned)(late_us / BIN_FINE_US);
	const int64_t bin = BINS_FINE + (late_us - BINS_FINE * BIN_FINE_US) / BIN_COARSE_US;
	return bin < JITTER_BINS ? (unsigned)bin : JITTER_BINS - 1;
}

static int32_t
bin_end_us(unsigned bin)
{
	const int32_t fine = (int32_t)(bin + 1) * BIN_FINE_US;
	const int32_t coarse =
	        BINS_FINE * BIN_FINE_US + ((int32_t)bin + 1 - BINS_FINE) * BIN_COARSE_US;
	return bin < BINS_FINE ? fine : coarse;
}

static int32_t
quantile_us(const struct jitter_buffer *jitter)
{
	const uint32_t allowed = jitter->histogram_total * LATE_PER_MILLE / 1000;
	uint32_t later = 0;
	unsigned bin = JITTER_BINS - 1;
	for (; bin > 0; bin--) {
		later += jitter->histogram[bin];
		if (later > allowed)
			break;
	}
	return bin_end_us(bin) + TARGET_RESERVE_US;
}

/* Up at once, down slowly. */
static void
update_target(struct jitter_buffer *jitter, int64_t now_us)
{
	int32_t wanted = quantile_us(jitter);
	/* A copy of a lost packet comes with its successor: worth the wait where packets do get
	 * lost. */
	if (jitter->fec_seen && jitter->loss_q16 > LOSS_FOR_FEC_Q16)
		wanted += (int32_t)us_of(jitter, jitter->duration_rtp);
	if (wanted < jitter->settings.delay_us_min)
		wanted = jitter->settings.delay_us_min;
	if (wanted > jitter->settings.delay_us_max)
		wanted = jitter->settings.delay_us_max;

	const int64_t passed_us = now_us - jitter->target_at_us;
	const int64_t fall_us = passed_us * TARGET_FALL_US_PER_S / 1000000;
	if (wanted >= jitter->stats.target_us) {
		jitter->stats.target_us = wanted;
		jitter->target_at_us = now_us;
	} else if (fall_us > 0) {
		const int64_t fallen = jitter->stats.target_us - fall_us;
		jitter->stats.target_us = fallen > wanted ? (int32_t)fallen : wanted;
		jitter->target_at_us = now_us;
	}
}

static void
count_lateness(struct jitter_buffer *jitter, int64_t late_us)
{
	jitter->histogram[bin_of(late_us)] += HISTOGRAM_UNIT;
	jitter->histogram_total += HISTOGRAM_UNIT;
	if (++jitter->histogram_age < HISTOGRAM_AGE_PACKETS)
		return;
	jitter->histogram_age = 0;
	uint32_t total = 0;
	for (unsigned bin = 0; bin < JITTER_BINS; bin++) {
		const uint16_t n = jitter->histogram[bin];
		jitter->histogram[bin] = n < 8 ? 0 : (uint16_t)(n - n / 8);
		total += jitter->histogram[bin];
	}
	jitter->histogram_total = total;
}

static void
rebase(struct jitter_buffer *jitter, int64_t transit_us, int64_t now_us)
{
	jitter->base_us = transit_us;
	jitter->window_base_us = transit_us;
	jitter->window_end_us = now_us + BASE_WINDOW_US;
	jitter->transit_us = transit_us;
	jitter->far_count = 0;
}

/* Every packet with a timestamp of its own, late ones as well: they are why delay must grow. */
static void
observe(struct jitter_buffer *jitter, int64_t transit_us, int64_t now_us)
{
	/* RFC 3550 s6.4.1. */
	int64_t change_us = transit_us - jitter->transit_us;
	change_us = change_us < 0 ? -change_us : change_us;
	const int64_t change_q4 = change_us * jitter->settings.clock_hz / 1000000 * 16;
	jitter->jitter_q4 += (change_q4 - jitter->jitter_q4) / 16;
	jitter->stats.jitter_rtp = (uint32_t)(jitter->jitter_q4 / 16);
	jitter->transit_us = transit_us;

	if (now_us >= jitter->window_end_us) {
		jitter->base_us = jitter->window_base_us;
		jitter->window_base_us = transit_us;
		jitter->window_end_us = now_us + BASE_WINDOW_US;
	}
	if (transit_us < jitter->window_base_us)
		jitter->window_base_us = transit_us;
	if (transit_us < jitter->base_us)
		jitter->base_us = transit_us;

	const int64_t late_us = transit_us - jitter->base_us;
	if (late_us <= jitter->settings.delay_us_max + CATCH_UP_US)
		jitter->far_count = 0;
	else if (++jitter->far_count >= FAR_COUNT_MAX)
		rebase(jitter, transit_us, now_us); /* the way has become longer for good */
	count_lateness(jitter, transit_us - jitter->base_us);
	update_target(jitter, now_us);
}

static void
count_loss(struct jitter_buffer *jitter, bool lost)
{
	const uint32_t past = jitter->loss_q16 - (jitter->loss_q16 >> LOSS_SHIFT);
	jitter->loss_q16 = past + (lost ? 65536u >> LOSS_SHIFT : 0);
}

/* ---- input ---- */

void
jitter_init(struct jitter_buffer *jitter, struct jitter_pool *pool,
            const struct jitter_settings *settings)
{
	CHECK(settings->clock_hz >= 8000 && settings->clock_hz <= 96000);
	CHECK(settings->delay_us_min >= 0 && settings->delay_us_max <= JITTER_DELAY_US_MAX);
	*jitter = (struct jitter_buffer){ .pool = pool, .settings = *settings };
	if (jitter->settings.delay_us_max == 0)
		jitter->settings.delay_us_max = DELAY_US_MAX_DEFAULT;
	CHECK(jitter->settings.delay_us_min <= jitter->settings.delay_us_max);
	jitter->duration_rtp = frame_rtp(jitter);
	jitter->stats.target_us = TARGET_US_FIRST;
	if (jitter->stats.target_us < jitter->settings.delay_us_min)
		jitter->stats.target_us = jitter->settings.delay_us_min;
}

void
jitter_fini(struct jitter_buffer *jitter)
{
	drop_all(jitter);
	*jitter = (struct jitter_buffer){ .pool = NULL };
}

static void
restart(struct jitter_buffer *jitter, const struct jitter_packet *packet, int64_t now_us)
{
	if (jitter->state != STATE_EMPTY)
		jitter->stats.restarts++;
	else
		jitter->target_at_us = now_us;
	drop_all(jitter);
	jitter->state = STATE_STARTING;
	jitter->ssrc = packet->ssrc;
	jitter->next = packet->sequence;
	jitter->newest = packet->sequence;
	jitter->seen = 0;
	jitter->stray_seen = false;
	jitter->in_pause = false;
	jitter->fec_seen = false;
	jitter->held_rtp = 0;
	jitter->newest_timestamp = packet->timestamp_rtp;
	jitter->play = packet->timestamp_rtp;
	rebase(jitter, now_us - us_of(jitter, packet->timestamp_rtp), now_us);
}

static int64_t
extended(const struct jitter_buffer *jitter, uint32_t timestamp_rtp)
{
	const uint32_t low = (uint32_t)jitter->newest_timestamp;
	return jitter->newest_timestamp + (int32_t)(timestamp_rtp - low);
}

/* A burst of very short packets may fill the window before its time. */
static bool
is_overflowing(const struct jitter_buffer *jitter, const struct jitter_packet *packet)
{
	const uint16_t ahead = (uint16_t)(packet->sequence - jitter->next);
	return jitter->count >= JITTER_PACKETS_MAX * 3 / 4 && ahead >= JITTER_PACKETS_MAX &&
	       ahead < 2 * JITTER_PACKETS_MAX;
}

/* Is the packet's place in the sequence near enough to be believed?  A source that has begun anew
 * shows by two strays in a row (RFC 3550 A.1). */
static bool
believe_sequence(struct jitter_buffer *jitter, const struct jitter_packet *packet, int64_t now_us)
{
	const int16_t ahead = (int16_t)(packet->sequence - jitter->next);
	if (ahead < JITTER_PACKETS_MAX && ahead > -1000) {
		jitter->stray_seen = false;
		return true;
	}
	if (jitter->stray_seen && packet->sequence == jitter->stray) {
		restart(jitter, packet, now_us);
		return true;
	}
	jitter->stray_seen = true;
	jitter->stray = (uint16_t)(packet->sequence + 1);
	return false;
}

/* Remembers the number; false when it came before. */
static bool
first_time(struct jitter_buffer *jitter, uint16_t sequence)
{
	const int16_t ahead = (int16_t)(sequence - jitter->newest);
	if (ahead > 0) {
		jitter->seen = ahead < 64 ? jitter->seen << ahead | 1 : 1;
		return true;
	}
	if (ahead <= -64)
		return true; /* too old to know; too late anyway */
	const uint64_t bit = (uint64_t)1 << -ahead;
	if ((jitter->seen & bit) != 0)
		return false;
	jitter->seen |= bit;
	return true;
}

static enum jitter_verdict
store(struct jitter_buffer *jitter, const struct jitter_packet *packet, int64_t timestamp)
{
	struct jitter_entry *entry = slot_of(jitter, packet->sequence);
	CHECK((entry->flags & ENTRY_USED) == 0);
	uint32_t chunk = 0;
	if (packet->kind != JITTER_OTHER && packet->len != 0) {
		chunk = jitter_pool_store(jitter->pool, packet->payload, packet->len);
		if (chunk == 0)
			return JITTER_NO_CHUNK;
	}
	*entry = (struct jitter_entry){
		.timestamp = timestamp,
		.duration_rtp = packet->duration_rtp,
		.chunk = chunk,
		.len = chunk != 0 ? (uint16_t)packet->len : 0,
		.sequence = packet->sequence,
		.kind = packet->kind,
		.tag = packet->tag,
		.flags = (uint8_t)(ENTRY_USED | (packet->fec ? ENTRY_FEC : 0) |
		                   (packet->pause_follows ? ENTRY_PAUSE : 0)),
	};
	jitter->count++;
	return JITTER_TAKEN;
}

static enum jitter_verdict
insert(struct jitter_buffer *jitter, const struct jitter_packet *packet, int64_t now_us)
{
	if (jitter->state == STATE_EMPTY || packet->ssrc != jitter->ssrc)
		restart(jitter, packet, now_us);
	else if (is_overflowing(jitter, packet))
		return JITTER_FULL;
	else if (!believe_sequence(jitter, packet, now_us))
		return JITTER_STRAY;

	int64_t timestamp = extended(jitter, packet->timestamp_rtp);
	int64_t transit_us = now_us - us_of(jitter, timestamp);
	const bool newer = (int16_t)(packet->sequence - jitter->newest) > 0;
	const int64_t off_us = transit_us - jitter->base_us;
	if (packet->kind != JITTER_OTHER && newer && (off_us > JUMP_US || off_us < -JUMP_US)) {
		restart(jitter, packet, now_us);
		timestamp = packet->timestamp_rtp;
		transit_us = jitter->base_us;
	}
	if (!first_time(jitter, packet->sequence))
		return JITTER_DUPLICATE;
	if (packet->kind != JITTER_OTHER)
		observe(jitter, transit_us, now_us);
	if ((int16_t)(packet->sequence - jitter->newest) > 0) {
		jitter->newest = packet->sequence;
		jitter->newest_timestamp = timestamp;
	}
	if (packet->kind == JITTER_VOICE)
		jitter->fec_seen = packet->fec;

	const int16_t ahead = (int16_t)(packet->sequence - jitter->next);
	if (ahead < 0) {
		/* Before the first sound, a packet that was overtaken is still welcome. */
		const int16_t span = (int16_t)(jitter->newest - packet->sequence);
		if (jitter->state != STATE_STARTING || jitter->count == 0 ||
		    span >= JITTER_PACKETS_MAX)
			return JITTER_LATE;
		jitter->next = packet->sequence;
	}
	return store(jitter, packet, timestamp);
}

enum jitter_verdict
jitter_insert(struct jitter_buffer *jitter, const struct jitter_packet *packet, int64_t now_us)
{
	CHECK(packet->kind != JITTER_VOICE || packet->duration_rtp != 0);
	CHECK(packet->len <= AUDIO_PAYLOAD_BYTES_MAX);
	const enum jitter_verdict verdict = insert(jitter, packet, now_us);
	jitter->stats.verdicts[verdict]++;
	return verdict;
}

/* ---- output ---- */

static struct jitter_decision
wait_for_more(void)
{
	return (struct jitter_decision){ .action = JITTER_WAIT };
}

static struct jitter_decision
conceal(uint32_t duration_rtp)
{
	return (struct jitter_decision){ .action = JITTER_CONCEAL, .duration_rtp = duration_rtp };
}

/* Takes the packet at `next` out. */
static struct jitter_decision
take(struct jitter_buffer *jitter, struct jitter_entry *entry, bool fresh)
{
	CHECK(entry->sequence == jitter->next);
	struct jitter_decision decision = {
		.action = entry->kind == JITTER_NOISE ? JITTER_COMFORT : JITTER_DECODE,
		.tag = entry->tag,
		.fresh = fresh,
		.duration_rtp = entry->duration_rtp,
		.len = entry->len,
	};
	if (entry->chunk != 0)
		decision.payload = jitter_pool_read(jitter->pool, entry->chunk, entry->len);
	if (entry->kind == JITTER_VOICE) {
		jitter->stats.decoded++;
		jitter->duration_rtp = entry->duration_rtp;
		jitter->play = entry->timestamp + entry->duration_rtp;
		jitter->in_pause = (entry->flags & ENTRY_PAUSE) != 0;
	} else {
		jitter->play = entry->timestamp;
		jitter->in_pause = true;
	}
	jitter->held_rtp = 0;
	count_loss(jitter, false);
	jitter->next++;
	drop(jitter, entry);
	return decision;
}

/* Telephone events use up a sequence number and end in a pause of their own. */
static void
pass_event(struct jitter_buffer *jitter, struct jitter_entry *entry)
{
	jitter->in_pause = true;
	jitter->next++;
	drop(jitter, entry);
}

/* Nothing at all is there.  A packet that is only late must not be overtaken, so time stands still
 * for the timestamps; what was invented is accounted for when it is known what it stood for. */
static struct jitter_decision
hold(struct jitter_buffer *jitter)
{
	if (jitter->in_pause || jitter->state != STATE_PLAYING)
		return wait_for_more();
	if (jitter->held_rtp == 0)
		jitter->stats.underruns++;
	if (us_of(jitter, jitter->held_rtp) >= HOLD_US_MAX) {
		jitter->in_pause = true;
		return wait_for_more();
	}
	jitter->held_rtp += jitter->duration_rtp;
	return conceal(jitter->duration_rtp);
}

static bool
is_due(const struct jitter_buffer *jitter, const struct jitter_entry *entry, uint32_t pending_rtp,
       int64_t now_us)
{
	return delay_us(jitter, entry->timestamp, pending_rtp, now_us) >=
	       jitter->stats.target_us + reserve_us(jitter, pending_rtp);
}

/* What a hole between `play` and the next packet means when its sequence numbers are missing. */
static struct jitter_decision
fill_loss(struct jitter_buffer *jitter, const struct jitter_entry *after, uint16_t missing)
{
	const int64_t gap = after->timestamp - jitter->play;
	uint32_t duration_rtp = jitter->duration_rtp;
	if (missing == 1 && gap < duration_rtp)
		duration_rtp = (uint32_t)gap;

	jitter->next++;
	jitter->play += duration_rtp;
	count_loss(jitter, true);
	if (missing == 1 && (after->flags & ENTRY_FEC) != 0) {
		jitter->stats.recovered++;
		return (struct jitter_decision){
			.action = JITTER_FEC,
			.tag = after->tag,
			.duration_rtp = duration_rtp,
			.payload = jitter_pool_read(jitter->pool, after->chunk, after->len),
			.len = after->len,
		};
	}
	jitter->stats.concealed++;
	return conceal(duration_rtp);
}

/* Settles what was invented while the buffer was empty against what has come now. */
static void
settle_hold(struct jitter_buffer *jitter, const struct jitter_entry *entry)
{
	const int64_t gap = entry->timestamp - jitter->play;
	uint16_t missing = (uint16_t)(entry->sequence - jitter->next);
	uint32_t held = jitter->held_rtp;
	jitter->held_rtp = 0;
	while (missing > 0 && held >= jitter->duration_rtp) {
		held -= jitter->duration_rtp;
		jitter->play += jitter->duration_rtp;
		jitter->next++;
		missing--;
		jitter->stats.concealed++;
		count_loss(jitter, true);
	}
	/* A pause without a loss: the sender says nothing, and we have gone on for a moment. */
	if (missing == 0 && gap > 0 && jitter->play < entry->timestamp) {
		const int64_t left = entry->timestamp - jitter->play;
		jitter->play += left < held ? left : held;
	}
}

/* Passes over packets whose delay is beyond everything allowed; true when it did. */
static bool
catch_up(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	bool dropped = false;
	while (jitter->count > 1) {
		struct jitter_entry *entry = first_entry(jitter);
		const int64_t allowed = jitter->settings.delay_us_max + CATCH_UP_US +
		                        reserve_us(jitter, pending_rtp);
		if (delay_us(jitter, entry->timestamp, pending_rtp, now_us) <= allowed)
			break;
		jitter->next = (uint16_t)(entry->sequence + 1);
		jitter->play = entry->timestamp + entry->duration_rtp;
		jitter->held_rtp = 0;
		jitter->stats.skipped++;
		drop(jitter, entry);
		dropped = true;
	}
	return dropped;
}

/* Lets go of packets whose whole time has passed; they were not wanted when it was there. */
static void
drop_past(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	for (struct jitter_entry *entry; (entry = first_entry(jitter)) != NULL;) {
		const int64_t end = entry->timestamp + entry->duration_rtp;
		if (entry->kind == JITTER_VOICE)
			jitter->duration_rtp = entry->duration_rtp;
		if (delay_us(jitter, end, pending_rtp, now_us) <
		    jitter->stats.target_us + reserve_us(jitter, pending_rtp))
			break;
		jitter->next = (uint16_t)(entry->sequence + 1);
		jitter->play = end;
		jitter->stats.skipped++;
		drop(jitter, entry);
	}
}

static struct jitter_decision
start(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	struct jitter_entry *entry;
	if (jitter->skipping)
		drop_past(jitter, pending_rtp, now_us);
	while ((entry = first_entry(jitter)) != NULL) {
		jitter->next = entry->sequence;
		if (entry->kind == JITTER_OTHER) {
			pass_event(jitter, entry);
			continue;
		}
		if (entry->kind == JITTER_NOISE)
			return take(jitter, entry, true);
		jitter->duration_rtp = entry->duration_rtp;
		if (!is_due(jitter, entry, pending_rtp, now_us))
			break;
		jitter->state = STATE_PLAYING;
		jitter->skipping = false;
		return take(jitter, entry, true);
	}
	return wait_for_more();
}

static struct jitter_decision
play(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	const bool fresh = catch_up(jitter, pending_rtp, now_us);
	for (struct jitter_entry *entry; (entry = first_entry(jitter)) != NULL;) {
		if (jitter->held_rtp != 0)
			settle_hold(jitter, entry);
		const uint16_t missing = (uint16_t)(entry->sequence - jitter->next);
		const int64_t gap = entry->timestamp - jitter->play;
		if (missing != 0 && !jitter->in_pause && gap > 0)
			return fill_loss(jitter, entry, missing);
		for (uint16_t i = 0; i < missing; i++)
			count_loss(jitter, true);
		jitter->stats.concealed += missing;
		jitter->next = entry->sequence;
		if (entry->kind == JITTER_OTHER) {
			pass_event(jitter, entry);
			continue;
		}
		/* A talk spurt after a pause is when delay can be changed without anybody
		 * hearing. */
		if (gap > 0 && !is_due(jitter, entry, pending_rtp, now_us)) {
			jitter->in_pause = true;
			return wait_for_more();
		}
		return take(jitter, entry, fresh);
	}
	return hold(jitter);
}

struct jitter_decision
jitter_next(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	struct jitter_decision decision = wait_for_more();
	switch (jitter->state) {
	case STATE_EMPTY:
		break;
	case STATE_STARTING:
		decision = start(jitter, pending_rtp, now_us);
		break;
	default:
		CHECK(jitter->state == STATE_PLAYING);
		decision = play(jitter, pending_rtp, now_us);
		break;
	}
	if (decision.action == JITTER_DECODE) {
		const int64_t start_rtp = jitter->play - decision.duration_rtp;
		jitter->stats.delay_us = (int32_t)delay_us(jitter, start_rtp, pending_rtp, now_us);
	}
	return decision;
}

/* Is a frame and a half there without a hole? */
static bool
has_spare(struct jitter_buffer *jitter, uint32_t pending_rtp)
{
	const uint32_t needed = frame_rtp(jitter) * 3 / 2;
	uint32_t there = pending_rtp;
	for (uint16_t sequence = jitter->next; there < needed; sequence++) {
		const struct jitter_entry *entry = entry_of(jitter, sequence);
		if (entry == NULL || entry->kind != JITTER_VOICE)
			return false;
		there += entry->duration_rtp;
	}
	return true;
}

struct jitter_stretch
jitter_stretch(struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us)
{
	struct jitter_stretch stretch = { .adjust = JITTER_KEEP };
	if (jitter->state != STATE_PLAYING || jitter->in_pause || jitter->held_rtp != 0)
		return stretch;

	const uint32_t grid = grid_rtp(jitter);
	const uint32_t left_over = pending_rtp % grid;
	const int64_t slack_us = delay_us(jitter, jitter->play, pending_rtp, now_us) -
	                         reserve_us(jitter, pending_rtp) - jitter->stats.target_us;
	stretch.spare = has_spare(jitter, pending_rtp);
	stretch.hurry = slack_us > HURRY_US || slack_us < -HURRY_US;
	if (slack_us >= us_of(jitter, grid) + SHORTEN_MARGIN_US) {
		stretch.adjust = JITTER_SHORTEN;
		stretch.rtp_max = rtp_of(jitter, slack_us);
	} else if (slack_us >= 0 && us_of(jitter, left_over) >= STRETCH_US_MIN) {
		stretch.adjust = JITTER_SHORTEN;
		stretch.rtp_max = left_over;
	} else if (slack_us < 0) {
		stretch.adjust = JITTER_LENGTHEN;
		stretch.rtp_max = grid > left_over ? grid - left_over : grid;
		if (us_of(jitter, stretch.rtp_max) < STRETCH_US_MIN)
			stretch.rtp_max = rtp_of(jitter, STRETCH_US_MIN) * 2;
	}
	return stretch;
}

void
jitter_skip(struct jitter_buffer *jitter, int64_t now_us)
{
	if (jitter->state == STATE_EMPTY)
		return;
	jitter->state = STATE_STARTING;
	jitter->skipping = true;
	jitter->held_rtp = 0;
	drop_past(jitter, 0, now_us);
}

bool
jitter_position(const struct jitter_buffer *jitter, uint32_t pending_rtp, int64_t now_us,
                struct jitter_position *out)
{
	if (jitter->state == STATE_EMPTY)
		return false;
	out->packet_us = us_of(jitter, jitter->duration_rtp);
	if (jitter->state == STATE_PLAYING && !jitter->in_pause && jitter->held_rtp == 0) {
		out->timestamp_rtp = (uint32_t)(jitter->play - pending_rtp);
		out->delay_us = delay_us(jitter, jitter->play, pending_rtp, now_us);
		return true;
	}
	out->delay_us = jitter->stats.target_us + reserve_us(jitter, pending_rtp);
	out->timestamp_rtp = rtp_of(jitter, now_us - jitter->base_us - out->delay_us);
	return true;
}

bool
jitter_is_idle(const struct jitter_buffer *jitter)
{
	return jitter->count == 0 && (jitter->in_pause || jitter->state != STATE_PLAYING);
}
