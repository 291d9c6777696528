/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "codec/engine_internal.h"

struct engine_source *
engine_source_find(struct codec_engine *engine, video_source_id id)
{
	if (id == 0)
		return NULL;
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++)
		if (engine->sources[i].id == id)
			return &engine->sources[i];
	return NULL;
}

/* Its place is free afterwards. */
void
engine_source_close(struct codec_engine *engine, struct engine_source *source, int64_t now_us)
{
	source->id = 0;
	source->shown_as.picture = NULL;
	engine_connect(engine, now_us); /* nobody finds it any more */
	decoder_destroy(source->decoder);
	compose_source_fini(&source->shown_as);
	*source = (struct engine_source){ 0 };
}

static struct engine_source *
source_open(struct codec_engine *engine, video_source_id id, int64_t now_us)
{
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++) {
		struct engine_source *source = &engine->sources[i];
		if (source->id != 0)
			continue;
		*source = (struct engine_source){ .id = id,
			                          .frame_us = now_us,
			                          .picture_us = now_us,
			                          .key_asked_us = now_us - ENGINE_KEY_AGAIN_US };
		engine_connect(engine, now_us);
		return source;
	}
	return NULL;
}

static void
ask_key(struct codec_engine *engine, struct engine_source *source, int64_t now_us)
{
	if (!source->shown || now_us - source->key_asked_us < ENGINE_KEY_AGAIN_US)
		return;
	source->key_asked_us = now_us;
	engine->sink.message(
	        engine->sink.context,
	        &(struct codec_message){ .kind = CODEC_SOURCE_KEY, .source = source->id });
}

static void
hide_picture(struct engine_source *source)
{
	source->shown_as.picture = NULL;
	source->shown_as.version = 0;
}

/* A frame is left out: what follows cannot be decoded without a key frame. */
static void
leave_out(struct engine_source *source)
{
	if (source->decoder != NULL)
		decoder_restart(source->decoder);
}

static bool
decoder_ready(struct engine_source *source, enum video_codec codec)
{
	if (source->decoder != NULL && source->codec == codec)
		return true;
	hide_picture(source);
	decoder_destroy(source->decoder);
	source->decoder = NULL;
	source->codec = codec;
	return decoder_create(&source->decoder, codec) == 0;
}

static void
decode(struct codec_engine *engine, struct engine_source *source,
       const struct codec_message *message, int64_t now_us)
{
	const struct codec_frame *frame = &message->frame;
	switch (decoder_input(source->decoder, message->bytes, message->len, frame->key)) {
	case DECODER_PICTURE:
		engine->load.frames_decoded++;
		source->shown_as.picture = decoder_picture(source->decoder);
		source->shown_as.version = ++engine->versions;
		source->shown_as.rotation = frame->rotation;
		source->picture_us = now_us;
		source->broken = false;
		break;
	case DECODER_NOTHING:
		break;
	case DECODER_BROKEN:
		engine->load.frames_broken++;
		source->broken = true;
		ask_key(engine, source, now_us);
		break;
	case DECODER_WAITING:
		source->broken = true;
		ask_key(engine, source, now_us);
		break;
	}
}

void
engine_source_frame(struct codec_engine *engine, const struct codec_message *message,
                    int64_t now_us)
{
	const struct codec_frame *frame = &message->frame;
	if (message->source == 0 || frame->codec <= VIDEO_CODEC_NONE ||
	    frame->codec >= VIDEO_CODEC_COUNT || frame->rotation % 90 != 0 ||
	    frame->rotation >= 360 || message->len == 0) {
		engine->load.frames_dropped++;
		return;
	}
	struct engine_source *source = engine_source_find(engine, message->source);
	if (source == NULL)
		source = source_open(engine, message->source, now_us);
	if (source == NULL) {
		engine->load.frames_dropped++;
		return;
	}
	source->frame_us = now_us;
	if (!source->shown) {
		leave_out(source);
		return;
	}
	if (now_us - frame->captured_us > ENGINE_FRAME_AGE_US ||
	    !decoder_ready(source, frame->codec)) {
		engine->load.frames_dropped++;
		leave_out(source);
		ask_key(engine, source, now_us);
		return;
	}
	decode(engine, source, message, now_us);
}

void
engine_source_show(struct codec_engine *engine, struct engine_source *source, bool shown,
                   int64_t now_us)
{
	if (source->shown == shown)
		return;
	source->shown = shown;
	/* One that has sent frames nobody decoded; a new one begins with a key frame by itself. */
	const bool missed = source->decoder == NULL || decoder_waiting(source->decoder);
	if (shown && missed && source->frame_us < now_us)
		ask_key(engine, source, now_us);
}

static int64_t
silent_us(const struct engine_source *source)
{
	return video_source_track(source->id) == VIDEO_TRACK_CONTENT ? CODEC_CONTENT_SILENT_US
	                                                             : CODEC_SOURCE_SILENT_US;
}

void
engine_sources_age(struct codec_engine *engine, int64_t now_us)
{
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++) {
		struct engine_source *source = &engine->sources[i];
		if (source->id == 0)
			continue;
		const bool silent = now_us - source->frame_us > silent_us(source);
		const bool stuck = source->broken && now_us - source->picture_us > ENGINE_BROKEN_US;
		/* Also a picture nobody saw for so long would be an old one when it is shown. */
		const bool old = now_us - source->picture_us > CODEC_SOURCE_SILENT_US;
		if (silent || stuck || (old && !source->shown))
			hide_picture(source);
		if (!source->shown && now_us - source->frame_us > ENGINE_FORGET_US)
			engine_source_close(engine, source, now_us);
	}
}
