/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: a file of our own.  WAL with synchronous=FULL: a commit returns when the log is on the
 * disk, so what was acknowledged survives kill -9 and a power cut. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "store/store_internal.h"

struct sqlite {
	struct db db;
	sqlite3 *file;
	sqlite3_stmt *statements[DB_STATEMENTS];
};

static struct sqlite *
sqlite_of(struct db *db)
{
	return (struct sqlite *)db;
}

/* ------------------------------------------------------------------ errors */

static int
error_number(int code)
{
	if (code == SQLITE_CONSTRAINT_NOTNULL)
		return -ESTALE;
	switch (code & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int
note(struct db *db, const char *what)
{
	sqlite3 *file = sqlite_of(db)->file;
	const int rc = error_number(sqlite3_extended_errcode(file));
	return db_fail(db, rc != 0 ? rc : -EIO, "%s: %s", what, sqlite3_errmsg(file));
}

/* ------------------------------------------------------------------ statements at once */

static int
sqlite_run(struct db *db, const char *sql)
{
	return sqlite3_exec(sqlite_of(db)->file, sql, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : note(db, sql);
}

static bool
give_row(sqlite3_stmt *statement, db_row *row, void *context)
{
	struct str columns[DB_COLUMNS_MAX] = { 0 };
	const int count = sqlite3_column_count(statement);
	CHECK(count <= DB_COLUMNS_MAX);
	for (int i = 0; i < count; i++) {
		const char *text = (const char *)sqlite3_column_text(statement, i);
		if (text != NULL)
			columns[i] = (struct str){ text, (size_t)sqlite3_column_bytes(statement, i) };
	}
	return row(context, columns, (unsigned)count);
}

static int
sqlite_query(struct db *db, const char *sql, db_row *row, void *context)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(sqlite_of(db)->file, sql, -1, &statement, NULL) != SQLITE_OK)
		return note(db, "prepare");
	int step;
	do
		step = sqlite3_step(statement);
	while (step == SQLITE_ROW && give_row(statement, row, context));
	const int rc = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : note(db, "read");
	sqlite3_finalize(statement);
	return rc;
}

/* ------------------------------------------------------------------ writing */

/* SQLite ends some transactions by itself when they fail. */
static void
sqlite_abort(struct db *db)
{
	sqlite3 *file = sqlite_of(db)->file;
	if (sqlite3_get_autocommit(file) == 0)
		(void)sqlite3_exec(file, "ROLLBACK", NULL, NULL, NULL);
}

static int
give_up(struct db *db, const char *what)
{
	const int rc = note(db, what);
	sqlite_abort(db);
	return rc;
}

static int
sqlite_begin_writing(struct db *db)
{
	return sqlite_run(db, db->engine->begin);
}

static int
sqlite_prepare(struct db *db, unsigned statement, const char *sql, unsigned parameters)
{
	struct sqlite *sqlite = sqlite_of(db);
	if (sqlite3_prepare_v3(sqlite->file, sql, -1, SQLITE_PREPARE_PERSISTENT,
	                       &sqlite->statements[statement], NULL) != SQLITE_OK)
		return give_up(db, "prepare");
	/* "$1" is a name to SQLite; names are numbered as they come. */
	CHECK(sqlite3_bind_parameter_count(sqlite->statements[statement]) == (int)parameters);
	return 0;
}

static int
sqlite_execute(struct db *db, unsigned number, const struct str *parameters, unsigned count)
{
	sqlite3_stmt *statement = sqlite_of(db)->statements[number];
	bool bound = true;
	for (unsigned i = 0; i < count; i++) {
		const struct str text = parameters[i];
		bound = bound && (text.at != NULL
		                          ? sqlite3_bind_text(statement, (int)i + 1, text.at,
		                                              (int)text.len, SQLITE_STATIC)
		                          : sqlite3_bind_null(statement, (int)i + 1)) == SQLITE_OK;
	}
	const bool done = bound && sqlite3_step(statement) == SQLITE_DONE;
	const int rc = done ? 0 : note(db, "database");
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (!done)
		sqlite_abort(db);
	return rc;
}

static int
sqlite_commit(struct db *db)
{
	return sqlite3_exec(sqlite_of(db)->file, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : give_up(db, "database");
}

/* ------------------------------------------------------------------ life */

static int
sqlite_fd(struct db *db)
{
	(void)db;
	return -1;
}

static bool
sqlite_alive(struct db *db)
{
	(void)db;
	return true;
}

static void
sqlite_close(struct db *db)
{
	struct sqlite *sqlite = sqlite_of(db);
	for (unsigned i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(sqlite->statements[i]);
	sqlite3_close(sqlite->file);
	free(sqlite);
}

static int
sqlite_open(struct db **out, const struct store_settings *settings, unsigned node, int stop_fd)
{
	(void)node;
	(void)stop_fd;
	struct sqlite *sqlite = calloc(1, sizeof *sqlite);
	*out = sqlite != NULL ? &sqlite->db : NULL;
	if (sqlite == NULL)
		return -ENOMEM;
	struct db *db = &sqlite->db;
	db->engine = &db_sqlite;
	/* Made by us, so that nobody else can read it; SQLite's own files take its mode over.  One
	 * that is there is left to SQLite: to close it here would let go the locks of every other
	 * connection of this process (POSIX fcntl), and another program would take the log away. */
	const int fd = open(settings->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST) {
		const int rc = -errno;
		return db_fail(db, rc, "%s: %s", settings->path, strerror(-rc));
	}
	if (fd >= 0)
		close(fd);
	if (sqlite3_open_v2(settings->path, &sqlite->file,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return sqlite->file != NULL ? note(db, "open") : -ENOMEM;
	sqlite3_extended_result_codes(sqlite->file, 1);
	const unsigned busy_ms = settings->busy_ms != 0 ? settings->busy_ms : STORE_BUSY_MS_MAX;
	sqlite3_busy_timeout(sqlite->file, (int)busy_ms);
	const int rc = sqlite_run(db, "PRAGMA journal_mode = WAL");
	return rc == 0 ? sqlite_run(db, "PRAGMA synchronous = FULL") : rc;
}

static void
sqlite_probe(struct store_node_status *out, const struct store_settings *settings, unsigned node,
             int stop_fd)
{
	(void)out;
	(void)settings;
	(void)node;
	(void)stop_fd; /* it has no nodes */
}

const struct db_engine db_sqlite = {
	.begin = "BEGIN IMMEDIATE",
	.begin_reading = "BEGIN",
	.begin_schema = "BEGIN IMMEDIATE",
	.row_column = "", /* every table has a rowid */
	.columns = "SELECT tables.name, columns.name FROM sqlite_master AS tables,"
	           " pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'",
	.open = sqlite_open,
	.close = sqlite_close,
	.run = sqlite_run,
	.query = sqlite_query,
	.begin_writing = sqlite_begin_writing,
	.prepare = sqlite_prepare,
	.execute = sqlite_execute,
	.commit = sqlite_commit,
	.abort = sqlite_abort,
	.fd = sqlite_fd,
	.alive = sqlite_alive,
	.probe = sqlite_probe,
};
