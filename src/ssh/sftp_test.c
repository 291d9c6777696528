/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: requests are answered as the draft says, nothing but flat names gets through, and a file is
 * there whole or not at all.  Method: a client of a few lines against a folder in memory. */
#include "ssh/sftp.h"

#include <string.h>

#include "base/test.h"
#include "ssh/sftp_world.h"

enum {
	INIT = 1, OPEN = 3, CLOSE = 4, READ = 5, WRITE = 6, LSTAT = 7, FSTAT = 8, SETSTAT = 9,
	OPENDIR = 11, READDIR = 12, REMOVE = 13, MKDIR = 14, REALPATH = 16, STAT = 17, RENAME = 18,
	READLINK = 19, SYMLINK = 20, EXTENDED = 200,
	STATUS = 101, HANDLE = 102, DATA = 103, NAME = 104, ATTRS = 105,
	FX_OK = 0, FX_EOF = 1, FX_NO_FILE = 2, FX_DENIED = 3, FX_FAILURE = 4, FX_BAD = 5,
	FX_UNSUPPORTED = 8,
	FOR_READ = 1, FOR_WRITE = 2, APPEND = 4, CREATE = 8, TRUNCATE = 16, EXCLUSIVE = 32,
};

static struct sftp sftp;
static struct world world;
static uint8_t request_bytes[4096];
static struct writer request;
static struct reader reply;
static uint8_t reply_type;

static void
begin(uint8_t type)
{
	request = writer_of(request_bytes, sizeof request_bytes);
	writer_u32(&request, 0);
	writer_u8(&request, type);
	writer_u32(&request, 77);
}

static void
put_text(const char *text)
{
	writer_u32(&request, (uint32_t)strlen(text));
	writer_text(&request, text);
}

/* Sends it and reads the head of the reply. */
static void
send_request(void)
{
	struct writer length = writer_of(request_bytes, 4);
	const uint8_t *at = request_bytes;
	size_t len = request.at;
	writer_u32(&length, (uint32_t)request.at - 4);
	EXPECT(sftp_input(&sftp, &at, &len));
	EXPECT_EQ(len, 0);
	const struct str out = sftp_output(&sftp);
	reply = reader_of(out.at, out.len);
	EXPECT_EQ(reader_u32(&reply), out.len - 4);
	reply_type = reader_u8(&reply);
	EXPECT_EQ(reader_u32(&reply), 77);
}

static void
start(void)
{
	const uint8_t init[] = { 0, 0, 0, 5, INIT, 0, 0, 0, 3 }, *at = init;
	size_t len = sizeof init;
	world_init(&world);
	sftp_init(&sftp, &world.functions);
	EXPECT(sftp_input(&sftp, &at, &len));
	const struct str out = sftp_output(&sftp);
	EXPECT(out.len > 9);
	EXPECT_EQ(out.at[4], 2);
	EXPECT_EQ(out.at[8], 3);
}

static void
expect_status(uint32_t code)
{
	EXPECT_EQ(reply_type, STATUS);
	EXPECT_EQ(reader_u32(&reply), code);
}

static void
on_name(uint8_t type, const char *name)
{
	begin(type);
	put_text(name);
	if (type == SETSTAT)
		writer_u32(&request, 0);
	send_request();
}

static void
open_name(const char *name, uint32_t flags)
{
	begin(OPEN);
	put_text(name);
	writer_u32(&request, flags);
	writer_u32(&request, 0);
	send_request();
}

static uint64_t
handle(void)
{
	EXPECT_EQ(reply_type, HANDLE);
	EXPECT_EQ(reader_u32(&reply), 8);
	return reader_u64(&reply);
}

static void
with_handle(uint8_t type, uint64_t number)
{
	begin(type);
	writer_u32(&request, 8);
	writer_u64(&request, number);
}

static void
close_handle(uint64_t number, uint32_t code)
{
	with_handle(CLOSE, number);
	send_request();
	expect_status(code);
}

static void
write_bytes(uint64_t number, uint64_t offset, const char *bytes, uint32_t code)
{
	with_handle(WRITE, number);
	writer_u64(&request, offset);
	put_text(bytes);
	send_request();
	expect_status(code);
}

static void
read_bytes(uint64_t number, uint64_t offset, uint32_t len)
{
	with_handle(READ, number);
	writer_u64(&request, offset);
	writer_u32(&request, len);
	send_request();
}

TEST(a_file_is_read_to_its_end)
{
	start();
	open_name("/cms.crt", FOR_READ);
	const uint64_t number = handle();
	read_bytes(number, 0, 5);
	EXPECT_EQ(reply_type, DATA);
	EXPECT_EQ(reader_u32(&reply), 5);
	EXPECT_STR(((struct str){ (const char *)reader_take(&reply, 5), 5 }), "certi");
	read_bytes(number, 5, UINT32_MAX);
	EXPECT_EQ(reply_type, DATA);
	EXPECT_EQ(reader_u32(&reply), 6);
	read_bytes(number, 11, 5);
	expect_status(FX_EOF);
	read_bytes(number, UINT64_MAX, 5);
	expect_status(FX_EOF);
	close_handle(number, FX_OK);
	close_handle(number, FX_FAILURE);
	read_bytes(number, 0, 5);
	expect_status(FX_FAILURE);
}

TEST(a_file_is_there_when_it_was_brought_whole)
{
	start();
	open_name("new.crt", FOR_WRITE | CREATE | TRUNCATE);
	uint64_t number = handle();
	write_bytes(number, 4, "efgh", FX_OK);
	write_bytes(number, 0, "abcd", FX_OK);
	EXPECT(world_find(&world, STR("new.crt")) == NULL);
	close_handle(number, FX_OK);
	EXPECT_EQ(world_find(&world, STR("new.crt"))->len, 8);

	/* The rest of one that broke off, as `put -a` brings it, is no file. */
	open_name("cms.crt", FOR_WRITE | CREATE);
	number = handle();
	write_bytes(number, 11, "more", FX_OK);
	close_handle(number, FX_FAILURE);
	EXPECT_EQ(world_find(&world, STR("cms.crt"))->len, 11);

	/* Nor is one with a write that failed, or that was never closed. */
	open_name("cms.crt", FOR_WRITE | CREATE | TRUNCATE);
	number = handle();
	write_bytes(number, 0, "x", FX_OK);
	write_bytes(number, WORLD_BYTES, "x", FX_FAILURE);
	close_handle(number, FX_FAILURE);
	open_name("cms.crt", FOR_WRITE | CREATE | TRUNCATE);
	write_bytes(handle(), 0, "y", FX_OK);
	sftp_fini(&sftp);
	EXPECT_EQ(world_find(&world, STR("cms.crt"))->len, 11);
	EXPECT_EQ(world_count_open(&world), 0);
}

TEST(paths_lead_nowhere_else)
{
	static const struct {
		const char *path;
		uint32_t code;
	} cases[] = {
		{ "../cms.crt", FX_DENIED },      { "/../../etc/passwd", FX_DENIED },
		{ "a/cms.crt", FX_DENIED },       { "/etc/passwd", FX_DENIED },
		{ "cms.crt/..", FX_DENIED },      { "nothing.crt", FX_NO_FILE },
		{ "secret", FX_DENIED },          { "", FX_DENIED },
		{ "/", FX_DENIED },
	};
	start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		open_name(cases[i].path, FOR_READ);
		expect_status(cases[i].code);
	}
	static const char *const same[] = { "cms.crt", "/cms.crt", "./cms.crt", "//./cms.crt",
		                            "cms.crt/" };
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		on_name(STAT, same[i]);
		EXPECT_EQ(reply_type, ATTRS);
		on_name(REALPATH, same[i]);
		EXPECT_EQ(reply_type, NAME);
		EXPECT_EQ(reader_u32(&reply), 1);
		EXPECT_EQ(reader_u32(&reply), 8);
		EXPECT_STR(((struct str){ (const char *)reader_take(&reply, 8), 8 }), "/cms.crt");
	}
}

TEST(the_folder_is_listed)
{
	start();
	on_name(OPENDIR, "/");
	const uint64_t number = handle();
	with_handle(READDIR, number);
	send_request();
	EXPECT_EQ(reply_type, NAME);
	EXPECT_EQ(reader_u32(&reply), 1);
	EXPECT_EQ(reader_u32(&reply), 7);
	EXPECT_STR(((struct str){ (const char *)reader_take(&reply, 7), 7 }), "cms.crt");
	with_handle(READDIR, number);
	send_request();
	expect_status(FX_EOF);
	read_bytes(number, 0, 1);
	expect_status(FX_FAILURE);
	close_handle(number, FX_OK);
	on_name(OPENDIR, "/run");
	expect_status(FX_NO_FILE);
}

TEST(names_are_removed_and_changed)
{
	start();
	begin(RENAME);
	put_text("cms.crt");
	put_text("other.crt");
	send_request();
	expect_status(FX_OK);
	on_name(REMOVE, "cms.crt");
	expect_status(FX_NO_FILE);
	begin(EXTENDED);
	put_text("posix-rename@openssh.com");
	put_text("other.crt");
	put_text("../evil.crt");
	send_request();
	expect_status(FX_DENIED);
	on_name(REMOVE, "other.crt");
	expect_status(FX_OK);
}

TEST(what_there_is_not_is_refused)
{
	start();
	static const uint8_t types[] = { MKDIR, READLINK, SYMLINK, 15, 99, 255 };
	for (size_t i = 0; i < sizeof types; i++) {
		on_name(types[i], "cms.crt");
		expect_status(FX_UNSUPPORTED);
	}
	on_name(EXTENDED, "statvfs@openssh.com");
	expect_status(FX_UNSUPPORTED);
	open_name("cms.crt", FOR_WRITE | APPEND | CREATE);
	expect_status(FX_UNSUPPORTED);
	open_name("cms.crt", 0);
	expect_status(FX_UNSUPPORTED);
	open_name("cms.crt", FOR_WRITE | CREATE | EXCLUSIVE);
	expect_status(FX_FAILURE);
	on_name(SETSTAT, "cms.crt");
	expect_status(FX_OK);
	begin(OPEN); /* without its name */
	send_request();
	expect_status(FX_BAD);
}

TEST(there_are_handles_max)
{
	start();
	for (int i = 0; i < SFTP_HANDLES_MAX; i++) {
		open_name("cms.crt", FOR_READ);
		EXPECT_EQ(reply_type, HANDLE);
	}
	open_name("cms.crt", FOR_READ);
	expect_status(FX_FAILURE);
	sftp_fini(&sftp);
	EXPECT_EQ(world_count_open(&world), 0);
}

TEST(a_handle_that_was_closed_is_not_the_next_one)
{
	start();
	open_name("cms.crt", FOR_READ);
	const uint64_t first = handle();
	close_handle(first, FX_OK);
	open_name("cms.crt", FOR_READ);
	EXPECT(handle() != first);
	read_bytes(first, 0, 1);
	expect_status(FX_FAILURE);
}

static bool
feed(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	return sftp_input(&sftp, &at, &len);
}

TEST(who_breaks_the_protocol_is_left)
{
	static const uint8_t huge[] = { 0, 4, 0, 0, OPEN }, empty[] = { 0, 0, 0, 0 },
			     again[] = { 0, 0, 0, 5, INIT, 0, 0, 0, 3 },
			     early[] = { 0, 0, 0, 5, STAT, 0, 0, 0, 1 },
			     small[] = { 0, 0, 0, 1, STAT };
	start();
	EXPECT(!feed(huge, sizeof huge));
	start();
	EXPECT(!feed(empty, sizeof empty));
	start();
	EXPECT(!feed(again, sizeof again));
	start();
	EXPECT(!feed(small, sizeof small));
	world_init(&world);
	sftp_init(&sftp, &world.functions);
	EXPECT(!feed(early, sizeof early));
}

TEST(requests_come_in_any_pieces)
{
	start();
	begin(STAT);
	put_text("cms.crt");
	struct writer length = writer_of(request_bytes, 4);
	writer_u32(&length, (uint32_t)request.at - 4);
	for (size_t i = 0; i < request.at; i++) {
		EXPECT_EQ(sftp_output(&sftp).len, 0);
		EXPECT(feed(&request_bytes[i], 1));
	}
	EXPECT_EQ(sftp_output(&sftp).at[4], ATTRS);
}

TEST(a_file_that_is_refused_is_refused_in_words)
{
	start();
	open_name("cms.lic", FOR_WRITE | CREATE | TRUNCATE);
	const uint64_t file = handle();
	write_bytes(file, 0, "forged", FX_OK);
	close_handle(file, FX_FAILURE);
	const uint32_t len = reader_u32(&reply);
	EXPECT_STR(((struct str){ (const char *)reader_take(&reply, len), len }),
	           "it is signed by nobody");
	EXPECT(world_find(&world, STR("cms.lic")) == NULL);
}
