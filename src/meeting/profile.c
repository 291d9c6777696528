/* SPDX-License-Identifier: Apache-2.0 */
/* Which value is in force: a parameter unset at one level comes from the level above it
 * (system -> tenant -> space -> access method -> member -> what was assigned to the leg -> its own
 * override). */
#include "meeting/meeting_internal.h"

/* Who was moved to another tenant left memberships behind: they open nothing (member.h). */
static bool
is_of_tenant(const struct objects *objects, uint32_t space, struct str jid)
{
	const uint32_t user = objects_find_address(objects, OBJECT_USER, jid);
	const struct guid of_space = objects_space_tenant(objects, space);
	const struct guid of_user = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	return user == 0 || guid_eq(&of_space, &of_user);
}

/* A member's entry of a space, 0: this user is none. */
static uint32_t
member_of(const struct objects *objects, uint32_t space, struct str jid)
{
	struct address_cursor cursor = { 0 };
	uint32_t member = 0;
	if (jid.len == 0 || space == 0)
		return 0;
	while ((member = objects_next_address(objects, OBJECT_MEMBER, jid, &cursor)) != 0) {
		if (objects_parent(objects, OBJECT_MEMBER, member) == space)
			break;
	}
	return member != 0 && is_of_tenant(objects, space, jid) ? member : 0;
}

uint32_t
meeting_member(const struct meeting *meeting, uint32_t space, struct str jid)
{
	return member_of(meeting->objects, space, jid);
}

static uint32_t
tenant_of_space(const struct objects *objects, uint32_t space)
{
	const struct guid tenant = objects_space_tenant(objects, space);
	return objects_find(objects, OBJECT_TENANT, &tenant);
}

static void
entry_profiles(const struct meeting *meeting, uint32_t space, uint32_t method, struct str jid,
               uint32_t out[PROFILE_LEVELS])
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	out[LEVEL_LEG] = 0;
	out[LEVEL_MEMBER] = objects_ref(objects, OBJECT_MEMBER, member_of(objects, space, jid),
	                                MEMBER_LEG_PROFILE);
	out[LEVEL_METHOD] = objects_ref(objects, OBJECT_METHOD, method, METHOD_LEG_PROFILE);
	out[LEVEL_SPACE] = objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE);
	out[LEVEL_TENANT] = objects_ref(objects, OBJECT_TENANT, tenant_of_space(objects, space),
	                                TENANT_LEG_PROFILE);
	out[LEVEL_SYSTEM] =
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_LEG_PROFILE);
}

static uint32_t
profile_setting(const struct meeting *meeting, uint32_t space,
                const uint32_t profiles[PROFILE_LEVELS], enum leg_profile_field field)
{
	for (unsigned level = 0; level < PROFILE_LEVELS; level++) {
		/* A space's own word about the layout comes before its profile's. */
		const struct value own =
			level == LEVEL_SPACE && field == LEG_PROFILE_DEFAULT_LAYOUT
				? objects_value(meeting->objects, OBJECT_SPACE, space,
		                                SPACE_DEFAULT_LAYOUT)
				: (struct value){ 0 };
		if (own.set)
			return own.number;
		const struct value value = objects_value(meeting->objects, OBJECT_LEG_PROFILE,
		                                         profiles[level], field);
		if (value.set)
			return field != LEG_PROFILE_LAYOUT_TEMPLATE
			               ? value.number
			               : objects_find(meeting->objects, OBJECT_LAYOUT_TEMPLATE,
			                              &value.guid);
	}
	return object_field(OBJECT_LEG_PROFILE, field)->fallback;
}

uint32_t
meeting_entry_setting(struct meeting *meeting, const struct meeting_entry *entry,
                      enum leg_profile_field field)
{
	uint32_t profiles[PROFILE_LEVELS];
	CHECK(field > LEG_PROFILE_NAME && field < LEG_PROFILE_FIELDS);
	if (field == LEG_PROFILE_SIP_ENCRYPTION && licensing_clear_only(meeting))
		return SIP_ENCRYPTION_PROHIBITED;
	entry_profiles(meeting, entry->space, entry->method, STR(""), profiles);
	return profile_setting(meeting, entry->space, profiles, field);
}

/* What was found before its way in was deleted. */
static uint32_t
remembered(const struct objects *objects, const struct leg *leg, enum profile_level level)
{
	return objects_find(objects, OBJECT_LEG_PROFILE, &leg->profile_ids[level]);
}

void
leg_profiles_find(const struct meeting *meeting, const struct leg *leg,
                  uint32_t out[PROFILE_LEVELS])
{
	const struct objects *objects = meeting->objects;
	const struct call *call = call_get(meeting, leg->pub.call);
	const struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const uint32_t space = objects_find(objects, OBJECT_SPACE, &call->space_id);
	entry_profiles(meeting, space, who->method, str_of(who->user_jid), out);
	out[LEVEL_LEG] = objects_find(objects, OBJECT_LEG_PROFILE, &who->leg_profile);
	if (who->member != 0 && !objects_alive(objects, OBJECT_MEMBER, who->member))
		out[LEVEL_MEMBER] = remembered(objects, leg, LEVEL_MEMBER);
	if (who->method != 0 && !objects_alive(objects, OBJECT_METHOD, who->method))
		out[LEVEL_METHOD] = remembered(objects, leg, LEVEL_METHOD);
	if (space == 0) {
		out[LEVEL_SPACE] = remembered(objects, leg, LEVEL_SPACE);
		out[LEVEL_TENANT] = remembered(objects, leg, LEVEL_TENANT);
	}
}

static void
remember_profiles(const struct meeting *meeting, struct leg *leg)
{
	for (unsigned level = 0; level < PROFILE_LEVELS; level++)
		leg->profile_ids[level] =
			objects_id(meeting->objects, OBJECT_LEG_PROFILE, leg->profiles[level]);
}

uint32_t
meeting_user_setting(const struct meeting *meeting, uint32_t user, enum user_profile_field field)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_USER, user, USER_PROFILE),
		objects_ref(objects, OBJECT_TENANT,
	                    objects_ref(objects, OBJECT_USER, user, USER_TENANT),
	                    TENANT_USER_PROFILE),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_USER_PROFILE),
	};
	for (unsigned level = 0; level < COUNT_OF(profiles); level++) {
		const struct value value =
			objects_value(objects, OBJECT_USER_PROFILE, profiles[level], field);
		if (value.set)
			return value.number;
	}
	return object_field(OBJECT_USER_PROFILE, field)->fallback;
}

/* What a user may not do at all, no leg's profile allows. */
static void
limit_to_user(const struct meeting *meeting, const struct leg *leg,
              uint32_t settings[LEG_PROFILE_FIELDS])
{
	const struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const uint32_t user =
		who->user_jid[0] != '\0'
			? objects_find_address(meeting->objects, OBJECT_USER,
	                                       str_of(who->user_jid))
			: 0;
	if (user == 0)
		return;
	if (meeting_user_setting(meeting, user, USER_PROFILE_AUDIO) == 0)
		settings[LEG_PROFILE_RX_AUDIO_MUTE] = settings[LEG_PROFILE_TX_AUDIO_MUTE] = 1;
	if (meeting_user_setting(meeting, user, USER_PROFILE_VIDEO) == 0)
		settings[LEG_PROFILE_VIDEO_MODE] = VIDEO_MODE_DISABLED;
	if (meeting_user_setting(meeting, user, USER_PROFILE_PRESENTATION) == 0) {
		settings[LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED] = 0;
		settings[LEG_PROFILE_PRESENTATION_VIEWING_ALLOWED] = 0;
	}
}

/* Works out all settings of a leg and notes it when one of them changed. */
void
leg_settings_refresh(struct meeting *meeting, struct leg *leg)
{
	uint32_t settings[LEG_PROFILE_FIELDS] = { 0 };
	const uint32_t space = call_get(meeting, leg->pub.call)->pub.space;
	leg_profiles_find(meeting, leg, leg->profiles);
	remember_profiles(meeting, leg);
	for (unsigned field = LEG_PROFILE_NAME + 1; field < LEG_PROFILE_FIELDS; field++)
		settings[field] = (leg->override_set >> field & 1) != 0
		                          ? leg->overrides[field]
		                          : profile_setting(meeting, space, leg->profiles,
		                                            (enum leg_profile_field)field);
	limit_to_user(meeting, leg, settings);
	if (licensing_clear_only(meeting))
		settings[LEG_PROFILE_SIP_ENCRYPTION] = SIP_ENCRYPTION_PROHIBITED;
	const bool changed = memcmp(settings, leg->settings, sizeof settings) != 0;
	memcpy(leg->settings, settings, sizeof settings);
	if (!changed || leg->pub.state == LEG_ENDING)
		return;
	leg_work(meeting, leg, WORK_SETTINGS);
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_VIDEO);
}

uint32_t
meeting_leg_setting(const struct meeting *meeting, uint32_t handle, enum leg_profile_field field)
{
	CHECK(field > LEG_PROFILE_NAME && field < LEG_PROFILE_FIELDS);
	const struct leg *leg = leg_get(meeting, handle);
	return leg != NULL ? leg->settings[field]
	                   : object_field(OBJECT_LEG_PROFILE, field)->fallback;
}

uint32_t
meeting_leg_profile(const struct meeting *meeting, uint32_t handle, enum profile_level level)
{
	const struct leg *leg = leg_get(meeting, handle);
	return leg != NULL ? leg->profiles[level] : 0;
}

/* As the nearest call profile that says something has it. */
static struct value
call_value_in_force(const struct meeting *meeting, uint32_t space, enum call_profile_field field)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_SPACE, space, SPACE_CALL_PROFILE),
		objects_ref(objects, OBJECT_TENANT, tenant_of_space(objects, space),
	                    TENANT_CALL_PROFILE),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_CALL_PROFILE),
	};
	for (unsigned level = 0; level < COUNT_OF(profiles); level++) {
		const struct value value = objects_value(objects, OBJECT_CALL_PROFILE,
		                                         profiles[level], field);
		if (value.set)
			return value;
	}
	return (struct value){ 0 };
}

uint32_t
call_setting(const struct meeting *meeting, uint32_t space, enum call_profile_field field)
{
	const struct value value = call_value_in_force(meeting, space, field);
	return value.set ? value.number : object_field(OBJECT_CALL_PROFILE, field)->fallback;
}

struct str
call_setting_text(const struct meeting *meeting, uint32_t space, enum call_profile_field field)
{
	const struct value value = call_value_in_force(meeting, space, field);
	return value.set ? value.text : STR("");
}

uint32_t
call_setting_ref(const struct meeting *meeting, uint32_t space, enum call_profile_field field)
{
	const struct value value = call_value_in_force(meeting, space, field);
	const enum object_type ref = object_field(OBJECT_CALL_PROFILE, field)->ref;
	return value.set ? objects_find(meeting->objects, ref, &value.guid) : 0;
}

/* ------------------------------------------------------------------ recordings */

static uint32_t
nearest_brand(const struct objects *objects, enum object_type type, unsigned location,
              const uint32_t profiles[3])
{
	for (unsigned level = 0; level < 3; level++) {
		if (objects_value(objects, type, profiles[level], location).set)
			return profiles[level];
	}
	return 0;
}

uint32_t
meeting_call_branding(struct meeting *meeting, uint32_t space)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_SPACE, space, SPACE_CALL_BRANDING),
		objects_ref(objects, OBJECT_TENANT, tenant_of_space(objects, space),
	                    TENANT_CALL_BRANDING),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_CALL_BRANDING),
	};
	const uint32_t brand =
		nearest_brand(objects, OBJECT_CALL_BRANDING, CALL_BRANDING_LOCATION, profiles);
	return brand != 0 && licensing_branding(meeting, space) ? brand : 0;
}

uint32_t
meeting_ivr_branding(struct meeting *meeting, uint32_t ivr)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_IVR, ivr, IVR_BRANDING),
		objects_ref(objects, OBJECT_TENANT, objects_ref(objects, OBJECT_IVR, ivr, IVR_TENANT),
	                    TENANT_IVR_BRANDING),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_IVR_BRANDING),
	};
	const uint32_t brand =
		nearest_brand(objects, OBJECT_IVR_BRANDING, IVR_BRANDING_LOCATION, profiles);
	return brand != 0 && licensing_branding(meeting, 0) ? brand : 0;
}

/* ------------------------------------------------------------------ browsers */

struct value
meeting_web_setting(const struct meeting *meeting, uint32_t web_bridge, uint32_t tenant,
                    enum web_profile_field field)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	if (web_bridge != 0)
		tenant = objects_ref(objects, OBJECT_WEB_BRIDGE, web_bridge, WEB_BRIDGE_TENANT);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_WEB_BRIDGE, web_bridge, WEB_BRIDGE_PROFILE),
		objects_ref(objects, OBJECT_TENANT, tenant, TENANT_WEB_PROFILE),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_WEB_PROFILE),
	};
	for (unsigned level = 0; level < COUNT_OF(profiles); level++) {
		const struct value value =
			objects_value(objects, OBJECT_WEB_PROFILE, profiles[level], field);
		if (value.set)
			return value;
	}
	return (struct value){ .number = object_field(OBJECT_WEB_PROFILE, field)->fallback };
}

/* ------------------------------------------------------------------ which Call Bridge */

uint32_t
meeting_call_bridge(const struct meeting *meeting)
{
	const struct objects *objects = meeting->objects;
	const struct str name = objects_text(
		objects, OBJECT_CLUSTER, objects_single(objects, OBJECT_CLUSTER),
		CLUSTER_UNIQUE_NAME);
	return objects_find_address(objects, OBJECT_CALL_BRIDGE, name);
}

bool
meeting_is_for_us(const struct meeting *meeting, enum object_type type, uint32_t handle,
                  unsigned call_bridge, unsigned group)
{
	const struct objects *objects = meeting->objects;
	const struct value wanted = objects_value(objects, type, handle, call_bridge);
	const struct value wanted_group = objects_value(objects, type, handle, group);
	const uint32_t own = meeting_call_bridge(meeting);
	const struct guid id = objects_id(objects, OBJECT_CALL_BRIDGE, own);
	const struct guid own_group =
		objects_value(objects, OBJECT_CALL_BRIDGE, own, CALL_BRIDGE_GROUP).guid;
	return (!wanted.set || guid_eq(&wanted.guid, &id)) &&
	       (!wanted_group.set || guid_eq(&wanted_group.guid, &own_group));
}
