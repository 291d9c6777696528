/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audio/audio_codec.h"
#include "audio/audio_level.h"
#include "audio/testing.h"
#include "base/bytes.h"
#include "base/check.h"
#include "net/sockaddr.h"
#include "rtp/rtp.h"

enum {
	LEGS_PER_SOCKET = 50,
	BUFFER_BYTES = 4 << 20,
	FRAMES = 100, /* of each voice, sent again and again */
	FRAME_MS = 20,
	DTX_EVERY_FRAMES = 20,
	KEPT_PACKETS = 50,
	CHECKED_EVERY = 8, /* packets: of the others only the clear header is looked at */
	BATCH = 64,
	PACKET_BYTES = 512,
	LATE_MS = 5,
	MARK_HZ = 3000, /* tone of the first voice, ... */
	MARK_STEP_HZ = 300, /* ... and so far apart; nothing else is there */
};

struct frame {
	uint8_t payload[160];
	uint8_t len;
	uint8_t level;
};

struct kept {
	uint8_t payload[PACKET_BYTES];
	size_t len;
};

struct leg {
	struct load_leg_settings settings;
	struct sockaddr_storage to;
	socklen_t to_len;
	struct srtp_session *tx;
	struct srtp_session *rx;
	struct kept *kept; /* KEPT_PACKETS, or NULL */
	uint32_t kept_count;
	uint32_t ssrc;
	uint32_t timestamp;
	uint32_t frame;
	uint16_t seq;
	/* What came back. */
	bool heard;
	uint16_t first;
	int64_t highest;
	uint64_t received;
};

struct load {
	unsigned leg_count;
	unsigned socket_count;
	int core;
	int *sockets;
	struct net_addr *addrs;
	struct leg *legs;
	uint32_t *leg_of_port; /* of the bridge: leg + 1 */
	pthread_t thread;
	bool running;
	_Atomic bool stopping;
	struct audio_codec_pool *codecs;
	struct frame voices[LOAD_VOICES][FRAMES];
	_Atomic uint64_t sent, received, lost, forged, strays, late_ms, cpu_us;
	uint8_t packets[BATCH][PACKET_BYTES];
	struct sockaddr_storage names[BATCH];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
};

/* ---- Voices -------------------------------------------------------------------------------- */

static double
mark_hz(unsigned voice)
{
	return MARK_HZ + (double)voice * MARK_STEP_HZ;
}

static void
make_voices(struct load *load)
{
	const struct audio_codec_pool_settings pool = { 1, LOAD_VOICES, 1, 1 };
	const struct audio_quality quality = audio_quality_for(0);
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	int16_t mark[AUDIO_FRAME_SAMPLES];
	CHECK(audio_codec_pool_create(&load->codecs, &pool) == 0);
	for (unsigned voice = 0; voice < LOAD_VOICES; voice++) {
		struct audio_encoder *encoder =
			audio_encoder_take(load->codecs, AUDIO_CODEC_OPUS, &quality);
		CHECK(encoder != NULL);
		for (unsigned i = 0; i < FRAMES; i++) {
			struct frame *frame = &load->voices[voice][i];
			const size_t at = i * AUDIO_FRAME_SAMPLES;
			uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
			testing_speech(pcm, AUDIO_FRAME_SAMPLES, at + voice * 7777);
			testing_tone(mark, AUDIO_FRAME_SAMPLES, mark_hz(voice), 900, at);
			for (unsigned s = 0; s < AUDIO_FRAME_SAMPLES; s++)
				pcm[s] = (int16_t)(pcm[s] + mark[s]);
			frame->level = audio_level_of(pcm, AUDIO_FRAME_SAMPLES);
			const size_t len = audio_encode(encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
			CHECK(len != 0 && len <= sizeof frame->payload);
			frame->len = (uint8_t)len;
			memcpy(frame->payload, payload, len);
		}
		audio_encoder_put(load->codecs, encoder);
	}
}

unsigned
load_voices_heard(const struct load *load, unsigned leg_index)
{
	const struct leg *leg = &load->legs[leg_index];
	static int16_t heard[KEPT_PACKETS * AUDIO_FRAME_SAMPLES];
	int16_t pcm[AUDIO_PACKET_SAMPLES_MAX];
	size_t samples = 0;
	CHECK(leg->kept != NULL && !load->running);
	struct audio_decoder *decoder = audio_decoder_take(load->codecs, AUDIO_CODEC_OPUS);
	CHECK(decoder != NULL);
	const uint32_t first = leg->kept_count > KEPT_PACKETS ? leg->kept_count - KEPT_PACKETS : 0;
	for (uint32_t i = first; i < leg->kept_count; i++) {
		const struct kept *kept = &leg->kept[i % KEPT_PACKETS];
		const int got = audio_decode(decoder, kept->payload, kept->len, pcm);
		if (got != AUDIO_FRAME_SAMPLES)
			continue;
		memcpy(heard + samples, pcm, (size_t)got * sizeof *pcm);
		samples += (size_t)got;
	}
	audio_decoder_put(load->codecs, decoder);
	if (samples < AUDIO_RATE_HZ / 2)
		return 0;
	const double nothing = testing_amplitude(heard, samples, MARK_HZ - MARK_STEP_HZ / 2);
	unsigned voices = 0;
	for (unsigned voice = 0; voice < LOAD_VOICES; voice++) {
		const double mark = testing_amplitude(heard, samples, mark_hz(voice));
		voices += mark > 100 && mark > 5 * nothing;
	}
	return voices;
}

/* ---- Sending ------------------------------------------------------------------------------- */

static int
socket_of(const struct load *load, unsigned leg)
{
	return load->sockets[leg / LEGS_PER_SOCKET];
}

static void
send_frame(struct load *load, unsigned index)
{
	struct leg *leg = &load->legs[index];
	const struct frame *frame = &load->voices[index % LOAD_VOICES][leg->frame++ % FRAMES];
	static const uint8_t dtx[] = { 0xF8 }; /* CELT, 20 ms, nothing */
	uint8_t bytes[PACKET_BYTES];
	struct writer w = writer_of(bytes, sizeof bytes);
	const uint32_t timestamp = leg->timestamp;

	leg->timestamp += AUDIO_FRAME_SAMPLES;
	if (!leg->settings.talks && leg->frame % DTX_EVERY_FRAMES != 0)
		return;
	const uint8_t level = rtp_audio_level_byte((struct rtp_audio_level){
		.below_full_db = leg->settings.talks ? frame->level : AUDIO_LEVEL_SILENCE,
		.voice = leg->settings.talks,
	});
	const struct rtp_ext ext = { .value = &level, .id = LOAD_LEVEL_EXT_ID, .len = 1 };
	const struct rtp_header header = { .payload_type = LOAD_PAYLOAD_TYPE,
		                           .seq = leg->seq++,
		                           .timestamp_rtp = timestamp,
		                           .ssrc = leg->ssrc,
		                           .exts = &ext,
		                           .ext_count = 1 };
	rtp_write_header(&w, &header);
	if (leg->settings.talks)
		writer_bytes(&w, frame->payload, frame->len);
	else
		writer_bytes(&w, dtx, sizeof dtx);
	size_t len = w.at;
	CHECK(!w.failed);
	if (leg->tx != NULL)
		CHECK(srtp_rtp_protect(leg->tx, bytes, &len, sizeof bytes) == SRTP_OK);
	if (sendto(socket_of(load, index), bytes, len, MSG_DONTWAIT,
	           (const struct sockaddr *)&leg->to, leg->to_len) > 0)
		atomic_fetch_add_explicit(&load->sent, 1, memory_order_relaxed);
}

/* ---- Receiving ----------------------------------------------------------------------------- */

/* The distance behind the highest number seen tells what is missing. */
static void
count_seq(struct load *load, struct leg *leg, uint16_t seq)
{
	if (!leg->heard) {
		leg->heard = true;
		leg->first = seq;
		leg->highest = seq;
	} else {
		const int16_t ahead = (int16_t)(seq - (uint16_t)leg->highest);
		if (ahead > 0) {
			leg->highest += ahead;
			atomic_fetch_add_explicit(&load->lost, (uint64_t)(ahead - 1),
			                          memory_order_relaxed);
		}
	}
	leg->received++;
	atomic_fetch_add_explicit(&load->received, 1, memory_order_relaxed);
}

static void
keep(struct leg *leg, const struct rtp_packet *packet)
{
	struct kept *kept = &leg->kept[leg->kept_count++ % KEPT_PACKETS];
	CHECK(packet->payload_len <= sizeof kept->payload);
	memcpy(kept->payload, rtp_payload(packet), packet->payload_len);
	kept->len = packet->payload_len;
}

static void
receive(struct load *load, const struct sockaddr_storage *from, uint8_t *bytes, size_t len)
{
	const struct net_addr source = addr_of_sockaddr((const struct sockaddr *)from);
	const uint32_t owner = load->leg_of_port[source.port];
	if (owner == 0 || len < 12) {
		atomic_fetch_add_explicit(&load->strays, 1, memory_order_relaxed);
		return;
	}
	struct leg *leg = &load->legs[owner - 1];
	if (rtp_kind_of(bytes, len) != RTP_KIND_RTP)
		return; /* a report */
	count_seq(load, leg, (uint16_t)(bytes[2] << 8 | bytes[3]));
	if (leg->kept == NULL && leg->received % CHECKED_EVERY != 0)
		return;
	struct rtp_packet packet;
	if ((leg->rx != NULL && srtp_rtp_unprotect(leg->rx, bytes, &len) != SRTP_OK) ||
	    rtp_parse(&packet, bytes, len) != RTP_OK) {
		atomic_fetch_add_explicit(&load->forged, 1, memory_order_relaxed);
		return;
	}
	if (leg->kept != NULL)
		keep(leg, &packet);
}

static void
drain(struct load *load, int socket)
{
	int count;
	do {
		for (unsigned i = 0; i < BATCH; i++)
			load->messages[i].msg_hdr.msg_namelen = sizeof load->names[i];
		count = recvmmsg(socket, load->messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++)
			receive(load, &load->names[i], load->packets[i], load->messages[i].msg_len);
	} while (count == BATCH);
}

/* ---- The thread ---------------------------------------------------------------------------- */

static int64_t
monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
sleep_until_ms(int64_t ms)
{
	const struct timespec until = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void *
load_main(void *context)
{
	struct load *load = context;
	int64_t ms = monotonic_ms() + 1;
	pthread_setname_np(pthread_self(), "load");
	for (; !atomic_load(&load->stopping); ms++) {
		sleep_until_ms(ms);
		if (monotonic_ms() - ms > LATE_MS)
			atomic_fetch_add_explicit(&load->late_ms, 1, memory_order_relaxed);
		/* Every leg has its own millisecond of the twenty, as independent phones have. */
		for (unsigned leg = (unsigned)(ms % FRAME_MS); leg < load->leg_count; leg += FRAME_MS)
			if (load->legs[leg].to_len != 0)
				send_frame(load, leg);
		for (unsigned i = 0; i < load->socket_count; i++)
			drain(load, load->sockets[i]);
		struct timespec cpu;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
		atomic_store_explicit(&load->cpu_us,
		                      (uint64_t)cpu.tv_sec * 1000000 + (uint64_t)cpu.tv_nsec / 1000,
		                      memory_order_relaxed);
	}
	return NULL;
}

void
load_start(struct load *load)
{
	CHECK(!load->running);
	atomic_store(&load->stopping, false);
	CHECK(pthread_create(&load->thread, NULL, load_main, load) == 0);
	load->running = true;
	if (load->core >= 0) {
		cpu_set_t cores;
		CPU_ZERO(&cores);
		CPU_SET((size_t)load->core, &cores);
		(void)pthread_setaffinity_np(load->thread, sizeof cores, &cores);
	}
}

void
load_stop(struct load *load)
{
	if (!load->running)
		return;
	atomic_store(&load->stopping, true);
	pthread_join(load->thread, NULL);
	load->running = false;
}

struct load_counts
load_counts(const struct load *load)
{
	return (struct load_counts){
		.sent = atomic_load(&load->sent),
		.received = atomic_load(&load->received),
		.lost = atomic_load(&load->lost),
		.forged = atomic_load(&load->forged),
		.strays = atomic_load(&load->strays),
		.late_ms = atomic_load(&load->late_ms),
	};
}

double
load_cpu_s(const struct load *load)
{
	return (double)atomic_load(&load->cpu_us) * 1e-6;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static int
open_socket(struct load *load, const struct net_addr *bind_addr)
{
	struct sockaddr_storage name;
	const socklen_t name_len = sockaddr_of(&name, bind_addr);
	const int bytes = BUFFER_BYTES;
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (bind(fd, (const struct sockaddr *)&name, name_len) != 0) {
		const int rc = -errno;
		close(fd);
		return rc;
	}
	load->sockets[load->socket_count] = fd;
	load->addrs[load->socket_count++] = addr_of_socket(fd);
	return 0;
}

int
load_create(struct load **out, unsigned legs, const struct net_addr *bind_addr, int core)
{
	const unsigned sockets = (legs + LEGS_PER_SOCKET - 1) / LEGS_PER_SOCKET;
	struct load *load = calloc(1, sizeof *load);
	CHECK(load != NULL && bind_addr->family == ADDR_IP4);
	load->leg_count = legs;
	load->core = core;
	load->sockets = calloc(sockets, sizeof *load->sockets);
	load->addrs = calloc(sockets, sizeof *load->addrs);
	load->legs = calloc(legs, sizeof *load->legs);
	load->leg_of_port = calloc(1 << 16, sizeof *load->leg_of_port);
	CHECK(load->sockets != NULL && load->addrs != NULL && load->legs != NULL &&
	      load->leg_of_port != NULL);
	for (unsigned i = 0; i < BATCH; i++) {
		load->vectors[i] = (struct iovec){ load->packets[i], PACKET_BYTES };
		load->messages[i].msg_hdr = (struct msghdr){ .msg_name = &load->names[i],
			                                     .msg_iov = &load->vectors[i],
			                                     .msg_iovlen = 1 };
	}
	make_voices(load);
	for (unsigned i = 0; i < sockets; i++) {
		const int rc = open_socket(load, bind_addr);
		if (rc != 0) {
			load_destroy(load);
			return rc;
		}
	}
	*out = load;
	return 0;
}

void
load_destroy(struct load *load)
{
	if (load == NULL)
		return;
	load_stop(load);
	for (unsigned i = 0; i < load->leg_count; i++) {
		srtp_session_destroy(load->legs[i].tx);
		srtp_session_destroy(load->legs[i].rx);
		free(load->legs[i].kept);
	}
	for (unsigned i = 0; i < load->socket_count; i++)
		close(load->sockets[i]);
	audio_codec_pool_destroy(load->codecs);
	free(load->leg_of_port);
	free(load->legs);
	free(load->addrs);
	free(load->sockets);
	free(load);
}

struct net_addr
load_addr(const struct load *load, unsigned leg)
{
	return load->addrs[leg / LEGS_PER_SOCKET];
}

static struct srtp_session *
session(enum srtp_suite suite, enum srtp_direction direction, const uint8_t *key)
{
	struct srtp_session *made = NULL;
	const struct srtp_settings settings = {
		.suite = suite,
		.direction = direction,
		.key = key,
		.salt = key + srtp_suite_info(suite)->key_bytes,
		.streams_max = 2,
	};
	CHECK(srtp_session_create(&made, &settings) == 0);
	return made;
}

void
load_set(struct load *load, unsigned index, const struct load_leg_settings *settings)
{
	struct leg *leg = &load->legs[index];
	CHECK(index < load->leg_count && !load->running && leg->to_len == 0);
	leg->settings = *settings;
	leg->to_len = sockaddr_of(&leg->to, &settings->bridge);
	leg->ssrc = 1000 + index;
	leg->frame = index * 37;
	leg->timestamp = index * 12345;
	load->leg_of_port[settings->bridge.port] = index + 1;
	if (settings->suite != SRTP_SUITE_NONE) {
		leg->tx = session(settings->suite, SRTP_OUTBOUND, settings->key_tx);
		leg->rx = session(settings->suite, SRTP_INBOUND, settings->key_rx);
	}
	if (settings->kept) {
		leg->kept = calloc(KEPT_PACKETS, sizeof *leg->kept);
		CHECK(leg->kept != NULL);
	}
}
