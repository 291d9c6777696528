/* SPDX-License-Identifier: Apache-2.0 */
/* The dial plan: incoming, forwarding and outbound rules, dial transforms. */
#include "meeting/describe_internal.h"

enum {
	PRIORITY = INT32_MAX,
	DOMAIN_BYTES = 255,
};

static const char *const forwarding_words[] = { "forward", "reject", NULL };
static const char *const caller_id_words[] = { "regenerate", "preserve", NULL };
static const char *const uri_parameter_words[] = { "discard", "forward", NULL };
static const char *const trunk_words[] = { "sip", "lync", "avaya", NULL };
static const char *const failure_words[] = { "stop", "continue", NULL };
static const char *const control_words[] = { "auto", "encrypted", "unencrypted", NULL };
static const char *const scope_words[] = { "global", "callBridge", "callBridgeGroup", NULL };
static const char *const routing_words[] = { "default", "traversal", NULL };
static const char *const transform_type_words[] = { "raw", "strip", "phone", NULL };
static const char *const transform_action_words[] = { "accept", "acceptPhone", "deny", NULL };

#define DIAL_PRIORITY(help_) \
	{ "priority",    .kind = FIELD_UINT, .max = PRIORITY, \
	  .flags = USUAL_LIST | FIELD_ALWAYS, .help = help_ }
#define DIAL_WORD(name_, words_, max_, help_) \
	{ name_,         .kind = FIELD_ENUM, .words = words_, .max = max_, \
	  .flags = USUAL | FIELD_ALWAYS, .help = help_ }
#define DIAL_RESOLVE(name_, fallback_, help_) \
	{ name_,         .kind = FIELD_BOOL, .max = 1, .fallback = fallback_, \
	  .flags = USUAL | FIELD_ALWAYS, .help = help_ }

const struct field inbound_rule_fields[INBOUND_FIELDS] = {
	[INBOUND_DOMAIN] = { "domain", .kind = FIELD_DOMAIN, .min = 1, .max = DOMAIN_BYTES,
	                     .flags = USUAL_LIST | FIELD_REQUIRED | FIELD_FILTER,
	                     .help = "What stands behind the @ of who is called; `*` stands for "
	                             "any letters." },
	[INBOUND_PRIORITY] = DIAL_PRIORITY("Higher ones are looked at first."),
	[INBOUND_USERS] = DIAL_RESOLVE("resolveToUsers", 1,
	                               "Users can be called. They have no telephone of their own: "
	                               "nobody is found by it."),
	[INBOUND_SPACES] = DIAL_RESOLVE("resolveTocoSpaces", 1, "Spaces can be called."),
	[INBOUND_IVRS] = DIAL_RESOLVE("resolveToIvrs", 1, "IVRs can be called."),
	[INBOUND_LYNC_CONFERENCES] =
		BOOL_ROW("resolveToLyncConferences", 0, USUAL | FIELD_LACKING,
	                 "Skype for Business is not joined from here."),
	[INBOUND_LYNC_SIMPLE_JOIN] =
		BOOL_ROW("resolveToLyncSimpleJoin", 0, USUAL | FIELD_LACKING,
	                 "Skype for Business is not joined from here."),
	[INBOUND_TENANT] = REF_ROW("tenant", OBJECT_TENANT, USUAL_LIST,
	                           "Its spaces alone can be called."),
};

const struct field forwarding_rule_fields[FORWARDING_FIELDS] = {
	[FORWARDING_PATTERN] = { "matchPattern", .kind = FIELD_DOMAIN, .min = 1,
	                         .max = DOMAIN_BYTES,
	                         .flags = USUAL_LIST | FIELD_REQUIRED | FIELD_FILTER,
	                         .help = "Domain of calls that no inbound rule is for; `*` stands "
	                                 "for any letters." },
	[FORWARDING_DESTINATION] = { "destinationDomain", .kind = FIELD_DOMAIN_NAME,
	                             .max = DOMAIN_BYTES, .flags = USUAL | FIELD_FILTER,
	                             .help = "In place of the domain that was dialled." },
	[FORWARDING_ACTION] = DIAL_WORD("action", forwarding_words, FORWARDING_REJECT,
	                                "Calls on, or refuses."),
	[FORWARDING_CALLER_ID] = DIAL_WORD("callerIdMode", caller_id_words, CALLER_ID_PRESERVE,
	                                   "Whether the caller's domain becomes ours, or stays."),
	[FORWARDING_PRIORITY] = DIAL_PRIORITY("Higher ones are looked at first."),
	[FORWARDING_TENANT] = REF_ROW("tenant", OBJECT_TENANT, USUAL_LIST,
	                              "Whose the forwarded call is."),
	[FORWARDING_URI_PARAMETERS] =
		DIAL_WORD("uriParameters", uri_parameter_words, URI_PARAMETERS_FORWARD,
	                  "What becomes of parameters behind the dialled address."),
};

const struct field outbound_rule_fields[OUTBOUND_FIELDS] = {
	[OUTBOUND_DOMAIN] = { "domain", .kind = FIELD_DOMAIN, .min = 1, .max = DOMAIN_BYTES,
	                      .flags = USUAL_LIST | FIELD_REQUIRED | FIELD_FILTER,
	                      .help = "What stands behind the @ of who is called; `*` stands for "
	                              "any letters." },
	[OUTBOUND_PRIORITY] = DIAL_PRIORITY("Higher ones are tried first."),
	[OUTBOUND_CONTACT_DOMAIN] = { "localContactDomain", .kind = FIELD_DOMAIN_NAME,
	                              .max = DOMAIN_BYTES, .flags = USUAL,
	                              .help = "In Contact, in place of our address." },
	[OUTBOUND_FROM_DOMAIN] = { "localFromDomain", .kind = FIELD_DOMAIN_NAME,
	                           .max = DOMAIN_BYTES, .flags = USUAL,
	                           .help = "In From, in place of the Call Bridge's domain." },
	[OUTBOUND_PROXY] = { "sipProxy", .kind = FIELD_HOST_PORT, .max = DOMAIN_BYTES,
	                     .flags = USUAL | FIELD_FILTER,
	                     .help = "Where calls are sent, `host[:port]`; without one, where DNS "
	                             "says." },
	[OUTBOUND_TRUNK] = WORD_ROW("trunkType", trunk_words, 0,
	                            USUAL | FIELD_ALWAYS | FIELD_LACKING,
	                            "Other trunks are not had."),
	[OUTBOUND_FAILURE] = DIAL_WORD("failureAction", failure_words, FAILURE_CONTINUE,
	                               "Whether the next rule is tried when this one's call does "
	                               "not come about."),
	[OUTBOUND_ENCRYPTION] = DIAL_WORD("sipControlEncryption", control_words,
	                                  CONTROL_UNENCRYPTED,
	                                  "TLS and then without, TLS alone, or never TLS."),
	[OUTBOUND_SCOPE] = DIAL_WORD("scope", scope_words, SCOPE_CALL_BRIDGE_GROUP,
	                             "Which Call Bridges use it: the one whose name among "
	                             "callBridges is the cluster's uniqueName is this one."),
	[OUTBOUND_CALL_BRIDGE] = REF_ROW("callBridge", OBJECT_CALL_BRIDGE, USUAL_LIST,
	                                 "Which one, with that scope."),
	[OUTBOUND_CALL_BRIDGE_GROUP] =
		REF_ROW("callBridgeGroup", OBJECT_CALL_BRIDGE_GROUP, USUAL_LIST,
	                "Which ones, with that scope."),
	[OUTBOUND_TENANT] = REF_ROW("tenant", OBJECT_TENANT, USUAL_LIST,
	                            "Only calls of this tenant go out by it."),
	[OUTBOUND_ROUTING] = WORD_ROW("callRouting", routing_words, 0,
	                              USUAL | FIELD_ALWAYS | FIELD_LACKING,
	                              "Media go directly, not by a TURN server."),
};

const struct field dial_transform_fields[TRANSFORM_FIELDS] = {
	[TRANSFORM_TYPE] = { "type", .kind = FIELD_ENUM, .words = transform_type_words,
	                     .max = TRANSFORM_PHONE, .flags = USUAL_LIST | FIELD_ALWAYS,
	                     .help = "How $1, $2 are made: of everything, of everything without "
	                             "dots, dashes and blanks, or of an international number's "
	                             "country code and rest." },
	[TRANSFORM_MATCH] = { "match", .kind = FIELD_DIAL_MATCH, .min = 6,
	                      .max = DIAL_EXPRESSION_MAX,
	                      .flags = USUAL_LIST | FIELD_FILTER,
	                      .help = "`($1/regex/)($2/regex/)`: all must be found; without it, "
	                              "every number." },
	[TRANSFORM_TRANSFORM] = { "transform", .kind = FIELD_DIAL_TRANSFORM,
	                          .max = DIAL_EXPRESSION_MAX, .flags = USUAL_LIST | FIELD_FILTER,
	                          .help = "What is dialled: `$1`, `$2{/regex/text/}` and letters." },
	[TRANSFORM_PRIORITY] = DIAL_PRIORITY("Higher ones are looked at first."),
	[TRANSFORM_ACTION] = { "action", .kind = FIELD_ENUM, .words = transform_action_words,
	                       .max = TRANSFORM_DENY, .flags = USUAL_LIST | FIELD_ALWAYS,
	                       .help = "Dials what came out, dials it as a telephone's number, or "
	                               "refuses." },
};
