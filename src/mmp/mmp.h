/* SPDX-License-Identifier: Apache-2.0 */
/* mmp -- the command line of CMS: one command in, what it answers out.
 *
 * The same table of commands reads convoke.conf (mmp/config.h).  Sans-IO: what needs files or
 * processes is asked of a `struct mmp_host`.
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
	MMP_WORDS_MAX = 16,
};

enum mmp_pki {
	MMP_PKI_LIST,       /* no argument */
	MMP_PKI_INSPECT,    /* file */
	MMP_PKI_MATCH,      /* key, certificate */
	MMP_PKI_SELFSIGNED, /* base name: makes BASE.key and BASE.crt */
};

struct mmp_host {
	void *context;
	/* Do these files of DATA belong together?  If not, writes why (no line break). */
	bool (*pair_matches)(void *context, const char *key, const char *certificate,
	                     struct writer *why);
	bool (*component_runs)(void *context, enum config_component component);
	/* Carries out a pki order and writes its answer; false: that is a FAILURE line's text. */
	bool (*pki)(void *context, enum mmp_pki order, const struct str *arguments,
	            struct writer *out);
	const char *version;
};

enum mmp_result {
	MMP_SHOWN,   /* nothing changed */
	MMP_CHANGED, /* write the file back; what an answer says holds once that is done */
	MMP_RESTART, /* restart `component`; the answer is the caller's to give */
	MMP_FAILED,
	MMP_UNKNOWN, /* no such command */
};

struct mmp_answer {
	enum mmp_result result;
	enum config_component component; /* RESTART */
};

/* Runs one command.  `config` changes only with MMP_CHANGED. */
struct mmp_answer mmp_run(struct config *config, const struct mmp_host *host, struct str command,
                          struct writer *out);

#endif
