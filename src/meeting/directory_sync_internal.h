/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of directory_sync: who was gathered, and one person's part of the work. */
#ifndef MEETING_DIRECTORY_SYNC_INTERNAL_H
#define MEETING_DIRECTORY_SYNC_INTERNAL_H

#include "base/hash.h"
#include "meeting/directory_sync.h"

enum person_text {
	PERSON_JID, PERSON_NAME, PERSON_EMAIL, PERSON_CDR_TAG, PERSON_AUTHENTICATION_ID,
	PERSON_AD_GUID, PERSON_DN, PERSON_SPACE_NAME, PERSON_SPACE_URI,
	PERSON_SPACE_SECONDARY_URI, PERSON_SPACE_CALL_ID, PERSON_TEXTS,
};

/* A person; the texts follow each other from `at` on. */
struct gathered {
	uint32_t at;
	uint16_t lens[PERSON_TEXTS];
	uint16_t source;    /* index in `sources` */
	bool again;         /* the space's address was taken: by one that has another by the end? */
	uint64_t templates; /* a bit for each of them that is granted */
};

struct gathered_source {
	struct guid id;
	struct guid tenant;
	struct guid profile;
	bool non_member_access;
	bool maps[PERSON_TEXTS]; /* does its mapping speak of it? */
};

struct gathered_template {
	uint16_t source;
	struct guid template;
};

enum sync_phase { SYNC_GATHER, SYNC_INDEX, SYNC_REMOVE, SYNC_PUT, SYNC_AGAIN, SYNC_DONE };

/* Where a step began, and begins anew when it had to be undone. */
struct sync_mark {
	uint32_t at;
	uint32_t line_count;
	struct directory_sync_counts counts;
};

struct directory_sync {
	struct directory_sync_settings settings;
	struct objects *objects;
	enum sync_phase phase;
	uint32_t at;     /* of the phase: a cursor, or a person's index */
	uint32_t batch;  /* people of one step: fewer after one that was too much */
	struct directory_sync_counts counts;

	uint32_t person_count;
	struct gathered *people;
	uint8_t *bytes;
	uint32_t byte_count;
	struct map by_jid;  /* index + 1 */
	struct map by_user; /* users' GUIDs to the spaces made for them */
	uint32_t source_count;
	struct gathered_source sources[DIRECTORY_SYNC_SOURCES_MAX];
	uint32_t template_count;
	struct gathered_template templates[DIRECTORY_SYNC_TEMPLATES_MAX];

	uint32_t line_count;
	uint32_t line_taken;
	char lines[DIRECTORY_SYNC_LINES_MAX][DIRECTORY_SYNC_LINE_BYTES];
};

/* directory_sync.c */
struct str gathered_text(const struct directory_sync *sync, const struct gathered *person,
                         enum person_text text);
/* The person of that name; NULL: nobody was gathered. */
struct gathered *gathered_find(const struct directory_sync *sync, struct str jid);
/* The space that was made for a user; 0: none. */
uint32_t sync_space_of(const struct directory_sync *sync, uint32_t user);
__attribute__((format(printf, 2, 3))) void sync_line(struct directory_sync *sync,
                                                     const char *format, ...);

/* directory_sync_put.c: each FULL leaves the caller to abort. */
enum object_reject sync_put_person(struct directory_sync *sync, struct gathered *person);
/* `*more`: not all of it fitted one transaction; the user is still there. */
enum object_reject sync_remove_user(struct directory_sync *sync, uint32_t user, bool *more);

#endif
