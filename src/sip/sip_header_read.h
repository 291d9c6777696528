/* SPDX-License-Identifier: Apache-2.0 */
/* sip_header_read -- what sip_msg.c needs of sip_header.c beyond its public face. */
#ifndef SIP_SIP_HEADER_READ_H
#define SIP_SIP_HEADER_READ_H

#include "sip/sip_header.h"

enum sip_via_read {
	SIP_VIA_BAD,   /* not filled in */
	SIP_VIA_LOOSE, /* says where to answer, but has separators without parameters */
	SIP_VIA_GOOD,
};
[[nodiscard]] enum sip_via_read sip_via_read(struct sip_via *out, struct str value);

[[nodiscard]] bool sip_call_id_is_valid(struct str value);

#endif
