/* SPDX-License-Identifier: Apache-2.0 */
/* From an address to a space: the space's own addresses and those of its access methods, told apart
 * by passcode or by the secret of a guest link. */
#include "meeting/dial_plan.h"
#include "meeting/meeting_internal.h"

/* Every way in that an address names. */
enum { WAYS_MAX = SPACE_METHODS_MAX + 1 };

struct ways {
	struct meeting_entry at[WAYS_MAX];
	unsigned count;
	uint32_t ivr; /* nobody's way, but the IVR that answers there */
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

/* Is what belongs to the tenant something that the caller can reach at all? */
static bool
is_in_world(const struct objects *objects, const struct meeting_knock *knock,
            const struct guid *tenant)
{
	const struct guid group = objects_tenant_group(objects, tenant);
	switch (knock->world) {
	case WORLD_ANY:
		return true;
	case WORLD_TENANT:
		return guid_eq(tenant, &knock->world_id);
	case WORLD_GROUP:
		return guid_eq(&group, &knock->world_id);
	}
	return false;
}

static void
find_ways(const struct objects *objects, const struct meeting_knock *knock, bool by_uri,
          struct ways *ways)
{
	static const enum object_type types[] = { OBJECT_SPACE, OBJECT_METHOD };
	for (unsigned i = 0; i < COUNT_OF(types); i++) {
		const bool is_method = types[i] == OBJECT_METHOD;
		struct address_cursor cursor = { 0 };
		uint32_t handle;
		while ((handle = objects_next_address(objects, types[i], knock->address,
		                                      &cursor)) != 0) {
			const uint32_t space =
				is_method ? objects_parent(objects, types[i], handle) : handle;
			const struct guid tenant = objects_space_tenant(objects, space);
			if (is_uri_of(objects, types[i], handle, knock->address) != by_uri ||
			    !is_in_world(objects, knock, &tenant) || ways->count == WAYS_MAX)
				continue;
			ways->at[ways->count++] = (struct meeting_entry){
				.method = is_method ? handle : 0, .space = space };
		}
	}
}

/* Several tenants can have the address, and who knocks did not say whose is meant: nobody's goes
 * before; of two tenants' neither is opened. */
static void
keep_one_space(const struct objects *objects, struct ways *ways)
{
	uint32_t chosen = ways->count != 0 ? ways->at[0].space : 0;
	bool several = false;
	for (unsigned i = 0; i < ways->count; i++) {
		const struct guid tenant = objects_space_tenant(objects, ways->at[i].space);
		several = several || ways->at[i].space != chosen;
		if (guid_is_zero(&tenant)) {
			chosen = ways->at[i].space;
			several = false;
			break;
		}
	}
	unsigned kept = 0;
	for (unsigned i = 0; !several && i < ways->count; i++) {
		if (ways->at[i].space == chosen)
			ways->at[kept++] = ways->at[i];
	}
	ways->count = kept;
}

/* As with spaces: nobody's IVR goes before a tenant's; of two tenants' neither answers. */
static uint32_t
find_ivr(const struct objects *objects, const struct meeting_knock *knock)
{
	struct address_cursor cursor = { 0 };
	uint32_t found = 0;
	bool several = false;
	uint32_t ivr;
	while ((ivr = objects_next_address(objects, OBJECT_IVR, knock->address, &cursor)) != 0) {
		const struct guid tenant = objects_value(objects, OBJECT_IVR, ivr, IVR_TENANT).guid;
		if (!is_in_world(objects, knock, &tenant))
			continue;
		if (guid_is_zero(&tenant))
			return ivr;
		several = found != 0;
		found = ivr;
	}
	return several ? 0 : found;
}

static struct str
entry_text(const struct objects *objects, const struct meeting_entry *entry,
           enum space_field of_space, enum method_field of_method)
{
	return entry->method != 0
	               ? objects_text(objects, OBJECT_METHOD, entry->method, of_method)
	               : objects_text(objects, OBJECT_SPACE, entry->space, of_space);
}

/* nonMemberAccess guards the space's own addresses: access methods are there to let people in.  A
 * passcode that is too short opens nothing where the policy says so. */
static bool
is_open_to(const struct meeting *meeting, const struct meeting_knock *knock,
           const struct meeting_entry *entry)
{
	const struct objects *objects = meeting->objects;
	const struct str passcode = entry_text(objects, entry, SPACE_PASSCODE, METHOD_PASSCODE);
	const uint32_t least = objects_dial_in_setting(objects, entry->space, entry->method,
	                                               DIAL_IN_MIN_PASSCODE);
	if (passcode.len < least &&
	    objects_dial_in_setting(objects, entry->space, entry->method,
	                            DIAL_IN_ALLOW_OUT_OF_POLICY) == 0)
		return false;
	return entry->method != 0 ||
	       meeting_member(meeting, entry->space, knock->user_jid) != 0 ||
	       objects_number(objects, OBJECT_SPACE, entry->space, SPACE_NON_MEMBER_ACCESS) != 0;
}

static void
keep_open_ways(const struct meeting *meeting, const struct meeting_knock *knock,
               struct ways *ways)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < ways->count; i++) {
		if (is_open_to(meeting, knock, &ways->at[i]))
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

/* What browsers may do here. */
struct web_rules {
	bool guests;
	bool passcodes;
	bool secrets;
	bool uris;
	bool call_ids;
};

static bool
web_flag(const struct meeting *meeting, const struct meeting_knock *knock,
         enum web_profile_field field)
{
	return knock->web_bridge == 0 ||
	       meeting_web_setting(meeting, knock->web_bridge, 0, field).number != 0;
}

static struct web_rules
web_rules_of(const struct meeting *meeting, const struct meeting_knock *knock)
{
	/* Who is asked by an IVR types numbers. */
	if (knock->ivr != 0)
		return (struct web_rules){
			.guests = true,
			.passcodes = true,
			.call_ids = objects_number(meeting->objects, OBJECT_IVR, knock->ivr,
			                           IVR_RESOLVE_CALL_IDS) != 0,
		};
	return (struct web_rules){
		.guests = web_flag(meeting, knock, WEB_PROFILE_ALLOW_GUESTS),
		.passcodes = web_flag(meeting, knock, WEB_PROFILE_ALLOW_PASSCODES),
		.secrets = web_flag(meeting, knock, WEB_PROFILE_ALLOW_SECRETS),
		.uris = web_flag(meeting, knock, WEB_PROFILE_RESOLVE_URIS),
		.call_ids = web_flag(meeting, knock, WEB_PROFILE_RESOLVE_CALL_IDS),
	};
}

/* A web bridge or an IVR that is a tenant's, or a group's, leads into that world. */
static struct meeting_knock
with_world(const struct meeting *meeting, const struct meeting_knock *knock)
{
	struct meeting_knock out = *knock;
	const bool by_ivr = knock->ivr != 0;
	const enum object_type type = by_ivr ? OBJECT_IVR : OBJECT_WEB_BRIDGE;
	const uint32_t handle = by_ivr ? knock->ivr : knock->web_bridge;
	const struct value tenant =
		objects_value(meeting->objects, type, handle,
	                      by_ivr ? (unsigned)IVR_TENANT : (unsigned)WEB_BRIDGE_TENANT);
	const struct value group = objects_value(
		meeting->objects, type, handle,
		by_ivr ? (unsigned)IVR_TENANT_GROUP : (unsigned)WEB_BRIDGE_TENANT_GROUP);
	if (tenant.set) {
		out.world = WORLD_TENANT;
		out.world_id = tenant.guid;
	} else if (group.set) {
		out.world = WORLD_GROUP;
		out.world_id = group.guid;
	}
	return out;
}

static bool
asks_for_passcode(const struct objects *objects, const struct ways *ways)
{
	for (unsigned i = 0; i < ways->count; i++) {
		if (entry_text(objects, &ways->at[i], SPACE_PASSCODE, METHOD_PASSCODE).len != 0)
			return true;
	}
	return false;
}

/* What an address can lead to. */
struct targets {
	bool spaces;
	bool ivrs;
};

/* A name that is somebody's URI is not looked up as somebody else's number. */
static void
find_targets(const struct objects *objects, const struct meeting_knock *knock,
             const struct web_rules *web, struct targets targets, struct ways *ways)
{
	if (targets.spaces && web->uris)
		find_ways(objects, knock, true, ways);
	if (targets.ivrs && ways->count == 0)
		ways->ivr = find_ivr(objects, knock);
	if (targets.spaces && ways->count == 0 && ways->ivr == 0 && web->call_ids)
		find_ways(objects, knock, false, ways);
	keep_one_space(objects, ways);
}

/* By the inbound rules for the domain, one after another; false: the domain is not ours. */
static bool
find_by_rules(const struct objects *objects, const struct meeting_knock *knock,
              const struct web_rules *web, struct ways *ways)
{
	const enum object_type type = OBJECT_INBOUND_RULE;
	struct meeting_knock in_world = *knock;
	struct dial_cursor cursor = { 0 };
	bool ours = false;
	uint32_t rule;
	while (ways->count == 0 && ways->ivr == 0 &&
	       (rule = dial_rule_next(objects, type, knock->domain, &cursor)) != 0) {
		in_world.world_id = dial_rule_tenant(objects, type, rule);
		in_world.world = guid_is_zero(&in_world.world_id) ? knock->world : WORLD_TENANT;
		ours = true;
		const struct targets targets = {
			.spaces = objects_number(objects, type, rule, INBOUND_SPACES) != 0,
			.ivrs = objects_number(objects, type, rule, INBOUND_IVRS) != 0,
		};
		find_targets(objects, &in_world, web, targets, ways);
	}
	return ours;
}

enum meeting_route
meeting_route(struct meeting *meeting, const struct meeting_knock *asked,
              struct meeting_entry *entry)
{
	const struct objects *objects = meeting->objects;
	const struct web_rules web = web_rules_of(meeting, asked);
	const struct meeting_knock knock = with_world(meeting, asked);
	struct ways ways = { .count = 0 };
	bool ours = knock.domain.at == NULL;
	if (!ours && objects_count(objects, OBJECT_INBOUND_RULE) != 0)
		ours = find_by_rules(objects, &knock, &web, &ways);
	else
		find_targets(objects, &knock, &web,
		             (struct targets){ .spaces = true, .ivrs = !ours }, &ways);
	if (ways.ivr != 0) {
		*entry = (struct meeting_entry){ .ivr = ways.ivr };
		return ROUTE_IVR;
	}
	/* Without rules, what no space has may be somebody else's. */
	if (ways.count == 0)
		return ours ? ROUTE_UNKNOWN : ROUTE_ELSEWHERE;
	*entry = ways.at[0];
	keep_open_ways(meeting, &knock, &ways);
	if (ways.count == 0 || (!web.guests && knock.user_jid.len == 0))
		return ROUTE_MEMBERS_ONLY;

	*entry = ways.at[0];
	if (web.secrets && knock.secret.at != NULL &&
	    choose_by_secret(objects, &ways, knock.secret, entry))
		return ROUTE_OPEN;
	if (!web.passcodes && asks_for_passcode(objects, &ways))
		return ROUTE_MEMBERS_ONLY;
	if (knock.passcode.at != NULL)
		return choose_by_passcode(objects, &ways, knock.passcode, entry)
		               ? ROUTE_OPEN
		               : ROUTE_WRONG_PASSCODE;
	return asks_for_passcode(objects, &ways) ? ROUTE_PASSCODE : ROUTE_OPEN;
}

uint32_t
meeting_passcode_timeout_s(struct meeting *meeting, const struct meeting_entry *entry)
{
	const uint32_t mode = call_setting(meeting, entry->space, CALL_PROFILE_PASSCODE_MODE);
	return mode == PASSCODE_TIMEOUT
	               ? call_setting(meeting, entry->space, CALL_PROFILE_PASSCODE_TIMEOUT)
	               : 0;
}
