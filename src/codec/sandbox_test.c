/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the address sanitizer finds in a locked in process is told, with the way that led there.
 * Method: a child that locks itself in and writes behind its memory. */
#include "codec/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

static void
write_behind_memory(void)
{
	const struct sandbox_settings settings = { .read_fd = -1, .write_fd = STDERR_FILENO };
	if (sandbox_enter(&settings) != 0)
		_exit(2);
	char *volatile bytes = malloc(10);
	bytes[10] = 1;
	_exit(3);
}

TEST(what_is_found_in_a_locked_in_process_is_told)
{
	static char said[65536];
	int report[2];
	int status = 0;
	EXPECT_EQ(pipe(report), 0);
	const pid_t child = fork();
	if (child == 0) {
		dup2(report[1], STDERR_FILENO);
		write_behind_memory();
	}
	close(report[1]);
	size_t len = 0;
	for (ssize_t got; (got = read(report[0], said + len, sizeof said - 1 - len)) > 0;)
		len += (size_t)got;
	close(report[0]);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT(!WIFEXITED(status) || WEXITSTATUS(status) == 1);
	EXPECT(strstr(said, "heap-buffer-overflow") != NULL);
	EXPECT(strstr(said, "#1 ") != NULL && strstr(said, "located 0 bytes") != NULL);
}
