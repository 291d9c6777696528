/* SPDX-License-Identifier: Apache-2.0 */
/* invitation -- how people are told to get into a space: a text ready to be sent, a link, an address.
 *
 * Pure.
 *
 * Ownership  Everything is borrowed.
 * Threads    The control thread.
 * Errors     The writer's sticky `failed`.
 * Limits     INVITATION_BYTES_MAX holds every text, with all numbers and addresses there can be.
 */
#ifndef MEETING_INVITATION_H
#define MEETING_INVITATION_H

#include "meeting/object.h"

enum {
	INVITATION_BYTES_MAX = 64 * 1024,
};

struct invitation {
	uint32_t space;
	uint32_t method;        /* 0: the space's default, or its own addresses */
	struct str language;    /* "fr", "fr_FR", "fr-CA"; what we do not speak is English */
	struct str web_address; /* "https://host:8443", where no webBridgeAddress says other */
	struct str domain;      /* behind the @ of its uri */
};

/* The way that people are told of: a method of the space, or the space's own addresses. */
struct invitation_way {
	struct str uri;
	struct str call_id;
	struct str passcode;
	struct str secret;
};

[[nodiscard]] struct invitation_way invitation_way(const struct objects *objects, uint32_t space,
                                                   uint32_t method);
/* The space's own addresses, whatever its default is. */
[[nodiscard]] struct invitation_way invitation_way_of_space(const struct objects *objects,
                                                            uint32_t space);

/* "en_US", "fr_FR" or "ko_KR". */
const char *invitation_language(struct str language);

void invitation_write(struct writer *w, const struct objects *objects,
                      const struct invitation *invitation);
/* "team@example.com"; nothing when there is no uri. */
void invitation_write_uri(struct writer *w, const struct objects *objects,
                          const struct invitation *invitation);
/* The link for browsers; nothing when there is no meeting ID. */
void invitation_write_link(struct writer *w, const struct objects *objects,
                           const struct invitation *invitation,
                           const struct invitation_way *way);

#endif
