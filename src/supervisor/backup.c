/* SPDX-License-Identifier: Apache-2.0 */
/* Making backups, listing them, and the commands. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "supervisor/backup_internal.h"
#include "supervisor/command.h"

enum {
	LOCK_US = 1000 * 1000,
	SETTINGS_LOCK_US = 5 * 1000 * 1000,
	TEMPORARY_LEN = 7, /* ".aB3xYz", as files.h makes them */
};

struct making {
	const struct data_dir *dir;
	const struct mmp_terminal *terminal;
	struct writer *out;
	int data_fd;
	struct archive *archive;
	struct writer sums;
	uint32_t files;
	uint32_t objects;
	char unread[TAR_NAME_MAX]; /* the file that could not be opened */
};

static bool
fail(struct writer *out, const char *what, int rc)
{
	writer_format(out, "%s: %s", what,
	              rc == -EBADMSG ? "it is damaged, or no backup" : strerror(-rc));
	return false;
}

/* -- which files ------------------------------------------------------------------------------- */

static bool
is_flat(const char *name)
{
	for (size_t i = 0; name[i] != '\0'; i++) {
		const char c = name[i];
		const bool letter = str_is_alnum(c) || c == '_';
		if (!letter && (i == 0 || (c != '.' && c != '-' && c != '+' && c != ' ')))
			return false;
	}
	return name[0] != '\0' && strlen(name) < FILE_NAME_MAX;
}

bool
backup_has_file(const char *name)
{
	static const char *const ends[] = { ".bak", ".pcap", ".log", ".tar.gz", ".db", ".db-wal",
		                            ".db-shm", ".db-journal" };
	static const char *const folders[] = { "cdr", "log", "prompts", "run" };
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (str_ends(str_of(name), str_of(ends[i])))
			return false;
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		if (strcmp(name, folders[i]) == 0)
			return false;
	return is_flat(name);
}

bool
backup_has_prompt(const char *name)
{
	char language[FILE_NAME_MAX];
	struct str rest = str_of(name);
	return str_eq(str_cut(&rest, '/'), STR("prompts")) &&
	       str_copy(language, sizeof language, str_cut(&rest, '/')) && is_flat(language) &&
	       rest.len != 0 && is_flat(rest.at);
}

/* Left behind by a file that was being replaced when the power went. */
static bool
is_temporary(int data_fd, const char *name)
{
	char stem[FILE_NAME_MAX];
	const size_t len = strlen(name);
	if (len <= TEMPORARY_LEN || name[len - TEMPORARY_LEN] != '.' ||
	    !str_copy(stem, sizeof stem, (struct str){ name, len - TEMPORARY_LEN }))
		return false;
	return faccessat(data_fd, stem, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* -- what is in it ----------------------------------------------------------------------------- */

bool
backup_read_about(struct backup_about *out, struct str text)
{
	struct backup_about about = { 0 };
	if (!str_eq(str_cut(&text, '\n'), STR("Convoke backup")))
		return false;
	while (text.len != 0) {
		struct str value = str_cut(&text, '\n');
		const struct str key = str_cut(&value, ' ');
		if ((str_eq(key, STR("format")) && !str_u32(value, &about.format)) ||
		    (str_eq(key, STR("schema")) && !str_u32(value, &about.schema)) ||
		    (str_eq(key, STR("version")) &&
		     !str_copy(about.version, sizeof about.version, value)) ||
		    (str_eq(key, STR("made")) && !str_copy(about.made, sizeof about.made, value)) ||
		    (str_eq(key, STR("host")) && !str_copy(about.host, sizeof about.host, value)))
			return false;
	}
	*out = about;
	return about.format != 0 && about.version[0] != '\0' && about.made[0] != '\0';
}

int
backup_next_text(struct archive *archive, const char *name, char *out, size_t cap)
{
	struct tar_entry entry;
	size_t len = 0;
	int rc = archive_next(archive, &entry);
	if (rc != 1 || strcmp(entry.name, name) != 0 || entry.size >= cap)
		return rc < 0 ? rc : -EBADMSG;
	while ((rc = archive_read(archive, out + len, cap - 1 - len)) > 0)
		len += (size_t)rc;
	out[len] = '\0';
	return rc == 0 && strlen(out) != len ? -EBADMSG : rc;
}

bool
backup_settings(struct backup_settings *out, const struct data_dir *dir, const char *path,
                struct writer *why)
{
	char error[DATA_ERROR_MAX];
	struct config none = { 0 };
	if (!data_dir_config(&out->config, dir, error)) {
		writer_text(why, error);
		return false;
	}
	database_settings(&out->database, dir->path, &out->config);
	database_settings(&out->file, dir->path, &none);
	const bool fits = str_copy(out->file.path, sizeof out->file.path, str_of(path));
	CHECK(fits);
	out->file.store.path = out->file.path;
	return true;
}

/* -- a snapshot -------------------------------------------------------------------------------- */

static void
note_sum(struct making *making, const char *name)
{
	char sum[ARCHIVE_SUM_BYTES];
	archive_sum(making->archive, sum);
	writer_format(&making->sums, "%s %s\n", sum, name);
}

static int
put_about(struct making *making)
{
	char text[ABOUT_MAX], made[WALL_TEXT_MAX], host[64] = "";
	struct writer w = writer_of(text, sizeof text);
	(void)gethostname(host, sizeof host - 1);
	writer_format(&w, "Convoke backup\nformat %d\nversion %s\nschema %d\nmade %s\nhost %s\n",
	              BACKUP_FORMAT, CONVOKE_VERSION, STORE_SCHEMA_VERSION,
	              wall_text(made, wall_now()), host);
	const int rc = archive_put_text(making->archive, "about", writer_view(&w));
	if (rc == 0)
		note_sum(making, "about");
	return rc;
}

static int
put_file(struct making *making, const char *from, const char *name)
{
	struct stat info;
	const int fd = openat(making->data_fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* it was there a moment ago */
	if (fd < 0) {
		const int rc = -errno;
		(void)str_copy(making->unread, sizeof making->unread, str_of(from));
		return rc;
	}
	int rc = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? 0 : -EINVAL;
	if (rc == 0)
		rc = archive_put_file(making->archive, name, fd, TAR_SIZE_MAX);
	close(fd);
	if (rc == 0)
		note_sum(making, name);
	return rc;
}

static int
put_files(struct making *making)
{
	struct dirent **entries = NULL;
	const int count = scandir(making->dir->path, &entries, NULL, alphasort);
	int rc = count < 0 ? -errno : 0;
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char in[TAR_NAME_MAX];
		struct stat info;
		const bool there = fstatat(making->data_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
		snprintf(in, sizeof in, "data/%.*s", FILE_NAME_MAX, name);
		if (rc == 0 && there && S_ISLNK(info.st_mode))
			terminal_say(making->terminal, "%s is a link and is left out\n", name);
		if (rc == 0 && there && S_ISREG(info.st_mode) && backup_has_file(name) &&
		    !is_temporary(making->data_fd, name)) {
			rc = put_file(making, name, in);
			making->files++;
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int
put_prompts_of(struct making *making, const char *language)
{
	char path[DATA_PATH_MAX + 320];
	struct dirent **entries = NULL;
	int rc = 0;
	snprintf(path, sizeof path, "%s/prompts/%s", making->dir->path, language);
	const int count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char name[TAR_NAME_MAX];
		struct stat info;
		const int len = snprintf(name, sizeof name, "prompts/%s/%s", language,
		                         entries[i]->d_name);
		if (rc == 0 && len > 0 && (size_t)len < sizeof name && backup_has_prompt(name) &&
		    fstatat(making->data_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode)) {
			rc = put_file(making, name, name);
			making->files++;
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int
put_prompts(struct making *making)
{
	char path[DATA_PATH_MAX + 64];
	struct dirent **entries = NULL;
	int rc = 0;
	const int count = scandir(data_dir_file(path, making->dir, "prompts"), &entries, NULL,
	                          alphasort);
	for (int i = 0; i < count; i++) {
		if (rc == 0 && is_flat(entries[i]->d_name))
			rc = put_prompts_of(making, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* Settings, accounts and keys as they are at one moment. */
static bool
put_settled(struct making *making)
{
	int holder;
	const int lock = data_dir_lock(making->dir, "convoke.conf", SETTINGS_LOCK_US, &holder);
	if (lock < 0)
		return fail(making->out, "the settings cannot be held", lock);
	int rc = put_about(making);
	if (rc == 0)
		rc = put_files(making);
	if (rc == 0)
		rc = put_prompts(making);
	close(lock);
	return rc == 0 ||
	       fail(making->out, making->unread[0] != '\0' ? making->unread : "the data folder", rc);
}

/* Names of files elsewhere that the settings lead to: they stay this machine's own. */
static void
tell_elsewhere(const struct making *making, const struct config *config)
{
	char text[32768];
	struct writer w = writer_of(text, sizeof text);
	config_write(&w, config);
	for (struct str rest = writer_view(&w); rest.len != 0;) {
		struct str line = str_cut(&rest, '\n');
		while (line.len != 0) {
			char path[CONFIG_FILE_MAX];
			struct stat info;
			const struct str word = str_cut(&line, ' ');
			if (str_starts(word, STR("/")) && str_copy(path, sizeof path, word) &&
			    stat(path, &info) == 0 && S_ISREG(info.st_mode))
				terminal_say(making->terminal,
				             "%s lies elsewhere and is left out\n", path);
		}
	}
	explicit_bzero(text, sizeof text);
}

static bool
copy_database(struct making *making, const struct backup_settings *settings, const char *path)
{
	struct store_copied copied;
	const struct store_settings *from = &settings->database.store;
	if (from->engine == STORE_SQLITE && access(from->path, F_OK) != 0)
		return true; /* the first start makes it */
	terminal_say(making->terminal, "Copying the database\n");
	if (store_copy(&copied, from, &settings->file.store) != 0 || access(path, F_OK) != 0) {
		writer_format(making->out, "the database: %s", copied.error);
		return false;
	}
	making->objects = copied.rows;
	if (copied.refused != 0)
		terminal_say(making->terminal, "%u rows that break a rule are left out\n",
		             copied.refused);
	return true;
}

static bool
write_archive(struct making *making, int fd)
{
	bool ok = put_settled(making);
	int rc = ok ? put_file(making, "run/snapshot/database", "database") : 0;
	if (ok && rc == 0)
		rc = archive_put_text(making->archive, "sums", writer_view(&making->sums));
	if (ok && rc == 0)
		rc = archive_finish(making->archive);
	if (ok && rc == 0 && fsync(fd) != 0)
		rc = -errno;
	struct stat info;
	if (ok && rc == 0 && fstat(fd, &info) == 0 && info.st_size > BACKUP_BYTES_MAX)
		rc = -EFBIG;
	return ok && (rc == 0 || fail(making->out, "the backup", rc));
}

static bool
make(struct making *making, struct backup_settings *settings, const char *file)
{
	char path[DATA_PATH_MAX + 64];
	data_dir_file(path, making->dir, "run/snapshot/database");
	if (!backup_settings(settings, making->dir, path, making->out))
		return false;
	if (mkdirat(making->data_fd, "run/snapshot", 0700) != 0)
		return fail(making->out, "run/snapshot", -errno);
	if (!copy_database(making, settings, path))
		return false;
	tell_elsewhere(making, &settings->config);
	terminal_say(making->terminal, "Packing settings, accounts, keys and certificates\n");
	const int fd = openat(making->data_fd, "run/snapshot/backup",
	                      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd >= 0 ? archive_create(&making->archive, fd) : -errno;
	bool ok = rc == 0 ? write_archive(making, fd) : fail(making->out, "run/snapshot", rc);
	archive_destroy(making->archive);
	if (ok && (renameat(making->data_fd, "run/snapshot/backup", making->data_fd, file) != 0 ||
	           fsync(making->data_fd) != 0))
		ok = fail(making->out, file, -errno);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
snapshot(struct making *making, const char *file)
{
	char *sums = malloc(SUMS_MAX);
	struct backup_settings *settings = calloc(1, sizeof *settings);
	bool ok = sums != NULL && settings != NULL;
	if (ok) {
		making->sums = writer_of(sums, SUMS_MAX);
		backup_remove(making->data_fd, "snapshot");
		ok = make(making, settings, file);
		backup_remove(making->data_fd, "snapshot");
	}
	if (settings != NULL)
		explicit_bzero(settings, sizeof *settings);
	free(settings);
	free(sums);
	if (ok)
		writer_format(making->out,
		              "SUCCESS: %u objects and %u files\n%s ready for download via SFTP\n",
		              making->objects, making->files, file);
	return ok;
}

/* -- back -------------------------------------------------------------------------------------- */

/* What runs takes up what it finds now; whoever is called ends calls. */
static void
restart_all(const struct making *making)
{
	struct config config;
	char error[DATA_ERROR_MAX];
	bool ok;
	if (command_ask(making->dir, "apply", making->terminal, &ok) != 0)
		return; /* nobody supervises */
	for (int i = 0; i < CONFIG_COMPONENTS && data_dir_config(&config, making->dir, error); i++) {
		char request[64];
		const enum config_component component = (enum config_component)i;
		if (component == CONFIG_SSH || !config_component_enabled(&config, component))
			continue; /* one of its sessions may be this very one */
		snprintf(request, sizeof request, "restart %s", config_component_name(component));
		(void)!command_ask(making->dir, request, making->terminal, &ok);
	}
}

static bool
rollback(struct making *making, const char *file)
{
	struct backup_about about;
	struct writer *out = making->out;
	const int fd = openat(making->data_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		writer_format(out, "there is no %s; backup list names those that are here", file);
		return false;
	}
	if (fd < 0)
		return fail(out, file, -errno);
	terminal_say(making->terminal, "Checking %s\n", file);
	bool ok = rollback_unpack(making->dir, making->data_fd, fd, &about, out);
	close(fd);
	if (ok) {
		terminal_say(making->terminal, "It was made at %s on %s by Convoke %s\nRestoring\n",
		             about.made, about.host, about.version);
		const int rc = rollback_decide(making->data_fd);
		ok = rc == 0 || fail(out, "run/rollback", rc);
	}
	if (!ok) {
		backup_remove(making->data_fd, "rollback.new");
		return false;
	}
	if (!rollback_take(making->dir, making->data_fd, &making->objects, &making->files, out))
		return false;
	terminal_say(making->terminal, "SUCCESS: %u objects and %u files restored from %s\n",
	             making->objects, making->files, file);
	restart_all(making);
	return true;
}

/* -- which there are --------------------------------------------------------------------------- */

static int
is_backup(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".bak"));
}

static void
list_one(struct making *making, const char *name)
{
	char text[ABOUT_MAX];
	struct stat info;
	struct backup_about about;
	struct archive *archive = NULL;
	const int fd = openat(making->data_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	writer_format(making->out, "%-24s %12lld  ", name, (long long)info.st_size);
	if (archive_open(&archive, fd) == 0 &&
	    backup_next_text(archive, "about", text, sizeof text) == 0 &&
	    backup_read_about(&about, str_of(text)))
		writer_format(making->out, "%s  %-10s %s\n", about.made, about.version, about.host);
	else
		writer_text(making->out, "damaged, or no backup\n");
	archive_destroy(archive);
	close(fd);
}

static bool
list(struct making *making)
{
	struct dirent **entries = NULL;
	const int count = scandir(making->dir->path, &entries, is_backup, alphasort);
	if (count < 0)
		return fail(making->out, making->dir->path, -errno);
	writer_format(making->out, "%-24s %12s  %-20s  %-10s %s\n", "Name", "Bytes", "Made",
	              "Version", "Host");
	for (int i = 0; i < count; i++) {
		list_one(making, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* -- one of them ------------------------------------------------------------------------------- */

static bool
read_name(char out[BACKUP_NAME_MAX + 8], const struct mmp_line *line, struct writer *why)
{
	char name[BACKUP_NAME_MAX];
	struct str given = line->arguments[0];
	if (str_ends(given, STR(".bak")))
		given.len -= 4;
	if (!str_copy(name, sizeof name, given) || !is_flat(name)) {
		writer_format(why, "\"%.*s\" does not fit; expected at most %d letters, digits, '_', "
		                   "'.', '-' and '+'", (int)(given.len < 60 ? given.len : 60),
		              given.at, BACKUP_NAME_MAX - 1);
		return false;
	}
	snprintf(out, BACKUP_NAME_MAX + 8, "%s.bak", name);
	return true;
}

static bool
run_held(struct making *making, const struct mmp_line *line)
{
	char file[BACKUP_NAME_MAX + 8], error[DATA_ERROR_MAX];
	if (line->call == MMP_BACKUP_LIST)
		return list(making);
	if (!read_name(file, line, making->out))
		return false;
	if (!backup_finish(making->dir, error)) {
		writer_text(making->out, error);
		return false;
	}
	return line->call == MMP_BACKUP_SNAPSHOT ? snapshot(making, file) : rollback(making, file);
}

bool
backup_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
           const struct mmp_line *line, struct writer *out)
{
	struct making making = { .dir = dir, .terminal = terminal, .out = out };
	int holder;
	const int lock = data_dir_lock(dir, "backup", LOCK_US, &holder);
	if (lock < 0) {
		writer_text(out, lock == -EWOULDBLOCK ? "another command makes or restores a backup"
		                                      : strerror(-lock));
		return false;
	}
	making.data_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = making.data_fd >= 0 ? run_held(&making, line)
	                                    : fail(out, dir->path, -errno);
	if (making.data_fd >= 0)
		close(making.data_fd);
	close(lock);
	return ok;
}
