/* SPDX-License-Identifier: Apache-2.0 */
/* accounts -- who may log in, by which password, and the rules for both.
 *
 * One set for everything: the API, Web Admin, SSH and SFTP.  It is kept in the file DATA/accounts
 * of this host, as CMS does, so that the command line works when the database does not, and on a
 * host that has no Call Bridge.  One line each:
 *
 *	rule max_failed_logins 20
 *	account anna crypto $argon2id$v=19$... created=1763600000 failures=2 host=192.0.2.0/24
 *
 * Sans-IO: text in, text out.  Hashing is the caller's (api/password.h).
 *
 * Ownership  `struct accounts` is a value without pointers, some 140 KiB: keep it off the stack.
 * Threads    Pure.
 * Wrong passwords lock an account for the address that they came from (of IPv6, its /64), so that a
 * stranger locks out himself alone.  Ten times as many from anywhere lock it for all, but for the
 * address of its last login.  Public keys (supervisor/keys.h) know no such lock.
 *
 * Units      Seconds since 1970 (`_s`), days and minutes where a rule says so.
 * Errors     accounts_parse() names the line that is wrong; refusals are sentences.
 * Limits     Below.
 */
#ifndef MMP_ACCOUNTS_H
#define MMP_ACCOUNTS_H

#include "base/addr.h"
#include "mmp/mmp.h"

enum {
	ACCOUNTS_MAX = 64,
	ACCOUNTS_BYTES_MAX = 256 << 10, /* of the file */
	ACCOUNT_NAME_MAX = 33,          /* with NUL */
	ACCOUNT_HASH_MAX = 160,         /* with NUL */
	ACCOUNT_HISTORY_MAX = 12,       /* earlier passwords remembered */
	ACCOUNT_HOSTS_MAX = 4,
	ACCOUNT_PASSWORD_MAX = 128,     /* bytes */
	ACCOUNT_LOCK_S = 15 * 60,       /* after too many wrong passwords */
	ACCOUNT_SOURCES_MAX = 8,        /* addresses of wrong passwords remembered */
	ACCOUNT_EVERYWHERE = 10,        /* times the rule, and all addresses are locked but one */
};

/* `user rule`; 0 is none. */
struct account_rules {
	uint32_t max_history;
	uint32_t password_age;     /* days */
	uint32_t min_password_age; /* days */
	uint32_t min_password_length;
	uint32_t min_uppercase;
	uint32_t min_lowercase;
	uint32_t min_digits;
	uint32_t min_special;
	uint32_t longest_digits_run;
	uint32_t max_repeated_char;
	uint32_t no_username; /* the last three: true or false */
	uint32_t no_palindrome;
	uint32_t only_ascii;
	uint32_t max_failed_logins;
	uint32_t max_idle; /* days */
	uint32_t max_sessions;
};

/* An address and how many of its bits count. */
struct account_host {
	struct net_addr addr;
	uint32_t bits;
};

/* Wrong passwords from one address. */
struct account_source {
	struct net_addr addr; /* without port; IPv6: its network */
	uint32_t failures;    /* in a row */
	int64_t failed_s;     /* the last one */
	int64_t locked_s;     /* until then; 0: not */
};

struct account {
	char name[ACCOUNT_NAME_MAX];
	enum mmp_role role;
	char hash[ACCOUNT_HASH_MAX];
	uint32_t history_count;
	char history[ACCOUNT_HISTORY_MAX][ACCOUNT_HASH_MAX]; /* the newest first */
	int64_t created_s;
	int64_t changed_s;  /* the password */
	int64_t used_s;     /* the last login; 0: never */
	struct net_addr used_from;
	uint32_t failures;  /* wrong passwords since, from everywhere */
	int64_t locked_s;   /* until then for all but `used_from`; 0: not */
	uint32_t source_count;
	struct account_source sources[ACCOUNT_SOURCES_MAX];
	int64_t unlocked_s; /* by an administrator; idleness counts from here too */
	bool expired;       /* the password must be changed */
	uint32_t duty_days; /* bit 0: Monday; 0: always on duty */
	uint32_t duty_from; /* minutes of the day */
	uint32_t duty_until;
	uint32_t host_count;
	struct account_host hosts[ACCOUNT_HOSTS_MAX];
};

struct accounts {
	struct account_rules rules;
	uint32_t count;
	struct account list[ACCOUNTS_MAX];
};

/* None, and the usual rules. */
void accounts_init(struct accounts *accounts);

/* On error nobody is in `out`, and `*line` is the wrong one, from 1; 0: the file is too long. */
[[nodiscard]] bool accounts_parse(struct accounts *out, struct str text, uint32_t *line);
void accounts_write(struct writer *w, const struct accounts *accounts);

[[nodiscard]] bool account_name_fits(struct str name);
struct account *accounts_find(struct accounts *accounts, struct str name);
/* NULL: there are ACCOUNTS_MAX.  The name fits and is free. */
struct account *accounts_add(struct accounts *accounts, struct str name, enum mmp_role role,
                             const char *hash, int64_t now_s);
void accounts_remove(struct accounts *accounts, struct account *account);

/* May this become the password of `name`?  If not, says why. */
[[nodiscard]] bool accounts_password_fits(const struct accounts *accounts, struct str name,
                                          struct str password, struct writer *why);
/* The one before goes into the history. */
void account_set_password(const struct accounts *accounts, struct account *account,
                          const char *hash, int64_t now_s);

/* -- logging in -------------------------------------------------------------------------------- */

enum account_verdict {
	ACCOUNT_GOOD,
	ACCOUNT_MUST_CHANGE, /* good, but for nothing before a new password */
	ACCOUNT_LOCKED,      /* too many wrong passwords */
	ACCOUNT_IDLE,
	ACCOUNT_OFF_DUTY,
	ACCOUNT_WRONG_HOST,
	ACCOUNT_WRONG_ROLE,  /* not for this service */
	ACCOUNT_VERDICTS,
};

struct account_moment {
	int64_t now_s;
	uint32_t minute;       /* of the day here */
	uint32_t day;          /* 0: Monday */
	struct net_addr from;
	bool shell;            /* SSH and SFTP; else the API */
	bool key;              /* by a public key: passwords do not matter */
};

/* What becomes of a login whose password is right; asked before the password is looked at, too.
 * Idleness, duty and hosts hold for people, who come by SSH; the API knows lock and expiry. */
[[nodiscard]] enum account_verdict account_judge(const struct accounts *accounts,
                                                 const struct account *account,
                                                 const struct account_moment *moment);
[[nodiscard]] const char *account_verdict_name(enum account_verdict verdict);
/* After a wrong password; true: now it is locked, for that address or for all. */
[[nodiscard]] bool account_failed(const struct accounts *accounts, struct account *account,
                                  const struct net_addr *from, int64_t now_s);
/* The password was right: what that address did wrong before is forgiven. */
void account_succeeded(struct account *account, const struct net_addr *from, int64_t now_s);
/* Likewise, and it is noted when and from where. */
void account_logged_in(struct account *account, const struct net_addr *from, int64_t now_s);
void account_unlock(struct account *account, int64_t now_s);
/* Until when it is locked for somebody, 0: it is not. */
[[nodiscard]] int64_t account_locked_until_s(const struct account *account, int64_t now_s);
/* What another one who reads the same account knows of wrong passwords. */
void account_learn_failures(struct account *account, const struct account *other);
/* Another number once its password or role is another, or it must change its password. */
[[nodiscard]] uint64_t account_stamp(const struct account *account);
/* When its password ends; 0: never. */
[[nodiscard]] int64_t account_expiry_s(const struct accounts *accounts,
                                       const struct account *account);

/* -- as commands set and show them ------------------------------------------------------------- */

/* "max_history", "5"; false: says why. */
[[nodiscard]] bool accounts_set_rule(struct accounts *accounts, struct str rule, struct str value,
                                     struct writer *why);
void accounts_write_rules(struct writer *w, const struct accounts *accounts);

/* "0900-1700" and days, or "none". */
[[nodiscard]] bool account_set_duty(struct account *account, struct str hours,
                                    const struct str *days, size_t day_count, struct writer *why);
void account_write_duty(struct writer *w, const struct account *account);
/* "add" or "del", "192.0.2.7", "2001:db8::/32". */
[[nodiscard]] bool account_set_host(struct account *account, struct str verb, struct str host,
                                    struct writer *why);
void account_write_hosts(struct writer *w, const struct account *account);

#endif
