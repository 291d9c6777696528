/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a peer's description: what we can agree to, line by line.  Two passes: first what each
 * line carries (media, codecs), then how (BUNDLE, security, ICE, addresses), because bundled lines
 * take their transport from the first of them that is wanted. */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

enum {
	PORT_DISCARD = 9,            /* RFC 4145 s4.1, RFC 8840: "no port yet" */
	EXTMAP_ID_ONE_BYTE_MAX = 14, /* RFC 8285 s4.2 */
	EXTMAP_ID_TWO_BYTE_MAX = 255,
};

struct negotiation {
	struct sdp_session *session;
	const struct sdp *remote;
	bool is_answer;
};

static bool
is_main(struct str content)
{
	return content.len == 0 || str_eq_nocase(content, STR("main"));
}

static bool
cap_fits(const struct sdp_media_cap *cap, const struct sdp_media *media)
{
	if (cap->kind != media->kind)
		return false;
	/* RFC 4796: several values may stand in one line. */
	return is_main(cap->content) ? is_main(media->content)
	                             : str_contains_nocase(media->content, cap->content);
}

static bool
media_is_taken(const struct sdp_session *session, const struct sdp_line *self, size_t media)
{
	for (unsigned i = 0; i < session->line_count; i++) {
		const struct sdp_line *line = &session->lines[i];
		if (line != self && line->media == (int8_t)media && line->accepted)
			return true;
	}
	return false;
}

/* Binds an offered line to one of our media: the one it had, or the first that is free. */
static void
bind_media(struct sdp_session *session, struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_settings *settings = session->settings;
	if (line->media >= 0 && cap_fits(&settings->medias[line->media], media) &&
	    !media_is_taken(session, line, (size_t)line->media))
		return;
	line->media = -1;
	for (size_t m = 0; m < settings->media_count && line->media < 0; m++) {
		if (!cap_fits(&settings->medias[m], media) || media_is_taken(session, line, m))
			continue;
		for (unsigned i = 0; i < session->line_count; i++)
			if (session->lines[i].media == (int8_t)m)
				session->lines[i].media = -1; /* It was refused and is replaced. */
		line->media = (int8_t)m;
		line->wish = settings->medias[m].direction;
		memset(line->payloads, SDP_PAYLOAD_NONE, sizeof line->payloads);
	}
}

/* Parameters that make one name several codecs (RFC 6184 s8.2.2: a stream of another packetization
 * mode or profile cannot be decoded). */
static bool
fmtp_fits(struct str name, struct str ours, struct str theirs)
{
	if (!str_eq_nocase(name, STR("H264")))
		return true;
	struct str our_profile = STR("42E01F");
	struct str their_profile = STR("42E01F");
	(void)sdp_fmtp_get(ours, STR("profile-level-id"), &our_profile);
	(void)sdp_fmtp_get(theirs, STR("profile-level-id"), &their_profile);
	return sdp_fmtp_u32(ours, STR("packetization-mode"), 0) ==
	               sdp_fmtp_u32(theirs, STR("packetization-mode"), 0) &&
	       our_profile.len == their_profile.len && our_profile.len == 6 &&
	       str_eq_nocase(str_sub(our_profile, 0, 2), str_sub(their_profile, 0, 2));
}

static bool
codec_fits(const struct sdp_codec_cap *cap, const struct sdp_codec *codec)
{
	return str_eq_nocase(cap->name, codec->name) && cap->rate_hz == codec->rate_hz &&
	       cap->channels == codec->channels && fmtp_fits(cap->name, cap->fmtp, codec->fmtp);
}

/* Copies what fits, ending after a whole parameter. */
static void
copy_fmtp(char out[SDP_FMTP_MAX], struct str fmtp)
{
	while (fmtp.len >= SDP_FMTP_MAX) {
		do {
			fmtp.len--;
		} while (fmtp.len != 0 && fmtp.at[fmtp.len] != ';');
	}
	(void)str_copy(out, SDP_FMTP_MAX, fmtp);
}

static uint32_t
agree_feedbacks(const struct negotiation *n, const struct sdp_media_cap *cap,
                const struct sdp_media *media, uint8_t payload)
{
	uint32_t agreed = 0;
	if (!sdp_proto_has_feedback(media->proto))
		return 0;
	for (unsigned i = 0; i < media->feedbacks.count; i++) {
		const struct sdp_feedback *theirs =
		        &n->remote->feedbacks[media->feedbacks.first + i];
		if (theirs->payload >= 0 && theirs->payload != payload)
			continue;
		for (size_t f = 0; f < cap->feedback_count; f++)
			if (str_eq_nocase(theirs->value, cap->feedbacks[f]))
				agreed |= 1u << f;
	}
	return agreed;
}

/* The peer's numbers win; what else had this one gets another in our next offer. */
static void
assign_payload(struct sdp_line *line, uint8_t cap_index, uint8_t payload)
{
	for (unsigned c = 0; c < SDP_CAP_CODECS_MAX; c++)
		if (line->payloads[c] == payload)
			line->payloads[c] = SDP_PAYLOAD_NONE;
	line->payloads[cap_index] = payload;
}

/* One codec of theirs and one of ours that fit each other. */
static void
agree_codec(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media,
            uint8_t cap_index, const struct sdp_codec *codec)
{
	struct sdp_session *session = n->session;
	const struct sdp_media_cap *media_cap = &session->settings->medias[line->media];
	const struct sdp_codec_cap *cap = &media_cap->codecs[cap_index];
	/* RFC 3264 s6.1: an answer uses the offer's numbers; in answers to us they may differ. */
	if (!n->is_answer)
		assign_payload(line, cap_index, codec->payload);
	const uint8_t receive_payload = line->payloads[cap_index];
	if (receive_payload == SDP_PAYLOAD_NONE)
		return;
	if (sdp_codec_cap_is_event(cap)) {
		if (line->event_count < SDP_LINE_EVENTS_MAX)
			line->events[line->event_count++] = (struct sdp_line_event){
				.rate_hz = cap->rate_hz,
				.send_payload = codec->payload,
				.receive_payload = receive_payload,
			};
		return;
	}
	if (line->codec_count == SDP_LINE_CODECS_MAX ||
	    session->codec_count == SDP_SESSION_CODECS_MAX)
		return;
	struct sdp_line_codec *agreed = &session->codecs[session->codec_count++];
	line->codec_count++;
	agreed->cap = cap_index;
	agreed->send_payload = codec->payload;
	agreed->receive_payload = receive_payload;
	agreed->feedbacks = agree_feedbacks(n, media_cap, media, codec->payload);
	copy_fmtp(agreed->fmtp, codec->fmtp);
}

/* Answering, our order of preference counts; answered, the peer's does (RFC 3264 s6.1, s7). */
static void
agree_codecs(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_media_cap *cap = &n->session->settings->medias[line->media];
	const size_t outer_count = n->is_answer ? media->codecs.count : cap->codec_count;
	const size_t inner_count = n->is_answer ? cap->codec_count : media->codecs.count;
	uint32_t caps_used = 0;

	for (size_t outer = 0; outer < outer_count; outer++) {
		for (size_t inner = 0; inner < inner_count; inner++) {
			const size_t c = n->is_answer ? inner : outer;
			const size_t theirs = n->is_answer ? outer : inner;
			const struct sdp_codec *codec =
			        &n->remote->codecs[media->codecs.first + theirs];
			if ((caps_used & 1u << c) != 0 || !codec_fits(&cap->codecs[c], codec))
				continue;
			caps_used |= 1u << c;
			agree_codec(n, line, media, (uint8_t)c, codec);
			break;
		}
	}
}
static_assert(SDP_CAP_CODECS_MAX <= 32, "caps_used has a bit for each");

static void
agree_extensions(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	struct sdp_session *session = n->session;
	const uint32_t id_max =
	        media->extmap_allow_mixed ? EXTMAP_ID_TWO_BYTE_MAX : EXTMAP_ID_ONE_BYTE_MAX;
	memset(line->extension_ids, 0, sizeof line->extension_ids);
	line->extmap_allow_mixed = media->extmap_allow_mixed;
	for (unsigned i = 0; i < media->extmaps.count; i++) {
		const struct sdp_extmap *map = &n->remote->extmaps[media->extmaps.first + i];
		bool id_used = map->id > id_max || map->direction == SDP_INACTIVE;
		for (size_t e = 0; e < session->settings->extension_count; e++)
			id_used |= line->extension_ids[e] == map->id;
		for (size_t e = 0; e < session->settings->extension_count && !id_used; e++) {
			if (!str_eq(map->uri, session->settings->extensions[e]) ||
			    line->extension_ids[e] != 0)
				continue;
			if (n->is_answer && map->id != session->extension_ids[e])
				continue; /* RFC 8285 s6: an answer keeps the offer's number. */
			line->extension_ids[e] = (uint8_t)map->id;
			session->extension_ids[e] = (uint8_t)map->id;
			break;
		}
	}
}

static bool
is_wanted(const struct negotiation *n, const struct sdp_media *media)
{
	/* RFC 9143 s6: port 0 in an offer may also mean "only in the bundle". */
	const bool bundle_only =
	        !n->is_answer && media->bundle_only && n->session->settings->bundle;
	return media->port != 0 || bundle_only;
}

/* First pass: what flows in this line, if anything. */
static void
negotiate_content(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	line->codec_first = n->session->codec_count;
	line->codec_count = 0;
	line->event_count = 0;
	if (!n->is_answer)
		bind_media(n->session, line, media);
	if (line->media < 0) {
		sdp_line_refuse(line, SDP_REFUSAL_MEDIA);
		return;
	}
	if (media->proto == SDP_PROTO_OTHER) {
		sdp_line_refuse(line, SDP_REFUSAL_PROTO);
		return;
	}
	agree_codecs(n, line, media);
	if (line->codec_count == 0) {
		sdp_line_refuse(line, SDP_REFUSAL_CODEC);
		return;
	}
	line->accepted = true;
	line->refusal = SDP_REFUSAL_NONE;
	line->ptime_ms = media->ptime_ms;
	line->maxptime_ms = media->maxptime_ms;
	line->bandwidth_bps =
	        media->bandwidth_bps != 0 ? media->bandwidth_bps : n->remote->bandwidth_bps;
	agree_extensions(n, line, media);
}

static int
line_of_mid(const struct negotiation *n, struct str mid)
{
	for (unsigned i = 0; i < n->remote->media_count; i++)
		if (str_eq(n->remote->medias[i].mid, mid))
			return (int)i;
	return -1;
}

/* RFC 9143 s7.3: every wanted line of a group that muxes RTCP joins it. */
static void
negotiate_bundles(const struct negotiation *n)
{
	struct sdp_session *session = n->session;
	for (unsigned i = 0; i < session->line_count; i++)
		session->lines[i].bundle_group = -1;
	for (unsigned g = 0; g < n->remote->group_count && session->settings->bundle; g++) {
		struct str mids = n->remote->bundles[g];
		uint8_t rank = 0;
		for (struct str mid; (mid = sdp_word(&mids)).len != 0;) {
			const int i = line_of_mid(n, mid);
			if (i < 0 || !n->remote->medias[i].rtcp_mux ||
			    session->lines[i].bundle_group >= 0 || !session->lines[i].accepted)
				continue;
			session->lines[i].bundle_group = (int8_t)g;
			session->lines[i].bundle_rank = rank++;
		}
	}
	sdp_bundle_assign(session);
	/* A line without a port of its own needs the group's. */
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		if (line->accepted && n->remote->medias[i].port == 0 &&
		    n->remote->medias[line->transport_line].port == 0)
			sdp_line_refuse(line, SDP_REFUSAL_TRANSPORT);
	}
}

static const struct sdp_fingerprint *
best_fingerprint(const struct sdp *remote, const struct sdp_media *media)
{
	const struct sdp_fingerprint *best = NULL;
	for (unsigned i = 0; i < media->fingerprints.count; i++) {
		const struct sdp_fingerprint *print =
		        &remote->fingerprint_table[media->fingerprints.first + i];
		if (best == NULL || print->hash > best->hash)
			best = print;
	}
	return best;
}

static bool
tag_was_offered(const struct sdp_line *line, const struct sdp_crypto *crypto)
{
	if (line->sdes.suite != SDP_SUITE_NONE)
		return crypto->suite == line->sdes.suite && crypto->tag == line->sdes.tag;
	return crypto->tag == sdp_suite_tag(crypto->suite);
}

static const struct sdp_crypto *
best_crypto(const struct negotiation *n, const struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_crypto *best = NULL;
	for (unsigned i = 0; i < media->cryptos.count; i++) {
		const struct sdp_crypto *crypto = &n->remote->cryptos[media->cryptos.first + i];
		if (crypto->fault != SDP_CRYPTO_OK ||
		    (n->session->settings->suites & 1u << crypto->suite) == 0)
			continue;
		if (n->is_answer && !tag_was_offered(line, crypto))
			continue;
		if (best == NULL || crypto->suite > best->suite)
			best = crypto;
	}
	return best;
}

static bool
security_allowed(const struct negotiation *n, const struct sdp_line *line,
                 enum sdp_security security)
{
	const struct sdp_settings *settings = n->session->settings;
	if (n->is_answer)
		return line->offered_securities[security];
	switch (security) {
	case SDP_SECURITY_NONE:
		return settings->encryption != SDP_ENCRYPTION_REQUIRED;
	case SDP_SECURITY_SDES:
		return settings->encryption != SDP_ENCRYPTION_PROHIBITED && settings->sdes;
	case SDP_SECURITY_DTLS:
		return settings->encryption != SDP_ENCRYPTION_PROHIBITED && settings->dtls;
	}
	return false;
}

/* RFC 5763 s5, RFC 8842 s5.3: an offered actpass lets us choose and we wait, unless an association
 * with other roles is running.  Silence means active (RFC 4145 s4). */
static bool
we_are_server(const struct sdp_line *line, const struct sdp_media *media, bool same_association)
{
	switch (media->setup) {
	case SDP_SETUP_PASSIVE:
		return false;
	case SDP_SETUP_ACTPASS:
		return same_association ? line->dtls_server : true;
	case SDP_SETUP_NONE:
	case SDP_SETUP_ACTIVE:
	case SDP_SETUP_HOLDCONN:
		return true;
	}
	return true;
}

static void
agree_dtls(struct sdp_line *line, const struct sdp_media *media,
           const struct sdp_fingerprint *print)
{
	const bool was_dtls = line->security == SDP_SECURITY_DTLS;
	const bool same = was_dtls && sdp_fingerprint_eq(&line->remote_fingerprint, print) &&
	                  str_eq(str_of(line->remote_tls_id), media->tls_id);
	const bool server = we_are_server(line, media, same);
	line->dtls_restart = !same || server != line->dtls_server;
	line->dtls_server = server;
	line->security = SDP_SECURITY_DTLS;
	line->remote_fingerprint = *print;
	(void)str_copy(line->remote_tls_id, sizeof line->remote_tls_id, media->tls_id);
}

static void
agree_sdes(const struct negotiation *n, struct sdp_line *line, const struct sdp_crypto *crypto)
{
	struct sdp_sdes *sdes = &line->sdes;
	line->security = SDP_SECURITY_SDES;
	sdes->suite = crypto->suite;
	sdes->tag = crypto->tag;
	memcpy(sdes->remote_key, crypto->key, sizeof sdes->remote_key);
	CHECK(!n->is_answer || line->has_random);
	if (n->is_answer)
		memcpy(sdes->local_key, sdp_line_key(line, sdes->suite),
		       sdp_suite_key_bytes(sdes->suite));
}

static void
forget_sdes(struct sdp_line *line)
{
	explicit_bzero(&line->sdes, sizeof line->sdes);
	explicit_bzero(line->sdes_random, sizeof line->sdes_random);
	line->has_random = false;
}

/* DTLS before SDES before clear, as RFC 8643 s3.1 wants it; false when the line is lost. */
static bool
negotiate_security(const struct negotiation *n, struct sdp_line *line,
                   const struct sdp_media *media)
{
	const struct sdp_fingerprint *print = best_fingerprint(n->remote, media);
	const struct sdp_crypto *crypto = best_crypto(n, line, media);
	const bool dtls_only = sdp_proto_is_dtls(media->proto);
	const bool has_dtls = print != NULL && media->setup != SDP_SETUP_HOLDCONN &&
	                      media->tls_id.len <= SDP_TLS_ID_MAX;

	line->dtls_restart = false;
	if (has_dtls && security_allowed(n, line, SDP_SECURITY_DTLS)) {
		forget_sdes(line);
		agree_dtls(line, media, print);
		return true;
	}
	if (crypto != NULL && !dtls_only && security_allowed(n, line, SDP_SECURITY_SDES)) {
		agree_sdes(n, line, crypto);
		return true;
	}
	if (!sdp_proto_is_secure(media->proto) && security_allowed(n, line, SDP_SECURITY_NONE)) {
		forget_sdes(line);
		line->security = SDP_SECURITY_NONE;
		return true;
	}
	if (n->session->settings->encryption == SDP_ENCRYPTION_PROHIBITED)
		sdp_line_refuse(line, SDP_REFUSAL_CLEAR);
	else
		sdp_line_refuse(line, SDP_REFUSAL_ENCRYPTION);
	return false;
}

/* RFC 8839 s4.2.5: an address that is none of the candidates was rewritten on the way, by something
 * that does not know ICE. */
static bool
address_was_rewritten(const struct sdp *remote, const struct sdp_media *media)
{
	const struct net_addr *addr = &media->connection.addr;
	bool has_candidates = false;
	if (addr->family == ADDR_NONE || addr_is_unspecified(addr) || media->port == PORT_DISCARD)
		return false; /* Trickling, or an mDNS name. */
	for (unsigned i = 0; i < media->candidates.count; i++) {
		const struct sdp_candidate *candidate =
		        &remote->candidates[media->candidates.first + i];
		if (candidate->component != 1)
			continue;
		has_candidates = true;
		if (candidate->addr.family == ADDR_NONE ||
		    (candidate->addr.port == media->port && addr_eq_ip(&candidate->addr, addr)))
			return false;
	}
	return has_candidates;
}

static bool
negotiate_ice(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	const bool ours = n->is_answer ? line->offered_ice : n->session->settings->ice;
	const bool had_ice = line->ice;
	line->ice = ours && media->ice_ufrag.len != 0 && media->ice_pwd.len != 0 &&
	            !media->ice_mismatch;
	line->ice_restart = false;
	line->ice_mismatch = line->ice && address_was_rewritten(n->remote, media);
	if (line->ice_mismatch)
		line->ice = false;
	if (!line->ice)
		return true;
	if (media->ice_ufrag.len > SDP_LINE_UFRAG_MAX || media->ice_pwd.len > SDP_LINE_PWD_MAX) {
		sdp_line_refuse(line, SDP_REFUSAL_TRANSPORT);
		return false;
	}
	line->ice_restart = had_ice && (!str_eq(str_of(line->remote_ufrag), media->ice_ufrag) ||
	                                !str_eq(str_of(line->remote_pwd), media->ice_pwd));
	line->remote_ice_lite = n->remote->ice_lite;
	(void)str_copy(line->remote_ufrag, sizeof line->remote_ufrag, media->ice_ufrag);
	(void)str_copy(line->remote_pwd, sizeof line->remote_pwd, media->ice_pwd);
	return true;
}

static bool
negotiate_addresses(const struct negotiation *n, struct sdp_line *line,
                    const struct sdp_media *media)
{
	const bool mux = n->is_answer ? line->offered_mux : n->session->settings->rtcp_mux;
	line->rtcp_mux = mux && media->rtcp_mux;
	line->rtcp_rsize = media->rtcp_rsize && sdp_proto_has_feedback(media->proto);
	line->remote_rtp = media->connection.addr;
	line->remote_rtp.port = media->port;
	const bool has_address = line->remote_rtp.family != ADDR_NONE;
	if ((!has_address && !line->ice) || (media->rtcp_mux_only && !line->rtcp_mux) ||
	    (has_address && addr_is_multicast(&line->remote_rtp))) {
		sdp_line_refuse(line, SDP_REFUSAL_TRANSPORT);
		return false;
	}

	line->remote_rtcp = line->remote_rtp;
	if (!line->rtcp_mux) {
		if (media->rtcp_addr.family != ADDR_NONE)
			line->remote_rtcp = media->rtcp_addr;
		line->remote_rtcp.port =
		        media->rtcp_port != 0 ? media->rtcp_port : (uint16_t)(media->port + 1);
	}
	line->remote_learn = !line->ice && (addr_is_unspecified(&line->remote_rtp) ||
	                                    media->port == PORT_DISCARD);
	return true;
}

static void
negotiate_direction(struct sdp_line *line, const struct sdp_media *media)
{
	enum sdp_direction theirs = media->direction;
	/* RFC 3264 s8.4: the hold of RFC 2543, still sent by old telephones.  With ICE the same
	 * address only means that candidates are to come. */
	if (!line->ice && media->connection.addr.family != ADDR_NONE &&
	    addr_is_unspecified(&media->connection.addr))
		theirs = (enum sdp_direction)(theirs & SDP_SENDONLY);
	line->held = (theirs & SDP_RECVONLY) == 0;
	line->direction = (enum sdp_direction)(line->wish & sdp_direction_reverse(theirs));
}

/* Second pass: how a wanted line travels. */
static void
negotiate_transport(const struct negotiation *n, struct sdp_line *line,
                    const struct sdp_media *media)
{
	const struct sdp_media *own = &n->remote->medias[line->transport_line];
	/* A member that repeats nothing of the transport takes the first one's; one that is not
	 * bundled is its own first. */
	if (!negotiate_ice(n, line, own) || !negotiate_security(n, line, own) ||
	    !negotiate_addresses(n, line, own))
		return;
	line->rtcp_mux = line->rtcp_mux && media->rtcp_mux;
	line->rtcp_rsize = media->rtcp_rsize && sdp_proto_has_feedback(media->proto);
	negotiate_direction(line, media);
}

/* RFC 3264 s6 and s8: lines never go and never change their kind; only an unused slot may come back
 * as something else. */
static enum sdp_reject
check_order(const struct negotiation *n)
{
	const struct sdp_session *session = n->session;
	const struct sdp *remote = n->remote;
	if (remote->media_count > SDP_LINES_MAX)
		return SDP_REJECT_TOO_MANY;
	if (remote->media_count < session->line_count ||
	    (n->is_answer && remote->media_count != session->line_count))
		return SDP_REJECT_ORDER;
	for (unsigned i = 0; i < session->line_count; i++) {
		const struct sdp_line *line = &session->lines[i];
		const bool same_kind =
		        str_eq_nocase(str_of(line->kind_text), remote->medias[i].kind_text);
		if (!same_kind && (n->is_answer || line->accepted))
			return SDP_REJECT_ORDER;
	}
	for (unsigned i = 0; i < remote->media_count; i++) {
		const struct sdp_media *media = &remote->medias[i];
		if (media->mid.len > SDP_MID_MAX)
			return SDP_REJECT_ATTR;
		if (media->mid.len != 0 && line_of_mid(n, media->mid) != (int)i)
			return SDP_REJECT_ATTR; /* RFC 5888 s4: a mid names one line. */
	}
	return SDP_OK;
}

/* What must be repeated in an answer even if nothing of the line is understood. */
static enum sdp_reject
keep_identity(struct sdp_line *line, const struct sdp_media *media)
{
	struct str formats = media->formats;
	line->kind = media->kind;
	const bool fits = str_copy(line->kind_text, sizeof line->kind_text, media->kind_text) &&
	                  str_copy(line->proto_text, sizeof line->proto_text, media->proto_text) &&
	                  str_copy(line->format, sizeof line->format, sdp_word(&formats));
	return fits && line->kind_text[0] != '\0' ? SDP_OK : SDP_REJECT_MEDIA;
}

static enum sdp_reject
begin_lines(const struct negotiation *n)
{
	struct sdp_session *session = n->session;
	session->codec_count = 0;
	session->uses_mid = false;
	for (unsigned i = 0; i < n->remote->media_count; i++) {
		const struct sdp_media *media = &n->remote->medias[i];
		struct sdp_line *line =
		        i < session->line_count ? &session->lines[i] : sdp_line_add(session);
		const enum sdp_reject reject = n->is_answer ? SDP_OK : keep_identity(line, media);
		if (reject != SDP_OK)
			return reject;
		line->fresh = false;
		line->proto = media->proto;
		session->uses_mid |= media->mid.len != 0;
		if (!n->is_answer)
			(void)str_copy(line->mid, sizeof line->mid, media->mid);
	}
	return SDP_OK;
}

/* A description that offers something but nothing we can use is refused as a whole; one with all
 * lines at port 0 only says that no media is wanted. */
static enum sdp_reject
judge(const struct negotiation *n)
{
	bool lacks_encryption = false;
	bool has_encryption = false;
	bool wanted = n->is_answer && n->session->line_count != 0;
	for (unsigned i = 0; i < n->session->line_count; i++) {
		const struct sdp_line *line = &n->session->lines[i];
		if (line->accepted)
			return SDP_OK;
		wanted |= line->refusal != SDP_REFUSAL_PEER;
		lacks_encryption |= line->refusal == SDP_REFUSAL_ENCRYPTION;
		has_encryption |= line->refusal == SDP_REFUSAL_CLEAR;
	}
	if (lacks_encryption)
		return SDP_REJECT_ENCRYPTION;
	if (has_encryption)
		return SDP_REJECT_UNENCRYPTED;
	return wanted ? SDP_REJECT_NO_MEDIA : SDP_OK;
}

enum sdp_reject
sdp_negotiate(struct sdp_session *session, const struct sdp *remote, bool is_answer)
{
	const struct negotiation n = { .session = session,
		                       .remote = remote,
		                       .is_answer = is_answer };
	enum sdp_reject reject = check_order(&n);
	if (reject == SDP_OK)
		reject = begin_lines(&n);
	if (reject != SDP_OK)
		return reject;
	CHECK(session->line_count == remote->media_count);
	/* Those that go, first: what they carried is free for others. */
	for (unsigned i = 0; i < session->line_count; i++)
		if (!is_wanted(&n, &remote->medias[i]))
			sdp_line_refuse(&session->lines[i], SDP_REFUSAL_PEER);
	for (unsigned i = 0; i < session->line_count; i++)
		if (is_wanted(&n, &remote->medias[i]))
			negotiate_content(&n, &session->lines[i], &remote->medias[i]);
	negotiate_bundles(&n);
	for (unsigned i = 0; i < session->line_count; i++)
		if (session->lines[i].accepted)
			negotiate_transport(&n, &session->lines[i], &remote->medias[i]);
	/* A line whose group's first was lost for its transport was judged by the same facts. */
	sdp_bundle_assign(session);
	return judge(&n);
}
