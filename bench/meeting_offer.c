/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_offer.h"

#include <string.h>

#include "base/check.h"
#include "sdp/sdp.h"

enum {
	EXT_LEVEL = 1,
	EXT_TWCC = 3,
	EXT_MID = 4,
	EXT_RID = 10,
	EXT_REPAIRED = 11,
	EXT_ORIENTATION = 13,
	LAYERS = 3,
};

#define URI_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define URI_TWCC "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define URI_RID "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define URI_REPAIRED "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
#define URI_ORIENTATION "urn:3gpp:video-orientation"

/* ---- The offer ------------------------------------------------------------------------------ */

/* What every line of a bundle repeats. */
static void
write_transport(struct writer *w, const struct offer_lines *lines, unsigned mid)
{
	writer_text(w, "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n");
	if (mid == 0) {
		writer_text(w, "a=candidate:1 1 udp 2122260223 ");
		addr_write_ip(w, &lines->local);
		writer_format(w, " %u typ host generation 0\r\n", lines->local.port);
	}
	writer_format(w,
	              "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\n"
	              "a=fingerprint:%s\r\na=setup:actpass\r\na=mid:%u\r\n",
	              lines->ufrag, lines->pwd, lines->fingerprint, mid);
}

static void
write_extmap(struct writer *w, unsigned id, const char *uri)
{
	writer_format(w, "a=extmap:%u %s\r\n", id, uri);
}

static void
write_codec(struct writer *w, unsigned payload, unsigned rtx, const char *name, const char *fmtp)
{
	static const char *const feedbacks[] = { "goog-remb", "transport-cc", "ccm fir", "nack",
		                                 "nack pli" };
	writer_format(w, "a=rtpmap:%u %s/90000\r\n", payload, name);
	for (unsigned i = 0; i < COUNT_OF(feedbacks); i++)
		writer_format(w, "a=rtcp-fb:%u %s\r\n", payload, feedbacks[i]);
	if (fmtp != NULL)
		writer_format(w, "a=fmtp:%u %s\r\n", payload, fmtp);
	writer_format(w, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", rtx, rtx, payload);
}

static void
write_sound(struct writer *w, const struct offer_lines *lines)
{
	writer_format(w, "m=audio 9 UDP/TLS/RTP/SAVPF %u\r\n", OFFER_OPUS);
	write_transport(w, lines, 0);
	write_extmap(w, EXT_LEVEL, URI_LEVEL);
	write_extmap(w, EXT_MID, URI_MID);
	writer_format(w,
	              "a=sendrecv\r\na=msid:- sound\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
	              "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u minptime=10;useinbandfec=1\r\n",
	              OFFER_OPUS, OFFER_OPUS);
}

static void
write_video(struct writer *w, const struct offer_lines *lines, unsigned mid)
{
	const bool camera = mid < OFFER_TILES_MID;
	/* The camera sends VP8 only, so nobody has to guess which of both it took. */
	const bool h264 = lines->h264 && !camera;
	writer_format(w, "m=video 9 UDP/TLS/RTP/SAVPF %u %u", OFFER_VP8, OFFER_VP8_RTX);
	if (h264)
		writer_format(w, " %u %u", OFFER_H264, OFFER_H264_RTX);
	writer_text(w, "\r\n");
	write_transport(w, lines, mid);
	write_extmap(w, EXT_ORIENTATION, URI_ORIENTATION);
	write_extmap(w, EXT_TWCC, URI_TWCC);
	write_extmap(w, EXT_MID, URI_MID);
	write_extmap(w, EXT_RID, URI_RID);
	write_extmap(w, EXT_REPAIRED, URI_REPAIRED);
	writer_text(w, camera ? "a=sendonly\r\na=msid:- camera\r\n" : "a=recvonly\r\n");
	writer_text(w, "a=rtcp-mux\r\na=rtcp-rsize\r\n");
	write_codec(w, OFFER_VP8, OFFER_VP8_RTX, "VP8", NULL);
	if (h264)
		write_codec(w, OFFER_H264, OFFER_H264_RTX, "H264",
		            "level-asymmetry-allowed=1;packetization-mode=1;"
		            "profile-level-id=42e01f");
	if (camera)
		writer_text(w, "a=rid:l send\r\na=rid:m send\r\na=rid:h send\r\n"
		               "a=simulcast:send l;m;h\r\n");
}

void
offer_write(struct writer *w, const struct offer_lines *lines)
{
	CHECK(lines->tiles <= OFFER_TILES_MAX);
	writer_format(w,
	              "v=0\r\no=- %llu 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	              "a=group:BUNDLE",
	              (unsigned long long)lines->session_id);
	for (unsigned mid = 0; mid < OFFER_TILES_MID + lines->tiles; mid++)
		writer_format(w, " %u", mid);
	writer_text(w, "\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n");
	write_sound(w, lines);
	for (unsigned mid = 1; mid < OFFER_TILES_MID + lines->tiles; mid++)
		write_video(w, lines, mid);
}

/* ---- The answer ----------------------------------------------------------------------------- */

static uint8_t
ext_of(const struct sdp *sdp, const struct sdp_media *media, const char *uri)
{
	for (unsigned i = 0; i < media->extmaps.count; i++) {
		const struct sdp_extmap *map = &sdp->extmaps[media->extmaps.first + i];
		if (str_eq(map->uri, str_of(uri)))
			return (uint8_t)map->id;
	}
	return 0;
}

static void
read_candidates(struct offer_answer *out, const struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->candidates.count; i++) {
		const struct sdp_candidate *candidate =
			&sdp->candidates[media->candidates.first + i];
		if (candidate->component != 1 || !candidate->is_udp ||
		    candidate->addr.family != ADDR_IP4 ||
		    out->candidate_count == OFFER_CANDIDATES_MAX)
			continue;
		out->candidates[out->candidate_count] = candidate->addr;
		out->priorities[out->candidate_count++] = candidate->priority;
	}
}

static void
read_tile(struct offer_answer *out, const struct sdp *sdp, const struct sdp_media *media,
          unsigned tile)
{
	unsigned count = 0;
	out->tiles[tile].accepted = media->port != 0 && media->direction == SDP_SENDONLY;
	for (unsigned i = 0; i < media->ssrcs.count; i++) {
		const uint32_t ssrc = sdp->ssrcs[media->ssrcs.first + i].ssrc;
		if (count == 0 || (count == 1 && out->tiles[tile].ssrcs[0] != ssrc))
			out->tiles[tile].ssrcs[count++] = ssrc;
	}
}

const char *
offer_answer_read(struct offer_answer *out, struct str text)
{
	static struct sdp sdp;
	*out = (struct offer_answer){ 0 };
	if (sdp_parse(&sdp, text) != SDP_OK)
		return "cannot be read";
	if (sdp.media_count < OFFER_TILES_MID)
		return "has too few lines";
	const struct sdp_media *sound = &sdp.medias[0];
	const struct sdp_media *camera = &sdp.medias[1];
	if (sound->port == 0 || sound->fingerprints.count == 0)
		return "takes no sound";
	const struct sdp_fingerprint *fingerprint =
		&sdp.fingerprint_table[sound->fingerprints.first];
	if (fingerprint->hash != SDP_HASH_SHA256)
		return "has another fingerprint than SHA-256";
	if (sound->setup != SDP_SETUP_PASSIVE)
		return "does not make the bridge the DTLS server";
	out->fingerprint.hash = DTLS_SHA256;
	memcpy(out->fingerprint.digest, fingerprint->bytes, 32);
	out->ufrag = sound->ice_ufrag;
	out->pwd = sound->ice_pwd;
	read_candidates(out, &sdp, sound);
	if (out->candidate_count == 0)
		return "has no candidate";
	out->camera = camera->port != 0 && camera->direction == SDP_RECVONLY &&
	              camera->rids.count == LAYERS && camera->simulcast.len != 0;
	out->level_ext = ext_of(&sdp, sound, URI_LEVEL);
	out->mid_ext = ext_of(&sdp, camera, URI_MID);
	out->rid_ext = ext_of(&sdp, camera, URI_RID);
	out->repaired_ext = ext_of(&sdp, camera, URI_REPAIRED);
	out->twcc_ext = ext_of(&sdp, camera, URI_TWCC);
	for (unsigned i = OFFER_TILES_MID; i < sdp.media_count; i++)
		if (i - OFFER_TILES_MID < OFFER_TILES_MAX)
			read_tile(out, &sdp, &sdp.medias[i], i - OFFER_TILES_MID);
	return NULL;
}
