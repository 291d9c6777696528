/* SPDX-License-Identifier: Apache-2.0 */
#include "net/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/loop_internal.h"
#include "net/sockaddr.h"

enum {
	RECEIVE_BYTES = 65536, /* a GRO run is at most one IP packet's 65535 bytes */
	RUN_BYTES_MAX = 65000, /* under the 65507 of one IPv4 datagram, which bounds a GSO send */
	ROUNDS_MAX = 4, /* recvmmsg calls a wake-up, so that one flood does not starve others */
	CONTROL_BYTES = 128,
	SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL,
};

struct udp_socket {
	uv_poll_t poll;
	struct udp_io *io;
	struct net_addr local;
	struct net_addr connected; /* ADDR_NONE: not connected */
	struct udp_counters counters;
	udp_receive_cb *receive;
	void *context;
	int fd;
	bool wildcard;
	bool gso;
	bool closed;
};

/* Datagrams of one size (the last may be shorter) from one socket to one destination. */
struct run {
	struct udp_socket *socket; /* NULL: no run */
	struct net_addr to;
	struct net_addr from; /* ADDR_NONE: the system's choice */
	uint16_t datagram_bytes;
	uint16_t count;
	bool full; /* holds its short last one */
	size_t bytes_len;
	uint8_t bytes[UDP_DATAGRAM_BYTES_MAX];
};

/* What the sockets of one loop share. */
struct udp_io {
	uv_prepare_t prepare; /* sends the run before the loop sleeps */
	struct run run;
	uint8_t received[UDP_RECEIVE_MAX][RECEIVE_BYTES];
	_Alignas(16) uint8_t control[UDP_RECEIVE_MAX][CONTROL_BYTES];
	struct sockaddr_storage names[UDP_RECEIVE_MAX];
	struct iovec vectors[UDP_RECEIVE_MAX];
	struct mmsghdr messages[UDP_RECEIVE_MAX];
};

/* -- out ------------------------------------------------------------------------------------- */

/* Attaches one control message to `header`; its buffer was big enough or that is our bug. */
static void
control_add(struct msghdr *header, size_t cap, int level, int type, const void *value, size_t len)
{
	struct cmsghdr *at =
	        (struct cmsghdr *)(void *)((uint8_t *)header->msg_control + header->msg_controllen);
	CHECK(header->msg_controllen + CMSG_SPACE(len) <= cap);
	at->cmsg_level = level;
	at->cmsg_type = type;
	at->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(at), value, len);
	header->msg_controllen += CMSG_SPACE(len);
}

static void
control_add_source(struct msghdr *header, size_t cap, const struct net_addr *from)
{
	if (from->family == ADDR_IP4) {
		struct in_pktinfo info = { 0 };
		memcpy(&info.ipi_spec_dst, from->ip, 4);
		control_add(header, cap, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	} else if (from->family == ADDR_IP6) {
		struct in6_pktinfo info = { .ipi6_ifindex = from->scope };
		memcpy(&info.ipi6_addr, from->ip, 16);
		control_add(header, cap, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
}

static ssize_t
send_with_control(const struct udp_socket *socket, const struct net_addr *from,
                  struct msghdr *header, uint16_t segment_bytes)
{
	_Alignas(16) uint8_t control[CONTROL_BYTES] = { 0 };
	header->msg_control = control;
	control_add_source(header, sizeof control, from);
	if (segment_bytes != 0)
		control_add(header, sizeof control, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes,
		            sizeof segment_bytes);
	return sendmsg(socket->fd, header, SEND_FLAGS);
}

/* One system call: `segment_bytes` is not zero for a run of several datagrams.  Most sends are one
 * datagram and nothing more to say: sendto() spares the kernel fetching a header and a vector. */
static int
send_once(const struct udp_socket *socket, const struct run *run, const uint8_t *bytes, size_t len,
          uint16_t segment_bytes)
{
	struct sockaddr_storage name;
	struct iovec vector = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	const bool plain = segment_bytes == 0 && run->from.family == ADDR_NONE;

	if (socket->connected.family == ADDR_NONE) {
		header.msg_namelen = sockaddr_of(&name, &run->to);
		header.msg_name = &name;
	}
	for (;;) {
		const ssize_t sent = plain ? sendto(socket->fd, bytes, len, SEND_FLAGS,
		                                    header.msg_name, header.msg_namelen)
		                           : send_with_control(socket, &run->from, &header,
		                                               segment_bytes);
		if (sent >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
		header.msg_controllen = 0;
	}
}

static void
count_sent(struct udp_socket *socket, int rc, unsigned datagrams, size_t bytes_len)
{
	struct udp_counters *counters = &socket->counters;
	counters->sends++;
	switch (rc) {
	case 0:
		counters->datagrams_out += datagrams;
		counters->bytes_out += bytes_len;
		break;
	case -EAGAIN:
		counters->dropped_again += datagrams;
		break;
	case -ENOBUFS:
	case -ENOMEM:
		counters->dropped_no_memory += datagrams;
		break;
	default:
		counters->dropped_error += datagrams;
		break;
	}
}

/* An ICMP error of an earlier datagram is reported by the next call on a connected socket, which
 * then sends nothing: try once more. */
static int
send_counted(struct udp_socket *socket, const struct run *run, const uint8_t *bytes, size_t len,
             uint16_t segment_bytes)
{
	const int rc = send_once(socket, run, bytes, len, segment_bytes);
	if (rc == -ECONNREFUSED)
		return send_once(socket, run, bytes, len, segment_bytes);
	return rc;
}

static void
run_send(struct run *run)
{
	struct udp_socket *socket = run->socket;
	if (socket == NULL)
		return;
	run->socket = NULL;

	if (run->count > 1 && socket->gso) {
		const int rc =
		        send_counted(socket, run, run->bytes, run->bytes_len, run->datagram_bytes);
		if (rc != -EINVAL && rc != -EIO && rc != -EMSGSIZE) {
			count_sent(socket, rc, run->count, run->bytes_len);
			return;
		}
		/* EMSGSIZE may be this run's own fault (a datagram beyond the path's MTU, which only
		 * IP fragmentation can carry); the others are the interface's and stay. */
		if (rc != -EMSGSIZE) {
			socket->gso = false;
			socket->counters.gso_refused = 1;
		}
	}
	for (size_t at = 0; at < run->bytes_len || run->count == 1;) {
		const size_t left = run->bytes_len - at;
		const size_t len = left < run->datagram_bytes ? left : run->datagram_bytes;
		count_sent(socket, send_counted(socket, run, run->bytes + at, len, 0), 1, len);
		at += len;
		if (run->count == 1)
			return;
	}
}

static bool
run_takes(const struct run *run, const struct udp_socket *socket, const struct net_addr *to,
          const struct net_addr *from, size_t len)
{
	return run->socket == socket && socket->gso && !run->full && run->count < UDP_RUN_MAX &&
	       len != 0 && len <= run->datagram_bytes && run->bytes_len + len <= RUN_BYTES_MAX &&
	       addr_eq(&run->to, to) && addr_eq_ip(&run->from, from);
}

static void
send_from(struct udp_socket *socket, const struct net_addr *from, const struct net_addr *to,
          const void *bytes, size_t len)
{
	CHECK(!socket->closed);
	struct run *run = &socket->io->run;
	if (len > UDP_DATAGRAM_BYTES_MAX) {
		socket->counters.dropped_long++;
		return;
	}
	if (!run_takes(run, socket, to, from, len)) {
		run_send(run);
		run->socket = socket;
		run->to = *to;
		run->from = *from;
		run->datagram_bytes = (uint16_t)len;
		run->count = 0;
		run->full = false;
		run->bytes_len = 0;
	}
	if (len != 0)
		memcpy(run->bytes + run->bytes_len, bytes, len);
	run->bytes_len += len;
	run->count++;
	run->full = len < run->datagram_bytes;
}

void
udp_send(struct udp_socket *socket, const struct net_addr *to, const void *bytes, size_t len)
{
	static const struct net_addr any = { 0 };
	send_from(socket, &any, to, bytes, len);
}

void
udp_send_from(struct udp_socket *socket, const struct net_addr *local, const struct net_addr *to,
              const void *bytes, size_t len)
{
	static const struct net_addr any = { 0 };
	send_from(socket, socket->wildcard ? local : &any, to, bytes, len);
}

void
udp_flush(struct loop *loop)
{
	if (loop->udp != NULL)
		run_send(&loop->udp->run);
}

static void
on_prepare(uv_prepare_t *prepare)
{
	run_send(&CONTAINER_OF(prepare, struct udp_io, prepare)->run);
}

/* -- in -------------------------------------------------------------------------------------- */

/* What the kernel told beside the bytes. */
struct told {
	struct net_addr local;
	size_t segment_bytes; /* of a GRO run */
};

static struct told
read_control(const struct udp_socket *socket, struct msghdr *header, size_t len)
{
	struct told told = { .local = socket->local, .segment_bytes = len };
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
		if (at->cmsg_level == IPPROTO_UDP && at->cmsg_type == UDP_GRO) {
			int bytes;
			memcpy(&bytes, CMSG_DATA(at), sizeof bytes);
			if (bytes > 0)
				told.segment_bytes = (size_t)bytes;
		} else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(at), sizeof info);
			memcpy(told.local.ip, &info.ipi_spec_dst, 4);
		} else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(at), sizeof info);
			memcpy(told.local.ip, &info.ipi6_addr, 16);
			if (addr_is_link_local(&told.local))
				told.local.scope = info.ipi6_ifindex;
		}
	}
	return told;
}

/* Cuts one received message into its datagrams. */
static void
deliver(struct udp_socket *socket, struct msghdr *header, uint8_t *bytes, size_t len,
        int64_t now_us)
{
	if ((header->msg_flags & MSG_TRUNC) != 0) {
		socket->counters.dropped_long++;
		return;
	}
	const struct net_addr from = addr_of_sockaddr(header->msg_name);
	const struct told told = read_control(socket, header, len);
	size_t at = 0;
	do {
		const size_t left = len - at;
		const struct udp_datagram datagram = {
			.from = &from,
			.local = &told.local,
			.bytes = bytes + at,
			.len = left < told.segment_bytes ? left : told.segment_bytes,
			.now_us = now_us,
		};
		socket->counters.datagrams_in++;
		socket->counters.bytes_in += datagram.len;
		at += datagram.len;
		if (socket->receive != NULL)
			socket->receive(socket->context, socket, &datagram);
	} while (at < len && !socket->closed);
}

static int
receive_batch(struct udp_socket *socket)
{
	struct udp_io *io = socket->io;
	for (unsigned i = 0; i < UDP_RECEIVE_MAX; i++) {
		struct msghdr *header = &io->messages[i].msg_hdr;
		header->msg_namelen = sizeof io->names[i];
		header->msg_controllen = sizeof io->control[i];
		header->msg_flags = 0;
	}
	const int count = recvmmsg(socket->fd, io->messages, UDP_RECEIVE_MAX, MSG_DONTWAIT, NULL);
	if (count <= 0)
		return 0;
	const int64_t now_us = loop_now_us();
	for (int i = 0; i < count && !socket->closed; i++)
		deliver(socket, &io->messages[i].msg_hdr, io->received[i], io->messages[i].msg_len,
		        now_us);
	return count;
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct udp_socket *socket = CONTAINER_OF(poll, struct udp_socket, poll);
	/* A batch that was not full has emptied the socket: no further call to learn EAGAIN. */
	for (unsigned round = 0; round < ROUNDS_MAX && !socket->closed; round++) {
		if (receive_batch(socket) < UDP_RECEIVE_MAX)
			break;
	}
}

/* -- life ------------------------------------------------------------------------------------ */

static int
io_of_loop(struct udp_io **out, struct loop *loop)
{
	if (loop->udp == NULL) {
		struct udp_io *io = calloc(1, sizeof *io);
		if (io == NULL)
			return -ENOMEM;
		for (unsigned i = 0; i < UDP_RECEIVE_MAX; i++) {
			io->vectors[i].iov_base = io->received[i];
			io->vectors[i].iov_len = sizeof io->received[i];
			io->messages[i].msg_hdr = (struct msghdr){
				.msg_name = &io->names[i],
				.msg_iov = &io->vectors[i],
				.msg_iovlen = 1,
				.msg_control = io->control[i],
			};
		}
		CHECK(uv_prepare_init(&loop->uv, &io->prepare) == 0);
		CHECK(uv_prepare_start(&io->prepare, on_prepare) == 0);
		loop->udp = io;
	}
	*out = loop->udp;
	return 0;
}

static void
free_io(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct udp_io, prepare));
}

void
udp_io_destroy(struct udp_io *io)
{
	if (io != NULL) {
		CHECK(io->run.socket == NULL);
		uv_close((uv_handle_t *)&io->prepare, free_io);
	}
}

static int
set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

static int
set_dscp(int fd, const struct net_addr *local, uint8_t dscp)
{
	CHECK(dscp < 64);
	return local->family == ADDR_IP4 ? set_int(fd, IPPROTO_IP, IP_TOS, dscp << 2)
	                                 : set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
}

static int
configure(struct udp_socket *socket, const struct udp_settings *settings)
{
	const int fd = socket->fd;
	const bool ip4 = settings->bind.family == ADDR_IP4;
	int rc = 0;
	if (!ip4)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (rc == 0 && settings->reuse_port)
		rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (rc == 0 && settings->receive_bytes != 0)
		rc = set_int(fd, SOL_SOCKET, SO_RCVBUF, (int)settings->receive_bytes);
	if (rc == 0 && settings->send_bytes != 0)
		rc = set_int(fd, SOL_SOCKET, SO_SNDBUF, (int)settings->send_bytes);
	if (rc == 0 && settings->dscp != 0)
		rc = set_dscp(fd, &settings->bind, settings->dscp);
	if (rc == 0 && socket->wildcard)
		rc = ip4 ? set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
		         : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (rc != 0)
		return rc;
	/* Old kernels lack both; then datagrams come and go one by one. */
	(void)set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
	socket->gso = set_int(fd, IPPROTO_UDP, UDP_SEGMENT, 0) == 0;

	struct sockaddr_storage name;
	const socklen_t name_len = sockaddr_of(&name, &settings->bind);
	if (bind(fd, (const struct sockaddr *)&name, name_len) != 0)
		return -errno;
	socket->local = addr_of_socket(fd);
	return 0;
}

int
udp_open(struct udp_socket **out, struct loop *loop, const struct udp_settings *settings)
{
	CHECK(settings->bind.family == ADDR_IP4 || settings->bind.family == ADDR_IP6);
	struct udp_socket *udp = calloc(1, sizeof *udp);
	if (udp == NULL)
		return -ENOMEM;
	udp->receive = settings->receive;
	udp->context = settings->context;
	udp->wildcard = addr_is_unspecified(&settings->bind);

	int rc = io_of_loop(&udp->io, loop);
	if (rc != 0)
		goto out_free;
	udp->fd = socket(settings->bind.family == ADDR_IP4 ? AF_INET : AF_INET6,
	                 SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (udp->fd < 0) {
		rc = -errno;
		goto out_free;
	}
	rc = configure(udp, settings);
	if (rc == 0)
		rc = uv_poll_init(&loop->uv, &udp->poll, udp->fd);
	if (rc != 0)
		goto out_close;
	CHECK(uv_poll_start(&udp->poll, UV_READABLE, on_readable) == 0);
	*out = udp;
	return 0;
out_close:
	close(udp->fd);
out_free:
	free(udp);
	return rc;
}

static void
free_socket(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct udp_socket, poll));
}

void
udp_close(struct udp_socket *socket)
{
	if (socket == NULL)
		return;
	CHECK(!socket->closed);
	if (socket->io->run.socket == socket)
		run_send(&socket->io->run);
	socket->closed = true;
	/* In this order: libuv must not touch a descriptor number that may be somebody else's. */
	uv_close((uv_handle_t *)&socket->poll, free_socket);
	close(socket->fd);
}

const struct net_addr *
udp_local(const struct udp_socket *socket)
{
	return &socket->local;
}

const struct udp_counters *
udp_counters(const struct udp_socket *socket)
{
	return &socket->counters;
}

int
udp_set_dscp(struct udp_socket *socket, uint8_t dscp)
{
	return set_dscp(socket->fd, &socket->local, dscp);
}

int
udp_connect(struct udp_socket *socket, const struct net_addr *to)
{
	if (socket->io->run.socket == socket)
		run_send(&socket->io->run);
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t name_len = sizeof(struct sockaddr);
	if (to->family != ADDR_NONE)
		name_len = sockaddr_of(&name, to);
	if (connect(socket->fd, (const struct sockaddr *)&name, name_len) != 0)
		return -errno;
	socket->connected = *to;
	return 0;
}
