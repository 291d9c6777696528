/* SPDX-License-Identifier: Apache-2.0 */
/* What is licensed: who may come in, what is counted, and what is told of it. */
#include <stdio.h>

#include "meeting/meeting_internal.h"

enum {
	CLUSTER_DAYS = 90, /* CMS tells of no later end there */
	DAY_S = 86400,
	SIXTHS = 6, /* a small call takes one of a shared licence */
};

static_assert((int)LICENSE_NONE == (int)LICENCE_NONE &&
              (int)LICENSE_ACTIVATED == (int)LICENCE_ACTIVATED &&
              (int)LICENSE_GRACE == (int)LICENCE_GRACE &&
              (int)LICENSE_EXPIRED == (int)LICENCE_EXPIRED, "the API's words are in that order");

void
licensing_init(struct licensing *licensing)
{
	*licensing = (struct licensing){ .rights = licence_rights_free(),
		                         .users_version = UINT64_MAX };
}

const struct licence_rights *
meeting_rights(const struct meeting *meeting)
{
	return &meeting->licensing.rights;
}

bool
meeting_licensed(const struct meeting *meeting, enum licence_feature feature)
{
	CHECK((unsigned)feature < LICENCE_FEATURES);
	return licence_allows(&meeting->licensing.rights, feature);
}

bool
licensing_clear_only(const struct meeting *meeting)
{
	return !meeting_licensed(meeting, LICENCE_CALLBRIDGE) &&
	       meeting_licensed(meeting, LICENCE_NO_ENCRYPTION);
}

/* ------------------------------------------------------------------ refusals */

static void
log_refusal(struct meeting *meeting, const char *what, uint32_t space)
{
	const struct str name = objects_text(meeting->objects, OBJECT_SPACE, space, SPACE_NAME);
	if (space != 0)
		log_line(meeting, "unable to %s (space \"%.*s\") -- no license", what,
		         STR_ARGS(name));
	else
		log_line(meeting, "unable to %s -- no license", what);
}

bool
meeting_licensed_for(struct meeting *meeting, enum licence_feature feature, const char *what,
                     const struct guid *space)
{
	if (meeting_licensed(meeting, feature))
		return true;
	log_refusal(meeting, what,
	            space != NULL ? objects_find(meeting->objects, OBJECT_SPACE, space) : 0);
	return false;
}

/* One more leg than the limit is refused wherever it wants to go, as it is when we are full. */
static bool
within_limit(const struct meeting *meeting)
{
	const struct licence_rights *rights = &meeting->licensing.rights;
	const struct licence_right *right =
		&rights->of[licensing_clear_only(meeting) ? LICENCE_NO_ENCRYPTION
							  : LICENCE_CALLBRIDGE];
	return !right->limited || !licence_allows(rights, LICENCE_CALLBRIDGE) ||
	       meeting->totals.legs_active < right->limit;
}

bool
licensing_admits(struct meeting *meeting, enum leg_kind kind, uint32_t space, bool runs)
{
	const bool clear_only = licensing_clear_only(meeting);
	const char *what = NULL;
	if (kind == LEG_WEB && (clear_only || !meeting_licensed(meeting, LICENCE_WEBBRIDGE)))
		what = "admit a browser";
	else if (!runs && !clear_only && !meeting_licensed(meeting, LICENCE_CALLBRIDGE))
		what = "start a call";
	else if (!within_limit(meeting))
		what = "admit one more call leg";
	if (what != NULL)
		log_refusal(meeting, what, space);
	return what == NULL;
}

/* Told once: every prompt would ask. */
bool
licensing_branding(struct meeting *meeting, uint32_t space)
{
	const bool licensed = meeting_licensed(meeting, LICENCE_BRANDING);
	if (!licensed && !meeting->licensing.branding_refused)
		log_refusal(meeting, "apply branding", space);
	meeting->licensing.branding_refused = !licensed;
	return licensed;
}

bool
licensing_template(struct meeting *meeting, struct call *call)
{
	const bool licensed = meeting_licensed(meeting, LICENCE_CUSTOMIZATIONS);
	if (!licensed && !call->layout_refused)
		log_refusal(meeting, "apply layout template", call->pub.space);
	call->layout_refused = !licensed;
	return licensed;
}

/* ------------------------------------------------------------------ what is used */

/* Asked for again only when something changed that could say otherwise. */
static uint32_t
count_users(struct meeting *meeting)
{
	static const enum object_type types[] = { OBJECT_USER, OBJECT_USER_PROFILE, OBJECT_TENANT,
		                                  OBJECT_SYSTEM_PROFILES };
	struct licensing *licensing = &meeting->licensing;
	uint64_t version = 0;
	for (unsigned i = 0; i < COUNT_OF(types); i++)
		version += objects_version(meeting->objects, types[i]);
	if (version == licensing->users_version)
		return licensing->users_personal;
	uint32_t at = 0;
	licensing->users_version = version;
	licensing->users_personal = 0;
	for (uint32_t user; (user = objects_next(meeting->objects, OBJECT_USER, &at)) != 0;)
		licensing->users_personal +=
			meeting_user_setting(meeting, user, USER_PROFILE_LICENSE) != 0;
	return licensing->users_personal;
}

static bool
has_pictures(const struct meeting *meeting, const struct call *call)
{
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next) {
		const bool *flows = leg_get(meeting, at)->pub.flows;
		if (flows[LEG_TRACK_MAIN] || flows[LEG_TRACK_CONTENT])
			return true;
	}
	return false;
}

struct meeting_usage
meeting_usage(struct meeting *meeting)
{
	const struct objects *objects = meeting->objects;
	struct meeting_usage usage = { .users = objects_count(objects, OBJECT_USER),
		                       .users_personal = count_users(meeting) };
	uint32_t at = 0;
	for (uint32_t handle; (handle = meeting_call_next(meeting, &at)) != 0;) {
		const struct call *call = call_get(meeting, handle);
		const uint32_t owner =
			objects_ref(objects, OBJECT_SPACE, call->pub.space, SPACE_OWNER_ID);
		usage.calls++;
		if (owner != 0 && meeting_user_setting(meeting, owner, USER_PROFILE_LICENSE) != 0)
			usage.calls_personal++;
		else if (!has_pictures(meeting, call))
			usage.calls_audio++;
		else if (call->pub.legs <= 2)
			usage.calls_pair++;
		else
			usage.calls_full++;
	}
	return usage;
}

uint32_t
meeting_usage_of(const struct meeting_usage *usage, enum licence_feature feature)
{
	CHECK(licence_feature_counts(feature));
	if (feature == LICENCE_PERSONAL)
		return usage->users_personal;
	if (feature == LICENCE_CAPACITY)
		return usage->calls;
	const uint32_t small = usage->calls_audio + usage->calls_pair;
	return usage->calls_full + (small + SIXTHS - 1) / SIXTHS;
}

/* ------------------------------------------------------------------ what is told */

static void
set_alarm(struct meeting *meeting, enum alarm_type type, enum licence_feature feature, bool stands,
          int64_t now_us)
{
	const struct guid about = alarm_about_feature(feature);
	if (stands)
		meeting_alarm_raise(meeting, type, ALARM_ERROR, &about, now_us);
	else
		meeting_alarm_clear(meeting, type, &about);
}

static void
tell_state(struct meeting *meeting, enum licence_feature feature, enum licence_state before,
           int64_t now_us)
{
	static const char *const words[LICENCE_STATES] = {
		[LICENCE_NONE] = "not licensed",
		[LICENCE_ACTIVATED] = "activated",
		[LICENCE_GRACE] = "past its end, and goes on for some days",
		[LICENCE_EXPIRED] = "expired",
	};
	const enum licence_state state = meeting->licensing.rights.of[feature].state;
	set_alarm(meeting, ALARM_LICENSE_GRACE, feature, state == LICENCE_GRACE, now_us);
	set_alarm(meeting, ALARM_LICENSE_EXPIRED, feature, state == LICENCE_EXPIRED, now_us);
	if (state != before)
		log_line(meeting, "license: feature %s is %s%s%s", licence_feature_name(feature),
		         words[state],
		         meeting->licensing.expiry[feature][0] != '\0' ? ", expiry " : "",
		         meeting->licensing.expiry[feature]);
}

static void
tell_overuse(struct meeting *meeting, const struct meeting_usage *usage,
             enum licence_feature feature, int64_t now_us)
{
	const struct licence_rights *rights = &meeting->licensing.rights;
	const struct licence_right *right = &rights->of[feature];
	/* What is not granted at all is none. */
	const uint32_t limit = !licence_allows(rights, feature) ? 0
	                       : right->limited                 ? right->limit
	                                                        : UINT32_MAX;
	const uint32_t used = meeting_usage_of(usage, feature);
	const bool over = used > limit;
	set_alarm(meeting, ALARM_LICENSE_OVERUSE, feature, over, now_us);
	if (over && !meeting->licensing.over[feature])
		log_line(meeting, "license: %u of %s are used, %u are licensed", used,
		         licence_feature_name(feature), limit);
	else if (!over && meeting->licensing.over[feature])
		log_line(meeting, "license: %s is within its limit again",
		         licence_feature_name(feature));
	meeting->licensing.over[feature] = over;
}

static void
write_dates(struct licensing *licensing, int64_t clock_s)
{
	const int64_t latest_s = clock_s + (int64_t)CLUSTER_DAYS * DAY_S;
	for (unsigned f = 0; f < LICENCE_FEATURES; f++) {
		const int64_t end_s = licensing->rights.of[f].expires_s;
		licensing->expiry[f][0] = licensing->cluster_expiry[f][0] = '\0';
		if (end_s == INT64_MAX || licensing->rights.of[f].state == LICENCE_NONE)
			continue;
		/* The last day with it. */
		licence_date(licensing->expiry[f], end_s > 0 ? end_s - 1 : 0);
		licence_date(licensing->cluster_expiry[f],
		             end_s < latest_s ? end_s > 0 ? end_s - 1 : 0 : latest_s);
	}
}

/* Pictures are laid out anew when the right to templates comes or goes. */
static void
follow_templates(struct meeting *meeting, bool before)
{
	uint32_t at = 0;
	if (before == meeting_licensed(meeting, LICENCE_CUSTOMIZATIONS))
		return;
	for (uint32_t call; (call = meeting_call_next(meeting, &at)) != 0;)
		call_work(meeting, call_get(meeting, call), WORK_VIDEO);
}

void
meeting_licence(struct meeting *meeting, const struct licence_rights *rights, int64_t clock_s,
                int64_t now_us)
{
	struct licensing *licensing = &meeting->licensing;
	enum licence_state before[LICENCE_FEATURES];
	const bool templates = meeting_licensed(meeting, LICENCE_CUSTOMIZATIONS);
	meeting_now(meeting, now_us);
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		before[f] = licensing->rights.of[f].state;
	licensing->rights = *rights;
	write_dates(licensing, clock_s);
	if (!rights->free && rights->id[0] == '\0')
		meeting_alarm_raise(meeting, ALARM_LICENSE_INVALID, ALARM_ERROR, NULL, now_us);
	else
		meeting_alarm_clear(meeting, ALARM_LICENSE_INVALID, NULL);
	const struct meeting_usage usage = meeting_usage(meeting);
	for (unsigned f = 0; f < LICENCE_FEATURES; f++) {
		const enum licence_feature feature = (enum licence_feature)f;
		tell_state(meeting, feature, before[f], now_us);
		if (licence_feature_counts(feature))
			tell_overuse(meeting, &usage, feature, now_us);
	}
	follow_templates(meeting, templates);
}

/* ------------------------------------------------------------------ what the API shows */

static struct value
status_value(const struct licensing *licensing, enum licence_feature feature)
{
	return value_number(licensing->rights.of[feature].state);
}

/* In the order of enum licensing_field, three each. */
static const enum licence_feature shown[] = {
	LICENCE_CALLBRIDGE, LICENCE_NO_ENCRYPTION, LICENCE_WEBBRIDGE, LICENCE_TURN,
	LICENCE_LDAP, LICENCE_BRANDING, LICENCE_RECORDING, LICENCE_STREAMING,
	LICENCE_PERSONAL, LICENCE_SHARED, LICENCE_CAPACITY, LICENCE_CUSTOMIZATIONS,
};
static_assert(3 * COUNT_OF(shown) == LICENSING_ID, "each feature is shown");

struct value
licensing_value(const struct meeting *meeting, enum licensing_field field)
{
	const struct licensing *licensing = &meeting->licensing;
	const struct licence_rights *rights = &licensing->rights;
	if (field == LICENSING_ID)
		return value_text(rights->id);
	if (field == LICENSING_HOLDER)
		return value_text(rights->holder);
	if (field == LICENSING_ISSUER)
		return value_text(rights->issuer);
	if (field == LICENSING_REASON)
		return value_text(!rights->free && rights->id[0] == '\0'
		                          ? licence_reject_name(rights->why)
		                          : "");
	const enum licence_feature feature = shown[field / 3];
	const struct licence_right *right = &rights->of[feature];
	if (field == LICENSING_BRANDING_LIMIT)
		return value_text(licence_allows(rights, feature) ? "full" : "");
	if (field % 3 == 0)
		return status_value(licensing, feature);
	return field % 3 == 1 ? value_text(licensing->expiry[feature])
	                      : (struct value){ .set = right->limited, .number = right->limit };
}

struct value
cluster_licensing_value(const struct meeting *meeting, enum cluster_licensing_field field)
{
	static const enum licence_feature features[] = { LICENCE_CALLBRIDGE, LICENCE_NO_ENCRYPTION,
		                                         LICENCE_CUSTOMIZATIONS,
		                                         LICENCE_RECORDING };
	static_assert(2 * COUNT_OF(features) == CLUSTER_LICENSING_FIELDS, "two fields each");
	const struct licensing *licensing = &meeting->licensing;
	const enum licence_feature feature = features[field / 2];
	return field % 2 == 0 ? status_value(licensing, feature)
	                      : value_text(licensing->cluster_expiry[feature]);
}
