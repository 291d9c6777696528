/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/shm_ring.h"

enum link_fd { FD_MEMORY, FD_TO_CODEC, FD_TO_WORKER, FD_LIFELINE };
static_assert(FD_LIFELINE + 1 == CODEC_LINK_FDS, "a child gets them all");

enum {
	PULSE_BYTES = 64, /* ahead of the two rings */
	BROKEN_STREAMS_MAX =
	        CODEC_SOURCES_MAX > CODEC_ENCODES_MAX ? CODEC_SOURCES_MAX : CODEC_ENCODES_MAX,
};

/* A message as it crosses.  No bool and no pointer: any byte that the other side writes is a value.
 * A frame's bytes or a canvas follow. */
struct wire {
	uint64_t source;
	int64_t captured_us;
	uint64_t encode_source;
	uint64_t frames_decoded, frames_composed, frames_encoded, frames_dropped, frames_broken;
	uint64_t orders_refused;
	uint32_t id;
	uint32_t canvas;
	uint32_t bps;
	uint32_t cpu_pct, sources, canvases, encodes;
	uint16_t rotation, width, height, encode_width, encode_height;
	uint8_t kind, codec, key, encode_codec, fps, single_nals, detail;
	uint8_t zero[11];
};
static_assert(sizeof(struct wire) == 9 * 8 + 7 * 4 + 5 * 2 + 7 + 11, "no hidden bytes");

enum { RECORD_MAX = (int)sizeof(struct wire) + VIDEO_FRAME_BYTES_MAX };
static_assert(sizeof(struct canvas) <= VIDEO_FRAME_BYTES_MAX, "a canvas fits a record");
static_assert(RECORD_MAX <= CODEC_LINK_RING_BYTES_MAX / 2 - 64, "a record fits the ring");

struct held {
	struct held *next;
	size_t len;
	uint8_t bytes[];
};

struct codec_link {
	_Atomic unsigned refs;
	_Atomic bool broken;
	bool child;
	int fds[CODEC_LINK_FDS];
	int lifeline_end; /* the worker's; closed with the link */
	uint8_t *map;
	size_t map_bytes;
	_Atomic uint32_t *pulse;
	struct shm_ring in;
	struct shm_ring out;
	struct held *held_first;
	struct held *held_last;
	unsigned held_count;
	/* Streams of which a frame was dropped: 0 is a free place. */
	uint64_t broken_streams[BROKEN_STREAMS_MAX];
	unsigned broken_at;
	uint8_t *record; /* the message last taken */
	struct canvas canvas;
};

/* ---- Making and mapping -------------------------------------------------------------------- */

static size_t
map_bytes(void)
{
	return PULSE_BYTES + 2 * shm_ring_bytes(CODEC_LINK_RING_BYTES_MAX);
}

static int
map_memory(struct codec_link *link)
{
	link->map_bytes = map_bytes();
	void *map = mmap(NULL, link->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
	                 link->fds[FD_MEMORY], 0);
	if (map == MAP_FAILED)
		return -errno;
	link->map = map;
	link->pulse = map;
	uint8_t *to_codec = link->map + PULSE_BYTES;
	uint8_t *to_worker = to_codec + shm_ring_bytes(CODEC_LINK_RING_BYTES_MAX);
	shm_ring_init(link->child ? &link->in : &link->out, to_codec, CODEC_LINK_RING_BYTES_MAX);
	shm_ring_init(link->child ? &link->out : &link->in, to_worker, CODEC_LINK_RING_BYTES_MAX);
	return 0;
}

/* The other side could cut memory off under our feet if its size were not sealed. */
static int
make_memory(int *out)
{
	const int fd = memfd_create("convoke codec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)map_bytes()) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		const int rc = -errno;
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static struct codec_link *
link_alloc(bool child)
{
	struct codec_link *link = calloc(1, sizeof *link);
	if (link == NULL)
		return NULL;
	atomic_init(&link->refs, 1);
	link->child = child;
	link->lifeline_end = -1;
	for (unsigned i = 0; i < CODEC_LINK_FDS; i++)
		link->fds[i] = -1;
	link->record = malloc(RECORD_MAX);
	if (link->record == NULL) {
		free(link);
		return NULL;
	}
	return link;
}

int
codec_link_create(struct codec_link **out)
{
	struct codec_link *link = link_alloc(false);
	if (link == NULL)
		return -ENOMEM;
	int rc = make_memory(&link->fds[FD_MEMORY]);
	if (rc != 0)
		goto fail;
	link->fds[FD_TO_CODEC] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->fds[FD_TO_WORKER] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int lifeline[2];
	if (link->fds[FD_TO_CODEC] < 0 || link->fds[FD_TO_WORKER] < 0 ||
	    pipe2(lifeline, O_CLOEXEC) != 0) {
		rc = -errno;
		goto fail;
	}
	link->fds[FD_LIFELINE] = lifeline[0];
	link->lifeline_end = lifeline[1];
	rc = map_memory(link);
	if (rc != 0)
		goto fail;
	*out = link;
	return 0;

fail:
	codec_link_put(link);
	return rc;
}

int
codec_link_adopt(struct codec_link **out, int first_fd)
{
	struct codec_link *link = link_alloc(true);
	if (link == NULL)
		return -ENOMEM;
	for (int i = 0; i < CODEC_LINK_FDS; i++)
		link->fds[i] = first_fd + i;
	struct stat memory;
	int rc = fstat(first_fd + FD_MEMORY, &memory) == 0 ? 0 : -errno;
	if (rc == 0 && memory.st_size != (off_t)map_bytes())
		rc = -EINVAL;
	if (rc == 0)
		rc = map_memory(link);
	if (rc != 0) {
		codec_link_put(link);
		return rc;
	}
	close(link->fds[FD_MEMORY]); /* mapped: the child needs it no more */
	link->fds[FD_MEMORY] = -1;
	*out = link;
	return 0;
}

struct codec_link *
codec_link_get(struct codec_link *link)
{
	atomic_fetch_add(&link->refs, 1);
	return link;
}

void
codec_link_put(struct codec_link *link)
{
	if (link == NULL || atomic_fetch_sub(&link->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < CODEC_LINK_FDS; i++)
		if (link->fds[i] >= 0)
			close(link->fds[i]);
	if (link->lifeline_end >= 0)
		close(link->lifeline_end);
	if (link->map != NULL)
		munmap(link->map, link->map_bytes);
	while (link->held_first != NULL) {
		struct held *held = link->held_first;
		link->held_first = held->next;
		free(held);
	}
	free(link->record);
	free(link);
}

const int *
codec_link_child_fds(const struct codec_link *link)
{
	CHECK(!link->child);
	return link->fds;
}

int
codec_link_fd(const struct codec_link *link)
{
	return link->fds[link->child ? FD_TO_CODEC : FD_TO_WORKER];
}

int
codec_link_peer_fd(const struct codec_link *link)
{
	return link->fds[link->child ? FD_TO_WORKER : FD_TO_CODEC];
}

int
codec_link_lifeline(const struct codec_link *link)
{
	CHECK(link->child);
	return link->fds[FD_LIFELINE];
}

bool
codec_link_broken(const struct codec_link *link)
{
	return atomic_load_explicit(&link->broken, memory_order_relaxed);
}

void
codec_link_beat(struct codec_link *link)
{
	CHECK(link->child);
	atomic_fetch_add_explicit(link->pulse, 1, memory_order_relaxed);
}

uint32_t
codec_link_pulse(const struct codec_link *link)
{
	return atomic_load_explicit(link->pulse, memory_order_relaxed);
}

static void
break_link(struct codec_link *link)
{
	atomic_store_explicit(&link->broken, true, memory_order_relaxed);
}

/* ---- Posting ------------------------------------------------------------------------------- */

static bool
is_frame(enum codec_message_kind kind)
{
	return kind == CODEC_SOURCE_FRAME || kind == CODEC_FRAME;
}

/* Comes again by itself, so it need not be kept. */
static bool
is_repeated(enum codec_message_kind kind)
{
	return kind == CODEC_SOURCE_KEY || kind == CODEC_LOAD;
}

static struct wire
to_wire(const struct codec_message *message)
{
	const struct codec_frame *frame = &message->frame;
	const struct codec_encode *encode = &message->encode;
	const struct codec_load *load = &message->load;
	return (struct wire){
		.kind = message->kind,
		.id = message->id,
		.source = message->source,
		.captured_us = frame->captured_us,
		.codec = frame->codec,
		.key = frame->key,
		.rotation = frame->rotation,
		.width = frame->width,
		.height = frame->height,
		.canvas = encode->canvas,
		.encode_source = encode->source,
		.encode_codec = encode->codec,
		.fps = encode->fps,
		.single_nals = encode->single_nals,
		.detail = encode->detail,
		.encode_width = encode->width,
		.encode_height = encode->height,
		.bps = encode->bps,
		.cpu_pct = load->cpu_pct,
		.sources = load->sources,
		.canvases = load->canvases,
		.encodes = load->encodes,
		.frames_decoded = load->frames_decoded,
		.frames_composed = load->frames_composed,
		.frames_encoded = load->frames_encoded,
		.frames_dropped = load->frames_dropped,
		.frames_broken = load->frames_broken,
		.orders_refused = load->orders_refused,
	};
}

static enum shm_ring_result
put(struct codec_link *link, const struct shm_ring_piece *pieces, size_t piece_count)
{
	const enum shm_ring_result result = shm_ring_put(&link->out, pieces, piece_count);
	if (result == SHM_RING_BROKEN)
		break_link(link);
	if (result != SHM_RING_OK)
		return result;
	/* It cannot fail but for a count that is full, and then the other side is awake anyway. */
	const uint64_t one = 1;
	if (write(codec_link_peer_fd(link), &one, sizeof one) < 0)
		CHECK(errno == EAGAIN);
	return SHM_RING_OK;
}

static void
settle(struct codec_link *link)
{
	while (link->held_first != NULL) {
		struct held *held = link->held_first;
		if (put(link, &(struct shm_ring_piece){ held->bytes, held->len }, 1) != SHM_RING_OK)
			return;
		link->held_first = held->next;
		link->held_count--;
		free(held);
	}
	link->held_last = NULL;
}

static void
hold(struct codec_link *link, const struct shm_ring_piece pieces[2])
{
	if (link->held_count == CODEC_LINK_HELD_MAX) {
		break_link(link);
		return;
	}
	const size_t len = pieces[0].len + pieces[1].len;
	struct held *held = malloc(sizeof *held + len);
	if (held == NULL) {
		break_link(link);
		return;
	}
	held->next = NULL;
	held->len = len;
	memcpy(held->bytes, pieces[0].bytes, pieces[0].len);
	if (pieces[1].len != 0)
		memcpy(held->bytes + pieces[0].len, pieces[1].bytes, pieces[1].len);
	if (link->held_last != NULL)
		link->held_last->next = held;
	else
		link->held_first = held;
	link->held_last = held;
	link->held_count++;
}

static uint64_t *
broken_stream(struct codec_link *link, uint64_t stream)
{
	for (unsigned i = 0; i < BROKEN_STREAMS_MAX; i++)
		if (link->broken_streams[i] == stream)
			return &link->broken_streams[i];
	return NULL;
}

/* After a gap only a key frame is of use. */
static bool
post_frame(struct codec_link *link, const struct codec_message *message,
           const struct shm_ring_piece pieces[2])
{
	const uint64_t stream = message->kind == CODEC_FRAME ? message->id : message->source;
	uint64_t *broken = broken_stream(link, stream);
	if (broken != NULL && !message->frame.key)
		return false;
	if (link->held_first == NULL && put(link, pieces, 2) == SHM_RING_OK) {
		if (broken != NULL)
			*broken = 0;
		return true;
	}
	if (broken == NULL) {
		broken = broken_stream(link, 0);
		if (broken == NULL)
			broken = &link->broken_streams[link->broken_at++ % BROKEN_STREAMS_MAX];
		*broken = stream;
	}
	return false;
}

bool
codec_link_post(struct codec_link *link, const struct codec_message *message)
{
	CHECK((message->kind >= CODEC_FRAME) == link->child);
	CHECK(message->len <= VIDEO_FRAME_BYTES_MAX);
	const bool frame = is_frame(message->kind);
	if (codec_link_broken(link))
		return !frame;
	const struct wire wire = to_wire(message);
	struct shm_ring_piece pieces[2] = { { &wire, sizeof wire } };
	if (frame)
		pieces[1] = (struct shm_ring_piece){ message->bytes, message->len };
	else if (message->kind == CODEC_CANVAS_SET)
		pieces[1] = (struct shm_ring_piece){ message->canvas, sizeof *message->canvas };

	settle(link);
	if (frame)
		return post_frame(link, message, pieces);
	if ((link->held_first != NULL || put(link, pieces, 2) == SHM_RING_FULL) &&
	    !is_repeated(message->kind))
		hold(link, pieces);
	return true;
}

/* ---- Taking -------------------------------------------------------------------------------- */

static bool
frame_valid(const struct wire *wire, size_t len)
{
	return wire->codec > VIDEO_CODEC_NONE && wire->codec < VIDEO_CODEC_COUNT &&
	       wire->key <= 1 && wire->rotation % 90 == 0 && wire->rotation < 360 && len > 0;
}

static bool
wire_valid(const struct wire *wire, size_t len, bool to_child)
{
	if (wire->kind >= CODEC_MESSAGE_KINDS || (wire->kind < CODEC_FRAME) != to_child ||
	    wire->single_nals > 1 || wire->detail > 1)
		return false;
	switch ((enum codec_message_kind)wire->kind) {
	case CODEC_SOURCE_FRAME:
		return wire->source != 0 && frame_valid(wire, len);
	case CODEC_FRAME:
		return wire->id != 0 && frame_valid(wire, len) && wire->width <= VIDEO_SIDE_MAX &&
		       wire->height <= VIDEO_SIDE_MAX;
	case CODEC_CANVAS_SET:
		return wire->id != 0 && len == sizeof(struct canvas);
	case CODEC_SOURCE_CLOSE:
	case CODEC_SOURCE_KEY:
		return wire->source != 0 && len == 0;
	case CODEC_CANVAS_CLOSE:
	case CODEC_ENCODE_OPEN:
	case CODEC_ENCODE_RATE:
	case CODEC_ENCODE_KEY:
	case CODEC_ENCODE_CLOSE:
		return wire->id != 0 && len == 0;
	case CODEC_LOAD:
		return len == 0;
	case CODEC_MESSAGE_KINDS:
		break;
	}
	return false;
}

static void
from_wire(struct codec_message *message, const struct wire *wire)
{
	*message = (struct codec_message){
		.kind = wire->kind,
		.id = wire->id,
		.source = wire->source,
		.frame = { .captured_us = wire->captured_us,
		           .codec = wire->codec,
		           .key = wire->key != 0,
		           .rotation = wire->rotation,
		           .width = wire->width,
		           .height = wire->height },
		.encode = { .canvas = wire->canvas,
		            .source = wire->encode_source,
		            .codec = wire->encode_codec,
		            .fps = wire->fps,
		            .single_nals = wire->single_nals != 0,
		            .detail = wire->detail != 0,
		            .width = wire->encode_width,
		            .height = wire->encode_height,
		            .bps = wire->bps },
		.load = { .cpu_pct = wire->cpu_pct,
		          .sources = wire->sources,
		          .canvases = wire->canvases,
		          .encodes = wire->encodes,
		          .frames_decoded = wire->frames_decoded,
		          .frames_composed = wire->frames_composed,
		          .frames_encoded = wire->frames_encoded,
		          .frames_dropped = wire->frames_dropped,
		          .frames_broken = wire->frames_broken,
		          .orders_refused = wire->orders_refused },
	};
}

static bool
read_record(struct codec_link *link, struct codec_message *message, size_t len)
{
	struct wire wire;
	if (len < sizeof wire)
		return false;
	memcpy(&wire, link->record, sizeof wire);
	if (!wire_valid(&wire, len - sizeof wire, link->child))
		return false;
	from_wire(message, &wire);
	if (is_frame(wire.kind)) {
		message->bytes = link->record + sizeof wire;
		message->len = len - sizeof wire;
	} else if (wire.kind == CODEC_CANVAS_SET) {
		memcpy(&link->canvas, link->record + sizeof wire, sizeof link->canvas);
		message->canvas = &link->canvas;
		return canvas_valid(&link->canvas);
	}
	return true;
}

/* Clears the eventfd before the last look, so that nothing put meanwhile goes unnoticed. */
static enum shm_ring_result
take_record(struct codec_link *link, size_t *len)
{
	enum shm_ring_result result = shm_ring_take(&link->in, link->record, RECORD_MAX, len);
	if (result != SHM_RING_EMPTY)
		return result;
	uint64_t count;
	if (read(codec_link_fd(link), &count, sizeof count) < 0)
		CHECK(errno == EAGAIN);
	return shm_ring_take(&link->in, link->record, RECORD_MAX, len);
}

enum codec_link_take
codec_link_take(struct codec_link *link, struct codec_message *message)
{
	if (codec_link_broken(link))
		return CODEC_LINK_BROKEN;
	settle(link);
	size_t len = 0;
	switch (take_record(link, &len)) {
	case SHM_RING_OK:
		if (read_record(link, message, len))
			return CODEC_LINK_MESSAGE;
		break;
	case SHM_RING_EMPTY:
		return CODEC_LINK_EMPTY;
	case SHM_RING_FULL:
	case SHM_RING_BROKEN:
		break;
	}
	break_link(link);
	return CODEC_LINK_BROKEN;
}
