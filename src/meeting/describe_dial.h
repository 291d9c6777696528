/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the dial plan's objects, for the table of descriptions. */
#ifndef MEETING_DESCRIBE_DIAL_H
#define MEETING_DESCRIBE_DIAL_H

#include "meeting/object.h"

extern const struct field inbound_rule_fields[INBOUND_FIELDS];
extern const struct field forwarding_rule_fields[FORWARDING_FIELDS];
extern const struct field outbound_rule_fields[OUTBOUND_FIELDS];
extern const struct field dial_transform_fields[TRANSFORM_FIELDS];

#endif
