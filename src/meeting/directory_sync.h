/* SPDX-License-Identifier: Apache-2.0 */
/* directory_sync -- makes users, and the spaces of their own, what the directories say.
 *
 * First everybody is gathered, then everything is applied: a directory that breaks off in the
 * middle has changed nothing.
 *
 *	directory_sync_create(&sync, &settings)
 *	directory_sync_source(sync, source); directory_sync_person(sync, &person) ...
 *	directory_sync_template(sync, template); directory_sync_grant(sync, jid) ...
 *	while (directory_sync_step(sync, &tx) == DIRECTORY_SYNC_MORE)
 *		store_commit(tx), when it has a ticket; others have their turn
 *
 * A person is known by the userJid.  Users of the sources in scope that nobody gathered go, with
 * their space and their memberships; users of sources that are no more go with a sync of everything
 * or of their tenant.  What is the same stays untouched, so a second sync changes nothing.  What
 * the mapping does not speak of stays as it was set: passcodes, profiles, members, access methods.
 *
 * A clash, somebody whose userJid or whose space's address another has, is told, and the others are
 * done; directory_sync_counts() says how many there were.
 *
 * Ownership  create/destroy.  Texts given in are copied.
 * Threads    The control thread.
 * Units      One step is DIRECTORY_SYNC_BATCH people, under 3 ms, and one transaction.
 * Errors     directory_sync_create: -ENOMEM.
 * Limits     DIRECTORY_SYNC_*; people as many as there can be users, DIRECTORY_SYNC_BYTES_MAX of
 *            their texts.
 */
#ifndef MEETING_DIRECTORY_SYNC_H
#define MEETING_DIRECTORY_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting/object.h"

enum {
	DIRECTORY_SYNC_BATCH = 32,
	DIRECTORY_SYNC_BYTES_MAX = 128 << 20, /* taken as it is needed */
	DIRECTORY_SYNC_SOURCES_MAX = 1024,
	DIRECTORY_SYNC_TEMPLATES_MAX = 64,
	DIRECTORY_SYNC_LINES_MAX = 50,        /* told one by one; the rest is counted */
	DIRECTORY_SYNC_LINE_BYTES = 512,
};

struct directory_sync;

struct directory_sync_settings {
	struct objects *objects;
	struct hash_key hash_key; /* secret */
	uint32_t people_max;
	struct guid tenant;       /* zero: every tenant */
	struct guid source;       /* zero: every source */
};

/* One entry, mapped; empty texts are unset. */
struct directory_person {
	struct str jid;
	struct str name;
	struct str email;
	struct str cdr_tag;
	struct str authentication_id;
	struct str ad_guid;
	struct str dn;
	struct str space_name; /* where all four are empty there is no space */
	struct str space_uri;
	struct str space_secondary_uri;
	struct str space_call_id;
};

struct directory_sync_counts {
	uint32_t people;   /* gathered */
	uint32_t imported; /* of them, those who now are users */
	uint32_t created;
	uint32_t changed;
	uint32_t removed;
	uint32_t spaces_created;
	uint32_t spaces_changed;
	uint32_t spaces_removed;
	uint32_t clashes;
	uint32_t faults;   /* people left out, or parts of them */
};

[[nodiscard]] int directory_sync_create(struct directory_sync **out,
                                        const struct directory_sync_settings *settings);
void directory_sync_destroy(struct directory_sync *sync);

/* What follows is of this source, an OBJECT_LDAP_SOURCE; its tenant, userProfile and
 * nonMemberAccess, and which fields its mapping speaks of, are read now.  False: no room. */
[[nodiscard]] bool directory_sync_source(struct directory_sync *sync, uint32_t source);
/* False: no room for more people. */
[[nodiscard]] bool directory_sync_person(struct directory_sync *sync,
                                         const struct directory_person *person);
/* Whom it is granted to follows; an OBJECT_LDAP_TEMPLATE_SOURCE of the present source. */
[[nodiscard]] bool directory_sync_template(struct directory_sync *sync, uint32_t template_source);
void directory_sync_grant(struct directory_sync *sync, struct str jid);

enum directory_sync_state {
	DIRECTORY_SYNC_MORE,
	DIRECTORY_SYNC_DONE,
	DIRECTORY_SYNC_STUCK, /* a table is full; nothing of this step is left */
};

/* `tx` has a ticket when something changed.  STUCK may be tried again. */
[[nodiscard]] enum directory_sync_state directory_sync_step(struct directory_sync *sync,
                                                            struct object_tx *tx);

struct directory_sync_counts directory_sync_counts(const struct directory_sync *sync);
/* A line for the log that was not taken yet; NULL: none.  Valid until the next call. */
const char *directory_sync_line(struct directory_sync *sync);

#endif
