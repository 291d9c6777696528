/* SPDX-License-Identifier: Apache-2.0 */
/* codec_child -- keeps one codec process running (codec/codec_process.h).
 *
 * It is started with fresh shared memory; when it ends, breaks the rules of its link or shows no
 * sign of life, it is killed and another one started with another link: at once the first time,
 * with a doubling pause while new ones end early.
 *
 * Ownership  create/destroy.  Each `linked` call hands over one reference (codec_link_put()); a
 *            worker that gets a new link puts the old one and says its canvases and encodes again.
 * Threads    The control thread: calls and callbacks.
 * Units      Microseconds.
 * Errors     -errno when the first process cannot be started; later failures are tried again and
 *            logged.
 */
#ifndef WORKER_CODEC_CHILD_H
#define WORKER_CODEC_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "codec/codec_link.h"
#include "net/loop.h"

enum {
	CODEC_CHILD_PULSE_US = 1000000,     /* how often a sign of life is looked for */
	CODEC_CHILD_SILENT_US = 5 * 1000000, /* without one for so long it is killed */
	CODEC_CHILD_EARLY_US = 10 * 1000000, /* one that ends sooner makes the next one wait */
	CODEC_CHILD_PAUSE_US_MIN = 50 * 1000,
	CODEC_CHILD_PAUSE_US_MAX = 5 * 1000000,
};

struct codec_child;

struct codec_child_settings {
	const char *executable; /* of convoke; NULL: the running one */
	unsigned index;         /* which worker's; named in the log */
	void (*linked)(void *context, unsigned index, struct codec_link *link);
	void *context;
};

/* `linked` comes within this call for the first time. */
[[nodiscard]] int codec_child_create(struct codec_child **out, struct loop *control,
                                     const struct codec_child_settings *settings);
/* Ends the process. */
void codec_child_destroy(struct codec_child *child);

/* 0 while there is none. */
[[nodiscard]] pid_t codec_child_pid(const struct codec_child *child);
[[nodiscard]] uint32_t codec_child_restarts(const struct codec_child *child);

#endif
