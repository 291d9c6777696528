/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's parts: machine.c (which command is what), machine_host.c (the host), machine_net.c
 * (its network). */
#ifndef SUPERVISOR_MACHINE_INTERNAL_H
#define SUPERVISOR_MACHINE_INTERNAL_H

#include "supervisor/machine.h"

struct machine {
	const struct data_dir *dir;
	const struct mmp_terminal *terminal;
	const struct mmp_line *line;
	struct writer *out;
};

typedef bool machine_show(const struct machine *machine);

machine_show machine_hostname;
machine_show machine_timezone;
machine_show machine_date;
machine_show machine_ntp;
machine_show machine_uptime;
machine_show machine_df;
machine_show machine_health;
machine_show machine_serial;
machine_show machine_dmi;

machine_show machine_iface;
machine_show machine_ipv4;
machine_show machine_ipv6;
machine_show machine_lookup;

#endif
