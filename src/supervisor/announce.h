/* SPDX-License-Identifier: Apache-2.0 */
/* announce -- what `convoke up` prints when everything answers: where to go; and what to change
 * when a component could not start.
 *
 * Threads    Any.
 */
#ifndef SUPERVISOR_ANNOUNCE_H
#define SUPERVISOR_ANNOUNCE_H

#include "supervisor/data_dir.h"
#include "supervisor/port_notes.h"

void announce_ready(struct writer *out, const struct data_dir *dir, const struct config *config);

/* A command to the server of this folder, as it can be typed anywhere. */
void announce_command(struct writer *out, const struct data_dir *dir, const char *verb);

/* For a component's reason that names a port: who has it, as far as `notes` know more than the
 * reason, and the command that moves it.  Writes nothing for other reasons. */
void announce_advice(struct writer *out, const struct config *config,
                     const struct port_notes *notes, const char *reason);

#endif
