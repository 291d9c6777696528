/* SPDX-License-Identifier: Apache-2.0 */
/* portal -- users' sign-in to the web app, and what they see and do there (docs/c2w.md, section 4).
 *
 *	signIn {username, password} --> PORTAL_CHECK out, portal_checked() in --> signedIn {token}
 *	ask {token, method, path, body} --> told {status, body}, at once or when what it changes is
 *	                                    on the disk: PORTAL_COMMIT out, portal_settled() in
 *
 *	signInElsewhere {provider, back} --> send_off() out, portal_sent_off() in --> elsewhere {url}
 *	signInElsewhere {state, code} --> take_back() out, portal_proved() in --> signedIn {token}
 *
 * How somebody proved who he is is none of the portal's business: portal_admit() gives a token to
 * whoever is known by then.  The password is one way there, and another one needs no change here.
 *
 * Nobody learns whether a name exists: whatever is wrong is answered by the same words, and after
 * the same PORTAL_WRONG_US, which also slows down who guesses.  When the directory could not be
 * reached lately, unknown names hear the same as known ones.
 *
 * What may be seen and done is meeting/member.h, what a field may hold meeting/object.h.
 *
 * Sans-IO: messages in, calls of the sink out, time passed in.
 *
 * Ownership  create/destroy; all memory is taken at create.  Texts are borrowed, both ways, for the
 *            length of the call.  The sink must not call back into the portal
 *            but where it is told it may.
 * Threads    The control thread.
 * Units      Microseconds, monotonic; seconds since 1970 for tokens.
 * Errors     Towards the user, as c2w_refusal or HTTP status.
 * Limits     Below.  From one address PORTAL_GUESSES_MAX passwords of a name may be wrong at once, then
 *            one in PORTAL_GUESS_US; from all together PORTAL_GUESSES_ALL_MAX, so that a stranger
 *            does not lock out whoever has that name; a user may ask PORTAL_BURST times at once and PORTAL_PER_SECOND on end.
 */
#ifndef CALLBRIDGE_PORTAL_H
#define CALLBRIDGE_PORTAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"
#include "c2w/c2w.h"
#include "c2w/jwt.h"
#include "meeting/meeting.h"

enum {
	PORTAL_PENDING_MAX = 256,  /* sign-ins and changes under way */
	PORTAL_SIGN_INS_MAX = 192, /* of them: strangers leave room to who is signed in */
	PORTAL_WRONG_US = 1000 * 1000,
	PORTAL_GUESSES_MAX = 10,
	PORTAL_GUESSES_ALL_MAX = 100,
	PORTAL_GUESS_US = 30 * 1000 * 1000,
	PORTAL_BURST = 60,
	PORTAL_PER_SECOND = 10,
	PORTAL_SPACES_MAX = 50,    /* of one page of the list */
	PORTAL_MEMBERS_MAX = 100,
	PORTAL_FOUND_MAX = 20,     /* users, or spaces, of one search */
};

enum portal_check {
	PORTAL_RIGHT,
	PORTAL_WRONG,
	PORTAL_EXPIRED,     /* the password, or the account */
	PORTAL_UNREACHABLE, /* nobody can tell now */
};

struct portal_sink {
	void *context;
	void (*web)(void *context, unsigned link, const struct c2w_message *message);
	/* Is it that user's password?  portal_checked() with `ticket` follows, later. */
	void (*check)(void *context, uint32_t ticket, uint32_t user, struct str password);
	/* Sends somebody to that oidcProvider, or takes up what the browser brought back, which has a
	 * state.  portal_sent_off() or portal_proved() with `ticket` follows, even from inside. */
	void (*send_off)(void *context, uint32_t ticket, uint32_t provider, struct str back);
	void (*take_back)(void *context, uint32_t ticket,
	                  const struct c2w_sign_in_elsewhere *wish);
	/* As store_commit(): 0, and portal_settled() with the ticket of `tx` follows; or it is not
	 * kept, and the sink has settled it so with the objects. */
	int (*commit)(void *context, const struct object_tx *tx);
	void (*log)(void *context, struct str text);
	int64_t (*wall_s)(void *context);
};

struct portal_settings {
	struct meeting *meeting;
	struct hash_key hash_key;  /* random */
	const char *id;            /* GUID of this Call Bridge as text; copied */
	uint8_t jwt_key[JWT_KEY_BYTES];
	uint32_t jwt_hours;        /* how long a sign-in lasts */
	struct str web_address;    /* "https://host:8443", for invitations; copied */
	struct str sip_domain;     /* what stands behind a space's uri; copied */
	struct portal_sink sink;
};

struct portal;

[[nodiscard]] int portal_create(struct portal **out, const struct portal_settings *settings,
                                int64_t now_us);
void portal_destroy(struct portal *portal);

/* Both SIGN_INs and ASK; `web_bridge` is the object of the Web Bridge at the other end of `link`. */
void portal_message(struct portal *portal, unsigned link, uint32_t web_bridge,
                    const struct c2w_message *message, int64_t now_us);
/* The connection is gone: nobody waits there any more. */
void portal_link_down(struct portal *portal, unsigned link);

void portal_checked(struct portal *portal, uint32_t ticket, enum portal_check result,
                    int64_t now_us);
/* The provider's page for him, and what it will send back. */
void portal_sent_off(struct portal *portal, uint32_t ticket, struct str url, struct str state);
/* Who he is; 0: nobody, and the refusal says why. */
void portal_proved(struct portal *portal, uint32_t ticket, uint32_t user,
                   enum c2w_refusal refusal);
/* For every result of the store, after objects_settled(); tickets of others are ignored. */
void portal_settled(struct portal *portal, uint64_t ticket, bool ok, int64_t now_us);

/* `request` of `link` has proved to be this user, by whatever way: answered by signedIn, or refused
 * when the user may not sign in by that Web Bridge. */
void portal_admit(struct portal *portal, unsigned link, uint32_t web_bridge, uint32_t request,
                  uint32_t user);
/* May users sign in by it at all, and this user (0: any)? */
[[nodiscard]] bool portal_is_open(struct meeting *meeting, uint32_t web_bridge, uint32_t user);
/* Whose token it is, if it is good and they may still come by that Web Bridge; 0: nobody's. */
[[nodiscard]] uint32_t portal_user(struct meeting *meeting, uint32_t web_bridge, struct str token,
                                   const uint8_t jwt_key[JWT_KEY_BYTES], int64_t now_s);

void portal_tick(struct portal *portal, int64_t now_us);
/* When portal_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t portal_deadline(const struct portal *portal);

#endif
