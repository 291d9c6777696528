/* SPDX-License-Identifier: Apache-2.0 */
/* h224_property -- what holds for any bytes, for the unit tests and the fuzz target alike. */
#ifndef FECC_H224_PROPERTY_H
#define FECC_H224_PROPERTY_H

#include "base/check.h"
#include "fecc/h224.h"

/* What was accepted is within its bounds, and means the same when we write it. */
static inline void
h224_property(const uint8_t *bytes, size_t len)
{
	struct h224_frame frame;
	struct h224_frame again;
	uint8_t written[H224_PAYLOAD_BYTES_MAX];
	if (h224_parse(&frame, bytes, len) != H224_OK || frame.kind == H224_OTHER)
		return;
	CHECK(frame.source_count <= H224_SOURCES_MAX);
	CHECK(frame.presets <= 15 && frame.preset <= 15 && frame.source <= 15 && frame.mode <= 3);
	if (frame.kind == H281_START)
		CHECK(frame.timeout_ms >= 50 && frame.timeout_ms <= 800);
	for (unsigned axis = 0; axis < H281_AXES; axis++)
		(void)h281_direction(frame.action, (enum h281_axis)axis);

	struct writer w = writer_of(written, sizeof written);
	h224_write(&w, &frame);
	CHECK(!w.failed);
	CHECK(h224_parse(&again, written, w.at) == H224_OK);
	CHECK(again.kind == frame.kind && again.camera == frame.camera &&
	      again.presets == frame.presets && again.source_count == frame.source_count &&
	      again.action == frame.action && again.timeout_ms == frame.timeout_ms &&
	      again.source == frame.source && again.mode == frame.mode &&
	      again.preset == frame.preset);
	for (unsigned i = 0; i < frame.source_count; i++)
		CHECK(again.sources[i].source == frame.sources[i].source &&
		      again.sources[i].can == frame.sources[i].can &&
		      again.sources[i].motion == frame.sources[i].motion);
}

#endif
