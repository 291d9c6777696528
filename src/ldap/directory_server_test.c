/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what servers answer is told as what it is, the good and the bad; a broken or hostile one is
 * never taken for a whole answer.  Method: a server of ours that knows its lines: it takes a
 * request, says the next bytes (RFC 4511, in BER), and closes at the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/test.h"
#include "ldap/directory.h"

enum {
	LINES_MAX = 8,
	LINE_BYTES = 64 * 1024,
};

/* ------------------------------------------------------------------ BER */

struct ber {
	size_t len;
	uint8_t bytes[LINE_BYTES];
};

static void
put(struct ber *ber, uint8_t tag, const void *bytes, size_t len)
{
	uint8_t *out = ber->bytes + ber->len;
	size_t head = 0;
	CHECK(ber->len + len + 4 <= sizeof ber->bytes);
	out[head++] = tag;
	if (len >= 128) {
		out[head++] = 0x82;
		out[head++] = (uint8_t)(len >> 8);
	}
	out[head++] = (uint8_t)len;
	if (len != 0)
		memcpy(out + head, bytes, len);
	ber->len += head + len;
}

static void
put_text(struct ber *ber, uint8_t tag, const char *text)
{
	put(ber, tag, text, strlen(text));
}

/* Wraps all that there is. */
static void
wrap(struct ber *ber, uint8_t tag)
{
	static struct ber inner;
	inner = *ber;
	ber->len = 0;
	put(ber, tag, inner.bytes, inner.len);
}

/* ------------------------------------------------------------------ a server and its lines */

struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	unsigned line_count;
	unsigned heard; /* requests */
	struct ber lines[LINES_MAX]; /* one for each request; several messages may stand in it */
};

static struct server server;

static struct ber *
next_line(void)
{
	CHECK(server.line_count < LINES_MAX);
	struct ber *line = &server.lines[server.line_count++];
	line->len = 0;
	return line;
}

/* Adds a message, with controls that are encoded already. */
static void
say(struct ber *line, uint8_t id, uint8_t tag, const struct ber *body, const struct ber *controls)
{
	static struct ber message;
	message.len = 0;
	put(&message, 0x02, &id, 1);
	put(&message, tag, body->bytes, body->len);
	if (controls != NULL)
		put(&message, 0xa0, controls->bytes, controls->len);
	wrap(&message, 0x30);
	memcpy(line->bytes + line->len, message.bytes, message.len);
	line->len += message.len;
}

static void
say_result(struct ber *line, uint8_t id, uint8_t tag, uint8_t code, const char *text,
           const struct ber *controls)
{
	static struct ber body;
	body.len = 0;
	put(&body, 0x0a, &code, 1);
	put_text(&body, 0x04, "");
	put_text(&body, 0x04, text);
	say(line, id, tag, &body, controls);
}

static void
say_bound(uint8_t code, const char *text, const struct ber *controls)
{
	say_result(next_line(), 1, 0x61, code, text, controls);
}

/* "attribute", "value" pairs, up to NULL. */
static void
say_entry(struct ber *line, uint8_t id, const char *dn, const char *const *pairs)
{
	static struct ber body;
	static struct ber attributes;
	attributes.len = 0;
	for (; *pairs != NULL; pairs += 2) {
		struct ber one = { 0 };
		struct ber values = { 0 };
		put_text(&values, 0x04, pairs[1]);
		put_text(&values, 0x04, "a second value");
		put_text(&one, 0x04, pairs[0]);
		put(&one, 0x31, values.bytes, values.len);
		put(&attributes, 0x30, one.bytes, one.len);
	}
	body.len = 0;
	put_text(&body, 0x04, dn);
	put(&body, 0x30, attributes.bytes, attributes.len);
	say(line, id, 0x64, &body, NULL);
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* One message of the client, whatever it says; false at the end. */
static bool
hear(int fd)
{
	uint8_t head[2];
	uint8_t more[4];
	uint8_t skipped[512];
	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		return false;
	size_t len = head[1];
	if (len >= 128) {
		const size_t count = len - 128;
		len = 0;
		if (count > sizeof more || recv(fd, more, count, MSG_WAITALL) != (ssize_t)count)
			return false;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | more[i];
	}
	while (len != 0) {
		const ssize_t got =
			recv(fd, skipped, len < sizeof skipped ? len : sizeof skipped, 0);
		if (got <= 0)
			return false;
		len -= (size_t)got;
	}
	return true;
}

static void *
serve(void *context)
{
	(void)context;
	const int fd = accept(server.fd, NULL, NULL);
	CHECK(fd >= 0);
	for (unsigned i = 0; i < server.line_count && hear(fd); i++) {
		server.heard++;
		for (size_t sent = 0; sent < server.lines[i].len;) {
			const ssize_t went = send(fd, server.lines[i].bytes + sent,
			                          server.lines[i].len - sent, MSG_NOSIGNAL);
			if (went <= 0)
				break;
			sent += (size_t)went;
		}
	}
	close(fd);
	return NULL;
}

static void
begin(void)
{
	server.line_count = 0;
	server.heard = 0;
}

static void
open_server(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(server.fd >= 0);
	EXPECT_EQ(bind(server.fd, (struct sockaddr *)&addr, sizeof addr), 0);
	EXPECT_EQ(getsockname(server.fd, (struct sockaddr *)&addr, &len), 0);
	EXPECT_EQ(listen(server.fd, 1), 0);
	server.port = ntohs(addr.sin_port);
	EXPECT_EQ(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void
close_server(void)
{
	pthread_join(server.thread, NULL);
	close(server.fd);
}

/* ------------------------------------------------------------------ asking it */

struct told {
	enum directory_result result;
	unsigned entries;
	unsigned batches;
	char text[DIRECTORY_TEXT_MAX];
	char lines[4096]; /* of the first entries: "dn mail cn" */
};

static void
note_entries(struct told *told, const struct directory_answer *answer)
{
	struct directory_entry entry;
	size_t at = 0;
	while (directory_entry_next(answer, &at, &entry)) {
		const size_t len = strlen(told->lines);
		if (told->entries++ < 8)
			snprintf(told->lines + len, sizeof told->lines - len,
			         "%.*s [%.*s] [%.*s]\n", STR_ARGS(entry.dn), STR_ARGS(entry.values[0]),
			         STR_ARGS(entry.values[1]));
	}
	told->batches++;
}

/* Takes answers until the last, without a clock: only what comes counts. */
static void
listen_to(struct directory *directory, struct told *told)
{
	for (bool last = false; !last;) {
		const struct directory_answer *answer = directory_take(directory);
		if (answer == NULL) {
			usleep(1000);
			continue;
		}
		last = answer->last;
		note_entries(told, answer);
		told->result = answer->result;
		memcpy(told->text, answer->text, sizeof told->text);
		directory_give_back(directory, answer);
	}
}

static struct told
check(void)
{
	struct directory *directory = NULL;
	struct told told = { 0 };
	open_server();
	const struct directory_server where = { .host = STR("127.0.0.1"), .port = server.port };
	EXPECT_EQ(directory_create(&directory, NULL, NULL), 0);
	EXPECT_EQ(directory_check(directory, 1, &where, STR("cn=a"), STR("word")), 0);
	listen_to(directory, &told);
	directory_destroy(directory);
	close_server();
	return told;
}

static struct told
search(bool paged, uint32_t most)
{
	static const struct str attributes[] = { STR_INIT("mail"), STR_INIT("cn") };
	struct directory *directory = NULL;
	struct told told = { 0 };
	open_server();
	const struct directory_search order = {
		.server = { .host = STR("127.0.0.1"), .port = server.port, .bind_dn = STR("cn=r"),
		            .password = STR("word") },
		.base = STR("dc=x"),
		.paged = paged,
		.most = most,
		.attribute_count = COUNT_OF(attributes),
		.attributes = attributes,
	};
	EXPECT_EQ(directory_create(&directory, NULL, NULL), 0);
	EXPECT_EQ(directory_search(directory, 1, &order), 0);
	listen_to(directory, &told);
	directory_destroy(directory);
	close_server();
	return told;
}

/* ------------------------------------------------------------------ passwords */

TEST(a_login_has_the_verdict_that_the_server_means)
{
	static const struct {
		uint8_t code;
		const char *text;
		enum directory_result wanted;
	} cases[] = {
		{ 0, "", DIRECTORY_OK },
		{ 49, "", DIRECTORY_WRONG_PASSWORD },
		{ 49, "80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, "
		      "data 52e, v1db1", DIRECTORY_WRONG_PASSWORD },
		{ 49, "80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, "
		      "data 532, v1db1", DIRECTORY_EXPIRED },
		{ 49, "data 775", DIRECTORY_EXPIRED },
		{ 32, "", DIRECTORY_WRONG_PASSWORD },
		{ 34, "", DIRECTORY_WRONG_PASSWORD },
		{ 48, "", DIRECTORY_WRONG_PASSWORD },
		{ 53, "not now", DIRECTORY_REFUSED },
		{ 51, "busy", DIRECTORY_UNREACHABLE },
		{ 10, "a referral", DIRECTORY_REFUSED },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin();
		say_bound(cases[i].code, cases[i].text, NULL);
		const struct told told = check();
		EXPECT_EQ(told.result, cases[i].wanted);
		EXPECT_EQ(told.text[0] == '\0', told.result == DIRECTORY_OK);
	}
}

TEST(a_password_policy_may_say_that_it_is_expired)
{
	for (unsigned expired = 0; expired < 2; expired++) {
		struct ber value = { 0 };
		struct ber control = { 0 };
		const uint8_t error = 2; /* change after reset */
		if (expired != 0)
			put(&value, 0x81, &error, 1);
		wrap(&value, 0x30);
		put_text(&control, 0x04, "1.3.6.1.4.1.42.2.27.8.5.1");
		put(&control, 0x04, value.bytes, value.len);
		wrap(&control, 0x30);
		begin();
		say_bound(0, "", &control);
		EXPECT_EQ(check().result, expired != 0 ? DIRECTORY_EXPIRED : DIRECTORY_OK);
	}
}

TEST(a_server_that_hangs_up_lets_nobody_in)
{
	begin();
	(void)next_line(); /* nothing is said, and it closes */
	EXPECT_EQ(check().result, DIRECTORY_UNREACHABLE);
	begin();
	struct ber *line = next_line();
	put_text(line, 0x30, "\x02\x01\x01\x61\x07 what is this");
	EXPECT(check().result != DIRECTORY_OK);
	begin();
	line = next_line();
	memcpy(line->bytes, "HTTP/1.1 200 OK\r\n\r\n", 19);
	line->len = 19;
	EXPECT(check().result != DIRECTORY_OK);
	/* A message that says of itself that it has 256 MB. */
	begin();
	line = next_line();
	memcpy(line->bytes, "\x30\x84\x10\x00\x00\x00\x02\x01\x01", 9);
	line->len = 9;
	EXPECT(check().result != DIRECTORY_OK);
}

/* ------------------------------------------------------------------ entries */

TEST(entries_come_with_the_first_value_of_what_was_asked_for)
{
	char long_value[DIRECTORY_VALUE_MAX + 2];
	memset(long_value, 'x', sizeof long_value - 1);
	long_value[sizeof long_value - 1] = '\0';
	begin();
	say_bound(0, "", NULL);
	struct ber *line = next_line();
	static struct ber reference;
	reference.len = 0;
	put_text(&reference, 0x04, "ldap://elsewhere.example/dc=y");
	say_entry(line, 2, "cn=ada,dc=x", PAIRS("MAIL", "ada@x", "cn", "Ada", "other", "y"));
	say_entry(line, 2, "cn=bob,dc=x", PAIRS("cn", "Bob"));
	say(line, 2, 0x73, &reference, NULL); /* nobody goes there */
	say_entry(line, 2, "cn=cyd,dc=x", PAIRS("mail", long_value, "cn", "Cyd"));
	say_entry(line, 2, "cn=dan,dc=x", (const char *const[]){ NULL });
	say_result(line, 2, 0x65, 0, "", NULL);
	const struct told told = search(false, 0);
	EXPECT_EQ(told.result, DIRECTORY_OK);
	EXPECT_STR(str_of(told.lines), "cn=ada,dc=x [ada@x] [Ada]\n"
	                               "cn=bob,dc=x [] [Bob]\n"
	                               "cn=cyd,dc=x [] [Cyd]\n"
	                               "cn=dan,dc=x [] []\n");
}

TEST(many_entries_come_in_batches_that_wait_for_their_owner)
{
	begin();
	say_bound(0, "", NULL);
	struct ber *line = next_line();
	for (unsigned i = 0; i < 10 * DIRECTORY_BATCH_ENTRIES_MAX; i++)
		say_entry(line, 2, "cn=a", PAIRS("cn", "A"));
	say_result(line, 2, 0x65, 0, "", NULL);
	const struct told told = search(false, 0);
	EXPECT_EQ(told.result, DIRECTORY_OK);
	EXPECT_EQ(told.entries, 10 * DIRECTORY_BATCH_ENTRIES_MAX);
	EXPECT_EQ(told.batches, 11); /* the last one says how it ended */
}

static void
say_page(uint8_t id, const char *dn, const char *cookie)
{
	struct ber value = { 0 };
	struct ber control = { 0 };
	struct ber *line = next_line();
	const uint8_t size = 0;
	put(&value, 0x02, &size, 1);
	put_text(&value, 0x04, cookie);
	wrap(&value, 0x30);
	put_text(&control, 0x04, "1.2.840.113556.1.4.319");
	put(&control, 0x04, value.bytes, value.len);
	wrap(&control, 0x30);
	say_entry(line, id, dn, PAIRS("cn", "A"));
	say_result(line, id, 0x65, 0, "", &control);
}

TEST(pages_are_asked_for_until_the_last)
{
	begin();
	say_bound(0, "", NULL);
	say_page(2, "cn=1", "more");
	say_page(3, "cn=2", "still more");
	say_page(4, "cn=3", "");
	const struct told told = search(true, 0);
	EXPECT_EQ(told.result, DIRECTORY_OK);
	EXPECT_EQ(server.heard, 4);
	EXPECT_STR(str_of(told.lines), "cn=1 [] [A]\ncn=2 [] [A]\ncn=3 [] [A]\n");
}

TEST(a_part_of_the_entries_is_never_taken_for_all)
{
	static const struct {
		uint8_t code;
		enum directory_result wanted;
	} cases[] = {
		{ 4, DIRECTORY_SIZE_LIMIT },
		{ 11, DIRECTORY_SIZE_LIMIT },
		{ 3, DIRECTORY_REFUSED }, /* time limit */
		{ 32, DIRECTORY_NO_BASE },
		{ 50, DIRECTORY_REFUSED },
		{ 52, DIRECTORY_UNREACHABLE },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin();
		say_bound(0, "", NULL);
		struct ber *line = next_line();
		say_entry(line, 2, "cn=a", PAIRS("cn", "A"));
		say_result(line, 2, 0x65, cases[i].code, "why", NULL);
		EXPECT_EQ(search(false, 0).result, cases[i].wanted);
	}
	/* Gone after an entry. */
	begin();
	say_bound(0, "", NULL);
	say_entry(next_line(), 2, "cn=a", PAIRS("cn", "A"));
	const struct told told = search(false, 0);
	EXPECT_EQ(told.result, DIRECTORY_UNREACHABLE);
	EXPECT_EQ(told.entries, 1);
}

TEST(as_many_as_were_wanted_are_enough)
{
	begin();
	say_bound(0, "", NULL);
	struct ber *line = next_line();
	say_entry(line, 2, "cn=a", PAIRS("cn", "A"));
	say_entry(line, 2, "cn=b", PAIRS("cn", "B"));
	say_result(line, 2, 0x65, 4, "", NULL);
	EXPECT_EQ(search(false, 2).result, DIRECTORY_OK);
}

TEST(whoever_may_not_bind_searches_nothing)
{
	begin();
	say_bound(49, "", NULL);
	const struct told told = search(true, 0);
	EXPECT_EQ(told.result, DIRECTORY_WRONG_PASSWORD);
	EXPECT_EQ(server.heard, 1);
}
