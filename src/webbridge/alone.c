/* SPDX-License-Identifier: Apache-2.0 */
/* The component without a supervisor: webbridge DATA reads DATA/convoke.conf and runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/files.h"
#include "webbridge/webbridge.h"

enum { PATH_BYTES = 1024 };

int
main(int argc, char **argv)
{
	static struct config config;
	struct config_error error = { 0 };
	char path[PATH_BYTES];
	char *text = NULL;
	size_t len = 0;
	if (argc != 2) {
		fprintf(stderr, "usage: webbridge DATA\n");
		return 2;
	}
	snprintf(path, sizeof path, "%s/convoke.conf", argv[1]);
	const int rc = file_read(path, CONFIG_BYTES_MAX, &text, &len);
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-rc));
		return 1;
	}
	const bool good = config_parse(&config, (struct str){ .at = text, .len = len }, &error);
	free(text);
	if (!good) {
		fprintf(stderr, "%s:%u: %s\n", path, error.line, error.text);
		return 1;
	}
	return webbridge_main(argv[1], &config);
}
