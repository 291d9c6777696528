/* SPDX-License-Identifier: Apache-2.0 */
/* The types, and finding their fields. */
#include "meeting/describe_internal.h"

/* In the order of enum layout_name. */
const char *const layout_words[] = {
	"allEqual", "speakerOnly", "telepresence", "stacked", "allEqualQuarters", "allEqualNinths",
	"allEqualSixteenths", "allEqualTwentyFifths", "onePlusFive", "onePlusSeven", "onePlusNine",
	"automatic", "onePlusN", NULL,
};
static_assert(COUNT_OF(layout_words) == LAYOUT_COUNT + 1, "one word per layout");
const char *const http_schemes[] = { "http", "https", NULL };
const char *const self_pane_words[] = { "skip", "self", "blank", NULL };

/* ------------------------------------------------------------------ the types */

#define FIELDS(table_) .fields = table_, .field_count = COUNT_OF(table_)

static const struct object_desc descriptions[OBJECT_TYPES] = {
	[OBJECT_NONE] = { .collection = "" },
	[OBJECT_TENANT_GROUP] = { "tenantGroups", "tenantGroup", "tenantGroupDoesNotExist",
	                          "tenant_groups", .parent = OBJECT_NONE },
	[OBJECT_TENANT] = { "tenants", "tenant", "tenantDoesNotExist", "tenants",
	                    FIELDS(tenant_fields) },
	[OBJECT_LEG_PROFILE] = { "callLegProfiles", "callLegProfile",
	                         "callLegProfileDoesNotExist", "call_leg_profiles",
	                         FIELDS(leg_profile_fields) },
	[OBJECT_CALL_PROFILE] = { "callProfiles", "callProfile", "callProfileDoesNotExist",
	                          "call_profiles", FIELDS(call_profile_fields) },
	[OBJECT_DTMF_PROFILE] = { "dtmfProfiles", "dtmfProfile", "dtmfProfileDoesNotExist",
	                          "dtmf_profiles", FIELDS(dtmf_profile_fields) },
	[OBJECT_LAYOUT_TEMPLATE] = { "layoutTemplates", "layoutTemplate",
	                             "layoutTemplateDoesNotExist", "layout_templates",
	                             FIELDS(layout_template_fields) },
	[OBJECT_DIAL_IN_PROFILE] = { "dialInSecurityProfiles", "dialInSecurityProfile",
	                             "dialInSecurityProfileDoesNotExist",
	                             "dial_in_security_profiles",
	                             FIELDS(dial_in_profile_fields) },
	[OBJECT_CALL_BRANDING] = { "callBrandingProfiles", "callBrandingProfile",
	                           "callBrandingProfileDoesNotExist", "call_branding_profiles",
	                           FIELDS(call_branding_fields) },
	[OBJECT_IVR_BRANDING] = { "ivrBrandingProfiles", "ivrBrandingProfile",
	                          "ivrBrandingProfileDoesNotExist", "ivr_branding_profiles",
	                          FIELDS(ivr_branding_fields) },
	[OBJECT_USER_PROFILE] = { "userProfiles", "userProfile", "userProfileDoesNotExist",
	                          "user_profiles", FIELDS(user_profile_fields) },
	[OBJECT_COMPATIBILITY] = { "compatibilityProfiles", "compatibilityProfile",
	                           "compatibilityProfileDoesNotExist", "compatibility_profiles",
	                           FIELDS(compatibility_fields) },
	[OBJECT_WEB_PROFILE] = { "webBridgeProfiles", "webBridgeProfile",
	                         "webBridgeProfileDoesNotExist", "web_bridge_profiles",
	                         FIELDS(web_profile_fields) },
	[OBJECT_WEB_ADDRESS] = { "webBridgeAddresses", "webBridgeAddress",
	                         "webBridgeAddressDoesNotExist", "web_bridge_addresses",
	                         FIELDS(web_address_fields), .parent = OBJECT_WEB_PROFILE,
	                         .list = 0, .most = 100 },
	[OBJECT_IVR_NUMBER] = { "ivrNumbers", "ivrNumber", "ivrNumberDoesNotExist", "ivr_numbers",
	                        FIELDS(ivr_number_fields), .parent = OBJECT_WEB_PROFILE,
	                        .list = 1, .most = 100 },
	[OBJECT_SYSTEM_PROFILES] = { "profiles", "profiles", "unrecognizedObject",
	                             "system_profiles", FIELDS(system_profiles_fields),
	                             .single = true },
	[OBJECT_SPACE_TEMPLATE] = { "coSpaceTemplates", "coSpaceTemplate",
	                            "coSpaceTemplateDoesNotExist", "space_templates",
	                            FIELDS(space_template_fields) },
	[OBJECT_METHOD_TEMPLATE] = { "accessMethodTemplates", "accessMethodTemplate",
	                             "coSpaceAccessMethodTemplateDoesNotExist",
	                             "access_method_templates", FIELDS(method_template_fields),
	                             .parent = OBJECT_SPACE_TEMPLATE, .most = SPACE_METHODS_MAX },
	[OBJECT_USER] = { "users", "user", "userDoesNotExist", "users", FIELDS(user_fields),
	                  .many = true },
	[OBJECT_USER_TEMPLATE] = { "userCoSpaceTemplates", "userCoSpaceTemplate",
	                           "userCoSpaceTemplateDoesNotExist", "user_space_templates",
	                           FIELDS(user_template_fields), .parent = OBJECT_USER,
	                           .most = 100, .many = true },
	[OBJECT_SPACE] = { "coSpaces", "coSpace", "coSpaceDoesNotExist", "spaces",
	                   FIELDS(space_fields), .many = true },
	[OBJECT_METHOD] = { "accessMethods", "accessMethod", "accessMethodDoesNotExist",
	                    "access_methods", FIELDS(method_fields), .parent = OBJECT_SPACE,
	                    .list = 0, .most = SPACE_METHODS_MAX, .many = true },
	[OBJECT_MEMBER] = { "coSpaceUsers", "coSpaceUser", "coSpaceUserDoesNotExist", "members",
	                    FIELDS(member_fields), .parent = OBJECT_SPACE, .list = 1,
	                    .most = SPACE_MEMBERS_MAX, .many = true },
	[OBJECT_IVR] = { "ivrs", "ivr", "ivrDoesNotExist", "ivrs", FIELDS(ivr_fields) },
	[OBJECT_BULK_SET] = { "cospaceBulkParameterSets", "cospaceBulkParameterSet",
	                      "cospaceBulkParameterSetDoesNotExist", "bulk_parameter_sets",
	                      FIELDS(bulk_set_fields) },
	[OBJECT_BULK_SYNC] = { "cospaceBulkSyncs", "cospaceBulkSync",
	                       "cospaceBulkSyncDoesNotExist", "bulk_syncs",
	                       FIELDS(bulk_sync_fields) },
	[OBJECT_CALL_BRIDGE_GROUP] = { "callBridgeGroups", "callBridgeGroup",
	                               "callBridgeGroupDoesNotExist", "call_bridge_groups",
	                               FIELDS(call_bridge_group_fields) },
	[OBJECT_CALL_BRIDGE] = { "callBridges", "callBridge", "callBridgeDoesNotExist",
	                         "call_bridges", FIELDS(call_bridge_fields) },
	[OBJECT_WEB_BRIDGE] = { "webBridges", "webBridge", "webBridgeDoesNotExist", "web_bridges",
	                        FIELDS(web_bridge_fields) },
	[OBJECT_TURN_SERVER] = { "turnServers", "turnServer", "turnServerDoesNotExist",
	                         "turn_servers", FIELDS(turn_server_fields) },
	[OBJECT_LDAP_SERVER] = { "ldapServers", "ldapServer", "ldapServerDoesNotExist",
	                         "ldap_servers", FIELDS(ldap_server_fields) },
	[OBJECT_LDAP_MAPPING] = { "ldapMappings", "ldapMapping", "ldapMappingDoesNotExist",
	                          "ldap_mappings", FIELDS(ldap_mapping_fields) },
	[OBJECT_LDAP_SOURCE] = { "ldapSources", "ldapSource", "ldapSourceDoesNotExist",
	                         "ldap_sources", FIELDS(ldap_source_fields) },
	[OBJECT_LDAP_SYNC] = { "ldapSyncs", "ldapSync", "ldapSyncDoesNotExist", "ldap_syncs",
	                       FIELDS(ldap_sync_fields) },
	[OBJECT_LDAP_TEMPLATE_SOURCE] = { "ldapUserCoSpaceTemplateSources",
	                                  "ldapUserCoSpaceTemplateSource",
	                                  "ldapUserCoSpaceTemplateSourceDoesNotExist",
	                                  "ldap_template_sources",
	                                  FIELDS(ldap_template_source_fields) },
	[OBJECT_DIRECTORY] = { "directorySearchLocations", "directorySearchLocation",
	                       "directorySearchLocationDoesNotExist",
	                       "directory_search_locations", FIELDS(directory_fields) },
	[OBJECT_CLUSTER] = { "cluster", "cluster", "unrecognizedObject", "cluster",
	                     FIELDS(cluster_fields), .single = true },
	[OBJECT_INBOUND_RULE] = { "inboundDialPlanRules", "inboundDialPlanRule",
	                          "inboundDialPlanRuleDoesNotExist", "inbound_rules",
	                          FIELDS(inbound_rule_fields) },
	[OBJECT_FORWARDING_RULE] = { "forwardingDialPlanRules", "forwardingDialPlanRule",
	                             "forwardingDialPlanRuleDoesNotExist", "forwarding_rules",
	                             FIELDS(forwarding_rule_fields) },
	[OBJECT_OUTBOUND_RULE] = { "outboundDialPlanRules", "outboundDialPlanRule",
	                           "outboundDialPlanRuleDoesNotExist", "outbound_rules",
	                           FIELDS(outbound_rule_fields) },
	[OBJECT_DIAL_TRANSFORM] = { "dialTransforms", "dialTransform",
	                            "dialTransformDoesNotExist", "dial_transforms",
	                            FIELDS(dial_transform_fields), .most = DIAL_TRANSFORMS_MAX,
	                            .too_many = "tooManyDialTransforms" },
	[OBJECT_CDR_RECEIVER] = { "cdrReceivers", "cdrReceiver", "cdrReceiverDoesNotExist",
	                          "cdr_receivers", FIELDS(cdr_receiver_fields), .most = 4,
	                          .too_many = "tooManyCdrReceivers" },

	[OBJECT_CALL] = { "calls", "call", "callDoesNotExist", FIELDS(call_fields) },
	[OBJECT_PARTICIPANT] = { "participants", "participant", "participantDoesNotExist",
	                         FIELDS(participant_fields), .parent = OBJECT_CALL,
	                         .extends = OBJECT_LEG_PROFILE },
	[OBJECT_LEG] = { "callLegs", "callLeg", "callLegDoesNotExist", FIELDS(leg_fields),
	                 .parent = OBJECT_CALL, .extends = OBJECT_LEG_PROFILE },
	[OBJECT_STATUS] = { "status", "status", FIELDS(status_fields), .single = true },
	[OBJECT_LOAD] = { "load", "load", FIELDS(load_fields), .single = true },
	[OBJECT_DATABASE] = { "database", "database", FIELDS(database_fields), .single = true },
	[OBJECT_ALARM] = { "alarms", "alarm", FIELDS(alarm_fields) },
	[OBJECT_WEB_BRIDGE_STATUS] = { "webBridge", "webBridge", "webBridgeDoesNotExist",
	                               FIELDS(web_bridge_status_fields) },
	[OBJECT_TURN_STATUS] = { "turnServer", "turnServer", "turnServerDoesNotExist",
	                         FIELDS(turn_status_fields) },
	[OBJECT_LICENSING] = { "licensing", "licensing", FIELDS(licensing_fields),
	                       .single = true },
	[OBJECT_CLUSTER_LICENSING] = { "clusterLicensing", "clusterLicensing",
	                               FIELDS(cluster_licensing_fields), .single = true },
	[OBJECT_MULTIPARTY] = { "multipartyLicensing", "multipartyLicensing",
	                        FIELDS(multiparty_fields), .single = true },
	[OBJECT_PERSONAL_LICENSE] = { "activePersonalLicenses", "activePersonalLicense",
	                              FIELDS(personal_license_fields) },
	[OBJECT_DIAGNOSTICS] = { "diagnostics", "diagnostics", "diagnosticsDoesNotExist",
	                         FIELDS(diagnostics_fields) },
	[OBJECT_USER_SPACE] = { "userCoSpaces", "userCoSpace", FIELDS(user_space_fields) },
	[OBJECT_ENTRY_DETAIL] = { "meetingEntryDetail", "meetingEntryDetail",
	                          FIELDS(entry_detail_fields) },
	[OBJECT_INVITATION] = { "emailInvitation", "emailInvitation", FIELDS(invitation_fields) },
	[OBJECT_METADATA] = { "metadata", "metadata", FIELDS(metadata_fields) },
	[OBJECT_ACCESS_QUERY] = { "accessQuery", "accessQuery", FIELDS(access_query_fields),
	                          .single = true },
	[OBJECT_URI_QUERY] = { "uriUsageQuery", "uriUsageQuery", FIELDS(uri_query_fields),
	                       .single = true },
	[OBJECT_CONVERSATION_QUERY] = { "conversationIdQuery", "conversationIdQuery",
	                                FIELDS(conversation_query_fields), .single = true },
};

static_assert(LEG_FIELDS + LEG_PROFILE_FIELDS <= OBJECT_FIELDS_MAX, "a bit per field");
static_assert(PARTICIPANT_FIELDS + LEG_PROFILE_FIELDS <= OBJECT_FIELDS_MAX, "a bit per field");

const struct object_desc *
object_describe(enum object_type type)
{
	CHECK((unsigned)type < OBJECT_TYPES);
	return &descriptions[type];
}

unsigned
object_field_count(enum object_type type)
{
	const struct object_desc *desc = object_describe(type);
	return desc->field_count +
	       (desc->extends != OBJECT_NONE ? descriptions[desc->extends].field_count - 1u : 0u);
}

const struct field *
object_field(enum object_type type, unsigned field)
{
	const struct object_desc *desc = object_describe(type);
	CHECK(field < object_field_count(type));
	return field < desc->field_count
	               ? &desc->fields[field]
	               : &descriptions[desc->extends].fields[field - desc->field_count + 1];
}

int
object_field_find(enum object_type type, struct str name)
{
	/* Where a name stands twice (a leg's direction), both are read only: the first serves. */
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if (str_eq_nocase(str_of(field->name), name) ||
		    (field->also != NULL && str_eq_nocase(str_of(field->also), name)))
			return (int)i;
	}
	return -1;
}
