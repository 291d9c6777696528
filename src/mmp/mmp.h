/* SPDX-License-Identifier: Apache-2.0 */
/* mmp -- the command line of CMS: one command in, what it answers out.
 *
 * The same table of commands (commands.c) reads convoke.conf (mmp/config.h).  Sans-IO: what needs
 * files, processes or a person is asked of a `struct mmp_host`.
 *
 * To add a command: a row in commands.c.  A setting (MMP_ORDER_SET) needs nothing else but its field
 * in `struct config`.  Anything else is an MMP_ORDER_CALL: a name in `enum mmp_call`, a row, and a
 * case in supervisor/command.c, which carries it out as a blocking function.  A row also says who may
 * run it (`roles`; without, admin and appadmin) and, for calls, whether it `changes` something and so
 * belongs into the audit log.  The function answers
 *	by `out`         a few lines, at most MMP_ANSWER_MAX bytes;
 *	by terminal.say  what is long or comes bit by bit, as `syslog follow`;
 *	after terminal.ask   questions, passwords without echo;
 *	until terminal.wait says false: Ctrl-C was pressed or the caller is gone.  Then it puts its
 *	                 things in order and returns; what it still says may be heard by nobody.
 * Settings whose value is secret have the kind MMP_SECRET: left out, they are asked for.
 *
 * Ownership  Nothing is kept.
 * Threads    Pure, as far as the host's functions are.
 * Errors     Words for the administrator: "FAILURE: ..." lines, or "Unknown command".
 * Limits     CONFIG_LINE_MAX bytes a command, MMP_WORDS_MAX words.
 */
#ifndef MMP_MMP_H
#define MMP_MMP_H

#include "mmp/config.h"

enum {
	MMP_WORDS_MAX = 24,
	MMP_ANSWER_MAX = 32768,
	MMP_QUESTION_MAX = 128,
	MMP_SECRET_MAX = 128,
};

enum mmp_role {
	MMP_ADMIN,    /* everything */
	MMP_CRYPTO,   /* keys and certificates */
	MMP_AUDIT,    /* logs */
	MMP_APPADMIN, /* all but users, this host's SSH, keys and audit */
	MMP_API,      /* the API alone, no command line */
	MMP_ROLES,
};

/* Who may do something: bits of their roles. */
enum {
	MMP_BY_ADMIN = 1 << MMP_ADMIN,
	MMP_BY_APPLICATION = MMP_BY_ADMIN | 1 << MMP_APPADMIN,
	MMP_BY_CRYPTO = MMP_BY_ADMIN | 1 << MMP_CRYPTO,
	MMP_BY_AUDIT = MMP_BY_ADMIN | 1 << MMP_AUDIT,
	MMP_BY_TLS = MMP_BY_CRYPTO | MMP_BY_APPLICATION,
	MMP_BY_LOGS = MMP_BY_AUDIT | MMP_BY_APPLICATION,
	MMP_BY_ALL = (1 << MMP_ROLES) - 1,
};

enum mmp_call {
	MMP_CALL_NONE = 0,
	MMP_PKI_LIST,
	MMP_PKI_INSPECT,    /* file */
	MMP_PKI_MATCH,      /* key, certificate */
	MMP_PKI_VERIFY,     /* certificate, bundle, and perhaps who is above it */
	MMP_PKI_CSR,        /* base name, attributes: makes BASE.key and BASE.csr */
	MMP_PKI_SELFSIGNED, /* likewise BASE.key and BASE.crt; without attributes for this machine */
	MMP_PKI_SIGN,       /* two base names: makes BASE.crt of BASE.csr */
	MMP_PKI_PKCS12,     /* bundle, base name: makes BASE.key and BASE.crt */
	MMP_PKI_UNLINK,     /* file */
	MMP_USER_ADD,       /* name, role */
	MMP_USER_DEL,
	MMP_USER_LIST,
	MMP_USER_INFO,
	MMP_USER_EVICT,
	MMP_USER_UNLOCK,
	MMP_USER_EXPIRE,
	MMP_USER_DUTY,
	MMP_USER_HOST,
	MMP_USER_KEY_LIST,  /* name */
	MMP_USER_KEY_ADD,   /* name, type, key in base64, and perhaps a comment */
	MMP_USER_KEY_DEL,   /* name, fingerprint or "all" */
	MMP_PKI_PKCS12_TO_SSH, /* name */
	MMP_USER_RULE,      /* the rule is the last of the command's own words */
	MMP_USER_RULES,
	MMP_PASSWD,         /* nothing, or a user */
	MMP_DATABASE_STATUS,
	MMP_DATABASE_UPGRADE,
	MMP_DATABASE_ELSEWHERE, /* CMS has it; here it is PostgreSQL's own business */
	MMP_DATABASE_MOVE_POSTGRES, /* nodes */
	MMP_DATABASE_MOVE_SQLITE,
	MMP_BACKUP_SNAPSHOT, /* name */
	MMP_BACKUP_ROLLBACK, /* name */
	MMP_BACKUP_LIST,
	MMP_PCAP,            /* interface */
	MMP_MACHINE, /* by the command's own words */
	MMP_SYSLOG_FOLLOW,
	MMP_SYSLOG_SEARCH,  /* words */
	MMP_LICENSE_SHOW,
	MMP_LICENSE_CHECK,  /* nothing, or a file */
	MMP_LICENSE_HOST,
	MMP_LICENSE_ISSUERS,
	MMP_LICENSE_TRUST,  /* name, public key */
	MMP_LICENSE_DISTRUST, /* name */
	MMP_SYSLOG_ROTATE,  /* nothing, or a name */
};

/* A command as it came. */
struct mmp_line {
	enum mmp_call call;
	const char *words;           /* the command's own: "user rule max_history" */
	const struct str *arguments; /* those behind */
	size_t count;
};

/* Where the person, or script, is. */
struct mmp_terminal {
	void *context;
	void (*say)(void *context, struct str text);
	/* One line into `out`, with a final NUL; `secret`: not shown while typed.  False: there is
	 * nobody to ask, or Ctrl-C. */
	bool (*ask)(void *context, const char *question, bool secret, char *out, size_t cap);
	/* Waits so long, at most; false: stop. */
	bool (*wait)(void *context, int64_t us);
};

/* Who types. */
struct mmp_user {
	const char *name;
	const char *from; /* "192.0.2.7", "this machine" */
	enum mmp_role role;
	bool local; /* owns DATA: needs no password to set one */
	/* May such a file stand in this user's commands?  NULL: any of the machine. */
	bool (*may_name)(struct str file);
};

/* What a setting says of the world, to be looked at before it is taken. */
enum mmp_check_kind {
	MMP_CHECK_PAIR,    /* key and certificate belong together */
	MMP_CHECK_SERVER,  /* ... and will do for a server, with the bundle as its chain */
	MMP_CHECK_CLIENT,  /* ... and for a client, which trusts the bundle */
	MMP_CHECK_TRUST,   /* the bundle holds certificates to trust */
	MMP_CHECK_CIPHERS, /* there are such ciphers, and they are good ones */
};

struct mmp_check {
	enum mmp_check_kind kind;
	const char *key; /* files of DATA; "" where there is none */
	const char *certificate;
	const char *bundle;
	const char *ciphers;
};

struct mmp_host {
	void *context;
	const struct mmp_user *user;
	const struct mmp_terminal *terminal;
	/* Does it?  If not, writes why (no line break). */
	bool (*fits)(void *context, const struct mmp_check *check, struct writer *why);
	bool (*component_runs)(void *context, enum config_component component);
	/* Carries a command out and writes its answer; false: that is a FAILURE line's text. */
	bool (*call)(void *context, const struct mmp_line *line, struct writer *out);
	const char *version;
};

enum mmp_result {
	MMP_SHOWN,   /* nothing changed in the settings */
	MMP_CHANGED, /* write the file back; what an answer says holds once that is done */
	MMP_RESTART, /* restart `component`; the answer is the caller's to give */
	MMP_FAILED,
	MMP_UNKNOWN, /* no such command */
};

struct mmp_answer {
	enum mmp_result result;
	enum config_component component; /* RESTART */
	bool audited; /* something was changed, or was to be: a line for the audit log */
};

/* Runs one command.  `config` changes only with MMP_CHANGED. */
struct mmp_answer mmp_run(struct config *config, const struct mmp_host *host, struct str command,
                          struct writer *out);

/* Does the command change settings?  Then nobody else may while it runs. */
[[nodiscard]] bool mmp_is_change(struct str command);

/* Asks for the secrets that the command leaves out and appends them; before mmp_run().  False: it
 * was not answered, or does not fit. */
[[nodiscard]] bool mmp_fill_in(char out[CONFIG_LINE_MAX + 1], struct str command,
                               const struct mmp_terminal *terminal);

/* The command with its secrets as "***", for logs; what is not printable becomes '?'. */
void mmp_write_masked(struct writer *w, struct str command);

/* The words that may end `line`, one a line: for Tab.  When `line` ends in a blank, those that may
 * come next. */
void mmp_write_candidates(struct writer *w, struct str line, enum mmp_role role);

/* "admin", "crypto", ...; false: there is no such role. */
[[nodiscard]] const char *mmp_role_name(enum mmp_role role);
[[nodiscard]] bool mmp_role_find(enum mmp_role *out, struct str name);

#endif
