/* SPDX-License-Identifier: Apache-2.0 */
/* port_notes -- who holds the ports we are going to want, looked up while we may still see it.
 *
 * Only root can see whose a port of another user is, and the components are not root.  So the
 * supervisor looks before it gives root up, and keeps the answers for the case that a component
 * fails for one of these ports.  They are an explanation, never a decision: the holder may be an
 * earlier component that is just ending.
 *
 * Threads    The main thread; blocking, some milliseconds a port that is taken.
 */
#ifndef SUPERVISOR_PORT_NOTES_H
#define SUPERVISOR_PORT_NOTES_H

#include "mmp/config.h"
#include "net/port_owner.h"

enum {
	PORT_NOTES_MAX = 20,
};

struct port_note {
	uint16_t port;
	char text[PORT_OWNER_TEXT_MAX];
};

struct port_notes {
	struct port_note notes[PORT_NOTES_MAX];
	size_t count;
};

/* Of everything that `config` has listening. */
void port_notes_take(struct port_notes *notes, const struct config *config);
/* The sentence about that port, or NULL. */
[[nodiscard]] const char *port_notes_find(const struct port_notes *notes, uint16_t port);

#endif
