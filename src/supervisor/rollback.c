/* SPDX-License-Identifier: Apache-2.0 */
/* A backup comes back: unpacked and checked, decided, taken. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "mmp/accounts.h"
#include "net/files.h"
#include "supervisor/backup_internal.h"

enum {
	PIECE_BYTES = 65536,
	LOCK_US = 5 * 1000 * 1000,
};

#define NEW "run/rollback.new"
#define DECIDED "run/rollback"

__attribute__((format(printf, 2, 3))) static bool
refuse(struct writer *why, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	writer_text(why, text);
	return false;
}

static bool
damaged(struct writer *why, int rc)
{
	return refuse(why, "%s",
	              rc == -EBADMSG ? "the file is damaged, or no backup" : strerror(-rc));
}

/* -- folders ----------------------------------------------------------------------------------- */

static void
empty_folder(int parent_fd, const char *name)
{
	const int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(fd, entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
}

void
backup_remove(int data_fd, const char *name)
{
	char path[64], inner[72];
	snprintf(path, sizeof path, "run/%s", name);
	snprintf(inner, sizeof inner, "run/%s/data", name);
	empty_folder(data_fd, inner);
	(void)unlinkat(data_fd, inner, AT_REMOVEDIR);
	empty_folder(data_fd, path);
	(void)unlinkat(data_fd, path, AT_REMOVEDIR);
}

static int
sync_at(int data_fd, const char *name)
{
	const int fd = openat(data_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const int rc = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* -- unpacking --------------------------------------------------------------------------------- */

struct unpacking {
	const struct data_dir *dir;
	int data_fd;
	struct archive *archive;
	struct writer sums; /* as they are */
	struct writer *why;
	bool database;
};

/* Where an entry belongs below NEW; false: to no place of a backup. */
static bool
place_of(const char *name)
{
	static const char folder[] = "data/";
	return strcmp(name, "database") == 0 || backup_has_prompt(name) ||
	       (strncmp(name, folder, sizeof folder - 1) == 0 &&
	        backup_has_file(name + sizeof folder - 1));
}

/* Where it lies until it is taken: prompts beside the other files, as "@prompts@en@welcome.wav". */
static void
path_of(char out[TAR_NAME_MAX + 32], const char *name)
{
	const bool prompt = backup_has_prompt(name);
	const int head = snprintf(out, TAR_NAME_MAX + 32, NEW "/%s%s", prompt ? "data/@" : "", name);
	for (char *c = out + (head - (int)strlen(name)); prompt && *c != '\0'; c++)
		if (*c == '/')
			*c = '@';
}

static int
write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len != 0) {
		const ssize_t wrote = write(fd, bytes, len);
		if (wrote < 0)
			return -errno;
		bytes += wrote;
		len -= (size_t)wrote;
	}
	return 0;
}

static int
unpack_file(struct unpacking *unpacking, const struct tar_entry *entry)
{
	static uint8_t piece[PIECE_BYTES];
	char path[TAR_NAME_MAX + 32], sum[ARCHIVE_SUM_BYTES];
	int got, rc = 0;
	path_of(path, entry->name);
	const int fd = openat(unpacking->data_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? -EBADMSG : -errno;
	while (rc == 0 && (got = archive_read(unpacking->archive, piece, sizeof piece)) != 0)
		rc = got > 0 ? write_all(fd, piece, (size_t)got) : got;
	explicit_bzero(piece, sizeof piece);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	close(fd);
	if (rc != 0)
		return rc;
	archive_sum(unpacking->archive, sum);
	writer_format(&unpacking->sums, "%s %s\n", sum, entry->name);
	unpacking->database = unpacking->database || strcmp(entry->name, "database") == 0;
	return 0;
}

/* The last file says what all others must be: what is missing, too, shows. */
static int
check_sums(struct unpacking *unpacking)
{
	char *sums = malloc(SUMS_MAX);
	size_t len = 0;
	int got = 0;
	if (sums == NULL)
		return -ENOMEM;
	while (len < SUMS_MAX &&
	       (got = archive_read(unpacking->archive, sums + len, SUMS_MAX - len)) > 0)
		len += (size_t)got;
	const bool same = str_eq((struct str){ sums, len }, writer_view(&unpacking->sums));
	free(sums);
	return got < 0 ? got : same ? 0 : -EBADMSG;
}

static int
unpack_files(struct unpacking *unpacking)
{
	struct tar_entry entry;
	int rc;
	while ((rc = archive_next(unpacking->archive, &entry)) == 1) {
		if (strcmp(entry.name, "sums") == 0) {
			rc = check_sums(unpacking);
			return rc != 0 ? rc : archive_next(unpacking->archive, &entry) == 0 ? 0 : -EBADMSG;
		}
		rc = place_of(entry.name) ? unpack_file(unpacking, &entry) : -EBADMSG;
		if (rc != 0)
			return rc;
	}
	return rc < 0 ? rc : -EBADMSG;
}

static bool
check_about(struct unpacking *unpacking, struct backup_about *about)
{
	char text[ABOUT_MAX], sum[ARCHIVE_SUM_BYTES];
	int rc = backup_next_text(unpacking->archive, "about", text, sizeof text);
	if (rc == 0 && !backup_read_about(about, str_of(text)))
		rc = -EBADMSG;
	if (rc != 0)
		return damaged(unpacking->why, rc);
	archive_sum(unpacking->archive, sum);
	writer_format(&unpacking->sums, "%s about\n", sum);
	if (about->format > BACKUP_FORMAT || about->schema > STORE_SCHEMA_VERSION)
		return refuse(unpacking->why,
		              "it was made by a newer Convoke (%s, format %u, schema %u; this one knows "
		              "format %d, schema %d)", about->version, (unsigned)about->format,
		              (unsigned)about->schema, BACKUP_FORMAT, STORE_SCHEMA_VERSION);
	return true;
}

/* -- checking ---------------------------------------------------------------------------------- */

static bool
check_accounts(struct unpacking *unpacking, const struct data_dir *unpacked)
{
	char path[DATA_PATH_MAX + 64], *text = NULL;
	size_t len = 0;
	uint32_t line = 0;
	struct accounts *accounts = calloc(1, sizeof *accounts);
	int rc = accounts != NULL ? file_read(data_dir_file(path, unpacked, "accounts"),
	                                      ACCOUNTS_BYTES_MAX, &text, &len)
	                          : -ENOMEM;
	const bool good = rc == 0 && accounts_parse(accounts, (struct str){ text, len }, &line);
	if (text != NULL)
		explicit_bzero(text, len);
	if (accounts != NULL)
		explicit_bzero(accounts, sizeof *accounts);
	free(text);
	free(accounts);
	if (rc == -ENOENT)
		return true; /* of a folder that was never started */
	if (rc != 0)
		return refuse(unpacking->why, "its accounts: %s", strerror(-rc));
	return good || refuse(unpacking->why, "line %u of its accounts is wrong", (unsigned)line);
}

/* Its settings as they will be: with this machine's own database. */
static bool
check_settings(struct unpacking *unpacking, const struct data_dir *unpacked,
               const struct config *ours)
{
	char error[DATA_ERROR_MAX];
	struct config_error incomplete;
	struct config config;
	if (!data_dir_config(&config, unpacked, error))
		return refuse(unpacking->why, "its settings: %.400s", error);
	config.database = ours->database;
	for (int i = 0; i < CONFIG_COMPONENTS; i++)
		if (config_component_enabled(&config, (enum config_component)i) &&
		    !config_complete(&config, (enum config_component)i, &incomplete))
			return refuse(unpacking->why, "its settings: %s", incomplete.text);
	return data_dir_write_config(unpacked, &config, error) ||
	       refuse(unpacking->why, "%.400s", error);
}

static bool
check_database(struct unpacking *unpacking, const struct backup_settings *settings)
{
	struct store_copied copied;
	struct store_status status;
	int64_t version;
	if (!unpacking->database)
		return true;
	if (store_check(&copied, &settings->file.store) != 0)
		return refuse(unpacking->why, "its database: %s", copied.error);
	const struct store_settings *to = &settings->database.store;
	if (to->engine == STORE_SQLITE || store_probe(&status, &version, to) == 0)
		return true;
	return refuse(unpacking->why, "the database that it would go to: %s", status.error);
}

static bool
check_all(struct unpacking *unpacking)
{
	struct backup_settings *settings = calloc(1, sizeof *settings);
	struct data_dir unpacked = { 0 };
	char path[DATA_PATH_MAX + 64];
	data_dir_file(path, unpacking->dir, NEW "/data");
	bool ok = settings != NULL || refuse(unpacking->why, "not enough memory");
	if (ok && !str_copy(unpacked.path, sizeof unpacked.path, str_of(path)))
		ok = refuse(unpacking->why, "the data folder's name is too long");
	data_dir_file(path, unpacking->dir, NEW "/database");
	ok = ok && backup_settings(settings, unpacking->dir, path, unpacking->why) &&
	     check_settings(unpacking, &unpacked, &settings->config) &&
	     check_accounts(unpacking, &unpacked) && check_database(unpacking, settings);
	if (settings != NULL)
		explicit_bzero(settings, sizeof *settings);
	free(settings);
	return ok;
}

bool
rollback_unpack(const struct data_dir *dir, int data_fd, int fd, struct backup_about *about,
                struct writer *why)
{
	char *sums = malloc(SUMS_MAX);
	struct unpacking unpacking = { .dir = dir, .data_fd = data_fd, .why = why };
	backup_remove(data_fd, "rollback.new");
	int rc = sums != NULL ? archive_open(&unpacking.archive, fd) : -ENOMEM;
	if (rc == 0 && (mkdirat(data_fd, NEW, 0700) != 0 || mkdirat(data_fd, NEW "/data", 0700) != 0))
		rc = -errno;
	unpacking.sums = writer_of(sums, sums != NULL ? SUMS_MAX : 0);
	bool ok = rc == 0 ? check_about(&unpacking, about) : damaged(why, rc);
	if (ok) {
		rc = unpack_files(&unpacking);
		ok = rc == 0 ? check_all(&unpacking) : damaged(why, rc);
	}
	archive_destroy(unpacking.archive);
	free(sums);
	return ok;
}

/* -- deciding and taking ----------------------------------------------------------------------- */

int
rollback_decide(int data_fd)
{
	int rc = sync_at(data_fd, NEW "/data");
	if (rc == 0)
		rc = sync_at(data_fd, NEW);
	if (rc == 0 && renameat(data_fd, NEW, data_fd, DECIDED) != 0)
		rc = -errno;
	return rc == 0 ? sync_at(data_fd, "run") : rc;
}

static bool
take_database(const struct data_dir *dir, int data_fd, uint32_t *objects, struct writer *why)
{
	char path[DATA_PATH_MAX + 64];
	struct store_copied copied = { 0 };
	if (faccessat(data_fd, DECIDED "/database", F_OK, 0) != 0)
		return true; /* there is none, or it was taken */
	struct backup_settings *settings = calloc(1, sizeof *settings);
	if (settings == NULL)
		return refuse(why, "not enough memory");
	bool ok = backup_settings(settings, dir, data_dir_file(path, dir, DECIDED "/database"), why);
	const int rc = ok ? store_restore(&copied, &settings->file.store, &settings->database.store)
	                  : 0;
	if (rc == -ENOTCONN) { /* it may have happened */
		ok = refuse(why, "the database: %s; the next start, or the next backup command, ends "
		                 "this rollback", copied.error);
	} else if (rc != 0) {
		ok = refuse(why, "the database: %s; nothing was changed", copied.error);
		backup_remove(data_fd, "rollback");
	}
	explicit_bzero(settings, sizeof *settings);
	free(settings);
	*objects = copied.rows;
	if (ok && (unlinkat(data_fd, DECIDED "/database", 0) != 0 || sync_at(data_fd, DECIDED) != 0))
		ok = refuse(why, DECIDED ": %s", strerror(errno));
	return ok;
}

/* "@prompts@en@welcome.wav" -> "prompts/en/welcome.wav", and the folders above it. */
static bool
prompt_of(char out[TAR_NAME_MAX], int data_fd, const char *name)
{
	if (name[0] != '@' || !str_copy(out, TAR_NAME_MAX, str_of(name + 1)))
		return false;
	for (char *c = out; *c != '\0'; c++)
		if (*c == '@')
			*c = '/';
	if (!backup_has_prompt(out))
		return false;
	char *file = strrchr(out, '/');
	*file = '\0';
	(void)mkdirat(data_fd, "prompts", 0700);
	(void)mkdirat(data_fd, out, 0700);
	*file = '/';
	return true;
}

static int
take_files(int data_fd, uint32_t *files)
{
	const int fd = openat(data_fd, DECIDED "/data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int rc = 0;
	if (folder == NULL) {
		rc = errno == ENOENT ? 0 : -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(folder)) != NULL) {
		char prompt[TAR_NAME_MAX];
		const bool is_prompt = prompt_of(prompt, data_fd, entry->d_name);
		if (!is_prompt && !backup_has_file(entry->d_name))
			continue;
		if (renameat(fd, entry->d_name, data_fd, is_prompt ? prompt : entry->d_name) == 0)
			(*files)++;
		else
			rc = -errno;
	}
	closedir(folder);
	return rc == 0 && fsync(data_fd) != 0 ? -errno : rc;
}

/* Whoever changes settings or accounts reads and writes under these: none of it comes in between. */
static int
hold(const struct data_dir *dir, int locks[2])
{
	static const char *const names[2] = { "convoke.conf", "accounts" };
	int holder;
	for (int i = 0; i < 2; i++) {
		locks[i] = data_dir_lock(dir, names[i], LOCK_US, &holder);
		if (locks[i] < 0) {
			const int rc = locks[i];
			if (i == 1)
				close(locks[0]);
			return rc;
		}
	}
	return 0;
}

bool
rollback_take(const struct data_dir *dir, int data_fd, uint32_t *objects, uint32_t *files,
              struct writer *why)
{
	int locks[2];
	*objects = *files = 0;
	if (faccessat(data_fd, DECIDED, F_OK, 0) != 0)
		return true;
	int rc = hold(dir, locks);
	if (rc != 0)
		return refuse(why, "the settings cannot be held: %s", strerror(-rc));
	bool ok = take_database(dir, data_fd, objects, why);
	if (ok) {
		rc = take_files(data_fd, files);
		ok = rc == 0 || refuse(why, "the data folder: %s", strerror(-rc));
	}
	if (ok)
		backup_remove(data_fd, "rollback");
	close(locks[1]);
	close(locks[0]);
	return ok;
}

bool
backup_finish(const struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	char text[1024];
	uint32_t objects, files;
	struct writer why = writer_of(text, sizeof text - 1);
	const int data_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data_fd < 0) {
		snprintf(error, DATA_ERROR_MAX, "%s: %s", dir->path, strerror(errno));
		return false;
	}
	backup_remove(data_fd, "rollback.new");
	backup_remove(data_fd, "snapshot");
	const bool ok = rollback_take(dir, data_fd, &objects, &files, &why);
	close(data_fd);
	text[why.at] = '\0';
	if (!ok)
		snprintf(error, DATA_ERROR_MAX,
		         "a rollback was begun and cannot be ended: %.800s; mend that, or remove %s/" DECIDED
		         " to stay with what there was", text, dir->path);
	return ok;
}
