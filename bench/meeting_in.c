/* SPDX-License-Identifier: Apache-2.0 */
/* What is received, and the reports about both directions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "meeting_stream_internal.h"
#include "net/wall.h"
#include "rtp/rtcp_fb.h"
#include "video/history.h"

enum {
	REPORT_US = 500 * 1000,
	PLI_AGAIN_US = 300 * 1000,
	NACKS_MAX = 64,
	FEEDBACK_BYTES_MAX = LINK_PACKET_BYTES_MAX - SRTP_RTCP_OVERHEAD_MAX,
};

/* ---- Pictures ------------------------------------------------------------------------------- */

struct in_video *
in_video_add(struct streams *streams, const struct in_video_settings *settings)
{
	static const struct nack_settings nack;
	const struct frame_build_settings build = {
		.wait_us = settings->again ? 0 : FRAME_BUILD_REORDER_US,
	};
	CHECK(streams->in_count < STREAMS_IN_MAX);
	struct in_video *in = calloc(1, sizeof *in);
	if (in == NULL)
		return NULL;
	in->settings = *settings;
	rtp_receive_init(&in->receive, VIDEO_CLOCK_HZ);
	nack_init(&in->nack, &nack);
	frame_build_init(&in->build, &build);
	streams->ins[streams->in_count++] = in;
	return in;
}

/* The time somebody was in it ends. */
static void
close_shown(struct in_video_stats *stats, const struct in_video *in, int64_t now_us)
{
	const int64_t gap_us = now_us - in->last_us;
	stats->shown_us += now_us - in->shown_since_us;
	if (gap_us > stats->gap_us_max)
		stats->gap_us_max = gap_us;
	stats->gaps += gap_us > STREAM_GAP_US;
}

void
in_video_show(struct in_video *in, bool shown, bool is_new, int64_t now_us)
{
	if (in->shown && !shown)
		close_shown(&in->stats, in, now_us);
	if (!in->shown && shown) {
		in->shown_since_us = now_us;
		in->last_us = now_us;
	}
	in->stats.switches += shown && is_new;
	in->shown = shown;
}

static void
count_frame(struct in_video *in, const struct built_frame *frame, int64_t now_us)
{
	struct in_video_stats *stats = &in->stats;
	if (in->shown) {
		const int64_t gap_us = now_us - in->last_us;
		stats->gaps += gap_us > STREAM_GAP_US;
		if (gap_us > stats->gap_us_max)
			stats->gap_us_max = gap_us;
	}
	in->last_us = now_us;
	stats->frames++;
	stats->keys += frame->key;
	stats->sizes += frame->height != 0 && frame->height != in->height;
	if (frame->height != 0) {
		in->width = frame->width;
		in->height = frame->height;
	}
	in->codec = frame->codec;
}

static void
take_frames(const struct streams *streams, struct in_video *in, int64_t now_us)
{
	static uint8_t bytes[VIDEO_FRAME_BYTES_MAX];
	const struct stream_watch *watch = streams->watch;
	struct built_frame frame;
	while (frame_build_take(&in->build, &frame, bytes, sizeof bytes, now_us)) {
		count_frame(in, &frame, now_us);
		if (watch != NULL && watch->frame != NULL)
			watch->frame(watch->context, &frame, bytes, now_us);
	}
	nack_forget(&in->nack, frame_build_oldest(&in->build));
}

static void
keep(struct streams *streams, struct in_video *in, const struct rtp_packet *packet,
     enum video_codec codec, bool again, int64_t now_us)
{
	const uint8_t *payload = rtp_payload(packet);
	size_t len = packet->payload_len;
	uint16_t seq = packet->seq;
	if (again) {
		if (!rtx_read(payload, len, &seq))
			return;
		payload += 2;
		len -= 2;
	}
	struct packet *kept = packet_take(streams->pool, payload, len);
	CHECK(kept != NULL);
	kept->seq = again ? rtp_seq_extend(&in->receive.seq, seq)
	                  : rtp_seq_extend(&in->receive.seq, packet->seq);
	kept->timestamp_rtp = packet->timestamp_rtp;
	kept->arrived_us = now_us;
	kept->codec = (uint8_t)codec;
	kept->marker = packet->marker;
	if (len == 0 || video_facts_parse(&kept->facts, codec, payload, len) == VIDEO_OK) {
		if (in->settings.again)
			nack_input(&in->nack, kept->seq, now_us);
		frame_build_input(&in->build, kept, now_us);
	}
	packet_put(kept);
	in->stats.bytes += packet->payload_len;
	take_frames(streams, in, now_us);
}

static void
input_video(struct streams *streams, struct in_video *in, const struct rtp_packet *packet,
            int64_t now_us)
{
	const struct in_video_settings *settings = &in->settings;
	const uint8_t type = packet->payload_type;
	const bool again = (type == settings->vp8_rtx && type != 0) ||
	                   (type == settings->h264_rtx && type != 0);
	const bool vp8 = type == settings->vp8 || type == settings->vp8_rtx;
	if (!again) {
		if (in->ssrc != packet->ssrc) {
			rtp_receive_init(&in->receive, VIDEO_CLOCK_HZ);
			in->ssrc = packet->ssrc;
		}
		switch (rtp_receive_input(&in->receive, packet, now_us)) {
		case RTP_VERDICT_DUPLICATE:
		case RTP_VERDICT_OLD:
		case RTP_VERDICT_JUMP:
			return;
		case RTP_VERDICT_NEW:
		case RTP_VERDICT_LATE:
		case RTP_VERDICT_PROBATION:
		case RTP_VERDICT_RESTART:
			break;
		}
	} else if (in->ssrc == 0) {
		return; /* padding that probes the way, before there is a picture */
	}
	keep(streams, in, packet, vp8 ? VIDEO_CODEC_VP8 : VIDEO_CODEC_H264, again, now_us);
}

static bool
takes(const struct in_video_settings *settings, uint8_t type)
{
	return type != 0 && (type == settings->vp8 || type == settings->vp8_rtx ||
	                     type == settings->h264 || type == settings->h264_rtx);
}

static struct in_video *
in_of(struct streams *streams, const struct rtp_packet *packet)
{
	for (unsigned i = 0; i < streams->in_count; i++) {
		struct in_video *in = streams->ins[i];
		const struct in_video_settings *settings = &in->settings;
		if (!takes(settings, packet->payload_type))
			continue;
		if (settings->mid[0] == '\0' || settings->ssrcs[0] == packet->ssrc ||
		    settings->ssrcs[1] == packet->ssrc)
			return in;
		const struct str mid = rtp_mid(packet, settings->mid_ext);
		if (mid.len != 0 && str_eq(mid, str_of(settings->mid)))
			return in;
	}
	return NULL;
}

static void
ask_again(struct streams *streams, struct in_video *in, int64_t now_us)
{
	uint8_t bytes[LINK_PACKET_BYTES_MAX];
	uint16_t seqs[NACKS_MAX];
	if (!in->settings.again || nack_deadline(&in->nack) > now_us)
		return;
	const size_t count = nack_take(&in->nack, seqs, COUNT_OF(seqs), now_us);
	if (count == 0)
		return;
	struct writer w = writer_of(bytes, FEEDBACK_BYTES_MAX);
	rtcp_write_rr(&w, streams->ssrc, NULL, 0);
	rtcp_fb_write_nack(&w, streams->ssrc, in->ssrc, seqs, (unsigned)count);
	CHECK(!w.failed);
	link_rtcp(streams->link, bytes, w.at);
}

static void
ask_key(struct streams *streams, struct in_video *in, int64_t now_us)
{
	uint8_t bytes[LINK_PACKET_BYTES_MAX];
	const bool given_up = nack_take_given_up(&in->nack);
	if (given_up)
		frame_build_need_key(&in->build);
	if (!frame_build_key_wanted(&in->build) || now_us - in->pli_us < PLI_AGAIN_US)
		return;
	struct writer w = writer_of(bytes, FEEDBACK_BYTES_MAX);
	rtcp_write_rr(&w, streams->ssrc, NULL, 0);
	rtcp_fb_write_pli(&w, streams->ssrc, in->ssrc);
	CHECK(!w.failed);
	link_rtcp(streams->link, bytes, w.at);
	in->pli_us = now_us;
	in->stats.plis++;
}

static void
tick_video(struct streams *streams, struct in_video *in, int64_t now_us)
{
	if (in->ssrc == 0)
		return;
	if (frame_build_deadline(&in->build) <= now_us)
		take_frames(streams, in, now_us);
	ask_again(streams, in, now_us);
	if (in->shown)
		ask_key(streams, in, now_us);
}

/* ---- Sound ---------------------------------------------------------------------------------- */

static void
input_sound(struct in_sound *in, const struct rtp_packet *packet, int64_t now_us)
{
	if (in->ssrc != packet->ssrc) {
		rtp_receive_init(&in->receive, 48000);
		in->ssrc = packet->ssrc;
		in->lost_before = 0;
	}
	(void)rtp_receive_input(&in->receive, packet, now_us);
	if (in->last_us != 0 && now_us - in->last_us > in->gap_us_max)
		in->gap_us_max = now_us - in->last_us;
	in->last_us = now_us;
	in->packets++;
}

int64_t
in_sound_gap_us(const struct in_sound *in, int64_t now_us)
{
	const int64_t open_us = now_us - in->last_us;
	return open_us > in->gap_us_max ? open_us : in->gap_us_max;
}

int64_t
in_sound_lost(const struct in_sound *in)
{
	return rtp_receive_lost(&in->receive) - in->lost_before;
}

/* ---- Reports -------------------------------------------------------------------------------- */

static unsigned
blocks_of(struct streams *streams, struct rtcp_block blocks[RTCP_BLOCKS_MAX], int64_t now_us)
{
	unsigned count = 0;
	struct in_sound *sound = &streams->in_sound;
	if (sound->ssrc != 0)
		blocks[count++] = rtcp_block_of(sound->ssrc, &sound->receive, &sound->last_sr,
		                                now_us);
	for (unsigned i = 0; i < streams->in_count && count < RTCP_BLOCKS_MAX; i++) {
		struct in_video *in = streams->ins[i];
		if (in->ssrc != 0)
			blocks[count++] = rtcp_block_of(in->ssrc, &in->receive, &in->last_sr,
			                                now_us);
	}
	return count;
}

static void
report(struct streams *streams, int64_t now_us)
{
	uint8_t bytes[LINK_PACKET_BYTES_MAX];
	struct rtcp_block blocks[RTCP_BLOCKS_MAX];
	const unsigned count = blocks_of(streams, blocks, now_us);
	const uint64_t ntp = rtcp_ntp(now_us + streams->wall_offset_us);
	struct writer w = writer_of(bytes, FEEDBACK_BYTES_MAX);
	const struct rtp_send *sound = &streams->out_sound.send;
	if (streams->out_sound.started && sound->packets != 0) {
		const struct rtcp_sender_info info = {
			.ntp = ntp,
			.timestamp_rtp = rtp_send_timestamp_at(sound, now_us),
			.packets = (uint32_t)sound->packets,
			.bytes = (uint32_t)sound->bytes,
		};
		rtcp_write_sr(&w, streams->ssrc, &info, blocks, count);
	} else {
		rtcp_write_rr(&w, streams->ssrc, blocks, count);
	}
	rtcp_write_sdes(&w, streams->ssrc, str_of(streams->cname));
	for (unsigned i = 0; i < streams->out_count; i++) {
		const struct out_video *out = &streams->outs[i];
		const int64_t frame_us = 1000000 / out->settings.clip->settings.fps;
		const int64_t ahead_us = out->frame_us - frame_us - now_us;
		const struct rtcp_sender_info info = {
			.ntp = ntp,
			.timestamp_rtp = out->timestamp_rtp -
			                 VIDEO_CLOCK_HZ / out->settings.clip->settings.fps -
			                 (uint32_t)(ahead_us * VIDEO_CLOCK_HZ / 1000000),
			.packets = out->packets,
			.bytes = out->bytes,
		};
		if (out->packets != 0)
			rtcp_write_sr(&w, out->ssrc, &info, NULL, 0);
	}
	CHECK(!w.failed);
	link_rtcp(streams->link, bytes, w.at);
}

static void
take_sr(struct streams *streams, const struct rtcp_packet *packet, int64_t now_us)
{
	const struct rtcp_last_sr last = {
		.ntp_short = rtcp_ntp_short(rtcp_sender_info(packet).ntp),
		.at_us = now_us,
	};
	if (packet->ssrc == streams->in_sound.ssrc)
		streams->in_sound.last_sr = last;
	for (unsigned i = 0; i < streams->in_count; i++)
		if (packet->ssrc == streams->ins[i]->ssrc)
			streams->ins[i]->last_sr = last;
}

static void
take_feedback(struct streams *streams, const struct rtcp_packet *packet)
{
	struct rtcp_fb fb;
	if (rtcp_fb_parse(&fb, packet) != RTCP_FB_OK)
		return;
	struct out_video *out = out_of(streams, fb.media_ssrc);
	if (fb.kind == RTCP_FB_PLI && out != NULL)
		out_key(out);
	for (unsigned i = 0; fb.kind == RTCP_FB_FIR && i < fb.count; i++)
		if ((out = out_of(streams, rtcp_fb_fir(&fb, i).ssrc)) != NULL)
			out_key(out);
	uint32_t at = 0;
	uint16_t seq;
	while (fb.kind == RTCP_FB_NACK && out != NULL && rtcp_fb_nack_next(&fb, &at, &seq))
		out_again(streams, out, seq);
}

/* ---- All of a link -------------------------------------------------------------------------- */

void
streams_rtp(struct streams *streams, const struct rtp_packet *packet, int64_t now_us)
{
	if (packet->payload_type == streams->in_sound.payload_type &&
	    streams->in_sound.payload_type != 0) {
		input_sound(&streams->in_sound, packet, now_us);
		return;
	}
	struct in_video *in = in_of(streams, packet);
	if (in == NULL)
		return;
	if (streams->watch != NULL && streams->watch->received != NULL)
		streams->watch->received(streams->watch->context, packet, now_us);
	input_video(streams, in, packet, now_us);
}

void
streams_rtcp(struct streams *streams, const uint8_t *bytes, size_t len, int64_t now_us)
{
	struct rtcp_packet packet;
	for (size_t at = 0; rtcp_next(bytes, len, &at, &packet);) {
		if (packet.type == RTCP_SR)
			take_sr(streams, &packet, now_us);
		else if (packet.type == RTCP_RTPFB || packet.type == RTCP_PSFB)
			take_feedback(streams, &packet);
	}
}

void
streams_tick(struct streams *streams, int64_t now_us)
{
	if (streams->link == NULL || !streams->link->connected)
		return;
	out_tick(streams, now_us);
	for (unsigned i = 0; i < streams->in_count; i++)
		tick_video(streams, streams->ins[i], now_us);
	if (streams->report_us <= now_us) {
		report(streams, now_us);
		streams->report_us = now_us + REPORT_US / 2 +
		                     (int64_t)prng_below(streams->prng, REPORT_US);
	}
}

void
streams_init(struct streams *streams, struct link *link, struct packet_pool *pool,
             struct prng *prng)
{
	*streams = (struct streams){ .link = link,
		                     .pool = pool,
		                     .prng = prng,
		                     .ssrc = prng_u32(prng) | 1,
		                     .wall_offset_us = wall_now().us - loop_now_us() };
	snprintf(streams->cname, sizeof streams->cname, "%08x", streams->ssrc);
}

void
streams_fini(struct streams *streams)
{
	for (unsigned i = 0; i < streams->out_count; i++)
		free(streams->outs[i].history);
	for (unsigned i = 0; i < streams->in_count; i++) {
		frame_build_fini(&streams->ins[i]->build);
		free(streams->ins[i]);
	}
	*streams = (struct streams){ 0 };
}

/* ---- Figures -------------------------------------------------------------------------------- */

void
streams_begin(struct streams *streams, int64_t now_us)
{
	struct in_sound *sound = &streams->in_sound;
	streams->began_us = now_us;
	sound->gap_us_max = 0;
	sound->packets = 0;
	sound->lost_before = rtp_receive_lost(&sound->receive);
	if (sound->last_us == 0)
		sound->last_us = now_us;
	for (unsigned i = 0; i < streams->in_count; i++) {
		struct in_video *in = streams->ins[i];
		in->stats = (struct in_video_stats){ 0 };
		in->shown_since_us = now_us;
		in->lost_before = in->build.stats.lost;
		in->asked_before = in->nack.asked;
	}
}

struct in_video_stats
in_video_stats(const struct in_video *in, int64_t now_us)
{
	struct in_video_stats stats = in->stats;
	if (in->shown)
		close_shown(&stats, in, now_us);
	stats.packets_lost = in->build.stats.lost - in->lost_before;
	stats.asked = in->nack.asked - in->asked_before;
	return stats;
}
