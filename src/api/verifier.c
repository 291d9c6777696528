/* SPDX-License-Identifier: Apache-2.0 */
/* The thread behind the verifier of password.h; the rest of the API knows nothing of it. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "api/password.h"
#include "base/check.h"
#include "base/ring.h"

enum {
	RING_CAP = 32,
	VERIFIER_NICE = 10,
};

static_assert((int)RING_CAP > (int)VERIFIER_PENDING_MAX, "room for the stop order");

struct order {
	uint32_t slot;
	bool stop;
	uint16_t password_len;
	uint16_t hash_len;
	char password[PASSWORD_MAX];
	char hash[PASSWORD_HASH_MAX];
};

struct verifier {
	void (*wake)(void *context);
	void *context;
	pthread_t thread;
	struct ring orders;
	struct ring results;
	sem_t ordered;
	uint32_t pending; /* the owner's count */
	_Atomic bool closing;
};

static void *
verifier_main(void *argument)
{
	struct verifier *verifier = argument;
	/* Of this thread alone, on Linux: passwords can wait, sound cannot. */
	(void)setpriority(PRIO_PROCESS, 0, VERIFIER_NICE);
	for (;;) {
		struct order order;
		while (sem_wait(&verifier->ordered) != 0)
			CHECK(errno == EINTR);
		const bool there = ring_take(&verifier->orders, &order);
		CHECK(there);
		if (order.stop)
			return NULL;
		if (atomic_load(&verifier->closing)) {
			explicit_bzero(&order, sizeof order);
			continue;
		}
		const struct verifier_result result = {
			.slot = order.slot,
			.right = password_matches(
				(struct str){ order.password, order.password_len },
				(struct str){ order.hash, order.hash_len }),
		};
		explicit_bzero(&order, sizeof order);
		const bool posted = ring_post(&verifier->results, &result);
		CHECK(posted); /* never more than VERIFIER_PENDING_MAX */
		if (verifier->wake != NULL)
			verifier->wake(verifier->context);
	}
}

static int
start(struct verifier *verifier)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int rc = pthread_create(&verifier->thread, NULL, verifier_main, verifier);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int
verifier_create(struct verifier **out, void (*wake)(void *context), void *context)
{
	struct verifier *verifier = calloc(1, sizeof *verifier);
	if (verifier == NULL)
		return -ENOMEM;
	verifier->wake = wake;
	verifier->context = context;
	sem_init(&verifier->ordered, 0, 0);
	int rc = ring_create(&verifier->orders, sizeof(struct order), RING_CAP);
	if (rc == 0)
		rc = ring_create(&verifier->results, sizeof(struct verifier_result), RING_CAP);
	if (rc == 0)
		rc = start(verifier);
	if (rc != 0) {
		ring_destroy(&verifier->orders);
		ring_destroy(&verifier->results);
		free(verifier);
		return rc;
	}
	*out = verifier;
	return 0;
}

void
verifier_destroy(struct verifier *verifier)
{
	if (verifier == NULL)
		return;
	atomic_store(&verifier->closing, true);
	const bool posted = ring_post(&verifier->orders, &(struct order){ .stop = true });
	CHECK(posted);
	sem_post(&verifier->ordered);
	pthread_join(verifier->thread, NULL);
	explicit_bzero(verifier->orders.messages, RING_CAP * sizeof(struct order));
	ring_destroy(&verifier->orders);
	ring_destroy(&verifier->results);
	sem_destroy(&verifier->ordered);
	free(verifier);
}

int
verifier_post(struct verifier *verifier, uint32_t slot, struct str password, struct str hash)
{
	if (verifier->pending == VERIFIER_PENDING_MAX)
		return -EAGAIN;
	if (password.len > PASSWORD_MAX || hash.len > PASSWORD_HASH_MAX)
		return -EINVAL;
	struct order order = { .slot = slot, .password_len = (uint16_t)password.len,
		               .hash_len = (uint16_t)hash.len };
	memcpy(order.password, password.at, password.len);
	memcpy(order.hash, hash.at, hash.len);
	const bool posted = ring_post(&verifier->orders, &order);
	CHECK(posted);
	explicit_bzero(&order, sizeof order);
	verifier->pending++;
	sem_post(&verifier->ordered);
	return 0;
}

bool
verifier_take(struct verifier *verifier, struct verifier_result *result)
{
	if (!ring_take(&verifier->results, result))
		return false;
	verifier->pending--;
	return true;
}
