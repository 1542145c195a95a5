/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that uses rings by commands over a socket, one call at a time. It has two
 * seats: in each it can attach a ring and be its writer and a reader of it. Include
 * after frame_util.h.
 */
#ifndef FRAME_ACTOR_H
#define FRAME_ACTOR_H

#include <sys/socket.h>

#define SEATS		2
#define ACTOR_FRAME_MAX	200

enum op {
	OP_ATTACH, OP_DETACH, OP_WRITER, OP_WRITER_CLOSE, OP_READER, OP_READER_CLOSE,
	OP_BEGIN, OP_COMMIT, OP_ABORT, OP_WRITE, OP_READ, OP_BORROW, OP_VALID,
	OP_RELEASE, OP_STAT, OP_AWAIT,
};

struct request {
	enum op op;
	int seat;
	unsigned int flags;
	size_t length;
	uint64_t tag;
};

struct reply {
	int ret;		/* -EILSEQ if the payload isn't what the tag says */
	struct ashm_frame frame;
	struct ashm_ring_stat stat;
};

struct seat {
	struct ashm_ring *ring;
	struct ashm_writer *writer;
	struct ashm_reader *reader;
	void *data;		/* of the frame that was begun */
	struct ashm_frame borrowed;
};

static void seat_leave(struct seat *s)
{
	ashm_ring_writer_close(s->writer);
	ashm_ring_reader_close(s->reader);
	ashm_ring_detach(s->ring);
	memset(s, 0, sizeof(*s));
}

static int actor_read(struct seat *s, const struct request *q, struct reply *a)
{
	char buf[ACTOR_FRAME_MAX];
	int ret = ashm_frame_read(s->reader, buf, q->length, &a->frame, 0);

	if (!ret && !frame_filled(buf, (size_t)a->frame.length, a->frame.tag))
		return -EILSEQ;
	return ret;
}

static int actor_borrow(struct seat *s, struct reply *a)
{
	int ret = ashm_frame_borrow(s->reader, &a->frame, 0);

	if (ret)
		return ret;
	s->borrowed = a->frame;
	return frame_filled(a->frame.data, (size_t)a->frame.length, a->frame.tag) ?
	       0 : -EILSEQ;
}

/* What was valid all the time must be unchanged. */
static int actor_valid(struct seat *s)
{
	bool same = s->borrowed.data &&
		    frame_filled(s->borrowed.data, (size_t)s->borrowed.length,
				 s->borrowed.tag);
	int ret = ashm_frame_valid(s->reader);

	return !ret && !same ? -EILSEQ : ret;
}

/* In a recreated ring, the begun frame lies in the middle of another one. */
static int actor_commit(struct seat *s, const struct request *q, struct reply *a)
{
	int ret;

	if (s->data && q->length <= ACTOR_FRAME_MAX / 2 && !ashm_ring_stat(s->ring, &a->stat))
		frame_fill(s->data, q->length, q->tag);
	ret = ashm_frame_commit(s->writer, q->length, q->tag);
	if (ret != -EINVAL)
		s->data = NULL;
	return ret;
}

static int actor_do(struct seat *s, const struct request *q, struct reply *a, int fd)
{
	int ret;

	switch (q->op) {
	case OP_ATTACH:
		return ashm_ring_attach(fd, q->flags, &s->ring);
	case OP_DETACH:
		seat_leave(s);
		return 0;
	case OP_WRITER:
		return ashm_ring_writer(s->ring, &s->writer);
	case OP_WRITER_CLOSE:
		ashm_ring_writer_close(s->writer);
		s->writer = NULL;
		s->data = NULL;
		return 0;
	case OP_READER:
		return ashm_ring_reader(s->ring, q->flags, &s->reader);
	case OP_READER_CLOSE:
		ashm_ring_reader_close(s->reader);
		s->reader = NULL;
		return 0;
	case OP_BEGIN:
		ret = ashm_frame_begin(s->writer, q->length, &s->data, 0);
		/* Half a frame, for actors that die here. */
		if (!ret)
			frame_fill(s->data, q->length / 2, q->tag);
		return ret;
	case OP_COMMIT:
		return actor_commit(s, q, a);
	case OP_ABORT:
		s->data = NULL;
		return ashm_frame_abort(s->writer);
	case OP_WRITE:
		return put(s->writer, q->length, q->tag, 0);
	case OP_READ:
		return actor_read(s, q, a);
	case OP_BORROW:
		return actor_borrow(s, a);
	case OP_VALID:
		return actor_valid(s);
	case OP_RELEASE:
		return ashm_frame_release(s->reader);
	case OP_STAT:
		return ashm_ring_stat(s->ring, &a->stat);
	default:
		return ashm_ring_await_writer(s->ring, 0);
	}
}

static void actor_main(int sock, int fd)
{
	struct seat seats[SEATS];
	struct request q;
	struct reply a;

	memset(seats, 0, sizeof(seats));
	while (recv(sock, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
		memset(&a, 0, sizeof(a));
		a.ret = actor_do(&seats[q.seat], &q, &a, fd);
		a.frame.data = NULL;
		if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) != (ssize_t)sizeof(a))
			_exit(1);
	}
	for (q.seat = 0; q.seat < SEATS; q.seat++)
		seat_leave(&seats[q.seat]);
	_exit(0);
}

struct actor {
	pid_t pid;
	int sock;
};

static int actor_start(struct actor *actor, int fd)
{
	int socks[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -errno;
	actor->pid = fork();
	if (!actor->pid) {
		close(socks[0]);
		actor_main(socks[1], fd);
	}
	close(socks[1]);
	actor->sock = socks[0];
	return actor->pid > 0 ? 0 : -errno;
}

static void actor_end(struct actor *actor, bool kill_it)
{
	if (kill_it)
		kill(actor->pid, SIGKILL);
	/* Other processes have inherited the socket. */
	shutdown(actor->sock, SHUT_RDWR);
	close(actor->sock);
	wait_child(actor->pid);
}

static int actor_ask(struct actor *actor, const struct request *q, struct reply *a)
{
	if (send(actor->sock, q, sizeof(*q), MSG_NOSIGNAL) != (ssize_t)sizeof(*q) ||
	    recv(actor->sock, a, sizeof(*a), 0) != (ssize_t)sizeof(*a))
		return -EIO;
	return 0;
}

#endif
