/* SPDX-License-Identifier: Apache-2.0 */
/* line -- lines of text over a local stream socket: between the supervisor, its components and
 * the commands that ask it something.
 *
 * Ownership  line_open() takes over the descriptor.  A line lives until line_close(), also after
 *            `closed` was called for it; a listener's lines belong to whoever accepted them.
 *            Closing is allowed in every callback and nothing is called afterwards.
 * Threads    The loop's.
 * Units      Bytes; a line's text has no line break.
 * Errors     0 or -errno.
 * Limits     LINE_BYTES_MAX a line received, longer ones close it.  Nothing is queued: what the
 *            kernel does not take at once (some 200 KB unread) closes the line as well.
 */
#ifndef NET_LINE_H
#define NET_LINE_H

#include "base/str.h"
#include "net/loop.h"

enum {
	LINE_BYTES_MAX = 4096,
	LINE_BACKLOG = 16,
};

struct line;
struct line_listener;

struct line_handler {
	void (*received)(void *context, struct line *line, struct str text);
	/* The other side closed it, or broke a limit; never called inside line_send(). */
	void (*closed)(void *context, struct line *line);
};

/* A connected stream socket, for example of a socketpair(2).  The descriptor is closed on error
 * as well. */
[[nodiscard]] int line_open(struct line **out, struct loop *loop, int fd,
                            const struct line_handler *handler, void *context);
[[nodiscard]] int line_connect(struct line **out, struct loop *loop, const char *path,
                               const struct line_handler *handler, void *context);
/* What was sent before still arrives.  NULL is fine. */
void line_close(struct line *line);

/* `text` without its line break.  -ENOBUFS: the peer does not read; -EPIPE: it is gone. */
int line_send(struct line *line, struct str text);

/* One exchange, blocking, on a loop of its own: connects, says `request` and hands every line of the
 * answer to `received` until the other side closes.  -ETIMEDOUT when it has not after
 * `patience_us`; -ENOENT or -ECONNREFUSED when nobody is there. */
[[nodiscard]] int line_ask(const char *path, struct str request,
                           void (*received)(void *context, struct str text), void *context,
                           int64_t patience_us);

/* Two connected sockets that no child inherits by itself. */
[[nodiscard]] int line_pair(int fds[2]);

/* A socket file of mode 0600 in place of any file of that name.  `accepted` gets the descriptor of
 * each caller, for line_open(). */
[[nodiscard]] int line_listen(struct line_listener **out, struct loop *loop, const char *path,
                              void (*accepted)(void *context, int fd), void *context);
/* Removes the file. */
void line_unlisten(struct line_listener *listener);

#endif
