/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/sftp_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Whatever is asked, in whatever pieces: every request that is taken has one answer, names are flat,
 * and nothing stays open. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct sftp sftp;
	static struct world world;
	world_init(&world);
	sftp_init(&sftp, &world.functions);
	bool good = true;
	while (good && len != 0) {
		size_t piece = (size_t)bytes[0] + 1 < len ? (size_t)bytes[0] + 1 : len;
		len -= piece;
		while (good && piece != 0) {
			good = sftp_input(&sftp, &bytes, &piece);
			const struct str out = sftp_output(&sftp);
			struct reader r = reader_of(out.at, out.len);
			CHECK(out.len == 0 || reader_u32(&r) == out.len - 4);
		}
		CHECK(world_count_open(&world) <= SFTP_HANDLES_MAX);
	}
	sftp_fini(&sftp);
	CHECK(world_count_open(&world) == 0);
	return 0;
}
