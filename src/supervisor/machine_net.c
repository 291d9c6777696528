/* SPDX-License-Identifier: Apache-2.0 */
/* The host's network: interfaces, addresses, and what name servers say. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "net/dns.h"
#include "net/iface.h"
#include "supervisor/machine_internal.h"

static const int64_t LOOKUP_US = 20 * 1000000;

/* -- interfaces -------------------------------------------------------------------------------- */

/* The system's name of what was typed; "" stands for all. */
static bool
wanted(const struct machine *machine, char out[CONFIG_IFACE_MAX])
{
	char typed[CONFIG_IFACE_MAX] = "";
	out[0] = '\0';
	if (machine->line->count == 0)
		return true;
	if (str_copy(typed, sizeof typed, machine->line->arguments[0]) &&
	    iface_name(out, CONFIG_IFACE_MAX, typed) == 0)
		return true;
	writer_format(machine->out, "there is no interface %.*s",
	              STR_ARGS(machine->line->arguments[0]));
	return false;
}

static bool
read_fact(char *out, size_t cap, const char *iface, const char *fact)
{
	char path[128];
	snprintf(path, sizeof path, "/sys/class/net/%s/%s", iface, fact);
	FILE *file = fopen(path, "re");
	const bool read = file != NULL && fgets(out, (int)cap, file) != NULL;
	if (file != NULL)
		fclose(file);
	if (read)
		out[strcspn(out, "\n")] = '\0';
	return read;
}

static void
write_iface(struct writer *out, const char *name)
{
	static const struct {
		const char *key, *fact, *unit;
	} facts[] = { { "MAC address", "address", "" },
		      { "State", "operstate", "" },
		      { "MTU", "mtu", "" },
		      { "Speed", "speed", " Mbit/s" } };
	writer_format(out, "%-11s : %s\n", "Interface", name);
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		char text[64];
		if (read_fact(text, sizeof text, name, facts[i].fact) && text[0] != '-')
			writer_format(out, "%-11s : %s%s\n", facts[i].key, text, facts[i].unit);
	}
}

bool
machine_iface(const struct machine *machine)
{
	char name[CONFIG_IFACE_MAX];
	if (!wanted(machine, name))
		return false;
	struct if_nameindex *all = if_nameindex();
	for (const struct if_nameindex *one = all; one != NULL && one->if_index != 0; one++)
		if (name[0] == '\0' || strcmp(one->if_name, name) == 0)
			write_iface(machine->out, one->if_name);
	if_freenameindex(all);
	return true;
}

static unsigned
prefix_of(const struct sockaddr *mask)
{
	const size_t len = mask->sa_family == AF_INET ? 4 : 16;
	const void *from = mask->sa_family == AF_INET
	                           ? (const void *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr
	                           : &((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr;
	uint8_t bytes[16];
	unsigned bits = 0;
	memcpy(bytes, from, len);
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0x80; bit != 0; bit >>= 1)
			bits += (bytes[i] & bit) != 0;
	return bits;
}

static void
write_address(struct writer *out, const struct ifaddrs *entry)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *address =
		entry->ifa_addr->sa_family == AF_INET
			? (const void *)&((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr
			: &((const struct sockaddr_in6 *)(const void *)entry->ifa_addr)->sin6_addr;
	(void)!inet_ntop(entry->ifa_addr->sa_family, address, text, sizeof text);
	writer_format(out, "    %s/%u\n", text,
	              entry->ifa_netmask != NULL ? prefix_of(entry->ifa_netmask) : 0);
}

/* "eth0 00000000 0102000A 0003 ..." */
static void
write_gateway(struct writer *out, const char *iface)
{
	char line[256], name[CONFIG_IFACE_MAX];
	unsigned to, via;
	FILE *file = fopen("/proc/net/route", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "%15s %x %x", name, &to, &via) != 3 || strcmp(name, iface) != 0 ||
		    to != 0 || via == 0)
			continue;
		char text[INET_ADDRSTRLEN] = "";
		const struct in_addr gateway = { .s_addr = via };
		(void)!inet_ntop(AF_INET, &gateway, text, sizeof text);
		writer_format(out, "Default gateway : %s\n", text);
	}
	if (file != NULL)
		fclose(file);
}

static bool
show_addresses(const struct machine *machine, sa_family_t family)
{
	char name[CONFIG_IFACE_MAX];
	struct ifaddrs *list = NULL;
	if (!wanted(machine, name))
		return false;
	if (getifaddrs(&list) != 0) {
		writer_text(machine->out, strerror(errno));
		return false;
	}
	struct if_nameindex *all = if_nameindex();
	for (const struct if_nameindex *one = all; one != NULL && one->if_index != 0; one++) {
		if (name[0] != '\0' && strcmp(one->if_name, name) != 0)
			continue;
		writer_format(machine->out, "Interface : %s\nAddresses:\n", one->if_name);
		for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
			if (entry->ifa_addr != NULL && entry->ifa_addr->sa_family == family &&
			    strcmp(entry->ifa_name, one->if_name) == 0)
				write_address(machine->out, entry);
		if (family == AF_INET)
			write_gateway(machine->out, one->if_name);
	}
	if_freenameindex(all);
	freeifaddrs(list);
	return true;
}

bool
machine_ipv4(const struct machine *machine)
{
	return show_addresses(machine, AF_INET);
}

bool
machine_ipv6(const struct machine *machine)
{
	return show_addresses(machine, AF_INET6);
}

/* -- names ------------------------------------------------------------------------------------- */

struct lookup {
	struct loop *loop;
	struct writer *out;
	const char *name;
	bool answered;
	bool found;
};

static void
write_record(struct writer *out, const char *name, const struct dns_record *record)
{
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		writer_format(out, "%s has address ", name);
		addr_write_ip(out, &record->addr);
		writer_text(out, "\n");
		break;
	case DNS_SRV:
		writer_format(out, "%s has SRV record %u %u %u %s\n", name,
		              (unsigned)record->srv.priority, (unsigned)record->srv.weight,
		              (unsigned)record->srv.port,
		              record->srv.target[0] != '\0' ? record->srv.target : ".");
		break;
	case DNS_NAPTR:
		writer_format(out, "%s has NAPTR record %u %u \"%s\" \"%s\" %s%s\n", name,
		              (unsigned)record->naptr.order, (unsigned)record->naptr.preference,
		              record->naptr.flags, record->naptr.service,
		              record->naptr.regexp ? "(by a regular expression) " : "",
		              record->naptr.replacement[0] != '\0' ? record->naptr.replacement : ".");
		break;
	}
}

static void
on_answer(void *context, const struct dns_answer *answer, const char *text)
{
	struct lookup *lookup = context;
	lookup->answered = true;
	lookup->found = answer->status == DNS_OK;
	for (size_t i = 0; i < answer->count; i++)
		write_record(lookup->out, lookup->name, &answer->records[i]);
	if (!lookup->found)
		writer_format(lookup->out, "%s: %s", lookup->name,
		              answer->status == DNS_NONE ? "there is no such record" : text);
	loop_stop(lookup->loop);
}

static bool
read_type(enum dns_type *out, struct str word)
{
	static const struct {
		const char *word;
		enum dns_type type;
	} types[] = {
		{ "a", DNS_A }, { "aaaa", DNS_AAAA }, { "srv", DNS_SRV }, { "naptr", DNS_NAPTR },
	};
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!str_eq_nocase(word, str_of(types[i].word)))
			continue;
		*out = types[i].type;
		return true;
	}
	return false;
}

/* As the Call Bridge asks: the same servers, the same code. */
bool
machine_lookup(const struct machine *machine)
{
	static struct config config;
	char error[DATA_ERROR_MAX], name[DNS_NAME_MAX + 1];
	struct lookup lookup = { .out = machine->out, .name = name };
	enum dns_type type;
	struct dns *dns = NULL;
	if (!read_type(&type, machine->line->arguments[0]) ||
	    !str_copy(name, sizeof name, machine->line->arguments[1])) {
		writer_text(machine->out, "expected dns lookup (a|aaaa|srv|naptr) <name>");
		return false;
	}
	if (!data_dir_config(&config, machine->dir, error)) {
		writer_text(machine->out, error);
		return false;
	}
	const struct dns_settings settings = {
		.servers = config.dns.host[0] != '\0' ? config.dns.host : NULL,
	};
	if (loop_create(&lookup.loop) != 0)
		return false;
	if (dns_create(&dns, lookup.loop, &settings) == 0 &&
	    dns_ask(dns, type, name, on_answer, &lookup).v != 0)
		loop_run_until(lookup.loop, loop_now_us() + LOOKUP_US);
	if (!lookup.answered)
		writer_format(machine->out, "%s cannot be asked for", name);
	if (dns != NULL)
		dns_destroy(dns);
	loop_destroy(lookup.loop);
	return lookup.found;
}
