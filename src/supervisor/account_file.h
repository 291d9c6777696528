/* SPDX-License-Identifier: Apache-2.0 */
/* account_file -- DATA/accounts: read, and changed under its lock.
 *
 *	struct account_file file;
 *	if (account_file_open(&file, dir, error)) {
 *		... file.accounts ...
 *		done = account_file_write(&file, error);
 *		account_file_close(&file);
 *	}
 *
 * Ownership  open/close; the accounts are on the heap and wiped at the end.
 * Threads    The main thread; blocking.
 * Errors     False, and a sentence for the administrator.  A file that is not there is an empty one.
 * Limits     ACCOUNT_FILE_LOCK_US for the lock.
 */
#ifndef SUPERVISOR_ACCOUNT_FILE_H
#define SUPERVISOR_ACCOUNT_FILE_H

#include "mmp/accounts.h"
#include "supervisor/data_dir.h"

enum {
	ACCOUNT_FILE_LOCK_US = 5 * 1000000,
};

struct account_file {
	const struct data_dir *dir;
	struct accounts *accounts;
	int lock;
	bool missing; /* there was no such file */
};

[[nodiscard]] bool account_file_open(struct account_file *file, const struct data_dir *dir,
                                     char error[DATA_ERROR_MAX]);
[[nodiscard]] bool account_file_write(struct account_file *file, char error[DATA_ERROR_MAX]);
void account_file_close(struct account_file *file);

/* The first account of a fresh folder: `admin`, with a random password that nobody has but whoever
 * can read DATA/admin-password.  Nothing is done once there is a file. */
[[nodiscard]] bool account_file_furnish(const struct data_dir *dir, char error[DATA_ERROR_MAX]);

/* A fresh hash of a password; false: there is not enough memory. */
[[nodiscard]] bool account_hash(char out[ACCOUNT_HASH_MAX], struct str password);
/* Now, as account_judge() wants it, in this machine's time zone. */
[[nodiscard]] struct account_moment account_now(const struct net_addr *from);

#endif
