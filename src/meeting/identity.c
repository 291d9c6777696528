/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/identity.h"

uint32_t
identity_user(const struct objects *objects, uint32_t tenant, struct str identity)
{
	uint32_t found = 0;
	uint32_t at = 0;
	if (identity.len == 0)
		return 0;
	for (uint32_t user; (user = objects_next(objects, OBJECT_USER, &at)) != 0;) {
		if (!str_eq_nocase(objects_text(objects, OBJECT_USER, user, USER_AUTHENTICATION_ID),
		                   identity) ||
		    objects_ref(objects, OBJECT_USER, user, USER_TENANT) != tenant)
			continue;
		if (found != 0)
			return 0;
		found = user;
	}
	if (found != 0)
		return found;
	/* A user with an authenticationId of his own is not known by his JID as well. */
	found = objects_find_address(objects, OBJECT_USER, identity);
	return found != 0 && objects_ref(objects, OBJECT_USER, found, USER_TENANT) == tenant &&
	                       objects_text(objects, OBJECT_USER, found, USER_AUTHENTICATION_ID)
	                                       .len == 0
	               ? found
	               : 0;
}
