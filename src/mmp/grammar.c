/* SPDX-License-Identifier: Apache-2.0 */
/* From words to settings and back, by the table of commands.c. */
#include <string.h>

#include "base/addr.h"
#include "base/check.h"
#include "mmp/mmp_internal.h"

enum {
	QUOTED_MAX = 40, /* of a word that was not understood */
};

struct writer
mmp_sentence(struct config_error *error)
{
	return writer_of(error->text, sizeof error->text - 1);
}

void
mmp_sentence_end(struct config_error *error, const struct writer *w)
{
	error->text[w->at] = '\0';
}

static void
write_quoted(struct writer *w, struct str word)
{
	const bool cut = word.len > QUOTED_MAX;
	writer_format(w, "\"%.*s%s\"", (int)(cut ? QUOTED_MAX : word.len), word.at,
	              cut ? "..." : "");
}

/* -- words ------------------------------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_word_character(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool
refuse_byte(struct config_error *error, char byte, size_t column)
{
	struct writer w = mmp_sentence(error);
	writer_format(&w, "byte 0x%02x in column %zu is not text; expected printable ASCII",
	              (unsigned)(unsigned char)byte, column);
	mmp_sentence_end(error, &w);
	return false;
}

bool
mmp_split(struct mmp_words *out, struct str line, struct config_error *error)
{
	struct writer w = mmp_sentence(error);
	out->count = 0;
	for (size_t at = 0; at < line.len;) {
		if (is_blank(line.at[at])) {
			at++;
			continue;
		}
		if (line.at[at] == '#')
			break;
		const size_t from = at;
		bool quoted = false;
		for (; at < line.len && (is_word_character(line.at[at]) ||
		                         (quoted && line.at[at] == ' ')); at++)
			quoted = quoted != (line.at[at] == '"');
		if (at < line.len && (quoted || !is_blank(line.at[at])))
			return refuse_byte(error, line.at[at], at + 1);
		if (quoted) {
			writer_text(&w, "a quotation mark is missing");
			mmp_sentence_end(error, &w);
			return false;
		}
		if (out->count == MMP_WORDS_MAX) {
			writer_format(&w, "more than %d words", MMP_WORDS_MAX);
			mmp_sentence_end(error, &w);
			return false;
		}
		out->word[out->count++] = str_sub(line, from, at - from);
	}
	return true;
}

/* How many of the command's words begin the line; `*total`: how many it has. */
static size_t
words_shared(const struct mmp_command *command, const struct mmp_words *words, size_t *total)
{
	struct str rest = str_of(command->words);
	size_t shared = 0;
	bool same = true;
	for (*total = 0; rest.len != 0; (*total)++) {
		const struct str word = str_cut(&rest, ' ');
		same = same && *total < words->count && str_eq(words->word[*total], word);
		shared += same;
	}
	return shared;
}

struct str
mmp_command_word(const struct mmp_command *command, size_t index)
{
	struct str rest = str_of(command->words), word = { 0 };
	for (size_t i = 0; i <= index; i++)
		word = str_cut(&rest, ' ');
	return word;
}

/* The words that may stand at `depth` behind those that were understood, each once. */
static void
write_expected(struct writer *w, const struct mmp_words *words, size_t depth)
{
	struct str last = { 0 };
	for (size_t i = 0; i < mmp_command_count; i++) {
		size_t total;
		if (words_shared(&mmp_commands[i], words, &total) < depth || total <= depth)
			continue;
		const struct str word = mmp_command_word(&mmp_commands[i], depth);
		bool seen = false;
		for (size_t j = 0; j < i && !seen; j++) {
			size_t earlier;
			seen = words_shared(&mmp_commands[j], words, &earlier) >= depth &&
			       earlier > depth &&
			       str_eq(mmp_command_word(&mmp_commands[j], depth), word);
		}
		if (seen)
			continue;
		if (last.len != 0)
			writer_text(w, ", ");
		writer_str(w, word);
		last = word;
	}
}

const struct mmp_command *
mmp_find(const struct mmp_words *words, size_t *used, struct config_error *error)
{
	const struct mmp_command *found = NULL;
	size_t depth = 0;
	*used = 0;
	for (size_t i = 0; i < mmp_command_count; i++) {
		size_t total;
		const size_t shared = words_shared(&mmp_commands[i], words, &total);
		if (shared > depth)
			depth = shared;
		if (shared == total && total > *used) {
			found = &mmp_commands[i];
			*used = total;
		}
	}
	if (found != NULL)
		return found;
	*used = depth;
	struct writer w = mmp_sentence(error);
	if (words->count > depth) {
		writer_text(&w, depth == 0 ? "unknown command " : "unknown word ");
		write_quoted(&w, words->word[depth]);
	} else {
		writer_text(&w, "the command is not complete");
	}
	writer_text(&w, "; expected ");
	write_expected(&w, words, depth);
	mmp_sentence_end(error, &w);
	return NULL;
}

void
mmp_write_usage(struct writer *w, const struct mmp_command *command)
{
	writer_text(w, command->words);
	for (const struct mmp_argument *a = command->arguments; a->kind != MMP_END; a++)
		if (a->name != NULL)
			writer_format(w, " %s", a->name);
}

/* -- one argument ------------------------------------------------------------------------------ */

static void *
slot(struct config *config, const struct mmp_argument *argument)
{
	return (char *)config + argument->at;
}

static const void *
const_slot(const struct config *config, const struct mmp_argument *argument)
{
	return (const char *)config + argument->at;
}

static bool
is_none(struct str word)
{
	return str_eq(word, STR("none"));
}

static bool
read_port(uint16_t *out, struct str word)
{
	uint32_t port;
	if (!str_u32(word, &port) || port == 0 || port > UINT16_MAX)
		return false;
	*out = (uint16_t)port;
	return true;
}

static bool
read_iface(char out[CONFIG_IFACE_MAX], struct str word)
{
	if (word.len == 0 || is_none(word) || str_find(word, ':') != word.len ||
	    str_find(word, '/') != word.len)
		return false;
	return str_copy(out, CONFIG_IFACE_MAX, word);
}

static bool
read_listen(struct config_listen *out, struct str word)
{
	const size_t colon = str_find(word, ':');
	return colon < word.len && read_iface(out->iface, str_sub(word, 0, colon)) &&
	       read_port(&out->port, str_sub(word, colon + 1, word.len - colon - 1));
}

static bool
read_file(char out[CONFIG_FILE_MAX], struct str word)
{
	return !is_none(word) && str_copy(out, CONFIG_FILE_MAX, word);
}

static bool
read_domain(char out[CONFIG_HOST_MAX], struct str word)
{
	for (size_t i = 0; i < word.len; i++) {
		const char c = word.at[i];
		if (!str_is_alnum(c) && c != '-' && c != '.')
			return false;
	}
	return word.len != 0 && !is_none(word) && str_copy(out, CONFIG_HOST_MAX, word);
}

static bool
read_server(char out[CONFIG_HOST_MAX], struct str word)
{
	struct net_addr addr;
	if (!addr_parse_ip(&addr, word) && (!addr_parse(&addr, word) || addr.port == 0))
		return false;
	return str_copy(out, CONFIG_HOST_MAX, word);
}

static bool
read_ip(char out[CONFIG_HOST_MAX], struct str word)
{
	struct net_addr addr;
	return addr_parse_ip(&addr, word) && str_copy(out, CONFIG_HOST_MAX, word);
}

static bool
read_number(uint32_t *out, const struct mmp_argument *argument, struct str word)
{
	uint32_t number;
	if (argument->none != NULL && str_eq(word, str_of(argument->none))) {
		*out = 0;
		return true;
	}
	if (!str_u32(word, &number) || number < argument->min || number > argument->max)
		return false;
	*out = number;
	return true;
}

static bool
read_limit(uint32_t *out, const struct mmp_argument *argument, struct str word)
{
	uint32_t number;
	if (!read_number(&number, argument, word))
		return false;
	*out = is_none(word) ? 0 : number + 1;
	return true;
}

/* A name, an address, with IPv6 in brackets where a port follows; or the folder of a socket. */
static bool
read_node(char out[CONFIG_HOST_MAX], struct str word)
{
	struct net_addr addr;
	char host[CONFIG_HOST_MAX];
	uint16_t port;
	if (word.len == 0 || is_none(word) || !str_copy(out, CONFIG_HOST_MAX, word))
		return false;
	if (word.at[0] == '/' || addr_parse_ip(&addr, word))
		return true;
	if (addr_parse(&addr, word))
		return addr.port != 0;
	const size_t colon = str_find(word, ':');
	return read_domain(host, str_sub(word, 0, colon)) &&
	       (colon == word.len ||
	        read_port(&port, str_sub(word, colon + 1, word.len - colon - 1)));
}

static bool
read_name(char out[CONFIG_NAME_MAX], struct str word)
{
	char host[CONFIG_NAME_MAX];
	if (!str_copy(host, sizeof host, word))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (host[i] == '_')
			host[i] = '-';
	char checked[CONFIG_HOST_MAX];
	return read_domain(checked, str_of(host)) && str_copy(out, CONFIG_NAME_MAX, word);
}

static bool
read_listed(char out[CONFIG_WORD_MAX], const struct mmp_argument *argument, struct str word)
{
	for (struct str rest = str_of(argument->none); rest.len != 0;)
		if (str_eq(str_cut(&rest, ' '), word))
			return str_copy(out, CONFIG_WORD_MAX, word);
	return false;
}

static bool
read_ciphers(char out[CONFIG_CIPHERS_MAX], struct str word)
{
	if (!is_none(word))
		return str_copy(out, CONFIG_CIPHERS_MAX, word);
	out[0] = '\0';
	return true;
}

/* One word into one setting; lists are in apply_list(). */
static bool
read_word(struct config *config, const struct mmp_argument *argument, struct str word)
{
	void *to = slot(config, argument);
	switch (argument->kind) {
	case MMP_PORT:
		return read_port(to, word);
	case MMP_PORT_OR_NONE:
		if (!is_none(word))
			return read_port(to, word);
		*(uint16_t *)to = 0;
		return true;
	case MMP_NUMBER:
		return read_number(to, argument, word);
	case MMP_IFACE:
		return read_iface(to, word);
	case MMP_FILE_OR_NONE:
	case MMP_HOST_OR_NONE:
		if (is_none(word)) {
			*(char *)to = '\0';
			return true;
		}
		return argument->kind == MMP_FILE_OR_NONE ? read_file(to, word)
		                                          : read_domain(to, word);
	case MMP_FILE:
	case MMP_FILE_OPTIONAL:
		return read_file(to, word);
	case MMP_CIPHERS:
		return read_ciphers(to, word);
	case MMP_SERVER:
		return read_server(to, word);
	case MMP_IP:
		return read_ip(to, word);
	case MMP_PLAIN:
		return str_copy(to, CONFIG_FILE_MAX, word);
	case MMP_LIMIT:
		return read_limit(to, argument, word);
	case MMP_NFS:
		return mmp_read_nfs(to, word);
	case MMP_NAME:
		return read_name(to, word);
	case MMP_WORD:
		return read_listed(to, argument, word);
	case MMP_SECRET:
		return str_copy(to, MMP_SECRET_MAX, word);
	case MMP_TEXT:
	case MMP_TEXT_OPTIONAL:
		return true; /* the call reads it from the words */
	case MMP_END:
	case MMP_ON:
	case MMP_OFF:
	case MMP_BOOL:
	case MMP_SWITCH:
	case MMP_SWITCHED:
	case MMP_CLEAR_CERTS:
	case MMP_CLEAR_HOST:
	case MMP_CLEAR_LIST:
	case MMP_IFACES:
	case MMP_LISTENS:
	case MMP_NODES:
	case MMP_SIP_LISTEN:
	case MMP_SYSLOG_ADD:
	case MMP_SYSLOG_DEL:
	case MMP_TEXTS:
	case MMP_TEXTS_OPTIONAL:
		break;
	}
	check_fail(__FILE__, __LINE__, "an argument of this kind takes no single word");
}

static void
write_wanted(struct writer *w, const struct mmp_argument *argument)
{
	switch (argument->kind) {
	case MMP_PORT:
		writer_text(w, "a port from 1 to 65535");
		break;
	case MMP_PORT_OR_NONE:
		writer_text(w, "a port from 1 to 65535, or none");
		break;
	case MMP_NUMBER:
		writer_format(w, "a number from %u to %u", (unsigned)argument->min,
		              (unsigned)argument->max);
		if (argument->none != NULL)
			writer_format(w, ", or %s", argument->none);
		break;
	case MMP_IFACE:
		writer_text(w, "an interface: any, lo, a to d, or its name");
		break;
	case MMP_IFACES:
		writer_format(w, "none, or up to %d interfaces: any, lo, a to d, or their names",
		              CONFIG_INTERFACES_MAX);
		break;
	case MMP_LISTENS:
		writer_format(w, "none, or up to %d of iface:port, as in any:8443",
		              CONFIG_LISTENS_MAX);
		break;
	case MMP_NODES:
		writer_format(w, "up to %d of host or host:port", CONFIG_NODES_MAX);
		break;
	case MMP_NAME:
		writer_format(w, "at most %d letters, digits, '-', '_' and '.'", CONFIG_NAME_MAX - 1);
		break;
	case MMP_WORD:
		writer_format(w, "one of %s", argument->none);
		break;
	case MMP_FILE:
	case MMP_FILE_OPTIONAL:
		writer_format(w, "the name of a file, at most %d bytes", CONFIG_FILE_MAX - 1);
		break;
	case MMP_FILE_OR_NONE:
		writer_format(w, "the name of a file, at most %d bytes, or none",
		              CONFIG_FILE_MAX - 1);
		break;
	case MMP_HOST_OR_NONE:
		writer_text(w, "a domain name, or none");
		break;
	case MMP_CIPHERS:
		writer_format(w, "a list of ciphers, at most %d bytes, or none",
		              CONFIG_CIPHERS_MAX - 1);
		break;
	case MMP_SERVER:
		writer_text(w, "an IP address, with or without :port");
		break;
	case MMP_IP:
		writer_text(w, "an IP address");
		break;
	case MMP_PLAIN:
		writer_format(w, "at most %d characters", CONFIG_FILE_MAX - 1);
		break;
	case MMP_LIMIT:
		writer_format(w, "a number from %u to %u, or %s", (unsigned)argument->min,
		              (unsigned)argument->max, argument->none);
		break;
	case MMP_NFS:
		writer_text(w, "host:folder, or none");
		break;
	case MMP_SIP_LISTEN:
		writer_text(w, "an interface, which may be left out, and two different ports or "
		               "none: for TCP and for TLS");
		break;
	case MMP_SECRET:
		writer_format(w, "at most %d characters", MMP_SECRET_MAX - 1);
		break;
	case MMP_END:
	case MMP_ON:
	case MMP_OFF:
	case MMP_BOOL:
	case MMP_SWITCH:
	case MMP_SWITCHED:
	case MMP_CLEAR_CERTS:
	case MMP_CLEAR_HOST:
	case MMP_CLEAR_LIST:
	case MMP_TEXT:
	case MMP_TEXT_OPTIONAL:
	case MMP_SYSLOG_ADD: /* it says itself what is wrong */
	case MMP_SYSLOG_DEL:
	case MMP_TEXTS:
	case MMP_TEXTS_OPTIONAL:
		check_fail(__FILE__, __LINE__, "these are never refused");
	}
}

static bool
refuse_word(struct config_error *error, const struct mmp_argument *argument, struct str word)
{
	struct writer w = mmp_sentence(error);
	if (argument->kind == MMP_SECRET)
		writer_text(&w, "that");
	else
		write_quoted(&w, word);
	writer_text(&w, " does not fit; expected ");
	write_wanted(&w, argument);
	mmp_sentence_end(error, &w);
	return false;
}

static bool
refuse_count(struct config_error *error, const struct mmp_command *command, const char *what)
{
	struct writer w = mmp_sentence(error);
	writer_format(&w, "%s; expected ", what);
	mmp_write_usage(&w, command);
	mmp_sentence_end(error, &w);
	return false;
}

/* -- lists ------------------------------------------------------------------------------------- */

/* The `index`th of a list. */
static bool
read_item(struct config *config, const struct mmp_argument *argument, size_t index, struct str word)
{
	void *to = slot(config, argument);
	switch ((unsigned)argument->kind) {
	case MMP_IFACES:
		return read_iface(((char(*)[CONFIG_IFACE_MAX])to)[index], word);
	case MMP_LISTENS:
		return read_listen(&((struct config_listen *)to)[index], word);
	default:
		return read_node(((char(*)[CONFIG_HOST_MAX])to)[index], word);
	}
}

static bool
is_list(const struct mmp_argument *argument)
{
	return argument->kind == MMP_IFACES || argument->kind == MMP_LISTENS ||
	       argument->kind == MMP_NODES;
}

static bool
apply_list(struct config *config, const struct mmp_argument *argument, const struct str *words,
           size_t count, struct config_error *error)
{
	const size_t cap = argument->kind == MMP_IFACES    ? CONFIG_INTERFACES_MAX
	                   : argument->kind == MMP_LISTENS ? CONFIG_LISTENS_MAX
	                                                   : CONFIG_NODES_MAX;
	uint32_t *length = (uint32_t *)(void *)((char *)config + argument->count_at);

	if (count == 1 && is_none(words[0]) && argument->kind != MMP_NODES) {
		*length = 0;
		return true;
	}
	if (count > cap)
		return refuse_word(error, argument, words[cap]);
	for (size_t i = 0; i < count; i++)
		if (!read_item(config, argument, i, words[i]))
			return refuse_word(error, argument, words[i]);
	*length = (uint32_t)count;
	return true;
}

static void
write_list(struct writer *w, const struct config *config, const struct mmp_argument *argument)
{
	const uint32_t length =
		*(const uint32_t *)(const void *)((const char *)config + argument->count_at);
	const char(*names)[CONFIG_IFACE_MAX] = const_slot(config, argument);
	const char(*nodes)[CONFIG_HOST_MAX] = const_slot(config, argument);
	const struct config_listen *listens = const_slot(config, argument);
	if (length == 0)
		writer_text(w, "none");
	for (uint32_t i = 0; i < length; i++) {
		if (i != 0)
			writer_text(w, " ");
		if (argument->kind == MMP_IFACES)
			writer_text(w, names[i]);
		else if (argument->kind == MMP_NODES)
			writer_text(w, nodes[i]);
		else
			writer_format(w, "%s:%u", listens[i].iface, (unsigned)listens[i].port);
	}
}

static void
write_syslog(struct writer *w, const struct config_syslog *syslog)
{
	for (uint32_t i = 0; i < syslog->count; i++) {
		writer_text(w, i != 0 ? ", " : "");
		mmp_write_syslog(w, &syslog->servers[i]);
	}
	if (syslog->count == 0)
		writer_text(w, "none");
}

/* -- a whole command --------------------------------------------------------------------------- */

/* Arguments that take no word. */
static bool
apply_wordless(struct config *config, const struct mmp_argument *argument)
{
	void *to = slot(config, argument);
	switch ((unsigned)argument->kind) {
	case MMP_ON:
	case MMP_OFF:
		*(bool *)to = argument->kind == MMP_ON;
		return true;
	case MMP_CLEAR_CERTS:
		memset(to, 0, sizeof(struct config_certs));
		return true;
	case MMP_CLEAR_HOST:
		*(char *)to = '\0';
		return true;
	case MMP_CLEAR_LIST:
		*(uint32_t *)(void *)((char *)config + argument->count_at) = 0;
		return true;
	default:
		return false;
	}
}

static bool
is_optional(const struct mmp_argument *argument)
{
	return argument->kind == MMP_FILE_OPTIONAL || argument->kind == MMP_TEXT_OPTIONAL ||
	       argument->kind == MMP_TEXTS_OPTIONAL;
}

/* What no single argument can see. */
static bool
sound(const struct config *config, struct config_error *error)
{
	if (config->callbridge.media_first < config->callbridge.media_last)
		return true;
	struct writer w = mmp_sentence(error);
	writer_format(&w, "media ports %u to %u are no range; expected <first> below <last>",
	              (unsigned)config->callbridge.media_first,
	              (unsigned)config->callbridge.media_last);
	mmp_sentence_end(error, &w);
	return false;
}

bool
mmp_apply(struct config *config, const struct mmp_command *command, const struct mmp_words *words,
          size_t used, struct config_error *error)
{
	struct config changed = *config;
	size_t at = used;
	CHECK(used <= words->count);
	for (const struct mmp_argument *a = command->arguments; a->kind != MMP_END; a++) {
		if (apply_wordless(&changed, a))
			continue;
		if (at == words->count && is_optional(a)) {
			if (a->kind == MMP_FILE_OPTIONAL)
				*(char *)slot(&changed, a) = '\0';
			continue;
		}
		if (at == words->count)
			return refuse_count(error, command, "something is missing");
		if (a->kind == MMP_TEXTS || a->kind == MMP_TEXTS_OPTIONAL) {
			at = words->count;
			continue;
		}
		if (a->kind == MMP_SYSLOG_ADD || a->kind == MMP_SYSLOG_DEL) {
			if (!mmp_apply_syslog(slot(&changed, a), a->kind == MMP_SYSLOG_ADD,
			                      &words->word[at], words->count - at, error))
				return false;
			at = words->count;
		} else if (a->kind == MMP_SIP_LISTEN) {
			if (!mmp_read_sip_listen(slot(&changed, a), &words->word[at],
			                         words->count - at))
				return refuse_word(error, a, words->word[at]);
			at = words->count;
		} else if (is_list(a)) {
			if (!apply_list(&changed, a, &words->word[at], words->count - at, error))
				return false;
			at = words->count;
		} else if (!read_word(&changed, a, words->word[at++])) {
			return refuse_word(error, a, words->word[at - 1]);
		}
	}
	if (at < words->count)
		return refuse_count(error, command, "too many words");
	if (!sound(&changed, error))
		return false;
	*config = changed;
	return true;
}

/* -- writing ----------------------------------------------------------------------------------- */

void
mmp_write_value(struct writer *w, const struct config *config, const struct mmp_argument *argument,
                bool shown)
{
	const void *from = const_slot(config, argument);
	switch (argument->kind) {
	case MMP_PORT:
	case MMP_PORT_OR_NONE:
		if (*(const uint16_t *)from == 0)
			writer_text(w, "none");
		else
			writer_decimal(w, *(const uint16_t *)from);
		break;
	case MMP_NUMBER:
		if (*(const uint32_t *)from == 0 && argument->none != NULL)
			writer_text(w, argument->none);
		else
			writer_decimal(w, *(const uint32_t *)from);
		break;
	case MMP_IFACES:
	case MMP_LISTENS:
	case MMP_NODES:
		write_list(w, config, argument);
		break;
	case MMP_SYSLOG_ADD: /* status lines only */
		write_syslog(w, from);
		break;
	case MMP_LIMIT:
		if (*(const uint32_t *)from == 0)
			writer_text(w, argument->none);
		else
			writer_decimal(w, *(const uint32_t *)from - 1);
		break;
	case MMP_NFS: {
		const struct config_nfs *nfs = from;
		writer_format(w, "%s:%s", nfs->host, nfs->folder);
		break;
	}
	case MMP_SIP_LISTEN:
		mmp_write_sip_listen(w, from, shown);
		break;
	case MMP_IFACE:
	case MMP_FILE:
	case MMP_FILE_OPTIONAL:
	case MMP_FILE_OR_NONE:
	case MMP_HOST_OR_NONE:
	case MMP_IP:
	case MMP_PLAIN:
	case MMP_CIPHERS:
	case MMP_SERVER:
	case MMP_NAME:
	case MMP_WORD:
		writer_text(w, shown && *(const char *)from == '\0' ? "none" : from);
		break;
	case MMP_SECRET:
		writer_text(w, !shown ? from : *(const char *)from == '\0' ? "none" : "********");
		break;
	case MMP_BOOL:
		writer_text(w, *(const bool *)from ? "true" : "false");
		break;
	case MMP_SWITCH:
		writer_text(w, *(const bool *)from ? "enabled" : "disabled");
		break;
	case MMP_SWITCHED:
		writer_text(w, *(const bool *)from ? "Enabled" : "Disabled");
		break;
	case MMP_END:
	case MMP_ON:
	case MMP_OFF:
	case MMP_CLEAR_CERTS:
	case MMP_CLEAR_HOST:
	case MMP_CLEAR_LIST:
	case MMP_TEXT:
	case MMP_TEXT_OPTIONAL:
	case MMP_SYSLOG_DEL:
	case MMP_TEXTS:
	case MMP_TEXTS_OPTIONAL:
		check_fail(__FILE__, __LINE__, "these have no value");
	}
}
