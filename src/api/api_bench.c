/* SPDX-License-Identifier: Apache-2.0 */
/* How fast and how small: spaces made through the API onto a real disk, and looked at among many.
 * Usage: api_bench SPACES [FOLDER [PORT]]; 2,000 more are made, and there are 100,000 at most.
 * Everything runs as in the Call Bridge, but for the network.  With PORT, FOLDER has the Unix socket
 * of a PostgreSQL with an empty database "convoke"; bench/database makes one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/password.h"
#include "base/check.h"
#include "base/prng.h"
#include "store/store.h"

enum {
	POSTS = 1000,
	LOOKS = 20000,
	PAGES = 1000,
	USERS = 10000,
};

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
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Of this process: what a machine that others use does not spoil. */
static int64_t
cpu_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static unsigned
resident_kb(void)
{
	unsigned long total = 0;
	unsigned long resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL && fscanf(file, "%lu %lu", &total, &resident) == 2);
	fclose(file);
	return (unsigned)(resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
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
	const int64_t cpu = cpu_us();
	CHECK(meeting_create(&bridge->meeting, &meeting, now_us()) == 0);
	CHECK(store_open(&bridge->store, store) == 0);
	CHECK(store_load(bridge->store, meeting_objects(bridge->meeting), &loaded) == 0);
	printf("%-44s %10.1f ms, %.1f ms of them at work, %u rows, %u kB resident\n", "start",
	       (double)(now_us() - start) / 1e3, (double)(cpu_us() - cpu) / 1e3, loaded.rows,
	       resident_kb());
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

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static int64_t took[LOOKS];
static int64_t cpu_before;

static void
report(const char *what, unsigned count)
{
	int64_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += took[i];
	qsort(took, count, sizeof *took, compare);
	printf("%-44s %10.0f /s, median %lld us, p99 %lld us, %.1f us at work\n", what,
	       (double)count * 1e6 / (double)(sum != 0 ? sum : 1), (long long)took[count / 2],
	       (long long)took[count * 99 / 100], (double)(cpu_us() - cpu_before) / count);
	cpu_before = cpu_us();
}


static void
measure_gets(struct bridge *bridge)
{
	const struct objects *objects = meeting_objects(bridge->meeting);
	const uint32_t count = objects_count(objects, OBJECT_SPACE);
	for (unsigned i = 0; i < LOOKS; i++) {
		char path[96] = "/api/v1/coSpaces/";
		uint32_t at = prng_below(&bridge->prng, count);
		const uint32_t space = objects_next(objects, OBJECT_SPACE, &at);
		const struct guid id = objects_id(objects, OBJECT_SPACE, space);
		guid_write(path + 17, &id);
		const int64_t start = now_us();
		ask(bridge, API_GET, path, "", "");
		took[i] = now_us() - start;
	}
	report("GET one space", LOOKS);
	for (unsigned i = 0; i < PAGES; i++) {
		char query[64];
		snprintf(query, sizeof query, "limit=20&offset=%u",
		         prng_below(&bridge->prng, count));
		const int64_t start = now_us();
		ask(bridge, API_GET, "/api/v1/coSpaces", query, "");
		took[i] = now_us() - start;
	}
	report("GET a page of 20, random offset", PAGES);
	for (unsigned i = 0; i < PAGES; i++) {
		char query[64];
		snprintf(query, sizeof query, "filter=%u", prng_below(&bridge->prng, count));
		const int64_t start = now_us();
		ask(bridge, API_GET, "/api/v1/coSpaces", query, "");
		took[i] = now_us() - start;
	}
	report("GET a page of 20, with filter", PAGES);
	for (unsigned i = 0; i < PAGES; i++) {
		const int64_t start = now_us();
		ask(bridge, API_GET, "/api/v1/callLegProfiles", "usageFilter=unreferenced", "");
		took[i] = now_us() - start;
	}
	report("GET profiles that nothing uses", PAGES);
}

static void
measure_posts(struct bridge *bridge)
{
	char body[64];
	for (unsigned i = 0; i < POSTS; i++) {
		snprintf(body, sizeof body, "name=New%u&uri=new.%u", i, i);
		const int64_t start = now_us();
		const uint64_t answers = bridge->answers;
		ask(bridge, API_POST, "/api/v1/coSpaces", "", body);
		wait_for(bridge, answers + 1);
		took[i] = now_us() - start;
	}
	report("POST a space, one after the other", POSTS);
	const int64_t start = now_us();
	const uint64_t answers = bridge->answers;
	for (unsigned i = 0; i < POSTS; i++) {
		snprintf(body, sizeof body, "name=More%u&uri=more.%u", i, i);
		while (bridge->answers + 32 < answers + i)
			wait_for(bridge, bridge->answers + 1);
		ask(bridge, API_POST, "/api/v1/coSpaces", "", body);
	}
	wait_for(bridge, answers + POSTS);
	printf("%-44s %10.0f /s\n", "POST a space, 32 clients",
	       POSTS * 1e6 / (double)(now_us() - start));
}

int
main(int argc, char **argv)
{
	const uint32_t spaces = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
	char folder[] = "/tmp/convoke-bench-XXXXXX";
	char path[256];
	struct bridge bridge;
	setvbuf(stdout, NULL, _IOLBF, 0);
	const char *where = argc > 2 ? argv[2] : mkdtemp(folder);
	CHECK(where != NULL && spaces != 0);
	snprintf(path, sizeof path, "%s/bench.db", where);
	const struct store_settings store = {
		.engine = argc > 3 ? STORE_POSTGRES : STORE_SQLITE,
		.path = path,
		.postgres = { .nodes = { { where, argc > 3 ? (uint16_t)strtoul(argv[3], NULL, 10) : 0 } },
		              .node_count = 1,
		              .user = "convoke",
		              .database = "convoke",
		              .sslmode = STORE_DISABLE },
	};
	bridge_open(&bridge, &store);
	add_spaces(&bridge, spaces);
	add_users(&bridge);
	bridge_close(&bridge);

	bridge_open(&bridge, &store);
	cpu_before = cpu_us();
	if (argc <= 3) /* looks do not ask the database */
		measure_gets(&bridge);
	measure_posts(&bridge);
	printf("%-44s %10u kB\n", "resident at the end", resident_kb());
	bridge_close(&bridge);
	if (argc <= 3)
		unlink(path);
	if (argc <= 2)
		rmdir(folder);
	return 0;
}
