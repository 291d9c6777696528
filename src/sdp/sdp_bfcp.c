/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control: the m= line of BFCP (RFC 8856, and what devices of RFC 4583 write). */
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

enum { PORT_DISCARD = 9 }; /* RFC 4145 s4.1: who connects need not say from where */

/* The value of an attribute that only BFCP has, or empty. */
static struct str
attribute(const struct negotiation *n, const struct sdp_media *media, struct str name)
{
	for (unsigned i = 0; i < media->others.count; i++) {
		const struct sdp_attr *attr = &n->remote->other_table[media->others.first + i];
		if (str_eq_nocase(attr->name, name))
			return str_trim(attr->value);
	}
	return (struct str){ 0 };
}

static uint32_t
number(const struct negotiation *n, const struct sdp_media *media, struct str name, uint32_t max)
{
	struct str value = attribute(n, media, name);
	uint32_t found = 0;
	return str_u32(sdp_word(&value), &found) && found <= max ? found : 0;
}

/* RFC 8856 s5.1: each names what it is ready to be; a peer that is ready for both, or says nothing
 * (then it is a client), finds the server in us. */
static bool
agree_roles(struct sdp_bfcp *bfcp, const struct sdp_bfcp_cap *cap, struct str floorctrl)
{
	bool client = floorctrl.len == 0;
	bool server = false;
	for (struct str word; (word = sdp_word(&floorctrl)).len != 0;) {
		client = client || str_eq_nocase(word, STR("c-only")) ||
		         str_eq_nocase(word, STR("c-s"));
		server = server || str_eq_nocase(word, STR("s-only")) ||
		         str_eq_nocase(word, STR("c-s"));
	}
	bfcp->server = client;
	return client || (server && cap->client);
}

/* Who connects (RFC 4145 s4).  Where both may, the peer does: it finds us from behind its NAT. */
static bool
agree_setup(struct sdp_bfcp *bfcp, const struct sdp_media *media)
{
	bfcp->active = media->setup == SDP_SETUP_PASSIVE;
	return media->setup != SDP_SETUP_HOLDCONN;
}

static void
agree_ids(const struct negotiation *n, struct sdp_bfcp *bfcp, const struct sdp_bfcp_cap *cap,
          const struct sdp_media *media)
{
	bfcp->conference_id = cap->conference_id;
	bfcp->user_id = cap->user_id;
	bfcp->floor_id = cap->floor_id;
	if (bfcp->server)
		return;
	bfcp->conference_id = number(n, media, STR("confid"), UINT32_MAX);
	bfcp->user_id = (uint16_t)number(n, media, STR("userid"), UINT16_MAX);
	bfcp->floor_id = (uint16_t)number(n, media, STR("floorid"), UINT16_MAX);
}

/* s9: over TLS either side is known by its fingerprint alone. */
static bool
agree_tls(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	if (media->proto != SDP_PROTO_BFCP_TLS && media->proto != SDP_PROTO_BFCP_DTLS)
		return true;
	const struct sdp_fingerprint *print = sdp_best_fingerprint(n->remote, media);
	struct sdp_path *path = print != NULL ? sdp_path_claim(n->session, line) : NULL;
	if (path == NULL)
		return false;
	path->remote_fingerprint = *print;
	line->security = SDP_SECURITY_DTLS;
	return true;
}

void
sdp_bfcp_agree(const struct negotiation *n, struct sdp_line *line, const struct sdp_media *media)
{
	const struct sdp_bfcp_cap *cap = &n->session->settings->medias[line->media].bfcp;
	struct sdp_bfcp bfcp = { 0 };
	if ((cap->protos & 1u << media->proto) == 0 ||
	    !agree_roles(&bfcp, cap, attribute(n, media, STR("floorctrl"))) ||
	    !agree_setup(&bfcp, media)) {
		sdp_line_refuse(line, SDP_REFUSAL_PROTO);
		return;
	}
	if (media->connection.addr.family == ADDR_NONE ||
	    addr_is_multicast(&media->connection.addr) || !agree_tls(n, line, media)) {
		sdp_line_refuse(line, SDP_REFUSAL_TRANSPORT);
		return;
	}
	agree_ids(n, &bfcp, cap, media);
	const struct str connection = attribute(n, media, STR("connection"));
	bfcp.connection_new = !line->accepted || str_eq_nocase(connection, STR("new"));
	line->bfcp = bfcp;
	line->accepted = true;
	line->refusal = SDP_REFUSAL_NONE;
	line->direction = SDP_SENDRECV;
	line->remote_rtp = media->connection.addr;
	line->remote_rtp.port = media->port;
	line->remote_rtcp = line->remote_rtp;
	line->remote_learn = media->port == PORT_DISCARD || addr_is_unspecified(&line->remote_rtp);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void
add_number(struct composition *c, struct sdp_media *media, struct str name, uint32_t value)
{
	const size_t start = c->text.at;
	writer_decimal(&c->text, value);
	sdp_compose_other(c, media, name, sdp_composed(c, start));
}

static void
compose_server(struct composition *c, struct sdp_media *media, const struct sdp_bfcp_cap *cap)
{
	add_number(c, media, STR("confid"), cap->conference_id);
	add_number(c, media, STR("userid"), cap->user_id);
	const size_t start = c->text.at;
	writer_format(&c->text, "%u", cap->floor_id);
	if (cap->stream.len != 0)
		writer_format(&c->text, " mstrm:%.*s", STR_ARGS(cap->stream));
	sdp_compose_other(c, media, STR("floorid"), sdp_composed(c, start));
}

static enum sdp_setup
setup_of(const struct composition *c, const struct sdp_line *line)
{
	if (!c->is_answer && (line->fresh || !line->bfcp.active))
		return line->fresh ? SDP_SETUP_ACTPASS : SDP_SETUP_PASSIVE;
	return line->bfcp.active ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
}

void
sdp_bfcp_compose(struct composition *c, struct sdp_line *line, struct sdp_media *media)
{
	const struct sdp_bfcp_cap *cap = &c->session->settings->medias[line->media].bfcp;
	const struct sdp_transport *transport = &c->transports[line->media];
	const bool server = line->fresh || line->bfcp.server;
	const struct str both = cap->client ? STR("c-s") : STR("s-only");
	media->formats = STR("*");
	(void)str_copy(line->format, sizeof line->format, media->formats);
	media->port = transport->rtp.port;
	if (!addr_eq_ip(&transport->rtp, &c->sdp.connection.addr)) {
		media->connection.addr = transport->rtp;
		media->connection.addr.port = 0;
	}
	sdp_compose_other(c, media, STR("floorctrl"),
	                  line->fresh ? both : server ? STR("s-only") : STR("c-only"));
	if (server)
		compose_server(c, media, cap);
	/* Rooms want to see both of these with UDP/BFCP too, where RFC 8856 has no use for them. */
	media->setup = setup_of(c, line);
	const bool new = line->fresh || (c->is_answer && line->bfcp.connection_new);
	sdp_compose_other(c, media, STR("connection"), new ? STR("new") : STR("existing"));
	if (line->proto == SDP_PROTO_BFCP_UDP || line->proto == SDP_PROTO_BFCP_DTLS)
		sdp_compose_other(c, media, STR("bfcpver"), STR("2 1"));
	if (line->proto == SDP_PROTO_BFCP_TLS || line->proto == SDP_PROTO_BFCP_DTLS)
		sdp_compose_fingerprint(c, line, media);
}
