/* SPDX-License-Identifier: Apache-2.0 */
/* `pki csr`, `selfsigned`, `sign`, `pkcs12` and `unlink`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/cert_request.h"
#include "supervisor/pki_internal.h"

enum {
	BASE_MAX = 48,
	CONFIG_TEXT_MAX = 64 << 10,
};

/* -- names ------------------------------------------------------------------------------------- */

/* "tac", for tac.key and tac.csr: no path, nothing hidden. */
static bool
base_name(char out[BASE_MAX], const struct pki_work *work, size_t index)
{
	const struct str name = work->line->arguments[index];
	bool fits = name.len != 0 && name.at[0] != '.' && name.at[0] != '-' && name.len < BASE_MAX;
	for (size_t i = 0; i < name.len && fits; i++) {
		const char c = name.at[i];
		fits = str_is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '+';
	}
	if (fits)
		return str_copy(out, BASE_MAX, name);
	writer_format(work->out,
	              "\"%.*s\" does not fit; expected a name of at most %d letters, digits, - and _, "
	              "without an ending",
	              (int)(name.len < 60 ? name.len : 60), name.at, BASE_MAX - 1);
	return false;
}

static const char *
file_of(char out[DATA_PATH_MAX + 64], const struct pki_work *work, const char *base,
        const char *ending)
{
	char name[BASE_MAX + 8];
	snprintf(name, sizeof name, "%s.%s", base, ending);
	return data_dir_file(out, work->dir, name);
}

/* Never overwrites: a key that somebody trusts does not come back. */
static bool
is_free(const struct pki_work *work, const char *base, const char *const *endings)
{
	for (; *endings != NULL; endings++) {
		char path[DATA_PATH_MAX + 64];
		if (access(file_of(path, work, base, *endings), F_OK) != 0)
			continue;
		writer_format(work->out, "%s.%s is there already; remove it first by pki unlink "
		                         "%s.%s", base, *endings, base, *endings);
		return false;
	}
	return true;
}

/* -- new keys ---------------------------------------------------------------------------------- */

static bool
read_wish(struct cert_wish *wish, const struct pki_work *work)
{
	char error[CERT_ERROR_MAX];
	cert_wish_init(wish);
	for (size_t i = 1; i < work->line->count; i++)
		if (!cert_wish_add(wish, work->line->arguments[i], error))
			return pki_fail(work, error);
	return cert_wish_end(wish, error) || pki_fail(work, error);
}

static bool
request(const struct pki_work *work)
{
	static const char *const made[] = { "key", "csr", NULL };
	char base[BASE_MAX], key[DATA_PATH_MAX + 64], path[DATA_PATH_MAX + 64];
	char error[CERT_ERROR_MAX];
	struct cert_wish wish;
	if (!base_name(base, work, 0) || !is_free(work, base, made) || !read_wish(&wish, work))
		return false;
	const int rc = cert_request_make(file_of(key, work, base, "key"),
	                                 file_of(path, work, base, "csr"), &wish, error);
	if (rc != 0)
		return pki_error(work, rc, error);
	writer_format(work->out, "Created key file %s.key and CSR %s.csr\n", base, base);
	writer_format(work->out, "CSR file %s.csr ready for download via SFTP\n", base);
	return true;
}

/* Without attributes: for this machine, as the first start makes them. */
static bool
self_signed(const struct pki_work *work)
{
	static const char *const made[] = { "key", "crt", NULL };
	char base[BASE_MAX], key[DATA_PATH_MAX + 64], path[DATA_PATH_MAX + 64];
	char error[CERT_ERROR_MAX], why[DATA_ERROR_MAX];
	struct cert_wish wish;
	if (!base_name(base, work, 0) || !is_free(work, base, made))
		return false;
	if (work->line->count == 1) {
		if (!data_dir_make_cert(work->dir, base, why))
			return pki_fail(work, why);
	} else {
		if (!read_wish(&wish, work))
			return false;
		const int rc = cert_self_make(file_of(key, work, base, "key"),
		                              file_of(path, work, base, "crt"), &wish, error);
		if (rc != 0)
			return pki_error(work, rc, error);
	}
	writer_format(work->out, "Created key file %s.key and certificate %s.crt\n", base, base);
	return true;
}

/* -- others' keys ------------------------------------------------------------------------------ */

static bool
sign(const struct pki_work *work)
{
	static const char *const made[] = { "crt", NULL };
	char base[BASE_MAX], ca[BASE_MAX], error[CERT_ERROR_MAX];
	char path[DATA_PATH_MAX + 64], wanted[DATA_PATH_MAX + 64];
	char ca_cert[DATA_PATH_MAX + 64], ca_key[DATA_PATH_MAX + 64];
	if (!base_name(base, work, 0) || !base_name(ca, work, 1) || !is_free(work, base, made))
		return false;
	const struct cert_authority authority = { .cert_file = file_of(ca_cert, work, ca, "crt"),
		                                  .key_file = file_of(ca_key, work, ca, "key") };
	const int rc = cert_sign(file_of(path, work, base, "crt"),
	                         file_of(wanted, work, base, "csr"), &authority, error);
	if (rc != 0)
		return pki_error(work, rc, error);
	writer_format(work->out, "Created certificate %s.crt, signed by %s.crt\n", base, ca);
	return true;
}

static bool
unpack(const struct pki_work *work)
{
	static const char *const made[] = { "key", "crt", NULL };
	char base[BASE_MAX], key[DATA_PATH_MAX + 64], path[DATA_PATH_MAX + 64];
	char error[CERT_ERROR_MAX], password[MMP_SECRET_MAX] = "";
	pki_path bundle;
	if (!pki_argument(bundle, work, 0) || !base_name(base, work, 1) ||
	    !is_free(work, base, made))
		return false;
	if (!work->terminal->ask(work->terminal->context, "Please enter password:", true, password,
	                         sizeof password))
		return pki_fail(work, "no password was given");
	const int rc = cert_unpack(file_of(key, work, base, "key"), file_of(path, work, base, "crt"),
	                           bundle, password, error);
	explicit_bzero(password, sizeof password);
	if (rc != 0)
		return pki_error(work, rc, error);
	writer_format(work->out, "Created key file %s.key and certificate %s.crt\n", base, base);
	return true;
}

/* -- taking away ------------------------------------------------------------------------------- */

/* The setting that names the file; empty: none. */
static struct str
use_of(const struct config *config, char text[CONFIG_TEXT_MAX], struct str name)
{
	struct writer w = writer_of(text, CONFIG_TEXT_MAX);
	config_write(&w, config);
	CHECK(!w.failed);
	for (struct str rest = writer_view(&w); rest.len != 0;) {
		const struct str line = str_cut(&rest, '\n');
		for (struct str words = line; words.len != 0;)
			if (str_eq(str_cut(&words, ' '), name))
				return line;
	}
	return (struct str){ 0 };
}

static bool
is_key_or_certificate(struct str name)
{
	static const char *const endings[] = { ".key", ".crt", ".cer", ".pem", ".csr", ".p12" };
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (str_ends(name, str_of(endings[i])))
			return str_find(name, '/') == name.len && !str_eq(name, STR("jwt.key"));
	return false;
}

static bool
remove_file(const struct pki_work *work)
{
	const struct str name = work->line->arguments[0];
	char error[DATA_ERROR_MAX], *text;
	struct config config;
	pki_path path;
	if (!is_key_or_certificate(name))
		return pki_fail(work, "expected a key, a certificate or a request of the data folder");
	if (!pki_argument(path, work, 0))
		return false;
	if (!data_dir_config(&config, work->dir, error))
		return pki_fail(work, error);
	text = malloc(CONFIG_TEXT_MAX);
	if (text == NULL)
		return pki_fail(work, "not enough memory");
	const struct str use = use_of(&config, text, name);
	if (use.len != 0)
		writer_format(work->out, "%.*s is in use: %.*s", STR_ARGS(name), STR_ARGS(use));
	free(text);
	if (use.len != 0)
		return false;
	if (unlink(path) != 0)
		return pki_fail(work, strerror(errno));
	writer_format(work->out, "SUCCESS: %.*s removed\n", STR_ARGS(name));
	return true;
}

bool
pki_make(const struct pki_work *work)
{
	switch ((unsigned)work->line->call) {
	case MMP_PKI_CSR:
		return request(work);
	case MMP_PKI_SELFSIGNED:
		return self_signed(work);
	case MMP_PKI_SIGN:
		return sign(work);
	case MMP_PKI_PKCS12:
		return unpack(work);
	default:
		CHECK(work->line->call == MMP_PKI_UNLINK);
		return remove_file(work);
	}
}
