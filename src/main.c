/* SPDX-License-Identifier: Apache-2.0 */
/* convoke -- one executable: the supervisor, its commands, and every component. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/check.h"
#include "callbridge/callbridge.h"
#include "codec/codec_process.h"
#include "ssh/ssh.h"
#include "supervisor/license.h"
#include "supervisor/supervisor.h"
#include "supervisor/tap.h"
#include "webbridge/webbridge.h"

static const char usage[] =
	"usage: convoke up [--data DIR] [--detach]   start everything; DIR is ./data by default\n"
	"       convoke status [--data DIR]          what runs; 0 when everything answers\n"
	"       convoke down [--data DIR]            end calls, then everything\n"
	"       convoke mmp [--data DIR] [COMMAND]   settings; try: convoke mmp help\n"
	"       convoke callbridge|webbridge|ssh [--data DIR]   one component by itself\n"
	"       convoke license make|sign ...        for those who resell: keys and licence files\n"
	"       convoke version\n";

struct options {
	const char *data_dir;
	bool detach;
	int rest, end; /* indices of the first word that is no option, and after the last */
};

/* `mmp` takes the rest as it is; but --data, which no command of its own has, may end it. */
static bool
read_options(struct options *options, int argc, char **argv)
{
	*options = (struct options){ .data_dir = "data", .rest = 2 };
	if (argc > 4 && strcmp(argv[argc - 2], "--data") == 0) {
		options->data_dir = argv[argc - 1];
		argc -= 2;
	}
	options->end = argc;
	for (; options->rest < argc && argv[options->rest][0] == '-'; options->rest++) {
		const char *word = argv[options->rest];
		if (strcmp(word, "--detach") == 0)
			options->detach = true;
		else if (strcmp(word, "--data") == 0 && options->rest + 1 < argc)
			options->data_dir = argv[++options->rest];
		else if (strncmp(word, "--data=", 7) == 0)
			options->data_dir = word + 7;
		else
			return false;
	}
	return true;
}

static int
run(const char *verb, const struct options *options, char **argv)
{
	if (strcmp(verb, "mmp") == 0)
		return supervisor_mmp(options->data_dir, options->end - options->rest,
		                      argv + options->rest);
	if (options->rest == options->end) {
		if (strcmp(verb, "up") == 0)
			return supervisor_up(options->data_dir, options->detach);
		if (strcmp(verb, "down") == 0)
			return supervisor_down(options->data_dir);
		if (strcmp(verb, "status") == 0)
			return supervisor_status(options->data_dir);
		if (strcmp(verb, config_component_name(CONFIG_CALLBRIDGE)) == 0)
			return supervisor_component(options->data_dir, CONFIG_CALLBRIDGE,
			                            callbridge_main);
		if (strcmp(verb, config_component_name(CONFIG_WEBBRIDGE)) == 0)
			return supervisor_component(options->data_dir, CONFIG_WEBBRIDGE,
			                            webbridge_main);
		if (strcmp(verb, config_component_name(CONFIG_SSH)) == 0)
			return supervisor_component(options->data_dir, CONFIG_SSH, ssh_main);
		if (strcmp(verb, "version") == 0) {
			puts(CONVOKE_VERSION);
			return 0;
		}
	}
	fputs(usage, stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct options options;
	/* A peer that is gone is an error to be handled, not the end. */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "convoke", 0, 0, 0);
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	/* Started by the Call Bridge: its own arguments. */
	if (argc >= 2 && strcmp(argv[1], "codec") == 0)
		return codec_process_main(argc - 2, argv + 2);
	/* Started by the supervisor, with a privilege that nobody else has. */
	if (argc == 2 && strcmp(argv[1], "tap") == 0)
		return tap_main();
	/* Started by the SSH server, for one connection. */
	if (argc >= 2 && strcmp(argv[1], "ssh-session") == 0)
		return ssh_session_main(argc - 2, argv + 2);
	/* Of those who resell: no data folder is asked. */
	if (argc >= 2 && strcmp(argv[1], "license") == 0)
		return license_tool(argc - 2, argv + 2);
	if (argc < 2 || !read_options(&options, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	return run(argv[1], &options, argv);
}
