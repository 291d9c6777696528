/* SPDX-License-Identifier: Apache-2.0 */
/* How many packets of pictures one core forwards: one source to many, SRTP on both sides, through a
 * real media worker and real sockets.
 *
 *	forward_bench [--json] [--legs N] [--kbps N] [--suite cm|gcm|none] [--seconds N] [--cut] [--spread]
 *
 * Without --legs it goes through the whole table.
 *
 * Method: a load thread on one core sends 30 frames a second of VP8, each in packets of about 1,100
 * bytes, and takes what every receiver is sent; the worker is pinned to the other core.  After two
 * seconds the worker's CPU time and its packets are read once a second; "per core" is the median of
 * packets divided by CPU seconds.  A row stands only when every receiver got every packet in
 * sequence, and those that are looked into could be decrypted.  The receivers take whole runs
 * (UDP_GRO), as a network card takes them that cuts runs itself; with --cut the kernel cuts every
 * run into datagrams within the worker's send, as it does for a card that cannot.  Frames are sent at
 * once; with --spread a packet a millisecond. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prng.h"
#include "bench.h"
#include "bridge.h"
#include "net/sockaddr.h"
#include "rtp/rtp.h"
#include "video/vp8.h"

enum {
	LEGS_MAX = 4000,
	WARM_S = 2,
	SECONDS_DEFAULT = 5,
	SECONDS_MAX = 100,
	LOAD_CORE = 0,
	WORKER_CORE = 1,
	SOCKETS = 16,
	BUFFER_BYTES = 16 << 20,
	BATCH = 32,
	RUN_BYTES = 65536,
	PAYLOAD_TYPE = 96,
	PAYLOAD_BYTES = 1100,
	FRAME_US = 33333,
	SPREAD_US = 900,
	KEY_EVERY = 300,
	TX_SSRC = 0x10000,
	KEPT_EVERY = 97, /* of so many receivers one is decrypted */
	FRAME_BYTES_MAX = 64 * 1024,
};

static int seconds = SECONDS_DEFAULT;
static bool cut;
static bool spread;

struct row {
	unsigned legs; /* receivers */
	unsigned kbps;
	enum srtp_suite suite;
};

struct receiver {
	bool heard;
	uint16_t seq;
	struct srtp_session *rx; /* NULL: only its numbers are looked at */
};

struct source {
	struct srtp_session *tx;
	struct net_addr to;
	uint16_t seq;
	uint32_t timestamp_rtp;
	uint16_t picture_id;
	unsigned frames;
};

struct field {
	const struct row *row;
	int sockets[SOCKETS];
	struct net_addr addrs[SOCKETS];
	struct receiver *receivers;
	struct source source;
	pthread_t thread;
	_Atomic bool stopping;
	_Atomic uint64_t received, lost, forged, sent;
	uint8_t bytes[BATCH][RUN_BYTES];
	uint8_t control[BATCH][64];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
};

struct keys {
	uint8_t to_bridge[MEDIA_SDES_KEY_MAX];
	uint8_t from_bridge[MEDIA_SDES_KEY_MAX];
};

static struct keys
keys_of(unsigned leg)
{
	struct keys keys;
	struct prng prng;
	prng_init(&prng, leg + 1);
	prng_bytes(&prng, &keys, sizeof keys);
	return keys;
}

static struct srtp_session *
session_of(enum srtp_suite suite, enum srtp_direction direction, const uint8_t *key)
{
	struct srtp_session *session = NULL;
	if (suite == SRTP_SUITE_NONE)
		return NULL;
	const struct srtp_settings settings = { .suite = suite,
		                                .direction = direction,
		                                .key = key,
		                                .salt = key + srtp_suite_info(suite)->key_bytes };
	CHECK(srtp_session_create(&session, &settings) == 0);
	return session;
}

/* ---- The load ------------------------------------------------------------------------------ */

static void
send_packet(struct field *field, const uint8_t *payload, size_t len, bool marker)
{
	struct source *source = &field->source;
	struct sockaddr_storage name;
	uint8_t bytes[1400];
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	const struct rtp_header header = { .payload_type = PAYLOAD_TYPE,
		                           .marker = marker,
		                           .seq = source->seq++,
		                           .timestamp_rtp = source->timestamp_rtp,
		                           .ssrc = 77 };
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	size_t packet_len = w.at;
	if (source->tx != NULL)
		CHECK(srtp_rtp_protect(source->tx, bytes, &packet_len, sizeof bytes) == SRTP_OK);
	const socklen_t name_len = sockaddr_of(&name, &source->to);
	if (sendto(field->sockets[0], bytes, packet_len, 0, (struct sockaddr *)&name, name_len) > 0)
		field->sent++;
}

static void
send_frame(struct field *field)
{
	static uint8_t frame[FRAME_BYTES_MAX];
	struct source *source = &field->source;
	struct vp8_packetizer packetizer;
	const size_t len = (size_t)field->row->kbps * 1000 / 8 / 30;
	frame[0] = source->frames++ % KEY_EVERY == 0 ? 0x10 : 0x11;
	frame[3] = 0x9d, frame[4] = 0x01, frame[5] = 0x2a;
	frame[6] = 0, frame[7] = 5, frame[8] = 0xd0, frame[9] = 2; /* 1280 x 720 */
	vp8_packetizer_init(&packetizer, frame, len, source->picture_id++ & 0x7fff, false,
	                    PAYLOAD_BYTES);
	for (;;) {
		uint8_t payload[PAYLOAD_BYTES];
		bool last;
		struct writer w = writer_of(payload, sizeof payload);
		if (!vp8_packetizer_next(&packetizer, &w, &last))
			break;
		if (spread)
			usleep(SPREAD_US);
		send_packet(field, payload, w.at, last);
	}
	source->timestamp_rtp += 3000;
}

static void
take_packet(struct field *field, uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	if (rtp_kind_of(bytes, len) != RTP_KIND_RTP)
		return;
	if (rtp_parse(&packet, bytes, len) != RTP_OK || packet.ssrc < TX_SSRC ||
	    packet.ssrc >= TX_SSRC + field->row->legs) {
		field->forged++;
		return;
	}
	struct receiver *receiver = &field->receivers[packet.ssrc - TX_SSRC];
	if (receiver->heard)
		field->lost += (uint16_t)(packet.seq - receiver->seq - 1);
	receiver->heard = true;
	receiver->seq = packet.seq;
	field->received++;
	if (receiver->rx != NULL && srtp_rtp_unprotect(receiver->rx, bytes, &len) != SRTP_OK)
		field->forged++;
}

static size_t
segment_of(struct msghdr *header, size_t len)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
		int bytes;
		if (at->cmsg_level != IPPROTO_UDP || at->cmsg_type != UDP_GRO)
			continue;
		memcpy(&bytes, CMSG_DATA(at), sizeof bytes);
		return (size_t)bytes;
	}
	return len;
}

static void
drain(struct field *field, int socket)
{
	int count;
	do {
		for (unsigned i = 0; i < BATCH; i++) {
			field->vectors[i] = (struct iovec){ field->bytes[i], RUN_BYTES };
			field->messages[i].msg_hdr =
				(struct msghdr){ .msg_iov = &field->vectors[i],
				                 .msg_iovlen = 1,
				                 .msg_control = field->control[i],
				                 .msg_controllen = sizeof field->control[i] };
		}
		count = recvmmsg(socket, field->messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++) {
			const size_t len = field->messages[i].msg_len;
			const size_t segment = segment_of(&field->messages[i].msg_hdr, len);
			for (size_t at = 0; at < len; at += segment)
				take_packet(field, field->bytes[i] + at,
				            len - at < segment ? len - at : segment);
		}
	} while (count == BATCH);
}

static void *
field_main(void *context)
{
	struct field *field = context;
	cpu_set_t cores;
	CPU_ZERO(&cores);
	CPU_SET(LOAD_CORE, &cores);
	(void)pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
	int64_t frame_us = loop_now_us();
	while (!atomic_load(&field->stopping)) {
		if (loop_now_us() >= frame_us) {
			send_frame(field);
			frame_us += FRAME_US;
		}
		for (unsigned i = 0; i < SOCKETS; i++)
			drain(field, field->sockets[i]);
		usleep(500);
	}
	return NULL;
}

static void
field_open(struct field *field, const struct row *row)
{
	const int one = 1;
	const int buffer_bytes = BUFFER_BYTES;
	field->row = row;
	field->receivers = calloc(row->legs, sizeof *field->receivers);
	CHECK(field->receivers != NULL);
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct sockaddr_storage name;
		const struct net_addr bind_to = addr_ip4(127, 0, 78, 2, 0);
		socklen_t len = sockaddr_of(&name, &bind_to);
		const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0);
		len = sizeof name;
		CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) != 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes,
			                 sizeof buffer_bytes);
		if (!cut)
			CHECK(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) == 0);
		field->sockets[i] = fd;
		field->addrs[i] = addr_of_sockaddr((struct sockaddr *)&name);
	}
}

static void
field_close(struct field *field)
{
	for (unsigned i = 0; i < SOCKETS; i++)
		close(field->sockets[i]);
	for (unsigned i = 0; i < field->row->legs; i++)
		srtp_session_destroy(field->receivers[i].rx);
	srtp_session_destroy(field->source.tx);
	free(field->receivers);
	free(field);
}

/* ---- The bridge ---------------------------------------------------------------------------- */

/* The source is the leg behind the receivers. */
static void
agree(struct bridge *bridge, struct field *field, unsigned leg)
{
	const struct row *row = field->row;
	const bool source = leg == row->legs;
	const struct keys keys = keys_of(leg);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = bridge_leg(leg) };
	transport.transport.remote_rtp = field->addrs[source ? 0 : leg % SOCKETS];
	transport.transport.rtcp_mux = true;
	if (row->suite != SRTP_SUITE_NONE) {
		transport.transport.security = MEDIA_SECURITY_SDES;
		transport.transport.sdes_suite_tx = (uint8_t)row->suite;
		transport.transport.sdes_suite_rx = (uint8_t)row->suite;
		memcpy(transport.transport.sdes_key_tx, keys.from_bridge, MEDIA_SDES_KEY_MAX);
		memcpy(transport.transport.sdes_key_rx, keys.to_bridge, MEDIA_SDES_KEY_MAX);
	}
	bridge_post(bridge, &transport);
	struct media_order video = { .kind = MEDIA_ORDER_LEG_VIDEO, .leg = bridge_leg(leg) };
	video.video = (struct media_video_settings){
		.receive = source,
		.send = !source,
		.nack = true,
		.pli = true,
		.payload_count = 1,
		.tx_ssrc = TX_SSRC + leg,
		.payloads = { { .codec = VIDEO_CODEC_VP8,
		                .rx_payload_type = PAYLOAD_TYPE,
		                .tx_payload_type = PAYLOAD_TYPE,
		                .rx_rtx_payload_type = 255,
		                .tx_rtx_payload_type = 255 } },
	};
	bridge_post(bridge, &video);
	if (source) {
		field->source.to = bridge->opened[leg].local_rtp;
		field->source.tx = session_of(row->suite, SRTP_OUTBOUND, keys.to_bridge);
		return;
	}
	if (leg % KEPT_EVERY == 0)
		field->receivers[leg].rx = session_of(row->suite, SRTP_INBOUND, keys.from_bridge);
	struct media_order show = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = bridge_leg(leg) };
	show.show.kind = MEDIA_SHOW_SOURCE;
	show.show.source = video_source(bridge_leg(row->legs), VIDEO_TRACK_MAIN);
	bridge_post(bridge, &show);
}

struct result {
	double per_core;
	double cpu_pct;
	double packets_per_s;
	uint64_t lost, forged;
	double share; /* of what was to be received */
};

static void
measure(struct bridge *bridge, struct field *field, struct result *result)
{
	static double per_core[SECONDS_MAX];
	bridge_run(bridge, WARM_S);
	const uint64_t lost = field->lost;
	const uint64_t received_first = field->received;
	const uint64_t sent_first = field->sent;
	const double start_s = bench_now_s();
	const double start_cpu_s = bench_thread_cpu_s(getpid(), bridge->thread);
	double cpu_s = start_cpu_s;
	uint64_t received = received_first;
	for (int i = 0; i < seconds; i++) {
		bridge_run(bridge, 1);
		const double now_cpu_s = bench_thread_cpu_s(getpid(), bridge->thread);
		const uint64_t now_received = field->received;
		per_core[i] = (double)(now_received - received) / (now_cpu_s - cpu_s);
		cpu_s = now_cpu_s;
		received = now_received;
	}
	const double span_s = bench_now_s() - start_s;
	*result = (struct result){
		.per_core = bench_quantile(per_core, (size_t)seconds, 0.5),
		.cpu_pct = 100 * (cpu_s - start_cpu_s) / span_s,
		.packets_per_s = (double)(received - received_first) / span_s,
		.lost = field->lost - lost,
		.forged = field->forged,
		.share = (double)(received - received_first) /
		         ((double)(field->sent - sent_first) * field->row->legs),
	};
}

static void
run_row(const struct row *row)
{
	struct bridge bridge;
	struct result result;
	struct field *field = calloc(1, sizeof *field);
	CHECK(field != NULL);
	const struct bridge_settings settings = { .legs_max = row->legs + 1,
		                                  .rooms_max = 1,
		                                  .bind = addr_ip4(127, 0, 78, 1, 0),
		                                  .core = WORKER_CORE };
	field_open(field, row);
	CHECK(bridge_create(&bridge, &settings) == 0);
	CHECK(bridge_open_from(&bridge, 0, row->legs + 1));
	for (unsigned leg = 0; leg <= row->legs; leg++)
		agree(&bridge, field, leg);
	CHECK(bridge_wait(&bridge, &bridge.connected_count, row->legs + 1, 30));
	bridge_run(&bridge, 0.5);
	CHECK(pthread_create(&field->thread, NULL, field_main, field) == 0);
	measure(&bridge, field, &result);
	atomic_store(&field->stopping, true);
	pthread_join(field->thread, NULL);
	bridge_destroy(&bridge);
	field_close(field);

	/* A frame may be on its way at both readings. */
	const bool stands = result.lost == 0 && result.forged == 0 && result.share > 0.97;
	const char *suite = row->suite == SRTP_SUITE_NONE ? "clear"
	                                                  : srtp_suite_info(row->suite)->name;
	if (bench_json)
		printf("{\"bench\":\"forward\",\"legs\":%u,\"kbps\":%u,\"suite\":\"%s\",\"cut\":%s,"
		       "\"packets_per_s\":%.0f,\"cpu_pct\":%.1f,\"per_core\":%.0f,\"lost\":%" PRIu64
		       ",\"stands\":%s}\n",
		       row->legs, row->kbps, suite, cut ? "true" : "false", result.packets_per_s,
		       result.cpu_pct, result.per_core, result.lost, stands ? "true" : "false");
	else
		printf("%5u receivers %5u kb/s %-24s %8.0f packets/s %6.1f %% cpu %8.0f per core"
		       "  lost %" PRIu64 " share %.3f%s\n",
		       row->legs, row->kbps, suite, result.packets_per_s, result.cpu_pct,
		       result.per_core, result.lost, result.share, stands ? "" : "  FAILED");
	fflush(stdout);
}

static void
run_table(void)
{
	const enum srtp_suite cm = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80;
	const enum srtp_suite gcm = SRTP_SUITE_AEAD_AES_128_GCM;
	const struct row rows[] = {
		{ 500, 600, gcm },  { 1000, 600, gcm }, { 2000, 600, gcm },  { 500, 1500, gcm },
		{ 1000, 1500, gcm }, { 1000, 600, cm },  { 500, 1500, cm },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++)
		run_row(&rows[i]);
}

int
main(int argc, char **argv)
{
	struct row row = { .kbps = 1500, .suite = SRTP_SUITE_AEAD_AES_128_GCM };
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--cut") == 0 ||
		    strcmp(argv[i], "--spread") == 0) {
			bench_json |= argv[i][2] == 'j';
			cut |= argv[i][2] == 'c';
			spread |= argv[i][2] == 's';
			continue;
		}
		if (strcmp(argv[i], "--legs") == 0) {
			row.legs = (unsigned)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i], "--kbps") == 0) {
			row.kbps = (unsigned)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i], "--seconds") == 0) {
			seconds = (int)strtol(value, NULL, 10);
		} else if (strcmp(argv[i], "--suite") == 0) {
			row.suite = strcmp(value, "cm") == 0 ? SRTP_SUITE_AES_CM_128_HMAC_SHA1_80
			            : strcmp(value, "none") == 0 ? SRTP_SUITE_NONE
			                                         : row.suite;
		} else {
			fprintf(stderr, "forward_bench: what is %s?\n", argv[i]);
			return 2;
		}
		i++;
	}
	if (row.legs >= LEGS_MAX || seconds < 1 || seconds > SECONDS_MAX || row.kbps < 100 ||
	    row.kbps > 8000) {
		fprintf(stderr, "forward_bench: at most %d receivers, %d seconds, 100 to 8000 kb/s\n",
		        LEGS_MAX - 1, SECONDS_MAX);
		return 2;
	}
	const struct rlimit files = { 20000, 20000 };
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 });
	if (row.legs != 0)
		run_row(&row);
	else
		run_table();
	return 0;
}
