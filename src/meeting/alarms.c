/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong now: raised and cleared by whoever finds out, read by the API. */
#include "meeting/meeting_internal.h"

static const char *const type_words[ALARM_TYPES] = {
	[ALARM_C2W_CONNECTION_FAILURE] = "c2wConnectionFailure",
	[ALARM_CDR_CONNECTION_FAILURE] = "cdrConnectionFailure",
	[ALARM_DATABASE_ERROR] = "databaseConnectionError",
	[ALARM_LICENSE_INVALID] = "licenseInvalid",
	[ALARM_LICENSE_GRACE] = "licenseGrace",
	[ALARM_LICENSE_EXPIRED] = "licenseExpired",
	[ALARM_LICENSE_OVERUSE] = "licenseOveruse",
	[ALARM_LICENSE_CLOCK] = "licenseClockPutBack",
	[ALARM_CALL_BRANDING_INVALID] = "callBrandingResourceInvalid",
	[ALARM_IVR_BRANDING_INVALID] = "ivrBrandingResourceInvalid",
};

static const char *const reason_words[ALARM_REASONS] = {
	[ALARM_ERROR] = "error",
	[ALARM_AUTHENTICATION_FAILURE] = "authenticationFailure",
	[ALARM_CONNECT_FAILURE] = "connectFailure",
	[ALARM_DNS_FAILURE] = "dnsFailure",
	[ALARM_INTERNAL_SERVER_ERROR] = "internalServerError",
};

/* What kind of object an alarm speaks of. */
static const enum object_type about_types[ALARM_TYPES] = {
	[ALARM_C2W_CONNECTION_FAILURE] = OBJECT_WEB_BRIDGE,
	[ALARM_CDR_CONNECTION_FAILURE] = OBJECT_CDR_RECEIVER,
	[ALARM_DATABASE_ERROR] = OBJECT_NONE,
	[ALARM_LICENSE_INVALID] = OBJECT_NONE,
	[ALARM_LICENSE_GRACE] = OBJECT_NONE, /* a feature: alarm_about_feature() */
	[ALARM_LICENSE_EXPIRED] = OBJECT_NONE,
	[ALARM_LICENSE_OVERUSE] = OBJECT_NONE,
	[ALARM_LICENSE_CLOCK] = OBJECT_NONE,
	[ALARM_CALL_BRANDING_INVALID] = OBJECT_CALL_BRANDING,
	[ALARM_IVR_BRANDING_INVALID] = OBJECT_IVR_BRANDING,
};

static const struct guid nothing;

/* An alarm about what was deleted meanwhile is over. */
static bool
stands(const struct meeting *meeting, const struct alarm *alarm)
{
	const enum object_type about = about_types[alarm->type];
	return alarm->raised && (about == OBJECT_NONE ||
	                         objects_find(meeting->objects, about, &alarm->about) != 0);
}

static struct alarm *
find(struct meeting *meeting, enum alarm_type type, const struct guid *about)
{
	for (unsigned i = 0; i < ALARMS_MAX; i++) {
		struct alarm *alarm = &meeting->alarms[i];
		if (alarm->raised && alarm->type == type && guid_eq(&alarm->about, about))
			return alarm;
	}
	return NULL;
}

void
meeting_alarm_raise(struct meeting *meeting, enum alarm_type type, enum alarm_reason reason,
                    const struct guid *about, int64_t now_us)
{
	CHECK((unsigned)type < ALARM_TYPES && (unsigned)reason < ALARM_REASONS);
	meeting_now(meeting, now_us);
	about = about != NULL ? about : &nothing;
	struct alarm *alarm = find(meeting, type, about);
	if (alarm != NULL) {
		alarm->reason = reason;
		return;
	}
	for (unsigned i = 0; i < ALARMS_MAX && alarm == NULL; i++) {
		if (!stands(meeting, &meeting->alarms[i]))
			alarm = &meeting->alarms[i];
	}
	/* As many as there are objects to speak of, and then some: when all stand, one more tells
	 * nobody anything new. */
	if (alarm != NULL)
		*alarm = (struct alarm){ .raised = true, .type = type, .reason = reason,
			                 .about = *about, .id = meeting_new_id(meeting),
			                 .since_us = now_us };
}

void
meeting_alarm_clear(struct meeting *meeting, enum alarm_type type, const struct guid *about)
{
	struct alarm *alarm = find(meeting, type, about != NULL ? about : &nothing);
	if (alarm != NULL)
		alarm->raised = false;
}

/* An alarm's handle is its place, counted from 1. */
uint32_t
meeting_alarm_next(const struct meeting *meeting, uint32_t *at, struct guid *id)
{
	while (*at < ALARMS_MAX) {
		const struct alarm *alarm = &meeting->alarms[(*at)++];
		if (!stands(meeting, alarm))
			continue;
		*id = alarm->id;
		return *at;
	}
	return 0;
}

struct guid
alarm_about_feature(enum licence_feature feature)
{
	return (struct guid){ { [GUID_BYTES - 1] = (uint8_t)(feature + 1) } };
}

static struct str
reason_of(const struct meeting *meeting, const struct alarm *alarm)
{
	const unsigned feature = alarm->about.bytes[GUID_BYTES - 1];
	if (alarm->type == ALARM_LICENSE_INVALID)
		return str_of(licence_reject_name(meeting->licensing.rights.why));
	if (alarm->type == ALARM_LICENSE_GRACE || alarm->type == ALARM_LICENSE_EXPIRED ||
	    alarm->type == ALARM_LICENSE_OVERUSE)
		return str_of(licence_feature_name((enum licence_feature)(feature - 1)));
	return str_of(reason_words[alarm->reason]);
}

struct value
alarm_value(const struct meeting *meeting, uint32_t handle, enum alarm_field field, int64_t now_us)
{
	CHECK(handle != 0 && handle <= ALARMS_MAX);
	const struct alarm *alarm = &meeting->alarms[handle - 1];
	const enum object_type about = about_types[alarm->type];
	switch (field) {
	case ALARM_TYPE:
		return (struct value){ .set = true, .text = str_of(type_words[alarm->type]) };
	case ALARM_ACTIVE:
		return (struct value){ .set = true,
			               .number = (uint32_t)((now_us - alarm->since_us) / 1000000) };
	case ALARM_REASON:
		return (struct value){ .set = true, .text = reason_of(meeting, alarm) };
	case ALARM_WEB_BRIDGE:
		return (struct value){ .set = about == OBJECT_WEB_BRIDGE, .guid = alarm->about };
	case ALARM_CDR_RECEIVER:
		return (struct value){ .set = about == OBJECT_CDR_RECEIVER, .guid = alarm->about };
	case ALARM_FIELDS:
		break;
	}
	return (struct value){ 0 };
}
