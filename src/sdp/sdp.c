/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp/sdp_internal.h"

#include "base/check.h"

static const struct str kind_names[] = {
	[SDP_AUDIO] = STR_INIT("audio"),
	[SDP_VIDEO] = STR_INIT("video"),
	[SDP_TEXT] = STR_INIT("text"),
	[SDP_APPLICATION] = STR_INIT("application"),
	[SDP_IMAGE] = STR_INIT("image"),
	[SDP_MESSAGE] = STR_INIT("message"),
	[SDP_KIND_OTHER] = STR_INIT("other"),
};

static const struct str proto_names[] = {
	[SDP_PROTO_OTHER] = STR_INIT("other"),
	[SDP_PROTO_BFCP_UDP] = STR_INIT("UDP/BFCP"),
	[SDP_PROTO_BFCP_TCP] = STR_INIT("TCP/BFCP"),
	[SDP_PROTO_BFCP_TLS] = STR_INIT("TCP/TLS/BFCP"),
	[SDP_PROTO_BFCP_DTLS] = STR_INIT("UDP/TLS/BFCP"),
	[SDP_PROTO_AVP] = STR_INIT("RTP/AVP"),
	[SDP_PROTO_AVPF] = STR_INIT("RTP/AVPF"),
	[SDP_PROTO_SAVP] = STR_INIT("RTP/SAVP"),
	[SDP_PROTO_SAVPF] = STR_INIT("RTP/SAVPF"),
	[SDP_PROTO_DTLS_SAVP] = STR_INIT("UDP/TLS/RTP/SAVP"),
	[SDP_PROTO_DTLS_SAVPF] = STR_INIT("UDP/TLS/RTP/SAVPF"),
};

static const struct str direction_names[] = {
	[SDP_INACTIVE] = STR_INIT("inactive"),
	[SDP_SENDONLY] = STR_INIT("sendonly"),
	[SDP_RECVONLY] = STR_INIT("recvonly"),
	[SDP_SENDRECV] = STR_INIT("sendrecv"),
};

static const struct str setup_names[] = {
	[SDP_SETUP_NONE] = STR_INIT("none"),
	[SDP_SETUP_ACTIVE] = STR_INIT("active"),
	[SDP_SETUP_PASSIVE] = STR_INIT("passive"),
	[SDP_SETUP_ACTPASS] = STR_INIT("actpass"),
	[SDP_SETUP_HOLDCONN] = STR_INIT("holdconn"),
};

static const struct str candidate_type_names[] = {
	[SDP_CANDIDATE_HOST] = STR_INIT("host"),
	[SDP_CANDIDATE_SRFLX] = STR_INIT("srflx"),
	[SDP_CANDIDATE_PRFLX] = STR_INIT("prflx"),
	[SDP_CANDIDATE_RELAY] = STR_INIT("relay"),
};

static const struct {
	struct str name;
	uint8_t bytes;
} hashes[] = {
	[SDP_HASH_OTHER] = { STR_INIT("other"), 0 },
	[SDP_HASH_SHA1] = { STR_INIT("sha-1"), 20 },
	[SDP_HASH_SHA224] = { STR_INIT("sha-224"), 28 },
	[SDP_HASH_SHA256] = { STR_INIT("sha-256"), 32 },
	[SDP_HASH_SHA384] = { STR_INIT("sha-384"), 48 },
	[SDP_HASH_SHA512] = { STR_INIT("sha-512"), 64 },
};

/* Key and salt together: RFC 4568 s6.2 (16+14), RFC 6188 (32+14), RFC 7714 s14.2 (16+12, 32+12). */
static const struct {
	struct str name;
	uint8_t key_bytes;
} suites[] = {
	[SDP_SUITE_NONE] = { STR_INIT("none"), 0 },
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_32] = { STR_INIT("AES_CM_128_HMAC_SHA1_32"), 30 },
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_80] = { STR_INIT("AES_CM_128_HMAC_SHA1_80"), 30 },
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_32] = { STR_INIT("AES_256_CM_HMAC_SHA1_32"), 46 },
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_80] = { STR_INIT("AES_256_CM_HMAC_SHA1_80"), 46 },
	[SDP_SUITE_AEAD_AES_256_GCM] = { STR_INIT("AEAD_AES_256_GCM"), 44 },
	[SDP_SUITE_AEAD_AES_128_GCM] = { STR_INIT("AEAD_AES_128_GCM"), 28 },
};
static_assert(COUNT_OF(suites) == SDP_SUITES);

static const char *const reject_names[] = {
	[SDP_OK] = "ok",
	[SDP_REJECT_LONG] = "description too long",
	[SDP_REJECT_LINE] = "malformed line",
	[SDP_REJECT_VERSION] = "no v=0",
	[SDP_REJECT_ORIGIN] = "malformed o=",
	[SDP_REJECT_CONNECTION] = "malformed or missing c=",
	[SDP_REJECT_MEDIA] = "malformed m=",
	[SDP_REJECT_ATTR] = "malformed attribute",
	[SDP_REJECT_TOO_MANY] = "too many lines of a kind",
	[SDP_REJECT_STATE] = "offer or answer out of turn",
	[SDP_REJECT_ORDER] = "media lines missing or moved",
	[SDP_REJECT_NO_MEDIA] = "no media in common",
	[SDP_REJECT_ENCRYPTION] = "encryption required",
	[SDP_REJECT_UNENCRYPTED] = "encryption prohibited",
};
static_assert(COUNT_OF(reject_names) == SDP_REJECT_COUNT);

struct str
sdp_kind_name(enum sdp_kind kind)
{
	return kind_names[kind];
}

struct str
sdp_proto_name(enum sdp_proto proto)
{
	return proto_names[proto];
}

enum sdp_proto
sdp_proto_of(struct str text)
{
	for (unsigned p = SDP_PROTO_OTHER + 1; p < COUNT_OF(proto_names); p++)
		if (str_eq_nocase(text, proto_names[p]))
			return (enum sdp_proto)p;
	return SDP_PROTO_OTHER;
}

struct str
sdp_direction_name(enum sdp_direction direction)
{
	return direction_names[direction];
}

struct str
sdp_setup_name(enum sdp_setup setup)
{
	return setup_names[setup];
}

struct str
sdp_candidate_type_name(enum sdp_candidate_type type)
{
	return candidate_type_names[type];
}

struct str
sdp_hash_name(enum sdp_hash hash)
{
	return hashes[hash].name;
}

enum sdp_hash
sdp_hash_of(struct str name)
{
	for (unsigned h = SDP_HASH_SHA1; h < COUNT_OF(hashes); h++)
		if (str_eq_nocase(name, hashes[h].name))
			return (enum sdp_hash)h;
	return SDP_HASH_OTHER;
}

uint8_t
sdp_hash_bytes(enum sdp_hash hash)
{
	return hashes[hash].bytes;
}

struct str
sdp_suite_name(enum sdp_suite suite)
{
	CHECK(suite < SDP_SUITES);
	return suites[suite].name;
}

enum sdp_suite
sdp_suite_of(struct str name)
{
	for (unsigned s = SDP_SUITE_NONE + 1; s < SDP_SUITES; s++)
		if (str_eq_nocase(name, suites[s].name))
			return (enum sdp_suite)s;
	return SDP_SUITE_NONE;
}

uint8_t
sdp_suite_key_bytes(enum sdp_suite suite)
{
	CHECK(suite < SDP_SUITES);
	return suites[suite].key_bytes;
}

const char *
sdp_reject_name(enum sdp_reject reject)
{
	CHECK(reject < SDP_REJECT_COUNT);
	return reject_names[reject];
}

bool
sdp_fingerprint_eq(const struct sdp_fingerprint *a, const struct sdp_fingerprint *b)
{
	return a->hash == b->hash && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool
sdp_fmtp_get(struct str fmtp, struct str name, struct str *value)
{
	while (fmtp.len != 0) {
		struct str rest = str_trim(str_cut(&fmtp, ';'));
		const struct str key = str_trim(str_cut(&rest, '='));
		if (str_eq_nocase(key, name)) {
			*value = str_trim(rest);
			return true;
		}
	}
	return false;
}

uint32_t
sdp_fmtp_u32(struct str fmtp, struct str name, uint32_t otherwise)
{
	struct str value;
	uint32_t number;
	return sdp_fmtp_get(fmtp, name, &value) && str_u32(value, &number) ? number : otherwise;
}

bool
sdp_feedback_has(struct str theirs, struct str ours)
{
	struct str wanted = ours;
	if (str_eq_nocase(theirs, ours))
		return true;
	if (!str_eq_nocase(sdp_word(&theirs), sdp_word(&wanted)))
		return false;
	const struct str parameter = sdp_word(&wanted);
	for (struct str word; parameter.len != 0 && (word = sdp_word(&theirs)).len != 0;)
		if (str_eq_nocase(word, parameter))
			return true;
	return false;
}

bool
sdp_group_has(struct str mids, struct str mid)
{
	for (struct str word; (word = sdp_word(&mids)).len != 0;)
		if (str_eq(word, mid))
			return true;
	return false;
}

void
sdp_init(struct sdp *sdp)
{
	/* Everything behind the tables' counts may stay as it is. */
	memset(sdp, 0, offsetof(struct sdp, medias));
}

struct sdp_media
sdp_media_begin(const struct sdp *sdp)
{
	return (struct sdp_media){
		.codecs.first = sdp->codec_count,
		.feedbacks.first = sdp->feedback_count,
		.extmaps.first = sdp->extmap_count,
		.candidates.first = sdp->candidate_count,
		.fingerprints.first = sdp->fingerprint_count,
		.cryptos.first = sdp->crypto_count,
		.ssrcs.first = sdp->ssrc_count,
		.rids.first = sdp->rid_count,
		.others.first = sdp->other_count,
	};
}
