/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_browser -- a fake browser of meeting_load, as the web app behaves (docs/c2w.md): joins by
 * HTTPS, holds a WebSocket to the Web Bridge, offers sound, a camera in three layers and lines that
 * only receive, says how large it shows them, and hears who is in which.
 *
 * Ownership  create/destroy.  Everything in the settings outlives it.
 * Threads    The loop's.
 * Errors     browser_failed() says in words what went wrong.
 * Limits     BROWSER_TILES_MAX lines that only receive; fewer if the bridge says so.
 */
#ifndef BENCH_MEETING_BROWSER_H
#define BENCH_MEETING_BROWSER_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting_stream.h"
#include "net/http.h"
#include "net/tcp.h"

enum {
	BROWSER_LAYERS = 3,
	BROWSER_TILES_MAX = 28,
};

struct browser_settings {
	struct loop *loop;
	struct http *http;
	struct tls_context *tls; /* checks nothing: the certificate of a test is its own */
	struct net_addr web;     /* of the Web Bridge */
	struct net_addr bind;
	const char *address;     /* of the meeting */
	unsigned number;
	const struct dtls_context *dtls;
	const struct clip *layers[BROWSER_LAYERS]; /* high, medium, low */
	const struct voice *voice;
	struct packet_pool *pool;
	struct prng *prng;
	unsigned drop_permille;
	bool camera; /* on */
	unsigned tiles;
	unsigned heights[BROWSER_TILES_MAX]; /* device pixels of each tile */
	bool h264; /* taken in tiles, as Chromium does and Firefox without its plug-in does not */
};

struct browser;

/* NULL: no socket or memory. */
[[nodiscard]] struct browser *browser_create(const struct browser_settings *settings);
void browser_destroy(struct browser *browser);

void browser_join(struct browser *browser);
void browser_leave(struct browser *browser);
void browser_tick(struct browser *browser, int64_t now_us);

/* Media flows. */
[[nodiscard]] bool browser_ready(const struct browser *browser);
/* NULL: nothing. */
[[nodiscard]] const char *browser_failed(const struct browser *browser);
void browser_talk(struct browser *browser, bool talks);
[[nodiscard]] struct streams *browser_streams(struct browser *browser);
[[nodiscard]] unsigned browser_tiles(const struct browser *browser);
/* For whom line `tile` is, empty: nobody. */
[[nodiscard]] const char *browser_tile_person(const struct browser *browser, unsigned tile);
[[nodiscard]] unsigned browser_tile_height(const struct browser *browser, unsigned tile);

#endif
