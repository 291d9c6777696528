/* SPDX-License-Identifier: Apache-2.0 */
/* h264 -- H.264 in RTP and SDP (RFC 6184), and the little of H.264 itself that a server must read.
 *
 * Sans-IO: no decoding, only NAL unit headers, sequence parameter sets and payload structures.
 *
 * Ownership  Views borrow the caller's bytes; parameter sets are copied into fixed tables.
 * Threads    Pure functions; values with one owner.
 * Units      Bytes; macroblocks (16 x 16 pixels); bit/s.
 * Errors     Payloads: `enum video_reject`.  SDP: `enum h264_fmtp_reject`.  An SPS is read or not.
 * Limits     Below.
 */
#ifndef VIDEO_H264_H
#define VIDEO_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "video/facts.h"

enum {
	H264_SPS_MAX = 4,  /* parameter sets kept of one stream */
	H264_PPS_MAX = 8,
	H264_SETS_MAX = H264_SPS_MAX + H264_PPS_MAX,
	H264_SET_BYTES_MAX = 256, /* of one; longer ones are passed on but not kept */
};

enum h264_nal_type {
	H264_NAL_SLICE = 1,
	H264_NAL_PARTITION_A = 2,
	H264_NAL_PARTITION_B = 3,
	H264_NAL_PARTITION_C = 4,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8,
	H264_NAL_AUD = 9,
	H264_NAL_SEQUENCE_END = 10,
	H264_NAL_STREAM_END = 11,
	H264_NAL_FILLER = 12,
	H264_NAL_STAP_A = 24, /* the rest: RFC 6184 s5.2 */
	H264_NAL_STAP_B = 25,
	H264_NAL_MTAP16 = 26,
	H264_NAL_MTAP24 = 27,
	H264_NAL_FU_A = 28,
	H264_NAL_FU_B = 29,
};

/* ---- One RTP payload ---- */

/* A NAL unit of a payload, or a piece of one. */
struct h264_piece {
	const uint8_t *bytes; /* without NAL header when `fragment`, else with it */
	size_t len;
	uint8_t header;       /* the NAL unit header byte */
	bool fragment;
	bool first;           /* of the NAL unit; both true when it is whole */
	bool last;
};

struct h264_walk {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	bool aggregate;
};

/* Checks the whole payload before the first piece is taken from it. */
[[nodiscard]] enum video_reject h264_walk_init(struct h264_walk *walk, const uint8_t *payload,
                                               size_t len);
[[nodiscard]] bool h264_walk_next(struct h264_walk *walk, struct h264_piece *out);

[[nodiscard]] enum video_reject h264_facts_parse(struct video_facts *out, const uint8_t *payload,
                                                 size_t len);

/* ---- Annex B ---- */

/* The next NAL unit of a byte stream at or behind `*at`, without start code and trailing zeros;
 * false at the end. */
[[nodiscard]] bool h264_annexb_next(const uint8_t *bytes, size_t len, size_t *at,
                                    const uint8_t **nal, size_t *nal_len);

/* ---- Parameter sets ---- */

enum {
	H264_PROFILE_BASELINE = 66, /* profile_idc */
	H264_PROFILE_MAIN = 77,
	H264_PROFILE_EXTENDED = 88,
	H264_PROFILE_HIGH = 100,
	H264_CONSTRAINT_SET0 = 0x80, /* of the byte behind it */
	H264_CONSTRAINT_SET1 = 0x40,
	H264_CONSTRAINT_SET3 = 0x10,
};

struct h264_sps {
	uint8_t profile_idc;
	uint8_t constraints; /* constraint_set0_flag is the top bit: profile-iop */
	uint8_t level_idc;
	uint8_t id;
	uint8_t reference_frames;
	uint16_t width;      /* cropped */
	uint16_t height;
	bool interlaced;     /* frame_mbs_only_flag is 0 */
};

/* `nal` with its header byte.  False when it is no SPS, ends early or holds absurd numbers; what
 * stands behind the size (VUI) is not read. */
[[nodiscard]] bool h264_sps_parse(struct h264_sps *out, const uint8_t *nal, size_t len);

/* What decoding a stream with this SPS takes. */
[[nodiscard]] enum video_demand h264_demand(const struct h264_sps *sps);

struct h264_set {
	uint16_t len;
	uint8_t id;
	uint8_t bytes[H264_SET_BYTES_MAX]; /* with NAL header */
};

/* The newest SPSs and PPSs of a stream, by their ids. */
struct h264_sets {
	uint8_t count;
	struct h264_set sets[H264_SETS_MAX]; /* SPSs first, each kind in the order they came */
};

/* Keeps an SPS or PPS, in place of an older one of its id; anything else, a set too long or one of
 * which the id cannot be read is not kept.  True when something changed. */
bool h264_sets_keep(struct h264_sets *sets, const uint8_t *nal, size_t len);
[[nodiscard]] bool h264_sets_complete(const struct h264_sets *sets); /* an SPS and a PPS */
/* All of them with four-byte start codes. */
void h264_sets_write_annexb(const struct h264_sets *sets, struct writer *w);
/* All of them as one STAP-A payload, for a receiver that has none. */
void h264_sets_write_stap(const struct h264_sets *sets, struct writer *w);
/* The newest SPS; false when there is none that can be read. */
[[nodiscard]] bool h264_sets_sps(const struct h264_sets *sets, struct h264_sps *out);

/* ---- SDP (RFC 6184 s8) ---- */

enum h264_fmtp_reject {
	H264_FMTP_OK = 0,
	H264_FMTP_REJECT_PROFILE_LEVEL, /* not six hex digits, or no level of H.264 */
	H264_FMTP_REJECT_MODE,          /* packetization-mode is not 0, 1 or 2 */
	H264_FMTP_REJECT_NUMBER,        /* another number cannot be read */
	H264_FMTP_REJECTS,
};

struct h264_fmtp {
	uint8_t profile_idc;
	uint8_t constraints;         /* profile-iop */
	uint8_t level_idc;
	uint8_t packetization_mode;
	bool level_asymmetry_allowed;
	bool sprop_bad;              /* sprop-parameter-sets was there and could not be read */
	uint32_t max_mbps;           /* 0: as the level says; never below it */
	uint32_t max_smbps;
	uint32_t max_fs;
	uint32_t max_br;             /* in 1,000 bit/s (VCL) */
	struct h264_sets sets;       /* from sprop-parameter-sets */
};

/* The parameters behind "a=fmtp:PT ".  What is missing gets RFC 6184's default; unknown parameters
 * are passed over. */
[[nodiscard]] enum h264_fmtp_reject h264_fmtp_parse(struct h264_fmtp *out, struct str parameters);
const char *h264_fmtp_reject_name(enum h264_fmtp_reject reject);

/* What a receiver takes, from its level and what it says beyond it. */
struct h264_limits {
	uint32_t macroblocks_per_s;
	uint32_t frame_macroblocks;
	uint32_t bps;
};

[[nodiscard]] struct h264_limits h264_limits_of(const struct h264_fmtp *fmtp);

/* What a receiver can decode that names this profile_idc and profile-iop. */
[[nodiscard]] enum video_demand h264_can(uint8_t profile_idc, uint8_t constraints);

/* ---- Sending ---- */

/* Cuts one access unit into RTP payloads: STAP-A for small NAL units, FU-A for large ones; in
 * packetization mode 0 one NAL unit each. */
struct h264_packetizer {
	const uint8_t *bytes; /* borrowed while packetizing */
	size_t len;
	size_t at;
	const uint8_t *nal;   /* to be sent next, NULL: none */
	size_t nal_len;
	size_t nal_at;        /* 0, or what of a fragmented one was sent */
	unsigned left_out;    /* mode 0: NAL units that did not fit so far */
	uint16_t payload_max;
	uint8_t mode;
};

/* `bytes` is Annex B; `payload_max` is at least 16. */
void h264_packetizer_init(struct h264_packetizer *packetizer, const uint8_t *bytes, size_t len,
                          uint8_t mode, uint16_t payload_max);
/* Writes the next payload, for which `w` has payload_max bytes; false at the end.  `*last`: it is
 * the access unit's last, its packet gets the marker. */
[[nodiscard]] bool h264_packetizer_next(struct h264_packetizer *packetizer, struct writer *w,
                                        bool *last);

#endif
