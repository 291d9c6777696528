/* SPDX-License-Identifier: Apache-2.0 */
/* What of pictures is no parameter: the JSON of layout templates, the steering of cameras, key
 * frames. */
#include "api/api_internal.h"
#include "meeting/view.h"

/* ------------------------------------------------------------------ templates */

void
template_read(struct work *work, uint32_t template)
{
	const struct str text =
	        objects_text(work->objects, OBJECT_LAYOUT_TEMPLATE, template, LAYOUT_TEMPLATE_TEXT);
	work->has_body = work->as_it_is = true;
	work->doc.w.at = 0;
	writer_str(&work->doc.w, text.len != 0 ? text : STR("{\"templates\":[]}"));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* In place: a template has no strings with spaces that mean something. */
static struct str
without_spaces(char *bytes, size_t len)
{
	size_t to = 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_space(bytes[i]))
			bytes[to++] = bytes[i];
	}
	return (struct str){ bytes, to };
}

/* An empty body takes the panes away. */
void
template_write(struct work *work, uint32_t template)
{
	char error[LAYOUT_ERROR_MAX];
	struct layout_template read;
	const struct str given = { work->slot->body, work->slot->body_len };
	if (str_trim(given).len != 0 && !layout_template_read(&read, given, error)) {
		work_fail_parameter(work, STR("template"), error);
		return;
	}
	const struct str text = without_spaces(work->slot->body, work->slot->body_len);
	if (text.len > LAYOUT_TEXT_MAX) {
		work_fail(work, 400, "layoutTemplateDescriptionTooLong");
		return;
	}
	int culprit = -1;
	struct object_edit edit = { .type = OBJECT_LAYOUT_TEMPLATE };
	edit_set_text(&edit, LAYOUT_TEMPLATE_TEXT, text);
	objects_begin(work->objects);
	const enum object_reject reject = objects_edit(work->objects, template, &edit, &culprit);
	work_finish(work, reject, OBJECT_LAYOUT_TEMPLATE, culprit);
	if (reject == OBJECT_OK)
		work_log(work, "modified", OBJECT_LAYOUT_TEMPLATE, &work->path.ids[0], NULL);
}

/* ------------------------------------------------------------------ legs */

struct axis {
	const char *name;
	const char *less;
	const char *more;
};

static bool
read_axis(struct work *work, const struct axis *axis, uint8_t *move)
{
	const struct str word = form_get(&work->form, str_of(axis->name));
	if (word.len == 0)
		return true;
	if (str_eq_nocase(word, str_of(axis->less)))
		*move = CAMERA_LESS;
	else if (str_eq_nocase(word, str_of(axis->more)))
		*move = CAMERA_MORE;
	else
		work_fail_parameter(work, str_of(axis->name), "invalidValue");
	return *move != CAMERA_STILL;
}

void
camera_control(struct work *work, uint32_t leg)
{
	static const struct axis axes[] = {
		{ "pan", "left", "right" },
		{ "tilt", "down", "up" },
		{ "zoom", "out", "in" },
		{ "focus", "out", "in" },
	};
	struct meeting_camera camera = { 0 };
	uint8_t *const moves[] = { &camera.pan, &camera.tilt, &camera.zoom, &camera.focus };
	for (unsigned i = 0; i < work->form.count; i++) {
		bool known = work->form.at[i].value.len == 0;
		for (unsigned a = 0; a < 4; a++)
			known = known || str_eq_nocase(work->form.at[i].name, str_of(axes[a].name));
		if (!known) {
			work_fail_parameter(work, work->form.at[i].name, "unsupported");
			return;
		}
	}
	for (unsigned a = 0; a < 4; a++) {
		if (!read_axis(work, &axes[a], moves[a]))
			return;
	}
	if (!meeting_steer(work->meeting, 0, leg, &camera, work->now_us))
		work_fail(work, 400, "invalidOperation");
}

void
keyframe_generate(struct work *work, uint32_t leg)
{
	meeting_leg_keyframe(work->meeting, leg, work->now_us);
}
