/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "rtp/rtcp.h"

enum {
	SOCKET_BYTES = 1 << 20,
	STREAMS_MAX = 64,
};

/* ---- Keys ----------------------------------------------------------------------------------- */

static struct srtp_session *
session(enum srtp_suite suite, enum srtp_direction direction, const uint8_t *key,
        const uint8_t *salt)
{
	struct srtp_session *made;
	const struct srtp_settings settings = { .suite = suite,
		                                .direction = direction,
		                                .key = key,
		                                .salt = salt,
		                                .streams_max = STREAMS_MAX,
		                                .ssrcs_max = 4 * STREAMS_MAX };
	CHECK(srtp_session_create(&made, &settings) == 0);
	return made;
}

static void
connected(struct link *link, int64_t now_us)
{
	link->connected = true;
	link->settings.handler->connected(link->settings.context, now_us);
}

/* ---- ICE and DTLS --------------------------------------------------------------------------- */

static void
drain_dtls(struct link *link, int64_t now_us)
{
	bool is_new = false;
	for (struct dtls_out out; (out = dtls_poll(&link->dtls)).kind != DTLS_OUT_NONE;) {
		if (out.kind == DTLS_OUT_DATAGRAM) {
			udp_send(link->socket, &link->remote, out.bytes, out.len);
		} else if (out.kind == DTLS_OUT_CONNECTED) {
			const enum srtp_suite suite =
				srtp_suite_by_dtls_profile((uint16_t)out.keys->profile);
			link->tx = session(suite, SRTP_OUTBOUND, out.keys->local.key,
			                   out.keys->local.salt);
			link->rx = session(suite, SRTP_INBOUND, out.keys->remote.key,
			                   out.keys->remote.salt);
			is_new = true;
		} else if (out.kind == DTLS_OUT_FAILED) {
			link->failed = dtls_failure_name(out.failure);
		} else if (out.kind == DTLS_OUT_CLOSED) {
			link->failed = "DTLS was closed by the bridge";
		}
	}
	if (is_new)
		connected(link, now_us);
}

static void
drain_ice(struct link *link, int64_t now_us)
{
	bool selected = false;
	for (struct ice_check_out out;
	     (out = ice_check_poll(&link->ice)).kind != ICE_CHECK_OUT_NONE;) {
		if (out.kind == ICE_CHECK_OUT_DATAGRAM) {
			udp_send(link->socket, out.to, out.bytes, out.len);
		} else if (out.kind == ICE_CHECK_OUT_SELECTED) {
			link->remote = *out.to;
			selected = true;
		} else {
			link->failed = "no candidate of the bridge answers";
		}
	}
	if (selected && link->dtls.state == DTLS_IDLE) {
		CHECK(dtls_start(&link->dtls, now_us) == 0);
		drain_dtls(link, now_us);
	}
}

void
link_start_browser(struct link *link, const struct link_browser *browser, int64_t now_us)
{
	const struct dtls_settings dtls = { .context = browser->dtls,
		                            .role = DTLS_CLIENT,
		                            .fingerprints = &browser->fingerprint,
		                            .fingerprint_count = 1 };
	CHECK(!link->checking);
	ice_check_init(&link->ice, &browser->ice, now_us);
	dtls_init(&link->dtls, &dtls, now_us);
	link->checking = true;
	link->twcc_ext = browser->twcc_ext;
	twcc_receive_init(&link->twcc, browser->ssrc);
	for (unsigned i = 0; i < browser->candidate_count; i++)
		(void)ice_check_add_remote(&link->ice, &browser->candidates[i],
		                           browser->priorities[i]);
	ice_check_tick(&link->ice, now_us);
	drain_ice(link, now_us);
}

void
link_start_room(struct link *link, const struct link_room *room, int64_t now_us)
{
	link->remote = room->remote;
	if (room->suite != SRTP_SUITE_NONE && link->tx == NULL) {
		const size_t key_bytes = srtp_suite_info(room->suite)->key_bytes;
		link->tx = session(room->suite, SRTP_OUTBOUND, room->key_tx,
		                   room->key_tx + key_bytes);
		link->rx = session(room->suite, SRTP_INBOUND, room->key_rx,
		                   room->key_rx + key_bytes);
	}
	if (!link->connected)
		connected(link, now_us);
}

/* ---- Receiving ------------------------------------------------------------------------------ */

static void
take_rtp(struct link *link, uint8_t *bytes, size_t len, int64_t now_us)
{
	struct rtp_packet packet;
	struct rtp_ext ext;
	const size_t wire_len = len;
	if ((link->rx != NULL && srtp_rtp_unprotect(link->rx, bytes, &len) != SRTP_OK) ||
	    rtp_parse(&packet, bytes, len) != RTP_OK) {
		link->forged++;
		return;
	}
	if (rtp_ext_find(&packet, link->twcc_ext, &ext) && ext.len == 2)
		twcc_receive_input(&link->twcc, (uint16_t)(ext.value[0] << 8 | ext.value[1]),
		                   packet.ssrc, wire_len, now_us);
	link->settings.handler->rtp(link->settings.context, &packet, now_us);
}

static void
take_rtcp(struct link *link, uint8_t *bytes, size_t len, int64_t now_us)
{
	if ((link->rx != NULL && srtp_rtcp_unprotect(link->rx, bytes, &len) != SRTP_OK) ||
	    rtcp_parse(bytes, len, true) != RTCP_OK) {
		link->forged++;
		return;
	}
	link->settings.handler->rtcp(link->settings.context, bytes, len, now_us);
}

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct link *link = context;
	const enum rtp_kind kind = rtp_kind_of(datagram->bytes, datagram->len);
	(void)socket;
	if (kind == RTP_KIND_STUN && link->checking) {
		ice_check_input(&link->ice, datagram->from, datagram->bytes, datagram->len,
		                datagram->now_us);
		drain_ice(link, datagram->now_us);
	} else if (kind == RTP_KIND_DTLS && link->checking && link->dtls.state != DTLS_IDLE) {
		dtls_input(&link->dtls, datagram->bytes, datagram->len, datagram->now_us);
		drain_dtls(link, datagram->now_us);
	} else if ((kind == RTP_KIND_RTP || kind == RTP_KIND_RTCP) && link->connected) {
		if (link->settings.drop_permille != 0 &&
		    prng_below(link->settings.prng, 1000) < link->settings.drop_permille)
			return;
		link->packets_in++;
		if (kind == RTP_KIND_RTP)
			take_rtp(link, datagram->bytes, datagram->len, datagram->now_us);
		else
			take_rtcp(link, datagram->bytes, datagram->len, datagram->now_us);
	}
}

/* ---- Sending -------------------------------------------------------------------------------- */

void
link_rtp(struct link *link, const struct rtp_header *header, const uint8_t *payload,
         size_t payload_len, bool wide)
{
	uint8_t bytes[LINK_PACKET_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	struct rtp_ext exts[LINK_EXTS_MAX + 1];
	struct rtp_header whole = *header;
	CHECK(link->connected && header->ext_count <= LINK_EXTS_MAX);
	for (unsigned i = 0; i < header->ext_count; i++)
		exts[i] = header->exts[i];
	const uint8_t number[] = { (uint8_t)(link->twcc_seq >> 8), (uint8_t)link->twcc_seq };
	if (wide && link->twcc_ext != 0) {
		exts[whole.ext_count++] = (struct rtp_ext){ .value = number,
			                                    .id = link->twcc_ext,
			                                    .len = sizeof number };
		link->twcc_seq++;
	}
	whole.exts = exts;
	rtp_write_header(&w, &whole);
	writer_bytes(&w, payload, payload_len);
	CHECK(!w.failed);
	size_t len = w.at;
	if (link->tx != NULL)
		CHECK(srtp_rtp_protect(link->tx, bytes, &len, sizeof bytes) == SRTP_OK);
	udp_send(link->socket, &link->remote, bytes, len);
	link->packets_out++;
}

void
link_rtcp(struct link *link, uint8_t *bytes, size_t len)
{
	CHECK(len + SRTP_RTCP_OVERHEAD_MAX <= LINK_PACKET_BYTES_MAX);
	if (!link->connected)
		return;
	if (link->tx != NULL)
		CHECK(srtp_rtcp_protect(link->tx, bytes, &len, LINK_PACKET_BYTES_MAX) == SRTP_OK);
	udp_send(link->socket, &link->remote, bytes, len);
	link->packets_out++;
}

static void
tell_arrivals(struct link *link, int64_t now_us)
{
	while (twcc_receive_deadline(&link->twcc) <= now_us) {
		uint8_t bytes[LINK_PACKET_BYTES_MAX];
		struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTCP_OVERHEAD_MAX);
		rtcp_write_rr(&w, link->twcc.sender_ssrc, NULL, 0);
		if (!twcc_receive_write(&link->twcc, &w, now_us))
			return;
		link_rtcp(link, bytes, w.at);
	}
}

void
link_tick(struct link *link, int64_t now_us)
{
	if (!link->checking)
		return;
	if (ice_check_deadline(&link->ice) <= now_us) {
		ice_check_tick(&link->ice, now_us);
		drain_ice(link, now_us);
	}
	if (dtls_deadline(&link->dtls) <= now_us) {
		dtls_tick(&link->dtls, now_us);
		drain_dtls(link, now_us);
	}
	if (link->connected)
		tell_arrivals(link, now_us);
}

/* ---- Life ----------------------------------------------------------------------------------- */

int
link_open(struct link *link, const struct link_settings *settings)
{
	const struct udp_settings udp = { .bind = settings->bind,
		                          .receive = on_datagram,
		                          .context = link,
		                          .receive_bytes = SOCKET_BYTES,
		                          .send_bytes = SOCKET_BYTES };
	*link = (struct link){ .settings = *settings };
	return udp_open(&link->socket, settings->loop, &udp);
}

void
link_close(struct link *link)
{
	if (link->socket != NULL)
		udp_close(link->socket);
	if (link->checking) {
		ice_check_fini(&link->ice);
		dtls_fini(&link->dtls);
	}
	srtp_session_destroy(link->tx);
	srtp_session_destroy(link->rx);
	*link = (struct link){ 0 };
}
