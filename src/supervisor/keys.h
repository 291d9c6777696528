/* SPDX-License-Identifier: Apache-2.0 */
/* keys -- public keys to log in by SSH with: DATA/<user>.pub, lines of OpenSSH's form, as CMS has it.
 *
 *	ssh-ed25519 AAAAC3Nza... anna@desk
 *
 * An administrator puts the file by SFTP or adds keys by `user key add`.  Lines that are no such key,
 * or begin with options, count for nothing.
 *
 * Threads    The main thread; blocking.
 * Errors     False, and for commands a sentence.
 * Limits     Below.
 */
#ifndef SUPERVISOR_KEYS_H
#define SUPERVISOR_KEYS_H

#include "mmp/accounts.h"
#include "supervisor/data_dir.h"

enum {
	KEYS_MAX = 16,             /* of one user; further lines count for nothing */
	KEYS_BYTES_MAX = 32 << 10, /* of the file */
	KEY_BLOB_MAX = 1100,       /* bytes of a key: RSA of 8192 bits */
	KEY_BASE64_MAX = 1500,
	KEY_PRINT_MAX = 56,        /* "SHA256:..." */
};

/* Is this one of the user's keys, in base64 as it stands in a line?  `print` is its fingerprint. */
[[nodiscard]] bool keys_have(const struct data_dir *dir, const char *name, struct str key,
                             char print[KEY_PRINT_MAX]);
/* With the account they go, and none are there when one begins: the next of that name is somebody
 * else.  Were there any? */
bool keys_forget(const struct data_dir *dir, const char *name);

/* The calls MMP_USER_KEY_... and MMP_PKI_PKCS12_TO_SSH, as struct mmp_host asks them. */
[[nodiscard]] bool keys_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                            const struct mmp_line *line, struct writer *out);

#endif
