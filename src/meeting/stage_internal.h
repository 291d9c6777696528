/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the stage; shared by its own files only. */
#ifndef MEETING_STAGE_INTERNAL_H
#define MEETING_STAGE_INTERNAL_H

#include <stddef.h>

#include "base/check.h"
#include "meeting/stage.h"

#define NEVER_US INT64_MIN

/* Whether somebody may stand in a pane. */
static inline bool
stage_shows(const struct stage *stage, const struct stage_person *person)
{
	return person->picture || stage->people <= STAGE_NAMES_MAX;
}

#endif
