/* SPDX-License-Identifier: Apache-2.0 */
/* canvas -- what a composed picture shows, as data: made by the control thread (callbridge), carried
 * by the media worker, drawn by a codec process.
 *
 * A canvas says nothing about its size: rectangles lie on a grid of CANVAS_WIDTH x CANVAS_HEIGHT and
 * are scaled to each size that is encoded.  Two receivers with equal canvases share one.
 *
 * Ownership  A plain value.  It crosses to codec processes as its bytes, so it holds no pointer.
 * Threads    A value.
 * Units      Grid points; text is UTF-8 with a NUL.
 * Errors     A reader in another process checks it with canvas_valid().
 */
#ifndef CODEC_CANVAS_H
#define CODEC_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "video/video.h"

enum {
	CANVAS_WIDTH = 1920,
	CANVAS_HEIGHT = 1080,
	CANVAS_PANES_MAX = 32,
	CANVAS_LABEL_MAX = 64,    /* bytes with NUL */
	CANVAS_MESSAGE_MAX = 256,
};

enum canvas_fit {
	CANVAS_FIT_AUTO,  /* fill the pane when little is cut off, else show the whole picture */
	CANVAS_FIT_WHOLE, /* never cut: content */
};

/* What is drawn instead of panes, with `message` below it. */
enum canvas_screen {
	CANVAS_SCREEN_PANES,
	CANVAS_SCREEN_LOBBY,            /* waiting for the host */
	CANVAS_SCREEN_ONLY_PARTICIPANT, /* nobody else is here */
};

enum canvas_place { CANVAS_TOP, CANVAS_MIDDLE, CANVAS_BOTTOM };

struct canvas_pane {
	uint16_t x, y, width, height;
	video_source_id source; /* 0: somebody without picture, the label stands on a calm background */
	uint8_t fit;            /* enum canvas_fit */
	bool talking;           /* a frame around it */
	bool audio_muted;       /* icon beside the label */
	bool over;              /* drawn over other panes (telepresence): keeps a thin border */
	char label[CANVAS_LABEL_MAX]; /* empty: none */
};

struct canvas {
	uint8_t screen; /* enum canvas_screen */
	uint8_t pane_count;
	uint8_t message_place; /* enum canvas_place */
	uint8_t title_place;
	bool recording;
	bool streaming;
	bool locked;
	bool labels;            /* participantLabels */
	uint16_t counter;       /* participants not shown: "+N" in a corner; 0: none */
	uint16_t total;         /* participants, beside it; 0: not told */
	char message[CANVAS_MESSAGE_MAX]; /* on-screen text, empty: none */
	char title[CANVAS_LABEL_MAX];     /* meeting title, empty: none */
	struct canvas_pane panes[CANVAS_PANES_MAX];
};

/* Every number in range, every rectangle on the grid, every text UTF-8 with its NUL. */
[[nodiscard]] bool canvas_valid(const struct canvas *canvas);
/* Same pictures: unused panes and bytes behind a NUL do not count. */
[[nodiscard]] bool canvas_eq(const struct canvas *a, const struct canvas *b);

#endif
