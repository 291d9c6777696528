/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

void
writer_decimal(struct writer *w, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	writer_bytes(w, digits + at, sizeof digits - at);
}

void
writer_format(struct writer *w, const char *format, ...)
{
	if (w->failed)
		return;
	va_list args;
	va_start(args, format);
	const size_t room = w->cap - w->at;
	/* vsnprintf wants a byte for its NUL; it may use the last free one, which the next write
	 * overwrites. */
	const int len = vsnprintf((char *)w->bytes + w->at, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		w->failed = true;
	else
		w->at += (size_t)len;
}
