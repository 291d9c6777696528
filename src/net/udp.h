/* SPDX-License-Identifier: Apache-2.0 */
/* udp -- datagram sockets for thousands of legs: batched in, GSO runs out.
 *
 * In: recvmmsg into buffers shared by all sockets of a loop, UDP_GRO cut back into datagrams, one
 * callback each.  Out: udp_send() gathers datagrams of one socket and destination into one run,
 * which leaves as a single UDP_SEGMENT send; the first datagram that does not fit the run sends it.
 * A run is also sent before the loop sleeps and by udp_flush().  A kernel or interface that refuses
 * UDP_SEGMENT (EINVAL, EIO) makes that socket send datagram by datagram from then on.
 *
 * Ownership  udp_open/udp_close.  `bytes` of a received datagram are ours, borrowed to the callback
 *            until it returns; it may change them in place (SRTP does).  udp_send() copies.
 *            A socket may be closed inside its own callback.
 * Threads    The loop's.
 * Units      Bytes; buffer sizes as the kernel counts them.
 * Errors     udp_open: -errno; on -EADDRINUSE net/port_owner.h says who has it.  Sending never
 *            fails towards the caller: what the kernel refused is counted, as if the network had
 *            lost it.
 * Limits     UDP_DATAGRAM_BYTES_MAX a datagram, UDP_RUN_MAX datagrams a run; shared buffers of
 *            about 1.1 MB a loop, some 350 bytes of ours a socket.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/loop.h"

enum {
	UDP_DATAGRAM_BYTES_MAX = 65507,
	UDP_RUN_MAX = 64,     /* UDP_MAX_SEGMENTS of kernels before 6.9 */
	UDP_RECEIVE_MAX = 16, /* messages a recvmmsg; each may hold a GRO run */
};

struct udp_socket;

struct udp_datagram {
	const struct net_addr *from;
	/* Where it was sent to; the bound address unless that is the wildcard. */
	const struct net_addr *local;
	uint8_t *bytes;
	size_t len;
	/* When it was read from the socket, one reading per batch. */
	int64_t now_us;
};

typedef void udp_receive_cb(void *context, struct udp_socket *socket,
                            const struct udp_datagram *datagram);

struct udp_settings {
	struct net_addr bind; /* port 0: any free port; family decides IPv4 or IPv6 (v6 only) */
	udp_receive_cb *receive;
	void *context;
	uint8_t dscp;           /* 0-63 */
	bool reuse_port;        /* several sockets share the port, the kernel spreads senders */
	uint32_t receive_bytes; /* SO_RCVBUF, 0: system default */
	uint32_t send_bytes;    /* SO_SNDBUF, 0: system default */
};

/* Sums over a socket's life. */
struct udp_counters {
	uint64_t datagrams_in;
	uint64_t bytes_in;
	uint64_t datagrams_out;
	uint64_t bytes_out;
	uint64_t sends;             /* system calls: datagrams_out / sends is the gain of GSO */
	uint64_t dropped_again;     /* datagrams: EAGAIN, the send buffer was full */
	uint64_t dropped_no_memory; /* datagrams: ENOBUFS or ENOMEM */
	uint64_t dropped_error;     /* datagrams: any other refusal (EHOSTUNREACH, EPERM, ...) */
	uint64_t dropped_long;      /* datagrams: longer than UDP_DATAGRAM_BYTES_MAX */
	uint64_t gso_refused;       /* 1 after the fallback */
};

[[nodiscard]] int udp_open(struct udp_socket **out, struct loop *loop,
                           const struct udp_settings *settings);
void udp_close(struct udp_socket *socket);

/* The bound address with its real port. */
[[nodiscard]] const struct net_addr *udp_local(const struct udp_socket *socket);
[[nodiscard]] const struct udp_counters *udp_counters(const struct udp_socket *socket);

[[nodiscard]] int udp_set_dscp(struct udp_socket *socket, uint8_t dscp);

/* Fixes the destination: sends get about an eighth cheaper, and datagrams from anybody else are
 * dropped by the kernel.  ADDR_NONE undoes it. */
[[nodiscard]] int udp_connect(struct udp_socket *socket, const struct net_addr *to);

/* Queues one datagram.  `to` may differ from call to call, but is the connected address on a
 * connected socket. */
void udp_send(struct udp_socket *socket, const struct net_addr *to, const void *bytes, size_t len);

/* The same from one of the machine's addresses, for sockets bound to the wildcard: answer from
 * where you were asked, `datagram->local`. */
void udp_send_from(struct udp_socket *socket, const struct net_addr *local,
                   const struct net_addr *to, const void *bytes, size_t len);

/* Sends the loop's pending run now. */
void udp_flush(struct loop *loop);

#endif
