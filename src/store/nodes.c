/* SPDX-License-Identifier: Apache-2.0 */
/* How each node of a PostgreSQL is: asked once, or again and again by a thread of its own, for a node
 * that does not answer takes seconds. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ring.h"
#include "store/store_internal.h"

enum {
	ASK_MS = 15000,
	REPORTS_CAP = 4,
};

struct report {
	struct store_node_status nodes[STORE_NODES_MAX];
};

struct nodes {
	const struct store_settings *settings;
	struct ring reports;
	int stop_fd;
	pthread_t thread;
};

void
nodes_name(struct store_status *status, const struct store_settings *settings)
{
	*status = (struct store_status){ .engine = settings->engine, .node_in_use = -1 };
	if (settings->engine != STORE_POSTGRES)
		return;
	status->node_count = settings->postgres.node_count;
	for (uint32_t i = 0; i < status->node_count; i++) {
		const struct store_node *node = &settings->postgres.nodes[i];
		char port[8] = "";
		if (node->port != STORE_POSTGRES_PORT)
			snprintf(port, sizeof port, ":%u", node->port);
		snprintf(status->nodes[i].name, STORE_NODE_MAX, "%.240s%s", node->host, port);
	}
}

/* What probe() left in `behind_bytes` is how far each node is; the primary is the measure. */
static void
compare(struct store_node_status *nodes, uint32_t count)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (nodes[i].up && nodes[i].primary && nodes[i].behind_bytes > most)
			most = nodes[i].behind_bytes;
	}
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t at = nodes[i].behind_bytes;
		nodes[i].behind_bytes = nodes[i].up && at < most ? most - at : 0;
	}
}

static void
ask_all(struct store_node_status *nodes, const struct store_settings *settings, int stop_fd)
{
	const struct db_engine *engine = db_engine_of(settings->engine);
	for (unsigned i = 0; i < settings->postgres.node_count; i++)
		engine->probe(&nodes[i], settings, i, stop_fd);
	compare(nodes, settings->postgres.node_count);
}

int
store_probe(struct store_status *status, int64_t *version, const struct store_settings *settings)
{
	struct db *db = NULL;
	unsigned node = 0;
	nodes_name(status, settings);
	*version = -1;
	int rc = db_open(&db, settings, &node, -1);
	if (rc == 0)
		rc = schema_version(db, version);
	if (db != NULL && rc != 0)
		memcpy(status->error, db->error, sizeof status->error);
	db_close(db);
	status->state = rc == 0 ? STORE_READY : STORE_LOST;
	if (settings->engine != STORE_POSTGRES)
		return rc;
	status->node_in_use = rc == 0 ? (int32_t)node : -1;
	ask_all(status->nodes, settings, -1);
	return rc;
}

int
store_upgrade(const struct store_settings *settings, char error[STORE_ERROR_MAX])
{
	struct db *db = NULL;
	unsigned node = 0;
	int rc = db_open(&db, settings, &node, -1);
	if (rc == 0)
		rc = schema_prepare(db);
	if (rc != 0)
		snprintf(error, STORE_ERROR_MAX, "%s", db != NULL ? db->error : "not enough memory");
	db_close(db);
	return rc;
}

/* ------------------------------------------------------------------ again and again */

static void *
nodes_main(void *context)
{
	struct nodes *nodes = context;
	struct pollfd stop = { .fd = nodes->stop_fd, .events = POLLIN };
	while (poll(&stop, 1, 0) <= 0) {
		struct report report = { 0 };
		ask_all(report.nodes, nodes->settings, nodes->stop_fd);
		/* Nobody has taken the last ones: then this one is not missed either. */
		if (ring_post(&nodes->reports, &report) && nodes->settings->wake != NULL)
			nodes->settings->wake(nodes->settings->context);
		(void)poll(&stop, 1, ASK_MS);
	}
	return NULL;
}

int
nodes_create(struct nodes **out, const struct store_settings *settings)
{
	*out = NULL;
	if (settings->engine != STORE_POSTGRES || settings->postgres.node_count < 2)
		return 0;
	struct nodes *nodes = calloc(1, sizeof *nodes);
	if (nodes == NULL)
		return -ENOMEM;
	nodes->settings = settings;
	nodes->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int rc = nodes->stop_fd < 0 ? -errno
	                            : ring_create(&nodes->reports, sizeof(struct report), REPORTS_CAP);
	if (rc == 0) {
		sigset_t all;
		sigset_t before;
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		rc = -pthread_create(&nodes->thread, NULL, nodes_main, nodes);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (rc != 0) {
		if (nodes->stop_fd >= 0)
			close(nodes->stop_fd);
		ring_destroy(&nodes->reports);
		free(nodes);
		return rc;
	}
	*out = nodes;
	return 0;
}

void
nodes_destroy(struct nodes *nodes)
{
	if (nodes == NULL)
		return;
	const ssize_t told = write(nodes->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	CHECK(told == (ssize_t)sizeof(uint64_t));
	pthread_join(nodes->thread, NULL);
	close(nodes->stop_fd);
	ring_destroy(&nodes->reports);
	free(nodes);
}

void
nodes_take(struct nodes *nodes, struct store_status *status)
{
	struct report report;
	while (nodes != NULL && ring_take(&nodes->reports, &report)) {
		for (uint32_t i = 0; i < status->node_count; i++) {
			struct store_node_status *to = &status->nodes[i];
			const struct store_node_status *from = &report.nodes[i];
			to->up = from->up;
			to->primary = from->primary;
			to->behind_bytes = from->behind_bytes;
		}
	}
}
