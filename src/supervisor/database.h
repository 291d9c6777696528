/* SPDX-License-Identifier: Apache-2.0 */
/* database -- the commands `database ...` that are no settings.
 *
 * Threads    The main thread; blocking, for as long as a node takes to answer or everything takes to
 *            be copied.
 */
#ifndef SUPERVISOR_DATABASE_H
#define SUPERVISOR_DATABASE_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

/* The calls MMP_DATABASE_..., as struct mmp_host asks them. */
[[nodiscard]] bool database_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                                const struct mmp_line *line, struct writer *out);

#endif
