// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem show: all about one region.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "cmd.h"
#include "json.h"
#include "peer.h"
#include "print.h"

static const struct region *find(const struct walk *walk, const struct peer *peer)
{
	size_t i, j;

	for (i = 0; i < walk->region_count; i++) {
		const struct region *region = walk->regions[i];

		for (j = 0; j < region->holder_count; j++) {
			const struct holder *holder = &region->holders[j];

			if (walk->processes[holder->process].pid == peer->pid &&
			    holder->fd == peer->fd)
				return region;
		}
	}
	return NULL;
}

/* Prints why a descriptor isn't among the regions that were found. */
static int say_not_found(const struct walk *walk, const struct peer *peer)
{
	char *path = file_path("/proc/%d/fd", (int)peer->pid);
	bool closed = access(path, R_OK | X_OK);

	free(path);
	if (!peer_known(peer))
		return EXIT_FAILED;
	if (closed)
		return fail("process %d may not be looked into; root may", (int)peer->pid);
	if (!walk->devices.rdev)
		say("the kernel has no ashmem device; 'ashmem doctor' tells why");
	return fail("descriptor %d of process %d is no region", peer->fd, (int)peer->pid);
}

/**
 * struct ranges - the unpinned ranges of a region
 * @count: how many; found by asking, so adjacent ones are one
 * @first: first page of each
 * @pages: how many pages each has
 * @known: they could be asked for
 */
struct ranges {
	size_t count, room, room2;
	uint64_t *first;
	uint64_t *pages;
	bool known;
};

static void add_range(struct ranges *ranges, uint64_t first, uint64_t pages)
{
	size_t last = ranges->count - 1;

	if (ranges->count && ranges->first[last] + ranges->pages[last] == first) {
		ranges->pages[last] += pages;
		return;
	}
	ranges->first = grown(ranges->first, ranges->count, &ranges->room,
			      sizeof(*ranges->first));
	ranges->pages = grown(ranges->pages, ranges->count, &ranges->room2,
			      sizeof(*ranges->pages));
	ranges->first[ranges->count] = first;
	ranges->pages[ranges->count++] = pages;
}

/* Bisects: the kernel only tells whether any page of an interval is unpinned. */
static bool ask(int fd, uint64_t first, uint64_t pages, uint64_t page_size,
		struct ranges *ranges)
{
	struct ashmem_pin pin = {
		.offset = (uint32_t)(first * page_size),
		.len = (uint32_t)(pages * page_size),
	};
	int status = ioctl(fd, ASHMEM_GET_PIN_STATUS, &pin);

	if (status < 0)
		return false;
	if (status == ASHMEM_IS_PINNED)
		return true;
	if (pages == 1) {
		add_range(ranges, first, 1);
		return true;
	}
	return ask(fd, first, pages / 2, page_size, ranges) &&
	       ask(fd, first + pages / 2, pages - pages / 2, page_size, ranges);
}

/*
 * Offsets have 32 bits in that call, so it cannot cover a larger region. The process can
 * have replaced the descriptor since the walk, or it was one that only a thread has.
 */
static void ask_ranges(const struct region *region, struct peer *peer, struct ranges *ranges)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), pages;

	memset(ranges, 0, sizeof(*ranges));
	if (region->kind != REGION_ASHMEM || region->inode == UNKNOWN ||
	    region->size > UINT32_MAX - page_size)
		return;
	if (!region->unpinned) {
		ranges->known = true;
		return;
	}
	if (peer_copy(peer) || peer->kind != REGION_ASHMEM || peer->info.inode != region->inode)
		return;
	pages = (region->size + page_size - 1) / page_size;
	ranges->known = ask(peer->own, 0, pages, page_size, ranges);
}

static void show_json(const struct walk *walk, const struct region *region,
		      const struct ranges *ranges)
{
	size_t i;

	json_open(NULL, '{');
	json_number("refused_processes", walk->refused);
	if (ranges->known) {
		json_open("unpinned_ranges", '[');
		for (i = 0; i < ranges->count; i++) {
			json_open(NULL, '{');
			json_number("page", ranges->first[i]);
			json_number("pages", ranges->pages[i]);
			json_close('}');
		}
		json_close(']');
	} else {
		json_null("unpinned_ranges");
	}
	json_region("region", walk, region);
	json_close('}');
	json_end();
}

static void show_pages(const char *what, uint64_t pages)
{
	char text[32];

	if (pages == UNKNOWN) {
		printf("%-10s ?\n", what);
		return;
	}
	size_text(pages * (uint64_t)sysconf(_SC_PAGESIZE), text, sizeof(text));
	printf("%-10s %llu pages, %s\n", what, (unsigned long long)pages, text);
}

static void show_ranges(const struct ranges *ranges)
{
	size_t i;

	if (!ranges->count)
		return;
	printf("%-10s pages", "");
	for (i = 0; i < ranges->count; i++)
		if (ranges->pages[i] == 1)
			printf(" %llu", (unsigned long long)ranges->first[i]);
		else
			printf(" %llu-%llu", (unsigned long long)ranges->first[i],
			       (unsigned long long)(ranges->first[i] + ranges->pages[i] - 1));
	putchar('\n');
}

static void show_process(const struct process *process)
{
	char *shown;

	text_shown(&shown, process->comm, process->comm_len);
	printf("%s, user %u", shown, (unsigned int)process->uid);
	free(shown);
}

static void show_users(const struct walk *walk, const struct region *region)
{
	const struct mapping *mapping;
	const struct holder *holder;
	size_t i;

	for (i = 0; i < region->holder_count; i++) {
		holder = &region->holders[i];
		printf("%-10s %d/%d ", i ? "" : "held by",
		       (int)walk->processes[holder->process].pid, holder->fd);
		if (holder->tid != walk->processes[holder->process].pid)
			printf("(thread %d) ", (int)holder->tid);
		show_process(&walk->processes[holder->process]);
		if (holder->flags != UNKNOWN)
			printf(", %s%s", access_text(holder->flags),
			       holder->flags & O_CLOEXEC ? ", close-on-exec" : "");
		putchar('\n');
	}
	for (i = 0; i < region->mapping_count; i++) {
		mapping = &region->mappings[i];
		printf("%-10s %d ", i ? "" : "mapped by",
		       (int)walk->processes[mapping->process].pid);
		show_process(&walk->processes[mapping->process]);
		printf(", 0x%llx-0x%llx, %.3s %s, from byte %llu\n",
		       (unsigned long long)mapping->start,
		       (unsigned long long)mapping->end, mapping->perms,
		       mapping->perms[3] == 's' ? "shared" : "private",
		       (unsigned long long)mapping->offset);
	}
}

static void show_text(const struct walk *walk, const struct region *region,
		      const struct ranges *ranges)
{
	char *name = NULL, mask[4] = "?", text[32];

	if (region->name_len)
		text_shown(&name, region->name, region->name_len);
	if (region->mask >= 0)
		mask_text(region->mask, mask);
	printf("%-10s %s\n", "name", name ? name : "-");
	printf("%-10s %s\n", "kind", kind_text(region->kind));
	if (region->inode == UNKNOWN)
		printf("%-10s - (never mapped)\n", "inode");
	else
		printf("%-10s %llu\n", "inode", (unsigned long long)region->inode);
	printf("%-10s %llu bytes, %s\n", "size", (unsigned long long)region_bytes(region),
	       size_text(region_bytes(region), text, sizeof(text)));
	printf("%-10s %s\n", "mask", mask);
	if (region->pos != UNKNOWN)
		printf("%-10s %llu\n", "position", (unsigned long long)region->pos);
	if (region->inode != UNKNOWN) {
		show_pages("resident", region->resident);
		show_pages("purgeable", region->purgeable);
		show_pages("unpinned", region->unpinned);
		show_ranges(ranges);
		show_pages("purged", region->purged);
	}
	show_users(walk, region);
	free(name);
}

static int run(const struct command *self, int argc, char **argv)
{
	bool json = false, quiet = false;
	const struct region *region;
	struct ranges ranges;
	struct walk walk;
	struct peer peer;
	int code;

	command_json_quiet(self, argc, argv, &json, &quiet);
	code = peer_operand(self, argc, argv, &peer);
	if (!code)
		code = walk_or_say(&walk);
	if (code)
		return code;
	region = find(&walk, &peer);
	if (!region)
		return say_not_found(&walk, &peer);
	ask_ranges(region, &peer, &ranges);
	if (json)
		show_json(&walk, region, &ranges);
	else
		show_text(&walk, region, &ranges);
	if (!quiet && walk.refused)
		walk_say_limits(&walk);
	return EXIT_OK;
}

const struct command show_command = {
	.name = "show",
	.summary = "all about one region",
	.usage = "[OPTION]... PID/FD\n"
		 "Show one region, which process PID has as descriptor FD, in detail: in addition\n"
		 "to list, the unpinned ranges and how much of them was purged, each holder's\n"
		 "access, and each mapping's address.\n\n"
		 "  -j, --json   as JSON\n"
		 "  -q, --quiet  don't report what could not be read\n"
		 "  -h, --help   this text\n",
	.run = run,
};
