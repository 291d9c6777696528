/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what will not do as a certificate is told before anybody relies on it, in words.  Method:
 * a row for each way to be wrong, and for each that is right. */
#include "net/cert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "net/test_certs.h"

/* One file of several, in /tmp; gone at the end of the program. */
static const char *
joined(const char *const *files)
{
	static char path[64];
	static unsigned count;
	snprintf(path, sizeof path, "/tmp/cert-test-%d-%u.pem", (int)getpid(), count++ % 2);
	FILE *out = fopen(path, "w");
	EXPECT(out != NULL);
	for (; *files != NULL; files++) {
		FILE *in = fopen(test_cert(*files), "r");
		EXPECT(in != NULL);
		for (int c; (c = fgetc(in)) != EOF;)
			fputc(c, out);
		fclose(in);
	}
	fclose(out);
	return path;
}

static void
remove_joined(void)
{
	char path[64];
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/tmp/cert-test-%d-%u.pem", (int)getpid(), i);
		unlink(path);
	}
}

static void
expect_use(const char *cert, const char *key, const char *chain, bool client, const char *want)
{
	char error[CERT_ERROR_MAX] = "";
	char cert_file[128], key_file[128], chain_file[128] = "";
	snprintf(cert_file, sizeof cert_file, "%s", test_cert(cert));
	snprintf(key_file, sizeof key_file, "%s", test_cert(key));
	if (chain != NULL)
		snprintf(chain_file, sizeof chain_file, "%s", test_cert(chain));
	const struct cert_use use = { .cert_file = cert_file,
		                      .key_file = key_file,
		                      .chain_file = chain != NULL ? chain_file : NULL,
		                      .client = client };
	EXPECT_EQ(cert_fits(&use, error) == 0, want[0] == '\0');
	EXPECT(str_contains_nocase(str_of(error), str_of(want)));
}

TEST(what_will_do_for_a_server_is_taken)
{
	expect_use("good.crt", "good.key", NULL, false, "");
	expect_use("good.crt", "good.key", "authority.crt", false, "");
	expect_use("good.crt", "good.key", "good.crt", false, "");
	expect_use("self.crt", "self.key", NULL, false, "");
	expect_use("client.crt", "client.key", NULL, true, "");
}

TEST(what_will_not_do_is_refused_with_the_reason)
{
	expect_use("good.crt", "client.key", NULL, false, "do not belong together");
	expect_use("expired.crt", "expired.key", NULL, false, "has expired");
	expect_use("later.crt", "later.key", NULL, false, "not valid before");
	expect_use("good.crt", "good.key", "other.crt", false,
	           "the chain is not complete: the certificate of \"CN = authority\" is missing");
	expect_use("leaf.crt", "leaf.key", "authority.crt", false,
	           "the certificate of \"CN = between\" is missing");
	expect_use("leaf.crt", "leaf.key", "between.crt", false, "");
	expect_use("authority.crt", "authority.key", NULL, false, "not made for TLS servers");
	expect_use("none.crt", "good.key", NULL, false, "No such file");
	expect_use("good.key", "good.key", NULL, false, "holds no certificate");
}

TEST(a_bundle_to_trust_holds_at_least_one_good_certificate)
{
	char error[CERT_ERROR_MAX] = "";
	EXPECT_EQ(cert_trust_fits(test_cert("authority.crt"), error), 0);
	EXPECT_EQ(cert_trust_fits(test_cert("expired.crt"), error), -EINVAL);
	EXPECT(strstr(error, "has expired") != NULL);
	EXPECT_EQ(cert_trust_fits(joined((const char *[]){ "expired.crt", "other.crt", NULL }),
	                          error), 0);
	EXPECT_EQ(cert_trust_fits(test_cert("good.key"), error), -EINVAL);
	EXPECT(strstr(error, "holds no certificate") != NULL);
	remove_joined();
}

static void
expect_way(const char *cert, const char *between, const char *authority, const char *want)
{
	char error[CERT_ERROR_MAX] = "";
	const struct cert_way way = { .cert_file = test_cert(cert),
		                      .between_file = between != NULL ? test_cert(between) : NULL,
		                      .authority_file = test_cert(authority) };
	EXPECT_EQ(cert_verify(&way, error), want[0] == '\0' ? 0 : -EINVAL);
	EXPECT(str_contains_nocase(str_of(error), str_of(want)));
}

TEST(a_way_to_a_root_is_verified)
{
	expect_way("good.crt", NULL, "authority.crt", "");
	expect_way("leaf.crt", "between.crt", "authority.crt", "");
	expect_way("self.crt", NULL, "self.crt", "");
	expect_way("leaf.crt", NULL, "authority.crt", "unable to get local issuer");
	expect_way("leaf.crt", NULL, "between.crt", "unable to get issuer");
	expect_way("good.crt", NULL, "other.crt", "unable to get local issuer");
	expect_way("expired.crt", NULL, "authority.crt", "expired");
	expect_way("self.crt", NULL, "authority.crt", "self-signed");
}

TEST(a_certificate_tells_its_names_and_its_key)
{
	struct cert_info info;
	char error[CERT_ERROR_MAX];
	EXPECT_EQ(cert_inspect(&info, test_cert("good.crt"), error), 0);
	EXPECT_STR(str_of(info.names), "host.test, 127.0.0.1, ::1");
	EXPECT_STR(str_of(info.key), "EC 256 bits");
	EXPECT(!info.authority);
	EXPECT_EQ(cert_inspect(&info, test_cert("authority.crt"), error), 0);
	EXPECT(info.authority);
	EXPECT_STR(str_of(info.names), "");
}
