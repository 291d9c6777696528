/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a backup brings back all of what was there, here or on another machine; one that is damaged, of
 * a newer program or dressed up changes nothing; a rollback that is cut short anywhere leaves the old
 * or the new.  Method: real folders with a real SQLite database. */
#include "supervisor/backup_internal.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include "net/files.h"
#include "store/store_world.h"
#include "supervisor/account_file.h"
#include "supervisor/tar_property.h"

struct world {
	struct data_dir dir;
	struct place place;
	char said[8192];
	struct writer w;
};

static void
say(void *context, struct str text)
{
	struct world *world = context;
	writer_str(&world->w, text);
}

static void
world_make(struct world *world)
{
	char path[] = "/tmp/backup_test.XXXXXX", run[64], error[DATA_ERROR_MAX];
	*world = (struct world){ 0 };
	EXPECT(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&world->dir, path, error));
	snprintf(run, sizeof run, "%s/run", path);
	EXPECT_EQ(mkdir(run, 0700), 0);
	EXPECT(data_dir_furnish(&world->dir, error));
	EXPECT(account_file_furnish(&world->dir, error));
	place_make(&world->place, STORE_SQLITE);
	EXPECT_EQ(rmdir(world->place.folder), 0);
	snprintf(world->place.folder, sizeof world->place.folder, "%s", path);
	snprintf(world->place.path, sizeof world->place.path, "%s/convoke.db", path);
	EXPECT_EQ(place_open(&world->place), 0);
}

static void
world_remove(struct world *world)
{
	char command[DATA_PATH_MAX + 16];
	if (world->place.store != NULL)
		place_close(&world->place);
	snprintf(command, sizeof command, "rm -r '%s'", world->dir.path);
	EXPECT_EQ(system(command), 0);
}

static bool
run(struct world *world, enum mmp_call call, const char *name)
{
	char text[2048];
	const struct str argument = str_of(name);
	const struct mmp_terminal terminal = { .context = world, .say = say };
	const struct mmp_line line = { .call = call, .arguments = &argument, .count = 1 };
	struct writer w = writer_of(text, sizeof text);
	world->w = writer_of(world->said, sizeof world->said - 1);
	const bool ok = backup_run(&world->dir, &terminal, &line, &w);
	writer_str(&world->w, writer_view(&w));
	world->said[world->w.at] = '\0';
	return ok;
}

static void
put(const struct world *world, const char *name, const char *text)
{
	char path[DATA_PATH_MAX + 64];
	EXPECT_EQ(file_replace(data_dir_file(path, &world->dir, name), text, strlen(text), 0600), 0);
}

static bool
holds(const struct world *world, const char *name, const char *text)
{
	char path[DATA_PATH_MAX + 64], *bytes;
	size_t len;
	if (file_read(data_dir_file(path, &world->dir, name), 1 << 20, &bytes, &len) != 0)
		return false;
	const bool same = str_eq((struct str){ bytes, len }, str_of(text));
	free(bytes);
	return same;
}

static void
put_prompt(const struct world *world, const char *text)
{
	char path[DATA_PATH_MAX + 64];
	EXPECT_EQ(dir_make(data_dir_file(path, &world->dir, "prompts/en"), 0700), 0);
	put(world, "prompts/en/welcome.wav", text);
}

static void
make_old(struct world *world)
{
	put(world, "cms.lic", "old licence");
	put(world, "mine.key", "old key");
	put(world, "run.txt.AbCdEf", "not half a file");
	put_prompt(world, "old prompt");
	commit_space(&world->place, "old");
	EXPECT(settle(&world->place));
}

static void
make_new(struct world *world)
{
	put(world, "cms.lic", "new licence");
	put(world, "mine.key", "new key");
	put(world, "later.crt", "stays");
	put_prompt(world, "new prompt");
	commit_space(&world->place, "new");
	EXPECT(settle(&world->place));
}

static bool
is_new(struct world *world)
{
	place_close(&world->place);
	EXPECT_EQ(place_open(&world->place), 0);
	return has_space(&world->place, "new") && has_space(&world->place, "old") &&
	       holds(world, "prompts/en/welcome.wav", "new prompt") &&
	       holds(world, "cms.lic", "new licence") && holds(world, "mine.key", "new key");
}

static bool
is_old(struct world *world)
{
	place_close(&world->place);
	EXPECT_EQ(place_open(&world->place), 0);
	return !has_space(&world->place, "new") && has_space(&world->place, "old") &&
	       holds(world, "prompts/en/welcome.wav", "old prompt") &&
	       holds(world, "cms.lic", "old licence") && holds(world, "mine.key", "old key");
}

static unsigned
leftovers(const struct world *world)
{
	static const char *const names[] = { "run/rollback", "run/rollback.new", "run/snapshot" };
	char path[DATA_PATH_MAX + 64];
	unsigned count = 0;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		count += access(data_dir_file(path, &world->dir, names[i]), F_OK) == 0;
	return count;
}

TEST(everything_comes_back)
{
	struct world world;
	struct stat info;
	char path[DATA_PATH_MAX + 64], error[DATA_ERROR_MAX];
	struct config config;
	world_make(&world);
	make_old(&world);
	EXPECT(run(&world, MMP_BACKUP_SNAPSHOT, "first"));
	EXPECT(strstr(world.said, "first.bak ready for download") != NULL);
	EXPECT_EQ(stat(data_dir_file(path, &world.dir, "first.bak"), &info), 0);
	EXPECT_EQ(info.st_mode & 07777, 0600);
	make_new(&world);
	EXPECT(data_dir_config(&config, &world.dir, error));
	config.callbridge.calls_max = 77;
	EXPECT(data_dir_write_config(&world.dir, &config, error));
	put(&world, "accounts", "");

	EXPECT(run(&world, MMP_BACKUP_LIST, ""));
	EXPECT(strstr(world.said, "first.bak ") != NULL && strstr(world.said, "damaged") == NULL);
	EXPECT(run(&world, MMP_BACKUP_ROLLBACK, "first.bak"));
	EXPECT(strstr(world.said, "SUCCESS: ") != NULL);
	EXPECT(is_old(&world));
	EXPECT(holds(&world, "later.crt", "stays")); /* nobody's key is ever removed */
	EXPECT(!holds(&world, "accounts", ""));
	EXPECT(data_dir_config(&config, &world.dir, error));
	EXPECT_EQ(config.callbridge.calls_max, 2000);
	EXPECT_EQ(leftovers(&world), 0);
	/* The same again, and back to what came between. */
	EXPECT(run(&world, MMP_BACKUP_ROLLBACK, "first"));
	EXPECT(is_old(&world));
	world_remove(&world);
}

TEST(another_machine_takes_it)
{
	struct world here, there;
	char from[DATA_PATH_MAX + 64], to[DATA_PATH_MAX + 64], error[DATA_ERROR_MAX];
	struct config config;
	world_make(&here);
	world_make(&there);
	make_old(&here);
	EXPECT(run(&here, MMP_BACKUP_SNAPSHOT, "x"));
	EXPECT_EQ(rename(data_dir_file(from, &here.dir, "x.bak"),
	                 data_dir_file(to, &there.dir, "x.bak")), 0);
	/* It keeps its own database. */
	EXPECT(data_dir_config(&config, &there.dir, error));
	str_copy(config.database.sslmode, sizeof config.database.sslmode, STR("require"));
	EXPECT(data_dir_write_config(&there.dir, &config, error));
	EXPECT(run(&there, MMP_BACKUP_ROLLBACK, "x"));
	EXPECT(is_old(&there));
	EXPECT(data_dir_config(&config, &there.dir, error));
	EXPECT_STR(str_of(config.database.sslmode), "require");
	world_remove(&here);
	world_remove(&there);
}

TEST(names_that_are_no_names_are_refused)
{
	static const char *const names[] = { "", ".bak", "../x", "a/b", ".x", "-x", "x\n",
		                             "a-name-of-more-than-forty-seven-bytes-is-too-long-for-it" };
	struct world world;
	world_make(&world);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		EXPECT(!run(&world, MMP_BACKUP_SNAPSHOT, names[i]));
		EXPECT(strstr(world.said, "does not fit") != NULL);
	}
	EXPECT(!run(&world, MMP_BACKUP_ROLLBACK, "nothing"));
	EXPECT_STR(str_of(world.said), "there is no nothing.bak; backup list names those that are here");
	world_remove(&world);
}

TEST(a_file_that_cannot_be_read_is_named)
{
	struct world world;
	char text[DATA_PATH_MAX + 64];
	const bool is_root = geteuid() == 0; /* whom no mode keeps out */
	world_make(&world);
	put(&world, "mine.key", "x");
	EXPECT_EQ(chmod(data_dir_file(text, &world.dir, "mine.key"), 0), 0);
	snprintf(text, sizeof text, "chown -R 65534 '%s'", world.dir.path);
	if (is_root)
		EXPECT(system(text) == 0 && seteuid(65534) == 0);
	EXPECT(!run(&world, MMP_BACKUP_SNAPSHOT, "x"));
	EXPECT(!is_root || seteuid(0) == 0);
	EXPECT(strstr(world.said, "mine.key: Permission denied") != NULL);
	EXPECT(access(data_dir_file(text, &world.dir, "x.bak"), F_OK) != 0);
	world_remove(&world);
}

/* A sum of what is in it, 0 when it is damaged.  In deflate one match may stand for another that says
 * the same: such a file is another one, and not damaged. */
static uLong
sum_of_file(const char *path)
{
	uint8_t piece[4096];
	uLong sum = crc32(0, NULL, 0);
	int got;
	gzFile file = gzopen(path, "rb");
	EXPECT(file != NULL);
	while ((got = gzread(file, piece, sizeof piece)) > 0)
		sum = crc32(sum, piece, (uInt)got);
	return gzclose(file) == Z_OK && got == 0 ? sum : 0;
}

TEST(a_damaged_file_changes_nothing)
{
	struct world world;
	char path[DATA_PATH_MAX + 64], *bytes;
	size_t len;
	struct prng dice;
	prng_init(&dice, 5);
	world_make(&world);
	make_old(&world);
	EXPECT(run(&world, MMP_BACKUP_SNAPSHOT, "x"));
	make_new(&world);
	EXPECT_EQ(file_read(data_dir_file(path, &world.dir, "x.bak"), 1 << 24, &bytes, &len), 0);
	const uLong sum = sum_of_file(path);
	EXPECT(sum != 0);
	for (unsigned i = 0; i < 60; i++) {
		const size_t at = prng_below(&dice, (uint32_t)len);
		const char was = bytes[at];
		/* Beyond its header, gzip has no byte that does not count. */
		if (i % 2 == 0 && at > 10) {
			bytes[at] = (char)(was ^ (1 << prng_below(&dice, 8)));
			EXPECT_EQ(file_replace(path, bytes, len, 0600), 0);
			bytes[at] = was;
		} else {
			EXPECT_EQ(file_replace(path, bytes, at, 0600), 0);
		}
		if (i % 2 == 0 && sum_of_file(path) == sum)
			continue;
		if (run(&world, MMP_BACKUP_ROLLBACK, "x"))
			print_error("taken with byte %zu of %zu changed\n", at, len);
		EXPECT(strstr(world.said, "SUCCESS") == NULL);
		EXPECT_EQ(leftovers(&world), 0);
	}
	EXPECT(is_new(&world));
	free(bytes);
	world_remove(&world);
}

TEST(a_disk_that_is_full_changes_nothing)
{
	enum { FILE_BYTES = 4 << 20 };
	struct world world;
	struct rlimit before, tight;
	char *text = malloc(FILE_BYTES + 1);
	world_make(&world);
	make_old(&world);
	EXPECT(text != NULL);
	memset(text, 'x', FILE_BYTES);
	text[FILE_BYTES] = '\0';
	put(&world, "large.crt", text);
	EXPECT(run(&world, MMP_BACKUP_SNAPSHOT, "x"));
	make_new(&world);
	/* As far as a file may grow: there is room for everything but this one. */
	EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = FILE_BYTES / 2;
	void (*const heard)(int) = signal(SIGXFSZ, SIG_IGN);
	EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
	EXPECT(!run(&world, MMP_BACKUP_ROLLBACK, "x"));
	EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, heard);
	EXPECT(strstr(world.said, strerror(EFBIG)) != NULL);
	EXPECT_EQ(leftovers(&world), 0);
	EXPECT(is_new(&world));
	free(text);
	world_remove(&world);
}

/* A file that somebody made who knows how. */
static void
make_file(const struct world *world, const char *about, const char *name, const char *more)
{
	char path[DATA_PATH_MAX + 64], sums[1024], sum[ARCHIVE_SUM_BYTES];
	struct writer w = writer_of(sums, sizeof sums);
	struct archive *archive;
	const int fd = open(data_dir_file(path, &world->dir, "x.bak"),
	                    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	EXPECT_EQ(archive_create(&archive, fd), 0);
	EXPECT_EQ(archive_put_text(archive, "about", str_of(about)), 0);
	archive_sum(archive, sum);
	writer_format(&w, "%s about\n", sum);
	const char *const names[] = { name, more };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (names[i] == NULL)
			continue;
		EXPECT_EQ(archive_put_text(archive, names[i], STR("")), 0);
		archive_sum(archive, sum);
		writer_format(&w, "%s %s\n", sum, names[i]);
	}
	EXPECT_EQ(archive_put_text(archive, "sums", writer_view(&w)), 0);
	EXPECT_EQ(archive_finish(archive), 0);
	archive_destroy(archive);
	close(fd);
}

TEST(a_file_that_is_made_up_is_refused)
{
	static const char good[] =
		"Convoke backup\nformat 1\nversion 1\nschema 1\nmade now\nhost here\n";
	static const struct {
		const char *about, *name, *more, *why;
	} cases[] = {
		{ "Convoke backup\nformat 2\nversion 9.9\nschema 1\nmade now\nhost h\n",
		  "data/convoke.conf", NULL, "newer Convoke (9.9" },
		{ "Convoke backup\nformat 1\nversion 9.9\nschema 99\nmade now\nhost h\n",
		  "data/convoke.conf", NULL, "newer Convoke (9.9" },
		{ "Another backup\n", "data/convoke.conf", NULL, "damaged, or no backup" },
		{ "Convoke backup\nformat one\n", "data/convoke.conf", NULL, "damaged, or no backup" },
		{ good, "data/../x.crt", NULL, "damaged, or no backup" },
		{ good, "/etc/x.crt", NULL, "damaged, or no backup" },
		{ good, "data/run/x.crt", NULL, "damaged, or no backup" },
		{ good, "data/convoke.db", NULL, "damaged, or no backup" },
		{ good, "prompts/../x.wav", NULL, "damaged, or no backup" },
		{ good, "prompts/en/../x", NULL, "damaged, or no backup" },
		{ good, "data/@prompts@..@x", NULL, "damaged, or no backup" },
		{ good, "data/.x", NULL, "damaged, or no backup" },
		/* It could not take a folder's place: the rollback, once decided, would never end. */
		{ good, "data/log", NULL, "damaged, or no backup" },
		{ good, "data/run", NULL, "damaged, or no backup" },
		{ good, "data/a.crt", "data/a.crt", "damaged, or no backup" },
		{ good, "data/a.crt", NULL, "its settings" },
		{ good, "data/convoke.conf", NULL, "its settings" }, /* nothing in it is complete */
		{ good, "data/convoke.conf", "database", "its settings" },
	};
	struct world world;
	world_make(&world);
	make_old(&world);
	make_new(&world);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		make_file(&world, cases[i].about, cases[i].name, cases[i].more);
		EXPECT(!run(&world, MMP_BACKUP_ROLLBACK, "x"));
		if (strstr(world.said, cases[i].why) == NULL)
			print_error("case %zu: %s\n", i, world.said);
		EXPECT(strstr(world.said, cases[i].why) != NULL);
		EXPECT_EQ(leftovers(&world), 0);
	}
	EXPECT(is_new(&world));
	world_remove(&world);
}

/* -- the power goes ---------------------------------------------------------------------------- */

static void
unpack(struct world *world, int data_fd)
{
	char text[1024];
	struct backup_about about;
	struct writer why = writer_of(text, sizeof text);
	const int fd = openat(data_fd, "x.bak", O_RDONLY | O_CLOEXEC);
	EXPECT(fd >= 0 && rollback_unpack(&world->dir, data_fd, fd, &about, &why));
	close(fd);
}

TEST(a_power_cut_leaves_the_old_or_the_new)
{
	enum { UNPACKED, DECIDED, DATABASE, ONE_FILE, MOMENTS };
	for (int moment = 0; moment < MOMENTS; moment++) {
		struct world world;
		char error[DATA_ERROR_MAX], path[DATA_PATH_MAX + 64];
		world_make(&world);
		make_old(&world);
		EXPECT(run(&world, MMP_BACKUP_SNAPSHOT, "x"));
		make_new(&world);
		const int data_fd = open(world.dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		unpack(&world, data_fd);
		if (moment >= DECIDED)
			EXPECT_EQ(rollback_decide(data_fd), 0);
		if (moment >= DATABASE) {
			struct backup_settings settings;
			struct store_copied copied;
			struct writer why = writer_of(error, sizeof error);
			EXPECT(backup_settings(&settings, &world.dir,
			                       data_dir_file(path, &world.dir, "run/rollback/database"),
			                       &why));
			EXPECT_EQ(store_restore(&copied, &settings.file.store,
			                        &settings.database.store), 0);
		}
		if (moment >= ONE_FILE) {
			EXPECT_EQ(unlinkat(data_fd, "run/rollback/database", 0), 0);
			EXPECT_EQ(renameat(data_fd, "run/rollback/data/mine.key", data_fd, "mine.key"), 0);
		}
		/* The next start. */
		if (!backup_finish(&world.dir, error))
			print_error("%s\n", error);
		EXPECT_EQ(leftovers(&world), 0);
		EXPECT(moment == UNPACKED ? is_new(&world) : is_old(&world));
		EXPECT(backup_finish(&world.dir, error));
		close(data_fd);
		world_remove(&world);
	}
}

TEST(a_rollback_whose_database_fails_changes_nothing)
{
	struct world world;
	char error[DATA_ERROR_MAX];
	world_make(&world);
	make_old(&world);
	EXPECT(run(&world, MMP_BACKUP_SNAPSHOT, "x"));
	make_new(&world);
	const int data_fd = open(world.dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unpack(&world, data_fd);
	EXPECT_EQ(rollback_decide(data_fd), 0);
	put(&world, "run/rollback/database", "what a disk can do to a database that lay there for long");
	EXPECT(!backup_finish(&world.dir, error));
	EXPECT(strstr(error, "nothing was changed") != NULL);
	EXPECT(backup_finish(&world.dir, error));
	EXPECT(is_new(&world));
	close(data_fd);
	world_remove(&world);
}

/* -- headers ----------------------------------------------------------------------------------- */

TEST(a_tar_header_reads_as_it_was_written_and_no_byte_may_change)
{
	struct tar_entry entry = { .name = "data/convoke.conf", .size = 4711, .time_s = 1700000000 };
	struct tar_entry again;
	uint8_t block[TAR_BLOCK_BYTES];
	tar_write(block, &entry);
	EXPECT_EQ(tar_read(&again, block), TAR_FILE);
	EXPECT(memcmp(&entry, &again, sizeof entry) == 0);
	for (size_t at = 0; at < sizeof block; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			block[at] = (uint8_t)(block[at] ^ (1u << bit));
			tar_property(block);
			/* Blanks and NULs end a number alike. */
			EXPECT(tar_read(&again, block) == TAR_BAD ||
			       memcmp(&entry, &again, sizeof entry) == 0);
			block[at] = (uint8_t)(block[at] ^ (1u << bit));
		}
	}
	memset(block, 0, sizeof block);
	EXPECT_EQ(tar_read(&again, block), TAR_END);
}
