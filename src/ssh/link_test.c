/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what one half says is what the other hears, and what is no message is refused.  Method: every
 * kind there and back, over a real pair of sockets with a descriptor; every prefix of a message. */
#include "ssh/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

static char buffer[LINK_BYTES_MAX];

TEST(a_message_arrives_as_it_was_sent)
{
	int pair[2], pipe_fds[2], fd;
	EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	EXPECT_EQ(pipe(pipe_fds), 0);
	for (unsigned kind = LINK_LOGIN; kind < LINK_KINDS; kind++) {
		const struct link_message sent = { (enum link_kind)kind, -13, 1 << 30, 1763600000,
			                           STR("admin"), STR("s3cret") };
		struct link_message got;
		if (kind == LINK_FROM_BACK)
			continue;
		EXPECT_EQ(link_send(pair[0], &sent, -1), 0);
		EXPECT_EQ(link_receive(pair[1], buffer, &got, &fd), 0);
		EXPECT_EQ(fd, -1);
		EXPECT_EQ(got.kind, sent.kind);
		EXPECT_EQ(got.number, -13);
		EXPECT_EQ(got.size, 1 << 30);
		EXPECT_EQ(got.time, 1763600000);
		EXPECT_STR(got.text, "admin");
		EXPECT_STR(got.more, "s3cret");
	}
	const struct link_message with = { .kind = LINK_RESULT };
	struct link_message got;
	EXPECT_EQ(link_send(pair[0], &with, pipe_fds[1]), 0);
	EXPECT_EQ(link_receive(pair[1], buffer, &got, &fd), 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, "x", 1), 1);
	char c = 0;
	EXPECT_EQ(read(pipe_fds[0], &c, 1), 1);
	EXPECT_EQ(c, 'x');
	close(fd);
	close(pair[0]);
	EXPECT_EQ(link_receive(pair[1], buffer, &got, &fd), -EPIPE);
	close(pair[1]);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

TEST(the_longest_texts_fit)
{
	static char text[LINK_TEXT_MAX];
	struct writer w = writer_of(buffer, sizeof buffer);
	const struct link_message sent = { .kind = LINK_SAY,
		                           .text = { text, sizeof text },
		                           .more = { text, sizeof text } };
	struct link_message got;
	link_write(&w, &sent);
	EXPECT(!w.failed);
	EXPECT(link_read(&got, buffer, w.at));
}

TEST(what_is_no_message_is_refused)
{
	char bytes[128];
	struct writer w = writer_of(bytes, sizeof bytes - 1);
	const struct link_message sent = { .kind = LINK_RUN, .text = STR("version") };
	struct link_message got;
	int pair[2], fd;
	link_write(&w, &sent);
	for (size_t len = 0; len < w.at; len++)
		EXPECT(!link_read(&got, bytes, len));
	EXPECT(link_read(&got, bytes, w.at));
	EXPECT(!link_read(&got, bytes, w.at + 1));
	static const uint8_t kinds[] = { 0, LINK_FROM_BACK, LINK_KINDS, 255 };
	for (size_t i = 0; i < sizeof kinds; i++) {
		bytes[0] = (char)kinds[i];
		EXPECT(!link_read(&got, bytes, w.at));
	}
	EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	EXPECT_EQ(write(pair[0], "nonsense", 8), 8);
	EXPECT_EQ(link_receive(pair[1], buffer, &got, &fd), -EPROTO);
	close(pair[0]);
	close(pair[1]);
}
