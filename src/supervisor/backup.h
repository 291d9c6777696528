/* SPDX-License-Identifier: Apache-2.0 */
/* backup -- `backup snapshot`, `backup rollback` and `backup list`: everything that an administrator
 * would miss, in one file DATA/NAME.bak.
 *
 * The file is a tar.gz (archive.h) of `about` (format, versions, when and where), the files of DATA
 * below data/ (settings, accounts, keys, certificates, licences), its voice prompts, `database`, a SQLite file whatever
 * the database is, and `sums`, the SHA-256 of each.  Not in it: logs, call detail records on their way,
 * backups, captures, and files elsewhere that settings name.
 *
 * A rollback unpacks and checks everything in DATA/run/rollback.new.  Renaming that to
 * DATA/run/rollback is the moment it is decided: before, everything is as it was; after, whatever
 * happens, the next start or the next of these commands brings it to its end.  First the database
 * changes, in one transaction, then file by file takes its place.  Which database is used stays this
 * machine's own setting: the objects go into it, be it SQLite or PostgreSQL.
 *
 * Threads    The main thread; blocking.
 * Errors     False, and a FAILURE line's text.
 * Limits     BACKUP_BYTES_MAX a file, those of archive.h unpacked.
 */
#ifndef SUPERVISOR_BACKUP_H
#define SUPERVISOR_BACKUP_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

enum {
	BACKUP_BYTES_MAX = 512 << 20, /* what SFTP takes back */
	BACKUP_NAME_MAX = 48,         /* bytes of NAME, with NUL */
	BACKUP_FORMAT = 1,
};

/* MMP_BACKUP_... */
[[nodiscard]] bool backup_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                              const struct mmp_line *line, struct writer *out);

/* Before anything of DATA is read: ends what a rollback has begun.  False: it cannot be ended now, and
 * nothing may start. */
[[nodiscard]] bool backup_finish(const struct data_dir *dir, char error[DATA_ERROR_MAX]);

#endif
