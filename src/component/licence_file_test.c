/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what lies in the folder is judged as a whole: nobody trusted is everything activated, and from
 * then on only a whole file of this host counts, by a time that never goes back. */
#include "component/licence_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "licence/licence_sign.h"
#include "net/files.h"

static const int64_t MARCH_S = 1772323200; /* 2026-03-01 */
static const int64_t DAY_S = 86400;
static char folder_path[64];
static struct licence_secret secret;
static struct licence_folder folder;

static void
put(const char *name, const void *bytes, size_t len)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder_path, name);
	EXPECT_EQ(file_replace(path, bytes, len, 0600), 0);
}

static void
make_folder(void)
{
	struct licence_issuers issuers = { .count = 1, .list = { { .name = "acme" } } };
	char text[128];
	struct writer w = writer_of(text, sizeof text);
	str_copy(folder_path, sizeof folder_path, STR("/tmp/licence_test.XXXXXX"));
	EXPECT(mkdtemp(folder_path) != NULL);
	EXPECT_EQ(licence_secret_make(&secret), 0);
	EXPECT_EQ(licence_key_of(&issuers.list[0].key, &secret), 0);
	licence_issuers_write(&w, &issuers);
	put("licence-issuers", text, w.at);
	put("bridge.id", "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
}

static void
remove_folder(void)
{
	static const char *const names[] = { "cms.lic", "licence-issuers", "licence-seen",
		                             "bridge.id" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", folder_path, names[i]);
		(void)unlink(path);
	}
	EXPECT_EQ(rmdir(folder_path), 0);
}

static void
put_licence(const char *id, const char *host)
{
	char claims[512], file[2048], error[LICENCE_ERROR_MAX] = "";
	struct writer w = writer_of(file, sizeof file);
	snprintf(claims, sizeof claims,
	         "{\"version\":1,\"id\":\"%s\",\"holder\":\"h\",\"issued\":\"2026-03-01\","
	         "\"host\":\"%s\",\"features\":{\"callbridge\":{\"expires\":\"2026-03-10\"}}}",
	         id, host);
	EXPECT(licence_make(&w, str_of(claims), STR("acme"), &secret, error));
	put("cms.lic", file, w.at);
}

static const char our_host[] = "00112233-4455-4677-8899-aabbccddeeff";

static enum licence_state
calls_at(int64_t clock_s)
{
	int64_t now_s;
	return licence_folder_rights(&folder, clock_s, &now_s).of[LICENCE_CALLBRIDGE].state;
}

static void
read_again(void)
{
	licence_folder_read(&folder, folder_path, LICENCE_FILE);
}

TEST(without_issuers_everything_is_activated)
{
	make_folder();
	char path[128];
	snprintf(path, sizeof path, "%s/licence-issuers", folder_path);
	EXPECT_EQ(unlink(path), 0);
	put("cms.lic", "of another maker", 16);
	read_again();
	EXPECT(licence_folder_free(&folder));
	EXPECT_EQ(calls_at(MARCH_S), LICENCE_ACTIVATED);
	EXPECT_STR(str_of(folder.error), "");
	remove_folder();
}

TEST(with_an_issuer_only_its_file_for_this_host_counts)
{
	make_folder();
	read_again();
	EXPECT(!licence_folder_free(&folder) && !folder.there);
	EXPECT_EQ(calls_at(MARCH_S), LICENCE_NONE);
	put_licence("1", our_host);
	read_again();
	EXPECT_EQ(folder.why, LICENCE_OK);
	EXPECT_EQ(calls_at(MARCH_S + 10 * DAY_S - 1), LICENCE_ACTIVATED);
	EXPECT_EQ(calls_at(MARCH_S + 10 * DAY_S), LICENCE_EXPIRED);
	put_licence("1", "00112233-4455-4677-8899-aabbccddeefe");
	read_again();
	EXPECT_EQ(folder.why, LICENCE_REJECT_HOST);
	EXPECT_EQ(calls_at(MARCH_S), LICENCE_NONE);
	put("cms.lic", folder.text, strlen(folder.text) / 2);
	read_again();
	EXPECT(folder.why != LICENCE_OK && folder.error[0] != '\0');
	static const char large[LICENCE_FILE_BYTES_MAX + 1];
	put("cms.lic", large, sizeof large);
	read_again();
	EXPECT_EQ(folder.why, LICENCE_REJECT_LONG);
	remove_folder();
}

TEST(issuers_that_cannot_be_read_activate_nothing)
{
	make_folder();
	put_licence("1", our_host);
	put("licence-issuers", "acme x\n", 7);
	read_again();
	EXPECT(folder.damaged);
	EXPECT_EQ(calls_at(MARCH_S), LICENCE_NONE);
	EXPECT_STR(str_of(folder.error), "licence-issuers, line 1 is damaged");
	remove_folder();
}

TEST(time_that_was_noted_does_not_come_back)
{
	int64_t now_s;
	make_folder();
	put_licence("1", our_host);
	read_again();
	EXPECT_EQ(licence_folder_note(&folder, folder_path, MARCH_S + 11 * DAY_S), 0);
	read_again();
	EXPECT_EQ(calls_at(MARCH_S + DAY_S), LICENCE_EXPIRED);
	(void)licence_folder_rights(&folder, MARCH_S, &now_s);
	EXPECT_EQ(now_s, MARCH_S + 11 * DAY_S);
	put_licence("2", our_host); /* another file begins anew */
	read_again();
	EXPECT_EQ(calls_at(MARCH_S + DAY_S), LICENCE_ACTIVATED);
	put("licence-seen", "many", 4);
	read_again();
	EXPECT_EQ(folder.seen_s, 0);
	remove_folder();
}

TEST(a_file_is_judged_before_it_is_brought)
{
	make_folder();
	put_licence("1", our_host);
	read_again();
	static struct licence_folder other;
	other = folder;
	licence_folder_judge(&other, STR("forged"));
	EXPECT_EQ(other.why, LICENCE_REJECT_FORM);
	licence_folder_judge(&other, str_of(folder.text));
	EXPECT_EQ(other.why, LICENCE_OK);
	EXPECT_STR(str_of(other.licence.id), "1");
	remove_folder();
}
