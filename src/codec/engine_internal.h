/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share (codec.h).
 *
 * engine.c         orders in, time, figures
 * engine_source.c  frames in, pictures kept
 * engine_encode.c  what is composed and encoded when
 */
#ifndef CODEC_ENGINE_INTERNAL_H
#define CODEC_ENGINE_INTERNAL_H

#include "codec/codec.h"
#include "codec/compose.h"
#include "codec/decoder.h"
#include "codec/encoder.h"

enum {
	ENGINE_HOUSEKEEPING_US = 100 * 1000,
	ENGINE_SECOND_US = 1000 * 1000,
	ENGINE_KEY_AGAIN_US = 1000 * 1000,  /* a key frame is asked for again after so long */
	ENGINE_KEY_EVERY_US = 250 * 1000,   /* an encode makes no more key frames than this */
	ENGINE_BROKEN_US = 500 * 1000,      /* a source that cannot be decoded becomes its name */
	ENGINE_FRAME_AGE_US = 1500 * 1000,  /* an older frame comes too late to be decoded */
	ENGINE_FORGET_US = 10 * 1000 * 1000, /* a silent source nobody shows loses its place */
	ENGINE_REFRESH_US = 1000 * 1000,    /* a picture that stands still is encoded again... */
	ENGINE_REFRESH_SOON_US = 200 * 1000, /* ...and so soon while its quality still grows */
	ENGINE_REFRESHES_SOON = 5,
	ENGINE_SHED_MAX = 3,                /* frames per second are halved up to so often */
	ENGINE_SHED_WINDOW_US = 1000 * 1000,
	ENGINE_BUSY_PCT = 95,               /* in a window: too much */
	ENGINE_CALM_PCT = 40,               /* little enough for twice as many pictures */
	ENGINE_CALM_WINDOWS = 4,            /* so calm, before they are doubled */
};

struct engine_source {
	video_source_id id; /* 0: a free place */
	enum video_codec codec;
	struct decoder *decoder;
	struct compose_source shown_as;
	bool shown; /* by some composition: only then it is decoded */
	bool broken;
	int64_t frame_us;   /* when its last frame came */
	int64_t picture_us; /* when its last whole picture came */
	int64_t key_asked_us;
};

struct engine_canvas {
	uint32_t id; /* 0: a free place */
	struct canvas *canvas;
};

/* A canvas, or one source, at one size: composed once for all encodes of it. */
struct engine_composition {
	uint32_t canvas;        /* what it shows: a canvas, or */
	video_source_id source; /* one source */
	int width, height;
	unsigned encodes;       /* that use it; 0: a free place */
	struct composition *composition;
	bool known;             /* its canvas has come */
	bool drawn;
	bool changed;           /* since it was drawn: kept by engine_look() */
	int64_t wanted_us;      /* by a new encode or a key frame; INT64_MAX: by none */
	unsigned fps;           /* of its fastest encode */
	int64_t due_us;         /* when the next picture may be made */
	int64_t refresh_us;     /* when it is encoded again though nothing changed */
	unsigned refreshes;
};

struct engine_encode {
	uint32_t id; /* 0: a free place */
	struct codec_encode settings;
	struct engine_composition *composition;
	struct encoder *encoder; /* made with its first picture */
	bool key_wanted;
	int64_t key_us;   /* when its next key frame may be made */
	int64_t due_us;
	int64_t retry_us; /* after the library failed */
};

struct codec_engine {
	struct codec_sink sink;
	struct composer *composer;
	struct engine_source sources[CODEC_SOURCES_MAX];
	struct engine_canvas canvases[CODEC_CANVASES_MAX];
	struct engine_composition compositions[CODEC_ENCODES_MAX];
	struct engine_encode encodes[CODEC_ENCODES_MAX];
	struct codec_load load;
	uint64_t versions; /* of pictures, counted over all sources */
	bool look_again;   /* something came: is anything to be composed? */
	int64_t housekeeping_us;
	int64_t second_us;
	/* Load shedding. */
	unsigned shed;     /* how often frames per second are halved */
	int64_t busy_us;   /* in this window */
	unsigned calm_windows;
	int64_t window_us;
};

/* ---- engine_source.c */
void engine_source_frame(struct codec_engine *engine, const struct codec_message *message,
                         int64_t now_us);
void engine_source_close(struct codec_engine *engine, struct engine_source *source, int64_t now_us);
[[nodiscard]] struct engine_source *engine_source_find(struct codec_engine *engine,
                                                       video_source_id id);
/* It is shown from now on, or no more. */
void engine_source_show(struct codec_engine *engine, struct engine_source *source, bool shown,
                        int64_t now_us);
/* Sources that fell silent lose their picture, forgotten ones their place. */
void engine_sources_age(struct codec_engine *engine, int64_t now_us);

/* ---- engine_encode.c */
void engine_canvas_set(struct codec_engine *engine, uint32_t id, const struct canvas *canvas,
                       int64_t now_us);
void engine_canvas_close(struct codec_engine *engine, uint32_t id, int64_t now_us);
void engine_encode_open(struct codec_engine *engine, uint32_t id,
                        const struct codec_encode *settings, int64_t now_us);
void engine_encode_rate(struct codec_engine *engine, uint32_t id,
                        const struct codec_encode *settings);
void engine_encode_key(struct codec_engine *engine, uint32_t id, int64_t now_us);
void engine_encode_close(struct codec_engine *engine, uint32_t id, int64_t now_us);
/* Tells every composition its sources, and every source whether it is shown. */
void engine_connect(struct codec_engine *engine, int64_t now_us);
/* Makes the most overdue picture, if one is due. */
void engine_compose(struct codec_engine *engine, int64_t now_us);
/* Sees what has changed. */
void engine_look(struct codec_engine *engine);
/* When engine_compose() has something to do. */
[[nodiscard]] int64_t engine_compose_due(const struct codec_engine *engine);

#endif
