/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every text that is read as a mapping: for the unit test and the fuzz target. */
#ifndef LDAP_MAPPING_PROPERTY_H
#define LDAP_MAPPING_PROPERTY_H

#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "ldap/mapping.h"

/* Whatever is taken names attributes that there are, and what it makes fits its bound; twice the
 * same makes the same. */
static inline void
mapping_property(struct str text)
{
	struct mapping mapping;
	struct mapping_names names = { 0 };
	struct str values[MAPPING_NAMES_MAX];
	uint8_t first[2 * MAPPING_OUT_MAX];
	uint8_t second[2 * MAPPING_OUT_MAX];
	const enum mapping_reject reject = mapping_compile(&mapping, &names, text);
	CHECK(*mapping_reject_name(reject) != '\0');
	if (reject != MAPPING_OK)
		return;
	for (uint32_t i = 0; i < MAPPING_NAMES_MAX; i++)
		values[i] = i % 5 == 4 ? STR("") : STR("Sommer, Ada/$1'\\ 1 \xc3\xa9");
	for (uint32_t i = 0; i < mapping.part_count; i++) {
		CHECK(mapping.parts[i].name < (int)names.count);
		CHECK(mapping.parts[i].pattern < (int)mapping.pattern_count);
	}
	struct writer w = writer_of(first, sizeof first);
	struct writer again = writer_of(second, sizeof second);
	const bool made = mapping_apply(&mapping, values, &w);
	CHECK(mapping_apply(&mapping, values, &again) == made);
	CHECK(str_eq(writer_view(&w), writer_view(&again)));
	CHECK(!w.failed && w.at <= MAPPING_OUT_MAX && (w.at != 0) == made);
}

#endif
