/* SPDX-License-Identifier: Apache-2.0 */
/* The API's core on a database: spaces made through it onto a real disk, and looked at among many.
 *
 *	api_bench [--json] [--spaces N] [--dir DIR] [--port PORT]
 *
 * N spaces (97,000) and 10,000 users are kept, then everything is started anew and asked; 2,000 spaces
 * more are made, and there are 100,000 at most.  Everything runs as in the Call Bridge, but for the
 * network.  Without --port SQLite has a file in DIR (a new folder in /tmp); with it DIR has the Unix
 * socket of a PostgreSQL with an empty database "convoke": bench/database makes one. */
#include <errno.h>
#include <unistd.h>

#include "api/api.h"
#include "api/password.h"
#include "base/check.h"
#include "base/prng.h"
#include "bench.h"
#include "store/store.h"

enum {
	POSTS = 1000,
	LOOKS = 20000,
	PAGES = 1000,
	USERS = 10000,
};

static const char *engine = "SQLite";

struct bridge {
	struct prng prng;
	struct meeting *meeting;
	struct store *store;
	struct api *api;
	uint64_t answers;
	size_t bytes;
};

static void
random_bytes(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

static int64_t
now_us(void)
{
	return (int64_t)(bench_now_s() * 1e6);
}

/* Of this process: what a machine that others use does not spoil. */
static double
cpu_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
tell_resident(const char *when)
{
	bench_tell(engine, when, bench_resident_bytes(getpid()) / 1e6, "MB");
}

static void
drain(struct bridge *bridge)
{
	struct api_out out;
	struct store_result result;
	for (;;) {
		while (store_take(bridge->store, &result)) {
			objects_settled(meeting_objects(bridge->meeting), result.ticket, result.ok);
			api_settled(bridge->api, result.ticket, result.ok, now_us());
			CHECK(result.ok);
		}
		out = api_poll(bridge->api, now_us());
		if (out.kind == API_NONE)
			return;
		if (out.kind == API_VERIFY)
			api_verified(bridge->api, out.slot,
			             password_matches(out.password, out.password_hash), now_us());
		if (out.kind == API_COMMIT)
			CHECK(store_commit(bridge->store, &out.tx) == 0);
		if (out.kind == API_ANSWER) {
			CHECK(out.status == 200);
			bridge->answers++;
			bridge->bytes += out.body.len;
		}
	}
}

static void
ask(struct bridge *bridge, enum api_method method, const char *path, const char *query,
    const char *body)
{
	const struct api_request request = { .method = method, .path = str_of(path),
		                             .query = str_of(query), .body = str_of(body),
		                             .authorization = STR("Basic YTpi") };
	api_request(bridge->api, &request, now_us());
	drain(bridge);
}

static void
wait_for(struct bridge *bridge, uint64_t answers)
{
	while (bridge->answers < answers) {
		store_wait(bridge->store);
		drain(bridge);
	}
}

static void
bridge_open(struct bridge *bridge, const struct store_settings *store)
{
	*bridge = (struct bridge){ 0 };
	prng_init(&bridge->prng, (uint64_t)now_us());
	const struct meeting_settings meeting = { .random = random_bytes,
		                                  .context = &bridge->prng };
	struct store_loaded loaded;
	const int64_t start = now_us();
	const double cpu = cpu_us();
	CHECK(meeting_create(&bridge->meeting, &meeting, now_us()) == 0);
	CHECK(store_open(&bridge->store, store) == 0);
	CHECK(store_load(bridge->store, meeting_objects(bridge->meeting), &loaded) == 0);
	if (loaded.rows != 0) {
		bench_tell(engine, "start, everything read", (double)(now_us() - start) / 1e3, "ms");
		bench_tell(engine, "start: CPU", (cpu_us() - cpu) / 1e3, "ms");
		bench_tell(engine, "start: rows", loaded.rows, "");
		tell_resident("resident after the start");
	}
	static const uint8_t salt[PASSWORD_SALT_BYTES] = { 1 };
	static struct accounts accounts;
	char hash[PASSWORD_HASH_MAX];
	CHECK(password_hash(hash, STR("b"), salt) == 0);
	accounts_init(&accounts);
	CHECK(accounts_add(&accounts, STR("a"), MMP_API, hash, 0) != NULL);
	const struct api_settings api = { .meeting = bridge->meeting, .accounts = &accounts };
	CHECK(api_create(&bridge->api, &api, now_us()) == 0);
}

static void
bridge_close(struct bridge *bridge)
{
	api_destroy(bridge->api);
	store_close(bridge->store);
	meeting_destroy(bridge->meeting);
}

/* In transactions of a hundred: this is not what is measured. */
static void
add_spaces(struct bridge *bridge, uint32_t count)
{
	struct objects *objects = meeting_objects(bridge->meeting);
	for (uint32_t done = 0; done < count;) {
		objects_begin(objects);
		for (unsigned i = 0; i < 100 && done < count; i++, done++) {
			struct object_edit edit = { .type = OBJECT_SPACE };
			char name[64];
			char uri[64];
			uint32_t handle = 0;
			int culprit = -1;
			snprintf(name, sizeof name, "Meeting room of team %u", done);
			snprintf(uri, sizeof uri, "team.%u.room", done);
			edit_set_text(&edit, SPACE_NAME, str_of(name));
			edit_set_text(&edit, SPACE_URI, str_of(uri));
			edit_set_number(&edit, SPACE_REQUIRE_CALL_ID, 1);
			CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
		}
		const struct object_tx tx = objects_end(objects);
		CHECK(store_commit(bridge->store, &tx) == 0);
		store_wait(bridge->store);
		drain(bridge);
	}
}

/* And users, who are members of some. */
static void
add_users(struct bridge *bridge)
{
	struct objects *objects = meeting_objects(bridge->meeting);
	for (uint32_t done = 0; done < USERS;) {
		objects_begin(objects);
		for (unsigned i = 0; i < 100 && done < USERS; i++, done++) {
			struct object_edit edit = { .type = OBJECT_USER };
			char jid[64];
			uint32_t handle = 0;
			int culprit = -1;
			snprintf(jid, sizeof jid, "first.last%u@company.example.org", done);
			edit_set_text(&edit, USER_JID, str_of(jid));
			edit_set_text(&edit, USER_NAME, STR("First Last of some department"));
			edit_set_text(&edit, USER_EMAIL, str_of(jid));
			CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
		}
		const struct object_tx tx = objects_end(objects);
		CHECK(store_commit(bridge->store, &tx) == 0);
		store_wait(bridge->store);
		drain(bridge);
	}
}

static double took[LOOKS];

static void
report(const char *what, size_t count, double cpu_before)
{
	char text[96];
	const struct {
		const char *what;
		double value;
		const char *unit;
	} figures[] = {
		{ "a second on one core", (double)count * 1e6 / (cpu_us() - cpu_before), "/s" },
		{ "CPU", (cpu_us() - cpu_before) / (double)count, "us" },
		{ "median", bench_quantile(took, count, 0.5), "us" },
		{ "p99", bench_quantile(took, count, 0.99), "us" },
	};
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
		snprintf(text, sizeof text, "%s: %s", what, figures[i].what);
		bench_tell(engine, text, figures[i].value, figures[i].unit);
	}
}

/* The same question with another word each time. */
static void
measure_pages(struct bridge *bridge, const char *what, const char *path, const char *format)
{
	const struct objects *objects = meeting_objects(bridge->meeting);
	const uint32_t count = objects_count(objects, OBJECT_SPACE);
	const double before = cpu_us();
	for (unsigned i = 0; i < PAGES; i++) {
		char query[64];
		struct writer w = writer_of(query, sizeof query - 1);
		for (const char *at = format; *at != '\0'; at++) {
			if (*at == '#')
				writer_decimal(&w, prng_below(&bridge->prng, count));
			else
				writer_u8(&w, (uint8_t)*at);
		}
		query[w.at] = '\0';
		const int64_t start = now_us();
		ask(bridge, API_GET, path, query, "");
		took[i] = (double)(now_us() - start);
	}
	report(what, PAGES, before);
}

static void
measure_gets(struct bridge *bridge)
{
	const struct objects *objects = meeting_objects(bridge->meeting);
	const uint32_t count = objects_count(objects, OBJECT_SPACE);
	const double before = cpu_us();
	for (unsigned i = 0; i < LOOKS; i++) {
		char path[96] = "/api/v1/coSpaces/";
		uint32_t at = prng_below(&bridge->prng, count);
		const uint32_t space = objects_next(objects, OBJECT_SPACE, &at);
		const struct guid id = objects_id(objects, OBJECT_SPACE, space);
		guid_write(path + 17, &id);
		const int64_t start = now_us();
		ask(bridge, API_GET, path, "", "");
		took[i] = (double)(now_us() - start);
	}
	report("GET one space", LOOKS, before);
	measure_pages(bridge, "GET a page of 20, anywhere", "/api/v1/coSpaces", "limit=20&offset=#");
	measure_pages(bridge, "GET a page of 20, filter that few match", "/api/v1/coSpaces",
	              "filter=#");
	measure_pages(bridge, "GET a page of 20, filter that all match", "/api/v1/coSpaces",
	              "filter=ROOM&offset=#");
	measure_pages(bridge, "GET a page of 20, callLegProfileFilter", "/api/v1/coSpaces",
	              "callLegProfileFilter=00000000-0000-4000-8000-000000000001");
	measure_pages(bridge, "GET a page of 20 users, filter that few match", "/api/v1/users",
	              "filter=last#@");
	measure_pages(bridge, "GET profiles that nothing uses", "/api/v1/callLegProfiles",
	              "usageFilter=unreferenced");
}

static void
measure_posts(struct bridge *bridge)
{
	char body[64];
	const double before = cpu_us();
	for (unsigned i = 0; i < POSTS; i++) {
		snprintf(body, sizeof body, "name=New%u&uri=new.%u", i, i);
		const int64_t start = now_us();
		const uint64_t answers = bridge->answers;
		ask(bridge, API_POST, "/api/v1/coSpaces", "", body);
		wait_for(bridge, answers + 1);
		took[i] = (double)(now_us() - start);
	}
	report("POST a space, one after the other", POSTS, before);
	double sum_us = 0;
	for (unsigned i = 0; i < POSTS; i++)
		sum_us += took[i];
	bench_tell(engine, "POST a space, one after the other: a second", POSTS * 1e6 / sum_us, "/s");
	const int64_t start = now_us();
	const uint64_t answers = bridge->answers;
	for (unsigned i = 0; i < POSTS; i++) {
		snprintf(body, sizeof body, "name=More%u&uri=more.%u", i, i);
		while (bridge->answers + 32 < answers + i)
			wait_for(bridge, bridge->answers + 1);
		ask(bridge, API_POST, "/api/v1/coSpaces", "", body);
	}
	wait_for(bridge, answers + POSTS);
	bench_tell(engine, "POST a space, 32 clients: a second",
	           POSTS * 1e6 / (double)(now_us() - start), "/s");
}

struct options {
	uint32_t spaces;
	const char *dir; /* NULL: a new one, removed afterwards */
	uint16_t port;   /* 0: SQLite */
};

static bool
read_options(struct options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--json") == 0) {
			bench_json = true;
			continue;
		}
		if (strcmp(argv[i], "--spaces") == 0)
			options->spaces = (uint32_t)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--dir") == 0)
			options->dir = value;
		else if (strcmp(argv[i], "--port") == 0)
			options->port = (uint16_t)strtoul(value, NULL, 10);
		else
			return false;
		i++;
	}
	return options->spaces != 0;
}

int
main(int argc, char **argv)
{
	struct options options = { .spaces = 97000 };
	char folder[] = "/tmp/convoke-bench-XXXXXX";
	char path[256];
	struct bridge bridge;
	if (!read_options(&options, argc, argv))
		return fprintf(stderr, "usage: api_bench [--json] [--spaces N] [--dir DIR] "
		                       "[--port PORT]\n") > 0;
	const char *where = options.dir != NULL ? options.dir : mkdtemp(folder);
	CHECK(where != NULL);
	snprintf(path, sizeof path, "%s/bench.db", where);
	if (options.port != 0)
		engine = "PostgreSQL";
	const struct store_settings store = {
		.engine = options.port != 0 ? STORE_POSTGRES : STORE_SQLITE,
		.path = path,
		.postgres = { .nodes = { { where, options.port } },
		              .node_count = 1,
		              .user = "convoke",
		              .database = "convoke",
		              .sslmode = STORE_DISABLE },
	};
	bridge_open(&bridge, &store);
	add_spaces(&bridge, options.spaces);
	add_users(&bridge);
	bridge_close(&bridge);

	bridge_open(&bridge, &store);
	measure_gets(&bridge);
	measure_posts(&bridge);
	tell_resident("resident after 2,000 more spaces");
	bridge_close(&bridge);
	if (options.port == 0)
		unlink(path);
	if (options.dir == NULL)
		rmdir(folder);
	return 0;
}
