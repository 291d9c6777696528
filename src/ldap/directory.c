/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of the queue: orders go over as numbers of slots, answers as numbers of batches. */
#include "ldap/directory.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/ring.h"
#include "ldap/directory_internal.h"

enum {
	RING_CAP = 2 * DIRECTORY_ORDERS_MAX,
	STOP = UINT16_MAX, /* in the place of an order's number */
	DIRECTORY_NICE = 5,
	ENTRY_BYTES_MAX =
		2 + DIRECTORY_DN_MAX + DIRECTORY_ATTRIBUTES_MAX * (2 + DIRECTORY_VALUE_MAX),
};

static_assert((int)ENTRY_BYTES_MAX <= (int)DIRECTORY_BATCH_BYTES, "every entry fits a batch");
static_assert((int)RING_CAP > (int)DIRECTORY_ORDERS_MAX, "room for the stop order");
static_assert((int)RING_CAP >= (int)DIRECTORY_BATCHES, "every batch can be on its way");

struct batch {
	uint32_t order;
	struct directory_answer answer;
};

struct directory {
	void (*wake)(void *context);
	void *context;
	pthread_t thread;
	struct ring ordered;  /* to the thread: numbers of orders */
	struct ring answered; /* back: numbers of batches */
	struct ring emptied;  /* to the thread again */
	sem_t orders_there;
	sem_t batches_there;
	_Atomic bool closing;
	uint32_t pending;     /* the owner's count */
	struct directory_order orders[DIRECTORY_ORDERS_MAX];
	struct batch batches[DIRECTORY_BATCHES];
	/* The thread's own. */
	uint32_t at;          /* the order that it is at */
	struct batch *filling;
};

const char *
directory_result_name(enum directory_result result)
{
	static const char *const names[DIRECTORY_RESULTS] = {
		[DIRECTORY_OK] = "ok",
		[DIRECTORY_WRONG_PASSWORD] = "wrong name or password",
		[DIRECTORY_EXPIRED] = "account expired or locked",
		[DIRECTORY_UNREACHABLE] = "not reached",
		[DIRECTORY_UNTRUSTED] = "not trusted",
		[DIRECTORY_NO_BASE] = "no such base DN",
		[DIRECTORY_BAD_FILTER] = "bad filter",
		[DIRECTORY_SIZE_LIMIT] = "size limit",
		[DIRECTORY_REFUSED] = "refused",
		[DIRECTORY_CANCELLED] = "cancelled",
	};
	CHECK((unsigned)result < DIRECTORY_RESULTS);
	return names[result];
}

/* ------------------------------------------------------------------ the thread's side */

static void
wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		CHECK(errno == EINTR);
}

static struct directory_answer *
current_batch(void *context)
{
	struct directory *directory = context;
	if (directory->filling == NULL) {
		uint32_t number = 0;
		wait_for(&directory->batches_there);
		if (atomic_load(&directory->closing))
			return NULL;
		const bool there = ring_take(&directory->emptied, &number);
		CHECK(there && number < DIRECTORY_BATCHES);
		struct batch *batch = &directory->batches[number];
		const struct directory_order *order = &directory->orders[directory->at];
		batch->order = directory->at;
		batch->answer.id = order->id;
		batch->answer.last = false;
		batch->answer.result = DIRECTORY_OK;
		batch->answer.text[0] = '\0';
		batch->answer.entry_count = 0;
		batch->answer.attribute_count = order->attribute_count;
		batch->answer.len = 0;
		directory->filling = batch;
	}
	return &directory->filling->answer;
}

static void
flush_batch(void *context)
{
	struct directory *directory = context;
	if (directory->filling == NULL)
		return;
	const uint32_t number = (uint32_t)(directory->filling - directory->batches);
	directory->filling = NULL;
	const bool posted = ring_post(&directory->answered, &number);
	CHECK(posted);
	if (directory->wake != NULL)
		directory->wake(directory->context);
}

static bool
is_over(void *context)
{
	struct directory *directory = context;
	return atomic_load(&directory->closing) ||
	       atomic_load(&directory->orders[directory->at].cancelled);
}

static void
carry_out(struct directory *directory)
{
	struct directory_order *order = &directory->orders[directory->at];
	const struct directory_door door = { directory, current_batch, flush_batch, is_over };
	char text[DIRECTORY_TEXT_MAX] = "";
	enum directory_result result = DIRECTORY_CANCELLED;
	if (!is_over(directory))
		result = directory_ask(order, &door, text);
	explicit_bzero(order->password, sizeof order->password);
	struct directory_answer *answer = current_batch(directory);
	if (answer == NULL)
		return;
	answer->last = true;
	answer->result = result;
	memcpy(answer->text, text, sizeof text);
	flush_batch(directory);
}

static void *
directory_main(void *argument)
{
	struct directory *directory = argument;
	/* Of this thread alone, on Linux: users can wait, sound cannot. */
	(void)setpriority(PRIO_PROCESS, 0, DIRECTORY_NICE);
	for (;;) {
		wait_for(&directory->orders_there);
		const bool there = ring_take(&directory->ordered, &directory->at);
		CHECK(there);
		if (directory->at == STOP)
			return NULL;
		CHECK(directory->at < DIRECTORY_ORDERS_MAX);
		carry_out(directory);
	}
}

/* ------------------------------------------------------------------ life */

static int
start_thread(struct directory *directory)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int rc = pthread_create(&directory->thread, NULL, directory_main, directory);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static void
free_all(struct directory *directory)
{
	ring_destroy(&directory->ordered);
	ring_destroy(&directory->answered);
	ring_destroy(&directory->emptied);
	sem_destroy(&directory->orders_there);
	sem_destroy(&directory->batches_there);
	explicit_bzero(directory->orders, sizeof directory->orders);
	free(directory);
}

int
directory_create(struct directory **out, void (*wake)(void *context), void *context)
{
	struct directory *directory = calloc(1, sizeof *directory);
	if (directory == NULL)
		return -ENOMEM;
	directory->wake = wake;
	directory->context = context;
	sem_init(&directory->orders_there, 0, 0);
	sem_init(&directory->batches_there, 0, DIRECTORY_BATCHES);
	int rc = ring_create(&directory->ordered, sizeof(uint32_t), RING_CAP);
	if (rc == 0)
		rc = ring_create(&directory->answered, sizeof(uint32_t), RING_CAP);
	if (rc == 0)
		rc = ring_create(&directory->emptied, sizeof(uint32_t), RING_CAP);
	for (uint32_t i = 0; rc == 0 && i < DIRECTORY_BATCHES; i++) {
		const bool posted = ring_post(&directory->emptied, &i);
		CHECK(posted);
	}
	if (rc == 0)
		rc = start_thread(directory);
	if (rc != 0) {
		free_all(directory);
		return rc;
	}
	*out = directory;
	return 0;
}

static void
post(struct directory *directory, uint32_t number)
{
	const bool posted = ring_post(&directory->ordered, &number);
	CHECK(posted);
	sem_post(&directory->orders_there);
}

void
directory_destroy(struct directory *directory)
{
	if (directory == NULL)
		return;
	atomic_store(&directory->closing, true);
	post(directory, STOP);
	/* It may wait for a batch, of each order for one with entries and for the last. */
	for (uint32_t i = 0; i < 2 * DIRECTORY_ORDERS_MAX; i++)
		sem_post(&directory->batches_there);
	pthread_join(directory->thread, NULL);
	free_all(directory);
}

/* ------------------------------------------------------------------ orders */

static struct directory_order *
take_order(struct directory *directory, uint32_t id)
{
	for (uint32_t i = 0; i < DIRECTORY_ORDERS_MAX; i++) {
		struct directory_order *order = &directory->orders[i];
		if (order->used)
			continue;
		memset(order, 0, sizeof *order);
		order->id = id;
		return order;
	}
	return NULL;
}

/* libldap takes strings that end with a NUL: one inside would say another thing than was meant. */
static bool
copy(char *out, size_t cap, struct str text)
{
	const bool whole = text.len == 0 || memchr(text.at, '\0', text.len) == NULL;
	return whole && str_copy(out, cap, text);
}

static bool
copy_server(struct directory_order *order, const struct directory_server *server)
{
	order->port = server->port;
	order->tls = server->tls;
	order->no_verify = server->no_verify;
	order->newest_only = server->newest_only;
	return copy(order->host, sizeof order->host, server->host) &&
	       copy(order->trust, sizeof order->trust, server->trust_file);
}

static void
give_order(struct directory *directory, struct directory_order *order)
{
	order->used = true;
	directory->pending++;
	post(directory, (uint32_t)(order - directory->orders));
}

int
directory_search(struct directory *directory, uint32_t id, const struct directory_search *search)
{
	struct directory_order *order = take_order(directory, id);
	if (order == NULL)
		return -EAGAIN;
	bool fits = copy_server(order, &search->server) &&
	            copy(order->bind_dn, sizeof order->bind_dn, search->server.bind_dn) &&
	            copy(order->password, sizeof order->password, search->server.password) &&
	            copy(order->base, sizeof order->base, search->base) &&
	            copy(order->filter, sizeof order->filter, search->filter) &&
	            search->attribute_count <= DIRECTORY_ATTRIBUTES_MAX;
	for (uint32_t i = 0; fits && i < search->attribute_count; i++)
		fits = copy(order->attributes[i], DIRECTORY_ATTRIBUTE_ROOM, search->attributes[i]);
	if (!fits) {
		explicit_bzero(order, sizeof *order);
		return -EMSGSIZE;
	}
	order->paged = search->paged;
	order->most = search->most;
	order->attribute_count = search->attribute_count;
	give_order(directory, order);
	return 0;
}

int
directory_check(struct directory *directory, uint32_t id, const struct directory_server *server,
                struct str dn, struct str password)
{
	struct directory_order *order = take_order(directory, id);
	if (order == NULL)
		return -EAGAIN;
	order->check = true;
	if (!copy_server(order, server) || !copy(order->bind_dn, sizeof order->bind_dn, dn))
		return -EMSGSIZE;
	if (!copy(order->password, sizeof order->password, password))
		order->password[0] = '\0'; /* nobody has such a one: as wrong as none */
	give_order(directory, order);
	return 0;
}

void
directory_cancel(struct directory *directory, uint32_t id)
{
	for (uint32_t i = 0; i < DIRECTORY_ORDERS_MAX; i++) {
		if (directory->orders[i].used && directory->orders[i].id == id)
			atomic_store(&directory->orders[i].cancelled, true);
	}
}

uint32_t
directory_pending(const struct directory *directory)
{
	return directory->pending;
}

/* ------------------------------------------------------------------ answers */

const struct directory_answer *
directory_take(struct directory *directory)
{
	uint32_t number = 0;
	if (!ring_take(&directory->answered, &number))
		return NULL;
	struct batch *batch = &directory->batches[number];
	if (batch->answer.last) {
		directory->orders[batch->order].used = false;
		directory->pending--;
	}
	return &batch->answer;
}

void
directory_give_back(struct directory *directory, const struct directory_answer *answer)
{
	for (uint32_t i = 0; i < DIRECTORY_BATCHES; i++) {
		if (&directory->batches[i].answer != answer)
			continue;
		const bool posted = ring_post(&directory->emptied, &i);
		CHECK(posted);
		sem_post(&directory->batches_there);
		return;
	}
	CHECK(answer == NULL);
}

static struct str
text_read(struct reader *r)
{
	const uint16_t len = reader_u16(r);
	return (struct str){ (const char *)reader_take(r, len), len };
}

bool
directory_entry_next(const struct directory_answer *answer, size_t *at,
                     struct directory_entry *entry)
{
	struct reader r = reader_of(answer->bytes, answer->len);
	reader_skip(&r, *at);
	if (reader_left(&r) == 0)
		return false;
	entry->dn = text_read(&r);
	for (uint32_t i = 0; i < answer->attribute_count; i++)
		entry->values[i] = text_read(&r);
	for (uint32_t i = answer->attribute_count; i < DIRECTORY_ATTRIBUTES_MAX; i++)
		entry->values[i] = STR("");
	CHECK(!r.failed);
	*at = r.at;
	return true;
}

void
directory_filter_escape(struct writer *w, struct str text)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = (uint8_t)text.at[i];
		if (c != '*' && c != '(' && c != ')' && c != '\\' && c != '\0') {
			writer_u8(w, c);
			continue;
		}
		writer_u8(w, '\\');
		writer_u8(w, (uint8_t)hex[c >> 4]);
		writer_u8(w, (uint8_t)hex[c & 15]);
	}
}
