/* SPDX-License-Identifier: Apache-2.0 */
/* callbridge -- the component: the bridge's core with its sockets, threads, database and clock.
 *
 * callbridge_main() is the whole life of the process: it reads the database, binds ports, runs
 * until SIGTERM (or until its supervisor is gone), ends calls properly and returns the exit status.
 *
 * Ownership  Nothing outlives the call; `data_dir` and `config` are borrowed until it returns.
 * Threads    The caller's becomes the control thread; media workers, the database writer and the
 *            password verifier are started and joined inside.
 * Errors     What keeps it from starting is logged, told to the supervisor and makes it return 1.
 * Limits     `callbridge limit` call legs, BRIDGE_WORKERS_MAX workers; docs/limits.md has the rest.
 */
#ifndef CALLBRIDGE_CALLBRIDGE_H
#define CALLBRIDGE_CALLBRIDGE_H

#include "mmp/config.h"

int callbridge_main(const char *data_dir, const struct config *config);

#endif
