/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a database, whatever the engine; the schema and the rows on top of it.
 *
 * Every value is a TEXT column in the API's own spelling: a person can read the tables, and reading
 * them back goes through the same rules as a request.  Both engines know "$1" for a parameter,
 * ON CONFLICT, and a column `rowid` that counts up: so the SQL is the same, and only how it gets
 * there differs.
 *
 * Errors are -errno: -ENOTCONN when the connection is gone (whether a transaction is kept is then
 * unknown), -ESTALE when another program has become the writer; `error` says it in words. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/store.h"

enum {
	DB_SQL_MAX = 32 * 1024,
	DB_COLUMNS_MAX = OBJECT_FIELDS_MAX + 2,
	DB_ROW_TEXT_MAX = OBJECT_ROW_BYTES_MAX + OBJECT_FIELDS_MAX * 48, /* numbers and ids grow */
	DB_STATEMENTS = 3 * OBJECT_KEPT_END,
	DB_NAME_MAX = 112,
	DB_HOLDER_MAX = 128, /* and the number of the connection */
};

struct db_engine;

struct db {
	const struct db_engine *engine;
	bool prepared[DB_STATEMENTS];
	char error[STORE_ERROR_MAX];
};

/* One row of an answer; NULL is a text at NULL.  False: enough. */
typedef bool db_row(void *context, const struct str *columns, unsigned count);

struct db_engine {
	const char *begin;        /* takes the right to write, as far as it is needed */
	const char *begin_reading; /* all of it as it is at one moment */
	const char *begin_schema; /* nobody else changes tables meanwhile */
	const char *row_column;   /* what a new table needs for `rowid` */
	const char *columns;      /* a query: table and column, of every table there is */
	bool keeps_history;       /* may come back without what it had said it kept */

	/* `*out` is set on failure, too, but for -ENOMEM.  `stop_fd` readable: give up. */
	int (*open)(struct db **out, const struct store_settings *settings, unsigned node,
	            int stop_fd);
	void (*close)(struct db *db);

	/* At once: statements without an answer, and one query. */
	int (*run)(struct db *db, const char *sql);
	int (*query)(struct db *db, const char *sql, db_row *row, void *context);

	/* One transaction of prepared statements.  After an error it is over. */
	int (*begin_writing)(struct db *db);
	int (*prepare)(struct db *db, unsigned statement, const char *sql, unsigned parameters);
	int (*execute)(struct db *db, unsigned statement, const struct str *parameters,
	               unsigned count);
	int (*commit)(struct db *db);
	void (*abort)(struct db *db);

	/* Readable: ask alive().  -1: there is nothing to watch. */
	int (*fd)(struct db *db);
	bool (*alive)(struct db *db);

	/* One node, whether it takes changes or not; `behind_bytes` is where it is in the log. */
	void (*probe)(struct store_node_status *out, const struct store_settings *settings,
	              unsigned node, int stop_fd);
};

#define DB_MOVE "move" /* first word of the name under which things are moved */

extern const struct db_engine db_sqlite;
extern const struct db_engine db_postgres;

static inline const struct db_engine *
db_engine_of(enum store_engine engine)
{
	return engine == STORE_POSTGRES ? &db_postgres : &db_sqlite;
}

/* The first node that answers and takes changes, `*first` being tried first; left at it. */
[[nodiscard]] int db_open(struct db **out, const struct store_settings *settings, unsigned *first,
                          int stop_fd);
void db_close(struct db *db);
/* A name that no other program has or will have: letters, digits, blanks, '-' and '.'. */
void db_name(char out[DB_NAME_MAX], const char *first_word);
__attribute__((format(printf, 3, 4))) int db_fail(struct db *db, int rc, const char *format, ...);

/* ------------------------------------------------------------------ nodes.c */

void nodes_name(struct store_status *status, const struct store_settings *settings);

/* A thread that asks all nodes again and again; NULL when there is one node at most. */
struct nodes;
[[nodiscard]] int nodes_create(struct nodes **out, const struct store_settings *settings);
void nodes_destroy(struct nodes *nodes);
/* What it has found out since; the owner's. */
void nodes_take(struct nodes *nodes, struct store_status *status);

/* ------------------------------------------------------------------ schema.c */

/* Makes what is missing; -EPROTO when a newer program was here. */
[[nodiscard]] int schema_prepare(struct db *db);
/* 0 when there is none. */
[[nodiscard]] int schema_version(struct db *db, int64_t *version);

/* Becomes the one that writes.  `former` has the name of the last one, and when `only_after` is
 * not NULL it must be that, or the answer is -ESTALE and nothing is changed.  `*number` is that of
 * the last transaction. */
[[nodiscard]] int schema_take(struct db *db, const char *holder, const char *only_after,
                              char former[DB_HOLDER_MAX], uint64_t *number);

/* Who writes now, and the number of the last transaction. */
[[nodiscard]] int schema_writer(struct db *db, char holder[DB_HOLDER_MAX], uint64_t *number);

/* ------------------------------------------------------------------ rows.c */

/* Every row of a type, in the order of their making. */
typedef void rows_each(void *context, const struct object_row *row, bool sound);
[[nodiscard]] int rows_read(struct db *db, enum object_type type, struct object_row *row,
                            rows_each *each, void *context);

/* Inside a transaction: one row put or deleted. */
[[nodiscard]] int rows_write(struct db *db, const struct object_row *row);
/* Inside a transaction, first: it is `holder`'s and has this number; -ESTALE at the commit if
 * somebody else has become the writer. */
[[nodiscard]] int rows_number(struct db *db, const char *holder, uint64_t number);

/* Likewise, first: it is `holder`'s from now on, whoever wrote before. */
[[nodiscard]] int rows_take(struct db *db, const char *holder);
/* Inside a transaction: nothing is left but what is made new. */
[[nodiscard]] int rows_clear(struct db *db);

/* Inside a transaction of `to`: everything that `from` has. */
struct rows_copy {
	struct db *from;
	struct db *to;
	struct object_row row;
	uint32_t rows;
	uint32_t refused; /* break a rule: not copied */
	int failed;       /* writing; else it was the reading */
};
[[nodiscard]] int rows_copy(struct rows_copy *copy);

#endif
