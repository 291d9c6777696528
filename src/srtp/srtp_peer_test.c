/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: our packets are libsrtp2's packets, and what one refuses the other refuses.
 * Method: seeded random packets (lengths, CSRCs, extensions, several SSRCs, jumps, wraps, repeats,
 * reordering, damage) go through both, in both directions, under every suite. */
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "srtp/libsrtp2_peer.h"
#include "srtp/srtp.h"

enum {
	ROUNDS = 3000,
	ROOM = 2048,
	PAYLOAD_MAX = 1400,
	SSRCS = 3,
	HELD = 64, /* packets on their way */
};

struct packet {
	uint8_t bytes[ROOM];
	size_t len;
};

struct both {
	struct srtp_session *ours_out;
	struct srtp_session *ours_in;
	struct libsrtp2_peer *peer_out;
	struct libsrtp2_peer *peer_in;
	struct prng prng;
	uint32_t number[SSRCS]; /* next sequence number, not wrapped */
};

static void
both_init(struct both *both, enum srtp_suite suite)
{
	uint8_t key[SRTP_KEY_BYTES_MAX];
	uint8_t salt[SRTP_SALT_BYTES_MAX];
	*both = (struct both){ 0 };
	prng_init(&both->prng, (uint64_t)suite);
	prng_bytes(&both->prng, key, sizeof key);
	prng_bytes(&both->prng, salt, sizeof salt);
	struct srtp_settings settings = { .suite = suite, .key = key, .salt = salt };

	settings.direction = SRTP_OUTBOUND;
	EXPECT_EQ(srtp_session_create(&both->ours_out, &settings), 0);
	EXPECT((both->peer_out = libsrtp2_peer_create(&settings)) != NULL);
	settings.direction = SRTP_INBOUND;
	EXPECT_EQ(srtp_session_create(&both->ours_in, &settings), 0);
	EXPECT((both->peer_in = libsrtp2_peer_create(&settings)) != NULL);

	for (uint32_t i = 0; i < SSRCS; i++) {
		both->number[i] = prng_below(&both->prng, 1 << 15);
		/* libsrtp2's first RTCP index is 1, ours is 0 (RFC 3711 s3.2.1: initially zero). */
		const struct srtp_place place = { .ssrc = 100 + i,
			                          .rtp_index = -1,
			                          .rtcp_index = 0 };
		EXPECT_EQ(srtp_session_resume(both->ours_out, &place), SRTP_OK);
	}
}

static void
both_fini(struct both *both)
{
	srtp_session_destroy(both->ours_out);
	srtp_session_destroy(both->ours_in);
	libsrtp2_peer_destroy(both->peer_out);
	libsrtp2_peer_destroy(both->peer_in);
}

static struct packet
random_rtp(struct both *both)
{
	struct prng *prng = &both->prng;
	const uint32_t source = prng_below(prng, SSRCS);
	const unsigned csrcs = prng_below(prng, 4) == 0 ? prng_below(prng, 16) : 0;
	const bool extended = prng_below(prng, 3) == 0;
	struct packet packet = { 0 };
	struct writer w = writer_of(packet.bytes, sizeof packet.bytes);

	/* Mostly the next, sometimes a gap of up to a third of the number space: never of about a
	 * replay window, as libsrtp2's ends at 256 packets and ours with a word of 64. */
	both->number[source] += prng_below(prng, 50) == 0 ? 1000 + prng_below(prng, 19000) : 1;
	writer_u8(&w, (uint8_t)(0x80 | (extended ? 0x10 : 0) | csrcs));
	writer_u8(&w, (uint8_t)prng_u32(prng));
	writer_u16(&w, (uint16_t)both->number[source]);
	writer_u32(&w, prng_u32(prng));
	writer_u32(&w, 100 + source);
	for (unsigned i = 0; i < csrcs; i++)
		writer_u32(&w, prng_u32(prng));
	if (extended) {
		const uint32_t words = prng_below(prng, 8);
		writer_u16(&w, 0xbede);
		writer_u16(&w, (uint16_t)words);
		for (uint32_t i = 0; i < words; i++)
			writer_u32(&w, prng_u32(prng));
	}
	const size_t len =
	        prng_below(prng, 4) == 0 ? prng_below(prng, PAYLOAD_MAX) : prng_below(prng, 200);
	prng_bytes(prng, writer_take(&w, len), len);
	packet.len = w.at;
	return packet;
}

static struct packet
random_rtcp(struct both *both)
{
	struct prng *prng = &both->prng;
	struct packet packet = { 0 };
	struct writer w = writer_of(packet.bytes, sizeof packet.bytes);
	const uint32_t words = 1 + prng_below(prng, 60);
	writer_u8(&w, 0x81);
	writer_u8(&w, 200);
	writer_u16(&w, (uint16_t)words);
	writer_u32(&w, 100 + prng_below(prng, SSRCS));
	for (uint32_t i = 1; i < words; i++)
		writer_u32(&w, prng_u32(prng));
	packet.len = w.at;
	return packet;
}

static bool
same(const struct packet *a, const struct packet *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static struct packet
protect_with_both(struct both *both, const struct packet *plain, bool is_rtcp)
{
	struct packet ours = *plain;
	struct packet theirs = *plain;
	if (is_rtcp) {
		EXPECT_EQ(srtp_rtcp_protect(both->ours_out, ours.bytes, &ours.len, ROOM), SRTP_OK);
		EXPECT(libsrtp2_rtcp_protect(both->peer_out, theirs.bytes, &theirs.len));
	} else {
		EXPECT_EQ(srtp_rtp_protect(both->ours_out, ours.bytes, &ours.len, ROOM), SRTP_OK);
		EXPECT(libsrtp2_rtp_protect(both->peer_out, theirs.bytes, &theirs.len));
	}
	EXPECT(same(&ours, &theirs));
	return ours;
}

static bool
unprotect_with_both(struct both *both, struct packet packet, bool is_rtcp)
{
	struct packet theirs = packet;
	bool ours_took;
	bool theirs_took;
	if (is_rtcp) {
		ours_took =
		        srtp_rtcp_unprotect(both->ours_in, packet.bytes, &packet.len) == SRTP_OK;
		theirs_took = libsrtp2_rtcp_unprotect(both->peer_in, theirs.bytes, &theirs.len);
	} else {
		ours_took = srtp_rtp_unprotect(both->ours_in, packet.bytes, &packet.len) == SRTP_OK;
		theirs_took = libsrtp2_rtp_unprotect(both->peer_in, theirs.bytes, &theirs.len);
	}
	EXPECT_EQ(ours_took, theirs_took);
	if (ours_took)
		EXPECT(same(&packet, &theirs));
	return ours_took;
}

/* Takes packets out of `held` in a random order: what is dropped never arrives, what is repeated or
 * damaged must be refused. */
static unsigned
deliver(struct both *both, struct packet *held, unsigned count, bool is_rtcp)
{
	unsigned taken = 0;
	while (count != 0) {
		const uint32_t at = prng_below(&both->prng, count < 16 ? count : 16);
		struct packet packet = held[at];
		memmove(&held[at], &held[at + 1], (--count - at) * sizeof *held);
		if (prng_below(&both->prng, 20) == 0)
			continue;
		if (prng_below(&both->prng, 10) == 0) {
			struct packet bad = packet;
			/* Not within the sequence number or header length, whose order of checks
			 * the two libraries may see differently. */
			bad.bytes[packet.len - 1 - prng_below(&both->prng, 4)] ^= 0x10;
			EXPECT(!unprotect_with_both(both, bad, is_rtcp));
		}
		taken += unprotect_with_both(both, packet, is_rtcp);
		if (prng_below(&both->prng, 10) == 0)
			EXPECT(!unprotect_with_both(both, packet, is_rtcp));
	}
	return taken;
}

static void
compare(bool is_rtcp)
{
	static struct packet held[HELD];
	for (enum srtp_suite suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		struct both both;
		both_init(&both, suite);
		unsigned taken = 0;
		unsigned count = 0;
		for (unsigned i = 0; i < ROUNDS; i++) {
			const struct packet plain =
			        is_rtcp ? random_rtcp(&both) : random_rtp(&both);
			held[count++] = protect_with_both(&both, &plain, is_rtcp);
			if (count == HELD) {
				taken += deliver(&both, held, count, is_rtcp);
				count = 0;
			}
		}
		EXPECT(taken > ROUNDS / 2);
		both_fini(&both);
	}
}

TEST(rtp_is_libsrtp2s_byte_for_byte)
{
	compare(false);
}

TEST(rtcp_is_libsrtp2s_byte_for_byte)
{
	compare(true);
}
