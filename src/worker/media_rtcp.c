/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP of a leg: one compound packet about all its streams (RFC 3550 s6, RFC 8108 s5), feedback in
 * both directions (RFC 4585, 5104). */
#include <string.h>

#include "worker/media_video_internal.h"

enum {
	LOSS_ALL_Q8 = 256,
	REPORT_BYTES_MAX = 1100, /* then another datagram is begun */
	SENDER_QUIET_US = 10 * 1000 * 1000, /* a stream that stands still needs no sender reports */
	VIDEO_RTCP_BPS = 1000 * 1000,
	VIDEO_RTCP_US_MIN = 1000 * 1000, /* round trips and losses are news (RFC 4585 s3.4 d) */
};

/* ---- Sending ------------------------------------------------------------------------------- */

void
transport_rtcp_send(struct media *media, struct media_leg *leg, struct writer *w)
{
	const struct net_addr *to = transport_remote(leg);
	size_t len = w->at;
	if (w->failed || to == NULL || (leg->security != MEDIA_SECURITY_NONE && leg->srtp_tx == NULL))
		return;
	if (leg->srtp_tx != NULL &&
	    srtp_rtcp_protect(leg->srtp_tx, w->bytes, &len, w->cap + SRTP_RTCP_OVERHEAD_MAX) !=
	            SRTP_OK)
		return;
	rtcp_timing_packet(&leg->rtcp, len);
	if (leg->rtcp_mux || leg->open.transport == MEDIA_TRANSPORT_SHARED) {
		transport_emit(media, leg, transport_socket(leg), to, w->bytes, len);
		return;
	}
	/* Behind NAT the SDP's RTCP port is of no use either: the port above the learned one is. */
	struct net_addr rtcp = leg->remote_rtcp;
	if (rtcp.family == ADDR_NONE || !addr_eq_ip(&rtcp, to)) {
		rtcp = *to;
		rtcp.port++;
	}
	transport_emit(media, leg, MEDIA_SOCKET_RTCP, &rtcp, w->bytes, len);
}

static struct writer
rtcp_writer(struct media *media)
{
	return writer_of(media->packet, sizeof media->packet - SRTP_RTCP_OVERHEAD_MAX);
}

struct writer
transport_rtcp_begin(struct media *media, struct media_leg *leg)
{
	const uint32_t own = video_own_ssrc(leg);
	struct writer w = rtcp_writer(media);
	rtcp_write_rr(&w, own, NULL, 0);
	rtcp_write_sdes(&w, own, str_of(leg->open.cname));
	return w;
}

/* ---- Reports ------------------------------------------------------------------------------- */

static unsigned
add_block(struct rtcp_block *blocks, unsigned count, uint32_t ssrc, struct rtp_receive *receive,
          const struct rtcp_last_sr *last_sr, int64_t now_us)
{
	if (count == RTCP_BLOCKS_MAX || !rtp_receive_valid(receive))
		return count;
	blocks[count] = rtcp_block_of(ssrc, receive, last_sr, now_us);
	return count + 1;
}

static unsigned
gather_blocks(struct media_leg *leg, struct rtcp_block blocks[RTCP_BLOCKS_MAX], int64_t now_us)
{
	const struct rtcp_last_sr none = { 0 };
	unsigned count = add_block(blocks, 0, leg->rx_ssrc, &leg->receive, &leg->last_sr, now_us);
	for (unsigned i = 0; leg->video != NULL && i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		for (unsigned l = 0; line != NULL && line->rx != NULL && l < VIDEO_LAYERS_MAX; l++) {
			struct video_layer *layer = &line->rx->layers[l];
			if (layer->known)
				count = add_block(blocks, count, layer->ssrc, &layer->receive,
				                  &layer->last_sr, now_us);
			if (layer->rtx_known)
				count = add_block(blocks, count, layer->rtx_ssrc,
				                  &layer->rtx_receive, &none, now_us);
		}
	}
	return count;
}

/* Compound packets of a leg: as many datagrams as it takes. */
struct report {
	struct media *media;
	struct media_leg *leg;
	struct writer w;
	struct rtcp_block blocks[RTCP_BLOCKS_MAX];
	unsigned block_count; /* not written yet */
	int64_t now_us;
};

static void
report_sender(struct report *report, uint32_t ssrc, uint32_t timestamp_rtp, uint32_t packets,
              uint32_t bytes)
{
	const struct rtcp_sender_info info = {
		.ntp = rtcp_ntp(report->now_us + report->media->settings.wall_offset_us),
		.timestamp_rtp = timestamp_rtp,
		.packets = packets,
		.bytes = bytes,
	};
	if (report->w.at >= REPORT_BYTES_MAX) {
		transport_rtcp_send(report->media, report->leg, &report->w);
		report->w = rtcp_writer(report->media);
	}
	rtcp_write_sr(&report->w, ssrc, &info, report->blocks, report->block_count);
	rtcp_write_sdes(&report->w, ssrc, str_of(report->leg->open.cname));
	report->block_count = 0;
}

/* All streams have one CNAME and one clock, so that sound and pictures can be in step. */
static void
report_write(struct report *report, struct media *media, struct media_leg *leg, int64_t now_us)
{
	*report = (struct report){ .media = media, .leg = leg, .now_us = now_us };
	report->w = rtcp_writer(media);
	report->block_count = gather_blocks(leg, report->blocks, now_us);
	if (leg->send.started)
		report_sender(report, leg->send.ssrc,
		              transport_rtp_at(leg, leg->send.clock_hz, now_us),
		              (uint32_t)leg->send.packets, (uint32_t)leg->send.bytes);
	for (unsigned i = 0; leg->video != NULL && i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		if (line == NULL || line->tx == NULL || !line->tx->started ||
		    now_us - line->tx->sent_us > SENDER_QUIET_US)
			continue;
		report_sender(report, line->agreed.tx_ssrc,
		              forward_timestamp_at(&line->tx->forward, now_us),
		              line->tx->packets, line->tx->bytes);
	}
	if (report->w.at != 0)
		return;
	const uint32_t own = video_own_ssrc(leg);
	rtcp_write_rr(&report->w, own, report->blocks, report->block_count);
	rtcp_write_sdes(&report->w, own, str_of(leg->open.cname));
}

void
transport_report(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct report report;
	report_write(&report, media, leg, now_us);
	transport_rtcp_send(media, leg, &report.w);
}

void
transport_bye(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct report report;
	report_write(&report, media, leg, now_us);
	rtcp_write_bye(&report.w, leg->send.ssrc, STR(""));
	for (unsigned i = 0; leg->video != NULL && i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		if (line != NULL && line->tx != NULL && line->tx->started)
			rtcp_write_bye(&report.w, line->agreed.tx_ssrc, STR(""));
	}
	transport_rtcp_send(media, leg, &report.w);
}

/* Pictures need reports about as often as once a second. */
void
transport_video(struct media_leg *leg, uint32_t random, int64_t now_us)
{
	const struct rtcp_timing_settings rtcp = { .bandwidth_bps = VIDEO_RTCP_BPS,
		                                   .interval_us_min = VIDEO_RTCP_US_MIN };
	if (leg->rtcp.interval_us_min == rtcp.interval_us_min)
		return;
	rtcp_timing_init(&leg->rtcp, &rtcp, random, now_us);
	rtcp_timing_members(&leg->rtcp, 2, 2, true, now_us);
}

void
transport_feedback(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct twcc_receive *twcc = &leg->video->twcc_in;
	if (!leg->video->bandwidth_set)
		return; /* camera control alone: no pictures to tell of */
	while (twcc_receive_deadline(twcc) <= now_us) {
		struct writer w = transport_rtcp_begin(media, leg);
		if (!twcc_receive_write(twcc, &w, now_us))
			return;
		transport_rtcp_send(media, leg, &w);
	}
}

/* ---- In ------------------------------------------------------------------------------------ */

static struct video_tx *
tx_of_ssrc(const struct media_leg *leg, uint32_t ssrc)
{
	for (unsigned i = 0; leg->video != NULL && i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		if (line != NULL && line->tx != NULL && line->agreed.tx_ssrc == ssrc)
			return line->tx;
	}
	return NULL;
}

static struct video_layer *
layer_of_ssrc(const struct media_leg *leg, uint32_t ssrc)
{
	for (unsigned i = 0; leg->video != NULL && i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		for (unsigned l = 0; line != NULL && line->rx != NULL && l < VIDEO_LAYERS_MAX; l++)
			if (line->rx->layers[l].known && line->rx->layers[l].ssrc == ssrc)
				return &line->rx->layers[l];
	}
	return NULL;
}

static void
input_audio_block(struct media_leg *leg, const struct rtcp_block *block)
{
	leg->peer_block = *block;
	/* What is lost now matters more than what was: half the old, half the new. */
	leg->peer_loss_pct = (uint8_t)((leg->peer_loss_pct + block->fraction_lost * 100u / LOSS_ALL_Q8 +
	                                1) /
	                               2);
}

static void
input_block(struct media *media, struct media_leg *leg, const struct rtcp_block *block,
            int64_t now_us)
{
	struct video_tx *tx = tx_of_ssrc(leg, block->ssrc);
	if (block->ssrc != leg->send.ssrc && tx == NULL)
		return;
	const int64_t rtt_us =
		rtcp_rtt_us(block, rtcp_ntp(now_us + media->settings.wall_offset_us));
	if (rtt_us >= 0)
		leg->rtt_us = rtt_us;
	if (tx == NULL) {
		input_audio_block(leg, block);
		return;
	}
	tx->peer_block = *block;
	bwe_send_report(&leg->video->bwe, block, rtt_us, now_us);
}

static void
input_report(struct media *media, struct media_leg *leg, const struct rtcp_packet *packet,
             int64_t now_us)
{
	if (packet->type == RTCP_SR) {
		struct video_layer *layer = layer_of_ssrc(leg, packet->ssrc);
		const struct rtcp_sender_info info = rtcp_sender_info(packet);
		const struct rtcp_last_sr last = { rtcp_ntp_short(info.ntp), now_us };
		if (layer != NULL) {
			layer->last_sr = last;
			sync_report(&layer->clock, &info);
		} else if (packet->ssrc == leg->rx_ssrc) {
			leg->last_sr = last;
			sync_report(&leg->clock, &info);
		}
	}
	for (unsigned i = 0; i < packet->count; i++) {
		const struct rtcp_block block = rtcp_block(packet, i);
		input_block(media, leg, &block, now_us);
	}
}

/* RFC 5104 s4.2.2: who bounds us hears that he does. */
static void
answer_tmmbr(struct media *media, struct media_leg *leg, const struct rtcp_fb *fb)
{
	for (unsigned i = 0; i < fb->count; i++) {
		struct rtcp_tmmb bound = rtcp_fb_tmmb(fb, i);
		if (tx_of_ssrc(leg, bound.ssrc) == NULL)
			continue;
		struct writer w = transport_rtcp_begin(media, leg);
		bound.ssrc = fb->sender_ssrc;
		rtcp_fb_write_tmmbn(&w, video_own_ssrc(leg), &bound, 1);
		transport_rtcp_send(media, leg, &w);
		return;
	}
}

static void
input_nack(struct media *media, struct media_leg *leg, const struct rtcp_fb *fb)
{
	struct video_tx *tx = tx_of_ssrc(leg, fb->media_ssrc);
	uint32_t at = 0;
	uint16_t seq;
	while (tx != NULL && rtcp_fb_nack_next(fb, &at, &seq))
		video_tx_nacked(media, tx, seq);
}

static void
input_pli(struct media *media, struct media_leg *leg, const struct rtcp_fb *fb, int64_t now_us)
{
	struct video_tx *tx = tx_of_ssrc(leg, fb->media_ssrc);
	if (tx != NULL)
		video_tx_key_asked(media, tx, now_us);
}

static void
input_fir(struct media *media, struct media_leg *leg, const struct rtcp_fb *fb, int64_t now_us)
{
	for (unsigned i = 0; i < fb->count; i++) {
		const struct rtcp_fir fir = rtcp_fb_fir(fb, i);
		struct video_tx *tx = tx_of_ssrc(leg, fir.ssrc);
		if (tx != NULL)
			video_tx_fir(media, tx, fb->sender_ssrc, fir.seq, now_us);
	}
}

static void
input_feedback(struct media *media, struct media_leg *leg, const struct rtcp_packet *packet,
               int64_t now_us)
{
	struct rtcp_fb fb;
	if (leg->video == NULL)
		return;
	if (rtcp_fb_parse(&fb, packet) != RTCP_FB_OK) {
		leg->rejected++;
		return;
	}
	switch (fb.kind) {
	case RTCP_FB_NACK:
		input_nack(media, leg, &fb);
		break;
	case RTCP_FB_PLI:
		input_pli(media, leg, &fb, now_us);
		break;
	case RTCP_FB_FIR:
		input_fir(media, leg, &fb, now_us);
		break;
	case RTCP_FB_TMMBR:
		answer_tmmbr(media, leg, &fb);
		if (leg->video->bandwidth_set)
			bwe_send_feedback(&leg->video->bwe, &fb, now_us);
		break;
	case RTCP_FB_REMB:
		/* With transport-wide numbers on pictures Chromium estimates by what is left without
		 * them: the sound. */
		if (leg->video->bandwidth_set && !leg->video->twcc)
			bwe_send_feedback(&leg->video->bwe, &fb, now_us);
		break;
	case RTCP_FB_TWCC:
		if (leg->video->bandwidth_set)
			bwe_send_feedback(&leg->video->bwe, &fb, now_us);
		break;
	case RTCP_FB_TMMBN:
	case RTCP_FB_OTHER:
		break;
	}
}

static void
input_packets(struct media *media, struct media_leg *leg, const uint8_t *bytes, size_t len,
              int64_t now_us)
{
	struct rtcp_packet packet;
	for (size_t at = 0; rtcp_next(bytes, len, &at, &packet);) {
		switch (packet.type) {
		case RTCP_SR:
		case RTCP_RR:
			input_report(media, leg, &packet, now_us);
			break;
		case RTCP_RTPFB:
		case RTCP_PSFB:
			input_feedback(media, leg, &packet, now_us);
			break;
		default:
			break;
		}
	}
}

void
transport_input_rtcp(struct media *media, struct media_leg *leg, const struct net_addr *from,
                     uint8_t *bytes, size_t len, int64_t now_us)
{
	if (!leg->has_transport || (leg->security != MEDIA_SECURITY_NONE && leg->srtp_rx == NULL)) {
		leg->rejected++;
		return;
	}
	if ((leg->srtp_rx != NULL && srtp_rtcp_unprotect(leg->srtp_rx, bytes, &len) != SRTP_OK) ||
	    rtcp_parse(bytes, len, true) != RTCP_OK ||
	    !rtp_source_rtcp(&leg->source, from, leg->srtp_rx != NULL)) {
		leg->rejected++;
		return;
	}
	transport_heard(leg, now_us);
	rtcp_timing_packet(&leg->rtcp, len);
	input_packets(media, leg, bytes, len, now_us);
}
