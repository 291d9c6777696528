/* SPDX-License-Identifier: Apache-2.0 */
/* pki's parts: pki.c (looking at files, settings), pki_make.c (making and taking away). */
#ifndef SUPERVISOR_PKI_INTERNAL_H
#define SUPERVISOR_PKI_INTERNAL_H

#include "mmp/mmp.h"
#include "net/cert.h"
#include "supervisor/data_dir.h"

typedef char pki_path[DATA_PATH_MAX + CONFIG_FILE_MAX];

/* What a command was called with. */
struct pki_work {
	const struct data_dir *dir;
	const struct mmp_user *user;
	const struct mmp_terminal *terminal;
	const struct mmp_line *line;
	struct writer *out;
};

/* The file that is argument number `index`; false: says why it cannot be had. */
[[nodiscard]] bool pki_argument(pki_path out, const struct pki_work *work, size_t index);
/* Says what went wrong, with files as they were named: relative to DATA.  Returns false. */
bool pki_error(const struct pki_work *work, int rc, const char *error);
bool pki_fail(const struct pki_work *work, const char *why);

/* pki_make.c */
[[nodiscard]] bool pki_make(const struct pki_work *work);

#endif
