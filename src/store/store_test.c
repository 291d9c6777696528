/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the store acknowledged is there after anything; what it could not keep is undone
 * everywhere; a database it cannot use is refused with a reason.  Method: the same tests on a SQLite
 * file and on a real PostgreSQL, a second connection that gets in the way, and a writer that is
 * killed in a loop. */
#include "store/store_world.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { KILLS = 12 };

BOTH(everything_comes_back_after_a_restart)
{
	EXPECT_EQ(place_open(place), 0);
	EXPECT(place->loaded.fresh);
	struct stat info;
	if (place->engine == STORE_SQLITE) {
		EXPECT_EQ(stat(place->path, &info), 0);
		EXPECT_EQ(info.st_mode & 0777, 0600);
	}
	struct object_edit edit = { .type = OBJECT_LEG_PROFILE };
	uint32_t profile = 0, space = 0, method = 0;
	int culprit = -1;
	objects_begin(place->objects);
	edit_set_text(&edit, LEG_PROFILE_NAME, STR("it's \"quoted\"; \xe2\x82\xac"));
	edit_set_number(&edit, LEG_PROFILE_SIP_ENCRYPTION, SIP_ENCRYPTION_REQUIRED);
	edit_set_number(&edit, LEG_PROFILE_MUTE_SELF_ALLOWED, 0);
	EXPECT_EQ(objects_add(place->objects, &edit, 0, &profile, &culprit), OBJECT_OK);
	const struct guid id = objects_id(place->objects, OBJECT_LEG_PROFILE, profile);
	edit = (struct object_edit){ .type = OBJECT_SPACE };
	edit_set_text(&edit, SPACE_URI, STR("a"));
	edit_set_text(&edit, SPACE_CALL_ID, STR("0012"));
	edit_set_guid(&edit, SPACE_LEG_PROFILE, &id);
	EXPECT_EQ(objects_add(place->objects, &edit, 0, &space, &culprit), OBJECT_OK);
	edit = (struct object_edit){ .type = OBJECT_METHOD };
	edit_set_text(&edit, METHOD_PASSCODE, STR("5"));
	EXPECT_EQ(objects_add(place->objects, &edit, space, &method, &culprit), OBJECT_OK);
	edit = (struct object_edit){ .type = OBJECT_CLUSTER };
	edit_set_number(&edit, CLUSTER_PARTICIPANT_LIMIT, 77);
	EXPECT_EQ(objects_edit(place->objects, objects_single(place->objects, OBJECT_CLUSTER), &edit,
	                       &culprit),
	          OBJECT_OK);
	struct object_tx tx = objects_end(place->objects);
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(settle(place));
	place_close(place);

	EXPECT_EQ(place_open(place), 0);
	EXPECT(!place->loaded.fresh);
	EXPECT_EQ(place->loaded.refused, 0);
	EXPECT_EQ(place->loaded.rows, 4);
	struct objects *objects = place->objects;
	profile = objects_find(objects, OBJECT_LEG_PROFILE, &id);
	EXPECT_STR(objects_text(objects, OBJECT_LEG_PROFILE, profile, LEG_PROFILE_NAME),
	           "it's \"quoted\"; \xe2\x82\xac");
	EXPECT_EQ(objects_number(objects, OBJECT_LEG_PROFILE, profile, LEG_PROFILE_SIP_ENCRYPTION),
	          SIP_ENCRYPTION_REQUIRED);
	struct address_cursor cursor = { 0 };
	space = objects_next_address(objects, OBJECT_SPACE, STR("0012"), &cursor);
	EXPECT_EQ(objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE), profile);
	EXPECT_EQ(objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET).len, 22);
	method = objects_next_inside(objects, OBJECT_METHOD, space, 0);
	EXPECT_STR(objects_text(objects, OBJECT_METHOD, method, METHOD_PASSCODE), "5");
	EXPECT_EQ(objects_number(objects, OBJECT_CLUSTER, objects_single(objects, OBJECT_CLUSTER),
	                         CLUSTER_PARTICIPANT_LIMIT),
	          77);

	objects_begin(objects);
	EXPECT_EQ(objects_remove(objects, OBJECT_SPACE, space), OBJECT_OK);
	tx = objects_end(objects);
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(settle(place));
	place_close(place);
	EXPECT_EQ(place_open(place), 0);
	EXPECT_EQ(objects_count(place->objects, OBJECT_SPACE), 0);
	EXPECT_EQ(objects_count(place->objects, OBJECT_METHOD), 0);
	place_close(place);
}

BOTH(a_change_that_cannot_be_kept_is_undone_with_all_that_followed)
{
	EXPECT_EQ(place_open(place), 0);
	struct object_tx tx = begin_space(place, "kept");
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(settle(place));

	struct other other = other_open(place);
	EXPECT(other_run(&other, place->engine == STORE_SQLITE
	                                 ? "BEGIN IMMEDIATE"
	                                 : "BEGIN; UPDATE writer SET former = former"));
	tx = begin_space(place, "lost");
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	tx = begin_space(place, "later");
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(has_space(place, "lost") && has_space(place, "later"));
	EXPECT(!settle(place));
	EXPECT(store_error(place->store)[0] != '\0');
	EXPECT(has_space(place, "kept") && !has_space(place, "lost"));
	EXPECT(!has_space(place, "later"));
	EXPECT(other_run(&other, "ROLLBACK"));
	other_close(&other);

	tx = begin_space(place, "again");
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(settle(place));
	place_close(place);
	EXPECT_EQ(place_open(place), 0);
	EXPECT(has_space(place, "kept") && has_space(place, "again"));
	EXPECT_EQ(objects_count(place->objects, OBJECT_SPACE), 2);
	place_close(place);
}

TEST(a_full_disk_is_an_answer_and_not_the_end)
{
	struct place place;
	place_make(&place, STORE_SQLITE);
	EXPECT_EQ(place_open(&place), 0);
	place_close(&place);
	/* The writer's own file size limit stands for a disk without room. */
	const pid_t child = fork();
	if (child == 0) {
		if (place_open(&place) != 0)
			_exit(1);
		signal(SIGXFSZ, SIG_IGN);
		struct stat info;
		char wal[128];
		snprintf(wal, sizeof wal, "%s-wal", place.path);
		if (stat(wal, &info) != 0)
			info.st_size = 0;
		const struct rlimit limit = { (rlim_t)info.st_size + 20000, RLIM_INFINITY };
		if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
			_exit(2);
		unsigned kept = 0;
		bool failed = false;
		for (unsigned i = 0; i < 200 && !failed; i++) {
			char uri[16];
			snprintf(uri, sizeof uri, "u%u", i);
			const struct object_tx tx = begin_space(&place, uri);
			if (store_commit(place.store, &tx) != 0)
				_exit(3);
			failed = !settle(&place);
			kept += !failed;
		}
		_exit(failed && objects_count(place.objects, OBJECT_SPACE) == kept ? 0 : 4);
	}
	int status = 0;
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 0);
	place_remove(&place);
}

TEST(files_that_are_no_database_of_ours_are_refused)
{
	struct place place;
	place_make(&place, STORE_SQLITE);
	const int fd = open(place.path, O_CREAT | O_WRONLY, 0600);
	char junk[8192];
	memset(junk, 'j', sizeof junk);
	EXPECT_EQ(write(fd, junk, sizeof junk), (ssize_t)sizeof junk);
	close(fd);
	EXPECT_EQ(place_open(&place), -EBADMSG);
	EXPECT(store_error(place.store)[0] != '\0');
	place_close(&place);
	unlink(place.path);

	place_remove(&place);
}

BOTH(a_newer_schema_is_refused_and_an_older_one_is_mended)
{
	EXPECT_EQ(place_open(place), 0);
	commit_space(place, "old");
	EXPECT(settle(place));
	place_close(place);
	struct other other = other_open(place);
	EXPECT(other_run(&other, "UPDATE schema SET version = 99"));
	EXPECT_EQ(place_open(place), -EPROTO);
	EXPECT(strstr(store_error(place->store), "schema version 99, this program knows 2") != NULL);
	place_close(place);

	/* As version 1 was, which knew no numbers of transactions. */
	EXPECT(other_run(&other, "UPDATE schema SET version = 1; DROP TABLE writer"));
	EXPECT_EQ(place_open(place), 0);
	EXPECT(has_space(place, "old"));
	commit_space(place, "new");
	EXPECT(settle(place));
	place_close(place);

	/* A column that an older program did not have is added; rows that break a rule are left
	 * out and counted. */
	EXPECT(other_run(&other, "ALTER TABLE spaces DROP COLUMN \"cdrTag\";"
	                         "INSERT INTO spaces(id, uri) VALUES"
	                         "('00000000-0000-4000-8000-000000000001', 'fine'),"
	                         "('00000000-0000-4000-8000-000000000002', 'FINE'),"
	                         "('00000000-0000-4000-8000-000000000003', 'not @ fine'),"
	                         "('nonsense', 'x')"));
	other_close(&other);
	EXPECT_EQ(place_open(place), 0);
	EXPECT_EQ(place->loaded.rows, 6);
	EXPECT_EQ(place->loaded.refused, 3);
	EXPECT(has_space(place, "fine") && has_space(place, "old") && has_space(place, "new"));
	place_close(place);
}

/* SQLite's locks are the process's: whoever closes a file of his own on the database lets them all go,
 * and the next program that looks takes the log away that we still write to. */
TEST(looking_at_the_database_twice_costs_nothing_in_sqlite)
{
	struct place place;
	place_make(&place, STORE_SQLITE);
	const pid_t child = fork();
	if (child == 0) {
		char command[512];
		const struct store_settings settings = place_settings(&place);
		if (place_open(&place) != 0)
			_exit(1);
		commit_space(&place, "before");
		if (!settle(&place) || store_follow(place.store, &settings) != -ESTALE)
			_exit(2);
		snprintf(command, sizeof command,
		         "/usr/bin/python3 -c 'import sqlite3; c = sqlite3.connect(\"%s\");"
		         "c.execute(\"SELECT count(*) FROM spaces\").fetchall(); c.close()'",
		         place.path);
		if (system(command) != 0)
			_exit(3);
		commit_space(&place, "after");
		_exit(settle(&place) ? 0 : 4);
	}
	int status = 0;
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(place_open(&place), 0);
	EXPECT(has_space(&place, "before") && has_space(&place, "after"));
	place_close(&place);
	place_remove(&place);
}

/* Two programs on one database would each lose what the other keeps. */
BOTH(who_opened_last_writes_and_the_one_before_is_told)
{
	EXPECT_EQ(place_open(place), 0);
	commit_space(place, "first");
	EXPECT(settle(place));
	struct place second = *place;
	EXPECT_EQ(place_open(&second), 0);
	EXPECT(has_space(&second, "first"));
	commit_space(place, "late");
	EXPECT(!settle(place));
	EXPECT(!has_space(place, "late"));
	struct store_result result;
	while (store_status(place->store)->state == STORE_READY)
		EXPECT(!store_take(place->store, &result));
	EXPECT_EQ(store_status(place->store)->state, STORE_TAKEN);
	EXPECT(store_status(place->store)->error[0] != '\0');
	const struct object_tx tx = begin_space(place, "never");
	EXPECT_EQ(store_commit(place->store, &tx), -ENOTCONN);
	objects_settled(place->objects, tx.ticket, false);
	commit_space(&second, "second");
	EXPECT(settle(&second));
	place_close(&second);
	place_close(place);
	EXPECT_EQ(place_open(place), 0);
	EXPECT_EQ(objects_count(place->objects, OBJECT_SPACE), 2);
	place_close(place);
}

/* The database of a program that knew no pictures: their tables and columns come, what was there
 * stays, and the longest template comes back as it was. */
BOTH(an_older_database_gains_what_concerns_pictures)
{
	EXPECT_EQ(place_open(place), 0);
	place_close(place);
	struct other other = other_open(place);
	EXPECT(other_run(&other, "DROP TABLE layout_templates; DROP TABLE dtmf_profiles;"
	                         "ALTER TABLE spaces DROP COLUMN \"defaultLayout\";"
	                         "ALTER TABLE call_leg_profiles DROP COLUMN \"layoutTemplate\";"
	                         "ALTER TABLE call_leg_profiles DROP COLUMN \"raiseHandAllowed\";"
	                         "ALTER TABLE system_profiles DROP COLUMN \"dtmfProfile\";"
	                         "INSERT INTO call_leg_profiles(id, name, \"rxAudioMute\") VALUES"
	                         "('00000000-0000-4000-8000-000000000001', 'old', 'true')"));
	other_close(&other);
	EXPECT_EQ(place_open(place), 0);
	EXPECT_EQ(place->loaded.refused, 0);
	struct guid id;
	EXPECT(guid_parse(&id, STR("00000000-0000-4000-8000-000000000001")));
	uint32_t profile = objects_find(place->objects, OBJECT_LEG_PROFILE, &id);
	EXPECT_EQ(objects_number(place->objects, OBJECT_LEG_PROFILE, profile,
	                         LEG_PROFILE_RX_AUDIO_MUTE),
	          1);
	EXPECT(!objects_value(place->objects, OBJECT_LEG_PROFILE, profile,
	                      LEG_PROFILE_RAISE_HAND_ALLOWED)
	                .set);

	static char text[OBJECT_TEXT_MAX];
	memset(text, '7', sizeof text);
	uint32_t template = 0;
	int culprit = -1;
	objects_begin(place->objects);
	struct object_edit edit = { .type = OBJECT_LAYOUT_TEMPLATE };
	edit_set_text(&edit, LAYOUT_TEMPLATE_TEXT, (struct str){ text, sizeof text });
	EXPECT_EQ(objects_add(place->objects, &edit, 0, &template, &culprit), OBJECT_OK);
	const struct guid template_id =
		objects_id(place->objects, OBJECT_LAYOUT_TEMPLATE, template);
	edit = (struct object_edit){ .type = OBJECT_LEG_PROFILE };
	edit_set_guid(&edit, LEG_PROFILE_LAYOUT_TEMPLATE, &template_id);
	edit_set_number(&edit, LEG_PROFILE_RAISE_HAND_ALLOWED, 0);
	edit_set_number(&edit, LEG_PROFILE_DEFAULT_LAYOUT, 12);
	EXPECT_EQ(objects_edit(place->objects, profile, &edit, &culprit), OBJECT_OK);
	const struct object_tx tx = objects_end(place->objects);
	EXPECT_EQ(store_commit(place->store, &tx), 0);
	EXPECT(settle(place));
	place_close(place);

	EXPECT_EQ(place_open(place), 0);
	EXPECT_EQ(place->loaded.refused, 0);
	profile = objects_find(place->objects, OBJECT_LEG_PROFILE, &id);
	template = objects_ref(place->objects, OBJECT_LEG_PROFILE, profile,
	                       LEG_PROFILE_LAYOUT_TEMPLATE);
	EXPECT_EQ(objects_text(place->objects, OBJECT_LAYOUT_TEMPLATE, template,
	                       LAYOUT_TEMPLATE_TEXT)
	                  .len,
	          sizeof text);
	EXPECT_EQ(objects_number(place->objects, OBJECT_LEG_PROFILE, profile,
	                         LEG_PROFILE_DEFAULT_LAYOUT),
	          12);
	place_close(place);
}

/* Adds spaces until it is killed; says the number of each one that was acknowledged. */
static void
write_until_killed(struct place *place, int fd, uint32_t number)
{
	prng_init(&place->prng, (uint64_t)getpid()); /* not the ids of the one before */
	if (place_open(place) != 0)
		_exit(1);
	for (;; number++) {
		char uri[16];
		snprintf(uri, sizeof uri, "n%u", number);
		const struct object_tx tx = begin_space(place, uri);
		if (store_commit(place->store, &tx) != 0 || !settle(place) ||
		    write(fd, &number, sizeof number) != (ssize_t)sizeof number)
			_exit(2);
	}
}

BOTH(an_acknowledged_change_survives_kill_9)
{
	struct prng dice;
	prng_init(&dice, 9);
	uint32_t next = 0; /* every number below was acknowledged */
	for (unsigned kill_number = 0; kill_number < KILLS; kill_number++) {
		int ends[2];
		EXPECT_EQ(pipe(ends), 0);
		const pid_t child = fork();
		if (child == 0) {
			close(ends[0]);
			write_until_killed(place, ends[1], next);
		}
		close(ends[1]);
		/* Kill it in the middle of something after a few changes. */
		unsigned rounds = 1 + prng_below(&dice, 30);
		uint32_t number = 0;
		while (rounds-- > 0 && read(ends[0], &number, sizeof number) == sizeof number)
			next = number + 1;
		usleep(prng_below(&dice, 3000));
		kill(child, SIGKILL);
		while (read(ends[0], &number, sizeof number) == sizeof number)
			next = number + 1;
		int status = 0;
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT(WIFSIGNALED(status));
		close(ends[0]);

		EXPECT_EQ(place_open(place), 0);
		EXPECT_EQ(place->loaded.refused, 0);
		for (uint32_t i = 0; i < next; i++) {
			char uri[16];
			snprintf(uri, sizeof uri, "n%u", i);
			EXPECT(has_space(place, uri));
		}
		/* The one under way may have made it. */
		const uint32_t count = objects_count(place->objects, OBJECT_SPACE);
		EXPECT(count == next || count == next + 1);
		next = count;
		place_close(place);
	}
	EXPECT(next > KILLS);
}
