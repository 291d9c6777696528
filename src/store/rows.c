/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as rows of text, and the statements that put, delete and read them. */
#include <errno.h>

#include "base/check.h"
#include "store/store_internal.h"

/* Statements by number: of type n, 2n puts a row and 2n + 1 deletes one; STATEMENT_CLEAR + n deletes
 * all. */
enum { STATEMENT_NUMBER = 0, STATEMENT_TAKE = 1, STATEMENT_CLEAR = 2 * OBJECT_KEPT_END };
static_assert(OBJECT_NONE == 0, "statements 0 and 1 are of no type");

static bool
is_kept(enum object_type type, unsigned field)
{
	return (object_field(type, field)->flags & FIELD_KEPT) != 0;
}

/* ------------------------------------------------------------------ statements */

/* Parameter 1 is the id, 2 the parent, then the kept fields in turn.  Returns their number. */
static unsigned
write_put(struct writer *w, enum object_type type)
{
	unsigned count = 2;
	writer_format(w, "INSERT INTO \"%s\"(id, parent", object_describe(type)->table);
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (is_kept(type, i))
			writer_format(w, ", \"%s\"", object_field(type, i)->name);
	}
	writer_text(w, ") VALUES($1, $2");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (is_kept(type, i))
			writer_format(w, ", $%u", ++count);
	}
	writer_text(w, ") ON CONFLICT(id) DO UPDATE SET parent = excluded.parent");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const char *name = object_field(type, i)->name;
		if (is_kept(type, i))
			writer_format(w, ", \"%s\" = excluded.\"%s\"", name, name);
	}
	return count;
}

static unsigned
write_statement(struct writer *w, unsigned statement)
{
	const unsigned number = statement < STATEMENT_CLEAR ? statement / 2 : statement - STATEMENT_CLEAR;
	const enum object_type type = (enum object_type)number;
	if (statement == STATEMENT_NUMBER) {
		/* A former writer's row becomes NULL, which it may not be: an error that ends the
		 * transaction. */
		writer_text(w, "UPDATE writer SET number = CASE WHEN holder = $1 THEN $2 END");
		return 2;
	}
	if (statement == STATEMENT_TAKE) {
		writer_text(w, "UPDATE writer SET former = holder, holder = $1");
		return 1;
	}
	if (statement >= STATEMENT_CLEAR) {
		writer_format(w, "DELETE FROM \"%s\"", object_describe(type)->table);
		return 0;
	}
	if (statement % 2 == 0)
		return write_put(w, type);
	writer_format(w, "DELETE FROM \"%s\" WHERE id = $1", object_describe(type)->table);
	return 1;
}

static int
execute(struct db *db, unsigned statement, const struct str *parameters, unsigned count)
{
	if (!db->prepared[statement]) {
		char sql[DB_SQL_MAX];
		struct writer w = writer_of(sql, sizeof sql - 1);
		const unsigned wanted = write_statement(&w, statement);
		CHECK(!w.failed && wanted == count);
		sql[w.at] = '\0';
		const int rc = db->engine->prepare(db, statement, sql, count);
		if (rc != 0)
			return rc;
		db->prepared[statement] = true;
	}
	return db->engine->execute(db, statement, parameters, count);
}

/* ------------------------------------------------------------------ writing */

static struct str
write_guid(struct writer *w, const struct guid *guid)
{
	char text[GUID_TEXT_LEN + 1];
	const size_t from = w->at;
	guid_write(text, guid);
	writer_bytes(w, text, GUID_TEXT_LEN);
	return str_sub(writer_view(w), from, w->at - from);
}

static struct str
write_value(struct writer *w, const struct field *field, const struct value *value)
{
	const size_t from = w->at;
	value_write(w, field, value);
	return str_sub(writer_view(w), from, w->at - from);
}

int
rows_write(struct db *db, const struct object_row *row)
{
	char text[DB_ROW_TEXT_MAX];
	struct str parameters[DB_COLUMNS_MAX] = { 0 };
	struct writer w = writer_of(text, sizeof text);
	unsigned count = 2;
	parameters[0] = write_guid(&w, &row->id);
	if (row->deleted)
		return execute(db, row->type * 2 + 1, parameters, 1);
	if (object_describe(row->type)->parent != OBJECT_NONE)
		parameters[1] = write_guid(&w, &row->parent);
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if (!is_kept(row->type, i))
			continue;
		if (field_set_has(&row->given, i))
			parameters[count] = write_value(&w, object_field(row->type, i),
			                                &row->values[i]);
		count++;
	}
	CHECK(!w.failed);
	return execute(db, row->type * 2, parameters, count);
}

int
rows_number(struct db *db, const char *holder, uint64_t number)
{
	char text[32];
	struct writer w = writer_of(text, sizeof text);
	writer_decimal(&w, number);
	const struct str parameters[] = { str_of(holder), writer_view(&w) };
	return execute(db, STATEMENT_NUMBER, parameters, 2);
}

int
rows_take(struct db *db, const char *holder)
{
	const struct str parameter = str_of(holder);
	return execute(db, STATEMENT_TAKE, &parameter, 1);
}

int
rows_clear(struct db *db)
{
	int rc = 0;
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = execute(db, STATEMENT_CLEAR + type, NULL, 0);
	return rc;
}

/* ------------------------------------------------------------------ reading */

struct reading {
	enum object_type type;
	struct object_row *row;
	rows_each *each;
	void *context;
};

/* Columns as in write_put(). */
static bool
read_columns(struct object_row *row, enum object_type type, const struct str *columns,
             unsigned count)
{
	unsigned column = 2;
	*row = (struct object_row){ .type = type };
	if (!guid_parse(&row->id, columns[0]))
		return false;
	if (object_describe(type)->parent != OBJECT_NONE && !guid_parse(&row->parent, columns[1]))
		return false;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (!is_kept(type, i))
			continue;
		CHECK(column < count);
		const struct str text = columns[column++];
		if (text.len != 0 &&
		    value_read(&row->values[i], object_field(type, i), text) != OBJECT_OK)
			return false;
		if (row->values[i].set)
			field_set_put(&row->given, i, true);
	}
	return true;
}

static bool
on_row(void *context, const struct str *columns, unsigned count)
{
	const struct reading *reading = context;
	const bool sound = read_columns(reading->row, reading->type, columns, count);
	reading->each(reading->context, reading->row, sound);
	return true;
}

int
rows_read(struct db *db, enum object_type type, struct object_row *row, rows_each *each,
          void *context)
{
	char sql[DB_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	struct reading reading = { type, row, each, context };
	writer_text(&w, "SELECT id, parent");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (is_kept(type, i))
			writer_format(&w, ", \"%s\"", object_field(type, i)->name);
	}
	writer_format(&w, " FROM \"%s\" ORDER BY rowid", object_describe(type)->table);
	CHECK(!w.failed);
	sql[w.at] = '\0';
	return db->engine->query(db, sql, on_row, &reading);
}

/* ------------------------------------------------------------------ copying */

static void
copy_row(void *context, const struct object_row *row, bool sound)
{
	struct rows_copy *copy = context;
	if (!sound) {
		copy->refused++;
		return;
	}
	copy->rows++;
	if (copy->failed == 0)
		copy->failed = rows_write(copy->to, row);
}

int
rows_copy(struct rows_copy *copy)
{
	int rc = 0;
	copy->rows = copy->refused = 0;
	copy->failed = 0;
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && copy->failed == 0 && type < OBJECT_KEPT_END;
	     type++)
		rc = rows_read(copy->from, (enum object_type)type, &copy->row, copy_row, copy);
	return copy->failed != 0 ? copy->failed : rc;
}
