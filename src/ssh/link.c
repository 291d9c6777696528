/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

static struct str
read_text(struct reader *r)
{
	const size_t len = reader_u16(r);
	const uint8_t *at = reader_take(r, len);
	if (at == NULL || len > LINK_TEXT_MAX) {
		r->failed = true;
		return (struct str){ 0 };
	}
	return (struct str){ (const char *)at, len };
}

bool
link_read(struct link_message *out, const void *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct link_message message = { .kind = (enum link_kind)reader_u8(&r) };
	message.number = (int64_t)reader_u64(&r);
	message.size = (int64_t)reader_u64(&r);
	message.time = (int64_t)reader_u64(&r);
	message.text = read_text(&r);
	message.more = read_text(&r);
	if (r.failed || reader_left(&r) != 0 || message.kind < LINK_LOGIN ||
	    message.kind == LINK_FROM_BACK || message.kind >= LINK_KINDS)
		return false;
	*out = message;
	return true;
}

static void
write_text(struct writer *w, struct str text)
{
	CHECK(text.len <= LINK_TEXT_MAX);
	writer_u16(w, (uint16_t)text.len);
	writer_str(w, text);
}

void
link_write(struct writer *w, const struct link_message *message)
{
	writer_u8(w, (uint8_t)message->kind);
	writer_u64(w, (uint64_t)message->number);
	writer_u64(w, (uint64_t)message->size);
	writer_u64(w, (uint64_t)message->time);
	write_text(w, message->text);
	write_text(w, message->more);
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
link_send(int socket, const struct link_message *message, int fd)
{
	char bytes[LINK_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	link_write(&w, message);
	CHECK(!w.failed);
	union control control = { 0 };
	struct iovec part = { bytes, w.at };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd >= 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof control.bytes;
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	}
	ssize_t sent;
	while ((sent = sendmsg(socket, &header, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
	}
	const int rc = sent < 0 ? -errno : 0;
	explicit_bzero(bytes, w.at); /* there may be a password in it */
	return rc;
}

static int
taken_fd(struct msghdr *header)
{
	int fd = -1;
	struct cmsghdr *rights = CMSG_FIRSTHDR(header);
	if (rights != NULL && rights->cmsg_level == SOL_SOCKET &&
	    rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(rights), sizeof fd);
	return fd;
}

int
link_receive(int socket, char buffer[LINK_BYTES_MAX], struct link_message *out, int *fd)
{
	union control control = { 0 };
	struct iovec part = { buffer, LINK_BYTES_MAX };
	struct msghdr header = { .msg_iov = &part,
		                 .msg_iovlen = 1,
		                 .msg_control = control.bytes,
		                 .msg_controllen = sizeof control.bytes };
	ssize_t len;
	while ((len = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
	}
	*fd = -1;
	if (len <= 0)
		return len == 0 ? -EPIPE : -errno;
	*fd = taken_fd(&header);
	if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    link_read(out, buffer, (size_t)len))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EPROTO;
}
