/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: nothing but what has a kind can be named, and each role has its own.  Method: tables. */
#include "ssh/files.h"

#include <string.h>

#include "base/check.h"
#include "base/test.h"

TEST(only_flat_names_of_a_kind_exist)
{
	static const char *const good[] = { "cms.crt", "a.key", "cms.lic", "x.bak", "log", "audit",
		                            "logbundle.tar.gz", "eth0.pcap", "My cert 2.cer",
		                            "webbridge-c2w.key", "a..crt" };
	static const char *const bad[] = {
		"", ".", "..", "../a.crt", "/a.crt", "run/a.crt", "log/audit", ".log", ".crt", ".a.crt",
		"convoke.conf", "convoke.db", "convoke.db-wal", "accounts", "admin-password",
		"jwt.key", "JWT.KEY", "ssh_host_ed25519", "bridge.id", "a.crt/", "a\\b.crt",
		"a\nb.crt", "-a.crt", "a.txt", "logs",
		"a-name-that-is-longer-than-anybody-would-type-for-a-certificate.crt",
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		EXPECT(files_find(str_of(good[i])) != NULL);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT(files_find(str_of(bad[i])) == NULL);
	EXPECT(files_find((struct str){ "a\0.crt", 6 }) == NULL);
}

TEST(each_role_has_its_files)
{
	static const struct {
		const char *name;
		const char *get; /* the first letters of the roles: a c u(audit) p(appadmin) i(api) */
		const char *put;
	} cases[] = {
		{ "a.key", "ac", "ac" },     { "a.pem", "ac", "ac" },  { "a.crt", "acp", "ac" },
		{ "a.csr", "acp", "ac" },    { "cms.lic", "ap", "ap" }, { "x.bak", "a", "a" },
		{ "a.pcap", "a", "" },       { "log", "aup", "" },     { "audit", "au", "" },
		{ "logbundle.tar.gz", "au", "" }, { "monday.log", "aup", "" },
	};
	static const char letters[MMP_ROLES] = { 'a', 'c', 'u', 'p', 'i' };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct files_kind *kind = files_find(str_of(cases[i].name));
		EXPECT(kind != NULL);
		for (int role = 0; role < MMP_ROLES; role++) {
			const bool get = strchr(cases[i].get, letters[role]) != NULL;
			const bool put = strchr(cases[i].put, letters[role]) != NULL;
			EXPECT_EQ(files_may(kind, (enum mmp_role)role, FILES_GET), get);
			EXPECT_EQ(files_may(kind, (enum mmp_role)role, FILES_PUT), put);
			EXPECT_EQ(files_may_see(kind, (enum mmp_role)role), get || put);
		}
	}
	EXPECT(!files_may(files_find(STR("log")), MMP_ADMIN, FILES_REMOVE));
	EXPECT(!files_may(files_find(STR("audit")), MMP_ADMIN, FILES_REMOVE));
}
