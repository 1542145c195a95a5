/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the tests of the ashmem command.
 *
 * The command is linked into each test program. To run the command, the program runs
 * itself under the name "ashmem", so a guest needs only one static file. Include this
 * after kselftest_harness.h.
 */
#ifndef CMD_UTIL_H
#define CMD_UTIL_H

#include "ashmem_util.h"
#include "region_util.h"

#include <ctype.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "cmd.h"

/* The command's own main() has this name here. */
int ashmem_main(int argc, char **argv);

#define TEST_ROOT	"CMD_TEST_ROOT"	/* the root of /proc and so on for the command */
#define NOBODY		65534

/* The harness's main(), which never sees the command's arguments. */
int test_main(int argc, char **argv);

/* Not a constructor: in one, fclose(stdout) crashes with a static glibc 2.41. */
int main(int argc, char **argv)
{
	const char *root = getenv(TEST_ROOT);

	if (!argc || strcmp(argv[0], "ashmem"))
		return test_main(argc, argv);
	if (root)
		file_root = root;
	return ashmem_main(argc, argv);
}

#define main	test_main

/* ---- running the command ---- */

struct output {
	char *out, *err;
	size_t out_len, err_len;
	int code;		/* or 128 + the signal that killed it */
	pid_t pid;
};

static UNUSED void output_free(struct output *o)
{
	free(o->out);
	free(o->err);
	memset(o, 0, sizeof(*o));
}

static void append_from(int fd, char **text, size_t *len, bool *open_still)
{
	char chunk[65536];
	ssize_t got = read(fd, chunk, sizeof(chunk));

	if (got <= 0) {
		*open_still = false;
		return;
	}
	*text = realloc(*text, *len + (size_t)got + 1);
	memcpy(*text + *len, chunk, (size_t)got);
	*len += (size_t)got;
	(*text)[*len] = '\0';
}

/* Runs @argv, which ends in NULL, with stdin from @in (-1: /dev/null). */
static UNUSED void run_argv(struct output *o, int in, char **argv)
{
	int out[2], err[2];
	bool out_open = true, err_open = true;

	memset(o, 0, sizeof(*o));
	o->out = calloc(1, 1);
	o->err = calloc(1, 1);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		abort();
	o->pid = fork();
	if (!o->pid) {
		if (in < 0)
			in = open("/dev/null", O_RDONLY);
		dup2(in, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execv("/proc/self/exe", argv);
		_exit(126);
	}
	close(out[1]);
	close(err[1]);
	while (out_open || err_open) {
		struct pollfd fds[] = {
			{ .fd = out_open ? out[0] : -1, .events = POLLIN },
			{ .fd = err_open ? err[0] : -1, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			append_from(out[0], &o->out, &o->out_len, &out_open);
		if (fds[1].revents)
			append_from(err[0], &o->err, &o->err_len, &err_open);
	}
	close(out[0]);
	close(err[0]);
	o->code = wait_child(o->pid);
}

#define ASHMEM(o, in, ...) do { \
	char *argv__[] = { "ashmem", __VA_ARGS__, NULL }; \
	run_argv(o, in, argv__); \
} while (0)

/* From now on this process and its children get @action for system call @number. */
static UNUSED void answer_call(long number, unsigned int action)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(steps), .filter = steps };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		abort();
}

/* Returns a descriptor from which @len bytes can be read. */
static UNUSED int input_of(const void *bytes, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (write(fd, bytes, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

/* The same as a pipe, whose reader can't know the length. */
static UNUSED int pipe_of(const void *bytes, size_t len)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		abort();
	pid = fork();
	if (!pid) {
		/* The reader may stop early. */
		signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		_exit(write(fds[1], bytes, len) != (ssize_t)len);
	}
	close(fds[1]);
	return fds[0];
}

/* True if stderr has exactly one line and begins with the program's name. */
static UNUSED bool one_message(const struct output *o)
{
	const char *end = strchr(o->err, '\n');

	return !strncmp(o->err, "ashmem", 6) && end && !end[1];
}

static UNUSED bool has(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	fprintf(stderr, "# no \"%s\" in:\n%s\n", part, text);
	return false;
}

/* Logs @text with a mark on each line, so that no line counts as a result. */
static UNUSED void diagnose(const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		fprintf(stderr, "# %.*s\n", (int)strcspn(text, "\n"), text);
}

static UNUSED char *format(const char *text, ...)
{
	va_list args;
	char *made;

	va_start(args, text);
	if (vasprintf(&made, text, args) < 0)
		abort();
	va_end(args);
	return made;
}

/* The size of @pages as the command prints it; cmd_parse_test checks the format. */
static UNUSED const char *pages_text(size_t pages)
{
	static char text[32];

	return size_text(pages * page_size(), text, sizeof(text));
}

/* Tests may change the system in a guest of the test bed: it is discarded afterwards. */
static UNUSED bool in_guest(void)
{
	return !access("/bed.conf", F_OK);
}

static UNUSED bool have_device(void)
{
	int fd = ash_open(O_RDWR);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* ---- JSON ---- */

static const char *json_skip_value(const char *p, unsigned int depth);

static const char *json_blank(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Returns the end of the string that begins at @p, or NULL if there is none. */
static const char *json_skip_string(const char *p)
{
	unsigned int i;
	uint32_t point;
	size_t n;

	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		n = text_utf8((const unsigned char *)p, strlen(p) ? strlen(p) : 1, &point);
		if (!n || point < 0x20)
			return NULL;
		p += n;
		if (point != '\\')
			continue;
		if (*p == 'u') {
			for (i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)p[i]))
					return NULL;
			p += 5;
		} else if (*p && strchr("\"\\/bfnrt", *p)) {
			p++;
		} else {
			return NULL;
		}
	}
	return p + 1;
}

static const char *json_skip_number(const char *p)
{
	p += *p == '-';
	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return NULL;
	p += strspn(p, "0123456789");
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return NULL;
		p += 1 + strspn(p + 1, "0123456789");
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		if (!isdigit((unsigned char)*p))
			return NULL;
		p += strspn(p, "0123456789");
	}
	return p;
}

static const char *json_skip_group(const char *p, unsigned int depth)
{
	char end = *p == '{' ? '}' : ']';
	bool keys = *p == '{';

	p = json_blank(p + 1);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (keys) {
			p = json_skip_string(p);
			p = p ? json_blank(p) : NULL;
			if (!p || *p++ != ':')
				return NULL;
		}
		p = json_skip_value(json_blank(p), depth + 1);
		if (!p)
			return NULL;
		p = json_blank(p);
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
		p = json_blank(p);
	}
}

static const char *json_skip_value(const char *p, unsigned int depth)
{
	static const char * const words[] = { "true", "false", "null" };
	size_t i;

	if (depth > 16)
		return NULL;
	if (*p == '{' || *p == '[')
		return json_skip_group(p, depth);
	if (*p == '"')
		return json_skip_string(p);
	for (i = 0; i < 3; i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	return json_skip_number(p);
}

/* True if the text is exactly one JSON value. */
static UNUSED bool json_valid(const char *text, size_t len)
{
	const char *end = json_skip_value(json_blank(text), 0);

	if (end && *json_blank(end) == '\0' && strlen(text) == len)
		return true;
	fprintf(stderr, "# not JSON:\n%s\n", text);
	return false;
}

/*
 * Returns the value of the first "@key" after the first @anchor as text, in one of
 * a few buffers, or "" if there is none.
 */
static UNUSED const char *json_get(const char *text, const char *anchor, const char *key)
{
	static char values[8][512];
	static unsigned int turn;
	char *value = values[turn++ % 8];
	char name[64];
	const char *at = strstr(text, anchor), *end;

	*value = '\0';
	snprintf(name, sizeof(name), "\"%s\": ", key);
	at = at ? strstr(at, name) : NULL;
	if (!at)
		return value;
	at += strlen(name);
	end = json_skip_value(at, 0);
	if (end && end - at < (ptrdiff_t)sizeof(values[0])) {
		memcpy(value, at, (size_t)(end - at));
		value[end - at] = '\0';
	}
	return value;
}

static UNUSED unsigned int count_of(const char *text, const char *part)
{
	unsigned int count = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		count++;
	return count;
}

/* ---- temporary directories ---- */

static UNUSED char *temp_dir(void)
{
	char *dir = format("%s/ashmem-test.XXXXXX", getenv("TMPDIR") ?: "/tmp");

	if (!mkdtemp(dir) || chmod(dir, 0755))
		abort();
	return dir;
}

static UNUSED void remove_tree(const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("rm", "rm", "-rf", dir, NULL);
		_exit(127);
	}
	wait_child(pid);
}

/* Writes a file below @root and creates the directories of its path. */
static UNUSED void put_bytes(const char *root, const char *path, const void *bytes,
			     size_t len)
{
	char *full = format("%s%s", root, path), *slash;
	int fd;

	for (slash = strchr(full + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	unlink(full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
	free(full);
}

static UNUSED void put_file(const char *root, const char *path, const char *text)
{
	put_bytes(root, path, text, strlen(text));
}

static UNUSED void put_link(const char *root, const char *path, const char *target)
{
	char *full = format("%s%s", root, path);

	put_file(root, path, "");
	unlink(full);
	if (symlink(target, full))
		abort();
	free(full);
}

#endif
