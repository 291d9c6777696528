/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp/sdp_internal.h"

#include "base/check.h"
#include "base/encode.h"

static void
line_text(struct writer *w, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	writer_text(w, name);
	writer_str(w, value);
	writer_text(w, "\r\n");
}

static void
line_number(struct writer *w, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	writer_text(w, name);
	writer_decimal(w, value);
	writer_text(w, "\r\n");
}

static void
line_flag(struct writer *w, const char *name, bool set)
{
	if (!set)
		return;
	writer_text(w, name);
	writer_text(w, "\r\n");
}

static void
write_address(struct writer *w, const struct net_addr *addr, struct str host)
{
	writer_text(w, addr->family == ADDR_IP6 ? "IN IP6 " : "IN IP4 ");
	if (addr->family != ADDR_NONE)
		addr_write_ip(w, addr);
	else
		writer_str(w, host);
}

static void
write_connection(struct writer *w, const struct sdp_connection *connection)
{
	if (connection->addr.family == ADDR_NONE && connection->host.len == 0)
		return;
	writer_text(w, "c=");
	write_address(w, &connection->addr, connection->host);
	writer_text(w, "\r\n");
}

/* Both forms: TIAS for those who read it, AS for the many who do not. */
static void
write_bandwidth(struct writer *w, uint32_t bps)
{
	if (bps == 0)
		return;
	line_number(w, "b=AS:", ((uint64_t)bps + 999) / 1000);
	line_number(w, "b=TIAS:", bps);
}

static void
write_fingerprints(struct writer *w, const struct sdp *sdp, const struct sdp_range *range)
{
	static const char digits[] = "0123456789ABCDEF";
	for (unsigned i = 0; i < range->count; i++) {
		const struct sdp_fingerprint *print = &sdp->fingerprint_table[range->first + i];
		CHECK(print->hash != SDP_HASH_OTHER);
		writer_text(w, "a=fingerprint:");
		writer_str(w, sdp_hash_name(print->hash));
		for (unsigned b = 0; b < print->len; b++) {
			writer_u8(w, b == 0 ? ' ' : ':');
			writer_u8(w, (uint8_t)digits[print->bytes[b] >> 4]);
			writer_u8(w, (uint8_t)digits[print->bytes[b] & 15]);
		}
		writer_text(w, "\r\n");
	}
}

static void
write_codecs(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->codecs.count; i++) {
		const struct sdp_codec *codec = &sdp->codecs[media->codecs.first + i];
		if (codec->name.len != 0) {
			writer_format(w, "a=rtpmap:%u %.*s/%u", codec->payload,
			              STR_ARGS(codec->name), codec->rate_hz);
			if (codec->channels > 1)
				writer_format(w, "/%u", codec->channels);
			writer_text(w, "\r\n");
		}
		if (codec->fmtp.len != 0)
			writer_format(w, "a=fmtp:%u %.*s\r\n", codec->payload,
			              STR_ARGS(codec->fmtp));
	}
	for (unsigned i = 0; i < media->feedbacks.count; i++) {
		const struct sdp_feedback *feedback = &sdp->feedbacks[media->feedbacks.first + i];
		writer_text(w, "a=rtcp-fb:");
		if (feedback->payload < 0)
			writer_text(w, "*");
		else
			writer_decimal(w, (uint64_t)feedback->payload);
		writer_text(w, " ");
		writer_str(w, feedback->value);
		writer_text(w, "\r\n");
	}
}

static void
write_extmaps(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->extmaps.count; i++) {
		const struct sdp_extmap *map = &sdp->extmaps[media->extmaps.first + i];
		writer_format(w, "a=extmap:%u", map->id);
		if (map->direction != SDP_SENDRECV) {
			writer_text(w, "/");
			writer_str(w, sdp_direction_name(map->direction));
		}
		writer_text(w, " ");
		writer_str(w, map->uri);
		if (map->params.len != 0) {
			writer_text(w, " ");
			writer_str(w, map->params);
		}
		writer_text(w, "\r\n");
	}
}

static void
write_cryptos(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->cryptos.count; i++) {
		const struct sdp_crypto *crypto = &sdp->cryptos[media->cryptos.first + i];
		if (crypto->fault != SDP_CRYPTO_OK)
			continue;
		writer_format(w, "a=crypto:%u %.*s inline:", crypto->tag,
		              STR_ARGS(sdp_suite_name(crypto->suite)));
		encode_base64(w, crypto->key, crypto->key_len);
		if (crypto->lifetime_packets != 0) {
			writer_text(w, "|");
			writer_decimal(w, crypto->lifetime_packets);
		}
		writer_text(w, "\r\n");
	}
}

void
sdp_candidate_write(struct writer *w, const struct sdp_candidate *candidate)
{
	writer_format(w, "candidate:%.*s %u %s %u ", STR_ARGS(candidate->foundation),
	              candidate->component, candidate->is_udp ? "udp" : "tcp", candidate->priority);
	if (candidate->addr.family != ADDR_NONE)
		addr_write_ip(w, &candidate->addr);
	else
		writer_str(w, candidate->host);
	writer_format(w, " %u typ %.*s", candidate->addr.port,
	              STR_ARGS(sdp_candidate_type_name(candidate->type)));
	if (candidate->related.family != ADDR_NONE) {
		writer_text(w, " raddr ");
		addr_write_ip(w, &candidate->related);
		writer_format(w, " rport %u", candidate->related.port);
	}
	if (candidate->tcp_type.len != 0)
		writer_format(w, " tcptype %.*s", STR_ARGS(candidate->tcp_type));
	if (candidate->ufrag.len != 0)
		writer_format(w, " ufrag %.*s", STR_ARGS(candidate->ufrag));
}

static void
write_ice(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	line_text(w, "a=ice-ufrag:", media->ice_ufrag);
	line_text(w, "a=ice-pwd:", media->ice_pwd);
	line_text(w, "a=ice-options:", media->ice_options);
	line_flag(w, "a=ice-mismatch", media->ice_mismatch);
	for (unsigned i = 0; i < media->candidates.count; i++) {
		writer_text(w, "a=");
		sdp_candidate_write(w, &sdp->candidates[media->candidates.first + i]);
		writer_text(w, "\r\n");
	}
	line_flag(w, "a=end-of-candidates", media->end_of_candidates);
}

static void
write_rtcp(struct writer *w, const struct sdp_media *media)
{
	if (media->rtcp_port != 0) {
		writer_format(w, "a=rtcp:%u", media->rtcp_port);
		if (media->rtcp_addr.family != ADDR_NONE) {
			writer_text(w, " ");
			write_address(w, &media->rtcp_addr, (struct str){ 0 });
		}
		writer_text(w, "\r\n");
	}
	line_flag(w, "a=rtcp-mux", media->rtcp_mux);
	line_flag(w, "a=rtcp-mux-only", media->rtcp_mux_only);
	line_flag(w, "a=rtcp-rsize", media->rtcp_rsize);
}

static void
write_others(struct writer *w, const struct sdp *sdp, const struct sdp_range *range)
{
	for (unsigned i = 0; i < range->count; i++) {
		const struct sdp_attr *attr = &sdp->other_table[range->first + i];
		writer_text(w, "a=");
		writer_str(w, attr->name);
		if (attr->value.len != 0) {
			writer_text(w, ":");
			writer_str(w, attr->value);
		}
		writer_text(w, "\r\n");
	}
}

static void
write_sources(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->rids.count; i++) {
		const struct sdp_rid *rid = &sdp->rids[media->rids.first + i];
		writer_format(w, "a=rid:%.*s %s", STR_ARGS(rid->id),
		              rid->is_send ? "send" : "recv");
		if (rid->params.len != 0)
			writer_format(w, " %.*s", STR_ARGS(rid->params));
		writer_text(w, "\r\n");
	}
	line_text(w, "a=simulcast:", media->simulcast);
	for (unsigned i = 0; i < media->ssrcs.count; i++) {
		const struct sdp_ssrc *ssrc = &sdp->ssrcs[media->ssrcs.first + i];
		writer_format(w, "a=ssrc:%u %.*s", ssrc->ssrc, STR_ARGS(ssrc->name));
		if (ssrc->value.len != 0)
			writer_format(w, ":%.*s", STR_ARGS(ssrc->value));
		writer_text(w, "\r\n");
	}
}

static void
write_media(struct writer *w, const struct sdp *sdp, const struct sdp_media *media)
{
	writer_format(w, "m=%.*s %u %.*s", STR_ARGS(media->kind_text), media->port,
	              STR_ARGS(media->proto_text));
	if (media->formats.len != 0)
		writer_format(w, " %.*s", STR_ARGS(media->formats));
	writer_text(w, "\r\n");
	write_connection(w, &media->connection);
	write_bandwidth(w, media->bandwidth_bps);
	line_text(w, "a=mid:", media->mid);
	line_flag(w, "a=bundle-only", media->bundle_only);
	if (sdp_proto_is_rtp(sdp_proto_of(media->proto_text))) /* others have none */
		line_text(w, "a=", sdp_direction_name(media->direction));
	write_rtcp(w, media);
	if (media->extmap_allow_mixed && !sdp->extmap_allow_mixed)
		line_flag(w, "a=extmap-allow-mixed", true);
	write_extmaps(w, sdp, media);
	write_codecs(w, sdp, media);
	line_number(w, "a=ptime:", media->ptime_ms);
	line_number(w, "a=maxptime:", media->maxptime_ms);
	line_text(w, "a=label:", media->label);
	line_text(w, "a=content:", media->content);
	line_text(w, "a=msid:", media->msid);
	write_cryptos(w, sdp, media);
	write_fingerprints(w, sdp, &media->fingerprints);
	if (media->setup != SDP_SETUP_NONE)
		line_text(w, "a=setup:", sdp_setup_name(media->setup));
	line_text(w, "a=tls-id:", media->tls_id);
	write_ice(w, sdp, media);
	write_sources(w, sdp, media);
	write_others(w, sdp, &media->others);
}

void
sdp_write(struct writer *w, const struct sdp *sdp)
{
	const struct sdp_origin *origin = &sdp->origin;
	writer_text(w, "v=0\r\n");
	if (origin->user.len != 0) {
		writer_format(w, "o=%.*s %.*s %.*s ", STR_ARGS(origin->user), STR_ARGS(origin->id),
		              STR_ARGS(origin->version));
		write_address(w, &origin->addr, origin->host);
		writer_text(w, "\r\n");
	}
	/* RFC 8866 s5.3: a session without a name is called "-". */
	writer_text(w, "s=");
	writer_str(w, sdp->name.len != 0 ? sdp->name : STR("-"));
	writer_text(w, "\r\n");
	write_connection(w, &sdp->connection);
	write_bandwidth(w, sdp->bandwidth_bps);
	writer_text(w, "t=0 0\r\n");
	for (unsigned i = 0; i < sdp->group_count; i++) {
		writer_text(w, "a=group:BUNDLE");
		if (sdp->bundles[i].len != 0)
			writer_text(w, " ");
		writer_str(w, sdp->bundles[i]);
		writer_text(w, "\r\n");
	}
	line_flag(w, "a=ice-lite", sdp->ice_lite);
	line_flag(w, "a=extmap-allow-mixed", sdp->extmap_allow_mixed);
	write_fingerprints(w, sdp, &sdp->fingerprints);
	write_others(w, sdp, &sdp->others);
	for (unsigned i = 0; i < sdp->media_count; i++)
		write_media(w, sdp, &sdp->medias[i]);
}
