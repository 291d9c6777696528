/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp/sdp_internal.h"

#include "base/check.h"

/* RFC 3551 s6: what a payload type means when no rtpmap says so. */
static const struct {
	uint8_t payload;
	uint8_t channels;
	uint32_t rate_hz;
	struct str name;
} static_payloads[] = {
	{ 0, 1, 8000, STR_INIT("PCMU") },   { 3, 1, 8000, STR_INIT("GSM") },
	{ 4, 1, 8000, STR_INIT("G723") },   { 5, 1, 8000, STR_INIT("DVI4") },
	{ 6, 1, 16000, STR_INIT("DVI4") },  { 7, 1, 8000, STR_INIT("LPC") },
	{ 8, 1, 8000, STR_INIT("PCMA") },   { 9, 1, 8000, STR_INIT("G722") },
	{ 10, 2, 44100, STR_INIT("L16") },  { 11, 1, 44100, STR_INIT("L16") },
	{ 12, 1, 8000, STR_INIT("QCELP") }, { 13, 1, 8000, STR_INIT("CN") },
	{ 14, 1, 90000, STR_INIT("MPA") },  { 15, 1, 8000, STR_INIT("G728") },
	{ 16, 1, 11025, STR_INIT("DVI4") }, { 17, 1, 22050, STR_INIT("DVI4") },
	{ 18, 1, 8000, STR_INIT("G729") },  { 25, 1, 90000, STR_INIT("CelB") },
	{ 26, 1, 90000, STR_INIT("JPEG") }, { 28, 1, 90000, STR_INIT("nv") },
	{ 31, 1, 90000, STR_INIT("H261") }, { 32, 1, 90000, STR_INIT("MPV") },
	{ 33, 1, 90000, STR_INIT("MP2T") }, { 34, 1, 90000, STR_INIT("H263") },
};

static enum sdp_reject
parse_version(struct sdp_parser *parser, struct str value)
{
	(void)parser;
	return str_eq(value, STR("0")) ? SDP_OK : SDP_REJECT_VERSION;
}

/* o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address> */
static enum sdp_reject
parse_origin(struct sdp_parser *parser, struct str value)
{
	struct sdp_origin *origin = &parser->sdp->origin;
	if (parser->media != &parser->session || origin->user.len != 0)
		return SDP_REJECT_ORIGIN;
	const struct str user = sdp_word(&value);
	origin->id = sdp_word(&value);
	origin->version = sdp_word(&value);
	(void)sdp_word(&value);
	(void)sdp_word(&value);
	origin->host = sdp_word(&value);
	if (origin->host.len == 0 || str_trim(value).len != 0)
		return SDP_REJECT_ORIGIN;
	if (!addr_parse_ip(&origin->addr, origin->host))
		origin->addr.family = ADDR_NONE;
	origin->user = user;
	return SDP_OK;
}

bool
sdp_connection_parse(struct sdp_connection *out, struct str text)
{
	const struct str network = sdp_word(&text);
	const struct str family = sdp_word(&text);
	struct str with_ttl = sdp_word(&text);
	struct sdp_connection connection = { .host = str_cut(&with_ttl, '/') };
	const bool is_ip = str_eq_nocase(family, STR("IP4")) || str_eq_nocase(family, STR("IP6"));
	if (!str_eq_nocase(network, STR("IN")) || !is_ip || connection.host.len == 0)
		return false;
	if (!addr_parse_ip(&connection.addr, connection.host))
		connection.addr.family = ADDR_NONE;
	connection.addr.port = 0;
	*out = connection;
	return true;
}

static enum sdp_reject
parse_connection(struct sdp_parser *parser, struct str value)
{
	struct sdp_connection *connection = &parser->media->connection;
	if (connection->host.len != 0 && parser->media != &parser->session &&
	    connection->host.at != parser->session.connection.host.at)
		return SDP_OK; /* A second c= of layered multicast: the first counts. */
	return sdp_connection_parse(connection, value) ? SDP_OK : SDP_REJECT_CONNECTION;
}

/* TIAS (RFC 3890) says what the codec may use; AS includes headers and serves when alone. */
static enum sdp_reject
parse_bandwidth(struct sdp_parser *parser, struct str value)
{
	const struct str kind = str_trim(str_cut(&value, ':'));
	uint64_t bps = 0;
	if (!str_u64(str_trim(value), &bps))
		return SDP_OK;
	const bool is_tias = str_eq_nocase(kind, STR("TIAS"));
	if (!is_tias && !str_eq_nocase(kind, STR("AS")))
		return SDP_OK;
	if (bps > SDP_BANDWIDTH_BPS_MAX / 1000 && !is_tias)
		bps = SDP_BANDWIDTH_BPS_MAX;
	else if (!is_tias)
		bps *= 1000;
	if (bps > SDP_BANDWIDTH_BPS_MAX)
		bps = SDP_BANDWIDTH_BPS_MAX;
	if (is_tias || !parser->has_tias)
		parser->media->bandwidth_bps = (uint32_t)bps;
	parser->has_tias |= is_tias;
	return SDP_OK;
}

static struct sdp_codec *
find_codec(struct sdp *sdp, const struct sdp_range *range, uint32_t payload)
{
	for (unsigned i = 0; i < range->count; i++)
		if (sdp->codecs[range->first + i].payload == payload)
			return &sdp->codecs[range->first + i];
	return NULL;
}

static enum sdp_reject
parse_formats(struct sdp *sdp, struct sdp_media *media)
{
	struct str rest = media->formats;
	for (struct str word; (word = sdp_word(&rest)).len != 0;) {
		uint32_t payload = 0;
		if (!str_u32(word, &payload) || payload > 127)
			return SDP_REJECT_MEDIA;
		if (find_codec(sdp, &media->codecs, payload) != NULL)
			continue;
		if (sdp->codec_count == SDP_CODECS_MAX)
			return SDP_REJECT_TOO_MANY;
		sdp->codecs[sdp->codec_count++] =
		        (struct sdp_codec){ .payload = (uint8_t)payload, .channels = 1 };
		media->codecs.count++;
	}
	return SDP_OK;
}

static void
name_static_payloads(struct sdp *sdp, const struct sdp_media *media)
{
	for (unsigned i = 0; i < media->codecs.count; i++) {
		struct sdp_codec *codec = &sdp->codecs[media->codecs.first + i];
		if (codec->name.len != 0)
			continue;
		for (size_t s = 0; s < COUNT_OF(static_payloads); s++) {
			if (static_payloads[s].payload != codec->payload)
				continue;
			codec->name = static_payloads[s].name;
			codec->rate_hz = static_payloads[s].rate_hz;
			codec->channels = static_payloads[s].channels;
		}
	}
}

/* What the session level said holds for a media line that says nothing of its own. */
static void
inherit(const struct sdp_media *session, struct sdp_media *media)
{
	if (media->ice_ufrag.len == 0)
		media->ice_ufrag = session->ice_ufrag;
	if (media->ice_pwd.len == 0)
		media->ice_pwd = session->ice_pwd;
	if (media->ice_options.len == 0)
		media->ice_options = session->ice_options;
	if (media->setup == SDP_SETUP_NONE)
		media->setup = session->setup;
	if (media->tls_id.len == 0)
		media->tls_id = session->tls_id;
	if (media->fingerprints.count == 0)
		media->fingerprints = session->fingerprints;
	if (media->extmaps.count == 0)
		media->extmaps = session->extmaps;
	if (media->ptime_ms == 0)
		media->ptime_ms = session->ptime_ms;
	if (media->maxptime_ms == 0)
		media->maxptime_ms = session->maxptime_ms;
	media->extmap_allow_mixed |= session->extmap_allow_mixed;
	media->end_of_candidates |= session->end_of_candidates;
	media->ice_trickle = sdp_group_has(media->ice_options, STR("trickle"));
}

static enum sdp_reject
finish_media(struct sdp_parser *parser)
{
	struct sdp_media *media = parser->media;
	if (media == &parser->session) {
		struct sdp *sdp = parser->sdp;
		sdp->connection = media->connection;
		sdp->bandwidth_bps = media->bandwidth_bps;
		sdp->extmap_allow_mixed = media->extmap_allow_mixed;
		sdp->fingerprints = media->fingerprints;
		sdp->others = media->others;
		return SDP_OK;
	}
	inherit(&parser->session, media);
	name_static_payloads(parser->sdp, media);
	/* RFC 8866 s5.7; a refused line need not say where it would have been. */
	return media->connection.host.len != 0 || media->port == 0 ? SDP_OK : SDP_REJECT_CONNECTION;
}

/* m=<media> <port>[/<count>] <proto> <fmt> ... */
static enum sdp_reject
parse_media(struct sdp_parser *parser, struct str value)
{
	struct sdp *sdp = parser->sdp;
	const enum sdp_reject reject = finish_media(parser);
	if (reject != SDP_OK)
		return reject;
	if (sdp->media_count == SDP_MEDIAS_MAX)
		return SDP_REJECT_TOO_MANY;

	struct sdp_media *media = &sdp->medias[sdp->media_count];
	*media = sdp_media_begin(sdp);
	media->connection = parser->session.connection;
	media->direction = parser->session.direction;
	media->kind = SDP_KIND_OTHER;
	media->kind_text = sdp_word(&value);
	struct str ports = sdp_word(&value);
	media->proto_text = sdp_word(&value);
	media->formats = str_trim(value);
	for (unsigned k = 0; k < SDP_KIND_OTHER; k++)
		if (str_eq_nocase(media->kind_text, sdp_kind_name((enum sdp_kind)k)))
			media->kind = (enum sdp_kind)k;
	media->proto = sdp_proto_of(media->proto_text);

	uint32_t port = 0;
	if (!str_u32(str_cut(&ports, '/'), &port) || port > UINT16_MAX)
		return SDP_REJECT_MEDIA;
	media->port = (uint16_t)port;
	if (media->proto_text.len == 0 || (media->formats.len == 0 && port != 0))
		return SDP_REJECT_MEDIA;

	parser->media = media;
	parser->has_direction = false;
	parser->has_tias = false;
	sdp->media_count++;
	return sdp_proto_is_rtp(media->proto) ? parse_formats(sdp, media) : SDP_OK;
}

static enum sdp_reject
parse_line(struct sdp_parser *parser, struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t')
			return SDP_REJECT_LINE;
	if (line.len < 2 || line.at[1] != '=' || line.at[0] < 'a' || line.at[0] > 'z')
		return SDP_REJECT_LINE;

	const struct str value = str_sub(line, 2, line.len - 2);
	switch (line.at[0]) {
	case 'o':
		return parse_origin(parser, value);
	case 's':
		if (parser->sdp->name.len == 0)
			parser->sdp->name = value;
		return SDP_OK;
	case 'c':
		return parse_connection(parser, value);
	case 'b':
		return parse_bandwidth(parser, value);
	case 'm':
		return parse_media(parser, value);
	case 'a':
		return sdp_attr_parse(parser, value);
	default: /* t=, i=, u=, e=, p= and what is unknown to us: nothing we need */
		return SDP_OK;
	}
}

static enum sdp_reject
parse_lines(struct sdp_parser *parser, struct str text)
{
	bool first = true;
	while (text.len != 0) {
		struct str line = str_cut(&text, '\n');
		while (line.len != 0 &&
		       (line.at[line.len - 1] == '\r' || line.at[line.len - 1] == ' '))
			line.len--;
		if (line.len == 0)
			continue;
		enum sdp_reject reject = SDP_OK;
		if (first)
			reject = str_starts(line, STR("v="))
			                 ? parse_version(parser, str_sub(line, 2, line.len - 2))
			                 : SDP_REJECT_VERSION;
		else
			reject = parse_line(parser, line);
		if (reject != SDP_OK)
			return reject;
		first = false;
	}
	return first ? SDP_REJECT_VERSION : finish_media(parser);
}

enum sdp_reject
sdp_parse(struct sdp *out, struct str text)
{
	CHECK(text.at != NULL || text.len == 0);
	struct sdp_parser parser = { .sdp = out, .session.direction = SDP_SENDRECV };
	parser.media = &parser.session;
	sdp_init(out);
	if (text.len > SDP_BYTES_MAX)
		return SDP_REJECT_LONG;
	const enum sdp_reject reject = parse_lines(&parser, text);
	if (reject != SDP_OK)
		sdp_init(out);
	return reject;
}
