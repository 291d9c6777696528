/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side, and the writer: a thread that has the connection, keeps what it is told in
 * order, and finds the database again when it was lost.
 *
 * Each transaction has a number, which it writes into the table `writer` with everything else.
 * After a lost connection the number there tells what of ours is in the database:
 *
 *	ours + 1   the one whose answer never came: it is kept
 *	ours       it is not: it is written again, or given up if somebody was told no meanwhile
 *	less       another node came back without the last changes: they are written again
 *
 * Nothing of the lost connection can come later, because to ask is to become the writer anew, and
 * a transaction of the former writer's fails. */
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ring.h"
#include "store/store_internal.h"

enum {
	RING_CAP = 512,
	HISTORY_MAX = 64, /* transactions that a node which comes back can be given again */
};

static_assert((int)RING_CAP > 2 * (int)STORE_PENDING_MAX + 2,
              "room for every result, a doubt of each, and states");

struct order {
	uint64_t ticket;
	uint32_t epoch;
	uint8_t *bytes;
	size_t len;
	bool told; /* that it is in doubt */
};

enum done_kind { DONE_RESULT, DONE_STATE };

struct done {
	enum done_kind kind;
	struct store_result result;
	enum store_state state;
	int32_t node;
	uint64_t number; /* of the last transaction that is kept */
	char error[STORE_ERROR_MAX];
};

struct kept {
	uint8_t *bytes;
	size_t len;
};

struct store {
	struct store_settings settings;
	/* The owner's until the writer runs, then the writer's. */
	struct db *db; /* NULL: lost */
	struct object_row row;
	unsigned node;
	char instance[DB_NAME_MAX];
	char holder[DB_HOLDER_MAX]; /* what the database knows us by */
	unsigned connections;
	uint64_t number; /* of the last transaction that is kept */
	struct kept history[HISTORY_MAX]; /* by number */
	uint64_t history_from;            /* the oldest number in it */
	uint32_t failed_epoch;
	bool failed;
	enum store_state state;
	bool state_untold;
	struct order doubt; /* bytes: there is one */
	int64_t lost_us;
	int64_t retry_us;
	int64_t pause_us;
	char why[STORE_ERROR_MAX];
	/* Between the two. */
	struct ring orders;
	struct ring results;
	int ordered_fd;
	int stop_fd;
	sem_t finished;
	/* The owner's. */
	pthread_t thread;
	struct nodes *nodes;
	bool running;
	uint32_t posted;
	uint32_t taken;
	uint32_t waited; /* of `finished` */
	uint64_t known_number; /* as the last result said */
	char error[STORE_ERROR_MAX];
	struct store_status status;
};

static int64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
patience_us(const struct store *store)
{
	const unsigned ms = store->settings.patience_ms;
	return ms != 0 ? (int64_t)ms * 1000 : STORE_PATIENCE_US;
}

/* ------------------------------------------------------------------ telling the owner */

static void
tell(struct store *store, const struct done *done)
{
	const bool posted = ring_post(&store->results, done);
	CHECK(posted); /* never more under way than there is room for */
	if (store->settings.wake != NULL)
		store->settings.wake(store->settings.context);
}

static void
tell_state(struct store *store)
{
	store->state_untold = ring_count(&store->results) >= RING_CAP - 2 * STORE_PENDING_MAX;
	if (store->state_untold)
		return;
	struct done done = { .kind = DONE_STATE, .state = store->state,
		             .node = store->db != NULL ? (int32_t)store->node : -1 };
	memcpy(done.error, store->why, sizeof done.error);
	tell(store, &done);
}

static void
finish(struct store *store, struct order *order, bool ok, const char *why)
{
	struct done done = { .kind = DONE_RESULT, .result = { order->ticket, ok, false },
		             .number = store->number };
	snprintf(done.error, sizeof done.error, "%s", why);
	if (order->bytes != NULL) {
		explicit_bzero(order->bytes, order->len);
		free(order->bytes);
		order->bytes = NULL;
	}
	tell(store, &done);
	if (!order->told)
		sem_post(&store->finished);
}

static void
fail_epoch(struct store *store, const struct order *order)
{
	store->failed = true;
	store->failed_epoch = order->epoch;
}

/* ------------------------------------------------------------------ the history */

static void
kept_drop(struct kept *kept)
{
	if (kept->bytes != NULL)
		explicit_bzero(kept->bytes, kept->len);
	free(kept->bytes);
	*kept = (struct kept){ 0 };
}

static void
history_put(struct store *store, struct order *order)
{
	struct kept *kept = &store->history[store->number % HISTORY_MAX];
	kept_drop(kept);
	if (store->settings.engine != STORE_POSTGRES)
		return;
	*kept = (struct kept){ order->bytes, order->len };
	order->bytes = NULL;
	if (store->number - store->history_from >= HISTORY_MAX)
		store->history_from = store->number - HISTORY_MAX + 1;
}

/* ------------------------------------------------------------------ writing, in the writer */

/* One transaction, whole or not at all. */
static int
write_rows(struct store *store, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct db *db = store->db;
	int rc = db->engine->begin_writing(db);
	if (rc != 0)
		return rc;
	rc = rows_number(db, store->holder, number);
	struct reader r = reader_of(bytes, len);
	while (rc == 0 && object_row_read(&r, &store->row))
		rc = rows_write(db, &store->row);
	if (rc != 0)
		return rc;
	CHECK(r.at == len);
	return db->engine->commit(db);
}

static void
lose(struct store *store, enum store_state state)
{
	memcpy(store->why, store->db->error, sizeof store->why);
	db_close(store->db);
	store->db = NULL;
	store->state = state;
	store->lost_us = now_us();
	store->pause_us = STORE_RETRY_US_MIN;
	store->retry_us = store->lost_us + store->pause_us;
	tell_state(store);
}

static void
lose_to_another(struct store *store, const char *who)
{
	const bool moved = str_starts(str_of(who), STR(DB_MOVE " "));
	(void)db_fail(store->db, 0, "%s (%s)",
	              moved ? "the database has been moved away"
	                    : "another program writes to this database now; restart the Call "
	                      "Bridge that shall",
	              who);
	lose(store, moved ? STORE_MOVED : STORE_TAKEN);
}

/* Takes the order's bytes over. */
static void
write_order(struct store *store, struct order *order)
{
	if (store->failed && order->epoch == store->failed_epoch) {
		finish(store, order, false, "not written: an earlier change of the same time failed");
		return;
	}
	const int rc = write_rows(store, store->number + 1, order->bytes, order->len);
	if (rc == 0) {
		store->number++;
		history_put(store, order);
		finish(store, order, true, "");
		return;
	}
	if (rc == -ENOTCONN) {
		store->doubt = *order;
		lose(store, STORE_LOST);
		return;
	}
	fail_epoch(store, order);
	if (rc == -ESTALE) {
		char who[DB_HOLDER_MAX] = "";
		uint64_t number;
		(void)schema_writer(store->db, who, &number);
		lose_to_another(store, who);
	}
	finish(store, order, false, store->db != NULL ? store->db->error : store->why);
}

static void
write_all(struct store *store)
{
	struct order order;
	while (store->state == STORE_READY && ring_take(&store->orders, &order))
		write_order(store, &order);
}

/* What waits has waited long enough. */
static void
refuse_all(struct store *store)
{
	struct order order;
	if (store->doubt.bytes != NULL && !store->doubt.told) {
		struct done done = { .kind = DONE_RESULT,
			             .result = { store->doubt.ticket, false, true } };
		memcpy(done.error, store->why, sizeof done.error);
		store->doubt.told = true;
		tell(store, &done);
		sem_post(&store->finished);
	}
	while (ring_take(&store->orders, &order)) {
		fail_epoch(store, &order);
		finish(store, &order, false, store->why);
	}
}

/* ------------------------------------------------------------------ connecting */

/* Opens, mends the schema and becomes the writer.  `number` is what the database has. */
static int
connect_database(struct store *store, uint64_t *number)
{
	char holder[DB_HOLDER_MAX];
	char former[DB_HOLDER_MAX];
	int rc = db_open(&store->db, &store->settings, &store->node, store->stop_fd);
	if (rc == 0)
		rc = schema_prepare(store->db);
	if (rc != 0)
		return rc;
	snprintf(holder, sizeof holder, "%s %u", store->instance, ++store->connections);
	rc = schema_take(store->db, holder, store->running ? store->holder : NULL, former, number);
	if (rc == 0)
		memcpy(store->holder, holder, sizeof holder);
	else if (rc == -ESTALE)
		(void)db_fail(store->db, rc, "%s", former);
	return rc;
}

/* Transactions of ours which a node that came back has never seen. */
static int
write_again(struct store *store, uint64_t from)
{
	if (from + 1 < store->history_from)
		return db_fail(store->db, -EIO,
		               "the database has come back without changes that were kept, and more of "
		               "them than are remembered; a restart takes over what it has");
	int rc = 0;
	for (uint64_t number = from + 1; rc == 0 && number <= store->number; number++) {
		const struct kept *kept = &store->history[number % HISTORY_MAX];
		rc = write_rows(store, number, kept->bytes, kept->len);
	}
	return rc;
}

static void
resolve_doubt(struct store *store, uint64_t number)
{
	struct order order = store->doubt;
	store->doubt = (struct order){ 0 };
	if (number == store->number + 1) {
		store->number = number;
		history_put(store, &order);
		finish(store, &order, true, "");
	} else if (order.told) {
		fail_epoch(store, &order);
		finish(store, &order, false, "the change was not kept before the database was lost");
	} else {
		write_order(store, &order);
	}
}

static void
try_again(struct store *store)
{
	uint64_t number = 0;
	int rc = connect_database(store, &number);
	if (rc == 0 && number < store->number)
		rc = write_again(store, number);
	else if (rc == 0 && number > store->number + (store->doubt.bytes != NULL))
		rc = db_fail(store->db, -EPROTO, "the database that came back is another one");
	if (rc == -ESTALE) {
		char who[DB_HOLDER_MAX];
		snprintf(who, sizeof who, "%.*s", DB_HOLDER_MAX - 1, store->db->error);
		lose_to_another(store, who);
		return;
	}
	if (rc != 0) {
		if (store->db != NULL)
			memcpy(store->why, store->db->error, sizeof store->why);
		db_close(store->db);
		store->db = NULL;
		store->pause_us = store->pause_us * 2 < STORE_RETRY_US_MAX ? store->pause_us * 2
		                                                           : STORE_RETRY_US_MAX;
		store->retry_us = now_us() + store->pause_us;
		return;
	}
	store->state = STORE_READY;
	store->why[0] = '\0';
	if (store->doubt.bytes != NULL)
		resolve_doubt(store, number);
	if (store->state == STORE_READY)
		tell_state(store);
}

/* ------------------------------------------------------------------ the writer */

static int
wait_ms(const struct store *store)
{
	enum { UNTOLD_MS = 100 };
	if (store->state_untold)
		return UNTOLD_MS;
	if (store->state != STORE_LOST)
		return -1;
	const int64_t at_us = now_us();
	const int64_t refuse_us = store->lost_us + patience_us(store);
	int64_t next_us = store->retry_us;
	if (refuse_us > at_us && refuse_us < next_us)
		next_us = refuse_us;
	return next_us > at_us ? (int)((next_us - at_us) / 1000) + 1 : 0;
}

/* True: the end has come. */
static bool
wait_for_something(struct store *store)
{
	struct pollfd fds[] = {
		{ .fd = store->stop_fd, .events = POLLIN },
		{ .fd = store->ordered_fd, .events = POLLIN },
		{ .fd = store->db != NULL ? store->db->engine->fd(store->db) : -1, .events = POLLIN },
	};
	uint64_t count;
	while (poll(fds, COUNT_OF(fds), wait_ms(store)) < 0)
		CHECK(errno == EINTR);
	if (fds[1].revents != 0 && read(store->ordered_fd, &count, sizeof count) < 0)
		CHECK(errno == EAGAIN || errno == EINTR);
	if (fds[2].revents != 0 && !store->db->engine->alive(store->db))
		lose(store, STORE_LOST);
	return fds[0].revents != 0;
}

static void *
writer_main(void *argument)
{
	struct store *store = argument;
	bool ending = false;
	while (!ending) {
		ending = wait_for_something(store);
		if (store->state_untold)
			tell_state(store);
		if (store->state == STORE_LOST && !ending && now_us() >= store->retry_us)
			try_again(store);
		write_all(store);
		if (store->state == STORE_TAKEN || store->state == STORE_MOVED ||
		    (store->state == STORE_LOST &&
		     (ending || now_us() - store->lost_us >= patience_us(store))))
			refuse_all(store);
	}
	return NULL;
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
	/* Without it there is less to tell, and no harm. */
	if (rc == 0 && nodes_create(&store->nodes, &store->settings) != 0)
		store->nodes = NULL;
	return -rc;
}

static void
end_writer(struct store *store)
{
	if (!store->running)
		return;
	const ssize_t told = write(store->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	CHECK(told == (ssize_t)sizeof(uint64_t));
	pthread_join(store->thread, NULL);
	nodes_destroy(store->nodes);
	store->nodes = NULL;
	store->running = false;
}

/* ------------------------------------------------------------------ the owner's side */

static void
use_node(struct store_status *status, int32_t node)
{
	const int32_t before = status->node_in_use;
	status->node_in_use = status->engine == STORE_POSTGRES ? node : -1;
	if (status->node_in_use >= 0)
		status->nodes[node].up = status->nodes[node].primary = true;
	else if (before >= 0)
		status->nodes[before].up = status->nodes[before].primary = false;
}

int
store_open(struct store **out, const struct store_settings *settings)
{
	*out = NULL;
	struct store *store = calloc(1, sizeof *store);
	if (store == NULL)
		return -ENOMEM;
	store->settings = *settings;
	store->state = STORE_READY;
	db_name(store->instance, "bridge");
	nodes_name(&store->status, settings);
	sem_init(&store->finished, 0, 0);
	store->ordered_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	store->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*out = store; /* also when it fails: store_error() says why, store_close() frees it */
	int rc = store->ordered_fd < 0 || store->stop_fd < 0 ? -EMFILE : 0;
	if (rc == 0)
		rc = ring_create(&store->orders, sizeof(struct order), RING_CAP);
	if (rc == 0)
		rc = ring_create(&store->results, sizeof(struct done), RING_CAP);
	if (rc == 0)
		rc = connect_database(store, &store->number);
	if (rc == 0)
		use_node(&store->status, (int32_t)store->node);
	else if (store->db != NULL)
		memcpy(store->error, store->db->error, sizeof store->error);
	store->history_from = store->number + 1;
	store->known_number = store->number;
	return rc;
}

struct loading {
	struct objects *objects;
	struct store_loaded *loaded;
};

static void
load_row(void *context, const struct object_row *row, bool sound)
{
	const struct loading *loading = context;
	loading->loaded->rows++;
	if (!sound || objects_load_row(loading->objects, row) != OBJECT_OK)
		loading->loaded->refused++;
}

int
store_load(struct store *store, struct objects *objects, struct store_loaded *loaded)
{
	CHECK(!store->running && store->db != NULL);
	int rc = 0;
	struct loading loading = { objects, loaded };
	*loaded = (struct store_loaded){ 0 };
	/* The types stand in an order in which what contains comes before what is inside. */
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = rows_read(store->db, (enum object_type)type, &store->row, load_row, &loading);
	loaded->fresh = loaded->rows == 0;
	if (rc == 0)
		return start_writer(store);
	memcpy(store->error, store->db->error, sizeof store->error);
	return rc;
}

int
store_commit(struct store *store, const struct object_tx *tx)
{
	CHECK(store->running && tx->ticket != 0);
	if (store->status.state != STORE_READY)
		return -ENOTCONN;
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
	const ssize_t told = write(store->ordered_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	CHECK(told == (ssize_t)sizeof(uint64_t));
	return 0;
}

static int
ask_writer(const struct store_settings *settings, char holder[DB_HOLDER_MAX], uint64_t *number)
{
	struct db *db = NULL;
	unsigned node = 0;
	int rc = db_open(&db, settings, &node, -1);
	if (rc == 0)
		rc = schema_writer(db, holder, number);
	db_close(db);
	return rc;
}

/* Two stores for a moment, and the new one's inside becomes this one's. */
int
store_follow(struct store *store, const struct store_settings *to)
{
	char here[DB_HOLDER_MAX];
	char there[DB_HOLDER_MAX];
	uint64_t number_here = 0;
	uint64_t number_there = 0;
	if (store->posted != store->taken)
		return -EBUSY;
	int rc = ask_writer(&store->settings, here, &number_here);
	if (rc == 0)
		rc = ask_writer(to, there, &number_there);
	if (rc != 0)
		return rc;
	if (!str_starts(str_of(here), STR(DB_MOVE " ")) || strcmp(here, there) != 0 ||
	    number_here != number_there || number_here != store->known_number)
		return -ESTALE;
	struct store *fresh;
	rc = store_open(&fresh, to);
	if (rc == 0) {
		end_writer(store);
		struct store before = *store;
		*store = *fresh;
		*fresh = before;
		rc = start_writer(store);
	}
	store_close(fresh);
	return rc;
}

static void
take_state(struct store *store, const struct done *done)
{
	store->status.state = done->state;
	memcpy(store->status.error, done->error, sizeof store->status.error);
	use_node(&store->status, done->node);
}

bool
store_take(struct store *store, struct store_result *result)
{
	struct done done;
	nodes_take(store->nodes, &store->status);
	do {
		if (!ring_take(&store->results, &done))
			return false;
		if (done.kind == DONE_STATE)
			take_state(store, &done);
	} while (done.kind == DONE_STATE);
	*result = done.result;
	if (!done.result.ok)
		memcpy(store->error, done.error, sizeof store->error);
	if (!done.result.in_doubt) {
		store->taken++;
		store->known_number = done.number;
	}
	if (sem_trywait(&store->finished) == 0)
		store->waited++;
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
	end_writer(store);
	for (size_t i = 0; i < HISTORY_MAX; i++)
		kept_drop(&store->history[i]);
	kept_drop(&(struct kept){ store->doubt.bytes, store->doubt.len });
	db_close(store->db);
	ring_destroy(&store->orders);
	ring_destroy(&store->results);
	sem_destroy(&store->finished);
	if (store->ordered_fd >= 0)
		close(store->ordered_fd);
	if (store->stop_fd >= 0)
		close(store->stop_fd);
	free(store);
}
