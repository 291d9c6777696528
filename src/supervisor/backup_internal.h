/* SPDX-License-Identifier: Apache-2.0 */
/* The backup's parts: backup.c (commands, snapshot, list), rollback.c (unpacking and taking). */
#ifndef SUPERVISOR_BACKUP_INTERNAL_H
#define SUPERVISOR_BACKUP_INTERNAL_H

#include "component/database.h"
#include "net/wall.h"
#include "supervisor/archive.h"
#include "supervisor/backup.h"

enum {
	ABOUT_MAX = 1024,
	SUMS_MAX = ARCHIVE_FILES_MAX * (TAR_NAME_MAX + ARCHIVE_SUM_BYTES + 24),
	FILE_NAME_MAX = 64, /* of a file in DATA, with NUL */
};

/* What `about` says. */
struct backup_about {
	uint32_t format;
	uint32_t schema;
	char version[32];
	char made[WALL_TEXT_MAX];
	char host[64];
};

struct backup_settings {
	struct config config;
	struct database_settings database;
	struct database_settings file; /* a SQLite file of a backup */
};

/* May it lie in DATA, by its name, and belong into a backup? */
[[nodiscard]] bool backup_has_file(const char *name);
/* "prompts/en/welcome.wav": voice prompts of this machine's own. */
[[nodiscard]] bool backup_has_prompt(const char *name);
[[nodiscard]] bool backup_read_about(struct backup_about *out, struct str text);
/* Reads the next file, which is to be `name` and short, as text with a NUL. */
[[nodiscard]] int backup_next_text(struct archive *archive, const char *name, char *out, size_t cap);

/* This machine's database, and the SQLite file `path`. */
[[nodiscard]] bool backup_settings(struct backup_settings *out, const struct data_dir *dir,
                                   const char *path, struct writer *why);

/* Removes DATA/run/NAME and everything in it; fine when it is not there. */
void backup_remove(int data_fd, const char *name);

/* Unpacks the file into run/rollback.new and checks everything; true: it can be taken. */
[[nodiscard]] bool rollback_unpack(const struct data_dir *dir, int data_fd, int fd,
                                   struct backup_about *about, struct writer *why);
/* Decides: from here on it is taken, whatever happens. */
[[nodiscard]] int rollback_decide(int data_fd);
/* Takes what was decided, if anything was. */
[[nodiscard]] bool rollback_take(const struct data_dir *dir, int data_fd, uint32_t *objects,
                                 uint32_t *files, struct writer *why);

#endif
