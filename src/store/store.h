/* SPDX-License-Identifier: Apache-2.0 */
/* store -- the database behind one header: read whole at start, written by a thread of its own.
 *
 * The model in memory is authoritative; the store makes what it is told last.  One transaction of
 * objects_end() is one database transaction; its result comes back in order, and only after the
 * disk has it.  Tables and columns follow from the object descriptions: a new field is a new
 * column, added at the next start.
 *
 *	store_commit(store, &tx);                         the control thread, never blocks
 *	   (wake is called by the writer)
 *	while (store_take(store, &result)) {
 *		objects_settled(objects, result.ticket, result.ok);
 *		api_settled(api, result.ticket, result.ok);
 *	}
 *
 * Ownership  store_open() allocates; store_close() waits for what is under way.  Bytes of a
 *            transaction are copied.
 * Threads    One owner calls everything here; `wake` is called from the writer thread.
 * Errors     store_open: -errno, -EBADMSG for a corrupt file, -EPROTO for one made by a newer
 *            program; store_error() says it in words.  A transaction that cannot be kept (busy,
 *            disk full, I/O error, corrupt) fails, and with it the rest of its epoch.
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
	STORE_SCHEMA_VERSION = 1,
	STORE_BUSY_MS_MAX = 2000, /* another program holds the file: then the transaction fails */
};

static_assert((int)STORE_PENDING_MAX >= (int)TX_PENDING_MAX,
              "whatever objects can have under way fits");

struct store;

struct store_settings {
	const char *path;            /* created with mode 0600 when missing */
	unsigned busy_ms;            /* 0: STORE_BUSY_MS_MAX */
	void (*wake)(void *context); /* from the writer thread: call store_take() soon */
	void *context;
};

struct store_result {
	uint64_t ticket;
	bool ok;
};

struct store_loaded {
	uint32_t rows;
	uint32_t refused; /* rows that break a rule; they stay in the file */
	bool fresh;       /* nothing is in it: a first start, or one that was cut short */
};

/* Opens or makes the database and brings its schema up to date.  `*out` is set even on failure
 * (but for -ENOMEM): ask store_error(), then store_close(). */
[[nodiscard]] int store_open(struct store **out, const struct store_settings *settings);
/* Once, before the first commit: reads everything, then starts the writer. */
[[nodiscard]] int store_load(struct store *store, struct objects *objects,
                             struct store_loaded *loaded);
void store_close(struct store *store);

[[nodiscard]] int store_commit(struct store *store, const struct object_tx *tx);
[[nodiscard]] bool store_take(struct store *store, struct store_result *result);

/* Waits until everything under way has a result: for start and shutdown, never in the loop. */
void store_wait(struct store *store);

/* The last error in words, for the log; empty when all is well.  Valid until the next call. */
const char *store_error(struct store *store);

#endif
