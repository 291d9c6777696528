/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp/sdp_rules.h"

static bool
str_same(struct str a, struct str b)
{
	return str_eq_nocase(a, b);
}

static bool
codec_was_offered(const struct sdp *offer, const struct sdp_media *offered,
                  const struct sdp_codec *codec)
{
	for (unsigned i = 0; i < offered->codecs.count; i++) {
		const struct sdp_codec *theirs = &offer->codecs[offered->codecs.first + i];
		if (theirs->payload == codec->payload && str_same(theirs->name, codec->name) &&
		    theirs->rate_hz == codec->rate_hz && theirs->channels == codec->channels)
			return true;
	}
	return false;
}

static bool
feedback_was_offered(const struct sdp *offer, const struct sdp_media *offered,
                     const struct sdp_feedback *feedback)
{
	for (unsigned i = 0; i < offered->feedbacks.count; i++) {
		const struct sdp_feedback *theirs = &offer->feedbacks[offered->feedbacks.first + i];
		if (sdp_feedback_has(theirs->value, feedback->value) &&
		    (theirs->payload == -1 || theirs->payload == feedback->payload))
			return true;
	}
	return false;
}

static bool
extmap_was_offered(const struct sdp *offer, const struct sdp_media *offered,
                   const struct sdp_extmap *map)
{
	for (unsigned i = 0; i < offered->extmaps.count; i++) {
		const struct sdp_extmap *theirs = &offer->extmaps[offered->extmaps.first + i];
		if (theirs->id == map->id && str_eq(theirs->uri, map->uri))
			return true;
	}
	return false;
}

static bool
crypto_was_offered(const struct sdp *offer, const struct sdp_media *offered,
                   const struct sdp_crypto *crypto)
{
	for (unsigned i = 0; i < offered->cryptos.count; i++) {
		const struct sdp_crypto *theirs = &offer->cryptos[offered->cryptos.first + i];
		if (theirs->fault == SDP_CRYPTO_OK && theirs->tag == crypto->tag &&
		    theirs->suite == crypto->suite)
			return true;
	}
	return false;
}

static const char *
check_content(const struct sdp *offer, const struct sdp_media *offered, const struct sdp *answer,
              const struct sdp_media *answered)
{
	if (answered->codecs.count == 0)
		return "an accepted line has no codec";
	for (unsigned i = 0; i < answered->codecs.count; i++)
		if (!codec_was_offered(offer, offered, &answer->codecs[answered->codecs.first + i]))
			return "a codec was not offered";
	for (unsigned i = 0; i < answered->feedbacks.count; i++)
		if (!feedback_was_offered(offer, offered,
		                          &answer->feedbacks[answered->feedbacks.first + i]))
			return "a feedback was not offered";
	for (unsigned i = 0; i < answered->extmaps.count; i++) {
		const struct sdp_extmap *map = &answer->extmaps[answered->extmaps.first + i];
		if (!extmap_was_offered(offer, offered, map))
			return "an extension was not offered";
		for (unsigned k = 0; k < i; k++)
			if (answer->extmaps[answered->extmaps.first + k].id == map->id)
				return "an extension number is used twice";
	}
	if ((answered->direction & ~sdp_direction_reverse(offered->direction)) != 0)
		return "a direction goes beyond the offer";
	if (answered->extmap_allow_mixed && !offered->extmap_allow_mixed)
		return "extmap-allow-mixed was not offered";
	return NULL;
}

/* `carrier` is the offered line whose transport is used: the line itself unless bundled. */
static const char *
check_transport(const struct sdp *offer, const struct sdp_media *carrier, const struct sdp *answer,
                const struct sdp_media *answered)
{
	if (answered->rtcp_mux && !carrier->rtcp_mux)
		return "rtcp-mux was not offered";
	if (answered->bundle_only)
		return "bundle-only stands in an answer";
	if (answered->cryptos.count > 1)
		return "more than one crypto line";
	if (answered->cryptos.count == 1 &&
	    !crypto_was_offered(offer, carrier, &answer->cryptos[answered->cryptos.first]))
		return "a crypto line was not offered";
	if (answered->fingerprints.count != 0 && carrier->fingerprints.count == 0)
		return "DTLS was not offered";
	if (answered->fingerprints.count != 0 && answered->setup != SDP_SETUP_ACTIVE &&
	    answered->setup != SDP_SETUP_PASSIVE)
		return "no DTLS role is chosen";
	if (answered->setup != SDP_SETUP_NONE && answered->setup == carrier->setup)
		return "both have the same DTLS role";
	if (answered->setup == SDP_SETUP_ACTIVE && carrier->setup == SDP_SETUP_NONE)
		return "both are active";
	if (answered->ice_ufrag.len != 0 && carrier->ice_ufrag.len == 0)
		return "ICE was not offered";
	const bool secure = answered->proto >= SDP_PROTO_SAVP;
	if (secure && answered->cryptos.count + answered->fingerprints.count == 0)
		return "a secure line has no keys";
	return NULL;
}

static int
line_of(const struct sdp *sdp, struct str mid)
{
	for (unsigned i = 0; i < sdp->media_count; i++)
		if (str_eq(sdp->medias[i].mid, mid))
			return (int)i;
	return -1;
}

static struct str
next_mid(struct str *mids)
{
	*mids = str_trim(*mids);
	return str_cut(mids, ' ');
}

/* The line that carries line `i` in the answer, or -1 when it is bundled wrongly. */
static int
carrier_of(const struct sdp *answer, unsigned i)
{
	for (unsigned g = 0; g < answer->group_count; g++) {
		if (answer->medias[i].mid.len == 0 ||
		    !sdp_group_has(answer->bundles[g], answer->medias[i].mid))
			continue;
		struct str mids = answer->bundles[g];
		return line_of(answer, next_mid(&mids));
	}
	return (int)i;
}

static const char *
check_groups(const struct sdp *offer, const struct sdp *answer)
{
	for (unsigned g = 0; g < answer->group_count; g++) {
		struct str mids = answer->bundles[g];
		unsigned home = 0;
		struct str first = mids;
		first = next_mid(&first);
		while (home < offer->group_count && !sdp_group_has(offer->bundles[home], first))
			home++;
		if (home == offer->group_count)
			return "a bundle was not offered";
		for (struct str mid; (mid = next_mid(&mids)).len != 0;) {
			const int i = line_of(answer, mid);
			if (i < 0 || answer->medias[i].port == 0)
				return "a refused line is bundled";
			if (!sdp_group_has(offer->bundles[home], mid))
				return "a bundle is no part of an offered one";
			if (!answer->medias[i].rtcp_mux)
				return "a bundled line does not mux";
		}
	}
	return NULL;
}

const char *
sdp_rules_answer(const struct sdp *offer, const struct sdp *answer)
{
	if (offer->media_count != answer->media_count)
		return "the number of lines differs";
	const char *broken = check_groups(offer, answer);
	for (unsigned i = 0; i < offer->media_count && broken == NULL; i++) {
		const struct sdp_media *offered = &offer->medias[i];
		const struct sdp_media *answered = &answer->medias[i];
		const int carrier = carrier_of(answer, i);
		if (!str_same(offered->kind_text, answered->kind_text))
			return "a line changed its kind";
		if (!str_same(offered->proto_text, answered->proto_text))
			return "a line changed its protocol";
		if (!str_eq(offered->mid, answered->mid))
			return "a line changed its mid";
		if (answered->formats.len == 0)
			return "a line has no format";
		if (answered->port == 0)
			continue;
		if (offered->port == 0 && !offered->bundle_only)
			return "a line was accepted that was not offered";
		if (carrier < 0 || answer->medias[carrier].port != answered->port)
			return "a bundled line has another port";
		if (sdp_proto_is_rtp(offered->proto))
			broken = check_content(offer, offered, answer, answered);
		else if (!sdp_proto_is_bfcp(offered->proto))
			return "a line of no protocol of ours is accepted";
		if (broken == NULL && carrier == (int)i)
			broken = check_transport(offer, offered, answer, answered);
	}
	return broken;
}

const char *
sdp_rules_round_trip(const struct sdp *sdp)
{
	static char first[2 * SDP_BYTES_MAX];
	static char second[2 * SDP_BYTES_MAX];
	static struct sdp again;
	struct writer w1 = writer_of(first, sizeof first);
	struct writer w2 = writer_of(second, sizeof second);
	sdp_write(&w1, sdp);
	if (w1.failed)
		return NULL; /* What the session level said once is repeated per line: too long. */
	const enum sdp_reject reject = sdp_parse(&again, writer_view(&w1));
	if (reject == SDP_REJECT_LONG || reject == SDP_REJECT_TOO_MANY)
		return NULL;
	if (reject != SDP_OK)
		return "what was written is not read";
	sdp_write(&w2, &again);
	return !w2.failed && str_eq(writer_view(&w1), writer_view(&w2))
	               ? NULL
	               : "a second writing differs";
}
