/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge itself: its settings, its neighbours, its readings. */
#include "meeting/describe_internal.h"

static const char *const https_scheme[] = { "https", NULL };
static const char *const turn_type_words[] = { "acano", "cms", "expressway", "lyncEdge",
	                                       "standard", NULL };
static const char *const license_words[] = { "noLicense", "activated", "grace", "expired", NULL };

static const char *const c2w_scheme[] = { "c2w", NULL };
static const char *const c2w_state_words[] = { "unused", "success", "connectionFailure",
	                                       "dnsFailure", NULL };
static const char *const clustered_words[] = { "disabled", "enabled", NULL };

const struct field call_bridge_group_fields[] = {
	[BRIDGE_GROUP_NAME] = TEXT_ROW("name", NAME_BYTES, USUAL_LIST | FIELD_FILTER,
	                               "For administrators."),
	[BRIDGE_GROUP_BALANCE] = BOOL_ROW("loadBalancingEnabled", 0, USUAL | FIELD_ALWAYS,
	                                  "Its Call Bridges share incoming calls."),
	[BRIDGE_GROUP_BALANCE_LYNC] = BOOL_ROW("loadBalanceLyncCalls", 0, USUAL | FIELD_LACKING,
	                                       "Skype for Business is not joined from here."),
	[BRIDGE_GROUP_BALANCE_OUTGOING] = BOOL_ROW("loadBalanceOutgoingCalls", 0,
	                                           USUAL | FIELD_ALWAYS, "Outgoing ones too."),
	[BRIDGE_GROUP_BALANCE_USER] = BOOL_ROW("loadBalanceUserCalls", 1, USUAL | FIELD_ALWAYS,
	                                       "Those of browsers too."),
	[BRIDGE_GROUP_BALANCE_INDIRECT] =
		BOOL_ROW("loadBalanceIndirectCalls", 0, USUAL | FIELD_ALWAYS,
	                 "Those that come by a proxy too."),
};

const struct field call_bridge_fields[] = {
	[CALL_BRIDGE_NAME] = TEXT_ROW("name", NAME_BYTES,
	                              USUAL_LIST | FIELD_FILTER | FIELD_REQUIRED | FIELD_ADDRESS,
	                              "The uniqueName of one; no two are alike."),
	[CALL_BRIDGE_ADDRESS] = { "address", .kind = FIELD_URL, .words = https_scheme, .max = 255,
	                          .flags = USUAL_LIST, .help = "Of its Web Admin." },
	[CALL_BRIDGE_SIP_DOMAIN] = TEXT_ROW("sipDomain", 255, USUAL_LIST, "Where it is dialled."),
	[CALL_BRIDGE_GROUP] = REF_ROW("callBridgeGroup", OBJECT_CALL_BRIDGE_GROUP, USUAL_LIST,
	                              "Whose one it is."),
};

const struct field web_bridge_fields[] = {
	[WEB_BRIDGE_URL] = { "url", .kind = FIELD_URL, .words = c2w_scheme, .max = 255,
	                     .flags = USUAL_LIST | FIELD_FILTER,
	                     .help = "Where the Call Bridge connects to: c2w://host:port." },
	[WEB_BRIDGE_TENANT] = REF_ROW("tenant", OBJECT_TENANT, USUAL_LIST,
	                              "Its guests find this tenant's spaces."),
	[WEB_BRIDGE_TENANT_GROUP] = REF_ROW("tenantGroup", OBJECT_TENANT_GROUP, USUAL_LIST,
	                                    "Its guests find the spaces of this group."),
	[WEB_BRIDGE_CALL_BRIDGE] = REF_ROW("callBridge", OBJECT_CALL_BRIDGE, USUAL_LIST,
	                                   "Only this one connects to it."),
	[WEB_BRIDGE_CALL_BRIDGE_GROUP] = REF_ROW("callBridgeGroup", OBJECT_CALL_BRIDGE_GROUP,
	                                         USUAL_LIST, "Only those of this group do."),
	[WEB_BRIDGE_PROFILE] = REF_ROW("webBridgeProfile", OBJECT_WEB_PROFILE, USUAL_LIST,
	                               "What its guests may do."),
};

const struct field turn_server_fields[] = {
	[TURN_SERVER_ADDRESS] = TEXT_ROW("serverAddress", 255, USUAL_LIST | FIELD_FILTER,
	                                 "Where Call Bridges find it."),
	[TURN_CLIENT_ADDRESS] = TEXT_ROW("clientAddress", 255, USUAL_LIST | FIELD_FILTER,
	                                 "Where browsers find it."),
	[TURN_USERNAME] = TEXT_ROW("username", NAME_BYTES, USUAL, "Login."),
	[TURN_PASSWORD] = TEXT_ROW("password", NAME_BYTES,
	                           FIELD_WRITE | FIELD_KEPT | FIELD_SECRET, "Never shown."),
	[TURN_TYPE] = WORD_ROW("type", turn_type_words, TURN_STANDARD, USUAL | FIELD_ALWAYS,
	                       "Whose it is, which says its port."),
	[TURN_REGISTRATIONS] = UINT_ROW("numRegistrations", 100, USUAL, "For Lync Edges."),
	[TURN_TCP_PORT] = UINT_ROW("tcpPortNumberOverride", 65535, USUAL, "For TCP; 0: usual."),
	[TURN_SHORT_TERM] = BOOL_ROW("useShortTermCredentials", 0, USUAL | FIELD_ALWAYS,
	                             "Logins are made from the shared secret."),
	[TURN_SHARED_SECRET] = TEXT_ROW("sharedSecret", NAME_BYTES,
	                                FIELD_WRITE | FIELD_KEPT | FIELD_SECRET, "Never shown."),
	[TURN_CALL_BRIDGE] = REF_ROW("callBridge", OBJECT_CALL_BRIDGE, USUAL_LIST,
	                             "Only this one uses it."),
	[TURN_CALL_BRIDGE_GROUP] = REF_ROW("callBridgeGroup", OBJECT_CALL_BRIDGE_GROUP,
	                                   USUAL_LIST, "Only those of this group do."),
};

const struct field cdr_receiver_fields[] = {
	[CDR_RECEIVER_URI] = { "uri", .also = "url", .kind = FIELD_URL, .words = http_schemes,
	                       .max = 255, .flags = USUAL_LIST | FIELD_FILTER,
	                       .help = "Where call detail records are posted to: "
	                               "http(s)://host[:port]/path. Accepted as url too." },
};

const struct field cluster_fields[] = {
	[CLUSTER_UNIQUE_NAME] = TEXT_ROW("uniqueName", NAME_BYTES, USUAL,
	                                 "This Call Bridge's name among callBridges."),
	[CLUSTER_PEER_LINK_BIT_RATE] = UINT_ROW("peerLinkBitRate", INT32_MAX, USUAL,
	                                        "Bits a second between Call Bridges."),
	[CLUSTER_PARTICIPANT_LIMIT] = { "participantLimit", .kind = FIELD_UINT, .max = UINT32_MAX,
	                                .fallback = UINT32_MAX, .flags = USUAL,
	                                .help = "Most participants of this Call Bridge." },
	[CLUSTER_LOAD_LIMIT] = UINT_ROW("loadLimit", INT32_MAX, USUAL,
	                                "Load units this Call Bridge takes on; for balancing."),
	[CLUSTER_NEW_LOAD] = { "newConferenceLoadLimitBasisPoints", .kind = FIELD_UINT,
	                       .max = 10000, .fallback = 5000, .flags = USUAL | FIELD_ALWAYS,
	                       .help = "Up to so much of it new calls are taken." },
	[CLUSTER_EXISTING_LOAD] = { "existingConferenceLoadLimitBasisPoints", .kind = FIELD_UINT,
	                            .max = 10000, .fallback = 8000, .flags = USUAL | FIELD_ALWAYS,
	                            .help = "Up to so much participants of running ones." },
	[CLUSTER_PEER_STREAMS] = { "maxPeerVideoStreams", .kind = FIELD_UINT, .min = 1, .max = 9,
	                           .fallback = 4, .flags = USUAL | FIELD_ALWAYS,
	                           .help = "Pictures between two Call Bridges." },
};

/* ------------------------------------------------------------------ readings */

const struct field status_fields[] = {
	[STATUS_HOST_ID] = { "hostId", .kind = FIELD_GUID, .flags = GET, .help = "This bridge." },
	[STATUS_VERSION] = { "softwareVersion", .kind = FIELD_TEXT, .flags = GET, .help = "Ours." },
	[STATUS_UPTIME] = { "uptimeSeconds", .kind = FIELD_UINT, .flags = GET | FIELD_ALWAYS,
	                    .help = "Since the Call Bridge started." },
	[STATUS_TIME] = { "cdrTime", .kind = FIELD_TIME, .flags = GET, .help = "Now." },
	[STATUS_ACTIVATED] = { "activated", .kind = FIELD_BOOL, .fallback = 1,
	                       .flags = GET | FIELD_ALWAYS, .help = "Licensed." },
	[STATUS_CLUSTERED] = { "clusterEnabled", .kind = FIELD_BOOL, .flags = GET | FIELD_ALWAYS,
	                       .help = "Has peers." },
	[STATUS_CDR_INDEX] = { "cdrCorrelatorIndex", .kind = FIELD_UINT,
	                       .flags = GET | FIELD_ALWAYS, .help = "Of the next call record." },
	[STATUS_LEGS_ACTIVE] = { "callLegsActive", .kind = FIELD_UINT, .flags = GET | FIELD_ALWAYS,
	                         .help = "Now." },
	[STATUS_LEGS_MAX] = { "callLegsMaxActive", .kind = FIELD_UINT, .flags = GET | FIELD_ALWAYS,
	                      .help = "Most at once since start." },
	[STATUS_LEGS_COMPLETED] = { "callLegsCompleted", .kind = FIELD_UINT,
	                            .flags = GET | FIELD_ALWAYS, .help = "Since start." },
	[STATUS_AUDIO_OUT] = { "audioBitRateOutgoing", .kind = FIELD_UINT,
	                       .flags = GET | FIELD_ALWAYS, .help = "Bits a second." },
	[STATUS_AUDIO_IN] = { "audioBitRateIncoming", .kind = FIELD_UINT,
	                      .flags = GET | FIELD_ALWAYS, .help = "Bits a second." },
	[STATUS_VIDEO_OUT] = { "videoBitRateOutgoing", .kind = FIELD_UINT,
	                       .flags = GET | FIELD_ALWAYS, .help = "Bits a second." },
	[STATUS_VIDEO_IN] = { "videoBitRateIncoming", .kind = FIELD_UINT,
	                      .flags = GET | FIELD_ALWAYS, .help = "Bits a second." },
};

const struct field load_fields[] = {
	[LOAD_MEDIA] = { "mediaProcessingLoad", .kind = FIELD_UINT, .flags = GET | FIELD_ALWAYS,
	                 .help = "Load units of all media workers." },
};

const struct field database_fields[] = {
	[DATABASE_CLUSTERED] = { "clustered", .kind = FIELD_ENUM, .words = clustered_words,
	                         .flags = GET | FIELD_ALWAYS | FIELD_ATTRIBUTE,
	                         .help = "Whether the database has other nodes." },
};

const struct field alarm_fields[] = {
	[ALARM_TYPE] = { "type", .kind = FIELD_TEXT, .flags = LIST, .help = "What is wrong." },
	[ALARM_ACTIVE] = { "activeTimeSeconds", .kind = FIELD_UINT, .flags = LIST | FIELD_ALWAYS,
	                   .help = "For how long." },
	[ALARM_REASON] = { "failureReason", .kind = FIELD_TEXT, .flags = LIST, .help = "Why." },
	[ALARM_WEB_BRIDGE] = { "webBridge", .kind = FIELD_GUID, .flags = LIST, .help = "Where." },
	[ALARM_CDR_RECEIVER] = { "cdrReceiver", .kind = FIELD_GUID, .flags = LIST,
	                         .help = "Or where." },
};

const struct field web_bridge_status_fields[] = {
	[WEB_BRIDGE_STATUS] = { "status", .kind = FIELD_ENUM, .words = c2w_state_words,
	                        .flags = GET | FIELD_ALWAYS, .help = "Of the C2W connection." },
};

const struct field turn_status_fields[] = {
	[TURN_STATUS_ADDRESS] = READ_ROW("address", "host", FIELD_TEXT, "Its own."),
	[TURN_STATUS_PORT] = READ_ROW("portNumber", "host", FIELD_UINT, "Its own."),
	[TURN_STATUS_REACHABLE] = READ_ROW("reachable", "host", FIELD_BOOL, "It answers."),
	[TURN_STATUS_ALLOCATIONS] = READ_ROW("numAllocations", "host", FIELD_UINT, "Of ours."),
};

/* ---- Licences ------------------------------------------------------------------------------ */

#define FEATURE_ROW(group_, help_) \
	{ "status", .group = "features/" group_, .kind = FIELD_ENUM, .words = license_words, \
	  .fallback = LICENSE_ACTIVATED, .flags = GET | FIELD_ALWAYS, .help = help_ }
#define EXPIRY_ROW(group_) \
	{ "expiry",     .group = "features/" group_, .kind = FIELD_TEXT, \
	  .flags = GET, .help = "Its last day, 2027-Mar-01; for good when it is not written." }
#define LIMIT_ROW(group_) \
	{ "limit",      .group = "features/" group_, .kind = FIELD_UINT, \
	  .flags = GET, .help = "How many of them; none when it is not written." }
#define FEATURE_ROWS(field_, group_, help_) \
	[field_] = FEATURE_ROW(group_, help_), [field_##_EXPIRY] = EXPIRY_ROW(group_), \
	[field_##_LIMIT] = LIMIT_ROW(group_)
#define LICENSE_ROW(name_, help_) \
	{ name_, .group = "license", .kind = FIELD_TEXT, .flags = GET, .help = help_ }

const struct field licensing_fields[] = {
	FEATURE_ROWS(LICENSING_CALL_BRIDGE, "callBridge", "Calls."),
	FEATURE_ROWS(LICENSING_NO_ENCRYPTION, "callBridgeNoEncryption", "Unencrypted calls alone."),
	FEATURE_ROWS(LICENSING_WEB_BRIDGE, "webBridge", "Browsers."),
	FEATURE_ROWS(LICENSING_TURN, "turn", "TURN."),
	FEATURE_ROWS(LICENSING_LDAP, "ldap", "Users from directories."),
	[LICENSING_BRANDING] = FEATURE_ROW("branding", "Own sounds and pictures."),
	[LICENSING_BRANDING_EXPIRY] = EXPIRY_ROW("branding"),
	[LICENSING_BRANDING_LIMIT] = { "level", .group = "features/branding", .kind = FIELD_TEXT,
	                               .flags = GET, .help = "How far: full." },
	FEATURE_ROWS(LICENSING_RECORDING, "recording", "Recording."),
	FEATURE_ROWS(LICENSING_STREAMING, "streaming", "Streaming."),
	FEATURE_ROWS(LICENSING_PERSONAL, "personal", "Personal licences."),
	FEATURE_ROWS(LICENSING_SHARED, "shared", "Shared licences."),
	FEATURE_ROWS(LICENSING_CAPACITY, "capacityUnits", "Capacity units."),
	FEATURE_ROWS(LICENSING_CUSTOMIZATIONS, "customizations", "Own layouts."),
	[LICENSING_ID] = LICENSE_ROW("id", "Of the licence in force; nothing when none is needed."),
	[LICENSING_HOLDER] = LICENSE_ROW("holder", "Whom it was given to."),
	[LICENSING_ISSUER] = LICENSE_ROW("issuer", "Who signed it."),
	[LICENSING_REASON] = LICENSE_ROW("failureReason", "Why the file cms.lic does not count: "
	                                 "missing, badSignature, otherHost, ..."),
};

#define CLUSTER_ROWS(field_, group_, help_) \
	[field_] = FEATURE_ROW(group_, help_), \
	[field_##_EXPIRY] = { "expiry", .group = "features/" group_, .kind = FIELD_TEXT, \
	                      .flags = GET, .help = "Its last day, at most 90 days ahead." }

const struct field cluster_licensing_fields[] = {
	CLUSTER_ROWS(CLUSTER_LICENSING_CALL_BRIDGE, "callBridge", "Calls."),
	CLUSTER_ROWS(CLUSTER_LICENSING_NO_ENCRYPTION, "callBridgeNoEncryption",
	             "Unencrypted calls alone."),
	CLUSTER_ROWS(CLUSTER_LICENSING_CUSTOMIZATIONS, "customizations", "Own layouts."),
	CLUSTER_ROWS(CLUSTER_LICENSING_RECORDING, "recording", "Recording."),
};

#define COUNT_ROW(name_, help_) READ_ROW(name_, NULL, FIELD_UINT, help_)
#define WEIGHT_ROW(name_, help_) READ_ROW(name_, NULL, FIELD_TEXT, help_)

const struct field multiparty_fields[] = {
	[MULTIPARTY_TIME] = READ_ROW("timestamp", NULL, FIELD_TIME, "Now."),
	[MULTIPARTY_PERSONAL_LIMIT] = COUNT_ROW("personalLicenseLimit", "0: nobody counts them."),
	[MULTIPARTY_SHARED_LIMIT] = COUNT_ROW("sharedLicenseLimit", "0: nobody counts them."),
	[MULTIPARTY_CAPACITY_LIMIT] = COUNT_ROW("capacityUnitLimit", "0: nobody counts them."),
	[MULTIPARTY_USERS] = COUNT_ROW("users", "Users there are."),
	[MULTIPARTY_PERSONAL] = COUNT_ROW("personalLicenses", "Of them with hasLicense."),
	[MULTIPARTY_SHARED] = COUNT_ROW("sharedLicenses",
	                                "Taken by calls without a personal licence; one of sound "
	                                "alone or of two takes a sixth."),
	[MULTIPARTY_PARTICIPANTS] = COUNT_ROW("participantsActive", "In calls now."),
	[MULTIPARTY_CALLS] = COUNT_ROW("callsActive", "Calls now."),
	[MULTIPARTY_WEIGHTED] = WEIGHT_ROW("weightedCallsActive", "1/n on each of n bridges."),
	[MULTIPARTY_WITHOUT] = COUNT_ROW("callsWithoutPersonalLicense", "Their owner has none."),
	[MULTIPARTY_WEIGHTED_WITHOUT] =
		WEIGHT_ROW("weightedCallsWithoutPersonalLicense", "The same, weighted."),
	[MULTIPARTY_CAPACITY] = WEIGHT_ROW("capacityUnitUsage", "Units in use."),
	[MULTIPARTY_CAPACITY_WITHOUT] =
		WEIGHT_ROW("capacityUnitUsageWithoutPersonalLicense", "The same of these calls."),
};

const struct field personal_license_fields[] = {
	[PERSONAL_LICENSE_USER] = REF_ROW("userId", OBJECT_USER, LIST, "Whose licence is in use."),
};

const struct field license_raw_fields[] = {
	[LICENSE_RAW_TEXT] = { "license", .kind = FIELD_TEXT, .flags = GET,
	                       .help = "The file in force, as it was signed." },
};

const struct field license_usage_fields[] = {
	[LICENSE_USAGE_TIME] = { "time", .kind = FIELD_TIME,
	                         .flags = LIST | FIELD_ATTRIBUTE | FIELD_ALWAYS,
	                         .help = "When it was counted, every five minutes." },
	[LICENSE_USAGE_PERSONAL] = UINT_ROW("pmp", 0, LIST | FIELD_ALWAYS,
	                                    "Calls whose space's owner has a personal licence."),
	[LICENSE_USAGE_ASSIGNED] = UINT_ROW("pmpAssigned", 0, LIST | FIELD_ALWAYS,
	                                    "Users who have one."),
	[LICENSE_USAGE_AUDIO] = UINT_ROW("smpAud", 0, LIST | FIELD_ALWAYS,
	                                 "Other calls, in which nobody sends pictures."),
	[LICENSE_USAGE_PAIR] = UINT_ROW("smpPtP", 0, LIST | FIELD_ALWAYS,
	                                "Other calls of two at most."),
	[LICENSE_USAGE_FULL] = UINT_ROW("smpFull", 0, LIST | FIELD_ALWAYS, "All other calls."),
	[LICENSE_USAGE_RECORDING] = UINT_ROW("rec", 0, LIST | FIELD_ALWAYS, "Recordings."),
	[LICENSE_USAGE_STREAMING] = UINT_ROW("str", 0, LIST | FIELD_ALWAYS, "Streams."),
};

const struct field usage_hour_fields[] = {
	[USAGE_HOUR_HOST] = TEXT_ROW("host", GUID_TEXT_LEN, USUAL, "Which Call Bridge counted."),
	[USAGE_HOUR_HOUR] = UINT_ROW("hour", INT32_MAX, USUAL, "Hours since 1970."),
	[USAGE_HOUR_SAMPLES] = TEXT_ROW("samples", USAGE_HOUR_TEXT_MAX, USUAL,
	                                "minute:pmp,pmpAssigned,smpAud,smpPtP,smpFull,rec,str ..."),
};

/* ---- Diagnostics --------------------------------------------------------------------------- */

const struct field diagnostics_fields[] = {
	[DIAGNOSTICS_LABEL] = TEXT_ROW("label", 0, LIST | FIELD_ALWAYS, "What it tells of."),
	[DIAGNOSTICS_SPACE] = REF_ROW("coSpace", OBJECT_SPACE, GET, "The call's space."),
	[DIAGNOSTICS_CORRELATOR] = REF_ROW("callCorrelator", OBJECT_NONE, GET, "The call's."),
	[DIAGNOSTICS_TIME] = { "timestamp", .kind = FIELD_TIME, .flags = GET, .help = "When." },
	[DIAGNOSTICS_SIZE] = UINT_ROW("contentsSize", 0, GET | FIELD_ALWAYS,
	                              "Bytes of the text at /contents."),
};

/* ---- Ours alone: certificates, and how receivers of records take them ------------------------ */

static const char *const certificate_use_words[] = { "own", "chain", "trust", NULL };
static const char *const certificate_status_words[] = { "valid", "expiresSoon", "expired",
	                                                "notYetValid", "unreadable", NULL };
static const char *const cdr_status_words[] = { "unused", "success", "dnsFailure",
	                                        "connectionFailure", "certificateFailure",
	                                        "remoteFailure", NULL };

const struct field certificate_fields[] = {
	[CERTIFICATE_SERVICE] = TEXT_ROW("service", 0, LIST | FIELD_ALWAYS,
	                                 "Who uses it, in the words of the command line."),
	[CERTIFICATE_USE] = WORD_ROW("use", certificate_use_words, CERTIFICATE_OWN,
	                             LIST | FIELD_ALWAYS,
	                             "Its own, one of the chain it sends, or whom it believes."),
	[CERTIFICATE_FILE] = TEXT_ROW("file", 0, LIST | FIELD_ALWAYS, "Where it is."),
	[CERTIFICATE_STATUS] = WORD_ROW("status", certificate_status_words, CERTIFICATE_VALID,
	                                LIST | FIELD_ALWAYS,
	                                "expiresSoon: within 30 days."),
	[CERTIFICATE_SUBJECT] = TEXT_ROW("subject", 0, LIST, "Whose it is."),
	[CERTIFICATE_NAMES] = TEXT_ROW("names", 0, LIST,
	                               "Host names and addresses it is good for, with a comma "
	                               "between."),
	[CERTIFICATE_ISSUER] = TEXT_ROW("issuer", 0, LIST, "Who signed it."),
	[CERTIFICATE_FROM] = { "validFrom", .kind = FIELD_TIME, .flags = LIST,
	                       .help = "From then on it is good." },
	[CERTIFICATE_UNTIL] = { "validUntil", .kind = FIELD_TIME, .flags = LIST,
	                        .help = "Up to then." },
	[CERTIFICATE_DAYS] = UINT_ROW("daysRemaining", 0, LIST, "Whole days until then."),
	[CERTIFICATE_FINGERPRINT] = TEXT_ROW("fingerprint", 0, LIST, "SHA-256."),
	[CERTIFICATE_PROBLEM] = TEXT_ROW("failureReason", 0, LIST, "Why it cannot be read."),
};

const struct field cdr_status_fields[] = {
	[CDR_STATUS] = WORD_ROW("status", cdr_status_words, CDR_RECEIVER_UNUSED,
	                        GET | FIELD_ALWAYS,
	                        "How the last delivery went; unused: there was none since the "
	                        "Call Bridge started."),
	[CDR_STATUS_ERROR] = TEXT_ROW("lastError", 0, GET, "What went wrong last."),
	[CDR_STATUS_ERROR_TIME] = { "lastErrorTime", .kind = FIELD_TIME, .flags = GET,
	                            .help = "When." },
	[CDR_STATUS_SUCCESS_TIME] = { "lastSuccessTime", .kind = FIELD_TIME, .flags = GET,
	                              .help = "When it last took what it was sent." },
	[CDR_STATUS_WAITING] = UINT_ROW("recordsWaiting", 0, GET | FIELD_ALWAYS,
	                                "Records that it has not taken yet."),
	[CDR_STATUS_NEXT_ATTEMPT] = UINT_ROW("nextAttemptSeconds", 0, GET,
	                                     "Until it is tried again."),
	[CDR_STATUS_DELIVERIES] = UINT_ROW("deliveries", 0, GET | FIELD_ALWAYS,
	                                   "Deliveries since the start, good and bad: it counts "
	                                   "on when a test is over."),
	[CDR_STATUS_ANSWER_TIME] = UINT_ROW("answerMilliseconds", 0, GET,
	                                    "How long the last one took."),
};

/* ---- Detailed logs ------------------------------------------------------------------------- */

#define SECONDS_ROW(name_, flags_, help_) \
	UINT_ROW(name_, 24 * 60 * 60, RW | FIELD_ALWAYS | (flags_), help_)

const struct field timed_logging_fields[] = {
	[TIMED_LOGGING_ACTIVE_CONTROL] =
		SECONDS_ROW("activeControl", FIELD_LACKING, "Active Control is not spoken here."),
	[TIMED_LOGGING_API] =
		SECONDS_ROW("api", 0, "Seconds for which requests and answers are told."),
	[TIMED_LOGGING_DNS] =
		SECONDS_ROW("dns", 0, "Seconds for which names are told that are asked for."),
	[TIMED_LOGGING_EVENTS] =
		SECONDS_ROW("events", 0, "Seconds for which subscribers' messages are told."),
	[TIMED_LOGGING_SIP] = SECONDS_ROW("sip", 0, "Seconds for which SIP messages are told."),
	[TIMED_LOGGING_WEB_BRIDGE] =
		SECONDS_ROW("webBridge", 0, "Seconds for which Web Bridges' messages are told."),
};

/* ---- Questions ----------------------------------------------------------------------------- */

const struct field access_query_fields[] = {
	[ACCESS_QUERY_URI] = { "uri", .kind = FIELD_URI_USER, .max = URI_BYTES,
	                       .flags = FIELD_POST | FIELD_GET, .help = "Becomes a full address." },
	[ACCESS_QUERY_CALL_ID] = { "callId", .kind = FIELD_DIGITS, .max = ID_DIGITS,
	                           .flags = FIELD_POST, .help = "A numeric meeting ID." },
	[ACCESS_QUERY_TENANT] = REF_ROW("tenant", OBJECT_TENANT, FIELD_POST, "Whose they are."),
	[ACCESS_QUERY_WEB] = TEXT_ROW("webAddress", 0, GET, "Where a browser joins."),
	[ACCESS_QUERY_IVR] = TEXT_ROW("ivr", 0, GET, "Where a telephone is asked for the ID."),
};

const struct field uri_query_fields[] = {
	[URI_QUERY_URI] = { "uri", .kind = FIELD_URI_USER, .max = URI_BYTES,
	                    .flags = FIELD_POST | FIELD_REQUIRED, .help = "What is asked for." },
	[URI_QUERY_TENANT] = REF_ROW("tenant", OBJECT_TENANT, FIELD_POST, "In whose world."),
	[URI_QUERY_SPACE] = REF_ROW("coSpace", OBJECT_SPACE, GET, "The space that uses it."),
	[URI_QUERY_USER] = REF_ROW("user", OBJECT_USER, GET, "The user who has it."),
	[URI_QUERY_IVR] = REF_ROW("ivr", OBJECT_IVR, GET, "The IVR that answers there."),
};

const struct field conversation_query_fields[] = {
	[CONVERSATION_ID] = TEXT_ROW("conversationId", 255, FIELD_POST | FIELD_GET | FIELD_REQUIRED,
	                             "Of a Skype for Business meeting."),
	[CONVERSATION_FOUND] = BOOL_ROW("found", 0, GET | FIELD_ALWAYS, "Never: none are joined."),
};

static const char *const dial_direction_words[] = { "incoming", "outgoing", NULL };
static const char *const dial_outcome_words[] = { "coSpace", "ivr", "forwarded", "called",
	                                          "refused", NULL };

const struct field dial_query_fields[] = {
	[DIAL_QUERY_ADDRESS] = { "address", .kind = FIELD_PARTY, .max = 255,
	                         .flags = FIELD_POST | FIELD_GET | FIELD_REQUIRED,
	                         .help = "What is dialled." },
	[DIAL_QUERY_DIRECTION] = WORD_ROW("direction", dial_direction_words, DIAL_QUERY_INCOMING,
	                                  FIELD_POST | FIELD_GET | FIELD_ALWAYS,
	                                  "By a caller from outside, or from a call here."),
	[DIAL_QUERY_TENANT] = REF_ROW("tenant", OBJECT_TENANT, FIELD_POST,
	                              "Whose call it is, of an outgoing one."),
	[DIAL_QUERY_OUTCOME] = WORD_ROW("outcome", dial_outcome_words, DIAL_QUERY_TO_SPACE,
	                                GET | FIELD_ALWAYS, "Where the call goes."),
	[DIAL_QUERY_REASON] = TEXT_ROW("reason", 0, GET, "Why it goes nowhere."),
	[DIAL_QUERY_INBOUND] = REF_ROW("inboundDialPlanRule", OBJECT_INBOUND_RULE, GET,
	                               "The first for the domain."),
	[DIAL_QUERY_SPACE] = REF_ROW("coSpace", OBJECT_SPACE, GET, "The space."),
	[DIAL_QUERY_METHOD] = REF_ROW("accessMethod", OBJECT_METHOD, GET, "Its access method."),
	[DIAL_QUERY_IVR] = REF_ROW("ivr", OBJECT_IVR, GET, "The IVR, which asks for a meeting ID."),
	[DIAL_QUERY_FORWARDING] = REF_ROW("forwardingDialPlanRule", OBJECT_FORWARDING_RULE, GET,
	                                  "What calls it on, or rejects it."),
	[DIAL_QUERY_TRANSFORM] = REF_ROW("dialTransform", OBJECT_DIAL_TRANSFORM, GET,
	                                 "What changes or denies it."),
	[DIAL_QUERY_DIALLED] = TEXT_ROW("dialled", 0, GET, "What is called in the end."),
};
