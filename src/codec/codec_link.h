/* SPDX-License-Identifier: Apache-2.0 */
/* codec_link -- carries codec.h's messages between a media worker and its codec process: two rings
 * in shared memory (base/shm_ring.h) and two eventfds.
 *
 * The worker's use of it:
 *
 *	if (!codec_link_post(link, &message))
 *		a frame was dropped: ask its source for a key frame
 *	...
 *	when codec_link_fd() is readable (net/loop.h: loop_watch):
 *		struct codec_message message;
 *		for (unsigned i = 0; i < CODEC_LINK_BATCH; i++) {
 *			if (codec_link_take(link, &message) != CODEC_LINK_MESSAGE)
 *				break;
 *			media_codec_message(media, &message, now_us);
 *		}
 *
 * Orders are never lost: what does not fit waits in memory of this side and goes first as soon as
 * there is room (each post and each take tries).  Frames are dropped when the ring is full, and
 * then the following ones of that source or encode up to a key frame, for they could not be
 * decoded.
 *
 * What comes out was checked: its kind belongs to that direction, numbers are in range, texts are
 * whole.  Whether an id is known is the reader's to see.  When the other side breaks a rule the
 * link is broken for good; worker/codec_child.h sees that and starts a new process with a new link.
 *
 * Ownership  Counted references, because the thread that watches the child holds one and the worker
 *            another; the last codec_link_put() unmaps all.  A taken message's `bytes` and `canvas`
 *            are borrowed until the next take.
 * Threads    One thread posts and takes; get, put, codec_link_broken() and codec_link_pulse() from
 *            any.
 * Units      As in codec.h.
 * Errors     0 or -errno.
 * Limits     Below; more orders waiting than CODEC_LINK_HELD_MAX break the link.
 */
#ifndef CODEC_CODEC_LINK_H
#define CODEC_CODEC_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/codec.h"

enum {
	CODEC_LINK_RING_BYTES_MAX = 4 << 20, /* each way */
	CODEC_LINK_HELD_MAX = 4096, /* orders that wait for room in the ring */
	CODEC_LINK_BATCH = 256,     /* messages to take before other work gets its turn */
	CODEC_LINK_FDS = 4,
};

enum codec_link_take { CODEC_LINK_EMPTY, CODEC_LINK_MESSAGE, CODEC_LINK_BROKEN };

struct codec_link;

/* The worker's end. */
[[nodiscard]] int codec_link_create(struct codec_link **out);
/* What the child is started with, as its descriptors first, first + 1, ...: the link's own. */
[[nodiscard]] const int *codec_link_child_fds(const struct codec_link *link);
/* The other end, in the child, which owns these descriptors from now on. */
[[nodiscard]] int codec_link_adopt(struct codec_link **out, int first_fd);

struct codec_link *codec_link_get(struct codec_link *link);
void codec_link_put(struct codec_link *link);

/* False when it was a frame and was dropped. */
bool codec_link_post(struct codec_link *link, const struct codec_message *message);
[[nodiscard]] enum codec_link_take codec_link_take(struct codec_link *link,
                                                   struct codec_message *message);

/* Readable while there is something to take. */
[[nodiscard]] int codec_link_fd(const struct codec_link *link);
/* What posting writes to, to wake the other side. */
[[nodiscard]] int codec_link_peer_fd(const struct codec_link *link);
/* The child's: is readable (hung up) once the worker's end is gone. */
[[nodiscard]] int codec_link_lifeline(const struct codec_link *link);

[[nodiscard]] bool codec_link_broken(const struct codec_link *link);
/* The child says that it is alive... */
void codec_link_beat(struct codec_link *link);
/* ...and the other end sees this number change. */
[[nodiscard]] uint32_t codec_link_pulse(const struct codec_link *link);

#endif
