/* SPDX-License-Identifier: Apache-2.0 */
/* store -- the database behind one header: read whole at start, written by a thread of its own.
 *
 * Two engines, SQLite in a file and PostgreSQL over the network, do the same for the same calls.
 * The model in memory is authoritative; the store makes what it is told last.  One transaction of
 * objects_end() is one database transaction; its result comes back in order, and only after the
 * disk has it.  Tables and columns follow from the object descriptions: a new field is a new
 * column, added at the next start.
 *
 *	store_commit(store, &tx);                         the control thread, never blocks
 *	   (wake is called by the writer)
 *	while (store_take(store, &result)) {
 *		if (!result.in_doubt)
 *			objects_settled(objects, result.ticket, result.ok);
 *		api_settled(api, result.ticket, result.ok);
 *	}
 *	store_status(store)                               may have changed, too
 *
 * A database may vanish and come back.  While it is away, changes are refused at once and nothing
 * else happens; the store connects again by itself.  When it vanished between a transaction and its
 * answer, the store asks after coming back whether the transaction is there, and writes it again if
 * not.  An answer that takes longer than STORE_PATIENCE_US is told as in doubt: the client may be
 * told no, but what is in memory stays until the truth is known and told by a second result.
 *
 * One program writes to a database: whoever opened it last.  The one before is told so
 * (STORE_TAKEN, or STORE_MOVED) and writes no more.
 *
 * Ownership  store_open() allocates; store_close() writes what is under way, if the database is
 *            there.  Bytes of a transaction are copied; what the settings point at is borrowed
 *            until store_close().
 * Threads    One owner calls everything here; `wake` is called from the writer thread.
 * Errors     store_open: -errno, -EBADMSG for a corrupt file, -EPROTO for one made by a newer
 *            program, -ENOTCONN when no node of a PostgreSQL answers; store_error() says it in
 *            words.  A transaction that cannot be kept (busy, disk full, I/O error, corrupt) fails,
 *            and with it the rest of its epoch.
 * Limits     STORE_PENDING_MAX transactions under way; more give -EAGAIN.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "meeting/object.h"

enum {
	STORE_PENDING_MAX = 128,
	STORE_SCHEMA_VERSION = 2,
	STORE_BUSY_MS_MAX = 2000, /* another program holds the database: then the transaction fails */
	STORE_NODES_MAX = 5,      /* of one PostgreSQL, its replicas included */
	STORE_NODE_MAX = 256,     /* bytes of a node's name */
	STORE_ERROR_MAX = 512,
	STORE_POSTGRES_PORT = 5432, /* where none is given */
	STORE_CONNECT_MS_MAX = 3000, /* for each node */
	STORE_ANSWER_MS_MAX = 5000,  /* then a connection counts as lost */
	STORE_PATIENCE_US = 5000000, /* from a loss until what waits is answered with no */
	STORE_RETRY_US_MIN = 100 * 1000,
	STORE_RETRY_US_MAX = 5000 * 1000,
};

static_assert((int)STORE_PENDING_MAX >= (int)TX_PENDING_MAX,
              "whatever objects can have under way fits");

struct store;

enum store_engine {
	STORE_SQLITE,
	STORE_POSTGRES,
};

/* How far the server of a PostgreSQL is trusted, in libpq's words. */
enum store_sslmode {
	STORE_VERIFY_FULL, /* chain and name */
	STORE_VERIFY_CA,   /* chain */
	STORE_REQUIRE,     /* encrypted, whoever it is */
	STORE_DISABLE,     /* not encrypted */
	STORE_SSLMODES,
};

struct store_node {
	const char *host; /* name, address, or the folder of a Unix socket */
	uint16_t port;
};

struct store_postgres {
	struct store_node nodes[STORE_NODES_MAX]; /* the one that takes changes is found */
	uint32_t node_count;
	const char *user;
	const char *database;
	const char *password;    /* NULL: none */
	const char *key;         /* of our client certificate; NULL: none */
	const char *certificate;
	const char *authorities; /* who may sign the server's; NULL: the system's */
	enum store_sslmode sslmode;
};

struct store_settings {
	enum store_engine engine;
	const char *path;               /* SQLITE: created with mode 0600 when missing */
	struct store_postgres postgres; /* POSTGRES */
	unsigned busy_ms;               /* 0: STORE_BUSY_MS_MAX */
	unsigned answer_ms;             /* 0: STORE_ANSWER_MS_MAX */
	unsigned patience_ms;           /* 0: STORE_PATIENCE_US */
	void (*wake)(void *context);    /* from the writer thread: call store_take() soon */
	void *context;
};

struct store_result {
	uint64_t ticket;
	bool ok;
	bool in_doubt; /* not known yet: another result of this ticket will come */
};

struct store_loaded {
	uint32_t rows;
	uint32_t refused; /* rows that break a rule; they stay in the database */
	bool fresh;       /* nothing is in it: a first start, or one that was cut short */
};

/* Opens or makes the database and brings its schema up to date.  `*out` is set even on failure
 * (but for -ENOMEM): ask store_error(), then store_close(). */
[[nodiscard]] int store_open(struct store **out, const struct store_settings *settings);
/* Once, before the first commit: reads everything, then starts the writer. */
[[nodiscard]] int store_load(struct store *store, struct objects *objects,
                             struct store_loaded *loaded);
void store_close(struct store *store);

/* -ENOTCONN while changes cannot be kept: see store_status(). */
[[nodiscard]] int store_commit(struct store *store, const struct object_tx *tx);
[[nodiscard]] bool store_take(struct store *store, struct store_result *result);

/* Waits until everything under way has a result: for start and shutdown, never in the loop. */
void store_wait(struct store *store);

/* The last error in words, for the log; empty when all is well.  Valid until the next call. */
const char *store_error(struct store *store);

/* ------------------------------------------------------------------ how it is */

enum store_state {
	STORE_READY,
	STORE_LOST,  /* it does not answer; tried again by itself */
	STORE_TAKEN, /* another program writes to it now; for good */
	STORE_MOVED, /* it is being moved, has been, or was to be: see store_follow() */
};

struct store_node_status {
	char name[STORE_NODE_MAX]; /* host, with its port when that is not PostgreSQL's own */
	bool up;
	bool primary;          /* takes changes */
	uint64_t behind_bytes; /* what a replica has not yet been given of the primary's log */
};

struct store_status {
	enum store_engine engine;
	enum store_state state;
	char error[STORE_ERROR_MAX]; /* why not READY */
	int32_t node_in_use;         /* index; -1: none.  SQLITE: no nodes */
	uint32_t node_count;
	struct store_node_status nodes[STORE_NODES_MAX];
};

/* As of the last store_take(): `wake` is called when it changes. */
const struct store_status *store_status(const struct store *store);

/* Asks every node, blocking: for the command line.  `*version` is the schema's, -1 when there is
 * no database to ask.  -errno when none takes changes; `status` says why. */
[[nodiscard]] int store_probe(struct store_status *status, int64_t *version,
                              const struct store_settings *settings);

/* Brings the schema up to date, blocking, and becomes nobody's writer. */
[[nodiscard]] int store_upgrade(const struct store_settings *settings,
                                char error[STORE_ERROR_MAX]);

/* ------------------------------------------------------------------ moving */

/* What has been done; a move that ends behind any of these has changed nothing but who writes. */
enum store_move_step {
	STORE_MOVE_ROOM,   /* there is room, and it is ours */
	STORE_MOVE_LOCKED, /* who writes here waits */
	STORE_MOVE_COPIED, /* everything is there, for good */
	STORE_MOVE_LEFT,   /* who writes here is told to stop; switch_over() is next */
};

struct store_move {
	const struct store_settings *from;
	const struct store_settings *to; /* must be empty, or left by a move that was cut short */
	/* Makes everybody use `to` from now on: 0, or -errno and nothing has changed. */
	int (*switch_over)(void *context);
	void (*step)(void *context, enum store_move_step step); /* may be NULL */
	void *context;
	uint32_t rows;
	uint32_t refused; /* rows that break a rule; left behind */
	char error[STORE_ERROR_MAX];
};

/* Takes everything along, blocking.  While it is copied, the program that writes to `from` waits
 * and then fails; when it is there, and before switch_over(), that program is told that it writes
 * to `from` no more.  Cut short anywhere, no acknowledged change is lost: `from` has them all until
 * switch_over() has returned, and that program comes back to it by store_follow(). */
[[nodiscard]] int store_move(struct store_move *move);

/* For that program: goes on where everything was moved to, without reading it; or, when the move was
 * cut short and nobody moves any more, where it was.  -ESTALE when that is not the same to the last
 * transaction; -EBUSY when something is under way.  Then, as after
 * any failure but -ENOMEM, it is as it was. */
[[nodiscard]] int store_follow(struct store *store, const struct store_settings *to);

/* ------------------------------------------------------------------ backups */

struct store_copied {
	uint32_t rows;
	uint32_t refused; /* rows that break a rule; not copied */
	char error[STORE_ERROR_MAX];
};

/* Everything as it is at one moment into `to`, which is new, blocking; who writes to `from` goes
 * on. */
[[nodiscard]] int store_copy(struct store_copied *out, const struct store_settings *from,
                             const struct store_settings *to);

/* Can everything in it be read?  Brings its schema up to date. */
[[nodiscard]] int store_check(struct store_copied *out, const struct store_settings *settings);

/* Makes `to` hold what `from` does and nothing else, in one transaction, blocking.  Whoever wrote to
 * `to` is told so and writes no more, until it is opened anew. */
[[nodiscard]] int store_restore(struct store_copied *out, const struct store_settings *from,
                                const struct store_settings *to);

#endif
