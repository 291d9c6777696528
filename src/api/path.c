/* SPDX-License-Identifier: Apache-2.0 */
#include "api/path.h"

#include <strings.h>

#include "base/check.h"

enum {
	GET = 1 << API_GET,
	POST = 1 << API_POST,
	PUT = 1 << API_PUT,
	DELETE = 1 << API_DELETE,
	ONE = GET | PUT | DELETE,
	MANY = GET | POST,
	SETTINGS = GET | PUT | POST, /* clients use either */
};

/* A collection and one of it; those inside another object; those with their usage. */
#define INSIDE(path_, type_, inside_) \
	{ path_, PATH_COLLECTION, type_, inside_, MANY }, \
	{ path_ "/#", PATH_OBJECT, type_, inside_, ONE }
#define KEPT(path_, type_) INSIDE(path_, type_, OBJECT_NONE)
#define PROFILE(path_, type_) \
	KEPT(path_, type_), { path_ "/#/usage", PATH_USAGE, type_, OBJECT_NONE, GET }

static const struct path_row rows[] = {
	/* spaces */
	KEPT("coSpaces", OBJECT_SPACE),
	{ "coSpaces/#/meetingEntryDetail", PATH_READING, OBJECT_ENTRY_DETAIL, OBJECT_SPACE, GET },
	{ "coSpaces/#/emailInvitation", PATH_INVITATION, OBJECT_INVITATION, OBJECT_SPACE, GET },
	{ "coSpaces/#/metadata", PATH_METADATA, OBJECT_METADATA, OBJECT_SPACE, GET | PUT },
	INSIDE("coSpaces/#/accessMethods", OBJECT_METHOD, OBJECT_SPACE),
	{ "coSpaces/#/accessMethods/#/emailInvitation", PATH_INVITATION, OBJECT_INVITATION,
	  OBJECT_SPACE, GET },
	INSIDE("coSpaces/#/coSpaceUsers", OBJECT_MEMBER, OBJECT_SPACE),
	KEPT("coSpaceTemplates", OBJECT_SPACE_TEMPLATE),
	INSIDE("coSpaceTemplates/#/accessMethodTemplates", OBJECT_METHOD_TEMPLATE,
	       OBJECT_SPACE_TEMPLATE),
	KEPT("cospaceBulkParameterSets", OBJECT_BULK_SET),
	{ "cospaceBulkSyncs", PATH_COLLECTION, OBJECT_BULK_SYNC, OBJECT_NONE, MANY },
	{ "cospaceBulkSyncs/#", PATH_OBJECT, OBJECT_BULK_SYNC, OBJECT_NONE, GET | DELETE },
	KEPT("ivrs", OBJECT_IVR),

	/* profiles */
	PROFILE("callLegProfiles", OBJECT_LEG_PROFILE),
	PROFILE("callProfiles", OBJECT_CALL_PROFILE),
	PROFILE("dtmfProfiles", OBJECT_DTMF_PROFILE),
	PROFILE("userProfiles", OBJECT_USER_PROFILE),
	PROFILE("dialInSecurityProfiles", OBJECT_DIAL_IN_PROFILE),
	PROFILE("callBrandingProfiles", OBJECT_CALL_BRANDING),
	PROFILE("ivrBrandingProfiles", OBJECT_IVR_BRANDING),
	PROFILE("compatibilityProfiles", OBJECT_COMPATIBILITY),
	PROFILE("webBridgeProfiles", OBJECT_WEB_PROFILE),
	INSIDE("webBridgeProfiles/#/webBridgeAddresses", OBJECT_WEB_ADDRESS, OBJECT_WEB_PROFILE),
	INSIDE("webBridgeProfiles/#/ivrNumbers", OBJECT_IVR_NUMBER, OBJECT_WEB_PROFILE),
	KEPT("layoutTemplates", OBJECT_LAYOUT_TEMPLATE),
	{ "layoutTemplates/#/template", PATH_TEMPLATE, OBJECT_LAYOUT_TEMPLATE,
	  OBJECT_LAYOUT_TEMPLATE, GET | PUT },
	{ "system/profiles/effectiveWebBridgeProfile", PATH_EFFECTIVE, OBJECT_WEB_PROFILE,
	  OBJECT_NONE, GET },
	{ "system/profiles", PATH_SINGLE, OBJECT_SYSTEM_PROFILES, OBJECT_NONE, SETTINGS },

	/* tenants and users */
	KEPT("tenantGroups", OBJECT_TENANT_GROUP),
	KEPT("tenants", OBJECT_TENANT),
	{ "tenants/#/effectiveWebBridgeProfile", PATH_EFFECTIVE, OBJECT_WEB_PROFILE, OBJECT_TENANT,
	  GET },
	{ "users", PATH_COLLECTION, OBJECT_USER, OBJECT_NONE, GET },
	{ "users/#", PATH_OBJECT, OBJECT_USER, OBJECT_NONE, GET },
	{ "users/#/userCoSpaces", PATH_COLLECTION, OBJECT_USER_SPACE, OBJECT_USER, GET },
	INSIDE("users/#/userCoSpaceTemplates", OBJECT_USER_TEMPLATE, OBJECT_USER),
	KEPT("ldapServers", OBJECT_LDAP_SERVER),
	KEPT("ldapMappings", OBJECT_LDAP_MAPPING),
	KEPT("ldapSources", OBJECT_LDAP_SOURCE),
	{ "ldapSyncs", PATH_COLLECTION, OBJECT_LDAP_SYNC, OBJECT_NONE, MANY },
	{ "ldapSyncs/#", PATH_OBJECT, OBJECT_LDAP_SYNC, OBJECT_NONE, GET | DELETE },
	KEPT("ldapUserCoSpaceTemplateSources", OBJECT_LDAP_TEMPLATE_SOURCE),
	KEPT("directorySearchLocations", OBJECT_DIRECTORY),
	KEPT("oidcProviders", OBJECT_OIDC_PROVIDER),

	/* what goes on */
	KEPT("calls", OBJECT_CALL),
	INSIDE("calls/#/callLegs", OBJECT_LEG, OBJECT_CALL),
	{ "calls/#/participants", PATH_COLLECTION, OBJECT_PARTICIPANT, OBJECT_CALL, MANY | PUT },
	{ "calls/#/participants/*", PATH_ALL_OF, OBJECT_PARTICIPANT, OBJECT_CALL, PUT },
	{ "calls/#/participants/#", PATH_OBJECT, OBJECT_PARTICIPANT, OBJECT_CALL, ONE },
	{ "callLegs", PATH_COLLECTION, OBJECT_LEG, OBJECT_NONE, GET },
	{ "callLegs/#", PATH_OBJECT, OBJECT_LEG, OBJECT_NONE, ONE },
	{ "callLegs/#/callLegProfileTrace", PATH_TRACE, OBJECT_LEG_PROFILE, OBJECT_LEG, GET },
	{ "callLegs/#/cameraControl", PATH_CAMERA, OBJECT_LEG, OBJECT_LEG, PUT },
	{ "callLegs/#/generateKeyframe", PATH_KEYFRAME, OBJECT_LEG, OBJECT_LEG, POST },
	{ "participants", PATH_COLLECTION, OBJECT_PARTICIPANT, OBJECT_NONE, GET },
	{ "participants/#", PATH_OBJECT, OBJECT_PARTICIPANT, OBJECT_NONE, ONE },
	{ "participants/#/callLegs", PATH_COLLECTION, OBJECT_LEG, OBJECT_PARTICIPANT, GET },

	/* servers, this one too */
	KEPT("callBridgeGroups", OBJECT_CALL_BRIDGE_GROUP),
	KEPT("callBridges", OBJECT_CALL_BRIDGE),
	KEPT("webBridges", OBJECT_WEB_BRIDGE),
	{ "webBridges/#/status", PATH_READING, OBJECT_WEB_BRIDGE_STATUS, OBJECT_WEB_BRIDGE, GET },
	{ "webBridges/#/effectiveWebBridgeProfile", PATH_EFFECTIVE, OBJECT_WEB_PROFILE,
	  OBJECT_WEB_BRIDGE, GET },
	{ "webBridges/#/updateCustomization", PATH_UPDATE, OBJECT_WEB_BRIDGE, OBJECT_WEB_BRIDGE,
	  POST },
	KEPT("turnServers", OBJECT_TURN_SERVER),
	{ "turnServers/#/status", PATH_READING, OBJECT_TURN_STATUS, OBJECT_TURN_SERVER, GET },
	KEPT("inboundDialPlanRules", OBJECT_INBOUND_RULE),
	KEPT("forwardingDialPlanRules", OBJECT_FORWARDING_RULE),
	KEPT("outboundDialPlanRules", OBJECT_OUTBOUND_RULE),
	KEPT("dialTransforms", OBJECT_DIAL_TRANSFORM),
	{ "system/configuration/cluster", PATH_SINGLE, OBJECT_CLUSTER, OBJECT_NONE, SETTINGS },
	{ "system/licensing", PATH_SINGLE, OBJECT_LICENSING, OBJECT_NONE, GET },
	{ "clusterLicensing", PATH_SINGLE, OBJECT_CLUSTER_LICENSING, OBJECT_NONE, GET },
	{ "clusterLicensing/raw", PATH_SINGLE, OBJECT_LICENSE_RAW, OBJECT_NONE, GET },
	{ "system/MPLicenseUsage", PATH_COLLECTION, OBJECT_LICENSE_USAGE, OBJECT_NONE, GET },
	{ "system/MPLicenseUsage/knownHosts", PATH_COLLECTION, OBJECT_USAGE_HOST, OBJECT_NONE,
	  GET },
	{ "system/multipartyLicensing", PATH_SINGLE, OBJECT_MULTIPARTY, OBJECT_NONE, GET },
	{ "system/multipartyLicensing/activePersonalLicenses", PATH_COLLECTION,
	  OBJECT_PERSONAL_LICENSE, OBJECT_NONE, GET },
	{ "system/status", PATH_SINGLE, OBJECT_STATUS, OBJECT_NONE, GET },
	{ "system/load", PATH_SINGLE, OBJECT_LOAD, OBJECT_NONE, GET },
	{ "system/database", PATH_SINGLE, OBJECT_DATABASE, OBJECT_NONE, GET },
	{ "system/cdrReceivers", PATH_COLLECTION, OBJECT_CDR_RECEIVER, OBJECT_NONE, MANY },
	{ "system/cdrReceivers/#", PATH_OBJECT, OBJECT_CDR_RECEIVER, OBJECT_NONE, ONE },
	{ "system/cdrReceiver", PATH_FIRST, OBJECT_CDR_RECEIVER, OBJECT_NONE, SETTINGS },
	{ "system/cdrReceivers/#/status", PATH_READING, OBJECT_CDR_STATUS, OBJECT_CDR_RECEIVER,
	  GET },
	{ "system/cdrReceivers/#/sendTest", PATH_CDR_TEST, OBJECT_CDR_STATUS, OBJECT_CDR_RECEIVER,
	  POST },
	{ "system/certificates", PATH_CERTIFICATES, OBJECT_CERTIFICATE, OBJECT_NONE, GET },
	{ "calls/#/diagnostics", PATH_DIAGNOSE, OBJECT_DIAGNOSTICS, OBJECT_CALL, POST },
	{ "coSpaces/#/diagnostics", PATH_DIAGNOSE, OBJECT_DIAGNOSTICS, OBJECT_SPACE, POST },
	{ "system/diagnostics", PATH_COLLECTION, OBJECT_DIAGNOSTICS, OBJECT_NONE, GET },
	{ "system/diagnostics/#", PATH_OBJECT, OBJECT_DIAGNOSTICS, OBJECT_NONE, GET },
	{ "system/diagnostics/#/contents", PATH_CONTENTS, OBJECT_DIAGNOSTICS, OBJECT_DIAGNOSTICS,
	  GET },
	{ "system/eventLog", PATH_LOG, OBJECT_NONE, OBJECT_NONE, GET },
	{ "system/timedLogging", PATH_SINGLE, OBJECT_TIMED_LOGGING, OBJECT_NONE, SETTINGS },
	{ "system/metrics", PATH_METRICS, OBJECT_NONE, OBJECT_NONE, GET },
	{ "system/alarms", PATH_COLLECTION, OBJECT_ALARM, OBJECT_NONE, GET },

	/* questions */
	{ "authTokens", PATH_TOKEN, OBJECT_NONE, OBJECT_NONE, POST },
	{ "accessQuery", PATH_QUERY, OBJECT_ACCESS_QUERY, OBJECT_NONE, POST },
	{ "conversationIdQuery", PATH_QUERY, OBJECT_CONVERSATION_QUERY, OBJECT_NONE, POST },
	{ "dialPlanQuery", PATH_QUERY, OBJECT_DIAL_QUERY, OBJECT_NONE, POST },
	{ "uriUsageQuery", PATH_QUERY, OBJECT_URI_QUERY, OBJECT_NONE, POST },
	{ "openapi", PATH_DESCRIPTION, OBJECT_NONE, OBJECT_NONE, GET },
};

const struct path_row *
path_row(unsigned n)
{
	return n < COUNT_OF(rows) ? &rows[n] : NULL;
}

struct segments {
	struct str at[PATH_SEGMENTS_MAX];
	unsigned count;
};

static bool
split(struct segments *out, struct str path)
{
	out->count = 0;
	while (path.len != 0) {
		if (out->count == PATH_SEGMENTS_MAX)
			return false;
		out->at[out->count] = str_cut(&path, '/');
		if (out->at[out->count++].len == 0)
			return false;
	}
	return true;
}

static bool
row_matches(struct path *out, const struct path_row *row, const struct segments *given)
{
	struct segments wanted;
	*out = (struct path){ .row = row };
	if (!split(&wanted, str_of(row->path)) || wanted.count != given->count)
		return false;
	for (unsigned i = 0; i < wanted.count; i++) {
		if (!str_eq(wanted.at[i], STR("#"))) {
			if (!str_eq_nocase(wanted.at[i], given->at[i]))
				return false;
			continue;
		}
		CHECK(out->id_count < PATH_IDS_MAX);
		if (!guid_parse(&out->ids[out->id_count++], given->at[i]))
			out->bad_id = true;
	}
	return true;
}

/* Most rows are told apart by their first word. */
static bool
begins_with(const char *path, struct str word)
{
	return strncasecmp(path, word.at, word.len) == 0 &&
	       (path[word.len] == '\0' || path[word.len] == '/');
}

bool
path_find(struct path *out, struct str path)
{
	static const char prefix[] = "/api/v1/";
	const size_t len = sizeof prefix - 1;
	struct segments segments;
	if (path.len < len || !str_eq_nocase(str_sub(path, 0, len), STR("/api/v1/")))
		return false;
	if (!split(&segments, str_sub(path, len, path.len - len)) || segments.count == 0)
		return false;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		if (begins_with(rows[i].path, segments.at[0]) &&
		    row_matches(out, &rows[i], &segments))
			return true;
	}
	return false;
}
