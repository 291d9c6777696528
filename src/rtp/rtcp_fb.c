/* SPDX-License-Identifier: Apache-2.0 */
/* Feedback messages with fixed entries; the transport-wide ones are in rtcp_twcc.c. */
#include "rtp/rtcp_fb.h"

#include "base/check.h"
#include "rtp/rtcp_fb_internal.h"

enum {
	FMT_NACK = 1, /* of RTPFB */
	FMT_TMMBR = 3,
	FMT_TMMBN = 4,
	FMT_PLI = 1, /* of PSFB */
	FMT_FIR = 4,
	FMT_AFB = 15,

	SSRCS_BYTES = 8,
	PAIR_BYTES = 4,  /* PID and BLP */
	ENTRY_BYTES = 8, /* FIR, TMMBR, TMMBN */
	REMB_BYTES = 8,  /* name, count, bit rate */

	BITRATE_BITS_MAX = 63,
};

#define REMB_NAME UINT32_C(0x52454d42) /* "REMB" */

/* ---- Reading ---- */

/* A mantissa and an exponent that may be forged: false when the product is out of bounds. */
static bool
bitrate_fits(uint32_t mantissa, unsigned exponent)
{
	return mantissa == 0 ||
	       (exponent < BITRATE_BITS_MAX && mantissa <= (UINT64_MAX >> 1) >> exponent);
}

static uint64_t
bitrate_of(uint32_t mantissa, unsigned exponent)
{
	CHECK(bitrate_fits(mantissa, exponent));
	return mantissa != 0 ? (uint64_t)mantissa << exponent : 0;
}

/* RFC 5104 s4.2.1.1: 6 bits of exponent, 17 of mantissa, 9 of overhead. */
static unsigned
tmmb_exponent(uint32_t word)
{
	return word >> 26;
}

static uint32_t
tmmb_mantissa(uint32_t word)
{
	return word >> 9 & 0x1ffff;
}

/* REMB s2.2: 8 bits of count, 6 of exponent, 18 of mantissa. */
static unsigned
remb_exponent(uint32_t word)
{
	return word >> 18 & 0x3f;
}

static uint32_t
remb_mantissa(uint32_t word)
{
	return word & 0x3ffff;
}

static uint32_t
word_at(const struct rtcp_fb *fb, size_t at)
{
	struct reader r = reader_of(fb->fci, fb->fci_len);
	reader_skip(&r, at);
	const uint32_t word = reader_u32(&r);
	CHECK(!r.failed);
	return word;
}

/* An FCI of whole entries. */
static enum rtcp_fb_reject
count_entries(struct rtcp_fb *fb, uint16_t entry_bytes, unsigned count_min)
{
	if (fb->fci_len % entry_bytes != 0)
		return RTCP_FB_REJECT_ENTRIES;
	fb->count = fb->fci_len / entry_bytes;
	return fb->count >= count_min ? RTCP_FB_OK : RTCP_FB_REJECT_ENTRIES;
}

static enum rtcp_fb_reject
check_tmmb(struct rtcp_fb *fb, unsigned count_min)
{
	const enum rtcp_fb_reject reject = count_entries(fb, ENTRY_BYTES, count_min);
	if (reject != RTCP_FB_OK)
		return reject;
	for (unsigned i = 0; i < fb->count; i++) {
		const uint32_t word = word_at(fb, (size_t)i * ENTRY_BYTES + 4);
		if (!bitrate_fits(tmmb_mantissa(word), tmmb_exponent(word)))
			return RTCP_FB_REJECT_BITRATE;
	}
	return RTCP_FB_OK;
}

/* Application layer feedback: REMB, or something that is not ours to judge. */
static enum rtcp_fb_reject
check_afb(struct rtcp_fb *fb)
{
	fb->kind = RTCP_FB_OTHER;
	if (fb->fci_len < 4 || word_at(fb, 0) != REMB_NAME)
		return RTCP_FB_OK;
	if (fb->fci_len < REMB_BYTES)
		return RTCP_FB_REJECT_SHORT;
	const uint32_t word = word_at(fb, 4);
	fb->count = (uint16_t)(word >> 24);
	if (fb->fci_len != REMB_BYTES + 4u * fb->count)
		return RTCP_FB_REJECT_ENTRIES;
	if (!bitrate_fits(remb_mantissa(word), remb_exponent(word)))
		return RTCP_FB_REJECT_BITRATE;
	fb->kind = RTCP_FB_REMB;
	return RTCP_FB_OK;
}

static enum rtcp_fb_reject
check_rtpfb(struct rtcp_fb *fb, unsigned fmt)
{
	switch (fmt) {
	case FMT_NACK:
		fb->kind = RTCP_FB_NACK;
		return count_entries(fb, PAIR_BYTES, 1);
	case FMT_TMMBR:
		fb->kind = RTCP_FB_TMMBR;
		return check_tmmb(fb, 1);
	case FMT_TMMBN:
		fb->kind = RTCP_FB_TMMBN;
		return check_tmmb(fb, 0); /* RFC 5104 s4.2.2.1: nobody bounds */
	case RTCP_FB_FMT_TWCC:
		fb->kind = RTCP_FB_TWCC;
		return rtcp_twcc_check(fb);
	default:
		return RTCP_FB_OK;
	}
}

static enum rtcp_fb_reject
check_psfb(struct rtcp_fb *fb, unsigned fmt)
{
	switch (fmt) {
	case FMT_PLI: /* RFC 4585 s6.3.1.2: there must be no FCI */
		fb->kind = RTCP_FB_PLI;
		return fb->fci_len == 0 ? RTCP_FB_OK : RTCP_FB_REJECT_ENTRIES;
	case FMT_FIR:
		fb->kind = RTCP_FB_FIR;
		return count_entries(fb, ENTRY_BYTES, 1);
	case FMT_AFB:
		return check_afb(fb);
	default:
		return RTCP_FB_OK;
	}
}

enum rtcp_fb_reject
rtcp_fb_parse(struct rtcp_fb *out, const struct rtcp_packet *packet)
{
	if (packet->type != RTCP_RTPFB && packet->type != RTCP_PSFB)
		return RTCP_FB_REJECT_TYPE;
	struct reader r = reader_of(packet->body, packet->body_len);
	struct rtcp_fb fb = { .kind = RTCP_FB_OTHER, .sender_ssrc = reader_u32(&r) };
	fb.media_ssrc = reader_u32(&r);
	if (r.failed)
		return RTCP_FB_REJECT_SHORT;
	fb.fci = packet->body + SSRCS_BYTES;
	fb.fci_len = (uint16_t)(packet->body_len - SSRCS_BYTES);
	const enum rtcp_fb_reject reject = packet->type == RTCP_RTPFB
	                                           ? check_rtpfb(&fb, packet->count)
	                                           : check_psfb(&fb, packet->count);
	if (reject == RTCP_FB_OK)
		*out = fb;
	return reject;
}

const char *
rtcp_fb_reject_name(enum rtcp_fb_reject reject)
{
	static const char *const names[] = {
		[RTCP_FB_OK] = "ok",
		[RTCP_FB_REJECT_TYPE] = "type",
		[RTCP_FB_REJECT_SHORT] = "short",
		[RTCP_FB_REJECT_ENTRIES] = "entries",
		[RTCP_FB_REJECT_BITRATE] = "bitrate",
		[RTCP_FB_REJECT_STATUSES] = "statuses",
		[RTCP_FB_REJECT_CHUNKS] = "chunks",
		[RTCP_FB_REJECT_SYMBOL] = "symbol",
		[RTCP_FB_REJECT_DELTAS] = "deltas",
	};
	static_assert(COUNT_OF(names) == RTCP_FB_REJECT_COUNT, "a name for each");
	CHECK(reject < RTCP_FB_REJECT_COUNT);
	return names[reject];
}

bool
rtcp_fb_nack_next(const struct rtcp_fb *fb, uint32_t *at, uint16_t *seq)
{
	CHECK(fb->kind == RTCP_FB_NACK);
	/* `*at` counts 17 places a pair: the PID itself, then the 16 bits of the BLP. */
	for (; *at < 17u * fb->count; ++*at) {
		const uint32_t word = word_at(fb, (size_t)(*at / 17) * PAIR_BYTES);
		const unsigned place = *at % 17;
		if (place == 0 || (word >> (place - 1) & 1) != 0) {
			*seq = (uint16_t)((word >> 16) + place);
			++*at;
			return true;
		}
	}
	return false;
}

struct rtcp_fir
rtcp_fb_fir(const struct rtcp_fb *fb, unsigned at)
{
	CHECK(fb->kind == RTCP_FB_FIR);
	CHECK(at < fb->count);
	return (struct rtcp_fir){
		.ssrc = word_at(fb, (size_t)at * ENTRY_BYTES),
		.seq = (uint8_t)(word_at(fb, (size_t)at * ENTRY_BYTES + 4) >> 24),
	};
}

struct rtcp_tmmb
rtcp_fb_tmmb(const struct rtcp_fb *fb, unsigned at)
{
	CHECK(fb->kind == RTCP_FB_TMMBR || fb->kind == RTCP_FB_TMMBN);
	CHECK(at < fb->count);
	const uint32_t word = word_at(fb, (size_t)at * ENTRY_BYTES + 4);
	return (struct rtcp_tmmb){
		.ssrc = word_at(fb, (size_t)at * ENTRY_BYTES),
		.bitrate_bps = bitrate_of(tmmb_mantissa(word), tmmb_exponent(word)),
		.overhead_bytes = word & 0x1ff,
	};
}

uint64_t
rtcp_fb_remb_bps(const struct rtcp_fb *fb)
{
	CHECK(fb->kind == RTCP_FB_REMB);
	const uint32_t word = word_at(fb, 4);
	return bitrate_of(remb_mantissa(word), remb_exponent(word));
}

uint32_t
rtcp_fb_remb_ssrc(const struct rtcp_fb *fb, unsigned at)
{
	CHECK(fb->kind == RTCP_FB_REMB);
	CHECK(at < fb->count);
	return word_at(fb, REMB_BYTES + 4 * (size_t)at);
}

/* ---- Writing ---- */

bool
rtcp_fb_write_header(struct writer *w, const struct rtcp_fb_header *header)
{
	CHECK(header->fci_len % 4 == 0);
	CHECK(header->fmt <= 31);
	const size_t len = RTCP_HEADER_BYTES + SSRCS_BYTES + header->fci_len;
	if (w->failed || w->cap - w->at < len) {
		w->failed = true;
		return false;
	}
	writer_u8(w, (uint8_t)(2u << 6 | header->fmt));
	writer_u8(w, (uint8_t)header->type);
	writer_u16(w, (uint16_t)(len / 4 - 1));
	writer_u32(w, header->sender_ssrc);
	writer_u32(w, header->media_ssrc);
	return true;
}

/* Gathers into pairs what lies within 17 numbers; returns how many pairs. */
static unsigned
pack_nack(uint32_t *pairs, const uint16_t *seqs, unsigned count)
{
	unsigned packed = 0;
	for (unsigned i = 0; i < count;) {
		const uint16_t pid = seqs[i++];
		uint32_t blp = 0;
		for (; i < count; i++) {
			const uint16_t after = (uint16_t)(seqs[i] - pid);
			CHECK((uint16_t)(seqs[i] - seqs[i - 1] - 1) < 0x7fff); /* ascending */
			if (after > 16)
				break;
			blp |= UINT32_C(1) << (after - 1);
		}
		pairs[packed++] = (uint32_t)pid << 16 | blp;
	}
	return packed;
}

void
rtcp_fb_write_nack(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                   const uint16_t *seqs, unsigned count)
{
	CHECK(count >= 1 && count <= RTCP_FB_ENTRIES_MAX);
	uint32_t pairs[RTCP_FB_ENTRIES_MAX];
	const unsigned packed = pack_nack(pairs, seqs, count);
	const struct rtcp_fb_header header = { .type = RTCP_RTPFB,
		                               .fmt = FMT_NACK,
		                               .sender_ssrc = sender_ssrc,
		                               .media_ssrc = media_ssrc,
		                               .fci_len = (size_t)packed * PAIR_BYTES };
	if (!rtcp_fb_write_header(w, &header))
		return;
	for (unsigned i = 0; i < packed; i++)
		writer_u32(w, pairs[i]);
}

void
rtcp_fb_write_pli(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc)
{
	const struct rtcp_fb_header header = { .type = RTCP_PSFB,
		                               .fmt = FMT_PLI,
		                               .sender_ssrc = sender_ssrc,
		                               .media_ssrc = media_ssrc };
	(void)rtcp_fb_write_header(w, &header);
}

void
rtcp_fb_write_fir(struct writer *w, uint32_t sender_ssrc, const struct rtcp_fir *entries,
                  unsigned count)
{
	CHECK(count >= 1 && count <= RTCP_FB_ENTRIES_MAX);
	const struct rtcp_fb_header header = { .type = RTCP_PSFB,
		                               .fmt = FMT_FIR,
		                               .sender_ssrc = sender_ssrc,
		                               .fci_len = (size_t)count * ENTRY_BYTES };
	if (!rtcp_fb_write_header(w, &header))
		return;
	for (unsigned i = 0; i < count; i++) {
		writer_u32(w, entries[i].ssrc);
		writer_u32(w, (uint32_t)entries[i].seq << 24);
	}
}

/* The largest value of `bits` significant bits that is not above `bps`. */
static uint32_t
mantissa_of(uint64_t bps, unsigned bits, unsigned *exponent)
{
	for (*exponent = 0; bps >> bits != 0; ++*exponent)
		bps >>= 1;
	return (uint32_t)bps;
}

static void
write_tmmb(struct writer *w, const struct rtcp_fb_header *header, const struct rtcp_tmmb *entries,
           unsigned count)
{
	if (!rtcp_fb_write_header(w, header))
		return;
	for (unsigned i = 0; i < count; i++) {
		CHECK(entries[i].overhead_bytes <= 0x1ff);
		CHECK(entries[i].bitrate_bps >> BITRATE_BITS_MAX == 0);
		unsigned exponent;
		const uint32_t mantissa = mantissa_of(entries[i].bitrate_bps, 17, &exponent);
		writer_u32(w, entries[i].ssrc);
		writer_u32(w, exponent << 26 | mantissa << 9 | entries[i].overhead_bytes);
	}
}

void
rtcp_fb_write_tmmbr(struct writer *w, uint32_t sender_ssrc, const struct rtcp_tmmb *entries,
                    unsigned count)
{
	CHECK(count >= 1 && count <= RTCP_FB_ENTRIES_MAX);
	const struct rtcp_fb_header header = { .type = RTCP_RTPFB,
		                               .fmt = FMT_TMMBR,
		                               .sender_ssrc = sender_ssrc,
		                               .fci_len = (size_t)count * ENTRY_BYTES };
	write_tmmb(w, &header, entries, count);
}

void
rtcp_fb_write_tmmbn(struct writer *w, uint32_t sender_ssrc, const struct rtcp_tmmb *entries,
                    unsigned count)
{
	CHECK(count <= RTCP_FB_ENTRIES_MAX);
	const struct rtcp_fb_header header = { .type = RTCP_RTPFB,
		                               .fmt = FMT_TMMBN,
		                               .sender_ssrc = sender_ssrc,
		                               .fci_len = (size_t)count * ENTRY_BYTES };
	write_tmmb(w, &header, entries, count);
}

void
rtcp_fb_write_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                   const uint32_t *ssrcs, unsigned count)
{
	CHECK(count <= RTCP_FB_ENTRIES_MAX);
	CHECK(bitrate_bps >> BITRATE_BITS_MAX == 0);
	const struct rtcp_fb_header header = { .type = RTCP_PSFB,
		                               .fmt = FMT_AFB,
		                               .sender_ssrc = sender_ssrc,
		                               .fci_len = REMB_BYTES + 4 * (size_t)count };
	if (!rtcp_fb_write_header(w, &header))
		return;
	unsigned exponent;
	const uint32_t mantissa = mantissa_of(bitrate_bps, 18, &exponent);
	writer_u32(w, REMB_NAME);
	writer_u32(w, count << 24 | exponent << 18 | mantissa);
	for (unsigned i = 0; i < count; i++)
		writer_u32(w, ssrcs[i]);
}
