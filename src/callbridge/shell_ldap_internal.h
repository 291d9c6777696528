/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of shell_ldap: who waits for a password, and the one synchronisation that runs. */
#ifndef CALLBRIDGE_SHELL_LDAP_INTERNAL_H
#define CALLBRIDGE_SHELL_LDAP_INTERNAL_H

#include "callbridge/shell.h"
#include "callbridge/shell_ldap.h"
#include "ldap/mapping.h"
#include "meeting/directory_sync.h"

enum {
	LDAP_CHECKS_MAX = LDAP_CHECK_THREADS * DIRECTORY_ORDERS_MAX,
	LDAP_FLIGHT_MAX = 4,         /* transactions of a synchronisation under way */
	LDAP_RETRY_US = 5000 * 1000, /* after the database took nothing */
	LDAP_TELL_US = 1000 * 1000,  /* how often its numbers are written down */
	LDAP_KEPT_MAX = 100,         /* ldapSyncs that are over; older ones go */
	LDAP_FULL_TRIES_MAX = 50,    /* of a step for which there was no room */
	LDAP_PEOPLE_MAX = 100000, /* as many as there can be users */
	LDAP_MAPPINGS = LDAP_MAPPING_FIELDS,
	LDAP_MAPPING_BYTES = 500, /* as their fields have it */
};

struct ldap_check {
	shell_ldap_done *done; /* NULL: free */
	const void *context;
	uint32_t id;
};

enum ldap_stage {
	LDAP_IDLE,
	LDAP_ASKING,   /* directories are being asked */
	LDAP_APPLYING, /* step by step */
	LDAP_ENDING,   /* its last transactions are on their way */
};

/* What is asked for of every entry, before what mappings name. */
enum ldap_attribute { LDAP_MAIL, LDAP_ENTRY_UUID, LDAP_OBJECT_GUID };

/* The mappings of one source; their texts are copied, for the object may change meanwhile. */
struct ldap_maps {
	struct mapping at[LDAP_MAPPINGS];
	struct mapping_names names;
	char texts[LDAP_MAPPINGS][LDAP_MAPPING_BYTES + 1];
};

struct ldap_run {
	enum ldap_stage stage;
	uint32_t sync;      /* OBJECT_LDAP_SYNC */
	struct directory_sync *core;
	int64_t began_us;
	int64_t told_us;
	uint32_t source_count;
	uint32_t source_at;
	uint32_t sources[DIRECTORY_SYNC_SOURCES_MAX];
	bool granting;      /* the source's people are there: now a template's */
	uint32_t template_at; /* cursor over all template sources */
	uint32_t order;     /* id of the search under way */
	uint32_t found;     /* entries of the source */
	uint32_t without;   /* of them, those without a userJid */
	uint32_t full_tries;
	uint32_t flight_count;
	uint64_t flight[LDAP_FLIGHT_MAX + 1];
	bool failed;
	bool lost;          /* the database took something not */
	enum ldap_sync_failure failure;
	struct ldap_maps maps;
};

struct shell_ldap {
	struct shell *shell;
	struct loop_waker *waker;
	struct loop_timer *timer;
	uint32_t last_id;
	struct directory *searches;
	struct directory *checks[LDAP_CHECK_THREADS];
	struct ldap_check waiting[LDAP_CHECKS_MAX];
	char trust[COMPONENT_PATH_MAX];
	uint64_t seen;      /* version of the ldapSyncs that was looked at */
	int64_t retry_us;   /* not before */
	struct ldap_figures figures;
	struct ldap_run run;
};

/* shell_ldap.c */
/* False: there is no such server any more. */
bool ldap_server(const struct shell_ldap *ldap, uint32_t server, struct directory_server *out);

/* shell_ldap_sync.c */
/* One piece of work; true: there is more at once. */
bool ldap_run_step(struct shell_ldap *ldap, int64_t now_us);
void ldap_run_answer(struct shell_ldap *ldap, const struct directory_answer *answer);
void ldap_run_settled(struct shell_ldap *ldap, uint64_t ticket, bool ok);
void ldap_run_drop(struct shell_ldap *ldap);

/* shell_ldap_source.c: what of one source is asked for, and what an answer makes. */
/* Reads the mapping of a source; false: it cannot be, and the log says why. */
bool ldap_maps_read(struct ldap_maps *maps, const struct objects *objects, uint32_t source);
/* Orders the search for the people of a source, or for those that a template source names
 * (0: none).  False: it cannot be, and the log says why. */
bool ldap_source_ask(struct shell_ldap *ldap, uint32_t source, uint32_t template_source);
/* The people of an answer; false: there is no room for them. */
bool ldap_source_take(struct shell_ldap *ldap, const struct directory_answer *answer);
/* "cn=x,dc=y" of host:port, for log lines. */
const char *ldap_source_name(const struct shell_ldap *ldap, uint32_t source, char *out, size_t cap);

#endif
