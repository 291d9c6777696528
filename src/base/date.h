/* SPDX-License-Identifier: Apache-2.0 */
/* date -- the civil calendar (UTC): days to dates and back, times as RFC 3339 writes them.
 *
 * Threads    Pure functions.
 * Units      Seconds since 1970-01-01 00:00 UTC; dates from 1970 to 9999.
 * Errors     Parsing returns false and leaves the output untouched.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum { DATE_DAY_S = 86400 };

struct date {
	int year;
	int month; /* from 1 */
	int day;
};

[[nodiscard]] struct date date_of(int64_t time_s);

/* "2027-03-01" is the day's first second (`*whole_day`), "2027-03-01T12:00:00Z" that instant. */
[[nodiscard]] bool date_parse(int64_t *out, bool *whole_day, struct str text);
/* "2027-03-01T12:00:00Z" */
void date_write(struct writer *w, int64_t time_s);

#endif
