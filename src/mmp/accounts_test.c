/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the file says the same after being read and written, every rule refuses what it should, and
 * a login is judged by lock, idleness, duty, host, role and age.  Method: tables; the property of the
 * fuzz target on good and damaged files. */
#include "mmp/accounts.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "mmp/accounts_property.h"

#define HASH "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"

static struct accounts accounts;

static struct account *
make(const char *name, enum mmp_role role)
{
	accounts_init(&accounts);
	struct account *account = accounts_add(&accounts, str_of(name), role, HASH, 1000);
	EXPECT(account != NULL);
	return account;
}

static void
expect_rule(const char *rule, const char *value)
{
	char why[256];
	struct writer w = writer_of(why, sizeof why);
	EXPECT(accounts_set_rule(&accounts, str_of(rule), str_of(value), &w));
}

static const char good_file[] =
	"# ours\n"
	"rule max_history 3\n"
	"rule no_username true\n"
	"account admin admin " HASH " created=5 changed=6 used=7 from=192.0.2.7\n"
	"account anna crypto " HASH " failures=2 locked=9 source=192.0.2.9,1,7,0 source=2001:db8::,0,7,907 unlocked=8 expired duty=31,540,1020"
	" host=10.0.0.0/8 host=2001:db8::/32 old=" HASH " old=" HASH "\n";

TEST(a_file_reads_back_as_it_was_written)
{
	uint32_t line;
	EXPECT(accounts_property(str_of(good_file)));
	EXPECT(accounts_parse(&accounts, str_of(good_file), &line));
	EXPECT_EQ(accounts.count, 2);
	const struct account *anna = accounts_find(&accounts, STR("anna"));
	EXPECT(anna != NULL);
	EXPECT_EQ(anna->role, MMP_CRYPTO);
	EXPECT_EQ(anna->history_count, 2);
	EXPECT_EQ(anna->host_count, 2);
	EXPECT_EQ(accounts.rules.max_history, 3);
	EXPECT(accounts_find(&accounts, STR("Anna")) == NULL);
}

TEST(a_wrong_line_is_named)
{
	static const struct {
		const char *text;
		uint32_t line;
	} cases[] = {
		{ "rule max_history x\n", 1 },
		{ "\nrule max_nothing 1\n", 2 },
		{ "nonsense\n", 1 },
		{ "account a admin\n", 1 },
		{ "account a king " HASH "\n", 1 },
		{ "account a admin plain\n", 1 },
		{ "account -a admin " HASH "\n", 1 },
		{ "account a admin " HASH "\naccount a api " HASH "\n", 2 },
		{ "account a admin " HASH " used=x\n", 1 },
		{ "account a admin " HASH " from=nowhere\n", 1 },
		{ "account a admin " HASH " duty=200,0,0\n", 1 },
		{ "account a admin " HASH " duty=1,1441,0\n", 1 },
		{ "account a admin " HASH " host=1.2.3.4/33\n", 1 },
		{ "account a admin " HASH " shoe=9\n", 1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t line = 0;
		EXPECT(!accounts_parse(&accounts, str_of(cases[i].text), &line));
		EXPECT_EQ(line, cases[i].line);
		EXPECT(!accounts_property(str_of(cases[i].text)));
	}
}

TEST(every_prefix_and_every_flip_is_taken_whole_or_refused)
{
	char text[sizeof good_file];
	for (size_t len = 0; len < sizeof good_file; len++)
		(void)accounts_property((struct str){ good_file, len });
	for (size_t at = 0; at < sizeof good_file - 1; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(text, good_file, sizeof text);
			text[at] = (char)(text[at] ^ (char)(1u << bit));
			(void)accounts_property((struct str){ text, sizeof text - 1 });
		}
	}
}

TEST(there_are_accounts_max)
{
	char name[16];
	accounts_init(&accounts);
	for (unsigned i = 0; i < ACCOUNTS_MAX; i++) {
		snprintf(name, sizeof name, "u%u", i);
		EXPECT(accounts_add(&accounts, str_of(name), MMP_API, HASH, 1) != NULL);
	}
	EXPECT(accounts_add(&accounts, STR("more"), MMP_API, HASH, 1) == NULL);
	accounts_remove(&accounts, accounts_find(&accounts, STR("u3")));
	EXPECT(accounts_find(&accounts, STR("u3")) == NULL);
	EXPECT(accounts_find(&accounts, STR("u63")) != NULL);
	EXPECT(accounts_add(&accounts, STR("more"), MMP_API, HASH, 1) != NULL);
}

TEST(each_rule_refuses_what_it_should)
{
	static const struct {
		const char *rule;
		const char *value;
		const char *bad;
		const char *good;
		const char *why;
	} cases[] = {
		{ "min_password_length", "10", "ninechars", "tenletters",
		  "expected at least 10 characters" },
		{ "min_uppercase", "2", "oneCapital", "twoCApitals",
		  "expected at least 2 capital letters" },
		{ "min_lowercase", "1", "CAPITALS", "cAPITALS",
		  "expected at least 1 small letters" },
		{ "min_digits", "3", "only1and2", "1and2and3", "expected at least 3 digits" },
		{ "min_special", "1", "plainwords", "plain words",
		  "expected at least 1 characters that are neither letters nor digits" },
		{ "longest_digits_run", "3", "year2026", "year202x6",
		  "expected at most 3 digits in a row" },
		{ "max_repeated_char", "2", "baaaddaa", "baaddaab",
		  "expected the same character at most 2 times in a row" },
		{ "no_username", "true", "iamANNAnow", "somebody",
		  "expected no name of a user in it" },
		{ "no_palindrome", "true", "abcddcba", "abcddcbx",
		  "expected one that reads differently backwards" },
		{ "only_ascii", "true", "l\xc3\xa4ngeres", "laengeres",
		  "expected printable ASCII only" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char why[256];
		struct writer w = writer_of(why, sizeof why);
		make("anna", MMP_ADMIN);
		EXPECT(accounts_password_fits(&accounts, STR("anna"), str_of(cases[i].good), &w));
		expect_rule(cases[i].rule, cases[i].value);
		EXPECT(!accounts_password_fits(&accounts, STR("anna"), str_of(cases[i].bad), &w));
		EXPECT_STR(writer_view(&w), cases[i].why);
		w.at = 0;
		if (strcmp(cases[i].rule, "longest_digits_run") != 0)
			EXPECT(accounts_password_fits(&accounts, STR("anna"),
			                              str_of(cases[i].good), &w));
	}
}

TEST(rules_take_their_own_values_alone)
{
	static const char *const refused[][3] = {
		{ "max_history", "13", "expected a number from 0 to 12, or none" },
		{ "min_password_length", "none", "expected a number from 1 to 100" },
		{ "only_ascii", "yes", "expected true or false" },
		{ "shoe_size", "9", "there is no such rule" },
	};
	accounts_init(&accounts);
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char why[256];
		struct writer w = writer_of(why, sizeof why);
		EXPECT(!accounts_set_rule(&accounts, str_of(refused[i][0]), str_of(refused[i][1]),
		                          &w));
		EXPECT_STR(writer_view(&w), refused[i][2]);
	}
	expect_rule("max_failed_logins", "none");
	EXPECT_EQ(accounts.rules.max_failed_logins, 0);
}

TEST(old_passwords_are_remembered_as_many_as_the_rule_says)
{
	struct account *account = make("anna", MMP_ADMIN);
	expect_rule("max_history", "2");
	account_set_password(&accounts, account, "$two", 2000);
	account_set_password(&accounts, account, "$three", 3000);
	account_set_password(&accounts, account, "$four", 4000);
	EXPECT_EQ(account->history_count, 2);
	EXPECT_STR(str_of(account->history[0]), "$three");
	EXPECT_STR(str_of(account->history[1]), "$two");
	EXPECT_EQ(account->changed_s, 4000);
	expect_rule("max_history", "none");
	account_set_password(&accounts, account, "$five", 5000);
	EXPECT_EQ(account->history_count, 0);
}

static struct net_addr
from_host(uint8_t last)
{
	return addr_ip4(192, 0, 2, last, 0);
}

TEST(wrong_passwords_lock_for_a_quarter_of_an_hour)
{
	struct account *account = make("anna", MMP_ADMIN);
	const struct net_addr here = from_host(1);
	struct account_moment now = { .now_s = 5000, .shell = true, .from = here };
	expect_rule("max_failed_logins", "3");
	EXPECT(!account_failed(&accounts, account, &here, 5000));
	EXPECT(!account_failed(&accounts, account, &here, 5000));
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	EXPECT(account_failed(&accounts, account, &here, 5000));
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	EXPECT_EQ(account_locked_until_s(account, 5000), 5000 + ACCOUNT_LOCK_S);
	now.shell = false;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	now.now_s += ACCOUNT_LOCK_S;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	now.now_s = 5001;
	account_unlock(account, 5001);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	EXPECT_EQ(account_locked_until_s(account, 5001), 0);
	EXPECT(!account_failed(&accounts, account, &here, 5002));
	account_logged_in(account, &here, 5003);
	EXPECT_EQ(account->failures, 0);
	EXPECT_EQ(account->source_count, 0);
}

TEST(a_stranger_locks_out_himself_alone)
{
	struct account *account = make("anna", MMP_ADMIN);
	const struct net_addr stranger = from_host(66), annas = from_host(1);
	struct account_moment now = { .now_s = 5000, .shell = true, .from = stranger };
	expect_rule("max_failed_logins", "3");
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(account_failed(&accounts, account, &stranger, 5000), i == 2);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	now.from = annas;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	now.from = stranger;
	now.key = true; /* a key is no password */
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	/* A whole network of IPv6 is one. */
	struct net_addr six = { .family = ADDR_IP6, .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	for (unsigned i = 0; i < 3; i++, six.ip[15]++)
		EXPECT_EQ(account_failed(&accounts, account, &six, 5000), i == 2);
}

TEST(many_strangers_lock_all_but_where_it_was_used_last)
{
	struct account *account = make("anna", MMP_ADMIN);
	const struct net_addr annas = from_host(1);
	struct account_moment now = { .now_s = 5000, .shell = true, .from = from_host(250) };
	bool locked = false;
	expect_rule("max_failed_logins", "3");
	account_logged_in(account, &annas, 4000);
	/* So many that none of them comes to its own lock: two each, the oldest are forgotten. */
	for (unsigned i = 0; i < 3 * ACCOUNT_EVERYWHERE; i++) {
		const struct net_addr from = from_host((uint8_t)(10 + i / 2));
		EXPECT(!locked);
		locked = account_failed(&accounts, account, &from, 5000 + (int64_t)i / 2);
	}
	EXPECT(locked);
	EXPECT_EQ(account->source_count, ACCOUNT_SOURCES_MAX);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	now.from = annas;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	account_logged_in(account, &annas, 5100); /* and does not let the strangers in again */
	now.from = from_host(250);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	now.now_s += ACCOUNT_LOCK_S + 100;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
}

TEST(two_who_count_learn_from_each_other)
{
	struct account *account = make("anna", MMP_ADMIN);
	const struct net_addr one = from_host(1), two = from_host(2);
	expect_rule("max_failed_logins", "2");
	struct account other = *account;
	EXPECT(!account_failed(&accounts, account, &one, 5000));
	EXPECT(!account_failed(&accounts, &other, &two, 5000));
	EXPECT(account_failed(&accounts, &other, &two, 5001));
	account_learn_failures(account, &other);
	EXPECT_EQ(account->source_count, 2);
	const struct account_moment now = { .now_s = 5002, .shell = true, .from = two };
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_LOCKED);
	EXPECT(account_failed(&accounts, account, &one, 5003));
}

TEST(a_stamp_is_another_once_password_or_role_is)
{
	struct account *account = make("anna", MMP_ADMIN);
	const uint64_t before = account_stamp(account);
	EXPECT(!account_failed(&accounts, account, &(struct net_addr){ 0 }, 5000));
	account_logged_in(account, &(struct net_addr){ 0 }, 5001);
	EXPECT_EQ(account_stamp(account), before);
	account->role = MMP_API;
	EXPECT(account_stamp(account) != before);
	account->role = MMP_ADMIN;
	account->expired = true;
	EXPECT(account_stamp(account) != before);
	account_set_password(&accounts, account, HASH "x", 1000);
	EXPECT(account_stamp(account) != before);
}

TEST(an_account_that_nobody_uses_is_locked)
{
	enum { DAY = 24 * 60 * 60 };
	struct account *account = make("anna", MMP_ADMIN);
	struct account_moment now = { .now_s = 1000 + 30 * DAY, .shell = true };
	expect_rule("max_idle", "30");
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	now.now_s++;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_IDLE);
	now.shell = false; /* programs' logins are not noted one by one */
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	now.shell = true;
	account_unlock(account, now.now_s);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
}

TEST(a_password_that_is_too_old_must_be_changed)
{
	enum { DAY = 24 * 60 * 60 };
	struct account *account = make("anna", MMP_ADMIN);
	struct account_moment now = { .now_s = 1000 + 10 * DAY - 1, .shell = true };
	EXPECT_EQ(account_expiry_s(&accounts, account), 0);
	expect_rule("password_age", "10");
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	now.now_s++;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_MUST_CHANGE);
	account_set_password(&accounts, account, "$new", now.now_s);
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	account->expired = true;
	EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_MUST_CHANGE);
}

TEST(a_role_has_its_own_doors)
{
	static const struct {
		enum mmp_role role;
		bool shell;
		bool api;
	} cases[] = { { MMP_ADMIN, true, true },
		      { MMP_CRYPTO, true, false },
		      { MMP_AUDIT, true, false },
		      { MMP_APPADMIN, true, true },
		      { MMP_API, false, true } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct account *account = make("anna", cases[i].role);
		const struct account_moment shell = { .now_s = 5000, .shell = true };
		const struct account_moment api = { .now_s = 5000 };
		EXPECT_EQ(account_judge(&accounts, account, &shell) == ACCOUNT_GOOD, cases[i].shell);
		EXPECT_EQ(account_judge(&accounts, account, &api) == ACCOUNT_GOOD, cases[i].api);
	}
}

TEST(duty_is_by_hours_and_days_and_goes_over_midnight)
{
	static const struct {
		const char *hours;
		const char *day;
		uint32_t at_day;
		uint32_t at_minute;
		bool on;
	} cases[] = {
		{ "0900-1700", "mon", 0, 9 * 60, true },
		{ "0900-1700", "mon", 0, 17 * 60, false },
		{ "0900-1700", "mon", 0, 9 * 60 - 1, false },
		{ "0900-1700", "mon", 1, 9 * 60, false },
		{ "2200-0600", "fri", 4, 23 * 60, true },
		{ "2200-0600", "fri", 5, 5 * 60, true },
		{ "2200-0600", "fri", 4, 5 * 60, false },
		{ "2200-0600", "sun", 0, 0, true },
		{ "0000-2400", "tue", 1, 1439, true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char why[128];
		struct writer w = writer_of(why, sizeof why);
		struct account *account = make("anna", MMP_ADMIN);
		const struct str day = str_of(cases[i].day);
		const struct account_moment now = { .now_s = 5000, .shell = true,
			                            .day = cases[i].at_day,
			                            .minute = cases[i].at_minute };
		EXPECT(account_set_duty(account, str_of(cases[i].hours), &day, 1, &w));
		EXPECT_EQ(account_judge(&accounts, account, &now) == ACCOUNT_GOOD, cases[i].on);
	}
}

TEST(duty_is_refused_and_shown)
{
	static const char *const refused[] = { "9-17", "0960-1700", "0900", "2500-2600", "x" };
	char text[128];
	struct writer w = writer_of(text, sizeof text);
	struct account *account = make("anna", MMP_ADMIN);
	const struct str days[] = { STR("mon"), STR("SUN") }, wrong = STR("someday");
	for (size_t i = 0; i < COUNT_OF(refused); i++, w.at = 0)
		EXPECT(!account_set_duty(account, str_of(refused[i]), NULL, 0, &w));
	EXPECT(!account_set_duty(account, STR("0900-1700"), &wrong, 1, &w));
	w.at = 0;
	EXPECT(account_set_duty(account, STR("0905-1700"), days, 2, &w));
	account_write_duty(&w, account);
	EXPECT_STR(writer_view(&w), "0905-1700 mon sun");
	w.at = 0;
	EXPECT(account_set_duty(account, STR("none"), NULL, 0, &w));
	account_write_duty(&w, account);
	EXPECT_STR(writer_view(&w), "none");
}

TEST(hosts_are_networks_and_hold_for_ssh)
{
	static const struct {
		const char *from;
		bool good;
	} cases[] = { { "10.1.2.3", true },       { "11.1.2.3", false },
		      { "192.0.2.7", true },      { "192.0.2.8", false },
		      { "2001:db8:1::1", true },  { "2001:db9::1", false } };
	char text[256];
	struct writer w = writer_of(text, sizeof text);
	struct account *account = make("anna", MMP_ADMIN);
	EXPECT(account_set_host(account, STR("add"), STR("10.9.9.9/8"), &w));
	EXPECT(account_set_host(account, STR("add"), STR("192.0.2.7"), &w));
	EXPECT(account_set_host(account, STR("add"), STR("192.0.2.7/32"), &w)); /* the same */
	EXPECT(account_set_host(account, STR("add"), STR("2001:db8::/32"), &w));
	EXPECT_EQ(account->host_count, 3);
	account_write_hosts(&w, account);
	EXPECT_STR(writer_view(&w), "10.0.0.0/8 192.0.2.7/32 2001:db8::/32");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct account_moment now = { .now_s = 5000, .shell = true };
		EXPECT(addr_parse_ip(&now.from, str_of(cases[i].from)));
		EXPECT_EQ(account_judge(&accounts, account, &now),
		          cases[i].good ? ACCOUNT_GOOD : ACCOUNT_WRONG_HOST);
		now.shell = false;
		EXPECT_EQ(account_judge(&accounts, account, &now), ACCOUNT_GOOD);
	}
	EXPECT(account_set_host(account, STR("del"), STR("10.0.0.0/8"), &w));
	EXPECT(!account_set_host(account, STR("del"), STR("10.0.0.0/8"), &w));
	EXPECT(!account_set_host(account, STR("add"), STR("10.0.0.0/33"), &w));
	EXPECT(!account_set_host(account, STR("put"), STR("10.0.0.0"), &w));
}
