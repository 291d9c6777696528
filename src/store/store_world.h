/* SPDX-License-Identifier: Apache-2.0 */
/* A place for a store in tests: a folder with a SQLite file, or a PostgreSQL of the test's own.
 *
 *	BOTH(a_change_is_kept) { ... place ... }     the same test on both engines
 */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include <fcntl.h>
#include <postgresql/libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "meeting/test_world.h"
#include "store/store.h"

#ifndef POSTGRES_SERVER /* the build knows where it is */
#define POSTGRES_SERVER "tests/lib/postgres-server"
#endif

struct place {
	enum store_engine engine;
	char folder[64];
	char path[96];
	struct store_postgres postgres;
	struct prng prng;
	struct objects *objects;
	struct store *store;
	struct store_loaded loaded;
};

/* ---- PostgreSQL ---------------------------------------------------------------------------- */

struct world_server {
	bool made;
	char folder[32];
	char socket[48];
	uint16_t port;
};

static struct world_server world_server;

static inline int
server_do(const char *verb, const char *more)
{
	char command[4096];
	snprintf(command, sizeof command, "%s %s %s %s", POSTGRES_SERVER, verb, world_server.folder,
	         more);
	return system(command);
}

static inline PGconn *
server_connect(void)
{
	char info[256];
	snprintf(info, sizeof info, "host=%s port=%u user=convoke dbname=convoke",
	         world_server.socket, world_server.port);
	PGconn *conn = PQconnectdb(info);
	EXPECT_EQ(PQstatus(conn), CONNECTION_OK);
	PGresult *quiet = PQexec(conn, "SET client_min_messages = error");
	PQclear(quiet);
	return conn;
}

static inline bool
server_run(PGconn *conn, const char *statements)
{
	PGresult *result = PQexec(conn, statements);
	const ExecStatusType status = PQresultStatus(result);
	PQclear(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static inline void
server_end(void)
{
	char command[128];
	if (!world_server.made)
		return;
	(void)server_do("stop", "2>/dev/null");
	snprintf(command, sizeof command, "rm -rf %s", world_server.folder);
	(void)!system(command);
}

static inline void
server_make(void)
{
	char port[16];
	if (world_server.made)
		return;
	world_server.made = true;
	world_server.port = (uint16_t)(20000 + getpid() % 10000);
	snprintf(world_server.folder, sizeof world_server.folder, "/tmp/convoke-pg-XXXXXX");
	EXPECT(mkdtemp(world_server.folder) != NULL);
	snprintf(world_server.socket, sizeof world_server.socket, "%s/run", world_server.folder);
	snprintf(port, sizeof port, "%u", world_server.port);
	EXPECT_EQ(server_do("make", port), 0);
	EXPECT_EQ(server_do("start", ""), 0);
	atexit(server_end);
}

/* ---- Places -------------------------------------------------------------------------------- */

static inline void
place_empty(struct place *place)
{
	char path[128];
	static const char *const ends[] = { "", "-wal", "-shm" };
	if (place->engine == STORE_POSTGRES) {
		PGconn *conn = server_connect();
		EXPECT(server_run(conn, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
		PQfinish(conn);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(path, sizeof path, "%s%s", place->path, ends[i]);
		unlink(path);
	}
}

static inline void
place_make(struct place *place, enum store_engine engine)
{
	*place = (struct place){ .engine = engine };
	prng_init(&place->prng, (uint64_t)getpid());
	if (engine == STORE_POSTGRES) {
		server_make();
		place->postgres = (struct store_postgres){
			.nodes = { { world_server.socket, world_server.port } },
			.node_count = 1,
			.user = "convoke",
			.database = "convoke",
			.sslmode = STORE_DISABLE,
		};
		place_empty(place);
		return;
	}
	snprintf(place->folder, sizeof place->folder, "/tmp/convoke-store-XXXXXX");
	EXPECT(mkdtemp(place->folder) != NULL);
	snprintf(place->path, sizeof place->path, "%s/convoke.db", place->folder);
}

static inline void
place_remove(struct place *place)
{
	place_empty(place);
	if (place->engine == STORE_SQLITE)
		rmdir(place->folder);
}

static inline struct store_settings
place_settings(const struct place *place)
{
	return (struct store_settings){ .engine = place->engine,
		                        .path = place->path,
		                        .postgres = place->postgres,
		                        .busy_ms = 50 };
}

static inline int
place_open(struct place *place)
{
	const struct objects_settings settings = { .limits = { 5000, 50, 1 << 20 },
		                                   .random = test_random,
		                                   .context = &place->prng };
	const struct store_settings store = place_settings(place);
	EXPECT_EQ(objects_create(&place->objects, &settings), 0);
	const int rc = store_open(&place->store, &store);
	return rc == 0 ? store_load(place->store, place->objects, &place->loaded) : rc;
}

static inline void
place_close(struct place *place)
{
	store_close(place->store);
	objects_destroy(place->objects);
}

/* ---- Somebody else ------------------------------------------------------------------------- */

struct other {
	sqlite3 *file;
	PGconn *conn;
};

static inline struct other
other_open(const struct place *place)
{
	struct other other = { 0 };
	if (place->engine == STORE_POSTGRES)
		other.conn = server_connect();
	else
		EXPECT_EQ(sqlite3_open(place->path, &other.file), SQLITE_OK);
	return other;
}

static inline void
other_close(struct other *other)
{
	if (other->conn != NULL)
		PQfinish(other->conn);
	sqlite3_close(other->file);
}

static inline bool
other_run(struct other *other, const char *statements)
{
	if (other->conn != NULL)
		return server_run(other->conn, statements);
	return sqlite3_exec(other->file, statements, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- Changes ------------------------------------------------------------------------------- */

/* One space more; the transaction is to be committed. */
static inline struct object_tx
begin_space(struct place *place, const char *uri)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_URI, str_of(uri));
	objects_begin(place->objects);
	EXPECT_EQ(objects_add(place->objects, &edit, 0, &handle, &culprit), OBJECT_OK);
	return objects_end(place->objects);
}

static inline void
commit_space(struct place *place, const char *uri)
{
	const struct object_tx tx = begin_space(place, uri);
	EXPECT_EQ(store_commit(place->store, &tx), 0);
}

static inline bool
settle(struct place *place)
{
	struct store_result result;
	bool ok = true;
	store_wait(place->store);
	while (store_take(place->store, &result)) {
		if (!result.in_doubt)
			objects_settled(place->objects, result.ticket, result.ok);
		ok = ok && result.ok;
	}
	return ok;
}

static inline bool
has_space(const struct place *place, const char *uri)
{
	struct address_cursor cursor = { 0 };
	return objects_next_address(place->objects, OBJECT_SPACE, str_of(uri), &cursor) != 0;
}

#define BOTH(name_)                                            \
	static void both_##name_(struct place *place);         \
	TEST(name_##_in_sqlite)                                \
	{                                                      \
		struct place place;                            \
		place_make(&place, STORE_SQLITE);              \
		both_##name_(&place);                          \
		place_remove(&place);                          \
	}                                                      \
	TEST(name_##_in_postgres)                              \
	{                                                      \
		struct place place;                            \
		place_make(&place, STORE_POSTGRES);            \
		both_##name_(&place);                          \
		place_remove(&place);                          \
	}                                                      \
	static void both_##name_(struct place *place)

#endif
