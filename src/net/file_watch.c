/* SPDX-License-Identifier: Apache-2.0 */
#include "net/file_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/check.h"

enum {
	NAME_BYTES = 64,
	EVENTS_BYTES = 4096,
};

struct file_watch {
	int fd;
	struct loop_watch *readable;
	file_watch_cb *cb;
	void *context;
	char name[NAME_BYTES];
};

/* The folder has other files too; several changes at once are one. */
static void
on_events(void *context)
{
	struct file_watch *watch = context;
	_Alignas(struct inotify_event) char events[EVENTS_BYTES];
	ssize_t len;
	bool ours = false;
	while ((len = read(watch->fd, events, sizeof events)) > 0) {
		for (char *at = events; at < events + len;) {
			const struct inotify_event *event = (const void *)at;
			ours = ours || (event->mask & IN_Q_OVERFLOW) != 0 ||
			       (event->len != 0 && strcmp(event->name, watch->name) == 0);
			at += sizeof *event + event->len;
		}
	}
	if (ours)
		watch->cb(watch->context);
}

int
file_watch_create(struct file_watch **out, struct loop *loop, const char *folder, const char *name,
                  file_watch_cb *cb, void *context)
{
	struct file_watch *watch = calloc(1, sizeof *watch);
	CHECK(strlen(name) < NAME_BYTES);
	if (watch == NULL)
		return -ENOMEM;
	watch->cb = cb;
	watch->context = context;
	memcpy(watch->name, name, strlen(name));
	int rc = 0;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0 ||
	    inotify_add_watch(watch->fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
		rc = -errno;
	if (rc == 0)
		rc = loop_watch_create(&watch->readable, loop, watch->fd, on_events, watch);
	if (rc != 0) {
		if (watch->fd >= 0)
			close(watch->fd);
		free(watch);
		return rc;
	}
	*out = watch;
	return 0;
}

void
file_watch_destroy(struct file_watch *watch)
{
	if (watch == NULL)
		return;
	loop_watch_destroy(watch->readable);
	close(watch->fd);
	free(watch);
}
