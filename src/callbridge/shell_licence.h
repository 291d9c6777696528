/* SPDX-License-Identifier: Apache-2.0 */
/* shell_licence -- licences for the Call Bridge: DATA's licence files are read at start and whenever
 * one of them is another, what they grant is told to the model every LICENCE_LOOK_US, and what is used
 * is noted every five minutes.
 *
 * Ownership  open/close.
 * Threads    The control thread.  The files are small and local.
 * Errors     A file that does not count is told in the log and as an alarm.
 */
#ifndef CALLBRIDGE_SHELL_LICENCE_H
#define CALLBRIDGE_SHELL_LICENCE_H

#include <stdbool.h>

enum {
	LICENCE_LOOK_US = 5 * 1000 * 1000,
};

struct shell;

/* Once there are model and API. */
[[nodiscard]] bool licence_open(struct shell *shell);
void licence_close(struct shell *shell);

#endif
