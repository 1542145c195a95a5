// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal while top uses it: alternate screen, keys without echo. It is restored
 * however the program ends, except by SIGKILL.
 *
 * Signal handlers only call what is async-signal-safe (write, tcsetattr, raise, sigprocmask)
 * and touch @taken and @resized; all else is set before they are installed.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cmd.h"
#include "screen.h"

static struct termios before, during;
static sig_atomic_t taken, resized;

static void put(const char *sequence)
{
	ssize_t done = write(STDOUT_FILENO, sequence, strlen(sequence));

	/* There is no terminal to report it to. */
	(void)done;
}

static void take(void)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &during);
	/* The other screen, no cursor, lines cut off at the edge. */
	put("\033[?1049h\033[?25l\033[?7l");
	taken = 1;
}

/* Call before stdout is closed. Does nothing if the terminal wasn't taken. */
void screen_close(void)
{
	if (!taken)
		return;
	taken = 0;
	put("\033[?7h\033[?25h\033[?1049l");
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

static void on_end(int sig)
{
	int err = errno;

	screen_close();
	/* The default action is restored, and runs when this returns. */
	raise(sig);
	errno = err;
}

static void on_stop(int sig)
{
	int err = errno;
	sigset_t stop, all;

	(void)sig;
	screen_close();
	raise(SIGSTOP);
	/* In the background SIGTTOU stops the process here. Other signals can end it. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_SETMASK, &stop, &all);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	sigprocmask(SIG_SETMASK, &all, NULL);
	take();
	resized = 1;
	errno = err;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction old;

	/* Signals that the caller ignores (nohup) stay ignored. */
	if (!sigaction(sig, NULL, &old) && old.sa_handler == SIG_IGN)
		return;
	sigfillset(&act.sa_mask);
	/* Leave the signal itself unblocked: the handler raises it again. */
	sigdelset(&act.sa_mask, sig);
	if (flags & SA_RESETHAND)
		act.sa_flags |= SA_NODEFER;
	sigaction(sig, &act, NULL);
}

/**
 * screen_open - take the terminal, if there is one at both ends
 *
 * Return: false if stdin and stdout aren't a terminal.
 */
bool screen_open(void)
{
	static const int ends[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
		SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU, SIGSYS,
	};
	size_t i;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return false;
	during = before;
	during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	during.c_cc[VMIN] = 1;
	during.c_cc[VTIME] = 0;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		handle(ends[i], on_end, SA_RESETHAND);
	/* Output that waits for the terminal goes on after these; ppoll() ends nevertheless. */
	handle(SIGTSTP, on_stop, SA_RESTART);
	handle(SIGWINCH, on_resize, SA_RESTART);
	atexit(screen_close);
	take();
	return true;
}

void screen_size(size_t *lines, size_t *columns)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col) {
		size.ws_row = 24;
		size.ws_col = 80;
	}
	*lines = size.ws_row;
	*columns = size.ws_col;
}

/* The next byte of a key that sends several together; 0 if there is none. */
static unsigned char next_byte(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char byte;

	return poll(&fd, 1, 50) == 1 && read(STDIN_FILENO, &byte, 1) == 1 ? byte : 0;
}

/* The rest of an escape sequence: "[A", or "[5~". */
static int special_key(void)
{
	static const struct {
		char byte;
		int key;
	} keys[] = {
		{ 'A', KEY_UP }, { 'B', KEY_DOWN }, { 'H', KEY_HOME }, { 'F', KEY_END },
		{ '1', KEY_HOME }, { '4', KEY_END }, { '5', KEY_PAGE_UP },
		{ '6', KEY_PAGE_DOWN },
	};
	unsigned char byte = next_byte();
	size_t i;

	if (byte != '[' && byte != 'O')
		return 0;
	byte = next_byte();
	if (byte >= '0' && byte <= '9')
		while (next_byte() >= '0')
			;
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].byte == byte)
			return keys[i].key;
	return 0;
}

/**
 * screen_key - wait for a key
 * @seconds: at most so long
 *
 * Return: the key, or one of enum screen_key; 0 if the time is over, the size has
 * changed or the key has no meaning; EOF if the terminal is gone.
 */
int screen_key(double seconds)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	struct timespec wait = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	sigset_t none, all;
	unsigned char key;
	int ready;

	/* A resize between the check and the wait would not end the wait. */
	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGWINCH);
	sigprocmask(SIG_BLOCK, &all, &none);
	ready = resized ? -1 : ppoll(&fd, 1, &wait, &none);
	resized = 0;
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (ready <= 0)
		return 0;
	if (read(STDIN_FILENO, &key, 1) != 1)
		return EOF;
	return key == '\033' ? special_key() : key;
}
