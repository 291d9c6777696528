/* SPDX-License-Identifier: Apache-2.0 */
/* Codecs of a line: which of theirs are which of ours, under which numbers, with which feedback and
 * retransmission; and what our descriptions say about them. */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"
#include "base/encode.h"

enum {
	FORMATS_TEXT_MAX = 2 * (SDP_CAP_CODECS_MAX + 1) * 4, /* "127 " each, and its rtx */
	PAYLOAD_DYNAMIC_FIRST = 96,
	PAYLOAD_DYNAMIC_LAST = 127,
	FIT_NONE = 0,
	FIT_LOOSE,
	FIT_EXACT,
	PROFILE_LEVEL_BYTES = 3, /* profile_idc, profile-iop, level_idc */
	APT_NONE = 256,
};

/* ---- H.264 (RFC 6184 s8) ------------------------------------------------------------------- */

enum profile {
	PROFILE_OTHER,
	PROFILE_BASELINE,
	PROFILE_CONSTRAINED_BASELINE,
	PROFILE_MAIN,
	PROFILE_EXTENDED,
	PROFILE_HIGH,
	PROFILE_CONSTRAINED_HIGH,
};

/* s8.1, table 5: one profile has many spellings. */
static const struct {
	uint8_t idc;
	uint8_t iop_mask;
	uint8_t iop;
	enum profile profile;
} profiles[] = {
	{ 0x42, 0x40, 0x40, PROFILE_CONSTRAINED_BASELINE },
	{ 0x4D, 0x8F, 0x80, PROFILE_CONSTRAINED_BASELINE },
	{ 0x58, 0xCF, 0xC0, PROFILE_CONSTRAINED_BASELINE },
	{ 0x42, 0x40, 0x00, PROFILE_BASELINE },
	{ 0x58, 0xCF, 0x80, PROFILE_BASELINE },
	{ 0x4D, 0xAF, 0x00, PROFILE_MAIN },
	{ 0x58, 0xCF, 0x00, PROFILE_EXTENDED },
	{ 0x64, 0xFF, 0x00, PROFILE_HIGH },
	{ 0x64, 0xFF, 0x0C, PROFILE_CONSTRAINED_HIGH },
};

static enum profile
profile_of(const uint8_t level[PROFILE_LEVEL_BYTES])
{
	for (size_t i = 0; i < COUNT_OF(profiles); i++)
		if (level[0] == profiles[i].idc &&
		    (level[1] & profiles[i].iop_mask) == profiles[i].iop)
			return profiles[i].profile;
	return PROFILE_OTHER;
}

/* Without the parameter: what every device that leaves it out can do, not level 1 of the RFC. */
static bool
profile_level(uint8_t out[PROFILE_LEVEL_BYTES], struct str fmtp)
{
	struct str text = STR("42E01F");
	(void)sdp_fmtp_get(fmtp, STR("profile-level-id"), &text);
	if (text.len != 2 * PROFILE_LEVEL_BYTES)
		return false;
	for (unsigned i = 0; i < PROFILE_LEVEL_BYTES; i++) {
		const int high = hex_value(text.at[2 * i]);
		const int low = hex_value(text.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* s8.2.2: an answer keeps packetization mode and profile.  Baseline streams with what constrained
 * baseline leaves out do not exist outside test suites: Cisco's and Poly's rooms say 4280 or 4200
 * and mean 42E0.  So it is with high and constrained high. */
static unsigned
h264_fit(struct str ours, struct str theirs)
{
	uint8_t our_level[PROFILE_LEVEL_BYTES];
	uint8_t their_level[PROFILE_LEVEL_BYTES];
	if (sdp_fmtp_u32(ours, STR("packetization-mode"), 0) !=
	            sdp_fmtp_u32(theirs, STR("packetization-mode"), 0) ||
	    !profile_level(our_level, ours) || !profile_level(their_level, theirs))
		return FIT_NONE;
	const enum profile our_profile = profile_of(our_level);
	const enum profile their_profile = profile_of(their_level);
	if (our_profile == their_profile)
		return our_profile != PROFILE_OTHER || memcmp(our_level, their_level, 2) == 0
		               ? FIT_EXACT
		               : FIT_NONE;
	const uint32_t pair = 1u << our_profile | 1u << their_profile;
	return pair == (1u << PROFILE_BASELINE | 1u << PROFILE_CONSTRAINED_BASELINE) ||
	                       pair == (1u << PROFILE_HIGH | 1u << PROFILE_CONSTRAINED_HIGH)
	               ? FIT_LOOSE
	               : FIT_NONE;
}

static bool
allows_asymmetry(struct str fmtp)
{
	return sdp_fmtp_u32(fmtp, STR("level-asymmetry-allowed"), 0) == 1;
}

/* Our fmtp in an answer: the offer's profile, and our level, or the lower one if both directions
 * must have the same. */
static struct str
answered_h264(struct composition *c, struct str ours, struct str theirs)
{
	uint8_t level[PROFILE_LEVEL_BYTES];
	uint8_t their_level[PROFILE_LEVEL_BYTES];
	struct str value;
	if (!sdp_fmtp_get(ours, STR("profile-level-id"), &value) || !profile_level(level, ours) ||
	    !profile_level(their_level, theirs))
		return ours;
	if (!(allows_asymmetry(ours) && allows_asymmetry(theirs)) && their_level[2] < level[2])
		level[2] = their_level[2];
	const size_t start = c->text.at;
	const size_t before = (size_t)(value.at - ours.at);
	const size_t behind = before + value.len;
	writer_str(&c->text, str_sub(ours, 0, before));
	writer_format(&c->text, "%02x%02x%02x", their_level[0], their_level[1], level[2]);
	writer_str(&c->text, str_sub(ours, behind, ours.len - behind));
	return sdp_composed(c, start);
}

/* ---- Agreeing ------------------------------------------------------------------------------ */

/* Parameters that make one name several codecs. */
static unsigned
fmtp_fit(struct str name, struct str ours, struct str theirs)
{
	if (str_eq_nocase(name, STR("H264")))
		return h264_fit(ours, theirs);
	const struct str key = str_eq_nocase(name, STR("VP9"))   ? STR("profile-id")
	                       : str_eq_nocase(name, STR("AV1")) ? STR("profile")
	                                                         : STR("");
	return key.len == 0 || sdp_fmtp_u32(ours, key, 0) == sdp_fmtp_u32(theirs, key, 0)
	               ? FIT_EXACT
	               : FIT_NONE;
}

unsigned
sdp_codec_fit(const struct sdp_codec_cap *cap, const struct sdp_codec *codec)
{
	return str_eq_nocase(cap->name, codec->name) && cap->rate_hz == codec->rate_hz &&
	                       cap->channels == codec->channels
	               ? fmtp_fit(cap->name, cap->fmtp, codec->fmtp)
	               : FIT_NONE;
}

void
sdp_codecs_clear(struct sdp_session *session)
{
	session->codec_count = 0;
	session->fmtps[0] = '\0';
	session->fmtps_len = 1;
}

/* Keeps what fits, ending after a whole parameter; false when the session's texts are full. */
static bool
keep_fmtp(struct sdp_session *session, struct str fmtp, uint16_t *at)
{
	while (fmtp.len >= SDP_FMTP_MAX) {
		do {
			fmtp.len--;
		} while (fmtp.len != 0 && fmtp.at[fmtp.len] != ';');
	}
	for (uint16_t i = 0; i < session->fmtps_len;) {
		const struct str kept = str_of(session->fmtps + i);
		if (str_eq(kept, fmtp)) {
			*at = i;
			return true;
		}
		i = (uint16_t)(i + kept.len + 1);
	}
	if (fmtp.len + 1 > (size_t)(SDP_FMTPS_BYTES_MAX - session->fmtps_len))
		return false;
	*at = session->fmtps_len;
	(void)str_copy(session->fmtps + *at, fmtp.len + 1, fmtp);
	session->fmtps_len = (uint16_t)(session->fmtps_len + fmtp.len + 1);
	return true;
}

static uint16_t
agree_feedbacks(const struct negotiation *n, const struct sdp_media_cap *cap,
                const struct sdp_media *media, uint8_t payload)
{
	uint32_t agreed = 0;
	for (unsigned i = 0; i < media->feedbacks.count; i++) {
		const struct sdp_feedback *theirs =
		        &n->remote->feedbacks[media->feedbacks.first + i];
		if (theirs->payload >= 0 && theirs->payload != payload)
			continue;
		for (size_t f = 0; f < cap->feedback_count; f++)
			if (sdp_feedback_has(theirs->value, cap->feedbacks[f]))
				agreed |= 1u << f;
	}
	return (uint16_t)agreed;
}
static_assert(SDP_LINE_FEEDBACKS_MAX <= 16, "agreed has a bit for each");

/* The peer's numbers win; what else had this one gets another in our next offer. */
static void
assign_payload(struct sdp_line *line, uint8_t *to, uint8_t payload)
{
	for (unsigned c = 0; c < SDP_CAP_CODECS_MAX; c++) {
		if (line->payloads[c] == payload)
			line->payloads[c] = SDP_PAYLOAD_NONE;
		if (line->rtx_payloads[c] == payload)
			line->rtx_payloads[c] = SDP_PAYLOAD_NONE;
	}
	*to = payload;
}

/* RFC 4588 s8.1: the codec whose retransmissions a payload type carries is named by apt. */
static uint8_t
rtx_of(const struct negotiation *n, const struct sdp_media *media, const struct sdp_codec *codec)
{
	for (unsigned i = 0; i < media->codecs.count; i++) {
		const struct sdp_codec *rtx = &n->remote->codecs[media->codecs.first + i];
		if (str_eq_nocase(rtx->name, STR("rtx")) && rtx->rate_hz == codec->rate_hz &&
		    sdp_fmtp_u32(rtx->fmtp, STR("apt"), APT_NONE) == codec->payload)
			return rtx->payload;
	}
	return SDP_PAYLOAD_NONE;
}

static void
agree_rtx(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media,
          const struct sdp_codec *codec, struct sdp_line_codec *agreed)
{
	uint8_t *const ours = &line->rtx_payloads[agreed->cap];
	const uint8_t theirs = rtx_of(n, media, codec);
	agreed->send_rtx_payload = SDP_PAYLOAD_NONE;
	agreed->receive_rtx_payload = SDP_PAYLOAD_NONE;
	if (theirs == SDP_PAYLOAD_NONE)
		return;
	if (!n->is_answer)
		assign_payload(line, ours, theirs);
	if (*ours == SDP_PAYLOAD_NONE)
		return;
	agreed->send_rtx_payload = theirs;
	agreed->receive_rtx_payload = *ours;
}

static void
agree_event(struct sdp_line *line, const struct sdp_codec_cap *cap, uint8_t send_payload,
            uint8_t receive_payload)
{
	if (line->event_count < SDP_LINE_EVENTS_MAX)
		line->events[line->event_count++] = (struct sdp_line_event){
			.rate_hz = cap->rate_hz,
			.send_payload = send_payload,
			.receive_payload = receive_payload,
		};
}

/* One codec of theirs and one of ours that fit each other. */
static void
agree_codec(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media,
            uint8_t cap_index, const struct sdp_codec *codec)
{
	struct sdp_session *session = n->session;
	const struct sdp_media_cap *media_cap = &session->settings->medias[line->media];
	const struct sdp_codec_cap *cap = &media_cap->codecs[cap_index];
	uint16_t fmtp_at = 0;
	/* RFC 3264 s6.1: an answer uses the offer's numbers; in answers to us they may differ. */
	if (!n->is_answer)
		assign_payload(line, &line->payloads[cap_index], codec->payload);
	const uint8_t receive_payload = line->payloads[cap_index];
	if (receive_payload == SDP_PAYLOAD_NONE)
		return;
	if (sdp_codec_cap_is_event(cap)) {
		agree_event(line, cap, codec->payload, receive_payload);
		return;
	}
	if (line->codec_count == SDP_LINE_CODECS_MAX ||
	    session->codec_count == SDP_SESSION_CODECS_MAX ||
	    !keep_fmtp(session, codec->fmtp, &fmtp_at))
		return;
	struct sdp_line_codec *agreed = &session->codecs[session->codec_count++];
	line->codec_count++;
	*agreed = (struct sdp_line_codec){
		.cap = cap_index,
		.send_payload = codec->payload,
		.receive_payload = receive_payload,
		.send_rtx_payload = SDP_PAYLOAD_NONE,
		.receive_rtx_payload = SDP_PAYLOAD_NONE,
		.feedbacks = agree_feedbacks(n, media_cap, media, codec->payload),
		.fmtp_at = fmtp_at,
	};
	if (media_cap->rtx)
		agree_rtx(n, line, media, codec, agreed);
}

static bool
is_agreed(const struct sdp_session *session, const struct sdp_line *line, uint8_t payload)
{
	for (unsigned i = 0; i < line->codec_count; i++)
		if (session->codecs[line->codec_first + i].send_payload == payload)
			return true;
	return false;
}

/* Answering, our order of preference counts; answered, the peer's does (RFC 3264 s6.1, s7).  Of
 * several that fit, the one that fits best is taken. */
void
sdp_codecs_agree(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_media_cap *cap = &n->session->settings->medias[line->media];
	const struct sdp_codec *codecs = &n->remote->codecs[media->codecs.first];
	const size_t outer_count = n->is_answer ? media->codecs.count : cap->codec_count;
	const size_t inner_count = n->is_answer ? cap->codec_count : media->codecs.count;
	uint32_t caps_used = 0;

	for (size_t outer = 0; outer < outer_count; outer++) {
		unsigned best_fit = FIT_NONE;
		size_t best = 0;
		for (size_t inner = 0; inner < inner_count && best_fit != FIT_EXACT; inner++) {
			const size_t ours = n->is_answer ? inner : outer;
			const struct sdp_codec *codec = &codecs[n->is_answer ? outer : inner];
			if ((caps_used & 1u << ours) != 0 ||
			    is_agreed(n->session, line, codec->payload))
				continue;
			const unsigned fit = sdp_codec_fit(&cap->codecs[ours], codec);
			best = fit > best_fit ? inner : best;
			best_fit = fit > best_fit ? fit : best_fit;
		}
		if (best_fit == FIT_NONE)
			continue;
		const size_t ours = n->is_answer ? best : outer;
		caps_used |= 1u << ours;
		agree_codec(n, line, media, (uint8_t)ours, &codecs[n->is_answer ? outer : best]);
	}
}
static_assert(SDP_CAP_CODECS_MAX <= 32, "caps_used has a bit for each");

struct str
sdp_session_fmtp(const struct sdp_session *session, const struct sdp_line_codec *codec)
{
	CHECK(codec->fmtp_at < session->fmtps_len);
	return str_of(session->fmtps + codec->fmtp_at);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void
assign_wished(uint8_t *to, uint8_t wished, bool used[PAYLOAD_DYNAMIC_LAST + 1])
{
	uint8_t payload = wished;
	if (*to != SDP_PAYLOAD_NONE)
		return;
	if (used[payload])
		for (payload = PAYLOAD_DYNAMIC_FIRST;
		     payload < PAYLOAD_DYNAMIC_LAST && used[payload];)
			payload++;
	if (used[payload])
		return; /* All 32 are taken: this codec is not offered. */
	used[payload] = true;
	*to = payload;
}

/* Numbers for codecs that have none in this session yet. */
static void
assign_payloads(struct sdp_line *line, const struct sdp_media_cap *cap, bool rtx)
{
	bool used[PAYLOAD_DYNAMIC_LAST + 1] = { false };
	for (size_t c = 0; c < cap->codec_count; c++) {
		if (line->payloads[c] != SDP_PAYLOAD_NONE)
			used[line->payloads[c]] = true;
		if (line->rtx_payloads[c] != SDP_PAYLOAD_NONE)
			used[line->rtx_payloads[c]] = true;
	}
	for (size_t c = 0; c < cap->codec_count; c++)
		assign_wished(&line->payloads[c], cap->codecs[c].payload, used);
	for (size_t c = 0; c < cap->codec_count && rtx; c++)
		if (!sdp_codec_cap_is_event(&cap->codecs[c]))
			assign_wished(&line->rtx_payloads[c], PAYLOAD_DYNAMIC_FIRST, used);
}

static void
add_codec(struct composition *c, struct sdp_media *media, const struct sdp_codec *codec,
          struct writer *formats)
{
	struct sdp *sdp = &c->sdp;
	if (sdp->codec_count == SDP_CODECS_MAX)
		return;
	sdp->codecs[sdp->codec_count++] = *codec;
	media->codecs.count++;
	writer_format(formats, media->codecs.count == 1 ? "%u" : " %u", codec->payload);
}

static void
add_cap(struct composition *c, struct sdp_media *media, const struct sdp_codec_cap *cap,
        struct str fmtp, uint8_t payload, struct writer *formats)
{
	const struct sdp_codec codec = {
		.name = cap->name,
		.rate_hz = cap->rate_hz,
		.channels = cap->channels,
		.fmtp = fmtp,
		.payload = payload,
	};
	add_codec(c, media, &codec, formats);
}

static void
add_rtx(struct composition *c, struct sdp_media *media, const struct sdp_codec_cap *cap,
        uint8_t payload, uint8_t rtx_payload, struct writer *formats)
{
	const size_t start = c->text.at;
	if (rtx_payload == SDP_PAYLOAD_NONE)
		return;
	writer_format(&c->text, "apt=%u", payload);
	const struct sdp_codec codec = {
		.name = STR("rtx"),
		.rate_hz = cap->rate_hz,
		.channels = 1,
		.fmtp = sdp_composed(c, start),
		.payload = rtx_payload,
	};
	add_codec(c, media, &codec, formats);
}

/* `payload` -1: for all codecs. */
static void
add_feedbacks(struct composition *c, struct sdp_media *media, const struct sdp_media_cap *cap,
              int16_t payload, uint32_t mask)
{
	struct sdp *sdp = &c->sdp;
	for (size_t f = 0; f < cap->feedback_count; f++) {
		if ((mask & 1u << f) == 0 || sdp->feedback_count == SDP_FEEDBACKS_MAX)
			continue;
		sdp->feedbacks[sdp->feedback_count++] = (struct sdp_feedback){
			.payload = payload,
			.value = cap->feedbacks[f],
		};
		media->feedbacks.count++;
	}
}

static void
compose_offered(struct composition *c, struct sdp_line *line, struct sdp_media *media,
                struct writer *formats)
{
	const struct sdp_media_cap *cap = &c->session->settings->medias[line->media];
	const bool each = sdp_proto_has_feedback(line->proto);
	assign_payloads(line, cap, cap->rtx && each);
	for (size_t i = 0; i < cap->codec_count; i++) {
		const struct sdp_codec_cap *codec = &cap->codecs[i];
		if (line->payloads[i] == SDP_PAYLOAD_NONE)
			continue;
		add_cap(c, media, codec, codec->fmtp, line->payloads[i], formats);
		add_rtx(c, media, codec, line->payloads[i], line->rtx_payloads[i], formats);
		if (each && !sdp_codec_cap_is_event(codec))
			add_feedbacks(c, media, cap, line->payloads[i], UINT32_MAX);
	}
	/* Without AVPF, as the rooms that do so write it. */
	if (!each)
		add_feedbacks(c, media, cap, -1, UINT32_MAX);
}

static void
compose_agreed(struct composition *c, const struct sdp_line *line, struct sdp_media *media,
               struct writer *formats)
{
	const struct sdp_media_cap *cap = &c->session->settings->medias[line->media];
	for (unsigned i = 0; i < line->codec_count; i++) {
		const struct sdp_line_codec *agreed = &c->session->codecs[line->codec_first + i];
		const struct sdp_codec_cap *codec = &cap->codecs[agreed->cap];
		struct str fmtp = codec->fmtp;
		if (str_eq_nocase(codec->name, STR("H264")))
			fmtp = answered_h264(c, fmtp, sdp_session_fmtp(c->session, agreed));
		add_cap(c, media, codec, fmtp, agreed->receive_payload, formats);
		add_rtx(c, media, codec, agreed->receive_payload, agreed->receive_rtx_payload,
		        formats);
		add_feedbacks(c, media, cap, agreed->receive_payload, agreed->feedbacks);
	}
	for (unsigned e = 0; e < line->event_count; e++)
		for (size_t i = 0; i < cap->codec_count; i++)
			if (sdp_codec_cap_is_event(&cap->codecs[i]) &&
			    cap->codecs[i].rate_hz == line->events[e].rate_hz)
				add_cap(c, media, &cap->codecs[i], cap->codecs[i].fmtp,
				        line->events[e].receive_payload, formats);
}
static_assert(2 * SDP_SESSION_CODECS_MAX + SDP_LINES_MAX * SDP_LINE_EVENTS_MAX <= SDP_CODECS_MAX,
              "an answer has room for all that was agreed");

void
sdp_codecs_compose(struct composition *c, struct sdp_line *line, struct sdp_media *media)
{
	char space[FORMATS_TEXT_MAX];
	struct writer formats = writer_of(space, sizeof space);
	if (c->is_answer)
		compose_agreed(c, line, media, &formats);
	else
		compose_offered(c, line, media, &formats);
	CHECK(!formats.failed);
	const size_t start = c->text.at;
	writer_str(&c->text, writer_view(&formats));
	media->formats = sdp_composed(c, start);
	struct str all = media->formats;
	(void)str_copy(line->format, sizeof line->format, sdp_word(&all));
}
