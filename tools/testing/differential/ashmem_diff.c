// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performs a random sequence of operations on /dev/ashmem and logs the results;
 * see ashmem_diff.h for what the log is good for.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ashmem_diff.h"
#include "fault.h"

static void op_child(void);
static void op_child_with_passed_fd(void);

static const struct {
	void (*perform)(void);
	unsigned int weight;
	bool child;		/* may be done by a child */
} table[] = {
	{ op_open, 30, false },
	{ op_close, 16, false },
	{ op_dup, 10, false },
	{ op_pass_fd, 8, false },
	{ op_child, 6, false },
	{ op_child_with_passed_fd, 3, false },

	{ op_set_name, 30, true },
	{ op_get_name, 20, true },
	{ op_set_size, 60, true },
	{ op_get_size, 16, true },
	{ op_set_prot_mask, 16, true },
	{ op_set_prot_mask_implies_exec, 8, true },
	{ op_get_prot_mask, 16, true },
	{ op_file_id, 12, true },
	{ op_other_ioctl, 12, true },

	{ op_pin, 70, true },
	{ op_unpin, 90, true },
	{ op_status, 70, true },
	{ op_purge, 26, true },
	{ op_purge_unprivileged, 6, true },

	{ op_mmap, 110, false },
	{ op_mmap_anywhere, 20, false },
	{ op_munmap, 30, false },
	{ op_mprotect, 30, false },
	{ op_mremap, 40, false },
	{ op_remap_file_pages, 10, false },
	{ op_madvise, 40, false },
	{ op_load, 150, true },
	{ op_store, 150, true },

	{ op_read, 60, true },
	{ op_pread, 40, true },
	{ op_readv, 30, true },
	{ op_lseek, 90, true },
	{ op_splice, 12, true },
	{ op_sendfile, 8, true },

	{ op_write, 20, true },
	{ op_ftruncate, 8, true },
	{ op_fallocate, 8, true },
	{ op_poll, 10, true },
	{ op_fstat, 4, true },

	{ op_maps, 16, true },
	{ op_fdinfo, 14, true },
	{ op_map_files, 6, true },

	{ op_over_4g, 3, false },
	{ op_private_huge, 2, false },
	{ op_truncate_by_path, 3, false },
	{ op_loss_stays, 3, false },
	{ op_userfault, 2, false },
};

static void perform_one(void)
{
	static unsigned int all, for_child;
	unsigned int i, at;

	if (!all) {
		for (i = 0; i < ARRAY_SIZE(table); i++) {
			all += table[i].weight;
			for_child += table[i].child ? table[i].weight : 0;
		}
	}

	at = rnd(in_child ? for_child : all);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (in_child && !table[i].child)
			continue;
		if (at < table[i].weight) {
			table[i].perform();
			return;
		}
		at -= table[i].weight;
	}
}

/*
 * @socket: where a descriptor comes from that replaces the one in @slot, or -1.
 */
static void be_child(struct fd_slot *slot, int socket)
{
	unsigned int n = 1 + rnd(8);

	in_child = true;
	if (socket >= 0) {
		uint64_t word;
		int fd = -1;

		if (recv_fds(socket, &word, &fd, 1))
			fail("can't receive a descriptor");
		op("child receives f%d", fd_number(slot));
		/* In the place of the one that was inherited. */
		result_errno(dup3(fd, slot->fd, O_CLOEXEC) < 0 ? -1 : 0);
		close(fd);
	}
	while (n--)
		perform_one();
	op("child ends");
	result("ok");
	log_flush();
	_exit(0);
}

static void run_child(struct fd_slot *slot, int *pair)
{
	int status;
	pid_t child;

	result("ok");
	log_flush();
	child = fork();
	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (!child)
		be_child(slot, pair ? pair[1] : -1);
	if (pair && send_fds(pair[0], 0, &slot->fd, 1))
		fail("can't send a descriptor");
	if (waitpid(child, &status, 0) != child || status)
		fail("a child ended with status %#x", status);
}

static void op_child(void)
{
	pick_fd();
	op("fork");
	run_child(NULL, NULL);
}

static void op_child_with_passed_fd(void)
{
	struct fd_slot *slot = pick_fd();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fail("socketpair: %s", strerror(errno));
	op("fork and pass f%d", fd_number(slot));
	run_child(slot, pair);
	close(pair[0]);
	close(pair[1]);
}

static void all_mode(unsigned long ops)
{
	while (st->ops < ops)
		perform_one();
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end) {
		fprintf(stderr, "ashmem_diff: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "ops", required_argument, NULL, 'o' },
		{ "mode", required_argument, NULL, 'm' },
		{ "unload", no_argument, NULL, 'u' },
		{ 0 },
	};
	unsigned long seed = 1, ops = 1000;
	const char *mode = "all";
	bool unload = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			seed = number(optarg);
			break;
		case 'o':
			ops = number(optarg);
			break;
		case 'm':
			mode = optarg;
			break;
		case 'u':
			unload = true;
			break;
		default:
			optind = argc + 1;
		}
	}
	if (optind != argc || (strcmp(mode, "all") && strcmp(mode, "pins"))) {
		fprintf(stderr, "usage: ashmem_diff --seed N --ops N --mode all|pins\n"
			"       ashmem_diff --unload\n");
		return 2;
	}

	state_init(seed);
	buffers_init();
	fault_init();
	if (unload)
		unload_module();
	else if (!strcmp(mode, "pins"))
		pins_mode(ops);
	else
		all_mode(ops);
	log_flush();
	return 0;
}
