/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: one moment of a database into a new one, and back over whatever is there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "store/store_internal.h"

#define DB_RESTORE "restore" /* first word of the name that a restored database is left with */

static int
fail(struct store_copied *out, const char *where, const struct db *db, int rc)
{
	snprintf(out->error, sizeof out->error, "%s: %.400s", where,
	         db != NULL ? db->error : "not enough memory");
	return rc;
}

static int
open_ready(struct db **out, const struct store_settings *settings)
{
	unsigned node = 0;
	const int rc = db_open(out, settings, &node, -1);
	return rc == 0 ? schema_prepare(*out) : rc;
}

/* Reading and writing each have a transaction by now; both are over after it. */
static int
copy_rows(struct store_copied *out, struct rows_copy *copy)
{
	int rc = rows_copy(copy);
	if (rc == 0)
		rc = copy->failed = copy->to->engine->commit(copy->to);
	else if (copy->failed == 0)
		copy->to->engine->abort(copy->to);
	if (rc != 0)
		(void)fail(out, copy->failed != 0 ? "writing" : "reading",
		           copy->failed != 0 ? copy->to : copy->from, rc);
	(void)copy->from->engine->run(copy->from, "ROLLBACK");
	out->rows = copy->rows;
	out->refused = copy->refused;
	return rc;
}

static int
begin_reading(struct db *db)
{
	return db->engine->run(db, db->engine->begin_reading);
}

/* `restored`: over what is there. */
static int
copy_into(struct store_copied *out, struct rows_copy *copy, const struct store_settings *from,
          const struct store_settings *to, bool restored)
{
	char name[DB_NAME_MAX];
	int rc = open_ready(&copy->from, from);
	if (rc == 0)
		rc = begin_reading(copy->from);
	if (rc != 0)
		return fail(out, "reading", copy->from, rc);
	rc = open_ready(&copy->to, to);
	if (rc == 0)
		rc = copy->to->engine->begin_writing(copy->to);
	db_name(name, DB_RESTORE);
	if (rc == 0 && restored)
		rc = rows_take(copy->to, name);
	if (rc == 0 && restored)
		rc = rows_clear(copy->to);
	if (rc != 0)
		return fail(out, "writing", copy->to, rc);
	return copy_rows(out, copy);
}

static int
copy(struct store_copied *out, const struct store_settings *from, const struct store_settings *to,
     bool restored)
{
	struct rows_copy *copy = calloc(1, sizeof *copy);
	*out = (struct store_copied){ 0 };
	if (copy == NULL)
		return fail(out, "copying", NULL, -ENOMEM);
	const int rc = copy_into(out, copy, from, to, restored);
	db_close(copy->to);
	db_close(copy->from);
	free(copy);
	return rc;
}

int
store_copy(struct store_copied *out, const struct store_settings *from,
           const struct store_settings *to)
{
	return copy(out, from, to, false);
}

int
store_restore(struct store_copied *out, const struct store_settings *from,
              const struct store_settings *to)
{
	return copy(out, from, to, true);
}

/* ------------------------------------------------------------------ checking */

static void
count_row(void *context, const struct object_row *row, bool sound)
{
	struct store_copied *out = context;
	(void)row;
	out->rows += sound;
	out->refused += !sound;
}

int
store_check(struct store_copied *out, const struct store_settings *settings)
{
	struct object_row *row = calloc(1, sizeof *row);
	struct db *db = NULL;
	*out = (struct store_copied){ 0 };
	int rc = row != NULL ? open_ready(&db, settings) : -ENOMEM;
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = rows_read(db, (enum object_type)type, row, count_row, out);
	if (rc != 0)
		(void)fail(out, "reading", db, rc);
	db_close(db);
	free(row);
	return rc;
}
