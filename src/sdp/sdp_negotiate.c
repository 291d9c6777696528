/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a peer's description: what we can agree to, line by line.  Two passes: first what each
 * line carries (media, codecs), then how (BUNDLE, security, ICE, addresses), because bundled lines
 * take their transport from the first of them that is wanted. */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

enum {
	EXTMAP_ID_ONE_BYTE_MAX = 14, /* RFC 8285 s4.2 */
	EXTMAP_ID_TWO_BYTE_MAX = 255,
};

static bool
is_main(struct str content)
{
	return content.len == 0 || str_eq_nocase(content, STR("main"));
}

/* Is it about the same thing, in a protocol that we speak of it? */
static bool
cap_fits(const struct sdp_media_cap *cap, const struct sdp_media *media)
{
	if (cap->kind != media->kind)
		return false;
	if (cap->bfcp.protos != 0)
		return sdp_proto_is_bfcp(media->proto);
	if (cap->kind == SDP_APPLICATION && !sdp_proto_is_rtp(media->proto))
		return false;
	/* RFC 4796: several values may stand in one line. */
	return is_main(cap->content) ? is_main(media->content)
	                             : str_contains_nocase(media->content, cap->content);
}

/* A browser's second line that sends is its screen, also if the page does not mark it. */
static bool
cap_fits_unmarked(const struct sdp_media_cap *cap, const struct sdp_media *media)
{
	return cap->kind == media->kind && cap->direction == SDP_RECVONLY &&
	       !is_main(cap->content) && is_main(media->content);
}

/* For a line that is not bound yet: a browser's camera and its tiles differ in nothing else. */
static bool
direction_fits(const struct sdp_media_cap *cap, const struct sdp_media *media)
{
	const bool sends = (media->direction & SDP_SENDONLY) != 0;
	switch (cap->direction) {
	case SDP_SENDONLY:
		return !sends;
	case SDP_RECVONLY:
		return sends || media->direction == SDP_INACTIVE;
	case SDP_SENDRECV:
	case SDP_INACTIVE:
		break;
	}
	return true;
}

static bool
media_is_taken(const struct sdp_session *session, const struct sdp_line *self, size_t media)
{
	for (unsigned i = 0; i < session->line_count && !session->settings->medias[media].many;
	     i++) {
		const struct sdp_line *line = &session->lines[i];
		if (line != self && line->media == (int8_t)media && line->accepted)
			return true;
	}
	return false;
}

/* The first media that is free for a line, or -1. */
static int
free_media(const struct sdp_session *session, const struct sdp_line *line,
           const struct sdp_media *media,
           bool (*fits)(const struct sdp_media_cap *cap, const struct sdp_media *media))
{
	const struct sdp_settings *settings = session->settings;
	for (size_t m = 0; m < settings->media_count; m++)
		if (fits(&settings->medias[m], media) &&
		    direction_fits(&settings->medias[m], media) &&
		    !media_is_taken(session, line, m))
			return (int)m;
	return -1;
}

/* Binds an offered line to one of our media: the one it had, or the first that is free. */
static void
bind_media(struct sdp_session *session, struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_media_cap *medias = session->settings->medias;
	if (line->media >= 0 && !media_is_taken(session, line, (size_t)line->media) &&
	    (cap_fits(&medias[line->media], media) ||
	     cap_fits_unmarked(&medias[line->media], media)))
		return;
	line->media = -1;
	int found = free_media(session, line, media, cap_fits);
	if (found < 0)
		found = free_media(session, line, media, cap_fits_unmarked);
	if (found < 0)
		return;
	for (unsigned i = 0; i < session->line_count && !medias[found].many; i++)
		if (session->lines[i].media == (int8_t)found)
			session->lines[i].media = -1; /* It was refused and is replaced. */
	line->media = (int8_t)found;
	line->wish = medias[found].direction;
	line->send_ssrc = 0;
	line->send_rtx_ssrc = 0;
	memset(line->payloads, SDP_PAYLOAD_NONE, sizeof line->payloads);
	memset(line->rtx_payloads, SDP_PAYLOAD_NONE, sizeof line->rtx_payloads);
}

static void
agree_extensions(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	struct sdp_session *session = n->session;
	const struct sdp_media_cap *cap = &session->settings->medias[line->media];
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
			    !sdp_cap_has_extension(cap, e) || line->extension_ids[e] != 0)
				continue;
			if (n->is_answer && map->id != session->extension_ids[e])
				continue; /* RFC 8285 s6: an answer keeps the offer's number. */
			line->extension_ids[e] = (uint8_t)map->id;
			session->extension_ids[e] = (uint8_t)map->id;
			break;
		}
	}
}

/* Packets of layers are told apart by their rtp-stream-id alone (RFC 8853 s5.5). */
static bool
has_rid_extension(const struct negotiation *n, const struct sdp_line *line)
{
	const struct sdp_settings *settings = n->session->settings;
	for (size_t e = 0; e < settings->extension_count; e++)
		if (line->extension_ids[e] != 0 &&
		    str_eq(settings->extensions[e],
		           STR("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")))
			return true;
	return false;
}

static bool
sends_rid(const struct negotiation *n, const struct sdp_media *media, struct str id)
{
	for (unsigned i = 0; i < media->rids.count; i++) {
		const struct sdp_rid *rid = &n->remote->rids[media->rids.first + i];
		if (rid->is_send && str_eq(rid->id, id))
			return true;
	}
	return false;
}

static void
add_rid(struct sdp_line *line, uint8_t max, struct str id)
{
	if (id.len == 0 || id.len > SDP_RID_MAX || line->rid_count == max)
		return;
	for (unsigned i = 0; i < line->rid_count; i++)
		if (str_eq(str_of(line->rids[i]), id))
			return;
	(void)str_copy(line->rids[line->rid_count++], sizeof line->rids[0], id);
}

/* a=simulcast:send 1,4;2;~3 recv 5: of alternatives the first is taken, paused ones ("~") as they
 * are (RFC 8853 s5.1). */
static void
agree_simulcast(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	const uint8_t max = n->session->settings->medias[line->media].simulcast_max;
	struct str rest = media->simulcast;
	line->rid_count = 0;
	if (max == 0 || n->is_answer || !has_rid_extension(n, line) ||
	    (media->direction & SDP_SENDONLY) == 0)
		return;
	for (struct str way; (way = sdp_word(&rest)).len != 0;) {
		struct str streams = sdp_word(&rest);
		while (streams.len != 0 && str_eq(way, STR("send"))) {
			struct str alternatives = str_cut(&streams, ';');
			struct str id = str_cut(&alternatives, ',');
			if (str_starts(id, STR("~")))
				id = str_sub(id, 1, id.len - 1);
			if (sends_rid(n, media, id))
				add_rid(line, max, id);
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
	line->rid_count = 0;
	if (!n->is_answer)
		bind_media(n->session, line, media);
	if (line->media < 0) {
		sdp_line_refuse(line, SDP_REFUSAL_MEDIA);
		return;
	}
	if (sdp_line_is_bfcp(n->session, line)) {
		sdp_bfcp_agree(n, line, media);
		return;
	}
	if (!sdp_proto_is_rtp(media->proto)) {
		sdp_line_refuse(line, SDP_REFUSAL_PROTO);
		return;
	}
	sdp_codecs_agree(n, line, media);
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
	agree_simulcast(n, line, media);
}

int
sdp_line_of_mid(const struct negotiation *n, struct str mid)
{
	for (unsigned i = 0; i < n->remote->media_count; i++)
		if (str_eq(n->remote->medias[i].mid, mid))
			return (int)i;
	return -1;
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
		if (media->mid.len != 0 && sdp_line_of_mid(n, media->mid) != (int)i)
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
	sdp_codecs_clear(session);
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
	sdp_paths_negotiate(&n);
	sdp_paths_sweep(session);
	return judge(&n);
}
