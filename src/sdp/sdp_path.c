/* SPDX-License-Identifier: Apache-2.0 */
/* How lines travel: bundles, encryption, ICE and addresses.  First each line that carries others or
 * itself is negotiated, then those it carries join its path. */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

enum {
	PORT_DISCARD = 9, /* RFC 4145 s4.1, RFC 8840: "no port yet" */
};

/* ---- Paths --------------------------------------------------------------------------------- */

static bool
has_user(const struct sdp_session *session, uint8_t path)
{
	for (unsigned i = 0; i < session->line_count; i++)
		if (session->lines[i].path == path)
			return true;
	return false;
}

/* Does another line that carries itself stand on the same path?  Both did share it. */
static bool
is_contested(const struct sdp_session *session, const struct sdp_line *line)
{
	for (unsigned i = 0; i < session->line_count; i++) {
		const struct sdp_line *other = &session->lines[i];
		if (other != line && other->path == line->path && other->transport_line == i)
			return true;
	}
	return false;
}

struct sdp_path *
sdp_path_claim(struct sdp_session *session, struct sdp_line *line)
{
	if (line->path != SDP_PATH_NONE && !is_contested(session, line))
		return &session->paths[line->path];
	for (uint8_t p = 0; p < SDP_PATHS_MAX; p++) {
		if (has_user(session, p))
			continue;
		line->path = p;
		explicit_bzero(&session->paths[p], sizeof session->paths[p]);
		return &session->paths[p];
	}
	return NULL;
}

void
sdp_paths_sweep(struct sdp_session *session)
{
	for (uint8_t p = 0; p < SDP_PATHS_MAX; p++)
		if (!has_user(session, p))
			explicit_bzero(&session->paths[p], sizeof session->paths[p]);
}

const struct sdp_path *
sdp_session_path(const struct sdp_session *session, const struct sdp_line *line)
{
	CHECK(line->path < SDP_PATHS_MAX);
	return &session->paths[line->path];
}

/* ---- Bundles ------------------------------------------------------------------------------- */

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
			const int i = sdp_line_of_mid(n, mid);
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

/* ---- Encryption ---------------------------------------------------------------------------- */

const struct sdp_fingerprint *
sdp_best_fingerprint(const struct sdp *remote, const struct sdp_media *media)
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
tag_was_offered(const struct sdp_sdes *sdes, const struct sdp_crypto *crypto)
{
	if (sdes->suite != SDP_SUITE_NONE)
		return crypto->suite == sdes->suite && crypto->tag == sdes->tag;
	return crypto->tag == sdp_suite_tag(crypto->suite);
}

static const struct sdp_crypto *
best_crypto(const struct negotiation *n, const struct sdp_path *path, const struct sdp_media *media)
{
	const struct sdp_crypto *best = NULL;
	for (unsigned i = 0; i < media->cryptos.count; i++) {
		const struct sdp_crypto *crypto = &n->remote->cryptos[media->cryptos.first + i];
		if (crypto->fault != SDP_CRYPTO_OK ||
		    (n->session->settings->suites & 1u << crypto->suite) == 0)
			continue;
		if (n->is_answer && !tag_was_offered(&path->sdes, crypto))
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
agree_dtls(struct sdp_line *line, struct sdp_path *path, const struct sdp_media *media,
           const struct sdp_fingerprint *print)
{
	const bool was_dtls = line->security == SDP_SECURITY_DTLS;
	const bool same = was_dtls && sdp_fingerprint_eq(&path->remote_fingerprint, print) &&
	                  str_eq(str_of(path->remote_tls_id), media->tls_id);
	const bool server = we_are_server(line, media, same);
	line->dtls_restart = !same || server != line->dtls_server;
	line->dtls_server = server;
	line->security = SDP_SECURITY_DTLS;
	path->remote_fingerprint = *print;
	(void)str_copy(path->remote_tls_id, sizeof path->remote_tls_id, media->tls_id);
}

static void
agree_sdes(const struct negotiation *n, struct sdp_line *line, struct sdp_path *path,
           const struct sdp_crypto *crypto)
{
	struct sdp_sdes *sdes = &path->sdes;
	line->security = SDP_SECURITY_SDES;
	sdes->suite = crypto->suite;
	sdes->tag = crypto->tag;
	memcpy(sdes->remote_key, crypto->key, sizeof sdes->remote_key);
	CHECK(!n->is_answer || path->has_random);
	if (n->is_answer)
		memcpy(sdes->local_key, sdp_path_key(path, sdes->suite),
		       sdp_suite_key_bytes(sdes->suite));
}

static void
forget_sdes(struct sdp_path *path)
{
	explicit_bzero(&path->sdes, sizeof path->sdes);
	explicit_bzero(path->sdes_random, sizeof path->sdes_random);
	path->has_random = false;
}

/* DTLS before SDES before clear, as RFC 8643 s3.1 wants it; false when the line is lost. */
static bool
negotiate_security(const struct negotiation *n, struct sdp_line *line, struct sdp_path *path,
                   const struct sdp_media *media)
{
	const struct sdp_fingerprint *print = sdp_best_fingerprint(n->remote, media);
	const struct sdp_crypto *crypto = best_crypto(n, path, media);
	const bool dtls_only = sdp_proto_is_dtls(media->proto);
	const bool has_dtls = print != NULL && media->setup != SDP_SETUP_HOLDCONN &&
	                      media->tls_id.len <= SDP_TLS_ID_MAX;

	line->dtls_restart = false;
	if (has_dtls && security_allowed(n, line, SDP_SECURITY_DTLS)) {
		forget_sdes(path);
		agree_dtls(line, path, media, print);
		return true;
	}
	if (crypto != NULL && !dtls_only && security_allowed(n, line, SDP_SECURITY_SDES)) {
		agree_sdes(n, line, path, crypto);
		return true;
	}
	if (!sdp_proto_is_secure(media->proto) && security_allowed(n, line, SDP_SECURITY_NONE)) {
		forget_sdes(path);
		line->security = SDP_SECURITY_NONE;
		return true;
	}
	if (n->session->settings->encryption == SDP_ENCRYPTION_PROHIBITED)
		sdp_line_refuse(line, SDP_REFUSAL_CLEAR);
	else
		sdp_line_refuse(line, SDP_REFUSAL_ENCRYPTION);
	return false;
}

/* ---- ICE and addresses --------------------------------------------------------------------- */

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
negotiate_ice(const struct negotiation *n, struct sdp_line *line, struct sdp_path *path,
              const struct sdp_media *media)
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
	line->ice_restart = had_ice && (!str_eq(str_of(path->remote_ufrag), media->ice_ufrag) ||
	                                !str_eq(str_of(path->remote_pwd), media->ice_pwd));
	line->remote_ice_lite = n->remote->ice_lite;
	(void)str_copy(path->remote_ufrag, sizeof path->remote_ufrag, media->ice_ufrag);
	(void)str_copy(path->remote_pwd, sizeof path->remote_pwd, media->ice_pwd);
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

/* ---- All lines ----------------------------------------------------------------------------- */

static void
negotiate_carrier(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	struct sdp_path *path = sdp_path_claim(n->session, line);
	if (path == NULL) {
		sdp_line_refuse(line, SDP_REFUSAL_TRANSPORT);
		return;
	}
	if (negotiate_ice(n, line, path, media) && negotiate_security(n, line, path, media) &&
	    negotiate_addresses(n, line, media))
		negotiate_direction(line, media);
}

/* A member repeats nothing of the transport: what its carrier said holds for it (RFC 9143 s7.1.3). */
static void
join_carrier(struct sdp_line *line, const struct sdp_line *carrier, const struct sdp_media *media)
{
	if (!carrier->accepted) {
		sdp_line_refuse(line, carrier->refusal);
		return;
	}
	line->path = carrier->path;
	line->ice = carrier->ice;
	line->ice_restart = carrier->ice_restart;
	line->ice_mismatch = carrier->ice_mismatch;
	line->remote_ice_lite = carrier->remote_ice_lite;
	line->security = carrier->security;
	line->dtls_server = carrier->dtls_server;
	line->dtls_restart = carrier->dtls_restart;
	line->remote_rtp = carrier->remote_rtp;
	line->remote_rtcp = carrier->remote_rtcp;
	line->remote_learn = carrier->remote_learn;
	line->rtcp_mux = carrier->rtcp_mux && media->rtcp_mux;
	line->rtcp_rsize = media->rtcp_rsize && sdp_proto_has_feedback(media->proto);
	negotiate_direction(line, media);
}

void
sdp_paths_negotiate(const struct negotiation *n)
{
	struct sdp_session *session = n->session;
	negotiate_bundles(n);
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		if (line->accepted && line->transport_line == i &&
		    sdp_proto_is_rtp(line->proto))
			negotiate_carrier(n, line, &n->remote->medias[i]);
	}
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		if (line->accepted && line->transport_line != i)
			join_carrier(line, &session->lines[line->transport_line],
			             &n->remote->medias[i]);
	}
	/* A line whose carrier was lost is lost with it. */
	sdp_bundle_assign(session);
}
