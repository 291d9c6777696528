/* SPDX-License-Identifier: Apache-2.0 */
/* What the lines of a leg carry, for the administrator. */
#include "worker/media_video_internal.h"

enum {
	LOSS_ALL_Q8 = 256,
};

/* Of the layers of a track the largest tells size and frames, all tell the rate. */
static void
stats_rx(struct video_rx *rx, struct media_video_direction_stats *out, int64_t now_us)
{
	const struct video_layer *best = NULL;
	int64_t lost = 0;
	int64_t received = 0;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		const struct video_layer *layer = &rx->layers[i];
		if (!layer->known)
			continue;
		const int64_t layer_lost = rtp_receive_lost(&layer->receive);
		lost += layer_lost > 0 ? layer_lost : 0;
		received += layer->receive.received;
		out->bit_rate_bps += (uint32_t)rate_meter_bps_at(&layer->rate, now_us);
		if (layer->flows && (best == NULL || layer->height > best->height))
			best = layer;
	}
	if (received > 0)
		out->loss_q16 = (uint16_t)(lost * UINT16_MAX / (lost + received));
	if (best == NULL)
		return;
	out->codec = best->codec;
	out->frame_rate = best->frame_rate;
	out->width = best->width;
	out->height = best->height;
	out->jitter_us = rtp_receive_jitter_us(&best->receive);
}

static void
stats_tx(const struct video_tx *tx, struct media_video_direction_stats *out, int64_t now_us)
{
	out->bit_rate_bps = (uint32_t)rate_meter_bps_at(&tx->rate, now_us);
	out->loss_q16 = (uint16_t)(tx->peer_block.fraction_lost * UINT16_MAX / LOSS_ALL_Q8);
	out->jitter_us = (uint32_t)((uint64_t)tx->peer_block.jitter_rtp * 1000000 / VIDEO_CLOCK_HZ);
	if (!tx->serves || out->bit_rate_bps == 0)
		return;
	out->codec = tx->codec;
	out->frame_rate = tx->frame_rate;
	out->width = tx->width;
	out->height = tx->height;
}

void
video_stats(struct media *media, struct media_leg *leg, int64_t now_us)
{
	const struct leg_video *video = leg->video;
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line == NULL || (!line->agreed.receive && !line->agreed.send))
			continue;
		struct media_event event = { .kind = MEDIA_EVENT_LEG_VIDEO_STATS, .leg = leg->id };
		struct media_video_stats *stats = &event.video_stats;
		stats->line = (uint8_t)i;
		stats->track = line->agreed.track;
		stats->rtt_us = (uint32_t)leg->rtt_us;
		stats->estimate_bps = (uint32_t)bwe_send_target_bps(&video->bwe);
		if (line->rx != NULL)
			stats_rx(line->rx, &stats->rx, now_us);
		if (line->tx != NULL) {
			stats_tx(line->tx, &stats->tx, now_us);
			stats->key_requests = line->tx->key_requests;
		}
		media->settings.sink.event(media->settings.sink.context, &event);
	}
}
