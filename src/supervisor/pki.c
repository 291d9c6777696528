/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/pki.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/tls.h"
#include "supervisor/pki_internal.h"

enum {
	NAME_SHOWN_MAX = 60, /* of one that is refused */
};

/* -- files of a command ------------------------------------------------------------------------ */

/* Where the file is that a user named; false: why it cannot be had. */
static bool
find_file(pki_path out, const struct data_dir *dir, const struct mmp_user *user, struct str name,
          struct writer *why)
{
	char text[CONFIG_FILE_MAX];
	if (user->may_name != NULL && !user->may_name(name))
		writer_format(why, "\"%.*s\" is no key or certificate that SFTP shows",
		              (int)(name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX),
		              name.at);
	else if (!str_copy(text, sizeof text, name) ||
	         !config_path(out, sizeof(pki_path), dir->path, text))
		writer_text(why, "the name is too long");
	else
		return true;
	return false;
}

/* What went wrong, with files as they were named: relative to DATA. */
static void
write_error(struct writer *out, const struct data_dir *dir, int rc, const char *error)
{
	const size_t len = strlen(dir->path);
	if (error[0] == '\0')
		error = strerror(-rc);
	for (const char *at; (at = strstr(error, dir->path)) != NULL;
	     error = at + len + (at[len] == '/'))
		writer_str(out, (struct str){ error, (size_t)(at - error) });
	writer_text(out, error);
}

/* -- settings ---------------------------------------------------------------------------------- */

/* One of a setting's files, "" and NULL being none. */
static bool
find_own(pki_path out, const struct data_dir *dir, const struct mmp_user *user, const char *name,
         struct writer *why)
{
	out[0] = '\0';
	return name == NULL || name[0] == '\0' || find_file(out, dir, user, str_of(name), why);
}

static int
look_at(const struct mmp_check *check, const char *key, const char *certificate,
        const char *bundle, char error[CERT_ERROR_MAX])
{
	const bool server = check->kind == MMP_CHECK_SERVER;
	const struct cert_use use = { .cert_file = certificate,
		                      .key_file = key,
		                      .chain_file = server && bundle[0] != '\0' ? bundle : NULL,
		                      .client = !server };
	int rc;
	switch (check->kind) {
	case MMP_CHECK_PAIR:
		return cert_match(certificate, key, error);
	case MMP_CHECK_SERVER:
		return cert_fits(&use, error);
	case MMP_CHECK_CLIENT:
		rc = cert_fits(&use, error);
		return rc == 0 ? cert_trust_fits(bundle, error) : rc;
	case MMP_CHECK_TRUST:
		return cert_trust_fits(bundle, error);
	case MMP_CHECK_CIPHERS:
		break;
	}
	return tls_ciphers_fit(check->ciphers, error);
}

bool
pki_fits(const struct data_dir *dir, const struct mmp_user *user, const struct mmp_check *check,
         struct writer *why)
{
	pki_path key, certificate, bundle;
	char error[CERT_ERROR_MAX] = "";
	if (!find_own(key, dir, user, check->key, why) ||
	    !find_own(certificate, dir, user, check->certificate, why) ||
	    !find_own(bundle, dir, user, check->bundle, why))
		return false;
	int rc = check->key != NULL ? cert_match(certificate, key, error) : 0;
	if (rc != 0)
		writer_text(why, "Key and certificate pair do not match: ");
	else
		rc = look_at(check, key, certificate, bundle, error);
	if (rc != 0)
		write_error(why, dir, rc, error);
	return rc == 0;
}

/* -- commands ---------------------------------------------------------------------------------- */

bool
pki_argument(pki_path out, const struct pki_work *work, size_t index)
{
	return find_file(out, work->dir, work->user, work->line->arguments[index], work->out);
}

bool
pki_fail(const struct pki_work *work, const char *why)
{
	writer_text(work->out, why);
	return false;
}

bool
pki_error(const struct pki_work *work, int rc, const char *error)
{
	write_error(work->out, work->dir, rc, error);
	return false;
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
list(const struct pki_work *work)
{
	const struct data_dir *dir = work->dir;
	struct writer *out = work->out;
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
inspect(const struct pki_work *work)
{
	pki_path path;
	char error[CERT_ERROR_MAX] = "", from[WALL_TEXT_MAX], until[WALL_TEXT_MAX];
	struct cert_info info;
	struct writer *out = work->out;
	if (!pki_argument(path, work, 0))
		return false;
	const int rc = cert_inspect(&info, path, error);
	if (rc != 0)
		return pki_error(work, rc, error);
	writer_format(out, "Subject             : %s\n", info.subject);
	writer_format(out, "Issuer              : %s\n", info.issuer);
	writer_format(out, "Names               : %s\n", info.names[0] != '\0' ? info.names : "none");
	writer_format(out, "Key                 : %s\n", info.key);
	writer_format(out, "Authority           : %s\n", info.authority ? "true" : "false");
	writer_format(out, "Not before          : %s\n", wall_text(from, info.not_before));
	writer_format(out, "Not after           : %s\n", wall_text(until, info.not_after));
	writer_format(out, "SHA-256 fingerprint : %s\n", info.fingerprint);
	return true;
}

static bool
match(const struct pki_work *work)
{
	pki_path key, certificate;
	char error[CERT_ERROR_MAX] = "";
	if (!pki_argument(key, work, 0) || !pki_argument(certificate, work, 1))
		return false;
	const int rc = cert_match(certificate, key, error);
	if (rc == 0) {
		writer_text(work->out, "Key and certificate pair match");
		return true;
	}
	writer_text(work->out, "Key and certificate pair do not match: ");
	return pki_error(work, rc, error);
}

/* The last file has the roots; one before it, what is between. */
static bool
verify(const struct pki_work *work)
{
	pki_path path, between, authority;
	char error[CERT_ERROR_MAX] = "";
	const bool three = work->line->count == 3;
	if (work->line->count > 3)
		return pki_fail(work, "too many words; expected pki verify <crt> <bundle> [ca]");
	if (!pki_argument(path, work, 0) || !pki_argument(between, work, 1) ||
	    !pki_argument(authority, work, three ? 2 : 1))
		return false;
	const struct cert_way way = { .cert_file = path,
		                      .between_file = three ? between : NULL,
		                      .authority_file = authority };
	const int rc = cert_verify(&way, error);
	if (rc != 0) {
		writer_text(work->out, "certificate not verified: ");
		return pki_error(work, rc, error);
	}
	writer_text(work->out, "SUCCESS: certificate verified against CA bundle");
	return true;
}

bool
pki_run(const struct data_dir *dir, const struct mmp_user *user,
        const struct mmp_terminal *terminal, const struct mmp_line *line, struct writer *out)
{
	const struct pki_work work = { dir, user, terminal, line, out };
	switch ((unsigned)line->call) {
	case MMP_PKI_LIST:
		return list(&work);
	case MMP_PKI_INSPECT:
		return inspect(&work);
	case MMP_PKI_MATCH:
		return match(&work);
	case MMP_PKI_VERIFY:
		return verify(&work);
	default:
		return pki_make(&work);
	}
}
