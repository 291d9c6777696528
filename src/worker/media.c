/* SPDX-License-Identifier: Apache-2.0 */
/* Orders, tables and time of the media machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/media_internal.h"

enum {
	CHUNKS_PER_LEG = 6,  /* 20 ms packets; a pool-wide average, one leg may hold far more */
	CATCH_UP_FRAMES = 2, /* a stall longer than this is not made good: the time is gone */
};

static_assert(sizeof(struct media_order) <= 512, "orders are copied through rings");
static_assert(sizeof(struct media_event) <= 192, "events are copied through rings");

/* ---- Lists --------------------------------------------------------------------------------- */

static void
place_init(struct leg_place *head)
{
	head->next = head;
	head->prev = head;
}

static void
place_append(struct leg_place *head, struct leg_place *place)
{
	place->next = head;
	place->prev = head->prev;
	head->prev->next = place;
	head->prev = place;
}

static void
place_remove(struct leg_place *place)
{
	place->prev->next = place->next;
	place->next->prev = place->prev;
}

static struct phase *
phase_of(struct media *media, uint32_t handle)
{
	return &media->phases[slab_index(handle) % MEDIA_PHASES];
}

/* ---- Events -------------------------------------------------------------------------------- */

void
media_event(struct media *media, const struct media_leg *leg, enum media_event_kind kind,
            uint8_t reason, uint32_t value)
{
	const struct media_event event = {
		.kind = (uint8_t)kind,
		.reason = reason,
		.value = value,
		.leg = leg->id,
		.room = leg->room != NULL ? leg->room->id : 0,
	};
	media->settings.sink.event(media->settings.sink.context, &event);
}

void
media_leg_lost(struct media *media, struct media_leg *leg, enum media_lost_reason reason)
{
	if (leg->lost)
		return;
	leg->lost = true;
	media_event(media, leg, MEDIA_EVENT_LEG_LOST, (uint8_t)reason, 0);
}

/* ---- Legs ---------------------------------------------------------------------------------- */

struct media_leg *
media_leg_get(const struct media *media, media_leg_id id)
{
	const uint32_t index = slab_index(id);
	if (id == 0 || index >= media->settings.legs_max)
		return NULL;
	struct media_leg *leg = media->legs[index];
	return leg != NULL && leg->id == id ? leg : NULL;
}

void
media_leg_arm(struct media *media, struct media_leg *leg, int64_t now_us)
{
	const int64_t deadline_us = transport_deadline(media, leg);
	if (deadline_us == INT64_MAX)
		timer_stop(&media->timers, &leg->timer);
	else
		timer_start(&media->timers, &leg->timer,
		            deadline_us > now_us ? deadline_us : now_us);
}

/* Ticks start on a common grid, so that phases of different rooms stay apart. */
static void
wake(struct media *media, int64_t now_us)
{
	if (media->tick_us != INT64_MAX)
		return;
	const int64_t grid = now_us / MEDIA_TICK_US + 1;
	media->tick_us = grid * MEDIA_TICK_US;
	media->phase = (unsigned)(grid % MEDIA_PHASES);
}

static void
refuse(struct media *media, media_leg_id id, enum media_refused_reason reason)
{
	const struct media_leg nobody = { .id = id };
	media_event(media, &nobody, MEDIA_EVENT_LEG_REFUSED, (uint8_t)reason, 0);
}

static void
leg_free(struct media *media, struct media_leg *leg)
{
	media->legs[slab_index(leg->id)] = NULL;
	free(leg->packing);
	explicit_bzero(leg, sizeof *leg);
	free(leg);
}

static bool
open_ports(struct media *media, struct media_leg *leg)
{
	if (leg->open.transport == MEDIA_TRANSPORT_SHARED) {
		leg->local_rtp = media->settings.shared_addr;
		return true;
	}
	leg->local_rtp = leg->open.local;
	leg->local_rtp.port = 0;
	return media->settings.sink.ports_open(media->settings.sink.context, leg->id,
	                                       &leg->local_rtp);
}

static void
leg_open(struct media *media, media_leg_id id, const struct media_open *open, int64_t now_us)
{
	const uint32_t index = slab_index(id);
	CHECK(id != 0 && index < media->settings.legs_max);
	if (media->legs[index] != NULL) {
		refuse(media, id, MEDIA_REFUSED_FULL);
		return;
	}
	struct media_leg *leg = calloc(1, sizeof *leg);
	if (leg == NULL) {
		refuse(media, id, MEDIA_REFUSED_MEMORY);
		return;
	}
	leg->id = id;
	leg->open = *open;
	media->legs[index] = leg;
	if (!open_ports(media, leg)) {
		leg_free(media, leg);
		refuse(media, id, MEDIA_REFUSED_PORTS);
		return;
	}
	const struct audio_receiver_settings receiver = { .codecs = media->codecs,
		                                          .chunks = media->chunks };
	audio_receiver_init(&leg->rx, &receiver);
	sync_open(media, leg);
	place_append(&phase_of(media, id)->alone, &leg->place);
	media->counters.legs++;
	media->busy++;
	wake(media, now_us);
	struct media_event event = { .kind = MEDIA_EVENT_LEG_OPENED, .leg = id };
	transport_open(media, leg, &event.opened, now_us);
	event.opened.ssrc = leg->send.ssrc;
	media->settings.sink.event(media->settings.sink.context, &event);
	explicit_bzero(&event, sizeof event);
	media_leg_arm(media, leg, now_us);
}

/* ---- Rooms --------------------------------------------------------------------------------- */

static struct media_room *
room_get(const struct media *media, media_room_id id)
{
	const uint32_t index = slab_index(id);
	if (id == 0 || index >= media->settings.rooms_max)
		return NULL;
	struct media_room *room = &media->rooms[index];
	return room->id == id ? room : NULL;
}

static void
room_open(struct media *media, media_room_id id)
{
	const uint32_t index = slab_index(id);
	CHECK(id != 0 && index < media->settings.rooms_max && media->rooms[index].id == 0);
	struct media_room *room = &media->rooms[index];
	*room = (struct media_room){ .id = id, .phase = index % MEDIA_PHASES };
	place_init(&room->legs);
	speaker_select_init(&room->select, media->settings.talkers_max);
	media->counters.rooms++;
}

static void
leg_leave(struct media *media, struct media_leg *leg)
{
	struct media_room *room = leg->room;
	place_remove(&leg->place);
	leg->room = NULL;
	if (room == NULL)
		return;
	speaker_remove(&room->select, &leg->speaker);
	if (leg->speaker.talking)
		media_event(media, leg, MEDIA_EVENT_LEG_TALKING, 0, 0);
	leg->speaker = (struct speaker){ 0 };
	if (--room->leg_count == 0) {
		/* An empty room costs nothing: no tick, no encoder. */
		room->prev->next = room->next;
		room->next->prev = room->prev;
		room_rest(media, room);
	}
}

static void
leg_join(struct media *media, struct media_leg *leg, struct media_room *room)
{
	leg_leave(media, leg);
	leg->room = room;
	place_append(&room->legs, &leg->place);
	if (room->leg_count++ == 0) {
		struct media_room *head = &media->phases[room->phase].rooms;
		room->next = head;
		room->prev = head->prev;
		head->prev->next = room;
		head->prev = room;
	}
}

static void
room_close(struct media *media, struct media_room *room)
{
	const struct media_event event = { .kind = MEDIA_EVENT_ROOM_CLOSED, .room = room->id };
	CHECK(room->leg_count == 0);
	room_rest(media, room);
	room->id = 0;
	media->counters.rooms--;
	media->settings.sink.event(media->settings.sink.context, &event);
}

static void
leg_close(struct media *media, struct media_leg *leg, int64_t now_us)
{
	transport_close(media, leg, now_us);
	video_close(media, leg);
	leg_leave(media, leg);
	sound_close(media, leg);
	audio_receiver_fini(&leg->rx);
	timer_stop(&media->timers, &leg->timer);
	media->counters.legs--;
	if (--media->busy == 0)
		media->tick_us = INT64_MAX;
	media_event(media, leg, MEDIA_EVENT_LEG_CLOSED, 0, 0);
	leg_free(media, leg);
}

/* ---- Orders -------------------------------------------------------------------------------- */

static void
send_stats(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct media_event event = { .kind = MEDIA_EVENT_LEG_STATS, .leg = leg->id };
	transport_stats(leg, &event.stats, now_us);
	media->settings.sink.event(media->settings.sink.context, &event);
	if (leg->video != NULL)
		video_stats(media, leg, now_us);
}

static void
set_flags(struct media *media, struct media_leg *leg, const struct media_leg_flags *flags)
{
	const struct media_leg_flags before = leg->flags;
	if (flags->rx_muted && !leg->flags.rx_muted && leg->room != NULL)
		speaker_remove(&leg->room->select, &leg->speaker);
	if (flags->dtmf_inband && leg->detect == NULL) {
		if (dtmf_detect_create(&leg->detect) != 0)
			leg->detect = NULL;
	} else if (!flags->dtmf_inband) {
		dtmf_detect_destroy(leg->detect);
		leg->detect = NULL;
	}
	leg->flags = *flags;
	video_flags(media, leg, &before);
}

static void
queue_dtmf(struct media_leg *leg, const struct media_dtmf *dtmf, int64_t now_us)
{
	if (leg->audio.tx_dtmf_payload_type != 0) {
		/* Digits were checked when they were ordered; a full queue drops the order whole. */
		(void)dtmf_send_digits(&leg->dtmf_tx, dtmf->digits, dtmf->count, now_us);
		return;
	}
	leg->inband = *dtmf;
}

static void
leg_order(struct media *media, struct media_leg *leg, const struct media_order *order,
          int64_t now_us)
{
	struct media_room *room = NULL;
	switch ((enum media_order_kind)order->kind) {
	case MEDIA_ORDER_LEG_TRANSPORT:
		transport_set(media, leg, &order->transport, now_us);
		break;
	case MEDIA_ORDER_LEG_AUDIO:
		leg->audio = order->audio;
		sound_audio(media, leg);
		transport_audio(leg, now_us);
		break;
	case MEDIA_ORDER_LEG_SET:
		set_flags(media, leg, &order->flags);
		break;
	case MEDIA_ORDER_LEG_JOIN:
		room = room_get(media, order->room);
		if (room != NULL && room != leg->room)
			leg_join(media, leg, room);
		break;
	case MEDIA_ORDER_LEG_LEAVE:
		leg_leave(media, leg);
		place_append(&phase_of(media, leg->id)->alone, &leg->place);
		break;
	case MEDIA_ORDER_LEG_PLAY:
		sound_play(media, leg, &order->play);
		break;
	case MEDIA_ORDER_LEG_DTMF:
		queue_dtmf(leg, &order->dtmf, now_us);
		break;
	case MEDIA_ORDER_LEG_RESTART:
		transport_restart(leg, &order->restart, now_us);
		break;
	case MEDIA_ORDER_LEG_STATS:
		send_stats(media, leg, now_us);
		break;
	case MEDIA_ORDER_LEG_VIDEO:
	case MEDIA_ORDER_LEG_SHOW:
	case MEDIA_ORDER_LEG_KEY:
	case MEDIA_ORDER_LEG_DATA:
	case MEDIA_ORDER_LEG_DATA_SEND:
		video_order(media, leg, order, now_us);
		break;
	case MEDIA_ORDER_LEG_CLOSE:
		leg_close(media, leg, now_us);
		return;
	case MEDIA_ORDER_LEG_OPEN:
	case MEDIA_ORDER_ROOM_OPEN:
	case MEDIA_ORDER_ROOM_PLAY:
	case MEDIA_ORDER_ROOM_CLOSE:
	case MEDIA_ORDER_CANVAS:
	case MEDIA_ORDER_COUNT:
		check_fail(__FILE__, __LINE__, "an order for a leg");
		break;
	}
	media_leg_arm(media, leg, now_us);
}

static void
room_play(struct media_room *room, const struct media_play *play)
{
	if (play->sound == MEDIA_SOUND_JOIN_TONE)
		tone_start(&room->tone, TONE_JOIN);
	else if (play->sound == MEDIA_SOUND_LEAVE_TONE)
		tone_start(&room->tone, TONE_LEAVE);
}

void
media_order(struct media *media, const struct media_order *order, int64_t now_us)
{
	check_context("leg", order->leg);
	media->now_us = now_us;
	switch ((enum media_order_kind)order->kind) {
	case MEDIA_ORDER_LEG_OPEN:
		leg_open(media, order->leg, &order->open, now_us);
		return;
	case MEDIA_ORDER_ROOM_OPEN:
		room_open(media, order->room);
		return;
	case MEDIA_ORDER_ROOM_PLAY:
	case MEDIA_ORDER_ROOM_CLOSE: {
		struct media_room *room = room_get(media, order->room);
		if (room == NULL)
			return;
		if (order->kind == MEDIA_ORDER_ROOM_PLAY)
			room_play(room, &order->play);
		else
			room_close(media, room);
		return;
	}
	case MEDIA_ORDER_CANVAS:
		video_canvas(media, &order->canvas);
		return;
	case MEDIA_ORDER_LEG_TRANSPORT:
	case MEDIA_ORDER_LEG_AUDIO:
	case MEDIA_ORDER_LEG_SET:
	case MEDIA_ORDER_LEG_JOIN:
	case MEDIA_ORDER_LEG_LEAVE:
	case MEDIA_ORDER_LEG_PLAY:
	case MEDIA_ORDER_LEG_DTMF:
	case MEDIA_ORDER_LEG_RESTART:
	case MEDIA_ORDER_LEG_STATS:
	case MEDIA_ORDER_LEG_VIDEO:
	case MEDIA_ORDER_LEG_SHOW:
	case MEDIA_ORDER_LEG_KEY:
	case MEDIA_ORDER_LEG_DATA:
	case MEDIA_ORDER_LEG_DATA_SEND:
	case MEDIA_ORDER_LEG_CLOSE:
	case MEDIA_ORDER_COUNT:
		break;
	}
	/* A leg that was refused, or closed while the order was on its way, is no mistake. */
	struct media_leg *leg = media_leg_get(media, order->leg);
	if (leg != NULL)
		leg_order(media, leg, order, now_us);
	else if (order->kind == MEDIA_ORDER_LEG_PLAY)
		brand_put(order->play.brand);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void
run_phase(struct media *media, struct phase *phase, int64_t now_us)
{
	struct media_room *room = phase->rooms.next;
	while (room != &phase->rooms) {
		struct media_room *next = room->next;
		check_context("room", room->id);
		room_tick(media, room, now_us);
		room = next;
	}
	struct leg_place *place = phase->alone.next;
	while (place != &phase->alone) {
		struct leg_place *next = place->next;
		alone_tick(media, leg_of_place(place), now_us);
		place = next;
	}
}

void
media_tick(struct media *media, int64_t now_us)
{
	media->now_us = now_us;
	for (struct timer *timer; (timer = timer_take(&media->timers, now_us)) != NULL;) {
		struct media_leg *leg = CONTAINER_OF(timer, struct media_leg, timer);
		check_context("leg", leg->id);
		transport_tick(media, leg, now_us);
		media_leg_arm(media, leg, now_us);
	}
	if (media->tick_us != INT64_MAX && now_us - media->tick_us > CATCH_UP_FRAMES * MEDIA_FRAME_US) {
		media->counters.late_ticks++;
		media->tick_us = INT64_MAX;
		wake(media, now_us - MEDIA_TICK_US);
	}
	while (media->tick_us <= now_us) {
		run_phase(media, &media->phases[media->phase], now_us);
		media->phase = (media->phase + 1) % MEDIA_PHASES;
		media->tick_us += MEDIA_TICK_US;
	}
	media_flush(media, now_us);
}

int64_t
media_deadline(const struct media *media)
{
	const int64_t timers_us = timer_wheel_deadline(&media->timers);
	const int64_t flush_us = video_flush_deadline(media);
	const int64_t deadline_us = timers_us < media->tick_us ? timers_us : media->tick_us;
	return flush_us < deadline_us ? flush_us : deadline_us;
}

const struct media_counters *
media_counters(const struct media *media)
{
	return &media->counters;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static int
allocate(struct media *media)
{
	const struct media_settings *settings = &media->settings;
	const uint32_t legs = settings->legs_max;
	const struct audio_codec_pool_settings pool = {
		.opus_decoders_max = legs,
		.opus_encoders_max = legs + 2 * settings->rooms_max,
		.plain_decoders_max = legs,
		.plain_encoders_max = legs + 3 * settings->rooms_max,
	};
	media->legs = calloc(legs, sizeof(struct media_leg *));
	/* Zero pages cost nothing until a room opens. */
	media->rooms = calloc(settings->rooms_max, sizeof *media->rooms);
	/* Touched only as far as a room has legs. */
	media->frames = calloc(legs, sizeof *media->frames);
	media->speakers = calloc(legs, sizeof(struct speaker *));
	if (media->legs == NULL || media->rooms == NULL || media->frames == NULL ||
	    media->speakers == NULL)
		return -ENOMEM;
	int rc = map_create(&media->by_addr, legs * ICE_LITE_PAIRS_MAX);
	if (rc == 0)
		rc = audio_codec_pool_create(&media->codecs, &pool);
	if (rc == 0)
		rc = jitter_pool_create(&media->chunks, legs * CHUNKS_PER_LEG + 256);
	if (rc == 0)
		rc = video_create(media);
	return rc;
}

int
media_create(struct media **out, const struct media_settings *settings, int64_t now_us)
{
	CHECK(settings->legs_max != 0 && settings->legs_max <= SLAB_SLOTS_MAX);
	CHECK(settings->rooms_max != 0 && settings->rooms_max <= SLAB_SLOTS_MAX);
	/* The mix holds a vector type: plain calloc() may not align it. */
	struct media *media = aligned_alloc(64, (sizeof *media + 63) / 64 * 64);
	if (media == NULL)
		return -ENOMEM;
	memset(media, 0, sizeof *media);
	media->settings = *settings;
	media->now_us = now_us;
	media->tick_us = INT64_MAX;
	prng_init(&media->prng, settings->seed);
	/* Not from the generator whose numbers strangers see as SSRCs. */
	settings->random(settings->random_context, &media->hash_key, sizeof media->hash_key);
	timer_wheel_init(&media->timers, now_us);
	for (unsigned i = 0; i < MEDIA_PHASES; i++) {
		media->phases[i].rooms.next = &media->phases[i].rooms;
		media->phases[i].rooms.prev = &media->phases[i].rooms;
		place_init(&media->phases[i].alone);
	}
	const int rc = allocate(media);
	if (rc != 0) {
		media_destroy(media);
		return rc;
	}
	*out = media;
	return 0;
}

void
media_destroy(struct media *media)
{
	if (media == NULL)
		return;
	for (uint32_t i = 0; media->legs != NULL && i < media->settings.legs_max; i++) {
		struct media_leg *leg = media->legs[i];
		if (leg == NULL)
			continue;
		/* The last words are sent, nobody listens to events any more. */
		transport_close(media, leg, media->now_us);
		video_close(media, leg);
		leg_leave(media, leg);
		sound_close(media, leg);
		audio_receiver_fini(&leg->rx);
		leg_free(media, leg);
	}
	video_destroy(media);
	map_destroy(&media->by_addr);
	audio_codec_pool_destroy(media->codecs);
	jitter_pool_destroy(media->chunks);
	free(media->legs);
	free(media->rooms);
	free(media->frames);
	free(media->speakers);
	free(media);
}
