/* SPDX-License-Identifier: Apache-2.0 */
/* command -- runs a command of the command line on a data folder, for whoever typed it: by
 * `convoke mmp` on this machine, or by SSH.
 *
 * Settings are changed under the lock of convoke.conf; the supervisor, if one runs, then hears of
 * it.  What was changed is told to the audit log , secrets masked.
 *
 * Ownership  Arguments are borrowed until the call returns.
 * Threads    The main thread; blocking, for as long as a component takes to restart.
 * Errors     Everything is said at the terminal, in the words of CMS; what is returned is the exit
 *            status: 0, or 1 after FAILURE and Unknown command.
 */
#ifndef SUPERVISOR_COMMAND_H
#define SUPERVISOR_COMMAND_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

[[nodiscard]] int command_run(struct data_dir *dir, const struct mmp_user *user,
                              const struct mmp_terminal *terminal, struct str command);

/* Asks the supervisor that runs on this folder: "status", "down", "apply", "rotate", "restart NAME".  What it
 * answers is said at the terminal; `*ok` is whether it did as asked.  -ENOENT or -ECONNREFUSED:
 * nobody supervises the folder. */
[[nodiscard]] int command_ask(const struct data_dir *dir, const char *request,
                              const struct mmp_terminal *terminal, bool *ok);

__attribute__((format(printf, 2, 3))) void terminal_say(const struct mmp_terminal *terminal,
                                                        const char *format, ...);

#endif
