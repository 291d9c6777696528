/* SPDX-License-Identifier: Apache-2.0 */
#include "net/port_owner.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
	LINE_MAX_BYTES = 512,
	TCP_STATE_LISTEN = 0x0a, /* include/net/tcp_states.h */
	PATH_BYTES = 320,
};

/* A row of /proc/net/udp or tcp: " sl local_address rem_address st ... inode". */
struct row {
	uint8_t ip[16];
	unsigned ip_bytes;
	unsigned port;
	unsigned state;
	uint64_t inode;
};

/* Addresses are printed as 32-bit words in the machine's order. */
static bool
row_parse(struct row *row, const char *line)
{
	char hex[33];
	if (sscanf(line,
	           " %*u: %32[0-9A-F]:%4X %*[0-9A-F]:%*X %2X %*X:%*X %*X:%*X %*X %*u %*u %" SCNu64,
	           hex, &row->port, &row->state, &row->inode) != 4)
		return false;
	const size_t words = strlen(hex) / 8;
	if (words != 1 && words != 4)
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;
		char digits[9];
		memcpy(digits, hex + 8 * i, 8);
		digits[8] = '\0';
		if (sscanf(digits, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(row->ip + 4 * i, &word, sizeof word);
	}
	row->ip_bytes = (unsigned)words * 4;
	return true;
}

static bool
is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Would a socket bound as `row` keep us from binding `addr`?  A wildcard on either side does, and
 * an IPv6 wildcard may hold the IPv4 port as well. */
static bool
row_blocks(const struct row *row, const struct net_addr *addr)
{
	const unsigned ip_bytes = addr->family == ADDR_IP4 ? 4 : 16;
	if (row->port != addr->port)
		return false;
	if (is_zero(row->ip, row->ip_bytes))
		return row->ip_bytes == ip_bytes || row->ip_bytes == 16;
	if (row->ip_bytes != ip_bytes)
		return false;
	return addr_is_unspecified(addr) || memcmp(row->ip, addr->ip, ip_bytes) == 0;
}

static uint64_t
find_inode(const char *table, enum port_protocol protocol, const struct net_addr *addr)
{
	char line[LINE_MAX_BYTES];
	uint64_t inode = 0;
	FILE *file = fopen(table, "re");
	if (file == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, file) != NULL) {
		struct row row;
		if (row_parse(&row, line) && row_blocks(&row, addr) &&
		    (protocol == PORT_UDP || row.state == TCP_STATE_LISTEN))
			inode = row.inode;
	}
	fclose(file);
	return inode;
}

static bool
process_holds(const char *pid, const char *wanted)
{
	char path[PATH_BYTES];
	char target[64];
	bool holds = false;
	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	for (const struct dirent *entry; !holds && (entry = readdir(dir)) != NULL;) {
		snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, entry->d_name);
		const ssize_t len = readlink(path, target, sizeof target - 1);
		if (len > 0) {
			target[len] = '\0';
			holds = strcmp(target, wanted) == 0;
		}
	}
	closedir(dir);
	return holds;
}

static void
read_name(char *out, size_t cap, pid_t pid)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(out, (int)cap, file) != NULL)
		out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

static void
find_process(struct port_owner *owner, uint64_t inode)
{
	char wanted[64];
	snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
	DIR *dir = opendir("/proc");
	if (dir == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		uint32_t pid;
		if (!str_u32(str_of(entry->d_name), &pid) || !process_holds(entry->d_name, wanted))
			continue;
		owner->pid = (pid_t)pid;
		read_name(owner->name, sizeof owner->name, owner->pid);
		break;
	}
	closedir(dir);
}

struct port_owner
port_owner_find(enum port_protocol protocol, const struct net_addr *addr)
{
	static const char *const tables[2][2] = {
		[PORT_UDP] = { "/proc/net/udp", "/proc/net/udp6" },
		[PORT_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
	};
	struct port_owner owner = { 0 };
	for (unsigned i = 0; i < 2 && !owner.bound; i++) {
		const uint64_t inode = find_inode(tables[protocol][i], protocol, addr);
		if (inode != 0) {
			owner.bound = true;
			find_process(&owner, inode);
		}
	}
	return owner;
}

const char *
port_owner_text(char out[PORT_OWNER_TEXT_MAX], enum port_protocol protocol,
                const struct net_addr *addr)
{
	const struct port_owner owner = port_owner_find(protocol, addr);
	struct writer w = writer_of(out, PORT_OWNER_TEXT_MAX - 1);
	writer_format(&w, "%s port %u on ", protocol == PORT_UDP ? "UDP" : "TCP", addr->port);
	addr_write_ip(&w, addr);
	writer_text(&w, " is in use");
	if (owner.pid != 0)
		writer_format(&w, " by %s (process %ld)", owner.name, (long)owner.pid);
	else
		writer_text(&w, " by a process we may not see");
	out[w.at] = '\0';
	return out;
}
