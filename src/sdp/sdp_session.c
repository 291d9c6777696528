/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

static const char *const refusal_names[] = {
	[SDP_REFUSAL_NONE] = "none",
	[SDP_REFUSAL_PEER] = "by the peer",
	[SDP_REFUSAL_MEDIA] = "media not wanted",
	[SDP_REFUSAL_PROTO] = "protocol not spoken",
	[SDP_REFUSAL_CODEC] = "no codec in common",
	[SDP_REFUSAL_ENCRYPTION] = "encryption required",
	[SDP_REFUSAL_CLEAR] = "encryption prohibited",
	[SDP_REFUSAL_TRANSPORT] = "no usable transport",
};

static const char *const security_names[] = {
	[SDP_SECURITY_NONE] = "clear",
	[SDP_SECURITY_SDES] = "sdes",
	[SDP_SECURITY_DTLS] = "dtls",
};

static void
check_settings(const struct sdp_settings *settings)
{
	CHECK(settings->media_count <= SDP_LINES_MAX);
	CHECK(settings->extension_count <= SDP_EXTENSIONS_MAX);
	/* A peer could not tell two lines of one transport apart without mux and mid. */
	CHECK(!settings->bundle || settings->rtcp_mux);
	switch (settings->profile) {
	case SDP_PROFILE_CLEAR:
		CHECK(settings->encryption != SDP_ENCRYPTION_REQUIRED);
		break;
	case SDP_PROFILE_BEST_EFFORT:
		CHECK(settings->encryption == SDP_ENCRYPTION_OPTIONAL);
		CHECK(settings->sdes && settings->suites != 0);
		break;
	case SDP_PROFILE_SDES:
		CHECK(settings->encryption != SDP_ENCRYPTION_PROHIBITED);
		CHECK(settings->sdes && settings->suites != 0);
		break;
	case SDP_PROFILE_DTLS:
		CHECK(settings->encryption != SDP_ENCRYPTION_PROHIBITED);
		CHECK(settings->dtls);
		break;
	}
	for (size_t m = 0; m < settings->media_count; m++) {
		const struct sdp_media_cap *cap = &settings->medias[m];
		CHECK(cap->codec_count <= SDP_CAP_CODECS_MAX);
		CHECK(cap->feedback_count <= SDP_LINE_FEEDBACKS_MAX);
		CHECK(cap->simulcast_max <= SDP_RIDS_OF_LINE_MAX);
		CHECK(cap->bfcp.protos == 0 ||
		      (cap->kind == SDP_APPLICATION && sdp_proto_is_bfcp(cap->bfcp.offered)));
		for (size_t c = 0; c < cap->codec_count; c++)
			CHECK(cap->codecs[c].payload <= 127);
	}
}

void
sdp_session_init(struct sdp_session *session, const struct sdp_settings *settings)
{
	check_settings(settings);
	memset(session, 0, sizeof *session);
	session->settings = settings;
	sdp_codecs_clear(session);
}

void
sdp_session_fini(struct sdp_session *session)
{
	explicit_bzero(session, sizeof *session);
}

void
sdp_line_refuse(struct sdp_line *line, enum sdp_refusal refusal)
{
	line->accepted = false;
	line->refusal = refusal;
	line->direction = SDP_INACTIVE;
	line->held = false;
	line->codec_count = 0;
	line->event_count = 0;
	line->rtcp_mux = false;
	line->rtcp_rsize = false;
	line->remote_rtp = (struct net_addr){ 0 };
	line->remote_rtcp = (struct net_addr){ 0 };
	line->remote_learn = false;
	line->ice = false;
	line->ice_restart = false;
	line->security = SDP_SECURITY_NONE;
	line->dtls_restart = false;
	line->bundle_group = -1;
	line->path = SDP_PATH_NONE;
	line->rid_count = 0;
	line->bfcp = (struct sdp_bfcp){ 0 };
	memset(line->extension_ids, 0, sizeof line->extension_ids);
}

void
sdp_bundle_assign(struct sdp_session *session)
{
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		unsigned best = i;
		for (unsigned k = 0; k < session->line_count && line->bundle_group >= 0; k++) {
			const struct sdp_line *other = &session->lines[k];
			if (other->accepted && other->bundle_group == line->bundle_group &&
			    other->bundle_rank < session->lines[best].bundle_rank)
				best = k;
		}
		line->transport_line = (uint8_t)best;
	}
}

struct sdp_line *
sdp_line_add(struct sdp_session *session)
{
	CHECK(session->line_count < SDP_LINES_MAX);
	const uint8_t index = session->line_count++;
	struct sdp_line *line = &session->lines[index];
	*line = (struct sdp_line){
		.media = -1,
		.bundle_group = -1,
		.transport_line = index,
		.path = SDP_PATH_NONE,
		.wish = SDP_SENDRECV,
	};
	memset(line->payloads, SDP_PAYLOAD_NONE, sizeof line->payloads);
	memset(line->rtx_payloads, SDP_PAYLOAD_NONE, sizeof line->rtx_payloads);
	return line;
}

void
sdp_session_direction_set(struct sdp_session *session, unsigned line, enum sdp_direction direction)
{
	CHECK(line < session->line_count);
	session->lines[line].wish = direction;
}

void
sdp_session_sources_set(struct sdp_session *session, unsigned line, uint32_t ssrc,
                        uint32_t rtx_ssrc)
{
	CHECK(line < session->line_count);
	session->lines[line].send_ssrc = ssrc;
	session->lines[line].send_rtx_ssrc = rtx_ssrc;
}

static bool
media_has_line(const struct sdp_session *session, size_t media)
{
	for (unsigned i = 0; i < session->line_count; i++)
		if (session->lines[i].media == (int8_t)media)
			return true;
	return false;
}

static void
add_offered_lines(struct sdp_session *session, const struct sdp_transport *transports)
{
	const struct sdp_settings *settings = session->settings;
	for (size_t m = 0; m < settings->media_count; m++) {
		if (media_has_line(session, m) || transports[m].rtp.port == 0 ||
		    session->line_count == SDP_LINES_MAX)
			continue;
		const struct sdp_media_cap *cap = &settings->medias[m];
		struct sdp_line *line = sdp_line_add(session);
		line->fresh = true;
		line->media = (int8_t)m;
		line->kind = cap->kind;
		line->wish = cap->direction;
		(void)str_copy(line->kind_text, sizeof line->kind_text, sdp_kind_name(cap->kind));
	}
}

void
sdp_session_offer_write(struct sdp_session *session, const struct sdp_transport *transports,
                        struct writer *out)
{
	CHECK(session->state == SDP_STABLE);
	add_offered_lines(session, transports);
	sdp_compose(session, transports, false, out);
	session->state = SDP_HAVE_LOCAL_OFFER;
}

void
sdp_session_offer_drop(struct sdp_session *session)
{
	if (session->state != SDP_HAVE_LOCAL_OFFER)
		return;
	while (session->line_count != 0 && session->lines[session->line_count - 1].fresh) {
		session->line_count--;
		explicit_bzero(&session->lines[session->line_count], sizeof session->lines[0]);
	}
	sdp_paths_sweep(session);
	session->state = SDP_STABLE;
}

static enum sdp_reject
take(struct sdp_session *session, struct str text, bool is_answer)
{
	struct sdp remote;
	const enum sdp_reject bad = sdp_parse(&remote, text);
	if (bad != SDP_OK)
		return bad;
	struct sdp_session next = *session;
	const enum sdp_reject reject = sdp_negotiate(&next, &remote, is_answer);
	if (reject == SDP_OK)
		*session = next;
	explicit_bzero(&next, sizeof next);
	explicit_bzero(remote.cryptos, remote.crypto_count * sizeof remote.cryptos[0]);
	return reject;
}

enum sdp_reject
sdp_session_answer_take(struct sdp_session *session, struct str text)
{
	if (session->state != SDP_HAVE_LOCAL_OFFER)
		return SDP_REJECT_STATE;
	const enum sdp_reject reject = take(session, text, true);
	if (reject != SDP_OK)
		sdp_session_offer_drop(session);
	session->state = SDP_STABLE;
	return reject;
}

enum sdp_reject
sdp_session_offer_take(struct sdp_session *session, struct str text)
{
	if (session->state != SDP_STABLE)
		return SDP_REJECT_STATE; /* RFC 3264 s4, RFC 6337 s2.2: answered with 491 */
	const enum sdp_reject reject = take(session, text, false);
	if (reject == SDP_OK)
		session->state = SDP_HAVE_REMOTE_OFFER;
	return reject;
}

void
sdp_session_answer_write(struct sdp_session *session, const struct sdp_transport *transports,
                         struct writer *out)
{
	CHECK(session->state == SDP_HAVE_REMOTE_OFFER);
	for (unsigned i = 0; i < session->line_count; i++) {
		struct sdp_line *line = &session->lines[i];
		if (line->accepted && transports[line->media].rtp.port == 0)
			sdp_line_refuse(line, SDP_REFUSAL_MEDIA);
	}
	sdp_bundle_assign(session);
	sdp_paths_sweep(session);
	sdp_compose(session, transports, true, out);
	session->state = SDP_STABLE;
}

const struct sdp_line *
sdp_session_line(const struct sdp_session *session, unsigned media)
{
	for (unsigned i = 0; i < session->line_count; i++)
		if (session->lines[i].accepted && session->lines[i].media == (int8_t)media)
			return &session->lines[i];
	return NULL;
}

struct sdp_opus
sdp_opus_of(struct str fmtp)
{
	return (struct sdp_opus){
		.maxplaybackrate_hz = sdp_fmtp_u32(fmtp, STR("maxplaybackrate"), 48000),
		.maxaveragebitrate_bps = sdp_fmtp_u32(fmtp, STR("maxaveragebitrate"), 0),
		.stereo = sdp_fmtp_u32(fmtp, STR("stereo"), 0) == 1,
		.cbr = sdp_fmtp_u32(fmtp, STR("cbr"), 0) == 1,
		.useinbandfec = sdp_fmtp_u32(fmtp, STR("useinbandfec"), 0) == 1,
		.usedtx = sdp_fmtp_u32(fmtp, STR("usedtx"), 0) == 1,
	};
}

const char *
sdp_refusal_name(enum sdp_refusal refusal)
{
	CHECK(refusal < COUNT_OF(refusal_names));
	return refusal_names[refusal];
}

static void
dump_bfcp(const struct sdp_line *line, struct writer *w)
{
	const struct sdp_bfcp *bfcp = &line->bfcp;
	writer_format(w, " %.*s %s%s conference %u user %u floor %u to ",
	              STR_ARGS(sdp_proto_name(line->proto)), bfcp->server ? "server" : "client",
	              bfcp->active ? " active" : "", bfcp->conference_id, bfcp->user_id,
	              bfcp->floor_id);
	addr_write(w, &line->remote_rtp);
}

static void
dump_accepted(const struct sdp_session *session, const struct sdp_line *line, struct writer *w)
{
	const struct sdp_media_cap *cap = &session->settings->medias[line->media];
	writer_format(w, " %.*s %s%s%s", STR_ARGS(sdp_direction_name(line->direction)),
	              security_names[line->security], line->rtcp_mux ? " mux" : "",
	              line->held ? " held" : "");
	if (line->security == SDP_SECURITY_DTLS)
		writer_text(w, line->dtls_server ? " server" : " client");
	if (line->security == SDP_SECURITY_SDES) {
		writer_text(w, " ");
		writer_str(w, sdp_suite_name(sdp_session_path(session, line)->sdes.suite));
	}
	if (line->ice)
		writer_format(w, " ice %s", sdp_session_path(session, line)->remote_ufrag);
	if (line->transport_line != (uint8_t)(line - session->lines))
		writer_format(w, " in %u", line->transport_line);
	for (unsigned c = 0; c < line->codec_count; c++) {
		const struct sdp_line_codec *codec = &session->codecs[line->codec_first + c];
		writer_format(w, " %.*s %u/%u", STR_ARGS(cap->codecs[codec->cap].name),
		              codec->send_payload, codec->receive_payload);
		if (codec->send_rtx_payload != SDP_PAYLOAD_NONE)
			writer_format(w, " rtx %u/%u", codec->send_rtx_payload,
			              codec->receive_rtx_payload);
	}
	for (unsigned r = 0; r < line->rid_count; r++)
		writer_format(w, r == 0 ? " layers %s" : ",%s", line->rids[r]);
	for (unsigned e = 0; e < line->event_count; e++)
		writer_format(w, " event/%u %u/%u", line->events[e].rate_hz,
		              line->events[e].send_payload, line->events[e].receive_payload);
	writer_text(w, " to ");
	addr_write(w, &line->remote_rtp);
	if (!line->rtcp_mux) {
		writer_text(w, " ");
		addr_write(w, &line->remote_rtcp);
	}
}

void
sdp_session_dump(const struct sdp_session *session, struct writer *w)
{
	for (unsigned i = 0; i < session->line_count; i++) {
		const struct sdp_line *line = &session->lines[i];
		writer_format(w, "%u %s", i, line->kind_text);
		if (line->accepted && sdp_line_is_bfcp(session, line))
			dump_bfcp(line, w);
		else if (line->accepted)
			dump_accepted(session, line, w);
		else
			writer_format(w, " refused: %s", sdp_refusal_name(line->refusal));
		writer_text(w, "\n");
	}
}
