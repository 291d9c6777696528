/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_offer -- the SDP of a fake browser: an offer with the lines of the web app's in the words of
 * Chromium, and what the bridge's answer says about them.
 *
 * Ownership  Plain values; an answer's views and the text it was read from are the caller's.
 * Threads    Not safe for several: a static description of 130 kB is used.
 * Errors     offer_answer_read() says in words what a browser could not use.
 */
#ifndef BENCH_MEETING_OFFER_H
#define BENCH_MEETING_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "dtls/dtls.h"

enum {
	OFFER_OPUS = 111, /* payload types; they stand in the answer as they were offered */
	OFFER_VP8 = 96,
	OFFER_VP8_RTX = 97,
	OFFER_H264 = 102,
	OFFER_H264_RTX = 103,
	OFFER_TILES_MID = 2, /* of the first tile; sound is 0, the camera 1 */
	OFFER_TILES_MAX = 28,
	OFFER_CANDIDATES_MAX = 8,
};

struct offer_lines {
	char ufrag[16];
	char pwd[32];
	const char *fingerprint; /* "sha-256 AB:..." */
	struct net_addr local;
	uint64_t session_id;
	unsigned tiles;
	bool h264; /* as well as VP8 */
};

void offer_write(struct writer *w, const struct offer_lines *lines);

struct offer_answer {
	struct str ufrag, pwd;
	struct dtls_fingerprint fingerprint;
	struct net_addr candidates[OFFER_CANDIDATES_MAX];
	uint32_t priorities[OFFER_CANDIDATES_MAX];
	unsigned candidate_count;
	uint8_t mid_ext, rid_ext, repaired_ext, level_ext, twcc_ext; /* 0: not agreed */
	bool camera; /* the line was accepted, with three layers */
	struct {
		bool accepted;
		uint32_t ssrcs[2]; /* told for it; 0: none */
	} tiles[OFFER_TILES_MAX];
};

/* NULL: all is well. */
[[nodiscard]] const char *offer_answer_read(struct offer_answer *out, struct str text);

#endif
