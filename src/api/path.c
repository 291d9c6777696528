/* SPDX-License-Identifier: Apache-2.0 */
#include "api/path.h"

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

static const struct path_row rows[] = {
	{ "coSpaces", PATH_COLLECTION, OBJECT_SPACE, OBJECT_NONE, MANY },
	{ "coSpaces/#", PATH_OBJECT, OBJECT_SPACE, OBJECT_NONE, ONE },
	{ "coSpaces/#/accessMethods", PATH_COLLECTION, OBJECT_METHOD, OBJECT_SPACE, MANY },
	{ "coSpaces/#/accessMethods/#", PATH_OBJECT, OBJECT_METHOD, OBJECT_SPACE, ONE },
	{ "callLegProfiles", PATH_COLLECTION, OBJECT_LEG_PROFILE, OBJECT_NONE, MANY },
	{ "callLegProfiles/#", PATH_OBJECT, OBJECT_LEG_PROFILE, OBJECT_NONE, ONE },
	{ "callLegProfiles/#/usage", PATH_USAGE, OBJECT_LEG_PROFILE, OBJECT_NONE, GET },
	{ "callProfiles", PATH_COLLECTION, OBJECT_CALL_PROFILE, OBJECT_NONE, MANY },
	{ "callProfiles/#", PATH_OBJECT, OBJECT_CALL_PROFILE, OBJECT_NONE, ONE },
	{ "dtmfProfiles", PATH_COLLECTION, OBJECT_DTMF_PROFILE, OBJECT_NONE, MANY },
	{ "dtmfProfiles/#", PATH_OBJECT, OBJECT_DTMF_PROFILE, OBJECT_NONE, ONE },
	{ "layoutTemplates", PATH_COLLECTION, OBJECT_LAYOUT_TEMPLATE, OBJECT_NONE, MANY },
	{ "layoutTemplates/#", PATH_OBJECT, OBJECT_LAYOUT_TEMPLATE, OBJECT_NONE, ONE },
	{ "layoutTemplates/#/template", PATH_TEMPLATE, OBJECT_LAYOUT_TEMPLATE,
	  OBJECT_LAYOUT_TEMPLATE, GET | PUT },
	{ "calls", PATH_COLLECTION, OBJECT_CALL, OBJECT_NONE, MANY },
	{ "calls/#", PATH_OBJECT, OBJECT_CALL, OBJECT_NONE, ONE },
	{ "calls/#/callLegs", PATH_COLLECTION, OBJECT_LEG, OBJECT_CALL, MANY },
	{ "calls/#/callLegs/#", PATH_OBJECT, OBJECT_LEG, OBJECT_CALL, ONE },
	{ "calls/#/participants", PATH_COLLECTION, OBJECT_PARTICIPANT, OBJECT_CALL, MANY | PUT },
	{ "calls/#/participants/*", PATH_ALL_OF, OBJECT_PARTICIPANT, OBJECT_CALL, PUT },
	{ "calls/#/participants/#", PATH_OBJECT, OBJECT_PARTICIPANT, OBJECT_CALL, ONE },
	{ "callLegs", PATH_COLLECTION, OBJECT_LEG, OBJECT_NONE, GET },
	{ "callLegs/#", PATH_OBJECT, OBJECT_LEG, OBJECT_NONE, ONE },
	{ "callLegs/#/cameraControl", PATH_CAMERA, OBJECT_LEG, OBJECT_LEG, PUT },
	{ "callLegs/#/generateKeyframe", PATH_KEYFRAME, OBJECT_LEG, OBJECT_LEG, POST },
	{ "participants", PATH_COLLECTION, OBJECT_PARTICIPANT, OBJECT_NONE, GET },
	{ "participants/#", PATH_OBJECT, OBJECT_PARTICIPANT, OBJECT_NONE, ONE },
	{ "participants/#/callLegs", PATH_COLLECTION, OBJECT_LEG, OBJECT_PARTICIPANT, GET },
	{ "webBridges", PATH_COLLECTION, OBJECT_WEB_BRIDGE, OBJECT_NONE, MANY },
	{ "webBridges/#", PATH_OBJECT, OBJECT_WEB_BRIDGE, OBJECT_NONE, ONE },
	{ "webBridges/#/status", PATH_READING, OBJECT_WEB_BRIDGE_STATUS, OBJECT_WEB_BRIDGE, GET },
	{ "inboundDialPlanRules", PATH_COLLECTION, OBJECT_INBOUND_RULE, OBJECT_NONE, MANY },
	{ "inboundDialPlanRules/#", PATH_OBJECT, OBJECT_INBOUND_RULE, OBJECT_NONE, ONE },
	{ "forwardingDialPlanRules", PATH_COLLECTION, OBJECT_FORWARDING_RULE, OBJECT_NONE, MANY },
	{ "forwardingDialPlanRules/#", PATH_OBJECT, OBJECT_FORWARDING_RULE, OBJECT_NONE, ONE },
	{ "outboundDialPlanRules", PATH_COLLECTION, OBJECT_OUTBOUND_RULE, OBJECT_NONE, MANY },
	{ "outboundDialPlanRules/#", PATH_OBJECT, OBJECT_OUTBOUND_RULE, OBJECT_NONE, ONE },
	{ "dialTransforms", PATH_COLLECTION, OBJECT_DIAL_TRANSFORM, OBJECT_NONE, MANY },
	{ "dialTransforms/#", PATH_OBJECT, OBJECT_DIAL_TRANSFORM, OBJECT_NONE, ONE },
	{ "system/status", PATH_SINGLE, OBJECT_STATUS, OBJECT_NONE, GET },
	{ "system/load", PATH_SINGLE, OBJECT_LOAD, OBJECT_NONE, GET },
	{ "system/database", PATH_SINGLE, OBJECT_DATABASE, OBJECT_NONE, GET },
	{ "system/cdrReceivers", PATH_COLLECTION, OBJECT_CDR_RECEIVER, OBJECT_NONE, MANY },
	{ "system/cdrReceivers/#", PATH_OBJECT, OBJECT_CDR_RECEIVER, OBJECT_NONE, ONE },
	{ "system/cdrReceiver", PATH_FIRST, OBJECT_CDR_RECEIVER, OBJECT_NONE, SETTINGS },
	{ "system/alarms", PATH_COLLECTION, OBJECT_ALARM, OBJECT_NONE, GET },
	{ "system/profiles", PATH_SINGLE, OBJECT_SYSTEM_PROFILES, OBJECT_NONE, SETTINGS },
	{ "system/configuration/cluster", PATH_SINGLE, OBJECT_CLUSTER, OBJECT_NONE, SETTINGS },
	{ "accessQuery", PATH_QUERY, OBJECT_ACCESS_QUERY, OBJECT_NONE, POST },
	{ "uriUsageQuery", PATH_QUERY, OBJECT_URI_QUERY, OBJECT_NONE, POST },
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
		if (row_matches(out, &rows[i], &segments))
			return true;
	}
	return false;
}
