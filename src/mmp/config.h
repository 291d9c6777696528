/* SPDX-License-Identifier: Apache-2.0 */
/* config -- DATA/convoke.conf: a list of MMP commands, turned into settings.
 *
 * There is one configuration language, the MMP command line of CMS.  At start the file's lines are
 * run in order; `convoke mmp <command>` runs the same commands and writes the file back.  Commands
 * and their words are in docs/guide/mmp.md.
 *
 * Sans-IO: text in, settings out.  Files named in it are relative to DATA.
 *
 * Ownership  `struct config` is a value without pointers.
 * Threads    Pure.
 * Errors     A wrong line gives a `struct config_error`: its number, what is wrong with it and what
 *            was expected, in words for the administrator.
 * Limits     In mmp/config_common.h.
 */
#ifndef MMP_CONFIG_H
#define MMP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "mmp/config_parts.h"

/* Where the event log is sent to. */
struct config_syslog_server {
	char host[CONFIG_HOST_MAX]; /* name or address */
	uint16_t port;              /* 0: the usual */
	bool tcp;
	bool tls;                   /* neither: UDP */
};

struct config_syslog {
	bool enabled;
	uint32_t count;
	struct config_syslog_server servers[CONFIG_SYSLOG_MAX];
	char trust[CONFIG_FILE_MAX]; /* tls syslog trust */
};

/* What a service demands of TLS; empty: the usual. */
struct config_tls {
	char version_min[CONFIG_WORD_MAX]; /* "1.2" or "1.3" */
	char ciphers[CONFIG_CIPHERS_MAX];  /* in OpenSSL's words */
};

struct config {
	struct {
		bool enabled;
		char ifaces[CONFIG_INTERFACES_MAX][CONFIG_IFACE_MAX]; /* callbridge listen */
		uint32_t iface_count;
		struct config_certs certs;
		char trust_c2w[CONFIG_FILE_MAX];
		uint16_t sip_port;      /* UDP and TCP; 0: none */
		uint16_t sip_tls_port;  /* 0: none */
		uint16_t bfcp_port;     /* content of rooms (BFCP): UDP and TCP; 0: none */
		uint16_t bfcp_tls_port; /* 0: none */
		uint16_t media_first;
		uint16_t media_last;
		uint32_t workers;       /* media threads; 0: one a core */
		uint32_t calls_max;     /* call legs */
		char domain[CONFIG_HOST_MAX]; /* of our SIP addresses; empty: our address */
		uint32_t jwt_hours;
		char language[CONFIG_WORD_MAX]; /* of prompts and of texts in pictures: "en" */
		bool sip_tls_verify;    /* tls sip verify enable */
		char sip_trust[CONFIG_FILE_MAX]; /* tls sip trust */
	} callbridge;
	struct {
		bool enabled;
		struct config_listen listen;
		struct config_certs certs;
	} webadmin;
	struct {
		bool enabled;
		struct config_listen https[CONFIG_LISTENS_MAX];
		uint32_t https_count;
		struct config_certs https_certs;
		struct config_listen c2w[CONFIG_LISTENS_MAX];
		uint32_t c2w_count;
		struct config_certs c2w_certs;
		char c2w_trust[CONFIG_FILE_MAX];
	} webbridge;
	struct {
		char host[CONFIG_HOST_MAX]; /* nameserver, "IP" or "IP:port"; empty: the system's */
	} dns;
	struct {
		char trust[CONFIG_FILE_MAX]; /* who signs the servers' certificates; empty: the system's */
		bool verify;                 /* chain and name of the server are checked */
	} ldap;
	struct {
		char trust[CONFIG_FILE_MAX]; /* who signs identity providers'; empty: the system's */
	} oidc;
	struct { /* tls <service> min-tls-version and ciphers */
		struct config_tls sip; /* SIP and BFCP, as server and as client */
		struct config_tls ldap;
		struct config_tls webadmin;
		struct config_tls webbridge; /* the web app; not C2W */
		struct config_tls syslog;
		char dtls_version_min[CONFIG_WORD_MAX]; /* "1.2": there is no other here */
	} tls;
	struct {
		bool enabled;
		struct config_listen listen;
	} ssh; /* the command line and files, for people elsewhere */
	struct {
		char nodes[CONFIG_NODES_MAX][CONFIG_HOST_MAX]; /* "host" or "host:port" of PostgreSQL */
		uint32_t node_count;                           /* 0: SQLite, DATA/convoke.db */
		struct config_certs certs;      /* our client's; the bundle is who may sign the server's */
		char user[CONFIG_NAME_MAX];
		char name[CONFIG_NAME_MAX];     /* of the database */
		char password[CONFIG_FILE_MAX]; /* empty: none */
		char sslmode[CONFIG_WORD_MAX];  /* "verify-full", "verify-ca", "require", "disable" */
	} database;
	bool log_debug; /* syslog level debug */
	struct config_syslog syslog;
	struct config_syslog audit; /* its servers: where the audit log is sent to */
	/* What other machines of a CMS do. */
	struct config_recorder recorder;
	struct config_recorder streamer;
	struct config_uploader uploader;
	struct config_scheduler scheduler;
	struct config_turn turn;
	struct config_meetingapps meetingapps;
};

struct config_error {
	uint32_t line; /* from 1; 0: the whole */
	char text[CONFIG_ERROR_MAX]; /* "unknown word \"lisen\"; expected listen, certs, ..." */
};

/* The processes that settings belong to. */
enum config_component {
	CONFIG_CALLBRIDGE, /* with Web Admin */
	CONFIG_WEBBRIDGE,
	CONFIG_SSH,
	CONFIG_COMPONENTS,
};

/* "callbridge", "webbridge", "ssh": the process, and the first word of `convoke NAME ...`. */
[[nodiscard]] const char *config_component_name(enum config_component component);
/* The first word of its commands: "webbridge3". */
[[nodiscard]] const char *config_component_command(enum config_component component);
[[nodiscard]] bool config_component_enabled(const struct config *config,
                                            enum config_component component);

/* The values of a line that is not there. */
void config_defaults(struct config *config);

/* Reads a whole file over the defaults; '#' before a word starts a comment.  On error `out` is left
 * as it was. */
[[nodiscard]] bool config_parse(struct config *out, struct str text, struct config_error *error);

/* The commands that make `config` out of the defaults, one a line, in a fixed order. */
void config_write(struct writer *w, const struct config *config);
/* Those of them that one component reads: when they change, it must be restarted. */
void config_write_part(struct writer *w, const struct config *config,
                       enum config_component component);

/* Is everything there that the component needs, and no port wanted twice?  What `enable` checks,
 * and every start; `error` has no line. */
[[nodiscard]] bool config_complete(const struct config *config, enum config_component component,
                                   struct config_error *error);

/* The command that sets `port`, with its arguments: "webadmin listen <iface> <port>"; false when
 * no setting has it. */
bool config_port_command(struct writer *w, const struct config *config, uint16_t port);

/* Does some setting want a port below 1024, for which one needs a privilege? */
[[nodiscard]] bool config_low_ports(const struct config *config);

/* Where a file named in the settings is: below DATA, or where an absolute name says. */
[[nodiscard]] bool config_path(char *out, size_t cap, const char *data_dir, const char *file);

#endif
