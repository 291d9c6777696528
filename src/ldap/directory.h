/* SPDX-License-Identifier: Apache-2.0 */
/* directory -- questions to LDAP servers (RFC 4511), asked by a thread of its own: who is there,
 * and is this their password.
 *
 *	directory_search(directory, id, &search);         the control thread, never blocks
 *	   (wake is called by the thread)
 *	while ((answer = directory_take(directory)) != NULL) {
 *		while (directory_entry_next(answer, &at, &entry))
 *			...
 *		directory_give_back(directory, answer);
 *	}
 *
 * Orders are done one after the other.  The entries of a search come in batches; when all
 * DIRECTORY_BATCHES are full the thread waits for one to come back, and so does the server.  A
 * search is whole only if its last answer says DIRECTORY_OK: whatever came before another result
 * is a part of the truth, and nobody knows which.
 *
 * Where TLS is used the server's certificate is verified, its name too.  Referrals to other servers
 * are not followed.
 *
 * Ownership  create/destroy; orders are copied, passwords are wiped behind them.  An answer is
 *            borrowed until it is given back.
 * Threads    One owner calls everything here; `wake` is called from the directory's thread.
 * Units      Bytes; host order.
 * Errors     directory_create: -errno.  Orders: -EAGAIN when DIRECTORY_ORDERS_MAX wait, -EMSGSIZE
 *            for a text that is too long.  What servers do wrong is an `enum directory_result`,
 *            with a sentence for the log.
 * Limits     The enum below.
 */
#ifndef LDAP_DIRECTORY_H
#define LDAP_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	DIRECTORY_ORDERS_MAX = 16,
	DIRECTORY_BATCHES = 4,
	DIRECTORY_BATCH_BYTES = 64 * 1024,
	DIRECTORY_BATCH_ENTRIES_MAX = 64, /* so that nobody is busy with one for long */
	DIRECTORY_ATTRIBUTES_MAX = 48,
	DIRECTORY_ATTRIBUTE_MAX = 64,   /* bytes of an attribute's name */
	DIRECTORY_VALUE_MAX = 512,      /* longer values are left out, as if there were none */
	DIRECTORY_HOST_MAX = 256,
	DIRECTORY_DN_MAX = 512,
	DIRECTORY_PASSWORD_MAX = 256,
	DIRECTORY_FILTER_MAX = 4096,
	DIRECTORY_PATH_MAX = 1024,
	DIRECTORY_TEXT_MAX = 384,
	DIRECTORY_PAGE_ENTRIES = 500,   /* RFC 2696 */
	DIRECTORY_MESSAGE_MAX = 4 << 20, /* one message of a server */
	DIRECTORY_CONNECT_S = 5,        /* then the server counts as unreachable */
	DIRECTORY_ANSWER_S = 30,        /* of silence */
};

struct directory;

enum directory_tls {
	DIRECTORY_PLAIN,
	DIRECTORY_STARTTLS,
	DIRECTORY_LDAPS,
};

/* A server and who asks it. */
struct directory_server {
	struct str host;
	uint16_t port;
	enum directory_tls tls;
	bool no_verify;        /* believe any certificate */
	bool newest_only;      /* TLS 1.3; else 1.2, too */
	struct str trust_file; /* PEM of authorities; empty: the system's */
	struct str bind_dn;    /* empty: anonymous */
	struct str password;
};

struct directory_search {
	struct directory_server server;
	struct str base;
	struct str filter;             /* RFC 4515; empty: every entry */
	bool paged;                    /* RFC 2696 */
	uint32_t most;                 /* entries wanted; 0: all */
	uint32_t attribute_count;
	const struct str *attributes;  /* wanted of each entry: the first value of each */
};

enum directory_result {
	DIRECTORY_OK,             /* all entries are told; the password is right */
	DIRECTORY_WRONG_PASSWORD, /* of whoever binds; or there is no such entry */
	DIRECTORY_EXPIRED,        /* the account, or its password, is expired, locked or disabled */
	DIRECTORY_UNREACHABLE,    /* no answer, or none in time, or the connection was lost */
	DIRECTORY_UNTRUSTED,      /* TLS: no certificate that we believe */
	DIRECTORY_NO_BASE,        /* the base DN names nothing */
	DIRECTORY_BAD_FILTER,
	DIRECTORY_SIZE_LIMIT,     /* the server tells no more entries: use paged results */
	DIRECTORY_REFUSED,        /* anything else that the server answers */
	DIRECTORY_CANCELLED,
	DIRECTORY_RESULTS,
};

/* For logs: "wrong name or password". */
const char *directory_result_name(enum directory_result result);

struct directory_entry {
	struct str dn;
	struct str values[DIRECTORY_ATTRIBUTES_MAX]; /* as `attributes`; empty: it has none */
};

struct directory_answer {
	uint32_t id;                  /* of the order */
	bool last;                    /* nothing more comes for it, and `result` is set */
	enum directory_result result;
	char text[DIRECTORY_TEXT_MAX]; /* with a result that is not OK: one sentence, printable */
	uint32_t entry_count;
	uint32_t attribute_count;
	size_t len;
	uint8_t bytes[DIRECTORY_BATCH_BYTES];
};

[[nodiscard]] int directory_create(struct directory **out, void (*wake)(void *context),
                                   void *context);
/* Breaks off whatever is under way; waits for a connect or a look-up that is. */
void directory_destroy(struct directory *directory);

/* `id` is the caller's own word. */
[[nodiscard]] int directory_search(struct directory *directory, uint32_t id,
                                   const struct directory_search *search);
/* Is this the password of `dn`?  The server's own bind_dn and password are not used.  An empty
 * password is wrong without asking: LDAP would let anybody in (RFC 4513 s5.1.2). */
[[nodiscard]] int directory_check(struct directory *directory, uint32_t id,
                                  const struct directory_server *server, struct str dn,
                                  struct str password);
/* The order ends soon, its last answer is CANCELLED unless it was on its way. */
void directory_cancel(struct directory *directory, uint32_t id);
/* Orders whose last answer was not taken yet. */
[[nodiscard]] uint32_t directory_pending(const struct directory *directory);

/* NULL when there is none. */
[[nodiscard]] const struct directory_answer *directory_take(struct directory *directory);
void directory_give_back(struct directory *directory, const struct directory_answer *answer);

/* Start with `*at` 0; false behind the last. */
[[nodiscard]] bool directory_entry_next(const struct directory_answer *answer, size_t *at,
                                        struct directory_entry *entry);

/* `text` so that it stands for itself in a filter (RFC 4515 s3). */
void directory_filter_escape(struct writer *w, struct str text);

#endif
