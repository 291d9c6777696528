/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a fuzz target without libFuzzer: every file named on the command line (or in a named
 * folder) is given as it is, then in -r N seeded mutations.  This is the smoke test that any
 * compiler and sanitizer can run; `./test --long` builds the same targets with libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	INPUT_BYTES_MAX = 1 << 17,
};

static unsigned mutations = 2000;
static unsigned long runs;

/* Exactly sized heap copies let ASan see the first byte read past the end. */
static void
give(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len != 0 ? len : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	runs++;
}

static size_t
mutate(struct prng *prng, uint8_t *bytes, size_t len)
{
	const unsigned changes = 1 + prng_below(prng, 8);
	for (unsigned i = 0; i < changes && len != 0; i++) {
		const uint32_t at = prng_below(prng, (uint32_t)len);
		switch (prng_below(prng, 5)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << prng_below(prng, 8));
			break;
		case 1:
			bytes[at] = (uint8_t)prng_u32(prng);
			break;
		case 2:
			len = at;
			break;
		case 3: /* cut a piece out */
			if (at + 1 < len) {
				const size_t cut = 1 + prng_below(prng, (uint32_t)(len - at - 1));
				memmove(bytes + at, bytes + at + cut, len - at - cut);
				len -= cut;
			}
			break;
		default: /* double a piece */
			if (len * 2 < INPUT_BYTES_MAX) {
				const size_t piece = 1 + prng_below(prng, (uint32_t)(len - at));
				memmove(bytes + at + piece, bytes + at, len - at);
				len += piece;
			}
			break;
		}
	}
	return len;
}

static void
give_file(const char *path)
{
	static uint8_t seed[INPUT_BYTES_MAX];
	static uint8_t bytes[INPUT_BYTES_MAX];
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	const size_t len = fread(seed, 1, sizeof seed, file);
	fclose(file);
	give(seed, len);

	struct prng prng;
	prng_init(&prng, len);
	for (unsigned i = 0; i < mutations; i++) {
		memcpy(bytes, seed, len);
		give(bytes, mutate(&prng, bytes, len));
	}
}

static void
give_path(const char *path)
{
	struct stat info;
	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
		give_file(path);
		return;
	}
	struct dirent **names = NULL;
	const int count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char inner[4096];
		snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			give_file(inner);
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	int first = 1;
	if (argc > 2 && strcmp(argv[1], "-r") == 0) {
		mutations = (unsigned)strtoul(argv[2], NULL, 10);
		first = 3;
	}
	for (int i = first; i < argc; i++)
		give_path(argv[i]);
	printf("%lu inputs\n", runs);
	return runs == 0;
}
