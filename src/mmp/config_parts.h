/* SPDX-License-Identifier: Apache-2.0 */
/* config_parts -- settings of those components of CMS that are no process of this program: recorder,
 * streamer, uploader, scheduler, TURN server and meeting apps.  They are kept and checked as
 * everything else in convoke.conf, so that what administrators bring along is taken.
 *
 * Ownership  Values without pointers.
 * Threads    Pure.
 * Limits     Those of mmp/config.h.
 */
#ifndef MMP_CONFIG_PARTS_H
#define MMP_CONFIG_PARTS_H

#include "mmp/config_common.h"

/* "a 7000 7001" of `streamer sip listen`. */
struct config_sip_listen {
	char iface[CONFIG_IFACE_MAX]; /* empty: not set */
	uint16_t port;                /* 0: none */
	uint16_t tls_port;            /* 0: none */
};

/* "host:folder" */
struct config_nfs {
	char host[CONFIG_HOST_MAX]; /* empty: none */
	char folder[CONFIG_FILE_MAX];
};

/* A recorder or a streamer: something that is called by SIP. */
struct config_recorder {
	bool enabled;
	struct config_sip_listen listen;
	struct config_certs certs;
	struct config_nfs nfs; /* recorder alone */
	char resolution[CONFIG_WORD_MAX];
	bool trace;
	uint32_t limit; /* calls, and one more; 0: none */
};

/* What the uploader logs in to. */
struct config_site {
	char host[CONFIG_HOST_MAX];
	uint16_t port;
	char user[CONFIG_FILE_MAX];
	char password[CONFIG_FILE_MAX];
	char trust[CONFIG_FILE_MAX];
};

struct config_uploader {
	bool enabled;
	struct config_nfs nfs;
	struct config_site cms;
	struct config_site rev;
	char access[CONFIG_WORD_MAX];
	char member_access[CONFIG_WORD_MAX];
	char owned_by_owner[CONFIG_WORD_MAX]; /* "true" or "false" */
	char fallback_owner[CONFIG_FILE_MAX];
	bool comments;
	bool ratings;
	bool downloads;
	bool active;
	char delete_after[CONFIG_WORD_MAX]; /* likewise */
};

struct config_scheduler {
	bool enabled;
	struct config_listen https;
	struct config_certs https_certs;
	struct config_certs c2w_certs;
	char c2w_trust[CONFIG_FILE_MAX];
	char email_host[CONFIG_HOST_MAX];
	uint16_t email_port;
	char email_user[CONFIG_FILE_MAX];
	char email_password[CONFIG_FILE_MAX];
	char email_protocol[CONFIG_WORD_MAX]; /* "SMTP" or "SMTPS" */
	bool email_auth;
	bool email_starttls;
};

struct config_turn {
	bool enabled;
	char ifaces[CONFIG_INTERFACES_MAX][CONFIG_IFACE_MAX];
	uint32_t iface_count;
	struct config_certs certs;
	char user[CONFIG_FILE_MAX];
	char password[CONFIG_FILE_MAX];
	char realm[CONFIG_FILE_MAX];
	bool short_term;
	char secret[CONFIG_FILE_MAX]; /* of short term credentials */
	char public_ip[CONFIG_HOST_MAX];
	uint16_t tls_port;
	bool high_capacity;
};

struct config_meetingapps {
	bool enabled;
	struct config_listen https;
	struct config_certs https_certs;
	char secret[CONFIG_FILE_MAX];
};

#endif
