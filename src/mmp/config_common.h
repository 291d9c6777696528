/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of convoke.conf, and what several settings have in common: a part of mmp/config.h. */
#ifndef MMP_CONFIG_COMMON_H
#define MMP_CONFIG_COMMON_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	CONFIG_BYTES_MAX = 1 << 20,
	CONFIG_LINE_MAX = 4096,
	CONFIG_LISTENS_MAX = 4,
	CONFIG_INTERFACES_MAX = 8,
	CONFIG_FILE_MAX = 128,
	CONFIG_SYSLOG_MAX = 4,
	CONFIG_IFACE_MAX = 16,
	CONFIG_HOST_MAX = 256,
	CONFIG_NAME_MAX = 64,
	CONFIG_WORD_MAX = 16,
	CONFIG_CIPHERS_MAX = 512,
	CONFIG_NODES_MAX = 5,
	CONFIG_ERROR_MAX = 512, /* with the first words of all commands in it */
};

/* What is said of a longer one: "the command is " CONFIG_LINE_TOO_LONG. */
#define CONFIG_LINE_TOO_LONG "longer than 4096 bytes"
static_assert(CONFIG_LINE_MAX == 4096, "as it says");

/* Where a service listens: an interface of the machine by its name, "lo", "any" for every address,
 * or a, b, c, d: the first to fourth interface that is not loopback. */
struct config_listen {
	char iface[CONFIG_IFACE_MAX];
	uint16_t port;
};

/* Key, certificate (or full chain) and bundle of a service; empty: none. */
struct config_certs {
	char key[CONFIG_FILE_MAX];
	char certificate[CONFIG_FILE_MAX];
	char bundle[CONFIG_FILE_MAX];
};

#endif
