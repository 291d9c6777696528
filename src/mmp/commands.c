/* SPDX-License-Identifier: Apache-2.0 */
/* Every command there is.  The order of the settings is the order of convoke.conf's lines. */
#include "base/check.h"
#include "mmp/mmp_internal.h"

/* What the host carries out; who may, and whether it changes something, follow. */
#define CALL(name) .order = MMP_ORDER_CALL, .call = name
#define AUDITED(name) CALL(name), .changes = true

#define AT(member) .at = offsetof(struct config, member)
#define LIST(member, count) AT(member), .count_at = offsetof(struct config, count)

#define ARG_ON(member) { .kind = MMP_ON, AT(member) }
#define ARG_OFF(member) { .kind = MMP_OFF, AT(member) }
#define ARG_FILE(title, member) { .kind = MMP_FILE, .name = title, AT(member) }
#define ARG_TRUST(member) { .kind = MMP_FILE_OR_NONE, .name = "<bundle|none>", AT(member) }
#define ARG_LISTENS(member) \
	{ .kind = MMP_LISTENS, .name = "<iface:port|none> [iface:port ...]", \
	  LIST(member, member##_count) }

const struct mmp_command mmp_commands[] = {
	{ "callbridge listen",
	  { { .kind = MMP_IFACES, .name = "<iface|none> [iface ...]",
	      LIST(callbridge.ifaces, callbridge.iface_count) } },
	  "where SIP and media are: any, lo, a to d, or names of interfaces",
	  .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge certs",
	  { ARG_FILE("<key>", callbridge.certs.key),
	    ARG_FILE("<crt>", callbridge.certs.certificate),
	    { .kind = MMP_FILE_OPTIONAL, .name = "[bundle]", AT(callbridge.certs.bundle) } },
	  "key and certificate for SIP over TLS and towards Web Bridges",
	  .order = MMP_ORDER_CERTS, .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge certs none", { { .kind = MMP_CLEAR_CERTS, AT(callbridge.certs) } },
	  "no certificate", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge trust c2w", { ARG_TRUST(callbridge.trust_c2w) },
	  "certificates of the Web Bridges to connect to", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge sip listen",
	  { { .kind = MMP_PORT_OR_NONE, .name = "<port|none>", AT(callbridge.sip_port) },
	    { .kind = MMP_PORT_OR_NONE, .name = "<tls-port|none>", AT(callbridge.sip_tls_port) } },
	  "SIP ports: UDP and TCP, and TLS", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge bfcp listen",
	  { { .kind = MMP_PORT_OR_NONE, .name = "<port|none>", AT(callbridge.bfcp_port) },
	    { .kind = MMP_PORT_OR_NONE, .name = "<tls-port|none>", AT(callbridge.bfcp_tls_port) } },
	  "ports on which rooms ask to present (BFCP): UDP and TCP, and TLS",
	  .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge media",
	  { { .kind = MMP_PORT, .name = "<first>", AT(callbridge.media_first) },
	    { .kind = MMP_PORT, .name = "<last>", AT(callbridge.media_last) } },
	  "UDP ports for sound and pictures", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge workers",
	  { { .kind = MMP_NUMBER, .name = "<n|auto>", AT(callbridge.workers), .min = 1, .max = 64,
	      .none = "auto" } },
	  "media threads; auto: one a processor core", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge limit",
	  { { .kind = MMP_NUMBER, .name = "<n>", AT(callbridge.calls_max), .min = 1,
	      .max = 100000 } },
	  "call legs at the same time; the next one is refused", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge domain",
	  { { .kind = MMP_HOST_OR_NONE, .name = "<name|none>", AT(callbridge.domain) } },
	  "domain of our SIP addresses; none: the machine's address",
	  .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge wc3jwt expiry",
	  { { .kind = MMP_NUMBER, .name = "<hours>", AT(callbridge.jwt_hours), .min = 1,
	      .max = 720 } },
	  "how long a guest's token is good", .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge enable", { ARG_ON(callbridge.enabled) }, "start it, now and always",
	  .order = MMP_ORDER_ENABLE, .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge disable", { ARG_OFF(callbridge.enabled) }, "end it, and do not start it",
	  .components = MMP_FOR_CALLBRIDGE },
	{ "callbridge restart", { { .kind = MMP_END } }, "end its calls and start it again",
	  .order = MMP_ORDER_RESTART, .components = MMP_FOR_CALLBRIDGE },

	{ "webadmin listen",
	  { { .kind = MMP_IFACE, .name = "<iface>", AT(webadmin.listen.iface) },
	    { .kind = MMP_PORT, .name = "<port>", AT(webadmin.listen.port) } },
	  "where Web Admin and the API are", .components = MMP_FOR_CALLBRIDGE },
	{ "webadmin certs",
	  { ARG_FILE("<key>", webadmin.certs.key), ARG_FILE("<crt>", webadmin.certs.certificate),
	    { .kind = MMP_FILE_OPTIONAL, .name = "[bundle]", AT(webadmin.certs.bundle) } },
	  "its key and certificate", .order = MMP_ORDER_CERTS, .components = MMP_FOR_CALLBRIDGE },
	{ "webadmin certs none", { { .kind = MMP_CLEAR_CERTS, AT(webadmin.certs) } },
	  "no certificate", .components = MMP_FOR_CALLBRIDGE },
	{ "webadmin enable", { ARG_ON(webadmin.enabled) }, "serve Web Admin and the API",
	  .order = MMP_ORDER_ENABLE, .components = MMP_FOR_CALLBRIDGE },
	{ "webadmin disable", { ARG_OFF(webadmin.enabled) }, "neither Web Admin nor API",
	  .components = MMP_FOR_CALLBRIDGE },
	{ "webadmin restart", { { .kind = MMP_END } }, "the same as callbridge restart",
	  .order = MMP_ORDER_RESTART, .components = MMP_FOR_CALLBRIDGE },

	{ "webbridge3 https listen", { ARG_LISTENS(webbridge.https) }, "where the web app is",
	  .components = MMP_FOR_BOTH },
	{ "webbridge3 https certs",
	  { ARG_FILE("<key>", webbridge.https_certs.key),
	    ARG_FILE("<fullchain>", webbridge.https_certs.certificate) },
	  "its key and certificate with chain", .order = MMP_ORDER_CERTS,
	  .components = MMP_FOR_WEBBRIDGE },
	{ "webbridge3 https certs none", { { .kind = MMP_CLEAR_CERTS, AT(webbridge.https_certs) } },
	  "no certificate", .components = MMP_FOR_WEBBRIDGE },
	{ "webbridge3 c2w listen", { ARG_LISTENS(webbridge.c2w) }, "where Call Bridges connect",
	  .components = MMP_FOR_BOTH },
	{ "webbridge3 c2w certs",
	  { ARG_FILE("<key>", webbridge.c2w_certs.key),
	    ARG_FILE("<fullchain>", webbridge.c2w_certs.certificate) },
	  "key and certificate with chain towards Call Bridges", .order = MMP_ORDER_CERTS,
	  .components = MMP_FOR_WEBBRIDGE },
	{ "webbridge3 c2w certs none", { { .kind = MMP_CLEAR_CERTS, AT(webbridge.c2w_certs) } },
	  "no certificate", .components = MMP_FOR_WEBBRIDGE },
	{ "webbridge3 c2w trust", { ARG_TRUST(webbridge.c2w_trust) },
	  "certificates of the Call Bridges that may connect", .components = MMP_FOR_WEBBRIDGE },
	{ "webbridge3 enable", { ARG_ON(webbridge.enabled) }, "start it, now and always",
	  .order = MMP_ORDER_ENABLE, .components = MMP_FOR_BOTH },
	{ "webbridge3 disable", { ARG_OFF(webbridge.enabled) }, "end it, and do not start it",
	  .components = MMP_FOR_BOTH },
	{ "webbridge3 restart", { { .kind = MMP_END } }, "start it again; meetings go on",
	  .order = MMP_ORDER_RESTART, .components = MMP_FOR_WEBBRIDGE },

	{ "tls sip trust", { ARG_TRUST(callbridge.sip_trust) },
	  "authorities of SIP peers; none: the system's", .components = MMP_FOR_CALLBRIDGE, .roles = MMP_BY_CRYPTO | MMP_BY_APPLICATION },
	{ "tls sip verify enable", { ARG_ON(callbridge.sip_tls_verify) },
	  "check the certificate of every SIP peer", .components = MMP_FOR_CALLBRIDGE, .roles = MMP_BY_CRYPTO | MMP_BY_APPLICATION },
	{ "tls sip verify disable", { ARG_OFF(callbridge.sip_tls_verify) },
	  "take any certificate from SIP peers", .components = MMP_FOR_CALLBRIDGE, .roles = MMP_BY_CRYPTO | MMP_BY_APPLICATION },

	{ "dns add forwardzone .", { { .kind = MMP_SERVER, .name = "<ip[:port]>", AT(dns.host) } },
	  "the name server to ask instead of the system's", .components = MMP_FOR_CALLBRIDGE },
	{ "dns del forwardzone .", { { .kind = MMP_CLEAR_HOST, AT(dns.host) } },
	  "ask the system's name server", .components = MMP_FOR_CALLBRIDGE },

	{ "syslog level debug", { ARG_ON(log_debug) }, "log everything",
	  .components = MMP_FOR_BOTH, .roles = MMP_BY_AUDIT | MMP_BY_APPLICATION },
	{ "syslog level info", { ARG_OFF(log_debug) }, "log a normal day",
	  .components = MMP_FOR_BOTH, .roles = MMP_BY_AUDIT | MMP_BY_APPLICATION },

	{ "pki list", { { .kind = MMP_END } }, "keys and certificates in the data folder",
	  CALL(MMP_PKI_LIST), .roles = MMP_BY_CRYPTO },
	{ "pki inspect", { { .kind = MMP_TEXT, .name = "<crt>" } }, "what a certificate says",
	  CALL(MMP_PKI_INSPECT), .roles = MMP_BY_CRYPTO },
	{ "pki match", { { .kind = MMP_TEXT, .name = "<key>" },
	                 { .kind = MMP_TEXT, .name = "<crt>" } },
	  "whether a key and a certificate belong together", CALL(MMP_PKI_MATCH),
	  .roles = MMP_BY_CRYPTO },
	{ "pki selfsigned", { { .kind = MMP_TEXT, .name = "<base>" } },
	  "make BASE.key and BASE.crt for this machine", AUDITED(MMP_PKI_SELFSIGNED),
	  .roles = MMP_BY_CRYPTO },

	{ "version", { { .kind = MMP_END } }, "which Convoke this is", .order = MMP_ORDER_VERSION,
	  .roles = MMP_BY_ALL },
	{ "help", { { .kind = MMP_TEXT_OPTIONAL, .name = "[command]" } }, "this list",
	  .order = MMP_ORDER_HELP, .roles = MMP_BY_ALL },
};
const size_t mmp_command_count = COUNT_OF(mmp_commands);

#define SHOW(component_, key_, kind_, member) \
	{ component_, key_, { .kind = kind_, AT(member) } }
#define SHOW_LIST(component_, key_, kind_, member, count) \
	{ component_, key_, { .kind = kind_, LIST(member, count) } }

const struct mmp_status_line mmp_status_lines[] = {
	SHOW("callbridge", "Enabled", MMP_BOOL, callbridge.enabled),
	SHOW_LIST("callbridge", "Listening interfaces", MMP_IFACES, callbridge.ifaces,
	          callbridge.iface_count),
	SHOW("callbridge", "Key file", MMP_FILE, callbridge.certs.key),
	SHOW("callbridge", "Certificate file", MMP_FILE, callbridge.certs.certificate),
	SHOW("callbridge", "CA Bundle file", MMP_FILE, callbridge.certs.bundle),
	SHOW("callbridge", "C2W trusted certs", MMP_FILE, callbridge.trust_c2w),
	SHOW("callbridge", "SIP port", MMP_PORT_OR_NONE, callbridge.sip_port),
	SHOW("callbridge", "SIP TLS port", MMP_PORT_OR_NONE, callbridge.sip_tls_port),
	SHOW("callbridge", "BFCP port", MMP_PORT_OR_NONE, callbridge.bfcp_port),
	SHOW("callbridge", "BFCP TLS port", MMP_PORT_OR_NONE, callbridge.bfcp_tls_port),
	SHOW("callbridge", "SIP domain", MMP_HOST_OR_NONE, callbridge.domain),
	SHOW("callbridge", "First media port", MMP_PORT, callbridge.media_first),
	SHOW("callbridge", "Last media port", MMP_PORT, callbridge.media_last),
	{ "callbridge", "Media workers",
	  { .kind = MMP_NUMBER, AT(callbridge.workers), .none = "auto" } },
	SHOW("callbridge", "Call Limit", MMP_NUMBER, callbridge.calls_max),
	SHOW("callbridge", "WC3 JWT Expiry in hours", MMP_NUMBER, callbridge.jwt_hours),

	SHOW("webadmin", "Enabled", MMP_BOOL, webadmin.enabled),
	SHOW("webadmin", "TLS listening interface", MMP_IFACE, webadmin.listen.iface),
	SHOW("webadmin", "TLS listening port", MMP_PORT, webadmin.listen.port),
	SHOW("webadmin", "Key file", MMP_FILE, webadmin.certs.key),
	SHOW("webadmin", "Certificate file", MMP_FILE, webadmin.certs.certificate),
	SHOW("webadmin", "CA Bundle file", MMP_FILE, webadmin.certs.bundle),

	SHOW("webbridge3", "Enabled", MMP_BOOL, webbridge.enabled),
	SHOW_LIST("webbridge3", "HTTPS listening ports and interfaces", MMP_LISTENS,
	          webbridge.https, webbridge.https_count),
	SHOW("webbridge3", "HTTPS Key file", MMP_FILE, webbridge.https_certs.key),
	SHOW("webbridge3", "HTTPS Full chain certificate file", MMP_FILE,
	     webbridge.https_certs.certificate),
	SHOW_LIST("webbridge3", "C2W listening ports and interfaces", MMP_LISTENS, webbridge.c2w,
	          webbridge.c2w_count),
	SHOW("webbridge3", "C2W Key file", MMP_FILE, webbridge.c2w_certs.key),
	SHOW("webbridge3", "C2W Full chain certificate file", MMP_FILE,
	     webbridge.c2w_certs.certificate),
	SHOW("webbridge3", "C2W Trust bundle", MMP_FILE, webbridge.c2w_trust),

	SHOW("tls", "SIP trusted certs", MMP_FILE, callbridge.sip_trust),
	SHOW("tls", "SIP verification", MMP_SWITCH, callbridge.sip_tls_verify),

	SHOW("dns", "Forward zone .", MMP_SERVER, dns.host),

	SHOW("syslog", "Debug", MMP_SWITCH, log_debug),
};
const size_t mmp_status_line_count = COUNT_OF(mmp_status_lines);
