/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/brand.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct brand {
	atomic_uint references;
	size_t bytes;
	struct wav wavs[PROMPTS];
	uint8_t *files[PROMPTS]; /* what the views look into */
	size_t lens[PROMPTS];
};

int
brand_create(struct brand **out)
{
	struct brand *brand = calloc(1, sizeof *brand);
	if (brand == NULL)
		return -ENOMEM;
	atomic_init(&brand->references, 1);
	*out = brand;
	return 0;
}

int
brand_add(struct brand *brand, enum prompt prompt, const void *bytes, size_t len,
          enum wav_reject *reject)
{
	struct wav wav;
	CHECK(prompt > PROMPT_NONE && prompt < PROMPTS);
	CHECK(atomic_load_explicit(&brand->references, memory_order_relaxed) == 1);
	*reject = wav_parse(&wav, bytes, len);
	if (*reject != WAV_OK)
		return 0;
	if (len > BRAND_BYTES_MAX || brand->bytes - brand->lens[prompt] + len > BRAND_BYTES_MAX)
		return -E2BIG;
	uint8_t *copy = malloc(len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	const enum wav_reject again = wav_parse(&wav, copy, len);
	CHECK(again == WAV_OK);
	free(brand->files[prompt]);
	brand->bytes += len - brand->lens[prompt];
	brand->files[prompt] = copy;
	brand->lens[prompt] = len;
	brand->wavs[prompt] = wav;
	return 0;
}

struct brand *
brand_get(struct brand *brand)
{
	if (brand != NULL)
		atomic_fetch_add_explicit(&brand->references, 1, memory_order_relaxed);
	return brand;
}

void
brand_put(struct brand *brand)
{
	/* Whoever frees has seen all that others did with it. */
	if (brand == NULL ||
	    atomic_fetch_sub_explicit(&brand->references, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned prompt = 0; prompt < PROMPTS; prompt++)
		free(brand->files[prompt]);
	free(brand);
}

const struct wav *
brand_find(const struct brand *brand, enum prompt prompt)
{
	CHECK(prompt < PROMPTS);
	return brand != NULL && brand->files[prompt] != NULL ? &brand->wavs[prompt] : NULL;
}
