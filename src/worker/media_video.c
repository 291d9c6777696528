/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about pictures, the tables they fill, and time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/media_video_internal.h"

enum {
	H224_CLOCK_HZ = 4800, /* RFC 4573 s3 */
	POOL_PACKETS_MIN = 2048,
	POOL_PACKETS_A_LEG = 128,
	POOL_PACKETS_USUAL_MAX = 1 << 16,
};

/* ---- Small helpers of all files ------------------------------------------------------------ */

void
video_wake(struct media *media, struct media_leg *leg, int64_t at_us)
{
	if (leg->lost || at_us == INT64_MAX)
		return;
	if (!timer_running(&leg->timer) || at_us < leg->timer.deadline_us)
		timer_start(&media->timers, &leg->timer, at_us);
}

void
video_flush_at(struct media *media, struct leg_video *video, int64_t at_us)
{
	if (!video->flushing) {
		video->flushing = true;
		video->flush_us = at_us;
		link_append(&media->video->flush, &video->flush);
	} else if (at_us < video->flush_us) {
		video->flush_us = at_us;
	}
	if (video->flush_us < media->video->flush_us)
		media->video->flush_us = video->flush_us;
}

void
video_flush_later(struct media *media, struct leg_video *video)
{
	video_flush_at(media, video, media->now_us);
}

void
video_plan_later(struct media *media, struct leg_video *video)
{
	video->dirty = true;
	video_flush_later(media, video);
}

void
video_plan_subscribers(struct media *media, struct video_feed *feed)
{
	for (struct video_link *at = feed->subscriptions.next; at != &feed->subscriptions;
	     at = at->next) {
		const struct video_subscription *subscription =
			CONTAINER_OF(at, struct video_subscription, link);
		video_plan_later(media, subscription->tx->leg->video);
	}
}

uint32_t
video_own_ssrc(const struct media_leg *leg)
{
	if (leg->video == NULL || leg->audio.send || leg->send.started)
		return leg->send.ssrc;
	for (unsigned i = 0; i < leg->video->line_count; i++) {
		const struct video_line *line = leg->video->lines[i];
		if (line != NULL && line->agreed.tx_ssrc != 0)
			return line->agreed.tx_ssrc;
	}
	return leg->send.ssrc;
}

struct video_rx *
video_rx_of(const struct media *media, video_source_id source)
{
	const struct media_leg *leg = media_leg_get(media, video_source_leg(source));
	const unsigned track = video_source_track(source);
	if (leg == NULL || leg->video == NULL || track >= VIDEO_TRACKS ||
	    leg->video->track_lines[track] == VIDEO_NO_LINE)
		return NULL;
	return leg->video->lines[leg->video->track_lines[track]]->rx;
}

/* ---- Lines --------------------------------------------------------------------------------- */

static struct leg_video *
video_of(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct leg_video *video = leg->video;
	if (video != NULL)
		return video;
	video = calloc(1, sizeof *video);
	if (video == NULL)
		return NULL;
	video->leg = leg;
	memset(video->track_lines, VIDEO_NO_LINE, sizeof video->track_lines);
	video->twcc_seq = (uint16_t)prng_u32(&media->prng);
	video->tick_us = now_us;
	leg->video = video;
	leg->delay.wanted = true;
	return video;
}

/* Either half is made when it is first agreed on, and stays; false: no memory for it. */
static bool
make_halves(struct media *media, struct media_leg *leg, struct video_line *line)
{
	if (line->agreed.receive && line->rx == NULL)
		line->rx = video_rx_create(media, leg, line);
	if (line->agreed.send && line->tx == NULL)
		line->tx = video_tx_create(media, leg, line);
	return (!line->agreed.receive || line->rx != NULL) &&
	       (!line->agreed.send || line->tx != NULL);
}

static void
learn_extensions(struct leg_video *video, const struct media_video_settings *settings)
{
	if (settings->mid_ext_id != 0)
		video->mid_ext_id = settings->mid_ext_id;
	if (settings->rid_ext_id != 0)
		video->rid_ext_id = settings->rid_ext_id;
	if (settings->repaired_rid_ext_id != 0)
		video->repaired_rid_ext_id = settings->repaired_rid_ext_id;
	if (settings->twcc_ext_id != 0 && settings->twcc)
		video->twcc_ext_id = settings->twcc_ext_id;
	if (settings->orientation_ext_id != 0)
		video->orientation_ext_id = settings->orientation_ext_id;
}

static void
set_track(struct media *media, struct leg_video *video, const struct media_video_settings *settings)
{
	for (unsigned track = 0; track < VIDEO_TRACKS; track++)
		if (video->track_lines[track] == settings->line &&
		    (track != settings->track || !settings->receive))
			video->track_lines[track] = VIDEO_NO_LINE;
	if (settings->receive)
		video->track_lines[settings->track] = settings->line;
	media->video->dirty = true;
}

/* A line the machine has no memory for stays dark: its leg lives on with sound. */
static void
set_line(struct media *media, struct media_leg *leg, const struct media_video_settings *settings,
         int64_t now_us)
{
	CHECK(settings->line < MEDIA_LINES_MAX && settings->track < VIDEO_TRACKS);
	CHECK(settings->payload_count <= MEDIA_VIDEO_PAYLOADS_MAX);
	CHECK(settings->rid_count <= VIDEO_LAYERS_MAX);
	struct leg_video *video = video_of(media, leg, now_us);
	if (video == NULL)
		return;
	struct video_line **slot = &video->lines[settings->line];
	if (*slot == NULL)
		*slot = calloc(1, sizeof **slot);
	struct video_line *line = *slot;
	if (line == NULL)
		return;
	line->agreed = *settings;
	line->show.line = settings->line;
	if (!make_halves(media, leg, line)) {
		line->agreed.receive = line->agreed.receive && line->rx != NULL;
		line->agreed.send = line->agreed.send && line->tx != NULL;
	}
	if (settings->line >= video->line_count)
		video->line_count = (uint8_t)(settings->line + 1);
	learn_extensions(video, settings);
	set_track(media, video, &line->agreed);
	if (line->rx != NULL)
		video_rx_agreed(media, line->rx);
	if (line->tx != NULL)
		video_tx_agreed(line->tx);
	transport_video(leg, prng_u32(&media->prng), now_us);
	bandwidth_agreed(video, now_us);
	video_plan_later(media, video);
}

static struct video_line *
line_of(const struct media_leg *leg, uint8_t line)
{
	CHECK(line < MEDIA_LINES_MAX);
	return leg->video != NULL ? leg->video->lines[line] : NULL;
}

static void
show(struct media *media, struct media_leg *leg, const struct media_show *show)
{
	struct video_line *line = line_of(leg, show->line);
	CHECK(show->kind <= MEDIA_SHOW_CANVAS);
	if (line == NULL)
		return;
	line->show = *show;
	video_plan_later(media, leg->video);
}

void
video_flags(struct media *media, struct media_leg *leg, const struct media_leg_flags *before)
{
	struct leg_video *video = leg->video;
	if (video == NULL)
		return;
	if (before->tx_video_muted != leg->flags.tx_video_muted)
		video_plan_later(media, video);
	if (before->rx_video_muted == leg->flags.rx_video_muted)
		return;
	media->video->dirty = true;
	for (unsigned i = 0; i < video->line_count; i++)
		if (video->lines[i] != NULL && video->lines[i]->rx != NULL)
			video_rx_agreed(media, video->lines[i]->rx);
}

void
video_connected(struct media *media, struct media_leg *leg)
{
	video_plan_later(media, leg->video);
}

void
video_close(struct media *media, struct media_leg *leg)
{
	struct leg_video *video = leg->video;
	if (video == NULL)
		return;
	video_drop_queue(video);
	for (unsigned i = 0; i < MEDIA_LINES_MAX; i++) {
		struct video_line *line = video->lines[i];
		if (line == NULL)
			continue;
		video_rx_destroy(media, line->rx);
		video_tx_destroy(media, line->tx);
		free(line);
	}
	if (video->flushing)
		link_remove(&video->flush);
	free(video);
	leg->video = NULL;
}

/* ---- Camera control ------------------------------------------------------------------------ */

static void
set_data(struct media *media, struct media_leg *leg, const struct media_data_settings *data,
         int64_t now_us)
{
	struct leg_video *video = video_of(media, leg, now_us);
	if (video == NULL)
		return;
	video->data = *data;
	leg->send.clock_hz = H224_CLOCK_HZ;
	leg->receive.clock_hz = H224_CLOCK_HZ;
}

static void
send_data(struct media *media, struct media_leg *leg, const struct media_data *data, int64_t now_us)
{
	CHECK(data->len <= MEDIA_DATA_MAX);
	if (leg->video == NULL || !leg->video->data.send)
		return;
	const uint32_t timestamp_rtp = transport_rtp_at(leg, H224_CLOCK_HZ, now_us);
	transport_send(media, leg, leg->video->data.tx_payload_type, true, timestamp_rtp,
	               data->bytes, data->len, now_us);
}

bool
video_data_input(struct media *media, struct media_leg *leg, const struct rtp_packet *packet)
{
	if (!leg->video->data.receive || packet->payload_type != leg->video->data.rx_payload_type)
		return false;
	if (packet->payload_len == 0 || packet->payload_len > MEDIA_DATA_MAX) {
		leg->rejected++;
		return true;
	}
	struct media_event event = { .kind = MEDIA_EVENT_LEG_DATA, .leg = leg->id };
	event.packet.len = (uint8_t)packet->payload_len;
	memcpy(event.packet.bytes, rtp_payload(packet), packet->payload_len);
	media->settings.sink.event(media->settings.sink.context, &event);
	return true;
}

void
video_sound_sent(struct media_leg *leg, size_t len, int64_t now_us)
{
	if (leg->video->bandwidth_set)
		bandwidth_sent(leg->video, PACER_AUDIO, 0, len, now_us);
}

/* ---- Canvases ------------------------------------------------------------------------------ */

static struct video_canvas *
free_canvas(struct media *media)
{
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		if (media->video->canvases[i].id == 0)
			return &media->video->canvases[i];
	return NULL;
}

/* Whoever was shown this id before it was known can be served now. */
static void
serve_canvas(struct media *media, uint32_t id)
{
	for (uint32_t i = 0; i < media->settings.legs_max; i++) {
		struct media_leg *leg = media->legs[i];
		if (leg == NULL || leg->video == NULL)
			continue;
		for (unsigned l = 0; l < leg->video->line_count; l++) {
			const struct video_line *line = leg->video->lines[l];
			if (line != NULL && line->show.kind == MEDIA_SHOW_CANVAS &&
			    line->show.canvas == id && line->tx != NULL && !line->tx->serves)
				video_plan_later(media, leg->video);
		}
	}
}

/* A canvas beyond the last place is dropped: its receivers get no picture. */
void
video_canvas(struct media *media, const struct media_canvas *order)
{
	struct video_canvas *canvas = codec_canvas(media, order->id);
	const bool known = canvas != NULL;
	CHECK(order->id != 0);
	if (!known && order->canvas != NULL)
		canvas = free_canvas(media);
	if (canvas == NULL) {
		free(order->canvas);
		return;
	}
	free(canvas->canvas);
	canvas->canvas = order->canvas;
	canvas->id = order->id;
	if (order->canvas == NULL && canvas->sent && media->video->attached) {
		const struct codec_message close = { .kind = CODEC_CANVAS_CLOSE, .id = order->id };
		(void)media->settings.sink.codec(media->settings.sink.context, &close);
	}
	canvas->sent = false;
	if (order->canvas == NULL)
		*canvas = (struct video_canvas){ 0 };
	media->video->dirty = true;
	if (!known)
		serve_canvas(media, order->id);
}

/* ---- Orders -------------------------------------------------------------------------------- */

void
video_order(struct media *media, struct media_leg *leg, const struct media_order *order,
            int64_t now_us)
{
	struct video_line *line;
	switch (order->kind) {
	case MEDIA_ORDER_LEG_VIDEO:
		set_line(media, leg, &order->video, now_us);
		break;
	case MEDIA_ORDER_LEG_SHOW:
		show(media, leg, &order->show);
		break;
	case MEDIA_ORDER_LEG_KEY:
		line = line_of(leg, order->key.line);
		if (line != NULL && line->tx != NULL)
			video_tx_key_asked(media, line->tx, now_us);
		break;
	case MEDIA_ORDER_LEG_DATA:
		set_data(media, leg, &order->data, now_us);
		break;
	case MEDIA_ORDER_LEG_DATA_SEND:
		send_data(media, leg, &order->packet, now_us);
		break;
	default:
		check_fail(__FILE__, __LINE__, "an order about pictures");
	}
}

/* ---- Time ---------------------------------------------------------------------------------- */

/* The others wait for the rest of their frames. */
static void
flush_due(struct media *media, int64_t now_us)
{
	struct video_machine *video = media->video;
	struct video_link *next;
	if (video->flush_us > now_us)
		return;
	video->flush_us = INT64_MAX;
	for (struct video_link *at = video->flush.next; at != &video->flush; at = next) {
		struct leg_video *leg = CONTAINER_OF(at, struct leg_video, flush);
		next = at->next;
		if (leg->flush_us > now_us) {
			if (leg->flush_us < video->flush_us)
				video->flush_us = leg->flush_us;
			continue;
		}
		link_remove(&leg->flush);
		leg->flushing = false;
		if (leg->dirty) {
			leg->dirty = false;
			bandwidth_plan(media, leg, now_us);
		}
		video_drain(media, leg, now_us);
	}
}

void
media_flush(struct media *media, int64_t now_us)
{
	struct video_machine *video = media->video;
	media->now_us = now_us;
	/* First all choose, so that what is encoded is found out once. */
	for (struct video_link *at = video->flush.next; at != &video->flush; at = at->next) {
		struct leg_video *leg = CONTAINER_OF(at, struct leg_video, flush);
		if (!leg->dirty)
			continue;
		leg->dirty = false;
		bandwidth_plan(media, leg, now_us);
	}
	if (video->dirty) {
		video->dirty = false;
		codec_plan(media, now_us);
	}
	flush_due(media, now_us);
}

int64_t
video_flush_deadline(const struct media *media)
{
	return media->video->dirty ? media->now_us : media->video->flush_us;
}

void
video_tick(struct media *media, struct media_leg *leg, int64_t now_us)
{
	struct leg_video *video = leg->video;
	const bool slow = video->tick_us <= now_us;
	if (slow) {
		video->tick_us = now_us + VIDEO_TICK_US;
		bandwidth_tick(media, video, now_us);
	}
	for (unsigned i = 0; i < video->line_count; i++) {
		struct video_line *line = video->lines[i];
		if (line == NULL)
			continue;
		if (line->rx != NULL && slow)
			video_rx_tick(media, line->rx, now_us);
		if (line->rx != NULL)
			video_rx_serve(media, line->rx, now_us);
		if (line->tx != NULL && slow)
			video_tx_tick(media, line->tx, now_us);
	}
	transport_feedback(media, leg, now_us);
	video_flush_later(media, video);
}

int64_t
video_deadline(const struct media_leg *leg, int64_t now_us)
{
	const struct leg_video *video = leg->video;
	int64_t deadline_us = video->tick_us;
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line == NULL || line->rx == NULL)
			continue;
		const int64_t rx_us = video_rx_deadline(line->rx);
		if (rx_us < deadline_us)
			deadline_us = rx_us;
	}
	if (video->twcc_ext_id != 0 && twcc_receive_deadline(&video->twcc_in) < deadline_us)
		deadline_us = twcc_receive_deadline(&video->twcc_in);
	if (!video->flushing && (video->queue_count != 0 || video->again_count != 0)) {
		const enum pacer_class class =
			video->again_count != 0 ? PACER_RTX : PACER_VIDEO;
		const int64_t send_us = pacer_when(&video->pacer, class, now_us);
		if (send_us < deadline_us)
			deadline_us = send_us;
	}
	/* What was served and is due still or again waits for the wheel's next tick: a deadline that
	 * stays where it is must not keep the worker busy. */
	return deadline_us > now_us + TIMER_TICK_US ? deadline_us : now_us + TIMER_TICK_US;
}

/* ---- Life ---------------------------------------------------------------------------------- */

int
video_create(struct media *media)
{
	struct video_machine *video = calloc(1, sizeof *video);
	if (video == NULL)
		return -ENOMEM;
	media->video = video;
	link_init(&video->receivers);
	link_init(&video->flush);
	video->flush_us = INT64_MAX;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		feed_init(&video->encodes[i].feed);
	/* Touched only as far as it is used. */
	video->frame = malloc(VIDEO_FRAME_SCRATCH_BYTES);
	if (video->frame == NULL)
		return -ENOMEM;
	const uint64_t wanted = (uint64_t)media->settings.legs_max * POOL_PACKETS_A_LEG;
	const uint64_t packets = wanted < POOL_PACKETS_MIN         ? POOL_PACKETS_MIN
	                         : wanted > POOL_PACKETS_USUAL_MAX ? POOL_PACKETS_USUAL_MAX
	                                                           : wanted;
	return packet_pool_create(&video->pool, (uint32_t)packets);
}

/* After all legs are gone. */
void
video_destroy(struct media *media)
{
	struct video_machine *video = media->video;
	if (video == NULL)
		return;
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		free(video->canvases[i].canvas);
	packet_pool_destroy(video->pool);
	free(video->frame);
	free(video);
	media->video = NULL;
}
