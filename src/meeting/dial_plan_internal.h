/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the dial plan; shared by its own files only. */
#ifndef MEETING_DIAL_PLAN_INTERNAL_H
#define MEETING_DIAL_PLAN_INTERNAL_H

#include "meeting/dial_plan.h"

/* All of them, in order. */
uint32_t dial_transform_next(const struct objects *objects, struct dial_cursor *cursor);

#endif
