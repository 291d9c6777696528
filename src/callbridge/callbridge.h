/* SPDX-License-Identifier: Apache-2.0 */
/* callbridge -- the component: the bridge's core with its sockets, threads, database and clock.
 *
 * callbridge_main() is the whole life of the process: it reads the database, binds ports, runs until
 * SIGTERM (or until its supervisor is gone), ends calls properly and returns the exit status.
 */
#ifndef CALLBRIDGE_CALLBRIDGE_H
#define CALLBRIDGE_CALLBRIDGE_H

#include "mmp/config.h"

int callbridge_main(const char *data_dir, const struct config *config);

#endif
