/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "codec/engine_internal.h"

int
codec_engine_create(struct codec_engine **out, const struct codec_engine_settings *settings,
                    int64_t now_us)
{
	CHECK(settings->sink.message != NULL);
	struct codec_engine *engine = calloc(1, sizeof *engine);
	if (engine == NULL)
		return -ENOMEM;
	engine->sink = settings->sink;
	engine->housekeeping_us = now_us + ENGINE_HOUSEKEEPING_US;
	engine->second_us = now_us + ENGINE_SECOND_US;
	engine->window_us = now_us + ENGINE_SHED_WINDOW_US;
	const int rc = composer_create(&engine->composer, settings->fonts);
	if (rc != 0) {
		free(engine);
		return rc;
	}
	*out = engine;
	return 0;
}

void
codec_engine_destroy(struct codec_engine *engine)
{
	if (engine == NULL)
		return;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		encoder_destroy(engine->encodes[i].encoder);
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		composition_destroy(engine->compositions[i].composition);
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++) {
		decoder_destroy(engine->sources[i].decoder);
		compose_source_fini(&engine->sources[i].shown_as);
	}
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		free(engine->canvases[i].canvas);
	composer_destroy(engine->composer);
	free(engine);
}

void
codec_engine_input(struct codec_engine *engine, const struct codec_message *message, int64_t now_us)
{
	struct engine_source *source;
	switch ((enum codec_message_kind)message->kind) {
	case CODEC_SOURCE_FRAME:
		engine_source_frame(engine, message, now_us);
		break;
	case CODEC_SOURCE_CLOSE:
		source = engine_source_find(engine, message->source);
		if (source != NULL)
			engine_source_close(engine, source, now_us);
		break;
	case CODEC_CANVAS_SET:
		engine_canvas_set(engine, message->id, message->canvas, now_us);
		break;
	case CODEC_CANVAS_CLOSE:
		engine_canvas_close(engine, message->id, now_us);
		break;
	case CODEC_ENCODE_OPEN:
		engine_encode_open(engine, message->id, &message->encode, now_us);
		break;
	case CODEC_ENCODE_RATE:
		engine_encode_rate(engine, message->id, &message->encode);
		break;
	case CODEC_ENCODE_KEY:
		engine_encode_key(engine, message->id, now_us);
		break;
	case CODEC_ENCODE_CLOSE:
		engine_encode_close(engine, message->id, now_us);
		break;
	case CODEC_FRAME:
	case CODEC_SOURCE_KEY:
	case CODEC_LOAD:
	case CODEC_MESSAGE_KINDS:
		break; /* nobody sends these here */
	}
	engine->look_again = true;
}

static bool
is_working(const struct codec_load *load)
{
	return load->sources != 0 || load->encodes != 0;
}

static void
tell_load(struct codec_engine *engine)
{
	const struct codec_load load = codec_engine_load(engine);
	if (is_working(&load))
		engine->sink.message(engine->sink.context,
		                     &(struct codec_message){ .kind = CODEC_LOAD, .load = load });
}

void
codec_engine_spent(struct codec_engine *engine, int64_t busy_us)
{
	engine->busy_us += busy_us;
}

static void
close_shed_window(struct codec_engine *engine, int64_t window_us)
{
	const int64_t busy_pct = engine->busy_us * 100 / window_us;
	engine->busy_us = 0;
	engine->calm_windows = busy_pct < ENGINE_CALM_PCT ? engine->calm_windows + 1 : 0;
	if (busy_pct >= ENGINE_BUSY_PCT && engine->shed < ENGINE_SHED_MAX)
		engine->shed++;
	if (engine->calm_windows < ENGINE_CALM_WINDOWS)
		return;
	engine->calm_windows = 0;
	if (engine->shed > 0)
		engine->shed--;
}

void
codec_engine_tick(struct codec_engine *engine, int64_t now_us)
{
	if (now_us >= engine->housekeeping_us) {
		engine->housekeeping_us = now_us + ENGINE_HOUSEKEEPING_US;
		engine_sources_age(engine, now_us);
		engine->look_again = true;
	}
	if (now_us >= engine->window_us) {
		close_shed_window(engine, ENGINE_SHED_WINDOW_US + now_us - engine->window_us);
		engine->window_us = now_us + ENGINE_SHED_WINDOW_US;
	}
	if (now_us >= engine->second_us) {
		engine->second_us = now_us + ENGINE_SECOND_US;
		tell_load(engine);
	}
	if (engine->look_again)
		engine_look(engine);
	engine->look_again = false;
	engine_compose(engine, now_us);
}

int64_t
codec_engine_deadline(const struct codec_engine *engine)
{
	if (engine->look_again)
		return INT64_MIN;
	const int64_t compose_us = engine_compose_due(engine);
	int64_t deadline_us = engine->housekeeping_us;
	if (engine->second_us < deadline_us)
		deadline_us = engine->second_us;
	if (engine->window_us < deadline_us)
		deadline_us = engine->window_us;
	const struct codec_load load = codec_engine_load(engine);
	if (!is_working(&load))
		deadline_us = INT64_MAX;
	return compose_us < deadline_us ? compose_us : deadline_us;
}

struct codec_load
codec_engine_load(const struct codec_engine *engine)
{
	struct codec_load load = engine->load;
	load.sources = load.canvases = load.encodes = 0;
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++)
		load.sources += engine->sources[i].id != 0 && engine->sources[i].decoder != NULL;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		load.canvases += engine->compositions[i].encodes != 0;
		load.encodes += engine->encodes[i].id != 0;
	}
	return load;
}
