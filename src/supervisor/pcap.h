/* SPDX-License-Identifier: Apache-2.0 */
/* pcap -- `pcap <iface>`: the packets of an interface into DATA/IFACE.pcap, for Wireshark, until Ctrl-C.
 *
 * Threads    The main thread; blocking.
 * Errors     False, and a FAILURE line's text.
 * Limits     PCAP_BYTES_MAX and PCAP_US_MAX, then it ends by itself; packets that come faster than
 *            the disk takes them are left out and counted.
 */
#ifndef SUPERVISOR_PCAP_H
#define SUPERVISOR_PCAP_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

enum {
	PCAP_BYTES_MAX = 256 << 20,
	PCAP_US_MAX = 600 * 1000 * 1000,
};

/* MMP_PCAP */
[[nodiscard]] bool pcap_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                            const struct mmp_line *line, struct writer *out);

#endif
