/* SPDX-License-Identifier: Apache-2.0 */
/* identity -- which user somebody is who proved himself elsewhere.
 *
 * The user of that tenant whose authenticationId it is, or else whose userJid; letters may be large or
 * small.  A user with an authenticationId is not known by the userJid as well, and two users with the
 * same one are nobody: nobody gets into another's account by a name that is taken twice.
 *
 * Ownership  Borrows everything.
 * Threads    The objects' owner.
 * Limits     Looks at every user: a fraction of a millisecond among 10,000.
 */
#ifndef MEETING_IDENTITY_H
#define MEETING_IDENTITY_H

#include "meeting/object.h"

/* `tenant` 0: of users of no tenant.  0: nobody. */
[[nodiscard]] uint32_t identity_user(const struct objects *objects, uint32_t tenant,
                                     struct str identity);

#endif
