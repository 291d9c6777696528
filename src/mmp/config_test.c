/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every command of the table can be read, written and read again; every kind of mistake in
 * convoke.conf is refused with its line and what was expected.  Method: settings drawn at random
 * from the table itself, a case per refusal, every prefix and every byte flip of a whole file. */
#include <string.h>

#include "base/prng.h"
#include "base/test.h"
#include "mmp/config_property.h"
#include "mmp/mmp_internal.h"

static const char whole[] =
	"# Convoke's settings\n"
	"callbridge listen a lo\n"
	"callbridge certs callbridge.key callbridge.crt bundle.crt\n"
	"callbridge trust c2w webbridge.crt\n"
	"callbridge sip listen 5070 none   # TLS is elsewhere\n"
	"callbridge media 20000 29999\r\n"
	"\n"
	"callbridge domain meet.example.com\n"
	"webadmin listen lo 445\n"
	"webbridge3 https listen a:443 b:8443\n"
	"webbridge3 c2w listen none\n"
	"webbridge3 disable\n"
	"tls sip verify enable\n"
	"dns add forwardzone . [2001:db8::1]:53\n"
	"syslog level debug\n"
	"syslog server add logs.example.com 6514 tls\n"
	"syslog server add 192.0.2.9\n";

static bool
parse(struct config *config, const char *text, struct config_error *error)
{
	return config_parse(config, str_of(text), error);
}

TEST(a_whole_file_is_read)
{
	struct config config;
	struct config_error error;
	EXPECT(parse(&config, whole, &error));
	EXPECT_EQ(config.callbridge.iface_count, 2);
	EXPECT_STR(str_of(config.callbridge.ifaces[0]), "a");
	EXPECT_STR(str_of(config.callbridge.ifaces[1]), "lo");
	EXPECT_STR(str_of(config.callbridge.certs.bundle), "bundle.crt");
	EXPECT_STR(str_of(config.callbridge.trust_c2w), "webbridge.crt");
	EXPECT_EQ(config.callbridge.sip_port, 5070);
	EXPECT_EQ(config.callbridge.sip_tls_port, 0);
	EXPECT_EQ(config.callbridge.media_first, 20000);
	EXPECT_EQ(config.callbridge.media_last, 29999);
	EXPECT_STR(str_of(config.callbridge.domain), "meet.example.com");
	EXPECT_STR(str_of(config.webadmin.listen.iface), "lo");
	EXPECT_EQ(config.webadmin.listen.port, 445);
	EXPECT_EQ(config.webbridge.https_count, 2);
	EXPECT_STR(str_of(config.webbridge.https[1].iface), "b");
	EXPECT_EQ(config.webbridge.https[1].port, 8443);
	EXPECT_EQ(config.webbridge.c2w_count, 0);
	EXPECT(!config.webbridge.enabled);
	EXPECT(config.callbridge.enabled);
	EXPECT(config.callbridge.sip_tls_verify);
	EXPECT_STR(str_of(config.dns.host), "[2001:db8::1]:53");
	EXPECT(config.log_debug);
	EXPECT_EQ(config.syslog.count, 2);
	EXPECT_EQ(config.syslog.servers[0].port, 6514);
	EXPECT(config.syslog.servers[0].tls && config.syslog.enabled);
	EXPECT_STR(str_of(config.syslog.servers[1].host), "192.0.2.9");
}

TEST(an_empty_file_is_the_defaults)
{
	struct config config;
	struct config_error error;
	EXPECT(parse(&config, "", &error));
	EXPECT_EQ(config.callbridge.sip_port, 5060);
	EXPECT_EQ(config.callbridge.sip_tls_port, 5061);
	EXPECT_EQ(config.callbridge.media_first, 50000);
	EXPECT_EQ(config.callbridge.media_last, 59999);
	EXPECT_EQ(config.webadmin.listen.port, 8445);
	EXPECT_EQ(config.webbridge.https[0].port, 8443);
	EXPECT_EQ(config.webbridge.c2w[0].port, 9999);
	EXPECT_STR(str_of(config.webbridge.c2w[0].iface), "lo");
	EXPECT_EQ(config.callbridge.jwt_hours, 24);
}

TEST(a_wrong_line_is_named_with_what_was_expected)
{
	static const struct {
		const char *text;
		uint32_t line;
		const char *want;
	} cases[] = {
		{ "\ncallbridge lisen a\n", 2,
		  "unknown word \"lisen\"; expected listen, certs, trust, sip, bfcp, media, workers, "
		  "limit, "
		  "domain, wc3jwt, language, ucm, add, enable, disable, restart" },
		{ "steamer enable", 1,
		  "unknown command \"steamer\"; expected callbridge, webadmin, webbridge3, tls, dns, "
		  "backup, pcap, df, health, uptime, serial, dmicode, hostname, timezone, date, ntp, "
		  "iface, ipv4, ipv6, shutdown, reboot, firewall, upgrade, factory_reset, login, "
		  "rsa_ssh, motd, snmp, ipmi, fips, hsm, cac, database, recorder, streamer, uploader, "
		  "scheduler, turn, meetingapps, syslog, license, pki, ssh, user, passwd, version, "
		  "help" },
		{ "streamer sip listen a 7000", 1,
		  "\"a\" does not fit; expected an interface, which may be left out, and two "
		  "different ports or none: for TCP and for TLS" },
		{ "streamer sip listen 7000 7000", 1,
		  "\"7000\" does not fit; expected an interface, which may be left out, and two "
		  "different ports or none: for TCP and for TLS" },
		{ "recorder limit 501", 1,
		  "\"501\" does not fit; expected a number from 0 to 500, or none" },
		{ "uploader nfs host", 1, "\"host\" does not fit; expected host:folder, or none" },
		{ "turn public-ip a.example", 1,
		  "\"a.example\" does not fit; expected an IP address" },
		{ "callbridge sip", 1, "the command is not complete; expected listen" },
		{ "callbridge sip listen 5060", 1,
		  "something is missing; expected callbridge sip listen <port|none> "
		  "<tls-port|none>" },
		{ "callbridge sip listen 5060 5061 5062", 1,
		  "too many words; expected callbridge sip listen <port|none> <tls-port|none>" },
		{ "#\n#\ncallbridge sip listen 0 none", 3,
		  "\"0\" does not fit; expected a port from 1 to 65535, or none" },
		{ "webadmin listen any 65536", 1,
		  "\"65536\" does not fit; expected a port from 1 to 65535" },
		{ "webadmin listen none 8445", 1,
		  "\"none\" does not fit; expected an interface: any, lo, a to d, or its name" },
		{ "callbridge workers 65", 1,
		  "\"65\" does not fit; expected a number from 1 to 64, or auto" },
		{ "callbridge limit 0", 1,
		  "\"0\" does not fit; expected a number from 1 to 100000" },
		{ "callbridge listen a/b", 1,
		  "\"a/b\" does not fit; expected none, or up to 8 interfaces: any, lo, a to d, or "
		  "their names" },
		{ "webbridge3 https listen 443", 1,
		  "\"443\" does not fit; expected none, or up to 4 of iface:port, as in any:8443" },
		{ "webbridge3 https listen a:1 a:2 a:3 a:4 a:5", 1,
		  "\"a:5\" does not fit; expected none, or up to 4 of iface:port, as in any:8443" },
		{ "callbridge certs none.key", 1,
		  "something is missing; expected callbridge certs <key> <crt> [bundle]" },
		{ "webadmin certs a.key none", 1,
		  "\"none\" does not fit; expected the name of a file, at most 127 bytes" },
		{ "callbridge trust c2w "
		  "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "01234567890123456789012345678901234567890123456789",
		  1,
		  "\"1234567890123456789012345678901234567890...\" does not fit; expected the name "
		  "of "
		  "a file, at most 127 bytes, or none" },
		{ "callbridge domain a_b", 1,
		  "\"a_b\" does not fit; expected a domain name, or none" },
		{ "dns add forwardzone . ns.example.com", 1,
		  "\"ns.example.com\" does not fit; expected an IP address, with or without "
		  ":port" },
		{ "callbridge media 5000 5000", 1,
		  "media ports 5000 to 5000 are no range; expected <first> below <last>" },
		{ "callbridge restart", 1,
		  "\"callbridge restart\" is an order, not a setting; expected it on the command "
		  "line: convoke mmp callbridge restart" },
		{ "callbridge domain ex\x01mple", 1,
		  "byte 0x01 in column 21 is not text; expected printable ASCII" },
		{ "a b c d e f g h i j k l m n o p q r s t u v w x y", 1, "more than 24 words" },
		{ "callbridge domain \"a b", 1, "a quotation mark is missing" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config config;
		struct config_error error;
		memset(&config, 0x5a, sizeof config);
		EXPECT(!parse(&config, cases[i].text, &error));
		EXPECT_STR(str_of(error.text), cases[i].want);
		EXPECT_EQ(error.line, cases[i].line);
		EXPECT_EQ(*(unsigned char *)&config, 0x5a); /* left as it was */
	}
}

TEST(a_line_or_file_that_is_too_long_is_refused)
{
	static char text[CONFIG_BYTES_MAX + 2];
	struct config config;
	struct config_error error;
	memset(text, ' ', sizeof text - 1);
	EXPECT(!config_parse(&config, (struct str){ text, CONFIG_LINE_MAX + 1 }, &error));
	EXPECT_EQ(error.line, 1);
	EXPECT(!parse(&config, text, &error));
	EXPECT_EQ(error.line, 0);
	EXPECT_STR(str_of(error.text), "the file is longer than 1 MiB");
}

TEST(every_prefix_and_flip_of_a_file_is_read_or_refused)
{
	char text[sizeof whole];
	for (size_t len = 0; len < sizeof whole; len++)
		config_property((struct str){ .at = whole, .len = len });
	for (size_t at = 0; at + 1 < sizeof whole; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(text, whole, sizeof text);
			text[at] = (char)((unsigned char)text[at] ^ (1u << bit));
			config_property((struct str){ .at = text, .len = sizeof whole - 1 });
		}
	}
}

/* -- round trip -------------------------------------------------------------------------------- */

static void
draw(struct writer *w, const struct mmp_argument *argument, struct prng *prng)
{
	static const char *const ifaces[] = { "any", "lo", "a", "d", "eth0", "enp0s31f6.4094" };
	const uint32_t one_of = prng_below(prng, 4);
	const char *iface = ifaces[prng_below(prng, COUNT_OF(ifaces))];
	const uint32_t port = 1 + prng_below(prng, UINT16_MAX);
	if (argument->kind == MMP_ON || argument->kind == MMP_OFF ||
	    argument->kind == MMP_CLEAR_CERTS || argument->kind == MMP_CLEAR_HOST)
		return;
	if (argument->kind == MMP_FILE_OPTIONAL && one_of == 0)
		return;
	writer_text(w, " ");
	switch ((unsigned)argument->kind) {
	case MMP_PORT:
		writer_decimal(w, port);
		break;
	case MMP_NUMBER:
		if (argument->none != NULL && one_of == 0)
			writer_text(w, argument->none);
		else
			writer_decimal(w,
			               argument->min +
			                       prng_below(prng, argument->max - argument->min + 1));
		break;
	case MMP_IFACE:
		writer_text(w, iface);
		break;
	case MMP_SERVER:
		writer_text(w, one_of == 0 ? "2001:db8::53" : "192.0.2.53:5353");
		break;
	case MMP_IP:
		writer_text(w, one_of == 0 ? "2001:db8::53" : "192.0.2.53");
		break;
	case MMP_LIMIT:
		writer_text(w, one_of == 0 ? "none" : one_of == 1 ? "0" : "500");
		break;
	case MMP_NFS:
		writer_text(w, one_of == 0 ? "none" : one_of == 1 ? "[2001:db8::1]:/a" : "h.example:a/b");
		break;
	case MMP_SIP_LISTEN:
		if (one_of != 0)
			writer_format(w, "%s ", iface);
		writer_format(w, one_of == 2 ? "none none" : "%u %u", (unsigned)(port / 2 + 1),
		              (unsigned)(port / 2 + 2));
		break;
	case MMP_WORD:
		for (struct str rest = str_of(argument->none), word; rest.len != 0;) {
			word = str_cut(&rest, ' ');
			if (rest.len == 0 || prng_below(prng, 2) == 0) {
				writer_str(w, word);
				break;
			}
		}
		break;
	case MMP_IFACES:
		writer_text(w, one_of == 0 ? "none" : iface);
		for (uint32_t i = 1; i < one_of; i++)
			writer_format(w, " %s", ifaces[i]);
		break;
	case MMP_LISTENS:
		writer_format(w, one_of == 0 ? "none" : "%s:%u", iface, (unsigned)port);
		for (uint32_t i = 1; i < one_of; i++)
			writer_format(w, " %s:%u", ifaces[i], (unsigned)port);
		break;
	case MMP_PORT_OR_NONE:
		if (one_of != 0) {
			writer_decimal(w, port);
			break;
		}
		writer_text(w, "none");
		break;
	case MMP_FILE:
	case MMP_FILE_OPTIONAL:
		writer_format(w, "/etc/keys/file%u.pem", (unsigned)one_of);
		break;
	default:
		writer_text(w, one_of == 0 ? "none" : "name.example");
		break;
	}
}

TEST(settings_that_are_written_read_back_as_the_same)
{
	struct prng prng;
	prng_init(&prng, 2);
	unsigned good = 0;
	for (unsigned round = 0; round < 3000; round++) {
		char text[8192];
		struct writer w = writer_of(text, sizeof text);
		for (unsigned line = 0; line < 12; line++) {
			const struct mmp_command *command =
				&mmp_commands[prng_below(&prng, (uint32_t)mmp_command_count)];
			if (!mmp_is_setting(command))
				continue;
			writer_text(&w, command->words);
			for (const struct mmp_argument *a = command->arguments; a->kind != MMP_END;
			     a++)
				draw(&w, a, &prng);
			writer_text(&w, "\n");
		}
		struct config config;
		struct config_error error;
		good += config_parse(&config, writer_view(&w), &error);
		config_property(writer_view(&w));
	}
	EXPECT(good > 1500); /* only media ranges drawn upside down are refused */
}

TEST(every_command_tells_what_it_is_for)
{
	for (size_t i = 0; i < mmp_command_count; i++) {
		const struct mmp_command *command = &mmp_commands[i];
		EXPECT(command->help != NULL && command->help[0] != '\0');
		EXPECT_EQ(command->components != 0,
		          mmp_is_setting(command) || command->order == MMP_ORDER_RESTART);
		EXPECT_EQ(command->arguments[MMP_ARGUMENTS_MAX].kind, MMP_END);
	}
}

/* -- parts, completeness, ports ---------------------------------------------------------------- */

TEST(a_part_holds_only_what_its_component_reads)
{
	struct config before, after;
	char text[4][8192];
	config_defaults(&before);
	after = before;
	str_copy(after.webbridge.https_certs.key, CONFIG_FILE_MAX, STR("new.key"));
	struct writer w[4];
	for (unsigned i = 0; i < 4; i++) {
		w[i] = writer_of(text[i], sizeof text[i]);
		config_write_part(&w[i], i < 2 ? &before : &after, (enum config_component)(i % 2));
	}
	EXPECT(str_eq(writer_view(&w[CONFIG_CALLBRIDGE]), writer_view(&w[2 + CONFIG_CALLBRIDGE])));
	EXPECT(!str_eq(writer_view(&w[CONFIG_WEBBRIDGE]), writer_view(&w[2 + CONFIG_WEBBRIDGE])));
}

TEST(a_component_without_what_it_needs_is_not_complete)
{
	static const char certs[] =
		"callbridge certs a.key a.crt\nwebadmin certs b.key b.crt\n"
		"webbridge3 https certs c.key c.crt\nwebbridge3 c2w certs d.key d.crt\n"
		"webbridge3 c2w trust a.crt\n";
	static const struct {
		const char *more;
		enum config_component component;
		const char *want; /* NULL: complete */
	} cases[] = {
		{ "", CONFIG_CALLBRIDGE, NULL },
		{ "", CONFIG_WEBBRIDGE, NULL },
		{ "callbridge certs none\n", CONFIG_CALLBRIDGE,
		  "TLS port set but no certificates configured; expected callbridge certs <key> "
		  "<crt>" },
		{ "callbridge certs none\ncallbridge sip listen 5060 none\n", CONFIG_CALLBRIDGE,
		  NULL },
		{ "webadmin certs none\n", CONFIG_CALLBRIDGE,
		  "Web Admin has no certificates configured; expected webadmin certs <key> <crt>" },
		{ "webadmin certs none\nwebadmin disable\n", CONFIG_CALLBRIDGE, NULL },
		{ "webbridge3 https certs none\n", CONFIG_WEBBRIDGE,
		  "no HTTPS certificates configured; expected webbridge3 https certs <key> "
		  "<fullchain>" },
		{ "webbridge3 c2w certs none\n", CONFIG_WEBBRIDGE,
		  "no C2W certificates configured; expected webbridge3 c2w certs <key> "
		  "<fullchain>" },
		{ "webbridge3 c2w trust none\n", CONFIG_WEBBRIDGE,
		  "no Call Bridge is trusted; expected webbridge3 c2w trust <bundle>" },
		{ "webadmin listen lo 8443\n", CONFIG_WEBBRIDGE,
		  "TCP port 8443 is wanted by Web Admin and by the web app; expected a port of its "
		  "own for each" },
		{ "callbridge sip listen 5060 8445\n", CONFIG_CALLBRIDGE,
		  "TCP port 8445 is wanted by SIP over TLS and by Web Admin; expected a port of "
		  "its own for each" },
		{ "callbridge sip listen 5060 8445\n", CONFIG_WEBBRIDGE, NULL },
		{ "webadmin listen lo 443\nwebbridge3 https listen a:443\n", CONFIG_CALLBRIDGE,
		  NULL },
		{ "callbridge sip listen 55000 5061\n", CONFIG_CALLBRIDGE,
		  "UDP port 55000 is wanted by SIP and is a media port; expected it outside of "
		  "50000 "
		  "to 59999" },
		{ "callbridge sip listen none none\n", CONFIG_CALLBRIDGE, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[1024];
		struct config config;
		struct config_error error;
		struct writer w = writer_of(text, sizeof text);
		writer_format(&w, "%s%s", certs, cases[i].more);
		EXPECT(config_parse(&config, writer_view(&w), &error));
		EXPECT_EQ(config_complete(&config, cases[i].component, &error),
		          cases[i].want == NULL);
		if (cases[i].want != NULL)
			EXPECT_STR(str_of(error.text), cases[i].want);
	}
}

TEST(a_port_leads_to_the_command_that_sets_it)
{
	static const struct {
		uint16_t port;
		const char *want;
	} cases[] = {
		{ 5060, "callbridge sip listen <port|none> <tls-port|none>" },
		{ 5061, "callbridge sip listen <port|none> <tls-port|none>" },
		{ 8445, "webadmin listen <iface> <port>" },
		{ 8443, "webbridge3 https listen <iface:port|none> [iface:port ...]" },
		{ 9999, "webbridge3 c2w listen <iface:port|none> [iface:port ...]" },
		{ 50001, "callbridge media <first> <last>" },
		{ 4711, NULL },
	};
	struct config config;
	config_defaults(&config);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[128];
		struct writer w = writer_of(text, sizeof text);
		EXPECT_EQ(config_port_command(&w, &config, cases[i].port), cases[i].want != NULL);
		if (cases[i].want != NULL)
			EXPECT_STR(writer_view(&w), cases[i].want);
	}
}

TEST(a_port_below_1024_is_noticed_wherever_it_is)
{
	static const char *const low[] = { "callbridge sip listen none 443",
		                           "webadmin listen a 1023",
		                           "webbridge3 https listen a:1024 b:443" };
	struct config config;
	struct config_error error;
	config_defaults(&config);
	EXPECT(!config_low_ports(&config));
	for (size_t i = 0; i < COUNT_OF(low); i++) {
		EXPECT(parse(&config, low[i], &error));
		EXPECT(config_low_ports(&config));
	}
	EXPECT(parse(&config, "callbridge sip listen none 1024", &error));
	EXPECT(!config_low_ports(&config));
}

TEST(a_file_is_below_the_data_folder_or_where_it_says)
{
	char path[32];
	EXPECT(config_path(path, sizeof path, "/data", "a.key"));
	EXPECT_STR(str_of(path), "/data/a.key");
	EXPECT(config_path(path, sizeof path, "/data", "/etc/a.key"));
	EXPECT_STR(str_of(path), "/etc/a.key");
	EXPECT(!config_path(path, sizeof path, "/a/long/way/down", "to/a/long/name.key"));
	EXPECT_STR(str_of(path), "");
}
