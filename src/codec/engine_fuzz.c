/* SPDX-License-Identifier: Apache-2.0 */
/* Any orders and any frames, in any order, through the engine and its real decoders and encoders.
 * Whatever comes: no crash, only what is open sends frames, in the codec and size it was opened
 * with, a key frame first; and a source is not asked for key frames more than once a second.
 *
 * Input: operations of one byte, operands behind. */
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	OP_FRAME,
	OP_SOURCE_CLOSE,
	OP_CANVAS_SET,
	OP_CANVAS_CLOSE,
	OP_ENCODE_OPEN,
	OP_ENCODE_RATE,
	OP_ENCODE_KEY,
	OP_ENCODE_CLOSE,
	OP_WAIT,
	OPS,
	OPS_MAX = 300,
	IDS = 4, /* of sources, canvases and encodes; 0 is none */
	WAIT_US = 10000,
	SECOND_US = 1000000,
};

struct run {
	struct codec_engine *engine;
	int64_t now_us;
	struct codec_encode encodes[IDS];
	bool open[IDS];
	bool started[IDS]; /* its first frame came */
	int64_t asked_us[IDS];
	bool asked[IDS];
};

static void
on_message(void *context, const struct codec_message *message)
{
	struct run *run = context;
	if (message->kind == CODEC_FRAME) {
		CHECK(message->id < IDS && run->open[message->id]);
		const struct codec_encode *encode = &run->encodes[message->id];
		CHECK(message->len > 0 && message->len <= VIDEO_FRAME_BYTES_MAX);
		CHECK(message->frame.codec == encode->codec);
		CHECK(message->frame.width == encode->width &&
		      message->frame.height == encode->height);
		CHECK(message->frame.key || run->started[message->id]);
		CHECK(message->frame.captured_us == run->now_us);
		run->started[message->id] = true;
	} else if (message->kind == CODEC_SOURCE_KEY) {
		const uint32_t source = video_source_leg(message->source);
		CHECK(source != 0 && source < IDS);
		CHECK(!run->asked[source] || run->now_us - run->asked_us[source] >= SECOND_US);
		run->asked[source] = true;
		run->asked_us[source] = run->now_us;
	} else {
		CHECK(message->kind == CODEC_LOAD);
		CHECK(message->load.encodes < IDS && message->load.sources < IDS);
	}
}

static struct canvas
any_canvas(struct reader *r)
{
	struct canvas canvas = { .screen = reader_u8(r) % 4, .labels = true };
	const uint8_t flags = reader_u8(r);
	canvas.pane_count = flags % 8;
	canvas.recording = (flags & 8) != 0;
	canvas.counter = flags & 0x30;
	canvas.message_place = flags >> 6;
	for (unsigned i = 0; i < canvas.pane_count; i++) {
		struct canvas_pane *pane = &canvas.panes[i];
		pane->x = (uint16_t)(reader_u8(r) * 8);
		pane->y = (uint16_t)(reader_u8(r) * 5);
		pane->width = (uint16_t)(reader_u8(r) * 8);
		pane->height = (uint16_t)(reader_u8(r) * 5);
		const uint8_t look = reader_u8(r);
		pane->source = video_source(look % IDS, VIDEO_TRACK_MAIN);
		pane->fit = look >> 2 & 1;
		pane->over = (look & 8) != 0;
		pane->talking = (look & 16) != 0;
		pane->audio_muted = (look & 32) != 0;
	}
	return canvas;
}

static struct codec_encode
any_encode(struct reader *r)
{
	const uint8_t what = reader_u8(r);
	return (struct codec_encode){ .canvas = what % IDS,
		                      .source = video_source(what / IDS % IDS, VIDEO_TRACK_MAIN),
		                      .codec = (uint8_t)(what >> 4 & 3),
		                      .single_nals = (what & 64) != 0,
		                      .detail = (what & 128) != 0,
		                      .fps = reader_u8(r),
		                      .width = reader_u8(r),
		                      .height = reader_u8(r),
		                      .bps = reader_u8(r) * 4000u };
}

static void
any_frame(struct codec_message *message, struct reader *r)
{
	const uint8_t what = reader_u8(r);
	message->source = video_source(what % IDS, VIDEO_TRACK_MAIN);
	message->frame.codec = (uint8_t)(what >> 2 & 7);
	message->frame.key = (what & 32) != 0;
	message->frame.rotation = (uint16_t)((what >> 6) * 90);
	const size_t wanted = reader_u16(r);
	message->len = wanted < reader_left(r) ? wanted : reader_left(r);
	message->bytes = reader_take(r, message->len);
}

static void
work(struct run *run, int64_t wait_us)
{
	const int64_t end_us = run->now_us + wait_us;
	for (;;) {
		const int64_t due_us = codec_engine_deadline(run->engine);
		if (due_us > end_us)
			break;
		run->now_us = due_us > run->now_us ? due_us : run->now_us;
		codec_engine_tick(run->engine, run->now_us);
	}
	run->now_us = end_us;
}

static void
operate(struct run *run, struct reader *r)
{
	const unsigned op = reader_u8(r) % OPS;
	struct canvas canvas;
	struct codec_message message = { .kind = (uint8_t)op };
	if (op == OP_WAIT) {
		work(run, reader_u8(r) * WAIT_US);
		return;
	}
	if (op == OP_FRAME) {
		any_frame(&message, r);
		message.frame.captured_us = run->now_us;
	} else {
		message.id = reader_u8(r) % IDS;
		message.source = video_source(message.id, VIDEO_TRACK_MAIN);
	}
	if (op == OP_CANVAS_SET) {
		canvas = any_canvas(r);
		message.canvas = &canvas;
	}
	if (op == OP_ENCODE_OPEN || op == OP_ENCODE_RATE)
		message.encode = any_encode(r);
	if (op == OP_ENCODE_OPEN && message.id != 0) {
		/* One that is refused leaves what is open as it is; then it is as it was opened. */
		const uint64_t refused = codec_engine_load(run->engine).orders_refused;
		codec_engine_input(run->engine, &message, run->now_us);
		if (codec_engine_load(run->engine).orders_refused == refused) {
			run->encodes[message.id] = message.encode;
			run->open[message.id] = true;
			run->started[message.id] = false;
		}
		return;
	}
	if (op == OP_ENCODE_CLOSE)
		run->open[message.id] = false;
	if (op == OP_SOURCE_CLOSE)
		run->asked[message.id] = false;
	codec_engine_input(run->engine, &message, run->now_us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static_assert(OP_FRAME == (int)CODEC_SOURCE_FRAME &&
	                      OP_ENCODE_CLOSE == (int)CODEC_ENCODE_CLOSE,
	              "operations are messages");
	struct run run = { .now_us = SECOND_US };
	const struct codec_engine_settings settings = { .sink = { &run, on_message } };
	struct reader r = reader_of(bytes, len);
	CHECK(codec_engine_create(&run.engine, &settings, run.now_us) == 0);
	for (unsigned i = 0; i < OPS_MAX && reader_left(&r) != 0; i++)
		operate(&run, &r);
	work(&run, SECOND_US / 10);
	codec_engine_destroy(run.engine);
	return 0;
}
