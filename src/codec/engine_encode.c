/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "codec/engine_internal.h"

/* ---- Canvases ------------------------------------------------------------------------------ */

static struct engine_canvas *
canvas_find(struct codec_engine *engine, uint32_t id)
{
	for (unsigned i = 0; i < CODEC_CANVASES_MAX; i++)
		if (engine->canvases[i].id == id)
			return &engine->canvases[i];
	return NULL;
}

static struct engine_canvas *
canvas_open(struct codec_engine *engine, uint32_t id)
{
	struct engine_canvas *place = canvas_find(engine, 0);
	if (place == NULL)
		return NULL;
	place->canvas = calloc(1, sizeof *place->canvas);
	if (place->canvas == NULL)
		return NULL;
	place->id = id;
	return place;
}

/* One source alone: whole, without a word. */
static struct canvas
canvas_of_source(video_source_id source)
{
	struct canvas canvas = { .screen = CANVAS_SCREEN_PANES, .pane_count = 1 };
	canvas.panes[0] = (struct canvas_pane){ .width = CANVAS_WIDTH,
		                                .height = CANVAS_HEIGHT,
		                                .source = source,
		                                .fit = CANVAS_FIT_WHOLE };
	return canvas;
}

static void
give_canvas(struct codec_engine *engine, struct engine_composition *composition)
{
	if (composition->canvas == 0) {
		const struct canvas canvas = canvas_of_source(composition->source);
		composition_set_canvas(composition->composition, &canvas);
		composition->known = true;
		return;
	}
	const struct engine_canvas *canvas = canvas_find(engine, composition->canvas);
	composition->known = canvas != NULL;
	if (canvas != NULL)
		composition_set_canvas(composition->composition, canvas->canvas);
}

void
engine_canvas_set(struct codec_engine *engine, uint32_t id, const struct canvas *canvas,
                  int64_t now_us)
{
	if (id == 0 || canvas == NULL || !canvas_valid(canvas)) {
		engine->load.orders_refused++;
		return;
	}
	struct engine_canvas *place = canvas_find(engine, id);
	if (place != NULL && canvas_eq(place->canvas, canvas))
		return;
	if (place == NULL)
		place = canvas_open(engine, id);
	if (place == NULL) {
		engine->load.orders_refused++;
		return;
	}
	*place->canvas = *canvas;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		if (engine->compositions[i].encodes != 0 && engine->compositions[i].canvas == id)
			give_canvas(engine, &engine->compositions[i]);
	engine_connect(engine, now_us);
}

void
engine_canvas_close(struct codec_engine *engine, uint32_t id, int64_t now_us)
{
	struct engine_canvas *place = id != 0 ? canvas_find(engine, id) : NULL;
	if (place == NULL)
		return;
	free(place->canvas);
	*place = (struct engine_canvas){ 0 };
	/* Its encodes are closed by who opened them; until then nothing new comes from them. */
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		if (engine->compositions[i].encodes != 0 && engine->compositions[i].canvas == id)
			engine->compositions[i].known = false;
	engine_connect(engine, now_us);
}

static const struct canvas *
canvas_shown(struct codec_engine *engine, const struct engine_composition *composition,
             struct canvas *of_source)
{
	if (composition->canvas != 0) {
		const struct engine_canvas *canvas = canvas_find(engine, composition->canvas);
		return canvas != NULL ? canvas->canvas : NULL;
	}
	*of_source = canvas_of_source(composition->source);
	return of_source;
}

/* What a composition does not show it is told, too: it lends the source's pictures. */
static void
connect_composition(struct codec_engine *engine, struct engine_composition *composition,
                    bool shown[CODEC_SOURCES_MAX])
{
	struct compose_source *behind[CANVAS_PANES_MAX] = { NULL };
	struct canvas of_source;
	const struct canvas *canvas = canvas_shown(engine, composition, &of_source);
	const bool panes = canvas != NULL && canvas->screen == CANVAS_SCREEN_PANES;
	for (unsigned i = 0; panes && i < canvas->pane_count; i++) {
		struct engine_source *source = engine_source_find(engine, canvas->panes[i].source);
		if (source == NULL)
			continue;
		behind[i] = &source->shown_as;
		shown[source - engine->sources] = true;
	}
	composition_set_sources(composition->composition, behind);
}

void
engine_connect(struct codec_engine *engine, int64_t now_us)
{
	bool shown[CODEC_SOURCES_MAX] = { false };
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		if (engine->compositions[i].encodes != 0)
			connect_composition(engine, &engine->compositions[i], shown);
	for (unsigned i = 0; i < CODEC_SOURCES_MAX; i++)
		if (engine->sources[i].id != 0)
			engine_source_show(engine, &engine->sources[i], shown[i], now_us);
}

/* ---- Encodes ------------------------------------------------------------------------------- */

static struct engine_encode *
encode_find(struct codec_engine *engine, uint32_t id)
{
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++)
		if (engine->encodes[i].id == id)
			return &engine->encodes[i];
	return NULL;
}

static void
find_fps(struct codec_engine *engine, struct engine_composition *composition)
{
	composition->fps = 1;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		const struct engine_encode *encode = &engine->encodes[i];
		if (encode->id != 0 && encode->composition == composition &&
		    encode->settings.fps > composition->fps)
			composition->fps = encode->settings.fps;
	}
	if (composition->fps > ENCODER_FPS_MAX)
		composition->fps = ENCODER_FPS_MAX;
}

static struct engine_composition *
composition_for(struct codec_engine *engine, const struct codec_encode *settings, int64_t now_us)
{
	struct engine_composition *place = NULL;
	const video_source_id source = settings->canvas == 0 ? settings->source : 0;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		struct engine_composition *composition = &engine->compositions[i];
		if (composition->encodes == 0) {
			place = place == NULL ? composition : place;
			continue;
		}
		if (composition->canvas == settings->canvas && composition->source == source &&
		    composition->width == settings->width &&
		    composition->height == settings->height) {
			composition->encodes++;
			return composition;
		}
	}
	CHECK(place != NULL); /* as many as encodes */
	*place = (struct engine_composition){ .canvas = settings->canvas,
		                              .source = source,
		                              .width = settings->width,
		                              .height = settings->height,
		                              .due_us = now_us,
		                              .wanted_us = INT64_MAX };
	if (composition_create(&place->composition, engine->composer, settings->width,
	                       settings->height) != 0)
		return NULL;
	place->encodes = 1;
	give_canvas(engine, place);
	engine_connect(engine, now_us);
	return place;
}

static bool
settings_allowed(const struct codec_encode *settings)
{
	return (settings->codec == VIDEO_CODEC_H264 || settings->codec == VIDEO_CODEC_VP8) &&
	       (settings->canvas != 0 || settings->source != 0) && settings->fps != 0 &&
	       settings->width % 2 == 0 && settings->width >= PICTURE_SIDE_MIN &&
	       settings->width <= VIDEO_SIDE_MAX && settings->height % 2 == 0 &&
	       settings->height >= PICTURE_SIDE_MIN && settings->height <= VIDEO_SIDE_MAX &&
	       settings->width * settings->height <= PICTURE_PIXELS_MAX;
}

void
engine_encode_open(struct codec_engine *engine, uint32_t id, const struct codec_encode *settings,
                   int64_t now_us)
{
	struct engine_encode *encode = NULL;
	struct engine_composition *composition = NULL;
	if (id != 0 && settings_allowed(settings)) {
		engine_encode_close(engine, id, now_us); /* opened again: as it is now wanted */
		encode = encode_find(engine, 0);
	}
	if (encode != NULL)
		composition = composition_for(engine, settings, now_us);
	if (composition == NULL) {
		engine->load.orders_refused++;
		return;
	}
	*encode = (struct engine_encode){ .id = id,
		                          .settings = *settings,
		                          .composition = composition,
		                          .key_wanted = true,
		                          .key_us = now_us,
		                          .due_us = now_us };
	composition->wanted_us = now_us;
	find_fps(engine, composition);
}

void
engine_encode_rate(struct codec_engine *engine, uint32_t id, const struct codec_encode *settings)
{
	struct engine_encode *encode = id != 0 ? encode_find(engine, id) : NULL;
	if (encode == NULL || settings->fps == 0)
		return;
	encode->settings.bps = settings->bps;
	encode->settings.fps = settings->fps;
	if (encode->encoder != NULL)
		encoder_set_rate(encode->encoder, settings->bps, settings->fps);
	find_fps(engine, encode->composition);
}

/* A key frame that is waited for, as soon as may be. */
static void
want(struct engine_encode *encode, int64_t now_us)
{
	const int64_t at_us = now_us > encode->key_us ? now_us : encode->key_us;
	if (at_us < encode->composition->wanted_us)
		encode->composition->wanted_us = at_us;
}

void
engine_encode_key(struct codec_engine *engine, uint32_t id, int64_t now_us)
{
	struct engine_encode *encode = id != 0 ? encode_find(engine, id) : NULL;
	if (encode == NULL)
		return;
	encode->key_wanted = true;
	want(encode, now_us);
}

void
engine_encode_close(struct codec_engine *engine, uint32_t id, int64_t now_us)
{
	struct engine_encode *encode = id != 0 ? encode_find(engine, id) : NULL;
	if (encode == NULL)
		return;
	struct engine_composition *composition = encode->composition;
	encoder_destroy(encode->encoder);
	*encode = (struct engine_encode){ 0 };
	if (--composition->encodes == 0) {
		composition_destroy(composition->composition);
		*composition = (struct engine_composition){ 0 };
		engine_connect(engine, now_us);
	} else {
		find_fps(engine, composition);
	}
}

/* ---- When ---------------------------------------------------------------------------------- */

static int64_t
interval_us(const struct codec_engine *engine, unsigned fps)
{
	return ((int64_t)ENGINE_SECOND_US << engine->shed) / fps;
}

/* A composition's next moment: never, or when it may be made if it is due to be. */
static int64_t
composition_due(const struct engine_composition *composition)
{
	if (composition->encodes == 0 || !composition->known)
		return INT64_MAX;
	int64_t due_us = composition->due_us;
	if (!composition->changed && composition->drawn)
		due_us = composition->refresh_us;
	return composition->wanted_us < due_us ? composition->wanted_us : due_us;
}

int64_t
engine_compose_due(const struct codec_engine *engine)
{
	int64_t due_us = INT64_MAX;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		const int64_t at_us = composition_due(&engine->compositions[i]);
		due_us = at_us < due_us ? at_us : due_us;
	}
	return due_us;
}

void
engine_look(struct codec_engine *engine)
{
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		struct engine_composition *composition = &engine->compositions[i];
		if (composition->encodes != 0)
			composition->changed = composition_changed(composition->composition);
	}
}

/* Pictures keep to their beat while they are less than one beat late; what is later is let go of,
 * not made up for. */
static void
set_next_due(const struct codec_engine *engine, struct engine_composition *composition,
             int64_t now_us)
{
	const int64_t beat_us = interval_us(engine, composition->fps);
	const int64_t late_us = now_us - composition->due_us;
	if (late_us >= 0 && late_us < beat_us) {
		composition->due_us += beat_us;
		return;
	}
	composition->due_us = now_us + beat_us;
}

/* ---- Encoding ------------------------------------------------------------------------------ */

static bool
encoder_ready(struct engine_encode *encode, int64_t now_us)
{
	if (encode->encoder != NULL)
		return true;
	if (now_us < encode->retry_us)
		return false;
	const struct codec_encode *wanted = &encode->settings;
	const struct encoder_settings settings = { .codec = wanted->codec,
		                                   .width = wanted->width,
		                                   .height = wanted->height,
		                                   .fps = wanted->fps,
		                                   .bps = wanted->bps,
		                                   .single_nals = wanted->single_nals,
		                                   .detail = wanted->detail };
	if (encoder_create(&encode->encoder, &settings) == 0)
		return true;
	encode->encoder = NULL;
	encode->retry_us = now_us + ENGINE_SECOND_US;
	return false;
}

static void
send_frame(struct codec_engine *engine, const struct engine_encode *encode,
           const struct encoder_frame *frame, int64_t now_us)
{
	engine->load.frames_encoded++;
	engine->sink.message(
	        engine->sink.context,
	        &(struct codec_message){ .kind = CODEC_FRAME,
	                                 .id = encode->id,
	                                 .frame = { .captured_us = now_us,
	                                            .codec = encode->settings.codec,
	                                            .key = frame->key,
	                                            .width = encode->settings.width,
	                                            .height = encode->settings.height },
	                                 .bytes = frame->bytes,
	                                 .len = frame->len });
}

static void
encode_picture(struct codec_engine *engine, struct engine_encode *encode, int64_t now_us)
{
	const int64_t beat_us = interval_us(engine, encode->settings.fps);
	const int64_t early_us = encode->due_us - now_us;
	const bool key = encode->key_wanted && now_us >= encode->key_us;
	if (!key && early_us > beat_us / 4)
		return; /* its own frames per second are fewer */
	encode->due_us = early_us > -beat_us ? encode->due_us + beat_us : now_us + beat_us;
	if (!encoder_ready(encode, now_us))
		return;
	struct encoder_frame frame;
	switch (encoder_input(encode->encoder, &frame,
	                      composition_picture(encode->composition->composition), key, now_us)) {
	case ENCODER_FRAME:
		if (frame.key) {
			encode->key_wanted = false;
			encode->key_us = now_us + ENGINE_KEY_EVERY_US;
		}
		send_frame(engine, encode, &frame, now_us);
		break;
	case ENCODER_SKIPPED:
		break;
	case ENCODER_FAILED:
		encoder_destroy(encode->encoder);
		encode->encoder = NULL;
		encode->key_wanted = true;
		encode->retry_us = now_us + ENGINE_SECOND_US;
		break;
	}
}

/* `still`: nothing changed since the picture before. */
static void
set_refresh(struct engine_composition *composition, bool still, int64_t now_us)
{
	composition->refreshes = still ? composition->refreshes + 1 : 0;
	composition->refresh_us =
	        now_us + (composition->refreshes < ENGINE_REFRESHES_SOON ? ENGINE_REFRESH_SOON_US
	                                                                 : ENGINE_REFRESH_US);
}

static void
compose(struct codec_engine *engine, struct engine_composition *composition, int64_t now_us)
{
	const bool still = composition->drawn && !composition->changed;
	/* Only for a key frame: those who did not ask have this picture already. */
	const bool key_only =
	        still && composition->wanted_us <= now_us && now_us < composition->refresh_us;
	if (!still) {
		composition_draw(composition->composition);
		engine->load.frames_composed++;
		engine->load.frames_dropped += (1u << engine->shed) - 1; /* those not made */
	}
	composition->drawn = true;
	composition->changed = false;
	composition->wanted_us = INT64_MAX;
	if (!key_only) {
		set_next_due(engine, composition, now_us);
		set_refresh(composition, still, now_us);
	}
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		struct engine_encode *encode = &engine->encodes[i];
		if (encode->id == 0 || encode->composition != composition)
			continue;
		if (!key_only || encode->key_wanted)
			encode_picture(engine, encode, now_us);
		/* A key frame that may not be yet, or was left out to hold the rate. */
		if (encode->key_wanted && encode->encoder != NULL)
			want(encode, now_us + interval_us(engine, encode->settings.fps));
	}
}

void
engine_compose(struct codec_engine *engine, int64_t now_us)
{
	struct engine_composition *first = NULL;
	int64_t first_us = INT64_MAX;
	for (unsigned i = 0; i < CODEC_ENCODES_MAX; i++) {
		const int64_t due_us = composition_due(&engine->compositions[i]);
		if (due_us < first_us) {
			first = &engine->compositions[i];
			first_us = due_us;
		}
	}
	if (first != NULL && first_us <= now_us)
		compose(engine, first, now_us);
}
