/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include "base/check.h"

/* Days since 1970-01-01, counted in eras of 400 years that begin in March. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	const int64_t from_march = year - (month <= 2);
	const int64_t era = from_march / 400;
	const int64_t year_of_era = from_march - era * 400;
	const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

struct date
date_of(int64_t time_s)
{
	CHECK(time_s >= 0);
	const int64_t shifted = time_s / DATE_DAY_S + 719468;
	const int64_t era = shifted / 146097;
	const int64_t day_of_era = shifted - era * 146097;
	const int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	const int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int64_t from_march = (5 * day_of_year + 2) / 153;
	const int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
	return (struct date){ .year = (int)(year_of_era + era * 400 + (month <= 2)),
		              .month = (int)month,
		              .day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1) };
}

static bool
take_char(struct str *text, char wanted)
{
	if (text->len == 0 || text->at[0] != wanted)
		return false;
	*text = str_sub(*text, 1, text->len - 1);
	return true;
}

/* A number of exactly so many digits. */
static bool
take_digits(struct str *text, size_t count, uint32_t *out)
{
	if (text->len < count || !str_u32(str_sub(*text, 0, count), out))
		return false;
	*text = str_sub(*text, count, text->len - count);
	return true;
}

bool
date_parse(int64_t *out, bool *whole_day, struct str text)
{
	uint32_t year, month, day;
	uint32_t hour = 0, minute = 0, second = 0;
	if (!take_digits(&text, 4, &year) || !take_char(&text, '-') ||
	    !take_digits(&text, 2, &month) || !take_char(&text, '-') ||
	    !take_digits(&text, 2, &day))
		return false;
	const bool whole = text.len == 0;
	if (!whole &&
	    (!take_char(&text, 'T') || !take_digits(&text, 2, &hour) || !take_char(&text, ':') ||
	     !take_digits(&text, 2, &minute) || !take_char(&text, ':') ||
	     !take_digits(&text, 2, &second) || !take_char(&text, 'Z') || text.len != 0))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	const int64_t days = days_of(year, month, day);
	if (date_of(days * DATE_DAY_S).day != (int)day) /* the 30th of February */
		return false;
	*whole_day = whole;
	*out = days * DATE_DAY_S + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	return true;
}

void
date_write(struct writer *w, int64_t time_s)
{
	const struct date date = date_of(time_s);
	const int rest = (int)(time_s % DATE_DAY_S);
	writer_format(w, "%04d-%02d-%02dT%02d:%02d:%02dZ", date.year, date.month, date.day,
	              rest / 3600, rest / 60 % 60, rest % 60);
}
