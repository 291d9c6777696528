/* SPDX-License-Identifier: Apache-2.0 */
/* Components of CMS that are no process of this program: their defaults, and what each needs. */
#include <string.h>

#include "base/check.h"
#include "mmp/mmp_internal.h"

enum { CERTS_MAX = 2 };

#define AT(member) offsetof(struct config, member)

/* What `enable` asks for: that of these, in order, nothing is empty. */
struct need {
	size_t at;
	const char *text;
};

struct part {
	const char *name;
	const char *title;
	size_t enabled;
	size_t certs[CERTS_MAX]; /* 0: none */
	size_t sip;              /* where it is called; 0: it is not */
	size_t tls_port;         /* a port that wants the first of certs; 0: there is none */
	struct need needs[8];
};

static const struct part parts[] = {
	{ "recorder", "Recorder", AT(recorder.enabled), { AT(recorder.certs) },
	  AT(recorder.listen), AT(recorder.listen.tls_port), { { AT(recorder.nfs.host), "no NFS location configured" } } },
	{ "streamer", "Streamer", AT(streamer.enabled), { AT(streamer.certs) },
	  AT(streamer.listen), AT(streamer.listen.tls_port), { { 0 } } },
	{ "uploader", "uploader", AT(uploader.enabled), { 0 }, 0, 0,
	  { { AT(uploader.nfs.host), "no NFS location configured" },
	    { AT(uploader.cms.host), "no CMS host configured" },
	    { AT(uploader.cms.user), "no CMS user configured" },
	    { AT(uploader.cms.password), "no CMS password configured" },
	    { AT(uploader.rev.host), "no Vbrick Rev host configured" },
	    { AT(uploader.rev.user), "no Vbrick Rev user configured" },
	    { AT(uploader.rev.password), "no Vbrick Rev password configured" } } },
	{ "scheduler", "scheduler", AT(scheduler.enabled),
	  { AT(scheduler.c2w_certs), AT(scheduler.https_certs) }, 0, 0,
	  { { AT(scheduler.c2w_certs.key), "no C2W certificates configured" },
	    { AT(scheduler.c2w_trust), "no Web Bridge is trusted" } } },
	{ "turn", "TURN server", AT(turn.enabled), { AT(turn.certs) }, 0, AT(turn.tls_port),
	  { { AT(turn.ifaces), "no interface configured" },
	    { AT(turn.realm), "no credentials configured" } } },
	{ "meetingapps", "meetingapps", AT(meetingapps.enabled), { AT(meetingapps.https_certs) }, 0, 0,
	  { { AT(meetingapps.https.iface), "no interface configured" },
	    { AT(meetingapps.https_certs.key), "no HTTPS certificates configured" },
	    { AT(meetingapps.secret), "no secret generated" } } },
};

static const struct part *
find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (str_eq(name, str_of(parts[i].name)))
			return &parts[i];
	return NULL;
}

void
mmp_parts_defaults(struct config *config)
{
	config->recorder = (struct config_recorder){ .resolution = "720p" };
	config->streamer = config->recorder;
	config->uploader = (struct config_uploader){
		.cms = { .port = 443 },
		.rev = { .port = 443 },
		.access = "Public",
		.member_access = "edit",
		.owned_by_owner = "false",
		.fallback_owner = "admin",
		.comments = true,
		.ratings = true,
		.downloads = true,
		.active = true,
		.delete_after = "false",
	};
	config->scheduler = (struct config_scheduler){ .email_port = 25, .email_protocol = "SMTP" };
	config->turn = (struct config_turn){ 0 };
	config->meetingapps = (struct config_meetingapps){ 0 };
}

const char *
mmp_part_title(struct str name)
{
	const struct part *part = find(name);
	return part != NULL ? part->title : NULL;
}

bool
mmp_part_enabled(const struct config *config, struct str name)
{
	const struct part *part = find(name);
	return part != NULL && *(const bool *)((const char *)config + part->enabled);
}

const struct config_certs *
mmp_part_certs(const struct config *config, struct str name, size_t index)
{
	const struct part *part = find(name);
	CHECK(part != NULL);
	return index < CERTS_MAX && part->certs[index] != 0
	               ? (const void *)((const char *)config + part->certs[index])
	               : NULL;
}

static bool
refuse(struct config_error *error, const char *text)
{
	*error = (struct config_error){ 0 };
	str_copy(error->text, sizeof error->text, str_of(text));
	return false;
}

bool
mmp_part_complete(const struct config *config, struct str name, struct config_error *error)
{
	const struct part *part = find(name);
	CHECK(part != NULL);
	const char *base = (const char *)config;
	const struct config_sip_listen *listen = (const void *)(base + part->sip);
	if (part->sip != 0 && listen->iface[0] == '\0')
		return refuse(error, "no SIP interface configured");
	if (part->tls_port != 0 && *(const uint16_t *)(const void *)(base + part->tls_port) != 0 &&
	    mmp_part_certs(config, name, 0)->key[0] == '\0')
		return refuse(error, "TLS port set but no certificates configured");
	for (size_t i = 0; i < COUNT_OF(part->needs) && part->needs[i].text != NULL; i++)
		if (base[part->needs[i].at] == '\0')
			return refuse(error, part->needs[i].text);
	return true;
}

/* -- their own kinds of words ------------------------------------------------------------------ */

static bool
read_port(uint16_t *out, struct str word)
{
	uint32_t port = 0;
	const bool none = str_eq(word, STR("none"));
	if (!none && (!str_u32(word, &port) || port == 0 || port > UINT16_MAX))
		return false;
	*out = (uint16_t)port;
	return true;
}

/* "a 7000 7001", "none 7001". */
bool
mmp_read_sip_listen(struct config_sip_listen *out, const struct str *words, size_t count)
{
	struct config_sip_listen listen = { .iface = "any" };
	if (count != 2 && count != 3)
		return false;
	if (count == 3 && (str_eq(words[0], STR("none")) || str_find(words[0], ':') < words[0].len ||
	                   str_find(words[0], '/') < words[0].len ||
	                   !str_copy(listen.iface, sizeof listen.iface, words[0])))
		return false;
	if (!read_port(&listen.port, words[count - 2]) ||
	    !read_port(&listen.tls_port, words[count - 1]))
		return false;
	if (listen.port == 0 && listen.tls_port == 0)
		listen.iface[0] = '\0'; /* nowhere */
	else if (listen.port == listen.tls_port)
		return false;
	*out = listen;
	return true;
}

static void
write_port(struct writer *w, const char *before, const char *iface, uint16_t port)
{
	writer_text(w, before);
	if (port == 0)
		writer_text(w, "none");
	else if (iface != NULL)
		writer_format(w, "%s:%u", iface, (unsigned)port);
	else
		writer_decimal(w, port);
}

void
mmp_write_sip_listen(struct writer *w, const struct config_sip_listen *listen, bool shown)
{
	if (shown && listen->iface[0] == '\0') {
		writer_text(w, "none");
		return;
	}
	if (!shown)
		writer_text(w, listen->iface);
	write_port(w, shown ? "tcp " : " ", shown ? listen->iface : NULL, listen->port);
	write_port(w, shown ? ", tls " : " ", shown ? listen->iface : NULL, listen->tls_port);
}

bool
mmp_read_nfs(struct config_nfs *out, struct str word)
{
	struct config_nfs nfs = { 0 };
	const size_t colon = str_find(word, ':');
	if (str_eq(word, STR("none"))) {
		*out = nfs;
		return true;
	}
	/* IPv6 stands in brackets, as in mount(8). */
	const size_t end = word.len != 0 && word.at[0] == '[' ? str_find(word, ']') + 1 : colon;
	if (end == 0 || end + 1 >= word.len || word.at[end] != ':' ||
	    !str_copy(nfs.host, sizeof nfs.host, str_sub(word, 0, end)) ||
	    !str_copy(nfs.folder, sizeof nfs.folder, str_sub(word, end + 1, word.len - end - 1)))
		return false;
	*out = nfs;
	return true;
}
