// SPDX-License-Identifier: GPL-2.0-only
/*
 * The roles: what processes do to their own regions and to those of others.
 */

#include <linux/userfaultfd.h>
#include <pthread.h>

#include "crowd.h"

#define MIB		(1UL << 20)
#define UNIT		8UL	/* pages that are pinned together */

/* How long a process lives: long enough for its ranges to grow old. */
double role_end(struct rng *rng)
{
	return now() + 0.5 + rng_below(rng, 6000) / 1000.0;
}

bool role_over(double end)
{
	/* Before the record of what it reached is full. */
	cover_end();
	cover_begin();
	return atomic_load(&crowd->stop) || now() > end;
}

/* A word at both ends of each page: content, place, and number of writes. */
static uint64_t word_of(unsigned int seed, size_t page, uint32_t generation)
{
	return (uint64_t)seed << 48 | page << 32 | generation;
}

static void write_unit(unsigned char *a, unsigned int seed, size_t unit, uint32_t generation)
{
	size_t p = page_size(), i;

	for (i = unit * UNIT; i < (unit + 1) * UNIT; i++) {
		uint64_t *page = (uint64_t *)(a + i * p);

		page[0] = word_of(seed, i, generation);
		page[p / sizeof(*page) - 1] = page[0];
	}
}

static bool unit_good(const unsigned char *a, unsigned int seed, size_t unit,
		      uint32_t generation, bool lost)
{
	size_t p = page_size(), i;

	for (i = unit * UNIT; i < (unit + 1) * UNIT; i++) {
		const uint64_t *page = (const uint64_t *)(a + i * p);
		uint64_t first = page[0], last = page[p / sizeof(*page) - 1];

		if (first == last && (first == word_of(seed, i, generation) || (lost && !first)))
			continue;
		finding("an owner's page %zu has %#llx and %#llx, not %#llx; PIN said %s", i,
			(unsigned long long)first, (unsigned long long)last,
			(unsigned long long)word_of(seed, i, generation),
			lost ? "purged" : "kept");
		return false;
	}
	return true;
}

/* A typical cache: units are used, unpinned, and pinned again. */
static void run_owner(struct rng *rng)
{
	size_t units = 16 + rng_below(rng, 400), p = page_size(), i;
	unsigned int seed = rng_next(rng) & 0x7fff;
	size_t len = units * UNIT * p;
	double end = role_end(rng);
	uint32_t *generation = calloc(units, sizeof(*generation));
	int fd = ash_region("cache", len);
	unsigned char *a = fd < 0 ? MAP_FAILED : ash_map(fd, len, PROT_RW);

	if (a == MAP_FAILED || !generation)
		return;
	tally(REGIONS);
	while (!role_over(end)) {
		uint32_t offset, bytes = (uint32_t)(UNIT * p);
		long answer;

		i = rng_below(rng, (uint32_t)units);
		offset = (uint32_t)(i * UNIT * p);
		answer = ash_pin(fd, offset, bytes);
		if (answer == ASHMEM_NOT_PURGED || answer == ASHMEM_WAS_PURGED) {
			if (generation[i])
				unit_good(a, seed, i, generation[i], answer);
			tally(answer ? LOST : KEPT);
		} else if (answer != -ENOMEM) {
			finding("PIN says %ld", answer);
		}
		if (answer < 0)
			continue;
		/* Pinned pages keep their contents. */
		write_unit(a, seed, i, ++generation[i]);
		if (!unit_good(a, seed, i, generation[i], false))
			break;
		answer = ash_unpin(fd, offset, bytes);
		if (answer && answer != -ENOMEM)
			finding("UNPIN says %ld", answer);
		if (!rng_below(rng, 50))
			nap_ms(rng_below(rng, 20));
	}
	free(generation);
	/* Some leave it all to the kernel. */
	if (rng_below(rng, 2)) {
		munmap(a, len);
		close(fd);
	}
}

/* Short-lived regions, with every kind of mapping. */
static void run_churn(struct rng *rng)
{
	double end = role_end(rng);
	size_t p = page_size();

	while (!role_over(end)) {
		size_t pages = 1 + rng_below(rng, 64), len = pages * p;
		int fd = ash_region(rng_below(rng, 2) ? "churn" : NULL, len);
		bool private = rng_below(rng, 2);
		unsigned char *a;

		if (fd < 0)
			continue;
		tally(REGIONS);
		a = mmap(NULL, len, PROT_RW, private ? MAP_PRIVATE : MAP_SHARED, fd, 0);
		if (a != MAP_FAILED) {
			fill(a, len, 1);
			if (!rng_below(rng, 2))
				ash_unpin(fd, 0, 0);
			if (rng_below(rng, 2) && ash_set_mask(fd, PROT_READ))
				finding("the mask can't be narrowed");
			if (private && !filled(a, len, 1))
				finding("a private mapping lost what was written");
			munmap(a + (pages / 2) * p, (pages - pages / 2) * p);
			if (rng_below(rng, 2))
				close(fd), fd = -1;
			munmap(a, len);
		}
		if (fd >= 0)
			close(fd);
	}
}

/* May neither write nor discard; it answers with what PIN told it. */
static void be_reader(int sock, size_t len)
{
	uint64_t word;
	int fd;

	while (!recv_fds(sock, &word, &fd, 1)) {
		unsigned char *a = ash_map(fd, len, PROT_READ);
		long answer = ash_pin(fd, 0, 0);

		if (a != MAP_FAILED && !answer && !filled(a, len, (unsigned int)word))
			finding("what was passed on isn't what came");
		if (ash_unpin(fd, 0, 0) != -EPERM)
			finding("UNPIN without the right to write");
		if (a != MAP_FAILED && !mprotect(a, len, PROT_RW))
			finding("mprotect() gave back what the mask had taken");
		if (a != MAP_FAILED)
			munmap(a, len);
		close(fd);
		send_word(sock, answer == ASHMEM_WAS_PURGED);
	}
}

/* From here on only the owner may write, by its mapping: it must learn of each loss. */
static bool pass_on(int sock, unsigned char *a, int fd, size_t len, unsigned int seed)
{
	uint64_t told;
	long answer;

	fill(a, len, seed);
	if (ash_unpin(fd, 0, 0) || ash_set_mask(fd, PROT_READ))
		return true;
	if (send_fds(sock, seed, &fd, 1) || recv_word(sock, &told))
		return false;
	answer = ash_pin(fd, 0, 0);
	if (answer == ASHMEM_NOT_PURGED && (told || !filled(a, len, seed)))
		finding("PIN of the owner said kept, the reader's %s", told ? "purged" : "kept");
	if (ash_unpin(fd, 0, 0) == -EPERM)
		finding("UNPIN is refused to a task that can write");
	tally(PASSED);
	return true;
}

/* Passes regions to a child. */
static void run_share(struct rng *rng)
{
	double end = role_end(rng);
	size_t len = 32 * page_size();
	bool on = true;
	int sock[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock[0]);
		be_reader(sock[1], len);
		_exit(0);
	}
	close(sock[1]);
	while (pid > 0 && on && !role_over(end)) {
		unsigned char *a;

		fd = ash_region("share", len);
		if (fd < 0)
			continue;
		a = ash_map(fd, len, PROT_RW);
		if (a != MAP_FAILED) {
			on = pass_on(sock[0], a, fd, len, 1 + rng_below(rng, 1000));
			munmap(a, len);
		}
		close(fd);
	}
	close(sock[0]);
	if (pid > 0)
		wait_child(pid);
}

/* Reads its own region by file calls while it is purged again and again. */
static void run_read(struct rng *rng)
{
	double end = role_end(rng);
	size_t len = 64 * page_size(), i;
	unsigned char *copy = malloc(len), *a;
	int fd = ash_region("read", len);
	ssize_t got;

	a = fd < 0 ? MAP_FAILED : ash_map(fd, len, PROT_RW);
	while (copy && a != MAP_FAILED && !role_over(end)) {
		memset(a, 'r', len);
		ash_unpin(fd, 0, 0);
		got = pread(fd, copy, len, 0);
		if (got >= 0 && got != (ssize_t)len)
			finding("pread() gave %zd bytes", got);
		for (i = 0; got > 0 && i < (size_t)got; i++)
			if (copy[i] && copy[i] != 'r')
				finding("pread() gave %#x", copy[i]);
		fdinfo_number(fd, "purgeable_pages");
		ash_pin(fd, 0, 0);
		tally(READS);
	}
	free(copy);
}

/* Takes memory from the others: up to what is free, and a little of the swap. */
static void run_hog(struct rng *rng)
{
	double end = role_end(rng);
	size_t step = 4 * MIB, i;

	put_file("/proc/self/oom_score_adj", "1000");
	while (!role_over(end)) {
		long room = proc_kb("/proc/meminfo", "MemFree") + free_swap_kb() / 2;
		unsigned char *a;

		if (room < 24 * 1024) {
			nap_ms(100);
			continue;
		}
		a = mmap(NULL, step, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (i = 0; a != MAP_FAILED && i < step; i += page_size())
			a[i] = (unsigned char)rng_next(rng);
		/* Fast enough that the kernel must reclaim, but not all at once. */
		nap_ms(rng_below(rng, 10));
	}
}

static void run_purge(struct rng *rng)
{
	double end = role_end(rng);

	while (!role_over(end)) {
		nap_ms(100 + rng_below(rng, 1000));
		if (WATCHED("PURGE_ALL_CACHES", ash_purge_all(crowd->fd)) < -4095)
			finding("PURGE_ALL_CACHES failed");
		/* Pages that are swapped out count, too. */
		if (get_number("/sys/class/misc/ashmem/purgeable_pages") >
		    2 * sysconf(_SC_PHYS_PAGES))
			finding("more pages are purgeable than the machine has");
		if (!rng_below(rng, 4))
			shrink_everything();
		tally(PURGES);
	}
}

/* ---- those that mean harm ---- */

/* A change of the user resets the signal for the death of the parent. */
static void drop_rights(void)
{
	if (setresuid(65534, 65534, 65534))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Very many ranges in one call, by a task that the processors hardly ever run. */
static void run_starved(struct rng *rng)
{
	struct sched_param param = { .sched_priority = 0 };
	uint32_t ranges = 1U << (6 + rng_below(rng, 10)), p = (uint32_t)page_size(), i;
	double end = role_end(rng);

	drop_rights();
	while (!role_over(end)) {
		for (i = 0; i < ranges && !role_over(end); i++)
			ash_unpin(crowd->fd, 2 * i * p, p);
		sched_setscheduler(0, SCHED_IDLE, &param);
		if (rng_below(rng, 2))
			ash_pin(crowd->fd, 0, 0);
		else
			ash_unpin(crowd->fd, 0, 0);
	}
}

/* Vast address space with one page, which is unpinned once, or again and again. */
static void run_feeder(struct rng *rng)
{
	bool once = rng_below(rng, 2);
	/* Longer than a call of a bystander may take. */
	double end = role_end(rng) + (once ? 6 : 0);
	int fd = ash_region("feeder", 1UL << 60);
	unsigned char *a = fd < 0 ? MAP_FAILED :
			   mmap(NULL, page_size(), PROT_RW, MAP_SHARED | MAP_NORESERVE, fd, 0);

	drop_rights();
	if (a == MAP_FAILED)
		return;
	do {
		a[0] = 1;
		ash_unpin(fd, 0, 0);
		while (once && !role_over(end))
			nap_ms(50);
	} while (!role_over(end));
}

/* A region with so many mappings that each page of a purge is expensive. */
static void run_mapper(struct rng *rng)
{
	enum { MAPPINGS = 4000, NEAR = 16 };
	size_t len = 512 * page_size(), i, j;
	int fd = ash_region("mapper", len);
	static unsigned char *a[MAPPINGS];
	/* It takes a while to make them. */
	double end = role_end(rng) + 6;

	for (i = 0; i < MAPPINGS && !role_over(end); i++) {
		a[i] = ash_map(fd, len, i ? PROT_READ : PROT_RW);
		if (a[i] == MAP_FAILED)
			return;
	}
	while (!role_over(end)) {
		fill(a[0], len, 1);
		/* The kernel maps pages near the one that is read, too. */
		for (i = 1; i < MAPPINGS && !role_over(end); i++)
			for (j = 0; j < len; j += NEAR * page_size())
				*(volatile unsigned char *)(a[i] + j);
		ash_unpin(fd, 0, 0);
		nap_ms(rng_below(rng, 400));
		WATCHED("PIN of a region with many mappings", ash_pin(fd, 0, 0));
	}
}

struct halt {
	int user;
	unsigned int ms;
};

static void *let_go(void *data)
{
	struct halt *halt = data;

	nap_ms(halt->ms);
	close(halt->user);
	return NULL;
}

/* A call on the common region stops in the middle: its buffer isn't there for seconds. */
static void run_halted(struct rng *rng)
{
	static const unsigned long calls[] = {
		ASHMEM_PIN, ASHMEM_UNPIN, ASHMEM_GET_PIN_STATUS, ASHMEM_GET_NAME,
		ASHMEM_SET_NAME, ASHMEM_GET_FILE_ID,
	};
	struct halt halt = {
		.user = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK),
		.ms = rng_below(rng, 3000),
	};
	struct uffdio_api api = { .api = UFFD_API };
	void *p = mmap(NULL, page_size(), PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register all = {
		.range = { .start = (unsigned long)p, .len = page_size() },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	unsigned int call = rng_below(rng, ARRAY_SIZE(calls) + 1);
	pthread_t thread;

	if (halt.user < 0 || ioctl(halt.user, UFFDIO_API, &api) ||
	    ioctl(halt.user, UFFDIO_REGISTER, &all) ||
	    pthread_create(&thread, NULL, let_go, &halt))
		return;
	if (call < ARRAY_SIZE(calls))
		ash_ioctl(crowd->fd, calls[call], (unsigned long)p);
	else if (pread(crowd->fd, p, page_size(), 0) < 0)
		return;
}

static void run_spinner(struct rng *rng)
{
	double end = role_end(rng);

	while (!role_over(end))
		;
}

/* ---- the one that must get on ---- */

static void run_bystander(struct rng *rng)
{
	uint32_t p = (uint32_t)page_size(), at = p * rng_below(rng, COMMON_PAGES);
	int fd = crowd->fd, own;
	char name[ASHMEM_NAME_LEN], byte;
	double end = role_end(rng);

	while (!role_over(end)) {
		at = p * rng_below(rng, COMMON_PAGES);
		WATCHED("mmap", map_errno(fd, p, PROT_RW, MAP_SHARED, at));
		WATCHED("private mmap", map_errno(fd, p, PROT_RW, MAP_PRIVATE, at));
		WATCHED("GET_NAME", ash_get_name(fd, name));
		WATCHED("GET_SIZE", ash_get_size(fd));
		WATCHED("GET_PROT_MASK", ash_get_mask(fd));
		WATCHED("fdinfo", fdinfo_number(fd, "unpinned_pages"));
		WATCHED("pread", pread(fd, &byte, 1, at));
		WATCHED("lseek", lseek(fd, 0, SEEK_END));
		WATCHED("GET_PIN_STATUS", ash_pin_status(fd, at, p));
		WATCHED("UNPIN", ash_unpin(fd, at, p));
		WATCHED("PIN", ash_pin(fd, at, p));
		own = WATCHED("open", ash_region("bystander", p));
		WATCHED("close", close(own));
		nap_ms(rng_below(rng, 5));
	}
}

const struct role roles[] = {
	{ "bystander", run_bystander, 2, STEADY | FIRST },
	{ "owner", run_owner, 4, IN_GROUP },
	{ "owner of the root", run_owner, 2, 0 },
	{ "churn", run_churn, 2, IN_GROUP },
	{ "share", run_share, 2, IN_GROUP },
	{ "read", run_read, 1, IN_GROUP },
	{ "hog", run_hog, 1, 0 },
	{ "purge", run_purge, 2, STEADY },
	{ "tenant", run_tenant, 2, STEADY | FIRST },
	{ "starved", run_starved, 2, 0 },
	{ "feeder", run_feeder, 2, 0 },
	{ "mapper", run_mapper, 1, STEADY },
	{ "halted", run_halted, 2, 0 },
	{ "spinner", run_spinner, 3, 0 },
};

const unsigned int role_count = ARRAY_SIZE(roles);
