/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "mmp/mmp.h"
#include "net/wall.h"
#include "supervisor/archive.h"
#include "supervisor/command.h"
#include "supervisor/machine.h"

enum {
	TEXT_BYTES = 256 * 1024,
	CRASH_BEFORE = 64 * 1024,
	CRASH_BYTES = 80 * 1024,
	PIECE_BYTES = 1 << 20,
	OVERLAP = 256, /* no word stands across two pieces */
};

/* What a crash leaves in the log. */
static const char *const crash_words[] = { "check failed: ", "ended by signal", "Sanitizer: ",
	                                   "Assertion " };

struct bundle {
	const struct data_dir *dir;
	struct archive *archive;
	char *text; /* TEXT_BYTES */
	struct writer w;
};

static int
put(struct bundle *bundle, const char *name)
{
	const int rc = archive_put_text(bundle->archive, name, writer_view(&bundle->w));
	bundle->w = writer_of(bundle->text, TEXT_BYTES);
	return rc;
}

/* -- what is asked ----------------------------------------------------------------------------- */

static void
note(void *context, struct str text)
{
	struct bundle *bundle = context;
	writer_str(&bundle->w, text);
}

static void
write_machine(struct bundle *bundle, const char *words)
{
	char text[16384];
	const struct mmp_terminal terminal = { .context = bundle, .say = note };
	const struct mmp_line line = { .call = MMP_MACHINE, .words = words };
	struct writer out = writer_of(text, sizeof text);
	(void)!machine_run(bundle->dir, &terminal, &line, &out);
	writer_format(&bundle->w, "%.*s\n", STR_ARGS(writer_view(&out)));
}

static int
put_about(struct bundle *bundle)
{
	char version[MACHINE_VERSION_MAX], made[WALL_TEXT_MAX];
	writer_format(&bundle->w, "Made     : %s\nVersion  : %s\n\n",
	              wall_text(made, wall_now()), machine_version(version));
	static const char *const all[] = { "hostname", "date", "ntp status", "uptime", "health",
		                           "df", "ipv4", "ipv6", "dmicode" };
	for (size_t i = 0; i < COUNT_OF(all); i++)
		write_machine(bundle, all[i]);
	return put(bundle, "about.txt");
}

/* Line by line through what masks secrets in the audit log. */
static int
put_settings(struct bundle *bundle)
{
	char error[DATA_ERROR_MAX], *lines = malloc(TEXT_BYTES);
	struct config *config = calloc(1, sizeof *config);
	if (lines == NULL || config == NULL) {
		free(lines);
		free(config);
		return -ENOMEM;
	}
	struct writer w = writer_of(lines, TEXT_BYTES);
	if (data_dir_config(config, bundle->dir, error))
		config_write(&w, config);
	else
		writer_format(&bundle->w, "# %s\n", error);
	for (struct str rest = writer_view(&w); rest.len != 0;) {
		mmp_write_masked(&bundle->w, str_cut(&rest, '\n'));
		writer_text(&bundle->w, "\n");
	}
	explicit_bzero(lines, w.at);
	explicit_bzero(config, sizeof *config);
	free(lines);
	free(config);
	return put(bundle, "convoke.conf");
}

static int
put_names(struct bundle *bundle)
{
	struct dirent **entries = NULL;
	const int count = scandir(bundle->dir->path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char path[DATA_PATH_MAX + 320], changed[WALL_TEXT_MAX];
		struct stat info;
		snprintf(path, sizeof path, "%s/%s", bundle->dir->path, entries[i]->d_name);
		if (lstat(path, &info) == 0)
			writer_format(&bundle->w, "%06o %12lld %s %s\n", (unsigned)info.st_mode,
			              (long long)info.st_size,
			              wall_text(changed, (wall_time){ info.st_mtim.tv_sec * 1000000 }),
			              entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return put(bundle, "files.txt");
}

/* -- logs -------------------------------------------------------------------------------------- */

static int
open_log(const struct bundle *bundle, const char *name, off_t back)
{
	char path[DATA_PATH_MAX + 64];
	const int fd = open(data_dir_file(path, bundle->dir, name), O_RDONLY | O_CLOEXEC);
	const off_t len = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	if (fd >= 0)
		(void)lseek(fd, len > back ? len - back : 0, SEEK_SET);
	return fd;
}

static int
put_log(struct bundle *bundle, const char *name)
{
	const int fd = open_log(bundle, name, BUNDLE_LOG_BYTES_MAX);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	const int rc = archive_put_file(bundle->archive, name, fd, BUNDLE_LOG_BYTES_MAX);
	close(fd);
	return rc;
}

/* Where the last word of a crash stands; -1: nowhere. */
static off_t
find_crash(int fd, char *piece)
{
	off_t found = -1, at = lseek(fd, 0, SEEK_CUR);
	ssize_t len;
	while ((len = pread(fd, piece, PIECE_BYTES, at)) > 0) {
		for (size_t i = 0; i < COUNT_OF(crash_words); i++) {
			const char *hit = piece;
			const size_t word = strlen(crash_words[i]);
			while ((hit = memmem(hit, (size_t)(piece + len - hit), crash_words[i], word)) !=
			       NULL) {
				if (at + (hit - piece) > found)
					found = at + (hit - piece);
				hit++;
			}
		}
		if (len < PIECE_BYTES)
			break;
		at += len - OVERLAP;
	}
	return found;
}

/* From the log in use, or else from the one before. */
static int
put_crash(struct bundle *bundle)
{
	static const char *const names[] = { "log/convoke.log", "log/convoke.log.1" };
	char *piece = malloc(PIECE_BYTES);
	int rc = piece != NULL ? 0 : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(names); i++) {
		const int fd = open_log(bundle, names[i], BUNDLE_LOG_BYTES_MAX);
		const off_t at = fd >= 0 ? find_crash(fd, piece) : -1;
		if (at >= 0) {
			(void)lseek(fd, at > CRASH_BEFORE ? at - CRASH_BEFORE : 0, SEEK_SET);
			rc = archive_put_file(bundle->archive, "crash.txt", fd, CRASH_BYTES);
		}
		if (fd >= 0)
			close(fd);
		if (at >= 0)
			break;
	}
	free(piece);
	return rc;
}

/* -- the whole --------------------------------------------------------------------------------- */

static int
put_all(struct bundle *bundle)
{
	static const char *const logs[] = { "log/convoke.log", "log/convoke.log.1", "log/audit" };
	int rc = put_about(bundle);
	if (rc == 0)
		rc = put_settings(bundle);
	if (rc == 0)
		rc = put_names(bundle);
	if (rc == 0)
		rc = put_crash(bundle);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(logs); i++)
		rc = put_log(bundle, logs[i]);
	return rc == 0 ? archive_finish(bundle->archive) : rc;
}

static bool
is_fresh(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 &&
	       wall_now().us - (int64_t)info.st_mtim.tv_sec * 1000000 < BUNDLE_FRESH_US;
}

int
bundle_make(const struct data_dir *dir)
{
	char path[DATA_PATH_MAX + 64], temporary[DATA_PATH_MAX + 64];
	struct bundle bundle = { .dir = dir };
	if (is_fresh(data_dir_file(path, dir, BUNDLE_FILE)))
		return 0;
	data_dir_file(temporary, dir, "run/bundle.XXXXXX");
	const int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bundle.text = malloc(TEXT_BYTES);
	int rc = bundle.text != NULL ? archive_create(&bundle.archive, fd) : -ENOMEM;
	if (rc == 0) {
		bundle.w = writer_of(bundle.text, TEXT_BYTES);
		rc = put_all(&bundle);
	}
	archive_destroy(bundle.archive);
	if (rc == 0 && rename(temporary, path) != 0)
		rc = -errno;
	if (rc != 0)
		(void)unlink(temporary);
	close(fd);
	free(bundle.text);
	return rc;
}
