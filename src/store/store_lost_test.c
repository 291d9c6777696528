/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a PostgreSQL that vanishes at the worst moment costs no acknowledged change, leaves no half
 * one, and what is in memory is what is in the database.  Method: a real server, and between it and
 * the store a proxy that swallows answers, questions, or everything behind the n-th byte; the server
 * killed with SIGKILL under load; its certificates wrong. */
#include "store/store_world.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- The proxy ----------------------------------------------------------------------------- */

enum proxy_mode {
	PROXY_PASS,
	PROXY_AWAY,             /* nobody is let in */
	PROXY_SWALLOW_ANSWER,   /* the next one, and then it hangs up */
	PROXY_SWALLOW_QUESTION,
	PROXY_COUNT,            /* so many bytes of answers */
	PROXY_HANG,             /* nothing is passed on, nobody is told */
};

struct proxy {
	char folder[32];
	struct sockaddr_un address;
	int listener;
	int client;
	int server;
	pthread_t thread;
	_Atomic bool end;
	_Atomic int mode;
	_Atomic int mode_after; /* once it has hung up */
	_Atomic long bytes_left;
};

static void
proxy_hang_up(struct proxy *proxy)
{
	if (proxy->client >= 0)
		close(proxy->client);
	if (proxy->server >= 0)
		close(proxy->server);
	proxy->client = proxy->server = -1;
}

static void
proxy_accept(struct proxy *proxy)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof to.sun_path, "%s/.s.PGSQL.%u", world_server.socket,
	         world_server.port);
	const int client = accept(proxy->listener, NULL, NULL);
	if (proxy->mode == PROXY_AWAY || client < 0) {
		close(client);
		return;
	}
	proxy_hang_up(proxy);
	proxy->client = client;
	proxy->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(proxy->server, (struct sockaddr *)&to, sizeof to) != 0)
		proxy_hang_up(proxy);
}

/* False: hang up. */
static bool
proxy_carry(struct proxy *proxy, int from, int to, enum proxy_mode swallow)
{
	char bytes[16384];
	const ssize_t got = read(from, bytes, sizeof bytes);
	if (got <= 0)
		return false;
	if (proxy->mode == (int)swallow) {
		proxy->mode = proxy->mode_after;
		return false;
	}
	ssize_t wanted = got;
	if (swallow == PROXY_SWALLOW_ANSWER && proxy->mode == PROXY_COUNT) {
		if (proxy->bytes_left < wanted)
			wanted = proxy->bytes_left;
		proxy->bytes_left -= wanted;
	}
	if (wanted != 0 && send(to, bytes, (size_t)wanted, MSG_NOSIGNAL) != wanted)
		return false;
	if (wanted < got)
		proxy->mode = proxy->mode_after;
	return wanted == got;
}

static void *
proxy_main(void *context)
{
	struct proxy *proxy = context;
	while (!proxy->end) {
		const bool hangs = proxy->mode == PROXY_HANG;
		struct pollfd fds[] = { { .fd = proxy->listener, .events = POLLIN },
			                { .fd = hangs ? -1 : proxy->client, .events = POLLIN },
			                { .fd = hangs ? -1 : proxy->server, .events = POLLIN } };
		bool well = true;
		if (poll(fds, COUNT_OF(fds), 10) <= 0)
			continue;
		if (fds[1].revents != 0)
			well = proxy_carry(proxy, proxy->client, proxy->server,
			                   PROXY_SWALLOW_QUESTION);
		if (well && fds[2].revents != 0)
			well = proxy_carry(proxy, proxy->server, proxy->client,
			                   PROXY_SWALLOW_ANSWER);
		if (!well)
			proxy_hang_up(proxy);
		if (fds[0].revents != 0)
			proxy_accept(proxy);
	}
	proxy_hang_up(proxy);
	return NULL;
}

static void
proxy_make(struct proxy *proxy, struct place *place)
{
	*proxy = (struct proxy){ .client = -1, .server = -1 };
	snprintf(proxy->folder, sizeof proxy->folder, "/tmp/convoke-px-XXXXXX");
	EXPECT(mkdtemp(proxy->folder) != NULL);
	proxy->address.sun_family = AF_UNIX;
	snprintf(proxy->address.sun_path, sizeof proxy->address.sun_path, "%s/.s.PGSQL.%u",
	         proxy->folder, world_server.port);
	proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(bind(proxy->listener, (struct sockaddr *)&proxy->address,
	               sizeof proxy->address),
	          0);
	EXPECT_EQ(listen(proxy->listener, 8), 0);
	EXPECT_EQ(pthread_create(&proxy->thread, NULL, proxy_main, proxy), 0);
	place->postgres.nodes[0].host = proxy->folder;
}

static void
proxy_remove(struct proxy *proxy)
{
	proxy->end = true;
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
	unlink(proxy->address.sun_path);
	rmdir(proxy->folder);
}

/* ---- Losing the line ----------------------------------------------------------------------- */

/* The next result, within ten seconds. */
static struct store_result
next_result(struct place *place)
{
	struct store_result result = { 0 };
	unsigned turns = 0;
	while (!store_take(place->store, &result)) {
		EXPECT(turns++ < 1000);
		usleep(10000);
	}
	return result;
}

static void
await_state(struct place *place, enum store_state state)
{
	struct store_result result;
	for (unsigned i = 0; i < 1000 && store_status(place->store)->state != state; i++) {
		EXPECT(!store_take(place->store, &result));
		usleep(10000);
	}
	EXPECT_EQ(store_status(place->store)->state, state);
}

/* What a start finds, without the proxy. */
static void
expect_kept(struct place *place, const char *const *uris, unsigned count)
{
	struct place fresh = *place;
	fresh.postgres.nodes[0].host = world_server.socket;
	EXPECT_EQ(place_open(&fresh), 0);
	EXPECT_EQ(fresh.loaded.refused, 0);
	EXPECT_EQ(objects_count(fresh.objects, OBJECT_SPACE), count);
	for (unsigned i = 0; i < count; i++)
		EXPECT(has_space(&fresh, uris[i]));
	place_close(&fresh);
}

TEST(an_answer_that_got_lost_is_asked_for_and_a_lost_question_is_asked_again)
{
	struct place place;
	static struct proxy proxy;
	place_make(&place, STORE_POSTGRES);
	proxy_make(&proxy, &place);
	EXPECT_EQ(place_open(&place), 0);
	EXPECT_EQ(store_status(place.store)->node_in_use, 0);
	commit_space(&place, "a");
	EXPECT(settle(&place));
	proxy.mode = PROXY_SWALLOW_ANSWER;
	commit_space(&place, "b");
	commit_space(&place, "c");
	EXPECT(settle(&place));
	await_state(&place, STORE_READY);
	proxy.mode = PROXY_SWALLOW_QUESTION;
	commit_space(&place, "d");
	commit_space(&place, "e");
	EXPECT(settle(&place));
	expect_kept(&place, (const char *[]){ "a", "b", "c", "d", "e" }, 5);
	place_close(&place);
	proxy_remove(&proxy);
	place_remove(&place);
}

TEST(a_doubt_that_lasts_is_told_and_ends_with_the_truth)
{
	struct place place;
	static struct proxy proxy;
	place_make(&place, STORE_POSTGRES);
	proxy_make(&proxy, &place);
	EXPECT_EQ(place_open(&place), 0);
	place_close(&place);
	for (unsigned kept = 0; kept < 2; kept++) {
		const struct objects_settings settings = { .limits = { 50, 50, 1 << 20 },
			                                   .random = test_random,
			                                   .context = &place.prng };
		struct store_settings store = place_settings(&place);
		store.patience_ms = 300;
		proxy.mode = PROXY_PASS;
		EXPECT_EQ(objects_create(&place.objects, &settings), 0);
		EXPECT_EQ(store_open(&place.store, &store), 0);
		EXPECT_EQ(store_load(place.store, place.objects, &place.loaded), 0);
		const uint32_t before = objects_count(place.objects, OBJECT_SPACE);

		proxy.mode_after = PROXY_AWAY;
		proxy.mode = kept != 0 ? PROXY_SWALLOW_ANSWER : PROXY_SWALLOW_QUESTION;
		const struct object_tx doubtful = begin_space(&place, "doubtful");
		EXPECT_EQ(store_commit(place.store, &doubtful), 0);
		const struct object_tx queued = begin_space(&place, "queued");
		EXPECT_EQ(store_commit(place.store, &queued), 0);
		struct store_result result = next_result(&place);
		EXPECT_EQ(result.ticket, doubtful.ticket);
		EXPECT(result.in_doubt && !result.ok);
		result = next_result(&place);
		EXPECT_EQ(result.ticket, queued.ticket);
		EXPECT(!result.in_doubt && !result.ok);
		objects_settled(place.objects, result.ticket, false);
		EXPECT_EQ(store_status(place.store)->state, STORE_LOST);
		EXPECT_EQ(store_status(place.store)->node_in_use, -1);
		EXPECT(store_status(place.store)->error[0] != '\0');
		/* Nothing is taken, and what is in doubt is still seen. */
		const struct object_tx refused = begin_space(&place, "refused");
		EXPECT_EQ(store_commit(place.store, &refused), -ENOTCONN);
		objects_settled(place.objects, refused.ticket, false);
		EXPECT(has_space(&place, "doubtful"));

		proxy.mode = PROXY_PASS;
		result = next_result(&place);
		EXPECT_EQ(result.ticket, doubtful.ticket);
		EXPECT(!result.in_doubt);
		EXPECT_EQ(result.ok, kept != 0);
		objects_settled(place.objects, result.ticket, result.ok);
		await_state(&place, STORE_READY);
		EXPECT_EQ(objects_count(place.objects, OBJECT_SPACE), before + kept);
		commit_space(&place, kept != 0 ? "later" : "now");
		EXPECT(settle(&place));
		place_close(&place);
	}
	expect_kept(&place, (const char *[]){ "now", "doubtful", "later" }, 3);
	proxy_remove(&proxy);
	place_remove(&place);
}

TEST(a_server_that_hangs_is_as_lost_as_one_that_is_gone)
{
	struct place place;
	static struct proxy proxy;
	place_make(&place, STORE_POSTGRES);
	proxy_make(&proxy, &place);
	const struct objects_settings objects = { .limits = { 50, 50, 1 << 20 },
		                                  .random = test_random,
		                                  .context = &place.prng };
	struct store_settings store = place_settings(&place);
	store.answer_ms = 300;
	EXPECT_EQ(objects_create(&place.objects, &objects), 0);
	EXPECT_EQ(store_open(&place.store, &store), 0);
	EXPECT_EQ(store_load(place.store, place.objects, &place.loaded), 0);
	proxy.mode = PROXY_HANG;
	commit_space(&place, "a");
	await_state(&place, STORE_LOST);
	proxy.mode = PROXY_PASS;
	EXPECT(next_result(&place).ok);
	place_close(&place);
	expect_kept(&place, (const char *[]){ "a" }, 1);
	proxy_remove(&proxy);
	place_remove(&place);
}

/* As when a replica takes over that had not been given everything. */
TEST(a_node_that_comes_back_without_the_last_changes_is_given_them_again)
{
	struct place place;
	place_make(&place, STORE_POSTGRES);
	EXPECT_EQ(place_open(&place), 0);
	for (char uri[] = "a"; uri[0] <= 'e'; uri[0]++) {
		commit_space(&place, uri);
		EXPECT(settle(&place));
	}
	struct other other = other_open(&place);
	EXPECT(other_run(&other, "DELETE FROM spaces WHERE uri IN ('d', 'e');"
	                         "UPDATE writer SET number = CAST(CAST(number AS INTEGER) - 2 AS TEXT);"
	                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	                         " WHERE application_name = 'convoke'"));
	await_state(&place, STORE_LOST);
	await_state(&place, STORE_READY);
	commit_space(&place, "f");
	EXPECT(settle(&place));
	expect_kept(&place, (const char *[]){ "a", "b", "c", "d", "e", "f" }, 6);
	other_close(&other);
	place_close(&place);
	place_remove(&place);
}

/* As a client does that is told to come back later. */
static void
insist_on_space(struct place *place, const char *uri)
{
	for (;;) {
		const struct object_tx tx = begin_space(place, uri);
		if (store_commit(place->store, &tx) == 0) {
			EXPECT(settle(place));
			return;
		}
		objects_settled(place->objects, tx.ticket, false);
		await_state(place, STORE_READY);
	}
}

/* Fail-at-n, where n is a byte of the server's answers. */
TEST(wherever_the_line_breaks_what_was_acknowledged_is_there)
{
	enum { PLAYS = 25, CHANGES = 3, MANY = 1 << 30 }; /* plays while opening, and as many after */
	struct place place;
	static struct proxy proxy;
	unsigned opened = 0;
	unsigned broken = 0;
	place_make(&place, STORE_POSTGRES);
	EXPECT_EQ(place_open(&place), 0);
	place_close(&place);
	proxy_make(&proxy, &place);
	long all = 0; /* the first play is whole, and says how much there is */
	long until_open = 0;
	for (long bytes = MANY; bytes >= 0;
	     bytes -= (bytes > until_open ? all - until_open : until_open) / PLAYS) {
		struct other other = other_open(&place);
		EXPECT(other_run(&other, "DELETE FROM spaces"));
		other_close(&other);
		proxy.mode_after = PROXY_PASS;
		proxy.bytes_left = bytes;
		proxy.mode = PROXY_COUNT;
		const bool open = place_open(&place) == 0;
		if (all == 0)
			until_open = bytes - proxy.bytes_left;
		for (char uri[] = "a"; open && uri[0] < 'a' + CHANGES; uri[0]++)
			insist_on_space(&place, uri);
		place_close(&place);
		expect_kept(&place, (const char *[]){ "a", "b", "c" }, open ? CHANGES : 0);
		opened += open;
		broken += proxy.mode == PROXY_PASS;
		if (all == 0)
			bytes = all = bytes - proxy.bytes_left;
	}
	EXPECT(broken >= 2 * PLAYS && opened >= PLAYS && opened < broken);
	proxy_remove(&proxy);
	place_remove(&place);
}

/* ---- Losing the server --------------------------------------------------------------------- */

TEST(a_server_killed_under_load_keeps_what_it_acknowledged)
{
	enum { ROUNDS = 4, IN_A_ROW = 20 };
	struct place place;
	char uri[16];
	unsigned next = 0;
	place_make(&place, STORE_POSTGRES);
	EXPECT_EQ(place_open(&place), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		/* More and more of them are through when it dies. */
		for (unsigned i = 0; i < IN_A_ROW; i++) {
			snprintf(uri, sizeof uri, "n%u", next++);
			commit_space(&place, uri);
		}
		usleep(round * 4000);
		EXPECT_EQ(server_do("kill", ""), 0);
		EXPECT_EQ(server_do("start", ""), 0);
		for (unsigned i = 0; i < IN_A_ROW; i++) {
			const struct store_result result = next_result(&place);
			EXPECT(result.ok);
			objects_settled(place.objects, result.ticket, true);
		}
		await_state(&place, STORE_READY);
	}
	place_close(&place);
	EXPECT_EQ(place_open(&place), 0);
	EXPECT_EQ(objects_count(place.objects, OBJECT_SPACE), next);
	place_close(&place);
	place_remove(&place);
}

static int
replica_do(const char *verb, const char *more)
{
	char command[512];
	snprintf(command, sizeof command, "%s %s %s-replica %s", POSTGRES_SERVER, verb,
	         world_server.folder, more);
	return system(command);
}

static void
replica_remove(void)
{
	char command[128];
	(void)!replica_do("stop", "2>/dev/null");
	snprintf(command, sizeof command, "rm -rf %s-replica", world_server.folder);
	(void)!system(command);
}

TEST(a_replica_that_takes_over_is_found_and_lacks_nothing)
{
	enum { CHANGES = 30, TURNS_MAX = 1000 };
	struct place place;
	struct store_result result;
	char more[128];
	char socket[64];
	char uri[16];
	unsigned turns = 0;
	place_make(&place, STORE_POSTGRES);
	snprintf(socket, sizeof socket, "%s-replica/run", world_server.folder);
	snprintf(more, sizeof more, "%u %s", world_server.port + 1, world_server.folder);
	atexit(replica_remove); /* also when something fails on the way */
	EXPECT_EQ(replica_do("replica", more), 0);
	place.postgres.nodes[1] =
		(struct store_node){ socket, (uint16_t)(world_server.port + 1) };
	place.postgres.node_count = 2;
	EXPECT_EQ(place_open(&place), 0);
	const struct store_status *status = store_status(place.store);
	while (!status->nodes[1].up) {
		EXPECT(turns++ < TURNS_MAX && !store_take(place.store, &result));
		usleep(10000);
	}
	EXPECT(status->nodes[0].up && status->nodes[0].primary && !status->nodes[1].primary);
	EXPECT_EQ(status->node_in_use, 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		snprintf(uri, sizeof uri, "n%u", i);
		commit_space(&place, uri);
	}
	EXPECT(settle(&place));

	EXPECT_EQ(server_do("kill", ""), 0);
	await_state(&place, STORE_LOST);
	EXPECT_EQ(replica_do("promote", ""), 0);
	insist_on_space(&place, "afterwards");
	EXPECT_EQ(status->node_in_use, 1);
	place_close(&place);
	place.postgres.nodes[0] = place.postgres.nodes[1];
	place.postgres.node_count = 1;
	EXPECT_EQ(place_open(&place), 0);
	EXPECT_EQ(objects_count(place.objects, OBJECT_SPACE), CHANGES + 1);
	place_close(&place);
	replica_remove();
	EXPECT_EQ(server_do("start", ""), 0);
	place_remove(&place);
}

/* ---- Who is believed ----------------------------------------------------------------------- */

struct belief {
	const char *host;
	const char *user;
	const char *database;
	const char *authorities; /* of world_server.folder */
	bool certificate;
	bool password;
	enum store_sslmode sslmode;
	const char *said; /* NULL: it opens */
};

static const struct belief beliefs[] = {
	{ "localhost", "convoke", "convoke", "ca.crt", true, false, STORE_VERIFY_FULL, NULL },
	{ "127.0.0.1", "convoke", "convoke", "ca.crt", true, false, STORE_VERIFY_CA, NULL },
	{ "127.0.0.1", "convoke", "convoke", "other-ca.crt", true, false, STORE_REQUIRE,
	  "certificate verify failed" }, /* libpq: an authority that is named is asked */
	{ "127.0.0.1", "convoke", "convoke", NULL, true, false, STORE_REQUIRE, NULL },
	{ "127.0.0.1", "convoke", "convoke", "ca.crt", true, false, STORE_VERIFY_FULL,
	  "does not match host name" },
	{ "localhost", "convoke", "convoke", "other-ca.crt", true, false, STORE_VERIFY_CA,
	  "certificate verify failed" },
	{ "localhost", "convoke", "convoke", NULL, true, false, STORE_VERIFY_FULL,
	  "certificate verify failed" },
	{ "localhost", "convoke", "convoke", "ca.crt", false, false, STORE_VERIFY_FULL,
	  "requires a valid client certificate" },
	{ "localhost", "guest", "convoke", "ca.crt", false, true, STORE_VERIFY_FULL, NULL },
	{ "localhost", "guest", "convoke", "ca.crt", false, false, STORE_VERIFY_FULL, "password" },
	{ "localhost", "convoke", "convoke", NULL, true, false, STORE_DISABLE, "no encryption" },
	{ "localhost", "convoke", "latin", "ca.crt", true, false, STORE_VERIFY_FULL, "UTF8" },
	{ "localhost", "convoke", "nowhere", "ca.crt", true, false, STORE_VERIFY_FULL,
	  "does not exist" },
};

static void
name_file(char out[128], const char *name)
{
	snprintf(out, 128, "%s/%s", world_server.folder, name);
}

TEST(only_the_server_that_was_meant_is_believed)
{
	struct place place;
	char authorities[128];
	char key[128];
	char certificate[128];
	place_make(&place, STORE_POSTGRES);
	struct other other = other_open(&place);
	EXPECT(other_run(&other, "GRANT ALL ON SCHEMA public TO PUBLIC"));
	other_close(&other);
	name_file(key, "client.key");
	name_file(certificate, "client.crt");
	for (size_t i = 0; i < COUNT_OF(beliefs); i++) {
		const struct belief *belief = &beliefs[i];
		struct store *store = NULL;
		struct store_settings settings = place_settings(&place);
		if (belief->authorities != NULL)
			name_file(authorities, belief->authorities);
		settings.postgres = (struct store_postgres){
			.nodes = { { belief->host, 1 }, { belief->host, world_server.port } },
			.node_count = 2,
			.user = belief->user,
			.database = belief->database,
			.password = belief->password ? "a guest's word" : NULL,
			.key = belief->certificate ? key : NULL,
			.certificate = belief->certificate ? certificate : NULL,
			.authorities = belief->authorities != NULL ? authorities : NULL,
			.sslmode = belief->sslmode,
		};
		const int rc = store_open(&store, &settings);
		if (rc == 0) {
			EXPECT_EQ(store_status(store)->node_in_use, 1);
			EXPECT(store_status(store)->nodes[1].primary);
		}
		if ((rc == 0) != (belief->said == NULL) ||
		    (rc != 0 && strstr(store_error(store), belief->said) == NULL))
			fprintf(stderr, "belief %zu: %d, %s\n", i, rc, store_error(store));
		EXPECT_EQ(rc == 0, belief->said == NULL);
		EXPECT(rc == 0 || strstr(store_error(store), belief->said) != NULL);
		store_close(store);
	}
	place_remove(&place);
}
