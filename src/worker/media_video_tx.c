/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures out: from feeds through each line's forward into its leg's queue, and from there to the
 * peer as its pacer allows. */
#include <stdlib.h>
#include <string.h>

#include "worker/media_video_internal.h"

enum {
	PADDING_BYTES = 255, /* of one probing packet */
	QUEUE_MASK = VIDEO_QUEUE_MAX - 1,
	AGAIN_MASK = VIDEO_RTX_MAX - 1,
	EXTS_MAX = 2,
	FIR_REPEATED_US = 500 * 1000, /* beside the way to and fro */
	AGAIN_PCT = 33,          /* of what is sent may be sent again: what a full line loses makes it ... */
	AGAIN_BYTES_MAX = 48 * 1024, /* ... no fuller; so much at once */
	KEY_HEARD_US = 150 * 1000, /* beside the round trip: a key frame has arrived and was looked at */
};

/* ---- Subscriptions ------------------------------------------------------------------------- */

void
feed_init(struct video_feed *feed)
{
	link_init(&feed->subscriptions);
}

static void
unsubscribe(struct media *media, struct video_subscription *subscription)
{
	if (subscription->feed == NULL)
		return;
	link_remove(&subscription->link);
	/* An encode that nobody takes is closed, a track that nobody sees is not decoded. */
	if (link_empty(&subscription->feed->subscriptions))
		media->video->dirty = true;
	subscription->feed = NULL;
}

static void
subscribe(struct media *media, struct video_subscription *subscription, struct video_feed *feed)
{
	if (subscription->feed == feed)
		return;
	unsubscribe(media, subscription);
	if (link_empty(&feed->subscriptions))
		media->video->dirty = true;
	subscription->feed = feed;
	link_append(&feed->subscriptions, &subscription->link);
}

void
feed_end(struct media *media, struct video_feed *feed)
{
	while (!link_empty(&feed->subscriptions)) {
		struct video_subscription *subscription = CONTAINER_OF(
			feed->subscriptions.next, struct video_subscription, link);
		struct video_tx *tx = subscription->tx;
		if (subscription == &tx->wanted) {
			tx->serves = false;
			forward_want(&tx->forward, 0, FORWARD_TEMPORAL_ALL, false);
		}
		unsubscribe(media, subscription);
		video_plan_later(media, tx->leg->video);
	}
}

/* ---- Key frames ---------------------------------------------------------------------------- */

static void
want_stream_key(struct media *media, uint64_t stream, int64_t now_us)
{
	if (stream == 0)
		return;
	if (stream_encode(stream) != 0) {
		struct video_encode *encode = codec_encode_of(media, stream_encode(stream));
		if (encode != NULL)
			codec_want_key(media, encode, now_us);
		return;
	}
	const unsigned layer = stream_layer(stream);
	struct video_rx *rx = video_rx_of(media, stream_source(stream));
	/* One that does not come yet begins with a key frame by itself. */
	if (rx != NULL && layer < VIDEO_LAYERS_MAX && rx->layers[layer].flows &&
	    stream_of_layer(rx, layer) == stream)
		video_rx_want_key(media, rx, layer, now_us);
}

/* ---- Packets into the queue ---------------------------------------------------------------- */

/* Something of its stream was dropped, and what follows is of no use: nothing is sent up to the next
 * key frame. */
static void
start_anew(struct media *media, struct video_tx *tx, int64_t now_us)
{
	const uint64_t source = forward_source(&tx->forward);
	const uint64_t waits = forward_key_wanted(&tx->forward);
	const uint64_t next = waits != 0 ? waits : source;
	if (source != 0) {
		const uint8_t temporal_max = tx->forward.temporal_wanted;
		forward_want(&tx->forward, 0, temporal_max, false);
		forward_want(&tx->forward, next, temporal_max, false);
	}
	want_stream_key(media, next, now_us);
}

static void
enqueue(struct media *media, struct video_tx *tx, const struct packet *packet,
        const struct forward_header *header, int64_t now_us)
{
	struct leg_video *video = tx->leg->video;
	if (video->queue_count == VIDEO_QUEUE_MAX) {
		tx->dropped++;
		start_anew(media, tx, now_us);
		return;
	}
	const unsigned at = (video->queue_first + video->queue_count++) & QUEUE_MASK;
	/* Sharing counts references, it does not change what the packet says. */
	video->queue[at] = (struct video_queued){
		.packet = packet_hold((struct packet *)(uintptr_t)packet),
		.queued_us = now_us,
		.header = *header,
		.line = tx->line->agreed.line,
	};
	/* A frame is of no use before its last packet: gathered, its packets leave as one run, which
	 * costs the system far less. */
	video_flush_at(media, video, header->marker ? now_us : now_us + VIDEO_GATHER_US);
}

void
feed_input(struct media *media, struct video_feed *feed, struct packet *packet,
           const struct packet *sets, int64_t now_us)
{
	struct video_link *next;
	for (struct video_link *at = feed->subscriptions.next; at != &feed->subscriptions;
	     at = next) {
		struct forward_out out = { 0 };
		struct video_tx *tx = CONTAINER_OF(at, struct video_subscription, link)->tx;
		next = at->next;
		(void)forward_input(&tx->forward, &out, packet, sets);
		for (unsigned i = 0; i < out.count; i++)
			enqueue(media, tx, out.packets[i], &out.headers[i], now_us);
		if (tx->former.feed != NULL && forward_key_wanted(&tx->forward) == 0)
			unsubscribe(media, &tx->former);
	}
}

/* ---- What a line is sent ------------------------------------------------------------------- */

void
video_tx_follow(struct media *media, struct video_tx *tx, struct video_feed *feed, uint64_t stream,
                uint8_t temporal_max, bool goes_on, int64_t now_us)
{
	if (tx->wanted.feed != feed && goes_on && tx->wanted.feed != NULL) {
		/* The feed that is being sent is kept; one that never got so far is not. */
		if (tx->former.feed == NULL) {
			struct video_feed *before = tx->wanted.feed;
			unsubscribe(media, &tx->wanted);
			if (before != feed)
				subscribe(media, &tx->former, before);
		}
	}
	if (!goes_on || tx->former.feed == feed)
		unsubscribe(media, &tx->former);
	subscribe(media, &tx->wanted, feed);
	forward_want(&tx->forward, stream, temporal_max, goes_on);
	want_stream_key(media, forward_key_wanted(&tx->forward), now_us);
}

void
video_tx_pause(struct media *media, struct video_tx *tx)
{
	unsubscribe(media, &tx->wanted);
	unsubscribe(media, &tx->former);
	forward_want(&tx->forward, 0, FORWARD_TEMPORAL_ALL, false);
	tx->serves = false;
}

void
video_drop_queue(struct leg_video *video)
{
	while (video->queue_count != 0) {
		struct video_queued *queued = &video->queue[video->queue_first];
		video->lines[queued->line]->tx->dropped++;
		packet_put(queued->packet);
		video->queue_first = (video->queue_first + 1) & QUEUE_MASK;
		video->queue_count--;
	}
	video->again_count = 0;
}

static bool
can_decode(const struct media_video_payload *payload, enum video_codec codec,
           enum video_demand demand)
{
	if (payload->codec != codec || payload->tx_payload_type == VIDEO_NO_PAYLOAD_TYPE)
		return false;
	return codec != VIDEO_CODEC_H264 ||
	       demand <= h264_can(payload->h264_profile, payload->h264_constraints);
}

const struct media_video_payload *
video_tx_payload(const struct video_tx *tx, enum video_codec codec, enum video_demand demand)
{
	const struct media_video_settings *agreed = &tx->line->agreed;
	const struct media_video_payload *found = NULL;
	for (unsigned i = 0; i < agreed->payload_count; i++) {
		const struct media_video_payload *payload = &agreed->payloads[i];
		if (!can_decode(payload, codec, demand))
			continue;
		/* Of several for H.264 one that takes fragments: what others send is cut so. */
		if (found == NULL ||
		    (codec == VIDEO_CODEC_H264 && found->packetization_mode == 0 &&
		     payload->packetization_mode == 1))
			found = payload;
	}
	return found;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static void
set_payload_type(const struct video_tx *tx, uint8_t types[VIDEO_FORMATS], enum video_codec codec,
                 enum video_demand demand)
{
	const struct media_video_payload *payload = video_tx_payload(tx, codec, demand);
	types[video_format(codec, demand)] = payload != NULL ? payload->tx_payload_type
	                                                     : FORWARD_NO_PAYLOAD_TYPE;
}

static void
payload_types(const struct video_tx *tx, uint8_t types[VIDEO_FORMATS])
{
	for (unsigned codec = 0; codec < VIDEO_CODEC_COUNT; codec++)
		set_payload_type(tx, types, (enum video_codec)codec, VIDEO_DEMAND_BASE);
	for (unsigned demand = VIDEO_DEMAND_MAIN; demand < VIDEO_DEMANDS; demand++)
		set_payload_type(tx, types, VIDEO_CODEC_H264, (enum video_demand)demand);
}

struct video_tx *
video_tx_create(struct media *media, struct media_leg *leg, struct video_line *line)
{
	struct video_tx *tx = calloc(1, sizeof *tx);
	if (tx == NULL)
		return NULL;
	tx->entries = calloc(VIDEO_HISTORY, sizeof *tx->entries);
	if (tx->entries == NULL) {
		free(tx);
		return NULL;
	}
	tx->leg = leg;
	tx->line = line;
	tx->wanted.tx = tx;
	tx->former.tx = tx;
	struct forward_settings forward = { .seq = (uint16_t)(prng_u32(&media->prng) & 0x7fff),
		                            .epoch_us = leg->epoch_us,
		                            .picture_id = (uint16_t)prng_u32(&media->prng) };
	payload_types(tx, forward.payload_types);
	forward_init(&tx->forward, &forward);
	const struct history_settings history = { .entries = tx->entries,
		                                  .entry_count = VIDEO_HISTORY };
	history_init(&tx->history, &history);
	tx->again_bytes = AGAIN_BYTES_MAX;
	tx->rtx_seq = (uint16_t)(prng_u32(&media->prng) & 0x7fff);
	rate_meter_init(&tx->rate);
	return tx;
}

void
video_tx_destroy(struct media *media, struct video_tx *tx)
{
	if (tx == NULL)
		return;
	video_tx_pause(media, tx);
	history_clear(&tx->history);
	free(tx->entries);
	free(tx);
}

void
video_tx_agreed(struct video_tx *tx)
{
	uint8_t types[VIDEO_FORMATS];
	payload_types(tx, types);
	forward_set_payload_types(&tx->forward, types);
}

/* ---- Packets out --------------------------------------------------------------------------- */

static_assert((int)HISTORY_PROOF_BYTES == (int)SRTP_PROOF_BYTES, "the end of a packet");

/* One packet being made in the machine's scratch. */
struct outgoing {
	struct rtp_header header;
	struct rtp_ext exts[EXTS_MAX];
	uint8_t twcc[2];
	uint16_t twcc_seq;
};

/* `orientation` is one byte, borrowed until the header is written, or NULL. */
static void
outgoing_init(const struct leg_video *video, struct outgoing *out, uint16_t twcc_seq,
              const uint8_t *orientation)
{
	out->header.exts = out->exts;
	out->header.ext_count = 0;
	out->twcc_seq = twcc_seq;
	if (video->twcc) {
		out->twcc[0] = (uint8_t)(out->twcc_seq >> 8);
		out->twcc[1] = (uint8_t)out->twcc_seq;
		out->exts[out->header.ext_count++] =
			(struct rtp_ext){ out->twcc, video->twcc_ext_id, sizeof out->twcc };
	}
	if (orientation != NULL && *orientation != PACKET_NO_ORIENTATION &&
	    video->orientation_ext_id != 0)
		out->exts[out->header.ext_count++] =
			(struct rtp_ext){ orientation, video->orientation_ext_id, 1 };
}

/* Secures and sends what `w` holds; returns its length, 0: it could not be sent. */
static size_t
emit(struct media *media, struct leg_video *video, struct writer *w, const struct outgoing *out,
     enum pacer_class class, int64_t now_us)
{
	struct media_leg *leg = video->leg;
	size_t len = w->at;
	CHECK(!w->failed);
	if (leg->srtp_tx != NULL &&
	    srtp_rtp_protect(leg->srtp_tx, w->bytes, &len, sizeof media->packet) != SRTP_OK)
		return 0;
	transport_emit(media, leg, transport_socket(leg), transport_remote(leg), w->bytes, len);
	bandwidth_sent(video, class, out->twcc_seq, len, now_us);
	if (video->twcc)
		video->twcc_seq++;
	return len;
}

/* The same for what left before: its number and its place in the key stream are used, so it leaves to
 * the byte as it did, or not at all (then the peer asks for a key frame). */
static size_t
emit_again(struct media *media, struct leg_video *video, struct writer *w,
           const struct history_entry *entry, int64_t now_us)
{
	struct media_leg *leg = video->leg;
	size_t len = w->at;
	CHECK(!w->failed);
	if (srtp_rtp_protect_again(leg->srtp_tx, w->bytes, &len, sizeof media->packet,
	                           entry->proof) != SRTP_OK)
		return 0;
	transport_emit(media, leg, transport_socket(leg), transport_remote(leg), w->bytes, len);
	bandwidth_sent_again(video, len, now_us);
	return len;
}

static struct writer
packet_writer(struct media *media)
{
	return writer_of(media->packet, sizeof media->packet - SRTP_RTP_OVERHEAD_MAX);
}

static void
count_sent(struct video_tx *tx, const struct packet *packet, size_t payload_len, size_t len,
           int64_t now_us)
{
	tx->started = true;
	tx->sent_us = now_us;
	tx->packets++;
	tx->bytes += (uint32_t)payload_len;
	tx->again_bytes += (uint32_t)len * AGAIN_PCT / 100;
	if (tx->again_bytes > AGAIN_BYTES_MAX)
		tx->again_bytes = AGAIN_BYTES_MAX;
	tx->codec = packet->codec;
	if (packet->facts.key_start)
		tx->key_sent_us = now_us;
	if (packet->facts.width != 0) {
		tx->width = packet->facts.width;
		tx->height = packet->facts.height;
	}
	rate_meter_input(&tx->rate, (uint32_t)len, now_us);
}

/* `end`: of what left. */
static void
remember(const struct leg_video *video, struct video_tx *tx, const struct video_queued *queued,
         const struct outgoing *out, const uint8_t *end, int64_t now_us)
{
	struct history_entry *entry =
		history_put(&tx->history, queued->packet, &queued->header, now_us);
	if (entry == NULL || video->leg->srtp_tx == NULL)
		return;
	entry->twcc_seq = out->twcc_seq;
	memcpy(entry->proof, end - sizeof entry->proof, sizeof entry->proof);
}

static void
send_queued(struct media *media, struct leg_video *video, struct video_queued *queued,
            int64_t now_us)
{
	const struct video_line *line = video->lines[queued->line];
	struct video_tx *tx = line->tx;
	const struct packet *packet = queued->packet;
	struct outgoing out = { .header = { .payload_type = queued->header.payload_type,
		                            .marker = queued->header.marker,
		                            .seq = queued->header.seq,
		                            .timestamp_rtp = queued->header.timestamp_rtp,
		                            .ssrc = line->agreed.tx_ssrc } };
	struct writer w = packet_writer(media);
	outgoing_init(video, &out, video->twcc_seq, &packet->orientation);
	rtp_write_header(&w, &out.header);
	const size_t payload_at = w.at;
	forward_write(&w, packet, &queued->header);
	const size_t payload_len = w.at - payload_at;
	if (queued->header.empty)
		rtp_write_padding(&w, 1);
	const size_t len = emit(media, video, &w, &out, PACER_VIDEO, now_us);
	if (len != 0) {
		if (!tx->started)
			transport_report_soon(media, video->leg, now_us);
		count_sent(tx, packet, payload_len, len, now_us);
		if (queued->header.marker)
			tx->frames++;
		if (line->agreed.nack)
			remember(video, tx, queued, &out, w.bytes + len, now_us);
	}
	packet_put(queued->packet);
	queued->packet = NULL;
}

static uint8_t
rtx_payload_type(const struct media_video_settings *agreed, uint8_t payload_type)
{
	for (unsigned i = 0; i < agreed->payload_count; i++)
		if (agreed->payloads[i].tx_payload_type == payload_type)
			return agreed->payloads[i].tx_rtx_payload_type;
	return VIDEO_NO_PAYLOAD_TYPE;
}

/* By RTX; where the peer has none, as it was. */
static void
send_again(struct media *media, struct leg_video *video, const struct video_again *again,
           int64_t now_us)
{
	const struct video_line *line = video->lines[again->line];
	struct video_tx *tx = line->tx;
	const struct history_entry *entry =
		history_answer(&tx->history, again->seq, video->leg->rtt_us, now_us);
	if (entry == NULL)
		return;
	/* Where nothing better tells of loss, this does. */
	if (!video->twcc && entry->tries == 1)
		bwe_send_nacked(&video->bwe, 1, now_us);
	if (!video->twcc && tx->again_bytes < entry->packet->len)
		return;
	const uint8_t rtx_type = rtx_payload_type(&line->agreed, entry->header.payload_type);
	const bool rtx = line->agreed.tx_rtx_ssrc != 0 && rtx_type != VIDEO_NO_PAYLOAD_TYPE;
	const bool same = !rtx && video->leg->srtp_tx != NULL;
	struct outgoing out = { .header = { .payload_type = entry->header.payload_type,
		                            .marker = entry->header.marker,
		                            .seq = entry->header.seq,
		                            .timestamp_rtp = entry->header.timestamp_rtp,
		                            .ssrc = line->agreed.tx_ssrc } };
	if (rtx) {
		out.header.payload_type = rtx_type;
		out.header.seq = tx->rtx_seq++;
		out.header.ssrc = line->agreed.tx_rtx_ssrc;
	}
	struct writer w = packet_writer(media);
	outgoing_init(video, &out, same ? entry->twcc_seq : video->twcc_seq,
	              &entry->packet->orientation);
	rtp_write_header(&w, &out.header);
	if (rtx)
		rtx_write(&w, entry);
	else
		forward_write(&w, entry->packet, &entry->header);
	if (entry->header.empty)
		rtp_write_padding(&w, 1);
	const size_t len = same ? emit_again(media, video, &w, entry, now_us)
	                        : emit(media, video, &w, &out, PACER_RTX, now_us);
	if (len != 0) {
		tx->rtx_packets++;
		tx->rtx_bytes += (uint32_t)len;
		tx->again_bytes -= tx->again_bytes < len ? tx->again_bytes : (uint32_t)len;
	}
}

/* A line whose retransmission stream can carry padding (RFC 4588 s4 with nothing to repeat). */
static struct video_tx *
padding_line(const struct leg_video *video)
{
	for (unsigned i = 0; i < video->line_count; i++) {
		const struct video_line *line = video->lines[i];
		if (line != NULL && line->tx != NULL && line->agreed.tx_rtx_ssrc != 0 &&
		    line->tx->started &&
		    rtx_payload_type(&line->agreed,
		                     line->tx->forward.settings.payload_types[line->tx->codec]) !=
		            VIDEO_NO_PAYLOAD_TYPE)
			return line->tx;
	}
	return NULL;
}

static void
send_padding(struct media *media, struct leg_video *video, struct video_tx *tx, int64_t now_us)
{
	const struct media_video_settings *agreed = &tx->line->agreed;
	const uint8_t type = tx->forward.settings.payload_types[tx->codec];
	struct outgoing out = { .header = { .payload_type = rtx_payload_type(agreed, type),
		                            .seq = tx->rtx_seq++,
		                            .timestamp_rtp =
		                                    forward_timestamp_at(&tx->forward, now_us),
		                            .ssrc = agreed->tx_rtx_ssrc } };
	struct writer w = packet_writer(media);
	outgoing_init(video, &out, video->twcc_seq, NULL);
	rtp_write_header(&w, &out.header);
	rtp_write_padding(&w, PADDING_BYTES);
	if (emit(media, video, &w, &out, PACER_PADDING, now_us) != 0)
		tx->rtx_packets++;
}

bool
video_can_send(const struct media_leg *leg)
{
	return leg->connected && transport_remote(leg) != NULL &&
	       (leg->security == MEDIA_SECURITY_NONE || leg->srtp_tx != NULL);
}

/* What waited for too long is dropped with all behind it. */
static bool
too_late(const struct leg_video *video, int64_t now_us)
{
	return video->queue_count != 0 &&
	       now_us - video->queue[video->queue_first].queued_us > VIDEO_QUEUE_US_MAX;
}

/* The queue holds what its receiver could not use any more. */
static void
give_up_queue(struct media *media, struct leg_video *video, int64_t now_us)
{
	bool dropped[MEDIA_LINES_MAX] = { false };
	for (unsigned i = 0; i < video->queue_count; i++)
		dropped[video->queue[(video->queue_first + i) & QUEUE_MASK].line] = true;
	video_drop_queue(video);
	for (unsigned i = 0; i < video->line_count; i++)
		if (dropped[i])
			start_anew(media, video->lines[i]->tx, now_us);
}

void
video_drain(struct media *media, struct leg_video *video, int64_t now_us)
{
	struct media_leg *leg = video->leg;
	if (video->queue_count == 0 && video->again_count == 0 &&
	    pacer_padding_bytes(&video->pacer) == 0)
		return;
	if (!video_can_send(leg) || too_late(video, now_us)) {
		give_up_queue(media, video, now_us);
		return;
	}
	while (video->again_count != 0 && pacer_may(&video->pacer, PACER_RTX, now_us)) {
		const struct video_again again = video->again[video->again_first];
		video->again_first = (video->again_first + 1) & AGAIN_MASK;
		video->again_count--;
		send_again(media, video, &again, now_us);
	}
	while (video->queue_count != 0 && pacer_may(&video->pacer, PACER_VIDEO, now_us)) {
		struct video_queued *queued = &video->queue[video->queue_first];
		video->queue_first = (video->queue_first + 1) & QUEUE_MASK;
		video->queue_count--;
		send_queued(media, video, queued, now_us);
	}
	struct video_tx *padding = padding_line(video);
	while (padding != NULL && pacer_padding_bytes(&video->pacer) != 0 &&
	       pacer_may(&video->pacer, PACER_PADDING, now_us))
		send_padding(media, video, padding, now_us);
	if (video->again_count != 0)
		video_wake(media, leg, pacer_when(&video->pacer, PACER_RTX, now_us));
	if (video->queue_count != 0)
		video_wake(media, leg, pacer_when(&video->pacer, PACER_VIDEO, now_us));
	if (padding != NULL && pacer_padding_bytes(&video->pacer) != 0)
		video_wake(media, leg, pacer_when(&video->pacer, PACER_PADDING, now_us));
}

/* ---- What the peer asks for ---------------------------------------------------------------- */

void
video_tx_key_asked(struct media *media, struct video_tx *tx, int64_t now_us)
{
	struct leg_video *video = tx->leg->video;
	const uint64_t waits = forward_key_wanted(&tx->forward);
	/* Of the last one it must have heard by now, if nothing got lost. */
	const int64_t rtt_us = tx->leg->rtt_us > 0 ? tx->leg->rtt_us : 0;
	if (tx->key_sent_us != 0 && now_us - tx->key_sent_us > KEY_HEARD_US + rtt_us)
		bandwidth_spoilt(video, now_us);
	tx->key_requests++;
	want_stream_key(media, waits != 0 ? waits : forward_source(&tx->forward), now_us);
}

/* RFC 5104 s4.3.1.1: a command that is repeated keeps its number.  The key frame that is on its way
 * answers both; later than that the same number is obeyed, for senders that never count. */
void
video_tx_fir(struct media *media, struct video_tx *tx, uint32_t from, uint8_t seq, int64_t now_us)
{
	const bool repeated = tx->fir_us != 0 && tx->fir_from == from && tx->fir_seq == seq &&
	                      now_us - tx->fir_us < FIR_REPEATED_US + tx->leg->rtt_us;
	if (repeated)
		return;
	tx->fir_from = from;
	tx->fir_seq = seq;
	tx->fir_us = now_us;
	video_tx_key_asked(media, tx, now_us);
}

void
video_tx_nacked(struct media *media, struct video_tx *tx, uint16_t seq)
{
	struct leg_video *video = tx->leg->video;
	if (!tx->line->agreed.nack || video->again_count == VIDEO_RTX_MAX)
		return;
	const unsigned at = (video->again_first + video->again_count++) & AGAIN_MASK;
	video->again[at] = (struct video_again){ .seq = seq, .line = tx->line->agreed.line };
	video_flush_later(media, video);
}

void
video_tx_tick(struct media *media, struct video_tx *tx, int64_t now_us)
{
	history_expire(&tx->history, now_us);
	want_stream_key(media, forward_key_wanted(&tx->forward), now_us);
	const uint64_t source = forward_source(&tx->forward);
	struct video_encode *encode =
		(source & STREAM_ENCODE) != 0 ? codec_encode_of(media, (uint32_t)source) : NULL;
	if (encode != NULL)
		codec_serve_key(media, encode, now_us);
	if (now_us - tx->frames_us < 1000000)
		return;
	tx->frame_rate = frames_a_second(tx->frames, now_us - tx->frames_us);
	tx->frames = 0;
	tx->frames_us = now_us;
}
