/* SPDX-License-Identifier: Apache-2.0 */
/* Which value is in force: a parameter unset at one level comes from the level above it
 * (system -> space -> access method -> what was assigned to the leg -> its own override). */
#include "meeting/meeting_internal.h"

enum { SPACE_LEVEL = 2 };

static void
entry_profiles(const struct meeting *meeting, uint32_t space, uint32_t method,
               uint32_t out[PROFILE_LEVELS])
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	out[0] = 0;
	out[1] = objects_ref(objects, OBJECT_METHOD, method, METHOD_LEG_PROFILE);
	out[SPACE_LEVEL] = objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE);
	out[3] = objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_LEG_PROFILE);
}

static uint32_t
profile_setting(const struct meeting *meeting, uint32_t space,
                const uint32_t profiles[PROFILE_LEVELS], enum leg_profile_field field)
{
	for (unsigned level = 0; level < PROFILE_LEVELS; level++) {
		/* A space's own word about the layout comes before its profile's. */
		const struct value own =
			level == SPACE_LEVEL && field == LEG_PROFILE_DEFAULT_LAYOUT
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
	entry_profiles(meeting, entry->space, entry->method, profiles);
	return profile_setting(meeting, entry->space, profiles, field);
}

void
leg_profiles_find(const struct meeting *meeting, const struct leg *leg,
                  uint32_t out[PROFILE_LEVELS])
{
	const struct objects *objects = meeting->objects;
	const struct call *call = call_get(meeting, leg->pub.call);
	const struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const uint32_t space = objects_find(objects, OBJECT_SPACE, &call->space_id);
	entry_profiles(meeting, space, who->method, out);
	out[0] = objects_find(objects, OBJECT_LEG_PROFILE, &who->leg_profile);
	if (who->method != 0 && !objects_alive(objects, OBJECT_METHOD, who->method))
		out[1] = objects_find(objects, OBJECT_LEG_PROFILE, &leg->method_profile);
	if (space == 0)
		out[2] = objects_find(objects, OBJECT_LEG_PROFILE, &leg->space_profile);
}

static void
remember_profiles(const struct meeting *meeting, struct leg *leg)
{
	leg->method_profile = objects_id(meeting->objects, OBJECT_LEG_PROFILE, leg->profiles[1]);
	leg->space_profile = objects_id(meeting->objects, OBJECT_LEG_PROFILE, leg->profiles[2]);
}

/* Works out all settings of a leg and notes it when one of them changed. */
void
leg_settings_refresh(struct meeting *meeting, struct leg *leg)
{
	bool changed = false;
	const uint32_t space = call_get(meeting, leg->pub.call)->pub.space;
	leg_profiles_find(meeting, leg, leg->profiles);
	remember_profiles(meeting, leg);
	for (unsigned field = LEG_PROFILE_NAME + 1; field < LEG_PROFILE_FIELDS; field++) {
		const uint32_t setting =
			(leg->override_set >> field & 1) != 0
				? leg->overrides[field]
				: profile_setting(meeting, space, leg->profiles,
		                                  (enum leg_profile_field)field);
		changed = changed || setting != leg->settings[field];
		leg->settings[field] = setting;
	}
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

/* As the nearest call profile that says something has it. */
static struct value
call_value_in_force(const struct meeting *meeting, uint32_t space, enum call_profile_field field)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t profiles[] = {
		objects_ref(objects, OBJECT_SPACE, space, SPACE_CALL_PROFILE),
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
