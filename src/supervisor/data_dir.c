/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "net/cert.h"
#include "net/files.h"
#include "net/iface.h"
#include "net/loop.h"
#include "supervisor/privilege.h"

enum {
	ADDRESSES_MAX = 32,
	LOCK_LOOK_US = 20 * 1000,
	NAMES_MAX = ADDRESSES_MAX + 8,
};

/* The system user that ./run makes for us. */
static const char system_user[] = "convoke";

static const char config_head[] =
	"# Convoke's settings: MMP commands, run in order at start; `convoke mmp help` lists them\n"
	"# and docs/guide/mmp.md explains them.  `convoke mmp <command>` writes this file anew,\n"
	"# without any other comments.\n";

__attribute__((format(printf, 2, 3))) static bool
refuse(char error[DATA_ERROR_MAX], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, DATA_ERROR_MAX, format, args);
	va_end(args);
	return false;
}

const char *
data_dir_file(char out[DATA_PATH_MAX + 64], const struct data_dir *dir, const char *name)
{
	CHECK(strlen(name) < 64);
	snprintf(out, DATA_PATH_MAX + 64, "%s/%s", dir->path, name);
	return out;
}

/* -- who owns it ------------------------------------------------------------------------------- */

bool
data_dir_find(struct data_dir *dir, const char *path, char error[DATA_ERROR_MAX])
{
	char full[PATH_MAX];
	*dir = (struct data_dir){ 0 };
	if (realpath(path, full) == NULL && errno == ENOENT)
		return refuse(error, "there is no data folder %s; name yours by --data DIR", path);
	if (realpath(path, full) == NULL)
		return refuse(error, "%s: %s", path, strerror(errno));
	if (!str_copy(dir->path, sizeof dir->path, str_of(full)))
		return refuse(error, "%s: the path is longer than %d bytes", full,
		              DATA_PATH_MAX - 1);
	return true;
}

/* A folder that root has just made is given to the system user, if that can work there. */
static bool
give_away(struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	char program[PATH_MAX], blocked[DATA_PATH_MAX];
	const struct passwd *user = geteuid() == 0 ? getpwnam(system_user) : NULL;
	/* Every component must be able to use the program and what lies beside it. */
	if (user == NULL || dir_of_program(program, sizeof program) != 0)
		return true;
	if (!privilege_reaches(user->pw_uid, user->pw_gid, dir->path, blocked, sizeof blocked) ||
	    !privilege_reaches(user->pw_uid, user->pw_gid, program, blocked, sizeof blocked)) {
		snprintf(dir->notice, sizeof dir->notice,
		         "user %s may not enter %s, so Convoke runs as root, without root's "
		         "capabilities; to let it run as %s, move it to a place that user can "
		         "reach and use --data /var/lib/convoke",
		         system_user, blocked, system_user);
		return true;
	}
	if (chown(dir->path, user->pw_uid, user->pw_gid) != 0)
		return refuse(error, "%s: cannot be given to user %s: %s", dir->path, system_user,
		              strerror(errno));
	return true;
}

static bool
become_owner(const struct data_dir *dir, bool low_ports, char error[DATA_ERROR_MAX])
{
	char blocked[DATA_PATH_MAX];
	struct stat info;
	if (stat(dir->path, &info) != 0)
		return refuse(error, "%s: %s", dir->path, strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return refuse(error, "%s: not a folder", dir->path);
	const struct passwd *user = getpwuid(info.st_uid);
	const char *name = user != NULL ? user->pw_name : "another user";
	if (geteuid() != 0 && geteuid() != info.st_uid)
		return refuse(error, "%s belongs to %s; run this as that user or as root",
		              dir->path, name);
	if (geteuid() == 0 && info.st_uid != 0 &&
	    !privilege_reaches(info.st_uid, info.st_gid, dir->path, blocked, sizeof blocked))
		return refuse(error,
		              "%s belongs to %s, who may not enter %s; chmod a+x %s, or move it",
		              dir->path, name, blocked, blocked);
	const int rc = privilege_drop(info.st_uid, info.st_gid, low_ports);
	if (rc != 0)
		return refuse(error, "cannot become %s: %s", name, strerror(-rc));
	umask(077);
	return true;
}

static bool
make_folder(const struct data_dir *dir, const char *name, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64];
	const int rc = dir_make(data_dir_file(path, dir, name), 0700);
	return rc == 0 || refuse(error, "%s: %s", path, strerror(-rc));
}

bool
data_dir_enter(struct data_dir *dir, const char *path, bool low_ports, char error[DATA_ERROR_MAX])
{
	char file[DATA_PATH_MAX + 64];
	if (!data_dir_find(dir, path, error) || !become_owner(dir, low_ports, error))
		return false;
	if (access(data_dir_file(file, dir, "convoke.conf"), F_OK) != 0)
		return refuse(error, "%s: %s; `convoke up --data %s` makes a new data folder", file,
		              strerror(errno), dir->path);
	return make_folder(dir, "run", error);
}

bool
data_dir_prepare(struct data_dir *dir, const char *path, char error[DATA_ERROR_MAX])
{
	struct stat info;
	const bool missing = stat(path, &info) != 0 && errno == ENOENT;
	if (missing) {
		/* Folders above it are everybody's, it alone is private. */
		int rc = dir_make(path, 0755);
		if (rc == 0 && chmod(path, 0700) != 0)
			rc = -errno;
		if (rc != 0)
			return refuse(error, "%s: cannot be made: %s", path, strerror(-rc));
	}
	if (!data_dir_find(dir, path, error))
		return false;
	if (missing && !give_away(dir, error))
		return false;
	return become_owner(dir, true, error) && make_folder(dir, "run", error) &&
	       make_folder(dir, "log", error);
}

/* -- certificates ------------------------------------------------------------------------------ */

struct names {
	const char *list[NAMES_MAX + 1];
	size_t count;
	char host[256];
	char addresses[ADDRESSES_MAX][ADDR_TEXT_MAX];
};

static void
add_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			return;
	if (names->count < NAMES_MAX)
		names->list[names->count++] = name;
}

/* Everything that people on this machine and around it may type. */
static void
own_names(struct names *names)
{
	struct net_addr addrs[ADDRESSES_MAX];
	*names = (struct names){ 0 };
	if (gethostname(names->host, sizeof names->host - 1) == 0 && names->host[0] != '\0')
		add_name(names, names->host);
	add_name(names, "localhost");
	add_name(names, "127.0.0.1");
	add_name(names, "::1");
	const int count = iface_addresses("any", addrs, ADDRESSES_MAX);
	for (int i = 0; i < count; i++) {
		struct writer w = writer_of(names->addresses[i], ADDR_TEXT_MAX - 1);
		addr_write_ip(&w, &addrs[i]);
		names->addresses[i][w.at] = '\0';
		add_name(names, names->addresses[i]);
	}
}

bool
data_dir_make_cert(const struct data_dir *dir, const char *base, char error[DATA_ERROR_MAX])
{
	char name[64], cert[DATA_PATH_MAX + 64], key[DATA_PATH_MAX + 64], why[CERT_ERROR_MAX] = "";
	struct names names;
	own_names(&names);
	snprintf(name, sizeof name, "%s.crt", base);
	data_dir_file(cert, dir, name);
	snprintf(name, sizeof name, "%s.key", base);
	data_dir_file(key, dir, name);
	const struct cert_settings settings = { .common_name = names.list[0],
		                                .names = names.list };
	const int rc = cert_make(cert, key, &settings, why);
	if (rc != 0)
		return refuse(error, "%s: cannot be made: %s", cert,
		              why[0] != '\0' ? why : strerror(-rc));
	return true;
}

static bool
make_cert_once(const struct data_dir *dir, struct config_certs *certs, const char *base,
               char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64];
	snprintf(certs->key, sizeof certs->key, "%s.key", base);
	snprintf(certs->certificate, sizeof certs->certificate, "%s.crt", base);
	if (access(data_dir_file(path, dir, certs->key), F_OK) == 0 &&
	    access(data_dir_file(path, dir, certs->certificate), F_OK) == 0)
		return true;
	return data_dir_make_cert(dir, base, error);
}

/* -- settings ---------------------------------------------------------------------------------- */

bool
data_dir_furnish(struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64];
	struct config config;
	if (access(data_dir_file(path, dir, "convoke.conf"), F_OK) == 0)
		return true;
	dir->fresh = true;
	config_defaults(&config);
	if (!make_cert_once(dir, &config.callbridge.certs, "callbridge", error) ||
	    !make_cert_once(dir, &config.webadmin.certs, "webadmin", error) ||
	    !make_cert_once(dir, &config.webbridge.https_certs, "webbridge", error) ||
	    !make_cert_once(dir, &config.webbridge.c2w_certs, "webbridge-c2w", error))
		return false;
	/* Each side of C2W knows the other's certificate itself. */
	str_copy(config.callbridge.trust_c2w, CONFIG_FILE_MAX,
	         str_of(config.webbridge.c2w_certs.certificate));
	str_copy(config.webbridge.c2w_trust, CONFIG_FILE_MAX,
	         str_of(config.callbridge.certs.certificate));
	return data_dir_write_config(dir, &config, error);
}

bool
data_dir_config(struct config *config, const struct data_dir *dir, char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64], *bytes;
	struct config_error wrong;
	size_t len;
	const int rc = file_read(data_dir_file(path, dir, "convoke.conf"), CONFIG_BYTES_MAX, &bytes,
	                         &len);
	if (rc != 0)
		return refuse(error, "%s: %s", path, strerror(-rc));
	const bool good = config_parse(config, (struct str){ .at = bytes, .len = len }, &wrong);
	free(bytes);
	if (!good && wrong.line != 0)
		return refuse(error, "%s, line %u: %s", path, (unsigned)wrong.line, wrong.text);
	return good || refuse(error, "%s: %s", path, wrong.text);
}

bool
data_dir_write_config(const struct data_dir *dir, const struct config *config,
                      char error[DATA_ERROR_MAX])
{
	char path[DATA_PATH_MAX + 64], text[32768];
	struct writer w = writer_of(text, sizeof text);
	writer_text(&w, config_head);
	config_write(&w, config);
	CHECK(!w.failed);
	const int rc = file_replace(data_dir_file(path, dir, "convoke.conf"), text, w.at, 0600);
	return rc == 0 || refuse(error, "%s: cannot be written: %s", path, strerror(-rc));
}

/* -- locks ------------------------------------------------------------------------------------- */

static int
read_holder(int fd)
{
	char text[16] = "";
	uint32_t pid = 0;
	const ssize_t len = pread(fd, text, sizeof text - 1, 0);
	if (len <= 0 || !str_u32(str_trim((struct str){ .at = text, .len = (size_t)len }), &pid))
		return 0;
	return (int)pid;
}

int
data_dir_lock(const struct data_dir *dir, const char *name, int64_t wait_us, int *holder)
{
	static const struct timespec pause = { .tv_nsec = LOCK_LOOK_US * 1000 };
	char path[DATA_PATH_MAX + 64], file[64], pid[16];
	snprintf(file, sizeof file, "run/%s.lock", name);
	const int fd = open(data_dir_file(path, dir, file), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	*holder = 0;
	if (fd < 0)
		return -errno;
	/* The kernel gives the lock up with the process, so that none is ever stale. */
	const int64_t until_us = loop_now_us() + wait_us;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		const int rc = -errno;
		*holder = read_holder(fd);
		if (rc != -EWOULDBLOCK || loop_now_us() >= until_us) {
			close(fd);
			return rc;
		}
		nanosleep(&pause, NULL);
	}
	const int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	errno = ENOSPC; /* what a write that is too short means */
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
		const int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}
