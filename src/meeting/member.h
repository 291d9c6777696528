/* SPDX-License-Identifier: Apache-2.0 */
/* member -- what a user may see of the spaces, and do to them, as the rights of their membership say.
 *
 * A user sees the spaces that are theirs (ownerJid) or have them as a member (coSpaceUsers), all of
 * their own tenant.  Being an owner is no right: those stand in the membership alone, can...() by
 * can...().  What a field may hold, and what may stand beside what, are the objects' own rules
 * (object.h); here is only who may set it.
 *
 *	space        name: canChangeName; uri, secondaryUri: canChangeUri; callId: canChangeCallId;
 *	             passcode, regenerateSecret: canChangePasscode;
 *	             nonMemberAccess: canChangeNonMemberAccessAllowed; to delete it: canDestroy
 *	its methods  likewise, scope: canChangeScope; to add or remove one: canChangeUri and
 *	             canChangeCallId.  "private" ones are seen by the owner and who may change scopes
 *	its members  canAddRemoveMember; nobody gives a right that he has not himself, the owner's
 *	             membership is changed and ended by nobody else, and who leaves needs canRemoveSelf
 *
 * Pure, but for what it does to the objects between objects_begin() and objects_end().
 *
 * Ownership  Everything is borrowed.
 * Threads    The control thread.
 * Errors     struct member_answer.
 * Limits     MEMBER_SPACES_MAX spaces of one user before no more can be made from templates.
 */
#ifndef MEETING_MEMBER_H
#define MEETING_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting/object.h"

enum {
	MEMBER_SPACES_MAX = 500,
};

enum member_verdict {
	MEMBER_DONE,
	MEMBER_UNSEEN,      /* it is not there, or not for this user: both are told alike */
	MEMBER_NOT_ALLOWED, /* `right` is what is lacking; 0: nobody may */
	MEMBER_TOO_MANY,    /* MEMBER_SPACES_MAX */
	MEMBER_REJECTED,    /* `reject` and `culprit` of the objects, of type `type` */
};

struct member_answer {
	enum member_verdict verdict;
	enum member_field right;
	enum object_reject reject;
	enum object_type type;
	int culprit;
	uint32_t made; /* handle of what was added */
};

/* Walks the spaces that the user sees.  Start with a zeroed cursor; 0 at the end. */
struct member_cursor {
	struct address_cursor member;
	struct address_cursor owned;
	bool members_told;
};
[[nodiscard]] uint32_t member_next_space(const struct objects *objects, uint32_t user,
                                         struct member_cursor *cursor);

[[nodiscard]] bool member_sees(const struct objects *objects, uint32_t user, uint32_t space);
[[nodiscard]] bool member_sees_method(const struct objects *objects, uint32_t user,
                                      uint32_t method);
[[nodiscard]] bool member_owns(const struct objects *objects, uint32_t user, uint32_t space);
/* The user's own coSpaceUser there; 0: none. */
[[nodiscard]] uint32_t member_entry(const struct objects *objects, uint32_t user, uint32_t space);
/* `right` is one of MEMBER_CAN_... */
[[nodiscard]] bool member_may(const struct objects *objects, uint32_t user, uint32_t space,
                              enum member_field right);
/* May he use the template? */
[[nodiscard]] bool member_has_template(const struct objects *objects, uint32_t user,
                                       uint32_t template);

/* -- between objects_begin() and objects_end(), or objects_abort() when it was not done ---------- */

[[nodiscard]] struct member_answer member_add_space(struct objects *objects, uint32_t user,
                                                    uint32_t template, struct str name);
/* A METHOD or MEMBER into a space. */
[[nodiscard]] struct member_answer member_add(struct objects *objects, uint32_t user,
                                              uint32_t space, const struct object_edit *edit);
/* A SPACE, METHOD or MEMBER. */
[[nodiscard]] struct member_answer member_edit(struct objects *objects, uint32_t user,
                                               uint32_t handle, const struct object_edit *edit);
[[nodiscard]] struct member_answer member_remove(struct objects *objects, uint32_t user,
                                                 enum object_type type, uint32_t handle);

#endif
