/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor -- `convoke up|down|status|mmp`, and the start of a single component.
 *
 * `up` is a small process that prepares the data folder, gives up every privilege it does not need,
 * starts the enabled components as children of the same executable and starts one again that dies
 * or stops answering.  How, in life.h.  One supervisor runs on a data folder; the other commands
 * ask it over DATA/run/supervisor.sock.
 *
 * In DATA (mode 0700):
 *
 *	convoke.conf       settings, mmp/config.h; made by the first start, with *.key and *.crt
 *	run/               locks and the control socket
 *	log/convoke.log    with --detach; five older ones of 64 MiB are kept
 *
 * Started as root, every command becomes the user that owns DATA.
 *
 * Ownership  Arguments are borrowed until the call returns.
 * Threads    The main thread, before there are others.
 * Errors     Sentences on standard error; what is returned is the exit status of the process.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>

#include "mmp/config.h"

[[nodiscard]] int supervisor_up(const char *data_dir, bool detach);
[[nodiscard]] int supervisor_down(const char *data_dir);
/* 0 when every enabled component is ready and answers. */
[[nodiscard]] int supervisor_status(const char *data_dir);
/* One command made of words; without words, the commands of standard input. */
[[nodiscard]] int supervisor_mmp(const char *data_dir, int word_count, char *const *words);

/* Runs one component in this process: its settings, its lock, its privileges, then `run`. */
[[nodiscard]] int supervisor_component(const char *data_dir, enum config_component component,
                                       int (*run)(const char *data_dir,
                                                  const struct config *config));

#endif
