/* SPDX-License-Identifier: Apache-2.0 */
/* Writing our offers and answers: a `struct sdp` is filled from the session's lines and the
 * caller's transport facts, and sdp_write() makes text of it. */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

enum {
	CANDIDATE_HOST_PREFERENCE = 126, /* RFC 8445 s5.1.2.2 */
	CANDIDATE_LOCAL_PREFERENCE_MAX = 65535,
};

static const struct str foundations[] = {
	STR_INIT("1"), STR_INIT("2"), STR_INIT("3"), STR_INIT("4"),
	STR_INIT("5"), STR_INIT("6"), STR_INIT("7"), STR_INIT("8"),
};

struct str
sdp_composed(const struct composition *c, size_t start)
{
	return (struct str){ .at = c->space + start, .len = c->text.at - start };
}

void
sdp_compose_other(struct composition *c, struct sdp_media *media, struct str name,
                  struct str value)
{
	if (c->sdp.other_count == SDP_OTHERS_MAX)
		return;
	c->sdp.other_table[c->sdp.other_count++] =
	        (struct sdp_attr){ .name = name, .value = value };
	media->others.count++;
}

static struct str
profile_proto(enum sdp_profile profile)
{
	switch (profile) {
	case SDP_PROFILE_CLEAR:
	case SDP_PROFILE_BEST_EFFORT:
		return STR("RTP/AVP");
	case SDP_PROFILE_SDES:
		return STR("RTP/SAVP");
	case SDP_PROFILE_DTLS:
		return STR("UDP/TLS/RTP/SAVPF");
	}
	return STR("RTP/AVP");
}

static bool
mid_is_used(const struct sdp_session *session, const struct sdp_line *self)
{
	for (unsigned i = 0; i < session->line_count; i++)
		if (&session->lines[i] != self &&
		    str_eq(str_of(session->lines[i].mid), str_of(self->mid)))
			return true;
	return false;
}

static void
name_line(struct sdp_session *session, struct sdp_line *line)
{
	size_t number = (size_t)(line - session->lines);
	do {
		struct writer w = writer_of(line->mid, sizeof line->mid - 1);
		writer_decimal(&w, number++);
		line->mid[w.at] = '\0';
	} while (mid_is_used(session, line));
}

/* What a line of our offer asks for: what it has, or for a new line what the profile says. */
static void
prepare_offered_line(struct composition *c, struct sdp_line *line)
{
	const struct sdp_settings *settings = c->session->settings;
	const struct sdp_transport *transport = &c->transports[line->media];
	enum sdp_security security = line->security;
	if (sdp_line_is_bfcp(c->session, line)) {
		if (line->fresh) {
			line->proto = settings->medias[line->media].bfcp.offered;
			(void)str_copy(line->proto_text, sizeof line->proto_text,
			               sdp_proto_name(line->proto));
		}
		return;
	}
	if (line->fresh) {
		(void)str_copy(line->proto_text, sizeof line->proto_text,
		               profile_proto(settings->profile));
		line->proto = sdp_proto_of(str_of(line->proto_text));
		if (settings->profile == SDP_PROFILE_DTLS)
			security = SDP_SECURITY_DTLS;
		else if (settings->profile != SDP_PROFILE_CLEAR)
			security = SDP_SECURITY_SDES;
	}
	memset(line->offered_securities, 0, sizeof line->offered_securities);
	line->offered_securities[security] = true;
	if (line->fresh && settings->profile == SDP_PROFILE_BEST_EFFORT)
		line->offered_securities[SDP_SECURITY_NONE] = true;
	line->offered_ice = settings->ice && transport->ice_ufrag.len != 0;
	line->offered_mux = settings->rtcp_mux;
	if (settings->bundle || c->session->uses_mid) {
		if (line->mid[0] == '\0')
			name_line(c->session, line);
		if (settings->bundle && line->fresh) {
			line->bundle_group = 0;
			line->bundle_rank = (uint8_t)(line - c->session->lines);
		}
	}
}

/* Smallest number no other extension has. */
static uint8_t
extension_id(struct sdp_session *session, size_t extension)
{
	uint8_t id = 1;
	if (session->extension_ids[extension] != 0)
		return session->extension_ids[extension];
	for (size_t e = 0; e < SDP_EXTENSIONS_MAX;) {
		const bool clash = session->extension_ids[e] == id;
		id = (uint8_t)(id + clash);
		e = clash ? 0 : e + 1;
	}
	session->extension_ids[extension] = id;
	return id;
}

static void
compose_extensions(struct composition *c, const struct sdp_line *line, struct sdp_media *media)
{
	const struct sdp_settings *settings = c->session->settings;
	for (size_t e = 0; e < settings->extension_count; e++) {
		if ((c->is_answer && line->extension_ids[e] == 0) ||
		    !sdp_cap_has_extension(&settings->medias[line->media], e))
			continue;
		c->sdp.extmaps[c->sdp.extmap_count++] = (struct sdp_extmap){
			.id = c->is_answer ? line->extension_ids[e] : extension_id(c->session, e),
			.direction = SDP_SENDRECV,
			.uri = settings->extensions[e],
		};
		media->extmaps.count++;
	}
	media->extmap_allow_mixed = c->is_answer && line->extmap_allow_mixed;
}

static_assert(SDP_LINES_MAX * SDP_EXTENSIONS_MAX <= SDP_EXTMAPS_MAX, "room for all of ours");

static void
compose_simulcast(struct composition *c, const struct sdp_line *line, struct sdp_media *media)
{
	const size_t start = c->text.at;
	if (!c->is_answer || line->rid_count == 0 || (line->direction & SDP_RECVONLY) == 0)
		return;
	writer_text(&c->text, "recv ");
	for (unsigned i = 0; i < line->rid_count; i++) {
		c->sdp.rids[c->sdp.rid_count++] =
		        (struct sdp_rid){ .id = str_of(line->rids[i]), .is_send = false };
		media->rids.count++;
		writer_format(&c->text, i == 0 ? "%s" : ";%s", line->rids[i]);
	}
	media->simulcast = sdp_composed(c, start);
}
static_assert(SDP_LINES_MAX * SDP_RIDS_OF_LINE_MAX <= SDP_RIDS_MAX, "room for all of ours");

/* Who hears of our SSRCs by their description needs no mid in each packet (RFC 5576).  Each line is
 * a track of its own, in no stream with others, so that none waits for another (RFC 8830). */
static void
compose_sources(struct composition *c, const struct sdp_line *line, struct sdp_media *media)
{
	const uint32_t ssrcs[] = { line->send_ssrc, line->send_rtx_ssrc };
	if (line->send_ssrc == 0)
		return;
	for (unsigned i = 0; i < COUNT_OF(ssrcs); i++) {
		if (ssrcs[i] == 0)
			continue;
		c->sdp.ssrcs[c->sdp.ssrc_count++] = (struct sdp_ssrc){
			.ssrc = ssrcs[i],
			.name = STR("cname"),
			.value = c->session->settings->cname,
		};
		media->ssrcs.count++;
	}
	if (line->mid[0] != '\0') {
		const size_t start = c->text.at;
		writer_format(&c->text, "- %s", line->mid);
		media->msid = sdp_composed(c, start);
	}
	if (line->send_rtx_ssrc != 0) {
		const size_t start = c->text.at;
		writer_format(&c->text, "FID %u %u", line->send_ssrc, line->send_rtx_ssrc);
		sdp_compose_other(c, media, STR("ssrc-group"), sdp_composed(c, start));
	}
}
static_assert(2 * SDP_LINES_MAX <= SDP_SSRCS_MAX, "room for all of ours");

static void
add_crypto(struct composition *c, const struct sdp_line *line, struct sdp_path *path,
           struct sdp_media *media, enum sdp_suite suite)
{
	struct sdp_crypto *crypto = &c->sdp.cryptos[c->sdp.crypto_count];
	CHECK(c->sdp.crypto_count < SDP_CRYPTOS_MAX);
	if (!path->has_random) {
		const uint8_t *random = c->transports[line->media].sdes_random;
		CHECK(random != NULL);
		memcpy(path->sdes_random, random, sizeof path->sdes_random);
		path->has_random = true;
	}
	*crypto = (struct sdp_crypto){
		.tag = path->sdes.suite != SDP_SUITE_NONE ? path->sdes.tag : sdp_suite_tag(suite),
		.suite = suite,
		.key_len = sdp_suite_key_bytes(suite),
	};
	memcpy(crypto->key, sdp_path_key(path, suite), crypto->key_len);
	c->sdp.crypto_count++;
	media->cryptos.count++;
}

static_assert(SDP_PATHS_MAX * (SDP_SUITES - 1) <= SDP_CRYPTOS_MAX, "room for all of ours");

static void
compose_sdes(struct composition *c, const struct sdp_line *line, struct sdp_path *path,
             struct sdp_media *media)
{
	const uint32_t suites = c->session->settings->suites;
	const enum sdp_suite agreed = path->sdes.suite;
	if (agreed != SDP_SUITE_NONE) {
		add_crypto(c, line, path, media, agreed);
		memcpy(path->sdes.local_key, sdp_path_key(path, agreed),
		       sdp_suite_key_bytes(agreed));
		return;
	}
	for (unsigned s = SDP_SUITES - 1; s > SDP_SUITE_NONE; s--)
		if ((suites & 1u << s) != 0)
			add_crypto(c, line, path, media, (enum sdp_suite)s);
}

void
sdp_compose_fingerprint(struct composition *c, const struct sdp_line *line,
                        struct sdp_media *media)
{
	const struct sdp_transport *transport = &c->transports[line->media];
	CHECK(transport->fingerprint.len != 0 && transport->fingerprint.hash != SDP_HASH_OTHER);
	CHECK(c->sdp.fingerprint_count < SDP_FINGERPRINTS_MAX);
	c->sdp.fingerprint_table[c->sdp.fingerprint_count++] = transport->fingerprint;
	media->fingerprints.count++;
}
static_assert((int)SDP_LINES_MAX <= (int)SDP_FINGERPRINTS_MAX, "room for all of ours");

static void
compose_dtls(struct composition *c, const struct sdp_line *line, struct sdp_media *media)
{
	sdp_compose_fingerprint(c, line, media);
	media->tls_id = c->transports[line->media].tls_id;
	if (!c->is_answer)
		media->setup = SDP_SETUP_ACTPASS; /* RFC 8842 s5.2, also when offering again */
	else
		media->setup = line->dtls_server ? SDP_SETUP_PASSIVE : SDP_SETUP_ACTIVE;
}

static void
add_candidates(struct composition *c, struct sdp_media *media, const struct net_addr *addrs,
               size_t count, uint16_t component)
{
	for (size_t i = 0; i < count && i < COUNT_OF(foundations); i++) {
		if (c->sdp.candidate_count == SDP_CANDIDATES_MAX)
			return;
		c->sdp.candidates[c->sdp.candidate_count++] = (struct sdp_candidate){
			.foundation = foundations[i],
			.component = component,
			.is_udp = true,
			.type = SDP_CANDIDATE_HOST,
			/* RFC 8445 s5.1.2.1 */
			.priority = (uint32_t)CANDIDATE_HOST_PREFERENCE << 24 |
			            (uint32_t)(CANDIDATE_LOCAL_PREFERENCE_MAX - i) << 8 |
			            (256u - component),
			.addr = addrs[i],
		};
		media->candidates.count++;
	}
}

static void
compose_ice(struct composition *c, const struct sdp_line *line, struct sdp_media *media)
{
	const struct sdp_transport *transport = &c->transports[line->media];
	const bool mux = c->is_answer && line->rtcp_mux;
	CHECK(transport->ice_ufrag.len != 0 && transport->ice_pwd.len != 0);
	media->ice_ufrag = transport->ice_ufrag;
	media->ice_pwd = transport->ice_pwd;
	add_candidates(c, media, transport->candidates, transport->candidate_count, 1);
	if (!mux)
		add_candidates(c, media, transport->rtcp_candidates,
		               transport->rtcp_candidate_count, 2);
	media->end_of_candidates = true; /* Ours are all known at once. */
	c->sdp.ice_lite = c->session->settings->ice_lite;
}

/* A bundled line repeats what is said about its transport, as every browser does, though RFC 9143
 * s7.1.3 lets it be silent: Firefox ends when a video line is. */
static void
repeat_transport(struct composition *c, const struct sdp_line *line, const struct sdp_line *first,
                 struct sdp_media *media)
{
	const struct sdp_transport *transport = &c->transports[first->media];
	if (line->security == SDP_SECURITY_DTLS)
		compose_dtls(c, first, media);
	if (!line->ice)
		return;
	media->ice_ufrag = transport->ice_ufrag;
	media->ice_pwd = transport->ice_pwd;
}

/* Where the peer shall send, and what it needs to know to be let in: candidates and keys are said
 * once for a bundle, by its first line. */
static void
compose_transport(struct composition *c, struct sdp_line *line, struct sdp_media *media)
{
	const unsigned index = (unsigned)(line - c->session->lines);
	const struct sdp_line *first = &c->session->lines[line->transport_line];
	const struct sdp_transport *transport = &c->transports[first->media];
	media->port = transport->rtp.port;
	if (!addr_eq_ip(&transport->rtp, &c->sdp.connection.addr)) {
		media->connection.addr = transport->rtp;
		media->connection.addr.port = 0;
	}
	media->rtcp_mux = c->is_answer ? line->rtcp_mux : line->offered_mux;
	media->rtcp_rsize = c->is_answer ? line->rtcp_rsize : sdp_proto_has_feedback(line->proto);
	if (line->transport_line != index) {
		/* RFC 9143 s6: a line that cannot live outside the bundle yet. */
		media->bundle_only = !c->is_answer && line->fresh;
		if (media->bundle_only)
			media->port = 0;
		else
			repeat_transport(c, line, first, media);
		return;
	}
	const bool mux_agreed = c->is_answer && line->rtcp_mux;
	if (!mux_agreed && transport->rtcp.port != 0 &&
	    (transport->rtcp.port != transport->rtp.port + 1 ||
	     !addr_eq_ip(&transport->rtcp, &transport->rtp))) {
		media->rtcp_port = transport->rtcp.port;
		media->rtcp_addr = transport->rtcp;
	}
	struct sdp_path *path = sdp_path_claim(c->session, line);
	if (path == NULL) {
		c->text.failed = true; /* More lines with ports of their own than SDP_PATHS_MAX. */
		return;
	}
	const bool sdes = c->is_answer ? line->security == SDP_SECURITY_SDES
	                               : line->offered_securities[SDP_SECURITY_SDES];
	const bool dtls = c->is_answer ? line->security == SDP_SECURITY_DTLS
	                               : line->offered_securities[SDP_SECURITY_DTLS];
	if (sdes)
		compose_sdes(c, line, path, media);
	if (dtls)
		compose_dtls(c, line, media);
	if (c->is_answer ? line->ice : line->offered_ice)
		compose_ice(c, line, media);
	media->ice_mismatch = c->is_answer && line->ice_mismatch;
}

static void
compose_line(struct composition *c, struct sdp_line *line)
{
	struct sdp *sdp = &c->sdp;
	struct sdp_media *media = &sdp->medias[sdp->media_count++];
	*media = sdp_media_begin(sdp);
	media->kind_text = str_of(line->kind_text);
	media->proto_text = str_of(line->proto_text);
	media->direction = SDP_SENDRECV;
	if (c->session->uses_mid || c->session->settings->bundle)
		media->mid = str_of(line->mid);
	if (!line->accepted && !line->fresh) {
		/* RFC 3264 s6: port 0, and some format because the grammar wants one. */
		media->formats = line->format[0] != '\0' ? str_of(line->format) : STR("0");
		media->direction = SDP_INACTIVE;
		return;
	}
	const struct sdp_media_cap *cap = &c->session->settings->medias[line->media];
	media->label = cap->label;
	if (sdp_line_is_bfcp(c->session, line)) {
		sdp_bfcp_compose(c, line, media);
		return;
	}
	media->bandwidth_bps = cap->bandwidth_bps;
	media->ptime_ms = cap->ptime_ms;
	media->maxptime_ms = cap->maxptime_ms;
	media->content = cap->content;
	media->direction = c->is_answer ? line->direction : line->wish;
	sdp_codecs_compose(c, line, media);
	compose_extensions(c, line, media);
	compose_simulcast(c, line, media);
	compose_sources(c, line, media);
	compose_transport(c, line, media);
}

/* a=group:BUNDLE for each group, the line whose transport is used first. */
static void
compose_bundles(struct composition *c)
{
	const struct sdp_session *session = c->session;
	for (int g = 0; g < SDP_GROUPS_MAX; g++) {
		const size_t start = c->text.at;
		for (unsigned rank = 0; rank < SDP_LINES_MAX; rank++) {
			for (unsigned i = 0; i < session->line_count; i++) {
				const struct sdp_line *line = &session->lines[i];
				if (line->bundle_group != g || line->bundle_rank != rank ||
				    (!line->accepted && !line->fresh))
					continue;
				writer_format(&c->text, c->text.at == start ? "%s" : " %s",
				              line->mid);
			}
		}
		if (c->text.at != start)
			c->sdp.bundles[c->sdp.group_count++] = sdp_composed(c, start);
	}
}

static void
compose_head(struct composition *c)
{
	const struct sdp_session *session = c->session;
	struct sdp_connection *connection = &c->sdp.connection;
	connection->addr = addr_ip4(0, 0, 0, 0, 0);
	for (unsigned i = session->line_count; i-- != 0;) {
		const struct sdp_line *line = &session->lines[i];
		if (line->accepted || line->fresh)
			connection->addr = c->transports[line->media].rtp;
	}
	connection->addr.port = 0;
	c->sdp.origin.user = session->settings->user.len != 0 ? session->settings->user : STR("-");
	c->sdp.origin.addr = connection->addr;
}

static void
offer_lines(struct composition *c)
{
	struct sdp_session *session = c->session;
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		if (line->accepted || line->fresh)
			prepare_offered_line(c, line);
	}
	/* New lines share the first one's transport only when it is the same socket. */
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		line->transport_line = line->fresh ? (uint8_t)i : line->transport_line;
		for (unsigned k = 0; k < i && line->fresh && line->bundle_group >= 0; k++) {
			const struct sdp_line *other = &session->lines[k];
			if (line->transport_line != i ||
			    other->bundle_group != line->bundle_group ||
			    other->transport_line != k || (!other->accepted && !other->fresh) ||
			    !addr_eq(&c->transports[line->media].rtp,
			             &c->transports[other->media].rtp))
				continue;
			line->transport_line = (uint8_t)k;
		}
	}
}

/* FNV-1a, to see whether a description says anything new; nobody gains by a collision. */
static uint64_t
text_hash(struct str text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* RFC 3264 s8: the o= version goes up by one with every change and stays without.  The text is
 * written with the old number, compared from behind the o= line on, and written again if new. */
static void
write_versioned(struct composition *c, struct writer *out)
{
	struct sdp_session *session = c->session;
	char id[24];
	char version[24];
	struct writer id_writer = writer_of(id, sizeof id);
	writer_decimal(&id_writer, session->settings->session_id);
	c->sdp.origin.id = writer_view(&id_writer);
	const size_t start = out->at;
	for (int round = 0; round < 2; round++) {
		struct writer version_writer = writer_of(version, sizeof version);
		writer_decimal(&version_writer, session->version);
		c->sdp.origin.version = writer_view(&version_writer);
		out->at = start;
		sdp_write(out, &c->sdp);
		if (out->failed)
			return;
		struct str text = { .at = (const char *)out->bytes + start,
			            .len = out->at - start };
		(void)str_cut(&text, '\n');
		(void)str_cut(&text, '\n');
		const uint64_t hash = text_hash(text);
		if (hash == session->written_hash)
			return;
		session->written_hash = hash;
		session->version++;
	}
}

void
sdp_compose(struct sdp_session *session, const struct sdp_transport *transports, bool is_answer,
            struct writer *out)
{
	struct composition c;
	c.session = session;
	c.transports = transports;
	c.is_answer = is_answer;
	c.text = writer_of(c.space, sizeof c.space);
	sdp_init(&c.sdp);
	if (!is_answer)
		offer_lines(&c);
	compose_head(&c);
	for (unsigned i = 0; i < session->line_count; i++)
		compose_line(&c, &session->lines[i]);
	compose_bundles(&c);
	if (c.text.failed)
		out->failed = true;
	else
		write_versioned(&c, out);
	explicit_bzero(c.sdp.cryptos, c.sdp.crypto_count * sizeof c.sdp.cryptos[0]);
}
