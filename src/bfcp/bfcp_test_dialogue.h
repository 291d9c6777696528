/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_test_dialogue -- BFCP messages as lines of text, and tables of lines that a machine has to
 * live up to.
 *
 *	> Hello t=1           the peer sends: primitive, then any of v=1 R t= conf= user= floor=
 *	                      request= for= priority= error= status=ID:STATUS[:USER] nm
 *	< HelloAck R t=1      we send exactly this
 *	! up                  an event
 *	= grant               an order
 *	+500                  milliseconds pass, with a tick at each deadline on the way
 *
 * Whatever a machine gives after an input has to stand below it, in order, and nothing else.
 */
#ifndef BFCP_BFCP_TEST_DIALOGUE_H
#define BFCP_BFCP_TEST_DIALOGUE_H

#include "bfcp/bfcp_link.h"

enum {
	DIALOGUE_CONFERENCE = 4711,
	DIALOGUE_USER = 7,
	DIALOGUE_FLOOR = 2,
	DIALOGUE_TRANSACTION = 100, /* our first */
};

struct dialogue {
	void *machine;
	enum bfcp_transport transport;
	size_t (*input)(void *machine, const uint8_t *bytes, size_t len, int64_t now_us);
	void (*tick)(void *machine, int64_t now_us);
	int64_t (*deadline)(const void *machine);
	/* The next output as a line without its mark; false: none.  Bytes go to `bytes`. */
	bool (*poll)(void *machine, struct writer *line, const uint8_t **bytes, size_t *len);
	/* False: there is no such order. */
	bool (*order)(void *machine, struct str words, int64_t now_us);
};

/* Plays it; a difference fails the running test with the line's number. */
void dialogue_play(const struct dialogue *dialogue, const char *script);

/* "FloorRequest t=1 floor=2" as bytes. */
size_t dialogue_write(uint8_t *out, size_t cap, struct str words, enum bfcp_transport transport);
/* And back; what is as everywhere in these tests (conference, user, version) is left out. */
void dialogue_describe(struct writer *w, const uint8_t *bytes, size_t len,
                       enum bfcp_transport transport);

#endif
