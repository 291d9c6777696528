/* SPDX-License-Identifier: Apache-2.0 */
/* audit -- the audit log: who changed what, from where, and who tried to log in.
 *
 *	2026-11-20T12:34:56Z user "admin" from 192.0.2.7: callbridge limit 500
 *
 * Every process of ours appends to the same file; it is opened for each line, under a lock, so that
 * it can be moved away at any time.  What is not printable is written as '?'.
 *
 * Threads    Any.
 * Errors     A line that cannot be written goes to the event log instead.
 * Limits     AUDIT_FILE_BYTES_MAX, then the file becomes AUDIT.1 and so on, AUDIT_FILES_KEPT of
 *            them; AUDIT_LINE_MAX bytes a line, longer ones are cut.
 */
#ifndef NET_AUDIT_H
#define NET_AUDIT_H

#include "base/str.h"

enum {
	AUDIT_FILE_BYTES_MAX = 16 << 20,
	AUDIT_FILES_KEPT = 5,
	AUDIT_LINE_MAX = 2048,
	AUDIT_PATH_MAX = 1152,
};

void audit_write(const char *path, const char *user, const char *from, struct str what);

#endif
