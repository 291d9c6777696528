/* SPDX-License-Identifier: Apache-2.0 */
/* How much each leg can take, who of its lines gets what of it, and what we ask senders to keep to. */
#include <string.h>

#include "worker/ladder.h"
#include "worker/media_video_internal.h"

enum {
	AUDIO_BPS = 64 * 1000,          /* of a transport whose estimate counts sound, too */
	TWCC_START_BPS = 1000 * 1000,
	PLAIN_START_BPS = 2000 * 1000,  /* peers that only report loss: the estimate grows slowly */
	PLAIN_PACE_BPS = 8 * 1000 * 1000, /* and their rate is known too roughly to be paced by */
	NARROW_PACE_BPS = 400 * 1000,
	WIDE_BPS = 1000 * 1000,         /* with more than that, what senders have paced already ... */
	WIDE_PACE_BPS = 4 * 1000 * 1000, /* ... is not held back for long: pictures shall come soon */
	THIN_PCT = 87,                  /* of its share: a picture that takes more does not fit */
	THIN_STILL_PCT = 75,            /* once it was found not to */
	SMALLER_PCT = 75,               /* of a layer: what is made in its place takes less */
	FIRST_HEIGHT = 720,             /* of a layer that did not tell its size */
	LEVEL_3_1 = 3600,               /* H.264 table A-1: macroblocks of a frame */
	LEVEL_4 = 8192,
	TRIAL_PCT = 240,                /* of what is given: the next rung with its headroom */
	TRIAL_GAP_US = 1000 * 1000,     /* between two */
	TRIAL_WAIT_US = 3 * 1000 * 1000, /* until what failed is tried again; twice as long each time, */
	TRIAL_WAIT_US_MAX = 6 * 1000 * 1000, /* up to this */
	TRIAL_LATE_US = 500 * 1000,     /* behind that gap it may still be told of */
	TRIAL_CALM_US = 2 * 1000 * 1000, /* without a spoilt picture, before more is tried */
	TRIAL_LOSS_Q8 = 5,              /* 2 % */
	QUALITY_HOLD_US = 2 * 1000 * 1000,
	FAIR_PCT = 80,                  /* of what is wanted is given */
	POOR_PCT = 40,
	FAIR_LOSS_Q8 = 13,              /* 5 % */
	POOR_LOSS_Q8 = 38,              /* 15 % */
	BOUND_US = 1000 * 1000,
	BOUND_LOSS_PCT = 5,             /* more than that and the sender is asked to send less */
	BOUND_CUT_PCT = 75,
	BOUND_GROW_PCT = 108,
	BOUND_BPS_MIN = 128 * 1000,
	BOUND_BPS_MAX = 8 * 1000 * 1000,
	BOUND_PACKETS_MIN = 20,
};

/* ---- What a line could be sent ------------------------------------------------------------- */

struct line_plan {
	struct video_tx *tx;
	struct video_rx *rx;      /* of a source */
	unsigned count;
	struct video_option options[ALLOCATE_OPTIONS_MAX];
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	enum video_codec codec;   /* of encodes */
};

static_assert((int)LADDER_RUNGS_MAX <= (int)ALLOCATE_OPTIONS_MAX, "each rung is an option");

static bool
option_eq(const struct video_option *a, const struct video_option *b)
{
	if (a->encoded != b->encoded)
		return false;
	return a->encoded ? a->rung == b->rung
	                  : a->layer == b->layer && a->temporal_max == b->temporal_max;
}

static void
add_option(struct line_plan *plan, struct allocate_wish *wish, const struct video_option *option,
           int64_t bps, uint16_t height)
{
	if (plan->count == ALLOCATE_OPTIONS_MAX)
		return;
	if (plan->count != 0 && bps <= wish->options[plan->count - 1].bitrate_bps)
		bps = wish->options[plan->count - 1].bitrate_bps + 1;
	wish->options[plan->count] =
		(struct allocate_option){ .bitrate_bps = bps, .height = height };
	plan->options[plan->count++] = *option;
	wish->option_count = (uint8_t)plan->count;
	if (plan->tx->serves && option_eq(option, &plan->tx->chosen))
		wish->current = (uint8_t)plan->count;
}

static uint16_t
height_of(const struct video_rx *rx, unsigned layer)
{
	if (rx->layers[layer].height != 0)
		return rx->layers[layer].height;
	return rx->line->agreed.rid_count > 1 ? (uint16_t)(FIRST_HEIGHT >> layer) : FIRST_HEIGHT;
}

static int64_t
bps_of(const struct video_rx *rx, unsigned layer)
{
	return rx->layers[layer].bps != 0 ? rx->layers[layer].bps
	                                  : ladder_guess_bps(height_of(rx, layer));
}

/* By the receiver's level.  Browsers say 3.1, whatever they can: each of them takes 1080p. */
static bool
has_room(const struct media_video_payload *payload, const struct video_layer *layer)
{
	const uint32_t macroblocks = (layer->width + 15u) / 16 * ((layer->height + 15u) / 16);
	const uint32_t most = payload->frame_macroblocks_max;
	return most == 0 || macroblocks <= (most == LEVEL_3_1 ? LEVEL_4 : most);
}

static bool
forwardable(const struct video_tx *tx, const struct video_layer *layer)
{
	const struct media_video_payload *payload = video_tx_payload(
		tx, (enum video_codec)layer->codec, (enum video_demand)layer->demand);
	const uint16_t height_max = tx->line->agreed.tx_height_max;
	if (!layer->flows || payload == NULL || (height_max != 0 && layer->height > height_max) ||
	    !has_room(payload, layer))
		return false;
	/* What others send is cut into fragments, which mode 0 does not know. */
	return layer->codec != VIDEO_CODEC_H264 || payload->packetization_mode == 1;
}

/* Temporal layers are left out only where there is no smaller picture to go to. */
static void
add_temporal(struct line_plan *plan, struct allocate_wish *wish, const struct video_layer *layer,
             struct video_option option, uint16_t height)
{
	for (uint8_t t = 0; t < layer->temporal_max && t < COUNT_OF(layer->temporal_bps); t++) {
		option.temporal_max = t;
		if (layer->temporal_bps[t] != 0)
			add_option(plan, wish, &option, layer->temporal_bps[t], height);
	}
}

static void
layer_options(struct line_plan *plan, struct allocate_wish *wish)
{
	unsigned order[VIDEO_LAYERS_MAX];
	unsigned count = 0;
	const struct video_tx *tx = plan->tx;
	const struct media_video_settings *agreed = &tx->line->agreed;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		if (!forwardable(tx, &plan->rx->layers[i]))
			continue;
		unsigned at = count++;
		for (; at != 0 && height_of(plan->rx, order[at - 1]) > height_of(plan->rx, i); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct video_layer *layer = &plan->rx->layers[order[i]];
		const uint16_t height = height_of(plan->rx, order[i]);
		const int64_t bps = bps_of(plan->rx, order[i]);
		const struct video_option option = { .layer = (uint8_t)order[i],
			                             .temporal_max = FORWARD_TEMPORAL_ALL };
		if (i != 0 && agreed->tx_bps_max != 0 && bps > agreed->tx_bps_max)
			break;
		if (i == 0)
			add_temporal(plan, wish, layer, option, height);
		add_option(plan, wish, &option, bps, height);
		/* The first that all but fills the tile is large enough. */
		if (tx->line->show.height != 0 && height * 4 >= tx->line->show.height * 3)
			break;
	}
}

/* The codec the peer likes best of those that we can make. */
static const struct media_video_payload *
encode_payload(const struct video_tx *tx)
{
	const struct media_video_settings *agreed = &tx->line->agreed;
	for (unsigned i = 0; i < agreed->payload_count; i++) {
		const struct media_video_payload *payload = &agreed->payloads[i];
		if ((payload->codec == VIDEO_CODEC_H264 || payload->codec == VIDEO_CODEC_VP8) &&
		    payload->tx_payload_type != VIDEO_NO_PAYLOAD_TYPE)
			return video_tx_payload(tx, (enum video_codec)payload->codec,
			                        VIDEO_DEMAND_BASE);
	}
	return NULL;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* `bps_max` 0: no limit but what was agreed. */
static void
rung_options(struct line_plan *plan, struct allocate_wish *wish, uint32_t bps_max)
{
	const struct video_tx *tx = plan->tx;
	const struct media_video_settings *agreed = &tx->line->agreed;
	const struct media_video_payload *payload = encode_payload(tx);
	if (payload == NULL)
		return;
	struct ladder_limits limits = {
		.detail = tx->line->show.detail,
		.height_max = agreed->tx_height_max,
		.height_wanted = tx->line->show.height,
		.fps_max = agreed->tx_fps_max,
		.bps_max = least(least(agreed->tx_bps_max, payload->bps_max), bps_max),
		.frame_macroblocks_max = payload->frame_macroblocks_max,
		.macroblocks_per_s_max = payload->macroblocks_per_s_max,
	};
	if (plan->rx != NULL) {
		limits.source_width = plan->rx->told.width;
		limits.source_height = plan->rx->told.height;
	}
	const unsigned count = ladder_fill(plan->rungs, &limits);
	plan->codec = (enum video_codec)payload->codec;
	for (unsigned i = 0; i < count; i++) {
		const struct video_option option = { .rung = (uint8_t)i, .encoded = true };
		add_option(plan, wish, &option, plan->rungs[i].bps, plan->rungs[i].height);
	}
}

/* Of those that could be forwarded; 0: there is none. */
static int64_t
smallest_layer_bps(const struct line_plan *plan)
{
	int64_t least_bps = 0;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		if (!forwardable(plan->tx, &plan->rx->layers[i]))
			continue;
		const int64_t bps = bps_of(plan->rx, i);
		if (least_bps == 0 || bps < least_bps)
			least_bps = bps;
	}
	return least_bps;
}

static void
plan_line(struct media *media, struct line_plan *plan, struct allocate_wish *wish,
          int64_t share_bps)
{
	const struct media_show *show = &plan->tx->line->show;
	wish->priority = show->priority;
	if (show->kind == MEDIA_SHOW_CANVAS) {
		if (codec_canvas(media, show->canvas) != NULL)
			rung_options(plan, wish, 0);
		return;
	}
	plan->rx = video_rx_of(media, show->source);
	if (plan->rx == NULL || !video_rx_flows(plan->rx))
		return;
	const int64_t layer_bps = smallest_layer_bps(plan);
	/* A picture that comes in one size, larger than its share, is made smaller. */
	const bool small = plan->tx->serves && plan->tx->chosen.encoded;
	if (media->video->attached &&
	    layer_bps > share_bps * (small ? THIN_STILL_PCT : THIN_PCT) / 100)
		rung_options(plan, wish, (uint32_t)(layer_bps * SMALLER_PCT / 100));
	layer_options(plan, wish);
	if (plan->count == 0)
		rung_options(plan, wish, 0);
}

/* ---- What it is sent ----------------------------------------------------------------------- */

static bool
same_show(const struct media_show *a, const struct media_show *b)
{
	if (a->kind != b->kind)
		return false;
	/* Another look of a composed picture comes while the old one goes on. */
	return a->kind == MEDIA_SHOW_CANVAS || a->source == b->source;
}

static struct codec_encode
encode_spec(const struct line_plan *plan, const struct ladder_rung *rung)
{
	const struct media_show *show = &plan->tx->line->show;
	const struct media_video_payload *payload =
		video_tx_payload(plan->tx, plan->codec, VIDEO_DEMAND_BASE);
	return (struct codec_encode){
		.canvas = show->kind == MEDIA_SHOW_CANVAS ? show->canvas : 0,
		.source = show->kind == MEDIA_SHOW_CANVAS ? 0 : show->source,
		.codec = (uint8_t)plan->codec,
		.fps = rung->fps,
		.single_nals = plan->codec == VIDEO_CODEC_H264 && payload->packetization_mode == 0,
		.detail = show->detail,
		.width = rung->width,
		.height = rung->height,
		.bps = rung->bps,
	};
}

static void
serve_line(struct media *media, struct line_plan *plan, const struct video_option *option,
           int64_t now_us)
{
	struct video_tx *tx = plan->tx;
	const bool goes_on = forward_source(&tx->forward) != 0 &&
	                     same_show(&tx->shown, &tx->line->show);
	if (option->encoded) {
		const struct codec_encode spec = encode_spec(plan, &plan->rungs[option->rung]);
		struct video_encode *encode = codec_encode_for(media, &spec);
		if (encode == NULL)
			return;
		video_tx_follow(media, tx, &encode->feed, stream_of_encode(encode),
		                FORWARD_TEMPORAL_ALL, goes_on, now_us);
	} else {
		video_tx_follow(media, tx, &plan->rx->feed, stream_of_layer(plan->rx, option->layer),
		                option->temporal_max, goes_on, now_us);
	}
	tx->serves = true;
	tx->shown = tx->line->show;
	tx->chosen = *option;
}

/* Nothing to send now; of a source the first packets are waited for. */
static void
idle_line(struct media *media, struct line_plan *plan, int64_t now_us)
{
	struct video_tx *tx = plan->tx;
	if (plan->rx == NULL) {
		video_tx_pause(media, tx);
		return;
	}
	const uint64_t first = video_rx_flows(plan->rx)
	                               ? 0
	                               : stream_of_layer(plan->rx, video_rx_first(plan->rx));
	/* What was sent ends here: it would go on with a hole. */
	if (tx->serves)
		forward_want(&tx->forward, 0, FORWARD_TEMPORAL_ALL, false);
	tx->serves = false;
	tx->shown = tx->line->show;
	video_tx_follow(media, tx, &plan->rx->feed, first, FORWARD_TEMPORAL_ALL, false, now_us);
}

static bool
is_shown(const struct media_leg *leg, const struct video_line *line)
{
	/* A key frame that cannot be sent yet would be asked for twice. */
	return video_can_send(leg) && line->agreed.send && !leg->flags.tx_video_muted &&
	       line->show.kind != MEDIA_SHOW_NOTHING;
}

static unsigned
gather(struct media *media, struct leg_video *video, struct line_plan *plans,
       struct allocate_wish *wishes, int64_t share_bps)
{
	unsigned count = 0;
	for (unsigned i = 0; i < video->line_count; i++) {
		struct video_line *line = video->lines[i];
		if (line == NULL || line->tx == NULL)
			continue;
		if (!is_shown(video->leg, line)) {
			video_tx_pause(media, line->tx);
			continue;
		}
		plans[count] = (struct line_plan){ .tx = line->tx };
		wishes[count] = (struct allocate_wish){ .stream = i };
		plan_line(media, &plans[count], &wishes[count], share_bps);
		count++;
	}
	return count;
}

/* With everybody at his smallest. */
static int64_t
least_bps(const struct allocate_wish *wishes, unsigned count)
{
	int64_t sum_bps = 0;
	for (unsigned i = 0; i < count; i++)
		sum_bps += wishes[i].option_count != 0 ? wishes[i].options[0].bitrate_bps : 0;
	return sum_bps;
}

/* Somebody is seen however thin the line is: the first of them. */
static void
mark_essential(struct allocate_wish *wishes, unsigned count)
{
	struct allocate_wish *first = NULL;
	for (unsigned i = 0; i < count; i++)
		if (wishes[i].option_count != 0 &&
		    (first == NULL || wishes[i].priority > first->priority))
			first = &wishes[i];
	if (first != NULL)
		first->essential = true;
}

void
bandwidth_plan(struct media *media, struct leg_video *video, int64_t now_us)
{
	struct line_plan plans[MEDIA_LINES_MAX];
	struct allocate_wish wishes[MEDIA_LINES_MAX];
	uint8_t chosen[MEDIA_LINES_MAX];
	if (!video->bandwidth_set)
		return;
	const int64_t audio_bps = !video->twcc && video->leg->audio.send ? AUDIO_BPS : 0;
	video->target_bps = bwe_send_target_bps(&video->bwe) - audio_bps;
	if (video->target_bps < 0)
		video->target_bps = 0;
	if (video->target_bps < video->trial_bps)
		video->target_bps = video->trial_bps;
	unsigned count = gather(media, video, plans, wishes, video->target_bps);
	/* Nobody's one size takes the place of all others: then each has his share. */
	if (count > 1 && least_bps(wishes, count) * 100 > video->target_bps * THIN_STILL_PCT)
		count = gather(media, video, plans, wishes, video->target_bps / count);
	mark_essential(wishes, count);
	video->wanted_bps = count != 0 ? allocate_wanted_bps(wishes, count) : 0;
	video->given_bps = count != 0 ? allocate(chosen, wishes, count, video->target_bps) : 0;
	for (unsigned i = 0; i < count; i++) {
		if (chosen[i] != 0)
			serve_line(media, &plans[i], &plans[i].options[chosen[i] - 1], now_us);
		else
			idle_line(media, &plans[i], now_us);
	}
	const struct bwe_demand demand = { .wanted_bps = video->wanted_bps + audio_bps,
		                           .limited = video->given_bps < video->target_bps };
	bwe_send_demand(&video->bwe, &demand, now_us);
}

/* ---- The transport ------------------------------------------------------------------------- */

/* What all lines may have together; 0: no limit.  A peer may name less than the estimator knows how
 * to go down to: then no rung fits its line (ladder.h), and the transport needs no tighter bound. */
static int64_t
agreed_max_bps(const struct leg_video *video)
{
	int64_t sum = 0;
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line == NULL || !line->agreed.send)
			continue;
		if (line->agreed.tx_bps_max == 0)
			return 0;
		sum += line->agreed.tx_bps_max;
	}
	return sum == 0 || sum > BWE_MIN_BPS_DEFAULT ? sum : BWE_MIN_BPS_DEFAULT;
}

static bool
agreed_twcc(const struct leg_video *video)
{
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line != NULL && line->agreed.send && line->agreed.twcc &&
		    line->agreed.twcc_ext_id != 0)
			return true;
	}
	return false;
}

static uint64_t
cuts_of(const struct bwe_stats *stats)
{
	return stats->overuses + stats->loss_cuts + stats->silences + stats->spoilt_cuts;
}

/* Pictures wait for their turn longer than is good for them. */
static bool
is_late(const struct leg_video *video, int64_t now_us)
{
	return video->queue_count != 0 &&
	       now_us - video->queue[video->queue_first].queued_us > VIDEO_QUEUE_US_MAX / 2;
}

/* A narrow line may have a queue shorter than a key frame, and where nobody asks for packets what it
 * loses of one does not come again. */
static void
set_pace(struct leg_video *video, int64_t now_us)
{
	const struct bwe_stats stats = bwe_send_stats(&video->bwe);
	int64_t bps = bwe_send_target_bps(&video->bwe);
	if (bps < video->trial_bps)
		bps = video->trial_bps;
	int64_t least_bps = bps >= WIDE_BPS ? WIDE_PACE_BPS : 0;
	if (!video->twcc)
		least_bps = bps < WIDE_BPS && stats.spoilt_cuts != 0 && !is_late(video, now_us)
		                    ? NARROW_PACE_BPS
		                    : PLAIN_PACE_BPS;
	if (bps < least_bps)
		bps = least_bps;
	pacer_target(&video->pacer, bps, now_us);
}

void
bandwidth_agreed(struct leg_video *video, int64_t now_us)
{
	const bool twcc = agreed_twcc(video);
	const int64_t max_bps = agreed_max_bps(video);
	if (video->bandwidth_set && video->twcc == twcc) {
		bwe_send_bounds(&video->bwe, BWE_MIN_BPS_DEFAULT,
		                max_bps != 0 ? max_bps : BWE_MAX_BPS_DEFAULT, now_us);
		return;
	}
	struct bwe_settings settings = { .start_bps = twcc ? TWCC_START_BPS : PLAIN_START_BPS,
		                         .max_bps = max_bps,
		                         .twcc = twcc };
	if (max_bps != 0 && settings.start_bps > max_bps)
		settings.start_bps = max_bps;
	bwe_send_init(&video->bwe, &settings, now_us);
	pacer_init(&video->pacer, bwe_send_target_bps(&video->bwe), now_us);
	if (!video->bandwidth_set)
		twcc_receive_init(&video->twcc_in, video_own_ssrc(video->leg));
	video->twcc = twcc;
	video->bandwidth_set = true;
	video->quality = MEDIA_QUALITY_GOOD;
	video->quality_us = now_us;
	video->trial_bps = video->trial_base_bps = 0;
	video->trial_us = now_us + TRIAL_GAP_US;
	video->trial_wait_us = TRIAL_WAIT_US;
	set_pace(video, now_us);
}

void
bandwidth_sent(struct leg_video *video, enum pacer_class class, uint16_t twcc_seq, size_t len,
               int64_t now_us)
{
	const struct bwe_sent sent = { .seq = twcc_seq,
		                       .bytes = (uint16_t)len,
		                       .probe_id =
		                               pacer_sent(&video->pacer, class, len, now_us) };
	if (class != PACER_AUDIO || !video->twcc)
		bwe_send_sent(&video->bwe, &sent, now_us);
}

/* Its transport-wide number, if it has one, is no news to the estimator. */
void
bandwidth_sent_again(struct leg_video *video, size_t len, int64_t now_us)
{
	const struct bwe_sent sent = { .bytes = (uint16_t)len };
	(void)pacer_sent(&video->pacer, PACER_RTX, len, now_us);
	if (!video->twcc)
		bwe_send_sent(&video->bwe, &sent, now_us);
}

/* As the newest reports say, of 256. */
static uint8_t
reported_loss(const struct leg_video *video)
{
	uint8_t worst = 0;
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line != NULL && line->tx != NULL && line->tx->peer_block.fraction_lost > worst)
			worst = line->tx->peer_block.fraction_lost;
	}
	return worst;
}

void
bandwidth_spoilt(struct leg_video *video, int64_t now_us)
{
	if (video->bandwidth_set)
		bwe_send_spoilt(&video->bwe, now_us);
}

/* By what can a peer tell soon that it was too much? */
static bool
can_ask(const struct leg_video *video)
{
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line != NULL && line->tx != NULL && (line->agreed.nack || line->agreed.pli))
			return true;
	}
	return false;
}

/* It went beyond what the line carries, so far as can be told. */
static bool
trial_failed(const struct leg_video *video, const struct bwe_stats *stats)
{
	const struct bwe_stats *began = &video->trial_stats;
	/* A report may tell of a time long before; who asks for key frames tells of now. */
	const bool reported = stats->spoilt_us < 0 && stats->reports != began->reports &&
	                      reported_loss(video) > TRIAL_LOSS_Q8;
	return cuts_of(stats) != cuts_of(began) || stats->spoilt != began->spoilt || reported;
}

/* Back to what went well before. */
static void
end_trial(struct leg_video *video, int64_t now_us)
{
	bwe_send_forgive(&video->bwe, video->trial_from_bps, now_us);
	video->trial_bps = video->trial_base_bps;
	video->trial_base_bps = 0;
	video->trial_stats = bwe_send_stats(&video->bwe);
	video->trial_failed_bps = video->given_bps;
	video->trial_us = now_us + TRIAL_GAP_US;
	video->trial_again_us = now_us + video->trial_wait_us;
	video->trial_wait_us *= 2;
	if (video->trial_wait_us > TRIAL_WAIT_US_MAX)
		video->trial_wait_us = TRIAL_WAIT_US_MAX;
}

/* Is there a reason not to try more just now? */
static bool
is_troubled(const struct leg_video *video, const struct bwe_stats *stats, int64_t now_us)
{
	if (stats->spoilt_us >= 0)
		return now_us - stats->spoilt_us < TRIAL_CALM_US;
	if (!can_ask(video) && stats->reports == video->trial_stats.reports)
		return true; /* how the last step went is not known yet */
	return reported_loss(video) > TRIAL_LOSS_Q8;
}

/* What is sent bounds what the estimator can know, and without transport-wide feedback there are no
 * probes: a rung that costs much more than the one in force would never be reached.  So it is tried,
 * and kept while nothing gets lost. */
static void
try_more(struct leg_video *video, int64_t now_us)
{
	const struct bwe_stats stats = bwe_send_stats(&video->bwe);
	const bool young = now_us < video->trial_us + TRIAL_LATE_US;
	if (video->trial_bps != 0 && young && trial_failed(video, &stats)) {
		end_trial(video, now_us);
		return;
	}
	/* What comes later is not of its making. */
	if (cuts_of(&stats) != cuts_of(&video->trial_stats) ||
	    bwe_send_target_bps(&video->bwe) >= video->trial_bps)
		video->trial_bps = video->trial_base_bps = 0;
	/* The best of everything needs headroom, too. */
	const int64_t rest_bps =
		video->wanted_bps - video->given_bps * (100 + ALLOCATE_HEADROOM_PCT) / 100;
	int64_t trial_bps = video->given_bps * TRIAL_PCT / 100;
	if (trial_bps > video->wanted_bps)
		trial_bps = video->wanted_bps;
	if (trial_bps >= video->trial_failed_bps && now_us < video->trial_again_us)
		return;
	if (now_us < video->trial_us || video->given_bps == 0 ||
	    rest_bps <= 0 || is_troubled(video, &stats, now_us))
		return;
	if (video->given_bps > video->trial_failed_bps)
		video->trial_wait_us = TRIAL_WAIT_US;
	if (video->trial_bps == 0)
		video->trial_from_bps = bwe_send_target_bps(&video->bwe);
	video->trial_base_bps = video->trial_bps;
	video->trial_bps = trial_bps;
	video->trial_us = now_us + TRIAL_GAP_US;
	video->trial_stats = stats;
}

static enum media_quality
quality_of(const struct leg_video *video)
{
	const struct bwe_stats stats = bwe_send_stats(&video->bwe);
	if (video->wanted_bps == 0)
		return MEDIA_QUALITY_GOOD;
	if (stats.loss_q8 > POOR_LOSS_Q8 || video->given_bps * 100 < video->wanted_bps * POOR_PCT)
		return MEDIA_QUALITY_POOR;
	if (stats.loss_q8 > FAIR_LOSS_Q8 || video->given_bps * 100 < video->wanted_bps * FAIR_PCT)
		return MEDIA_QUALITY_FAIR;
	return MEDIA_QUALITY_GOOD;
}

/* Told when it has been different for a while. */
static void
watch_quality(struct media *media, struct leg_video *video, int64_t now_us)
{
	const enum media_quality quality = quality_of(video);
	if (quality == video->quality) {
		video->quality_us = now_us;
		return;
	}
	if (now_us - video->quality_us < QUALITY_HOLD_US)
		return;
	video->quality = (uint8_t)quality;
	video->quality_us = now_us;
	media_event(media, video->leg, MEDIA_EVENT_LEG_QUALITY, 0, quality);
}

void
bandwidth_tick(struct media *media, struct leg_video *video, int64_t now_us)
{
	struct bwe_probe probe;
	if (!video->bandwidth_set)
		return;
	bwe_send_tick(&video->bwe, now_us);
	set_pace(video, now_us);
	if (bwe_send_probe(&video->bwe, &probe, now_us)) {
		pacer_probe(&video->pacer, &probe, now_us);
		video_flush_later(media, video);
	}
	if (!video->twcc)
		try_more(video, now_us);
	watch_quality(media, video, now_us);
	video_plan_later(media, video);
}

/* ---- Senders ------------------------------------------------------------------------------- */

static void
tell_bound(struct media *media, struct video_rx *rx, int64_t bps)
{
	uint32_t ssrcs[VIDEO_LAYERS_MAX];
	struct rtcp_tmmb entries[VIDEO_LAYERS_MAX];
	unsigned count = 0;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		if (!rx->layers[i].known)
			continue;
		ssrcs[count] = rx->layers[i].ssrc;
		entries[count++] = (struct rtcp_tmmb){ .ssrc = rx->layers[i].ssrc,
			                               .bitrate_bps = (uint64_t)bps,
			                               .overhead_bytes = 40 };
	}
	if (count == 0)
		return;
	struct writer w = transport_rtcp_begin(media, rx->leg);
	if (rx->line->agreed.tmmbr)
		rtcp_fb_write_tmmbr(&w, video_own_ssrc(rx->leg), entries, count);
	else
		rtcp_fb_write_remb(&w, video_own_ssrc(rx->leg), (uint64_t)bps, ssrcs, count);
	transport_rtcp_send(media, rx->leg, &w);
}

/* Without transport-wide feedback the sender does not see what is lost between reports: while more
 * than a little is, it is asked for less, and then for more again, step by step. */
void
bandwidth_bound(struct media *media, struct video_rx *rx, int64_t now_us)
{
	const struct media_video_settings *agreed = &rx->line->agreed;
	int64_t lost = 0;
	int64_t received = 0;
	int64_t bps = 0;
	if (agreed->twcc || (!agreed->tmmbr && !agreed->remb) || now_us - rx->bound_us < BOUND_US)
		return;
	for (unsigned i = 0; i < VIDEO_LAYERS_MAX; i++) {
		lost += rtp_receive_lost(&rx->layers[i].receive);
		received += rx->layers[i].receive.received;
		bps += rate_meter_bps_at(&rx->layers[i].rate, now_us);
	}
	const int64_t new_lost = lost - rx->bound_lost;
	const int64_t new_received = received - rx->bound_received;
	rx->bound_us = now_us;
	rx->bound_lost = lost;
	rx->bound_received = received;
	if (new_received < BOUND_PACKETS_MIN)
		return;
	if (new_lost * 100 > (new_lost + new_received) * BOUND_LOSS_PCT) {
		const int64_t cut = bps * BOUND_CUT_PCT / 100;
		rx->bound_bps = cut > BOUND_BPS_MIN ? cut : BOUND_BPS_MIN;
	} else if (rx->bound_bps != 0) {
		rx->bound_bps = rx->bound_bps * BOUND_GROW_PCT / 100;
	}
	if (rx->bound_bps != 0)
		tell_bound(media, rx, rx->bound_bps);
	if (rx->bound_bps >= BOUND_BPS_MAX)
		rx->bound_bps = 0;
}
