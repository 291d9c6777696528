/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp/srtp.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "srtp/srtp_crypto.h"

enum {
	RTP_HEADER_BYTES = 12,
	RTP_EXTENSION_BYTES = 4,
	RTCP_CLEAR_BYTES = 8, /* header and sender's SSRC stay readable (RFC 3711 s3.4) */
	RTCP_INDEX_BYTES = 4,
	WINDOW_WORDS = 4,
	WORD_SHIFT = 6, /* 64 bits a word */
};

#define RTP_INDEX_LIMIT ((int64_t)1 << 48) /* RFC 3711 s9.2 */
#define RTCP_INDEX_LIMIT ((int64_t)1 << 31)
#define RTCP_ENCRYPTED (UINT32_C(1) << 31) /* the E flag */
#define NO_INDEX ((int64_t)-1)

/* Of the shortest packet with the shortest tag; and every tag is part of it. */
static_assert((int)SRTP_PROOF_BYTES <= RTP_HEADER_BYTES + 4 &&
                      (int)SRTP_PROOF_BYTES >= (int)SRTP_GCM_TAG_BYTES,
              "what proves a packet");
static_assert(SRTP_WINDOW == (WINDOW_WORDS - 1) << WORD_SHIFT, "what the words always cover");

/* A ring of bits, one per index; advancing clears whole words and shifts nothing (RFC 6479). */
struct window {
	int64_t top; /* highest index accepted, or NO_INDEX */
	uint64_t seen[WINDOW_WORDS];
};

struct stream {
	uint32_t ssrc;
	uint64_t used_at; /* session->clock when it was last used */
	struct window rtp;
	struct window rtcp;
};

struct srtp_session {
	const struct srtp_suite_info *info;
	struct srtp_keys rtp;
	struct srtp_keys rtcp;
	enum srtp_direction direction;
	uint32_t live_count;
	uint32_t live_max;
	uint32_t resting_count;
	uint32_t resting_max;
	uint32_t recent;            /* where in `live` the last packet's stream was */
	uint64_t clock;             /* counts accepted packets, for used_at */
	struct srtp_place *resting; /* behind `live`, in the same allocation */
	uint64_t counts[SRTP_REJECT_COUNT];
	struct stream live[];
};

/* ---- Suites ---- */

static const struct srtp_suite_info suites[SRTP_SUITE_COUNT] = {
	[SRTP_SUITE_AES_CM_128_HMAC_SHA1_80] =
	        { "AES_CM_128_HMAC_SHA1_80", 1, 16, 14, 10, 10, false },
	[SRTP_SUITE_AES_CM_128_HMAC_SHA1_32] =
	        { "AES_CM_128_HMAC_SHA1_32", 2, 16, 14, 4, 10, false },
	[SRTP_SUITE_AES_256_CM_HMAC_SHA1_80] =
	        { "AES_256_CM_HMAC_SHA1_80", 0, 32, 14, 10, 10, false },
	[SRTP_SUITE_AES_256_CM_HMAC_SHA1_32] =
	        { "AES_256_CM_HMAC_SHA1_32", 0, 32, 14, 4, 10, false },
	[SRTP_SUITE_AEAD_AES_128_GCM] =
	        { "AEAD_AES_128_GCM", 7, 16, 12, 16, 16, true },
	[SRTP_SUITE_AEAD_AES_256_GCM] =
	        { "AEAD_AES_256_GCM", 8, 32, 12, 16, 16, true },
};

const struct srtp_suite_info *
srtp_suite_info(enum srtp_suite suite)
{
	CHECK(suite > SRTP_SUITE_NONE && suite < SRTP_SUITE_COUNT);
	return &suites[suite];
}

enum srtp_suite
srtp_suite_by_name(struct str name)
{
	for (unsigned i = 1; i < SRTP_SUITE_COUNT; i++)
		if (str_eq(name, str_of(suites[i].name)))
			return (enum srtp_suite)i;
	return SRTP_SUITE_NONE;
}

enum srtp_suite
srtp_suite_by_dtls_profile(uint16_t profile)
{
	for (unsigned i = 1; i < SRTP_SUITE_COUNT; i++)
		if (profile != 0 && suites[i].dtls_profile == profile)
			return (enum srtp_suite)i;
	return SRTP_SUITE_NONE;
}

/* ---- Replay windows ---- */

static struct window
window_at(int64_t top)
{
	struct window window = { .top = top };
	if (top == NO_INDEX)
		return window;
	/* Nothing is known of what came before: all of it counts as seen. */
	memset(window.seen, 0xff, sizeof window.seen);
	window.seen[(top >> WORD_SHIFT) % WINDOW_WORDS] = UINT64_MAX >> (63 - top % 64);
	return window;
}

static enum srtp_reject
window_check(const struct window *window, int64_t index)
{
	if (index > window->top)
		return SRTP_OK;
	const int64_t word = index >> WORD_SHIFT;
	if (word + WINDOW_WORDS <= window->top >> WORD_SHIFT)
		return SRTP_REJECT_OLD;
	const bool seen = window->seen[word % WINDOW_WORDS] >> (index % 64) & 1;
	return seen ? SRTP_REJECT_REPLAY : SRTP_OK;
}

static void
window_accept(struct window *window, int64_t index)
{
	const int64_t word = index >> WORD_SHIFT;
	if (index > window->top) {
		int64_t fresh = (window->top >> WORD_SHIFT) + 1;
		if (fresh < word - WINDOW_WORDS + 1)
			fresh = word - WINDOW_WORDS + 1;
		for (; fresh <= word; fresh++)
			window->seen[(uint64_t)fresh % WINDOW_WORDS] = 0;
		window->top = index;
	}
	window->seen[word % WINDOW_WORDS] |= UINT64_C(1) << (index % 64);
}

/* The index a sequence number stands for: the one nearest to the highest so far (RFC 3711 s3.3.1
 * and appendix A).  Before the first roll-over there is nothing below zero to be nearer to. */
static int64_t
index_estimate(int64_t top, uint16_t seq)
{
	if (top == NO_INDEX)
		return seq;
	const int64_t roc = top >> 16;
	const int highest = (int)(top & 0xffff);
	if (highest < 1 << 15)
		return seq - highest > 1 << 15 && roc > 0 ? (roc - 1) << 16 | seq : roc << 16 | seq;
	return highest - (1 << 15) > seq ? (roc + 1) << 16 | seq : roc << 16 | seq;
}

/* ---- Streams ---- */

static struct stream *
stream_find(struct srtp_session *session, uint32_t ssrc)
{
	if (session->recent < session->live_count && session->live[session->recent].ssrc == ssrc)
		return &session->live[session->recent];
	for (uint32_t i = 0; i < session->live_count; i++) {
		if (session->live[i].ssrc == ssrc) {
			session->recent = i;
			return &session->live[i];
		}
	}
	return NULL;
}

static struct srtp_place *
resting_find(const struct srtp_session *session, uint32_t ssrc)
{
	for (uint32_t i = 0; i < session->resting_count; i++)
		if (session->resting[i].ssrc == ssrc)
			return &session->resting[i];
	return NULL;
}

static struct stream
stream_at(const struct srtp_place *place)
{
	return (struct stream){
		.ssrc = place->ssrc,
		.rtp = window_at(place->rtp_index),
		.rtcp = window_at(place->rtcp_index),
	};
}

static struct srtp_place
stream_place(const struct stream *stream)
{
	return (struct srtp_place){
		.ssrc = stream->ssrc,
		.rtp_index = stream->rtp.top,
		.rtcp_index = stream->rtcp.top,
	};
}

/* The stream of `ssrc`: live, or `*fresh` made from what is known of it.  A fresh one becomes part
 * of the session only by stream_admit(), when its packet has proved itself. */
static struct stream *
stream_of(struct srtp_session *session, uint32_t ssrc, struct stream *fresh)
{
	struct stream *live = stream_find(session, ssrc);
	if (live != NULL)
		return live;
	const struct srtp_place unknown = { ssrc, NO_INDEX, NO_INDEX };
	const struct srtp_place *resting = resting_find(session, ssrc);
	*fresh = stream_at(resting != NULL ? resting : &unknown);
	return fresh;
}

static uint32_t
stream_idle_longest(const struct srtp_session *session)
{
	uint32_t idle = 0;
	for (uint32_t i = 1; i < session->live_count; i++)
		if (session->live[i].used_at < session->live[idle].used_at)
			idle = i;
	return idle;
}

/* Makes a fresh stream live; false when no more SSRCs can be remembered. */
static bool
stream_admit(struct srtp_session *session, const struct stream *fresh)
{
	struct srtp_place *resting = resting_find(session, fresh->ssrc);
	uint32_t at = session->live_count;
	if (at < session->live_max) {
		session->live_count++;
		if (resting != NULL)
			*resting = session->resting[--session->resting_count];
	} else {
		if (resting == NULL && session->resting_count == session->resting_max)
			return false;
		if (resting == NULL)
			resting = &session->resting[session->resting_count++];
		at = stream_idle_longest(session);
		*resting = stream_place(&session->live[at]);
	}
	session->live[at] = *fresh;
	session->recent = at;
	return true;
}

/* Remembers that `index` of the stream was used: an RTP index, or an RTCP one. */
static enum srtp_reject
stream_accept(struct srtp_session *session, struct stream *stream, const struct stream *fresh,
              bool is_rtcp, int64_t index)
{
	if (stream == fresh) {
		if (!stream_admit(session, fresh))
			return SRTP_REJECT_SSRCS;
		stream = &session->live[session->recent];
	}
	stream->used_at = ++session->clock;
	window_accept(is_rtcp ? &stream->rtcp : &stream->rtp, index);
	return SRTP_OK;
}

/* ---- Sessions ---- */

int
srtp_session_create(struct srtp_session **out, const struct srtp_settings *settings)
{
	const struct srtp_suite_info *info = srtp_suite_info(settings->suite);
	const uint32_t live_max =
	        settings->streams_max != 0 ? settings->streams_max : SRTP_STREAMS_DEFAULT;
	uint32_t ssrcs_max = settings->ssrcs_max;
	if (ssrcs_max == 0)
		ssrcs_max = live_max > SRTP_SSRCS_DEFAULT ? live_max : SRTP_SSRCS_DEFAULT;
	CHECK(settings->key != NULL && settings->salt != NULL);
	CHECK(live_max <= SRTP_STREAMS_MAX);
	CHECK(ssrcs_max >= live_max && ssrcs_max <= SRTP_SSRCS_MAX);

	const size_t live_bytes = live_max * sizeof(struct stream);
	const size_t resting_bytes = (ssrcs_max - live_max) * sizeof(struct srtp_place);
	struct srtp_session *session = calloc(1, sizeof *session + live_bytes + resting_bytes);
	if (session == NULL)
		return -ENOMEM;
	session->info = info;
	session->direction = settings->direction;
	session->live_max = live_max;
	session->resting_max = ssrcs_max - live_max;
	session->resting = (struct srtp_place *)(void *)&session->live[live_max];

	int rc = srtp_keys_init(&session->rtp, settings, 0);
	if (rc == 0)
		rc = srtp_keys_init(&session->rtcp, settings, SRTP_LABEL_RTCP);
	if (rc != 0) {
		srtp_session_destroy(session);
		return rc;
	}
	*out = session;
	return 0;
}

void
srtp_session_destroy(struct srtp_session *session)
{
	if (session == NULL)
		return;
	srtp_keys_fini(&session->rtp);
	srtp_keys_fini(&session->rtcp);
	free(session);
}

bool
srtp_session_place(const struct srtp_session *session, uint32_t ssrc, struct srtp_place *out)
{
	for (uint32_t i = 0; i < session->live_count; i++) {
		if (session->live[i].ssrc == ssrc) {
			*out = stream_place(&session->live[i]);
			return true;
		}
	}
	const struct srtp_place *resting = resting_find(session, ssrc);
	if (resting != NULL)
		*out = *resting;
	return resting != NULL;
}

enum srtp_reject
srtp_session_resume(struct srtp_session *session, const struct srtp_place *place)
{
	CHECK(place->rtp_index >= NO_INDEX && place->rtp_index < RTP_INDEX_LIMIT);
	CHECK(place->rtcp_index >= NO_INDEX && place->rtcp_index < RTCP_INDEX_LIMIT);
	struct srtp_place known;
	if (srtp_session_place(session, place->ssrc, &known))
		return SRTP_REJECT_REPLAY;
	struct stream fresh = stream_at(place);
	fresh.used_at = ++session->clock;
	return stream_admit(session, &fresh) ? SRTP_OK : SRTP_REJECT_SSRCS;
}

const uint64_t *
srtp_session_counts(const struct srtp_session *session)
{
	return session->counts;
}

/* ---- Packets ---- */

static uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static void
put_u32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

/* Header, CSRCs and extension stay readable and are authenticated (RFC 3711 s3.1). */
static enum srtp_reject
rtp_header(const uint8_t *bytes, size_t len, size_t *header_len)
{
	if (len < RTP_HEADER_BYTES || len > SRTP_PACKET_BYTES_MAX)
		return SRTP_REJECT_SHORT;
	if (bytes[0] >> 6 != 2)
		return SRTP_REJECT_HEADER;
	size_t header = RTP_HEADER_BYTES + 4 * (size_t)(bytes[0] & 0x0f);
	if ((bytes[0] & 0x10) != 0) {
		if (len < header + RTP_EXTENSION_BYTES)
			return SRTP_REJECT_SHORT;
		header += RTP_EXTENSION_BYTES + 4 * (size_t)get_u16(bytes + header + 2);
	}
	if (len < header)
		return SRTP_REJECT_SHORT;
	*header_len = header;
	return SRTP_OK;
}

static enum srtp_reject
rtcp_header(const uint8_t *bytes, size_t len)
{
	if (len < RTCP_CLEAR_BYTES || len > SRTP_PACKET_BYTES_MAX)
		return SRTP_REJECT_SHORT;
	return bytes[0] >> 6 == 2 ? SRTP_OK : SRTP_REJECT_HEADER;
}

/* What all four transforms work on. */
struct job {
	uint8_t *bytes;
	size_t clear; /* bytes that stay readable */
	size_t len;   /* header and payload, without tag and RTCP index */
	uint32_t ssrc;
	int64_t index;
};

/* RTCP's index word lies behind the payload and is authenticated as part of the packet, RTP's
 * roll-over counter is authenticated without being sent (RFC 3711 s4.2). */
static void
rtp_tag(const struct srtp_session *session, const struct job *job, uint8_t tag[SRTP_SHA1_BYTES])
{
	const uint32_t roc = (uint32_t)(job->index >> 16);
	srtp_hmac(&session->rtp.hmac, job->bytes, job->len, &roc, tag);
}

static void
rtcp_tag(const struct srtp_session *session, const struct job *job, uint8_t tag[SRTP_SHA1_BYTES])
{
	srtp_hmac(&session->rtcp.hmac, job->bytes, job->len + RTCP_INDEX_BYTES, NULL, tag);
}

static void
crypt_counter(struct srtp_keys *keys, const struct job *job)
{
	srtp_ctr(keys, job->ssrc, job->index, job->bytes + job->clear, job->len - job->clear);
}

static struct srtp_aead
aead_of(const struct job *job)
{
	return (struct srtp_aead){
		.ssrc = job->ssrc,
		.index = job->index,
		.aad = job->bytes,
		.aad_len = job->clear,
		.bytes = job->bytes + job->clear,
		.len = job->len - job->clear,
		.tag = job->bytes + job->len,
	};
}

/* RFC 7714 s9.2: header, SSRC, E flag and index. */
static void
rtcp_aad(uint8_t aad[RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES], const struct job *job)
{
	memcpy(aad, job->bytes, RTCP_CLEAR_BYTES);
	put_u32(aad + RTCP_CLEAR_BYTES, RTCP_ENCRYPTED | (uint32_t)job->index);
}

static bool
rtp_open(struct srtp_session *session, const struct job *job)
{
	if (session->info->aead) {
		const struct srtp_aead aead = aead_of(job);
		return srtp_open(&session->rtp, &aead);
	}
	uint8_t tag[SRTP_SHA1_BYTES];
	rtp_tag(session, job, tag);
	if (CRYPTO_memcmp(tag, job->bytes + job->len, session->info->rtp_tag_bytes) != 0)
		return false;
	crypt_counter(&session->rtp, job);
	return true;
}

static void
rtp_seal(struct srtp_session *session, const struct job *job)
{
	if (session->info->aead) {
		const struct srtp_aead aead = aead_of(job);
		srtp_seal(&session->rtp, &aead);
		return;
	}
	uint8_t tag[SRTP_SHA1_BYTES];
	crypt_counter(&session->rtp, job);
	rtp_tag(session, job, tag);
	memcpy(job->bytes + job->len, tag, session->info->rtp_tag_bytes);
}

/* The tag stands before the index word with GCM, behind it with HMAC. */
static bool
rtcp_open(struct srtp_session *session, const struct job *job)
{
	if (session->info->aead) {
		uint8_t aad[RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES];
		struct srtp_aead aead = aead_of(job);
		rtcp_aad(aad, job);
		aead.aad = aad;
		aead.aad_len = sizeof aad;
		return srtp_open(&session->rtcp, &aead);
	}
	uint8_t tag[SRTP_SHA1_BYTES];
	rtcp_tag(session, job, tag);
	if (CRYPTO_memcmp(tag, job->bytes + job->len + RTCP_INDEX_BYTES,
	                  session->info->rtcp_tag_bytes) != 0)
		return false;
	crypt_counter(&session->rtcp, job);
	return true;
}

static void
rtcp_seal(struct srtp_session *session, const struct job *job)
{
	const uint32_t index_word = RTCP_ENCRYPTED | (uint32_t)job->index;
	if (session->info->aead) {
		uint8_t aad[RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES];
		struct srtp_aead aead = aead_of(job);
		rtcp_aad(aad, job);
		aead.aad = aad;
		aead.aad_len = sizeof aad;
		srtp_seal(&session->rtcp, &aead);
		put_u32(job->bytes + job->len + SRTP_GCM_TAG_BYTES, index_word);
		return;
	}
	uint8_t tag[SRTP_SHA1_BYTES];
	crypt_counter(&session->rtcp, job);
	put_u32(job->bytes + job->len, index_word);
	rtcp_tag(session, job, tag);
	memcpy(job->bytes + job->len + RTCP_INDEX_BYTES, tag, session->info->rtcp_tag_bytes);
}

static enum srtp_reject
rtp_unprotect(struct srtp_session *session, uint8_t *bytes, size_t *len)
{
	const size_t tag_bytes = session->info->rtp_tag_bytes;
	size_t header_len = 0;
	enum srtp_reject reject = rtp_header(bytes, *len, &header_len);
	if (reject != SRTP_OK)
		return reject;
	if (*len < header_len + tag_bytes)
		return SRTP_REJECT_SHORT;

	struct job job = {
		.bytes = bytes,
		.clear = header_len,
		.len = *len - tag_bytes,
		.ssrc = get_u32(bytes + 8),
	};
	struct stream fresh;
	struct stream *stream = stream_of(session, job.ssrc, &fresh);
	job.index = index_estimate(stream->rtp.top, get_u16(bytes + 2));
	if (job.index >= RTP_INDEX_LIMIT)
		return SRTP_REJECT_KEY;
	reject = window_check(&stream->rtp, job.index);
	if (reject != SRTP_OK)
		return reject;
	if (!rtp_open(session, &job))
		return SRTP_REJECT_AUTH;
	reject = stream_accept(session, stream, &fresh, false, job.index);
	if (reject == SRTP_OK)
		*len = job.len;
	return reject;
}

/* What a plain packet of `len` bytes asks for; its index is not decided yet. */
static enum srtp_reject
rtp_job(const struct srtp_session *session, struct job *job, uint8_t *bytes, size_t len, size_t cap)
{
	size_t header_len = 0;
	const enum srtp_reject reject = rtp_header(bytes, len, &header_len);
	if (reject != SRTP_OK)
		return reject;
	if (cap - len < session->info->rtp_tag_bytes)
		return SRTP_REJECT_SHORT;
	*job = (struct job){
		.bytes = bytes,
		.clear = header_len,
		.len = len,
		.ssrc = get_u32(bytes + 8),
	};
	return SRTP_OK;
}

static enum srtp_reject
rtp_protect(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap)
{
	struct job job;
	enum srtp_reject reject = rtp_job(session, &job, bytes, *len, cap);
	if (reject != SRTP_OK)
		return reject;
	struct stream fresh;
	struct stream *stream = stream_of(session, job.ssrc, &fresh);
	job.index = index_estimate(stream->rtp.top, get_u16(bytes + 2));
	if (job.index >= RTP_INDEX_LIMIT)
		return SRTP_REJECT_KEY;
	reject = window_check(&stream->rtp, job.index);
	if (reject != SRTP_OK)
		return reject;
	reject = stream_accept(session, stream, &fresh, false, job.index);
	if (reject != SRTP_OK)
		return reject;
	rtp_seal(session, &job);
	*len += session->info->rtp_tag_bytes;
	return SRTP_OK;
}

/* RFC 3711 s9.1: other bytes under a number that was used would lay both of them open. */
static enum srtp_reject
rtp_protect_again(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap,
                  const uint8_t *proof)
{
	struct job job;
	const enum srtp_reject reject = rtp_job(session, &job, bytes, *len, cap);
	if (reject != SRTP_OK)
		return reject;
	struct stream fresh;
	const struct stream *stream = stream_of(session, job.ssrc, &fresh);
	job.index = index_estimate(stream->rtp.top, get_u16(bytes + 2));
	const size_t protected_len = *len + session->info->rtp_tag_bytes;
	if (job.index > stream->rtp.top)
		return SRTP_REJECT_REPLAY;
	rtp_seal(session, &job);
	if (memcmp(bytes + protected_len - SRTP_PROOF_BYTES, proof, SRTP_PROOF_BYTES) != 0)
		return SRTP_REJECT_REPLAY;
	*len = protected_len;
	return SRTP_OK;
}

static enum srtp_reject
rtcp_unprotect(struct srtp_session *session, uint8_t *bytes, size_t *len)
{
	const struct srtp_suite_info *info = session->info;
	const size_t trailer = (size_t)info->rtcp_tag_bytes + RTCP_INDEX_BYTES;
	enum srtp_reject reject = rtcp_header(bytes, *len);
	if (reject != SRTP_OK)
		return reject;
	if (*len < RTCP_CLEAR_BYTES + trailer)
		return SRTP_REJECT_SHORT;

	struct job job = {
		.bytes = bytes,
		.clear = RTCP_CLEAR_BYTES,
		.len = *len - trailer,
		.ssrc = get_u32(bytes + 4),
	};
	const uint32_t index_word =
	        get_u32(bytes + job.len + (info->aead ? info->rtcp_tag_bytes : 0));
	if ((index_word & RTCP_ENCRYPTED) == 0)
		return SRTP_REJECT_CLEAR;
	job.index = index_word & ~RTCP_ENCRYPTED;
	struct stream fresh;
	struct stream *stream = stream_of(session, job.ssrc, &fresh);
	reject = window_check(&stream->rtcp, job.index);
	if (reject != SRTP_OK)
		return reject;
	if (!rtcp_open(session, &job))
		return SRTP_REJECT_AUTH;
	reject = stream_accept(session, stream, &fresh, true, job.index);
	if (reject == SRTP_OK)
		*len = job.len;
	return reject;
}

static enum srtp_reject
rtcp_protect(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap)
{
	const size_t trailer = (size_t)session->info->rtcp_tag_bytes + RTCP_INDEX_BYTES;
	enum srtp_reject reject = rtcp_header(bytes, *len);
	if (reject != SRTP_OK)
		return reject;
	if (cap - *len < trailer)
		return SRTP_REJECT_SHORT;

	struct job job = {
		.bytes = bytes,
		.clear = RTCP_CLEAR_BYTES,
		.len = *len,
		.ssrc = get_u32(bytes + 4),
	};
	struct stream fresh;
	struct stream *stream = stream_of(session, job.ssrc, &fresh);
	job.index = stream->rtcp.top + 1;
	if (job.index >= RTCP_INDEX_LIMIT)
		return SRTP_REJECT_KEY;
	reject = stream_accept(session, stream, &fresh, true, job.index);
	if (reject != SRTP_OK)
		return reject;
	rtcp_seal(session, &job);
	*len += trailer;
	return SRTP_OK;
}

static enum srtp_reject
counted(struct srtp_session *session, enum srtp_reject reject)
{
	session->counts[reject]++;
	return reject;
}

enum srtp_reject
srtp_rtp_protect(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap)
{
	CHECK(session->direction == SRTP_OUTBOUND);
	CHECK(*len <= cap);
	return counted(session, rtp_protect(session, bytes, len, cap));
}

enum srtp_reject
srtp_rtp_protect_again(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap,
                       const uint8_t proof[SRTP_PROOF_BYTES])
{
	CHECK(session->direction == SRTP_OUTBOUND);
	CHECK(*len <= cap);
	return counted(session, rtp_protect_again(session, bytes, len, cap, proof));
}

enum srtp_reject
srtp_rtcp_protect(struct srtp_session *session, uint8_t *bytes, size_t *len, size_t cap)
{
	CHECK(session->direction == SRTP_OUTBOUND);
	CHECK(*len <= cap);
	return counted(session, rtcp_protect(session, bytes, len, cap));
}

enum srtp_reject
srtp_rtp_unprotect(struct srtp_session *session, uint8_t *bytes, size_t *len)
{
	CHECK(session->direction == SRTP_INBOUND);
	return counted(session, rtp_unprotect(session, bytes, len));
}

enum srtp_reject
srtp_rtcp_unprotect(struct srtp_session *session, uint8_t *bytes, size_t *len)
{
	CHECK(session->direction == SRTP_INBOUND);
	return counted(session, rtcp_unprotect(session, bytes, len));
}
