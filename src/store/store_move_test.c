/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: everything moves from one engine to the other, or nothing; while a program writes to what is
 * moved, no change that it acknowledged stays behind.  Method: a SQLite file and a real PostgreSQL,
 * both ways; a move that is killed at any moment. */
#include "store/store_world.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { SPACES = 40, KILLS = 10 };

struct pair {
	struct place from;
	struct place to;
	struct store_settings from_settings;
	struct store_settings to_settings;
	unsigned switched;
	int refuse;
};

static void
pair_make(struct pair *pair, enum store_engine from)
{
	*pair = (struct pair){ 0 };
	place_make(&pair->from, from);
	place_make(&pair->to, from == STORE_SQLITE ? STORE_POSTGRES : STORE_SQLITE);
	pair->from_settings = place_settings(&pair->from);
	pair->to_settings = place_settings(&pair->to);
}

static void
pair_remove(struct pair *pair)
{
	place_remove(&pair->from);
	place_remove(&pair->to);
}

static int
switch_over(void *context)
{
	struct pair *pair = context;
	pair->switched++;
	return pair->refuse;
}

static struct store_move
move_of(struct pair *pair)
{
	return (struct store_move){ .from = &pair->from_settings,
		                    .to = &pair->to_settings,
		                    .switch_over = switch_over,
		                    .context = pair };
}

static void
fill(struct place *place)
{
	char uri[16];
	for (unsigned i = 0; i < SPACES; i++) {
		snprintf(uri, sizeof uri, "s%u", i);
		commit_space(place, uri);
	}
	EXPECT(settle(place));
}

/* The same spaces, in the same order. */
static void
expect_same(const struct place *a, const struct place *b)
{
	uint32_t at_a = 0;
	uint32_t at_b = 0;
	EXPECT_EQ(objects_count(a->objects, OBJECT_SPACE), objects_count(b->objects, OBJECT_SPACE));
	for (;;) {
		const uint32_t one = objects_next(a->objects, OBJECT_SPACE, &at_a);
		const uint32_t other = objects_next(b->objects, OBJECT_SPACE, &at_b);
		EXPECT_EQ(one != 0, other != 0);
		if (one == 0)
			break;
		const struct guid id = objects_id(a->objects, OBJECT_SPACE, one);
		const struct guid other_id = objects_id(b->objects, OBJECT_SPACE, other);
		EXPECT(guid_eq(&id, &other_id));
		EXPECT(str_eq(objects_text(a->objects, OBJECT_SPACE, one, SPACE_SECRET),
		              objects_text(b->objects, OBJECT_SPACE, other, SPACE_SECRET)));
	}
}

static void
move_and_follow(enum store_engine engine)
{
	struct pair pair;
	pair_make(&pair, engine);
	EXPECT_EQ(place_open(&pair.from), 0);
	fill(&pair.from);
	struct store_move move = move_of(&pair);
	EXPECT_EQ(store_move(&move), 0);
	EXPECT_EQ(pair.switched, 1);
	EXPECT_EQ(move.refused, 0);
	EXPECT(move.rows >= SPACES);

	/* Who wrote there is told, and goes on in the new place. */
	commit_space(&pair.from, "late");
	EXPECT(!settle(&pair.from));
	EXPECT_EQ(store_follow(pair.from.store, &pair.to_settings), 0);
	EXPECT_EQ(store_status(pair.from.store)->engine, pair.to.engine);
	EXPECT_EQ(store_status(pair.from.store)->state, STORE_READY);
	commit_space(&pair.from, "afterwards");
	EXPECT(settle(&pair.from));
	EXPECT_EQ(place_open(&pair.to), 0);
	EXPECT(has_space(&pair.to, "afterwards") && !has_space(&pair.to, "late"));
	expect_same(&pair.from, &pair.to);
	place_close(&pair.from);

	/* It is in use now: nothing may be moved over it. */
	EXPECT_EQ(store_move(&move), -EEXIST);
	EXPECT(strstr(move.error, "not empty") != NULL);
	EXPECT_EQ(pair.switched, 1);
	place_close(&pair.to);
	pair_remove(&pair);
}

TEST(everything_moves_from_sqlite_to_postgres)
{
	move_and_follow(STORE_SQLITE);
}

TEST(everything_moves_from_postgres_to_sqlite)
{
	move_and_follow(STORE_POSTGRES);
}

/* Only what was moved is followed. */
TEST(another_database_is_not_followed)
{
	struct pair pair;
	pair_make(&pair, STORE_SQLITE);
	EXPECT_EQ(place_open(&pair.to), 0);
	place_close(&pair.to);
	EXPECT_EQ(place_open(&pair.from), 0);
	fill(&pair.from);
	EXPECT_EQ(store_follow(pair.from.store, &pair.to_settings), -ESTALE);
	commit_space(&pair.from, "still");
	EXPECT_EQ(store_follow(pair.from.store, &pair.to_settings), -EBUSY);
	EXPECT(settle(&pair.from));
	place_close(&pair.from);
	pair_remove(&pair);
}

TEST(settings_that_cannot_be_written_leave_everything_to_be_tried_again)
{
	struct pair pair;
	pair_make(&pair, STORE_SQLITE);
	EXPECT_EQ(place_open(&pair.from), 0);
	fill(&pair.from);
	place_close(&pair.from);
	pair.refuse = -ENOSPC;
	struct store_move move = move_of(&pair);
	EXPECT_EQ(store_move(&move), -ENOSPC);
	/* The old one is opened again, as the settings say, and has everything. */
	EXPECT_EQ(place_open(&pair.from), 0);
	commit_space(&pair.from, "more");
	EXPECT(settle(&pair.from));
	pair.refuse = 0;
	EXPECT_EQ(store_move(&move), 0);
	EXPECT_EQ(place_open(&pair.to), 0);
	EXPECT(has_space(&pair.to, "more"));
	expect_same(&pair.from, &pair.to);
	place_close(&pair.from);
	place_close(&pair.to);
	pair_remove(&pair);
}

/* A writer goes on while one move after the other is killed; then one comes through. */
static void
kill_moves(enum store_engine engine)
{
	struct pair pair;
	struct prng dice;
	unsigned kept = 0;
	pair_make(&pair, engine);
	prng_init(&dice, 3);
	EXPECT_EQ(place_open(&pair.from), 0);
	fill(&pair.from);
	for (unsigned i = 0; i < KILLS; i++) {
		char uri[16];
		const pid_t child = fork();
		if (child == 0) {
			struct store_move move = move_of(&pair);
			_exit(store_move(&move) == 0 ? 0 : 1);
		}
		usleep(prng_below(&dice, 60000));
		kill(child, SIGKILL);
		int status = 0;
		EXPECT_EQ(waitpid(child, &status, 0), child);
		/* It was quicker, or came to the point where the writer is told. */
		snprintf(uri, sizeof uri, "k%u", i);
		commit_space(&pair.from, uri);
		const bool ok = settle(&pair.from);
		kept += ok;
		if (!ok) {
			place_close(&pair.from);
			EXPECT_EQ(place_open(&pair.from), 0);
		}
		EXPECT_EQ(objects_count(pair.from.objects, OBJECT_SPACE), SPACES + kept);
	}
	struct store_move move = move_of(&pair);
	EXPECT_EQ(store_move(&move), 0);
	EXPECT_EQ(place_open(&pair.to), 0);
	EXPECT_EQ(objects_count(pair.to.objects, OBJECT_SPACE), SPACES + kept);
	expect_same(&pair.from, &pair.to);
	place_close(&pair.from);
	place_close(&pair.to);
	pair_remove(&pair);
}

TEST(a_move_to_postgres_may_be_killed_at_any_moment)
{
	kill_moves(STORE_SQLITE);
}

TEST(a_move_to_sqlite_may_be_killed_at_any_moment)
{
	kill_moves(STORE_POSTGRES);
}

/* -- stopped at each step ---------------------------------------------------------------------- */

enum { STEP_SETTINGS = STORE_MOVE_LEFT + 1 };

struct deadly {
	struct pair pair;
	int at; /* the step at which its process ends, as if the power were cut */
};

static void
die_at(void *context, enum store_move_step step)
{
	const struct deadly *deadly = context;
	if ((int)step == deadly->at)
		kill(getpid(), SIGKILL);
}

static int
die_before_settings(void *context)
{
	const struct deadly *deadly = context;
	if (deadly->at == STEP_SETTINGS)
		kill(getpid(), SIGKILL);
	return 0;
}

/* Whatever step was the last, the settings name the old database: who writes there goes on, at once
 * or by coming back to it, and the next move takes everything along. */
static void
stop_at_each_step(enum store_engine engine)
{
	struct deadly deadly = { 0 };
	struct pair *pair = &deadly.pair;
	unsigned kept = SPACES;
	pair_make(pair, engine);
	EXPECT_EQ(place_open(&pair->from), 0);
	fill(&pair->from);
	for (deadly.at = STORE_MOVE_ROOM; deadly.at <= STEP_SETTINGS; deadly.at++) {
		char uri[16];
		int status = 0;
		const pid_t child = fork();
		if (child == 0) {
			struct store_move move = { .from = &pair->from_settings,
				                   .to = &pair->to_settings,
				                   .switch_over = die_before_settings,
				                   .step = die_at,
				                   .context = &deadly };
			_exit(store_move(&move) == 0 ? 0 : 1);
		}
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT(WIFSIGNALED(status));
		snprintf(uri, sizeof uri, "d%d", deadly.at);
		commit_space(&pair->from, uri);
		const bool told = !settle(&pair->from);
		EXPECT_EQ(told, deadly.at >= STORE_MOVE_LEFT);
		if (told) {
			EXPECT_EQ(store_status(pair->from.store)->state, STORE_MOVED);
			EXPECT_EQ(store_follow(pair->from.store, &pair->from_settings), 0);
			EXPECT_EQ(store_status(pair->from.store)->state, STORE_READY);
			commit_space(&pair->from, uri);
			EXPECT(settle(&pair->from));
		}
		kept++;
		EXPECT_EQ(objects_count(pair->from.objects, OBJECT_SPACE), kept);
	}
	struct store_move move = move_of(pair);
	EXPECT_EQ(store_move(&move), 0);
	EXPECT_EQ(place_open(&pair->to), 0);
	EXPECT_EQ(objects_count(pair->to.objects, OBJECT_SPACE), kept);
	expect_same(&pair->from, &pair->to);
	place_close(&pair->from);
	place_close(&pair->to);
	pair_remove(pair);
}

TEST(a_move_to_postgres_that_stops_at_any_step_leaves_one_that_takes_changes)
{
	stop_at_each_step(STORE_SQLITE);
}

TEST(a_move_to_sqlite_that_stops_at_any_step_leaves_one_that_takes_changes)
{
	stop_at_each_step(STORE_POSTGRES);
}

/* -- backups ----------------------------------------------------------------------------------- */

static void
copy_and_restore(enum store_engine engine)
{
	struct pair pair; /* `to`: another database than the one that is copied */
	struct place kept;
	struct store_copied copied;
	pair_make(&pair, engine);
	place_make(&kept, STORE_SQLITE);
	const struct store_settings file = place_settings(&kept);
	EXPECT_EQ(place_open(&pair.from), 0);
	fill(&pair.from);
	EXPECT_EQ(store_copy(&copied, &pair.from_settings, &file), 0);
	EXPECT(copied.rows >= SPACES && copied.refused == 0);
	const uint32_t rows = copied.rows;
	/* Who writes goes on. */
	commit_space(&pair.from, "later");
	EXPECT(settle(&pair.from));
	EXPECT_EQ(store_check(&copied, &file), 0);
	EXPECT_EQ(copied.rows, rows);

	/* Back over it: the one who writes is told, and what came later is gone. */
	EXPECT_EQ(store_restore(&copied, &file, &pair.from_settings), 0);
	EXPECT_EQ(copied.rows, rows);
	commit_space(&pair.from, "too late");
	EXPECT(!settle(&pair.from));
	EXPECT_EQ(store_status(pair.from.store)->state, STORE_TAKEN);
	EXPECT_EQ(store_follow(pair.from.store, &pair.from_settings), -ESTALE);
	place_close(&pair.from);
	EXPECT_EQ(place_open(&pair.from), 0);
	EXPECT(!has_space(&pair.from, "later"));
	EXPECT_EQ(objects_count(pair.from.objects, OBJECT_SPACE), SPACES);
	commit_space(&pair.from, "again");
	EXPECT(settle(&pair.from));

	/* And over one that knows nothing of it, of the other engine. */
	EXPECT_EQ(place_open(&pair.to), 0);
	commit_space(&pair.to, "theirs");
	EXPECT(settle(&pair.to));
	place_close(&pair.to);
	EXPECT_EQ(store_restore(&copied, &file, &pair.to_settings), 0);
	EXPECT_EQ(place_open(&pair.to), 0);
	EXPECT(!has_space(&pair.to, "theirs"));
	EXPECT_EQ(objects_count(pair.to.objects, OBJECT_SPACE), SPACES);
	place_close(&pair.from);
	place_close(&pair.to);
	pair_remove(&pair);
	place_remove(&kept);
}

TEST(a_copy_of_sqlite_is_restored_anywhere)
{
	copy_and_restore(STORE_SQLITE);
}

TEST(a_copy_of_postgres_is_restored_anywhere)
{
	copy_and_restore(STORE_POSTGRES);
}

TEST(what_cannot_be_copied_or_restored_changes_nothing)
{
	struct place place, broken;
	struct store_copied copied;
	place_make(&place, STORE_SQLITE);
	place_make(&broken, STORE_SQLITE);
	const struct store_settings settings = place_settings(&place), bad = place_settings(&broken);
	EXPECT_EQ(place_open(&place), 0);
	fill(&place);
	FILE *file = fopen(broken.path, "w");
	EXPECT(file != NULL && fputs("this is no database at all, but long enough to be one\n", file) > 0);
	fclose(file);
	EXPECT_EQ(store_check(&copied, &bad), -EBADMSG);
	EXPECT(copied.error[0] != '\0');
	EXPECT_EQ(store_restore(&copied, &bad, &settings), -EBADMSG);
	commit_space(&place, "still");
	EXPECT(settle(&place));
	EXPECT_EQ(store_copy(&copied, &settings, &bad), -EBADMSG);
	place_close(&place);
	place_remove(&place);
	place_remove(&broken);
}

TEST(nodes_are_asked_and_the_schema_is_told)
{
	struct place place;
	struct store_status status;
	int64_t version = 0;
	place_make(&place, STORE_POSTGRES);
	struct store_settings settings = place_settings(&place);
	settings.postgres.nodes[1] = (struct store_node){ "127.0.0.1", 1 };
	settings.postgres.node_count = 2;
	EXPECT_EQ(store_probe(&status, &version, &settings), 0);
	EXPECT_EQ(version, 0);
	EXPECT_EQ(place_open(&place), 0);
	EXPECT_EQ(store_probe(&status, &version, &settings), 0);
	EXPECT_EQ(version, STORE_SCHEMA_VERSION);
	EXPECT_EQ(status.node_in_use, 0);
	EXPECT(status.nodes[0].up && status.nodes[0].primary && !status.nodes[1].up);
	EXPECT_STR(str_of(status.nodes[1].name), "127.0.0.1:1");
	settings.postgres.nodes[0] = settings.postgres.nodes[1];
	settings.postgres.node_count = 1;
	EXPECT_EQ(store_probe(&status, &version, &settings), -ENOTCONN);
	EXPECT_EQ(version, -1);
	EXPECT(status.error[0] != '\0');
	place_close(&place);
	place_remove(&place);
}
