/* SPDX-License-Identifier: Apache-2.0 */
/* How many people one core mixes: a real media worker over loopback, beside Janus' AudioBridge.
 *
 *	mixer_bench [--json] [--all N] [--listen N] [--room N] [--suite cm|gcm|none] [--talkers N]
 *	            [--seconds N] [--janus SCRIPT]
 *
 * Without --all or --listen it goes through the whole table.  --talkers is how many are mixed.
 *
 * Method: the legs of a load thread on one core talk SRTP to a worker pinned to the other.  After
 * two seconds, the worker's CPU time is read once a second; the median second counts.  A row stands
 * only when the legs received every packet (sequence numbers and totals at the receivers), nothing
 * failed to unprotect, no tick was late, and the voices of others were found in what the listening
 * legs decoded; otherwise it is told as failed, with how late the load itself was.  "per core" is
 * the legs of the row divided by the share of the core they took: an extrapolation, good as far as
 * the rows with more legs confirm it. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "bench.h"
#include "bridge.h"
#include "janus.h"

enum {
	LEGS_MAX = 8000,
	WARM_S = 2,
	SECONDS_DEFAULT = 7,
	SECONDS_MAX = 600,
	TALKERS = 3,
	KEPT_LEGS = 8,
	PACKETS_PER_S = 50,
	LOAD_CORE = 0,
	WORKER_CORE = 1,
};

struct row {
	const char *name;
	unsigned legs;
	unsigned per_room; /* 0: one big room */
	bool all_talk;     /* else TALKERS of each room */
	enum srtp_suite suite;
};

struct result {
	double cpu_pct;
	double load_pct;
	double heard;    /* share of the packets that were to be received */
	uint64_t lost;
	uint64_t forged;
	uint64_t late_ticks;
	uint64_t load_late_ms;
	unsigned voices_min; /* fewest voices heard by a kept leg */
};

static int seconds = SECONDS_DEFAULT;
static unsigned talkers_max; /* 0: the bridge's own choice */

static unsigned
room_size(const struct row *row)
{
	return row->per_room != 0 ? row->per_room : row->legs;
}

static bool
talks(const struct row *row, unsigned leg)
{
	return row->all_talk || leg % room_size(row) < TALKERS;
}

/* A few legs that mostly listen, spread over the rooms. */
static bool
is_kept(const struct row *row, unsigned leg)
{
	const unsigned step = row->legs / KEPT_LEGS;
	return step != 0 && leg % step == step - 1;
}

/* ---- Measuring ----------------------------------------------------------------------------- */

/* Whatever is measured: which threads, and what passes the time. */
struct subject {
	pid_t process;
	const pid_t *threads;
	unsigned thread_count;
	void (*pass)(void *context, double seconds);
	uint64_t (*late)(void *context);
	void *context;
};

static void
measure(const struct row *row, struct load *load, const struct subject *subject,
        struct result *result)
{
	static double shares[SECONDS_MAX];
	load_start(load);
	subject->pass(subject->context, WARM_S);
	const struct load_counts before = load_counts(load);
	const uint64_t late_before = subject->late(subject->context);
	const double load_before_s = load_cpu_s(load);
	const double start_s = bench_now_s();
	double at_s = start_s;
	double cpu_s = bench_threads_cpu_s(subject->process, subject->threads,
	                                   subject->thread_count);
	for (int i = 0; i < seconds; i++) {
		subject->pass(subject->context, 1);
		const double now_s = bench_now_s();
		const double now_cpu_s = bench_threads_cpu_s(subject->process, subject->threads,
		                                             subject->thread_count);
		shares[i] = (now_cpu_s - cpu_s) / (now_s - at_s);
		at_s = now_s;
		cpu_s = now_cpu_s;
	}
	const struct load_counts after = load_counts(load);
	const double expected = (double)row->legs * PACKETS_PER_S * (at_s - start_s);
	*result = (struct result){
		.cpu_pct = 100 * bench_quantile(shares, (size_t)seconds, 0.5),
		.load_pct = 100 * (load_cpu_s(load) - load_before_s) / (at_s - start_s),
		.heard = (double)(after.received - before.received) / expected,
		.lost = after.lost - before.lost,
		.forged = after.forged - before.forged,
		.late_ticks = subject->late(subject->context) - late_before,
		.load_late_ms = after.late_ms - before.late_ms,
		.voices_min = LOAD_VOICES,
	};
	load_stop(load);
	for (unsigned leg = 0; leg < row->legs; leg++) {
		const unsigned voices = is_kept(row, leg) ? load_voices_heard(load, leg)
		                                          : LOAD_VOICES;
		if (voices < result->voices_min)
			result->voices_min = voices;
	}
}

/* ---- Ours ---------------------------------------------------------------------------------- */

static void
pass_bridge(void *context, double span_s)
{
	bridge_run(context, span_s);
}

static uint64_t
late_bridge(void *context)
{
	const struct bridge *bridge = context;
	return worker_counters(bridge->worker).late_ticks + bridge->lost_count;
}

static void
run_bridge(const struct row *row, struct result *result)
{
	const unsigned rooms = (row->legs + room_size(row) - 1) / room_size(row);
	struct bridge bridge;
	struct load *load = NULL;
	const struct net_addr load_bind = addr_ip4(127, 0, 77, 2, 0);
	const struct bridge_settings settings = {
		.legs_max = row->legs,
		.rooms_max = rooms,
		.talkers_max = talkers_max,
		.bind = addr_ip4(127, 0, 77, 1, 0),
		.core = WORKER_CORE,
	};
	CHECK(load_create(&load, row->legs, &load_bind, LOAD_CORE) == 0);
	CHECK(bridge_create(&bridge, &settings) == 0);
	CHECK(bridge_open_from(&bridge, 0, row->legs));
	for (unsigned room = 0; room < rooms; room++)
		bridge_post(&bridge, &(struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN,
		                                            .room = bridge_room(room) });
	for (unsigned leg = 0; leg < row->legs; leg++) {
		const struct bridge_call call = { .leg = leg,
			                          .room = leg / room_size(row),
			                          .suite = row->suite,
			                          .talks = talks(row, leg),
			                          .kept = is_kept(row, leg) };
		bridge_phone(&bridge, load, &call);
		bridge_join(&bridge, load, &call);
	}
	CHECK(bridge_wait(&bridge, &bridge.connected_count, row->legs, 30));
	const struct subject subject = {
		.process = getpid(),
		.threads = &bridge.thread,
		.thread_count = 1,
		.pass = pass_bridge,
		.late = late_bridge,
		.context = &bridge,
	};
	measure(row, load, &subject, result);
	bridge_destroy(&bridge);
	load_destroy(load);
}

/* ---- Janus --------------------------------------------------------------------------------- */

static void
pass_janus(void *context, double span_s)
{
	(void)context;
	usleep((useconds_t)(span_s * 1e6));
}

static uint64_t
late_janus(void *context)
{
	(void)context;
	return 0; /* it tells nobody; the receivers do */
}

static bool
run_janus(const struct row *row, const char *script, struct result *result)
{
	static pid_t threads[BENCH_THREADS_MAX];
	struct load *load = NULL;
	const struct net_addr load_bind = addr_ip4(127, 0, 77, 2, 0);
	CHECK(load_create(&load, row->legs, &load_bind, LOAD_CORE) == 0);
	struct net_addr *addrs = calloc(row->legs, sizeof *addrs);
	CHECK(addrs != NULL);
	for (unsigned leg = 0; leg < row->legs; leg++)
		addrs[leg] = load_addr(load, leg);
	struct janus janus;
	const bool ready = janus_start(&janus, script, addrs, row->legs, room_size(row),
	                               WORKER_CORE);
	for (unsigned leg = 0; ready && leg < row->legs; leg++)
		load_set(load, leg,
		         &(struct load_leg_settings){ .bridge = janus.legs[leg],
		                                      .talks = talks(row, leg),
		                                      .kept = is_kept(row, leg) });
	if (ready) {
		const struct subject subject = {
			.process = janus.pid,
			.threads = threads,
			.thread_count = bench_threads(janus.pid, NULL, threads),
			.pass = pass_janus,
			.late = late_janus,
		};
		measure(row, load, &subject, result);
	}
	janus_stop(&janus);
	load_destroy(load);
	free(addrs);
	return ready;
}

/* ---- Telling ------------------------------------------------------------------------------- */

static const char *
suite_name(enum srtp_suite suite)
{
	return suite == SRTP_SUITE_NONE ? "clear" : srtp_suite_info(suite)->name;
}

/* Janus mixes everybody and clips, so that single voices cannot be told apart in large rooms: of it
 * only packets are asked for. */
static bool
stands(const struct result *result, bool ours)
{
	/* A frame more or less lies between the two readings. */
	const double frame = 1.0 / (PACKETS_PER_S * seconds);
	return result->heard > 0.999 - frame && result->lost == 0 && result->forged == 0 &&
	       result->late_ticks == 0 && (!ours || result->voices_min != 0);
}

static void
tell(const char *who, const struct row *row, const struct result *result)
{
	const bool ours = strcmp(who, "convoke") == 0;
	const char *const what = row->all_talk ? "all talking" : "3 talkers, rest listen";
	const double per_core = row->legs / (result->cpu_pct / 100);
	char room[24];
	if (row->per_room == 0)
		snprintf(room, sizeof room, "one room");
	else
		snprintf(room, sizeof room, "rooms of %u", row->per_room);
	if (bench_json) {
		printf("{\"bench\":\"mixer\",\"who\":\"%s\",\"what\":\"%s\",\"rooms\":\"%s\","
		       "\"suite\":\"%s\",\"legs\":%u,\"cpu_pct\":%.1f,\"per_core\":%.0f,"
		       "\"received\":%.5f,\"lost\":%" PRIu64 ",\"late_ticks\":%" PRIu64
		       ",\"load_late_ms\":%" PRIu64 ",\"voices\":%u,\"stands\":%s}\n",
		       who, what, room, suite_name(row->suite), row->legs, result->cpu_pct,
		       per_core, result->heard, result->lost, result->late_ticks,
		       result->load_late_ms, result->voices_min,
		       stands(result, ours) ? "true" : "false");
	} else {
		printf("%-8s %-23s %-13s %-24s %5u legs %6.1f %% cpu %6.0f per core  load %4.0f %%"
		       "  received %.4f lost %" PRIu64 " late %" PRIu64 "/%" PRIu64 " voices %u%s\n",
		       who, what, room, suite_name(row->suite), row->legs, result->cpu_pct,
		       per_core, result->load_pct, result->heard, result->lost,
		       result->late_ticks, result->load_late_ms, result->voices_min,
		       stands(result, ours) ? "" : "  FAILED");
	}
	fflush(stdout);
}

static void
run_row(const struct row *row, const char *janus_script)
{
	struct result result;
	if (janus_script == NULL) {
		run_bridge(row, &result);
		tell("convoke", row, &result);
	} else if (run_janus(row, janus_script, &result)) {
		tell("janus", row, &result);
	}
}

static void
run_table(const char *janus_script)
{
	const enum srtp_suite cm = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80;
	const enum srtp_suite gcm = SRTP_SUITE_AEAD_AES_128_GCM;
	const struct row ours[] = {
		{ .legs = 600, .per_room = 20, .all_talk = true, .suite = cm },
		{ .legs = 1000, .per_room = 50, .all_talk = true, .suite = cm },
		{ .legs = 1000, .per_room = 100, .all_talk = true, .suite = cm },
		{ .legs = 1500, .all_talk = true, .suite = cm },
		{ .legs = 1000, .per_room = 50, .all_talk = true, .suite = gcm },
		{ .legs = 1500, .all_talk = true, .suite = gcm },
		{ .legs = 1000, .per_room = 50, .suite = cm },
		{ .legs = 1000, .suite = cm },
		{ .legs = 2500, .suite = cm },
		{ .legs = 2500, .suite = gcm },
	};
	const struct row theirs[] = {
		{ .legs = 50, .all_talk = true },
		{ .legs = 90, .all_talk = true },
		{ .legs = 50 },
		{ .legs = 100 },
		{ .legs = 140 },
	};
	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
		run_row(&ours[i], NULL);
	for (unsigned i = 0; janus_script != NULL && i < sizeof theirs / sizeof *theirs; i++)
		run_row(&theirs[i], janus_script);
}

int
main(int argc, char **argv)
{
	struct row row = { .suite = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80 };
	const char *janus_script = NULL;
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--json") == 0) {
			bench_json = true;
			continue;
		}
		if (strcmp(argv[i], "--all") == 0 || strcmp(argv[i], "--listen") == 0) {
			row.all_talk = argv[i][2] == 'a';
			row.legs = (unsigned)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i], "--room") == 0) {
			row.per_room = (unsigned)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i], "--talkers") == 0) {
			talkers_max = (unsigned)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i], "--seconds") == 0) {
			seconds = (int)strtol(value, NULL, 10);
		} else if (strcmp(argv[i], "--janus") == 0) {
			janus_script = value;
		} else if (strcmp(argv[i], "--suite") == 0) {
			row.suite = strcmp(value, "gcm") == 0   ? SRTP_SUITE_AEAD_AES_128_GCM
			            : strcmp(value, "none") == 0 ? SRTP_SUITE_NONE
			                                         : row.suite;
		} else {
			fprintf(stderr, "mixer_bench: what is %s?\n", argv[i]);
			return 2;
		}
		i++;
	}
	if (row.legs > LEGS_MAX || seconds < 1 || seconds > SECONDS_MAX) {
		fprintf(stderr, "mixer_bench: at most %d legs, %d seconds\n", LEGS_MAX, SECONDS_MAX);
		return 2;
	}
	const struct rlimit files = { 20000, 20000 };
	(void)setrlimit(RLIMIT_NOFILE, &files);
	/* Neighbours on the machine should not make load or worker late, ours or a peer's: both go
	 * before them.  Refused, they run as they are. */
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 });
	if (row.legs != 0)
		run_row(&row, janus_script);
	else
		run_table(janus_script);
	return 0;
}
