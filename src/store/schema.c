/* SPDX-License-Identifier: Apache-2.0 */
/* Tables out of the object descriptions, and the numbered changes that adding a column is not. */
#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "store/store_internal.h"

enum { STATEMENT_MAX = 512 };

/* Index n brings version n to n + 1; both engines take them.
 *
 * `writer` has one row: who writes, who did before, and the number of the last transaction.  Each
 * transaction changes it first, so it is a lock that the next writer has to wait for, and what
 * tells after a lost connection whether a transaction was kept. */
static const char *const migrations[] = {
	"CREATE TABLE schema(version INTEGER NOT NULL);"
	"INSERT INTO schema VALUES(0)",
	"CREATE TABLE writer(holder TEXT NOT NULL, former TEXT NOT NULL, number TEXT NOT NULL);"
	"INSERT INTO writer VALUES('', '', '0')",
};
static_assert(COUNT_OF(migrations) == STORE_SCHEMA_VERSION, "a migration for each version");

/* ------------------------------------------------------------------ versions */

static bool
take_number(void *context, const struct str *columns, unsigned count)
{
	uint32_t number = 0;
	if (count == 1 && str_u32(columns[0], &number))
		*(int64_t *)context = number;
	return false;
}

static bool
count_column(void *context, const struct str *columns, unsigned count)
{
	(void)columns;
	*(unsigned *)context += count;
	return true;
}

int
schema_version(struct db *db, int64_t *version)
{
	char sql[STATEMENT_MAX];
	unsigned columns = 0;
	snprintf(sql, sizeof sql, "%s'schema'", db->engine->columns);
	*version = 0;
	int rc = db->engine->query(db, sql, count_column, &columns);
	if (rc != 0 || columns == 0)
		return rc;
	*version = -1;
	rc = db->engine->query(db, "SELECT CAST(version AS TEXT) FROM schema", take_number,
	                       version);
	if (rc == 0 && *version < 0)
		rc = db_fail(db, -EPROTO, "the table \"schema\" is not ours");
	return rc;
}

static int
migrate(struct db *db)
{
	char sql[STATEMENT_MAX];
	int64_t version = 0;
	int rc = schema_version(db, &version);
	if (rc == 0 && version > STORE_SCHEMA_VERSION)
		return db_fail(db, -EPROTO,
		               "the database has schema version %lld, this program knows %d: it "
		               "was made by a newer version of Convoke",
		               (long long)version, STORE_SCHEMA_VERSION);
	if (rc != 0 || version == STORE_SCHEMA_VERSION)
		return rc;
	for (; rc == 0 && version < STORE_SCHEMA_VERSION; version++)
		rc = db->engine->run(db, migrations[version]);
	snprintf(sql, sizeof sql, "UPDATE schema SET version = %d", STORE_SCHEMA_VERSION);
	return rc == 0 ? db->engine->run(db, sql) : rc;
}

/* ------------------------------------------------------------------ tables */

struct columns_found {
	enum object_type type;
	bool any;
	struct field_set found;
};

static bool
find_column(void *context, const struct str *columns, unsigned count)
{
	struct columns_found *found = context;
	CHECK(count == 1);
	found->any = true;
	for (unsigned i = 0; i < object_field_count(found->type); i++) {
		if (str_eq(columns[0], str_of(object_field(found->type, i)->name)))
			field_set_put(&found->found, i, true);
	}
	return true;
}

static int
prepare_table(struct db *db, enum object_type type)
{
	char sql[STATEMENT_MAX];
	struct columns_found found = { .type = type };
	const char *table = object_describe(type)->table;
	snprintf(sql, sizeof sql, "%s'%s'", db->engine->columns, table);
	int rc = db->engine->query(db, sql, find_column, &found);
	if (rc == 0 && !found.any) {
		snprintf(sql, sizeof sql,
		         "CREATE TABLE \"%s\"(%sid TEXT NOT NULL PRIMARY KEY, parent TEXT)", table,
		         db->engine->row_column);
		rc = db->engine->run(db, sql);
	}
	for (unsigned i = 0; rc == 0 && i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & FIELD_KEPT) == 0 || field_set_has(&found.found, i))
			continue;
		snprintf(sql, sizeof sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" TEXT", table,
		         field->name);
		rc = db->engine->run(db, sql);
	}
	return rc;
}

static int
end_transaction(struct db *db, int rc)
{
	char why[STORE_ERROR_MAX];
	if (rc == 0)
		return db->engine->run(db, "COMMIT");
	memcpy(why, db->error, sizeof why);
	(void)db->engine->run(db, "ROLLBACK");
	memcpy(db->error, why, sizeof why);
	return rc;
}

int
schema_prepare(struct db *db)
{
	int rc = db->engine->run(db, db->engine->begin_schema);
	if (rc != 0)
		return rc;
	rc = migrate(db);
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = prepare_table(db, (enum object_type)type);
	return end_transaction(db, rc);
}

/* ------------------------------------------------------------------ who writes */

struct writer_row {
	char former[DB_HOLDER_MAX];
	uint64_t number;
	bool found;
};

static bool
take_writer(void *context, const struct str *columns, unsigned count)
{
	struct writer_row *row = context;
	row->found = count == 2 && str_copy(row->former, sizeof row->former, columns[0]) &&
	             str_u64(columns[1], &row->number);
	return false;
}

/* First the change and then the question: the change waits for a transaction of the former
 * writer's that is still being written, and nothing of his comes after it. */
int
schema_take(struct db *db, const char *holder, const char *only_after, char former[DB_HOLDER_MAX],
            uint64_t *number)
{
	char sql[STATEMENT_MAX];
	struct writer_row row = { 0 };
	snprintf(sql, sizeof sql, "UPDATE writer SET former = holder, holder = '%s'", holder);
	int rc = db->engine->run(db, db->engine->begin);
	if (rc != 0)
		return rc;
	rc = db->engine->run(db, sql);
	if (rc == 0)
		rc = db->engine->query(db, "SELECT former, number FROM writer", take_writer, &row);
	if (rc == 0 && !row.found)
		rc = db_fail(db, -EPROTO, "the table \"writer\" is not ours");
	memcpy(former, row.former, DB_HOLDER_MAX);
	*number = row.number;
	if (rc == 0 && only_after != NULL && strcmp(former, only_after) != 0)
		rc = -ESTALE;
	return end_transaction(db, rc);
}
