// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of /proc, and the descriptors that it gives.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashmem_diff.h"
#include "reclaim_util.h"

static char text[1 << 16];

static void slurp(const char *path)
{
	ssize_t used = get_file(path, text, sizeof(text));

	if (used < 0 || used == sizeof(text) - 1)
		fail("can't read %s", path);
}

struct shown {
	char perms[5];
	unsigned long pgoff, inode;
	const char *name;
};

/* A hole in what is compared: see maps_moved(). */
#define NO_OFFSET	ULONG_MAX

static bool continues(const struct shown *a, const struct shown *b)
{
	return !strcmp(a->perms, b->perms) && a->inode == b->inode &&
	       (a->pgoff == NO_OFFSET ? b->pgoff == NO_OFFSET : a->pgoff + 1 == b->pgoff) &&
	       !strcmp(a->name, b->name);
}

/*
 * In the original such a mapping is anonymous memory, whose offset follows its new
 * address when it moves, unless it was written to.
 */
static bool has_moved(const struct window_page *page)
{
	return page->kind == READ_ONLY_SHARED && page->moved;
}

static void maps_moved(unsigned int w, const unsigned long *pgoffs)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++) {
		struct window_page *page = &st->windows[w].page[i];

		if (!has_moved(page))
			continue;
		op("maps-moved w%u+%u there=%#lx here=%#llx", w, i,
		   (unsigned long)(window_base(w) + i * page_bytes) / page_bytes,
		   (unsigned long long)page->pgoff);
		result("%#lx", pgoffs[i]);
		return;
	}
}

/* Page by page, because the number of VMAs depends on the kernel. */
void maps_of(unsigned int w)
{
	static struct shown shown[WINDOW_PAGES];
	static char line[8192];
	unsigned long pgoffs[WINDOW_PAGES] = { 0 };
	char *base = window_base(w), *from, *to, offset[32];
	unsigned int i, run;
	size_t used = 0;

	memset(shown, 0, sizeof(shown));
	slurp("/proc/self/maps");
	for (from = text; (to = strchr(from, '\n')); from = to + 1) {
		unsigned long start, end, offset, inode;
		char perms[5];
		int name = 0;

		*to = '\0';
		if (sscanf(from, "%lx-%lx %4s %lx %*s %lu %n", &start, &end, perms,
			   &offset, &inode, &name) < 5)
			fail("can't read maps: %s", from);
		if (start < (unsigned long)base ||
		    start >= (unsigned long)base + WINDOW_PAGES * page_bytes)
			continue;
		for (; start < end; start += page_bytes, offset += page_bytes) {
			unsigned int at = (start - (unsigned long)base) / page_bytes;
			struct shown *page = &shown[at];

			memcpy(page->perms, perms, sizeof(page->perms));
			pgoffs[at] = offset / page_bytes;
			page->pgoff = has_moved(&st->windows[w].page[at]) ? NO_OFFSET : pgoffs[at];
			page->inode = inode;
			page->name = from + name;
		}
	}

	op("maps w%u", w);
	line[0] = '\0';
	for (i = 0; i < WINDOW_PAGES; i += run) {
		run = 1;
		if (!shown[i].name)
			continue;
		while (i + run < WINDOW_PAGES && shown[i + run].name &&
		       continues(&shown[i + run - 1], &shown[i + run]))
			run++;
		snprintf(offset, sizeof(offset),
			 shown[i].pgoff == NO_OFFSET ? "-" : "%#lx", shown[i].pgoff);
		used += snprintf(line + used, sizeof(line) - used, "%u-%u,%s,%s,%s,%s;", i,
				 i + run - 1, shown[i].perms, offset,
				 shown[i].inode ? "inode" : "no-inode", shown[i].name);
		if (used >= sizeof(line))
			fail("a window has too many mappings");
	}
	result("%s", line[0] ? line : "none");
	maps_moved(w, pgoffs);
}

void op_maps(void)
{
	unsigned int w = rnd(WINDOWS), first, run;

	pick_mapped(&w, &first, &run);
	maps_of(w);
}

/* The name as ours shows it; returns whether that differs from the name. */
static bool escape(const char *name, char *escaped)
{
	bool special = false;

	for (; *name; name++) {
		if (strchr("\t\n\\", *name)) {
			escaped += sprintf(escaped, "\\%03o", (unsigned char)*name);
			special = true;
		} else {
			*escaped++ = *name;
		}
	}
	*escaped = '\0';
	return special;
}

/*
 * As one word. Only one may be in use.
 */
static const char *one_word(const char *name)
{
	static char word[4 * 1024 + 4];
	char *to = word;

	for (*to++ = '"'; *name && to < word + sizeof(word) - 8; name++) {
		unsigned char c = *name;

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			to += sprintf(to, "\\%03o", c);
		else
			*to++ = c;
	}
	*to++ = '"';
	*to = '\0';
	return word;
}

static void fdinfo_name(struct fd_slot *slot)
{
	struct region *region = slot->region;
	char *name = strstr(text, "\nname:\t"), *end = NULL, *next;
	char escaped[4 * ASHMEM_NAME_LEN];

	op("fdinfo-name f%d r%d", fd_number(slot), region_number(region));
	if (escape(region->name, escaped)) {
		op("there=%s", one_word(region->name));
		op("here=%s", one_word(escaped));
	}
	if (!name) {
		result("none");
		return;
	}
	name += strlen("\nname:\t");
	/* The name is the last line in the original, and may look like another. */
	if (strstr(name, "\nprot_mask:\t"))
		for (next = name; (next = strstr(next, "\nsize:\t")); next++)
			end = next;
	if (!end)
		end = text + strlen(text) - 1;
	*end = '\0';
	result("%s", one_word(name));
	*end = '\n';
}

/*
 * The lines that only ours has.
 */
static void fdinfo_more(struct fd_slot *slot)
{
	struct region *region = slot->region;
	unsigned long long size, unpinned = 0, purgeable = 0, purged = 0, resident = 0;
	struct pins_pages pages = pins_pages(&region->pins);
	char *mask = strstr(text, "\nprot_mask:\t"), *from = NULL, *next = text;

	op("fdinfo-more f%d r%d there=none here=%llu,%s,%llu,%llu", fd_number(slot),
	   region_number(region), (unsigned long long)region->size,
	   prot_text(region->mask), (unsigned long long)pages.unpinned,
	   (unsigned long long)(pages.unpinned - pages.purgeable));
	while ((next = strstr(next, "\nsize:\t")))
		from = next++;
	if (!mask || !from || sscanf(from, "\nsize:\t%llu", &size) != 1) {
		result("none");
		return;
	}
	mask += strlen("\nprot_mask:\t");
	if (region->backed &&
	    sscanf(mask,
		   "%*s resident_pages: %llu unpinned_pages: %llu purgeable_pages: %llu purged_pages: %llu",
		   &resident, &unpinned, &purgeable, &purged) != 4)
		result("incomplete");
	else if (resident > region_pages(region))
		result("%llu-resident-of-%llu", resident,
		       (unsigned long long)region_pages(region));
	/* Nothing is swapped out here, so what exists is resident. */
	else if (purgeable != (pages.purgeable < resident ? pages.purgeable : resident))
		result("%llu-purgeable-of-%llu-and-%llu", purgeable,
		       (unsigned long long)pages.purgeable, resident);
	else
		result("%llu,%.3s,%llu,%llu", size, mask, unpinned, purged);
}

void op_fdinfo(void)
{
	struct fd_slot *slot = pick_fd();
	long long pos = -1;
	unsigned int flags = 0;
	unsigned long inode = 0;
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", slot->fd);
	slurp(path);
	op("fdinfo f%d r%d", fd_number(slot), region_number(slot->region));
	if (sscanf(text, "pos: %lld flags: %o", &pos, &flags) != 2)
		fail("can't read fdinfo: %s", text);
	line = strstr(text, "\ninode:\t");
	if (line)
		inode = strtoul(line + strlen("\ninode:\t"), NULL, 10);
	result("%lld,%#o,%s", pos, flags, inode ? "inode" : "no-inode");
	fdinfo_name(slot);
	fdinfo_more(slot);
}

void op_map_files(void)
{
	unsigned int w, first, run;
	struct window_page *page = pick_mapped(&w, &first, &run);
	static struct maps_line maps;
	char path[64];
	int fd;

	if (!page || !maps_find(0, window_base(w) + first * page_bytes, &maps))
		return;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", maps.start, maps.end);
	op_page("map_files", page);
	op("w%u+%u", w, first);
	fd = open(path, (one_in(2) ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	result_errno(fd < 0 ? -1 : 0);
	if (fd >= 0)
		close(fd);
}
