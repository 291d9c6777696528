/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/encoder_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wels/codec_api.h>

#include "base/check.h"

struct h264 {
	ISVCEncoder *encoder;
	SFrameBSInfo frame;
	uint8_t *bytes; /* when the library's layers do not lie one behind the other */
	size_t bytes_max;
};

static void
describe_layer(SSpatialLayerConfig *layer, const struct encoder_settings *settings)
{
	layer->iVideoWidth = settings->width;
	layer->iVideoHeight = settings->height;
	layer->fFrameRate = (float)settings->fps;
	layer->iSpatialBitrate = (int)settings->bps;
	layer->iMaxSpatialBitrate = UNSPECIFIED_BIT_RATE;
	layer->uiProfileIdc = PRO_BASELINE; /* with the constraints: what every room decodes */
	layer->uiLevelIdc = LEVEL_UNKNOWN;  /* the least that fits */
	layer->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
	if (settings->single_nals) {
		layer->sSliceArgument.uiSliceMode = SM_SIZELIMITED_SLICE;
		layer->sSliceArgument.uiSliceSizeConstraint = VIDEO_PAYLOAD_BYTES_MAX;
	}
}

static void
describe(SEncParamExt *params, const struct encoder_settings *settings)
{
	/* A scene change is no reason for a key frame: a layout change is one in every picture. */
	params->bEnableSceneChangeDetect = false;
	params->iUsageType = settings->detail ? SCREEN_CONTENT_REAL_TIME : CAMERA_VIDEO_REAL_TIME;
	params->iPicWidth = settings->width;
	params->iPicHeight = settings->height;
	params->iTargetBitrate = (int)settings->bps;
	params->iMaxBitrate = UNSPECIFIED_BIT_RATE;
	params->fMaxFrameRate = (float)settings->fps;
	params->iRCMode = RC_BITRATE_MODE;
	params->bEnableFrameSkip = true; /* without it noise runs away with the rate */
	params->iTemporalLayerNum = 1;
	params->iSpatialLayerNum = 1;
	params->iComplexityMode = LOW_COMPLEXITY;
	params->uiIntraPeriod = 0; /* only when asked for */
	params->iNumRefFrame = 1;
	params->eSpsPpsIdStrategy = CONSTANT_ID;
	params->iEntropyCodingModeFlag = 0;
	params->iMultipleThreadIdc = 1;
	params->bEnableDenoise = false;
	params->bEnableBackgroundDetection = true;
	params->bEnableAdaptiveQuant = !settings->detail;
	params->uiMaxNalSize = settings->single_nals ? VIDEO_PAYLOAD_BYTES_MAX : 0;
	describe_layer(&params->sSpatialLayers[0], settings);
}

static void
h264_close(struct encoder *encoder)
{
	struct h264 *h264 = encoder->state;
	if (h264->encoder != NULL) {
		(*h264->encoder)->Uninitialize(h264->encoder);
		WelsDestroySVCEncoder(h264->encoder);
	}
	free(h264->bytes);
	free(h264);
}

static int
h264_open(struct encoder *encoder)
{
	struct h264 *h264 = calloc(1, sizeof *h264);
	if (h264 == NULL)
		return -ENOMEM;
	encoder->state = h264;
	if (WelsCreateSVCEncoder(&h264->encoder) != 0 || h264->encoder == NULL) {
		h264->encoder = NULL;
		h264_close(encoder);
		return -ENOMEM;
	}
	int quiet = WELS_LOG_QUIET;
	(*h264->encoder)->SetOption(h264->encoder, ENCODER_OPTION_TRACE_LEVEL, &quiet);
	SEncParamExt params;
	int rc = (*h264->encoder)->GetDefaultParams(h264->encoder, &params);
	if (rc == cmResultSuccess) {
		describe(&params, &encoder->settings);
		rc = (*h264->encoder)->InitializeExt(h264->encoder, &params);
	}
	if (rc != cmResultSuccess) {
		h264_close(encoder);
		return rc == cmMallocMemeError ? -ENOMEM : -EINVAL;
	}
	int format = videoFormatI420;
	(*h264->encoder)->SetOption(h264->encoder, ENCODER_OPTION_DATAFORMAT, &format);
	return 0;
}

static void
h264_set_rate(struct encoder *encoder)
{
	struct h264 *h264 = encoder->state;
	float fps = (float)encoder->settings.fps;
	SBitrateInfo bps = { .iLayer = SPATIAL_LAYER_ALL, .iBitrate = (int)encoder->settings.bps };
	(*h264->encoder)->SetOption(h264->encoder, ENCODER_OPTION_FRAME_RATE, &fps);
	(*h264->encoder)->SetOption(h264->encoder, ENCODER_OPTION_BITRATE, &bps);
}

static size_t
layer_bytes(const SLayerBSInfo *layer)
{
	size_t len = 0;
	for (int n = 0; n < layer->iNalCount; n++)
		len += (size_t)layer->pNalLengthInByte[n];
	return len;
}

/* The library's own buffer when it is all in one piece, ours otherwise. */
static bool
gather(struct h264 *h264, struct encoder_frame *frame)
{
	size_t len = 0;
	bool one_piece = true;
	for (int l = 0; l < h264->frame.iLayerNum; l++) {
		const SLayerBSInfo *layer = &h264->frame.sLayerInfo[l];
		one_piece &= layer->pBsBuf == h264->frame.sLayerInfo[0].pBsBuf + len;
		len += layer_bytes(layer);
	}
	frame->bytes = h264->frame.sLayerInfo[0].pBsBuf;
	frame->len = len;
	if (one_piece)
		return true;
	if (len > h264->bytes_max) {
		free(h264->bytes);
		h264->bytes = malloc(len);
		h264->bytes_max = h264->bytes != NULL ? len : 0;
		if (h264->bytes == NULL)
			return false;
	}
	size_t at = 0;
	for (int l = 0; l < h264->frame.iLayerNum; l++) {
		const SLayerBSInfo *layer = &h264->frame.sLayerInfo[l];
		memcpy(h264->bytes + at, layer->pBsBuf, layer_bytes(layer));
		at += layer_bytes(layer);
	}
	frame->bytes = h264->bytes;
	return true;
}

static enum encoder_result
h264_input(struct encoder *encoder, struct encoder_frame *frame, const struct picture *picture,
           bool key, int64_t elapsed_us)
{
	struct h264 *h264 = encoder->state;
	SSourcePicture source = { .iColorFormat = videoFormatI420,
		                  .iPicWidth = picture->width,
		                  .iPicHeight = picture->height,
		                  .uiTimeStamp = elapsed_us / 1000 };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		source.pData[p] = picture->planes[p];
		source.iStride[p] = picture->strides[p];
	}
	if (key)
		(*h264->encoder)->ForceIntraFrame(h264->encoder, true);
	memset(&h264->frame, 0, sizeof h264->frame);
	const int rc = (*h264->encoder)->EncodeFrame(h264->encoder, &source, &h264->frame);
	if (rc != cmResultSuccess || h264->frame.eFrameType == videoFrameTypeInvalid)
		return ENCODER_FAILED;
	if (h264->frame.eFrameType == videoFrameTypeSkip || h264->frame.iLayerNum == 0)
		return ENCODER_SKIPPED;
	frame->key = h264->frame.eFrameType == videoFrameTypeIDR;
	return gather(h264, frame) && frame->len > 0 ? ENCODER_FRAME : ENCODER_FAILED;
}

const struct encoder_library encoder_h264 = {
	.open = h264_open,
	.close = h264_close,
	.set_rate = h264_set_rate,
	.input = h264_input,
};
