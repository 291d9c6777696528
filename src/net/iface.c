/* SPDX-License-Identifier: Apache-2.0 */
#include "net/iface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

enum {
	NAMES_MAX = 64,
};

/* Interface names in the system's order, loopback left out: what a, b, c, d mean. */
struct lettered {
	const char *names[NAMES_MAX];
	size_t count;
};

static bool
usable(const struct ifaddrs *entry)
{
	return entry->ifa_addr != NULL && (entry->ifa_flags & IFF_UP) != 0 &&
	       (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

static void
letter(struct lettered *lettered, const char *name)
{
	for (size_t i = 0; i < lettered->count; i++)
		if (strcmp(lettered->names[i], name) == 0)
			return;
	if (lettered->count < NAMES_MAX)
		lettered->names[lettered->count++] = name;
}

static bool
matches(const struct lettered *lettered, const char *wanted, const char *name)
{
	if (strcmp(wanted, "any") == 0 || strcmp(wanted, name) == 0)
		return true;
	const size_t index = (size_t)(wanted[0] - 'a');
	return wanted[0] >= 'a' && wanted[0] <= 'd' && wanted[1] == '\0' &&
	       index < lettered->count && strcmp(lettered->names[index], name) == 0;
}

static bool
convert(struct net_addr *out, const struct sockaddr *address)
{
	*out = (struct net_addr){ 0 };
	if (address->sa_family == AF_INET) {
		struct sockaddr_in ip4;
		memcpy(&ip4, address, sizeof ip4);
		out->family = ADDR_IP4;
		memcpy(out->ip, &ip4.sin_addr, 4);
		return true;
	}
	struct sockaddr_in6 ip6;
	memcpy(&ip6, address, sizeof ip6);
	out->family = ADDR_IP6;
	memcpy(out->ip, &ip6.sin6_addr, 16);
	return !addr_is_link_local(out);
}

/* Loopback comes last: who takes the first address wants one that others can reach. */
static size_t
collect(const struct ifaddrs *list, const struct lettered *lettered, const char *wanted,
        sa_family_t family, unsigned loopback, struct net_addr *out, size_t cap, size_t count)
{
	for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
		struct net_addr addr;
		if (!usable(entry) || entry->ifa_addr->sa_family != family ||
		    (entry->ifa_flags & IFF_LOOPBACK) != loopback ||
		    !matches(lettered, wanted, entry->ifa_name) || count == cap)
			continue;
		if (convert(&addr, entry->ifa_addr))
			out[count++] = addr;
	}
	return count;
}

static void
letter_all(struct lettered *lettered, const struct ifaddrs *list)
{
	*lettered = (struct lettered){ 0 };
	for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
		if (usable(entry) && (entry->ifa_flags & IFF_LOOPBACK) == 0)
			letter(lettered, entry->ifa_name);
}

int
iface_name(char *out, size_t cap, const char *name)
{
	struct ifaddrs *list = NULL;
	struct lettered lettered;
	bool found = if_nametoindex(name) != 0 && str_copy(out, cap, str_of(name));
	if (found || getifaddrs(&list) != 0)
		return found ? 0 : -errno;
	letter_all(&lettered, list);
	for (size_t i = 0; i < lettered.count && !found; i++)
		found = strcmp(name, "any") != 0 && matches(&lettered, name, lettered.names[i]) &&
		        str_copy(out, cap, str_of(lettered.names[i]));
	freeifaddrs(list);
	return found ? 0 : -ENODEV;
}

int
iface_addresses(const char *name, struct net_addr *out, size_t cap)
{
	struct ifaddrs *list = NULL;
	struct lettered lettered;
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	if (getifaddrs(&list) != 0)
		return -errno;
	letter_all(&lettered, list);
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		count = collect(list, &lettered, name, families[i], 0, out, cap, count);
		count = collect(list, &lettered, name, families[i], IFF_LOOPBACK, out, cap, count);
	}
	freeifaddrs(list);
	return count != 0 ? (int)count : -ENODEV;
}
