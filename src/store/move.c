/* SPDX-License-Identifier: Apache-2.0 */
/* From one database into another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "store/store_internal.h"

struct moving {
	struct store_move *move;
	struct db *from;
	struct db *to;
	struct rows_copy copy;
	char name[DB_NAME_MAX];
	uint64_t number; /* of the last transaction in `from` */
	bool locked;     /* `from` is */
	bool any;        /* is something in `to`? */
};

static int
fail(struct moving *moving, const char *where, const struct db *db, int rc)
{
	snprintf(moving->move->error, sizeof moving->move->error, "%s: %.400s", where,
	         db != NULL ? db->error : "not enough memory");
	return rc;
}

/* ------------------------------------------------------------------ is there room? */

static bool
see_row(void *context, const struct str *columns, unsigned count)
{
	struct moving *moving = context;
	(void)columns;
	(void)count;
	moving->any = true;
	return false;
}

static int
for_each_table(struct moving *moving, const char *before, const char *behind, db_row *row)
{
	char sql[256];
	int rc = 0;
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++) {
		snprintf(sql, sizeof sql, "%s \"%s\" %s", before,
		         object_describe((enum object_type)type)->table, behind);
		rc = row != NULL ? moving->to->engine->query(moving->to, sql, row, moving)
		                 : moving->to->engine->run(moving->to, sql);
	}
	return rc;
}

/* What a move that was cut short has left there, nobody has used since: its name says so. */
static int
make_room(struct moving *moving)
{
	char holder[DB_HOLDER_MAX];
	char former[DB_HOLDER_MAX];
	uint64_t number;
	int rc = schema_writer(moving->to, holder, &number);
	if (rc == 0)
		rc = for_each_table(moving, "SELECT 1 FROM", "LIMIT 1", see_row);
	if (rc != 0)
		return rc;
	if (moving->any && !str_starts(str_of(holder), STR(DB_MOVE " ")))
		return db_fail(moving->to, -EEXIST,
		               "it is not empty; empty it, or use it as it is with \"database cluster "
		               "connect\" or \"database cluster remove\"");
	rc = schema_take(moving->to, moving->name, NULL, former, &number);
	return rc == 0 && moving->any ? for_each_table(moving, "DELETE FROM", "", NULL) : rc;
}

/* ------------------------------------------------------------------ copying */

static int
copy_all(struct moving *moving)
{
	struct rows_copy *copy = &moving->copy;
	int rc = moving->to->engine->begin_writing(moving->to);
	if (rc == 0)
		rc = rows_number(moving->to, moving->name, moving->number);
	if (rc != 0)
		return fail(moving, "the new database", moving->to, rc);
	copy->from = moving->from;
	copy->to = moving->to;
	rc = rows_copy(copy);
	if (copy->failed != 0)
		return fail(moving, "the new database", moving->to, rc);
	if (rc != 0) {
		moving->to->engine->abort(moving->to);
		return fail(moving, "the old database", moving->from, rc);
	}
	rc = moving->to->engine->commit(moving->to);
	moving->move->rows = copy->rows;
	moving->move->refused = copy->refused;
	return rc == 0 ? 0 : fail(moving, "the new database", moving->to, rc);
}

static void
reach(const struct moving *moving, enum store_move_step step)
{
	if (moving->move->step != NULL)
		moving->move->step(moving->move->context, step);
}

/* From here on the one who writes to it waits; given up, nothing has happened. */
static int
lock_source(struct moving *moving)
{
	char sql[DB_NAME_MAX + 64];
	char holder[DB_HOLDER_MAX];
	struct db *from = moving->from;
	snprintf(sql, sizeof sql, "UPDATE writer SET former = holder, holder = '%s'", moving->name);
	int rc = from->engine->run(from, from->engine->begin);
	moving->locked = rc == 0;
	if (rc == 0)
		rc = from->engine->run(from, sql);
	if (rc == 0)
		rc = schema_writer(from, holder, &moving->number);
	return rc == 0 ? 0 : fail(moving, "the old database", from, rc);
}

static int
open_both(struct moving *moving)
{
	unsigned node = 0;
	int rc = db_open(&moving->from, moving->move->from, &node, -1);
	if (rc == 0)
		rc = schema_prepare(moving->from);
	if (rc != 0)
		return fail(moving, "the old database", moving->from, rc);
	node = 0;
	rc = db_open(&moving->to, moving->move->to, &node, -1);
	if (rc == 0)
		rc = schema_prepare(moving->to);
	if (rc == 0)
		rc = make_room(moving);
	return rc == 0 ? 0 : fail(moving, "the new database", moving->to, rc);
}

/* The order is what makes it safe: everything is there, then nobody changes what is here, then
 * everybody is sent there. */
static int
move_all(struct moving *moving)
{
	int rc = open_both(moving);
	if (rc != 0)
		return rc;
	reach(moving, STORE_MOVE_ROOM);
	rc = lock_source(moving);
	if (rc != 0)
		return rc;
	reach(moving, STORE_MOVE_LOCKED);
	rc = copy_all(moving);
	if (rc != 0)
		return rc;
	reach(moving, STORE_MOVE_COPIED);
	rc = moving->from->engine->run(moving->from, "COMMIT");
	moving->locked = rc != 0;
	if (rc != 0)
		return fail(moving, "the old database", moving->from, rc);
	reach(moving, STORE_MOVE_LEFT);
	rc = moving->move->switch_over(moving->move->context);
	if (rc != 0)
		snprintf(moving->move->error, sizeof moving->move->error, "the settings: %s",
		         strerror(-rc));
	return rc;
}

int
store_move(struct store_move *move)
{
	struct moving *moving = calloc(1, sizeof *moving);
	move->rows = move->refused = 0;
	move->error[0] = '\0';
	if (moving == NULL)
		return -ENOMEM;
	moving->move = move;
	db_name(moving->name, DB_MOVE);
	const int rc = move_all(moving);
	if (moving->locked)
		(void)moving->from->engine->run(moving->from, "ROLLBACK");
	db_close(moving->from);
	db_close(moving->to);
	free(moving);
	return rc;
}
