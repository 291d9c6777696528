/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a codec process that is started as the Call Bridge starts it composes and encodes, locked
 * in, for every codec; what it may not do kills it; killed, halted or talking nonsense it is
 * replaced and pictures are back within a second.  Method: the real process (codec_process_run.c is
 * nothing but its main()), cameras of codec/testing.h at its link. */
#include "worker/codec_child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/test.h"
#include "codec/testing.h"

enum {
	SECOND_US = 1000000,
	PATIENCE_US =
	        30 * SECOND_US, /* of a machine that is busy and looks for mistakes of memory */
	CANVAS = 1,
	ENCODE = 2,
	SOURCE = 0x100,
};

struct scene {
	struct loop *loop;
	struct codec_child *child;
	struct codec_link *link;
	struct loop_watch *watch;
	unsigned links;
	struct testing_camera *camera;
	struct testing_screen screen;
	struct codec_load load;
	unsigned loads;
	int64_t picture_us; /* when the last one came */
};

static const struct codec_encode encode = { .canvas = CANVAS,
	                                    .codec = VIDEO_CODEC_VP8,
	                                    .fps = 30,
	                                    .width = 320,
	                                    .height = 180,
	                                    .bps = 300000 };

static struct testing_world cameras; /* only for its cameras */

static void
no_log(void *context, enum log_level level, int64_t wall_us, const char *line)
{
	(void)context;
	(void)level;
	(void)wall_us;
	(void)line;
}

static void
on_readable(void *context)
{
	struct scene *scene = context;
	struct codec_message message;
	for (unsigned i = 0; i < CODEC_LINK_BATCH; i++) {
		if (codec_link_take(scene->link, &message) != CODEC_LINK_MESSAGE)
			return;
		if (message.kind == CODEC_FRAME && message.id == ENCODE) {
			scene->screen.frames++;
			scene->screen.broken +=
			        decoder_input(scene->screen.decoder, message.bytes, message.len,
			                      message.frame.key) != DECODER_PICTURE;
			scene->picture_us = loop_now_us();
		} else if (message.kind == CODEC_SOURCE_KEY) {
			scene->camera->key_wanted = true;
		} else if (message.kind == CODEC_LOAD) {
			scene->load = message.load;
			scene->loads++;
		}
	}
}

static void
give_orders(struct scene *scene)
{
	static const video_source_id sources[] = { SOURCE };
	const struct canvas canvas = testing_grid(sources, 1, 1);
	codec_link_post(scene->link, &(struct codec_message){ .kind = CODEC_CANVAS_SET,
	                                                      .id = CANVAS,
	                                                      .canvas = &canvas });
	codec_link_post(scene->link, &(struct codec_message){ .kind = CODEC_ENCODE_OPEN,
	                                                      .id = ENCODE,
	                                                      .encode = encode });
	scene->camera->key_wanted = true;
}

static void
on_linked(void *context, unsigned index, struct codec_link *link)
{
	struct scene *scene = context;
	EXPECT_EQ(index, 3);
	loop_watch_destroy(scene->watch);
	codec_link_put(scene->link);
	scene->link = link;
	scene->links++;
	EXPECT_EQ(loop_watch_create(&scene->watch, scene->loop, codec_link_fd(link), on_readable,
	                            scene),
	          0);
	give_orders(scene);
}

static struct scene *
scene_open(enum video_codec codec)
{
	static struct scene scene;
	log_set_sink(no_log, NULL);
	scene = (struct scene){ 0 };
	testing_world_init(&cameras);
	scene.camera = testing_camera_add(&cameras, SOURCE, codec, 320, 180,
	                                  (struct picture_colour){ 81, 90, 240 });
	EXPECT_EQ(decoder_create(&scene.screen.decoder, VIDEO_CODEC_VP8), 0);
	EXPECT_EQ(loop_create(&scene.loop), 0);
	const struct codec_child_settings settings = {
		.executable = CODEC_PROCESS, .index = 3, .linked = on_linked, .context = &scene
	};
	EXPECT_EQ(codec_child_create(&scene.child, scene.loop, &settings), 0);
	return &scene;
}

static void
scene_close(struct scene *scene)
{
	codec_child_destroy(scene->child);
	loop_watch_destroy(scene->watch);
	codec_link_put(scene->link);
	loop_run_until(scene->loop, loop_now_us() + 20000);
	loop_destroy(scene->loop);
	decoder_destroy(scene->screen.decoder);
	testing_world_fini(&cameras);
}

static void
send_frame(struct scene *scene)
{
	const int64_t now_us = loop_now_us();
	const struct encoder_frame frame = testing_camera_encode(scene->camera, now_us);
	if (frame.len == 0)
		return;
	codec_link_post(scene->link,
	                &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
	                                         .source = SOURCE,
	                                         .frame = { .captured_us = now_us,
	                                                    .codec = (uint8_t)scene->camera->codec,
	                                                    .key = frame.key },
	                                         .bytes = frame.bytes,
	                                         .len = frame.len });
}

static bool
shows_red(const struct scene *scene)
{
	return decoder_picture(scene->screen.decoder) != NULL &&
	       testing_near(testing_colour(&scene->screen, 100, 300, 800, 500),
	                    (struct picture_colour){ 81, 90, 240 });
}

/* The camera sends until so many more pictures have come. */
static void
run_until_pictures(struct scene *scene, unsigned count)
{
	const unsigned end = scene->screen.frames + count;
	const int64_t end_us = loop_now_us() + PATIENCE_US;
	while (scene->screen.frames < end) {
		EXPECT(loop_now_us() < end_us);
		send_frame(scene);
		loop_run_until(scene->loop, loop_now_us() + TESTING_FRAME_US);
	}
}

TEST(a_locked_in_process_shows_what_cameras_of_each_codec_send)
{
	static const enum video_codec codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8 };
	for (size_t i = 0; i < COUNT_OF(codecs); i++) {
		struct scene *scene = scene_open(codecs[i]);
		run_until_pictures(scene, 30);
		EXPECT(shows_red(scene));
		EXPECT_EQ(scene->screen.broken, 0);
		const int64_t end_us = loop_now_us() + PATIENCE_US;
		while (scene->loads == 0 && loop_now_us() < end_us)
			loop_run_until(scene->loop, loop_now_us() + 50000);
		EXPECT_EQ(scene->load.encodes, 1);
		EXPECT_EQ(scene->load.sources, 1);
		EXPECT_EQ(codec_child_restarts(scene->child), 0);
		scene_close(scene);
	}
}

/* Decoders of codecs that only browsers send, too, are content with what is allowed. */
TEST(a_locked_in_process_shows_vp9_and_av1)
{
	for (unsigned i = 0; i < TESTING_FRAMES; i++) {
		struct scene *scene = scene_open(VIDEO_CODEC_VP8);
		const struct picture_colour green = { 145, 54, 34 };
		const int64_t end_us = loop_now_us() + PATIENCE_US;
		while (scene->screen.frames == 0 ||
		       !testing_near(testing_colour(&scene->screen, 100, 300, 800, 500), green)) {
			EXPECT(loop_now_us() < end_us);
			codec_link_post(
			        scene->link,
			        &(struct codec_message){
			                .kind = CODEC_SOURCE_FRAME,
			                .source = SOURCE,
			                .frame = { .captured_us = loop_now_us(),
			                           .codec = (uint8_t)testing_frames[i].codec,
			                           .key = true },
			                .bytes = testing_frames[i].bytes,
			                .len = testing_frames[i].len });
			loop_run_until(scene->loop, loop_now_us() + TESTING_FRAME_US);
		}
		EXPECT_EQ(codec_child_restarts(scene->child), 0);
		scene_close(scene);
	}
}

static void
expect_replaced(struct scene *scene, pid_t before)
{
	const int64_t killed_us = loop_now_us();
	while (codec_child_pid(scene->child) == before || codec_child_pid(scene->child) == 0) {
		EXPECT(loop_now_us() - killed_us < PATIENCE_US);
		loop_run_until(scene->loop, loop_now_us() + 10000);
	}
	decoder_restart(scene->screen.decoder); /* as a receiver that gets a key frame */
	run_until_pictures(scene, 5);
	EXPECT(shows_red(scene));
}

TEST(a_killed_process_is_replaced_and_pictures_come_back)
{
	struct scene *scene = scene_open(VIDEO_CODEC_VP8);
	run_until_pictures(scene, 10);
	const pid_t before = codec_child_pid(scene->child);
	EXPECT_EQ(kill(before, SIGKILL), 0);
	const int64_t killed_us = loop_now_us();
	expect_replaced(scene, before);
	EXPECT(loop_now_us() - killed_us < PATIENCE_US);
	EXPECT_EQ(codec_child_restarts(scene->child), 1);
	EXPECT_EQ(scene->links, 2);
	scene_close(scene);
}

TEST(a_process_that_hangs_is_killed_and_replaced)
{
	struct scene *scene = scene_open(VIDEO_CODEC_VP8);
	run_until_pictures(scene, 5);
	const pid_t before = codec_child_pid(scene->child);
	EXPECT_EQ(kill(before, SIGSTOP), 0);
	expect_replaced(scene, before);
	scene_close(scene);
}

TEST(a_process_ends_with_its_link)
{
	struct scene *scene = scene_open(VIDEO_CODEC_VP8);
	run_until_pictures(scene, 1);
	const pid_t process = codec_child_pid(scene->child);
	scene_close(scene);
	const int64_t end_us = loop_now_us() + PATIENCE_US;
	while (kill(process, 0) == 0 && loop_now_us() < end_us)
		(void)waitpid(process, NULL, WNOHANG);
	EXPECT(kill(process, 0) != 0);
}

/* Runs the process by hand; what waitpid() says of its end. */
static int
end_of(const char *option, const char *what)
{
	const pid_t process = fork();
	if (process == 0) {
		close(STDERR_FILENO);
		execl(CODEC_PROCESS, "convoke", "codec", option, what, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	EXPECT_EQ(waitpid(process, &status, 0), process);
	return status;
}

TEST(a_process_that_tries_what_it_may_not_is_killed)
{
	static const char *const forbidden[] = { "open", "socket", "fork", "exec", "kill", "map" };
	for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
		const int status = end_of("--attempt", forbidden[i]);
		EXPECT(WIFSIGNALED(status));
		EXPECT_EQ(WTERMSIG(status), SIGSYS);
	}
	EXPECT_EQ(WEXITSTATUS(end_of("--attempt", "nothing")), 2);
	EXPECT_EQ(WEXITSTATUS(end_of(NULL, NULL)), 2);
}

static void
no_link(void *context, unsigned index, struct codec_link *link)
{
	(void)context;
	(void)index;
	codec_link_put(link);
}

TEST(a_program_that_is_not_there_is_an_error)
{
	struct loop *loop = NULL;
	struct codec_child *child = NULL;
	EXPECT_EQ(loop_create(&loop), 0);
	const struct codec_child_settings settings = { .executable = "/nowhere/convoke",
		                                       .linked = no_link };
	EXPECT(codec_child_create(&child, loop, &settings) < 0);
	loop_destroy(loop);
}
