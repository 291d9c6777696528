/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent: sound, and clips as simulcast layers or as a room's picture. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "meeting_stream_internal.h"
#include "video/h264.h"
#include "video/vp8.h"

enum {
	SOUND_FRAME_US = 20 * 1000,
	SOUND_LATE_US = 5 * SOUND_FRAME_US, /* what is missed is not made up for then */
	SOUND_SAMPLES = 960,
	DTX_EVERY = 20, /* frames */
	PACE_PCT = 80,  /* of a frame's time is used to send its packets */
};

/* ---- Sound ---------------------------------------------------------------------------------- */

void
out_sound_start(struct streams *streams, const struct voice *voice, uint8_t payload_type,
                const struct stream_marks *marks, int64_t now_us)
{
	struct out_sound *sound = &streams->out_sound;
	*sound = (struct out_sound){ .started = true,
		                     .talks = sound->talks,
		                     .payload_type = payload_type,
		                     .marks = *marks,
		                     .voice = voice,
		                     .frame = prng_below(streams->prng, VOICE_FRAMES),
		                     .next_us = now_us + prng_below(streams->prng,
		                                                    SOUND_FRAME_US) };
	rtp_send_init(&sound->send, streams->ssrc, 48000, (uint16_t)prng_u32(streams->prng));
}

static void
send_sound(struct streams *streams, int64_t now_us)
{
	struct out_sound *sound = &streams->out_sound;
	static const uint8_t dtx[] = { 0xf8 }; /* CELT, 20 ms, nothing */
	const struct voice_frame *frame = &sound->voice->frames[sound->frame % VOICE_FRAMES];
	const struct stream_marks *marks = &sound->marks;
	const uint8_t *payload = sound->talks ? frame->payload : dtx;
	const size_t len = sound->talks ? frame->len : sizeof dtx;
	struct rtp_ext exts[2];
	unsigned count = 0;
	sound->timestamp_rtp += SOUND_SAMPLES;
	if (!sound->talks && sound->frame++ % DTX_EVERY != 0)
		return;
	sound->frame += sound->talks;
	const uint8_t level = rtp_audio_level_byte((struct rtp_audio_level){
		.below_full_db = sound->talks ? frame->level : RTP_LEVEL_SILENT,
		.voice = sound->talks,
	});
	if (marks->level_ext != 0)
		exts[count++] = (struct rtp_ext){ &level, marks->level_ext, 1 };
	if (marks->mid_ext != 0)
		exts[count++] = (struct rtp_ext){ (const uint8_t *)marks->mid, marks->mid_ext,
			                          (uint8_t)strlen(marks->mid) };
	struct rtp_header header = { .payload_type = sound->payload_type,
		                     .timestamp_rtp = sound->timestamp_rtp,
		                     .exts = exts,
		                     .ext_count = count };
	rtp_send_next(&sound->send, &header, len, now_us);
	link_rtp(streams->link, &header, payload, len, false);
}

/* ---- Pictures ------------------------------------------------------------------------------- */

void
out_video_add(struct streams *streams, const struct out_video_settings *settings, int64_t now_us)
{
	CHECK(streams->out_count < STREAMS_OUT_MAX);
	struct out_video *out = &streams->outs[streams->out_count++];
	const uint32_t frame_us = 1000000u / settings->clip->settings.fps;
	*out = (struct out_video){ .settings = *settings,
		                   .ssrc = prng_u32(streams->prng) | 1,
		                   .rtx_ssrc = prng_u32(streams->prng) | 1,
		                   .rtx_seq = (uint16_t)(prng_u32(streams->prng) & 0x7fff),
		                   .picture_id = (uint16_t)(prng_u32(streams->prng) & 0x7fff),
		                   .timestamp_rtp = prng_u32(streams->prng),
		                   .frame_us = now_us + prng_below(streams->prng, frame_us) };
	out->made_seq = (uint16_t)(prng_u32(streams->prng) & 0x7fff);
	out->sent_seq = out->made_seq;
	out->history = calloc(STREAM_HISTORY, sizeof *out->history);
	CHECK(out->history != NULL);
}

static struct out_packet *
packet_at(struct out_video *out, uint16_t seq)
{
	return &out->history[seq % STREAM_HISTORY];
}

static bool
next_payload(bool is_vp8, struct vp8_packetizer *vp8, struct h264_packetizer *h264,
             struct writer *w, bool *last)
{
	return is_vp8 ? vp8_packetizer_next(vp8, w, last) : h264_packetizer_next(h264, w, last);
}

static void
make_frame(struct out_video *out)
{
	const struct clip *clip = out->settings.clip;
	const bool is_vp8 = clip->settings.codec == VIDEO_CODEC_VP8;
	if (out->key_wanted || out->frame == clip->frame_count)
		out->frame = 0;
	out->key_wanted = false;
	const struct clip_frame *frame = &clip->frames[out->frame++];
	struct vp8_packetizer vp8;
	struct h264_packetizer h264;
	if (is_vp8)
		vp8_packetizer_init(&vp8, frame->bytes, frame->len, out->picture_id, false,
		                    VIDEO_PAYLOAD_BYTES_MAX);
	else
		h264_packetizer_init(&h264, frame->bytes, frame->len, 1, VIDEO_PAYLOAD_BYTES_MAX);
	out->picture_id = (out->picture_id + 1) & 0x7fff;
	for (bool last = false; !last;) {
		struct out_packet *packet = packet_at(out, out->made_seq);
		struct writer w = writer_of(packet->payload, sizeof packet->payload);
		if (!next_payload(is_vp8, &vp8, &h264, &w, &last))
			break;
		packet->len = (uint16_t)w.at;
		packet->marker = last;
		packet->timestamp_rtp = out->timestamp_rtp;
		out->made_seq++;
		CHECK((uint16_t)(out->made_seq - out->sent_seq) < STREAM_HISTORY);
	}
}

static void
send_packet(struct streams *streams, struct out_video *out, uint16_t seq, bool rtx)
{
	const struct out_packet *packet = packet_at(out, seq);
	const struct stream_marks *marks = &out->settings.marks;
	const uint8_t rid_ext = rtx ? marks->repaired_ext : marks->rid_ext;
	struct rtp_ext exts[2];
	unsigned count = 0;
	if (marks->mid_ext != 0)
		exts[count++] = (struct rtp_ext){ (const uint8_t *)marks->mid, marks->mid_ext,
			                          (uint8_t)strlen(marks->mid) };
	if (rid_ext != 0 && out->settings.rid[0] != '\0')
		exts[count++] = (struct rtp_ext){ (const uint8_t *)out->settings.rid, rid_ext,
			                          (uint8_t)strlen(out->settings.rid) };
	const struct rtp_header header = {
		.payload_type = rtx ? out->settings.rtx_payload_type : out->settings.payload_type,
		.marker = packet->marker,
		.seq = rtx ? out->rtx_seq++ : seq,
		.timestamp_rtp = packet->timestamp_rtp,
		.ssrc = rtx ? out->rtx_ssrc : out->ssrc,
		.exts = exts,
		.ext_count = count,
	};
	if (!rtx) {
		out->packets++;
		out->bytes += packet->len;
		link_rtp(streams->link, &header, packet->payload, packet->len, true);
		if (streams->watch != NULL && streams->watch->sent != NULL)
			streams->watch->sent(streams->watch->context, packet->payload, packet->len,
			                     packet->marker, loop_now_us());
		return;
	}
	uint8_t payload[2 + VIDEO_PAYLOAD_BYTES_MAX] = { (uint8_t)(seq >> 8), (uint8_t)seq };
	memcpy(payload + 2, packet->payload, packet->len);
	link_rtp(streams->link, &header, payload, packet->len + 2u, true);
}

/* Frames at their times, the packets of each spread over most of the time until the next. */
static void
tick_video(struct streams *streams, struct out_video *out, int64_t now_us)
{
	const unsigned fps = out->settings.clip->settings.fps;
	const int64_t frame_us = 1000000 / fps;
	if (out->frame_us <= now_us) {
		/* What of the last frame is still here goes first. */
		while (out->sent_seq != out->made_seq)
			send_packet(streams, out, out->sent_seq++, false);
		make_frame(out);
		const uint16_t count = (uint16_t)(out->made_seq - out->sent_seq);
		out->packet_us = now_us;
		out->packet_gap_us = frame_us * PACE_PCT / 100 / (count != 0 ? count : 1);
		const int64_t due_us = out->frame_us + frame_us;
		out->frame_us = due_us > now_us - frame_us ? due_us : now_us + frame_us;
		out->timestamp_rtp += VIDEO_CLOCK_HZ / fps;
	}
	while (out->sent_seq != out->made_seq && out->packet_us <= now_us) {
		send_packet(streams, out, out->sent_seq++, false);
		out->packet_us += out->packet_gap_us;
	}
}

void
out_tick(struct streams *streams, int64_t now_us)
{
	struct out_sound *sound = &streams->out_sound;
	if (!streams->link->connected)
		return;
	if (now_us - sound->next_us > SOUND_LATE_US)
		sound->next_us = now_us;
	while (sound->started && sound->next_us <= now_us) {
		send_sound(streams, now_us);
		sound->next_us += SOUND_FRAME_US;
	}
	for (unsigned i = 0; i < streams->out_count; i++)
		tick_video(streams, &streams->outs[i], now_us);
}

/* ---- What is asked of us -------------------------------------------------------------------- */

struct out_video *
out_of(struct streams *streams, uint32_t ssrc)
{
	for (unsigned i = 0; i < streams->out_count; i++)
		if (streams->outs[i].ssrc == ssrc)
			return &streams->outs[i];
	return NULL;
}

void
out_key(struct out_video *out)
{
	/* One that has just begun is what was asked for. */
	if (!out->key_wanted && out->frame > 1)
		out->stats.keys_asked++;
	out->key_wanted = out->key_wanted || out->frame > 1;
}

void
out_again(struct streams *streams, struct out_video *out, uint16_t seq)
{
	const uint16_t age = (uint16_t)(out->sent_seq - seq);
	if (!out->settings.again)
		return;
	if (age == 0 || age > STREAM_HISTORY / 2) {
		out->stats.not_here++;
		return;
	}
	out->stats.resent++;
	send_packet(streams, out, seq, out->settings.rtx_payload_type != 0);
}
