/* SPDX-License-Identifier: Apache-2.0 */
/* machine -- what the command line says of this machine: `df`, `health`, `uptime`, `ipv4`, `dns
 * lookup` and the like.  A Linux host has its own tools to change it: who asks for that is told which.
 *
 * Threads    The main thread; blocking, as long as a name server takes to answer.
 * Errors     False, and a FAILURE line's text.
 */
#ifndef SUPERVISOR_MACHINE_H
#define SUPERVISOR_MACHINE_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

enum { MACHINE_VERSION_MAX = 1024 };

/* MMP_MACHINE, by its words. */
[[nodiscard]] bool machine_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                               const struct mmp_line *line, struct writer *out);

/* This program's version, then what it was made of and runs on, a line each. */
const char *machine_version(char out[MACHINE_VERSION_MAX]);

#endif
