/* SPDX-License-Identifier: Apache-2.0 */
/* What the media machine keeps about pictures; shared by the media_video*.c files. */
#ifndef WORKER_MEDIA_VIDEO_INTERNAL_H
#define WORKER_MEDIA_VIDEO_INTERNAL_H

#include "codec/codec.h"
#include "worker/media_internal.h"

enum {
	CANVASES_MAX = CODEC_CANVASES_MAX,
};

/* One m= line of a leg. */
struct video_line {
	struct media_video_settings agreed;
	struct media_show show;
};

/* All that a leg with pictures or camera control has beyond a leg with sound. */
struct leg_video {
	struct video_line *lines[MEDIA_LINES_MAX]; /* NULL: not agreed yet */
	struct media_data_settings data;
	struct rtp_send data_send;
};

/* Of the whole machine. */
struct video_machine {
	struct media_canvas canvases[CANVASES_MAX]; /* id 0: free */
	bool codec_attached;
};

#endif
