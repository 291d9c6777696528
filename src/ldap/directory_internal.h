/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of directory: orders as they cross to the thread, and the thread's use of libldap. */
#ifndef LDAP_DIRECTORY_INTERNAL_H
#define LDAP_DIRECTORY_INTERNAL_H

#include <stdatomic.h>

#include "ldap/directory.h"

enum { DIRECTORY_ATTRIBUTE_ROOM = DIRECTORY_ATTRIBUTE_MAX + 1 };

/* Owned by the thread from its posting until its last answer is posted; `cancelled` by both. */
struct directory_order {
	bool used;
	bool check; /* a login; else a search */
	uint32_t id;
	_Atomic bool cancelled;
	uint16_t port;
	enum directory_tls tls;
	bool no_verify;
	bool newest_only;
	bool paged;
	uint32_t most;
	uint32_t attribute_count;
	char host[DIRECTORY_HOST_MAX];
	char trust[DIRECTORY_PATH_MAX];
	char bind_dn[DIRECTORY_DN_MAX + 1];
	char password[DIRECTORY_PASSWORD_MAX + 1];
	char base[DIRECTORY_DN_MAX + 1];
	char filter[DIRECTORY_FILTER_MAX + 1];
	char attributes[DIRECTORY_ATTRIBUTES_MAX][DIRECTORY_ATTRIBUTE_ROOM];
};

/* What the thread answers with. */
struct directory_door {
	void *context;
	/* The batch that is being filled: never NULL, but for one that nobody wants any more. */
	struct directory_answer *(*batch)(void *context);
	/* It is full. */
	void (*flush)(void *context);
	bool (*over)(void *context); /* cancelled, or the program ends */
};

/* directory_ask.c: carries out the whole order; blocks.  `text` gets a sentence unless all is
 * well. */
enum directory_result directory_ask(const struct directory_order *order,
                                    const struct directory_door *door,
                                    char text[DIRECTORY_TEXT_MAX]);

/* directory_cert.c: why a certificate (X.509, DER) is not believed, as a part of a sentence. */
void directory_cert_why(char *out, size_t cap, const uint8_t *der, size_t len, const char *host,
                        bool own_trust);

#endif
