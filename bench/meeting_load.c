/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_load -- whole meetings against a running Convoke, over the real protocols: fake browsers
 * (HTTPS, WebSocket, ICE, DTLS-SRTP, simulcast VP8 in three layers, tiles) and fake video rooms (SIP,
 * SDES, H.264), all of them in one thread; and what each of them saw and heard.
 *
 *	meeting_load --browsers 20 --rooms 5 --meeting demo
 *
 * `bench/meeting` starts a server, runs this and adds what the server says.  With --json each stream
 * is a line of its own, and "began" and "ended" tell when measuring does. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/log.h"
#include "meeting_browser.h"
#include "meeting_report.h"
#include "meeting_room.h"
#include "meeting_shared.h"

enum {
	PEOPLE_MAX = 512,
	CONNECTIONS_MAX = 2 * PEOPLE_MAX,
	POOL_PACKETS = 200 * 1000,
	TICK_US = 4 * 1000,
	JOIN_EVERY_US = 50 * 1000,
	JOIN_US_MAX = 30 * 1000 * 1000,
	LEAVE_US = 700 * 1000,
	SECOND_US = 1000 * 1000,
	CLIP_SECONDS = 6,
	ADDRESS_MAX = 64,
};

struct options {
	struct net_addr web;
	struct net_addr sip;
	struct net_addr bind;
	const char *meeting;
	unsigned meetings;
	unsigned browsers;
	unsigned rooms;
	unsigned cameras;
	unsigned settle_s;
	unsigned seconds;
	unsigned tiles;
	unsigned heights[BROWSER_TILES_MAX];
	unsigned talkers;
	unsigned room_talkers;
	unsigned turn_s;
	unsigned drop_permille;
	unsigned bps; /* of the high layer and of a room's picture */
	bool vp8_only;
	bool clear;
	bool json;
};

static struct {
	struct options options;
	struct meeting_shared shared;
	struct loop_timer *timer;
	struct clip *layers[BROWSER_LAYERS];
	struct clip *room_clip;
	struct voice voice;
	char addresses[PEOPLE_MAX][ADDRESS_MAX];
	struct browser *browsers[PEOPLE_MAX];
	struct room *rooms[PEOPLE_MAX];
	unsigned joined;
	int64_t join_us;
	int64_t turn_us;
	unsigned turn;
	int64_t tick_us;     /* when the next was due */
	int64_t late_us_max; /* since measuring began */
} load;

/* ---- Who talks ------------------------------------------------------------------------------ */

/* The first `talkers` browsers and rooms of each meeting, moved on by one at each turn. */
static void
set_talkers(void)
{
	const struct options *options = &load.options;
	const unsigned meetings = options->meetings;
	const unsigned browsers = options->browsers / meetings;
	for (unsigned i = 0; i < options->browsers; i++) {
		const unsigned place = (i / meetings + browsers - load.turn % (browsers + !browsers)) %
		                       (browsers + !browsers);
		browser_talk(load.browsers[i], place < options->talkers);
	}
	for (unsigned i = 0; i < options->rooms; i++)
		room_talk(load.rooms[i], i / meetings < options->room_talkers);
}

/* ---- Time ----------------------------------------------------------------------------------- */

static void
join_next(int64_t now_us)
{
	const struct options *options = &load.options;
	if (load.joined == options->browsers + options->rooms || now_us < load.join_us)
		return;
	load.join_us = now_us + JOIN_EVERY_US;
	if (load.joined < options->browsers)
		browser_join(load.browsers[load.joined]);
	else
		room_call(load.rooms[load.joined - options->browsers]);
	load.joined++;
}

static void
tick(void *context, int64_t now_us)
{
	const struct options *options = &load.options;
	(void)context;
	if (load.tick_us != 0 && now_us - load.tick_us > load.late_us_max)
		load.late_us_max = now_us - load.tick_us;
	join_next(now_us);
	if (options->turn_s != 0 && load.turn_us <= now_us) {
		load.turn_us = now_us + (int64_t)options->turn_s * SECOND_US;
		load.turn++;
		set_talkers();
	}
	for (unsigned i = 0; i < options->browsers; i++)
		browser_tick(load.browsers[i], now_us);
	for (unsigned i = 0; i < options->rooms; i++)
		room_tick(load.rooms[i], now_us);
	load.tick_us = now_us + TICK_US;
	loop_timer_arm(load.timer, load.tick_us);
}

/* ---- How it goes ---------------------------------------------------------------------------- */

/* Tells of everybody who could not get in, or fell out. */
static unsigned
complain(void)
{
	unsigned count = 0;
	for (unsigned i = 0; i < load.options.browsers; i++) {
		const char *why = browser_failed(load.browsers[i]);
		if (why == NULL)
			continue;
		count++;
		fprintf(stderr, "meeting_load: browser %u: %s\n", i, why);
	}
	for (unsigned i = 0; i < load.options.rooms; i++) {
		const char *why = room_failed(load.rooms[i]);
		if (why == NULL)
			continue;
		count++;
		fprintf(stderr, "meeting_load: room %u: %s\n", i, why);
	}
	return count;
}

static unsigned
ready_count(void)
{
	unsigned ready = 0;
	for (unsigned i = 0; i < load.options.browsers; i++)
		ready += browser_ready(load.browsers[i]) || browser_failed(load.browsers[i]) != NULL;
	for (unsigned i = 0; i < load.options.rooms; i++)
		ready += room_ready(load.rooms[i]) || room_failed(load.rooms[i]) != NULL;
	return ready;
}

static void
run_for(int64_t span_us)
{
	loop_run_until(load.shared.loop, loop_now_us() + span_us);
}

/* Sound and picture of a room are two links, but one participant. */
static void
begin(void)
{
	const int64_t now_us = loop_now_us();
	for (unsigned i = 0; i < load.options.browsers; i++)
		streams_begin(browser_streams(load.browsers[i]), now_us);
	for (unsigned i = 0; i < load.options.rooms; i++) {
		streams_begin(room_sound(load.rooms[i]), now_us);
		streams_begin(room_picture(load.rooms[i]), now_us);
	}
	load.late_us_max = 0;
}

static double
own_cpu_s(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void
tell(struct report *report, int64_t now_us)
{
	char name[32];
	for (unsigned i = 0; i < load.options.browsers; i++) {
		struct browser *browser = load.browsers[i];
		struct streams *streams = browser_streams(browser);
		snprintf(name, sizeof name, "browser %u", i);
		report_sound(report, name, streams, now_us);
		for (unsigned t = 0; t < browser_tiles(browser); t++)
			report_picture(report, name, streams, t, browser_tile_height(browser, t),
			               browser_tile_person(browser, t), now_us);
	}
	for (unsigned i = 0; i < load.options.rooms; i++) {
		snprintf(name, sizeof name, "room %u", i);
		report_sound(report, name, room_sound(load.rooms[i]), now_us);
		if (room_ready(load.rooms[i]))
			report_picture(report, name, room_picture(load.rooms[i]), 0, 0, "",
			               now_us);
	}
}

static int
measure(void)
{
	const struct options *options = &load.options;
	const unsigned people = options->browsers + options->rooms;
	const int64_t until_us = loop_now_us() + JOIN_US_MAX;
	while (ready_count() != people && loop_now_us() < until_us)
		run_for(SECOND_US / 10);
	if (ready_count() != people)
		fprintf(stderr, "meeting_load: %u of %u are in\n", ready_count(), people);
	run_for((int64_t)options->settle_s * SECOND_US);
	begin();
	const int64_t began_us = loop_now_us();
	const double cpu_s = own_cpu_s();
	report_event(options->json, "began");
	run_for((int64_t)options->seconds * SECOND_US);
	const int64_t now_us = loop_now_us();
	struct report report;
	report_init(&report, options->json, now_us - began_us);
	report_event(options->json, "ended");
	tell(&report, now_us);
	report_end(&report, own_cpu_s() - cpu_s, load.late_us_max);
	return complain() != 0;
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void
make_clips(void)
{
	const uint32_t bps = load.options.bps;
	const struct clip_settings layers[BROWSER_LAYERS] = {
		{ VIDEO_CODEC_VP8, 1280, 720, 30, bps, CLIP_SECONDS, false },
		{ VIDEO_CODEC_VP8, 640, 360, 30, bps / 3, CLIP_SECONDS, false },
		{ VIDEO_CODEC_VP8, 320, 180, 30, bps / 9, CLIP_SECONDS, false },
	};
	const struct clip_settings room = { VIDEO_CODEC_H264, 1280, 720, 30, bps, CLIP_SECONDS, false };
	for (unsigned i = 0; load.options.browsers != 0 && i < BROWSER_LAYERS; i++)
		CHECK(clip_create(&load.layers[i], &layers[i]) == 0);
	if (load.options.rooms != 0)
		CHECK(clip_create(&load.room_clip, &room) == 0);
	CHECK(voice_make(&load.voice) == 0);
}

static void
make_shared(void)
{
	meeting_shared_open(&load.shared, CONNECTIONS_MAX, POOL_PACKETS);
	CHECK(loop_timer_create(&load.timer, load.shared.loop, tick, NULL) == 0);
}

static const char *
address_of(unsigned person, unsigned meeting)
{
	const struct options *options = &load.options;
	if (options->meetings == 1)
		snprintf(load.addresses[person], ADDRESS_MAX, "%s", options->meeting);
	else
		snprintf(load.addresses[person], ADDRESS_MAX, "%s%u", options->meeting, meeting);
	return load.addresses[person];
}

static bool
make_people(void)
{
	const struct options *options = &load.options;
	for (unsigned i = 0; i < options->browsers; i++) {
		struct browser_settings settings = {
			.loop = load.shared.loop, .http = load.shared.http, .tls = load.shared.tls,
			.web = options->web, .bind = options->bind,
			.address = address_of(i, i % options->meetings), .number = i,
			.dtls = load.shared.dtls, .voice = &load.voice, .camera = i < options->cameras,
			.layers = { load.layers[0], load.layers[1], load.layers[2] },
			.pool = load.shared.pool, .prng = &load.shared.prng,
			.drop_permille = options->drop_permille,
			.tiles = options->tiles, .h264 = !options->vp8_only,
		};
		memcpy(settings.heights, options->heights, sizeof settings.heights);
		if ((load.browsers[i] = browser_create(&settings)) == NULL)
			return false;
	}
	for (unsigned i = 0; i < options->rooms; i++) {
		const struct room_settings settings = {
			.loop = load.shared.loop, .sip = options->sip, .bind = options->bind,
			.address = address_of(options->browsers + i, i % options->meetings),
			.number = i, .clear = options->clear, .clip = load.room_clip,
			.voice = &load.voice, .pool = load.shared.pool, .prng = &load.shared.prng,
			.drop_permille = options->drop_permille,
		};
		if ((load.rooms[i] = room_create(&settings)) == NULL)
			return false;
	}
	return true;
}

static void
finish(void)
{
	for (unsigned i = 0; i < load.options.browsers && load.browsers[i] != NULL; i++)
		browser_leave(load.browsers[i]);
	for (unsigned i = 0; i < load.options.rooms && load.rooms[i] != NULL; i++)
		room_hang_up(load.rooms[i]);
	run_for(LEAVE_US);
	for (unsigned i = 0; i < load.options.browsers; i++)
		browser_destroy(load.browsers[i]);
	for (unsigned i = 0; i < load.options.rooms; i++)
		room_destroy(load.rooms[i]);
	loop_timer_destroy(load.timer);
	meeting_shared_close(&load.shared);
	for (unsigned i = 0; i < BROWSER_LAYERS; i++)
		clip_destroy(load.layers[i]);
	clip_destroy(load.room_clip);
}

/* ---- The command line ----------------------------------------------------------------------- */

static const char usage[] =
	"meeting_load [--web ADDR:PORT] [--sip ADDR:PORT] [--bind ADDR] [--meeting NAME]\n"
	"  --meetings N       several meetings, NAME0 to NAME(N-1), people spread over them\n"
	"  --browsers N  --rooms N  --cameras N   the first N browsers show themselves; usually all\n"
	"  --settle S  --seconds S   before measuring, and measured\n"
	"  --tiles N --heights H,H,...   of each browser; the last height goes for the rest\n"
	"  --talkers N --room-talkers N  of each meeting; --turn S: the browsers take turns\n"
	"  --drop PERMILLE    of what everybody receives\n"
	"  --bps N            of the high layer and of rooms; the others have a third and a ninth\n"
	"  --vp8-only         browsers do not take H.264\n"
	"  --clear            rooms without SRTP\n"
	"  --json\n";

static bool
read_heights(struct options *options, const char *text)
{
	struct str rest = str_of(text);
	uint32_t height = 0;
	for (unsigned i = 0; i < BROWSER_TILES_MAX; i++) {
		if (rest.len != 0 && !str_u32(str_cut(&rest, ','), &height))
			return false;
		options->heights[i] = height;
	}
	return rest.len == 0;
}

/* The options that are numbers, in the order of `names` below. */
static unsigned *const numbers[] = {
	&load.options.meetings, &load.options.browsers, &load.options.rooms,
	&load.options.settle_s, &load.options.seconds, &load.options.tiles,
	&load.options.talkers, &load.options.room_talkers, &load.options.turn_s,
	&load.options.drop_permille, &load.options.bps, &load.options.cameras,
};

enum { WEB = 'a', SIP, BIND, MEETING, HEIGHTS, VP8_ONLY, CLEAR, JSON, NUMBERS = 1000 };

static const struct option names[] = {
	{ "meetings", required_argument, NULL, NUMBERS },
	{ "browsers", required_argument, NULL, NUMBERS + 1 },
	{ "rooms", required_argument, NULL, NUMBERS + 2 },
	{ "settle", required_argument, NULL, NUMBERS + 3 },
	{ "seconds", required_argument, NULL, NUMBERS + 4 },
	{ "tiles", required_argument, NULL, NUMBERS + 5 },
	{ "talkers", required_argument, NULL, NUMBERS + 6 },
	{ "room-talkers", required_argument, NULL, NUMBERS + 7 },
	{ "turn", required_argument, NULL, NUMBERS + 8 },
	{ "drop", required_argument, NULL, NUMBERS + 9 },
	{ "bps", required_argument, NULL, NUMBERS + 10 },
	{ "cameras", required_argument, NULL, NUMBERS + 11 },
	{ "web", required_argument, NULL, WEB },
	{ "sip", required_argument, NULL, SIP },
	{ "bind", required_argument, NULL, BIND },
	{ "meeting", required_argument, NULL, MEETING },
	{ "heights", required_argument, NULL, HEIGHTS },
	{ "vp8-only", no_argument, NULL, VP8_ONLY },
	{ "clear", no_argument, NULL, CLEAR },
	{ "json", no_argument, NULL, JSON },
	{ 0 },
};

static bool
read_option(struct options *options, int name, const char *value)
{
	switch (name) {
	case WEB:
		return addr_parse(&options->web, str_of(value));
	case SIP:
		return addr_parse(&options->sip, str_of(value));
	case BIND:
		return addr_parse_ip(&options->bind, str_of(value));
	case MEETING:
		options->meeting = value;
		return strlen(value) < ADDRESS_MAX - 8;
	case HEIGHTS:
		return read_heights(options, value);
	case VP8_ONLY:
		options->vp8_only = true;
		return true;
	case CLEAR:
		options->clear = true;
		return true;
	case JSON:
		options->json = true;
		return true;
	default:
		return name >= NUMBERS && str_u32(str_of(value), numbers[name - NUMBERS]);
	}
}

static bool
read_options(struct options *options, int argc, char **argv)
{
	*options = (struct options){ .web = addr_ip4(127, 0, 0, 1, 8443),
		                     .sip = addr_ip4(127, 0, 0, 1, 5060),
		                     .bind = addr_ip4(127, 0, 0, 1, 0),
		                     .meeting = "demo",
		                     .meetings = 1,
		                     .browsers = 4,
		                     .rooms = 2,
		                     .cameras = PEOPLE_MAX,
		                     .settle_s = 6,
		                     .seconds = 10,
		                     .tiles = 6,
		                     .talkers = 3,
		                     .bps = 1200 * 1000 };
	CHECK(read_heights(options, "720,180"));
	for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;)
		if (!read_option(options, name, optarg))
			return false;
	return optind == argc && options->browsers + options->rooms <= PEOPLE_MAX &&
	       options->meetings != 0 && options->tiles <= BROWSER_TILES_MAX &&
	       options->browsers + options->rooms != 0 && options->seconds != 0;
}

int
main(int argc, char **argv)
{
	static_assert(COUNT_OF(numbers) == 12);
	if (!read_options(&load.options, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	make_clips();
	make_shared();
	if (!make_people()) {
		fprintf(stderr, "meeting_load: no sockets for so many\n");
		return 1;
	}
	set_talkers();
	load.turn_us = loop_now_us() + (int64_t)load.options.turn_s * SECOND_US;
	loop_timer_arm(load.timer, loop_now_us());
	const int status = measure();
	finish();
	return status;
}
