/* SPDX-License-Identifier: Apache-2.0 */
/* Sound of rooms and legs, one frame at a time: who is heard, what is mixed, who gets which encode.
 *
 * A frame of a room: every leg tells how loud it is (most without being decoded), the loudest few
 * are decoded and summed, each of these gets the sum without itself in an encode of its own, and all
 * others share one encode per codec.  A leg that hears a prompt, or that wants longer packets, has
 * its own encode too.  When nobody speaks nothing is encoded: ready payloads of silence are sent. */
#include <stdlib.h>
#include <string.h>

#include "worker/media_internal.h"

enum {
	SILENCE_FRAMES = 10,     /* sent after the last sound, so that a decoder settles */
	KEEPALIVE_FRAMES = 20,   /* then one in 400 ms, as Opus DTX does */
	FRAME_MS_MAX = 60,
	INBAND_DIGIT_MS = 100,
	OPUS_SHARED_BPS = 32000,
	INBAND_GAP_FRAMES = 4,
	INBAND_COMMA_FRAMES = 100, /* 2 s, as for telephone-events */
};

enum audio_codec
sound_codec(uint8_t codec)
{
	switch ((enum media_codec)codec) {
	case MEDIA_CODEC_OPUS:
		return AUDIO_CODEC_OPUS;
	case MEDIA_CODEC_G722:
		return AUDIO_CODEC_G722;
	case MEDIA_CODEC_PCMU:
		return AUDIO_CODEC_PCMU;
	case MEDIA_CODEC_PCMA:
		return AUDIO_CODEC_PCMA;
	case MEDIA_CODEC_NONE:
	case MEDIA_CODEC_TELEPHONE_EVENT:
	case MEDIA_CODEC_COMFORT_NOISE:
	case MEDIA_CODEC_COUNT:
		break;
	}
	return AUDIO_CODEC_NONE;
}

uint32_t
sound_clock_hz(uint8_t codec)
{
	return codec == MEDIA_CODEC_OPUS ? 48000 : 8000;
}

/* ---- What the SDP agreed ------------------------------------------------------------------- */

static void
rest_encoder(struct media *media, struct media_leg *leg)
{
	if (leg->encoder != NULL)
		audio_encoder_put(media->codecs, leg->encoder);
	leg->encoder = NULL;
}

void
sound_audio(struct media *media, struct media_leg *leg)
{
	struct audio_format formats[MEDIA_CODECS_MAX];
	for (unsigned i = 0; i < leg->audio.rx_count; i++) {
		const struct media_payload *payload = &leg->audio.rx[i];
		const bool event = payload->codec == MEDIA_CODEC_TELEPHONE_EVENT;
		const bool noise = payload->codec == MEDIA_CODEC_COMFORT_NOISE;
		formats[i] = (struct audio_format){
			.payload_type = payload->payload_type,
			.kind = event ? AUDIO_FORMAT_EVENT
			        : noise ? AUDIO_FORMAT_NOISE
			                : AUDIO_FORMAT_CODEC,
			.codec = (uint8_t)sound_codec(payload->codec),
		};
	}
	audio_receiver_set_formats(&leg->rx, formats, leg->audio.rx_count);
	rest_encoder(media, leg);
	free(leg->packing);
	leg->packing = NULL;
	leg->packed_frames = 0;
	if (leg->audio.frame_ms > AUDIO_FRAME_MS && leg->audio.frame_ms <= FRAME_MS_MAX)
		leg->packing = calloc(FRAME_MS_MAX / AUDIO_FRAME_MS,
		                      AUDIO_FRAME_SAMPLES * sizeof *leg->packing);
}

/* ---- Prompts and tones for one leg --------------------------------------------------------- */

/* Tones, and nothing, have no file. */
static enum prompt
prompt_of(uint8_t sound)
{
	static const uint8_t prompts[MEDIA_SOUND_COUNT] = {
		[MEDIA_SOUND_PASSCODE_ENTRY] = PROMPT_PASSCODE_ENTRY,
		[MEDIA_SOUND_PASSCODE_OPTIONAL] = PROMPT_PASSCODE_OPTIONAL,
		[MEDIA_SOUND_PASSCODE_TRY_AGAIN] = PROMPT_PASSCODE_TRY_AGAIN,
		[MEDIA_SOUND_PASSCODE_FINAL_ATTEMPT] = PROMPT_PASSCODE_FINAL_ATTEMPT,
		[MEDIA_SOUND_PASSCODE_GOODBYE] = PROMPT_PASSCODE_GOODBYE,
		[MEDIA_SOUND_PASSCODE_TIMEOUT] = PROMPT_TIMEOUT,
		[MEDIA_SOUND_ONLY_PARTICIPANT] = PROMPT_ONLY_PARTICIPANT,
		[MEDIA_SOUND_MUTED] = PROMPT_MUTED,
		[MEDIA_SOUND_UNMUTED] = PROMPT_UNMUTED,
		[MEDIA_SOUND_WELCOME] = PROMPT_WELCOME,
		[MEDIA_SOUND_IVR_WELCOME] = PROMPT_IVR_WELCOME,
		[MEDIA_SOUND_MEETING_ID_ENTRY] = PROMPT_ID_ENTRY,
		[MEDIA_SOUND_ID_TRY_AGAIN] = PROMPT_ID_TRY_AGAIN,
		[MEDIA_SOUND_ID_FINAL_ATTEMPT] = PROMPT_ID_FINAL_ATTEMPT,
		[MEDIA_SOUND_ID_GOODBYE] = PROMPT_ID_GOODBYE,
		[MEDIA_SOUND_ID_TIMEOUT] = PROMPT_IVR_TIMEOUT,
		[MEDIA_SOUND_MEETING_FULL] = PROMPT_MEETING_FULL,
		[MEDIA_SOUND_UNAVAILABLE] = PROMPT_UNAVAILABLE,
		[MEDIA_SOUND_MEETING_ENDED] = PROMPT_MEETING_ENDED,
		[MEDIA_SOUND_MEETING_LOCKED] = PROMPT_MEETING_LOCKED,
		[MEDIA_SOUND_WAITING_FOR_HOST] = PROMPT_WAITING_FOR_HOST,
	};
	return sound < MEDIA_SOUND_COUNT ? (enum prompt)prompts[sound] : PROMPT_NONE;
}

static bool
playing(const struct media_leg *leg)
{
	return prompt_player_playing(&leg->prompt) || tone_playing(&leg->tone);
}

static void
told_played(struct media *media, struct media_leg *leg)
{
	const uint8_t sound = leg->playing;
	leg->playing = MEDIA_SOUND_NONE;
	if (sound != MEDIA_SOUND_NONE)
		media_event(media, leg, MEDIA_EVENT_LEG_PLAYED, 0, sound);
}

void
sound_play(struct media *media, struct media_leg *leg, const struct media_play *play)
{
	const bool join = play->sound == MEDIA_SOUND_JOIN_TONE;
	if (join || play->sound == MEDIA_SOUND_LEAVE_TONE) {
		/* It does not cut short what is being said. */
		if (!prompt_player_playing(&leg->prompt))
			leg->playing = play->sound;
		tone_start(&leg->tone, join ? TONE_JOIN : TONE_LEAVE);
		brand_put(play->brand);
		return;
	}
	prompt_player_stop(&leg->prompt);
	brand_put(leg->brand);
	leg->brand = play->brand;
	leg->playing = play->sound;
	if (play->sound == MEDIA_SOUND_NONE)
		return;
	const struct wav *wav = brand_find(leg->brand, prompt_of(play->sound));
	if (wav == NULL && media->settings.prompts != NULL)
		wav = prompts_find(media->settings.prompts, play->language, prompt_of(play->sound));
	if (wav == NULL || !prompt_player_add(&leg->prompt, wav))
		told_played(media, leg);
}

/* The next digit that has to be heard as tones, because no telephone-event was agreed. */
static void
next_inband_digit(struct media_leg *leg)
{
	if (leg->inband.count == 0 || tone_playing(&leg->tone))
		return;
	if (leg->inband_pause_frames != 0) {
		leg->inband_pause_frames--;
		return;
	}
	const char digit = leg->inband.digits[0];
	leg->inband.count--;
	memmove(leg->inband.digits, leg->inband.digits + 1, leg->inband.count);
	if (digit == ',')
		leg->inband_pause_frames = INBAND_COMMA_FRAMES;
	else if (tone_start_dtmf(&leg->tone, digit, INBAND_DIGIT_MS))
		leg->inband_pause_frames = INBAND_GAP_FRAMES;
}

static int16_t
saturate(int32_t sample)
{
	return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

/* Puts prompt and tone of this leg over `pcm`. */
static void
overlay(struct media *media, struct media_leg *leg, int16_t pcm[AUDIO_FRAME_SAMPLES])
{
	int16_t sound[AUDIO_FRAME_SAMPLES];
	if (prompt_player_render(&leg->prompt, sound))
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			pcm[i] = saturate(pcm[i] + sound[i]);
	if (tone_render(&leg->tone, sound))
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			pcm[i] = saturate(pcm[i] + sound[i]);
	if (!playing(leg))
		told_played(media, leg);
}

/* ---- Sending one frame --------------------------------------------------------------------- */

static uint32_t
frame_rtp(const struct media_leg *leg)
{
	return sound_clock_hz(leg->audio.tx_codec) / 1000 * AUDIO_FRAME_MS;
}

/* While digits are sent as events, they take the sound's place (RFC 4733 s2.6.1.2). */
static bool
sent_dtmf(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct dtmf_packet packet;
	if (leg->audio.tx_dtmf_payload_type == 0 || leg->dtmf_tx.clock_hz == 0)
		return false;
	while (dtmf_send_poll(&leg->dtmf_tx, leg->frame_rtp, now_us, &packet))
		transport_send(media, leg, leg->audio.tx_dtmf_payload_type, packet.marker,
		               packet.timestamp_rtp, packet.payload, sizeof packet.payload, now_us);
	return dtmf_send_active(&leg->dtmf_tx);
}

static void
send_sound(struct media *media, struct media_leg *leg, const uint8_t *payload, size_t len,
           uint32_t samples_ago_rtp, int64_t now_us)
{
	leg->silent_frames = 0;
	transport_send(media, leg, leg->audio.tx_payload_type, leg->spurt,
	               leg->frame_rtp - samples_ago_rtp, payload, len, now_us);
	leg->spurt = false;
}

/* Silence.  Opus decoders know that nothing comes; telephones get every frame. */
static void
send_silence(struct media *media, struct media_leg *leg, int64_t now_us)
{
	size_t len = 0;
	const enum audio_codec codec = sound_codec(leg->audio.tx_codec);
	const uint8_t *payload = audio_silence_payload(codec, &len);
	leg->packed_frames = 0;
	if (leg->silent_frames < SILENCE_FRAMES) {
		leg->silent_frames++;
		leg->keepalive_frames = 0;
	} else if (codec == AUDIO_CODEC_OPUS) {
		leg->spurt = true;
		if (++leg->keepalive_frames < KEEPALIVE_FRAMES)
			return;
		leg->keepalive_frames = 0;
	}
	transport_send(media, leg, leg->audio.tx_payload_type, leg->spurt, leg->frame_rtp, payload,
	               len, now_us);
	leg->spurt = leg->silent_frames == SILENCE_FRAMES && codec == AUDIO_CODEC_OPUS;
}

static bool
wants_fec(struct media_leg *leg)
{
	return leg->audio.opus_fec && leg->audio.tx_codec == MEDIA_CODEC_OPUS &&
	       leg->peer_loss_pct >= AUDIO_FEC_LOSS_PCT;
}

/* Less than the shared encodes have: a peer behind a thin line. */
static bool
wants_less(const struct media_leg *leg)
{
	return leg->audio.tx_codec == MEDIA_CODEC_OPUS && leg->audio.opus_bps_max != 0 &&
	       leg->audio.opus_bps_max < OPUS_SHARED_BPS;
}

static struct audio_quality
quality_of(const struct media_leg *leg, uint8_t loss_pct)
{
	struct audio_quality quality = audio_quality_for(loss_pct);
	if (wants_less(leg))
		quality.bitrate_bps = leg->audio.opus_bps_max;
	return quality;
}

static struct audio_encoder *
own_encoder(struct media *media, struct media_leg *leg, int64_t now_us)
{
	const uint8_t loss_pct = wants_fec(leg) ? leg->peer_loss_pct : 0;
	const struct audio_quality quality = quality_of(leg, loss_pct);
	leg->encoder_used_us = now_us;
	if (leg->encoder == NULL) {
		leg->encoder = audio_encoder_take(media->codecs, sound_codec(leg->audio.tx_codec),
		                                  &quality);
		leg->encoder_loss_pct = loss_pct;
	} else if ((leg->encoder_loss_pct == 0) != (loss_pct == 0)) {
		audio_encoder_set(leg->encoder, &quality);
		leg->encoder_loss_pct = loss_pct;
	}
	return leg->encoder;
}

/* Encodes `pcm` for this leg alone, several frames at a time where it wants longer packets. */
static void
send_own(struct media *media, struct media_leg *leg, const int16_t pcm[AUDIO_FRAME_SAMPLES],
         int64_t now_us)
{
	struct audio_encoder *encoder = own_encoder(media, leg, now_us);
	size_t samples = AUDIO_FRAME_SAMPLES;
	unsigned frames_ago = 0;
	if (encoder == NULL) {
		send_silence(media, leg, now_us);
		return;
	}
	if (leg->packing != NULL) {
		const unsigned wanted = leg->audio.frame_ms / AUDIO_FRAME_MS;
		memcpy(leg->packing + leg->packed_frames * AUDIO_FRAME_SAMPLES, pcm,
		       AUDIO_FRAME_SAMPLES * sizeof *pcm);
		if (++leg->packed_frames < wanted)
			return;
		leg->packed_frames = 0;
		frames_ago = wanted - 1;
		samples = wanted * AUDIO_FRAME_SAMPLES;
		pcm = leg->packing;
	}
	media->own.len = audio_encode(encoder, pcm, samples, media->own.bytes);
	media->counters.frames_encoded++;
	if (media->own.len != 0)
		send_sound(media, leg, media->own.bytes, media->own.len,
		           frames_ago * frame_rtp(leg), now_us);
}

/* ---- The shared encodes -------------------------------------------------------------------- */

static enum shared_class
class_of(struct media_leg *leg)
{
	switch ((enum media_codec)leg->audio.tx_codec) {
	case MEDIA_CODEC_OPUS:
		return wants_fec(leg) ? SHARED_OPUS_FEC : SHARED_OPUS;
	case MEDIA_CODEC_G722:
		return SHARED_G722;
	case MEDIA_CODEC_PCMU:
		return SHARED_PCMU;
	case MEDIA_CODEC_PCMA:
		return SHARED_PCMA;
	case MEDIA_CODEC_NONE:
	case MEDIA_CODEC_TELEPHONE_EVENT:
	case MEDIA_CODEC_COMFORT_NOISE:
	case MEDIA_CODEC_COUNT:
		break;
	}
	return SHARED_CLASSES;
}

static const struct encoded *
shared_encode(struct media *media, struct media_room *room, struct media_leg *leg,
              const int16_t pcm[AUDIO_FRAME_SAMPLES], int64_t now_us)
{
	const enum shared_class class = class_of(leg);
	if (class == SHARED_CLASSES)
		return NULL;
	struct encoded *encoded = &media->shared[class];
	if (encoded->ready)
		return encoded;
	if (room->encoders[class] == NULL) {
		/* One setting for all who lose something: FEC for a tenth lost serves them all. */
		const struct audio_quality quality =
			audio_quality_for(class == SHARED_OPUS_FEC ? 10 : 0);
		room->encoders[class] = audio_encoder_take(
			media->codecs, sound_codec(leg->audio.tx_codec), &quality);
		if (room->encoders[class] == NULL)
			return NULL;
	}
	encoded->len = audio_encode(room->encoders[class], pcm, AUDIO_FRAME_SAMPLES,
	                            encoded->bytes);
	encoded->ready = true;
	room->encoded_us[class] = now_us;
	media->counters.frames_encoded++;
	return encoded;
}

void
room_rest(struct media *media, struct media_room *room)
{
	for (unsigned class = 0; class < SHARED_CLASSES; class++) {
		if (room->encoders[class] != NULL)
			audio_encoder_put(media->codecs, room->encoders[class]);
		room->encoders[class] = NULL;
	}
}

static void
rest_unused(struct media *media, struct media_room *room, int64_t now_us)
{
	for (unsigned class = 0; class < SHARED_CLASSES; class++) {
		if (room->encoders[class] == NULL || now_us - room->encoded_us[class] < REST_US)
			continue;
		audio_encoder_put(media->codecs, room->encoders[class]);
		room->encoders[class] = NULL;
	}
}

/* ---- Hearing ------------------------------------------------------------------------------- */

static void
pull(struct media *media, struct media_leg *leg, int16_t *pcm, int64_t now_us)
{
	const enum audio_source source = audio_receiver_pull(&leg->rx, pcm, now_us);
	leg->pcm = pcm;
	if (source != AUDIO_SOURCE_NONE)
		media->counters.frames_decoded++;
	if (source == AUDIO_SOURCE_LOST)
		media->counters.frames_concealed++;
	if (leg->detect == NULL)
		return;
	dtmf_detect_input(leg->detect, pcm);
	for (char digit; (digit = dtmf_detect_poll(leg->detect)) != 0;)
		media_event(media, leg, MEDIA_EVENT_LEG_DTMF, 0, (uint8_t)digit);
}

/* What must be decoded whether it is loud or not: its level is known no other way, or digits may be
 * hidden in it. */
static bool
must_pull(const struct media_leg *leg)
{
	return leg->detect != NULL || (!leg->flags.rx_muted && !audio_receiver_may_skip(&leg->rx));
}

/* Levels of all legs of a room; returns how many there are. */
static size_t
listen(struct media *media, struct media_room *room, int64_t now_us)
{
	size_t count = 0;
	for (struct leg_place *at = room->legs.next; at != &room->legs; at = at->next) {
		struct media_leg *leg = leg_of_place(at);
		leg->pcm = NULL;
		media->speakers[count] = &leg->speaker;
		if (leg->connected && leg->audio.receive) {
			sync_sound(leg, media->tick_us);
			if (must_pull(leg))
				pull(media, leg, media->frames[count], now_us);
			if (!leg->flags.rx_muted)
				speaker_input(&leg->speaker,
				              audio_receiver_level(&leg->rx, now_us));
		}
		count++;
	}
	return count;
}

/* Sums the chosen, lets the time of the others pass, tells who talks.  Returns how many frames were
 * summed. */
static unsigned
gather(struct media *media, struct media_room *room, int64_t now_us)
{
	unsigned summed = 0;
	size_t index = 0;
	for (struct leg_place *at = room->legs.next; at != &room->legs; at = at->next, index++) {
		struct media_leg *leg = leg_of_place(at);
		struct speaker *speaker = &leg->speaker;
		if (speaker->talking_changed)
			media_event(media, leg, MEDIA_EVENT_LEG_TALKING, 0, speaker->talking);
		if (!speaker->selected) {
			if (leg->pcm == NULL && leg->connected && leg->audio.receive)
				audio_receiver_skip(&leg->rx, now_us);
			leg->pcm = NULL;
			continue;
		}
		if (leg->pcm == NULL)
			pull(media, leg, media->frames[index], now_us);
		if (leg->flags.gain_control)
			agc_run(&leg->agc, leg->pcm, speaker->level, speaker->activity.speaking);
		mix_add(&media->mix, leg->pcm);
		summed++;
	}
	return summed;
}

/* ---- A frame of a room --------------------------------------------------------------------- */

struct room_frame {
	unsigned sources; /* summed frames, the room's tone included */
	bool shared_ready;
	int16_t shared[AUDIO_FRAME_SAMPLES];
};

static bool
speaks_alone(const struct room_frame *frame, const struct media_leg *leg)
{
	return frame->sources == 1 && leg->pcm != NULL;
}

static void
emit_leg(struct media *media, struct media_room *room, struct media_leg *leg,
         struct room_frame *frame, int64_t now_us)
{
	const bool silent = frame->sources == 0 || leg->flags.tx_muted || speaks_alone(frame, leg);
	next_inband_digit(leg);
	if (leg->pcm == NULL && !playing(leg) && leg->packing == NULL && !wants_less(leg) && !silent) {
		const struct encoded *encoded =
			frame->shared_ready ? shared_encode(media, room, leg, frame->shared, now_us)
			                    : NULL;
		if (encoded != NULL && encoded->len != 0)
			send_sound(media, leg, encoded->bytes, encoded->len, 0, now_us);
		else
			send_silence(media, leg, now_us);
		return;
	}
	if (silent && !playing(leg)) {
		send_silence(media, leg, now_us);
		return;
	}
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	if (silent)
		memset(pcm, 0, sizeof pcm);
	else
		mix_limited(pcm, &media->mix, leg->pcm, &leg->limiter);
	overlay(media, leg, pcm);
	send_own(media, leg, pcm, now_us);
}

/* Is there anybody to send to?  Time goes on for the others too. */
static bool
may_send(struct media *media, struct media_leg *leg, int64_t now_us)
{
	leg->frame_rtp = transport_rtp_at(leg, sound_clock_hz(leg->audio.tx_codec), media->tick_us);
	if (leg->encoder != NULL && now_us - leg->encoder_used_us >= REST_US)
		rest_encoder(media, leg);
	if (!leg->connected || leg->lost || !leg->audio.send ||
	    leg->audio.tx_codec == MEDIA_CODEC_NONE) {
		if (prompt_player_playing(&leg->prompt) && leg->lost)
			prompt_player_stop(&leg->prompt);
		return false;
	}
	return !sent_dtmf(media, leg, now_us);
}

void
room_tick(struct media *media, struct media_room *room, int64_t now_us)
{
	struct room_frame frame;
	int16_t tone[AUDIO_FRAME_SAMPLES];

	const size_t count = listen(media, room, now_us);
	speaker_select_run(&room->select, media->speakers, count);
	mix_clear(&media->mix);
	frame.sources = gather(media, room, now_us);
	if (tone_render(&room->tone, tone)) {
		mix_add(&media->mix, tone);
		frame.sources++;
	}
	for (unsigned class = 0; class < SHARED_CLASSES; class++)
		media->shared[class].ready = false;
	frame.shared_ready = frame.sources != 0;
	if (frame.shared_ready)
		mix_limited(frame.shared, &media->mix, NULL, &room->limiter);

	for (struct leg_place *at = room->legs.next; at != &room->legs; at = at->next) {
		struct media_leg *leg = leg_of_place(at);
		if (may_send(media, leg, now_us))
			emit_leg(media, room, leg, &frame, now_us);
	}
	rest_unused(media, room, now_us);
}

/* A leg in no room hears prompts and is heard by nobody, but its keys count. */
void
alone_tick(struct media *media, struct media_leg *leg, int64_t now_us)
{
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	if (leg->connected && leg->audio.receive) {
		if (leg->detect != NULL)
			pull(media, leg, pcm, now_us);
		else
			audio_receiver_skip(&leg->rx, now_us);
	}
	leg->pcm = NULL;
	if (!may_send(media, leg, now_us))
		return;
	next_inband_digit(leg);
	if (!playing(leg)) {
		send_silence(media, leg, now_us);
		return;
	}
	memset(pcm, 0, sizeof pcm);
	overlay(media, leg, pcm);
	send_own(media, leg, pcm, now_us);
}

void
sound_close(struct media *media, struct media_leg *leg)
{
	prompt_player_stop(&leg->prompt);
	brand_put(leg->brand);
	leg->brand = NULL;
	rest_encoder(media, leg);
	dtmf_detect_destroy(leg->detect);
	leg->detect = NULL;
}
