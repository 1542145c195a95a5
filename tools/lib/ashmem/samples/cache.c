// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * A cache that two processes share: the parent makes pictures, the child uses those that
 * are still there, and makes the others.
 */
#include <ashmem.h>
#include <ashmem_cache.h>
#include <ashmem_purgeable.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PICTURES	8
#define PICTURE_SIZE	10000

/* The picture, held, from the cache or made now. */
static int picture(struct ashm_cache *cache, const char *key, struct ashm_cache_entry *entry)
{
	int ret = ashm_cache_get(cache, key, strlen(key), entry);

	if (ret != -ENOENT)
		return ret;
	ret = ashm_cache_reserve(cache, key, strlen(key), PICTURE_SIZE, entry);
	if (ret)
		return ret;
	memset(entry->data, key[0], entry->size);	/* decodes it, as it were */
	return ashm_cache_commit(cache, entry);
}

static int use_all(struct ashm_cache *cache)
{
	struct ashm_cache_entry entry;
	char key[16];
	int i, ret;

	for (i = 0; i < PICTURES; i++) {
		snprintf(key, sizeof(key), "%d.png", i);
		ret = picture(cache, key, &entry);
		if (ret)
			return ret;
		if (((const char *)entry.data)[entry.size - 1] != key[0])
			return -EILSEQ;
		ashm_cache_release(cache, &entry);	/* may be purged from here on */
	}
	return 0;
}

static int child(int sock)
{
	struct ashm *index, *contents;
	struct ashm_cache *cache;
	int ret;

	if (ashm_receive(sock, &index) || ashm_receive(sock, &contents) ||
	    ashm_cache_open(index, contents, &cache))
		return 1;
	ret = use_all(cache);
	ashm_cache_close(cache);
	return !!ret;
}

int main(void)
{
	struct ashm_cache_stat stat;
	struct ashm_cache *cache;
	int sock[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		return 1;
	pid = fork();
	if (!pid)
		return child(sock[1]);
	if (ashm_cache_create("pictures", 1 << 20, 100, 32, &cache) || use_all(cache))
		return 1;
	/* Memory is short: on memfd the program gives back, on the device the kernel takes. */
	ashm_purgeable_reclaim(3 * PICTURE_SIZE, NULL);
	if (ashm_send(sock[0], ashm_cache_fd(cache, ASHM_CACHE_INDEX)) ||
	    ashm_send(sock[0], ashm_cache_fd(cache, ASHM_CACHE_CONTENTS)) ||
	    waitpid(pid, &status, 0) != pid || status)
		return 1;
	if (ashm_cache_stat(cache, &stat))
		return 1;
	printf("%llu entries in %llu KiB, %llu hits, %llu misses, %llu purged\n",
	       (unsigned long long)stat.entries, (unsigned long long)stat.resident / 1024,
	       (unsigned long long)stat.hits, (unsigned long long)stat.misses,
	       (unsigned long long)stat.purged);
	ashm_cache_close(cache);
	return 0;
}
