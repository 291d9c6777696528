/* SPDX-License-Identifier: Apache-2.0 */
/* For those who resell: a key of their own, and files signed with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "licence/licence_sign.h"
#include "net/files.h"
#include "supervisor/license.h"

enum {
	PATH_BYTES = 1024,
	KEY_BYTES_MAX = 4096,
	KEY_MODE = 0600,
	FILE_MODE = 0644,
};

static const char usage[] =
	"usage: convoke license make NAME               NAME.key to sign with, NAME.pub to be trusted\n"
	"       convoke license sign NAME.key CLAIMS [FILE]   a licence file of these claims (JSON)\n";

static int
complain(const char *path, const char *why)
{
	fprintf(stderr, "convoke license: %s: %s\n", path, why);
	return 1;
}

/* ---- Making -------------------------------------------------------------------------------- */

/* Never overwrites: what was signed with a lost key counts for ever, and nothing new does. */
static int
write_new(const char *path, const struct writer *w, unsigned mode)
{
	if (access(path, F_OK) == 0)
		return complain(path, "it is there already");
	const int rc = file_replace(path, w->bytes, w->at, mode);
	return rc == 0 ? 0 : complain(path, strerror(-rc));
}

static int
make(const char *name)
{
	char path[PATH_BYTES], text[LICENCE_SECRET_TEXT_MAX];
	struct licence_secret secret;
	struct licence_issuers issuer = { .count = 1 };
	struct writer w = writer_of(text, sizeof text);
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	if (!licence_issuer_name_valid(str_of(base)) ||
	    snprintf(path, sizeof path, "%s.key", name) >= (int)sizeof path)
		return complain(name, "the name may hold letters, digits, '-', '_' and '.', 31 of them");
	str_copy(issuer.list[0].name, LICENCE_ISSUER_MAX, str_of(base));
	if (licence_secret_make(&secret) != 0 || licence_secret_write(&w, &secret) != 0 ||
	    licence_key_of(&issuer.list[0].key, &secret) != 0)
		return complain(name, "no key can be made");
	int status = write_new(path, &w, KEY_MODE);
	explicit_bzero(&secret, sizeof secret);
	explicit_bzero(text, sizeof text);
	if (status != 0)
		return status;
	w = writer_of(text, sizeof text);
	licence_issuers_write(&w, &issuer);
	snprintf(path, sizeof path, "%s.pub", name);
	status = write_new(path, &w, FILE_MODE);
	if (status == 0)
		printf("%s.key is yours alone.  Whoever shall believe it:\n    license issuer add %.*s",
		       name, STR_ARGS(writer_view(&w)));
	return status;
}

/* ---- Signing ------------------------------------------------------------------------------- */

/* The issuer's name is that of the key's file. */
static struct str
issuer_of(const char *key_path)
{
	const char *base = strrchr(key_path, '/') != NULL ? strrchr(key_path, '/') + 1 : key_path;
	struct str name = str_of(base);
	if (str_ends(name, STR(".key")))
		name.len -= 4;
	return name;
}

static int
read_secret(struct licence_secret *out, const char *path)
{
	char *text = NULL;
	size_t len = 0;
	int rc = file_read(path, KEY_BYTES_MAX, &text, &len);
	if (rc != 0)
		return complain(path, strerror(-rc));
	rc = licence_secret_parse(out, (struct str){ text, len });
	explicit_bzero(text, len);
	free(text);
	return rc == 0 ? 0 : complain(path, "it is no private key of Ed25519 in PEM");
}

static int
put_out(const char *path, const struct writer *w)
{
	if (path == NULL)
		return fwrite(w->bytes, 1, w->at, stdout) == w->at ? 0 : 1;
	const int rc = file_replace(path, w->bytes, w->at, FILE_MODE);
	return rc == 0 ? 0 : complain(path, strerror(-rc));
}

static int
sign(const char *key_path, const char *claims_path, const char *out_path)
{
	static char file[2 * LICENCE_FILE_BYTES_MAX];
	char error[LICENCE_ERROR_MAX];
	struct licence_secret secret;
	char *claims = NULL;
	size_t len = 0;
	struct writer w = writer_of(file, sizeof file);
	const int rc = file_read(claims_path, LICENCE_PAYLOAD_BYTES_MAX, &claims, &len);
	if (rc != 0)
		return complain(claims_path, strerror(-rc));
	int status = read_secret(&secret, key_path);
	if (status == 0 && !licence_make(&w, str_trim((struct str){ claims, len }),
	                                 issuer_of(key_path), &secret, error))
		status = complain(claims_path, error);
	if (status == 0 && w.at > LICENCE_FILE_BYTES_MAX)
		status = complain(claims_path, "the claims are too long");
	if (status == 0)
		status = put_out(out_path, &w);
	explicit_bzero(&secret, sizeof secret);
	free(claims);
	return status;
}

int
license_tool(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "make") == 0)
		return make(argv[1]);
	if ((argc == 3 || argc == 4) && strcmp(argv[0], "sign") == 0)
		return sign(argv[1], argv[2], argc == 4 ? argv[3] : NULL);
	fputs(usage, stderr);
	return 2;
}
