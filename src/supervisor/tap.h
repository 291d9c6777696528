/* SPDX-License-Identifier: Apache-2.0 */
/* tap -- who may open packet sockets: a process of its own, `convoke tap`, with CAP_NET_RAW and no other
 * privilege.
 *
 * The supervisor starts it before it gives its own privileges up, and tells it where to serve once it
 * has a data folder.  Whoever owns that folder asks by DATA/run/tap.sock: the name of an interface in,
 * a socket that hears its packets out.  It ends with the supervisor.
 *
 * Ownership  Descriptors are the caller's.
 * Threads    The main thread; tap_ask() is blocking.
 * Errors     0 or -errno; -EPERM: neither root nor CAP_NET_RAW.
 */
#ifndef SUPERVISOR_TAP_H
#define SUPERVISOR_TAP_H

#include "supervisor/data_dir.h"

/* The supervisor's: its end of the line to that process. */
[[nodiscard]] int tap_start(void);
[[nodiscard]] int tap_serve(int tap, const struct data_dir *dir);

/* `convoke tap`: the process itself. */
[[nodiscard]] int tap_main(void);

/* A packet socket bound to that interface.  -ENOENT or -ECONNREFUSED: there is no such process. */
[[nodiscard]] int tap_ask(const struct data_dir *dir, const char *iface);

#endif
