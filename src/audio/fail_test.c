/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: pools, detectors and prompts are made whole or not at all; a prompt that finds no memory is
 * left out and told.  Method: each allocation fails once. */
#include "audio/audio_codec.h"
#include "audio/dtmf_detect.h"
#include "audio/jitter_buffer.h"
#include "audio/prompts.h"
#include "base/fail_at.h"
#include "base/test.h"

static bool
make_codec_pool(void *context)
{
	(void)context;
	const struct audio_codec_pool_settings settings = { 4, 4, 4, 4 };
	struct audio_codec_pool *pool = NULL;
	const int rc = audio_codec_pool_create(&pool, &settings);
	EXPECT_EQ(rc == 0, pool != NULL);
	audio_codec_pool_destroy(pool);
	return rc == 0;
}

static bool
make_jitter_pool(void *context)
{
	(void)context;
	struct jitter_pool *pool = NULL;
	const int rc = jitter_pool_create(&pool, 64);
	jitter_pool_destroy(pool);
	return rc == 0;
}

static bool
make_detector(void *context)
{
	(void)context;
	struct dtmf_detect *detect = NULL;
	const int rc = dtmf_detect_create(&detect);
	dtmf_detect_destroy(detect);
	return rc == 0;
}

static void
told(void *context, const char *path, const char *why)
{
	unsigned *bad = context;
	(void)path;
	(void)why;
	(*bad)++;
}

static bool
make_prompts(void *context)
{
	(void)context;
	struct prompts *prompts = NULL;
	unsigned bad = 0;
	const int rc = prompts_create(&prompts, PROMPTS_DIR, told, &bad);
	prompts_destroy(prompts);
	return rc == 0 && bad == 0;
}

TEST(what_sound_needs_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make_codec_pool, NULL) > 8);
	EXPECT_EQ(fail_at_each(make_jitter_pool, NULL), 2);
	EXPECT_EQ(fail_at_each(make_detector, NULL), 1);
	EXPECT(fail_at_each(make_prompts, NULL) > 5);
}
