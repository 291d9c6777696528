/* SPDX-License-Identifier: Apache-2.0 */
/* bench -- what the programs of this folder share: CPU clocks of other threads, medians, and the
 * one form in which a figure is told.
 *
 * CPU time is read from /proc/PID/task/TID/schedstat: nanoseconds the scheduler gave to that
 * thread, ours or a peer's, so that both are measured by the same clock. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

enum { BENCH_THREADS_MAX = 4096 };

static bool bench_json; /* figures as JSON lines, for bench/run */

static inline double
bench_now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* CPU seconds of one thread; 0 when it is gone. */
static inline double
bench_thread_cpu_s(pid_t pid, pid_t thread)
{
	char path[64];
	uint64_t ns = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, thread);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(file);
	return (double)ns * 1e-9;
}

/* The threads of a process, those called `name` only unless that is NULL; returns how many. */
static inline unsigned
bench_threads(pid_t pid, const char *name, pid_t out[BENCH_THREADS_MAX])
{
	char path[300];
	char comm[32];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
		if (task->d_name[0] == '.' || count == BENCH_THREADS_MAX)
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/comm", pid, task->d_name);
		FILE *file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(comm, sizeof comm, file) != NULL) {
			comm[strcspn(comm, "\n")] = '\0';
			if (name == NULL || strcmp(comm, name) == 0)
				out[count++] = (pid_t)strtol(task->d_name, NULL, 10);
		}
		fclose(file);
	}
	if (tasks != NULL)
		closedir(tasks);
	return count;
}

static inline double
bench_threads_cpu_s(pid_t pid, const pid_t *threads, unsigned count)
{
	double sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += bench_thread_cpu_s(pid, threads[i]);
	return sum;
}

/* Resident bytes of a process. */
static inline double
bench_resident_bytes(pid_t pid)
{
	char path[64];
	long total = 0;
	long resident = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", pid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return (double)resident * 4096;
}

static inline int
bench_by_size(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;
	return left < right ? -1 : left > right;
}

/* Sorts `values`; `share` 0.5 is the median, 0.99 what 99 of 100 do not exceed. */
static inline double
bench_quantile(double *values, size_t count, double share)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof *values, bench_by_size);
	const size_t at = (size_t)((double)(count - 1) * share + 0.5);
	return values[at < count ? at : count - 1];
}

static inline void
bench_tell(const char *bench, const char *what, double value, const char *unit)
{
	if (bench_json)
		printf("{\"bench\":\"%s\",\"what\":\"%s\",\"value\":%.2f,\"unit\":\"%s\"}\n", bench,
		       what, value, unit);
	else
		printf("%-64s %10.2f %s\n", what, value, unit);
	fflush(stdout);
}

#endif
