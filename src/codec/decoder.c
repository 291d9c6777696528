/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "codec/h264_order.h"

enum { BYTES_MIN = 16 << 10 };

struct decoder {
	AVCodecContext *context;
	AVPacket *packet;
	AVFrame *next;
	AVFrame *shown;
	AVBufferRef *bytes; /* the frame with the padding that libavcodec wants */
	struct picture picture;
	bool has_picture;
	bool waiting; /* for a key frame */
	struct h264_order order;
};

static const AVCodec *
library_codec(enum video_codec codec)
{
	switch (codec) {
	case VIDEO_CODEC_H264:
		return avcodec_find_decoder(AV_CODEC_ID_H264);
	case VIDEO_CODEC_VP8:
		return avcodec_find_decoder(AV_CODEC_ID_VP8);
	case VIDEO_CODEC_VP9:
		return avcodec_find_decoder(AV_CODEC_ID_VP9);
	case VIDEO_CODEC_AV1:
		return avcodec_find_decoder(AV_CODEC_ID_AV1);
	case VIDEO_CODEC_NONE:
	case VIDEO_CODEC_COUNT:
		break;
	}
	return NULL;
}

int
decoder_create(struct decoder **out, enum video_codec codec)
{
	const AVCodec *library = library_codec(codec);
	if (library == NULL)
		return -EINVAL;
	av_log_set_level(AV_LOG_QUIET); /* what strangers send is counted, not logged */
	struct decoder *decoder = calloc(1, sizeof *decoder);
	if (decoder == NULL)
		return -ENOMEM;
	decoder->waiting = true;
	decoder->context = avcodec_alloc_context3(library);
	decoder->packet = av_packet_alloc();
	decoder->next = av_frame_alloc();
	decoder->shown = av_frame_alloc();
	if (decoder->context == NULL || decoder->packet == NULL || decoder->next == NULL ||
	    decoder->shown == NULL) {
		decoder_destroy(decoder);
		return -ENOMEM;
	}
	decoder->context->thread_count = 1;
	decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	decoder->context->max_pixels = PICTURE_PIXELS_MAX;
	const int rc = avcodec_open2(decoder->context, library, NULL);
	if (rc < 0) {
		decoder_destroy(decoder);
		return rc == AVERROR(ENOMEM) ? -ENOMEM : -EINVAL;
	}
	*out = decoder;
	return 0;
}

void
decoder_destroy(struct decoder *decoder)
{
	if (decoder == NULL)
		return;
	av_frame_free(&decoder->next);
	av_frame_free(&decoder->shown);
	av_packet_free(&decoder->packet);
	avcodec_free_context(&decoder->context);
	av_buffer_unref(&decoder->bytes);
	free(decoder);
}

const struct picture *
decoder_picture(const struct decoder *decoder)
{
	return decoder->has_picture ? &decoder->picture : NULL;
}

bool
decoder_waiting(const struct decoder *decoder)
{
	return decoder->waiting;
}

void
decoder_restart(struct decoder *decoder)
{
	if (decoder->waiting)
		return;
	avcodec_flush_buffers(decoder->context);
	decoder->waiting = true;
}

/* Our own counted buffer: libavcodec would make a copy, with memory of its own, of bytes that are
 * not counted.  It may keep the last one for a while (AV1); then there is a new one. */
static bool
fill_packet(struct decoder *decoder, const uint8_t *bytes, size_t len)
{
	const size_t need = len + AV_INPUT_BUFFER_PADDING_SIZE;
	if (decoder->bytes == NULL || decoder->bytes->size < need ||
	    !av_buffer_is_writable(decoder->bytes)) {
		size_t size = BYTES_MIN;
		while (size < need)
			size *= 2;
		av_buffer_unref(&decoder->bytes);
		decoder->bytes = av_buffer_alloc(size);
		if (decoder->bytes == NULL)
			return false;
	}
	memcpy(decoder->bytes->data, bytes, len);
	memset(decoder->bytes->data + len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	decoder->packet->buf = av_buffer_ref(decoder->bytes);
	decoder->packet->data = decoder->bytes->data;
	decoder->packet->size = (int)len;
	return decoder->packet->buf != NULL;
}

/* libavcodec conceals what is missing and says so; we do not show it. */
static bool
frame_sound(const AVFrame *frame)
{
	const bool format =
	        frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P;
	return format && frame->decode_error_flags == 0 &&
	       (frame->flags & AV_FRAME_FLAG_CORRUPT) == 0 && frame->width >= PICTURE_SIDE_MIN &&
	       frame->width <= VIDEO_SIDE_MAX && frame->height >= PICTURE_SIDE_MIN &&
	       frame->height <= VIDEO_SIDE_MAX &&
	       (int64_t)frame->width * frame->height <= PICTURE_PIXELS_MAX;
}

static void
show_next(struct decoder *decoder)
{
	AVFrame *before = decoder->shown;
	decoder->shown = decoder->next;
	decoder->next = before;
	av_frame_unref(before);
	decoder->picture = (struct picture){ .width = decoder->shown->width,
		                             .height = decoder->shown->height };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		decoder->picture.planes[p] = decoder->shown->data[p];
		decoder->picture.strides[p] = decoder->shown->linesize[p];
	}
	decoder->has_picture = true;
}

static bool
frame_follows(struct decoder *decoder, const uint8_t *bytes, size_t len)
{
	if (decoder->context->codec_id != AV_CODEC_ID_H264)
		return true;
	if (decoder->waiting)
		decoder->order.started = false;
	return h264_order_follows(&decoder->order, bytes, len);
}

enum decoder_result
decoder_input(struct decoder *decoder, const uint8_t *bytes, size_t len, bool key)
{
	if (decoder->waiting && !key)
		return DECODER_WAITING;
	if (len == 0 || len > VIDEO_FRAME_BYTES_MAX)
		return DECODER_BROKEN;

	enum decoder_result result = DECODER_NOTHING;
	bool sound = frame_follows(decoder, bytes, len) && fill_packet(decoder, bytes, len) &&
	             avcodec_send_packet(decoder->context, decoder->packet) >= 0;
	av_packet_unref(decoder->packet);
	while (sound) {
		const int rc = avcodec_receive_frame(decoder->context, decoder->next);
		if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
			break;
		sound = rc >= 0 && frame_sound(decoder->next);
		if (!sound)
			break;
		show_next(decoder);
		result = DECODER_PICTURE;
	}
	/* A key frame without a picture was none. */
	if (sound && (result == DECODER_PICTURE || !decoder->waiting)) {
		decoder->waiting = false;
		return result;
	}
	av_frame_unref(decoder->next);
	decoder->waiting = false;
	decoder_restart(decoder);
	return DECODER_BROKEN;
}

void
decoder_warm_up(void)
{
	for (enum video_codec codec = VIDEO_CODEC_H264; codec < VIDEO_CODEC_COUNT; codec++) {
		struct decoder *decoder = NULL;
		if (decoder_create(&decoder, codec) == 0)
			decoder_destroy(decoder);
	}
}
