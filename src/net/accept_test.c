/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: connections come out as descriptors with their peers' addresses, and a port that is taken says
 * so.  Method: real sockets on loopback. */
#include "net/accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "net/sockaddr.h"

struct seen {
	struct loop *loop;
	int fd;
	unsigned count;
	struct net_addr peer;
};

static void
on_connection(void *context, int fd, const struct net_addr *peer)
{
	struct seen *seen = context;
	seen->fd = fd;
	seen->peer = *peer;
	seen->count++;
	loop_stop(seen->loop);
}

/* A free port of that address. */
static struct net_addr
free_address(struct net_addr addr)
{
	struct sockaddr_storage address;
	const socklen_t len = sockaddr_of(&address, &addr);
	const int fd = socket(address.ss_family, SOCK_STREAM, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (const struct sockaddr *)&address, len), 0);
	const struct net_addr bound = addr_of_socket(fd);
	close(fd);
	return bound;
}

static int
connect_to(const struct net_addr *addr)
{
	struct sockaddr_storage address;
	const socklen_t len = sockaddr_of(&address, addr);
	const int fd = socket(address.ss_family, SOCK_STREAM, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(connect(fd, (const struct sockaddr *)&address, len), 0);
	return fd;
}

TEST(a_connection_comes_as_a_descriptor_with_its_peer)
{
	const struct net_addr bind = free_address(addr_ip4(127, 0, 0, 1, 0));
	struct seen seen = { 0 };
	struct accept_port *port = NULL;
	char c = 0;
	EXPECT_EQ(loop_create(&seen.loop), 0);
	EXPECT_EQ(accept_create(&port, seen.loop, &bind, on_connection, &seen), 0);
	const int fd = connect_to(&bind);
	const struct net_addr mine = addr_of_socket(fd);
	loop_run_until(seen.loop, loop_now_us() + 5000000);
	EXPECT_EQ(seen.count, 1);
	EXPECT(addr_eq(&seen.peer, &mine));
	EXPECT_EQ(write(fd, "x", 1), 1);
	EXPECT_EQ(read(seen.fd, &c, 1), 1); /* it blocks until there is something */
	EXPECT_EQ(c, 'x');
	close(seen.fd);
	close(fd);
	accept_destroy(port);
	loop_destroy(seen.loop);
}

TEST(a_taken_port_is_told)
{
	const struct net_addr bind = free_address(addr_ip4(127, 0, 0, 1, 0));
	struct accept_port *first = NULL, *second = NULL;
	struct seen seen = { 0 };
	EXPECT_EQ(loop_create(&seen.loop), 0);
	EXPECT_EQ(accept_create(&first, seen.loop, &bind, on_connection, &seen), 0);
	EXPECT_EQ(accept_create(&second, seen.loop, &bind, on_connection, &seen), -EADDRINUSE);
	accept_destroy(first);
	EXPECT_EQ(accept_create(&second, seen.loop, &bind, on_connection, &seen), 0);
	accept_destroy(second);
	accept_destroy(NULL);
	loop_destroy(seen.loop);
}
