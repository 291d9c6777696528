/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp/libsrtp2_peer.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct libsrtp2_peer {
	srtp_t session;
	uint8_t key[SRTP_KEY_BYTES_MAX + SRTP_SALT_BYTES_MAX];
};

static void
policy_of(srtp_policy_t *policy, enum srtp_suite suite)
{
	switch (suite) {
	case SRTP_SUITE_AES_CM_128_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		break;
	case SRTP_SUITE_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		break;
	case SRTP_SUITE_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		break;
	case SRTP_SUITE_AES_256_CM_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
		break;
	case SRTP_SUITE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
		break;
	case SRTP_SUITE_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
		break;
	case SRTP_SUITE_NONE:
	case SRTP_SUITE_COUNT:
		check_fail(__FILE__, __LINE__, "a suite");
	}
}

struct libsrtp2_peer *
libsrtp2_peer_create(const struct srtp_settings *settings)
{
	static bool started;
	if (!started && srtp_init() != srtp_err_status_ok)
		return NULL;
	started = true;

	struct libsrtp2_peer *peer = calloc(1, sizeof *peer);
	if (peer == NULL)
		return NULL;
	const struct srtp_suite_info *info = srtp_suite_info(settings->suite);
	memcpy(peer->key, settings->key, info->key_bytes);
	memcpy(peer->key + info->key_bytes, settings->salt, info->salt_bytes);

	srtp_policy_t policy = { .key = peer->key, .window_size = 256 };
	policy.ssrc.type =
	        settings->direction == SRTP_OUTBOUND ? ssrc_any_outbound : ssrc_any_inbound;
	policy_of(&policy, settings->suite);
	if (srtp_create(&peer->session, &policy) != srtp_err_status_ok) {
		free(peer);
		return NULL;
	}
	return peer;
}

void
libsrtp2_peer_destroy(struct libsrtp2_peer *peer)
{
	if (peer == NULL)
		return;
	srtp_dealloc(peer->session);
	free(peer);
}

typedef srtp_err_status_t transform_fn(srtp_t session, void *bytes, int *len);

static bool
run(transform_fn *transform, struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len)
{
	int changed = (int)*len;
	if (transform(peer->session, bytes, &changed) != srtp_err_status_ok)
		return false;
	*len = (size_t)changed;
	return true;
}

bool
libsrtp2_rtp_protect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len)
{
	return run(srtp_protect, peer, bytes, len);
}

bool
libsrtp2_rtcp_protect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len)
{
	return run(srtp_protect_rtcp, peer, bytes, len);
}

bool
libsrtp2_rtp_unprotect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len)
{
	return run(srtp_unprotect, peer, bytes, len);
}

bool
libsrtp2_rtcp_unprotect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len)
{
	return run(srtp_unprotect_rtcp, peer, bytes, len);
}
