/* SPDX-License-Identifier: Apache-2.0 */
#include "cdr/spool.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/ring.h"
#include "cdr/spool_file.h"

enum {
	ORDERS = 2 * SPOOL_WAITING_MAX,
	RESULTS = 1024,
	GROUP_MAX = 1024, /* orders between two syncs */
};

/* Reads are one a receiver and marks follow them: they always find room behind the records. */
static_assert((int)ORDERS >= (int)SPOOL_WAITING_MAX + 4096, "room for marks and reads");

enum order_kind { ORDER_APPEND, ORDER_MARK, ORDER_READ, ORDER_STOP };

struct order {
	enum order_kind kind;
	unsigned slot;
	uint64_t sequence;
	struct cdr_entry *entry; /* the writer's to free; its body lies behind it */
	struct cdr_mark mark;
};

struct result {
	enum spool_result_kind kind;
	uint64_t first;
	uint64_t next;
	unsigned slot;
	unsigned count;
	char error[SPOOL_ERROR_MAX];
};

/* A receiver's batch: the writer's while it reads, the owner's until it asks again. */
struct batch {
	uint8_t *bytes;
	struct cdr_entry entries[CDR_POST_RECORDS_MAX];
};

struct spool {
	struct spool_settings settings;
	/* The writer's. */
	struct spool_files files;
	bool appended;
	bool failed; /* has told so; once until it goes well again */
	/* Between the two. */
	struct ring orders;
	struct ring results;
	sem_t ordered;
	struct batch batches[CDR_RECEIVERS_MAX];
	/* The owner's. */
	pthread_t thread;
	bool running;
	struct result taken;
};

/* ------------------------------------------------------------------ the writer */

static void
tell(struct spool *spool, const struct result *result)
{
	/* What is stored is told again with the next; a batch has its place. */
	if (result->kind != SPOOL_BATCH && ring_count(&spool->results) > RESULTS / 2)
		return;
	const bool posted = ring_post(&spool->results, result);
	CHECK(posted);
}

static void
tell_failed(struct spool *spool, const char *what, int rc)
{
	struct result result = { .kind = SPOOL_FAILED };
	if (spool->failed)
		return;
	spool->failed = true;
	snprintf(result.error, sizeof result.error, "%s: %s", what, strerror(-rc));
	tell(spool, &result);
}

static void
append(struct spool *spool, struct cdr_entry *entry)
{
	const int rc = spool_files_append(&spool->files, entry);
	if (rc != 0)
		tell_failed(spool, "a call detail record cannot be written", rc);
	else
		spool->appended = true;
	free(entry);
}

static void
mark(struct spool *spool, const struct cdr_mark *mark)
{
	const int rc = spool_files_mark(&spool->files, mark);
	if (rc != 0)
		tell_failed(spool, "a CDR receiver's place cannot be written", rc);
}

static void
read_batch(struct spool *spool, unsigned slot, uint64_t sequence)
{
	struct batch *batch = &spool->batches[slot];
	struct result result = { .kind = SPOOL_BATCH, .slot = slot };
	result.count = spool_files_read(&spool->files, sequence, batch->bytes, batch->entries,
	                                CDR_POST_RECORDS_MAX);
	tell(spool, &result);
}

/* Many records share one wait for the disk. */
static void
settle(struct spool *spool)
{
	if (!spool->appended)
		return;
	spool->appended = false;
	const int rc = spool_files_sync(&spool->files);
	if (rc != 0)
		tell_failed(spool, "call detail records cannot be brought to the disk", rc);
	else
		spool->failed = false;
	tell(spool, &(struct result){ .kind = SPOOL_STORED, .next = spool->files.next,
	                              .first = spool_files_first(&spool->files) });
}

static void *
run(void *context)
{
	struct spool *spool = context;
	bool stop = false;
	while (!stop) {
		struct order order;
		while (sem_wait(&spool->ordered) != 0 && errno == EINTR)
			;
		unsigned done = 0;
		for (; done < GROUP_MAX && ring_take(&spool->orders, &order); done++) {
			switch (order.kind) {
			case ORDER_APPEND:
				append(spool, order.entry);
				break;
			case ORDER_MARK:
				mark(spool, &order.mark);
				break;
			case ORDER_READ:
				read_batch(spool, order.slot, order.sequence);
				break;
			case ORDER_STOP:
				stop = true;
				break;
			}
			if (done != 0)
				(void)sem_trywait(&spool->ordered);
		}
		settle(spool);
		if (done != 0)
			spool->settings.wake(spool->settings.context);
	}
	return NULL;
}

/* ------------------------------------------------------------------ life */

static int
start_thread(struct spool *spool)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int rc = -pthread_create(&spool->thread, NULL, run, spool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	spool->running = rc == 0;
	return rc;
}

static int
make_batches(struct spool *spool)
{
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		spool->batches[i].bytes = malloc(spool_files_bytes(&spool->files));
		if (spool->batches[i].bytes == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
spool_open(struct spool **out, const struct spool_settings *settings, struct spool_loaded *loaded)
{
	struct spool *spool = calloc(1, sizeof *spool);
	if (spool == NULL)
		return -ENOMEM;
	spool->settings = *settings;
	sem_init(&spool->ordered, 0, 0);
	int rc = spool_files_open(&spool->files, settings);
	if (rc == 0)
		rc = ring_create(&spool->orders, sizeof(struct order), ORDERS);
	if (rc == 0)
		rc = ring_create(&spool->results, sizeof(struct result), RESULTS);
	if (rc == 0)
		rc = make_batches(spool);
	if (rc == 0) {
		*loaded = (struct spool_loaded){ .first = spool_files_first(&spool->files),
			                         .next = spool->files.next,
			                         .mark_count = spool->files.mark_count };
		memcpy(loaded->marks, spool->files.marks, sizeof loaded->marks);
		rc = start_thread(spool);
	}
	if (rc != 0) {
		spool_close(spool);
		return rc;
	}
	*out = spool;
	return 0;
}

static bool
post(struct spool *spool, const struct order *order)
{
	if (!ring_post(&spool->orders, order))
		return false;
	sem_post(&spool->ordered);
	return true;
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->running) {
		const bool posted = post(spool, &(struct order){ .kind = ORDER_STOP });
		CHECK(posted);
		pthread_join(spool->thread, NULL);
	}
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++)
		free(spool->batches[i].bytes);
	spool_files_close(&spool->files);
	ring_destroy(&spool->orders);
	ring_destroy(&spool->results);
	sem_destroy(&spool->ordered);
	free(spool);
}

/* ------------------------------------------------------------------ the owner */

void
spool_append(struct spool *spool, const struct cdr_entry *entry)
{
	struct cdr_entry *copy = ring_count(&spool->orders) < SPOOL_WAITING_MAX
	                                 ? malloc(sizeof *copy + entry->body.len)
	                                 : NULL;
	if (copy == NULL)
		return; /* missing from now on */
	*copy = *entry;
	copy->body.at = (char *)(copy + 1);
	memcpy(copy + 1, entry->body.at, entry->body.len);
	const bool posted =
		post(spool, &(struct order){ .kind = ORDER_APPEND, .entry = copy });
	CHECK(posted);
}

void
spool_mark(struct spool *spool, const struct cdr_mark *mark)
{
	/* One that finds no room is made up for by the next. */
	(void)post(spool, &(struct order){ .kind = ORDER_MARK, .mark = *mark });
}

void
spool_read(struct spool *spool, unsigned slot, uint64_t sequence)
{
	CHECK(slot < CDR_RECEIVERS_MAX);
	const bool posted = post(spool, &(struct order){ .kind = ORDER_READ, .slot = slot,
	                                                 .sequence = sequence });
	CHECK(posted);
}

bool
spool_take(struct spool *spool, struct spool_result *out)
{
	if (!ring_take(&spool->results, &spool->taken))
		return false;
	const struct result *taken = &spool->taken;
	*out = (struct spool_result){ .kind = taken->kind, .first = taken->first,
		                      .next = taken->next, .slot = taken->slot,
		                      .count = taken->count, .error = taken->error };
	if (taken->kind == SPOOL_BATCH)
		out->entries = spool->batches[taken->slot].entries;
	return true;
}
