/* SPDX-License-Identifier: Apache-2.0 */
/* files -- what SFTP shows: flat names, each of a kind that says who may get, put or remove it.
 *
 * The root holds keys and certificates, licences, backups, captures and the logs; nothing else of
 * the data folder has a name there, and nothing outside of it can be named.
 *
 * Threads    Pure.
 * Errors     A name of no kind does not exist.
 * Limits     FILES_NAME_MAX bytes a name; each kind has its own size.
 */
#ifndef SSH_FILES_H
#define SSH_FILES_H

#include "mmp/mmp.h"

enum {
	FILES_NAME_MAX = 64, /* with NUL */
	FILES_SMALL_BYTES = 1 << 20,   /* keys, certificates, licences */
	FILES_BACKUP_BYTES = 512 << 20, /* backups */
};

/* Made when somebody asks for it. */
#define FILES_BUNDLE "logbundle.tar.gz"

enum files_right {
	FILES_GET,
	FILES_PUT,
	FILES_REMOVE,
};

struct files_kind {
	const char *name;  /* the whole name; or with a '*' before it, its end */
	const char *place; /* below DATA, for whole names; NULL: the name itself */
	unsigned get;      /* bits of enum mmp_role */
	unsigned put;
	unsigned remove;
	int64_t bytes_max; /* of a put */
};

/* NULL: there is no such name. */
[[nodiscard]] const struct files_kind *files_find(struct str name);
[[nodiscard]] bool files_may(const struct files_kind *kind, enum mmp_role role,
                             enum files_right right);
/* May the role know that it is there? */
[[nodiscard]] bool files_may_see(const struct files_kind *kind, enum mmp_role role);
/* Is it a key or certificate, for commands to name? */
[[nodiscard]] bool files_is_certificate(struct str name);
/* The kinds with a place of their own, in order; NULL behind the last. */
[[nodiscard]] const struct files_kind *files_placed(size_t index);

#endif
