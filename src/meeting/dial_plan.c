/* SPDX-License-Identifier: Apache-2.0 */
/* Domains, the order of rules, and where calls in and out go by them. */
#include "meeting/dial_plan_internal.h"

#include "base/check.h"

/* ------------------------------------------------------------------ addresses and domains */

struct dial_address
dial_address_of(struct str party)
{
	struct dial_address out = { 0 };
	if (str_starts(party, STR("sip:")) || str_starts(party, STR("sips:")))
		(void)str_cut(&party, ':');
	const size_t at = str_find(party, '@');
	out.has_user = at < party.len;
	if (out.has_user) {
		out.user = str_sub(party, 0, at);
		party = str_sub(party, at + 1, party.len - at - 1);
	}
	const size_t params = str_find(party, ';');
	out.params = str_sub(party, params, party.len - params);
	party.len = params;
	/* The colons of an IPv6 address stand in brackets. */
	const size_t closed = party.len != 0 && party.at[0] == '[' ? str_find(party, ']') : 0;
	const struct str behind = str_sub(party, closed, party.len - closed);
	const size_t port = closed + str_find(behind, ':');
	out.host = str_sub(party, 0, port);
	if (port < party.len)
		out.port = str_sub(party, port + 1, party.len - port - 1);
	return out;
}

static bool
same_letter(char a, char b)
{
	return str_eq_nocase((struct str){ &a, 1 }, (struct str){ &b, 1 });
}

/* Only the last * is ever taken back: what an earlier one took could be longer, but need not. */
bool
dial_domain_fits(struct str pattern, struct str domain)
{
	size_t p = 0;
	size_t star = SIZE_MAX;
	size_t star_at = 0;
	for (size_t d = 0; d < domain.len;) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			star_at = d;
		} else if (p < pattern.len && same_letter(pattern.at[p], domain.at[d])) {
			p++;
			d++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			d = ++star_at;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

/* ------------------------------------------------------------------ the order of rules */

struct rule_kind {
	const char *name;
	unsigned domain;
	unsigned priority;
};

static struct rule_kind
kind_of(enum object_type type)
{
	if (type == OBJECT_INBOUND_RULE)
		return (struct rule_kind){ "inbound dial plan rule", INBOUND_DOMAIN,
			                   INBOUND_PRIORITY };
	if (type == OBJECT_FORWARDING_RULE)
		return (struct rule_kind){ "forwarding dial plan rule", FORWARDING_PATTERN,
			                   FORWARDING_PRIORITY };
	if (type == OBJECT_OUTBOUND_RULE)
		return (struct rule_kind){ "outbound dial plan rule", OUTBOUND_DOMAIN,
			                   OUTBOUND_PRIORITY };
	CHECK(type == OBJECT_DIAL_TRANSFORM);
	return (struct rule_kind){ "dial transform", TRANSFORM_MATCH, TRANSFORM_PRIORITY };
}

static bool
comes_before(uint32_t priority, uint32_t at, uint32_t other_priority, uint32_t other_at)
{
	return priority != other_priority ? priority > other_priority : at < other_at;
}

/* The first behind the cursor that fits; a transform's domain is none and is not asked. */
static uint32_t
next_rule(const struct objects *objects, enum object_type type, const struct str *domain,
          struct dial_cursor *cursor)
{
	const struct rule_kind kind = kind_of(type);
	uint32_t best = 0;
	uint32_t best_priority = 0;
	uint32_t best_at = 0;
	uint32_t at = 0;
	for (uint32_t rule; (rule = objects_next(objects, type, &at)) != 0;) {
		const uint32_t priority = objects_number(objects, type, rule, kind.priority);
		if (cursor->started &&
		    !comes_before(cursor->priority, cursor->at, priority, at))
			continue;
		if (best != 0 && !comes_before(priority, at, best_priority, best_at))
			continue;
		if (domain != NULL &&
		    !dial_domain_fits(objects_text(objects, type, rule, kind.domain), *domain))
			continue;
		best = rule;
		best_priority = priority;
		best_at = at;
	}
	if (best != 0)
		*cursor = (struct dial_cursor){ true, best_priority, best_at };
	return best;
}

uint32_t
dial_rule_next(const struct objects *objects, enum object_type type, struct str domain,
               struct dial_cursor *cursor)
{
	CHECK(type != OBJECT_DIAL_TRANSFORM);
	return next_rule(objects, type, &domain, cursor);
}

struct guid
dial_rule_tenant(const struct objects *objects, enum object_type type, uint32_t rule)
{
	const unsigned field = type == OBJECT_INBOUND_RULE      ? (unsigned)INBOUND_TENANT
	                       : type == OBJECT_FORWARDING_RULE ? (unsigned)FORWARDING_TENANT
	                                                        : (unsigned)OUTBOUND_TENANT;
	CHECK(type != OBJECT_DIAL_TRANSFORM);
	return objects_value(objects, type, rule, field).guid;
}

uint32_t
dial_transform_next(const struct objects *objects, struct dial_cursor *cursor)
{
	return next_rule(objects, OBJECT_DIAL_TRANSFORM, NULL, cursor);
}

void
dial_rule_name(struct writer *w, const struct objects *objects, enum object_type type,
               uint32_t rule)
{
	const struct rule_kind kind = kind_of(type);
	writer_format(w, "%s \"%.*s\" (priority %u)", kind.name,
	              STR_ARGS(objects_text(objects, type, rule, kind.domain)),
	              (unsigned)objects_number(objects, type, rule, kind.priority));
}

/* ------------------------------------------------------------------ calls in */

struct dial_inbound
dial_inbound(const struct objects *objects, struct str domain)
{
	const enum object_type type = OBJECT_INBOUND_RULE;
	struct dial_inbound out = { 0 };
	struct dial_cursor cursor = { 0 };
	if (objects_count(objects, type) == 0)
		return (struct dial_inbound){ .users = true, .spaces = true, .ivrs = true };
	for (uint32_t rule; (rule = dial_rule_next(objects, type, domain, &cursor)) != 0;) {
		out.rule = out.rule != 0 ? out.rule : rule;
		out.users |= objects_number(objects, type, rule, INBOUND_USERS) != 0;
		out.spaces |= objects_number(objects, type, rule, INBOUND_SPACES) != 0;
		out.ivrs |= objects_number(objects, type, rule, INBOUND_IVRS) != 0;
	}
	return out;
}

struct str
dial_own_domain(const struct objects *objects, const struct guid *tenant)
{
	const enum object_type type = OBJECT_INBOUND_RULE;
	struct dial_cursor cursor = { 0 };
	uint32_t rule;
	while ((rule = next_rule(objects, type, NULL, &cursor)) != 0) {
		const struct str domain = objects_text(objects, type, rule, INBOUND_DOMAIN);
		const struct guid whose = dial_rule_tenant(objects, type, rule);
		if (objects_number(objects, type, rule, INBOUND_SPACES) != 0 &&
		    str_find(domain, '*') == domain.len &&
		    (guid_is_zero(&whose) || guid_eq(&whose, tenant)))
			return domain;
	}
	return (struct str){ 0 };
}

/* Where the call is to be sent is said by our rules, not by whoever dialled. */
static bool
says_where(struct str name)
{
	static const char *const names[] = { "transport", "maddr", "lr", "ttl", "method" };
	for (unsigned i = 0; i < COUNT_OF(names); i++)
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	return false;
}

static void
write_params(struct writer *w, struct str params)
{
	while (params.len != 0) {
		const struct str param = str_cut(&params, ';');
		struct str name = param;
		name.len = str_find(param, '=');
		if (param.len != 0 && !says_where(name)) {
			writer_u8(w, ';');
			writer_str(w, param);
		}
	}
}

void
dial_forward(const struct objects *objects, struct str user, struct str host, struct str params,
             struct dial_forward *out)
{
	const enum object_type type = OBJECT_FORWARDING_RULE;
	struct dial_cursor cursor = { 0 };
	*out = (struct dial_forward){ .rule = dial_rule_next(objects, type, host, &cursor) };
	if (out->rule == 0)
		return;
	const uint32_t rule = out->rule;
	const struct str domain = objects_text(objects, type, rule, FORWARDING_DESTINATION);
	struct writer w = writer_of(out->party, sizeof out->party - 1);
	out->reject = objects_number(objects, type, rule, FORWARDING_ACTION) == FORWARDING_REJECT;
	out->preserve =
		objects_number(objects, type, rule, FORWARDING_CALLER_ID) == CALLER_ID_PRESERVE;
	if (user.len != 0) {
		writer_str(&w, user);
		writer_u8(&w, '@');
	}
	writer_str(&w, domain.len != 0 ? domain : host);
	if (objects_number(objects, type, rule, FORWARDING_URI_PARAMETERS) ==
	    URI_PARAMETERS_FORWARD)
		write_params(&w, params);
	out->party[w.failed ? 0 : w.at] = '\0';
}

/* ------------------------------------------------------------------ calls out */

/* A host that DNS has more to say about than an address: no IP literal, and no port. */
static bool
is_looked_up(struct str host, struct str port)
{
	bool dotted = host.len != 0;
	for (size_t i = 0; i < host.len; i++)
		dotted &= host.at[i] == '.' || (host.at[i] >= '0' && host.at[i] <= '9');
	return port.len == 0 && !dotted && (host.len == 0 || host.at[0] != '[');
}

/* TCP goes before UDP: an INVITE with pictures does not fit a datagram. */
static void
choose_ways(struct dial_route *route, uint32_t encryption, const struct dial_address *to)
{
	if (encryption != CONTROL_UNENCRYPTED)
		route->ways[route->way_count++] = DIAL_TLS;
	if (encryption == CONTROL_ENCRYPTED)
		return;
	if (is_looked_up(to->host, to->port)) {
		route->ways[route->way_count++] = DIAL_PLAIN;
		return;
	}
	route->ways[route->way_count++] = DIAL_TCP;
	route->ways[route->way_count++] = DIAL_UDP;
}

/* The callBridges entry that speaks of us: it bears our name in the cluster; 0: none does. */
static uint32_t
own_call_bridge(const struct objects *objects)
{
	const struct str name =
		objects_text(objects, OBJECT_CLUSTER, objects_single(objects, OBJECT_CLUSTER),
	                     CLUSTER_UNIQUE_NAME);
	struct address_cursor cursor = { 0 };
	return objects_next_address(objects, OBJECT_CALL_BRIDGE, name, &cursor);
}

static bool
is_for_us(const struct objects *objects, uint32_t rule)
{
	const enum object_type type = OBJECT_OUTBOUND_RULE;
	const uint32_t scope = objects_number(objects, type, rule, OUTBOUND_SCOPE);
	if (scope == SCOPE_GLOBAL)
		return true;
	const uint32_t own = own_call_bridge(objects);
	if (scope == SCOPE_CALL_BRIDGE)
		return own != 0 && own == objects_ref(objects, type, rule, OUTBOUND_CALL_BRIDGE);
	const uint32_t group = objects_ref(objects, OBJECT_CALL_BRIDGE, own, CALL_BRIDGE_GROUP);
	return group != 0 &&
	       group == objects_ref(objects, type, rule, OUTBOUND_CALL_BRIDGE_GROUP);
}

static bool
is_for_tenant(const struct objects *objects, uint32_t rule, const struct guid *tenant)
{
	const struct guid wanted = dial_rule_tenant(objects, OBJECT_OUTBOUND_RULE, rule);
	return guid_is_zero(&wanted) || guid_eq(&wanted, tenant);
}

bool
dial_route_next(const struct objects *objects, struct str party, const struct guid *tenant,
                struct dial_cursor *cursor, struct dial_route *out)
{
	const enum object_type type = OBJECT_OUTBOUND_RULE;
	struct dial_address to = dial_address_of(party);
	*out = (struct dial_route){ .stop = true };
	if (objects_count(objects, type) == 0) {
		/* Once: behind the only way there is no other. */
		const bool first = !cursor->started;
		cursor->started = true;
		out->ways[out->way_count++] = DIAL_BY_DNS;
		return first;
	}
	uint32_t rule;
	do
		rule = dial_rule_next(objects, type, to.host, cursor);
	while (rule != 0 &&
	       (!is_for_us(objects, rule) || !is_for_tenant(objects, rule, tenant)));
	if (rule == 0)
		return false;
	out->rule = rule;
	out->contact_domain = objects_text(objects, type, rule, OUTBOUND_CONTACT_DOMAIN);
	out->from_domain = objects_text(objects, type, rule, OUTBOUND_FROM_DOMAIN);
	out->proxy = objects_text(objects, type, rule, OUTBOUND_PROXY);
	out->stop = objects_number(objects, type, rule, OUTBOUND_FAILURE) == FAILURE_STOP;
	if (out->proxy.len != 0)
		to = dial_address_of(out->proxy);
	choose_ways(out, objects_number(objects, type, rule, OUTBOUND_ENCRYPTION), &to);
	return true;
}
