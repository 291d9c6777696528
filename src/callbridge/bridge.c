/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and rooms of the bridge, and what the model and the workers say. */
#include "callbridge/bridge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "callbridge/bridge_video.h"
#include "srtp/srtp.h"

enum {
	LOG_TEXT_MAX = 512,
	STATS_PARTS = 5, /* a fifth of the legs is asked each second */
	STATS_PART_US = BRIDGE_STATS_US / STATS_PARTS,
};

/* ---- Small things -------------------------------------------------------------------------- */

void
bridge_log(struct bridge *bridge, const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	bridge->settings.sink.log(bridge->settings.sink.context, BRIDGE_LOG_INFO, str_of(text));
}

struct bridge_leg *
bridge_leg_get(const struct bridge *bridge, uint32_t handle)
{
	return slab_get(&bridge->legs, handle);
}

struct bridge_leg *
bridge_leg_of_meeting(const struct bridge *bridge, uint32_t meeting_leg)
{
	const struct meeting_leg *leg = meeting_leg_of(bridge, meeting_leg);
	return leg != NULL ? bridge_leg_get(bridge, (uint32_t)leg->owner) : NULL;
}

unsigned
bridge_leg_number(const struct bridge *bridge, const struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	return model != NULL ? model->number : 0;
}

void
bridge_order_medium(struct bridge *bridge, const struct bridge_leg *leg, enum bridge_medium medium,
                    struct media_order *order)
{
	if (!leg->media[medium].taken)
		return;
	order->leg = leg->media[medium].id;
	bridge->settings.sink.order(bridge->settings.sink.context, leg->worker, order);
}

void
bridge_order(struct bridge *bridge, const struct bridge_leg *leg, struct media_order *order)
{
	bridge_order_medium(bridge, leg, BRIDGE_MEDIUM_AUDIO, order);
}

/* Whose recordings are played: the IVR's, or those of the meeting the leg is in or wants to be in. */
static struct brand *
brand_of(const struct bridge *bridge, const struct bridge_leg *leg, enum media_sound sound)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct bridge_sink *sink = &bridge->settings.sink;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	const bool by_ivr = sound >= MEDIA_SOUND_IVR_WELCOME && sound <= MEDIA_SOUND_ID_TIMEOUT;
	if (sink->brand == NULL || sound <= MEDIA_SOUND_LEAVE_TONE ||
	    !leg->media[BRIDGE_MEDIUM_AUDIO].taken)
		return NULL;
	const uint32_t space = leg->ivr != NULL || model == NULL
	                               ? leg->entry.space
	                               : meeting_call(meeting, model->call)->space;
	const uint32_t profile = by_ivr ? meeting_ivr_branding(meeting, leg->entry.ivr)
	                                : meeting_call_branding(meeting, space);
	return profile == 0 ? NULL
	                    : sink->brand(sink->context,
	                                  by_ivr ? OBJECT_IVR_BRANDING : OBJECT_CALL_BRANDING,
	                                  profile);
}

void
bridge_play(struct bridge *bridge, const struct bridge_leg *leg, enum media_sound sound)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_PLAY,
		                     .play = { .sound = (uint8_t)sound,
		                               .language = bridge->settings.prompts_language } };
	/* The reference goes with the order, which is not sent where there is nobody to hear it. */
	order.play.brand = brand_of(bridge, leg, sound);
	bridge_order(bridge, leg, &order);
}

/* ---- Rooms --------------------------------------------------------------------------------- */

struct bridge_room *
bridge_room_of(const struct bridge *bridge, uint32_t call)
{
	struct bridge_room *room = &bridge->rooms[slab_index(call) % bridge->room_count];
	return call != 0 && room->call == call ? room : NULL;
}

/* The worker with the fewest legs. */
static unsigned
idlest_worker(const struct bridge *bridge)
{
	unsigned idlest = 0;
	for (unsigned i = 1; i < bridge->settings.workers; i++)
		if (bridge->workers[i].legs.count < bridge->workers[idlest].legs.count)
			idlest = i;
	return idlest;
}

static struct bridge_room *
room_open(struct bridge *bridge, uint32_t call, unsigned worker)
{
	struct bridge_room *room = &bridge->rooms[slab_index(call) % bridge->room_count];
	CHECK(room->call == 0);
	uint32_t id = 0;
	uint32_t *slot = slab_take(&bridge->workers[worker].rooms, &id);
	if (slot == NULL)
		return NULL;
	*slot = call;
	*room = (struct bridge_room){ .call = call, .worker = worker, .room = id };
	const struct media_order order = { .kind = MEDIA_ORDER_ROOM_OPEN, .room = id };
	bridge->settings.sink.order(bridge->settings.sink.context, worker, &order);
	return room;
}

bool
bridge_room_settle(struct bridge *bridge, uint32_t call, unsigned worker)
{
	const struct bridge_room *room = bridge_room_of(bridge, call);
	if (room == NULL)
		room = room_open(bridge, call, worker);
	CHECK(room == NULL || room->worker == worker);
	return room != NULL;
}

/* Every leg of the call has closed its media by now, so the worker's room is empty. */
static void
room_close(struct bridge *bridge, uint32_t call)
{
	struct bridge_room *room = bridge_room_of(bridge, call);
	if (room == NULL)
		return;
	const struct media_order order = { .kind = MEDIA_ORDER_ROOM_CLOSE, .room = room->room };
	bridge->settings.sink.order(bridge->settings.sink.context, room->worker, &order);
	video_room_closed(bridge, room);
	*room = (struct bridge_room){ 0 };
}

static void
leave_room(struct bridge *bridge, struct bridge_leg *leg)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_LEAVE };
	if (leg->in_room)
		bridge_order(bridge, leg, &order);
	leg->in_room = false;
}

/* ---- Legs ---------------------------------------------------------------------------------- */

struct bridge_leg *
bridge_leg_new(struct bridge *bridge, enum leg_kind kind, int64_t now_us)
{
	uint32_t handle = 0;
	if (bridge->shutting_down)
		return NULL;
	struct bridge_leg *leg = slab_take(&bridge->legs, &handle);
	if (leg == NULL)
		return NULL;
	leg->handle = handle;
	leg->kind = kind;
	if (!timer_running(&bridge->stats_timer))
		timer_start(&bridge->timers, &bridge->stats_timer, now_us + STATS_PART_US);
	return leg;
}

/* Callers who are still asked for a passcode sit on a worker already; their meeting must come to
 * be on the same one. */
static const struct bridge_leg *
asked_for_space(const struct bridge *bridge, uint32_t space)
{
	for (uint32_t at = 0, handle;
	     bridge->asked != 0 && space != 0 && (handle = slab_next(&bridge->legs, &at)) != 0;) {
		const struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg->ivr != NULL && leg->has_media && leg->entry.space == space)
			return leg;
	}
	return NULL;
}

/* Some telephones that are told of new ports begin neither a new DTLS association, as RFC 8842 s3.2
 * wants it, nor ICE anew (RFC 8839 s4.4.1.1.1): baresip 1.0 is one.  Where most meetings are, an IVR's
 * caller moves least. */
static unsigned
worker_at_door(const struct bridge *bridge, const struct bridge_leg *leg)
{
	const struct sdp_line *sound = sdp_session_line(leg->sdp, BRIDGE_MEDIUM_AUDIO);
	unsigned most = 0;
	if (sound == NULL || (sound->security != SDP_SECURITY_DTLS && !sound->ice))
		return idlest_worker(bridge);
	for (unsigned i = 1; i < bridge->settings.workers; i++)
		if (bridge->workers[i].rooms.count > bridge->workers[most].rooms.count)
			most = i;
	return bridge->workers[most].rooms.count != 0 ? most : idlest_worker(bridge);
}

/* All legs of a call share a worker, which is settled with the first of them. */
static int
choose_worker(struct bridge *bridge, const struct bridge_leg *leg, uint32_t call)
{
	struct meeting *meeting = bridge->settings.meeting;
	const uint32_t space = call != 0 ? meeting_call(meeting, call)->space : leg->entry.space;
	if (call == 0)
		call = meeting_call_of_space(meeting, space);
	const struct bridge_room *room = bridge_room_of(bridge, call);
	if (room != NULL)
		return (int)room->worker;
	const struct bridge_leg *asked = asked_for_space(bridge, space);
	const unsigned worker = asked != NULL                        ? asked->worker
	                        : leg->ivr != NULL && space == 0 ? worker_at_door(bridge, leg)
	                                                             : idlest_worker(bridge);
	if (call != 0 && !bridge_room_settle(bridge, call, worker))
		return -ENOSPC;
	return (int)worker;
}

uint64_t
bridge_random(struct bridge *bridge)
{
	const uint64_t number = prng_u64(&bridge->prng);
	return hash_bytes(&bridge->hash_key, &number, sizeof number);
}

static bool
medium_open(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium, bool ice)
{
	struct bridge_media *media = &leg->media[medium];
	struct bridge_slot *slot = slab_take(&bridge->workers[leg->worker].legs, &media->id);
	if (slot == NULL)
		return false;
	*slot = (struct bridge_slot){ .leg = leg->handle, .medium = medium };
	media->taken = true;
	media->opened = false;
	leg->opened = false;
	struct media_order order = { .kind = MEDIA_ORDER_LEG_OPEN };
	order.open = (struct media_open){
		.transport = leg->kind == LEG_WEB ? MEDIA_TRANSPORT_SHARED : MEDIA_TRANSPORT_PORTS,
		.ice = ice,
		.dtls = true,
		.local = leg->local,
	};
	if (medium != BRIDGE_MEDIUM_AUDIO && leg->media[BRIDGE_MEDIUM_AUDIO].taken)
		order.open.sound = leg->media[BRIDGE_MEDIUM_AUDIO].id;
	str_copy(order.open.cname, sizeof order.open.cname, str_of(leg->cname));
	bridge_order_medium(bridge, leg, medium, &order);
	return true;
}
static_assert(CNAME_TEXT_MAX <= (int)MEDIA_CNAME_MAX, "a leg's name fits into orders");

void
bridge_media_add(struct bridge *bridge, struct bridge_leg *leg)
{
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++) {
		bool ice = false;
		if (!leg->media[m].taken && description_wants(leg, (enum bridge_medium)m, &ice) &&
		    !medium_open(bridge, leg, (enum bridge_medium)m, ice))
			bridge_log(bridge, "call %u: no room for its pictures",
			           bridge_leg_number(bridge, leg));
	}
}

bool
bridge_media_open(struct bridge *bridge, struct bridge_leg *leg, uint32_t call)
{
	bool ice = true;
	const int worker = choose_worker(bridge, leg, call);
	if (worker < 0)
		return false;
	leg->worker = (unsigned)worker;
	(void)description_wants(leg, BRIDGE_MEDIUM_AUDIO, &ice);
	if (!medium_open(bridge, leg, BRIDGE_MEDIUM_AUDIO, ice))
		return false;
	leg->has_media = true;
	bridge_media_add(bridge, leg);
	return true;
}

void
bridge_medium_close(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_CLOSE };
	struct bridge_media *media = &leg->media[medium];
	if (!media->taken)
		return;
	bridge_order_medium(bridge, leg, medium, &order);
	/* The slot stays taken until the worker has let go of it. */
	struct bridge_slot *slot = slab_get(&bridge->workers[leg->worker].legs, media->id);
	CHECK(slot != NULL);
	slot->leg = 0;
	explicit_bzero(media, sizeof *media);
}

void
bridge_media_close(struct bridge *bridge, struct bridge_leg *leg)
{
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++)
		bridge_medium_close(bridge, leg, (enum bridge_medium)m);
	leg->has_media = false;
	leg->opened = false;
	leg->in_room = false;
	leg->lines = 0;
}

void
bridge_leg_over(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, bool remote,
                int64_t now_us)
{
	const uint32_t meeting_leg = leg->meeting_leg;
	const uint32_t handle = leg->handle;
	if (leg->kind == LEG_WEB)
		web_leg_over(bridge, leg);
	const struct meeting_leg *model = meeting_leg_of(bridge, meeting_leg);
	if (model != NULL)
		roster_gone(bridge, leg, model->call, now_us);
	ivr_close(bridge, leg);
	bridge_media_close(bridge, leg);
	description_end(leg);
	free(leg->dialing);
	free(leg->forward);
	video_leg_over(bridge, leg);
	timer_stop(&bridge->timers, &leg->timer);
	/* The transport's password is in it. */
	explicit_bzero(leg, sizeof *leg);
	slab_free(&bridge->legs, handle);
	meeting_leg_ended(bridge->settings.meeting, meeting_leg, reason, remote, now_us);
}

void
bridge_leg_settings(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	struct media_order order = { .kind = MEDIA_ORDER_LEG_SET };
	order.flags.dtmf_inband = leg->dtmf_inband;
	if (model != NULL) {
		order.flags.rx_muted = !model->heard;
		order.flags.tx_muted = !model->hears;
		order.flags.gain_control =
			meeting_leg_setting(bridge->settings.meeting, leg->meeting_leg,
		                            LEG_PROFILE_GAIN_MODE) == GAIN_AGC;
		order.flags.rx_video_muted = !model->seen;
		order.flags.tx_video_muted = !model->sees;
	}
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++)
		bridge_order_medium(bridge, leg, (enum bridge_medium)m, &order);
}

void
bridge_enter(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL || !leg->has_media)
		return;
	if (model->lobby || leg->stage != STAGE_ACTIVE) {
		leave_room(bridge, leg);
		return;
	}
	const struct bridge_room *room = bridge_room_of(bridge, model->call);
	if (room == NULL || leg->in_room)
		return;
	CHECK(room->worker == leg->worker);
	struct media_order order = { .kind = MEDIA_ORDER_LEG_JOIN, .room = room->room };
	bridge_order(bridge, leg, &order);
	leg->in_room = true;
	roster_changed(bridge, model->call, now_us);
}

void
bridge_connected(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	leg->stage = STAGE_ACTIVE;
	meeting_leg_connected(bridge->settings.meeting, leg->meeting_leg, now_us);
	/* A call may begin on hold; before it is connected the model does not listen to that. */
	if (leg->held)
		meeting_leg_held(bridge->settings.meeting, leg->meeting_leg, true, now_us);
	bridge_enter(bridge, leg, now_us);
}

static void
drop_leg(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us)
{
	if (leg->kind == LEG_WEB)
		web_drop(bridge, leg, reason, now_us);
	else
		sip_drop(bridge, leg, reason, now_us);
}

/* ---- What the model says ------------------------------------------------------------------- */

static enum media_sound
sound_of(enum meeting_prompt prompt)
{
	switch (prompt) {
	case MEETING_PROMPT_ONLY_PARTICIPANT:
		return MEDIA_SOUND_ONLY_PARTICIPANT;
	case MEETING_PROMPT_WAITING_FOR_HOST:
		return MEDIA_SOUND_WAITING_FOR_HOST;
	case MEETING_PROMPT_CALL_LOCKED:
		return MEDIA_SOUND_MEETING_LOCKED;
	case MEETING_PROMPT_JOIN_TONE:
		return MEDIA_SOUND_JOIN_TONE;
	case MEETING_PROMPT_LEAVE_TONE:
		return MEDIA_SOUND_LEAVE_TONE;
	}
	return MEDIA_SOUND_NONE;
}

void
bridge_send_dtmf(struct bridge *bridge, const struct bridge_leg *leg, struct str rest)
{
	while (rest.len != 0) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_DTMF };
		const size_t count = rest.len < MEDIA_DTMF_DIGITS_MAX ? rest.len
		                                                      : MEDIA_DTMF_DIGITS_MAX;
		order.dtmf.count = (uint8_t)count;
		memcpy(order.dtmf.digits, rest.at, count);
		bridge_order(bridge, leg, &order);
		rest = str_sub(rest, count, rest.len - count);
	}
}

/* A telephone has no page that shows it: it is told when it is muted and when no longer. */
static void
say_muted(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL || leg->stage != STAGE_ACTIVE || model->lobby ||
	    leg->said_muted == !model->heard)
		return;
	leg->said_muted = !model->heard;
	bridge_play(bridge, leg, leg->said_muted ? MEDIA_SOUND_MUTED : MEDIA_SOUND_UNMUTED);
}

static void
model_leg_event(struct bridge *bridge, const struct meeting_event *event, int64_t now_us)
{
	if (event->kind == MEETING_DIAL) {
		sip_dial(bridge, event->leg, now_us);
		return;
	}
	struct bridge_leg *leg = bridge_leg_of_meeting(bridge, event->leg);
	if (leg == NULL) {
		/* Dropped before it was dialled: nobody else will say that it is over. */
		if (event->kind == MEETING_DROP)
			meeting_leg_ended(bridge->settings.meeting, event->leg, event->reason,
			                  false, now_us);
		return;
	}
	if (event->kind == MEETING_DROP) {
		drop_leg(bridge, leg, event->reason, now_us);
	} else if (event->kind == MEETING_LEG_SETTINGS) {
		bridge_leg_settings(bridge, leg);
		bridge_enter(bridge, leg, now_us);
		if (leg->kind == LEG_WEB)
			web_settings(bridge, leg);
		else
			say_muted(bridge, leg);
	} else if (event->kind == MEETING_SEND_DTMF) {
		bridge_send_dtmf(bridge, leg,
		                 str_of(meeting_leg_of(bridge, event->leg)->dtmf));
	} else if (event->kind == MEETING_CAMERA) {
		camera_move(bridge, leg, &event->camera, now_us);
	} else if (event->kind == MEETING_KEYFRAME) {
		video_key(bridge, leg);
	} else {
		bridge_play(bridge, leg, sound_of(event->prompt));
	}
}

static void
model_event(struct bridge *bridge, const struct meeting_event *event, int64_t now_us)
{
	switch (event->kind) {
	case MEETING_CALL_ENDED:
		room_close(bridge, event->call);
		break;
	case MEETING_ROSTER:
		roster_changed(bridge, event->call, now_us);
		break;
	case MEETING_LOG:
		bridge->settings.sink.log(bridge->settings.sink.context, BRIDGE_LOG_INFO,
		                          event->text);
		break;
	case MEETING_DIAL:
	case MEETING_DROP:
	case MEETING_LEG_SETTINGS:
	case MEETING_PROMPT:
	case MEETING_TONE:
	case MEETING_SEND_DTMF:
	case MEETING_CAMERA:
	case MEETING_KEYFRAME:
		model_leg_event(bridge, event, now_us);
		break;
	case MEETING_VIDEO:
		video_changed(bridge, event->call, now_us);
		break;
	case MEETING_MESSAGE:
		web_notice(bridge, event->call);
		break;
	case MEETING_PRESENTER:
		floor_presenter(bridge, event, now_us);
		web_presenter(bridge, event);
		break;
	case MEETING_CHAT:
		web_chat(bridge, event);
		break;
	case MEETING_CALL_STARTED:
	case MEETING_NONE:
		break;
	}
}

/* ---- What the workers say ------------------------------------------------------------------ */

static const struct {
	const char *text;
	enum leg_end end;
} losses[] = {
	[MEDIA_LOST_CONSENT] = { "no ICE consent from the far end", LEG_END_TIMEOUT },
	[MEDIA_LOST_SILENCE] = { "neither RTP nor RTCP from the far end", LEG_END_TIMEOUT },
	[MEDIA_LOST_DTLS] = { "DTLS negotiation failed", LEG_END_ERROR },
	[MEDIA_LOST_FINGERPRINT] = { "DTLS certificate does not match the SDP", LEG_END_ERROR },
	[MEDIA_LOST_CLOSED] = { "media closed by the far end", LEG_END_REMOTE_TEARDOWN },
};

static const char *const codec_words[MEDIA_CODEC_COUNT] = {
	[MEDIA_CODEC_NONE] = "",
	[MEDIA_CODEC_OPUS] = "opus",
	[MEDIA_CODEC_G722] = "g722",
	[MEDIA_CODEC_PCMU] = "g711u",
	[MEDIA_CODEC_PCMA] = "g711a",
	[MEDIA_CODEC_TELEPHONE_EVENT] = "",
	[MEDIA_CODEC_COMFORT_NOISE] = "",
};

static struct leg_stream
stream_of(const struct media_direction_stats *stats)
{
	struct leg_stream stream = {
		.bit_rate_bps = stats->bit_rate_bps,
		.loss_tenths = (uint32_t)stats->loss_q16 * 1000 / UINT16_MAX,
		.jitter_ms = stats->jitter_us / 1000,
	};
	if (stats->codec < MEDIA_CODEC_COUNT && stats->packets != 0)
		str_copy(stream.codec, sizeof stream.codec, str_of(codec_words[stats->codec]));
	return stream;
}

static void
take_stats(struct bridge *bridge, const struct bridge_leg *leg, const struct media_stats *stats)
{
	struct leg_media media = { .rx_audio = stream_of(&stats->rx),
		                   .tx_audio = stream_of(&stats->tx) };
	video_figures(leg, &media);
	media.tx_audio.rtt_ms = stats->rtt_us / 1000;
	media.rx_audio.gain_tenths_db = stats->gain_cb;
	media.encrypted = stats->srtp_suite != SRTP_SUITE_NONE;
	if (media.encrypted)
		str_copy(media.cipher, sizeof media.cipher,
		         str_of(srtp_suite_info((enum srtp_suite)stats->srtp_suite)->name));
	meeting_leg_media(bridge->settings.meeting, leg->meeting_leg, &media);
}

void
bridge_digit(struct bridge *bridge, struct bridge_leg *leg, char digit, int64_t now_us)
{
	if (leg->stage == STAGE_ASKING)
		ivr_digit(bridge, leg, digit, now_us);
	else if (leg->stage == STAGE_MOVING)
		return; /* typed too much at the door */
	else if (!forward_digit(bridge, leg, digit))
		meeting_leg_digit(bridge->settings.meeting, leg->meeting_leg, digit, now_us);
}

static void
media_lost(struct bridge *bridge, struct bridge_leg *leg, uint8_t reason, int64_t now_us)
{
	CHECK(reason < COUNT_OF(losses));
	bridge_log(bridge, "call %u: %s", bridge_leg_number(bridge, leg), losses[reason].text);
	if (leg->kind == LEG_WEB && reason != MEDIA_LOST_FINGERPRINT)
		web_media_lost(bridge, leg, now_us);
	else
		drop_leg(bridge, leg, losses[reason].end, now_us);
}

/* A room loses its pictures and goes on; a browser has one transport for everything, and a call is
 * its sound. */
static void
medium_lost(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium,
            uint8_t reason, int64_t now_us)
{
	static const char *const words[BRIDGE_MEDIA] = {
		[BRIDGE_MEDIUM_AUDIO] = "sound",
		[BRIDGE_MEDIUM_MAIN] = "main picture",
		[BRIDGE_MEDIUM_CONTENT] = "content",
		[BRIDGE_MEDIUM_CAMERA] = "camera control",
	};
	CHECK(reason < COUNT_OF(losses));
	if (medium == BRIDGE_MEDIUM_AUDIO) {
		media_lost(bridge, leg, reason, now_us);
		return;
	}
	bridge_log(bridge, "call %u: %s: %s", bridge_leg_number(bridge, leg), words[medium],
	           losses[reason].text);
	bridge_medium_close(bridge, leg, medium);
	video_lines_apply(bridge, leg, now_us);
}

static void
media_connected(struct bridge *bridge, struct bridge_leg *leg)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_STATS };
	if (leg->kind == LEG_WEB)
		bridge_log(bridge, "call %u: completed DTLS combined media negotiation",
		           bridge_leg_number(bridge, leg));
	bridge_order(bridge, leg, &order);
}

/* Everything that was asked for is there, or is not to be had. */
static void
media_complete(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++)
		if (leg->media[m].taken && !leg->media[m].opened)
			return;
	leg->opened = true;
	if (leg->kind == LEG_WEB)
		web_media_opened(bridge, leg, now_us);
	else
		sip_media_opened(bridge, leg, now_us);
}

static void
leg_media_event(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium,
                const struct media_event *event, int64_t now_us)
{
	const bool sound = medium == BRIDGE_MEDIUM_AUDIO;
	switch ((enum media_event_kind)event->kind) {
	case MEDIA_EVENT_LEG_OPENED:
		leg->media[medium].facts = event->opened;
		leg->media[medium].opened = true;
		media_complete(bridge, leg, now_us);
		break;
	case MEDIA_EVENT_LEG_CONNECTED:
		if (sound)
			media_connected(bridge, leg);
		break;
	case MEDIA_EVENT_LEG_LOST:
		medium_lost(bridge, leg, medium, event->reason, now_us);
		break;
	case MEDIA_EVENT_LEG_DTMF:
		bridge_digit(bridge, leg, (char)event->value, now_us);
		break;
	case MEDIA_EVENT_LEG_TALKING:
		meeting_leg_talking(bridge->settings.meeting, leg->meeting_leg, event->value != 0);
		break;
	case MEDIA_EVENT_LEG_STATS:
		if (sound)
			take_stats(bridge, leg, &event->stats);
		break;
	case MEDIA_EVENT_LEG_PICTURE:
	case MEDIA_EVENT_LEG_VIDEO_STATS:
	case MEDIA_EVENT_LEG_QUALITY:
	case MEDIA_EVENT_LEG_KEY_WANTED:
	case MEDIA_EVENT_LEG_DATA:
		video_media_event(bridge, leg, event, now_us);
		break;
	case MEDIA_EVENT_LEG_PLAYED:
		ivr_sound_over(bridge, leg, event->value, now_us);
		break;
	case MEDIA_EVENT_LEG_REFUSED:
	case MEDIA_EVENT_LEG_CLOSED:
	case MEDIA_EVENT_ROOM_CLOSED:
	case MEDIA_EVENT_COUNT:
		break;
	}
}

/* The worker could not make the transport: the media leg is already gone there.  Without sound there
 * is no call; without pictures there is. */
static void
media_refused(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium,
              uint8_t reason, int64_t now_us)
{
	leg->media[medium] = (struct bridge_media){ 0 };
	if (medium != BRIDGE_MEDIUM_AUDIO) {
		bridge_log(bridge, "call %u: no media ports for its pictures",
		           bridge_leg_number(bridge, leg));
		media_complete(bridge, leg, now_us);
		return;
	}
	bridge_media_close(bridge, leg);
	bridge->settings.sink.log(bridge->settings.sink.context, BRIDGE_LOG_WARNING,
	                          reason == MEDIA_REFUSED_PORTS
	                                  ? STR("a call was refused: all media ports are in use")
	                                  : STR("a call was refused: no room for its media"));
	if (leg->kind == LEG_WEB)
		web_drop(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
	else
		sip_media_refused(bridge, leg, now_us);
}

void
bridge_media(struct bridge *bridge, unsigned worker, const struct media_event *event,
             int64_t now_us)
{
	CHECK(worker < bridge->settings.workers);
	struct bridge_worker *slots = &bridge->workers[worker];
	if (event->kind == MEDIA_EVENT_ROOM_CLOSED) {
		slab_free(&slots->rooms, event->room);
		return;
	}
	const struct bridge_slot *taken = slab_get(&slots->legs, event->leg);
	CHECK(taken != NULL);
	const struct bridge_slot slot = *taken;
	struct bridge_leg *leg = bridge_leg_get(bridge, slot.leg);
	const bool gone = event->kind == MEDIA_EVENT_LEG_REFUSED ||
	                  event->kind == MEDIA_EVENT_LEG_CLOSED;
	if (gone)
		slab_free(&slots->legs, event->leg);
	/* A leg that has closed its media in the meantime no longer cares. */
	if (leg == NULL || !leg->media[slot.medium].taken ||
	    leg->media[slot.medium].id != event->leg)
		return;
	check_context("bridge leg", leg->handle);
	if (event->kind == MEDIA_EVENT_LEG_REFUSED)
		media_refused(bridge, leg, slot.medium, event->reason, now_us);
	else
		leg_media_event(bridge, leg, slot.medium, event, now_us);
	bridge_drain(bridge, now_us);
}

/* ---- Draining ------------------------------------------------------------------------------ */

static bool
drain_model(struct bridge *bridge, int64_t now_us)
{
	bool any = false;
	for (struct meeting_event event;
	     (event = meeting_poll(bridge->settings.meeting)).kind != MEETING_NONE; any = true)
		model_event(bridge, &event, now_us);
	return any;
}

static bool
drain_sip(struct bridge *bridge, int64_t now_us)
{
	bool any = false;
	for (struct sip_out out; (out = sip_ua_poll(bridge->settings.ua)).kind != SIP_OUT_NONE;
	     any = true) {
		if (out.kind == SIP_OUT_EVENT)
			sip_event(bridge, out.event, now_us);
		else
			bridge->settings.sink.sip(bridge->settings.sink.context, &out);
	}
	return any;
}

void
bridge_drain(struct bridge *bridge, int64_t now_us)
{
	/* A handler that ends up here again leaves the rest to the loop below it. */
	if (bridge->draining)
		return;
	bridge->draining = true;
	while (drain_model(bridge, now_us) || drain_sip(bridge, now_us))
		;
	bridge->draining = false;
}

/* ---- Time ---------------------------------------------------------------------------------- */

/* Asks a part of the legs how they fare, so that the API has fresh figures without a burst. */
static void
ask_stats(struct bridge *bridge, int64_t now_us)
{
	const uint32_t part = bridge->stats_at++ % STATS_PARTS;
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_STATS };
		const struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		for (unsigned m = 0; m < BRIDGE_MEDIA && leg->described &&
		                     slab_index(handle) % STATS_PARTS == part; m++)
			bridge_order_medium(bridge, leg, (enum bridge_medium)m, &order);
	}
	/* An idle bridge sleeps: the next leg starts this again. */
	if (bridge->legs.count != 0)
		timer_start(&bridge->timers, &bridge->stats_timer, now_us + STATS_PART_US);
}

static void
leg_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->kind == LEG_WEB)
		web_timer(bridge, leg, now_us);
	else
		ivr_timer(bridge, leg, now_us);
}

void
bridge_tick(struct bridge *bridge, int64_t now_us)
{
	for (struct timer *timer; (timer = timer_take(&bridge->timers, now_us)) != NULL;) {
		if (timer == &bridge->roster_timer)
			rosters_send(bridge);
		else if (timer == &bridge->video_timer)
			video_refresh(bridge);
		else if (timer == &bridge->camera_timer)
			camera_tick(bridge, now_us);
		else if (timer == &bridge->stats_timer)
			ask_stats(bridge, now_us);
		else
			leg_timer(bridge, CONTAINER_OF(timer, struct bridge_leg, timer), now_us);
	}
	bridge_drain(bridge, now_us);
}

int64_t
bridge_deadline(const struct bridge *bridge)
{
	return timer_wheel_deadline(&bridge->timers);
}

bool
bridge_shutdown(struct bridge *bridge, int64_t now_us)
{
	bridge->shutting_down = true;
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg->stage != STAGE_ENDING)
			drop_leg(bridge, leg, LEG_END_LOCAL_TEARDOWN, now_us);
	}
	bridge_drain(bridge, now_us);
	const struct bridge_counts counts = bridge_count(bridge);
	return counts.legs == 0 && counts.media_legs == 0;
}

struct bridge_counts
bridge_count(const struct bridge *bridge)
{
	struct bridge_counts counts = { .legs = bridge->legs.count };
	for (unsigned i = 0; i < bridge->settings.workers; i++) {
		counts.media_legs += bridge->workers[i].legs.count;
		counts.rooms += bridge->workers[i].rooms.count;
	}
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		const struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		counts.waiting_browsers += leg->kind == LEG_WEB && !leg->linked;
	}
	return counts;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static int
allocate(struct bridge *bridge)
{
	const struct bridge_settings *settings = &bridge->settings;
	int rc = slab_create(&bridge->legs, sizeof(struct bridge_leg), settings->legs_max);
	if (rc == 0)
		rc = map_create(&bridge->by_web, settings->legs_max);
	if (rc == 0)
		rc = map_create(&bridge->by_guest, settings->legs_max);
	for (unsigned i = 0; rc == 0 && i < settings->workers; i++) {
		rc = slab_create(&bridge->workers[i].legs, sizeof(struct bridge_slot),
		                 settings->media_legs_max);
		if (rc == 0)
			rc = slab_create(&bridge->workers[i].rooms, sizeof(uint32_t),
			                 settings->rooms_max);
	}
	bridge->room_count = settings->rooms_max;
	bridge->rooms = calloc(bridge->room_count, sizeof *bridge->rooms);
	return rc != 0 ? rc : bridge->rooms == NULL ? -ENOMEM : 0;
}

int
bridge_create(struct bridge **out, const struct bridge_settings *settings, int64_t now_us)
{
	CHECK(settings->workers != 0 && settings->workers <= BRIDGE_WORKERS_MAX);
	CHECK(settings->web_address_count <= BRIDGE_ADDRESSES_MAX);
	struct bridge *bridge = calloc(1, sizeof *bridge);
	if (bridge == NULL)
		return -ENOMEM;
	bridge->settings = *settings;
	prng_init(&bridge->prng, settings->seed);
	bridge->hash_key = (struct hash_key){ prng_u64(&bridge->prng), prng_u64(&bridge->prng) };
	timer_wheel_init(&bridge->timers, now_us);
	str_copy(bridge->sip_domain, sizeof bridge->sip_domain, str_of(settings->sip_domain));
	str_copy(bridge->id, sizeof bridge->id, str_of(settings->id));
	for (unsigned i = 0; i < settings->web_address_count; i++)
		bridge->web_addresses[i] = settings->web_addresses[i];
	const int rc = allocate(bridge);
	if (rc != 0) {
		bridge_destroy(bridge);
		return rc;
	}
	*out = bridge;
	return 0;
}

void
bridge_destroy(struct bridge *bridge)
{
	if (bridge == NULL)
		return;
	for (uint32_t at = 0, handle;
	     bridge->legs.slots != NULL && (handle = slab_next(&bridge->legs, &at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		description_end(leg);
		camera_free(leg);
		video_free(leg);
		free(leg->ivr);
		free(leg->dialing);
		free(leg->forward);
	}
	for (unsigned i = 0; bridge->rooms != NULL && i < bridge->room_count; i++)
		free(bridge->rooms[i].canvases);
	for (unsigned i = 0; i < bridge->settings.workers; i++) {
		slab_destroy(&bridge->workers[i].legs);
		slab_destroy(&bridge->workers[i].rooms);
	}
	slab_destroy(&bridge->legs);
	map_destroy(&bridge->by_web);
	map_destroy(&bridge->by_guest);
	free(bridge->rooms);
	explicit_bzero(&bridge->settings.jwt_key, sizeof bridge->settings.jwt_key);
	free(bridge);
}
