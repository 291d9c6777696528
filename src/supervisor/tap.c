/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "net/parent.h"
#include "supervisor/privilege.h"

enum { BACKLOG = 4 };

/* Whose it is to be. */
struct order {
	uid_t uid;
	gid_t gid;
};

/* -- one message and a descriptor -------------------------------------------------------------- */

static int
send_fd(int to, const void *bytes, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof control;
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(head), &fd, sizeof fd);
	}
	return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

static int
receive_fd(int from, void *bytes, size_t len, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		                  .msg_controllen = sizeof control };
	*fd = -1;
	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != (ssize_t)len)
		return -EPIPE;
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(head), sizeof *fd);
	return 0;
}

static bool
address_of(struct sockaddr_un *out, const struct data_dir *dir)
{
	char path[DATA_PATH_MAX + 64];
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_copy(out->sun_path, sizeof out->sun_path,
	                str_of(data_dir_file(path, dir, "run/tap.sock")));
}

/* -- the supervisor's side --------------------------------------------------------------------- */

/* Nothing of the terminal: whoever waits for its end is not to wait for this process. */
static void
become_tap(int line)
{
	const int null = open("/dev/null", O_RDWR);
	setsid();
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null >= 0 && dup2(line, PARENT_FD) == PARENT_FD)
		execl("/proc/self/exe", "convoke", "tap", (char *)NULL);
	_exit(1);
}

int
tap_start(void)
{
	int fds[2];
	if (!privilege_may_tap())
		return -EPERM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return -errno;
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		/* A grandchild: nobody has to wait for it. */
		if (fork() == 0)
			become_tap(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (pid > 0) {
		siginfo_t info;
		(void)waitid(P_PID, (id_t)pid, &info, WEXITED);
		return fds[0];
	}
	const int rc = -errno;
	close(fds[0]);
	return rc;
}

int
tap_serve(int tap, const struct data_dir *dir)
{
	struct sockaddr_un address;
	const struct order order = { geteuid(), getegid() };
	if (!address_of(&address, dir))
		return -ENAMETOOLONG;
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(address.sun_path);
	const mode_t before = umask(077);
	int rc = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
	                         listen(fd, BACKLOG) == 0
	                 ? 0
	                 : -errno;
	umask(before);
	if (rc == 0)
		rc = send_fd(tap, &order, sizeof order, fd);
	close(fd);
	return rc;
}

/* -- the process ------------------------------------------------------------------------------- */

static int
open_packets(const char *iface)
{
	const unsigned index = if_nametoindex(iface);
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
		                       .sll_protocol = htons(ETH_P_ALL),
		                       .sll_ifindex = (int)index };
	if (index == 0)
		return -ENODEV;
	/* Of protocol 0 it hears nothing until it is bound. */
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	const int rc = -errno;
	close(fd);
	return rc;
}

static void
answer(int caller)
{
	const struct timeval patience = { .tv_sec = 1 };
	struct ucred who;
	socklen_t len = sizeof who;
	char iface[IF_NAMESIZE] = "";
	int32_t result;
	(void)setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (getsockopt(caller, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || who.uid != geteuid() ||
	    recv(caller, iface, sizeof iface - 1, 0) <= 0)
		return;
	const int fd = open_packets(iface);
	result = fd < 0 ? fd : 0;
	(void)send_fd(caller, &result, sizeof result, fd);
	if (fd >= 0)
		close(fd);
}

int
tap_main(void)
{
	struct order order;
	int listener;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, "convoke tap", 0, 0, 0);
	if (receive_fd(PARENT_FD, &order, sizeof order, &listener) != 0 || listener < 0 ||
	    privilege_keep_tap(order.uid, order.gid) != 0)
		return 1;
	struct pollfd fds[] = { { .fd = PARENT_FD, .events = POLLIN },
		                { .fd = listener, .events = POLLIN } };
	while (poll(fds, COUNT_OF(fds), -1) >= 0 || errno == EINTR) {
		if (fds[0].revents != 0)
			return 0; /* the supervisor is gone */
		if ((fds[1].revents & POLLIN) == 0)
			continue;
		const int caller = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (caller < 0)
			continue;
		answer(caller);
		close(caller);
	}
	return 1;
}

/* -- who asks ---------------------------------------------------------------------------------- */

int
tap_ask(const struct data_dir *dir, const char *iface)
{
	struct sockaddr_un address;
	const struct timeval patience = { .tv_sec = 5 };
	int32_t result = -EPROTO;
	int packets = -1;
	if (!address_of(&address, dir))
		return -ENAMETOOLONG;
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	int rc = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : -errno;
	if (rc == 0 && send(fd, iface, strlen(iface), MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (rc == 0)
		rc = receive_fd(fd, &result, sizeof result, &packets);
	close(fd);
	if (rc == 0 && result != 0)
		rc = result;
	if (rc == 0 && packets < 0)
		rc = -EPROTO;
	return rc == 0 ? packets : rc;
}
