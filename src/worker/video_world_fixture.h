/* SPDX-License-Identifier: Apache-2.0 */
/* video_world_fixture -- the real media machine on virtual time, with peers that send and receive
 * pictures over SRTP on port pairs, a network that may lose packets, and a codec process of the
 * test's choice.
 *
 * Peers send VP8 whose frames are true in their headers only, or what the test gives.  What a peer
 * receives is taken apart and must be well-formed. */
#ifndef WORKER_VIDEO_WORLD_FIXTURE_H
#define WORKER_VIDEO_WORLD_FIXTURE_H

#include "worker/media.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/slab.h"
#include "base/test.h"
#include "codec/codec.h"
#include "rtp/rtcp.h"
#include "rtp/rtcp_fb.h"
#include "rtp/rtp.h"
#include "srtp/srtp.h"
#include "video/facts.h"
#include "video/forward.h"
#include "video/vp8.h"

enum {
	PEERS_MAX = 12,
	LAYERS = 3,
	FRAME_US = 33000,
	PT_VP8 = 96,
	PT_RTX = 97,
	PT_H264 = 98,
	PT_H264_RTX = 99,
	PT_H264_HIGH = 100,
	EXT_MID = 3,
	EXT_RID = 4,
	EXT_REPAIRED_RID = 5,
	EXT_TWCC = 6,
	TX_SSRC = 0x1000,  /* of the machine: with the leg's index and the line */
	RTX_SSRC = 0x2000,
	RX_SSRC = 0x3000,  /* of a peer: with its index and the layer */
};

/* What a peer received on one line. */
struct heard {
	unsigned packets, frames, keys, rtx, padding;
	unsigned gaps;         /* numbers that did not come, not even by RTX */
	bool started;
	uint16_t seq;          /* the highest */
	uint32_t timestamp_rtp;
	uint16_t width, height; /* of the last key frame */
	uint8_t payload_type;
	bool missing[1 << 16];
	int64_t last_us;
	int64_t silence_us_max; /* between packets */
};

struct peer {
	media_leg_id id;
	struct net_addr addr;
	struct net_addr bridge;
	struct srtp_session *srtp_tx;
	struct srtp_session *srtp_rx;
	bool opened, connected, closed, lost;
	/* Sending. */
	unsigned layer_count; /* 0: sends no pictures */
	bool rids;
	bool stopped[LAYERS];
	uint16_t seq[LAYERS];
	uint32_t timestamp_rtp;
	uint16_t picture_id;
	size_t frame_bytes; /* of the best layer */
	bool key_due[LAYERS];
	unsigned key_asked[LAYERS]; /* by PLI or FIR */
	unsigned nacked;
	unsigned tmmbr;
	uint64_t tmmbr_bps;
	unsigned lose_in_pct; /* towards the machine */
	/* Receiving. */
	bool answers_nack;
	unsigned lose_pct;
	struct heard heard[4];
	uint64_t rr, sr, twcc;
	/* Events. */
	struct media_picture picture[VIDEO_TRACKS];
	unsigned pictures;
	unsigned key_wanted;
	struct media_video_stats stats[4];
	struct media_stats sound;
	struct media_data data;
	unsigned data_count;
	unsigned quality;
};

struct video_world {
	struct media *media;
	int64_t now_us;
	struct prng prng;
	uint16_t next_port;
	media_leg_id sound; /* of peers made from now on; 0: their own */
	unsigned peer_count;
	/* Pictures that never arrive, as bytes: a decoder of SRTP takes each of them once only. */
	unsigned lose_datagrams_pct;
	unsigned lost_datagrams;
	struct peer peers[PEERS_MAX];
	/* The codec process; NULL: there is none. */
	bool (*codec)(struct video_world *world, const struct codec_message *message);
	void (*codec_pass)(struct video_world *world);
	void *codec_context;
	/* The network towards the peers, if it is not a perfect one: gives each RTP packet that
	 * arrives to peer_rtp(). */
	void (*network)(struct video_world *world, struct peer *peer, const uint8_t *bytes,
	                size_t len);
	void (*network_pass)(struct video_world *world);
	/* Somebody who reads each sender report to a peer, or NULL. */
	void (*report)(struct video_world *world, struct peer *peer,
	               const struct rtcp_packet *packet);
};

static inline struct peer *
peer_of(struct video_world *world, media_leg_id id)
{
	for (unsigned i = 0; i < world->peer_count; i++)
		if (world->peers[i].id == id)
			return &world->peers[i];
	test_failed("no such peer", __FILE__, __LINE__);
	return NULL;
}

/* ---- The sink ------------------------------------------------------------------------------ */

static inline bool
world_ports_open(void *context, media_leg_id leg, struct net_addr *rtp)
{
	struct video_world *world = context;
	(void)leg;
	*rtp = addr_ip4(192, 0, 2, 1, world->next_port);
	world->next_port = (uint16_t)(world->next_port + 2);
	return true;
}

static inline void
world_ports_close(void *context, media_leg_id leg)
{
	(void)context;
	(void)leg;
}

static inline void
hear_media(struct peer *peer, struct heard *heard, const struct rtp_packet *packet, uint16_t seq,
           const uint8_t *payload, size_t len, int64_t now_us)
{
	struct video_facts facts;
	const int16_t ahead = (int16_t)(uint16_t)(seq - heard->seq);
	if (!heard->started || ahead > 0) {
		for (uint16_t s = (uint16_t)(heard->seq + 1); heard->started && s != seq; s++)
			heard->missing[s] = true;
		if (heard->started && now_us - heard->last_us > heard->silence_us_max)
			heard->silence_us_max = now_us - heard->last_us;
		heard->missing[seq] = false;
		heard->seq = seq;
		heard->started = true;
		heard->last_us = now_us;
	} else {
		heard->missing[seq] = false;
	}
	heard->packets++;
	heard->payload_type = packet->payload_type;
	heard->timestamp_rtp = packet->timestamp_rtp;
	if (packet->marker)
		heard->frames++;
	(void)peer;
	if (len == 0)
		return;
	const bool h264 = packet->payload_type >= PT_H264 && packet->payload_type <= PT_H264_HIGH;
	EXPECT_EQ(video_facts_parse(&facts, h264 ? VIDEO_CODEC_H264 : VIDEO_CODEC_VP8, payload, len),
	          VIDEO_OK);
	if (facts.key_start)
		heard->keys++;
	if (facts.width != 0) {
		heard->width = facts.width;
		heard->height = facts.height;
	}
}

static inline unsigned
heard_gaps(const struct heard *heard)
{
	unsigned gaps = 0;
	for (unsigned i = 0; i < COUNT_OF(heard->missing); i++)
		gaps += heard->missing[i];
	return gaps;
}

static inline void
peer_rtp(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	EXPECT_EQ(rtp_parse(&packet, bytes, len), RTP_OK);
	if (peer->lose_pct != 0 && prng_below(&world->prng, 100) < peer->lose_pct)
		return;
	const unsigned line = packet.ssrc & 3;
	struct heard *heard = &peer->heard[line];
	if ((packet.ssrc & ~0xfffu) == RTX_SSRC) {
		if (packet.payload_len < 2) {
			heard->padding++;
			return;
		}
		const uint8_t *payload = rtp_payload(&packet);
		heard->rtx++;
		hear_media(peer, heard, &packet, (uint16_t)(payload[0] << 8 | payload[1]),
		           payload + 2, packet.payload_len - 2u, world->now_us);
		return;
	}
	EXPECT_EQ(packet.ssrc & ~0xfffu, TX_SSRC);
	hear_media(peer, heard, &packet, packet.seq, rtp_payload(&packet), packet.payload_len,
	           world->now_us);
}

static inline void
peer_feedback(struct peer *peer, const struct rtcp_packet *packet)
{
	struct rtcp_fb fb;
	EXPECT_EQ(rtcp_fb_parse(&fb, packet), RTCP_FB_OK);
	uint32_t ssrc = fb.media_ssrc;
	switch (fb.kind) {
	case RTCP_FB_FIR:
		ssrc = rtcp_fb_fir(&fb, 0).ssrc;
		[[fallthrough]];
	case RTCP_FB_PLI:
		EXPECT_EQ(ssrc & ~0xfffu, RX_SSRC);
		peer->key_asked[ssrc & 3]++;
		peer->key_due[ssrc & 3] = true;
		break;
	case RTCP_FB_NACK:
		peer->nacked++;
		break;
	case RTCP_FB_TMMBR:
		peer->tmmbr++;
		peer->tmmbr_bps = rtcp_fb_tmmb(&fb, 0).bitrate_bps;
		break;
	case RTCP_FB_TWCC:
		peer->twcc++;
		break;
	case RTCP_FB_TMMBN:
	case RTCP_FB_REMB:
	case RTCP_FB_OTHER:
		break;
	}
}

static inline void
peer_rtcp(struct video_world *world, struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct rtcp_packet packet;
	EXPECT_EQ(rtcp_parse(bytes, len, false), RTCP_OK);
	for (size_t at = 0; rtcp_next(bytes, len, &at, &packet);) {
		peer->rr += packet.type == RTCP_RR;
		peer->sr += packet.type == RTCP_SR;
		if (packet.type == RTCP_SR && world->report != NULL)
			world->report(world, peer, &packet);
		if (packet.type == RTCP_RTPFB || packet.type == RTCP_PSFB)
			peer_feedback(peer, &packet);
	}
}

static inline void
world_sent(void *context, unsigned socket, media_leg_id leg, const struct net_addr *to,
           const uint8_t *bytes, size_t len)
{
	struct peer *peer = peer_of(context, leg);
	uint8_t plain[2048];
	(void)to;
	EXPECT(len <= sizeof plain);
	memcpy(plain, bytes, len);
	if (socket == MEDIA_SOCKET_RTCP || rtp_kind_of(bytes, len) == RTP_KIND_RTCP) {
		EXPECT_EQ(srtp_rtcp_unprotect(peer->srtp_rx, plain, &len), SRTP_OK);
		peer_rtcp(context, peer, plain, len);
	} else {
		struct video_world *world = context;
		if (world->lose_datagrams_pct != 0 &&
		    prng_below(&world->prng, 100) < world->lose_datagrams_pct) {
			world->lost_datagrams++;
			return;
		}
		EXPECT_EQ(srtp_rtp_unprotect(peer->srtp_rx, plain, &len), SRTP_OK);
		if (world->network != NULL)
			world->network(world, peer, plain, len);
		else
			peer_rtp(world, peer, plain, len);
	}
}

static inline void
world_happened(void *context, const struct media_event *event)
{
	struct peer *peer = peer_of(context, event->leg);
	switch ((enum media_event_kind)event->kind) {
	case MEDIA_EVENT_LEG_OPENED:
		peer->opened = true;
		peer->bridge = event->opened.local_rtp;
		break;
	case MEDIA_EVENT_LEG_CONNECTED:
		peer->connected = true;
		break;
	case MEDIA_EVENT_LEG_LOST:
		peer->lost = true;
		break;
	case MEDIA_EVENT_LEG_CLOSED:
		peer->closed = true;
		break;
	case MEDIA_EVENT_LEG_PICTURE:
		peer->picture[event->picture.track] = event->picture;
		peer->pictures++;
		break;
	case MEDIA_EVENT_LEG_VIDEO_STATS:
		peer->stats[event->video_stats.line] = event->video_stats;
		break;
	case MEDIA_EVENT_LEG_QUALITY:
		peer->quality = event->value;
		break;
	case MEDIA_EVENT_LEG_KEY_WANTED:
		peer->key_wanted++;
		break;
	case MEDIA_EVENT_LEG_DATA:
		peer->data = event->packet;
		peer->data_count++;
		break;
	case MEDIA_EVENT_LEG_STATS:
		peer->sound = event->stats;
		break;
	case MEDIA_EVENT_LEG_REFUSED:
	case MEDIA_EVENT_LEG_DTMF:
	case MEDIA_EVENT_LEG_PLAYED:
	case MEDIA_EVENT_LEG_TALKING:
	case MEDIA_EVENT_ROOM_CLOSED:
	case MEDIA_EVENT_COUNT:
		break;
	}
}

static inline bool
world_codec(void *context, const struct codec_message *message)
{
	struct video_world *world = context;
	return world->codec(world, message);
}

static inline void
world_random(void *context, void *out, size_t len)
{
	struct video_world *world = context;
	prng_bytes(&world->prng, out, len);
}

static inline struct video_world *
world_new(void)
{
	struct video_world *world = calloc(1, sizeof *world);
	EXPECT(world != NULL);
	prng_init(&world->prng, 1);
	world->now_us = 1000000;
	world->next_port = 50002;
	const struct media_settings settings = {
		.legs_max = PEERS_MAX,
		.rooms_max = 2,
		.seed = 4,
		.sink = { world, world_ports_open, world_ports_close, world_sent, world_happened,
		          world_codec },
		.random = world_random,
		.random_context = world,
	};
	EXPECT_EQ(media_create(&world->media, &settings, world->now_us), 0);
	return world;
}

static inline void
world_free(struct video_world *world)
{
	media_destroy(world->media);
	for (unsigned i = 0; i < world->peer_count; i++) {
		srtp_session_destroy(world->peers[i].srtp_tx);
		srtp_session_destroy(world->peers[i].srtp_rx);
	}
	free(world);
}

static inline void
order(struct video_world *world, struct media_order order)
{
	media_order(world->media, &order, world->now_us);
}

/* ---- Peers --------------------------------------------------------------------------------- */

static inline void
peer_secure(struct peer *peer, const struct media_transport_settings *transport)
{
	const enum srtp_suite suite = (enum srtp_suite)transport->sdes_suite_tx;
	const size_t key_bytes = srtp_suite_info(suite)->key_bytes;
	const struct srtp_settings tx = { .suite = suite,
		                          .direction = SRTP_OUTBOUND,
		                          .key = transport->sdes_key_rx,
		                          .salt = transport->sdes_key_rx + key_bytes };
	const struct srtp_settings rx = { .suite = suite,
		                          .direction = SRTP_INBOUND,
		                          .key = transport->sdes_key_tx,
		                          .salt = transport->sdes_key_tx + key_bytes };
	EXPECT_EQ(srtp_session_create(&peer->srtp_tx, &tx), 0);
	EXPECT_EQ(srtp_session_create(&peer->srtp_rx, &rx), 0);
}

static inline struct peer *
peer_new(struct video_world *world)
{
	CHECK(world->peer_count < PEERS_MAX);
	struct peer *peer = &world->peers[world->peer_count];
	peer->id = 1u << SLAB_INDEX_BITS | world->peer_count++;
	peer->addr = addr_ip4(198, 51, 100, (uint8_t)world->peer_count, 4000);
	peer->frame_bytes = 5000; /* 1.2 Mbit/s */
	peer->timestamp_rtp = 1000;
	peer->answers_nack = true;
	struct media_order open = { .kind = MEDIA_ORDER_LEG_OPEN, .leg = peer->id };
	open.open.local = addr_ip4(192, 0, 2, 1, 0);
	open.open.sound = world->sound;
	order(world, open);
	EXPECT(peer->opened);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = peer->id };
	transport.transport.remote_rtp = peer->addr;
	transport.transport.rtcp_mux = true;
	transport.transport.security = MEDIA_SECURITY_SDES;
	transport.transport.sdes_suite_tx = SRTP_SUITE_AEAD_AES_128_GCM;
	transport.transport.sdes_suite_rx = SRTP_SUITE_AEAD_AES_128_GCM;
	memset(transport.transport.sdes_key_tx, 1 + (int)world->peer_count, MEDIA_SDES_KEY_MAX);
	memset(transport.transport.sdes_key_rx, 101 + (int)world->peer_count, MEDIA_SDES_KEY_MAX);
	peer_secure(peer, &transport.transport);
	order(world, transport);
	EXPECT(peer->connected);
	return peer;
}

/* A line in both directions with VP8, retransmission and all feedback; the test changes what it
 * wants otherwise before video_order(). */
static inline struct media_order
video_line(const struct peer *peer, unsigned line)
{
	struct media_order video = { .kind = MEDIA_ORDER_LEG_VIDEO, .leg = peer->id };
	const uint32_t index = slab_index(peer->id);
	video.video = (struct media_video_settings){
		.line = (uint8_t)line,
		.track = VIDEO_TRACK_MAIN,
		.receive = line == 0,
		.send = true,
		.nack = true,
		.pli = true,
		.mid_ext_id = EXT_MID,
		.rid_ext_id = EXT_RID,
		.repaired_rid_ext_id = EXT_REPAIRED_RID,
		.payload_count = 1,
		.tx_ssrc = TX_SSRC | index << 4 | line,
		.tx_rtx_ssrc = RTX_SSRC | index << 4 | line,
		.payloads = { { .codec = VIDEO_CODEC_VP8,
		                .rx_payload_type = PT_VP8,
		                .tx_payload_type = PT_VP8,
		                .rx_rtx_payload_type = PT_RTX,
		                .tx_rtx_payload_type = PT_RTX } },
	};
	video.video.mid[0] = (char)('0' + line);
	return video;
}

static inline struct media_order
h264_line(const struct peer *peer, unsigned line, uint8_t mode)
{
	struct media_order video = video_line(peer, line);
	video.video.payloads[0] = (struct media_video_payload){
		.codec = VIDEO_CODEC_H264,
		.rx_payload_type = PT_H264,
		.tx_payload_type = PT_H264,
		.rx_rtx_payload_type = PT_H264_RTX,
		.tx_rtx_payload_type = PT_H264_RTX,
		.packetization_mode = mode,
	};
	return video;
}

static inline void
agree(struct video_world *world, struct peer *peer, unsigned lines)
{
	for (unsigned line = 0; line < lines; line++)
		order(world, video_line(peer, line));
}

static inline void
simulcast(struct video_world *world, struct peer *peer)
{
	struct media_order video = video_line(peer, 0);
	static const char rids[LAYERS][MEDIA_RID_MAX] = { "f", "h", "q" };
	video.video.rid_count = LAYERS;
	memcpy(video.video.rids, rids, sizeof rids);
	order(world, video);
	peer->layer_count = LAYERS;
	peer->rids = true;
}

static inline void
show_source(struct video_world *world, const struct peer *to, unsigned line,
            const struct peer *from, uint16_t height)
{
	struct media_order show = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = to->id };
	show.show.line = (uint8_t)line;
	show.show.height = height;
	if (from != NULL) {
		show.show.kind = MEDIA_SHOW_SOURCE;
		show.show.source = video_source(from->id, VIDEO_TRACK_MAIN);
	}
	order(world, show);
}

static inline void
show_canvas(struct video_world *world, const struct peer *to, uint32_t canvas)
{
	struct media_order show = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = to->id };
	show.show.kind = MEDIA_SHOW_CANVAS;
	show.show.canvas = canvas;
	order(world, show);
}

static inline void
set_flags(struct video_world *world, const struct peer *peer, struct media_leg_flags flags)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_SET, .leg = peer->id,
	                                   .flags = flags });
}

static inline void
hang_up(struct video_world *world, struct peer *peer)
{
	order(world, (struct media_order){ .kind = MEDIA_ORDER_LEG_CLOSE, .leg = peer->id });
	EXPECT(peer->closed);
	peer->layer_count = 0;
}

/* ---- What peers send ----------------------------------------------------------------------- */

static inline void
peer_input(struct video_world *world, struct peer *peer, uint8_t *bytes, size_t len)
{
	EXPECT_EQ(srtp_rtp_protect(peer->srtp_tx, bytes, &len, len + SRTP_RTP_OVERHEAD_MAX), SRTP_OK);
	if (peer->lose_in_pct != 0 && prng_below(&world->prng, 100) < peer->lose_in_pct)
		return;
	media_input(world->media, MEDIA_SOCKET_RTP, peer->id, &peer->addr, bytes, len,
	            world->now_us);
}

static inline void
peer_send(struct video_world *world, struct peer *peer, unsigned layer, uint8_t payload_type,
          bool marker, const uint8_t *payload, size_t len)
{
	static const uint8_t rids[] = "fhq";
	uint8_t bytes[1600];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	const struct rtp_ext ext = { &rids[layer], EXT_RID, 1 };
	const struct rtp_header header = { .payload_type = payload_type,
		                           .marker = marker,
		                           .seq = peer->seq[layer]++,
		                           .timestamp_rtp = peer->timestamp_rtp,
		                           .ssrc = RX_SSRC | slab_index(peer->id) << 4 | layer,
		                           .exts = &ext,
		                           .ext_count = peer->rids };
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	EXPECT(!w.failed);
	peer_input(world, peer, bytes, w.at);
}

/* A frame whose header is true and whose rest is noise. */
static inline void
peer_frame(struct video_world *world, struct peer *peer, unsigned layer)
{
	uint8_t frame[32 * 1024];
	const uint16_t height = (uint16_t)(720 >> layer);
	const uint16_t width = (uint16_t)(1280 >> layer);
	const bool key = peer->key_due[layer];
	static const size_t parts[LAYERS] = { 1, 3, 8 };
	const size_t len = peer->frame_bytes / parts[layer];
	prng_bytes(&world->prng, frame, len);
	frame[0] = (uint8_t)((frame[0] & 0xfe) | !key);
	frame[3] = 0x9d, frame[4] = 0x01, frame[5] = 0x2a;
	frame[6] = (uint8_t)width, frame[7] = (uint8_t)(width >> 8);
	frame[8] = (uint8_t)height, frame[9] = (uint8_t)(height >> 8);
	peer->key_due[layer] = false;
	struct vp8_packetizer packetizer;
	vp8_packetizer_init(&packetizer, frame, len, peer->picture_id & 0x7fff, false, 1100);
	for (;;) {
		uint8_t payload[1100];
		bool last;
		struct writer w = writer_of(payload, sizeof payload);
		if (!vp8_packetizer_next(&packetizer, &w, &last))
			return;
		peer_send(world, peer, layer, PT_VP8, last, payload, w.at);
	}
}

static inline void
peer_write_rtcp(struct video_world *world, struct peer *peer, struct writer *w)
{
	size_t len = w->at;
	EXPECT(!w->failed);
	EXPECT_EQ(srtp_rtcp_protect(peer->srtp_tx, w->bytes, &len, w->cap), SRTP_OK);
	media_input(world->media, MEDIA_SOCKET_RTP, peer->id, &peer->addr, w->bytes, len,
	            world->now_us);
}

static inline uint32_t
tx_ssrc(const struct peer *peer, unsigned line)
{
	return TX_SSRC | slab_index(peer->id) << 4 | line;
}

static inline void
peer_pli(struct video_world *world, struct peer *peer, unsigned line)
{
	uint8_t bytes[96];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_write_rr(&w, 1, NULL, 0);
	rtcp_fb_write_pli(&w, 1, tx_ssrc(peer, line));
	peer_write_rtcp(world, peer, &w);
}

/* Asks for what is missing, as a browser does. */
static inline void
peer_nack(struct video_world *world, struct peer *peer, unsigned line)
{
	uint16_t seqs[64];
	unsigned count = 0;
	const struct heard *heard = &peer->heard[line];
	for (unsigned back = 400; back != 0 && count < COUNT_OF(seqs); back--) {
		const uint16_t seq = (uint16_t)(heard->seq - back);
		if (heard->missing[seq])
			seqs[count++] = seq;
	}
	if (count == 0)
		return;
	uint8_t bytes[600];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_write_rr(&w, 1, NULL, 0);
	rtcp_fb_write_nack(&w, 1, tx_ssrc(peer, line), seqs, count);
	peer_write_rtcp(world, peer, &w);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static inline void
world_serve(struct video_world *world)
{
	media_flush(world->media, world->now_us);
	if (media_deadline(world->media) <= world->now_us)
		media_tick(world->media, world->now_us);
	if (world->codec_pass != NULL)
		world->codec_pass(world);
	media_flush(world->media, world->now_us);
}

static inline void
pass(struct video_world *world, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		world->now_us += 1000;
		for (unsigned p = 0; p < world->peer_count; p++) {
			struct peer *peer = &world->peers[p];
			const bool due = world->now_us / FRAME_US != (world->now_us - 1000) / FRAME_US;
			for (unsigned l = 0; due && l < peer->layer_count; l++)
				if (!peer->stopped[l])
					peer_frame(world, peer, l);
			if (due) {
				peer->timestamp_rtp += 2970;
				peer->picture_id++;
			}
			for (unsigned line = 0;
			     peer->answers_nack && i % 20 == 0 && line < COUNT_OF(peer->heard); line++)
				if (peer->heard[line].started && !peer->closed)
					peer_nack(world, peer, line);
		}
		if (world->network_pass != NULL)
			world->network_pass(world);
		world_serve(world);
	}
}

#endif
