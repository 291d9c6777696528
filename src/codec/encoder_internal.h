/* SPDX-License-Identifier: Apache-2.0 */
/* What encoder.c and the two libraries behind it share. */
#ifndef CODEC_ENCODER_INTERNAL_H
#define CODEC_ENCODER_INTERNAL_H

#include "codec/encoder.h"

struct encoder;

struct encoder_library {
	int (*open)(struct encoder *encoder);
	void (*close)(struct encoder *encoder);
	/* As settings.bps and .fps now say. */
	void (*set_rate)(struct encoder *encoder);
	enum encoder_result (*input)(struct encoder *encoder, struct encoder_frame *frame,
	                             const struct picture *picture, bool key, int64_t elapsed_us);
};

struct encoder {
	const struct encoder_library *library;
	struct encoder_settings settings;
	void *state; /* of the library */
	bool key_wanted;
	int64_t first_us; /* of the first picture; -1 before it */
	int64_t last_us;
};

extern const struct encoder_library encoder_h264;
extern const struct encoder_library encoder_vp8;

#endif
