// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loads of the soak test.
 */

#include "soak.h"

#define MIB		(1UL << 20)
#define UNIT		8UL	/* pages that are pinned together */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* How long a process lives: long enough for its ranges to grow old. */
static double lifetime(struct rng *rng)
{
	return now() + 0.5 + rng_below(rng, 6000) / 1000.0;
}

static bool over(double end)
{
	return atomic_load(&soak->stop) || now() > end;
}

/* A word at both ends of each page: content, place, and number of writes. */
static void write_unit(unsigned char *a, unsigned int seed, size_t unit, uint32_t generation)
{
	size_t p = page_size(), i;

	for (i = 0; i < UNIT; i++) {
		uint64_t word = (uint64_t)seed << 48 | (unit * UNIT + i) << 32 | generation;
		uint64_t *page = (uint64_t *)(a + (unit * UNIT + i) * p);

		page[0] = word;
		page[p / sizeof(word) - 1] = word;
	}
}

static bool unit_good(const unsigned char *a, unsigned int seed, size_t unit,
		      uint32_t generation, bool lost)
{
	size_t p = page_size(), i;

	for (i = 0; i < UNIT; i++) {
		uint64_t word = (uint64_t)seed << 48 | (unit * UNIT + i) << 32 | generation;
		const uint64_t *page = (const uint64_t *)(a + (unit * UNIT + i) * p);
		uint64_t first = page[0], last = page[p / sizeof(word) - 1];

		if (first == word && last == word)
			continue;
		if (lost && !first && !last)
			continue;
		WRONG("unit %zu page %zu has %#llx and %#llx, not %#llx, after a PIN that said %s",
		      unit, i, (unsigned long long)first, (unsigned long long)last,
		      (unsigned long long)word, lost ? "purged" : "kept");
		return false;
	}
	return true;
}

/* A typical cache: units are used, unpinned, and pinned again. */
static void run_cache(struct rng *rng)
{
	size_t units = 16 + rng_below(rng, 400), p = page_size(), i;
	unsigned int seed = rng_next(rng) & 0x7fff;
	size_t len = units * UNIT * p;
	double end = lifetime(rng);
	uint32_t *generation = calloc(units, sizeof(*generation));
	int fd = ash_region("soak-cache", len);
	unsigned char *a = fd < 0 ? MAP_FAILED : ash_map(fd, len, PROT_RW);

	if (a == MAP_FAILED || !generation)
		return;
	atomic_fetch_add(&soak->regions, 1);
	while (!over(end)) {
		uint32_t offset, bytes = (uint32_t)(UNIT * p);
		long answer;

		i = rng_below(rng, (uint32_t)units);
		offset = (uint32_t)(i * UNIT * p);
		answer = ash_pin(fd, offset, bytes);
		if (answer == ASHMEM_NOT_PURGED || answer == ASHMEM_WAS_PURGED) {
			if (generation[i])
				unit_good(a, seed, i, generation[i], answer);
			atomic_fetch_add(answer ? &soak->pins_lost : &soak->pins_kept, 1);
		} else if (answer != -ENOMEM) {
			WRONG("PIN says %ld", answer);
		}
		if (answer < 0)
			continue;
		/* Pinned pages keep their contents. */
		write_unit(a, seed, i, ++generation[i]);
		if (!unit_good(a, seed, i, generation[i], false))
			break;
		answer = ash_unpin(fd, offset, bytes);
		if (answer && answer != -ENOMEM)
			WRONG("UNPIN says %ld", answer);
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
	double end = lifetime(rng);
	size_t p = page_size();

	while (!over(end)) {
		size_t pages = 1 + rng_below(rng, 64), len = pages * p;
		int fd = ash_region(rng_below(rng, 2) ? "soak-churn" : NULL, len);
		bool private = rng_below(rng, 2);
		unsigned char *a;

		if (fd < 0)
			continue;
		atomic_fetch_add(&soak->regions, 1);
		a = mmap(NULL, len, PROT_RW, private ? MAP_PRIVATE : MAP_SHARED, fd, 0);
		if (a != MAP_FAILED) {
			fill(a, len, 1);
			if (!rng_below(rng, 2))
				ash_unpin(fd, 0, 0);
			if (rng_below(rng, 2) && ash_set_mask(fd, PROT_READ))
				WRONG("the mask can't be narrowed");
			if (private && !filled(a, len, 1))
				WRONG("a private mapping lost what was written");
			munmap(a + (pages / 2) * p, (pages - pages / 2) * p);
			if (rng_below(rng, 2))
				close(fd), fd = -1;
			munmap(a, len);
			atomic_fetch_add(&soak->maps, 1);
		}
		if (fd >= 0)
			close(fd);
	}
}

/* Passes regions to a child that may only read, which pins and checks them. */
static void run_share(struct rng *rng)
{
	double end = lifetime(rng);
	size_t len = 32 * page_size();
	uint64_t word;
	int sock[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock[0]);
		while (!recv_fds(sock[1], &word, &fd, 1)) {
			unsigned char *a = ash_map(fd, len, PROT_READ);
			long lost = ash_pin(fd, 0, 0);

			if (a != MAP_FAILED && !lost && !filled(a, len, (unsigned int)word))
				WRONG("what was passed on isn't what came");
			if (ash_unpin(fd, 0, 0) != -EPERM)
				WRONG("UNPIN without the right to write");
			if (a != MAP_FAILED)
				munmap(a, len);
			close(fd);
			send_word(sock[1], 0);
		}
		_exit(0);
	}
	close(sock[1]);
	while (pid > 0 && !over(end)) {
		unsigned int seed = 1 + rng_below(rng, 1000);
		unsigned char *a;

		fd = ash_region("soak-share", len);
		if (fd < 0)
			continue;
		a = ash_map(fd, len, PROT_RW);
		if (a != MAP_FAILED) {
			fill(a, len, seed);
			ash_unpin(fd, 0, 0);
			munmap(a, len);
		}
		ash_set_mask(fd, PROT_READ);
		if (a != MAP_FAILED && !send_fds(sock[0], seed, &fd, 1) &&
		    recv_word(sock[0], &word))
			break;
		atomic_fetch_add(&soak->passed_on, 1);
		close(fd);
	}
	close(sock[0]);
	if (pid > 0)
		wait_child(pid);
}

/* Reads its own region by file calls while it is purged again and again. */
static void run_read(struct rng *rng)
{
	double end = lifetime(rng);
	size_t len = 64 * page_size(), i;
	unsigned char *copy = malloc(len), *a;
	int fd = ash_region("soak-read", len);
	ssize_t got;

	a = fd < 0 ? MAP_FAILED : ash_map(fd, len, PROT_RW);
	while (copy && a != MAP_FAILED && !over(end)) {
		memset(a, 'r', len);
		ash_unpin(fd, 0, 0);
		got = pread(fd, copy, len, 0);
		if (got >= 0 && got != (ssize_t)len)
			WRONG("pread() gave %zd bytes", got);
		for (i = 0; got > 0 && i < (size_t)got; i++)
			if (copy[i] && copy[i] != 'r')
				WRONG("pread() gave %#x", copy[i]);
		fdinfo_number(fd, "purgeable_pages");
		ash_pin(fd, 0, 0);
		atomic_fetch_add(&soak->reads, 1);
	}
	free(copy);
}

/* Takes memory from the others: up to what is free, and a little of the swap. */
static void run_hog(struct rng *rng)
{
	double end = lifetime(rng);
	size_t step = 4 * MIB, i;

	put_file("/proc/self/oom_score_adj", "1000");
	while (!over(end)) {
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
	double end = lifetime(rng);
	int fd = ash_open(O_RDWR);

	while (!over(end)) {
		nap_ms(200 + rng_below(rng, 2000));
		if (ash_purge_all(fd) < -4095)
			WRONG("PURGE_ALL_CACHES failed");
		if (!rng_below(rng, 4))
			put_file("/proc/sys/vm/drop_caches", "2");
		atomic_fetch_add(&soak->purges, 1);
	}
}

const struct load loads[] = {
	{ "cache", run_cache, 4, true },
	{ "cache of the root", run_cache, 2, false },
	{ "churn", run_churn, 2, true },
	{ "share", run_share, 2, true },
	{ "read", run_read, 1, true },
	{ "hog", run_hog, 1, false },
	{ "purge", run_purge, 1, false },
};

const unsigned int load_count = ARRAY_SIZE(loads);
