/* SPDX-License-Identifier: Apache-2.0 */
/* The Call Bridge's shell, in parts: shell.c (life, time, workers), shell_sip.c (SIP sockets),
 * shell_api.c (Web Admin port), shell_accounts.c (who may log in, audit log), shell_store.c (database), shell_ldap.c (directories), shell_c2w.c (connections to Web Bridges),
 * shell_video.c (codec processes, floors), shell_bfcp.c (the sockets of floor control),
 * shell_records.c (call detail records), shell_events.c (the Events WebSocket), shell_metrics.c,
 * shell_licence.c (licences and what is used of them),
 * shell_diagnostics.c (diagnostics of calls, the event log in memory),
 * shell_pages.c (the Web Admin's pages), shell_certificates.c (what the settings' files hold),
 * shell_traces.c (what system/timedLogging turns on). */
#ifndef CALLBRIDGE_SHELL_H
#define CALLBRIDGE_SHELL_H

#include "api/api.h"
#include "api/password.h"
#include "base/hash.h"
#include "base/slab.h"
#include "callbridge/bridge.h"
#include "callbridge/portal.h"
#include "callbridge/shell_bfcp.h"
#include "callbridge/shell_oidc.h"
#include "cdr/cdr.h"
#include "cdr/spool.h"
#include "component/component.h"
#include "component/pages.h"
#include "component/port.h"
#include "dtls/dtls.h"
#include "events/events.h"
#include "mmp/config.h"
#include "net/dns.h"
#include "net/http.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/udp.h"
#include "store/store.h"
#include "worker/codec_child.h"
#include "worker/worker.h"

enum {
	SHELL_ADDRESSES_MAX = 5, /* of each three SIP listeners are made */
	C2W_RETRY_US_MIN = 500 * 1000,
	C2W_RETRY_US_MAX = 8 * 1000 * 1000,
	C2W_URL_MAX = 256,
	SHELL_BRANDS_MAX = 64,
	BRANDING_FILE_US = 10 * 1000 * 1000,         /* for one file */
	BRANDING_RETRY_US = 60 * 1000 * 1000,        /* a folder that failed is tried again */
};
#define BRANDING_AGAIN_US (INT64_C(3600) * 1000 * 1000) /* one that did not is read again */

struct shell;
struct shell_licence;

/* One SIP listener: a UDP socket, or a TCP or TLS port. */
struct sip_port {
	struct shell *shell;
	unsigned index; /* in sip_listeners and in the user agent */
	struct udp_socket *udp;
	struct tcp_listener *tcp;
};

/* One SIP connection: over TCP or TLS, or a browser's WebSocket. */
struct sip_flow {
	struct shell *shell;
	uint32_t id;     /* of the user agent */
	uint32_t handle; /* of shell->flows */
	struct tcp_connection *tcp;
	ws_id ws;
	bool mid_line;   /* the bytes received so far end within a line; for the trace */
};

/* One running DNS question. */
struct dns_question {
	struct shell *shell;
	uint32_t handle; /* of shell->questions */
	uint64_t query;
};

/* A failure to be told to the user agent: of a flow, or when that is 0, of a DNS query. */
struct sip_later {
	uint32_t flow;
	uint64_t query;
};

enum c2w_state {
	C2W_IDLE,
	C2W_RESOLVING,
	C2W_CONNECTING,
	C2W_UP,
};

/* The connection to one Web Bridge. */
struct c2w_link {
	struct shell *shell;
	unsigned index;
	bool used;
	bool complained; /* about the present trouble: one line is enough */
	uint32_t web_bridge;
	char url[C2W_URL_MAX]; /* as it is configured; another one is another link */
	enum c2w_state state;
	char host[CONFIG_HOST_MAX];
	uint16_t port;
	struct net_addr addr;
	dns_query query;
	ws_id ws;
	int64_t retry_us;  /* when to try again */
	int64_t pause_us;  /* and how long to wait the time after */
};

/* The floor of one room's leg, as the hub knows it. */
struct shell_floor {
	uint32_t leg; /* of the bridge; 0: free */
	bfcp_leg_id hub;
};

/* A password that is being looked at (shell_portal.c). */
struct portal_check_slot {
	struct shell *shell;
	uint32_t ticket;
	bool failed; /* it cannot be: the portal is to be told `result` */
	enum portal_check result;
};

/* Call detail records (shell_records.c). */
struct shell_records {
	struct cdr *cdr;
	struct spool *spool;
	struct loop_waker *waker;
	struct http_client *client;
	uint32_t posts[CDR_RECEIVERS_MAX]; /* requests under way; 0: none */
	bool unsent[CDR_RECEIVERS_MAX];    /* could not be begun: the core is to be told */
};

/* A WebSocket of /events/v1 (shell_events.c). */
struct events_socket {
	struct shell *shell;
	ws_id ws;
	uint32_t client; /* 0: free */
	struct api_login login;
};

struct shell_events {
	struct events *core;
	struct events_socket sockets[EVENTS_CLIENTS_MAX];
};

/* The recordings of one branding profile. */
struct shell_brand {
	enum object_type type; /* OBJECT_NONE: free */
	struct guid id;
	char url[512];         /* of the folder */
	struct brand *current; /* what is played; NULL: nothing yet */
	struct brand *next;    /* being gathered; NULL: none is */
	unsigned at;           /* enum prompt that is fetched */
	uint32_t request;
	unsigned found;
	bool bad;              /* a file of this round is none */
	bool complained;
	bool told;
	unsigned told_found;
	int64_t due_us;        /* when to fetch them (again) */
};

struct shell_branding {
	struct http_client *client;
	uint64_t version; /* of the profiles, as last seen */
	struct shell_brand slots[SHELL_BRANDS_MAX];
};

struct shell {
	struct component component;
	const struct config *config;
	struct loop_timer *timer;
	bool had_calls;
	int64_t started_wall_us;
	struct log_memory *log;
	int64_t trim_us; /* when memory is given back after calls; INT64_MAX: nothing to give */
	int64_t stop_us; /* when patience ends; 0: running */
	bool running;    /* everything is there: input is taken */

	struct net_addr addresses[SHELL_ADDRESSES_MAX];
	unsigned address_count;

	/* Cores. */
	struct meeting *meeting;
	struct sip_ua *ua;
	struct bridge *bridge;
	struct portal *portal;
	struct shell_oidc *oidc;
	struct api *api;
	struct dtls_context *dtls;
	struct prompts *prompts;
	struct worker *workers[BRIDGE_WORKERS_MAX];
	unsigned worker_count;

	/* Pictures. */
	struct codec_child *codecs[BRIDGE_WORKERS_MAX]; /* one for each worker */
	struct bfcp_hub *hub;
	struct shell_floor *floors; /* by the index of the bridge's leg */
	uint32_t floor_count;

	/* SIP sockets. */
	struct sip_ua_listener sip_listeners[SIP_UA_LISTENERS_MAX];
	struct sip_port sip_ports[SIP_UA_LISTENERS_MAX];
	unsigned sip_port_count;
	unsigned ws_listener; /* of the user agent, for WebSockets; sip_port_count when there is none */
	struct tls_context *sip_server_tls;
	struct tls_context *sip_client_tls;
	struct slab flows;
	struct map flow_by_id;
	struct dns *dns;
	struct slab questions;
	struct sip_later *later; /* one for each connection and transaction there can be */
	uint32_t later_max;
	uint32_t later_count;

	/* Who may log in. */
	struct accounts *accounts;
	struct accounts *accounts_read; /* the file, while it is being read */
	struct file_watch *accounts_watch;

	/* Web Admin. */
	struct http *http;
	struct component_port webadmin;
	struct tls_context *webadmin_tls;
	struct pages *admin_pages; /* NULL: not built */
	struct store *store;
	struct shell_database *database; /* the settings that it borrows */
	struct loop_waker *store_waker;
	struct loop_timer *store_timer;
	struct timespec settings_seen; /* when convoke.conf was written that we know */
	struct verifier *verifier;
	struct loop_waker *verifier_waker;

	struct shell_ldap *ldap;

	struct shell_records records;
	struct shell_events events;
	struct shell_licence *licence;
	struct shell_branding branding;

	/* Users in the web app, by the index of the portal's ticket. */
	struct portal_check_slot portal_checks[PORTAL_PENDING_MAX];
	bool portal_failed;
	char oidc_trust[COMPONENT_PATH_MAX];

	/* Web Bridges. */
	struct tls_context *c2w_tls;
	struct c2w_link links[BRIDGE_LINKS_MAX];
	uint64_t links_version;
	char c2w_text[C2W_MESSAGE_BYTES_MAX];
};

/* shell.c */
/* Drains every core and sets the timer; call after any input. */
void shell_settle(struct shell *shell);
void shell_random(void *context, void *out, size_t len);

/* shell_sip.c */
[[nodiscard]] bool sip_sockets_open(struct shell *shell);
void sip_sockets_close(struct shell *shell);
void sip_sockets_out(void *context, const struct sip_out *out);
/* Tells one thing that failed while the user agent was drained; false when there is none. */
bool sip_sockets_later(struct shell *shell);
/* A WebSocket with subprotocol "sip" came in on the Web Admin port. */
void sip_sockets_upgrade(struct shell *shell, const struct http_request *request);

/* shell_api.c */
[[nodiscard]] bool webadmin_open(struct shell *shell);
void webadmin_close(struct shell *shell);
/* True when something was done. */
bool webadmin_drain(struct shell *shell, int64_t now_us);

/* shell_pages.c */
void admin_pages_open(struct shell *shell);
/* False: the request is for no page. */
bool admin_pages_respond(struct shell *shell, const struct http_request *request);

/* shell_store.c */
[[nodiscard]] bool store_shell_open(struct shell *shell);
/* Once there is an API to be told. */
[[nodiscard]] bool store_shell_watch(struct shell *shell);
void store_shell_close(struct shell *shell);

/* shell_video.c */
[[nodiscard]] bool codecs_open(struct shell *shell);
void codecs_close(struct shell *shell);
[[nodiscard]] bool floors_open(struct shell *shell);
void floors_close(struct shell *shell);
/* What rooms are told of our ports. */
struct bridge_floors floors_told(const struct shell *shell);
void floors_order(void *context, const struct bridge_floor_order *order);

/* shell_records.c */
[[nodiscard]] bool records_open(struct shell *shell, const struct guid *call_bridge,
                                uint32_t legs_max);
void records_close(struct shell *shell);
void records_tick(struct shell *shell, int64_t now_us);
int64_t records_deadline(const struct shell *shell);
/* For api_look. */
void records_state(void *context, const struct guid *receiver, struct api_cdr_state *out);
void records_test(void *context, const struct guid *receiver);

/* shell_certificates.c; for api_look */
void certificates_tell(void *context,
                       void (*tell)(void *to, const struct api_certificate *certificate),
                       void *to);

/* shell_events.c */
[[nodiscard]] bool events_start(struct shell *shell, uint32_t legs_max);
void events_stop(struct shell *shell);
/* Ends the WebSockets of accounts that are no longer what they were. */
void events_accounts_changed(struct shell *shell);
void events_upgrade(struct shell *shell, const struct http_request *request);

/* shell_branding.c */
[[nodiscard]] bool branding_open(struct shell *shell);
void branding_close(struct shell *shell);
void branding_tick(struct shell *shell, int64_t now_us);
int64_t branding_deadline(const struct shell *shell);
/* For the bridge's sink. */
struct brand *branding_of(void *context, enum object_type type, uint32_t profile);

/* shell_diagnostics.c; for api_look */
[[nodiscard]] bool diagnostics_open(struct shell *shell);
void diagnostics_close(struct shell *shell);
void diagnostics_write(void *context, uint32_t call, uint32_t space, struct writer *w);
void diagnostics_metrics(void *context, struct writer *w);

/* shell_metrics.c */
void metrics_respond(struct shell *shell, const struct http_request *request);
void metrics_write(const struct shell *shell, struct writer *w);
/* Those of all media workers together. */
struct media_counters metrics_of_workers(const struct shell *shell);

/* shell_traces.c: each tells nothing while its part is not turned on. */
struct sip_trace {
	uint32_t flow; /* 0: a datagram */
	bool sent;
	const struct net_addr *peer;
	struct str text;
	bool *mid_line; /* NULL: `text` is whole lines */
};
void trace_sip(const struct shell *shell, const struct sip_trace *trace);
void trace_dns_question(const struct shell *shell, uint64_t number, enum dns_type type,
                        const char *name);
void trace_dns_answer(const struct shell *shell, uint64_t number, const struct dns_answer *answer,
                      const char *failure);
void trace_c2w(const struct shell *shell, const struct c2w_link *link, bool sent,
               const struct c2w_message *message, size_t len);
void trace_events(const struct shell *shell, uint64_t client, bool sent, struct str text);

/* shell_portal.c */
/* Of the settings, its own are filled in. */
[[nodiscard]] bool portal_open(struct shell *shell, const struct portal_settings *from);
/* What time and the directories bring; true when something was done. */
bool portal_drain(struct shell *shell, int64_t now_us);

/* shell_c2w.c */
[[nodiscard]] bool c2w_open(struct shell *shell);
void c2w_close(struct shell *shell);
void c2w_tick(struct shell *shell, int64_t now_us);
int64_t c2w_deadline(const struct shell *shell);
void c2w_send(void *context, unsigned link, const struct c2w_message *message);

#endif
