/* SPDX-License-Identifier: Apache-2.0 */
/* parent -- a component's line to the supervisor that started it.
 *
 * The supervisor gives each component a socket as descriptor 3 and speaks in lines: it asks "ping"
 * and gets "pong"; the component says "ready" once it serves, or "failed TEXT" before it gives up.
 * A supervisor that is gone closes the line, and the component ends too.  A component started by
 * hand has no such descriptor; then all of this does nothing.
 *
 * Ownership  create/destroy.
 * Threads    The loop's.
 * Errors     parent_create: -errno.  A line that cannot be sent is lost.
 * Limits     PARENT_LINE_MAX bytes a line; a longer reason is cut.
 */
#ifndef NET_PARENT_H
#define NET_PARENT_H

#include "net/loop.h"

enum {
	PARENT_FD = 3,
	PARENT_LINE_MAX = 512,
};

struct parent;

/* `gone` is called when the supervisor closed the line. */
[[nodiscard]] int parent_create(struct parent **out, struct loop *loop, void (*gone)(void *context),
                                void *context);
void parent_destroy(struct parent *parent);

void parent_ready(struct parent *parent);
/* For the administrator: shown by `convoke status` and on the terminal of `convoke up`. */
void parent_failed(struct parent *parent, const char *text);

#endif
