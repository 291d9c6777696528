/* SPDX-License-Identifier: Apache-2.0 */
#include "net/test_certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/cert.h"

enum { PATHS_AT_ONCE = 8, PATH_BYTES = 128 };

static char folder[] = "/tmp/net-certs-XXXXXX";

static const char *const names[] = { "host.test", "127.0.0.1", "::1", NULL };
static const char *const made[] = { "authority", "other", "good",    "expired",
	                            "client",    "self",  "stranger", "later",
	                            "between",   "leaf" };

static void
path_of(char out[PATH_BYTES], const char *name, const char *ending)
{
	snprintf(out, PATH_BYTES, "%s/%s%s", folder, name, ending);
}

static void
remove_all(void)
{
	char path[PATH_BYTES];
	for (unsigned i = 0; i < COUNT_OF(made); i++) {
		path_of(path, made[i], ".crt");
		unlink(path);
		path_of(path, made[i], ".key");
		unlink(path);
	}
	rmdir(folder);
}

static void
make(const char *name, const char *issuer, struct cert_settings settings)
{
	char cert[PATH_BYTES], key[PATH_BYTES], issuer_cert[PATH_BYTES], issuer_key[PATH_BYTES];
	char error[CERT_ERROR_MAX];
	path_of(cert, name, ".crt");
	path_of(key, name, ".key");
	if (issuer != NULL) {
		path_of(issuer_cert, issuer, ".crt");
		path_of(issuer_key, issuer, ".key");
		settings.issuer_cert_file = issuer_cert;
		settings.issuer_key_file = issuer_key;
	}
	settings.common_name = name;
	CHECK(cert_make(cert, key, &settings, error) == 0);
}

const char *
test_cert(const char *file)
{
	static bool done;
	static char paths[PATHS_AT_ONCE][PATH_BYTES];
	static unsigned next;
	if (!done) {
		done = true;
		CHECK(mkdtemp(folder) != NULL);
		atexit(remove_all);
		make("authority", NULL, (struct cert_settings){ .authority = true });
		make("other", NULL, (struct cert_settings){ .authority = true });
		make("good", "authority", (struct cert_settings){ .names = names });
		make("expired", "authority", (struct cert_settings){ .names = names, .days = -2 });
		make("client", "authority", (struct cert_settings){ 0 });
		make("self", NULL, (struct cert_settings){ .names = names });
		make("stranger", "other", (struct cert_settings){ .names = names });
		make("later", "authority", (struct cert_settings){ .names = names, .later = true });
		make("between", "authority", (struct cert_settings){ .authority = true });
		make("leaf", "between", (struct cert_settings){ .names = names });
	}
	char *path = paths[next++ % PATHS_AT_ONCE];
	path_of(path, file, "");
	return path;
}
