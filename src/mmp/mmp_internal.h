/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar as a table: what config.c and mmp.c share. */
#ifndef MMP_INTERNAL_H
#define MMP_INTERNAL_H

#include <stddef.h>

#include "mmp/mmp.h"

enum {
	MMP_ARGUMENTS_MAX = 3,
};

/* What an argument is: how it is read, written and shown. */
enum mmp_kind {
	MMP_END = 0,       /* no more arguments */
	MMP_ON,            /* takes no word and sets a bool: "enable" */
	MMP_OFF,           /* likewise: "disable" */
	MMP_BOOL,          /* status lines only: true or false */
	MMP_SWITCH,        /* status lines only: enabled or disabled */
	MMP_SWITCHED,      /* likewise, Enabled or Disabled */
	MMP_CLEAR_CERTS,   /* takes no word and empties a struct config_certs */
	MMP_CLEAR_HOST,    /* likewise, a name */
	MMP_CLEAR_LIST,    /* likewise, a list */
	MMP_PORT,
	MMP_PORT_OR_NONE,
	MMP_NUMBER,        /* min to max; `none`, if any, is the word for zero */
	MMP_IFACE,
	MMP_IFACES,        /* the rest of the line, or none */
	MMP_LISTENS,       /* likewise, iface:port */
	MMP_NODES,         /* likewise, host or host:port, or the folder of a Unix socket */
	MMP_FILE,
	MMP_FILE_OPTIONAL, /* may be left out at the end */
	MMP_FILE_OR_NONE,
	MMP_HOST_OR_NONE,  /* a domain name */
	MMP_CIPHERS,       /* OpenSSL's list of them, or none */
	MMP_NAME,          /* letters, digits, '-', '_' and '.' */
	MMP_WORD,          /* one of the words of `none`, kept as it is */
	MMP_SERVER,        /* IP or IP:port */
	MMP_IP,
	MMP_PLAIN,         /* any word of less than CONFIG_FILE_MAX bytes */
	MMP_LIMIT,         /* as NUMBER from 0, which is not none: kept one higher */
	MMP_NFS,           /* host:folder, or none */
	MMP_SIP_LISTEN,    /* the rest of the line: an interface if wished, and two ports or none */
	MMP_SYSLOG_ADD,    /* host, then port and udp, tcp or tls if wished: one more in the list */
	MMP_SYSLOG_DEL,    /* likewise: out of it */
	MMP_SECRET,        /* a setting that is asked for when it is left out, and never shown */
	MMP_TEXT,          /* not a setting: given to the call */
	MMP_TEXT_OPTIONAL,
	MMP_TEXTS,         /* likewise, the rest of the line */
	MMP_TEXTS_OPTIONAL,
};

struct mmp_argument {
	enum mmp_kind kind;
	const char *name; /* "<port|none>" */
	size_t at;        /* in struct config */
	size_t count_at;  /* lists: where their length is */
	uint32_t min;
	uint32_t max;
	const char *none; /* NUMBER: the word for zero; WORD: all there are */
};

enum mmp_order {
	MMP_ORDER_SET = 0,
	MMP_ORDER_CERTS,   /* key, certificate and chain of a server: the host looks at them */
	MMP_ORDER_CLIENT,  /* likewise key and certificate of a client, and whom it trusts */
	MMP_ORDER_TRUST,   /* likewise a bundle of certificates */
	MMP_ORDER_CIPHERS, /* likewise a list of ciphers */
	MMP_ORDER_ENABLE, /* a setting that asks for completeness */
	MMP_ORDER_RESTART,
	MMP_ORDER_CALL, /* the host carries it out */
	MMP_ORDER_VERSION,
	MMP_ORDER_HELP,
};

enum {
	MMP_FOR_CALLBRIDGE = 1 << CONFIG_CALLBRIDGE,
	MMP_FOR_WEBBRIDGE = 1 << CONFIG_WEBBRIDGE,
	MMP_FOR_SSH = 1 << CONFIG_SSH,
	MMP_FOR_BOTH = MMP_FOR_CALLBRIDGE | MMP_FOR_WEBBRIDGE,
	MMP_FOR_ALL = (1 << CONFIG_COMPONENTS) - 1,
	MMP_FOR_SUPERVISOR = 1 << CONFIG_COMPONENTS, /* which follows by itself */
	MMP_FOR_PARTS = 1 << (CONFIG_COMPONENTS + 1), /* which no process of ours is */
};

struct mmp_command {
	const char *words;
	struct mmp_argument arguments[MMP_ARGUMENTS_MAX + 1];
	const char *help;
	enum mmp_order order;
	unsigned components; /* MMP_FOR_...: whose settings these are */
	unsigned roles;      /* MMP_BY_...; 0 stands for MMP_BY_APPLICATION */
	enum mmp_call call;
	bool changes;        /* calls: into the audit log */
};

extern const struct mmp_command mmp_commands[];
extern const size_t mmp_command_count;

struct mmp_status_line {
	const char *component; /* the command that shows it */
	const char *key;       /* CMS' words */
	struct mmp_argument value;
};

extern const struct mmp_status_line mmp_status_lines[];
extern const size_t mmp_status_line_count;

struct mmp_words {
	struct str word[MMP_WORDS_MAX];
	size_t count;
};

/* A sentence being written into a config_error's text. */
struct writer mmp_sentence(struct config_error *error);
void mmp_sentence_end(struct config_error *error, const struct writer *w);

[[nodiscard]] bool mmp_split(struct mmp_words *out, struct str line, struct config_error *error);

/* The command whose words begin the line; NULL and a sentence otherwise.  `*used` of its words are
 * the command's (0 with NULL: not even the first word is known). */
const struct mmp_command *mmp_find(const struct mmp_words *words, size_t *used,
                                   struct config_error *error);

/* The command's word number `index`; empty behind the last. */
struct str mmp_command_word(const struct mmp_command *command, size_t index);

/* Puts the words behind the command's own into `config`. */
[[nodiscard]] bool mmp_apply(struct config *config, const struct mmp_command *command,
                             const struct mmp_words *words, size_t used,
                             struct config_error *error);

/* parts.c: what is MMP_FOR_PARTS, by the first word of its commands. */
void mmp_parts_defaults(struct config *config);
/* "Streamer", as CMS calls it in its answers. */
const char *mmp_part_title(struct str name);
[[nodiscard]] bool mmp_part_enabled(const struct config *config, struct str name);
/* Its keys and certificates, NULL behind the last. */
const struct config_certs *mmp_part_certs(const struct config *config, struct str name, size_t index);
/* Is everything there that it needs?  Else says what is not. */
[[nodiscard]] bool mmp_part_complete(const struct config *config, struct str name,
                                     struct config_error *error);
[[nodiscard]] bool mmp_read_sip_listen(struct config_sip_listen *out, const struct str *words,
                                       size_t count);
void mmp_write_sip_listen(struct writer *w, const struct config_sip_listen *listen, bool shown);
[[nodiscard]] bool mmp_read_nfs(struct config_nfs *out, struct str word);

/* syslog_list.c */
[[nodiscard]] bool mmp_apply_syslog(struct config_syslog *syslog, bool adds,
                                    const struct str *words, size_t count,
                                    struct config_error *error);
void mmp_write_syslog(struct writer *w, const struct config_syslog_server *server);

static inline bool
mmp_is_setting(const struct mmp_command *command)
{
	return command->order <= MMP_ORDER_ENABLE;
}

static inline bool
mmp_may_run(const struct mmp_command *command, enum mmp_role role)
{
	const unsigned roles = command->roles != 0 ? command->roles : (unsigned)MMP_BY_APPLICATION;
	return (roles & 1u << role) != 0;
}

void mmp_write_usage(struct writer *w, const struct mmp_command *command);
/* As it stands in a command, or, `shown`, in a status block, where what is absent is "none". */
void mmp_write_value(struct writer *w, const struct config *config,
                     const struct mmp_argument *argument, bool shown);

#endif
