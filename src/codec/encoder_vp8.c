/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/encoder_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "base/check.h"

enum {
	CPU_USED = -10,       /* the speed of conversation: no search in depth */
	STATIC_THRESHOLD = 1, /* blocks that stand still are skipped */
	STATIC_THRESHOLD_DETAIL = 100,
	INTRA_BPS_PCT = 450, /* a key frame may cost what 4.5 frames do at the target */
};

struct vp8 {
	vpx_codec_ctx_t codec;
	vpx_codec_enc_cfg_t config;
	vpx_image_t image;
	vpx_codec_pts_t next_pts;
};

static void
describe_rate(vpx_codec_enc_cfg_t *config, const struct encoder_settings *settings)
{
	config->rc_target_bitrate = (settings->bps + 500) / 1000;
}

static void
describe(vpx_codec_enc_cfg_t *config, const struct encoder_settings *settings)
{
	config->g_w = (unsigned)settings->width;
	config->g_h = (unsigned)settings->height;
	config->g_timebase = (vpx_rational_t){ 1, VIDEO_CLOCK_HZ };
	config->g_threads = 1;
	config->g_pass = VPX_RC_ONE_PASS;
	config->g_lag_in_frames = 0;
	config->g_error_resilient = 0;
	config->rc_end_usage = VPX_CBR;
	config->rc_dropframe_thresh = 30;
	config->rc_resize_allowed = 0;
	config->rc_min_quantizer = 2;
	config->rc_max_quantizer = 56;
	config->rc_undershoot_pct = 100;
	config->rc_overshoot_pct = 15;
	config->rc_buf_initial_sz = 500;
	config->rc_buf_optimal_sz = 600;
	config->rc_buf_sz = 1000;
	config->kf_mode = VPX_KF_DISABLED;
	describe_rate(config, settings);
}

static int
vp8_open(struct encoder *encoder)
{
	struct vp8 *vp8 = calloc(1, sizeof *vp8);
	if (vp8 == NULL)
		return -ENOMEM;
	const bool detail = encoder->settings.detail;
	if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &vp8->config, 0) != VPX_CODEC_OK)
		goto free_state;
	describe(&vp8->config, &encoder->settings);
	if (vpx_codec_enc_init(&vp8->codec, vpx_codec_vp8_cx(), &vp8->config, 0) != VPX_CODEC_OK)
		goto free_state;
	vpx_codec_control(&vp8->codec, VP8E_SET_CPUUSED, CPU_USED);
	vpx_codec_control(&vp8->codec, VP8E_SET_NOISE_SENSITIVITY, 0);
	vpx_codec_control(&vp8->codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	vpx_codec_control(&vp8->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, INTRA_BPS_PCT);
	vpx_codec_control(&vp8->codec, VP8E_SET_STATIC_THRESHOLD,
	                  detail ? STATIC_THRESHOLD_DETAIL : STATIC_THRESHOLD);
	vpx_codec_control(&vp8->codec, VP8E_SET_SCREEN_CONTENT_MODE, detail ? 1 : 0);
	encoder->state = vp8;
	return 0;

free_state:
	free(vp8);
	return -ENOMEM;
}

static void
vp8_close(struct encoder *encoder)
{
	struct vp8 *vp8 = encoder->state;
	vpx_codec_destroy(&vp8->codec);
	free(vp8);
}

static void
vp8_set_rate(struct encoder *encoder)
{
	struct vp8 *vp8 = encoder->state;
	describe_rate(&vp8->config, &encoder->settings);
	vpx_codec_enc_config_set(&vp8->codec, &vp8->config);
}

static enum encoder_result
vp8_input(struct encoder *encoder, struct encoder_frame *frame, const struct picture *picture,
          bool key, int64_t elapsed_us)
{
	struct vp8 *vp8 = encoder->state;
	/* A header around planes that are the caller's. */
	if (vpx_img_wrap(&vp8->image, VPX_IMG_FMT_I420, (unsigned)picture->width,
	                 (unsigned)picture->height, 1, picture->planes[PICTURE_Y]) == NULL)
		return ENCODER_FAILED;
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		vp8->image.planes[p] = picture->planes[p];
		vp8->image.stride[p] = picture->strides[p];
	}
	/* It counts time by what each frame is said to last. */
	vpx_codec_pts_t pts = elapsed_us * (VIDEO_CLOCK_HZ / 1000) / 1000;
	if (pts < vp8->next_pts)
		pts = vp8->next_pts;
	vp8->next_pts = pts + 1;
	const unsigned long duration = VIDEO_CLOCK_HZ / encoder->settings.fps;
	if (vpx_codec_encode(&vp8->codec, &vp8->image, pts, duration, key ? VPX_EFLAG_FORCE_KF : 0,
	                     VPX_DL_REALTIME) != VPX_CODEC_OK)
		return ENCODER_FAILED;

	vpx_codec_iter_t iter = NULL;
	for (const vpx_codec_cx_pkt_t *packet;
	     (packet = vpx_codec_get_cx_data(&vp8->codec, &iter)) != NULL;) {
		if (packet->kind != VPX_CODEC_CX_FRAME_PKT || packet->data.frame.sz == 0)
			continue;
		frame->bytes = packet->data.frame.buf;
		frame->len = packet->data.frame.sz;
		frame->key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
		return ENCODER_FRAME;
	}
	return ENCODER_SKIPPED;
}

const struct encoder_library encoder_vp8 = {
	.open = vp8_open,
	.close = vp8_close,
	.set_rate = vp8_set_rate,
	.input = vp8_input,
};
