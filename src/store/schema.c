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

/* ------------------------------------------------------------------ what is there */

struct found {
	bool schema; /* the table of that name */
	bool table[OBJECT_KEPT_END];
	struct field_set columns[OBJECT_KEPT_END];
};

static bool
find_column(void *context, const struct str *names, unsigned count)
{
	struct found *found = context;
	CHECK(count == 2);
	found->schema = found->schema || str_eq(names[0], STR("schema"));
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_KEPT_END; t++) {
		const enum object_type type = (enum object_type)t;
		if (!str_eq(names[0], str_of(object_describe(type)->table)))
			continue;
		found->table[t] = true;
		for (unsigned i = 0; i < object_field_count(type); i++) {
			if (str_eq(names[1], str_of(object_field(type, i)->name)))
				field_set_put(&found->columns[t], i, true);
		}
	}
	return true;
}

/* ------------------------------------------------------------------ versions */

static bool
take_number(void *context, const struct str *columns, unsigned count)
{
	uint32_t number = 0;
	if (count == 1 && str_u32(columns[0], &number))
		*(int64_t *)context = number;
	return false;
}

static int
read_version(struct db *db, const struct found *found, int64_t *version)
{
	*version = 0;
	if (!found->schema)
		return 0;
	*version = -1;
	const int rc = db->engine->query(db, "SELECT CAST(version AS TEXT) FROM schema",
	                                 take_number, version);
	return rc == 0 && *version < 0 ? db_fail(db, -EPROTO, "the table \"schema\" is not ours")
	                               : rc;
}

int
schema_version(struct db *db, int64_t *version)
{
	struct found found = { 0 };
	const int rc = db->engine->query(db, db->engine->columns, find_column, &found);
	return rc == 0 ? read_version(db, &found, version) : rc;
}

static int
migrate(struct db *db, const struct found *found)
{
	char sql[STATEMENT_MAX];
	int64_t version = 0;
	int rc = read_version(db, found, &version);
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

static int
make_table(struct db *db, enum object_type type)
{
	char sql[DB_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	writer_format(&w, "CREATE TABLE \"%s\"(%sid TEXT NOT NULL PRIMARY KEY, parent TEXT",
	              object_describe(type)->table, db->engine->row_column);
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_KEPT) != 0)
			writer_format(&w, ", \"%s\" TEXT", object_field(type, i)->name);
	}
	writer_text(&w, ")");
	CHECK(!w.failed);
	sql[w.at] = '\0';
	return db->engine->run(db, sql);
}

static int
prepare_table(struct db *db, const struct found *found, enum object_type type)
{
	char sql[STATEMENT_MAX];
	const char *table = object_describe(type)->table;
	int rc = 0;
	if (!found->table[type])
		return make_table(db, type);
	for (unsigned i = 0; rc == 0 && i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & FIELD_KEPT) == 0 || field_set_has(&found->columns[type], i))
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
	struct found found = { 0 };
	int rc = db->engine->run(db, db->engine->begin_schema);
	if (rc != 0)
		return rc;
	rc = db->engine->query(db, db->engine->columns, find_column, &found);
	if (rc == 0)
		rc = migrate(db, &found);
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = prepare_table(db, &found, (enum object_type)type);
	return end_transaction(db, rc);
}

/* ------------------------------------------------------------------ who writes */

struct writer_row {
	char name[DB_HOLDER_MAX];
	uint64_t number;
	bool found;
};

static bool
take_writer(void *context, const struct str *columns, unsigned count)
{
	struct writer_row *row = context;
	row->found = count == 2 && str_copy(row->name, sizeof row->name, columns[0]) &&
	             str_u64(columns[1], &row->number);
	return false;
}

int
schema_writer(struct db *db, char holder[DB_HOLDER_MAX], uint64_t *number)
{
	struct writer_row row = { 0 };
	const int rc = db->engine->query(db, "SELECT holder, number FROM writer", take_writer, &row);
	memcpy(holder, row.name, DB_HOLDER_MAX);
	*number = row.number;
	return rc == 0 && !row.found ? db_fail(db, -EPROTO, "the table \"writer\" is not ours") : rc;
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
	memcpy(former, row.name, DB_HOLDER_MAX);
	*number = row.number;
	if (rc == 0 && only_after != NULL && strcmp(former, only_after) != 0)
		rc = -ESTALE;
	return end_transaction(db, rc);
}
