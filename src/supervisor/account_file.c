/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/account_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/password.h"
#include "base/check.h"
#include "base/encode.h"
#include "net/files.h"
#include "net/random.h"
#include "net/wall.h"

enum {
	FIRST_PASSWORD_BYTES = 15, /* 20 letters of base64url: 120 bits */
};

static_assert((int)ACCOUNT_HASH_MAX == (int)PASSWORD_HASH_MAX, "what is hashed can be kept");
static_assert((int)ACCOUNT_PASSWORD_MAX == (int)PASSWORD_MAX, "what is kept can be typed");

static bool
read_accounts(struct account_file *file, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64], *bytes;
	uint32_t line;
	size_t len;
	const int rc = file_read(data_dir_file(path, file->dir, "accounts"), ACCOUNTS_BYTES_MAX,
	                         &bytes, &len);
	accounts_init(file->accounts);
	file->missing = rc == -ENOENT;
	if (rc == -ENOENT)
		return true;
	if (rc != 0) {
		snprintf(error, DATA_ERROR_MAX, "%s: %s", path, strerror(-rc));
		return false;
	}
	const bool good = accounts_parse(file->accounts, (struct str){ bytes, len }, &line);
	explicit_bzero(bytes, len);
	free(bytes);
	if (!good)
		snprintf(error, DATA_ERROR_MAX, "%s, line %u is damaged; restore it from a backup",
		         path, (unsigned)line);
	return good;
}

bool
account_file_open(struct account_file *file, const struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	int holder;
	*file = (struct account_file){ .dir = dir };
	file->lock = data_dir_lock(dir, "accounts", ACCOUNT_FILE_LOCK_US, &holder);
	if (file->lock < 0) {
		snprintf(error, DATA_ERROR_MAX, "%s/run: the lock of the accounts: %s", dir->path,
		         strerror(-file->lock));
		return false;
	}
	file->accounts = calloc(1, sizeof *file->accounts);
	if (file->accounts == NULL)
		snprintf(error, DATA_ERROR_MAX, "not enough memory");
	if (file->accounts != NULL && read_accounts(file, error))
		return true;
	account_file_close(file);
	return false;
}

bool
account_file_write(struct account_file *file, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64], *text = malloc(ACCOUNTS_BYTES_MAX);
	struct writer w = writer_of(text, text != NULL ? ACCOUNTS_BYTES_MAX : 0);
	int rc = -ENOMEM;
	data_dir_file(path, file->dir, "accounts");
	if (text != NULL) {
		accounts_write(&w, file->accounts);
		CHECK(!w.failed);
		rc = file_replace(path, text, w.at, 0600);
		explicit_bzero(text, w.at);
		free(text);
	}
	if (rc != 0)
		snprintf(error, DATA_ERROR_MAX, "%s: cannot be written: %s", path, strerror(-rc));
	return rc == 0;
}

void
account_file_close(struct account_file *file)
{
	if (file->accounts != NULL)
		explicit_bzero(file->accounts, sizeof *file->accounts);
	free(file->accounts);
	file->accounts = NULL;
	close(file->lock);
}

bool
account_hash(char out[ACCOUNT_HASH_MAX], struct str password)
{
	uint8_t salt[PASSWORD_SALT_BYTES];
	random_bytes(salt, sizeof salt);
	return password_hash(out, password, salt) == 0;
}

struct account_moment
account_now(const struct net_addr *from)
{
	const int64_t now_s = wall_now().us / 1000000;
	const time_t now = (time_t)now_s;
	struct tm local = { .tm_wday = 1 };
	(void)localtime_r(&now, &local);
	return (struct account_moment){
		.now_s = now_s,
		.minute = (uint32_t)(local.tm_hour * 60 + local.tm_min),
		.day = (uint32_t)(local.tm_wday + 6) % 7,
		.from = *from,
		.shell = true,
	};
}

static bool
make_first(struct account_file *file, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64], password[FIRST_PASSWORD_BYTES * 2], hash[ACCOUNT_HASH_MAX];
	uint8_t random[FIRST_PASSWORD_BYTES];
	struct writer w = writer_of(password, sizeof password);
	random_bytes(random, sizeof random);
	encode_base64url(&w, random, sizeof random);
	bool ok = account_hash(hash, writer_view(&w));
	writer_u8(&w, '\n');
	if (!ok) {
		snprintf(error, DATA_ERROR_MAX, "not enough memory to hash a password");
	} else {
		const int rc = file_replace(data_dir_file(path, file->dir, "admin-password"),
		                            password, w.at, 0600);
		ok = rc == 0;
		if (!ok)
			snprintf(error, DATA_ERROR_MAX, "%s: %s", path, strerror(-rc));
	}
	explicit_bzero(random, sizeof random);
	explicit_bzero(password, sizeof password);
	if (!ok)
		return false;
	struct account *account = accounts_add(file->accounts, STR("admin"), MMP_ADMIN, hash,
	                                       wall_now().us / 1000000);
	CHECK(account != NULL);
	return account_file_write(file, error);
}

bool
account_file_furnish(const struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	struct account_file file;
	if (!account_file_open(&file, dir, error))
		return false;
	const bool done = !file.missing || make_first(&file, error);
	account_file_close(&file);
	return done;
}
