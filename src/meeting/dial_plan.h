/* SPDX-License-Identifier: Apache-2.0 */
/* dial_plan -- where calls go: the four tables of the dial plan as questions and answers.
 *
 * A call in: the inbound rules whose domain fits say what may be called there.  When the domain
 * fits none, the forwarding rule says where the call goes on to, or that it does not.  A call out
 * (but a forwarded one): the first transform that fits says what is dialled.  Then the outbound
 * rules whose domain fits are tried one after another: each is a way to send the INVITE.  Higher
 * priorities come first; of equal ones the one that was made first.
 *
 * A table without rules changes nothing: without inbound rules every domain is ours, without
 * outbound rules DNS says where calls go.
 *
 * Sans-IO: it reads the objects and remembers nothing.
 *
 * Ownership  Texts handed out are borrowed from the objects until their next change, or from the
 *            buffers of the structs they stand in.
 * Threads    The control thread.
 * Units      Bytes.
 * Errors     None: what does not fit is not found.  Expressions were checked when they were stored.
 * Limits     DIAL_PARTY_MAX; a question looks at each rule of its table once.
 */
#ifndef MEETING_DIAL_PLAN_H
#define MEETING_DIAL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "meeting/object.h"

enum {
	DIAL_PARTY_MAX = 256, /* bytes of an address, with NUL */
	DIAL_WAYS_MAX = 3,    /* ways to send one rule's INVITE */
};

/* "sip:" and the like taken off: "user@host:port;params" in parts, each may be empty. */
struct dial_address {
	struct str user;
	struct str host;   /* of an address without @, all of it: "1234", "host" */
	struct str port;
	struct str params; /* with the first ';' */
	bool has_user;     /* there was an @ */
};

struct dial_address dial_address_of(struct str party);

/* Does `domain` fit `pattern`, in which each `*` stands for any letters?  Case does not matter. */
[[nodiscard]] bool dial_domain_fits(struct str pattern, struct str domain);

/* Rules of `type` (inbound, forwarding, outbound) whose domain fits, in order; start with a zeroed
 * cursor; 0 at the end.  The table may change in between. */
struct dial_cursor {
	bool started;
	uint32_t priority;
	uint32_t at;
};
[[nodiscard]] uint32_t dial_rule_next(const struct objects *objects, enum object_type type,
                                      struct str domain, struct dial_cursor *cursor);
/* Whose world the rule is for; zero: it has none. */
struct guid dial_rule_tenant(const struct objects *objects, enum object_type type, uint32_t rule);

/* ---- Calls in ------------------------------------------------------------------------------ */

/* What may be called in a domain; `rule` 0 and everything allowed: there are no rules.  `rule` 0 and
 * nothing allowed: the domain is not ours. */
struct dial_inbound {
	uint32_t rule; /* the first that fits */
	bool users;
	bool spaces;
	bool ivrs;
};
struct dial_inbound dial_inbound(const struct objects *objects, struct str domain);

/* The domain by which the spaces of `tenant` (zero: nobody's) are advertised: the first exact one
 * where they can be called; empty: the rules name none. */
[[nodiscard]] struct str dial_own_domain(const struct objects *objects, const struct guid *tenant);

struct dial_forward {
	uint32_t rule;       /* 0: there is none, the call has nowhere to go */
	bool reject;
	bool preserve;       /* the caller's address stays as it is */
	char party[DIAL_PARTY_MAX]; /* to be called; empty when it would be too long */
};
/* `params`: of the dialled URI, with the first ';'. */
void dial_forward(const struct objects *objects, struct str user, struct str host,
                  struct str params, struct dial_forward *out);

/* ---- Calls out ----------------------------------------------------------------------------- */

struct dial_outcome {
	uint32_t transform; /* 0: none fits, `party` is as it was given */
	bool denied;        /* by `transform`, or what it made cannot be dialled */
	bool phone;         /* to be called as a telephone: sound alone */
	char party[DIAL_PARTY_MAX];
};
void dial_transform(const struct objects *objects, struct str party, struct dial_outcome *out);

/* How one outbound rule sends a call. */
enum dial_way {
	DIAL_BY_DNS,  /* as DNS says, or as the address does */
	DIAL_TLS,
	DIAL_PLAIN,   /* TCP or UDP, as DNS says */
	DIAL_TCP,
	DIAL_UDP,
};
struct dial_route {
	uint32_t rule;      /* 0: there are no rules */
	struct str contact_domain;
	struct str from_domain;
	struct str proxy;   /* host[:port], or empty: DNS for the dialled domain */
	bool stop;          /* when it fails, no other is tried */
	unsigned way_count;
	enum dial_way ways[DIAL_WAYS_MAX]; /* one after another while nobody is reached */
};
/* The next rule for that address in a call of `tenant` (zero: nobody's); false: there is none
 * (left). */
[[nodiscard]] bool dial_route_next(const struct objects *objects, struct str party,
                                   const struct guid *tenant, struct dial_cursor *cursor,
                                   struct dial_route *out);

/* ---- Expressions --------------------------------------------------------------------------- */

/* Is it "($1/regex/)($2/regex/)", or empty? */
[[nodiscard]] bool dial_match_valid(struct str match);
/* Letters, `$1`, `$1{}`, `$2{/regex/text/}{/regex/text/}`? */
[[nodiscard]] bool dial_transform_valid(struct str transform);

/* "inbound dial plan rule "*.example.com" (priority 10)": for the log. */
void dial_rule_name(struct writer *w, const struct objects *objects, enum object_type type,
                    uint32_t rule);

#endif
