/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what was told as stored is there after any end; torn ends are cut off at every byte; files
 * come and go, and numbers never come twice; the thread hands everything through in order. */
#include "cdr/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "cdr/spool_file.h"

static char dir[64];

static struct spool_settings
fresh(void)
{
	snprintf(dir, sizeof dir, "/tmp/spool-test-XXXXXX");
	EXPECT(mkdtemp(dir) != NULL);
	return (struct spool_settings){ .dir = dir, .file_bytes = 4096, .files_max = 4 };
}

static const char *
file_name(unsigned number)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/records.%010u", dir, number);
	return path;
}

static bool
exists(unsigned number)
{
	return access(file_name(number), F_OK) == 0;
}

static void
clear(void)
{
	for (unsigned i = 1; i < 2000; i++)
		if (exists(i))
			EXPECT_EQ(unlink(file_name(i)), 0);
	EXPECT_EQ(rmdir(dir), 0);
}

static struct cdr_entry
entry_of(uint64_t sequence)
{
	static char body[160];
	snprintf(body, sizeof body, "<callLeg id=\"%llu\">%0100d</callLeg>",
	         (unsigned long long)sequence, 0);
	return (struct cdr_entry){ .sequence = sequence, .session = { { 7 } },
		                   .correlator = (uint32_t)sequence - 1, .type = 3,
		                   .wall_us = 1700000000000000, .body = str_of(body) };
}

static struct cdr_mark
mark_of(uint8_t receiver, uint64_t next)
{
	return (struct cdr_mark){ .receiver = { { receiver } }, .next = next,
		                  .session = { { 7 } }, .index = (uint32_t)next };
}

static void
append(struct spool_files *files, uint64_t sequence)
{
	const struct cdr_entry entry = entry_of(sequence);
	EXPECT_EQ(spool_files_append(files, &entry), 0);
}

static void
mark(struct spool_files *files, uint8_t receiver, uint64_t next)
{
	const struct cdr_mark moved = mark_of(receiver, next);
	EXPECT_EQ(spool_files_mark(files, &moved), 0);
}

/* The last sequence that can be read from `from` on, without a gap; `from` - 1: none. */
static uint64_t
last_readable(const struct spool_files *files, uint64_t from)
{
	static struct cdr_entry entries[CDR_POST_RECORDS_MAX];
	uint8_t *bytes = malloc(spool_files_bytes(files));
	unsigned count;
	while ((count = spool_files_read(files, from, bytes, entries, CDR_POST_RECORDS_MAX)) != 0) {
		for (unsigned i = 0; i < count; i++) {
			const struct cdr_entry want = entry_of(from++);
			EXPECT_EQ(entries[i].sequence, want.sequence);
			EXPECT_EQ(entries[i].correlator, want.correlator);
			EXPECT_EQ(entries[i].type, want.type);
			EXPECT_EQ(entries[i].wall_us, want.wall_us);
			EXPECT_STR(entries[i].body, want.body.at);
		}
	}
	free(bytes);
	return from - 1;
}

TEST(records_and_marks_are_there_again_after_a_start)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	EXPECT_EQ(files.next, 1);
	mark(&files, 1, 1);
	mark(&files, 2, 1);
	for (uint64_t s = 1; s <= 60; s++)
		append(&files, s);
	mark(&files, 1, 40);
	EXPECT_EQ(spool_files_sync(&files), 0);
	spool_files_close(&files);
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	EXPECT_EQ(files.next, 61);
	EXPECT_EQ(files.mark_count, 2);
	EXPECT_EQ(files.marks[0].next, 40);
	EXPECT_EQ(files.marks[1].next, 1);
	EXPECT_EQ(spool_files_first(&files), 1);
	EXPECT_EQ(last_readable(&files, 1), 60);
	EXPECT_EQ(last_readable(&files, 33), 60);
	append(&files, 61);
	EXPECT_EQ(last_readable(&files, 61), 61);
	spool_files_close(&files);
	clear();
}

TEST(a_file_goes_when_everybody_has_its_records_and_numbers_stay)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	mark(&files, 1, 1);
	mark(&files, 2, 1);
	for (uint64_t s = 1; s <= 60; s++)
		append(&files, s);
	EXPECT(exists(1) && exists(2) && exists(3));
	mark(&files, 1, 61);
	EXPECT(exists(1));
	mark(&files, 2, 61);
	EXPECT(!exists(1) && !exists(2) && exists(3));
	mark(&files, 1, 0);
	mark(&files, 2, 0);
	spool_files_close(&files);
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	EXPECT_EQ(files.mark_count, 0);
	EXPECT_EQ(files.next, 61);
	spool_files_close(&files);
	clear();
}

TEST(when_the_disk_share_is_full_the_oldest_go)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	mark(&files, 1, 1);
	for (uint64_t s = 1; s <= 400; s++)
		append(&files, s);
	EXPECT(files.part_count <= settings.files_max);
	const uint64_t first = spool_files_first(&files);
	EXPECT(first > 300 && first < 400);
	EXPECT_EQ(last_readable(&files, first), 400);
	spool_files_close(&files);
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	EXPECT_EQ(spool_files_first(&files), first);
	EXPECT_EQ(files.marks[0].next, 1);
	spool_files_close(&files);
	clear();
}

/* Every length a crash can leave the file with. */
TEST(a_torn_end_is_cut_off_wherever_it_is_torn)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	mark(&files, 1, 1);
	for (uint64_t s = 1; s <= 4; s++)
		append(&files, s);
	const size_t whole = files.parts[0].bytes;
	spool_files_close(&files);
	char *bytes = malloc(whole);
	int fd = open(file_name(1), O_RDONLY);
	EXPECT_EQ(read(fd, bytes, whole), (ssize_t)whole);
	close(fd);
	uint64_t before = 0;
	for (size_t len = 0; len <= whole; len++) {
		fd = open(file_name(1), O_WRONLY | O_TRUNC);
		EXPECT_EQ(write(fd, bytes, len), (ssize_t)len);
		close(fd);
		EXPECT_EQ(spool_files_open(&files, &settings), 0);
		const uint64_t last = files.next - 1;
		EXPECT(last == before || last == before + 1);
		EXPECT_EQ(last_readable(&files, 1), last);
		/* What comes after is found too. */
		append(&files, last + 1);
		spool_files_close(&files);
		EXPECT_EQ(spool_files_open(&files, &settings), 0);
		EXPECT_EQ(last_readable(&files, 1), last + 1);
		spool_files_close(&files);
		before = last;
	}
	EXPECT_EQ(before, 4);
	free(bytes);
	clear();
}

TEST(a_flipped_bit_is_no_record)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	for (uint64_t s = 1; s <= 3; s++)
		append(&files, s);
	const size_t whole = files.parts[0].bytes;
	spool_files_close(&files);
	char *bytes = malloc(whole);
	int fd = open(file_name(1), O_RDONLY);
	EXPECT_EQ(read(fd, bytes, whole), (ssize_t)whole);
	close(fd);
	for (size_t at = 0; at < whole; at++) {
		bytes[at] ^= 0x10;
		fd = open(file_name(1), O_WRONLY | O_TRUNC);
		EXPECT_EQ(write(fd, bytes, whole), (ssize_t)whole);
		close(fd);
		bytes[at] ^= 0x10;
		EXPECT_EQ(spool_files_open(&files, &settings), 0);
		EXPECT(files.next < 4);
		EXPECT_EQ(last_readable(&files, 1), files.next - 1);
		spool_files_close(&files);
	}
	free(bytes);
	clear();
}

/* A disk that takes no more, as far as the kernel lets us play one: files may not grow. */
TEST(what_the_disk_does_not_take_is_told_and_what_it_has_stays)
{
	const struct spool_settings settings = fresh();
	struct spool_files files;
	struct rlimit before;
	EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	EXPECT(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	mark(&files, 1, 1);
	append(&files, 1);
	append(&files, 2);
	/* Room for half a record more. */
	const struct rlimit tight = { .rlim_cur = files.parts[0].bytes + 60,
		                      .rlim_max = before.rlim_max };
	EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
	const struct cdr_entry third = entry_of(3);
	EXPECT(spool_files_append(&files, &third) < 0);
	EXPECT_EQ(last_readable(&files, 1), 2);
	EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
	/* The third is lost; the fourth is not. */
	append(&files, 4);
	spool_files_close(&files);
	EXPECT_EQ(spool_files_open(&files, &settings), 0);
	EXPECT_EQ(files.next, 5);
	EXPECT_EQ(last_readable(&files, 4), 4);
	spool_files_close(&files);
	clear();
}

TEST(a_folder_that_cannot_be_is_told)
{
	struct spool *spool = NULL;
	struct spool_loaded loaded;
	const struct spool_settings settings = { .dir = "/proc/nowhere/at/all" };
	EXPECT(spool_open(&spool, &settings, &loaded) < 0);
}

static void
on_wake(void *context)
{
	(void)context;
}

/* Waits for a result of a kind; `next` at least. */
static struct spool_result
wait_for(struct spool *spool, enum spool_result_kind kind, uint64_t next)
{
	struct spool_result result;
	for (unsigned tries = 0; tries < 10000; tries++) {
		while (spool_take(spool, &result)) {
			EXPECT(result.kind != SPOOL_FAILED);
			if (result.kind == kind && result.next >= next)
				return result;
		}
		usleep(1000);
	}
	test_failed("the spool answers within 10 s", __FILE__, __LINE__);
}

TEST(the_thread_stores_and_reads_in_order)
{
	struct spool_settings settings = fresh();
	struct spool *spool = NULL;
	struct spool_loaded loaded;
	settings.wake = on_wake;
	settings.file_bytes = 64 * 1024;
	EXPECT_EQ(spool_open(&spool, &settings, &loaded), 0);
	EXPECT_EQ(loaded.next, 1);
	const struct cdr_mark first = mark_of(1, 1);
	spool_mark(spool, &first);
	for (uint64_t s = 1; s <= 500; s++) {
		const struct cdr_entry entry = entry_of(s);
		spool_append(spool, &entry);
	}
	EXPECT_EQ(wait_for(spool, SPOOL_STORED, 501).first, 1);
	uint64_t at = 1;
	while (at <= 500) {
		spool_read(spool, 2, at);
		const struct spool_result batch = wait_for(spool, SPOOL_BATCH, 0);
		EXPECT_EQ(batch.slot, 2);
		EXPECT(batch.count != 0);
		for (unsigned i = 0; i < batch.count; i++)
			EXPECT_EQ(batch.entries[i].sequence, at++);
	}
	const struct cdr_mark moved = mark_of(1, 250);
	spool_mark(spool, &moved);
	spool_close(spool);
	EXPECT_EQ(spool_open(&spool, &settings, &loaded), 0);
	EXPECT_EQ(loaded.next, 501);
	EXPECT_EQ(loaded.mark_count, 1);
	EXPECT_EQ(loaded.marks[0].next, 250);
	spool_close(spool);
	clear();
}
