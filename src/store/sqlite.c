/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind store.h.  Every value is a TEXT column in the API's own spelling: a person can read
 * the file, and reading it back goes through the same rules as a request.
 *
 * WAL with synchronous=FULL: a commit returns when the log is on the disk, so what was acknowledged
 * survives kill -9 and a power cut. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ring.h"

enum {
	SQL_MAX = 8192,
	RING_CAP = 256,
};

static_assert((int)RING_CAP > (int)STORE_PENDING_MAX, "room for the stop order");

struct order {
	uint64_t ticket;
	uint32_t epoch;
	uint8_t *bytes; /* NULL: stop */
	size_t len;
};

struct done {
	struct store_result result;
	char error[STORE_ERROR_MAX];
};

struct store {
	struct store_settings settings;
	/* The owner's until the writer runs its first order, then the writer's. */
	sqlite3 *db;
	sqlite3_stmt *put[OBJECT_KEPT_END];
	sqlite3_stmt *delete[OBJECT_KEPT_END];
	struct object_row row;
	uint32_t failed_epoch;
	bool failed;
	/* Between the two. */
	struct ring orders;
	struct ring results;
	sem_t ordered;
	sem_t finished;
	/* The owner's. */
	pthread_t thread;
	bool running;
	uint32_t posted;
	uint32_t taken;
	uint32_t waited; /* of `finished` */
	char error[STORE_ERROR_MAX];
	struct store_status status;
};

/* ------------------------------------------------------------------ errors */

static int
error_number(int code)
{
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
note(struct store *store, const char *what)
{
	const int rc = error_number(sqlite3_extended_errcode(store->db));
	snprintf(store->error, sizeof store->error, "%s: %s", what, sqlite3_errmsg(store->db));
	return rc != 0 ? rc : -EIO;
}

static int
run(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
	                                                                   : note(store, sql);
}

/* ------------------------------------------------------------------ schema */

/* Numbered changes that adding a column is not: index n brings version n to n + 1. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
	"CREATE TABLE schema(version INTEGER NOT NULL);"
	"INSERT INTO schema VALUES(0)",
};

static int
read_number(struct store *store, const char *sql, int64_t *out)
{
	sqlite3_stmt *statement = NULL;
	int rc = 0;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		rc = note(store, sql);
	else if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	else
		rc = note(store, sql);
	sqlite3_finalize(statement);
	return rc;
}

static int
schema_migrate(struct store *store)
{
	char sql[64];
	int64_t tables = 0;
	int64_t version = 0;
	int rc = read_number(store,
	                     "SELECT count(*) FROM sqlite_master WHERE name = 'schema'",
	                     &tables);
	if (rc == 0 && tables != 0)
		rc = read_number(store, "SELECT version FROM schema", &version);
	if (rc != 0)
		return rc;
	if (version < 0 || version > STORE_SCHEMA_VERSION) {
		snprintf(store->error, sizeof store->error,
		         "the database has schema version %lld, this program knows %d",
		         (long long)version, STORE_SCHEMA_VERSION);
		return -EPROTO;
	}
	for (; rc == 0 && version < STORE_SCHEMA_VERSION; version++)
		rc = run(store, migrations[version]);
	snprintf(sql, sizeof sql, "UPDATE schema SET version = %d", STORE_SCHEMA_VERSION);
	return rc == 0 ? run(store, sql) : rc;
}

static bool
has_column(struct store *store, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(store->db, NULL, table, column, NULL, NULL, NULL,
	                                     NULL, NULL) == SQLITE_OK;
}

static int
schema_table(struct store *store, enum object_type type)
{
	const char *table = object_describe(type)->table;
	char sql[256];
	snprintf(sql, sizeof sql,
	         "CREATE TABLE IF NOT EXISTS \"%s\"(id TEXT NOT NULL PRIMARY KEY, parent TEXT)",
	         table);
	int rc = run(store, sql);
	for (unsigned i = 0; rc == 0 && i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & FIELD_KEPT) == 0 || has_column(store, table, field->name))
			continue;
		snprintf(sql, sizeof sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" TEXT", table,
		         field->name);
		rc = run(store, sql);
	}
	return rc;
}

static int
schema_prepare(struct store *store)
{
	int rc = run(store, "BEGIN IMMEDIATE");
	if (rc != 0)
		return rc;
	rc = schema_migrate(store);
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = schema_table(store, (enum object_type)type);
	if (rc == 0)
		return run(store, "COMMIT");
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* ------------------------------------------------------------------ statements */

/* Parameter 1 is the id, 2 the parent, 3 + field the field's value. */
static int
prepare_put(struct store *store, enum object_type type)
{
	char sql[SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	const char *table = object_describe(type)->table;
	writer_format(&w, "INSERT INTO \"%s\"(id, parent", table);
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_KEPT) != 0)
			writer_format(&w, ", \"%s\"", object_field(type, i)->name);
	}
	writer_text(&w, ") VALUES(?1, ?2");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_KEPT) != 0)
			writer_format(&w, ", ?%u", i + 3);
	}
	writer_text(&w, ") ON CONFLICT(id) DO UPDATE SET parent = ?2");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_KEPT) != 0)
			writer_format(&w, ", \"%s\" = ?%u", object_field(type, i)->name, i + 3);
	}
	CHECK(!w.failed);
	sql[w.at] = '\0';
	return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	                          &store->put[type], NULL) == SQLITE_OK
	               ? 0
	               : note(store, "prepare");
}

static int
prepare(struct store *store, enum object_type type)
{
	char sql[128];
	const int rc = prepare_put(store, type);
	if (rc != 0)
		return rc;
	snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE id = ?1", object_describe(type)->table);
	return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	                          &store->delete[type], NULL) == SQLITE_OK
	               ? 0
	               : note(store, "prepare");
}

/* ------------------------------------------------------------------ writing, in the writer */

static void
bind_guid(sqlite3_stmt *statement, int at, const struct guid *guid)
{
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, guid);
	sqlite3_bind_text(statement, at, text, GUID_TEXT_LEN, SQLITE_TRANSIENT);
}

static void
bind_value(sqlite3_stmt *statement, int at, const struct field *field, const struct value *value)
{
	char text[OBJECT_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	value_write(&w, field, value);
	CHECK(!w.failed);
	sqlite3_bind_text(statement, at, text, (int)w.at, SQLITE_TRANSIENT);
}

/* True when the row is written; SQLite's own error says why not. */
static bool
write_row(struct store *store, const struct object_row *row)
{
	sqlite3_stmt *statement = row->deleted ? store->delete[row->type] : store->put[row->type];
	sqlite3_clear_bindings(statement);
	bind_guid(statement, 1, &row->id);
	if (!row->deleted && object_describe(row->type)->parent != OBJECT_NONE)
		bind_guid(statement, 2, &row->parent);
	for (unsigned i = 0; !row->deleted && i < object_field_count(row->type); i++) {
		if (field_set_has(&row->given, i))
			bind_value(statement, (int)i + 3, object_field(row->type, i),
			           &row->values[i]);
	}
	const bool ok = sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_reset(statement);
	return ok;
}

static bool
execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* One transaction, whole or not at all. */
static bool
write_order(struct store *store, const struct order *order, struct done *done)
{
	if (store->failed && order->epoch == store->failed_epoch) {
		snprintf(done->error, sizeof done->error,
		         "not written: an earlier change of the same time failed");
		return false;
	}
	bool ok = execute(store, "BEGIN IMMEDIATE");
	struct reader r = reader_of(order->bytes, order->len);
	while (ok && object_row_read(&r, &store->row))
		ok = write_row(store, &store->row);
	ok = ok && execute(store, "COMMIT");
	if (ok) {
		CHECK(r.at == order->len);
		return true;
	}
	snprintf(done->error, sizeof done->error, "database: %s", sqlite3_errmsg(store->db));
	if (sqlite3_get_autocommit(store->db) == 0)
		(void)execute(store, "ROLLBACK");
	store->failed = true;
	store->failed_epoch = order->epoch;
	return false;
}

static void *
writer_main(void *argument)
{
	struct store *store = argument;
	for (;;) {
		struct order order;
		while (sem_wait(&store->ordered) != 0)
			CHECK(errno == EINTR);
		const bool there = ring_take(&store->orders, &order);
		CHECK(there);
		if (order.bytes == NULL)
			return NULL;
		struct done done = { .result.ticket = order.ticket };
		done.result.ok = write_order(store, &order, &done);
		explicit_bzero(order.bytes, order.len);
		free(order.bytes);
		const bool posted = ring_post(&store->results, &done);
		CHECK(posted); /* never more under way than STORE_PENDING_MAX */
		sem_post(&store->finished);
		if (store->settings.wake != NULL)
			store->settings.wake(store->settings.context);
	}
}

/* Signals are the loop's business. */
static int
start_writer(struct store *store)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int rc = pthread_create(&store->thread, NULL, writer_main, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	store->running = rc == 0;
	return -rc;
}

/* ------------------------------------------------------------------ the owner's side */

static int
open_file(struct store *store)
{
	/* Made by us, so that nobody else can read it; SQLite's own files take its mode over. */
	const int fd = open(store->settings.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		const int rc = -errno;
		snprintf(store->error, sizeof store->error, "%s: %s", store->settings.path,
		         strerror(-rc));
		return rc;
	}
	close(fd);
	if (sqlite3_open_v2(store->settings.path, &store->db,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return store->db != NULL ? note(store, "open") : -ENOMEM;
	sqlite3_extended_result_codes(store->db, 1);
	const unsigned busy_ms =
		store->settings.busy_ms != 0 ? store->settings.busy_ms : STORE_BUSY_MS_MAX;
	sqlite3_busy_timeout(store->db, (int)busy_ms);
	int rc = run(store, "PRAGMA journal_mode = WAL");
	if (rc == 0)
		rc = run(store, "PRAGMA synchronous = FULL");
	if (rc == 0)
		rc = schema_prepare(store);
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = prepare(store, (enum object_type)type);
	return rc;
}

int
store_open(struct store **out, const struct store_settings *settings)
{
	*out = NULL;
	CHECK(settings->engine == STORE_SQLITE);
	struct store *store = calloc(1, sizeof *store);
	if (store == NULL)
		return -ENOMEM;
	store->settings = *settings;
	store->status.node_in_use = -1;
	sem_init(&store->ordered, 0, 0);
	sem_init(&store->finished, 0, 0);
	*out = store; /* also when it fails: store_error() says why, store_close() frees it */
	int rc = ring_create(&store->orders, sizeof(struct order), RING_CAP);
	if (rc == 0)
		rc = ring_create(&store->results, sizeof(struct done), RING_CAP);
	if (rc == 0)
		rc = open_file(store);
	return rc;
}

static enum object_reject
read_column(sqlite3_stmt *statement, int column, const struct field *field, struct value *value)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	const int len = sqlite3_column_bytes(statement, column);
	if (text == NULL || len <= 0)
		return OBJECT_OK;
	return value_read(value, field, (struct str){ text, (size_t)len });
}

static bool
read_guid(sqlite3_stmt *statement, int column, struct guid *out)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	const int len = sqlite3_column_bytes(statement, column);
	return text != NULL && guid_parse(out, (struct str){ text, (size_t)len });
}

/* Columns as in prepare_load(): id, parent, then the kept fields. */
static bool
read_row(sqlite3_stmt *statement, enum object_type type, struct object_row *row)
{
	*row = (struct object_row){ .type = type };
	if (!read_guid(statement, 0, &row->id))
		return false;
	if (object_describe(type)->parent != OBJECT_NONE && !read_guid(statement, 1, &row->parent))
		return false;
	int column = 2;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & FIELD_KEPT) == 0)
			continue;
		if (read_column(statement, column++, field, &row->values[i]) != OBJECT_OK)
			return false;
		if (row->values[i].set)
			field_set_put(&row->given, i, true);
	}
	return true;
}

static int
prepare_load(struct store *store, enum object_type type, sqlite3_stmt **out)
{
	char sql[SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	writer_text(&w, "SELECT id, parent");
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_KEPT) != 0)
			writer_format(&w, ", \"%s\"", object_field(type, i)->name);
	}
	writer_format(&w, " FROM \"%s\" ORDER BY rowid", object_describe(type)->table);
	CHECK(!w.failed);
	sql[w.at] = '\0';
	return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK
	               ? 0
	               : note(store, "prepare");
}

static int
load_type(struct store *store, enum object_type type, struct objects *objects,
          struct store_loaded *loaded)
{
	sqlite3_stmt *statement = NULL;
	int rc = prepare_load(store, type, &statement);
	int step = SQLITE_DONE;
	while (rc == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		loaded->rows++;
		if (!read_row(statement, type, &store->row) ||
		    objects_load_row(objects, &store->row) != OBJECT_OK)
			loaded->refused++;
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = note(store, "read");
	sqlite3_finalize(statement);
	return rc;
}

int
store_load(struct store *store, struct objects *objects, struct store_loaded *loaded)
{
	CHECK(!store->running && store->db != NULL);
	int rc = 0;
	*loaded = (struct store_loaded){ 0 };
	/* The types stand in an order in which what contains comes before what is inside. */
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = load_type(store, (enum object_type)type, objects, loaded);
	loaded->fresh = loaded->rows == 0;
	return rc == 0 ? start_writer(store) : rc;
}

int
store_commit(struct store *store, const struct object_tx *tx)
{
	CHECK(store->running && tx->ticket != 0);
	if (store->posted - store->taken >= STORE_PENDING_MAX)
		return -EAGAIN;
	const struct order order = { .ticket = tx->ticket, .epoch = tx->epoch, .len = tx->len,
		                     .bytes = malloc(tx->len) };
	if (order.bytes == NULL)
		return -ENOMEM;
	memcpy(order.bytes, tx->bytes, tx->len);
	const bool posted = ring_post(&store->orders, &order);
	CHECK(posted);
	store->posted++;
	sem_post(&store->ordered);
	return 0;
}

bool
store_take(struct store *store, struct store_result *result)
{
	struct done done;
	if (!ring_take(&store->results, &done))
		return false;
	store->taken++;
	if (sem_trywait(&store->finished) == 0)
		store->waited++;
	if (!done.result.ok)
		memcpy(store->error, done.error, sizeof store->error);
	*result = done.result;
	return true;
}

void
store_wait(struct store *store)
{
	while (store->waited != store->posted) {
		if (sem_wait(&store->finished) == 0)
			store->waited++;
		else
			CHECK(errno == EINTR);
	}
}

const char *
store_error(struct store *store)
{
	return store->error;
}

const struct store_status *
store_status(const struct store *store)
{
	return &store->status;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->running) {
		const bool posted = ring_post(&store->orders, &(struct order){ 0 });
		CHECK(posted);
		sem_post(&store->ordered);
		pthread_join(store->thread, NULL);
	}
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_KEPT_END; type++) {
		sqlite3_finalize(store->put[type]);
		sqlite3_finalize(store->delete[type]);
	}
	sqlite3_close(store->db);
	ring_destroy(&store->orders);
	ring_destroy(&store->results);
	sem_destroy(&store->ordered);
	sem_destroy(&store->finished);
	free(store);
}
