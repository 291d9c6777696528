/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in: which track and layer a packet belongs to, what is missing of it, who gets it. */
#include <stdlib.h>
#include <string.h>

#include "worker/media_video_internal.h"

enum {
	NACKS_MAX = 128,         /* numbers asked for in one message */
	RATE_DECAY_PCT = 97,     /* of the remembered maximum, each VIDEO_TICK_US */
	RTX_HEADER_BYTES = 2,
	FIRST_KEY_AGAIN_US = 1000 * 1000,
	/* A room ends its content by sending no more; a browser says so, and its screen may stand still. */
	ROOM_CONTENT_SILENT_US = 10 * 1000 * 1000,
};

/* ---- Layers -------------------------------------------------------------------------------- */

bool
video_rx_muted(const struct video_rx *rx)
{
	return rx->leg->flags.rx_video_muted || !rx->line->agreed.receive;
}

bool
video_rx_flows(const struct video_rx *rx)
{
	if (video_rx_muted(rx))
		return false;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++)
		if (rx->layers[i].flows)
			return true;
	return false;
}

/* Tells control about the largest picture that flows, when that is news. */
static void
tell(struct media *media, struct video_rx *rx)
{
	struct media_picture now = { .track = rx->line->agreed.track,
		                     .flows = video_rx_flows(rx) };
	rx->stale = false;
	for (unsigned i = 0; now.flows && i < VIDEO_LAYERS_MAX; i++) {
		const struct video_layer *layer = &rx->layers[i];
		if (!layer->flows || (now.codec != VIDEO_CODEC_NONE && layer->height <= now.height))
			continue;
		now.codec = layer->codec;
		now.width = layer->width;
		now.height = layer->height;
	}
	const struct media_picture *told = &rx->told;
	if (now.flows == told->flows && now.codec == told->codec && now.width == told->width &&
	    now.height == told->height && now.track == told->track)
		return;
	if (!now.flows && !told->flows)
		return;
	rx->told = now;
	struct media_event event = { .kind = MEDIA_EVENT_LEG_PICTURE, .leg = rx->leg->id };
	event.picture = now;
	media->settings.sink.event(media->settings.sink.context, &event);
}

/* Other layers can be chosen now, or fewer. */
static void
layers_changed(struct media *media, struct video_rx *rx)
{
	rx->stale = true;
	media->video->dirty = true;
	video_plan_subscribers(media, &rx->feed);
}

static void
layer_begin(struct media *media, struct video_rx *rx, struct video_layer *layer, uint32_t ssrc)
{
	const bool flowed = layer->flows;
	/* The first is what receivers may wait for already. */
	if (layer->known)
		layer->epoch++;
	layer->ssrc = ssrc;
	layer->known = true;
	layer->flows = false;
	layer->temporal_max = 0;
	rtp_receive_init(&layer->receive, VIDEO_CLOCK_HZ);
	nack_init(&layer->nack, &(struct nack_settings){ 0 });
	layer->last_sr = (struct rtcp_last_sr){ 0 };
	layer->clock = (struct sender_clock){ 0 };
	layer->times = (struct video_times){ 0 };
	layer->sets = (struct h264_sets){ 0 };
	layer->demand = VIDEO_DEMAND_BASE;
	packet_put(layer->sets_packet);
	layer->sets_packet = NULL;
	if (rx->decode.layer == (unsigned)(layer - rx->layers))
		rx->decode.layer = VIDEO_NO_LAYER;
	if (flowed)
		layers_changed(media, rx);
}

uint8_t
video_rx_first(const struct video_rx *rx)
{
	const uint8_t count = rx->line->agreed.rid_count;
	return count > 1 ? (uint8_t)(count - 1) : 0;
}

struct video_rx *
video_rx_create(struct media *media, struct media_leg *leg, struct video_line *line)
{
	struct video_rx *rx = calloc(1, sizeof *rx);
	if (rx == NULL)
		return NULL;
	rx->leg = leg;
	rx->line = line;
	feed_init(&rx->feed);
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		struct video_layer *layer = &rx->layers[i];
		rate_meter_init(&layer->rate);
		rate_meter_init(&layer->temporal_rate[0]);
		rate_meter_init(&layer->temporal_rate[1]);
	}
	const struct frame_build_settings build = video_build_settings(rx);
	frame_build_init(&rx->decode.build, &build);
	rx->decode.layer = VIDEO_NO_LAYER;
	rx->decode.wanted = VIDEO_NO_LAYER;
	link_append(&media->video->receivers, &rx->link);
	return rx;
}

void
video_rx_destroy(struct media *media, struct video_rx *rx)
{
	if (rx == NULL)
		return;
	feed_end(media, &rx->feed);
	codec_forget(media, rx);
	frame_build_fini(&rx->decode.build);
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++)
		packet_put(rx->layers[i].sets_packet);
	link_remove(&rx->link);
	media->video->dirty = true;
	free(rx);
}

void
video_rx_agreed(struct media *media, struct video_rx *rx)
{
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX && !rx->line->agreed.receive; i++)
		rx->layers[i].flows = false;
	layers_changed(media, rx);
	tell(media, rx);
}

/* ---- Telling streams apart ----------------------------------------------------------------- */

static const struct media_video_payload *
payload_of(const struct video_line *line, uint8_t payload_type, bool *rtx)
{
	if (payload_type == VIDEO_NO_PAYLOAD_TYPE)
		return NULL;
	for (unsigned i = 0; i < line->agreed.payload_count; i++) {
		const struct media_video_payload *payload = &line->agreed.payloads[i];
		*rtx = payload->rx_rtx_payload_type == payload_type;
		if (*rtx || payload->rx_payload_type == payload_type)
			return payload;
	}
	return NULL;
}

static struct str
ext_text(const struct rtp_packet *packet, uint8_t id)
{
	struct rtp_ext ext;
	if (id == 0 || !rtp_ext_find(packet, id, &ext))
		return STR("");
	return (struct str){ .at = (const char *)ext.value, .len = ext.len };
}

static bool
receives(const struct video_line *line)
{
	return line != NULL && line->rx != NULL && line->agreed.receive;
}

static uint8_t
line_by_mid(const struct leg_video *video, struct str mid)
{
	for (unsigned i = 0; i < video->line_count; i++)
		if (receives(video->lines[i]) && str_eq(str_of(video->lines[i]->agreed.mid), mid))
			return (uint8_t)i;
	return VIDEO_NO_LINE;
}

/* The only line that receives this payload type; `*lines` says how many there are. */
static uint8_t
line_by_payload(const struct leg_video *video, uint8_t payload_type, unsigned *lines)
{
	uint8_t found = VIDEO_NO_LINE;
	bool rtx;
	*lines = 0;
	for (unsigned i = 0; i < video->line_count; i++) {
		if (!receives(video->lines[i]) ||
		    payload_of(video->lines[i], payload_type, &rtx) == NULL)
			continue;
		found = (uint8_t)i;
		++*lines;
	}
	return *lines == 1 ? found : VIDEO_NO_LINE;
}

static uint8_t
layer_by_rid(const struct media_video_settings *agreed, struct str rid)
{
	for (unsigned i = 0; i < agreed->rid_count; i++)
		if (str_eq(str_of(agreed->rids[i]), rid))
			return (uint8_t)i;
	return VIDEO_NO_LAYER;
}

static struct video_ssrc *
ssrc_find(struct leg_video *video, uint32_t ssrc)
{
	for (unsigned i = 0; i < video->ssrc_count; i++)
		if (video->ssrcs[i].ssrc == ssrc)
			return &video->ssrcs[i];
	return NULL;
}

/* One SSRC for each purpose: a new one takes the old one's place. */
static struct video_ssrc *
ssrc_put(struct leg_video *video, const struct video_ssrc *ssrc)
{
	unsigned at = 0;
	while (at < video->ssrc_count &&
	       (video->ssrcs[at].line != ssrc->line || video->ssrcs[at].layer != ssrc->layer ||
	        video->ssrcs[at].rtx != ssrc->rtx))
		at++;
	if (at == VIDEO_SSRCS_MAX) {
		memmove(video->ssrcs, video->ssrcs + 1, (at - 1) * sizeof video->ssrcs[0]);
		at--;
	} else if (at == video->ssrc_count) {
		video->ssrc_count++;
	}
	video->ssrcs[at] = *ssrc;
	return &video->ssrcs[at];
}

/* RFC 8843 s9.2: by MID, else by a payload type that only one line has; and RFC 8852's RIDs tell
 * the layer.  `*ours`: it is about pictures, though perhaps of no use. */
static struct video_ssrc *
ssrc_learn(struct media *media, struct leg_video *video, const struct rtp_packet *packet,
           bool *ours)
{
	unsigned lines;
	bool rtx = false;
	const struct str mid = ext_text(packet, video->mid_ext_id);
	uint8_t at = line_by_payload(video, packet->payload_type, &lines);
	*ours = lines != 0;
	if (mid.len != 0) {
		at = line_by_mid(video, mid);
		*ours = *ours && at != VIDEO_NO_LINE;
	}
	if (at == VIDEO_NO_LINE)
		return NULL;
	struct video_line *line = video->lines[at];
	if (payload_of(line, packet->payload_type, &rtx) == NULL)
		return NULL;
	struct video_ssrc found = { .ssrc = packet->ssrc, .line = at, .rtx = rtx };
	if (line->agreed.rid_count != 0) {
		const struct str rid = ext_text(packet, rtx ? video->repaired_rid_ext_id
		                                            : video->rid_ext_id);
		found.layer = layer_by_rid(&line->agreed, rid);
		if (found.layer == VIDEO_NO_LAYER)
			return NULL;
	}
	struct video_layer *layer = &line->rx->layers[found.layer];
	if (rtx) {
		layer->rtx_ssrc = packet->ssrc;
		layer->rtx_known = true;
		rtp_receive_init(&layer->rtx_receive, VIDEO_CLOCK_HZ);
	} else {
		layer_begin(media, line->rx, layer, packet->ssrc);
	}
	return ssrc_put(video, &found);
}

/* ---- One packet ---------------------------------------------------------------------------- */

/* Not every receiver takes every profile. */
static void
learn_demand(struct media *media, struct video_rx *rx, struct video_layer *layer)
{
	struct h264_sps sps;
	if (!h264_sets_sps(&layer->sets, &sps) || h264_demand(&sps) == layer->demand)
		return;
	layer->demand = (uint8_t)h264_demand(&sps);
	layers_changed(media, rx);
}

/* Parameter sets are kept for receivers that come later to a sender that repeats none. */
static void
keep_sets(struct media *media, struct video_rx *rx, struct video_layer *layer,
          const uint8_t *payload, size_t len)
{
	struct h264_walk walk;
	struct h264_piece piece;
	bool changed = false;
	if (h264_walk_init(&walk, payload, len) != VIDEO_OK)
		return;
	while (h264_walk_next(&walk, &piece))
		if (!piece.fragment && h264_sets_keep(&layer->sets, piece.bytes, piece.len))
			changed = true;
	if (!changed)
		return;
	learn_demand(media, rx, layer);
	if (!h264_sets_complete(&layer->sets))
		return;
	struct packet *packet = packet_take(media->video->pool, NULL, PACKET_PAYLOAD_BYTES_MAX);
	if (packet == NULL)
		return;
	struct writer w = writer_of(packet->payload, VIDEO_PAYLOAD_BYTES_MAX);
	h264_sets_write_stap(&layer->sets, &w);
	if (w.failed || video_facts_parse(&packet->facts, VIDEO_CODEC_H264, packet->payload, w.at) !=
	                        VIDEO_OK) {
		packet_put(packet);
		return;
	}
	packet->len = (uint16_t)w.at;
	packet->codec = VIDEO_CODEC_H264;
	packet->demand = layer->demand;
	packet_put(layer->sets_packet);
	layer->sets_packet = packet;
}

static void
note(struct media *media, struct video_rx *rx, struct video_layer *layer,
     const struct packet *packet, int64_t now_us)
{
	const struct video_facts *facts = &packet->facts;
	const uint32_t bytes = packet->len;
	layer->heard_us = now_us;
	rate_meter_input(&layer->rate, bytes, now_us);
	if (facts->temporal == 0)
		rate_meter_input(&layer->temporal_rate[0], bytes, now_us);
	if (facts->temporal <= 1)
		rate_meter_input(&layer->temporal_rate[1], bytes, now_us);
	if (facts->temporal > layer->temporal_max)
		layer->temporal_max = facts->temporal;
	if (packet->marker)
		layer->frames++;
	if (layer->codec != packet->codec) {
		layer->codec = packet->codec;
		rx->stale = true;
		video_plan_subscribers(media, &rx->feed);
	}
	if (facts->width != 0 && (facts->width != layer->width || facts->height != layer->height)) {
		layer->width = facts->width;
		layer->height = facts->height;
		layers_changed(media, rx);
	}
	/* Pictures come, but none that can be begun with: control waits to hear of them, and receivers
	 * may want this layer. */
	if (!facts->key_start && !layer->flows && !video_rx_muted(rx) &&
	    now_us - layer->keys.asked_us >= FIRST_KEY_AGAIN_US)
		video_rx_want_key(media, rx, (unsigned)(layer - rx->layers), now_us);
	if (facts->key_start) {
		key_requests_came(&layer->keys);
		if (!layer->flows) {
			layer->flows = true;
			layers_changed(media, rx);
		}
	}
	if (rx->stale && packet->marker)
		tell(media, rx);
}

/* A packet of a layer, in whatever way it came. */
struct arrival {
	const struct rtp_packet *packet;
	const uint8_t *payload;
	size_t len;
	int64_t seq;
	uint8_t codec;
	bool redundant; /* sent again by a sender that wants to know what its line carries */
};

static uint8_t
orientation_of(const struct leg_video *video, const struct rtp_packet *packet)
{
	struct rtp_ext ext;
	if (video->orientation_ext_id == 0 ||
	    !rtp_ext_find(packet, video->orientation_ext_id, &ext) || ext.len < 1)
		return PACKET_NO_ORIENTATION;
	return ext.value[0];
}

static void
take(struct media *media, struct video_rx *rx, unsigned index, const struct arrival *arrival,
     int64_t now_us)
{
	struct video_layer *layer = &rx->layers[index];
	if (rx->line->agreed.nack) {
		nack_input(&layer->nack, arrival->seq, now_us);
		if (layer->nack.count != 0)
			video_wake(media, rx->leg, nack_deadline(&layer->nack));
	}
	if (arrival->len > PACKET_PAYLOAD_BYTES_MAX) {
		layer->unreadable++;
		return;
	}
	struct packet *packet = packet_take(media->video->pool, arrival->payload, arrival->len);
	if (packet == NULL) {
		media->video->lost_pool++;
		return;
	}
	packet->timestamp_rtp = arrival->packet->timestamp_rtp;
	packet->seq = arrival->seq;
	packet->arrived_us = now_us;
	packet->heard_us = sync_picture(media, rx, layer, packet->timestamp_rtp, now_us);
	packet->source = stream_of_layer(rx, index);
	packet->codec = arrival->codec;
	packet->marker = arrival->packet->marker;
	packet->orientation = orientation_of(rx->leg->video, arrival->packet);
	if (arrival->len != 0 && video_facts_parse(&packet->facts, (enum video_codec)packet->codec,
	                                           packet->payload, packet->len) != VIDEO_OK) {
		layer->unreadable++;
		packet_put(packet);
		return;
	}
	if (packet->facts.parameter_sets && packet->codec == VIDEO_CODEC_H264)
		keep_sets(media, rx, layer, packet->payload, packet->len);
	if (packet->codec == VIDEO_CODEC_H264)
		packet->demand = layer->demand;
	if (!arrival->redundant)
		note(media, rx, layer, packet, now_us);
	if (!video_rx_muted(rx)) {
		feed_input(media, &rx->feed, packet, layer->sets_packet, now_us);
		codec_input(media, rx, index, packet, now_us);
	}
	packet_put(packet);
}

static void
input_media(struct media *media, struct video_rx *rx, const struct video_ssrc *ssrc,
            const struct rtp_packet *packet, int64_t now_us)
{
	bool rtx = false;
	struct video_layer *layer = &rx->layers[ssrc->layer];
	const struct media_video_payload *payload =
		payload_of(rx->line, packet->payload_type, &rtx);
	if (payload == NULL || rtx)
		return;
	switch (rtp_receive_input(&layer->receive, packet, now_us)) {
	case RTP_VERDICT_DUPLICATE:
	case RTP_VERDICT_OLD:
	case RTP_VERDICT_JUMP:
		return;
	case RTP_VERDICT_RESTART:
		layer->epoch++;
		nack_init(&layer->nack, &(struct nack_settings){ 0 });
		layer->flows = false;
		rx->decode.layer = VIDEO_NO_LAYER;
		layers_changed(media, rx);
		break;
	case RTP_VERDICT_NEW:
	case RTP_VERDICT_LATE:
	case RTP_VERDICT_PROBATION:
		break;
	}
	const struct arrival arrival = {
		.packet = packet,
		.payload = rtp_payload(packet),
		.len = packet->payload_len,
		.seq = rtp_seq_extend(&layer->receive.seq, packet->seq),
		.codec = payload->codec,
	};
	take(media, rx, ssrc->layer, &arrival, now_us);
}

/* RFC 4588 s4: the original's number stands in front of its payload. */
static void
input_rtx(struct media *media, struct video_rx *rx, const struct video_ssrc *ssrc,
          const struct rtp_packet *packet, int64_t now_us)
{
	bool rtx = false;
	uint16_t seq;
	struct video_layer *layer = &rx->layers[ssrc->layer];
	const struct media_video_payload *payload =
		payload_of(rx->line, packet->payload_type, &rtx);
	const enum rtp_verdict verdict = rtp_receive_input(&layer->rtx_receive, packet, now_us);
	if (payload == NULL || !rtx || !layer->known || !layer->receive.seq.started ||
	    verdict == RTP_VERDICT_DUPLICATE ||
	    !rtx_read(rtp_payload(packet), packet->payload_len, &seq))
		return;
	const int64_t original = rtp_seq_extend(&layer->receive.seq, seq);
	const struct arrival arrival = {
		.packet = packet,
		.payload = rtp_payload(packet) + RTX_HEADER_BYTES,
		.len = packet->payload_len - RTX_HEADER_BYTES,
		.seq = original,
		.codec = payload->codec,
		.redundant = !nack_is_missing(&layer->nack, original),
	};
	/* One that is newer than all we have is not asked for: a probe of the sender's. */
	if (arrival.seq <= layer->receive.seq.highest)
		take(media, rx, ssrc->layer, &arrival, now_us);
}

bool
video_input(struct media *media, struct media_leg *leg, const struct rtp_packet *packet,
            size_t wire_len, int64_t now_us)
{
	struct leg_video *video = leg->video;
	struct rtp_ext ext;
	if (rtp_ext_find(packet, video->twcc_ext_id, &ext) && ext.len == 2) {
		const uint16_t seq = (uint16_t)((unsigned)ext.value[0] << 8 | ext.value[1]);
		twcc_receive_input(&video->twcc_in, seq, packet->ssrc, wire_len, now_us);
		video_wake(media, leg, twcc_receive_deadline(&video->twcc_in));
	}
	/* Sound is known by what it was last time. */
	if (packet->ssrc == leg->rx_ssrc && leg->receive.packets != 0)
		return false;
	bool ours = true;
	const struct video_ssrc *ssrc = ssrc_find(video, packet->ssrc);
	if (ssrc == NULL)
		ssrc = ssrc_learn(media, video, packet, &ours);
	if (ssrc == NULL)
		return ours;
	struct video_line *line = video->lines[ssrc->line];
	if (!receives(line))
		return true;
	if (ssrc->rtx)
		input_rtx(media, line->rx, ssrc, packet, now_us);
	else
		input_media(media, line->rx, ssrc, packet, now_us);
	return true;
}

bool
video_is_rtx(const struct media_leg *leg, uint8_t payload_type)
{
	bool rtx = false;
	for (unsigned i = 0; i < leg->video->line_count; i++)
		if (receives(leg->video->lines[i]) &&
		    payload_of(leg->video->lines[i], payload_type, &rtx) != NULL)
			return rtx;
	return false;
}

/* ---- What we ask of the sender ------------------------------------------------------------- */

void
video_rx_want_key(struct media *media, struct video_rx *rx, unsigned layer, int64_t now_us)
{
	CHECK(layer < VIDEO_LAYERS_MAX);
	key_requests_want(&rx->layers[layer].keys, now_us);
	video_wake(media, rx->leg,
	           key_requests_deadline(&rx->layers[layer].keys, rx->leg->rtt_us));
}

static void
ask_key(struct media *media, struct video_rx *rx, struct video_layer *layer)
{
	const uint32_t own = video_own_ssrc(rx->leg);
	const struct media_video_settings *agreed = &rx->line->agreed;
	if (!agreed->pli && !agreed->fir) {
		media_event(media, rx->leg, MEDIA_EVENT_LEG_KEY_WANTED, 0, agreed->line);
		return;
	}
	struct writer w = transport_rtcp_begin(media, rx->leg);
	if (agreed->pli) {
		rtcp_fb_write_pli(&w, own, layer->ssrc);
	} else {
		const struct rtcp_fir fir = { .ssrc = layer->ssrc, .seq = layer->fir_seq++ };
		rtcp_fb_write_fir(&w, own, &fir, 1);
	}
	transport_rtcp_send(media, rx->leg, &w);
}

static void
ask_missing(struct media *media, struct video_rx *rx, struct video_layer *layer, int64_t now_us)
{
	uint16_t seqs[NACKS_MAX];
	nack_set_rtt(&layer->nack, rx->leg->rtt_us);
	const size_t count = nack_take(&layer->nack, seqs, NACKS_MAX, now_us);
	if (count != 0 && !video_rx_muted(rx)) {
		struct writer w = transport_rtcp_begin(media, rx->leg);
		rtcp_fb_write_nack(&w, video_own_ssrc(rx->leg), layer->ssrc, seqs,
		                   (unsigned)count);
		transport_rtcp_send(media, rx->leg, &w);
	}
	(void)nack_take_given_up(&layer->nack); /* whoever misses it asks for a key frame himself */
}

void
video_rx_serve(struct media *media, struct video_rx *rx, int64_t now_us)
{
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		struct video_layer *layer = &rx->layers[i];
		if (!layer->known)
			continue;
		if (layer->nack.count != 0 && nack_deadline(&layer->nack) <= now_us)
			ask_missing(media, rx, layer, now_us);
		if (key_requests_due(&layer->keys, rx->leg->rtt_us, now_us))
			ask_key(media, rx, layer);
	}
	codec_serve(media, rx, now_us);
}

int64_t
video_rx_deadline(const struct video_rx *rx)
{
	int64_t deadline_us = rx->decode.layer != VIDEO_NO_LAYER
	                              ? frame_build_deadline(&rx->decode.build)
	                              : INT64_MAX;
	if (codec_deadline(rx) < deadline_us)
		deadline_us = codec_deadline(rx);
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		const struct video_layer *layer = &rx->layers[i];
		if (!layer->known)
			continue;
		const int64_t key_us = key_requests_deadline(&layer->keys, rx->leg->rtt_us);
		const int64_t nack_us =
			layer->nack.count != 0 ? nack_deadline(&layer->nack) : INT64_MAX;
		if (key_us < deadline_us)
			deadline_us = key_us;
		if (nack_us < deadline_us)
			deadline_us = nack_us;
	}
	return deadline_us;
}

/* ---- Time ---------------------------------------------------------------------------------- */

static int64_t
silent_us(const struct video_rx *rx)
{
	const struct media_video_settings *agreed = &rx->line->agreed;
	if (agreed->rid_count > 1)
		return agreed->track == VIDEO_TRACK_CONTENT ? VIDEO_QUIET_DETAIL_US
		                                            : VIDEO_QUIET_US;
	if (agreed->track == VIDEO_TRACK_MAIN)
		return VIDEO_SILENT_US;
	return rx->leg->open.transport == MEDIA_TRANSPORT_SHARED ? CODEC_CONTENT_SILENT_US
	                                                         : ROOM_CONTENT_SILENT_US;
}

static int64_t
decayed(int64_t before, int64_t bps)
{
	const int64_t kept = before * RATE_DECAY_PCT / 100;
	return bps > kept ? bps : kept;
}

void
video_rx_tick(struct media *media, struct video_rx *rx, int64_t now_us)
{
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		struct video_layer *layer = &rx->layers[i];
		if (!layer->known)
			continue;
		layer->bps = decayed(layer->bps, rate_meter_bps_at(&layer->rate, now_us));
		for (unsigned t = 0; t < COUNT_OF(layer->temporal_bps); t++)
			layer->temporal_bps[t] =
				decayed(layer->temporal_bps[t],
			                rate_meter_bps_at(&layer->temporal_rate[t], now_us));
		if (now_us - layer->frames_us >= 1000000) {
			layer->frame_rate = frames_a_second(layer->frames, now_us - layer->frames_us);
			layer->frames = 0;
			layer->frames_us = now_us;
		}
		if (layer->flows && now_us - layer->heard_us > silent_us(rx)) {
			layer->flows = false;
			layers_changed(media, rx);
		}
	}
	if (rx->stale)
		tell(media, rx);
	bandwidth_bound(media, rx, now_us);
}
