/* SPDX-License-Identifier: Apache-2.0 */
/* How much later one hears another because the bridge is between them.
 *
 *	delay_bench [--json] [--seconds N]
 *
 * Method: ten pairs, each a talker and a listener in a room of their own on a real media worker
 * over loopback; the talkers send at ten phases of the frame, so that every position against the
 * worker's ticks occurs.  A talker mumbles, and a chirp rises out of it about twice a second.  The
 * listener decodes what it gets; the chirp's place is found by correlation, to a sample.
 *
 *	added = heard - spoken - 20 ms - codec
 *
 * `spoken` is when the chirp's first sample was at the microphone: packets leave when their last
 * sample is there.  `heard` is when the packet with the chirp arrived, plus the chirp's place in
 * it: a listener without a jitter buffer of its own.  20 ms are the talker's packet, `codec` is
 * what one encode and decode delays, found by doing it without a bridge; both are there in a direct
 * call as well.  Loopback takes no time worth naming.  With jitter, each packet is held back by up
 * to that much at random and that is not taken off: what remains holds the wait it forces on
 * anyone. */
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audio/audio_codec.h"
#include "audio/audio_level.h"
#include "audio/testing.h"
#include "base/check.h"
#include "base/prng.h"
#include "bench.h"
#include "bridge.h"
#include "net/sockaddr.h"
#include "rtp/rtp.h"

enum {
	PAIRS = 10,
	SECONDS_DEFAULT = 60,
	SECONDS_MAX = 600,
	WARM_S = 3,
	FRAME_US = 20000,
	FRAMES_MAX = (SECONDS_MAX + WARM_S + 1) * 50,
	CHIRP_SAMPLES = 480,
	CHIRP_EVERY_SAMPLES = 24000,
	SEARCH_SAMPLES = AUDIO_RATE_HZ * 3 / 10,
	PCMU_PAYLOAD_TYPE = 0,
};

struct call {
	const char *name;
	enum audio_codec codec;
	enum media_codec media_codec;
	enum srtp_suite suite;
	uint8_t payload_type;
	int64_t jitter_us;
};

/* A packet that waits for its time. */
struct waiting {
	uint8_t bytes[600];
	size_t len;
	int64_t at_us; /* 0: none */
};

struct heard_frame {
	int64_t at_us;
	int16_t pcm[AUDIO_FRAME_SAMPLES];
};

struct pair {
	int talker;
	int listener;
	struct net_addr talks_to;
	struct srtp_session *tx;
	struct srtp_session *rx;
	struct audio_encoder *encoder;
	struct audio_decoder *decoder;
	int64_t start_us; /* when its sample 0 was at the microphone */
	uint32_t frames_sent;
	struct waiting waiting;
	struct heard_frame *heard; /* FRAMES_MAX */
	unsigned heard_count;
};

static int seconds = SECONDS_DEFAULT;
static int16_t chirp[CHIRP_SAMPLES];
static struct prng prng;
static struct audio_codec_pool *codecs;

/* ---- The signal ---------------------------------------------------------------------------- */

static void
make_chirp(void)
{
	for (unsigned i = 0; i < CHIRP_SAMPLES; i++) {
		const double at = (double)i / CHIRP_SAMPLES;
		const double turns = (600 * at + 1200 * at * at) * CHIRP_SAMPLES / AUDIO_RATE_HZ;
		const double window = sin(M_PI * at);
		chirp[i] = (int16_t)lrint(12000 * window * sin(TESTING_TURN * turns));
	}
}

/* Where chirp `n` of a pair begins: at changing distances from the edges of frames. */
static int64_t
chirp_sample(unsigned n)
{
	return (int64_t)n * CHIRP_EVERY_SAMPLES + (int64_t)n * 277 % AUDIO_FRAME_SAMPLES;
}

static void
make_frame(int16_t pcm[AUDIO_FRAME_SAMPLES], uint32_t frame)
{
	const int64_t first = (int64_t)frame * AUDIO_FRAME_SAMPLES;
	testing_speech(pcm, AUDIO_FRAME_SAMPLES, (size_t)first);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		const int64_t at = first + i;
		const unsigned n = (unsigned)(at / CHIRP_EVERY_SAMPLES);
		const int64_t in_chirp = at - chirp_sample(n);
		const int16_t rise = in_chirp >= 0 && in_chirp < CHIRP_SAMPLES ? chirp[in_chirp] : 0;
		pcm[i] = (int16_t)(pcm[i] / 8 + rise);
	}
}

/* The lag at which `pcm` is most like the chirp; false when it is not much like it anywhere. */
static bool
find_chirp(const int16_t *pcm, size_t samples, size_t *lag)
{
	double best = 0;
	double energy = 0;
	for (size_t at = 0; at + CHIRP_SAMPLES <= samples; at++) {
		double sum = 0;
		for (unsigned i = 0; i < CHIRP_SAMPLES; i++)
			sum += (double)chirp[i] * pcm[at + i];
		if (sum > best) {
			best = sum;
			*lag = at;
		}
	}
	for (unsigned i = 0; i < CHIRP_SAMPLES; i++)
		energy += (double)chirp[i] * chirp[i];
	return best > energy / 4;
}

/* ---- Codecs -------------------------------------------------------------------------------- */

/* As the bridge has it, but without DTX: a phone that never stops sending. */
static struct audio_quality
phone_quality(void)
{
	struct audio_quality quality = audio_quality_for(0);
	quality.dtx = false;
	return quality;
}

/* Microseconds that one encode and decode delay. */
static double
codec_delay_us(const struct call *call)
{
	enum { FRAMES = 100 };
	static int16_t out[FRAMES * AUDIO_FRAME_SAMPLES];
	int16_t in[AUDIO_FRAME_SAMPLES];
	int16_t decoded[AUDIO_PACKET_SAMPLES_MAX];
	uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
	const struct audio_quality quality = phone_quality();
	struct audio_encoder *encoder = audio_encoder_take(codecs, call->codec, &quality);
	struct audio_decoder *decoder = audio_decoder_take(codecs, call->codec);
	size_t lag = 0;
	CHECK(encoder != NULL && decoder != NULL);
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		make_frame(in, frame);
		const size_t len = audio_encode(encoder, in, AUDIO_FRAME_SAMPLES, payload);
		CHECK(audio_decode(decoder, payload, len, decoded) == AUDIO_FRAME_SAMPLES);
		memcpy(out + frame * AUDIO_FRAME_SAMPLES, decoded, sizeof in);
	}
	const int64_t from = chirp_sample(2);
	CHECK(find_chirp(out + from, SEARCH_SAMPLES, &lag));
	audio_encoder_put(codecs, encoder);
	audio_decoder_put(codecs, decoder);
	return (double)lag * 1e6 / AUDIO_RATE_HZ;
}

/* ---- Set-up -------------------------------------------------------------------------------- */

static int
open_socket(struct net_addr *addr)
{
	struct sockaddr_storage name;
	const struct net_addr own = addr_ip4(127, 0, 77, 4, 0);
	const socklen_t name_len = sockaddr_of(&name, &own);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&name, name_len) == 0);
	*addr = addr_of_socket(fd);
	return fd;
}

static struct srtp_session *
session(enum srtp_suite suite, enum srtp_direction direction, const uint8_t *key)
{
	struct srtp_session *made = NULL;
	const struct srtp_settings settings = {
		.suite = suite, .direction = direction, .key = key,
		.salt = key + srtp_suite_info(suite)->key_bytes,
	};
	CHECK(srtp_session_create(&made, &settings) == 0);
	return made;
}

static void
join(struct bridge *bridge, const struct call *call, unsigned leg, unsigned room,
     const struct net_addr *addr, const uint8_t keys[2 * MEDIA_SDES_KEY_MAX])
{
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = bridge_leg(leg) };
	struct media_order audio = { .kind = MEDIA_ORDER_LEG_AUDIO, .leg = bridge_leg(leg) };
	transport.transport.remote_rtp = *addr;
	if (call->suite != SRTP_SUITE_NONE) {
		transport.transport.security = MEDIA_SECURITY_SDES;
		transport.transport.sdes_suite_tx = (uint8_t)call->suite;
		transport.transport.sdes_suite_rx = (uint8_t)call->suite;
		memcpy(transport.transport.sdes_key_rx, keys, MEDIA_SDES_KEY_MAX);
		memcpy(transport.transport.sdes_key_tx, keys + MEDIA_SDES_KEY_MAX,
		       MEDIA_SDES_KEY_MAX);
	}
	audio.audio = bridge_opus();
	audio.audio.tx_payload_type = call->payload_type;
	audio.audio.tx_codec = (uint8_t)call->media_codec;
	audio.audio.rx[0] = (struct media_payload){
		call->payload_type, (uint8_t)call->media_codec,
		call->media_codec == MEDIA_CODEC_OPUS ? 48 : 8,
	};
	bridge_post(bridge, &transport);
	bridge_post(bridge, &audio);
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN,
	                                           .leg = bridge_leg(leg),
	                                           .room = bridge_room(room) });
}

static void
pair_open(struct pair *pair, struct bridge *bridge, const struct call *call, unsigned index)
{
	const struct audio_quality quality = phone_quality();
	uint8_t keys[2 * MEDIA_SDES_KEY_MAX];
	struct net_addr addr;
	*pair = (struct pair){ .heard = calloc(FRAMES_MAX, sizeof *pair->heard) };
	CHECK(pair->heard != NULL);
	prng_bytes(&prng, keys, sizeof keys);
	pair->encoder = audio_encoder_take(codecs, call->codec, &quality);
	pair->decoder = audio_decoder_take(codecs, call->codec);
	CHECK(pair->encoder != NULL && pair->decoder != NULL);
	if (call->suite != SRTP_SUITE_NONE) {
		pair->tx = session(call->suite, SRTP_OUTBOUND, keys);
		pair->rx = session(call->suite, SRTP_INBOUND, keys + MEDIA_SDES_KEY_MAX);
	}
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN,
	                                           .room = bridge_room(index) });
	pair->talker = open_socket(&addr);
	pair->talks_to = bridge->opened[2 * index].local_rtp;
	join(bridge, call, 2 * index, index, &addr, keys);
	pair->listener = open_socket(&addr);
	join(bridge, call, 2 * index + 1, index, &addr, keys);
}

static void
pair_close(struct pair *pair)
{
	close(pair->talker);
	close(pair->listener);
	srtp_session_destroy(pair->tx);
	srtp_session_destroy(pair->rx);
	audio_encoder_put(codecs, pair->encoder);
	audio_decoder_put(codecs, pair->decoder);
	free(pair->heard);
}

/* ---- The call ------------------------------------------------------------------------------ */

static int64_t
frame_end_us(const struct pair *pair)
{
	return pair->start_us + ((int64_t)pair->frames_sent + 1) * FRAME_US;
}

/* Speaks the frame that has just been completed; it leaves when the network lets it. */
static void
speak(struct pair *pair, const struct call *call, unsigned index)
{
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
	make_frame(pcm, pair->frames_sent);
	const size_t len = audio_encode(pair->encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
	const uint8_t level = rtp_audio_level_byte((struct rtp_audio_level){
		.below_full_db = audio_level_of(pcm, AUDIO_FRAME_SAMPLES), .voice = true });
	const struct rtp_ext ext = { .value = &level, .id = LOAD_LEVEL_EXT_ID, .len = 1 };
	const uint32_t clock_hz = audio_codec_info(call->codec)->clock_hz;
	const struct rtp_header header = {
		.payload_type = call->payload_type,
		.seq = (uint16_t)pair->frames_sent,
		.timestamp_rtp = pair->frames_sent * (clock_hz / 50),
		.ssrc = 100 + index,
		.exts = &ext,
		.ext_count = 1,
	};
	struct waiting *waiting = &pair->waiting;
	CHECK(waiting->at_us == 0);
	struct writer w = writer_of(waiting->bytes, sizeof waiting->bytes);
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	CHECK(!w.failed);
	waiting->len = w.at;
	if (pair->tx != NULL)
		CHECK(srtp_rtp_protect(pair->tx, waiting->bytes, &waiting->len,
		                       sizeof waiting->bytes) == SRTP_OK);
	waiting->at_us = frame_end_us(pair);
	if (call->jitter_us != 0)
		waiting->at_us += prng_below(&prng, (uint32_t)call->jitter_us);
	pair->frames_sent++;
}

static void
send_waiting(struct pair *pair)
{
	struct sockaddr_storage name;
	const socklen_t name_len = sockaddr_of(&name, &pair->talks_to);
	(void)sendto(pair->talker, pair->waiting.bytes, pair->waiting.len, 0,
	             (const struct sockaddr *)&name, name_len);
	pair->waiting.at_us = 0;
}

static void
hear(struct pair *pair, int64_t now_us)
{
	uint8_t bytes[2048];
	int16_t pcm[AUDIO_PACKET_SAMPLES_MAX];
	struct rtp_packet packet;
	for (ssize_t got; (got = recv(pair->listener, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
		size_t len = (size_t)got;
		if (rtp_kind_of(bytes, len) != RTP_KIND_RTP || pair->heard_count == FRAMES_MAX)
			continue;
		CHECK(pair->rx == NULL || srtp_rtp_unprotect(pair->rx, bytes, &len) == SRTP_OK);
		CHECK(rtp_parse(&packet, bytes, len) == RTP_OK);
		if (audio_decode(pair->decoder, rtp_payload(&packet), packet.payload_len, pcm) !=
		    AUDIO_FRAME_SAMPLES)
			continue;
		struct heard_frame *frame = &pair->heard[pair->heard_count++];
		frame->at_us = now_us;
		memcpy(frame->pcm, pcm, sizeof frame->pcm);
	}
}

static int64_t
next_us(const struct pair *pair)
{
	return pair->waiting.at_us != 0 ? pair->waiting.at_us : frame_end_us(pair);
}

static void
talk(struct pair pairs[PAIRS], const struct call *call)
{
	struct pollfd fds[PAIRS];
	const int64_t start_us = loop_now_us() + 50000;
	const int64_t end_us = start_us + (int64_t)(seconds + WARM_S) * 1000000;
	for (unsigned i = 0; i < PAIRS; i++) {
		pairs[i].start_us = start_us + (int64_t)i * FRAME_US / PAIRS;
		fds[i] = (struct pollfd){ .fd = pairs[i].listener, .events = POLLIN };
	}
	for (int64_t now_us; (now_us = loop_now_us()) < end_us;) {
		int64_t due_us = end_us;
		for (unsigned i = 0; i < PAIRS; i++) {
			if (pairs[i].waiting.at_us == 0 && frame_end_us(&pairs[i]) <= now_us)
				speak(&pairs[i], call, i);
			if (pairs[i].waiting.at_us != 0 && pairs[i].waiting.at_us <= now_us)
				send_waiting(&pairs[i]);
			if (next_us(&pairs[i]) < due_us)
				due_us = next_us(&pairs[i]);
		}
		const int64_t wait_us = due_us > now_us ? due_us - now_us : 0;
		const struct timespec wait = { .tv_nsec = (long)(wait_us % 1000000) * 1000 };
		if (ppoll(fds, PAIRS, &wait, NULL) <= 0)
			continue;
		now_us = loop_now_us();
		for (unsigned i = 0; i < PAIRS; i++)
			if ((fds[i].revents & POLLIN) != 0)
				hear(&pairs[i], now_us);
	}
}

/* ---- What was heard ------------------------------------------------------------------------ */

/* The first frame that arrived at or after `at_us`. */
static unsigned
frame_at(const struct pair *pair, int64_t at_us)
{
	unsigned frame = 0;
	while (frame < pair->heard_count && pair->heard[frame].at_us < at_us)
		frame++;
	return frame;
}

static bool
added_us(const struct pair *pair, unsigned n, double codec_us, double *out)
{
	enum { FRAMES = SEARCH_SAMPLES / AUDIO_FRAME_SAMPLES };
	static int16_t pcm[FRAMES * AUDIO_FRAME_SAMPLES];
	const int64_t spoken_us = pair->start_us + chirp_sample(n) * 1000000 / AUDIO_RATE_HZ;
	const unsigned first = frame_at(pair, spoken_us);
	size_t lag = 0;
	if (first + FRAMES > pair->heard_count)
		return false;
	for (unsigned i = 0; i < FRAMES; i++)
		memcpy(pcm + i * AUDIO_FRAME_SAMPLES, pair->heard[first + i].pcm,
		       sizeof pair->heard[first + i].pcm);
	if (!find_chirp(pcm, sizeof pcm / sizeof *pcm, &lag))
		return false;
	const struct heard_frame *frame = &pair->heard[first + lag / AUDIO_FRAME_SAMPLES];
	const double heard_us = (double)frame->at_us +
	                        (double)(lag % AUDIO_FRAME_SAMPLES) * 1e6 / AUDIO_RATE_HZ;
	*out = heard_us - (double)spoken_us - FRAME_US - codec_us;
	return true;
}

static void
tell(const struct call *call, double *delays, size_t count, size_t missed)
{
	char what[96];
	snprintf(what, sizeof what, "%s: median", call->name);
	bench_tell("delay", what, bench_quantile(delays, count, 0.5) / 1000, "ms");
	snprintf(what, sizeof what, "%s: p99", call->name);
	bench_tell("delay", what, bench_quantile(delays, count, 0.99) / 1000, "ms");
	snprintf(what, sizeof what, "%s: chirps not found, of %zu", call->name, count + missed);
	bench_tell("delay", what, (double)missed, "");
}

static void
run(const struct call *call)
{
	static struct pair pairs[PAIRS];
	static double delays[PAIRS * SECONDS_MAX * 2];
	struct bridge bridge;
	const struct bridge_settings settings = {
		.legs_max = 2 * PAIRS,
		.rooms_max = PAIRS,
		.bind = addr_ip4(127, 0, 77, 1, 0),
		.core = -1,
	};
	const double codec_us = codec_delay_us(call);
	CHECK(bridge_create(&bridge, &settings) == 0);
	CHECK(bridge_open_from(&bridge, 0, 2 * PAIRS));
	for (unsigned i = 0; i < PAIRS; i++)
		pair_open(&pairs[i], &bridge, call, i);
	CHECK(bridge_wait(&bridge, &bridge.connected_count, 2 * PAIRS, 10));
	talk(pairs, call);

	size_t count = 0;
	size_t missed = 0;
	for (unsigned i = 0; i < PAIRS; i++) {
		for (unsigned n = WARM_S * 2; n < (unsigned)(seconds + WARM_S - 1) * 2; n++) {
			if (added_us(&pairs[i], n, codec_us, &delays[count]))
				count++;
			else
				missed++;
		}
		pair_close(&pairs[i]);
	}
	tell(call, delays, count, missed);
	bridge_destroy(&bridge);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			bench_json = true;
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = (int)strtol(argv[++i], NULL, 10);
	}
	if (seconds < 2 || seconds > SECONDS_MAX) {
		fprintf(stderr, "delay_bench: 2 to %d seconds\n", SECONDS_MAX);
		return 2;
	}
	const struct audio_codec_pool_settings pool = { PAIRS + 1, PAIRS + 1, PAIRS + 1, PAIRS + 1 };
	CHECK(audio_codec_pool_create(&codecs, &pool) == 0);
	prng_init(&prng, 9);
	make_chirp();
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 });
	const struct call calls[] = {
		{ "PCMU, clear", AUDIO_CODEC_PCMU, MEDIA_CODEC_PCMU, SRTP_SUITE_NONE,
		  PCMU_PAYLOAD_TYPE, 0 },
		{ "Opus, SRTP", AUDIO_CODEC_OPUS, MEDIA_CODEC_OPUS,
		  SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, LOAD_PAYLOAD_TYPE, 0 },
		{ "PCMU, clear, 20 ms of jitter", AUDIO_CODEC_PCMU, MEDIA_CODEC_PCMU,
		  SRTP_SUITE_NONE, PCMU_PAYLOAD_TYPE, 20000 },
		{ "Opus, SRTP, 20 ms of jitter", AUDIO_CODEC_OPUS, MEDIA_CODEC_OPUS,
		  SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, LOAD_PAYLOAD_TYPE, 20000 },
	};
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
		run(&calls[i]);
	audio_codec_pool_destroy(codecs);
	return 0;
}
