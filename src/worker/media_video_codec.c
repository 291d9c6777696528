/* SPDX-License-Identifier: Apache-2.0 */
/* The codec process of this worker: which tracks it is fed with, which canvases and encodes it has,
 * and its frames made packets.  It is not trusted: what it says is looked at like a network's. */
#include <string.h>

#include "video/h264.h"
#include "video/vp8.h"
#include "worker/media_video_internal.h"

enum {
	ENCODE_INDEX_BITS = 8,
	HELD_MASK = VIDEO_HELD_MAX - 1,
	/* Who is sent a composed picture shows it when it comes, and plays sound when it comes: pictures wait
	 * for theirs, less what composing takes. */
	HOLD_US_MAX = 250 * 1000,
	COMPOSING_US = 25 * 1000,
};

static_assert(CODEC_ENCODES_MAX == 1 << ENCODE_INDEX_BITS, "an id holds its index");

static bool
post(struct media *media, const struct codec_message *message)
{
	if (!media->video->attached)
		return false;
	CHECK(media->settings.sink.codec != NULL);
	return media->settings.sink.codec(media->settings.sink.context, message);
}

/* Orders are kept by the shell when there is no room: nothing to do here. */
static void
post_order(struct media *media, enum codec_message_kind kind, uint32_t id,
           const struct codec_encode *encode)
{
	struct codec_message message = { .kind = (uint8_t)kind, .id = id };
	if (encode != NULL)
		message.encode = *encode;
	(void)post(media, &message);
}

/* ---- Canvases ------------------------------------------------------------------------------ */

struct video_canvas *
codec_canvas(struct media *media, uint32_t id)
{
	for (unsigned i = 0; i < CODEC_CANVASES_MAX && id != 0; i++)
		if (media->video->canvases[i].id == id)
			return &media->video->canvases[i];
	return NULL;
}

static void
show_canvases(struct media *media)
{
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++) {
		struct video_canvas *canvas = &media->video->canvases[i];
		if (canvas->id == 0)
			continue;
		if (canvas->shown && !canvas->sent && media->video->attached) {
			const struct codec_message message = { .kind = CODEC_CANVAS_SET,
				                               .id = canvas->id,
				                               .canvas = canvas->canvas };
			(void)post(media, &message);
			canvas->sent = true;
		} else if (!canvas->shown && canvas->sent) {
			post_order(media, CODEC_CANVAS_CLOSE, canvas->id, NULL);
			canvas->sent = false;
		}
	}
}

/* ---- Encodes ------------------------------------------------------------------------------- */

static bool
spec_eq(const struct codec_encode *a, const struct codec_encode *b)
{
	return a->canvas == b->canvas && a->source == b->source && a->codec == b->codec &&
	       a->fps == b->fps && a->single_nals == b->single_nals && a->detail == b->detail &&
	       a->width == b->width && a->height == b->height && a->bps == b->bps;
}

struct video_encode *
codec_encode_for(struct media *media, const struct codec_encode *spec)
{
	struct video_machine *video = media->video;
	struct video_encode *unused = NULL;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		struct video_encode *encode = &video->encodes[i];
		if (encode->id == 0 && unused == NULL)
			unused = encode;
		if (encode->id != 0 && spec_eq(&encode->spec, spec))
			return encode;
	}
	if (unused == NULL)
		return NULL;
	unused->generation = (uint16_t)(unused->generation + 1);
	if (unused->generation == 0)
		unused->generation = 1;
	unused->id = (uint32_t)unused->generation << ENCODE_INDEX_BITS |
	             (uint32_t)(unused - video->encodes);
	unused->spec = *spec;
	unused->keys = (struct key_requests){ .gap_us = VIDEO_ENCODE_KEY_US };
	unused->seq = 0;
	video->encode_count++;
	media->counters.encodes++;
	video->dirty = true;
	post_order(media, CODEC_ENCODE_OPEN, unused->id, spec);
	return unused;
}

struct video_encode *
codec_encode_of(struct media *media, uint32_t id)
{
	struct video_encode *encode =
		&media->video->encodes[id & ((1u << ENCODE_INDEX_BITS) - 1)];
	return id != 0 && encode->id == id ? encode : NULL;
}

static void
close_encode(struct media *media, struct video_encode *encode)
{
	post_order(media, CODEC_ENCODE_CLOSE, encode->id, NULL);
	encode->id = 0;
	media->video->encode_count--;
	media->counters.encodes--;
}

/* An encode begins with a key frame of itself: that one needs not be asked for. */
void
codec_want_key(struct media *media, struct video_encode *encode, int64_t now_us)
{
	if (encode->seq == 0)
		return;
	key_requests_want(&encode->keys, now_us);
	codec_serve_key(media, encode, now_us);
}

void
codec_serve_key(struct media *media, struct video_encode *encode, int64_t now_us)
{
	if (key_requests_due(&encode->keys, 0, now_us))
		post_order(media, CODEC_ENCODE_KEY, encode->id, NULL);
}

/* ---- What is decoded ----------------------------------------------------------------------- */

/* The smallest layer that is as high as what is made of it; else the largest there is. */
static uint8_t
layer_for(const struct video_rx *rx, uint16_t height)
{
	uint8_t found = VIDEO_NO_LAYER;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		const struct video_layer *layer = &rx->layers[i];
		if (!layer->flows)
			continue;
		if (found == VIDEO_NO_LAYER) {
			found = (uint8_t)i;
			continue;
		}
		const uint16_t best = rx->layers[found].height;
		const bool better = best < height ? layer->height > best
		                                  : layer->height >= height && layer->height < best;
		if (better)
			found = (uint8_t)i;
	}
	return found;
}

static struct video_held
take_held(struct video_decode *decode)
{
	const struct video_held held = decode->held[decode->held_first];
	decode->held_first = (decode->held_first + 1) & HELD_MASK;
	decode->held_count--;
	return held;
}

void
codec_forget(struct media *media, struct video_rx *rx)
{
	struct video_decode *decode = &rx->decode;
	while (decode->held_count != 0)
		packet_put(take_held(decode).packet);
	const struct frame_build_settings build = video_build_settings(rx);
	if (decode->fed) {
		const struct codec_message close = {
			.kind = CODEC_SOURCE_CLOSE,
			.source = video_source(rx->leg->id,
			                       (enum video_track)rx->line->agreed.track),
		};
		(void)post(media, &close);
		media->counters.decodes--;
	}
	decode->fed = false;
	if (decode->layer != VIDEO_NO_LAYER) {
		frame_build_fini(&decode->build);
		frame_build_init(&decode->build, &build);
	}
	decode->layer = VIDEO_NO_LAYER;
	decode->wanted = VIDEO_NO_LAYER;
}

static void
need(struct video_rx *rx, uint32_t height)
{
	if (rx != NULL && height > rx->decode.height)
		rx->decode.height = (uint16_t)height;
}

/* Each pane needs its source as high as it is drawn in this encode. */
static void
need_panes(struct media *media, const struct video_encode *encode)
{
	struct video_canvas *canvas = codec_canvas(media, encode->spec.canvas);
	if (canvas == NULL)
		return;
	canvas->shown = true;
	if (canvas->canvas->screen != CANVAS_SCREEN_PANES)
		return;
	for (unsigned i = 0; i < canvas->canvas->pane_count && i < CANVAS_PANES_MAX; i++) {
		const struct canvas_pane *pane = &canvas->canvas->panes[i];
		const uint32_t height = (uint32_t)pane->height * encode->spec.height / CANVAS_HEIGHT;
		if (pane->source != 0)
			need(video_rx_of(media, pane->source), height != 0 ? height : 1);
	}
}

static void
decode_track(struct media *media, struct video_rx *rx, int64_t now_us)
{
	struct video_decode *decode = &rx->decode;
	if (decode->height == 0 || !media->video->attached || video_rx_muted(rx)) {
		codec_forget(media, rx);
		return;
	}
	decode->wanted = layer_for(rx, decode->height);
	if (decode->wanted == VIDEO_NO_LAYER)
		decode->wanted = video_rx_first(rx);
	else if (decode->layer != decode->wanted)
		video_rx_want_key(media, rx, decode->wanted, now_us);
}

void
codec_plan(struct media *media, int64_t now_us)
{
	struct video_machine *video = media->video;
	struct video_link *at;
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		video->canvases[i].shown = false;
	for (at = video->receivers.next; at != &video->receivers; at = at->next)
		CONTAINER_OF(at, struct video_rx, link)->decode.height = 0;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX && video->encode_count != 0; i++) {
		struct video_encode *encode = &video->encodes[i];
		if (encode->id == 0)
			continue;
		if (link_empty(&encode->feed.subscriptions))
			close_encode(media, encode);
		else if (encode->spec.canvas != 0)
			need_panes(media, encode);
		else
			need(video_rx_of(media, encode->spec.source), encode->spec.height);
	}
	show_canvases(media);
	for (at = video->receivers.next; at != &video->receivers; at = at->next)
		decode_track(media, CONTAINER_OF(at, struct video_rx, link), now_us);
	/* Closing an encode may have ended what made this necessary; nothing new came up. */
	video->dirty = false;
}

/* ---- Frames to it -------------------------------------------------------------------------- */

static void
feed_frame(struct media *media, struct video_rx *rx, const struct built_frame *frame)
{
	const struct codec_message message = {
		.kind = CODEC_SOURCE_FRAME,
		.source = video_source(rx->leg->id, (enum video_track)rx->line->agreed.track),
		.frame = { .captured_us = frame->first_us,
		           .codec = frame->codec,
		           .key = frame->key,
		           .rotation = frame->rotation,
		           .width = frame->width,
		           .height = frame->height },
		.bytes = media->video->frame,
		.len = frame->len,
	};
	media->counters.decodes += !rx->decode.fed;
	rx->decode.fed = true;
	if (!post(media, &message))
		frame_build_need_key(&rx->decode.build);
}

static void
feed_frames(struct media *media, struct video_rx *rx, int64_t now_us)
{
	struct built_frame frame;
	struct video_decode *decode = &rx->decode;
	while (frame_build_take(&decode->build, &frame, media->video->frame,
	                        VIDEO_FRAME_SCRATCH_BYTES, now_us))
		feed_frame(media, rx, &frame);
	struct video_layer *layer = &rx->layers[decode->layer];
	nack_forget(&layer->nack, frame_build_oldest(&decode->build));
	if (frame_build_key_wanted(&decode->build))
		video_rx_want_key(media, rx, decode->layer, now_us);
	video_wake(media, rx->leg, frame_build_deadline(&decode->build));
}

static void
switch_layer(struct video_rx *rx, unsigned layer)
{
	struct video_decode *decode = &rx->decode;
	const struct frame_build_settings build = video_build_settings(rx);
	frame_build_fini(&decode->build);
	frame_build_init(&decode->build, &build);
	frame_build_set_parameters(&decode->build, &rx->layers[layer].sets);
	decode->layer = (uint8_t)layer;
}

static void
decode_packet(struct media *media, struct video_rx *rx, unsigned layer, struct packet *packet,
              int64_t now_us)
{
	struct video_decode *decode = &rx->decode;
	/* Its sender may have begun anew since it came. */
	if (decode->wanted == VIDEO_NO_LAYER || packet->source != stream_of_layer(rx, layer))
		return;
	if (decode->layer != layer) {
		if (decode->wanted != layer || !packet->facts.key_start)
			return;
		switch_layer(rx, layer);
	}
	frame_build_input(&decode->build, packet, now_us);
	feed_frames(media, rx, now_us);
}

static void
decode_held(struct media *media, struct video_rx *rx, int64_t now_us)
{
	const struct video_held held = take_held(&rx->decode);
	decode_packet(media, rx, held.layer, held.packet, now_us);
	packet_put(held.packet);
}

/* What is shared has no sound. */
static int64_t
due_us(const struct video_rx *rx, const struct packet *packet, int64_t now_us)
{
	const int64_t due = packet->heard_us - COMPOSING_US;
	if (rx->line->agreed.track != VIDEO_TRACK_MAIN || due < now_us)
		return now_us;
	return due < now_us + HOLD_US_MAX ? due : now_us + HOLD_US_MAX;
}

void
codec_input(struct media *media, struct video_rx *rx, unsigned layer, struct packet *packet,
            int64_t now_us)
{
	struct video_decode *decode = &rx->decode;
	const int64_t due = due_us(rx, packet, now_us);
	if (layer != decode->wanted && layer != decode->layer)
		return;
	if (decode->held_count == 0 && due <= now_us) {
		decode_packet(media, rx, layer, packet, now_us);
		return;
	}
	if (decode->held_count == VIDEO_HELD_MAX)
		decode_held(media, rx, now_us);
	decode->held[(decode->held_first + decode->held_count++) & HELD_MASK] =
		(struct video_held){ packet_hold(packet), due, (uint8_t)layer };
	video_wake(media, rx->leg, codec_deadline(rx));
}

int64_t
codec_deadline(const struct video_rx *rx)
{
	const struct video_decode *decode = &rx->decode;
	return decode->held_count != 0 ? decode->held[decode->held_first].due_us : INT64_MAX;
}

void
codec_serve(struct media *media, struct video_rx *rx, int64_t now_us)
{
	while (codec_deadline(rx) <= now_us)
		decode_held(media, rx, now_us);
	if (rx->decode.layer != VIDEO_NO_LAYER &&
	    frame_build_deadline(&rx->decode.build) <= now_us)
		feed_frames(media, rx, now_us);
}

/* ---- Frames from it ------------------------------------------------------------------------ */

/* When the sound of a composed picture is heard: what is in it has waited for that. */
static int64_t
composed_us(const struct codec_frame *frame, int64_t now_us)
{
	const bool likely = frame->captured_us <= now_us &&
	                    frame->captured_us > now_us - VIDEO_QUEUE_US_MAX;
	return likely ? frame->captured_us : now_us;
}

static struct packet *
encode_packet(struct media *media, struct video_encode *encode, const struct codec_frame *frame,
              int64_t now_us)
{
	struct packet *packet = packet_take(media->video->pool, NULL, PACKET_PAYLOAD_BYTES_MAX);
	if (packet == NULL) {
		media->video->lost_pool++;
		return NULL;
	}
	packet->timestamp_rtp = (uint32_t)((uint64_t)frame->captured_us * 9 / 100);
	packet->arrived_us = now_us;
	packet->heard_us = composed_us(frame, now_us);
	packet->source = stream_of_encode(encode);
	packet->codec = encode->spec.codec;
	return packet;
}

/* `last` goes on the wire as the marker. */
static void
give(struct media *media, struct video_encode *encode, struct packet *packet, size_t len, bool last,
     int64_t now_us)
{
	packet->len = (uint16_t)len;
	packet->marker = last;
	packet->seq = ++encode->seq;
	if (video_facts_parse(&packet->facts, (enum video_codec)packet->codec, packet->payload,
	                      len) == VIDEO_OK) {
		if (packet->facts.key_start)
			key_requests_came(&encode->keys);
		feed_input(media, &encode->feed, packet, NULL, now_us);
	}
	packet_put(packet);
}

/* The packetizers of both codecs, as one. */
struct cutter {
	bool h264;
	struct h264_packetizer h264_cutter;
	struct vp8_packetizer vp8_cutter;
};

static void
cutter_init(struct cutter *cutter, struct video_encode *encode, const struct codec_message *message)
{
	cutter->h264 = encode->spec.codec == VIDEO_CODEC_H264;
	if (cutter->h264) {
		h264_packetizer_init(&cutter->h264_cutter, message->bytes, message->len,
		                     encode->spec.single_nals ? 0 : 1, VIDEO_PAYLOAD_BYTES_MAX);
		return;
	}
	encode->picture_id = (uint16_t)((encode->picture_id + 1) & 0x7fff);
	vp8_packetizer_init(&cutter->vp8_cutter, message->bytes, message->len, encode->picture_id,
	                    false, VIDEO_PAYLOAD_BYTES_MAX);
}

static bool
cutter_next(struct cutter *cutter, struct writer *w, bool *last)
{
	return cutter->h264 ? h264_packetizer_next(&cutter->h264_cutter, w, last)
	                    : vp8_packetizer_next(&cutter->vp8_cutter, w, last);
}

static void
input_frame(struct media *media, const struct codec_message *message, int64_t now_us)
{
	/* It may have been closed while the frame was on its way. */
	struct video_encode *encode = codec_encode_of(media, message->id);
	if (encode == NULL || message->frame.codec != encode->spec.codec || message->len == 0 ||
	    message->len > VIDEO_FRAME_BYTES_MAX)
		return;
	struct cutter cutter;
	cutter_init(&cutter, encode, message);
	for (;;) {
		bool last = false;
		struct packet *packet = encode_packet(media, encode, &message->frame, now_us);
		if (packet == NULL)
			return;
		struct writer w = writer_of(packet->payload, VIDEO_PAYLOAD_BYTES_MAX);
		if (!cutter_next(&cutter, &w, &last) || w.failed) {
			packet_put(packet);
			return;
		}
		give(media, encode, packet, w.at, last, now_us);
	}
}

void
media_codec_input(struct media *media, const struct codec_message *message, int64_t now_us)
{
	struct video_rx *rx;
	media->now_us = now_us;
	switch (message->kind) {
	case CODEC_FRAME:
		input_frame(media, message, now_us);
		break;
	case CODEC_SOURCE_KEY:
		rx = video_rx_of(media, message->source);
		if (rx == NULL || rx->decode.layer == VIDEO_NO_LAYER)
			break;
		frame_build_need_key(&rx->decode.build);
		video_rx_want_key(media, rx, rx->decode.layer, now_us);
		break;
	case CODEC_LOAD:
		media->counters.codec_load_pct = message->load.cpu_pct;
		break;
	default:
		break; /* orders are ours to give */
	}
}

/* A new process knows nothing: it is told all again, and needs key frames of all it is fed with. */
void
media_codec_attached(struct media *media, bool attached, int64_t now_us)
{
	struct video_machine *video = media->video;
	struct video_link *at;
	media->now_us = now_us;
	video->attached = false;
	for (at = video->receivers.next; at != &video->receivers; at = at->next)
		codec_forget(media, CONTAINER_OF(at, struct video_rx, link));
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		video->canvases[i].sent = false;
	video->attached = attached;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX && attached; i++)
		if (video->encodes[i].id != 0)
			post_order(media, CODEC_ENCODE_OPEN, video->encodes[i].id,
			           &video->encodes[i].spec);
	video->dirty = true;
}
