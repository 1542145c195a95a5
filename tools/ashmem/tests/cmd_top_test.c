// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem top, printing and on its own terminal.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"
#include "cmd_any.h"

#include <sys/prctl.h>
#include <termios.h>

TEST_F(any, printed)
{
	struct ashm *small = region_new("the-small", page_size());
	const char *first, *second;

	ASSERT_EQ(0, ashm_write(small, "x", 1, 0));
	ASHMEM(&self->o, -1, "top", "--once");
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(has(self->o.out, " regions, "));
	EXPECT_TRUE(!strchr(self->o.out, '\033'));
	first = strstr(self->o.out, self->name);
	second = strstr(self->o.out, "the-small");
	EXPECT_TRUE(first && second && first < second);
	ASHMEM(&self->o, -1, "top", "-1", "-s", "resident");
	first = strstr(self->o.out, self->name);
	second = strstr(self->o.out, "the-small");
	EXPECT_TRUE(first && second && first > second);
	ASHMEM(&self->o, -1, "top", "-b", "-n", "3", "-d", "0.01");
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(3, count_of(self->o.out, "COMMAND"));
	/* Without a terminal top behaves as with --batch. */
	ASHMEM(&self->o, -1, "top", "-n", "2", "-d", "0.01");
	EXPECT_EQ(2, count_of(self->o.out, "COMMAND"));
	EXPECT_TRUE(!strchr(self->o.out, '\033'));
	ashm_close(small);
}

/* A terminal, top on it, and top's output. */
struct screen {
	int master, slave;
	pid_t pid;
	struct termios before;
	char text[1 << 20];
	size_t len;
	size_t seen;		/* the end of the text that was awaited last */
};

static void screen_make(struct screen *s, unsigned short lines, unsigned short columns)
{
	struct winsize size = { .ws_row = lines, .ws_col = columns };
	char *name;

	s->len = 0;
	s->seen = 0;
	s->text[0] = '\0';
	s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->master < 0 || grantpt(s->master) || unlockpt(s->master))
		abort();
	name = ptsname(s->master);
	s->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->slave < 0 || tcgetattr(s->slave, &s->before) ||
	    ioctl(s->slave, TIOCSWINSZ, &size))
		abort();
}

/* Does not return. */
static void screen_exec(struct screen *s)
{
	dup2(s->slave, 0);
	dup2(s->slave, 1);
	dup2(s->slave, 2);
	execl("/proc/self/exe", "ashmem", "top", "-d", "60", NULL);
	_exit(126);
}

static void screen_start(struct screen *s, unsigned short lines, unsigned short columns)
{
	screen_make(s, lines, columns);
	s->pid = fork();
	if (!s->pid) {
		setsid();
		ioctl(s->slave, TIOCSCTTY, 0);
		screen_exec(s);
	}
}

/* Reads until @part follows the text that was awaited last, or until @ms pass. */
static bool screen_await(struct screen *s, const char *part, int ms)
{
	struct pollfd fd = { .fd = s->master, .events = POLLIN };
	const char *at;
	ssize_t got;

	for (;;) {
		at = part ? strstr(s->text + s->seen, part) : NULL;
		if (at) {
			s->seen = (size_t)(at - s->text) + strlen(part);
			return true;
		}
		if (poll(&fd, 1, ms) <= 0)
			return false;
		got = read(s->master, s->text + s->len, sizeof(s->text) - s->len - 1);
		if (got <= 0)
			return false;
		s->len += (size_t)got;
		s->text[s->len] = '\0';
	}
}

/* True if mode, screen and cursor are restored. */
static bool screen_restored(struct screen *s)
{
	struct termios now;
	const char *on, *off;

	screen_await(s, NULL, 100);
	on = strrchr(s->text, 'h');
	off = strstr(s->text, "\033[?25h\033[?1049l");
	return !tcgetattr(s->slave, &now) && now.c_lflag == s->before.c_lflag &&
	       now.c_cc[VMIN] == s->before.c_cc[VMIN] && on && off;
}

#define LONG	20000

TEST_F_TIMEOUT(any, on_a_terminal, 110)
{
	struct screen *s = calloc(1, sizeof(*s));
	struct winsize size = { .ws_row = 5, .ws_col = 30 };
	struct termios now;

	screen_start(s, 24, 100);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	EXPECT_TRUE(has(s->text, "\033[?1049h"));
	EXPECT_TRUE(has(s->text, self->name));
	EXPECT_TRUE(has(s->text, "by size"));
	ASSERT_EQ(0, tcgetattr(s->slave, &now));
	EXPECT_EQ(0, now.c_lflag & (ICANON | ECHO));
	/* top answers a key at once, not after the delay of a minute. */
	ASSERT_EQ(1, write(s->master, "r", 1));
	EXPECT_TRUE(screen_await(s, "by resident", LONG));
	screen_await(s, "q quit", LONG);
	ASSERT_EQ(1, write(s->master, "p", 1));
	EXPECT_TRUE(screen_await(s, "by purgeable", LONG));
	screen_await(s, "q quit", LONG);
	/* So is a new size. */
	ASSERT_EQ(0, ioctl(s->master, TIOCSWINSZ, &size));
	EXPECT_TRUE(screen_await(s, "q quit", LONG));
	ASSERT_EQ(1, write(s->master, "q", 1));
	EXPECT_EQ(0, wait_child(s->pid));
	EXPECT_TRUE(screen_restored(s));
}

/* 80 columns show a region's holder, however long the name is. */
TEST_F(any, holder_first)
{
	char *holder = format("%d  %s", (int)getpid(), program_invocation_short_name), *line;
	struct screen *s = calloc(1, sizeof(*s));
	struct ashm *other;
	char name[201];

	memset(name, 'x', 200);
	name[200] = '\0';
	ASSERT_EQ(0, ashm_create(name, 2 * self->size, &other));
	screen_start(s, 24, 80);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	line = strstr(s->text, holder);
	ASSERT_TRUE(line);
	line[strcspn(line, "\r")] = '\0';
	EXPECT_TRUE(has(line, "  xxxx"));
	kill(s->pid, SIGTERM);
	EXPECT_EQ(128 + SIGTERM, wait_child(s->pid));
	ashm_close(other);
}

static void screen_type(struct screen *s, const char *keys)
{
	if (write(s->master, keys, strlen(keys)) != (ssize_t)strlen(keys))
		abort();
}

TEST_F_TIMEOUT(any, scrolled, 110)
{
	struct screen *s = calloc(1, sizeof(*s));
	struct ashm *others[30], *last;
	unsigned int i;

	/* No other program's region is smaller. */
	ASSERT_EQ(0, ashm_create("scroll-last", 1, &last));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, ashm_create(format("scroll-%02u", i),
					 (i + 100) * page_size(), &others[i]));
	}
	/* Five lines for regions. */
	screen_start(s, 10, 80);
	ASSERT_TRUE(screen_await(s, "scroll-29", LONG));
	ASSERT_TRUE(screen_await(s, "? help   1 to 5 of ", LONG));
	screen_type(s, "j");
	EXPECT_TRUE(screen_await(s, "2 to 6 of ", LONG));
	screen_type(s, "\033[B");
	EXPECT_TRUE(screen_await(s, "3 to 7 of ", LONG));
	screen_type(s, "\033[A");
	EXPECT_TRUE(screen_await(s, "scroll-28", LONG));
	EXPECT_TRUE(screen_await(s, "2 to 6 of ", LONG));
	screen_type(s, "\033[6~");
	EXPECT_TRUE(screen_await(s, "7 to 11 of ", LONG));
	screen_type(s, "\033[5~");
	EXPECT_TRUE(screen_await(s, "2 to 6 of ", LONG));
	screen_type(s, "\033[F");
	EXPECT_TRUE(screen_await(s, "scroll-last", LONG));
	/* Scrolling stops at both ends. */
	screen_type(s, "j");
	EXPECT_TRUE(screen_await(s, "scroll-last", LONG));
	screen_type(s, "\033[H");
	EXPECT_TRUE(screen_await(s, "scroll-29", LONG));
	screen_type(s, "k");
	EXPECT_TRUE(screen_await(s, "1 to 5 of ", LONG));
	screen_type(s, "?");
	EXPECT_TRUE(screen_await(s, "a page on, back", LONG));
	screen_type(s, "r");
	EXPECT_TRUE(screen_await(s, "by size", LONG));
	EXPECT_TRUE(screen_await(s, "1 to 5 of ", LONG));
	screen_type(s, "q");
	EXPECT_EQ(0, wait_child(s->pid));
	for (i = 0; i < 30; i++)
		ashm_close(others[i]);
	ashm_close(last);
}

/* Lines are truncated, so that each region has one. */
TEST_F(any, small_terminal)
{
	struct screen *s = calloc(1, sizeof(*s));
	struct ashm *others[10];
	char *frame, *line, *rest;
	unsigned int lines = 0, i;

	for (i = 0; i < 10; i++)
		others[i] = region_new("m\xc3\xa9m\xc3\xa9", self->size);
	setenv("LC_ALL", "C.UTF-8", 1);
	screen_start(s, 10, 50);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	kill(s->pid, SIGTERM);
	EXPECT_EQ(128 + SIGTERM, wait_child(s->pid));
	frame = strstr(s->text, "PID");
	ASSERT_TRUE(frame);
	for (line = strtok_r(frame, "\r\n", &rest); line && !strstr(line, "q quit");
	     line = strtok_r(NULL, "\r\n", &rest)) {
		size_t columns = 0;

		for (i = 0; line[i]; i++)
			columns += (line[i] & 0xc0) != 0x80;
		EXPECT_LE(columns, 50);
		lines++;
	}
	/* Two of the summary, the heading with the regions, a blank, the keys. */
	EXPECT_LE(2 + lines + 2, 10);
	EXPECT_GE(lines, 5);
	for (i = 0; i < 10; i++)
		ashm_close(others[i]);
}

TEST_F_TIMEOUT(any, signals, 110)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT, SIGBUS, SIGUSR1, SIGALRM,
	};
	struct screen *s = calloc(1, sizeof(*s));
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		screen_start(s, 24, 80);
		ASSERT_TRUE(screen_await(s, "q quit", LONG));
		ASSERT_EQ(0, kill(s->pid, signals[i]));
		EXPECT_EQ(128 + signals[i], wait_child(s->pid));
		EXPECT_TRUE(screen_restored(s)) {
			TH_LOG("signal %d", signals[i]);
		}
		close(s->master);
		close(s->slave);
	}
}

TEST_F(any, stopped)
{
	struct screen *s = calloc(1, sizeof(*s));
	struct termios now;
	int status;

	screen_start(s, 24, 80);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	ASSERT_EQ(0, kill(s->pid, SIGTSTP));
	ASSERT_EQ(s->pid, waitpid(s->pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_TRUE(screen_restored(s));
	ASSERT_EQ(0, kill(s->pid, SIGCONT));
	EXPECT_TRUE(screen_await(s, "q quit", LONG));
	ASSERT_EQ(0, tcgetattr(s->slave, &now));
	EXPECT_EQ(0, now.c_lflag & (ICANON | ECHO));
	ASSERT_EQ(1, write(s->master, "q", 1));
	EXPECT_EQ(0, wait_child(s->pid));
}

/* What a shell does for Ctrl-Z, bg and then kill or fg, with top on @s. Does not return. */
static void control_job(struct screen *s, bool end)
{
	struct termios now;
	int status;

	signal(SIGTTOU, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	CHILD_CHECK(!ioctl(s->slave, TIOCSCTTY, 0));
	s->pid = fork();
	if (!s->pid) {
		setpgid(0, 0);
		tcsetpgrp(s->slave, getpid());
		signal(SIGTTOU, SIG_DFL);
		screen_exec(s);
	}
	CHILD_CHECK(screen_await(s, "q quit", LONG));
	CHILD_CHECK(!kill(s->pid, SIGTSTP));
	CHILD_CHECK(waitpid(s->pid, &status, WUNTRACED) == s->pid);
	CHILD_CHECK(WIFSTOPPED(status));
	CHILD_CHECK(!tcsetpgrp(s->slave, getpid()));
	CHILD_CHECK(!kill(s->pid, SIGCONT));
	CHILD_CHECK(waitpid(s->pid, &status, WUNTRACED) == s->pid);
	CHILD_CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	CHILD_CHECK(screen_restored(s));
	if (end) {
		CHILD_CHECK(!kill(s->pid, SIGTERM) && !kill(s->pid, SIGCONT));
		CHILD_CHECK(wait_child(s->pid) == 128 + SIGTERM);
		_exit(0);
	}
	CHILD_CHECK(!tcsetpgrp(s->slave, s->pid));
	CHILD_CHECK(!kill(s->pid, SIGCONT));
	CHILD_CHECK(screen_await(s, "q quit", LONG));
	CHILD_CHECK(!tcgetattr(s->slave, &now) && !(now.c_lflag & (ICANON | ECHO)));
	screen_type(s, "q");
	_exit(wait_child(s->pid));
}

/* A stopped top that is continued in the background leaves the terminal to the shell. */
TEST_F_TIMEOUT(any, continued_in_background, 60)
{
	struct screen *s = calloc(1, sizeof(*s));
	int end;

	for (end = 0; end < 2; end++) {
		pid_t shell;

		screen_make(s, 24, 80);
		shell = fork();
		if (!shell)
			control_job(s, end);
		EXPECT_EQ(0, wait_child(shell));
	}
}

/* A resize while the terminal takes no output (Ctrl-S) loses none. */
TEST_F(any, resized_while_stalled)
{
	struct winsize size = { .ws_row = 30, .ws_col = 100 };
	struct screen *s = calloc(1, sizeof(*s));

	screen_start(s, 24, 80);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	screen_type(s, "\023r");
	nap_ms(300);
	ASSERT_EQ(0, ioctl(s->master, TIOCSWINSZ, &size));
	nap_ms(100);
	screen_type(s, "\021");
	EXPECT_TRUE(screen_await(s, "by resident", LONG));
	/* That frame and the one of the new size. */
	EXPECT_TRUE(screen_await(s, "q quit", LONG));
	EXPECT_TRUE(screen_await(s, "q quit", LONG));
	screen_type(s, "q");
	EXPECT_EQ(0, wait_child(s->pid));
}

/* When the terminal goes away, top ends. */
TEST_F(any, hung_up)
{
	struct screen *s = calloc(1, sizeof(*s));
	int code;

	screen_start(s, 24, 80);
	ASSERT_TRUE(screen_await(s, "q quit", LONG));
	close(s->slave);
	close(s->master);
	code = wait_child(s->pid);
	EXPECT_TRUE(code == 128 + SIGHUP || code == 1 || code == 0);
}

TEST_HARNESS_MAIN
