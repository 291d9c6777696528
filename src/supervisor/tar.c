/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/tar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

/* Where the fields of a header are (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum {
	MODE_AT = 100,
	OWNER_AT = 108,
	GROUP_AT = 116,
	SIZE_AT = 124,
	TIME_AT = 136,
	SUM_AT = 148,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	NUMBER_BYTES = 12,
	SUM_BYTES = 8,
};

static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };

/* The field itself counts as blanks. */
static unsigned
sum_of(const uint8_t block[TAR_BLOCK_BYTES])
{
	unsigned sum = 0;
	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];
	return sum;
}

static void
put_octal(uint8_t *at, size_t len, uint64_t number)
{
	at[len - 1] = '\0';
	for (size_t i = len - 1; i-- > 0; number >>= 3)
		at[i] = (uint8_t)('0' + (number & 7));
	CHECK(number == 0);
}

void
tar_write(uint8_t block[TAR_BLOCK_BYTES], const struct tar_entry *entry)
{
	const size_t len = strlen(entry->name);
	CHECK(len != 0 && len < TAR_NAME_MAX && entry->size <= TAR_SIZE_MAX && entry->time_s >= 0);
	memset(block, 0, TAR_BLOCK_BYTES);
	memcpy(block, entry->name, len);
	put_octal(block + MODE_AT, 8, 0600);
	put_octal(block + OWNER_AT, 8, 0);
	put_octal(block + GROUP_AT, 8, 0);
	put_octal(block + SIZE_AT, NUMBER_BYTES, entry->size);
	put_octal(block + TIME_AT, NUMBER_BYTES, (uint64_t)entry->time_s);
	block[TYPE_AT] = '0';
	memcpy(block + MAGIC_AT, magic, sizeof magic);
	put_octal(block + SUM_AT, 7, sum_of(block));
	block[SUM_AT + 7] = ' ';
}

/* Octal digits up to a NUL or a blank, at least one. */
static bool
get_octal(uint64_t *out, const uint8_t *at, size_t len)
{
	uint64_t number = 0;
	size_t i = 0;
	for (; i < len && at[i] >= '0' && at[i] <= '7'; i++)
		number = number << 3 | (uint64_t)(at[i] - '0');
	*out = number;
	return i != 0 && i < len && (at[i] == '\0' || at[i] == ' ');
}

enum tar_kind
tar_read(struct tar_entry *out, const uint8_t block[TAR_BLOCK_BYTES])
{
	static const uint8_t zeros[TAR_BLOCK_BYTES];
	struct tar_entry entry = { 0 };
	uint64_t sum, time_s;
	if (memcmp(block, zeros, TAR_BLOCK_BYTES) == 0)
		return TAR_END;
	if (memcmp(block + MAGIC_AT, magic, sizeof magic) != 0 || block[TYPE_AT] != '0' ||
	    block[PREFIX_AT] != '\0' || !get_octal(&sum, block + SUM_AT, SUM_BYTES) ||
	    sum != sum_of(block) || !get_octal(&entry.size, block + SIZE_AT, NUMBER_BYTES) ||
	    !get_octal(&time_s, block + TIME_AT, NUMBER_BYTES))
		return TAR_BAD;
	for (size_t i = 0; i < TAR_NAME_MAX - 1 && block[i] != '\0'; i++) {
		if (block[i] < ' ' || block[i] >= 0x7f)
			return TAR_BAD;
		entry.name[i] = (char)block[i];
	}
	if (entry.name[0] == '\0')
		return TAR_BAD;
	entry.time_s = (int64_t)time_s;
	*out = entry;
	return TAR_FILE;
}
