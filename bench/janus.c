/* SPDX-License-Identifier: Apache-2.0 */
#include "janus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { INPUT_LINE = 64 };

static bool
spawn(struct janus *janus, const char *script, unsigned per_room, int core)
{
	int in[2];
	int out[2];
	char room[16];
	char cpu[16];
	if (pipe(in) != 0 || pipe(out) != 0)
		return false;
	snprintf(room, sizeof room, "%u", per_room);
	snprintf(cpu, sizeof cpu, "%d", core);
	janus->script = fork();
	if (janus->script == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		execl(script, script, room, cpu, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	janus->to_script = in[1];
	janus->from_script = fdopen(out[0], "r");
	return janus->script > 0 && janus->from_script != NULL;
}

bool
janus_start(struct janus *janus, const char *script, const struct net_addr *legs, unsigned count,
            unsigned per_room, int core)
{
	char line[INPUT_LINE];
	*janus = (struct janus){ .to_script = -1 };
	janus->legs = calloc(count, sizeof *janus->legs);
	CHECK(janus->legs != NULL);
	if (!spawn(janus, script, per_room, core))
		return false;
	/* "PORT\n" for each leg, an empty line, then the answer: "PID\n" and a port for each. */
	for (unsigned i = 0; i < count; i++) {
		const int len = snprintf(line, sizeof line, "%d.%d.%d.%d %u\n", legs[i].ip[0],
		                         legs[i].ip[1], legs[i].ip[2], legs[i].ip[3], legs[i].port);
		if (write(janus->to_script, line, (size_t)len) != len)
			return false;
	}
	if (write(janus->to_script, "\n", 1) != 1 ||
	    fgets(line, sizeof line, janus->from_script) == NULL)
		return false;
	janus->pid = (pid_t)strtol(line, NULL, 10);
	for (unsigned i = 0; i < count; i++) {
		if (fgets(line, sizeof line, janus->from_script) == NULL)
			return false;
		janus->legs[i] = addr_ip4(127, 0, 0, 1, (uint16_t)strtol(line, NULL, 10));
	}
	return janus->pid > 0;
}

void
janus_stop(struct janus *janus)
{
	if (janus->to_script >= 0)
		close(janus->to_script);
	if (janus->script > 0)
		waitpid(janus->script, NULL, 0);
	if (janus->from_script != NULL)
		fclose(janus->from_script);
	free(janus->legs);
	*janus = (struct janus){ .to_script = -1 };
}
