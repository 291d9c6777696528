/* SPDX-License-Identifier: Apache-2.0 */
/* The host: its name, clock, disks and health. */
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "net/tls.h"
#include "store/store.h"
#include "supervisor/command.h"
#include "supervisor/machine_internal.h"

enum {
	FILE_SYSTEMS_MAX = 64,
	SIZE_TEXT_MAX = 16,
};

/* The first line of a file; false when there is none. */
static bool
first_line(char *out, size_t cap, const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	const bool read = fgets(out, (int)cap, file) != NULL;
	fclose(file);
	if (read)
		out[strcspn(out, "\n")] = '\0';
	return read && out[0] != '\0';
}

bool
machine_hostname(const struct machine *machine)
{
	char name[256] = "";
	if (gethostname(name, sizeof name - 1) != 0)
		return false;
	writer_format(machine->out, "%s\n", name);
	return true;
}

/* -- time -------------------------------------------------------------------------------------- */

bool
machine_timezone(const struct machine *machine)
{
	char link[256] = "", *name = NULL;
	const ssize_t len = readlink("/etc/localtime", link, sizeof link - 1);
	if (len > 0)
		name = strstr(link, "zoneinfo/");
	const time_t now = time(NULL);
	struct tm local;
	char zone[64];
	if (localtime_r(&now, &local) == NULL || strftime(zone, sizeof zone, "%Z, UTC%z", &local) == 0)
		return false;
	writer_format(machine->out, "%s (%s)\n", name != NULL ? name + strlen("zoneinfo/") : "none",
	              zone);
	return true;
}

bool
machine_date(const struct machine *machine)
{
	const time_t now = time(NULL);
	struct tm local, utc;
	char text[2][64];
	if (localtime_r(&now, &local) == NULL || gmtime_r(&now, &utc) == NULL)
		return false;
	strftime(text[0], sizeof text[0], "%Y-%m-%d %H:%M:%S %Z", &local);
	strftime(text[1], sizeof text[1], "%Y-%m-%d %H:%M:%S", &utc);
	writer_format(machine->out, "Local time  : %s\nSystem time : %s UTC\n", text[0], text[1]);
	return true;
}

/* What the kernel knows of whoever keeps its clock. */
bool
machine_ntp(const struct machine *machine)
{
	struct timex state = { 0 };
	const int said = ntp_adjtime(&state);
	if (said < 0) {
		writer_text(machine->out, strerror(errno));
		return false;
	}
	const bool follows = said != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
	writer_format(machine->out, "Synchronised : %s\n", follows ? "true" : "false");
	if (follows)
		writer_format(machine->out, "Error        : at most %.3f ms\n",
		              (double)state.maxerror / 1000);
	return true;
}

bool
machine_uptime(const struct machine *machine)
{
	struct sysinfo info;
	if (sysinfo(&info) != 0)
		return false;
	const long minutes = info.uptime / 60;
	writer_format(machine->out, "up %ld days, %ld:%02ld, load average: %.2f, %.2f, %.2f\n",
	              minutes / 1440, minutes / 60 % 24, minutes % 60,
	              (double)info.loads[0] / 65536, (double)info.loads[1] / 65536,
	              (double)info.loads[2] / 65536);
	return true;
}

/* -- disks ------------------------------------------------------------------------------------- */

static const char *
size_text(char out[SIZE_TEXT_MAX], uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double size = (double)bytes;
	unsigned unit = 0;
	for (; size >= 1024 && units[unit + 1] != '\0'; unit++)
		size /= 1024;
	snprintf(out, SIZE_TEXT_MAX, unit == 0 ? "%.0f%c" : "%.1f%c", size, units[unit]);
	return out;
}

static unsigned
percent(uint64_t used, uint64_t all)
{
	return all != 0 ? (unsigned)((used * 100 + all - 1) / all) : 0;
}

static void
write_blocks(struct writer *out, const struct mntent *mount, const struct statvfs *info)
{
	char all[SIZE_TEXT_MAX], used[SIZE_TEXT_MAX], available[SIZE_TEXT_MAX];
	const uint64_t taken = info->f_blocks - info->f_bfree;
	writer_format(out, "%-24.24s %10s %10s %10s %4u%% %s\n", mount->mnt_fsname,
	              size_text(all, info->f_blocks * info->f_frsize),
	              size_text(used, taken * info->f_frsize),
	              size_text(available, info->f_bavail * info->f_frsize),
	              percent(taken, taken + info->f_bavail), mount->mnt_dir);
}

static void
write_inodes(struct writer *out, const struct mntent *mount, const struct statvfs *info)
{
	const uint64_t taken = info->f_files - info->f_ffree;
	writer_format(out, "%-24.24s %10llu %10llu %10llu %4u%% %s\n", mount->mnt_fsname,
	              (unsigned long long)info->f_files, (unsigned long long)taken,
	              (unsigned long long)info->f_ffree, percent(taken, info->f_files),
	              mount->mnt_dir);
}

/* Those that hold files of somebody's: each once, however often it is mounted. */
static bool
write_file_systems(struct writer *out,
                   void (*row)(struct writer *, const struct mntent *, const struct statvfs *))
{
	unsigned long seen[FILE_SYSTEMS_MAX];
	size_t count = 0;
	const struct mntent *mount;
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	if (mounts == NULL)
		return false;
	while ((mount = getmntent(mounts)) != NULL && count < FILE_SYSTEMS_MAX) {
		struct statvfs info;
		bool known = false;
		if (statvfs(mount->mnt_dir, &info) != 0 || info.f_blocks == 0)
			continue;
		for (size_t i = 0; i < count; i++)
			known = known || seen[i] == info.f_fsid;
		if (known && info.f_fsid != 0)
			continue;
		seen[count++] = info.f_fsid;
		row(out, mount, &info);
	}
	endmntent(mounts);
	return true;
}

bool
machine_df(const struct machine *machine)
{
	writer_format(machine->out, "%-24s %10s %10s %10s %5s %s\n", "Filesystem", "Size", "Used",
	              "Available", "Use%", "Mounted on");
	if (!write_file_systems(machine->out, write_blocks))
		return false;
	writer_format(machine->out, "\n%-24s %10s %10s %10s %5s %s\n", "Filesystem", "Inodes",
	              "IUsed", "IFree", "IUse%", "Mounted on");
	return write_file_systems(machine->out, write_inodes);
}

/* -- health ------------------------------------------------------------------------------------ */

/* "MemAvailable:    1234 kB" */
static uint64_t
memory_bytes(const char *key)
{
	char line[128];
	unsigned long long kilobytes = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 &&
		    sscanf(line + strlen(key), ": %llu", &kilobytes) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return kilobytes * 1024;
}

static void
write_temperatures(struct writer *out)
{
	for (unsigned zone = 0; zone < 8; zone++) {
		char path[64], degrees[32], type[64] = "";
		snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%u/temp", zone);
		if (!first_line(degrees, sizeof degrees, path))
			continue;
		snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%u/type", zone);
		(void)!first_line(type, sizeof type, path);
		writer_format(out, "Temperature : %.1f C (%s)\n", strtod(degrees, NULL) / 1000, type);
	}
}

bool
machine_health(const struct machine *machine)
{
	char all[SIZE_TEXT_MAX], rest[SIZE_TEXT_MAX], text[1024];
	struct writer w = writer_of(text, sizeof text);
	struct statvfs disk;
	double loads[3] = { 0 };
	bool ok;
	(void)!getloadavg(loads, 3);
	writer_format(&w, "Processors  : %ld, load average %.2f, %.2f, %.2f\n",
	              sysconf(_SC_NPROCESSORS_ONLN), loads[0], loads[1], loads[2]);
	writer_format(&w, "Memory      : %s, available %s\n", size_text(all, memory_bytes("MemTotal")),
	              size_text(rest, memory_bytes("MemAvailable")));
	writer_format(&w, "Swap        : %s, free %s\n", size_text(all, memory_bytes("SwapTotal")),
	              size_text(rest, memory_bytes("SwapFree")));
	if (statvfs(machine->dir->path, &disk) == 0)
		writer_format(&w, "Data folder : %s, available %s\n",
		              size_text(all, disk.f_blocks * disk.f_frsize),
		              size_text(rest, disk.f_bavail * disk.f_frsize));
	write_temperatures(&w);
	machine->terminal->say(machine->terminal->context, writer_view(&w));
	const int rc = command_ask(machine->dir, "status", machine->terminal, &ok);
	if (rc == 0)
		return true;
	writer_text(machine->out, rc == -ENOENT || rc == -ECONNREFUSED
	                                  ? "Convoke does not run on this data folder"
	                                  : strerror(-rc));
	return false;
}

static bool
show_dmi(const struct machine *machine, const char *key, const char *file)
{
	char path[128], text[256];
	snprintf(path, sizeof path, "/sys/class/dmi/id/%s", file);
	if (!first_line(text, sizeof text, path))
		return false;
	writer_format(machine->out, "%s : %s\n", key, text);
	return true;
}

/* For root alone, and on most machines there is one. */
bool
machine_serial(const struct machine *machine)
{
	if (!show_dmi(machine, "Serial", "product_serial"))
		writer_text(machine->out, "Serial : none, or root's to read: dmidecode -s "
		                          "system-serial-number\n");
	return true;
}

bool
machine_dmi(const struct machine *machine)
{
	static const struct {
		const char *key, *file;
	} facts[] = { { "Vendor ", "sys_vendor" },
		      { "Product", "product_name" },
		      { "Version", "product_version" },
		      { "BIOS   ", "bios_version" } };
	bool any = false;
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		any = show_dmi(machine, facts[i].key, facts[i].file) || any;
	if (!any)
		writer_text(machine->out, "this machine says nothing of itself");
	return any;
}

/* -- version ----------------------------------------------------------------------------------- */

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void
write_system(struct writer *w)
{
	static const char key[] = "PRETTY_NAME=";
	char line[256];
	FILE *file = fopen("/etc/os-release", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, key, sizeof key - 1) != 0)
			continue;
		char *name = line + sizeof key - 1 + (line[sizeof key - 1] == '"');
		name[strcspn(name, "\"\n")] = '\0';
		writer_format(w, "%s, ", name);
		break;
	}
	if (file != NULL)
		fclose(file);
}

const char *
machine_version(char out[MACHINE_VERSION_MAX])
{
	struct writer w = writer_of(out, MACHINE_VERSION_MAX - 1);
	struct utsname host;
	writer_format(&w, "%s\nSystem   : ", CONVOKE_VERSION);
	write_system(&w);
	if (uname(&host) == 0)
		writer_format(&w, "%s %s %s", host.sysname, host.release, host.machine);
	writer_format(&w, "\nTLS      : %s\nCompiler : %s\nSchema   : %d", tls_library(), __VERSION__,
	              STORE_SCHEMA_VERSION);
	out[w.at] = '\0';
	return out;
}
