/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/pki.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/cert.h"

enum {
	BASE_MAX = 48,
};

bool
pki_matches(const struct data_dir *dir, const char *key, const char *certificate,
            struct writer *why)
{
	char key_path[DATA_PATH_MAX + CONFIG_FILE_MAX], cert_path[DATA_PATH_MAX + CONFIG_FILE_MAX];
	char error[CERT_ERROR_MAX] = "";
	if (!config_path(key_path, sizeof key_path, dir->path, key) ||
	    !config_path(cert_path, sizeof cert_path, dir->path, certificate)) {
		writer_text(why, "the name is too long");
		return false;
	}
	const int rc = cert_match(cert_path, key_path, error);
	if (rc != 0)
		writer_text(why, error[0] != '\0' ? error : strerror(-rc));
	return rc == 0;
}

/* Keys and certificates in PEM: the Call Bridge's own secrets have another form. */
static bool
is_pem(const struct data_dir *dir, const char *name)
{
	static const char begin[] = "-----BEGIN ";
	char path[DATA_PATH_MAX + 256], start[sizeof begin] = "";
	snprintf(path, sizeof path, "%s/%s", dir->path, name);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	const size_t len = fread(start, 1, sizeof begin - 1, file);
	fclose(file);
	return len == sizeof begin - 1 && memcmp(start, begin, len) == 0;
}

static int
is_pki_file(const struct dirent *entry)
{
	static const char *const endings[] = { ".key", ".crt", ".cer", ".pem", ".csr" };
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (str_ends(str_of(entry->d_name), str_of(endings[i])))
			return 1;
	return 0;
}

static bool
list(const struct data_dir *dir, struct writer *out)
{
	struct dirent **entries = NULL;
	const int count = scandir(dir->path, &entries, is_pki_file, alphasort);
	if (count < 0) {
		writer_text(out, strerror(errno));
		return false;
	}
	writer_text(out, "User supplied certificates and keys:\n");
	for (int i = 0; i < count; i++) {
		if (is_pem(dir, entries[i]->d_name))
			writer_format(out, "%s\n", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return true;
}

static bool
inspect(const struct data_dir *dir, const char *file, struct writer *out)
{
	char path[DATA_PATH_MAX + CONFIG_FILE_MAX], error[CERT_ERROR_MAX] = "";
	char from[WALL_TEXT_MAX], until[WALL_TEXT_MAX];
	struct cert_info info;
	int rc = -ENAMETOOLONG;
	if (config_path(path, sizeof path, dir->path, file))
		rc = cert_inspect(&info, path, error);
	if (rc != 0) {
		writer_text(out, error[0] != '\0' ? error : strerror(-rc));
		return false;
	}
	writer_format(out, "Subject             : %s\n", info.subject);
	writer_format(out, "Issuer              : %s\n", info.issuer);
	writer_format(out, "Not before          : %s\n", wall_text(from, info.not_before));
	writer_format(out, "Not after           : %s\n", wall_text(until, info.not_after));
	writer_format(out, "SHA-256 fingerprint : %s\n", info.fingerprint);
	return true;
}

/* Never overwrites: a key that somebody trusts does not come back. */
static bool
self_signed(const struct data_dir *dir, const char *base, struct writer *out)
{
	static const char *const endings[] = { "key", "crt" };
	char error[DATA_ERROR_MAX];
	if (strchr(base, '/') != NULL || base[0] == '.' || strlen(base) >= BASE_MAX) {
		writer_format(out, "\"%.60s\" does not fit; expected a name of at most %d bytes "
		                   "without /", base, BASE_MAX - 1);
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		char name[BASE_MAX + 8], path[DATA_PATH_MAX + 64];
		snprintf(name, sizeof name, "%s.%s", base, endings[i]);
		if (access(data_dir_file(path, dir, name), F_OK) == 0) {
			writer_format(out, "%s is there already; remove it first", name);
			return false;
		}
	}
	if (!data_dir_make_cert(dir, base, error)) {
		writer_text(out, error);
		return false;
	}
	writer_format(out, "Created key file %s.key and certificate %s.crt\n", base, base);
	return true;
}

bool
pki_run(const struct data_dir *dir, enum mmp_call call, const struct str *arguments,
        struct writer *out)
{
	char text[2][CONFIG_FILE_MAX] = { "", "" };
	const size_t count = call == MMP_PKI_LIST ? 0 : call == MMP_PKI_MATCH ? 2 : 1;
	for (size_t i = 0; i < count; i++) {
		if (!str_copy(text[i], sizeof text[i], arguments[i])) {
			writer_text(out, "the name is too long");
			return false;
		}
	}
	switch ((unsigned)call) {
	case MMP_PKI_LIST:
		return list(dir, out);
	case MMP_PKI_INSPECT:
		return inspect(dir, text[0], out);
	case MMP_PKI_SELFSIGNED:
		return self_signed(dir, text[0], out);
	default:
		CHECK(call == MMP_PKI_MATCH);
	}
	char why[CERT_ERROR_MAX];
	struct writer w = writer_of(why, sizeof why);
	if (pki_matches(dir, text[0], text[1], &w))
		writer_text(out, "Key and certificate pair match");
	else
		writer_format(out, "Key and certificate pair do not match: %.*s",
		              STR_ARGS(writer_view(&w)));
	return w.at == 0;
}
