/* SPDX-License-Identifier: Apache-2.0 */
#include "mmp/accounts.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

enum {
	DAYS = 7,
	DAY_S = 24 * 60 * 60,
	DAY_MINUTES = 24 * 60,
	ALL_DAYS = (1 << DAYS) - 1,
	RULE_MAX = 10000,
	IP6_NETWORK_BYTES = 8,
};

static const char *const day_names[DAYS] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* -- rules ------------------------------------------------------------------------------------- */

struct rule {
	const char *name;
	size_t at;
	uint32_t min;
	uint32_t max;
	bool truth; /* true or false */
};

#define RULE(member, min_, max_) { #member, offsetof(struct account_rules, member), min_, max_, false }
#define TRUTH(member) { #member, offsetof(struct account_rules, member), 0, 1, true }

static const struct rule rules[] = {
	RULE(max_history, 0, ACCOUNT_HISTORY_MAX),
	RULE(password_age, 0, RULE_MAX),
	RULE(min_password_age, 0, RULE_MAX),
	RULE(min_password_length, 1, 100),
	RULE(min_uppercase, 0, 20),
	RULE(min_lowercase, 0, 20),
	RULE(min_digits, 0, 20),
	RULE(min_special, 0, 20),
	RULE(longest_digits_run, 0, 100),
	RULE(max_repeated_char, 0, 100),
	TRUTH(no_username),
	TRUTH(no_palindrome),
	TRUTH(only_ascii),
	RULE(max_failed_logins, 0, 1000),
	RULE(max_idle, 0, RULE_MAX),
	RULE(max_sessions, 0, 100),
};
static_assert(sizeof rules / sizeof *rules * sizeof(uint32_t) == sizeof(struct account_rules),
              "a row for each rule");

void
accounts_init(struct accounts *accounts)
{
	*accounts = (struct accounts){
		.rules = { .min_password_length = 8, .max_failed_logins = 20 },
	};
}

static uint32_t *
rule_slot(struct account_rules *of, const struct rule *rule)
{
	return (uint32_t *)(void *)((char *)of + rule->at);
}

static uint32_t
rule_value(const struct account_rules *of, const struct rule *rule)
{
	return *(const uint32_t *)(const void *)((const char *)of + rule->at);
}

static const struct rule *
find_rule(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (str_eq(name, str_of(rules[i].name)))
			return &rules[i];
	return NULL;
}

bool
accounts_set_rule(struct accounts *accounts, struct str name, struct str value, struct writer *why)
{
	const struct rule *rule = find_rule(name);
	uint32_t number = 0;
	if (rule == NULL) {
		writer_text(why, "there is no such rule");
		return false;
	}
	if (rule->truth && (str_eq(value, STR("true")) || str_eq(value, STR("false")))) {
		number = str_eq(value, STR("true"));
	} else if (rule->truth) {
		writer_text(why, "expected true or false");
		return false;
	} else if ((!str_eq(value, STR("none")) || rule->min != 0) &&
	           (!str_u32(value, &number) || number < rule->min || number > rule->max)) {
		writer_format(why, "expected a number from %u to %u", (unsigned)rule->min,
		              (unsigned)rule->max);
		if (rule->min == 0)
			writer_text(why, ", or none");
		return false;
	}
	*rule_slot(&accounts->rules, rule) = number;
	return true;
}

static void
write_rule_value(struct writer *w, const struct rule *rule, uint32_t value)
{
	if (rule->truth)
		writer_text(w, value != 0 ? "true" : "false");
	else if (value == 0)
		writer_text(w, "none");
	else
		writer_decimal(w, value);
}

void
accounts_write_rules(struct writer *w, const struct accounts *accounts)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		writer_format(w, "%-19s : ", rules[i].name);
		write_rule_value(w, &rules[i], rule_value(&accounts->rules, &rules[i]));
		writer_text(w, "\n");
	}
}

/* -- the list ---------------------------------------------------------------------------------- */

bool
account_name_fits(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.at[i];
		const bool letter = str_is_alnum(c) || c == '_';
		if (!letter && (i == 0 || (c != '.' && c != '-')))
			return false;
	}
	return name.len != 0 && name.len < ACCOUNT_NAME_MAX;
}

struct account *
accounts_find(struct accounts *accounts, struct str name)
{
	for (uint32_t i = 0; i < accounts->count; i++)
		if (str_eq(name, str_of(accounts->list[i].name)))
			return &accounts->list[i];
	return NULL;
}

struct account *
accounts_add(struct accounts *accounts, struct str name, enum mmp_role role, const char *hash,
             int64_t now_s)
{
	CHECK(account_name_fits(name) && accounts_find(accounts, name) == NULL);
	if (accounts->count == ACCOUNTS_MAX)
		return NULL;
	struct account *account = &accounts->list[accounts->count++];
	*account = (struct account){ .role = role, .created_s = now_s, .changed_s = now_s };
	str_copy(account->name, sizeof account->name, name);
	const bool fits = str_copy(account->hash, sizeof account->hash, str_of(hash));
	CHECK(fits);
	return account;
}

void
accounts_remove(struct accounts *accounts, struct account *account)
{
	const size_t index = (size_t)(account - accounts->list);
	CHECK(index < accounts->count);
	memmove(account, account + 1, (accounts->count - index - 1) * sizeof *account);
	accounts->count--;
	explicit_bzero(&accounts->list[accounts->count], sizeof *account);
}

/* -- passwords --------------------------------------------------------------------------------- */

struct tally {
	uint32_t characters; /* bytes that begin one, in UTF-8 */
	uint32_t uppercase;
	uint32_t lowercase;
	uint32_t digits;
	uint32_t special;
	uint32_t digits_run;
	uint32_t repeated;
	bool ascii;
	bool palindrome;
};

static struct tally
count_characters(struct str password)
{
	struct tally tally = { .ascii = true, .palindrome = true };
	uint32_t digits = 0, same = 0;
	for (size_t i = 0; i < password.len; i++) {
		const char c = password.at[i];
		const bool digit = c >= '0' && c <= '9';
		tally.characters += ((unsigned char)c & 0xc0) != 0x80;
		if (digit)
			tally.digits++;
		else if (c >= 'A' && c <= 'Z')
			tally.uppercase++;
		else if (c >= 'a' && c <= 'z')
			tally.lowercase++;
		else
			tally.special++;
		digits = digit ? digits + 1 : 0;
		same = i != 0 && password.at[i - 1] == c ? same + 1 : 1;
		tally.digits_run = digits > tally.digits_run ? digits : tally.digits_run;
		tally.repeated = same > tally.repeated ? same : tally.repeated;
		tally.ascii = tally.ascii && c >= ' ' && c < 0x7f;
		tally.palindrome = tally.palindrome && c == password.at[password.len - 1 - i];
	}
	return tally;
}

/* What the first broken rule wants; NULL: none is. */
static const char *
broken_rule(const struct account_rules *rule, struct str name, struct str password,
            uint32_t *number)
{
	const struct tally t = count_characters(password);
	const struct {
		bool broken;
		uint32_t number;
		const char *text;
	} wants[] = {
		{ t.characters < rule->min_password_length, rule->min_password_length,
		  "at least %u characters" },
		{ t.uppercase < rule->min_uppercase, rule->min_uppercase,
		  "at least %u capital letters" },
		{ t.lowercase < rule->min_lowercase, rule->min_lowercase,
		  "at least %u small letters" },
		{ t.digits < rule->min_digits, rule->min_digits, "at least %u digits" },
		{ t.special < rule->min_special, rule->min_special,
		  "at least %u characters that are neither letters nor digits" },
		{ rule->longest_digits_run != 0 && t.digits_run > rule->longest_digits_run,
		  rule->longest_digits_run, "at most %u digits in a row" },
		{ rule->max_repeated_char != 0 && t.repeated > rule->max_repeated_char,
		  rule->max_repeated_char, "the same character at most %u times in a row" },
		{ rule->no_username != 0 && str_contains_nocase(password, name), 0,
		  "no name of a user in it" },
		{ rule->no_palindrome != 0 && t.palindrome, 0,
		  "one that reads differently backwards" },
		{ rule->only_ascii != 0 && !t.ascii, 0, "printable ASCII only" },
		{ password.len > ACCOUNT_PASSWORD_MAX - 1, ACCOUNT_PASSWORD_MAX - 1,
		  "at most %u bytes" },
		{ password.len == 0, 1, "at least %u character" },
	};
	for (size_t i = 0; i < COUNT_OF(wants); i++) {
		if (!wants[i].broken)
			continue;
		*number = wants[i].number;
		return wants[i].text;
	}
	return NULL;
}

bool
accounts_password_fits(const struct accounts *accounts, struct str name, struct str password,
                       struct writer *why)
{
	uint32_t number = 0;
	const char *text = broken_rule(&accounts->rules, name, password, &number);
	if (text == NULL)
		return true;
	struct str rest = str_of(text);
	writer_text(why, "expected ");
	writer_str(why, str_cut(&rest, '%'));
	if (rest.len != 0) {
		writer_decimal(why, number);
		writer_str(why, str_sub(rest, 1, rest.len - 1));
	}
	return false;
}

void
account_set_password(const struct accounts *accounts, struct account *account, const char *hash,
                     int64_t now_s)
{
	const uint32_t kept = accounts->rules.max_history;
	CHECK(kept <= ACCOUNT_HISTORY_MAX);
	if (kept != 0) {
		memmove(account->history[1], account->history[0],
		        (kept - 1) * sizeof account->history[0]);
		memcpy(account->history[0], account->hash, sizeof account->hash);
		account->history_count++;
	}
	if (account->history_count > kept)
		account->history_count = kept;
	const bool fits = str_copy(account->hash, sizeof account->hash, str_of(hash));
	CHECK(fits);
	account->changed_s = now_s;
	account->expired = false;
}

/* -- logging in -------------------------------------------------------------------------------- */

int64_t
account_expiry_s(const struct accounts *accounts, const struct account *account)
{
	return accounts->rules.password_age == 0
	               ? 0
	               : account->changed_s + (int64_t)accounts->rules.password_age * DAY_S;
}

static bool
is_idle(const struct accounts *accounts, const struct account *account, int64_t now_s)
{
	int64_t last_s = account->used_s;
	if (accounts->rules.max_idle == 0)
		return false;
	if (account->created_s > last_s)
		last_s = account->created_s;
	if (account->unlocked_s > last_s)
		last_s = account->unlocked_s;
	return now_s > last_s + (int64_t)accounts->rules.max_idle * DAY_S;
}

/* A duty that ends before it begins goes on past midnight, and belongs to the day it began. */
static bool
is_on_duty(const struct account *account, uint32_t day, uint32_t minute)
{
	const bool over_night = account->duty_until <= account->duty_from;
	if (account->duty_days == 0)
		return true;
	if (over_night && minute < account->duty_until)
		day = (day + DAYS - 1) % DAYS;
	else if (minute < account->duty_from || (!over_night && minute >= account->duty_until))
		return false;
	return (account->duty_days & 1u << day) != 0;
}

static bool
is_within(const struct account_host *host, const struct net_addr *addr)
{
	if (host->addr.family != addr->family)
		return false;
	for (uint32_t bit = 0; bit < host->bits; bit++)
		if (((host->addr.ip[bit / 8] ^ addr->ip[bit / 8]) & 0x80 >> bit % 8) != 0)
			return false;
	return true;
}

static bool
may_come_from(const struct account *account, const struct net_addr *from)
{
	for (uint32_t i = 0; i < account->host_count; i++)
		if (is_within(&account->hosts[i], from))
			return true;
	return account->host_count == 0;
}

static bool
role_fits(enum mmp_role role, bool shell)
{
	return shell ? role != MMP_API
	             : role == MMP_ADMIN || role == MMP_APPADMIN || role == MMP_API;
}

/* -- wrong passwords --------------------------------------------------------------------------- */

static struct net_addr
source_addr(const struct net_addr *from)
{
	struct net_addr addr = *from;
	addr.port = 0;
	addr.scope = 0;
	if (addr.family == ADDR_IP6)
		memset(addr.ip + IP6_NETWORK_BYTES, 0, sizeof addr.ip - IP6_NETWORK_BYTES);
	return addr;
}

static const struct account_source *
find_source(const struct account *account, const struct net_addr *from)
{
	const struct net_addr addr = source_addr(from);
	for (uint32_t i = 0; i < account->source_count; i++)
		if (addr_eq_ip(&account->sources[i].addr, &addr))
			return &account->sources[i];
	return NULL;
}

static bool
is_locked(const struct account *account, const struct net_addr *from, int64_t now_s)
{
	const struct account_source *source = find_source(account, from);
	if (source != NULL && now_s < source->locked_s)
		return true;
	return now_s < account->locked_s && !addr_eq_ip(from, &account->used_from);
}

/* The source's place; the one that failed longest ago makes room. */
static struct account_source *
source_of(struct account *account, const struct net_addr *from)
{
	struct account_source *source = (struct account_source *)find_source(account, from);
	if (source != NULL)
		return source;
	if (account->source_count < ACCOUNT_SOURCES_MAX) {
		source = &account->sources[account->source_count++];
	} else {
		source = &account->sources[0];
		for (uint32_t i = 1; i < ACCOUNT_SOURCES_MAX; i++)
			if (account->sources[i].failed_s < source->failed_s)
				source = &account->sources[i];
	}
	*source = (struct account_source){ .addr = source_addr(from) };
	return source;
}

static void
forget_source(struct account *account, const struct net_addr *from)
{
	struct account_source *source = (struct account_source *)find_source(account, from);
	if (source != NULL)
		*source = account->sources[--account->source_count];
}

enum account_verdict
account_judge(const struct accounts *accounts, const struct account *account,
              const struct account_moment *moment)
{
	const int64_t expiry_s = account_expiry_s(accounts, account);
	CHECK(moment->day < DAYS && moment->minute < DAY_MINUTES);
	if (!role_fits(account->role, moment->shell))
		return ACCOUNT_WRONG_ROLE;
	if (!moment->key && is_locked(account, &moment->from, moment->now_s))
		return ACCOUNT_LOCKED;
	if (moment->shell && is_idle(accounts, account, moment->now_s))
		return ACCOUNT_IDLE;
	if (moment->shell && !is_on_duty(account, moment->day, moment->minute))
		return ACCOUNT_OFF_DUTY;
	if (moment->shell && !may_come_from(account, &moment->from))
		return ACCOUNT_WRONG_HOST;
	if (moment->key)
		return ACCOUNT_GOOD;
	if (account->expired || (expiry_s != 0 && moment->now_s >= expiry_s))
		return ACCOUNT_MUST_CHANGE;
	return ACCOUNT_GOOD;
}

const char *
account_verdict_name(enum account_verdict verdict)
{
	static const char *const names[ACCOUNT_VERDICTS] = {
		[ACCOUNT_GOOD] = "active",       [ACCOUNT_MUST_CHANGE] = "expired",
		[ACCOUNT_LOCKED] = "locked",     [ACCOUNT_IDLE] = "idle",
		[ACCOUNT_OFF_DUTY] = "off-duty", [ACCOUNT_WRONG_HOST] = "wrong-host",
		[ACCOUNT_WRONG_ROLE] = "wrong-role",
	};
	return names[verdict];
}

bool
account_failed(const struct accounts *accounts, struct account *account,
               const struct net_addr *from, int64_t now_s)
{
	const uint32_t most = accounts->rules.max_failed_logins;
	struct account_source *source = source_of(account, from);
	bool locked = false;
	source->failed_s = now_s;
	if (source->failures < RULE_MAX)
		source->failures++;
	if (account->failures < RULE_MAX)
		account->failures++;
	if (most != 0 && source->failures >= most && now_s >= source->locked_s) {
		source->locked_s = now_s + ACCOUNT_LOCK_S;
		source->failures = 0; /* then it may be tried as often again */
		locked = true;
	}
	if (most != 0 && account->failures >= most * ACCOUNT_EVERYWHERE &&
	    now_s >= account->locked_s) {
		account->locked_s = now_s + ACCOUNT_LOCK_S;
		account->failures = 0;
		locked = true;
	}
	return locked;
}

void
account_succeeded(struct account *account, const struct net_addr *from, int64_t now_s)
{
	if (now_s >= account->locked_s)
		account->failures = 0;
	forget_source(account, from);
}

void
account_logged_in(struct account *account, const struct net_addr *from, int64_t now_s)
{
	account_succeeded(account, from, now_s);
	account->used_s = now_s;
	account->used_from = *from;
	account->used_from.port = 0;
	account->used_from.scope = 0;
}

void
account_unlock(struct account *account, int64_t now_s)
{
	account->failures = 0;
	account->locked_s = 0;
	account->source_count = 0;
	account->unlocked_s = now_s;
}

int64_t
account_locked_until_s(const struct account *account, int64_t now_s)
{
	int64_t until_s = account->locked_s;
	for (uint32_t i = 0; i < account->source_count; i++)
		if (account->sources[i].locked_s > until_s)
			until_s = account->sources[i].locked_s;
	return until_s > now_s ? until_s : 0;
}

void
account_learn_failures(struct account *account, const struct account *other)
{
	if (other->locked_s > account->locked_s)
		account->locked_s = other->locked_s;
	if (other->failures > account->failures)
		account->failures = other->failures;
	for (uint32_t i = 0; i < other->source_count; i++) {
		const struct account_source *from = &other->sources[i];
		struct account_source *source = source_of(account, &from->addr);
		if (from->failures > source->failures)
			source->failures = from->failures;
		if (from->failed_s > source->failed_s)
			source->failed_s = from->failed_s;
		if (from->locked_s > source->locked_s)
			source->locked_s = from->locked_s;
	}
}

uint64_t
account_stamp(const struct account *account)
{
	static const struct hash_key key; /* for being told apart, not for secrecy */
	const uint64_t facts[] = { (uint64_t)account->created_s, (uint64_t)account->changed_s,
		                   (uint64_t)account->role, account->expired,
		                   hash_bytes(&key, account->hash, strlen(account->hash)) };
	return hash_bytes(&key, facts, sizeof facts);
}

/* -- duty and hosts ---------------------------------------------------------------------------- */

static bool
read_clock(uint32_t *minutes, struct str text)
{
	uint32_t number;
	if (text.len != 4 || !str_u32(text, &number) || number % 100 >= 60 || number > 2400)
		return false;
	*minutes = number / 100 * 60 + number % 100;
	return true;
}

static bool
read_days(uint32_t *bits, const struct str *days, size_t count)
{
	*bits = count == 0 ? (uint32_t)ALL_DAYS : 0;
	for (size_t i = 0; i < count; i++) {
		size_t day = 0;
		while (day < DAYS && !str_eq_nocase(days[i], str_of(day_names[day])))
			day++;
		if (day == DAYS)
			return false;
		*bits |= 1u << day;
	}
	return true;
}

bool
account_set_duty(struct account *account, struct str hours, const struct str *days,
                 size_t day_count, struct writer *why)
{
	struct str until = hours;
	const struct str from = str_cut(&until, '-');
	uint32_t bits, from_minute, until_minute;
	if (str_eq(hours, STR("none")) && day_count == 0) {
		account->duty_days = account->duty_from = account->duty_until = 0;
		return true;
	}
	if (!read_clock(&from_minute, from) || !read_clock(&until_minute, until) ||
	    !read_days(&bits, days, day_count)) {
		writer_text(why, "expected none, or hours as in 0900-1700 and days as in mon tue");
		return false;
	}
	account->duty_days = bits;
	account->duty_from = from_minute;
	account->duty_until = until_minute;
	return true;
}

static uint32_t
clock_of(uint32_t minutes)
{
	return minutes / 60 * 100 + minutes % 60;
}

void
account_write_duty(struct writer *w, const struct account *account)
{
	if (account->duty_days == 0) {
		writer_text(w, "none");
		return;
	}
	writer_format(w, "%04u-%04u", (unsigned)clock_of(account->duty_from),
	              (unsigned)clock_of(account->duty_until));
	for (size_t day = 0; day < DAYS; day++)
		if ((account->duty_days & 1u << day) != 0)
			writer_format(w, " %s", day_names[day]);
}

static bool
read_host(struct account_host *out, struct str text)
{
	struct str bits = text;
	const struct str address = str_cut(&bits, '/');
	struct account_host host;
	if (!addr_parse_ip(&host.addr, address) || host.addr.scope != 0)
		return false;
	const uint32_t most = host.addr.family == ADDR_IP4 ? 32 : 128;
	host.bits = most;
	if (address.len != text.len && (!str_u32(bits, &host.bits) || host.bits > most))
		return false;
	for (uint32_t bit = host.bits; bit < most; bit++)
		host.addr.ip[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
	*out = host;
	return true;
}

static bool
add_host(struct account *account, const struct account_host *host, struct writer *why)
{
	if (account->host_count == ACCOUNT_HOSTS_MAX) {
		writer_format(why, "there are %d already", ACCOUNT_HOSTS_MAX);
		return false;
	}
	account->hosts[account->host_count++] = *host;
	return true;
}

bool
account_set_host(struct account *account, struct str verb, struct str text, struct writer *why)
{
	struct account_host host;
	const bool add = str_eq(verb, STR("add"));
	if ((!add && !str_eq(verb, STR("del"))) || !read_host(&host, text)) {
		writer_text(why, "expected add or del, and an address as in 192.0.2.7 or "
		                 "2001:db8::/32");
		return false;
	}
	for (uint32_t i = 0; i < account->host_count; i++) {
		if (!addr_eq_ip(&account->hosts[i].addr, &host.addr) ||
		    account->hosts[i].bits != host.bits)
			continue;
		if (!add)
			account->hosts[i] = account->hosts[--account->host_count];
		return true;
	}
	if (add)
		return add_host(account, &host, why);
	writer_text(why, "that is not one of its hosts");
	return false;
}

static void
write_host(struct writer *w, const struct account_host *host)
{
	addr_write_ip(w, &host->addr);
	writer_format(w, "/%u", (unsigned)host->bits);
}

void
account_write_hosts(struct writer *w, const struct account *account)
{
	for (uint32_t i = 0; i < account->host_count; i++) {
		writer_text(w, i != 0 ? " " : "");
		write_host(w, &account->hosts[i]);
	}
	if (account->host_count == 0)
		writer_text(w, "any");
}

/* -- the file ---------------------------------------------------------------------------------- */

static bool
read_time(int64_t *out, struct str text)
{
	uint64_t number;
	if (!str_u64(text, &number) || number > (uint64_t)1 << 40)
		return false;
	*out = (int64_t)number;
	return true;
}

/* "days,from,until" */
static bool
read_duty(struct account *account, struct str text)
{
	const struct str days = str_cut(&text, ','), from = str_cut(&text, ',');
	return str_u32(days, &account->duty_days) && account->duty_days <= ALL_DAYS &&
	       str_u32(from, &account->duty_from) && account->duty_from <= DAY_MINUTES &&
	       str_u32(text, &account->duty_until) && account->duty_until <= DAY_MINUTES;
}

static bool
read_old(struct account *account, struct str hash)
{
	return account->history_count < ACCOUNT_HISTORY_MAX &&
	       str_copy(account->history[account->history_count++], ACCOUNT_HASH_MAX, hash);
}

/* "192.0.2.7,failures,failed,locked" */
static bool
read_source(struct account *account, struct str text)
{
	struct account_source source = { 0 };
	struct net_addr addr;
	if (!addr_parse_ip(&addr, str_cut(&text, ',')) || addr.scope != 0 ||
	    account->source_count == ACCOUNT_SOURCES_MAX ||
	    !str_u32(str_cut(&text, ','), &source.failures) || source.failures > RULE_MAX ||
	    !read_time(&source.failed_s, str_cut(&text, ',')) ||
	    !read_time(&source.locked_s, text) || find_source(account, &addr) != NULL)
		return false;
	source.addr = source_addr(&addr);
	account->sources[account->source_count++] = source;
	return true;
}

static bool
read_word(struct account *account, struct str word)
{
	struct str value = word;
	struct account_host host;
	const struct str key = str_cut(&value, '=');
	if (str_eq(word, STR("expired")))
		return account->expired = true;
	if (str_eq(key, STR("created")))
		return read_time(&account->created_s, value);
	if (str_eq(key, STR("changed")))
		return read_time(&account->changed_s, value);
	if (str_eq(key, STR("used")))
		return read_time(&account->used_s, value);
	if (str_eq(key, STR("from")))
		return addr_parse_ip(&account->used_from, value) && account->used_from.scope == 0;
	if (str_eq(key, STR("failures")))
		return str_u32(value, &account->failures) && account->failures <= RULE_MAX;
	if (str_eq(key, STR("locked")))
		return read_time(&account->locked_s, value);
	if (str_eq(key, STR("source")))
		return read_source(account, value);
	if (str_eq(key, STR("unlocked")))
		return read_time(&account->unlocked_s, value);
	if (str_eq(key, STR("duty")))
		return read_duty(account, value);
	if (str_eq(key, STR("host")))
		return account->host_count < ACCOUNT_HOSTS_MAX && read_host(&host, value) &&
		       (account->hosts[account->host_count++] = host, true);
	return str_eq(key, STR("old")) && read_old(account, value);
}

static bool
read_account(struct accounts *accounts, struct str rest)
{
	char hash[ACCOUNT_HASH_MAX];
	enum mmp_role role;
	const struct str name = str_cut(&rest, ' ');
	if (!account_name_fits(name) || accounts_find(accounts, name) != NULL ||
	    !mmp_role_find(&role, str_cut(&rest, ' ')) ||
	    !str_copy(hash, sizeof hash, str_cut(&rest, ' ')) || hash[0] != '$')
		return false;
	struct account *account = accounts_add(accounts, name, role, hash, 0);
	if (account == NULL)
		return false;
	while (rest.len != 0)
		if (!read_word(account, str_cut(&rest, ' ')))
			return false;
	return true;
}

static bool
read_line(struct accounts *accounts, struct str line)
{
	char nowhere[128];
	struct writer why = writer_of(nowhere, sizeof nowhere);
	struct str rest = line;
	const struct str kind = str_cut(&rest, ' ');
	if (line.len == 0 || line.at[0] == '#')
		return true;
	if (str_eq(kind, STR("account")))
		return read_account(accounts, rest);
	const struct str rule = str_cut(&rest, ' ');
	return str_eq(kind, STR("rule")) && accounts_set_rule(accounts, rule, rest, &why);
}

bool
accounts_parse(struct accounts *out, struct str text, uint32_t *line)
{
	bool good = text.len <= ACCOUNTS_BYTES_MAX;
	accounts_init(out);
	*line = 0;
	while (good && text.len != 0) {
		++*line;
		good = read_line(out, str_cut(&text, '\n'));
	}
	if (!good)
		accounts_init(out);
	return good;
}

static void
write_time(struct writer *w, const char *key, int64_t at_s)
{
	if (at_s != 0)
		writer_format(w, " %s=%lld", key, (long long)at_s);
}

static void
write_account(struct writer *w, const struct account *account)
{
	writer_format(w, "account %s %s %s", account->name, mmp_role_name(account->role),
	              account->hash);
	write_time(w, "created", account->created_s);
	write_time(w, "changed", account->changed_s);
	write_time(w, "used", account->used_s);
	if (account->used_from.family != ADDR_NONE) {
		writer_text(w, " from=");
		addr_write_ip(w, &account->used_from);
	}
	if (account->failures != 0)
		writer_format(w, " failures=%u", (unsigned)account->failures);
	write_time(w, "locked", account->locked_s);
	for (uint32_t i = 0; i < account->source_count; i++) {
		const struct account_source *source = &account->sources[i];
		writer_text(w, " source=");
		addr_write_ip(w, &source->addr);
		writer_format(w, ",%u,%lld,%lld", (unsigned)source->failures,
		              (long long)source->failed_s, (long long)source->locked_s);
	}
	write_time(w, "unlocked", account->unlocked_s);
	if (account->expired)
		writer_text(w, " expired");
	if (account->duty_days != 0)
		writer_format(w, " duty=%u,%u,%u", (unsigned)account->duty_days,
		              (unsigned)account->duty_from, (unsigned)account->duty_until);
	for (uint32_t i = 0; i < account->host_count; i++) {
		writer_text(w, " host=");
		write_host(w, &account->hosts[i]);
	}
	for (uint32_t i = 0; i < account->history_count; i++)
		writer_format(w, " old=%s", account->history[i]);
	writer_text(w, "\n");
}

void
accounts_write(struct writer *w, const struct accounts *accounts)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		writer_format(w, "rule %s ", rules[i].name);
		write_rule_value(w, &rules[i], rule_value(&accounts->rules, &rules[i]));
		writer_text(w, "\n");
	}
	for (uint32_t i = 0; i < accounts->count; i++)
		write_account(w, &accounts->list[i]);
}
