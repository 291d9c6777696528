/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates (RFC 8839 s5.1) and crypto lines (RFC 4568 s9): the two attributes with a grammar of
 * their own. */
#include "sdp/sdp_internal.h"

#include "base/check.h"
#include "base/encode.h"

enum {
	CANDIDATE_COMPONENT_MAX = 256,
	LIFETIME_LOG2_MAX = 48, /* RFC 3711 s9.2 */
};

/* The rest of a candidate: name and value, in turn. */
static void
candidate_extensions(struct sdp_candidate *candidate, struct str rest)
{
	uint32_t related_port = 0;
	for (;;) {
		const struct str name = sdp_word(&rest);
		const struct str value = sdp_word(&rest);
		if (value.len == 0)
			break;
		if (str_eq_nocase(name, STR("raddr")) && !addr_parse_ip(&candidate->related, value))
			candidate->related.family = ADDR_NONE;
		else if (str_eq_nocase(name, STR("rport")) && !str_u32(value, &related_port))
			related_port = 0;
		else if (str_eq_nocase(name, STR("tcptype")))
			candidate->tcp_type = value;
		else if (str_eq_nocase(name, STR("ufrag")))
			candidate->ufrag = value;
	}
	if (candidate->related.family != ADDR_NONE && related_port <= UINT16_MAX)
		candidate->related.port = (uint16_t)related_port;
}

/* <foundation> <component> <transport> <priority> <address> <port> typ <type> ... */
bool
sdp_candidate_parse(struct sdp_candidate *out, struct str text)
{
	struct sdp_candidate candidate = { 0 };
	uint32_t component = 0;
	uint32_t port = 0;
	if (str_starts(text, STR("a=")))
		text = str_sub(text, 2, text.len - 2);
	if (str_starts(text, STR("candidate:")))
		text = str_sub(text, 10, text.len - 10);

	candidate.foundation = sdp_word(&text);
	const bool has_component = str_u32(sdp_word(&text), &component);
	const struct str transport = sdp_word(&text);
	const bool has_priority = str_u32(sdp_word(&text), &candidate.priority);
	candidate.host = sdp_word(&text);
	const bool has_port = str_u32(sdp_word(&text), &port);
	if (!has_component || component == 0 || component > CANDIDATE_COMPONENT_MAX ||
	    !has_priority || !has_port || port > UINT16_MAX ||
	    !str_eq_nocase(sdp_word(&text), STR("typ")))
		return false;

	candidate.component = (uint16_t)component;
	candidate.is_udp = str_eq_nocase(transport, STR("udp"));
	if (!candidate.is_udp && !str_eq_nocase(transport, STR("tcp")))
		return false;
	if (!addr_parse_ip(&candidate.addr, candidate.host))
		candidate.addr.family = ADDR_NONE;
	candidate.addr.port = (uint16_t)port;

	const struct str type = sdp_word(&text);
	for (unsigned t = SDP_CANDIDATE_HOST; t <= SDP_CANDIDATE_RELAY; t++) {
		candidate.type = (enum sdp_candidate_type)t;
		if (!str_eq_nocase(type, sdp_candidate_type_name(candidate.type)))
			continue;
		candidate_extensions(&candidate, text);
		*out = candidate;
		return true;
	}
	return false;
}

/* "2^48", "1048576"; 0 in `*out` when there is none. */
static bool
lifetime_parse(uint64_t *out, struct str text)
{
	uint32_t exponent = 0;
	if (!str_starts(text, STR("2^")))
		return str_u64(text, out) && *out <= UINT64_C(1) << LIFETIME_LOG2_MAX;
	if (!str_u32(str_sub(text, 2, text.len - 2), &exponent) || exponent > LIFETIME_LOG2_MAX)
		return false;
	*out = UINT64_C(1) << exponent;
	return true;
}

/* inline:<base64 of key and salt>["|" lifetime]["|" MKI ":" length] */
static enum sdp_crypto_fault
crypto_key_parse(struct sdp_crypto *crypto, struct str text)
{
	if (!str_starts(text, STR("inline:")))
		return SDP_CRYPTO_KEY;
	text = str_sub(text, 7, text.len - 7);
	if (str_find(text, ';') != text.len) /* Several keys need an MKI to tell them apart. */
		return SDP_CRYPTO_MKI;
	const struct str key = str_cut(&text, '|');
	const int len = decode_base64(crypto->key, sizeof crypto->key, key);
	if (len < 0 || len != sdp_suite_key_bytes(crypto->suite))
		return SDP_CRYPTO_KEY;
	crypto->key_len = (uint8_t)len;
	while (text.len != 0) {
		const struct str param = str_cut(&text, '|');
		if (str_find(param, ':') != param.len)
			return SDP_CRYPTO_MKI;
		if (!lifetime_parse(&crypto->lifetime_packets, param))
			return SDP_CRYPTO_KEY;
	}
	return SDP_CRYPTO_OK;
}

/* RFC 4568 s6.3: the ones below change nothing for a receiver like ours; the rest would. */
static bool
session_param_is_harmless(struct str param)
{
	return str_starts(param, STR("WSH=")) || str_starts(param, STR("-")) ||
	       str_eq(param, STR("KDR=0")) || str_eq(param, STR("FEC_ORDER=FEC_SRTP"));
}

bool
sdp_crypto_parse(struct sdp_crypto *out, struct str text)
{
	struct sdp_crypto crypto = { 0 };
	if (!str_u32(sdp_word(&text), &crypto.tag))
		return false;
	crypto.suite = sdp_suite_of(sdp_word(&text));
	const struct str key = sdp_word(&text);
	if (crypto.suite == SDP_SUITE_NONE)
		crypto.fault = SDP_CRYPTO_SUITE;
	else
		crypto.fault = crypto_key_parse(&crypto, key);
	for (struct str param; (param = sdp_word(&text)).len != 0;)
		if (crypto.fault == SDP_CRYPTO_OK && !session_param_is_harmless(param))
			crypto.fault = SDP_CRYPTO_PARAM;
	if (crypto.fault != SDP_CRYPTO_OK) {
		explicit_bzero(crypto.key, sizeof crypto.key);
		crypto.key_len = 0;
		crypto.lifetime_packets = 0;
	}
	*out = crypto;
	return true;
}
