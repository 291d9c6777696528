/* SPDX-License-Identifier: Apache-2.0 */
/* Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 s3.1): a run of
 * packet statuses in 16-bit chunks, then an arrival delta for each packet received. */
#include "base/check.h"
#include "rtp/rtcp_fb.h"
#include "rtp/rtcp_fb_internal.h"

enum {
	FIXED_BYTES = 8,    /* base, count, reference time, number of the message */
	RUN_MAX = 0x1fff,   /* s3.1.3 */
	SMALL_SYMBOLS = 14, /* s3.1.4: of a vector with one bit each */
	LARGE_SYMBOLS = 7,  /* with two bits each */
	ALIGN_BYTES = 3,    /* what may stand behind the deltas, up to the next word */
	CHUNK_VECTOR = 0x8000,
	CHUNK_TWO_BITS = 0x4000,
};

/* s3.1.1 */
enum symbol {
	SYMBOL_LOST = 0,
	SYMBOL_SMALL = 1, /* a delta of one byte, 0 to 63.75 ms */
	SYMBOL_LARGE = 2, /* of two bytes, signed */
	SYMBOL_RESERVED = 3,
};

/* ---- Reading ---- */

/* How many statuses a chunk holds. */
static uint16_t
chunk_len(uint16_t chunk)
{
	if ((chunk & CHUNK_VECTOR) == 0)
		return chunk & RUN_MAX;
	return (chunk & CHUNK_TWO_BITS) != 0 ? LARGE_SYMBOLS : SMALL_SYMBOLS;
}

/* The status of which `left` are still to come, itself included. */
static enum symbol
chunk_symbol(uint16_t chunk, uint16_t left)
{
	if ((chunk & CHUNK_VECTOR) == 0)
		return (enum symbol)(chunk >> 13);
	if ((chunk & CHUNK_TWO_BITS) == 0)
		return (enum symbol)(chunk >> (left - 1) & 1);
	return (enum symbol)(chunk >> 2 * (left - 1) & 3);
}

/* The deltas that the first `count` statuses of a chunk call for, or -1: a reserved status. */
static int
chunk_delta_bytes(uint16_t chunk, uint16_t count)
{
	const uint16_t len = chunk_len(chunk);
	int bytes = 0;
	if ((chunk & CHUNK_VECTOR) == 0) {
		const enum symbol symbol = chunk_symbol(chunk, len);
		return symbol != SYMBOL_RESERVED ? (int)symbol * count : -1;
	}
	for (uint16_t i = 0; i < count; i++) {
		const enum symbol symbol = chunk_symbol(chunk, (uint16_t)(len - i));
		if (symbol == SYMBOL_RESERVED)
			return -1;
		bytes += (int)symbol; /* a symbol's number is the length of its delta */
	}
	return bytes;
}

enum rtcp_fb_reject
rtcp_twcc_check(struct rtcp_fb *fb)
{
	struct reader r = reader_of(fb->fci, fb->fci_len);
	reader_skip(&r, 2);
	const uint16_t count = reader_u16(&r);
	reader_skip(&r, 4);
	if (r.failed)
		return RTCP_FB_REJECT_SHORT;
	if (count == 0 || count > RTCP_FB_STATUSES_MAX)
		return RTCP_FB_REJECT_STATUSES;

	size_t delta_bytes = 0;
	for (uint16_t left = count; left != 0;) {
		const uint16_t chunk = reader_u16(&r);
		/* The last chunk may hold more than is left.  A run of nothing leads nowhere, but
		 * no further than the message is long. */
		const uint16_t taken = chunk_len(chunk) < left ? chunk_len(chunk) : left;
		const int bytes = chunk_delta_bytes(chunk, taken);
		if (r.failed)
			return RTCP_FB_REJECT_CHUNKS;
		if (bytes < 0)
			return RTCP_FB_REJECT_SYMBOL;
		delta_bytes += (size_t)bytes;
		left = (uint16_t)(left - taken);
	}
	if (reader_left(&r) < delta_bytes || reader_left(&r) > delta_bytes + ALIGN_BYTES)
		return RTCP_FB_REJECT_DELTAS;
	fb->count = count;
	fb->deltas_at = (uint16_t)r.at;
	return RTCP_FB_OK;
}

struct rtcp_twcc
rtcp_fb_twcc(const struct rtcp_fb *fb)
{
	CHECK(fb->kind == RTCP_FB_TWCC);
	struct reader r = reader_of(fb->fci, fb->fci_len);
	struct rtcp_twcc twcc = { .base_seq = reader_u16(&r) };
	reader_skip(&r, 2);
	const uint32_t word = reader_u32(&r);
	twcc.reference = word >> 8;
	twcc.feedback_seq = (uint8_t)word;
	CHECK(!r.failed);
	return twcc;
}

void
rtcp_twcc_walk_init(struct rtcp_twcc_walk *walk, const struct rtcp_fb *fb)
{
	CHECK(fb->kind == RTCP_FB_TWCC);
	*walk = (struct rtcp_twcc_walk){
		.chunks = reader_of(fb->fci, fb->deltas_at),
		.deltas = reader_of(fb->fci, fb->fci_len),
		.seq = rtcp_fb_twcc(fb).base_seq,
		.left = fb->count,
	};
	reader_skip(&walk->chunks, FIXED_BYTES);
	reader_skip(&walk->deltas, fb->deltas_at);
}

bool
rtcp_twcc_walk_next(struct rtcp_twcc_walk *walk, struct rtcp_twcc_status *out)
{
	if (walk->left == 0)
		return false;
	while (walk->chunk_left == 0) {
		walk->chunk = reader_u16(&walk->chunks);
		walk->chunk_left = chunk_len(walk->chunk);
		CHECK(!walk->chunks.failed); /* rtcp_fb_parse() counted them */
	}
	const enum symbol symbol = chunk_symbol(walk->chunk, walk->chunk_left);
	if (symbol == SYMBOL_SMALL)
		walk->ticks += reader_u8(&walk->deltas);
	else if (symbol == SYMBOL_LARGE)
		walk->ticks += (int16_t)reader_u16(&walk->deltas);
	CHECK(!walk->deltas.failed);
	*out = (struct rtcp_twcc_status){
		.seq = walk->seq,
		.received = symbol != SYMBOL_LOST,
		.at_us = symbol != SYMBOL_LOST ? walk->ticks * RTCP_TWCC_TICK : 0,
	};
	walk->chunk_left--;
	walk->left--;
	walk->seq++;
	return true;
}

/* ---- Writing ---- */

/* What the first statuses of a report become. */
struct plan {
	uint8_t symbols[RTCP_FB_STATUSES_MAX];
	unsigned count;
	uint32_t reference;
	int64_t first_ticks; /* of the reference time */
};

/* Statuses up to the first delta that does not fit; false when none was received. */
static bool
plan_statuses(struct plan *plan, const struct rtcp_twcc_report *report)
{
	int64_t ticks = -1;
	for (plan->count = 0; plan->count < report->count; plan->count++) {
		const int64_t at_us = report->at_us[plan->count];
		plan->symbols[plan->count] = SYMBOL_LOST;
		if (at_us < 0)
			continue;
		if (ticks < 0) {
			const int64_t reference = at_us / RTCP_TWCC_REFERENCE;
			plan->reference = (uint32_t)reference & 0xffffff;
			ticks = reference * (RTCP_TWCC_REFERENCE / RTCP_TWCC_TICK);
			plan->first_ticks = ticks;
		}
		const int64_t delta = at_us / RTCP_TWCC_TICK - ticks;
		if (delta < INT16_MIN || delta > INT16_MAX)
			break;
		plan->symbols[plan->count] =
		        delta >= 0 && delta <= UINT8_MAX ? SYMBOL_SMALL : SYMBOL_LARGE;
		ticks += delta;
	}
	return ticks >= 0;
}

/* The chunk for the statuses from `at` on, and how many it takes: a run where it takes more than a
 * vector would, else the vector of the fewest bits. */
static uint16_t
plan_chunk(const struct plan *plan, unsigned at, unsigned *taken)
{
	const unsigned left = plan->count - at;
	const uint8_t *symbols = plan->symbols + at;
	unsigned run = 1;
	while (run < left && run < RUN_MAX && symbols[run] == symbols[0])
		run++;
	unsigned small = 0; /* that one bit each can tell */
	while (small < left && small < SMALL_SYMBOLS && symbols[small] != SYMBOL_LARGE)
		small++;
	const bool one_bit = small == left || small == SMALL_SYMBOLS;
	const unsigned vector_len = one_bit ? SMALL_SYMBOLS : LARGE_SYMBOLS;
	if (run >= vector_len || run == left) {
		*taken = run;
		return (uint16_t)((unsigned)symbols[0] << 13 | run);
	}
	*taken = vector_len < left ? vector_len : left;
	unsigned chunk = 0;
	for (unsigned i = 0; i < vector_len; i++) {
		const unsigned symbol = i < *taken ? symbols[i] : SYMBOL_LOST;
		chunk = chunk << (one_bit ? 1 : 2) | symbol;
	}
	return (uint16_t)(CHUNK_VECTOR | (one_bit ? 0 : CHUNK_TWO_BITS) | chunk);
}

/* Bytes of FCI for the first statuses that fit into `room`; `plan->count` shrinks to these. */
static size_t
plan_fit(struct plan *plan, size_t room)
{
	size_t bytes = FIXED_BYTES;
	unsigned at = 0;
	while (at < plan->count) {
		unsigned taken;
		size_t more = 2;
		(void)plan_chunk(plan, at, &taken);
		for (unsigned i = 0; i < taken; i++)
			more += plan->symbols[at + i];
		if ((bytes + more + 3) / 4 * 4 > room)
			break;
		bytes += more;
		at += taken;
	}
	plan->count = at;
	return bytes;
}

static bool
tells_of_arrivals(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		if (plan->symbols[i] != SYMBOL_LOST)
			return true;
	}
	return false;
}

static void
write_deltas(struct writer *w, const struct plan *plan, const int64_t *at_us)
{
	int64_t ticks = plan->first_ticks;
	for (unsigned i = 0; i < plan->count; i++) {
		if (plan->symbols[i] == SYMBOL_LOST)
			continue;
		const int64_t delta = at_us[i] / RTCP_TWCC_TICK - ticks;
		if (plan->symbols[i] == SYMBOL_SMALL)
			writer_u8(w, (uint8_t)delta);
		else
			writer_u16(w, (uint16_t)delta);
		ticks += delta;
	}
}

unsigned
rtcp_fb_write_twcc(struct writer *w, const struct rtcp_twcc_report *report)
{
	CHECK(report->count >= 1 && report->count <= RTCP_FB_STATUSES_MAX);
	struct plan plan;
	const size_t headers = RTCP_HEADER_BYTES + 8;
	if (w->failed || w->cap - w->at < headers || !plan_statuses(&plan, report))
		return 0;
	const size_t fci_len = plan_fit(&plan, w->cap - w->at - headers);
	if (!tells_of_arrivals(&plan))
		return 0;

	const size_t zeros = (4 - fci_len % 4) % 4;
	const struct rtcp_fb_header header = { .type = RTCP_RTPFB,
		                               .fmt = RTCP_FB_FMT_TWCC,
		                               .sender_ssrc = report->sender_ssrc,
		                               .media_ssrc = report->media_ssrc,
		                               .fci_len = fci_len + zeros };
	CHECK(rtcp_fb_write_header(w, &header));
	writer_u16(w, report->base_seq);
	writer_u16(w, (uint16_t)plan.count);
	writer_u32(w, plan.reference << 8 | report->feedback_seq);
	for (unsigned at = 0, taken; at < plan.count; at += taken)
		writer_u16(w, plan_chunk(&plan, at, &taken));
	write_deltas(w, &plan, report->at_us);
	/* As the draft's figure shows, without the P bit: that is for the last of a compound only
	 * (RFC 3550 s6.4.1), and others may come behind. */
	for (size_t i = 0; i < zeros; i++)
		writer_u8(w, 0);
	CHECK(!w->failed);
	return plan.count;
}
