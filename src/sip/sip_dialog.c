/* SPDX-License-Identifier: Apache-2.0 */
/* Dialogs (RFC 3261 s12): what identifies them, where their requests go, and writing those. */
#include "sip/sip_ua_internal.h"

enum {
	NAT_URI_MAX = ADDR_TEXT_MAX + 8,
};

static uint64_t
dialog_key(const struct sip_ua *ua, struct str call_id, struct str local_tag, struct str remote_tag)
{
	const uint64_t tags = sip_hash(ua, 't', local_tag, remote_tag, 0);
	return sip_hash(ua, 'd', call_id,
	                (struct str){ .at = (const char *)&tags, .len = sizeof tags }, 0);
}

struct sip_dialog *
sip_dialog_get(const struct sip_ua *ua, uint32_t id)
{
	return slab_get(&ua->dialogs, id);
}

uint32_t
sip_dialog_find(const struct sip_ua *ua, struct str call_id, struct str local_tag,
                struct str remote_tag)
{
	struct map_cursor cursor =
		map_find(&ua->dialog_map, dialog_key(ua, call_id, local_tag, remote_tag));
	return map_next(&ua->dialog_map, &cursor);
}

/* Into a buffer of its own: the blocks may change while the views are in use. */
struct sip_dialog_view
sip_dialog_look(struct sip_ua *ua, const struct sip_dialog *dialog)
{
	struct sip_dialog_view view;
	const struct str all = sip_store_get(&ua->store, dialog->text, ua->dialog_text,
	                                     sizeof ua->dialog_text);
	if ((const uint8_t *)all.at != ua->dialog_text)
		memcpy(ua->dialog_text, all.at, all.len);
	size_t at = 0;
	for (unsigned i = 0; i < SIP_TEXTS; i++) {
		view.texts[i] = (struct str){ .at = (const char *)ua->dialog_text + at,
			                      .len = dialog->lens[i] };
		at += dialog->lens[i];
	}
	CHECK(at == all.len);
	return view;
}

/* ---- making --------------------------------------------------------------------------------- */

static bool
set_texts(struct sip_ua *ua, struct sip_dialog *dialog, const struct str texts[SIP_TEXTS])
{
	uint8_t bytes[SIP_DIALOG_TEXT_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	for (unsigned i = 0; i < SIP_TEXTS; i++)
		writer_str(&w, texts[i]);
	if (w.failed)
		return false;
	if (!sip_store_replace(&ua->store, &dialog->text, writer_view(&w), SIP_FOR_CALL))
		return false;
	for (unsigned i = 0; i < SIP_TEXTS; i++)
		dialog->lens[i] = (uint16_t)texts[i].len;
	return true;
}

/* One line per route; the caller's side of the dialog uses them backwards (s12.1.2). */
static void
write_routes(struct writer *w, const struct sip_msg *msg, bool backwards)
{
	enum { ROUTES_MAX = 32 };
	struct str routes[ROUTES_MAX];
	unsigned count = 0;
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_RECORD_ROUTE);
	for (struct str item; count < ROUTES_MAX && sip_values_next(&values, &item);)
		routes[count++] = item;
	for (unsigned i = 0; i < count; i++) {
		sip_write_text(w, routes[backwards ? count - 1 - i : i]);
		writer_u8(w, '\n');
	}
}

static bool
contact_of(const struct sip_msg *msg, struct sip_name_addr *contact)
{
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_CONTACT);
	struct str item;
	return sip_values_next(&values, &item) && sip_name_addr_parse(contact, item) &&
	       !contact->star && contact->uri.scheme != SIP_SCHEME_OTHER;
}

static struct sip_dialog *
dialog_make(struct sip_ua *ua, const struct str texts[SIP_TEXTS], uint32_t flow)
{
	uint32_t id;
	struct sip_dialog *dialog = slab_take(&ua->dialogs, &id);
	if (dialog == NULL)
		return NULL;
	dialog->id = id;
	if (!set_texts(ua, dialog, texts)) {
		slab_free(&ua->dialogs, id);
		return NULL;
	}
	dialog->key = dialog_key(ua, texts[SIP_TEXT_CALL_ID], texts[SIP_TEXT_LOCAL_TAG],
	                         texts[SIP_TEXT_REMOTE_TAG]);
	CHECK(map_put(&ua->dialog_map, dialog->key, id));
	dialog->flow = flow;
	sip_flow_add_dialog(ua, flow);
	return dialog;
}

/* Most telephones at home name a private address in their Contact that nobody outside can reach.
 * Without a proxy in between, what they sent came through their router, and there is no other way
 * back: requests in the dialog go where the INVITE came from (as RFC 3581 does for responses). */
static struct net_addr
behind_nat(const struct sip_msg *msg, const struct sip_hop *hop, const struct sip_uri *contact)
{
	const struct net_addr *named = &contact->ip;
	struct sip_values routes = sip_msg_values(msg, SIP_HEADER_RECORD_ROUTE);
	struct str route;
	if (hop->transport != SIP_TRANSPORT_UDP || sip_values_next(&routes, &route) ||
	    !addr_is_private(named) || addr_eq_ip(named, &hop->to))
		return (struct net_addr){ 0 };
	return hop->to;
}

struct sip_dialog *
sip_dialog_of_request(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
                      struct str local_tag)
{
	uint8_t names[SIP_DIALOG_TEXT_MAX];
	struct writer w = writer_of(names, sizeof names);
	struct sip_name_addr contact;
	if (!contact_of(msg, &contact))
		return NULL;
	sip_write_text(&w, msg->to.text);
	writer_text(&w, ";tag=");
	writer_str(&w, local_tag);
	const size_t local_end = w.at;
	sip_write_text(&w, msg->from.text);
	const size_t remote_end = w.at;
	write_routes(&w, msg, false);
	if (w.failed)
		return NULL;
	const struct str all = writer_view(&w);
	const struct str texts[SIP_TEXTS] = {
		[SIP_TEXT_CALL_ID] = msg->call_id,
		[SIP_TEXT_LOCAL] = str_sub(all, 0, local_end),
		[SIP_TEXT_REMOTE] = str_sub(all, local_end, remote_end - local_end),
		[SIP_TEXT_LOCAL_TAG] = local_tag,
		[SIP_TEXT_REMOTE_TAG] = msg->from.tag,
		[SIP_TEXT_TARGET] = contact.uri.text,
		[SIP_TEXT_ROUTES] = str_sub(all, remote_end, all.len - remote_end),
	};
	struct sip_dialog *dialog = dialog_make(ua, texts, hop->flow);
	if (dialog == NULL)
		return NULL;
	dialog->remote_cseq = msg->cseq.number;
	dialog->local_cseq = sip_random_below(ua, 1u << 16);
	dialog->listener = hop->listener;
	dialog->transport = hop->transport;
	dialog->secure = msg->uri.scheme == SIP_SCHEME_SIPS;
	dialog->behind_nat = behind_nat(msg, hop, &contact.uri);
	return dialog;
}

struct sip_dialog *
sip_dialog_of_response(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_txn *txn)
{
	uint8_t names[SIP_DIALOG_TEXT_MAX];
	struct writer w = writer_of(names, sizeof names);
	struct sip_name_addr contact;
	/* A provisional response may come without Contact (s12.1 wants one; many leave it out):
	 * until the 2xx brings it, the peer is where the call was sent. */
	const bool has_contact = contact_of(msg, &contact);
	if (!has_contact && msg->status >= 200)
		return NULL;
	sip_write_text(&w, msg->from.text);
	const size_t local_end = w.at;
	sip_write_text(&w, msg->to.text);
	const size_t remote_end = w.at;
	write_routes(&w, msg, true);
	if (w.failed)
		return NULL;
	const struct str all = writer_view(&w);
	const struct str texts[SIP_TEXTS] = {
		[SIP_TEXT_CALL_ID] = msg->call_id,
		[SIP_TEXT_LOCAL] = str_sub(all, 0, local_end),
		[SIP_TEXT_REMOTE] = str_sub(all, local_end, remote_end - local_end),
		[SIP_TEXT_LOCAL_TAG] = msg->from.tag,
		[SIP_TEXT_REMOTE_TAG] = msg->to.tag,
		[SIP_TEXT_TARGET] = has_contact ? contact.uri.text : msg->to.uri.text,
		[SIP_TEXT_ROUTES] = str_sub(all, remote_end, all.len - remote_end),
	};
	struct sip_dialog *dialog = dialog_make(ua, texts, txn->hop.flow);
	if (dialog == NULL)
		return NULL;
	dialog->local_cseq = txn->cseq;
	dialog->listener = txn->hop.listener;
	dialog->transport = txn->hop.transport;
	dialog->secure = txn->secure;
	return dialog;
}

void
sip_dialog_free(struct sip_ua *ua, struct sip_dialog *dialog)
{
	map_remove(&ua->dialog_map, dialog->key, dialog->id);
	sip_flow_remove_dialog(ua, dialog->flow);
	sip_store_drop(&ua->store, &dialog->text);
	slab_free(&ua->dialogs, dialog->id);
}

/* ---- changing ------------------------------------------------------------------------------- */

void
sip_dialog_refresh_target(struct sip_ua *ua, struct sip_dialog *dialog, const struct sip_msg *msg)
{
	struct sip_name_addr contact;
	if (!contact_of(msg, &contact))
		return;
	struct sip_dialog_view view = sip_dialog_look(ua, dialog);
	if (str_eq(view.texts[SIP_TEXT_TARGET], contact.uri.text))
		return;
	view.texts[SIP_TEXT_TARGET] = contact.uri.text;
	/* Without room the old target stays, which was good until now. */
	(void)set_texts(ua, dialog, view.texts);
}

void
sip_dialog_confirm(struct sip_ua *ua, struct sip_dialog *dialog, const struct sip_msg *msg)
{
	uint8_t routes[SIP_DIALOG_TEXT_MAX];
	struct writer w = writer_of(routes, sizeof routes);
	struct sip_dialog_view view = sip_dialog_look(ua, dialog);
	write_routes(&w, msg, true);
	if (!w.failed && !str_eq(writer_view(&w), view.texts[SIP_TEXT_ROUTES])) {
		view.texts[SIP_TEXT_ROUTES] = writer_view(&w);
		(void)set_texts(ua, dialog, view.texts);
	}
	sip_dialog_refresh_target(ua, dialog, msg);
}

/* ---- requests ------------------------------------------------------------------------------- */

struct route_plan {
	struct str uri;      /* request URI */
	struct str next_hop;
	struct str routes;   /* as Route headers, in order */
	struct str last;     /* one more, or empty */
};

/* s12.2.1.1, s16.12.1.1: a first route without lr is a strict router, which wants itself in the
 * request URI and the target at the end. */
static struct route_plan
plan_route(const struct sip_dialog_view *view)
{
	const struct str target = view->texts[SIP_TEXT_TARGET];
	struct str rest = view->texts[SIP_TEXT_ROUTES];
	struct route_plan plan = { .uri = target, .next_hop = target, .routes = rest };
	struct sip_name_addr first;
	const struct str line = str_cut(&rest, '\n');
	if (line.len == 0 || !sip_name_addr_parse(&first, line))
		return plan;
	plan.next_hop = first.uri.text;
	if (!sip_uri_param(&first.uri, STR("lr"), NULL)) {
		plan.uri = first.uri.text;
		plan.routes = rest;
		plan.last = target;
	}
	return plan;
}

static void
write_route_headers(struct writer *w, const struct route_plan *plan)
{
	struct str rest = plan->routes;
	while (rest.len != 0)
		sip_write_header_str(w, SIP_HEADER_ROUTE, str_cut(&rest, '\n'));
	if (plan->last.len != 0)
		sip_write_name_addr(w, SIP_HEADER_ROUTE,
		                    &(struct sip_write_name_addr){ .uri = plan->last });
}

uint32_t
sip_dialog_send(struct sip_ua *ua, struct sip_dialog *dialog,
                const struct sip_dialog_request *request)
{
	const struct sip_session *session = sip_session_get(ua, dialog->session);
	const struct sip_dialog_view view = sip_dialog_look(ua, dialog);
	struct route_plan plan = plan_route(&view);
	char nat[NAT_URI_MAX];
	struct writer nat_w = writer_of(nat, sizeof nat);
	if (dialog->behind_nat.family != ADDR_NONE) {
		writer_text(&nat_w, "sip:");
		addr_write(&nat_w, &dialog->behind_nat);
		plan.next_hop = writer_view(&nat_w);
	}
	const uint32_t cseq = request->cseq != 0 ? request->cseq : ++dialog->local_cseq;
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);

	sip_write_request_line(&w, request->method, plan.uri);
	const size_t start_len = w.at;
	sip_write_cseq(&w, cseq, request->method);
	if (request->head.len != 0)
		writer_str(&w, request->head);
	const size_t head_len = w.at - start_len;
	write_route_headers(&w, &plan);
	sip_write_header_u32(&w, SIP_HEADER_MAX_FORWARDS, 70);
	sip_write_header_str(&w, SIP_HEADER_FROM, view.texts[SIP_TEXT_LOCAL]);
	sip_write_header_str(&w, SIP_HEADER_TO, view.texts[SIP_TEXT_REMOTE]);
	sip_write_header_str(&w, SIP_HEADER_CALL_ID, view.texts[SIP_TEXT_CALL_ID]);
	if (ua->user_agent[0] != '\0')
		sip_write_header_str(&w, SIP_HEADER_USER_AGENT, str_of(ua->user_agent));
	if (request->headers.len != 0)
		writer_str(&w, request->headers);
	sip_write_body(&w, request->content_type, request->body);
	if (w.failed || start_len > UINT16_MAX || head_len > UINT16_MAX)
		return 0;
	return sip_client_start(ua, &(struct sip_request){
		.method = request->method,
		.purpose = request->purpose,
		.session = session != NULL ? session->id : 0,
		.dialog = dialog->id,
		.cseq = cseq,
		.text = writer_view(&w),
		.start_len = (uint16_t)start_len,
		.head_len = (uint16_t)head_len,
		.next_hop = plan.next_hop,
		.flow = dialog->flow,
		.last_transport = dialog->transport,
		.listener = dialog->listener,
		.with_contact = request->with_contact,
		.secure = dialog->secure,
		.contact = session != NULL ? session->contact : 0,
		.credentials = session != NULL ? session->credentials : 0,
	});
}

static uint64_t
tag_hash(const struct sip_ua *ua, struct str tag)
{
	return sip_hash(ua, 'a', tag, (struct str){ 0 }, 0);
}

void
sip_dialog_ack(struct sip_ua *ua, struct sip_dialog *dialog, uint32_t cseq, struct sip_txn *invite,
               struct str sdp)
{
	uint8_t proofs[4096];
	struct writer head = writer_of(proofs, sizeof proofs);
	if (invite != NULL)
		sip_client_write_credentials(ua, &head, invite);
	const uint32_t ack = sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		.method = SIP_ACK,
		.cseq = cseq,
		.head = writer_view(&head),
		.content_type = STR("application/sdp"),
		.body = sdp,
	});
	if (invite == NULL || invite->ack_count == SIP_ACKS_MAX)
		return;
	const struct sip_dialog_view view = sip_dialog_look(ua, dialog);
	invite->ack_tags[invite->ack_count] = tag_hash(ua, view.texts[SIP_TEXT_REMOTE_TAG]);
	invite->acks[invite->ack_count] = ack;
	invite->ack_count++;
}

bool
sip_dialog_ack_again(struct sip_ua *ua, const struct sip_txn *invite, const struct sip_msg *msg)
{
	const uint64_t tag = tag_hash(ua, msg->to.tag);
	for (unsigned i = 0; i < invite->ack_count; i++) {
		if (invite->ack_tags[i] != tag)
			continue;
		const struct sip_txn *ack = sip_txn_get(ua, invite->acks[i]);
		ua->counters[SIP_UA_RETRANSMITS_IN]++;
		if (ack != NULL && ack->state == SIP_TXN_COMPLETED)
			sip_txn_transmit(ua, ack);
		return true;
	}
	return false;
}

void
sip_dialog_bye(struct sip_ua *ua, struct sip_dialog *dialog, struct str headers)
{
	/* Without room the peer learns by its own timers; the call is over for us all the same. */
	(void)sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		.method = SIP_BYE, .purpose = SIP_FOR_BYE, .headers = headers });
}

/* ---- bodies --------------------------------------------------------------------------------- */

/* The part of a multipart body (RFC 2046 s5.1) that is application/sdp. */
static bool
multipart_sdp(struct str body, struct str boundary, struct str *sdp)
{
	enum { PARTS_MAX = 16 };
	char mark[80];
	struct writer w = writer_of(mark, sizeof mark);
	writer_text(&w, "--");
	writer_str(&w, boundary);
	if (w.failed || boundary.len == 0)
		return false;
	const struct str line = writer_view(&w);
	const char *end = body.at + body.len;
	const char *at = memmem(body.at, body.len, line.at, line.len);
	for (unsigned i = 0; at != NULL && i < PARTS_MAX; i++) {
		const char *part = at + line.len;
		const char *next = memmem(part, (size_t)(end - part), line.at, line.len);
		if (next == NULL)
			return false;
		struct str text = { .at = part, .len = (size_t)(next - part) };
		const char *empty = memmem(text.at, text.len, "\r\n\r\n", 4);
		if (empty != NULL) {
			const struct str head = { .at = part, .len = (size_t)(empty - part) };
			if (str_contains_nocase(head, STR("application/sdp"))) {
				*sdp = (struct str){ .at = empty + 4,
					             .len = (size_t)(next - empty - 4) };
				/* The line end before the boundary belongs to the boundary. */
				if (sdp->len >= 2 && sdp->at[sdp->len - 1] == '\n' &&
				    sdp->at[sdp->len - 2] == '\r')
					sdp->len -= 2;
				return true;
			}
		}
		at = next;
	}
	return false;
}

static bool
is_optional(const struct sip_msg *msg)
{
	struct str handling;
	struct str params = sip_msg_value(msg, SIP_HEADER_CONTENT_DISPOSITION);
	(void)str_cut(&params, ';');
	return sip_param_find(params, STR("handling"), &handling) &&
	       str_eq_nocase(handling, STR("optional"));
}

bool
sip_body_sdp(const struct sip_msg *msg, struct str *sdp)
{
	*sdp = (struct str){ 0 };
	if (msg->body.len == 0)
		return true;
	const struct str encoding = sip_msg_value(msg, SIP_HEADER_CONTENT_ENCODING);
	const bool plain = encoding.len == 0 || str_eq_nocase(encoding, STR("identity"));
	if (plain && msg->has_content_type) {
		if (sip_content_type_is(&msg->content_type, STR("application"), STR("sdp"))) {
			*sdp = msg->body;
			return true;
		}
		struct str boundary;
		if (str_eq_nocase(msg->content_type.type, STR("multipart")) &&
		    sip_param_find(msg->content_type.params, STR("boundary"), &boundary) &&
		    multipart_sdp(msg->body, boundary, sdp))
			return true;
	}
	return is_optional(msg);
}
