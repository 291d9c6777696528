/* SPDX-License-Identifier: Apache-2.0 */
/* codec -- the messages between a media worker and its codec process, and the engine behind them.
 *
 * All decoding, scaling, composing and encoding of pictures happens in `convoke codec`, a child
 * without network and files.  One process serves one media worker.  Only compressed frames and
 * small orders cross; what comes late is dropped, never queued up.
 *
 *	worker -> codec   CODEC_SOURCE_FRAME (a source begins with its first frame), CODEC_SOURCE_CLOSE
 *	                  CODEC_CANVAS_SET, CODEC_CANVAS_CLOSE
 *	                  CODEC_ENCODE_OPEN (of a canvas, or of one source for receivers that lack
 *	                  its codec), CODEC_ENCODE_RATE, CODEC_ENCODE_KEY, CODEC_ENCODE_CLOSE
 *	codec -> worker   CODEC_FRAME, CODEC_SOURCE_KEY, CODEC_LOAD
 *
 * Nothing is answered and nothing has to be known before: a canvas may name sources that have sent
 * nothing yet, an encode may name a canvas that comes later.  After a crash the worker sends its
 * canvases and encodes again to the new process and asks the shown sources for key frames.
 *
 * The engine is sans-IO: the process (codec_process.h) moves messages through rings in shared
 * memory, tests and the simulator call straight in.
 *
 * Ownership  `bytes` and `canvas` of a message are borrowed for the call.
 * Threads    An engine has one owner.
 * Units      Microseconds on the machine's monotonic clock, which both processes share.
 * Errors     Whatever a stranger's stream does is counted; a source that cannot be decoded asks for
 *            a key frame and meanwhile shows its name, never a broken picture.
 * Limits     Below; orders beyond them are dropped and counted.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/canvas.h"
#include "video/video.h"

enum {
	CODEC_SOURCES_MAX = 256,
	CODEC_CANVASES_MAX = 256,
	CODEC_ENCODES_MAX = 256,
	CODEC_SOURCE_SILENT_US = 3 * 1000 * 1000, /* a source without frames becomes its name */
	/* Content may stand still for as long as somebody talks about it; its floor says when it ends. */
	CODEC_CONTENT_SILENT_US = 60 * 1000 * 1000,
};

enum codec_message_kind {
	/* To the codec process. */
	CODEC_SOURCE_FRAME, /* source, frame, bytes: one whole frame; H.264 as Annex B */
	CODEC_SOURCE_CLOSE, /* source */
	CODEC_CANVAS_SET,   /* id, canvas: new or changed */
	CODEC_CANVAS_CLOSE, /* id */
	CODEC_ENCODE_OPEN,  /* id, encode */
	CODEC_ENCODE_RATE,  /* id, encode.bps and encode.fps */
	CODEC_ENCODE_KEY,   /* id: the next frame is a key frame */
	CODEC_ENCODE_CLOSE, /* id */
	/* From it. */
	CODEC_FRAME,        /* id of the encode, frame, bytes; H.264 as Annex B */
	CODEC_SOURCE_KEY,   /* source: cannot go on without a key frame */
	CODEC_LOAD,         /* load: once a second while there is work */
	CODEC_MESSAGE_KINDS,
};

struct codec_frame {
	int64_t captured_us; /* when its first packet arrived here, or when it was composed */
	uint8_t codec;       /* enum video_codec */
	bool key;
	uint16_t rotation;   /* 0, 90, 180, 270 clockwise to be seen upright (RTP CVO) */
	uint16_t width;      /* of frames from the process */
	uint16_t height;
};

struct codec_encode {
	uint32_t canvas;        /* what is encoded: a canvas, or when 0 */
	video_source_id source; /* this source alone, fitted whole into width x height */
	uint8_t codec;          /* H264 or VP8 */
	uint8_t fps;
	bool single_nals;       /* H.264: slices of at most VIDEO_PAYLOAD_BYTES_MAX, for packetization-mode 0 */
	bool detail;            /* content: sharpness before movement */
	uint16_t width;         /* even */
	uint16_t height;
	uint32_t bps;
};

struct codec_load {
	uint32_t cpu_pct;       /* of one core, over the last second */
	uint32_t sources;       /* being decoded */
	uint32_t canvases;      /* being composed */
	uint32_t encodes;
	uint64_t frames_decoded; /* these count on */
	uint64_t frames_composed;
	uint64_t frames_encoded;
	uint64_t frames_dropped; /* came late, or the machine is too slow */
	uint64_t frames_broken;  /* could not be decoded */
	uint64_t orders_refused; /* out of range, or beyond the limits */
};

struct codec_message {
	uint8_t kind; /* enum codec_message_kind */
	uint32_t id;  /* of a canvas or encode: the worker's choice, not 0 */
	video_source_id source;
	struct codec_frame frame;
	struct codec_encode encode;
	struct codec_load load;
	const struct canvas *canvas;
	const uint8_t *bytes;
	size_t len;
};

struct codec_sink {
	void *context;
	void (*message)(void *context, const struct codec_message *message);
};

struct codec_engine;
struct label_fonts; /* labels.h: loaded before the process is locked in */

struct codec_engine_settings {
	const struct label_fonts *fonts; /* borrowed; NULL: no text is drawn */
	struct codec_sink sink;
};

[[nodiscard]] int codec_engine_create(struct codec_engine **out,
                                      const struct codec_engine_settings *settings,
                                      int64_t now_us);
void codec_engine_destroy(struct codec_engine *engine);

/* A message from the worker; one that breaks a rule is dropped and counted. */
void codec_engine_input(struct codec_engine *engine, const struct codec_message *message,
                        int64_t now_us);
/* Composes and encodes what is due: at most one picture a call, so that frames that came meanwhile
 * are looked at in between.  Call it again while the deadline has passed. */
void codec_engine_tick(struct codec_engine *engine, int64_t now_us);
/* How much time the calls above took, told by who has a clock: when it is nearly all there is,
 * fewer pictures a second are made, and more again later. */
void codec_engine_spent(struct codec_engine *engine, int64_t busy_us);
[[nodiscard]] int64_t codec_engine_deadline(const struct codec_engine *engine);
[[nodiscard]] struct codec_load codec_engine_load(const struct codec_engine *engine);

#endif
