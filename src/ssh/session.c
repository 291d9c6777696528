/* SPDX-License-Identifier: Apache-2.0 */
/* `convoke ssh-session`: a connection becomes two processes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "ssh/back.h"
#include "ssh/front.h"
#include "ssh/ssh.h"

enum {
	COMPONENT_FD = 3,
	CONNECTION_FD = 4,
	HOST_NAME_MAX_BYTES = 65,
	NICENESS = 5, /* calls come first */
};

/* The first part of this machine's name. */
static void
find_host_name(char out[HOST_NAME_MAX_BYTES])
{
	out[0] = '\0';
	if (gethostname(out, HOST_NAME_MAX_BYTES - 1) != 0 || out[0] == '\0')
		str_copy(out, HOST_NAME_MAX_BYTES, STR("convoke"));
	out[HOST_NAME_MAX_BYTES - 1] = '\0';
	out[strcspn(out, ".")] = '\0';
}

_Noreturn static void
become_front(const struct data_dir *dir, int link)
{
	char key[DATA_PATH_MAX + 64], name[HOST_NAME_MAX_BYTES];
	find_host_name(name);
	prctl(PR_SET_NAME, "convoke ssh", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGXFSZ, SIG_IGN); /* a write that is too large is an error like others */
	close(COMPONENT_FD);
	const struct front_settings settings = {
		.connection = CONNECTION_FD,
		.link = link,
		.host_key = data_dir_file(key, dir, "ssh_host_ed25519"),
		.host_name = name,
	};
	front_run(&settings);
}

int
ssh_session_main(int argc, char **argv)
{
	static struct data_dir dir;
	struct net_addr from;
	char error[DATA_ERROR_MAX];
	int link[2];
	if (argc != 2 || !data_dir_find(&dir, argv[0], error) ||
	    (!addr_parse(&from, str_of(argv[1])) && !addr_parse_ip(&from, str_of(argv[1]))))
		return 2;
	umask(077);
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0)
		return 1;
	const pid_t front = fork();
	if (front < 0)
		return 1;
	if (front == 0) {
		close(link[0]);
		become_front(&dir, link[1]);
	}
	close(link[1]);
	close(CONNECTION_FD);
	back_run(&dir, &from, link[0], COMPONENT_FD);
}
