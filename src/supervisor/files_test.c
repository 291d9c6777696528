/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the data folder is made private and complete, survives a second start untouched, and says
 * what is wrong with it; logs turn over and nothing of them is torn; advice names the command that
 * helps.  Method: real folders below /tmp. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/test.h"
#include "net/audit.h"
#include "net/cert.h"
#include "net/files.h"
#include "supervisor/archive.h"
#include "supervisor/bundle.h"
#include "supervisor/announce.h"
#include "supervisor/data_dir.h"
#include "supervisor/log_file.h"
#include "supervisor/log_lines.h"
#include "supervisor/log_read.h"
#include "supervisor/pki.h"

static struct data_dir
temporary(void)
{
	char path[] = "/tmp/supervisor_test.XXXXXX";
	struct data_dir dir;
	char error[DATA_ERROR_MAX];
	EXPECT(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&dir, path, error));
	char run[DATA_PATH_MAX + 64];
	EXPECT_EQ(mkdir(data_dir_file(run, &dir, "run"), 0700), 0);
	return dir;
}

static void
discard(const struct data_dir *dir)
{
	char command[DATA_PATH_MAX + 32];
	snprintf(command, sizeof command, "rm -r '%s'", dir->path);
	EXPECT_EQ(system(command), 0);
}

static mode_t
mode_of(const struct data_dir *dir, const char *name)
{
	char path[DATA_PATH_MAX + 64];
	struct stat info;
	EXPECT_EQ(stat(data_dir_file(path, dir, name), &info), 0);
	return info.st_mode & 07777;
}

static bool
server_fits(const struct data_dir *dir, const struct config_certs *certs)
{
	char why[CERT_ERROR_MAX];
	struct writer w = writer_of(why, sizeof why);
	const struct mmp_user user = { .local = true };
	const struct mmp_check check = { .kind = MMP_CHECK_SERVER,
		                         .key = certs->key,
		                         .certificate = certs->certificate,
		                         .bundle = certs->bundle };
	return pki_fits(dir, &user, &check, &w);
}

TEST(a_first_start_makes_settings_that_are_complete)
{
	struct data_dir dir = temporary();
	char error[DATA_ERROR_MAX];
	struct config config;
	struct config_error incomplete;
	EXPECT(data_dir_furnish(&dir, error));
	EXPECT(dir.fresh);
	EXPECT(data_dir_config(&config, &dir, error));
	EXPECT(config_complete(&config, CONFIG_CALLBRIDGE, &incomplete));
	EXPECT(config_complete(&config, CONFIG_WEBBRIDGE, &incomplete));
	EXPECT(server_fits(&dir, &config.callbridge.certs));
	EXPECT(server_fits(&dir, &config.webadmin.certs));
	EXPECT(server_fits(&dir, &config.webbridge.https_certs));
	EXPECT(server_fits(&dir, &config.webbridge.c2w_certs));
	EXPECT_EQ(mode_of(&dir, "convoke.conf"), 0600);
	EXPECT_EQ(mode_of(&dir, config.webbridge.c2w_certs.key), 0600);
	discard(&dir);
}

TEST(a_second_start_leaves_everything_as_it_is)
{
	struct data_dir dir = temporary();
	char error[DATA_ERROR_MAX], path[DATA_PATH_MAX + 64], *before, *after;
	size_t before_len, after_len;
	EXPECT(data_dir_furnish(&dir, error));
	EXPECT_EQ(
	        file_read(data_dir_file(path, &dir, "webbridge.crt"), 65536, &before, &before_len),
	        0);
	dir.fresh = false;
	EXPECT(data_dir_furnish(&dir, error));
	EXPECT(!dir.fresh);
	/* Settings that were lost come back with the certificates that people may have trusted. */
	EXPECT_EQ(unlink(data_dir_file(path, &dir, "convoke.conf")), 0);
	EXPECT(data_dir_furnish(&dir, error));
	EXPECT_EQ(file_read(data_dir_file(path, &dir, "webbridge.crt"), 65536, &after, &after_len),
	          0);
	EXPECT(before_len == after_len && memcmp(before, after, before_len) == 0);
	free(before);
	free(after);
	discard(&dir);
}

TEST(a_wrong_line_is_told_with_its_file)
{
	struct data_dir dir = temporary();
	char error[DATA_ERROR_MAX], path[DATA_PATH_MAX + 64], want[DATA_ERROR_MAX];
	struct config config;
	static const char text[] = "# settings\nwebadmin listen any\n";
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "convoke.conf"), text, sizeof text - 1,
	                       0600),
	          0);
	EXPECT(!data_dir_config(&config, &dir, error));
	snprintf(want, sizeof want,
	         "%s/convoke.conf, line 2: something is missing; expected webadmin listen <iface> "
	         "<port>", dir.path);
	EXPECT_STR(str_of(error), want);
	discard(&dir);
}

TEST(settings_that_were_written_are_read_again)
{
	struct data_dir dir = temporary();
	char error[DATA_ERROR_MAX];
	struct config config, again;
	config_defaults(&config);
	config.callbridge.sip_port = 5070;
	EXPECT(data_dir_write_config(&dir, &config, error));
	EXPECT(data_dir_config(&again, &dir, error));
	EXPECT_EQ(again.callbridge.sip_port, 5070);
	discard(&dir);
}

TEST(a_lock_has_one_holder_and_goes_with_its_process)
{
	struct data_dir dir = temporary();
	int holder;
	const int lock = data_dir_lock(&dir, "supervisor", 0, &holder);
	EXPECT(lock >= 0);
	const pid_t pid = fork();
	if (pid == 0)
		_exit(data_dir_lock(&dir, "supervisor", 0, &holder) == -EWOULDBLOCK && holder == getppid()
		              ? 0
		              : 1);
	int status = -1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	close(lock);

	const pid_t killed = fork();
	if (killed == 0) {
		(void)!data_dir_lock(&dir, "supervisor", 0, &holder);
		abort();
	}
	EXPECT_EQ(waitpid(killed, &status, 0), killed);
	const int next = data_dir_lock(&dir, "supervisor", 0, &holder);
	EXPECT(next >= 0);
	close(next);
	discard(&dir);
}

TEST(a_line_of_the_log_is_read_as_it_was_written)
{
	enum log_level level;
	int64_t wall_us = 0;
	struct str text;
	EXPECT(log_lines_parse(STR("2026-11-20 13:04:30.075  Info     call 20: ending"), &level,
	                       &wall_us, &text));
	EXPECT_EQ(level, LOG_INFO);
	EXPECT_EQ(wall_us, INT64_C(1795179870075000));
	EXPECT_STR(text, "call 20: ending");
	EXPECT(log_lines_parse(STR("2026-11-20 13:04:30.075  Warning  "), &level, &wall_us, &text));
	EXPECT_EQ(level, LOG_WARNING);
	EXPECT_STR(text, "");
	static const char *const others[] = {
		"", "==123==ERROR: AddressSanitizer", "2026-11-20 13:04:30.075",
		"2026-11-20 13:04:30.075  Loud     text", "2026-11-20 13:0x:30.075  Info     text",
	};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		EXPECT(!log_lines_parse(str_of(others[i]), &level, &wall_us, &text));
}

struct reader_scene {
	size_t len;
	char said[4096];
	unsigned waits;
	const char *path;
};

static void
on_say(void *context, struct str text)
{
	struct reader_scene *scene = context;
	EXPECT(scene->len + text.len < sizeof scene->said);
	memcpy(scene->said + scene->len, text.at, text.len);
	scene->len += text.len;
	scene->said[scene->len] = '\0';
}

/* While it waits the log grows, then is turned over. */
static bool
on_wait(void *context, int64_t us)
{
	struct reader_scene *scene = context;
	(void)us;
	char older[512];
	snprintf(older, sizeof older, "%s.1", scene->path);
	if (scene->waits == 1)
		EXPECT_EQ(rename(scene->path, older), 0);
	FILE *file = fopen(scene->path, "a");
	EXPECT(file != NULL);
	fprintf(file, "new %u\n", scene->waits);
	fclose(file);
	return scene->waits++ < 3;
}

TEST(the_log_is_followed_and_searched)
{
	char base[] = "/tmp/log-read-XXXXXX";
	char folder[64];
	char path[128];
	char out[256];
	struct data_dir dir = { 0 };
	EXPECT(mkdtemp(base) != NULL);
	snprintf(folder, sizeof folder, "%s/log", base);
	snprintf(path, sizeof path, "%s/convoke.log", folder);
	EXPECT_EQ(mkdir(folder, 0700), 0);
	(void)str_copy(dir.path, sizeof dir.path, str_of(base));
	FILE *file = fopen(path, "w");
	for (unsigned i = 0; i < 50; i++)
		fprintf(file, "line %u of fifty\n", i);
	fclose(file);
	struct reader_scene scene = { .path = path };
	const struct mmp_terminal terminal = { .context = &scene, .say = on_say, .wait = on_wait };
	struct writer w = writer_of(out, sizeof out);
	EXPECT(log_read_run(&dir, &terminal, &(struct mmp_line){ .call = MMP_SYSLOG_FOLLOW }, &w));
	EXPECT(str_starts(str_of(scene.said), STR("line 30 of fifty\nline 31")));
	EXPECT(str_ends(str_of(scene.said), STR("line 49 of fifty\nnew 0\nnew 1\nnew 2\n")));
	scene.len = 0;
	const struct str words[] = { STR_INIT("LINE"), STR_INIT("7") };
	const struct mmp_line search = { .call = MMP_SYSLOG_SEARCH, .arguments = words, .count = 2 };
	EXPECT(log_read_run(&dir, &terminal, &search, &w));
	EXPECT_STR(str_of(scene.said), "line 7 of fifty\n"); /* in the older file */
	(void)unlink(path);
	snprintf(path, sizeof path, "%s/convoke.log.1", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	(void)rmdir(base);
}

/* A socket of this machine, as the name server or syslog server of a test. */
static int
datagrams(char address[32])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	const struct timeval patience = { .tv_sec = 5 };
	socklen_t len = sizeof at;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	snprintf(address, 32, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	return fd;
}

/* Does something with this in it arrive, while the loop runs? */
static bool
arrives(struct loop *loop, int fd, const char *part)
{
	char bytes[2048];
	for (int i = 0; i < 100; i++) {
		loop_run_until(loop, loop_now_us() + 50000);
		const ssize_t len = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
		if (len > 0 && memmem(bytes, (size_t)len, part, strlen(part)) != NULL)
			return true;
	}
	return false;
}

TEST(syslog_servers_are_looked_up_where_the_settings_say_now)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64], first[32], second[32];
	struct log_lines lines = { .file.fd = -1 };
	struct config config;
	struct loop *loop;
	const int one = datagrams(first), other = datagrams(second);
	EXPECT_EQ(loop_create(&loop), 0);
	EXPECT_EQ(log_lines_open(&lines, data_dir_file(path, &dir, "test.log"), false), 0);
	config_defaults(&config);
	config.syslog.count = 1;
	str_copy(config.syslog.servers[0].host, CONFIG_HOST_MAX, STR("logs.example.test"));
	str_copy(config.dns.host, CONFIG_HOST_MAX, str_of(first));
	log_lines_servers(&lines, loop, &dir, &config);
	log_info("one");
	EXPECT(arrives(loop, one, "\4logs\7example\4test"));
	str_copy(config.dns.host, CONFIG_HOST_MAX, str_of(second));
	log_lines_servers(&lines, loop, &dir, &config);
	log_info("two");
	EXPECT(arrives(loop, other, "\4logs\7example\4test"));
	log_lines_servers_close(&lines);
	log_lines_close(&lines);
	loop_destroy(loop);
	close(one);
	close(other);
	discard(&dir);
}

TEST(the_audit_log_goes_to_its_own_servers)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64], older[DATA_PATH_MAX + 64], address[32];
	struct log_lines lines = { .file.fd = -1 };
	struct config config;
	struct loop *loop;
	const int server = datagrams(address);
	EXPECT_EQ(mkdir(data_dir_file(path, &dir, "log"), 0700), 0);
	data_dir_file(path, &dir, "log/audit");
	EXPECT_EQ(loop_create(&loop), 0);
	audit_write(path, "anna", "here", STR("before"));
	config_defaults(&config);
	config.audit.count = 1;
	str_copy(config.audit.servers[0].host, CONFIG_HOST_MAX, STR("127.0.0.1"));
	uint32_t port = 0;
	EXPECT(str_u32(str_of(strchr(address, ':') + 1), &port));
	config.audit.servers[0].port = (uint16_t)port;
	log_lines_servers(&lines, loop, &dir, &config);
	EXPECT(lines.syslog == NULL);
	audit_write(path, "anna", "here", STR("callbridge limit 5"));
	EXPECT(arrives(loop, server, "user \"anna\" from here: callbridge limit 5"));
	/* Turned over in between: what came before it and what comes after are both sent. */
	audit_write(path, "anna", "here", STR("last of the old"));
	EXPECT_EQ(rename(path, data_dir_file(older, &dir, "log/audit.1")), 0);
	audit_write(path, "anna", "here", STR("first of the new"));
	EXPECT(arrives(loop, server, "last of the old"));
	EXPECT(arrives(loop, server, "first of the new"));
	log_lines_servers_close(&lines);
	loop_destroy(loop);
	close(server);
	discard(&dir);
}

TEST(a_bundle_has_logs_and_settings_and_no_secret)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64], names[256] = "", text[65536];
	static char log[300000];
	struct writer w = writer_of(names, sizeof names - 1);
	struct archive *archive;
	struct tar_entry entry;
	int got;
	EXPECT_EQ(mkdir(data_dir_file(path, &dir, "log"), 0700), 0);
	memset(log, '.', sizeof log);
	memcpy(log + 200000, "x.c:5: check failed: y", 22);
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "log/convoke.log"), log, sizeof log, 0600), 0);
	static const char conf[] = "database cluster password geheim\nuploader cms password geheim2\n"
	                           "callbridge limit 55\n";
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "convoke.conf"), conf, sizeof conf - 1, 0600),
	          0);
	EXPECT_EQ(bundle_make(&dir), 0);
	const int fd = open(data_dir_file(path, &dir, BUNDLE_FILE), O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(archive_open(&archive, fd), 0);
	while (archive_next(archive, &entry) == 1) {
		bool secret = false, limit = false, crash = false;
		while ((got = archive_read(archive, text, sizeof text)) > 0) {
			secret = secret || memmem(text, (size_t)got, "geheim", 6) != NULL;
			limit = limit || memmem(text, (size_t)got, "callbridge limit 55", 19) != NULL;
			crash = crash || memmem(text, (size_t)got, "check failed", 12) != NULL;
		}
		EXPECT(!secret);
		EXPECT_EQ(limit, strcmp(entry.name, "convoke.conf") == 0);
		if (strcmp(entry.name, "crash.txt") == 0)
			EXPECT(crash && entry.size == 80 * 1024);
		writer_format(&w, "%s ", entry.name);
	}
	archive_destroy(archive);
	close(fd);
	EXPECT_STR(writer_view(&w), "about.txt convoke.conf files.txt crash.txt log/convoke.log ");
	discard(&dir);
}

TEST(a_full_log_is_turned_over_and_five_are_kept)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64], old[DATA_PATH_MAX + 80];
	struct log_file file;
	struct stat info;
	EXPECT_EQ(log_file_open(&file, data_dir_file(path, &dir, "test.log")), 0);
	file.bytes_max = 100;
	for (int i = 0; i < 40; i++)
		log_file_write(&file, "0123456789012345678901234567890123456789 1 2 3 4\n", 49);
	EXPECT_EQ(stat(path, &info), 0);
	EXPECT_EQ(info.st_size, 98);
	for (int n = 1; n <= LOG_FILES_KEPT; n++) {
		snprintf(old, sizeof old, "%s.%d", path, n);
		EXPECT_EQ(stat(old, &info), 0);
		EXPECT_EQ(info.st_size, 98);
	}
	snprintf(old, sizeof old, "%s.%d", path, LOG_FILES_KEPT + 1);
	EXPECT_EQ(stat(old, &info), -1);

	EXPECT_EQ(unlink(path), 0);
	log_file_reopen(&file);
	log_file_write(&file, "line\n", 5);
	EXPECT_EQ(stat(path, &info), 0);
	EXPECT_EQ(info.st_size, 5);
	log_file_close(&file);
	discard(&dir);
}

TEST(a_taken_port_leads_to_the_command_that_moves_it)
{
	static const struct {
		const char *reason, *want;
	} cases[] = {
		{ "UDP port 5060 on 0.0.0.0 is in use by kamailio (process 4711)",
		  "Free that port, or take another one by: convoke mmp callbridge sip listen "
		  "<port|none> <tls-port|none>\n" },
		{ "cannot bind port 8445: Permission denied",
		  "TCP port 8445 is in use by an old friend.\n"
		  "Free that port, or take another one by: convoke mmp webadmin listen <iface> "
		  "<port>\n" },
		{ "TCP port 4711 is in use", "" },
		{ "no memory", "" },
		{ "port", "" },
	};
	static const struct port_notes notes = {
		.notes = { { 8445, "TCP port 8445 is in use by an old friend" },
		           { 4711, "TCP port 4711 is of no interest" } },
		.count = 2,
	};
	struct config config;
	config_defaults(&config);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[512];
		struct writer w = writer_of(text, sizeof text);
		announce_advice(&w, &config, &notes, cases[i].reason);
		EXPECT_STR(writer_view(&w), cases[i].want);
	}
}

TEST(the_holder_of_a_media_port_is_noted)
{
	struct config config;
	struct port_notes notes;
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)&at, &len), 0);

	config_defaults(&config);
	config.callbridge.media_first = ntohs(at.sin_port);
	port_notes_take(&notes, &config);
	const char *said = port_notes_find(&notes, config.callbridge.media_first);
	char self[32];
	snprintf(self, sizeof self, "(process %d)", (int)getpid());
	EXPECT(said != NULL && strstr(said, self) != NULL);
	close(fd);
}

TEST(everything_is_announced_but_the_password)
{
	struct data_dir dir = temporary();
	char text[8192], path[DATA_PATH_MAX + 64];
	struct config config;
	struct writer w = writer_of(text, sizeof text);
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "admin-password"), "geheim\n", 7, 0600),
	          0);
	config_defaults(&config);
	dir.fresh = true;
	announce_ready(&w, &dir, &config);
	EXPECT(!w.failed);
	const struct str said = writer_view(&w);
	EXPECT(str_contains_nocase(said, STR("https://localhost:8443/")));
	EXPECT(str_contains_nocase(said, STR(":8443/meeting/1001")));
	EXPECT(str_contains_nocase(said, STR(":8445/api/v1")));
	EXPECT(str_contains_nocase(said, STR("sip:demo@")));
	EXPECT(str_contains_nocase(said, STR("admin-password")));
	EXPECT(!str_contains_nocase(said, STR("geheim")));
	discard(&dir);
}
