/* SPDX-License-Identifier: Apache-2.0 */
/* api -- the REST API under /api/v1: requests in, answers out (docs: reference of CMS 3.x).
 *
 * Sans-IO and table-driven: what can be asked for stands in a table of paths, what an object is in
 * meeting/object.h; there is no code per parameter.
 *
 * A request is taken with api_request() and answered through api_poll(), at once or after a
 * password was verified and a change is on the disk:
 *
 *	api_request(api, &request, now_us)
 *	api_poll(api) -> API_VERIFY  give it to the verifier thread; then api_verified(slot)
 *	              -> API_COMMIT  store_commit(out.tx); then objects_settled(), api_settled()
 *	              -> API_ANSWER  send it; the slot is free
 *	              -> API_LOG     an Info line
 * Drain api_poll() until API_NONE after every input; drain meeting_poll() too, for a request may
 * have ended calls.  If the store refuses with -EAGAIN, settle the ticket with false.
 *
 * Formats: XML, or JSON when `Accept` names application/json before any XML:
 *	{"coSpaces":{"total":2,"coSpace":[{"id":"...","name":"..."}, ...]}}
 *	{"coSpace":{"id":"...","name":"...","nonMemberAccess":true}}
 *	{"failureDetails":{"parameterError":{"parameter":"x","error":"invalidValue"}}}
 * parameterError says "invalidValue", "missing" (required and not given) or "unsupported" (we have
 * no such parameter, or not for this method; an empty value is taken, there is nothing to unset). A
 * collection's inner name is always an array, numbers and booleans are typed, groups are objects.
 *
 * Ownership  The request is copied; answers are borrowed until the next call.
 * Threads    The control thread.  Password hashing is done elsewhere (api/password.h).
 * Units      Microseconds on the monotonic clock; `wall_us` since 1970.
 * Errors     All towards the client, as HTTP status and failureDetails.
 * Limits     API_REQUESTS_MAX under way (more: 503), API_BODY_MAX (413), API_PARAMETERS_MAX,
 *            API_PAGE_MAX objects a page; a verified login is believed for API_LOGIN_US; an address
 *            that gives wrong passwords is answered 429 for a while (api/guesses.h).
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/encode.h"
#include "base/hash.h"
#include "base/str.h"
#include "meeting/meeting.h"
#include "store/store.h"
#include "mmp/accounts.h"

enum {
	API_REQUESTS_MAX = 64,
	API_PATH_MAX = 512,
	API_QUERY_MAX = 4096,
	API_BODY_MAX = 64 * 1024,
	API_PARAMETERS_MAX = 64,
	API_PAGE_MAX = 100,        /* items a page, whatever `limit` asks for */
	API_PAGE_USUAL = 20,       /* without `limit` */
	API_ANSWER_MAX = 512 * 1024,
	API_LOCATION_MAX = 128,
	API_NAME_MAX = 128,        /* bytes of a login's name, and of its password */
	API_HASH_MAX = 160,        /* bytes of an encoded argon2id hash */
	API_LOGIN_US = 60 * 1000 * 1000,
	API_LOGINS_MAX = 64,       /* remembered at once */
	API_VERIFY_MAX = 8,        /* passwords being verified at once; more: 503 */
	API_DIAGNOSTICS_MAX = 16,  /* kept at once; one more ends the oldest */
	API_DIAGNOSTICS_BYTES_MAX = 128 * 1024,
	API_TOKENS_MAX = 64,       /* of authTokens at once; one more ends the oldest */
	API_TOKEN_US = 60 * 1000 * 1000,
	API_CERTIFICATE_SOON_DAYS = 30, /* before its end a certificate is told of */
	API_VERIFY_SOURCE_MAX = 2, /* of them for one address */
	API_USAGE_US = 5 * 60 * 1000 * 1000, /* between two samples of MPLicenseUsage */
	API_LDAP_SYNCS_MAX = 16,   /* that wait for their turn; one more: 400 tooManyLdapSyncs */
};

enum api_method {
	API_GET,
	API_POST,
	API_PUT,
	API_DELETE,
	API_OTHER, /* 405 */
};

struct log_memory;

/* A certificate, as some service of this machine uses it. */
struct api_certificate {
	const char *service;     /* "webadmin" */
	enum certificate_use use;
	const char *file;
	const char *problem;     /* NULL, or why there is nothing of what follows */
	const char *subject;
	const char *names;       /* "a.example.org, 192.0.2.1" */
	const char *issuer;
	const char *fingerprint;
	int64_t not_before_us;   /* since 1970 */
	int64_t not_after_us;
};

/* How a receiver of call detail records takes them. */
struct api_cdr_state {
	enum cdr_receiver_status status;
	const char *error;       /* what went wrong last; empty: nothing yet */
	int64_t error_wall_us;
	int64_t success_wall_us; /* 0: never */
	uint64_t waiting;        /* records */
	uint32_t next_attempt_s; /* 0: nothing is tried again */
	uint32_t deliveries;
	uint32_t answer_ms;
};

struct api_request {
	enum api_method method;
	struct str path;           /* "/api/v1/coSpaces"; without query */
	struct str query;          /* behind the "?", or empty */
	struct str body;
	struct str content_type;   /* empty when there is none */
	struct str accept;
	struct str authorization;  /* the header's value */
	struct net_addr peer;
	uint64_t owner;            /* the shell's own word for it, given back with the answer */
	int64_t wall_us;           /* microseconds since 1970 */
};

/* What only the shell can see; each may be NULL. */
struct api_look {
	void *context;
	/* All about a call (0: none runs) and its space (0: it has none), for an engineer. */
	void (*diagnose)(void *context, uint32_t call, uint32_t space, struct writer *w);
	/* In Prometheus' text form. */
	void (*metrics)(void *context, struct writer *w);
	const struct log_memory *log;
	/* Gives each certificate to `tell`; borrowed until it returns. */
	void (*certificates)(void *context,
	                     void (*tell)(void *to, const struct api_certificate *certificate),
	                     void *to);
	void (*cdr_state)(void *context, const struct guid *receiver, struct api_cdr_state *out);
	/* Something is sent to it at once. */
	void (*cdr_test)(void *context, const struct guid *receiver);
};

struct api_settings {
	struct meeting *meeting;
	struct accounts *accounts; /* who may log in; the caller may put others in between calls */
	struct hash_key hash_key;  /* secret: for remembered logins */
	struct guid host_id;
	struct str version;        /* softwareVersion; copied */
	struct str web_address;    /* "https://host:8443", for accessQuery; copied */
	struct str sip_domain;     /* what stands behind a space's uri; copied */
	bool trace;                /* API trace lines, whatever system/timedLogging says */
	struct api_look look;
};

struct api;

[[nodiscard]] int api_create(struct api **out, const struct api_settings *settings,
                             int64_t now_us);
void api_destroy(struct api *api);
/* What it may look at, from now on. */
void api_look(struct api *api, const struct api_look *look);

/* Every request is answered exactly once, refused ones too. */
void api_request(struct api *api, const struct api_request *request, int64_t now_us);
/* The client went away: the answer is not wanted any more.  What it asked for happens all the
 * same when it was under way. */
void api_forget(struct api *api, uint64_t owner);

/* `slot` as given by API_VERIFY. */
void api_verified(struct api *api, uint32_t slot, bool right, int64_t now_us);
/* How the database is: what system/database shows.  While it takes no changes, requests that
 * would change what is kept are answered 503 databaseNotReady.  Copied. */
void api_database(struct api *api, const struct store_status *status);
/* For every result of the store, after objects_settled(); tickets of others are ignored. */
void api_settled(struct api *api, uint64_t ticket, bool ok, int64_t now_us);

/* The licence file in force, for clusterLicensing/raw; empty: none.  Copied. */
void api_licence_file(struct api *api, struct str file);
/* Every API_USAGE_US: counts what is used and keeps it, for system/MPLicenseUsage.  Drain
 * api_poll() after it. */
void api_usage_note(struct api *api, int64_t wall_us);

/* Who came in by a token, for as long as that is so. */
struct api_login {
	char user[API_NAME_MAX];
	uint64_t stamp; /* account_stamp() */
};

/* Was it given by POST authTokens, lately, to somebody who may still log in? */
[[nodiscard]] bool api_token_valid(const struct api *api, struct str token, int64_t now_us,
                                   struct api_login *login);
/* Is the account there as it was: same password, same role, and none of both to be changed? */
[[nodiscard]] bool api_login_stands(const struct api *api, const struct api_login *login);

/* When api_poll() has something to say by itself, or INT64_MAX. */
[[nodiscard]] int64_t api_deadline(const struct api *api);

/* Does system/timedLogging want to be told in detail of this part? */
[[nodiscard]] bool api_logs(const struct api *api, enum timed_logging_field what, int64_t now_us);

enum api_out_kind { API_NONE, API_VERIFY, API_COMMIT, API_ANSWER, API_LOG };

struct api_out {
	enum api_out_kind kind;
	/* VERIFY */
	uint32_t slot;
	struct str password;
	struct str password_hash;
	/* COMMIT */
	struct object_tx tx;
	/* ANSWER */
	uint64_t owner;
	unsigned status;
	struct str location;       /* a header, when not empty */
	struct str token;          /* the header X-Cisco-CMS-Auth-Token, when not empty */
	struct str content_type;   /* empty: no body */
	struct str body;
	bool challenge;            /* send WWW-Authenticate: Basic realm="api" */
	struct str allow;          /* 405: the Allow header */
	/* LOG */
	struct str text;
	bool audited;              /* for the audit log too: `user` made a change, or failed to log in */
	struct str user;
	struct net_addr from;
};

[[nodiscard]] struct api_out api_poll(struct api *api, int64_t now_us);

#endif
