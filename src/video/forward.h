/* SPDX-License-Identifier: Apache-2.0 */
/* forward -- one outgoing stream, made of one of several incoming ones at a time.
 *
 * The receiver sees one SSRC whose sequence numbers, timestamps and picture ids go on without a
 * gap, while behind it the simulcast layer, the person and the codec change.
 *
 *	forward_want(f, source, temporal_max, old_goes_on);      a change of mind
 *	for each packet of the wanted and of the present source:
 *	        verdict = forward_input(f, &out, packet, parameter_sets);
 *	        for each of out.count: rtp_write_header() from out.headers[i], then
 *	        forward_write(&w, out.packets[i], &out.headers[i]) and history_put() of both
 *	forward_key_wanted(f) != 0: ask that source for a key frame (key_requests.h)
 *
 * A switch happens at a key frame of the wanted source.  Until then the present one goes on
 * (`old_goes_on`: another layer of the same track) or nothing is sent.  Packets of the old source
 * that come late are still sent under the numbers that were kept for them.
 *
 * Times are those of one clock, on which the sound of the same moment stands too (packet->heard_us).  A
 * source whose own clock runs otherwise, or whose sound comes later than it did, is moved there in
 * steps that nobody sees.
 *
 * Temporal layers above the wanted one are left out without a gap in numbers and picture ids.  A
 * number that was kept for a missing packet, which then proves to be of a layer left out, is sent
 * empty: `header.empty`, for the receiver would wait for it.
 *
 * Ownership  A value.  `out` borrows the packets given.
 * Threads    One owner.
 * Units      Microseconds; RTP's 90 kHz.
 * Errors     None: each packet gets a verdict.
 * Limits     A packet more than FORWARD_LATE_MAX behind the newest is dropped.
 */
#ifndef VIDEO_FORWARD_H
#define VIDEO_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "video/packet_pool.h"
#include "video/video.h"

enum {
	FORWARD_LATE_MAX = 512,
	FORWARD_JUMP_MAX = 3000,        /* a larger jump of a source's numbers is a new beginning */
	FORWARD_PICTURES_MAX = 128,     /* pictures of which is known if they were sent */
	FORWARD_TIMES = 16,             /* frames whose time is remembered for packets that come late */
	FORWARD_NO_PAYLOAD_TYPE = 255,
	FORWARD_TEMPORAL_ALL = 7,
};

/* What an outgoing packet has instead of what its source wrote. */
struct forward_header {
	uint32_t timestamp_rtp;
	uint16_t seq;
	uint16_t picture_id;
	uint8_t tl0_index;
	uint8_t payload_type;
	bool marker;
	bool empty; /* no payload: write one byte of padding */
};

enum forward_verdict {
	FORWARD_SEND,
	FORWARD_NOT_WANTED,  /* neither the present nor the wanted source, or paused */
	FORWARD_NO_KEY,      /* of the wanted source, which has not sent a key frame yet */
	FORWARD_LAYER,       /* of a temporal layer that is left out */
	FORWARD_LATE,        /* from before the switch or pause, or far too old */
	FORWARD_DUPLICATE,
	FORWARD_NO_CODEC,    /* the receiver does not take it */
	FORWARD_VERDICTS,
};

struct forward_out {
	unsigned count; /* 0, 1, or 2: parameter sets go ahead of a key frame that has none */
	const struct packet *packets[2];
	struct forward_header headers[2];
};

struct forward_settings {
	uint16_t seq;            /* random starts; the top bit of seq is not used */
	uint16_t picture_id;
	int64_t epoch_us;        /* RTP time is 0 so long before 0 */
	uint8_t payload_types[VIDEO_FORMATS]; /* FORWARD_NO_PAYLOAD_TYPE: not taken */
};

/* A frame's RTP time as its sender wrote it, and as ours. */
struct forward_time {
	uint32_t wrote_rtp;
	uint32_t sent_rtp;
};

/* How the numbers of one source became ours, from its key frame on. */
struct forward_map {
	uint64_t source;      /* 0: none */
	int64_t first;        /* sequence number of its key frame, from which on it is sent */
	int64_t newest;       /* the highest seen */
	int64_t newest_picture;
	uint32_t timestamp_rtp; /* of `newest`, as its sender wrote it */
	uint32_t timestamp_offset; /* for frames that begin now */
	struct forward_time times[FORWARD_TIMES]; /* the newest is at time_at */
	uint8_t time_at;
	uint8_t time_count;
	uint16_t seq_offset;  /* of `newest` */
	uint16_t picture_offset;
	uint8_t tl0_offset;
	uint8_t temporal_max; /* what is sent of it now */
	bool pictures;        /* it has picture ids */
	uint64_t handled[FORWARD_LATE_MAX / 64]; /* bit n: newest - n has come */
	uint64_t left_out[FORWARD_LATE_MAX / 64]; /* and has no number of ours */
	uint64_t pictures_left_out[FORWARD_PICTURES_MAX / 64];
};

struct forward_stats {
	uint64_t verdicts[FORWARD_VERDICTS];
	uint64_t switches;
	uint64_t empties;
};

/* Fields are private, except the statistics. */
struct forward {
	struct forward_settings settings;
	struct forward_stats stats;
	struct forward_map now;
	struct forward_map before; /* for what comes late */
	uint64_t wanted;           /* source, 0: paused */
	int64_t wanted_newest;     /* highest number seen of it before its key frame */
	uint8_t temporal_wanted;
	bool sent;                 /* anything yet */
	uint16_t seq;              /* the highest sent or kept */
	uint16_t picture_id;
	uint8_t tl0_index;
	uint32_t timestamp_rtp;    /* of the newest frame */
};

void forward_init(struct forward *forward, const struct forward_settings *settings);
/* After a new SDP answer. */
void forward_set_payload_types(struct forward *forward,
                               const uint8_t payload_types[VIDEO_FORMATS]);

/* `source` 0 pauses at once.  Wanting what is sent already changes only the temporal layers: down
 * at once, up where the layer begins. */
void forward_want(struct forward *forward, uint64_t source, uint8_t temporal_max, bool old_goes_on);

/* `parameter_sets`: a packet with the H.264 parameter sets of a source that does not send them in
 * band (h264_sets_write_stap), or NULL. */
enum forward_verdict forward_input(struct forward *forward, struct forward_out *out,
                                   const struct packet *packet,
                                   const struct packet *parameter_sets);

/* The payload as it is to be sent.  An empty one writes nothing. */
void forward_write(struct writer *w, const struct packet *packet,
                   const struct forward_header *header);

/* The source whose key frame is waited for, or 0. */
[[nodiscard]] uint64_t forward_key_wanted(const struct forward *forward);
/* The source that is sent now, or 0. */
[[nodiscard]] uint64_t forward_source(const struct forward *forward);
/* Our RTP time at `now_us`, for a sender report. */
[[nodiscard]] uint32_t forward_timestamp_at(const struct forward *forward, int64_t now_us);

#endif
