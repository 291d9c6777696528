/* SPDX-License-Identifier: Apache-2.0 */
/* object_type -- every kind of object the API speaks of.
 *
 * The kept ones stand in the order they are loaded in: what a rule looks at comes before what it
 * judges, what contains before what is inside.  The numbers are never written down.
 */
#ifndef MEETING_OBJECT_TYPE_H
#define MEETING_OBJECT_TYPE_H

enum object_type {
	OBJECT_NONE = 0,

	/* kept: whose world */
	OBJECT_TENANT_GROUP,
	OBJECT_TENANT,
	/* profiles */
	OBJECT_LEG_PROFILE,
	OBJECT_CALL_PROFILE,
	OBJECT_DTMF_PROFILE,
	OBJECT_LAYOUT_TEMPLATE,
	OBJECT_DIAL_IN_PROFILE,  /* dialInSecurityProfiles */
	OBJECT_CALL_BRANDING,
	OBJECT_IVR_BRANDING,
	OBJECT_USER_PROFILE,
	OBJECT_COMPATIBILITY,
	OBJECT_WEB_PROFILE,      /* webBridgeProfiles */
	OBJECT_WEB_ADDRESS,      /* inside one: where browsers go */
	OBJECT_IVR_NUMBER,       /* inside one: what telephones dial */
	OBJECT_SYSTEM_PROFILES,  /* exactly one */
	/* users and spaces */
	OBJECT_SPACE_TEMPLATE,
	OBJECT_METHOD_TEMPLATE,
	OBJECT_USER,
	OBJECT_USER_TEMPLATE,    /* inside a user: a space template they may use */
	OBJECT_SPACE,
	OBJECT_METHOD,           /* a space's access method */
	OBJECT_MEMBER,           /* coSpaceUsers */
	OBJECT_IVR,
	OBJECT_BULK_SET,         /* cospaceBulkParameterSets */
	OBJECT_BULK_SYNC,
	/* other servers */
	OBJECT_CALL_BRIDGE_GROUP,
	OBJECT_CALL_BRIDGE,
	OBJECT_WEB_BRIDGE,
	OBJECT_TURN_SERVER,
	OBJECT_LDAP_SERVER,
	OBJECT_LDAP_MAPPING,
	OBJECT_LDAP_SOURCE,
	OBJECT_LDAP_SYNC,
	OBJECT_LDAP_TEMPLATE_SOURCE, /* ldapUserCoSpaceTemplateSources */
	OBJECT_DIRECTORY,        /* directorySearchLocations */
	OBJECT_OIDC_PROVIDER,
	/* the dial plan, object_dial.h */
	OBJECT_INBOUND_RULE,
	OBJECT_FORWARDING_RULE,
	OBJECT_OUTBOUND_RULE,
	OBJECT_DIAL_TRANSFORM,
	/* the bridge itself */
	OBJECT_CDR_RECEIVER,
	OBJECT_CLUSTER,          /* exactly one: system/configuration/cluster */
	OBJECT_USAGE_HOUR,       /* of licences, an hour of one Call Bridge: for MPLicenseUsage */
	OBJECT_KEPT_END,

	/* live: meeting.h owns them */
	OBJECT_CALL = OBJECT_KEPT_END,
	OBJECT_PARTICIPANT,
	OBJECT_LEG,

	/* readings */
	OBJECT_STATUS,
	OBJECT_LOAD,
	OBJECT_DATABASE,
	OBJECT_ALARM,
	OBJECT_WEB_BRIDGE_STATUS,
	OBJECT_TURN_STATUS,
	OBJECT_LICENSING,
	OBJECT_CLUSTER_LICENSING,
	OBJECT_MULTIPARTY,
	OBJECT_PERSONAL_LICENSE,
	OBJECT_LICENSE_RAW,
	OBJECT_LICENSE_USAGE,    /* what was counted at one time */
	OBJECT_USAGE_HOST,       /* whose Call Bridge's usage is known */
	OBJECT_DIAGNOSTICS,
	OBJECT_TIMED_LOGGING,    /* changed too, but not kept */
	OBJECT_USER_SPACE,       /* a space somebody is a member of */
	OBJECT_ENTRY_DETAIL,
	OBJECT_INVITATION,
	OBJECT_METADATA,
	OBJECT_CERTIFICATE,      /* of some service of this machine */
	OBJECT_CDR_STATUS,       /* how a cdrReceiver takes its records */
	/* questions */
	OBJECT_ACCESS_QUERY,
	OBJECT_URI_QUERY,
	OBJECT_CONVERSATION_QUERY,
	OBJECT_DIAL_QUERY,       /* what the dial plan makes of an address */
	OBJECT_TYPES,
};

#endif
