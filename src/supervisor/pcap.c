/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/iface.h"
#include "net/loop.h"
#include "supervisor/command.h"
#include "supervisor/tap.h"

enum {
	BLOCK_BYTES = 1 << 20,
	BLOCKS = 8,
	BLOCK_MS = 60, /* a block that is not full is given after so long */
	LOOK_US = 50 * 1000,
	LINK_ETHERNET = 1,
	LINK_RAW = 101, /* IP without anything before it */
	HARDWARE_NONE = 0xfffe,
	PACKET_NAME_MAX = CONFIG_IFACE_MAX + 8,
};

/* The file format as tcpdump has written it since ever: a head, and a head for each packet. */
struct file_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy;
	uint32_t bytes_max;
	uint32_t link;
};

struct packet_head {
	uint32_t seconds, microseconds;
	uint32_t kept, len;
};

static_assert(sizeof(struct file_head) == 24 && sizeof(struct packet_head) == 16, "no padding");

struct capture {
	const struct mmp_terminal *terminal;
	int fd;
	uint8_t *ring;
	unsigned block; /* the next to be read */
	FILE *file;
	uint64_t bytes;
	uint64_t packets;
	int error;
};

static bool
fail(struct writer *out, const char *what, int rc)
{
	writer_format(out, "%s: %s", what, strerror(-rc));
	return false;
}

/* -- what the interface is --------------------------------------------------------------------- */

static int
link_of(int fd, const char *iface, uint32_t *link)
{
	struct ifreq request = { 0 };
	if (!str_copy(request.ifr_name, sizeof request.ifr_name, str_of(iface)))
		return -ENODEV;
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		return -errno;
	const unsigned hardware = request.ifr_hwaddr.sa_family;
	*link = hardware == HARDWARE_NONE ? LINK_RAW : LINK_ETHERNET;
	if (hardware == ARPHRD_LOOPBACK) { /* it shows everything twice: sent, and received */
		const int on = 1;
		(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
	}
	return hardware == ARPHRD_ETHER || hardware == ARPHRD_LOOPBACK || hardware == HARDWARE_NONE
	               ? 0
	               : -EPROTONOSUPPORT;
}

/* Blocks that kernel and we hand to and fro: nothing is lost while we write. */
static int
open_ring(struct capture *capture)
{
	const int version = TPACKET_V3;
	struct tpacket_req3 ring = { .tp_block_size = BLOCK_BYTES,
		                     .tp_block_nr = BLOCKS,
		                     .tp_frame_size = TPACKET_ALIGNMENT << 7,
		                     .tp_frame_nr = BLOCKS * (BLOCK_BYTES / (TPACKET_ALIGNMENT << 7)),
		                     .tp_retire_blk_tov = BLOCK_MS };
	if (setsockopt(capture->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
	    setsockopt(capture->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0)
		return -errno;
	void *memory = mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED,
	                    capture->fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	capture->ring = memory;
	return 0;
}

/* -- packets ----------------------------------------------------------------------------------- */

static void
write_bytes(struct capture *capture, const void *bytes, size_t len)
{
	if (capture->error == 0 && fwrite(bytes, 1, len, capture->file) != len)
		capture->error = errno != 0 ? -errno : -EIO;
	capture->bytes += len;
}

static void
write_packet(struct capture *capture, const struct tpacket3_hdr *packet)
{
	const struct packet_head head = { .seconds = packet->tp_sec,
		                          .microseconds = packet->tp_nsec / 1000,
		                          .kept = packet->tp_snaplen,
		                          .len = packet->tp_len };
	write_bytes(capture, &head, sizeof head);
	write_bytes(capture, (const uint8_t *)packet + packet->tp_mac, packet->tp_snaplen);
	capture->packets++;
}

/* Every block that is ours now. */
static void
take_blocks(struct capture *capture)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		uint8_t *at = capture->ring + (size_t)capture->block * BLOCK_BYTES;
		struct tpacket_block_desc *block = (void *)at;
		struct tpacket_hdr_v1 *head = &block->hdr.bh1;
		if ((__atomic_load_n(&head->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
			return;
		const uint8_t *next = at + head->offset_to_first_pkt;
		for (uint32_t n = 0; n < head->num_pkts; n++) {
			const struct tpacket3_hdr *packet = (const void *)next;
			if (capture->bytes + packet->tp_snaplen + sizeof(struct packet_head) <=
			    PCAP_BYTES_MAX)
				write_packet(capture, packet);
			else
				capture->error = -EFBIG;
			next += packet->tp_next_offset;
		}
		__atomic_store_n(&head->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		capture->block = (capture->block + 1) % BLOCKS;
	}
}

static void
run_capture(struct capture *capture, uint32_t link)
{
	const struct file_head head = { .magic = 0xa1b2c3d4, .major = 2, .minor = 4,
		                        .bytes_max = 262144, .link = link };
	const int64_t until_us = loop_now_us() + PCAP_US_MAX;
	bool goes_on = true;
	write_bytes(capture, &head, sizeof head);
	while (goes_on && capture->error == 0) {
		goes_on = capture->terminal->wait(capture->terminal->context, LOOK_US) &&
		          loop_now_us() < until_us;
		if (!goes_on) /* the kernel's last block comes by its own time */
			usleep(2 * BLOCK_MS * 1000);
		take_blocks(capture);
	}
	if (fflush(capture->file) != 0 && capture->error == 0)
		capture->error = -errno;
}

static bool
tell_end(const struct capture *capture, const char *name, struct writer *out)
{
	struct tpacket_stats_v3 stats = { 0 };
	socklen_t len = sizeof stats;
	(void)getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	if (capture->error != 0 && capture->error != -EFBIG)
		return fail(out, name, capture->error);
	if (capture->error == -EFBIG)
		writer_format(out, "It is full: %d MiB\n", PCAP_BYTES_MAX >> 20);
	writer_format(out, "SUCCESS: %llu packets captured, %u lost\n%s ready for download via SFTP\n",
	              (unsigned long long)capture->packets, (unsigned)stats.tp_drops, name);
	return true;
}

/* -- the command ------------------------------------------------------------------------------- */

static bool
not_permitted(struct writer *out, const char *iface)
{
	writer_format(out, "packets can be captured while Convoke runs and was started as root or with "
	                   "CAP_NET_RAW (AmbientCapabilities= of its unit); or on the machine: "
	                   "tcpdump -i %s -w FILE", iface);
	return false;
}

static bool
capture_into(struct capture *capture, const struct data_dir *dir, const char *iface, const char *name,
             struct writer *out)
{
	char path[DATA_PATH_MAX + 64];
	uint32_t link = LINK_ETHERNET;
	int rc = link_of(capture->fd, iface, &link);
	if (rc == 0)
		rc = open_ring(capture);
	if (rc != 0)
		return fail(out, iface, rc);
	const int fd = open(data_dir_file(path, dir, name),
	                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	capture->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (capture->file == NULL) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return fail(out, name, rc);
	}
	terminal_say(capture->terminal, "Capturing on %s, at most 10 minutes and %d MiB; Ctrl-C ends it\n",
	             iface, PCAP_BYTES_MAX >> 20);
	run_capture(capture, link);
	const bool ok = tell_end(capture, name, out);
	fclose(capture->file);
	return ok;
}

bool
pcap_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
         const struct mmp_line *line, struct writer *out)
{
	struct capture capture = { .terminal = terminal };
	char typed[CONFIG_IFACE_MAX], iface[CONFIG_IFACE_MAX], name[PACKET_NAME_MAX];
	int holder;
	if (!str_copy(typed, sizeof typed, line->arguments[0]) || strchr(typed, '/') != NULL ||
	    typed[0] == '.' || iface_name(iface, sizeof iface, typed) != 0) {
		writer_format(out, "there is no interface %.*s; iface shows them",
		              STR_ARGS(line->arguments[0]));
		return false;
	}
	const int lock = data_dir_lock(dir, "pcap", 0, &holder);
	if (lock < 0) {
		writer_text(out, lock == -EWOULDBLOCK ? "packets are being captured already"
		                                      : strerror(-lock));
		return false;
	}
	snprintf(name, sizeof name, "%s.pcap", typed);
	capture.fd = tap_ask(dir, iface);
	bool ok = capture.fd >= 0;
	if (capture.fd == -ENOENT || capture.fd == -ECONNREFUSED || capture.fd == -EPERM)
		(void)not_permitted(out, iface);
	else if (!ok)
		(void)fail(out, iface, capture.fd);
	ok = ok && capture_into(&capture, dir, iface, name, out);
	if (capture.ring != NULL)
		(void)munmap(capture.ring, (size_t)BLOCK_BYTES * BLOCKS);
	if (capture.fd >= 0)
		close(capture.fd);
	close(lock);
	return ok;
}
