/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t
sockaddr_of(struct sockaddr_storage *out, const struct net_addr *addr)
{
	memset(out, 0, sizeof *out);
	if (addr->family == ADDR_IP4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(addr->port);
		memcpy(&in->sin_addr, addr->ip, 4);
		return sizeof *in;
	}
	if (addr->family == ADDR_IP6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
		in->sin6_family = AF_INET6;
		in->sin6_port = htons(addr->port);
		in->sin6_scope_id = addr->scope;
		memcpy(&in->sin6_addr, addr->ip, 16);
		return sizeof *in;
	}
	return 0;
}

struct net_addr
addr_of_sockaddr(const struct sockaddr *from)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct net_addr addr = { 0 };
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof in);
		addr.family = ADDR_IP4;
		addr.port = ntohs(in.sin_port);
		memcpy(addr.ip, &in.sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		memcpy(&in, from, sizeof in);
		addr.port = ntohs(in.sin6_port);
		if (memcmp(&in.sin6_addr, mapped, sizeof mapped) == 0) {
			addr.family = ADDR_IP4;
			memcpy(addr.ip, (const uint8_t *)&in.sin6_addr + 12, 4);
		} else {
			addr.family = ADDR_IP6;
			addr.scope = in.sin6_scope_id;
			memcpy(addr.ip, &in.sin6_addr, 16);
		}
	}
	return addr;
}

struct net_addr
addr_of_socket(int fd)
{
	struct sockaddr_storage storage = { 0 };
	socklen_t len = sizeof storage;
	if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0)
		return (struct net_addr){ 0 };
	return addr_of_sockaddr((const struct sockaddr *)&storage);
}

struct net_addr
addr_of_peer(int fd)
{
	struct sockaddr_storage storage = { 0 };
	socklen_t len = sizeof storage;
	if (getpeername(fd, (struct sockaddr *)&storage, &len) != 0)
		return (struct net_addr){ 0 };
	return addr_of_sockaddr((const struct sockaddr *)&storage);
}
