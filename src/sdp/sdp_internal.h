/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_internal -- what the files of this folder share: words, and the parser between lines and
 * attributes. */
#ifndef SDP_SDP_INTERNAL_H
#define SDP_SDP_INTERNAL_H

#include "sdp/sdp.h"

struct sdp_parser {
	struct sdp *sdp;
	struct sdp_media session; /* what lines before the first m= say, for all media */
	struct sdp_media *media;  /* the one being filled: a line of `sdp`, or `session` */
	bool has_direction;       /* seen in `media` */
	bool has_tias;
};

/* Cuts the next word off `*rest`, however many blanks surround it; empty at the end. */
static inline struct str
sdp_word(struct str *rest)
{
	while (rest->len != 0 && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = str_sub(*rest, 1, rest->len - 1);
	size_t len = 0;
	while (len < rest->len && rest->at[len] != ' ' && rest->at[len] != '\t')
		len++;
	const struct str word = { .at = rest->at, .len = len };
	if (len != 0)
		*rest = str_sub(*rest, len, rest->len - len);
	return word;
}

/* "IN IP4 192.0.2.1[/ttl[/count]]". */
[[nodiscard]] bool sdp_connection_parse(struct sdp_connection *out, struct str text);

/* The value of one a= line. */
[[nodiscard]] enum sdp_reject sdp_attr_parse(struct sdp_parser *parser, struct str text);

/* "1 AES_CM_128_HMAC_SHA1_80 inline:..."; false when not even a tag can be read. */
[[nodiscard]] bool sdp_crypto_parse(struct sdp_crypto *out, struct str text);

/* A media line whose codecs, candidates and so on will be the next ones of their tables. */
[[nodiscard]] struct sdp_media sdp_media_begin(const struct sdp *sdp);

[[nodiscard]] enum sdp_suite sdp_suite_of(struct str name);
[[nodiscard]] enum sdp_proto sdp_proto_of(struct str text);
[[nodiscard]] struct str sdp_hash_name(enum sdp_hash hash);
[[nodiscard]] enum sdp_hash sdp_hash_of(struct str name);
/* Digest bytes; 0 for SDP_HASH_OTHER. */
[[nodiscard]] uint8_t sdp_hash_bytes(enum sdp_hash hash);
[[nodiscard]] struct str sdp_setup_name(enum sdp_setup setup);
[[nodiscard]] struct str sdp_candidate_type_name(enum sdp_candidate_type type);

static inline bool
sdp_proto_is_dtls(enum sdp_proto proto)
{
	return proto == SDP_PROTO_DTLS_SAVP || proto == SDP_PROTO_DTLS_SAVPF;
}

static inline bool
sdp_proto_is_secure(enum sdp_proto proto)
{
	return proto == SDP_PROTO_SAVP || proto == SDP_PROTO_SAVPF || sdp_proto_is_dtls(proto);
}

static inline bool
sdp_proto_has_feedback(enum sdp_proto proto)
{
	return proto == SDP_PROTO_AVPF || proto == SDP_PROTO_SAVPF || proto == SDP_PROTO_DTLS_SAVPF;
}

#endif
