/* SPDX-License-Identifier: Apache-2.0 */
/* A BFCP client on libre's stack, for tests: plays a device that presents.
 *
 *	bfcp_peer [-1] udp|tcp ADDRESS:PORT CONFERENCE USER FLOOR STEP...
 *
 * Steps, each of which has to come true within five seconds:
 *	hello, query, request, release, goodbye   sends it and waits for the answer
 *	STATUS                                    waits until our request is Granted, Revoked, ...
 *	none | holder:USER                        waits until FloorStatus says so of the others
 *	sleep:MS                                  stays silent, but acknowledges
 *	-                                         further steps are lines of the standard input
 *
 * Prints a line for everything it hears; exit status 0 when all came true.  -1: says version 1 over
 * UDP.  Over UDP libre's own transactions are at work; over TCP, which libre has not, its messages.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Or it makes types of its own. */
#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#define HAVE_INET6 1
#include <re.h>

enum { PATIENCE_MS = 5000, STEP_BYTES_MAX = 64, TCP_BYTES_MAX = 4096 };

struct peer {
	struct sa to;
	uint8_t version;
	uint32_t conference;
	uint16_t user, floor;

	struct bfcp_conn *udp;
	struct tcp_conn *tcp;
	struct mbuf *stream; /* what came and is not a whole message yet */
	uint16_t transaction;

	char **steps;
	char step[STEP_BYTES_MAX];
	bool from_stdin;
	struct tmr tmr;
	int status;

	uint16_t request_id;
	enum bfcp_reqstat request_status;
	uint16_t holder;
};

static void next_step(struct peer *peer);

static void
finish(struct peer *peer, int status)
{
	peer->status = status;
	tmr_cancel(&peer->tmr);
	re_cancel();
}

/* ---- What is heard ------------------------------------------------------------------------- */

static struct bfcp_attr *
part(const struct bfcp_attr *group, enum bfcp_attrib type, enum bfcp_attrib inner)
{
	struct bfcp_attr *attr = bfcp_attr_subattr(group, type);
	return attr != NULL && inner != 0 ? bfcp_attr_subattr(attr, inner) : attr;
}

/* One FLOOR-REQUEST-INFORMATION: of ours or of somebody else. */
static bool
hear_request(const struct bfcp_attr *info, void *arg)
{
	struct peer *peer = arg;
	if (info->type != BFCP_FLOOR_REQ_INFO)
		return false;
	const struct bfcp_attr *status = part(info, BFCP_OVERALL_REQ_STATUS, BFCP_REQUEST_STATUS);
	const struct bfcp_attr *user = part(info, BFCP_BENEFICIARY_INFO, 0);
	const struct bfcp_attr *name = part(info, BFCP_BENEFICIARY_INFO, BFCP_USER_DISP_NAME);
	if (status == NULL) {
		(void)printf(" request=%u", (unsigned)info->v.floorreqid);
		return false;
	}
	(void)printf(" request=%u %s", (unsigned)info->v.floorreqid,
	             bfcp_reqstatus_name(status->v.reqstatus.status));
	if (user != NULL && user->v.beneficiaryid != peer->user) {
		(void)printf(" user=%u (%s)", (unsigned)user->v.beneficiaryid,
		             name != NULL ? name->v.userdname : "");
		peer->holder = user->v.beneficiaryid;
	} else {
		peer->request_id = info->v.floorreqid;
		peer->request_status = status->v.reqstatus.status;
	}
	return false;
}

static void
hear(struct peer *peer, const struct bfcp_msg *msg)
{
	(void)printf("%s", bfcp_prim_name(msg->prim));
	if (msg->prim == BFCP_FLOOR_STATUS)
		peer->holder = 0;
	(void)bfcp_msg_attr_apply(msg, hear_request, peer);
	const struct bfcp_attr *error = bfcp_msg_attr(msg, BFCP_ERROR_CODE);
	if (error != NULL)
		(void)printf(" %u", (unsigned)error->v.errcode.code);
	(void)printf("\n");
	(void)fflush(stdout);
}

static bool
came_true(const struct peer *peer)
{
	unsigned holder = 0;
	if (strcmp(peer->step, bfcp_reqstatus_name(peer->request_status)) == 0)
		return true;
	if (strcmp(peer->step, "none") == 0)
		return peer->holder == 0;
	return sscanf(peer->step, "holder:%u", &holder) == 1 && peer->holder == holder;
}

/* A notification of the server. */
static void
on_notification(const struct bfcp_msg *msg, void *arg)
{
	struct peer *peer = arg;
	hear(peer, msg);
	if (peer->udp != NULL && msg->prim == BFCP_FLOOR_REQUEST_STATUS)
		(void)bfcp_reply(peer->udp, msg, BFCP_FLOOR_REQ_STATUS_ACK, 0);
	if (peer->udp != NULL && msg->prim == BFCP_FLOOR_STATUS)
		(void)bfcp_reply(peer->udp, msg, BFCP_FLOOR_STATUS_ACK, 0);
	if (peer->udp != NULL && msg->prim == BFCP_GOODBYE)
		(void)bfcp_reply(peer->udp, msg, BFCP_GOODBYE_ACK, 0);
	if (came_true(peer))
		next_step(peer);
}

static void
on_answer(int err, const struct bfcp_msg *msg, void *arg)
{
	struct peer *peer = arg;
	if (err != 0 || msg == NULL) {
		(void)printf("%s: no answer\n", peer->step);
		finish(peer, 1);
		return;
	}
	hear(peer, msg);
	next_step(peer);
}

/* ---- Over TCP ------------------------------------------------------------------------------ */

static void
on_stream(struct mbuf *bytes, void *arg)
{
	struct peer *peer = arg;
	struct mbuf *stream = peer->stream;
	stream->pos = stream->end;
	if (stream->end + mbuf_get_left(bytes) > TCP_BYTES_MAX ||
	    mbuf_write_mem(stream, mbuf_buf(bytes), mbuf_get_left(bytes)) != 0) {
		finish(peer, 1);
		return;
	}
	stream->pos = 0;
	while (mbuf_get_left(stream) >= 12) {
		const uint8_t *head = mbuf_buf(stream);
		const size_t len = 12 + 4 * (size_t)(head[2] << 8 | head[3]);
		struct bfcp_msg *msg = NULL;
		if (mbuf_get_left(stream) < len)
			break;
		const size_t next = stream->pos + len;
		if (bfcp_msg_decode(&msg, stream) != 0) {
			(void)printf("libre does not understand that\n");
			finish(peer, 1);
			return;
		}
		stream->pos = next;
		if (msg->tid != 0 && msg->tid == peer->transaction)
			on_answer(0, msg, peer);
		else
			on_notification(msg, peer);
		mem_deref(msg);
	}
	const size_t left = mbuf_get_left(stream);
	memmove(stream->buf, stream->buf + stream->pos, left);
	stream->pos = stream->end = left;
}

static void
on_connected(void *arg)
{
	next_step(arg);
}

static void
on_closed(int err, void *arg)
{
	(void)err;
	(void)printf("closed\n");
	finish(arg, 1);
}

/* ---- Steps --------------------------------------------------------------------------------- */

/* An attribute of libre's is a type, how many are in it, and where its value stands. */
static int
send_over(struct peer *peer, enum bfcp_prim prim, unsigned count, int type, uint16_t *value)
{
	if (peer->udp != NULL)
		return bfcp_request(peer->udp, &peer->to, peer->version, prim, peer->conference,
		                    peer->user, on_answer, peer, count, type, 0, value);
	struct mbuf *bytes = mbuf_alloc(64);
	int err = bfcp_msg_encode(bytes, BFCP_VER1, false, prim, peer->conference,
	                          ++peer->transaction, peer->user, count, type, 0, value);
	bytes->pos = 0;
	if (err == 0)
		err = tcp_send(peer->tcp, bytes);
	mem_deref(bytes);
	return err;
}

static void
on_time(void *arg)
{
	struct peer *peer = arg;
	if (strncmp(peer->step, "sleep:", 6) == 0) {
		next_step(peer);
		return;
	}
	(void)printf("%s: did not come true\n", peer->step);
	finish(peer, 1);
}

static void
begin_step(struct peer *peer)
{
	static const struct {
		const char *name;
		enum bfcp_prim prim;
		int type; /* of its attribute, 0: none */
	} requests[] = {
		{ "hello", BFCP_HELLO, 0 },
		{ "query", BFCP_FLOOR_QUERY, BFCP_FLOOR_ID },
		{ "request", BFCP_FLOOR_REQUEST, BFCP_FLOOR_ID },
		{ "release", BFCP_FLOOR_RELEASE, BFCP_FLOOR_REQUEST_ID },
		{ "goodbye", BFCP_GOODBYE, 0 },
	};
	uint64_t ms = PATIENCE_MS;
	if (strncmp(peer->step, "sleep:", 6) == 0)
		ms = strtoul(peer->step + 6, NULL, 10);
	tmr_start(&peer->tmr, ms, on_time, peer);
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		if (strcmp(peer->step, requests[i].name) != 0)
			continue;
		uint16_t *value = requests[i].type == BFCP_FLOOR_ID ? &peer->floor
		                                                    : &peer->request_id;
		if (send_over(peer, requests[i].prim, requests[i].type != 0 ? 1 : 0,
		              requests[i].type | BFCP_MANDATORY, value) != 0)
			finish(peer, 1);
		return;
	}
	if (came_true(peer))
		next_step(peer);
}

static void
on_line(int flags, void *arg)
{
	struct peer *peer = arg;
	(void)flags;
	if (fgets(peer->step, sizeof peer->step, stdin) == NULL) {
		finish(peer, 0);
		return;
	}
	peer->step[strcspn(peer->step, "\n")] = '\0';
	fd_close(STDIN_FILENO);
	begin_step(peer);
}

static void
next_step(struct peer *peer)
{
	tmr_cancel(&peer->tmr);
	if (!peer->from_stdin && *peer->steps == NULL) {
		finish(peer, 0);
		return;
	}
	if (!peer->from_stdin && strcmp(*peer->steps, "-") == 0)
		peer->from_stdin = true;
	if (peer->from_stdin) {
		(void)setvbuf(stdin, NULL, _IONBF, 0);
		if (fd_listen(STDIN_FILENO, FD_READ, on_line, peer) != 0)
			finish(peer, 1);
		return;
	}
	(void)snprintf(peer->step, sizeof peer->step, "%s", *peer->steps++);
	begin_step(peer);
}

/* ---- The program --------------------------------------------------------------------------- */

static int
start(struct peer *peer, bool udp)
{
	struct sa any;
	if (!udp) {
		peer->stream = mbuf_alloc(TCP_BYTES_MAX);
		return tcp_connect(&peer->tcp, &peer->to, on_connected, on_stream, on_closed, peer);
	}
	int err = sa_set_str(&any, "0.0.0.0", 0);
	if (err == 0)
		err = bfcp_listen(&peer->udp, BFCP_UDP, &any, NULL, on_notification, peer);
	if (err == 0)
		next_step(peer);
	return err;
}

int
main(int argc, char **argv)
{
	struct peer peer = { .version = BFCP_VER2, .status = 1 };
	const bool drafts = argc > 1 && strcmp(argv[1], "-1") == 0;
	char **args = argv + 1 + drafts;
	if (argc - drafts < 6) {
		(void)fprintf(stderr, "usage: bfcp_peer [-1] udp|tcp ADDRESS:PORT CONFERENCE USER "
		                      "FLOOR STEP...\n");
		return 2;
	}
	if (drafts)
		peer.version = BFCP_VER1;
	peer.conference = (uint32_t)strtoul(args[2], NULL, 10);
	peer.user = (uint16_t)strtoul(args[3], NULL, 10);
	peer.floor = (uint16_t)strtoul(args[4], NULL, 10);
	peer.steps = args + 5;
	if (libre_init() != 0 || sa_decode(&peer.to, args[1], strlen(args[1])) != 0)
		return 2;
	if (start(&peer, strcmp(args[0], "udp") == 0) == 0)
		(void)re_main(NULL);
	mem_deref(peer.udp);
	mem_deref(peer.tcp);
	mem_deref(peer.stream);
	tmr_cancel(&peer.tmr);
	libre_close();
	return peer.status;
}
