/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/announce.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "net/iface.h"

enum {
	ADDRESSES_MAX = 16,
	SHOWN_MAX = 3, /* links of one kind; machines with many addresses have administrators */
};

struct hosts {
	char text[SHOWN_MAX][ADDR_TEXT_MAX];
	size_t count;
};

/* The addresses somebody may type, those of other machines first. */
static void
find_hosts(struct hosts *hosts, const char *iface)
{
	struct net_addr addrs[ADDRESSES_MAX];
	const int count = iface_addresses(iface, addrs, ADDRESSES_MAX);
	*hosts = (struct hosts){ 0 };
	for (int loopback = 0; loopback < 2; loopback++) {
		for (int i = 0; i < count && hosts->count < SHOWN_MAX; i++) {
			if (addr_is_loopback(&addrs[i]) != (loopback == 1))
				continue;
			if (loopback == 1 && hosts->count != 0 && addrs[i].family != ADDR_IP4)
				continue; /* one name for this machine is enough */
			char *text = hosts->text[hosts->count++];
			struct writer w = writer_of(text, ADDR_TEXT_MAX - 1);
			if (loopback == 1)
				writer_text(&w, "localhost");
			else
				addr_write_host(&w, &addrs[i]);
			if (loopback == 1)
				return;
		}
	}
}

static void
write_link(struct writer *out, const char *label, const char *host, uint16_t port, const char *path)
{
	writer_format(out, "  %-12s https://%s", label, host);
	if (port != 443)
		writer_format(out, ":%u", (unsigned)port);
	writer_format(out, "%s\n", path);
}

static void
write_links(struct writer *out, const char *label, const struct config_listen *listen,
            const char *path)
{
	struct hosts hosts;
	find_hosts(&hosts, listen->iface);
	for (size_t i = 0; i < hosts.count; i++)
		write_link(out, i == 0 ? label : "", hosts.text[i], listen->port, path);
}

static void
write_sip(struct writer *out, const struct config *config, const char *label, const char *user,
          const char *host)
{
	const unsigned port = config->callbridge.sip_port;
	writer_format(out, "  %-12s sip:%s@%s", label, user, host);
	if (port != 5060 && port != 0)
		writer_format(out, ":%u", port);
}

static void
write_sip_ports(struct writer *out, const struct config *config)
{
	const unsigned port = config->callbridge.sip_port, tls = config->callbridge.sip_tls_port;
	if (port != 0)
		writer_format(out, "   UDP and TCP port %u", port);
	if (tls != 0)
		writer_format(out, "%s TLS port %u", port != 0 ? "," : "  ", tls);
	writer_text(out, "\n");
}

static void
write_all_sip(struct writer *out, const struct config *config)
{
	struct hosts hosts;
	if (config->callbridge.sip_port == 0 && config->callbridge.sip_tls_port == 0)
		return;
	if (config->callbridge.domain[0] != '\0') {
		write_sip(out, config, "SIP", "<space>", config->callbridge.domain);
		write_sip_ports(out, config);
		return;
	}
	for (uint32_t i = 0; i < config->callbridge.iface_count; i++) {
		find_hosts(&hosts, config->callbridge.ifaces[i]);
		for (size_t j = 0; j < hosts.count; j++) {
			write_sip(out, config, i == 0 && j == 0 ? "SIP" : "", "<space>",
			          hosts.text[j]);
			write_sip_ports(out, config);
		}
	}
}

/* Only after the very first start: later the space may have gone its own ways. */
static void
write_demo(struct writer *out, const struct config *config)
{
	struct hosts hosts;
	const char *label = "Demo space";
	if (config->webbridge.enabled && config->webbridge.https_count != 0) {
		find_hosts(&hosts, config->webbridge.https[0].iface);
		if (hosts.count != 0) {
			write_link(out, label, hosts.text[0], config->webbridge.https[0].port,
			           "/meeting/1001");
			label = "";
		}
	}
	if (config->callbridge.iface_count == 0)
		return;
	find_hosts(&hosts, config->callbridge.ifaces[0]);
	if (hosts.count != 0) {
		write_sip(out, config, label, "demo", hosts.text[0]);
		writer_text(out, "   call ID 1001\n");
	}
}

static void
write_ssh(struct writer *out, const struct config_listen *listen)
{
	struct hosts hosts;
	find_hosts(&hosts, listen->iface);
	if (hosts.count == 0)
		return;
	writer_format(out, "  %-12s ssh ", "Command line");
	if (listen->port != 22)
		writer_format(out, "-p %u ", (unsigned)listen->port);
	writer_format(out, "admin@%s\n", hosts.text[0]);
}

void
announce_ready(struct writer *out, const struct data_dir *dir, const struct config *config)
{
	char path[DATA_PATH_MAX + 64];
	writer_text(out, "Convoke is running.\n\n");
	for (uint32_t i = 0; config->webbridge.enabled && i < config->webbridge.https_count; i++)
		write_links(out, i == 0 ? "Web app" : "", &config->webbridge.https[i], "/");
	if (config->callbridge.enabled && config->webadmin.enabled) {
		struct hosts hosts;
		write_links(out, "Web Admin", &config->webadmin.listen, "/");
		find_hosts(&hosts, config->webadmin.listen.iface);
		if (hosts.count != 0)
			write_link(out, "API", hosts.text[0], config->webadmin.listen.port,
			           "/api/v1");
	}
	if (config->callbridge.enabled)
		write_all_sip(out, config);
	if (config->ssh.enabled)
		write_ssh(out, &config->ssh.listen);
	if (config->callbridge.enabled && dir->fresh)
		write_demo(out, config);
	if (access(data_dir_file(path, dir, "admin-password"), F_OK) == 0)
		writer_format(out, "  %-12s user admin; password in %s\n", "Sign in", path);
	writer_format(out, "  %-12s %s\n", "Settings", data_dir_file(path, dir, "convoke.conf"));
}

/* As a shell takes it. */
static void
write_word(struct writer *out, const char *word)
{
	if (strpbrk(word, " \t()&;'\"$") == NULL)
		writer_text(out, word);
	else
		writer_format(out, "\"%s\"", word);
}

void
announce_command(struct writer *out, const struct data_dir *dir, const char *verb)
{
	char program[DATA_PATH_MAX + 64] = "convoke";
	const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	if (len > 0)
		program[len] = '\0';
	write_word(out, program);
	writer_format(out, " %s --data ", verb);
	write_word(out, dir->path);
}

/* The first "port N" of a sentence; 0: none. */
static uint16_t
port_in(const char *reason)
{
	struct str rest = str_of(reason);
	while (rest.len != 0) {
		const struct str word = str_cut(&rest, ' ');
		struct str next = rest;
		struct str number = str_cut(&next, ' ');
		uint32_t port;
		while (number.len != 0 && (number.at[number.len - 1] < '0' ||
		                           number.at[number.len - 1] > '9'))
			number.len--; /* "port 5060:" */
		if (str_eq_nocase(word, STR("port")) && str_u32(number, &port) &&
		    port <= UINT16_MAX)
			return (uint16_t)port;
	}
	return 0;
}

void
announce_advice(struct writer *out, const struct config *config, const struct port_notes *notes,
                const char *reason)
{
	char usage[256];
	struct writer w = writer_of(usage, sizeof usage);
	const uint16_t port = port_in(reason);
	const char *note = port_notes_find(notes, port);
	if (port == 0 || !config_port_command(&w, config, port))
		return;
	if (note != NULL && !str_contains_nocase(str_of(reason), str_of(note)))
		writer_format(out, "%s.\n", note);
	writer_format(out, "Free that port, or take another one by: convoke mmp %.*s\n",
	              STR_ARGS(writer_view(&w)));
}
