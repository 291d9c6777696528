/* SPDX-License-Identifier: Apache-2.0 */
/* The a= lines: one function for each attribute we know, found by name in one table. */
#include "sdp/sdp_internal.h"

#include "base/check.h"
#include "base/encode.h"

enum {
	ICE_UFRAG_MIN = 4, /* RFC 8839 s5.4 */
	ICE_PWD_MIN = 22,
	PACKET_MS_MAX = 1000,
	EXTMAP_ID_MAX = 4351, /* RFC 8285 s6: the last provisional one */
};

static struct sdp_codec *
codec_of(struct sdp_parser *parser, uint32_t payload)
{
	const struct sdp_range *range = &parser->media->codecs;
	for (unsigned i = 0; i < range->count; i++) {
		struct sdp_codec *codec = &parser->sdp->codecs[range->first + i];
		if (codec->payload == payload)
			return codec;
	}
	return NULL;
}

/* a=rtpmap:<payload> <name>/<rate>[/<channels>] */
static enum sdp_reject
attr_rtpmap(struct sdp_parser *parser, struct str value)
{
	uint32_t payload = 0;
	uint32_t rate_hz = 0;
	uint32_t channels = 1;
	if (!str_u32(sdp_word(&value), &payload) || payload > 127)
		return SDP_REJECT_ATTR;
	struct str encoding = sdp_word(&value);
	const struct str name = str_cut(&encoding, '/');
	if (name.len == 0 || !str_u32(str_cut(&encoding, '/'), &rate_hz) || rate_hz == 0)
		return SDP_REJECT_ATTR;
	if (!str_u32(str_cut(&encoding, '/'), &channels) || channels == 0 || channels > 255)
		channels = 1;
	struct sdp_codec *codec = codec_of(parser, payload);
	if (codec != NULL && codec->name.len == 0) {
		codec->name = name;
		codec->rate_hz = rate_hz;
		codec->channels = (uint8_t)channels;
	}
	return SDP_OK;
}

static enum sdp_reject
attr_fmtp(struct sdp_parser *parser, struct str value)
{
	uint32_t payload = 0;
	/* Formats of other protocols are words: then the line is none of ours. */
	if (!str_u32(sdp_word(&value), &payload))
		return SDP_OK;
	struct sdp_codec *codec = codec_of(parser, payload);
	if (codec != NULL && codec->fmtp.len == 0)
		codec->fmtp = str_trim(value);
	return SDP_OK;
}

static enum sdp_reject
attr_rtcp_fb(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	const struct str which = sdp_word(&value);
	uint32_t payload = 0;
	const bool all = str_eq(which, STR("*"));
	if (parser->media == &parser->session || str_trim(value).len == 0 ||
	    (!all && (!str_u32(which, &payload) || payload > 127)))
		return SDP_OK;
	if (sdp->feedback_count == SDP_FEEDBACKS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->feedbacks[sdp->feedback_count++] = (struct sdp_feedback){
		.payload = all ? (int16_t)-1 : (int16_t)payload,
		.value = str_trim(value),
	};
	parser->media->feedbacks.count++;
	return SDP_OK;
}

static uint16_t
packet_ms(uint16_t before, struct str value)
{
	uint32_t ms = 0;
	const bool good = str_u32(str_trim(value), &ms) && ms != 0 && ms <= PACKET_MS_MAX;
	return before == 0 && good ? (uint16_t)ms : before;
}

static enum sdp_reject
attr_ptime(struct sdp_parser *parser, struct str value)
{
	parser->media->ptime_ms = packet_ms(parser->media->ptime_ms, value);
	return SDP_OK;
}

static enum sdp_reject
attr_maxptime(struct sdp_parser *parser, struct str value)
{
	parser->media->maxptime_ms = packet_ms(parser->media->maxptime_ms, value);
	return SDP_OK;
}

/* a=rtcp:<port> [IN IP4 <address>] (RFC 3605) */
static enum sdp_reject
attr_rtcp(struct sdp_parser *parser, struct str value)
{
	struct sdp_media *media = parser->media;
	struct sdp_connection connection = { 0 };
	uint32_t port = 0;
	if (!str_u32(sdp_word(&value), &port) || port > UINT16_MAX)
		return SDP_REJECT_ATTR;
	value = str_trim(value);
	if (value.len != 0 && !sdp_connection_parse(&connection, value))
		return SDP_REJECT_ATTR;
	if (media->rtcp_port == 0) {
		media->rtcp_port = (uint16_t)port;
		media->rtcp_addr = connection.addr;
	}
	return SDP_OK;
}

static enum sdp_reject
set_direction(struct sdp_parser *parser, enum sdp_direction direction)
{
	if (!parser->has_direction)
		parser->media->direction = direction;
	parser->has_direction = true;
	return SDP_OK;
}

static enum sdp_reject
attr_sendrecv(struct sdp_parser *parser, struct str value)
{
	(void)value;
	return set_direction(parser, SDP_SENDRECV);
}

static enum sdp_reject
attr_sendonly(struct sdp_parser *parser, struct str value)
{
	(void)value;
	return set_direction(parser, SDP_SENDONLY);
}

static enum sdp_reject
attr_recvonly(struct sdp_parser *parser, struct str value)
{
	(void)value;
	return set_direction(parser, SDP_RECVONLY);
}

static enum sdp_reject
attr_inactive(struct sdp_parser *parser, struct str value)
{
	(void)value;
	return set_direction(parser, SDP_INACTIVE);
}

static enum sdp_reject
attr_rtcp_mux(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->rtcp_mux = true;
	return SDP_OK;
}

static enum sdp_reject
attr_rtcp_mux_only(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->rtcp_mux_only = true;
	return SDP_OK;
}

static enum sdp_reject
attr_rtcp_rsize(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->rtcp_rsize = true;
	return SDP_OK;
}

static enum sdp_reject
attr_bundle_only(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->bundle_only = true;
	return SDP_OK;
}

static enum sdp_reject
attr_extmap_allow_mixed(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->extmap_allow_mixed = true;
	return SDP_OK;
}

static enum sdp_reject
attr_end_of_candidates(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->end_of_candidates = true;
	return SDP_OK;
}

static enum sdp_reject
attr_ice_mismatch(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->media->ice_mismatch = true;
	return SDP_OK;
}

static enum sdp_reject
attr_ice_lite(struct sdp_parser *parser, struct str value)
{
	(void)value;
	parser->sdp->ice_lite = true; /* By the book only before the first m=. */
	return SDP_OK;
}

static void
set_first(struct str *member, struct str value)
{
	if (member->len == 0)
		*member = str_trim(value);
}

/* A word that others refer to: without it nothing can be agreed. */
static enum sdp_reject
set_token(struct str *member, struct str value, size_t len_min, size_t len_max)
{
	const struct str word = sdp_word(&value);
	if (word.len < len_min || word.len > len_max || str_trim(value).len != 0)
		return SDP_REJECT_ATTR;
	set_first(member, word);
	return SDP_OK;
}

static enum sdp_reject
attr_mid(struct sdp_parser *parser, struct str value)
{
	return set_token(&parser->media->mid, value, 1, SIZE_MAX);
}

static enum sdp_reject
attr_ice_ufrag(struct sdp_parser *parser, struct str value)
{
	return set_token(&parser->media->ice_ufrag, value, ICE_UFRAG_MIN, SDP_ICE_UFRAG_MAX);
}

static enum sdp_reject
attr_ice_pwd(struct sdp_parser *parser, struct str value)
{
	return set_token(&parser->media->ice_pwd, value, ICE_PWD_MIN, SDP_ICE_PWD_MAX);
}

static enum sdp_reject
attr_ice_options(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->ice_options, value);
	return SDP_OK;
}

static enum sdp_reject
attr_label(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->label, value);
	return SDP_OK;
}

static enum sdp_reject
attr_content(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->content, value);
	return SDP_OK;
}

static enum sdp_reject
attr_msid(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->msid, value);
	return SDP_OK;
}

static enum sdp_reject
attr_tls_id(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->tls_id, value);
	return SDP_OK;
}

static enum sdp_reject
attr_simulcast(struct sdp_parser *parser, struct str value)
{
	set_first(&parser->media->simulcast, value);
	return SDP_OK;
}

static enum sdp_reject
attr_setup(struct sdp_parser *parser, struct str value)
{
	value = str_trim(value);
	for (unsigned s = SDP_SETUP_ACTIVE; s <= SDP_SETUP_HOLDCONN; s++) {
		if (!str_eq_nocase(value, sdp_setup_name((enum sdp_setup)s)))
			continue;
		if (parser->media->setup == SDP_SETUP_NONE)
			parser->media->setup = (enum sdp_setup)s;
		return SDP_OK;
	}
	return SDP_REJECT_ATTR;
}

/* a=group:BUNDLE <mid> ...; other semantics are kept as they are. */
static enum sdp_reject
attr_group(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	if (!str_eq_nocase(sdp_word(&value), STR("BUNDLE")))
		return SDP_OK;
	if (sdp->group_count == SDP_GROUPS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->bundles[sdp->group_count++] = str_trim(value);
	return SDP_OK;
}

/* a=fingerprint:sha-256 4A:AD:... (RFC 8122 s5, in upper case; sofia and others send lower) */
static enum sdp_reject
attr_fingerprint(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct sdp_fingerprint print = { .hash = sdp_hash_of(sdp_word(&value)) };
	const struct str hex = sdp_word(&value);
	if (hex.len % 3 != 2 || hex.len / 3 >= SDP_FINGERPRINT_BYTES_MAX)
		return SDP_REJECT_ATTR;
	for (size_t i = 0; i < hex.len; i += 3) {
		const int high = hex_value(hex.at[i]);
		const int low = hex_value(hex.at[i + 1]);
		if (high < 0 || low < 0 || (i + 2 < hex.len && hex.at[i + 2] != ':'))
			return SDP_REJECT_ATTR;
		print.bytes[print.len++] = (uint8_t)(high << 4 | low);
	}
	if (print.hash == SDP_HASH_OTHER)
		return SDP_OK; /* RFC 8122 s5: one we can check may stand beside it. */
	if (print.len != sdp_hash_bytes(print.hash))
		return SDP_REJECT_ATTR;
	if (sdp->fingerprint_count == SDP_FINGERPRINTS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->fingerprint_table[sdp->fingerprint_count++] = print;
	parser->media->fingerprints.count++;
	return SDP_OK;
}

/* a=extmap:<id>[/<direction>] <uri> [<parameters>] */
static enum sdp_reject
attr_extmap(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct str number = sdp_word(&value);
	struct sdp_extmap map = { .direction = SDP_SENDRECV };
	uint32_t id = 0;
	if (!str_u32(str_cut(&number, '/'), &id) || id == 0 || id > EXTMAP_ID_MAX)
		return SDP_REJECT_ATTR;
	map.id = (uint16_t)id;
	for (unsigned d = SDP_INACTIVE; d <= SDP_SENDRECV; d++)
		if (str_eq_nocase(number, sdp_direction_name((enum sdp_direction)d)))
			map.direction = (enum sdp_direction)d;
	map.uri = sdp_word(&value);
	map.params = str_trim(value);
	if (map.uri.len == 0)
		return SDP_REJECT_ATTR;
	if (sdp->extmap_count == SDP_EXTMAPS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->extmaps[sdp->extmap_count++] = map;
	parser->media->extmaps.count++;
	return SDP_OK;
}

static enum sdp_reject
attr_candidate(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct sdp_candidate candidate;
	/* RFC 8839 s5.1: what is not understood is left out. */
	if (parser->media == &parser->session || !sdp_candidate_parse(&candidate, value))
		return SDP_OK;
	if (sdp->candidate_count == SDP_CANDIDATES_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->candidates[sdp->candidate_count++] = candidate;
	parser->media->candidates.count++;
	return SDP_OK;
}

static enum sdp_reject
attr_crypto(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct sdp_crypto crypto;
	/* RFC 4568 s5: media level only. */
	if (parser->media == &parser->session || !sdp_crypto_parse(&crypto, value))
		return SDP_OK;
	if (sdp->crypto_count == SDP_CRYPTOS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->cryptos[sdp->crypto_count++] = crypto;
	parser->media->cryptos.count++;
	return SDP_OK;
}

/* a=ssrc:<number> <name>[:<value>] */
static enum sdp_reject
attr_ssrc(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct sdp_ssrc ssrc = { 0 };
	if (parser->media == &parser->session || !str_u32(sdp_word(&value), &ssrc.ssrc))
		return SDP_OK;
	value = str_trim(value);
	ssrc.name = str_cut(&value, ':');
	ssrc.value = value;
	if (ssrc.name.len == 0)
		return SDP_OK;
	if (sdp->ssrc_count == SDP_SSRCS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->ssrcs[sdp->ssrc_count++] = ssrc;
	parser->media->ssrcs.count++;
	return SDP_OK;
}

/* a=rid:<id> send|recv [<parameters>] (RFC 8851) */
static enum sdp_reject
attr_rid(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	struct sdp_rid rid = { .id = sdp_word(&value) };
	const struct str way = sdp_word(&value);
	rid.is_send = str_eq(way, STR("send"));
	rid.params = str_trim(value);
	if (parser->media == &parser->session || (!rid.is_send && !str_eq(way, STR("recv"))))
		return SDP_OK;
	if (sdp->rid_count == SDP_RIDS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->rids[sdp->rid_count++] = rid;
	parser->media->rids.count++;
	return SDP_OK;
}

static const struct {
	struct str name;
	enum sdp_reject (*parse)(struct sdp_parser *parser, struct str value);
} attributes[] = {
	{ STR_INIT("bundle-only"), attr_bundle_only },
	{ STR_INIT("candidate"), attr_candidate },
	{ STR_INIT("content"), attr_content },
	{ STR_INIT("crypto"), attr_crypto },
	{ STR_INIT("end-of-candidates"), attr_end_of_candidates },
	{ STR_INIT("extmap"), attr_extmap },
	{ STR_INIT("extmap-allow-mixed"), attr_extmap_allow_mixed },
	{ STR_INIT("fingerprint"), attr_fingerprint },
	{ STR_INIT("fmtp"), attr_fmtp },
	{ STR_INIT("group"), attr_group },
	{ STR_INIT("ice-lite"), attr_ice_lite },
	{ STR_INIT("ice-mismatch"), attr_ice_mismatch },
	{ STR_INIT("ice-options"), attr_ice_options },
	{ STR_INIT("ice-pwd"), attr_ice_pwd },
	{ STR_INIT("ice-ufrag"), attr_ice_ufrag },
	{ STR_INIT("inactive"), attr_inactive },
	{ STR_INIT("label"), attr_label },
	{ STR_INIT("maxptime"), attr_maxptime },
	{ STR_INIT("mid"), attr_mid },
	{ STR_INIT("msid"), attr_msid },
	{ STR_INIT("ptime"), attr_ptime },
	{ STR_INIT("recvonly"), attr_recvonly },
	{ STR_INIT("rid"), attr_rid },
	{ STR_INIT("rtcp"), attr_rtcp },
	{ STR_INIT("rtcp-fb"), attr_rtcp_fb },
	{ STR_INIT("rtcp-mux"), attr_rtcp_mux },
	{ STR_INIT("rtcp-mux-only"), attr_rtcp_mux_only },
	{ STR_INIT("rtcp-rsize"), attr_rtcp_rsize },
	{ STR_INIT("rtpmap"), attr_rtpmap },
	{ STR_INIT("sendonly"), attr_sendonly },
	{ STR_INIT("sendrecv"), attr_sendrecv },
	{ STR_INIT("setup"), attr_setup },
	{ STR_INIT("simulcast"), attr_simulcast },
	{ STR_INIT("ssrc"), attr_ssrc },
	{ STR_INIT("tls-id"), attr_tls_id },
};

static enum sdp_reject
attr_other(struct sdp_parser *parser, struct str name, struct str value)
{
	struct sdp *sdp = parser->sdp;
	if (sdp->other_count == SDP_OTHERS_MAX)
		return SDP_REJECT_TOO_MANY;
	sdp->other_table[sdp->other_count++] = (struct sdp_attr){ .name = name, .value = value };
	parser->media->others.count++;
	return SDP_OK;
}

enum sdp_reject
sdp_attr_parse(struct sdp_parser *parser, struct str text)
{
	struct str value = text;
	const struct str name = str_cut(&value, ':');
	if (name.len == 0)
		return SDP_REJECT_ATTR;
	for (size_t i = 0; i < COUNT_OF(attributes); i++)
		if (str_eq_nocase(name, attributes[i].name))
			return attributes[i].parse(parser, value);
	return attr_other(parser, name, value);
}
