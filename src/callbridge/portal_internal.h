/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the portal share: portal.c (sign-in, what is under way, time), portal_elsewhere.c
 * (sign-in at identity providers), portal_ask.c (which question is which), portal_show.c (answers as
 * JSON). */
#ifndef CALLBRIDGE_PORTAL_INTERNAL_H
#define CALLBRIDGE_PORTAL_INTERNAL_H

#include <jansson.h>

#include "api/guesses.h"
#include "base/check.h"
#include "base/slab.h"
#include "base/timer.h"
#include "callbridge/portal.h"
#include "meeting/member.h"

enum {
	PORTAL_DOMAIN_MAX = 256,
	PORTAL_ADDRESS_MAX = 320,
	PORTAL_LINE_MAX = 512,
	PORTAL_PLACE_MAX = C2W_USERNAME_MAX + 1 + C2W_ADDRESS_MAX + 1,
	PORTAL_RATES = 1024,
};

enum pending_kind {
	PENDING_CHECK,  /* a password is looked at */
	PENDING_WRONG,  /* it was wrong: told a little later */
	PENDING_ELSEWHERE, /* an identity provider is asked */
	PENDING_COMMIT, /* a change is on its way to the disk */
};

struct pending {
	enum pending_kind kind;
	uint32_t handle;
	unsigned link;
	uint32_t web_bridge;
	uint32_t request;
	uint32_t user;      /* CHECK; 0: nobody has that name */
	int64_t begun_us;
	enum c2w_refusal refusal; /* WRONG */
	char name[C2W_USERNAME_MAX + 1]; /* CHECK: as it was typed */
	char place[PORTAL_PLACE_MAX];    /* CHECK: and where, as guesses are counted */
	uint64_t ticket;    /* COMMIT */
	bool made;          /* COMMIT: `id` is that of something new */
	struct guid id;
	char line[PORTAL_LINE_MAX]; /* COMMIT: for the log, when it is kept */
	struct timer timer;
};

/* How often a user has asked lately. */
struct rate {
	uint64_t hash;
	uint32_t allowance;
	int64_t since_us;
};

struct portal {
	struct portal_settings settings;
	char id[GUID_TEXT_LEN + 1];
	char web_address[PORTAL_ADDRESS_MAX];
	char sip_domain[PORTAL_DOMAIN_MAX];
	struct guesses *names;  /* of each name, wherever it was typed */
	struct guesses *places; /* of each name at one address */
	struct rate rates[PORTAL_RATES];
	bool no_directory;  /* as it was when last asked */
	int64_t check_us;   /* and how long that took */
	struct slab pending;
	uint32_t sign_ins;  /* among them */
	struct timer_wheel timers;
	uint8_t *text;      /* C2W_TOLD_MAX: one answer being written */
};

/* One question being answered. */
struct ask {
	struct portal *portal;
	struct meeting *meeting;
	struct objects *objects;
	unsigned link;
	uint32_t web_bridge;
	const struct c2w_message *message;
	uint32_t user;
	struct str query;
	struct guid ids[2];
	json_t *body;       /* an object, or NULL */
	int64_t now_us;
	struct writer w;    /* the answer */
};

/* portal.c */
__attribute__((format(printf, 2, 3))) void portal_log(struct portal *portal, const char *format,
                                                      ...);
void portal_send(struct portal *portal, unsigned link, uint32_t request,
                 struct c2w_message *message);
void portal_refuse(struct portal *portal, unsigned link, uint32_t request,
                   enum c2w_refusal refusal);
/* NULL when too much is under way. */
struct pending *pending_new(struct portal *portal, enum pending_kind kind, unsigned link,
                            uint32_t web_bridge, uint32_t request);
void pending_over(struct portal *portal, struct pending *pending);
/* Is that Web Bridge for users of this tenant (zero: of none)? */
[[nodiscard]] bool portal_has_tenant(const struct objects *objects, uint32_t web_bridge,
                                     const struct guid *tenant);
/* What stands in `w`, or an error when that does not fit. */
void ask_tell(struct ask *ask, uint32_t status);
/* {"error":"...", "name":"value"}; `name` may be NULL. */
void ask_fail(struct ask *ask, uint32_t status, const char *error, const char *name,
              const char *value);
/* Ends the transaction that is open: told when it is kept, or refused as the answer says.  `done` is
 * for the log: "created space". */
void ask_finish(struct ask *ask, const struct member_answer *answer, const char *done,
                enum object_type type, const struct guid *id);
/* False: too much is under way, which was told. */
[[nodiscard]] bool ask_begin(struct ask *ask);
/* "a@b", or empty. */
struct str ask_jid(const struct ask *ask);

/* portal_elsewhere.c */
void elsewhere_message(struct portal *portal, unsigned link, uint32_t web_bridge,
                       const struct c2w_message *message);
/* May users sign in there, by this Web Bridge? */
[[nodiscard]] bool elsewhere_is_open(struct meeting *meeting, uint32_t web_bridge,
                                     uint32_t provider);

/* portal_ask.c */
void portal_ask(struct ask *ask);

/* portal_show.c */
void show_options(struct ask *ask);
void show_user(struct ask *ask);
void show_templates(struct ask *ask);
void show_spaces(struct ask *ask);
void show_space(struct ask *ask, uint32_t space);
void show_members(struct ask *ask, uint32_t space);
void show_invitation(struct ask *ask, uint32_t space, uint32_t method);
void show_users_found(struct ask *ask);
void show_spaces_found(struct ask *ask);
/* A number of the query, at most `most`; `usual` when it is not there or none. */
[[nodiscard]] uint32_t ask_number(const struct ask *ask, const char *name, uint32_t usual,
                                  uint32_t most);

#endif
