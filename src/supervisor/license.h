/* SPDX-License-Identifier: Apache-2.0 */
/* license -- the commands `license ...`, and `convoke license`, by which those who resell make a key
 * and sign files (licence/licence.h).
 *
 * Threads    The main thread; blocking.
 * Errors     license_run: false, and a sentence for the administrator; license_tool: on stderr.
 */
#ifndef SUPERVISOR_LICENSE_H
#define SUPERVISOR_LICENSE_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

/* The calls MMP_LICENSE_..., as struct mmp_host asks them. */
[[nodiscard]] bool license_run(const struct data_dir *dir, const struct mmp_line *line,
                               struct writer *out);

/* `convoke license make NAME` and `convoke license sign KEY CLAIMS [FILE]`, without any data folder.
 * Returns the exit status of the process. */
[[nodiscard]] int license_tool(int argc, char **argv);

#endif
