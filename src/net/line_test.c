/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: lines arrive whole whatever the pieces, ends are told once, limits close the line, and a
 * component's side answers its supervisor.  Method: real local sockets on a real loop. */
#include "net/line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/test.h"
#include "net/parent.h"

static const int64_t PATIENCE_US = 5 * 1000000;

struct listener_side {
	struct loop *loop;
	struct line *line;
	char heard[8192];
	int lines;
	int closings;
	bool close_on_line;
};

static void
hear(void *context, struct line *line, struct str text)
{
	struct listener_side *side = context;
	const size_t len = strlen(side->heard);
	snprintf(side->heard + len, sizeof side->heard - len, "[%.*s]", STR_ARGS(text));
	side->lines++;
	if (side->close_on_line) {
		line_close(line);
		side->line = NULL;
	}
	loop_stop(side->loop);
}

static void
hear_end(void *context, struct line *line)
{
	struct listener_side *side = context;
	EXPECT(line == side->line);
	side->closings++;
	loop_stop(side->loop);
}

static const struct line_handler handler = { .received = hear, .closed = hear_end };

static void
start(struct listener_side *side, int *peer)
{
	int fds[2];
	*side = (struct listener_side){ 0 };
	EXPECT_EQ(loop_create(&side->loop), 0);
	EXPECT_EQ(line_pair(fds), 0);
	EXPECT_EQ(line_open(&side->line, side->loop, fds[0], &handler, side), 0);
	*peer = fds[1];
}

static void
finish(struct listener_side *side)
{
	line_close(side->line);
	loop_destroy(side->loop);
}

static void
run(struct listener_side *side)
{
	loop_run_until(side->loop, loop_now_us() + PATIENCE_US);
}

static void
say(int fd, const char *bytes)
{
	EXPECT_EQ(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

TEST(lines_arrive_whole_however_they_were_cut)
{
	struct listener_side side;
	int peer;
	start(&side, &peer);
	say(peer, "rea");
	loop_run_until(side.loop, loop_now_us() + 20000);
	EXPECT_EQ(side.lines, 0);
	say(peer, "dy\n\nfailed port ");
	run(&side);
	say(peer, "5060\n");
	run(&side);
	EXPECT_STR(str_of(side.heard), "[ready][][failed port 5060]");
	close(peer);
	finish(&side);
}

TEST(the_end_is_told_once_and_sending_after_it_fails)
{
	struct listener_side side;
	int peer;
	start(&side, &peer);
	close(peer);
	run(&side);
	EXPECT_EQ(side.closings, 1);
	EXPECT_EQ(line_send(side.line, STR("ping")), -EPIPE);
	loop_run_until(side.loop, loop_now_us() + 20000);
	EXPECT_EQ(side.closings, 1);
	finish(&side);
}

TEST(a_line_without_end_closes)
{
	struct listener_side side;
	char flood[LINE_BYTES_MAX];
	int peer;
	start(&side, &peer);
	memset(flood, 'x', sizeof flood);
	EXPECT_EQ(send(peer, flood, sizeof flood, MSG_NOSIGNAL), sizeof flood);
	run(&side);
	EXPECT_EQ(side.closings, 1);
	EXPECT_EQ(side.lines, 0);
	close(peer);
	finish(&side);
}

TEST(a_peer_that_never_reads_is_given_up)
{
	struct listener_side side;
	char text[1000];
	int peer, rc = 0;
	start(&side, &peer);
	memset(text, 'y', sizeof text);
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = line_send(side.line, (struct str){ .at = text, .len = sizeof text });
	EXPECT_EQ(rc, -ENOBUFS);
	EXPECT_EQ(side.closings, 0);
	run(&side);
	EXPECT_EQ(side.closings, 1);
	close(peer);
	finish(&side);
}

TEST(closing_inside_a_callback_ends_all_callbacks)
{
	struct listener_side side;
	int peer;
	start(&side, &peer);
	side.close_on_line = true;
	say(peer, "one\ntwo\nthree\n");
	run(&side);
	EXPECT_EQ(side.lines, 1);
	close(peer);
	finish(&side);
}

/* -- listening ------------------------------------------------------------------------------- */

struct server {
	struct listener_side side;
	struct line_listener *listener;
};

static void
accept_caller(void *context, int fd)
{
	struct server *server = context;
	EXPECT_EQ(line_open(&server->side.line, server->side.loop, fd, &handler, &server->side), 0);
}

TEST(a_socket_file_is_private_replaces_a_stale_one_and_goes_away)
{
	char folder[] = "/tmp/line_test.XXXXXX", path[64];
	struct server server = { 0 };
	struct listener_side caller = { 0 };
	struct stat info;
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/socket", folder);
	FILE *stale = fopen(path, "w");
	EXPECT(stale != NULL);
	fclose(stale);

	EXPECT_EQ(loop_create(&server.side.loop), 0);
	caller.loop = server.side.loop;
	EXPECT_EQ(line_listen(&server.listener, server.side.loop, path, accept_caller, &server), 0);
	EXPECT_EQ(stat(path, &info), 0);
	EXPECT_EQ(info.st_mode & 07777, 0600);
	EXPECT_EQ(line_connect(&caller.line, caller.loop, path, &handler, &caller), 0);
	EXPECT_EQ(line_send(caller.line, STR("status")), 0);
	run(&server.side);
	EXPECT_STR(str_of(server.side.heard), "[status]");
	line_close(caller.line);
	run(&server.side);
	EXPECT_EQ(server.side.closings, 1);

	line_unlisten(server.listener);
	EXPECT_EQ(access(path, F_OK), -1);
	EXPECT_EQ(line_connect(&caller.line, caller.loop, path, &handler, &caller), -ENOENT);
	finish(&server.side);
	rmdir(folder);
}

/* A child answers what it is asked, or nothing. */
static void
answer_once(const char *path, const char *answer)
{
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char heard[64] = "";
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	EXPECT_EQ(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	EXPECT_EQ(listen(listener, 1), 0);
	if (fork() != 0) {
		close(listener);
		return;
	}
	const int fd = accept(listener, NULL, NULL);
	const bool right = read(fd, heard, sizeof heard - 1) == 4 && strcmp(heard, "how\n") == 0;
	if (answer == NULL)
		(void)!read(fd, heard, 1); /* silent until the other side goes */
	else if (right)
		(void)!write(fd, answer, strlen(answer));
	_exit(0);
}

static void
note_answer(void *context, struct str text)
{
	struct writer *w = context;
	writer_format(w, "[%.*s]", STR_ARGS(text));
}

TEST(a_question_has_all_lines_of_its_answer_or_ends_in_time)
{
	char folder[] = "/tmp/net-line-XXXXXX", path[64], text[256];
	struct writer w = writer_of(text, sizeof text);
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/s", folder);
	EXPECT_EQ(line_ask(path, STR("how"), note_answer, &w, PATIENCE_US), -ENOENT);
	answer_once(path, "ok\nso\nso\n");
	EXPECT_EQ(line_ask(path, STR("how"), note_answer, &w, PATIENCE_US), 0);
	EXPECT_STR(writer_view(&w), "[ok][so][so]");
	EXPECT_EQ(line_ask(path, STR("how"), note_answer, &w, PATIENCE_US), -ECONNREFUSED);
	unlink(path);
	answer_once(path, NULL);
	EXPECT_EQ(line_ask(path, STR("how"), note_answer, &w, 50 * 1000), -ETIMEDOUT);
	unlink(path);
	rmdir(folder);
}

TEST(a_path_that_is_too_long_is_refused)
{
	struct listener_side side = { 0 };
	struct line_listener *listener;
	char path[200];
	memset(path, 'p', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	EXPECT_EQ(loop_create(&side.loop), 0);
	EXPECT_EQ(line_listen(&listener, side.loop, path, accept_caller, &side), -ENAMETOOLONG);
	EXPECT_EQ(line_connect(&side.line, side.loop, path, &handler, &side), -ENAMETOOLONG);
	loop_destroy(side.loop);
}

/* -- a component's end, on descriptor 3 ------------------------------------------------------ */

static void
parent_gone(void *context)
{
	struct listener_side *side = context;
	side->closings++;
	loop_stop(side->loop);
}

/* Puts one end of a pair where a component finds it, as the supervisor does before anything else
 * of the component's opens descriptors. */
static int
be_a_child(int *kept)
{
	int fds[2];
	*kept = dup(PARENT_FD);
	EXPECT_EQ(line_pair(fds), 0);
	if (fds[0] == PARENT_FD) {
		const int moved = dup(fds[0]);
		EXPECT(moved >= 0);
		fds[0] = moved;
	}
	if (fds[1] != PARENT_FD) {
		EXPECT_EQ(dup2(fds[1], PARENT_FD), PARENT_FD);
		close(fds[1]);
	}
	return fds[0];
}

static void
put_back(int kept)
{
	if (kept >= 0) {
		dup2(kept, PARENT_FD);
		close(kept);
	}
}

TEST(a_component_answers_pings_and_tells_how_its_start_went)
{
	struct listener_side supervisor = { 0 };
	struct listener_side component = { 0 };
	struct parent *parent;
	int kept;
	const int fd = be_a_child(&kept);
	EXPECT_EQ(loop_create(&supervisor.loop), 0);
	component.loop = supervisor.loop;
	EXPECT_EQ(line_open(&supervisor.line, supervisor.loop, fd, &handler, &supervisor), 0);
	EXPECT_EQ(parent_create(&parent, supervisor.loop, parent_gone, &component), 0);
	EXPECT_EQ(line_send(supervisor.line, STR("ping")), 0);
	run(&supervisor);
	parent_ready(parent);
	run(&supervisor);
	parent_failed(parent, "UDP port 5060 is in use\nby kamailio");
	run(&supervisor);
	EXPECT_STR(str_of(supervisor.heard),
	           "[pong][ready][failed UDP port 5060 is in use by kamailio]");

	line_close(supervisor.line);
	supervisor.line = NULL;
	run(&supervisor);
	EXPECT_EQ(component.closings, 1);
	parent_destroy(parent);
	finish(&supervisor);
	put_back(kept);
}

TEST(a_component_started_by_hand_has_nobody_to_tell)
{
	struct loop *loop;
	struct parent *parent;
	const int kept = dup(PARENT_FD);
	close(PARENT_FD);
	EXPECT_EQ(loop_create(&loop), 0); /* may well open its own descriptor 3 */
	EXPECT_EQ(parent_create(&parent, loop, NULL, NULL), 0);
	parent_ready(parent);
	parent_failed(parent, "nobody hears this");
	parent_destroy(parent);
	loop_destroy(loop);
	put_back(kept);
}
