/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/machine_internal.h"

#include "base/check.h"

struct what {
	const char *words;
	machine_show *show;
	size_t shown;        /* with at most so many words behind its own */
	const char *instead; /* with more, or when nothing can be shown */
};

static const struct what whats[] = {
	{ "callbridge trust cluster", NULL, 0, "this version of Convoke has no clusters" },
	{ "callbridge ucm", NULL, 0,
	  "this version of Convoke does not ask a UCM; calls come from it by SIP, and conferences by "
	  "the API" },
	{ "callbridge add edge", NULL, 0, "this version of Convoke has no edges" },
	{ "webadmin http-redirect", NULL, 0, "HTTPS alone is served; have a web server on this machine "
	                                     "redirect what comes to port 80" },
	{ "webbridge3 http-redirect", NULL, 0,
	  "HTTPS alone is served; have a web server on this machine redirect what comes to port 80" },
	{ "webbridge3 https frame-ancestors", NULL, 0, "no page may show the web app in a frame" },
	{ "webbridge3 options", NULL, 0, "there are no beta options" },
	{ "webbridge3 meetingapps add", NULL, 0, "this version of Convoke shares no files" },
	{ "hostname", machine_hostname, 0, "the name is this machine's own: hostnamectl hostname NAME" },
	{ "timezone", machine_timezone, 0,
	  "the time zone is this machine's own: timedatectl list-timezones, timedatectl set-timezone "
	  "NAME" },
	{ "date", machine_date, 0, "the clock is this machine's own: timedatectl set-time" },
	{ "ntp status", machine_ntp, 0, NULL },
	{ "ntp", NULL, 0,
	  "time servers are this machine's own: name them in /etc/systemd/timesyncd.conf or chrony's "
	  "settings; ntp status tells whether the clock follows them" },
	{ "uptime", machine_uptime, 0, NULL },
	{ "df", machine_df, 0, NULL },
	{ "health", machine_health, 0, NULL },
	{ "serial", machine_serial, 0, NULL },
	{ "dmicode", machine_dmi, 0, NULL },
	{ "iface", machine_iface, 1,
	  "interfaces are this machine's own: ip link, and /etc/network/interfaces or netplan to keep "
	  "it" },
	{ "ipv4", machine_ipv4, 1,
	  "addresses and routes are this machine's own: ip address, ip route, and "
	  "/etc/network/interfaces or netplan to keep them" },
	{ "ipv6", machine_ipv6, 1,
	  "addresses and routes are this machine's own: ip -6 address, ip -6 route, and "
	  "/etc/network/interfaces or netplan to keep them" },
	{ "dns lookup", machine_lookup, 2, NULL },
	{ "dns flush", NULL, 0,
	  "Convoke keeps no answers of name servers; those of this machine: resolvectl flush-caches" },
	{ "dns add rr", NULL, 0, "names of your own are this machine's business: /etc/hosts, or a name "
	                         "server such as unbound or dnsmasq" },
	{ "dns del rr", NULL, 0, "names of your own are this machine's business: /etc/hosts, or a name "
	                         "server such as unbound or dnsmasq" },
	{ "dns add forwardzone", NULL, 0,
	  "zones with servers of their own are a name server's business: unbound or dnsmasq on this "
	  "machine; the one to ask for all is set by dns add forwardzone . <ip>" },
	{ "dns del forwardzone", NULL, 0,
	  "zones with servers of their own are a name server's business: unbound or dnsmasq on this "
	  "machine" },
	{ "shutdown", NULL, 0, "convoke down ends Convoke; systemctl poweroff ends this machine" },
	{ "reboot", NULL, 0,
	  "callbridge restart and webbridge3 restart start components again; systemctl reboot the "
	  "machine" },
	{ "firewall", NULL, 0, "the firewall is this machine's own: nft, in /etc/nftables.conf" },
	{ "upgrade", NULL, 0, "on the machine: git pull, then ./run (docs/guide/install.md)" },
	{ "factory_reset", NULL, 0,
	  "on the machine: convoke down, then remove the data folder; the next start makes a new one" },
	{ "login limit", NULL, 0, "say user rule max_sessions <n|none>" },
	{ "rsa_ssh", NULL, 0, "the SSH host key is Ed25519 and made by the first start" },
	{ "motd", NULL, 0, "nothing is said to who logs in" },
	{ "snmp", NULL, 0, "this machine's snmpd, or metrics for Prometheus "
	                   "(docs/guide/monitoring.md)" },
	{ "ipmi", NULL, 0, "it is this machine's own: ipmitool" },
	{ "fips", NULL, 0, "it is OpenSSL's own, on this machine: openssl fipsinstall" },
	{ "hsm", NULL, 0, "keys are files of the data folder" },
	{ "cac", NULL, 0, "people log in by password" },
};

bool
machine_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
            const struct mmp_line *line, struct writer *out)
{
	const struct machine machine = { dir, terminal, line, out };
	for (size_t i = 0; i < COUNT_OF(whats); i++) {
		const struct what *what = &whats[i];
		if (!str_eq(str_of(line->words), str_of(what->words)))
			continue;
		if (what->show != NULL && line->count <= what->shown)
			return what->show(&machine);
		writer_text(out, what->instead != NULL ? what->instead : "too many words");
		return false;
	}
	check_fail(__FILE__, __LINE__, "a command that is of no machine");
}
