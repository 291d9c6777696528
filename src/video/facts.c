/* SPDX-License-Identifier: Apache-2.0 */
#include "video/facts.h"

#include "base/check.h"
#include "video/av1.h"
#include "video/h264.h"
#include "video/vp8.h"
#include "video/vp9.h"

const char *
video_reject_name(enum video_reject reject)
{
	static const char *const names[] = { "ok",       "codec",  "short", "type",
		                             "fragment", "length", "bit",   "value" };
	static_assert(COUNT_OF(names) == VIDEO_REJECT_COUNT, "each has a name");
	CHECK(reject < VIDEO_REJECT_COUNT);
	return names[reject];
}

enum video_reject
video_facts_parse(struct video_facts *out, enum video_codec codec, const uint8_t *payload,
                  size_t len)
{
	switch (codec) {
	case VIDEO_CODEC_H264:
		return h264_facts_parse(out, payload, len);
	case VIDEO_CODEC_VP8:
		return vp8_facts_parse(out, payload, len);
	case VIDEO_CODEC_VP9:
		return vp9_facts_parse(out, payload, len);
	case VIDEO_CODEC_AV1:
		return av1_facts_parse(out, payload, len);
	case VIDEO_CODEC_NONE:
	case VIDEO_CODEC_COUNT:
		break;
	}
	return VIDEO_REJECT_CODEC;
}

enum { LONG_PICTURE_ID = 0x80 }; /* M: RFC 7741 s4.2, RFC 9628 s4.2 */

void
video_facts_read_picture_id(struct video_facts *facts, struct reader *r)
{
	facts->picture_id_at = (uint8_t)r->at;
	facts->picture_id = reader_u8(r);
	facts->picture_id_bits = 7;
	if ((facts->picture_id & LONG_PICTURE_ID) != 0) {
		facts->picture_id = (uint16_t)((facts->picture_id & 0x7f) << 8 | reader_u8(r));
		facts->picture_id_bits = 15;
	}
}

void
video_facts_rewrite(uint8_t *payload, const struct video_facts *facts, uint16_t picture_id,
                    uint8_t tl0_index)
{
	uint8_t *id = payload + facts->picture_id_at;
	if (facts->picture_id_bits == 15) {
		id[0] = (uint8_t)(LONG_PICTURE_ID | picture_id >> 8);
		id[1] = (uint8_t)picture_id;
	} else if (facts->picture_id_bits == 7) {
		id[0] = (uint8_t)(picture_id & 0x7f);
	}
	if (facts->tl0_index_at != 0)
		payload[facts->tl0_index_at] = tl0_index;
}
