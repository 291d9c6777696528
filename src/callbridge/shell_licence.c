/* SPDX-License-Identifier: Apache-2.0 */
#include "callbridge/shell_licence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "component/licence_file.h"
#include "net/file_watch.h"
#include "net/wall.h"

enum {
	NOTE_S = 600,      /* between two notes of the time */
	CLOCK_BACK_S = 3600, /* less is a clock being set, and nobody's concern */
	SAMPLE_S = API_USAGE_US / 1000000,
	WATCHED = 2,
};

static const char *const watched[WATCHED] = { LICENCE_FILE, LICENCE_ISSUERS_FILE };

/* How a file was when it was read; all zero: it was not there. */
struct trace {
	struct timespec written;
	off_t bytes;
	ino_t inode;
};

struct shell_licence {
	struct loop_timer *timer;
	struct file_watch *watches[WATCHED];
	struct trace traces[WATCHED];
	struct licence_folder folder;
	int64_t sampled; /* in SAMPLE_S since 1970 */
	bool clock_back; /* and it was told */
};

static struct trace
trace_of(const struct shell *shell, const char *name)
{
	char path[COMPONENT_PATH_MAX];
	struct stat info;
	if (stat(component_path(&shell->component, path, name), &info) != 0)
		return (struct trace){ .bytes = 0 };
	return (struct trace){ .written = info.st_mtim, .bytes = info.st_size,
		               .inode = info.st_ino };
}

static bool
same_trace(const struct trace *a, const struct trace *b)
{
	return a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec &&
	       a->bytes == b->bytes && a->inode == b->inode;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static void
tell_file(const struct licence_folder *folder)
{
	if (licence_folder_free(folder))
		return;
	if (folder->damaged)
		log_error("license: %s; nothing is licensed until it is mended", folder->error);
	else if (!folder->there)
		log_warning("license: there is no " LICENCE_FILE);
	else if (folder->why != LICENCE_OK)
		log_error("license: " LICENCE_FILE " does not count: %s", folder->error);
	else
		log_info("license: " LICENCE_FILE " is licence %s of %s, signed by %s",
		         folder->licence.id, folder->licence.holder, folder->licence.issuer);
}

static void
read_folder(struct shell *shell, bool another)
{
	struct shell_licence *licence = shell->licence;
	const bool was_free = licence_folder_free(&licence->folder);
	const enum licence_reject before = licence->folder.why;
	for (size_t i = 0; i < WATCHED; i++)
		licence->traces[i] = trace_of(shell, watched[i]);
	licence_folder_read(&licence->folder, shell->component.data_dir, LICENCE_FILE);
	if (another || licence->folder.why != before)
		tell_file(&licence->folder);
	if (!was_free && licence_folder_free(&licence->folder))
		log_info("license: nobody's licences count here any more; nothing is limited");
	const bool counts = licence->folder.there && licence->folder.why == LICENCE_OK &&
	                    !licence_folder_free(&licence->folder);
	api_licence_file(shell->api, counts ? str_of(licence->folder.text) : STR(""));
}

static bool
is_another(const struct shell *shell)
{
	for (size_t i = 0; i < WATCHED; i++) {
		const struct trace now = trace_of(shell, watched[i]);
		if (!same_trace(&now, &shell->licence->traces[i]))
			return true;
	}
	return false;
}

/* ---- Time ---------------------------------------------------------------------------------- */

/* The clock says less than it said before. */
static void
judge_clock(struct shell *shell, int64_t clock_s, int64_t now_s)
{
	struct shell_licence *licence = shell->licence;
	const bool back = now_s - clock_s > CLOCK_BACK_S;
	if (back && !licence->clock_back) {
		char date[LICENCE_DATE_MAX];
		log_warning("license: the clock was put back; licences are judged by %s",
		            licence_date(date, now_s));
		meeting_alarm_raise(shell->meeting, ALARM_LICENSE_CLOCK, ALARM_ERROR, NULL,
		                    loop_now_us());
	} else if (!back && licence->clock_back) {
		meeting_alarm_clear(shell->meeting, ALARM_LICENSE_CLOCK, NULL);
	}
	licence->clock_back = back;
}

static void
note_time(struct shell *shell, int64_t now_s)
{
	struct licence_folder *folder = &shell->licence->folder;
	if (folder->licence.id[0] == '\0' ||
	    (strcmp(folder->seen_id, folder->licence.id) == 0 && now_s - folder->seen_s < NOTE_S))
		return;
	const int rc = licence_folder_note(folder, shell->component.data_dir, now_s);
	if (rc != 0)
		log_warning("license: licence-seen cannot be written: %s", strerror(-rc));
}

static void
look(struct shell *shell)
{
	struct shell_licence *licence = shell->licence;
	const int64_t wall_us = wall_now().us;
	const int64_t clock_s = wall_us / 1000000;
	int64_t now_s;
	/* What does not count is read again and again: it may have been us, without memory. */
	const bool another = is_another(shell);
	if (another || licence->folder.why != LICENCE_OK)
		read_folder(shell, another);
	const struct licence_rights rights =
		licence_folder_rights(&licence->folder, clock_s, &now_s);
	judge_clock(shell, clock_s, now_s);
	note_time(shell, now_s);
	meeting_licence(shell->meeting, &rights, now_s, loop_now_us());
	if (clock_s / SAMPLE_S != licence->sampled) {
		licence->sampled = clock_s / SAMPLE_S;
		api_usage_note(shell->api, licence->sampled * SAMPLE_S * 1000000);
	}
}

static void
on_file(void *context)
{
	struct shell *shell = context;
	look(shell);
	shell_settle(shell);
}

static void
on_timer(void *context, int64_t now_us)
{
	struct shell *shell = context;
	loop_timer_arm(shell->licence->timer, now_us + LICENCE_LOOK_US);
	look(shell);
	shell_settle(shell);
}

/* ---- Opening ------------------------------------------------------------------------------- */

bool
licence_open(struct shell *shell)
{
	shell->licence = calloc(1, sizeof *shell->licence);
	if (shell->licence == NULL ||
	    loop_timer_create(&shell->licence->timer, shell->component.loop, on_timer, shell) != 0)
		return component_fail(&shell->component, "not enough memory");
	for (size_t i = 0; i < WATCHED; i++) {
		const int rc = file_watch_create(&shell->licence->watches[i], shell->component.loop,
		                                 shell->component.data_dir, watched[i], on_file,
		                                 shell);
		if (rc != 0)
			return component_fail(&shell->component,
			                      "the licence files cannot be watched: %s",
			                      strerror(-rc));
	}
	read_folder(shell, true);
	look(shell);
	loop_timer_arm(shell->licence->timer, loop_now_us() + LICENCE_LOOK_US);
	return true;
}

void
licence_close(struct shell *shell)
{
	if (shell->licence == NULL)
		return;
	for (size_t i = 0; i < WATCHED; i++)
		file_watch_destroy(shell->licence->watches[i]);
	loop_timer_destroy(shell->licence->timer);
	free(shell->licence);
}
