/* SPDX-License-Identifier: Apache-2.0 */
/* The list of syslog servers: the one setting that is changed by adding and removing. */
#include <string.h>

#include "base/addr.h"
#include "mmp/mmp_internal.h"

static bool
is_host(struct str word)
{
	struct net_addr addr;
	if (addr_parse_ip(&addr, word))
		return true;
	for (size_t i = 0; i < word.len; i++) {
		const char c = word.at[i];
		if (!str_is_alnum(c) && c != '-' && c != '.')
			return false;
	}
	return word.len != 0;
}

static bool
read_transport(struct config_syslog_server *out, struct str word)
{
	out->tcp = str_eq(word, STR("tcp"));
	out->tls = str_eq(word, STR("tls"));
	return out->tcp || out->tls || str_eq(word, STR("udp"));
}

/* The number of the word that does not fit, or `count`. */
static size_t
read_server(struct config_syslog_server *out, const struct str *words, size_t count)
{
	uint32_t port = 0;
	size_t at = 1;
	*out = (struct config_syslog_server){ 0 };
	if (!is_host(words[0]) || !str_copy(out->host, sizeof out->host, words[0]))
		return 0;
	if (at < count && str_u32(words[at], &port)) {
		if (port == 0 || port > UINT16_MAX)
			return at;
		out->port = (uint16_t)port;
		at++;
	}
	if (at < count && read_transport(out, words[at]))
		at++;
	return at;
}

/* A name and nothing more removes it wherever it is. */
static bool
is_same(const struct config_syslog_server *a, const struct config_syslog_server *b, bool exact)
{
	return str_eq_nocase(str_of(a->host), str_of(b->host)) &&
	       (!exact || (a->port == b->port && a->tcp == b->tcp && a->tls == b->tls));
}

static void
say(struct config_error *error, const char *text)
{
	struct writer w = mmp_sentence(error);
	writer_text(&w, text);
	mmp_sentence_end(error, &w);
}

static bool
add(struct config_syslog *syslog, const struct config_syslog_server *server,
    struct config_error *error)
{
	for (uint32_t i = 0; i < syslog->count; i++) {
		if (is_same(&syslog->servers[i], server, true)) {
			say(error, "this server is there already");
			return false;
		}
	}
	if (syslog->count == CONFIG_SYSLOG_MAX) {
		say(error, "there are four servers already; remove one with syslog server del");
		return false;
	}
	syslog->servers[syslog->count++] = *server;
	return true;
}

static bool
del(struct config_syslog *syslog, const struct config_syslog_server *server, bool exact,
    struct config_error *error)
{
	for (uint32_t i = 0; i < syslog->count; i++) {
		if (!is_same(&syslog->servers[i], server, exact))
			continue;
		syslog->count--;
		memmove(&syslog->servers[i], &syslog->servers[i + 1],
		        (syslog->count - i) * sizeof syslog->servers[0]);
		/* Compared as bytes: what is not used is zero. */
		syslog->servers[syslog->count] = (struct config_syslog_server){ 0 };
		return true;
	}
	say(error, "there is no such server; see syslog");
	return false;
}

bool
mmp_apply_syslog(struct config_syslog *syslog, bool adds, const struct str *words, size_t count,
                 struct config_error *error)
{
	struct config_syslog_server server;
	const size_t read = read_server(&server, words, count);
	if (read < count) {
		struct writer w = mmp_sentence(error);
		writer_format(&w, "\"%.*s\" does not fit; expected a name or an address, then a "
		                  "port and udp, tcp or tls if wished", STR_ARGS(words[read]));
		mmp_sentence_end(error, &w);
		return false;
	}
	return adds ? add(syslog, &server, error) : del(syslog, &server, count > 1, error);
}

void
mmp_write_syslog(struct writer *w, const struct config_syslog_server *server)
{
	writer_text(w, server->host);
	if (server->port != 0)
		writer_format(w, " %u", server->port);
	if (server->tcp || server->tls)
		writer_text(w, server->tls ? " tls" : " tcp");
}
