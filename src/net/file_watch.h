/* SPDX-License-Identifier: Apache-2.0 */
/* file_watch -- says when a file was replaced: by rename, as files.h and editors do.
 *
 * Ownership  create/destroy; destroying is allowed inside the callback.
 * Threads    The loop's.
 * Errors     0 or -errno.  The folder must be there, the file need not.
 */
#ifndef NET_FILE_WATCH_H
#define NET_FILE_WATCH_H

#include "net/loop.h"

struct file_watch;

typedef void file_watch_cb(void *context);

[[nodiscard]] int file_watch_create(struct file_watch **out, struct loop *loop, const char *folder,
                                    const char *name, file_watch_cb *cb, void *context);
void file_watch_destroy(struct file_watch *watch);

#endif
