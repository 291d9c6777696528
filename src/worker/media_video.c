/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about pictures, and the tables they fill. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/media_video_internal.h"

enum {
	H224_CLOCK_HZ = 4800, /* RFC 4573 s3 */
};

static_assert(sizeof((struct media_data *)0)->bytes == MEDIA_DATA_MAX, "one packet");

/* ---- Lines --------------------------------------------------------------------------------- */

static struct leg_video *
video_of(struct media *media, struct media_leg *leg)
{
	if (leg->video != NULL)
		return leg->video;
	leg->video = calloc(1, sizeof *leg->video);
	if (leg->video != NULL)
		rtp_send_init(&leg->video->data_send, prng_u32(&media->prng), H224_CLOCK_HZ,
		              (uint16_t)prng_u32(&media->prng));
	return leg->video;
}

/* A line the machine has no memory for stays dark: its leg lives on with sound. */
static void
set_line(struct media *media, struct media_leg *leg, const struct media_video_settings *settings)
{
	CHECK(settings->line < MEDIA_LINES_MAX && settings->track < VIDEO_TRACKS);
	CHECK(settings->payload_count <= MEDIA_VIDEO_PAYLOADS_MAX);
	CHECK(settings->rid_count <= VIDEO_LAYERS_MAX);
	struct leg_video *video = video_of(media, leg);
	if (video == NULL)
		return;
	struct video_line **line = &video->lines[settings->line];
	if (*line == NULL)
		*line = calloc(1, sizeof **line);
	if (*line != NULL)
		(*line)->agreed = *settings;
}

static struct video_line *
line_of(const struct media_leg *leg, uint8_t line)
{
	CHECK(line < MEDIA_LINES_MAX);
	return leg->video != NULL ? leg->video->lines[line] : NULL;
}

void
video_close(struct media_leg *leg)
{
	if (leg->video == NULL)
		return;
	for (unsigned i = 0; i < MEDIA_LINES_MAX; i++)
		free(leg->video->lines[i]);
	free(leg->video);
	leg->video = NULL;
}

/* ---- Camera control ------------------------------------------------------------------------ */

static void
send_data(struct media *media, struct media_leg *leg, const struct media_data *data, int64_t now_us)
{
	CHECK(data->len <= MEDIA_DATA_MAX);
	if (leg->video == NULL || !leg->video->data.send)
		return;
	struct rtp_send *send = &leg->video->data_send;
	transport_send_on(media, leg, send, leg->video->data.tx_payload_type, true,
	                  rtp_send_timestamp_at(send, now_us), data->bytes, data->len, now_us);
}

bool
video_takes_data(struct media *media, struct media_leg *leg, const struct rtp_packet *packet)
{
	if (leg->video == NULL || !leg->video->data.receive ||
	    packet->payload_type != leg->video->data.rx_payload_type)
		return false;
	if (packet->payload_len == 0 || packet->payload_len > MEDIA_DATA_MAX)
		return true;
	struct media_event event = { .kind = MEDIA_EVENT_LEG_DATA, .leg = leg->id };
	event.packet.len = (uint8_t)packet->payload_len;
	memcpy(event.packet.bytes, rtp_payload(packet), packet->payload_len);
	media->settings.sink.event(media->settings.sink.context, &event);
	return true;
}

/* ---- Orders -------------------------------------------------------------------------------- */

void
video_order(struct media *media, struct media_leg *leg, const struct media_order *order,
            int64_t now_us)
{
	struct video_line *line;
	struct leg_video *video;
	switch (order->kind) {
	case MEDIA_ORDER_LEG_VIDEO:
		set_line(media, leg, &order->video);
		break;
	case MEDIA_ORDER_LEG_SHOW:
		line = line_of(leg, order->show.line);
		if (line != NULL)
			line->show = order->show;
		break;
	case MEDIA_ORDER_LEG_DATA:
		video = video_of(media, leg);
		if (video != NULL)
			video->data = order->data;
		break;
	case MEDIA_ORDER_LEG_DATA_SEND:
		send_data(media, leg, &order->packet, now_us);
		break;
	default:
		break;
	}
}

/* ---- Canvases ------------------------------------------------------------------------------ */

void
video_canvas(struct media *media, const struct media_canvas *order, int64_t now_us)
{
	struct media_canvas *found = NULL;
	struct media_canvas *unused = NULL;
	(void)now_us;
	CHECK(order->id != 0);
	for (unsigned i = 0; i < CANVASES_MAX; i++) {
		struct media_canvas *canvas = &media->video->canvases[i];
		if (canvas->id == order->id)
			found = canvas;
		else if (canvas->id == 0 && unused == NULL)
			unused = canvas;
	}
	if (found == NULL)
		found = unused;
	if (found == NULL) {
		free(order->canvas);
		return;
	}
	free(found->canvas);
	*found = *order;
	if (order->canvas == NULL)
		found->id = 0;
}

/* ---- The codec process --------------------------------------------------------------------- */

void
media_codec_input(struct media *media, const struct codec_message *message, int64_t now_us)
{
	(void)message;
	media->now_us = now_us;
}

void
media_codec_attached(struct media *media, bool attached, int64_t now_us)
{
	media->now_us = now_us;
	media->video->codec_attached = attached;
}

void
media_flush(struct media *media, int64_t now_us)
{
	media->now_us = now_us;
}

/* ---- Life ---------------------------------------------------------------------------------- */

int
video_create(struct media *media)
{
	media->video = calloc(1, sizeof *media->video);
	return media->video != NULL ? 0 : -ENOMEM;
}

void
video_destroy(struct media *media)
{
	if (media->video == NULL)
		return;
	for (unsigned i = 0; i < CANVASES_MAX; i++)
		free(media->video->canvases[i].canvas);
	free(media->video);
	media->video = NULL;
}
