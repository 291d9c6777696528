/* SPDX-License-Identifier: Apache-2.0 */
/* The codec process alone, for tests: `codec_process_run codec ...`. */
#include "codec/codec_process.h"

int
main(int argc, char **argv)
{
	return argc < 2 ? 2 : codec_process_main(argc - 2, argv + 2);
}
