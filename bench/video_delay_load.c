/* SPDX-License-Identifier: Apache-2.0 */
/* video_delay_load -- what a running Convoke adds to a picture on its way, over the real protocols, with
 * the fake people of meeting_load.
 *
 * Forwarded: one browser shows itself, another sees it.  A packet is known again by the end of its
 * payload, which forwarding does not change; a picture is there when its last packet is.
 *
 * Composed: one video room talks and sends pictures that show their number, another room's picture is
 * decoded and the number read; further rooms (--count) stand beside it in small panes, each with a picture
 * of its own.  From the last packet of a picture to the last packet of the first composed
 * picture that shows it; both encoded outside and looked at afterwards, so no time of ours is in it.
 *
 * Of both the network is taken off: the way of a datagram from a socket of ours to another one of ours. */
#include <getopt.h>
#include <string.h>

#include "base/check.h"
#include "bench.h"
#include "codec/decoder.h"
#include "meeting_browser.h"
#include "meeting_room.h"
#include "meeting_shared.h"

enum {
	POOL_PACKETS = 20 * 1000,
	TICK_US = 2 * 1000,
	JOIN_US_MAX = 20 * 1000 * 1000,
	LEAVE_US = 700 * 1000,
	SECOND_US = 1000 * 1000,
	CLIP_SECONDS = 6,
	BPS = 1500 * 1000,
	SAMPLES_MAX = 1 << 17,
	BROWSERS = 2, /* who shows himself, who looks */
	ROOMS_MAX = 8,
	TAIL_BYTES = 8,
	TAILS = 1 << 14, /* remembered; a power of two, and many more than are on their way */
	DATAGRAM_BYTES = 1200,
	DATAGRAMS = 500,
};

struct samples {
	unsigned count;
	double ms[SAMPLES_MAX];
};

/* When what ends with these bytes was sent. */
struct tail {
	uint64_t bytes;
	int64_t sent_us;
};

static struct {
	struct net_addr web;
	struct net_addr sip;
	const char *meetings[2]; /* of the browsers, of the rooms */
	unsigned settle_s;
	unsigned seconds;
	unsigned count; /* of rooms */

	struct meeting_shared shared;
	struct loop_timer *timer;
	struct voice voice;
	struct clip *layers[BROWSER_LAYERS];
	struct clip *numbered;
	struct clip *beside;
	struct browser *browsers[BROWSERS];
	struct room *rooms[ROOMS_MAX];

	struct tail tails[TAILS];
	uint64_t frame_tails[CLIP_NUMBERS];
	int64_t frame_sent_us[CLIP_NUMBERS]; /* 0: not, or seen already */
	struct decoder *decoder;
	bool measuring;
	double network_ms;
	struct samples packets;
	struct samples pictures;
	struct samples composed;
} bench;

static void
sample(struct samples *samples, int64_t us)
{
	if (bench.measuring && samples->count < SAMPLES_MAX)
		samples->ms[samples->count++] = (double)us / 1000;
}

/* ---- Forwarded ------------------------------------------------------------------------------ */

static uint64_t
tail_of(const uint8_t *bytes, size_t len)
{
	uint64_t tail = len;
	const size_t taken = len < TAIL_BYTES ? len : TAIL_BYTES;
	memcpy(&tail, bytes + len - taken, taken);
	return tail;
}

static struct tail *
tail_place(uint64_t bytes)
{
	return &bench.tails[bytes * UINT64_C(0x9e3779b97f4a7c15) >> 50];
}

static_assert(TAILS == 1 << (64 - 50));

static void
on_sent(void *context, const uint8_t *payload, size_t len, bool marker, int64_t now_us)
{
	const uint64_t bytes = tail_of(payload, len);
	(void)context;
	(void)marker;
	*tail_place(bytes) = (struct tail){ bytes, now_us };
}

static void
on_received(void *context, const struct rtp_packet *packet, int64_t now_us)
{
	(void)context;
	if (packet->payload_len == 0)
		return;
	const uint64_t bytes = tail_of(rtp_payload(packet), packet->payload_len);
	struct tail *tail = tail_place(bytes);
	if (tail->bytes != bytes || tail->sent_us == 0)
		return;
	sample(&bench.packets, now_us - tail->sent_us);
	if (packet->marker)
		sample(&bench.pictures, now_us - tail->sent_us);
	tail->sent_us = 0;
}

static const struct stream_watch shows_himself = { .sent = on_sent };
static const struct stream_watch looks = { .received = on_received };

/* ---- Composed ------------------------------------------------------------------------------- */

static void
on_picture_sent(void *context, const uint8_t *payload, size_t len, bool marker, int64_t now_us)
{
	const uint64_t bytes = tail_of(payload, len);
	(void)context;
	for (unsigned i = 0; marker && i < bench.numbered->frame_count; i++)
		if (bench.frame_tails[i] == bytes)
			bench.frame_sent_us[i] = now_us;
}

/* The large pane of 1+5; one alone has the whole picture. */
static int
number_in(const struct picture *picture)
{
	const struct picture_rect large = { 0, 0, picture->width * 2 / 3, picture->height * 2 / 3 };
	const struct picture part = picture_part(picture, &large);
	return clip_number(bench.count == 2 ? picture : &part);
}

static void
on_frame(void *context, const struct built_frame *frame, const uint8_t *bytes, int64_t now_us)
{
	(void)context;
	if (decoder_input(bench.decoder, bytes, frame->len, frame->key) != DECODER_PICTURE)
		return;
	const int number = number_in(decoder_picture(bench.decoder));
	if (number < 0 || bench.frame_sent_us[number] == 0)
		return;
	sample(&bench.composed, now_us - bench.frame_sent_us[number]);
	bench.frame_sent_us[number] = 0;
}

static const struct stream_watch sends_numbers = { .sent = on_picture_sent };
static const struct stream_watch reads_numbers = { .frame = on_frame };

/* A frame's last packet ends as the frame does. */
static void
note_frames(void)
{
	const struct clip *clip = bench.numbered;
	for (unsigned i = 0; i < clip->frame_count; i++)
		bench.frame_tails[i] = tail_of(clip->frames[i].bytes, clip->frames[i].len);
}

/* ---- The network ---------------------------------------------------------------------------- */

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	int64_t sent_us;
	(void)context;
	(void)socket;
	memcpy(&sent_us, datagram->bytes, sizeof sent_us);
	sample(&bench.packets, datagram->now_us - sent_us);
}

static void
run_for(int64_t span_us)
{
	loop_run_until(bench.shared.loop, loop_now_us() + span_us);
}

static void
measure_network(void)
{
	const struct udp_settings settings = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                               .receive = on_datagram };
	struct udp_socket *sockets[2];
	uint8_t bytes[DATAGRAM_BYTES] = { 0 };
	for (unsigned i = 0; i < COUNT_OF(sockets); i++)
		CHECK(udp_open(&sockets[i], bench.shared.loop, &settings) == 0);
	bench.measuring = true;
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		const int64_t now_us = loop_now_us();
		memcpy(bytes, &now_us, sizeof now_us);
		udp_send(sockets[0], udp_local(sockets[1]), bytes, sizeof bytes);
		run_for(TICK_US);
	}
	bench.measuring = false;
	bench.network_ms = bench_quantile(bench.packets.ms, bench.packets.count, 0.5);
	bench.packets.count = 0;
	for (unsigned i = 0; i < COUNT_OF(sockets); i++)
		udp_close(sockets[i]);
}

/* ---- People --------------------------------------------------------------------------------- */

static void
tick(void *context, int64_t now_us)
{
	(void)context;
	for (unsigned i = 0; i < BROWSERS; i++)
		browser_tick(bench.browsers[i], now_us);
	for (unsigned i = 0; i < bench.count; i++)
		room_tick(bench.rooms[i], now_us);
	loop_timer_arm(bench.timer, now_us + TICK_US);
}

static void
make_clips(void)
{
	static const unsigned heights[BROWSER_LAYERS] = { 720, 360, 180 };
	for (unsigned i = 0; i < BROWSER_LAYERS; i++) {
		const struct clip_settings layer = { .codec = VIDEO_CODEC_VP8,
			                             .width = (uint16_t)(heights[i] * 16 / 9),
			                             .height = (uint16_t)heights[i],
			                             .fps = 30,
			                             .bps = BPS >> 2 * i,
			                             .seconds = CLIP_SECONDS };
		CHECK(clip_create(&bench.layers[i], &layer) == 0);
	}
	struct clip_settings room = { .codec = VIDEO_CODEC_H264,
		                      .width = 1280,
		                      .height = 720,
		                      .fps = 30,
		                      .bps = BPS,
		                      .seconds = CLIP_SECONDS };
	CHECK(clip_create(&bench.beside, &room) == 0);
	room.numbered = true;
	CHECK(clip_create(&bench.numbered, &room) == 0);
	note_frames();
	CHECK(voice_make(&bench.voice) == 0);
}

static void
make_shared(void)
{
	meeting_shared_open(&bench.shared, 16, POOL_PACKETS);
	CHECK(loop_timer_create(&bench.timer, bench.shared.loop, tick, NULL) == 0);
	CHECK(decoder_create(&bench.decoder, VIDEO_CODEC_H264) == 0);
}

static void
make_browser(unsigned number)
{
	const struct browser_settings settings = {
		.loop = bench.shared.loop, .http = bench.shared.http, .tls = bench.shared.tls, .web = bench.web,
		.bind = addr_ip4(127, 0, 0, 1, 0), .address = bench.meetings[0], .number = number,
		.dtls = bench.shared.dtls, .voice = &bench.voice, .pool = bench.shared.pool,
		.layers = { bench.layers[0], bench.layers[1], bench.layers[2] },
		.prng = &bench.shared.prng, .camera = number == 0, .tiles = 1, .heights = { 720 },
		.h264 = true,
	};
	bench.browsers[number] = browser_create(&settings);
	CHECK(bench.browsers[number] != NULL);
}

static void
make_room(unsigned number)
{
	const struct room_settings settings = {
		.loop = bench.shared.loop, .sip = bench.sip, .bind = addr_ip4(127, 0, 0, 1, 0),
		.address = bench.meetings[1], .number = number,
		.clip = number == 0 ? bench.numbered : bench.beside,
		.voice = &bench.voice, .pool = bench.shared.pool, .prng = &bench.shared.prng,
	};
	bench.rooms[number] = room_create(&settings);
	CHECK(bench.rooms[number] != NULL);
}

static void
make_people(void)
{
	for (unsigned i = 0; i < BROWSERS; i++)
		make_browser(i);
	for (unsigned i = 0; i < bench.count; i++)
		make_room(i);
	browser_streams(bench.browsers[0])->watch = &shows_himself;
	browser_streams(bench.browsers[1])->watch = &looks;
	room_picture(bench.rooms[0])->watch = &sends_numbers;
	room_picture(bench.rooms[1])->watch = &reads_numbers;
	browser_talk(bench.browsers[0], true);
	room_talk(bench.rooms[0], true);
}

static bool
all_ready(void)
{
	bool ready = true;
	for (unsigned i = 0; i < BROWSERS; i++)
		ready = ready && browser_ready(bench.browsers[i]);
	for (unsigned i = 0; i < bench.count; i++)
		ready = ready && room_ready(bench.rooms[i]);
	return ready;
}

static void
complain(const char *why)
{
	if (why != NULL)
		fprintf(stderr, "video_delay_load: %s\n", why);
}

static bool
join(void)
{
	const int64_t until_us = loop_now_us() + JOIN_US_MAX;
	for (unsigned i = 0; i < BROWSERS; i++)
		browser_join(bench.browsers[i]);
	for (unsigned i = 0; i < bench.count; i++) {
		room_call(bench.rooms[i]);
		run_for(SECOND_US / 4);
	}
	while (!all_ready() && loop_now_us() < until_us)
		run_for(SECOND_US / 10);
	for (unsigned i = 0; i < BROWSERS; i++)
		complain(browser_failed(bench.browsers[i]));
	for (unsigned i = 0; i < bench.count; i++)
		complain(room_failed(bench.rooms[i]));
	return all_ready();
}

static void
leave(void)
{
	for (unsigned i = 0; i < BROWSERS; i++)
		browser_leave(bench.browsers[i]);
	for (unsigned i = 0; i < bench.count; i++)
		room_hang_up(bench.rooms[i]);
	run_for(LEAVE_US);
	for (unsigned i = 0; i < BROWSERS; i++)
		browser_destroy(bench.browsers[i]);
	for (unsigned i = 0; i < bench.count; i++)
		room_destroy(bench.rooms[i]);
	loop_timer_destroy(bench.timer);
	decoder_destroy(bench.decoder);
	meeting_shared_close(&bench.shared);
	for (unsigned i = 0; i < BROWSER_LAYERS; i++)
		clip_destroy(bench.layers[i]);
	clip_destroy(bench.numbered);
	clip_destroy(bench.beside);
}

/* ---- Figures -------------------------------------------------------------------------------- */

/* At least half of the pictures must have been seen. */
static bool
tell(const char *what, struct samples *samples, unsigned wanted)
{
	char name[80];
	if (samples->count < wanted / 2) {
		fprintf(stderr, "video_delay_load: %s: only %u of %u were seen\n", what,
		        samples->count, wanted);
		return false;
	}
	const struct { const char *name; double share; } shares[] = { { "median", 0.5 },
		                                                      { "p99", 0.99 } };
	for (unsigned i = 0; i < COUNT_OF(shares); i++) {
		snprintf(name, sizeof name, "%s: %s", what, shares[i].name);
		bench_tell("video_delay", name,
		           bench_quantile(samples->ms, samples->count, shares[i].share) -
		                   bench.network_ms,
		           "ms");
	}
	return true;
}

static const char usage[] =
	"video_delay_load [--web ADDR:PORT] [--sip ADDR:PORT] [--browsers SPACE] [--rooms SPACE]\n"
	"  [--count N] [--settle S] [--seconds S] [--json]\n"
	"  --count N: rooms; with more than two the space's layout is onePlusFive\n";

static bool
read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "web", required_argument, NULL, 'w' },      { "sip", required_argument, NULL, 's' },
		{ "browsers", required_argument, NULL, 'b' }, { "rooms", required_argument, NULL, 'r' },
		{ "settle", required_argument, NULL, 'e' },   { "seconds", required_argument, NULL, 't' },
		{ "count", required_argument, NULL, 'c' },    { "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bench.web = addr_ip4(127, 0, 0, 1, 8443);
	bench.sip = addr_ip4(127, 0, 0, 1, 5060);
	bench.meetings[0] = bench.meetings[1] = "demo";
	bench.settle_s = 4;
	bench.seconds = 20;
	bench.count = 2;
	bool good = true;
	for (int name; good && (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (name) {
		case 'w': good = addr_parse(&bench.web, str_of(optarg)); break;
		case 's': good = addr_parse(&bench.sip, str_of(optarg)); break;
		case 'b': bench.meetings[0] = optarg; break;
		case 'r': bench.meetings[1] = optarg; break;
		case 'e': good = str_u32(str_of(optarg), &bench.settle_s); break;
		case 't': good = str_u32(str_of(optarg), &bench.seconds); break;
		case 'c': good = str_u32(str_of(optarg), &bench.count); break;
		case 'j': bench_json = true; break;
		default: good = false; break;
		}
	}
	return good && optind == argc && bench.count >= 2 && bench.count <= ROOMS_MAX;
}

int
main(int argc, char **argv)
{
	if (!read_options(argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	make_shared();
	make_clips();
	make_people();
	measure_network();
	loop_timer_arm(bench.timer, loop_now_us());
	bool stands = join();
	if (stands) {
		run_for((int64_t)bench.settle_s * SECOND_US);
		bench.measuring = true;
		run_for((int64_t)bench.seconds * SECOND_US);
		bench.measuring = false;
		const unsigned wanted = 30 * bench.seconds;
		bench_tell("video_delay", "network, taken off", bench.network_ms, "ms");
		stands = tell("forwarded, picture", &bench.pictures, wanted);
		stands = tell("forwarded, each packet", &bench.packets, wanted) && stands;
		char what[32];
		snprintf(what, sizeof what, "composed of %u, picture", bench.count);
		stands = tell(what, &bench.composed, wanted) && stands;
	}
	leave();
	return stands ? 0 : 1;
}
