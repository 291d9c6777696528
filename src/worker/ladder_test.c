/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: whatever a receiver limits, every rung it may be sent is within the limits, in ascending order,
 * and the largest that fits is among them. */
#include "worker/ladder.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

static const struct ladder_rung *
top(struct ladder_rung rungs[LADDER_RUNGS_MAX], const struct ladder_limits *limits)
{
	const unsigned count = ladder_fill(rungs, limits);
	return count != 0 ? &rungs[count - 1] : NULL;
}

TEST(without_limits_the_top_is_full_hd)
{
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	const struct ladder_rung *rung = top(rungs, &(struct ladder_limits){ 0 });
	EXPECT(rung->height == 1080 && rung->width == 1920 && rung->fps == 30);
	rung = top(rungs, &(struct ladder_limits){ .detail = true });
	EXPECT(rung->height == 1080 && rung->fps == 30);
}

TEST(detail_keeps_its_size_and_gives_up_frames)
{
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	const struct ladder_rung *rung =
		top(rungs, &(struct ladder_limits){ .detail = true, .bps_max = 900000 });
	EXPECT(rung->height == 1080 && rung->fps == 5);
	rung = top(rungs, &(struct ladder_limits){ .bps_max = 900000 });
	EXPECT(rung->height == 540 && rung->fps == 30);
}

TEST(a_tile_gets_the_first_rung_that_fills_it)
{
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	EXPECT_EQ(top(rungs, &(struct ladder_limits){ .height_wanted = 200 })->height, 270);
	EXPECT_EQ(top(rungs, &(struct ladder_limits){ .height_wanted = 360 })->height, 360);
	EXPECT_EQ(top(rungs, &(struct ladder_limits){ .height_wanted = 360 })->fps, 30);
	EXPECT_EQ(top(rungs, &(struct ladder_limits){ .height_wanted = 4000 })->height, 1080);
}

TEST(a_source_is_not_made_larger_and_keeps_its_shape)
{
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	const struct ladder_rung *rung =
		top(rungs, &(struct ladder_limits){ .source_width = 640, .source_height = 480 });
	EXPECT(rung->width == 640 && rung->height == 480);
	rung = top(rungs, &(struct ladder_limits){ .source_width = 1080,
	                                           .source_height = 1920,
	                                           .height_max = 720 });
	EXPECT(rung->height > rung->width);
	EXPECT(rung->width * rung->height <= 1280 * 720);
	EXPECT((unsigned)rung->height * 1080 / rung->width - 1920 < 40 ||
	       1920 - (unsigned)rung->height * 1080 / rung->width < 40);
}

TEST(nothing_fits_a_receiver_that_takes_next_to_nothing)
{
	struct ladder_rung rungs[LADDER_RUNGS_MAX];
	EXPECT_EQ(ladder_fill(rungs, &(struct ladder_limits){ .bps_max = 10000 }), 0);
	EXPECT_EQ(ladder_fill(rungs, &(struct ladder_limits){ .frame_macroblocks_max = 10 }), 0);
	EXPECT_EQ(ladder_fill(rungs, &(struct ladder_limits){ .macroblocks_per_s_max = 100 }), 0);
}

static uint32_t
macroblocks(const struct ladder_rung *rung)
{
	return (uint32_t)((rung->width + 15) / 16) * (uint32_t)((rung->height + 15) / 16);
}

TEST(every_rung_keeps_every_limit)
{
	struct prng prng;
	prng_init(&prng, 3);
	for (unsigned i = 0; i < 20000; i++) {
		struct ladder_rung rungs[LADDER_RUNGS_MAX];
		const struct ladder_limits limits = {
			.detail = prng_below(&prng, 2) != 0,
			.height_max = (uint16_t)(prng_below(&prng, 2) * prng_below(&prng, 1200)),
			.height_wanted = (uint16_t)(prng_below(&prng, 2) * prng_below(&prng, 1200)),
			.fps_max = (uint8_t)(prng_below(&prng, 2) * prng_below(&prng, 60)),
			.bps_max = prng_below(&prng, 2) * prng_below(&prng, 4000000),
			.frame_macroblocks_max = prng_below(&prng, 2) * prng_below(&prng, 9000),
			.macroblocks_per_s_max = prng_below(&prng, 2) * prng_below(&prng, 250000),
			.source_width = (uint16_t)(prng_below(&prng, 2) * prng_below(&prng, 4096)),
			.source_height = (uint16_t)prng_below(&prng, 4096),
		};
		const unsigned count = ladder_fill(rungs, &limits);
		EXPECT(count <= LADDER_RUNGS_MAX);
		for (unsigned r = 0; r < count; r++) {
			const struct ladder_rung *rung = &rungs[r];
			EXPECT(r == 0 || rung->bps > rungs[r - 1].bps);
			EXPECT(rung->width % 2 == 0 && rung->height % 2 == 0);
			EXPECT(rung->width >= 32 && rung->height >= 32 && rung->fps >= LADDER_FPS_MIN);
			EXPECT(limits.fps_max == 0 || rung->fps <= limits.fps_max);
			EXPECT(limits.bps_max == 0 || rung->bps <= limits.bps_max);
			EXPECT(limits.frame_macroblocks_max == 0 ||
			       macroblocks(rung) <= limits.frame_macroblocks_max);
			EXPECT(limits.macroblocks_per_s_max == 0 ||
			       macroblocks(rung) * rung->fps <= limits.macroblocks_per_s_max);
		}
	}
}
