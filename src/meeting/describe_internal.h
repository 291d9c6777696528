/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of fields, one file per area; describe.c binds them into types.  A parameter belongs
 * in one only when some code reads it and acts on it; the order of a table is the order in which an
 * object is written. */
#ifndef MEETING_DESCRIBE_INTERNAL_H
#define MEETING_DESCRIBE_INTERNAL_H

#include <assert.h>

#include "base/check.h"
#include "meeting/layout.h"
#include "meeting/object.h"
#include "meeting/stage.h"

enum {
	GET = FIELD_GET,
	LIST = FIELD_GET | FIELD_LIST,
	RW = FIELD_WRITE | FIELD_GET,
	USUAL = FIELD_USUAL,
	OWN = RW | FIELD_INHERITED,
	USUAL_LIST = FIELD_USUAL | FIELD_LIST,
	NAME_BYTES = 127,      /* MEETING_NAME_MAX without its NUL */
	URI_BYTES = 127,
	ID_DIGITS = 32,
	PASSCODE_DIGITS = 32,
	TONE_PARTICIPANTS = 100,
	IMPORTANCE = INT32_MAX,
	MESSAGE_BYTES = 255,   /* MEETING_MESSAGE_MAX without its NUL */
};

/* The usual shapes of a row. */
#define TEXT_ROW(name_, max_, flags_, help_) \
	{ name_, .kind = FIELD_TEXT, .max = max_, .flags = flags_, .help = help_ }
#define BOOL_ROW(name_, fallback_, flags_, help_) \
	{ name_,          .kind = FIELD_BOOL, .max = 1, .fallback = fallback_, \
	  .flags = flags_, .help = help_ }
#define UINT_ROW(name_, max_, flags_, help_) \
	{ name_, .kind = FIELD_UINT, .max = max_, .flags = flags_, .help = help_ }
#define WORD_ROW(name_, words_, fallback_, flags_, help_) \
	{ name_,          .kind = FIELD_ENUM, .words = words_, .max = COUNT_OF(words_) - 2, \
	  .fallback = fallback_, .flags = flags_, .help = help_ }
#define REF_ROW(name_, ref_, flags_, help_) \
	{ name_, .kind = FIELD_GUID, .ref = ref_, .flags = flags_, .help = help_ }
/* Inside another element. */
#define READ_ROW(name_, group_, kind_, help_) \
	{ name_, .group = group_, .kind = kind_, .flags = GET | FIELD_ALWAYS, .help = help_ }

/* Words of more than one area. */
extern const char *const layout_words[];
extern const char *const self_pane_words[];
extern const char *const http_schemes[];

/* describe_people.c */
extern const struct field tenant_fields[TENANT_FIELDS];
extern const struct field user_fields[USER_FIELDS];
extern const struct field user_template_fields[USER_TEMPLATE_FIELDS];
extern const struct field user_space_fields[USER_SPACE_FIELDS];
extern const struct field ldap_server_fields[LDAP_SERVER_FIELDS];
extern const struct field ldap_mapping_fields[LDAP_MAPPING_FIELDS];
extern const struct field ldap_source_fields[LDAP_SOURCE_FIELDS];
extern const struct field ldap_sync_fields[LDAP_SYNC_FIELDS];
extern const struct field ldap_template_source_fields[LDAP_TEMPLATE_SOURCE_FIELDS];
extern const struct field directory_fields[DIRECTORY_FIELDS];
extern const struct field oidc_provider_fields[OIDC_PROVIDER_FIELDS];

/* describe_space.c */
extern const struct field space_fields[SPACE_FIELDS];
extern const struct field method_fields[METHOD_FIELDS];
extern const struct field member_fields[MEMBER_FIELDS];
extern const struct field space_template_fields[SPACE_TEMPLATE_FIELDS];
extern const struct field method_template_fields[METHOD_TEMPLATE_FIELDS];
extern const struct field ivr_fields[IVR_FIELDS];
extern const struct field bulk_set_fields[BULK_SET_FIELDS];
extern const struct field bulk_sync_fields[BULK_SYNC_FIELDS];
extern const struct field entry_detail_fields[ENTRY_DETAIL_FIELDS];
extern const struct field invitation_fields[INVITATION_FIELDS];
extern const struct field metadata_fields[METADATA_FIELDS];

/* describe_profile.c */
extern const struct field leg_profile_fields[LEG_PROFILE_FIELDS];
extern const struct field call_profile_fields[CALL_PROFILE_FIELDS];
extern const struct field dtmf_profile_fields[DTMF_PROFILE_FIELDS];
extern const struct field layout_template_fields[LAYOUT_TEMPLATE_FIELDS];
extern const struct field dial_in_profile_fields[DIAL_IN_PROFILE_FIELDS];
extern const struct field call_branding_fields[CALL_BRANDING_FIELDS];
extern const struct field ivr_branding_fields[IVR_BRANDING_FIELDS];
extern const struct field user_profile_fields[USER_PROFILE_FIELDS];
extern const struct field compatibility_fields[COMPATIBILITY_FIELDS];
extern const struct field web_profile_fields[WEB_PROFILE_FIELDS];
extern const struct field web_address_fields[WEB_ADDRESS_FIELDS];
extern const struct field ivr_number_fields[IVR_NUMBER_FIELDS];
extern const struct field system_profiles_fields[SYSTEM_PROFILES_FIELDS];

/* describe_dial.c */
extern const struct field inbound_rule_fields[INBOUND_FIELDS];
extern const struct field forwarding_rule_fields[FORWARDING_FIELDS];
extern const struct field outbound_rule_fields[OUTBOUND_FIELDS];
extern const struct field dial_transform_fields[TRANSFORM_FIELDS];

/* describe_live.c */
extern const struct field call_fields[CALL_FIELDS];
extern const struct field participant_fields[PARTICIPANT_FIELDS];
extern const struct field leg_fields[LEG_FIELDS];

/* describe_system.c */
extern const struct field call_bridge_group_fields[BRIDGE_GROUP_FIELDS];
extern const struct field call_bridge_fields[CALL_BRIDGE_FIELDS];
extern const struct field web_bridge_fields[WEB_BRIDGE_FIELDS];
extern const struct field turn_server_fields[TURN_SERVER_FIELDS];
extern const struct field cluster_fields[CLUSTER_FIELDS];
extern const struct field cdr_receiver_fields[CDR_RECEIVER_FIELDS];
extern const struct field status_fields[STATUS_FIELDS];
extern const struct field load_fields[LOAD_FIELDS];
extern const struct field database_fields[DATABASE_FIELDS];
extern const struct field alarm_fields[ALARM_FIELDS];
extern const struct field web_bridge_status_fields[WEB_BRIDGE_STATUS_FIELDS];
extern const struct field turn_status_fields[TURN_STATUS_FIELDS];
extern const struct field licensing_fields[LICENSING_FIELDS];
extern const struct field cluster_licensing_fields[CLUSTER_LICENSING_FIELDS];
extern const struct field multiparty_fields[MULTIPARTY_FIELDS];
extern const struct field personal_license_fields[PERSONAL_LICENSE_FIELDS];
extern const struct field license_raw_fields[LICENSE_RAW_FIELDS];
extern const struct field license_usage_fields[LICENSE_USAGE_FIELDS];
extern const struct field usage_hour_fields[USAGE_HOUR_FIELDS];
extern const struct field timed_logging_fields[TIMED_LOGGING_FIELDS];
extern const struct field diagnostics_fields[DIAGNOSTICS_FIELDS];
extern const struct field certificate_fields[CERTIFICATE_FIELDS];
extern const struct field cdr_status_fields[CDR_STATUS_FIELDS];
extern const struct field access_query_fields[ACCESS_QUERY_FIELDS];
extern const struct field uri_query_fields[URI_QUERY_FIELDS];
extern const struct field conversation_query_fields[CONVERSATION_QUERY_FIELDS];
extern const struct field dial_query_fields[DIAL_QUERY_FIELDS];

#endif
