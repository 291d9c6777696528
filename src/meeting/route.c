/* SPDX-License-Identifier: Apache-2.0 */
/* From an address to a space: the space's own addresses and those of its access methods, told apart
 * by passcode or by the secret of a guest link. */
#include "meeting/meeting_internal.h"

/* Every way in that an address names. */
enum { WAYS_MAX = SPACE_METHODS_MAX + 1 };

struct ways {
	struct meeting_entry at[WAYS_MAX];
	unsigned count;
};

static bool
is_uri_of(const struct objects *objects, enum object_type type, uint32_t handle,
          struct str address)
{
	if (type == OBJECT_METHOD)
		return str_eq_nocase(objects_text(objects, type, handle, METHOD_URI), address);
	return str_eq_nocase(objects_text(objects, type, handle, SPACE_URI), address) ||
	       str_eq_nocase(objects_text(objects, type, handle, SPACE_SECONDARY_URI), address);
}

static void
find_ways(const struct objects *objects, struct str address, bool by_uri, struct ways *ways)
{
	static const enum object_type types[] = { OBJECT_SPACE, OBJECT_METHOD };
	for (unsigned i = 0; i < COUNT_OF(types); i++) {
		struct address_cursor cursor = { 0 };
		uint32_t handle;
		while ((handle = objects_next_address(objects, types[i], address, &cursor)) !=
		       0) {
			if (is_uri_of(objects, types[i], handle, address) != by_uri ||
			    ways->count == WAYS_MAX)
				continue;
			struct meeting_entry *entry = &ways->at[ways->count++];
			entry->method = types[i] == OBJECT_METHOD ? handle : 0;
			entry->space = types[i] == OBJECT_METHOD
			                       ? objects_parent(objects, types[i], handle)
			                       : handle;
		}
	}
}

static struct str
entry_text(const struct objects *objects, const struct meeting_entry *entry,
           enum space_field of_space, enum method_field of_method)
{
	return entry->method != 0
	               ? objects_text(objects, OBJECT_METHOD, entry->method, of_method)
	               : objects_text(objects, OBJECT_SPACE, entry->space, of_space);
}

/* nonMemberAccess guards the space's own addresses; nobody is a member as long as there are no
 * user accounts.  Access methods are there to let people in. */
static bool
is_open_to_guests(const struct objects *objects, const struct meeting_entry *entry)
{
	return entry->method != 0 || objects_number(objects, OBJECT_SPACE, entry->space,
	                                            SPACE_NON_MEMBER_ACCESS) != 0;
}

static void
keep_open_ways(const struct objects *objects, struct ways *ways)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < ways->count; i++) {
		if (is_open_to_guests(objects, &ways->at[i]))
			ways->at[kept++] = ways->at[i];
	}
	ways->count = kept;
}

static bool
choose_by_secret(const struct objects *objects, const struct ways *ways, struct str secret,
                 struct meeting_entry *entry)
{
	for (unsigned i = 0; i < ways->count; i++) {
		const struct str own =
			entry_text(objects, &ways->at[i], SPACE_SECRET, METHOD_SECRET);
		if (own.len != 0 && str_eq_secret(own, secret)) {
			*entry = ways->at[i];
			return true;
		}
	}
	return false;
}

/* All are compared, whichever is right: time tells nothing. */
static bool
choose_by_passcode(const struct objects *objects, const struct ways *ways, struct str passcode,
                   struct meeting_entry *entry)
{
	bool found = false;
	for (unsigned i = ways->count; i-- > 0;) {
		const struct str own =
			entry_text(objects, &ways->at[i], SPACE_PASSCODE, METHOD_PASSCODE);
		if (str_eq_secret(own, passcode)) {
			*entry = ways->at[i];
			found = true;
		}
	}
	return found;
}

enum meeting_route
meeting_route(struct meeting *meeting, const struct meeting_knock *knock,
              struct meeting_entry *entry)
{
	const struct objects *objects = meeting->objects;
	struct ways ways = { .count = 0 };
	/* A name that is somebody's URI is not looked up as somebody else's number. */
	find_ways(objects, knock->address, true, &ways);
	if (ways.count == 0)
		find_ways(objects, knock->address, false, &ways);
	if (ways.count == 0)
		return ROUTE_UNKNOWN;
	*entry = ways.at[0];
	keep_open_ways(objects, &ways);
	if (ways.count == 0)
		return ROUTE_MEMBERS_ONLY;

	*entry = ways.at[0];
	if (knock->secret.at != NULL && choose_by_secret(objects, &ways, knock->secret, entry))
		return ROUTE_OPEN;
	if (knock->passcode.at != NULL)
		return choose_by_passcode(objects, &ways, knock->passcode, entry)
		               ? ROUTE_OPEN
		               : ROUTE_WRONG_PASSCODE;
	for (unsigned i = 0; i < ways.count; i++) {
		if (entry_text(objects, &ways.at[i], SPACE_PASSCODE, METHOD_PASSCODE).len != 0)
			return ROUTE_PASSCODE;
	}
	return ROUTE_OPEN;
}

uint32_t
meeting_passcode_timeout_s(struct meeting *meeting, const struct meeting_entry *entry)
{
	const uint32_t mode = call_setting(meeting, entry->space, CALL_PROFILE_PASSCODE_MODE);
	return mode == PASSCODE_TIMEOUT
	               ? call_setting(meeting, entry->space, CALL_PROFILE_PASSCODE_TIMEOUT)
	               : 0;
}
