/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/check.h"
#include "base/encode.h"
#include "net/cert_request.h"
#include "net/files.h"
#include "supervisor/account_file.h"

static const char *const types[] = {
	"ssh-ed25519",         "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "ssh-rsa",
};

struct key {
	struct str line; /* the whole, without its end */
	struct str type;
	struct str base64;
	struct str comment;
	char print[KEY_PRINT_MAX];
};

/* -- one line ---------------------------------------------------------------------------------- */

/* The blob must say the type that the line says (RFC 4253 s6.6). */
static bool
read_blob(struct key *key)
{
	uint8_t blob[KEY_BLOB_MAX], digest[SHA256_DIGEST_LENGTH];
	struct writer w = writer_of(key->print, sizeof key->print - 1);
	const int len = decode_base64(blob, sizeof blob, key->base64);
	if (len < 4 || (size_t)len < 4 + key->type.len)
		return false;
	const size_t said = (size_t)blob[0] << 24 | (size_t)blob[1] << 16 | (size_t)blob[2] << 8 |
	                    blob[3];
	if (said != key->type.len || memcmp(blob + 4, key->type.at, said) != 0)
		return false;
	SHA256(blob, (size_t)len, digest);
	writer_text(&w, "SHA256:");
	encode_base64(&w, digest, sizeof digest);
	while (w.at != 0 && key->print[w.at - 1] == '=')
		w.at--;
	CHECK(!w.failed);
	key->print[w.at] = '\0';
	return true;
}

static bool
read_key(struct key *key, struct str line)
{
	struct str rest = str_trim(line);
	*key = (struct key){ .line = rest };
	key->type = str_cut(&rest, ' ');
	rest = str_trim(rest);
	key->base64 = str_cut(&rest, ' ');
	key->comment = str_trim(rest);
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_eq(key->type, str_of(types[i])))
			return read_blob(key);
	return false;
}

/* -- the file ---------------------------------------------------------------------------------- */

struct keys {
	char *bytes;
	size_t count;
	struct key at[KEYS_MAX];
};

static const char *
file_of(char out[DATA_PATH_MAX + 64], const struct data_dir *dir, const char *name)
{
	char file[ACCOUNT_NAME_MAX + 8];
	snprintf(file, sizeof file, "%s.pub", name);
	return data_dir_file(out, dir, file);
}

/* What cannot be read has no keys. */
static void
open_keys(struct keys *keys, const struct data_dir *dir, const char *name)
{
	char path[DATA_PATH_MAX + 64];
	size_t len = 0;
	*keys = (struct keys){ 0 };
	if (file_read(file_of(path, dir, name), KEYS_BYTES_MAX, &keys->bytes, &len) != 0) {
		keys->bytes = NULL;
		return;
	}
	for (struct str rest = { keys->bytes, len }; rest.len != 0 && keys->count < KEYS_MAX;)
		keys->count += read_key(&keys->at[keys->count], str_cut(&rest, '\n'));
}

static void
close_keys(struct keys *keys)
{
	free(keys->bytes);
}

/* Writes all but number `left_out`, and one more. */
static int
write_keys(const struct keys *keys, const struct data_dir *dir, const char *name, size_t left_out,
           struct str more)
{
	char path[DATA_PATH_MAX + 64], *text = malloc(KEYS_BYTES_MAX);
	struct writer w = writer_of(text, text != NULL ? KEYS_BYTES_MAX : 0);
	for (size_t i = 0; i < keys->count; i++)
		if (i != left_out)
			writer_format(&w, "%.*s\n", STR_ARGS(keys->at[i].line));
	if (more.len != 0)
		writer_format(&w, "%.*s\n", STR_ARGS(more));
	int rc = text == NULL ? -ENOMEM : w.failed ? -EFBIG : 0;
	file_of(path, dir, name);
	if (rc == 0 && w.at == 0)
		rc = unlink(path) == 0 ? 0 : -errno;
	else if (rc == 0)
		rc = file_replace(path, text, w.at, 0600);
	free(text);
	return rc;
}

bool
keys_have(const struct data_dir *dir, const char *name, struct str key, char print[KEY_PRINT_MAX])
{
	struct keys keys;
	bool have = false;
	print[0] = '\0';
	if (!account_name_fits(str_of(name)))
		return false;
	open_keys(&keys, dir, name);
	for (size_t i = 0; i < keys.count; i++) {
		if (!str_eq(keys.at[i].base64, key))
			continue;
		have = true;
		memcpy(print, keys.at[i].print, KEY_PRINT_MAX);
	}
	close_keys(&keys);
	return have;
}

bool
keys_forget(const struct data_dir *dir, const char *name)
{
	char path[DATA_PATH_MAX + 64];
	return unlink(file_of(path, dir, name)) == 0;
}

/* -- commands ---------------------------------------------------------------------------------- */

static bool
fail(struct writer *out, const char *why)
{
	writer_text(out, why);
	return false;
}

/* Of an account that there is. */
static bool
find_name(char name[ACCOUNT_NAME_MAX], const struct data_dir *dir, struct str text,
          struct writer *out)
{
	char error[DATA_ERROR_MAX];
	struct account_file file;
	if (!account_name_fits(text) || !str_copy(name, ACCOUNT_NAME_MAX, text))
		return fail(out, "there is no such user");
	if (!account_file_open(&file, dir, error))
		return fail(out, error);
	const bool there = accounts_find(file.accounts, text) != NULL;
	account_file_close(&file);
	return there || fail(out, "there is no such user");
}

static bool
list(const struct data_dir *dir, const char *name, struct writer *out)
{
	struct keys keys;
	open_keys(&keys, dir, name);
	for (size_t i = 0; i < keys.count; i++)
		writer_format(out, "%.*s %s %.*s\n", STR_ARGS(keys.at[i].type), keys.at[i].print,
		              STR_ARGS(keys.at[i].comment));
	if (keys.count == 0)
		writer_format(out, "%s has no keys\n", name);
	close_keys(&keys);
	return true;
}

static bool
add(const struct data_dir *dir, const char *name, const struct mmp_line *line, struct writer *out)
{
	char text[KEY_BASE64_MAX + 256], print[KEY_PRINT_MAX];
	struct writer w = writer_of(text, sizeof text);
	struct keys keys;
	struct key key;
	for (size_t i = 1; i < line->count; i++)
		writer_format(&w, "%s%.*s", i != 1 ? " " : "", STR_ARGS(line->arguments[i]));
	if (w.failed || !read_key(&key, writer_view(&w)))
		return fail(out, "that is no public key; expected ssh-ed25519, ecdsa-sha2-nistp256, "
		                 "ecdsa-sha2-nistp384, ecdsa-sha2-nistp521 or ssh-rsa, and the key, as "
		                 "in a .pub file of OpenSSH");
	if (keys_have(dir, name, key.base64, print))
		return fail(out, "that key is there already");
	open_keys(&keys, dir, name);
	const int rc = keys.count == KEYS_MAX
	                       ? -E2BIG
	                       : write_keys(&keys, dir, name, SIZE_MAX, writer_view(&w));
	close_keys(&keys);
	if (rc == -E2BIG) {
		writer_format(out, "there are %d keys already", KEYS_MAX);
		return false;
	}
	if (rc != 0)
		return fail(out, strerror(-rc));
	writer_format(out, "SUCCESS: key %s of %s added\n", key.print, name);
	return true;
}

static bool
del(const struct data_dir *dir, const char *name, struct str print, struct writer *out)
{
	struct keys keys;
	size_t at = 0;
	int rc = 0;
	open_keys(&keys, dir, name);
	while (at < keys.count && !str_eq(print, str_of(keys.at[at].print)))
		at++;
	const bool all = str_eq(print, STR("all"));
	const bool found = all ? keys.bytes != NULL : at < keys.count;
	if (all)
		(void)keys_forget(dir, name);
	else if (found)
		rc = write_keys(&keys, dir, name, at, (struct str){ 0 });
	close_keys(&keys);
	if (!found)
		return fail(out, "there is no such key; user key list shows them");
	if (rc != 0)
		return fail(out, strerror(-rc));
	writer_format(out, "SUCCESS: %s %.*s of %s removed\n", all ? "keys:" : "key",
	              STR_ARGS(print), name);
	return true;
}

/* NAME.pub was brought as a PKCS#12 file: the key of its certificate takes its place. */
static bool
unpack(const struct data_dir *dir, const struct mmp_terminal *terminal, const char *name,
       struct writer *out)
{
	char path[DATA_PATH_MAX + 64], key[CERT_SSH_KEY_MAX + 1], password[MMP_SECRET_MAX] = "";
	char error[CERT_ERROR_MAX] = "";
	file_of(path, dir, name);
	if (access(path, R_OK) != 0) {
		writer_format(out, "%s.pub is not there; put the PKCS#12 file by that name first", name);
		return false;
	}
	if (!terminal->ask(terminal->context, "Please enter password:", true, password,
	                   sizeof password))
		return fail(out, "no password was given");
	int rc = cert_unpack_ssh(key, path, password, error);
	explicit_bzero(password, sizeof password);
	if (rc == 0) {
		const size_t len = strlen(key);
		key[len] = '\n';
		rc = file_replace(path, key, len + 1, 0600);
	}
	if (rc != 0) {
		const size_t skip = strncmp(error, path, strlen(path)) == 0 ? strlen(dir->path) + 1 : 0;
		return fail(out, error[0] != '\0' ? error + skip : strerror(-rc));
	}
	writer_format(out, "SUCCESS: %s.pub holds a public key for SSH now\n", name);
	return true;
}

bool
keys_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
         const struct mmp_line *line, struct writer *out)
{
	char name[ACCOUNT_NAME_MAX];
	if (!find_name(name, dir, line->arguments[0], out))
		return false;
	switch ((unsigned)line->call) {
	case MMP_USER_KEY_LIST:
		return list(dir, name, out);
	case MMP_USER_KEY_ADD:
		return add(dir, name, line, out);
	case MMP_USER_KEY_DEL:
		return del(dir, name, line->arguments[1], out);
	default:
		CHECK(line->call == MMP_PKI_PKCS12_TO_SSH);
		return unpack(dir, terminal, name, out);
	}
}
