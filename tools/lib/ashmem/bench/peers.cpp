// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: peers speed [MILLISECONDS] | peers death
 *
 * Sends messages through a ring and by the libraries of peers.hpp, from one process to
 * another, or between two threads where the name says inproc. The first prints latency
 * and messages a second. The second prints what the other end sees when one is killed,
 * and what a reader can destroy by writing to all memory that it may write to.
 *
 * The contestants alternate in ROUNDS of MILLISECONDS (200) each. Medians are printed;
 * a ratio is that of one round, because other load changes from round to round.
 */
#include "peers.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ROUNDS	9
#define KILLS	5

using clock_type = std::chrono::steady_clock;

/* What the processes tell each other: in memory that all of them share. */
struct board {
	std::atomic<bool> done, failed;
	std::atomic<std::uint64_t> sent, received, torn, first;
	char why[80];
	double value;
};

static board *shared;
static double seconds = 0.2;
static int serial;

static constexpr std::uint64_t stop = UINT64_MAX;

static double since(clock_type::time_point start)
{
	return std::chrono::duration<double>(clock_type::now() - start).count();
}

static double median(std::vector<double> values)
{
	std::sort(values.begin(), values.end());
	return values[values.size() / 2];
}

/* ---- processes ---- */

static pid_t spawn(const std::function<void()> &run)
{
	std::fflush(nullptr);
	const pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	try {
		run();
	} catch (const std::exception &e) {
		std::printf("# %s\n", e.what());
		std::exit(1);
	}
	/* iceoryx tells its daemon at exit. */
	std::exit(0);
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status) {
		std::printf("# a process ended with status %#x\n", unsigned(status));
		std::exit(1);
	}
}

static void pin(const contestant &c, int cpu)
{
	cpu_set_t one;

	/* The threads of the library need a processor, too. */
	if (c.traits & HAS_THREADS)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* Runs both ends to their end. */
static void run(const contestant &c, const std::function<void()> &writer,
		const std::function<void()> &reader)
{
	if (c.traits & INSIDE) {
		reap(spawn([&] {
			std::thread other(reader);

			writer();
			other.join();
		}));
		return;
	}
	const pid_t one = spawn([&] { pin(c, 0); writer(); });
	const pid_t other = spawn([&] { pin(c, 1); reader(); });

	reap(one);
	reap(other);
}

/* A new channel, with the region that a ring needs. */
struct channel {
	channel(const contestant &c, std::size_t size, bool spin = false)
		: info{"/tmp/ashmem-peers-" + std::to_string(getpid()) + "-" +
		       std::to_string(serial++), size,
		       std::uint32_t(std::clamp<std::size_t>((2u << 20) / size, 4, 64)), spin,
		       c.flags, &region}
	{
		if (!c.flags)
			return;
		region = ashmem::region("peers", ashmem::ring::size(config_of(info)));
		ashmem::ring::create(region.fd(), config_of(info));
	}

	~channel()
	{
		unlink(info.name.c_str());
	}

	ashmem::region region;
	path info;
};

/* ---- speed ---- */

/* Half of a round trip, in microseconds. */
static double latency(const contestant &c, std::size_t size)
{
	const channel there(c, size, true), back(c, size, true);

	run(c, [&] {
		auto out = c.open(there.info, true), in = c.open(back.info, false);
		std::vector<std::uint64_t> buf(size / 8);
		std::uint64_t count = 0;
		clock_type::time_point start;

		for (double time = 0; time < seconds; count++) {
			if (count == 1000)
				start = clock_type::now();
			out->send(buf.data());
			in->receive(buf.data());
			if (count >= 1000 && count % 16 == 0)
				time = since(start);
		}
		shared->value = since(start) / double(count - 1000) / 2 * 1e6;
		buf[0] = stop;
		out->send(buf.data());
		in->receive(buf.data());
	}, [&] {
		auto in = c.open(there.info, false), out = c.open(back.info, true);
		std::vector<std::uint64_t> buf(size / 8);

		do {
			in->receive(buf.data());
			out->send(buf.data());
		} while (buf[0] != stop);
		/* What was sent last may still be on its way. */
		usleep(20000);
	});
	return shared->value;
}

/* Thousands of messages a second, as the reader gets them. */
static double throughput(const contestant &c, std::size_t size)
{
	const channel channel(c, size);

	shared->done = false;
	run(c, [&] {
		auto out = c.open(channel.info, true);
		std::vector<std::uint64_t> buf(size / 8);
		clock_type::time_point start;

		for (std::uint64_t count = 0, warm = 2 * channel.info.slots;
		     count <= warm || since(start) < seconds; count++) {
			/* The ends have found each other by then. */
			if (count == warm)
				start = clock_type::now();
			out->send(buf.data());
		}
		buf[0] = stop;
		out->send(buf.data());
		while (!shared->done)
			usleep(1000);
	}, [&] {
		auto in = c.open(channel.info, false);
		std::vector<std::uint64_t> buf(size / 8);
		std::uint64_t count = 0;
		clock_type::time_point start;

		do {
			in->receive(buf.data());
			/* The first touch of memory isn't measured. */
			if (count++ == 2 * channel.info.slots)
				start = clock_type::now();
		} while (buf[0] != stop);
		shared->value = double(count - 2 * channel.info.slots - 1) / since(start) / 1e3;
		shared->done = true;
	});
	return shared->value;
}

static void measure(const char *what, std::size_t size,
		    double (*method)(const contestant &, std::size_t))
{
	std::vector<std::vector<double>> values(contestants.size()), ratios(contestants.size());

	for (int round = 0; round < ROUNDS; round++)
		for (std::size_t i = 0; i < contestants.size(); i++) {
			values[i].push_back(method(contestants[i], size));
			ratios[i].push_back(values[0].back() / values[i].back());
		}
	std::printf("\n%s, %zu bytes\n", what, size);
	for (std::size_t i = 0; i < contestants.size(); i++)
		std::printf("  %-12s%10.2f   ring / this %6.2f\n", contestants[i].name,
			    median(values[i]), median(ratios[i]));
}

/* ---- ends that are killed, or mean harm ---- */

static constexpr std::size_t kill_size = 4096;

static void failed(const std::system_error &e)
{
	if (!shared->failed) {
		std::snprintf(shared->why, sizeof(shared->why), "%s", e.what());
		shared->failed = true;
	}
	usleep(1000);
}

/* Numbers its messages from @number on. */
static void write_on(const contestant &c, const path &l, std::uint64_t number)
{
	auto out = c.open(l, true);
	std::vector<std::uint64_t> buf(l.size / 8);

	for (;; number++) {
		buf.assign(buf.size(), number);
		try {
			out->send(buf.data());
			shared->sent = number;
		} catch (const std::system_error &e) {
			failed(e);
			number--;
		}
	}
}

static void read_on(const contestant &c, const path &l)
{
	auto in = c.open(l, false);
	std::vector<std::uint64_t> buf(l.size / 8);

	for (;;) {
		try {
			in->receive(buf.data());
		} catch (const std::system_error &e) {
			failed(e);
			continue;
		}
		shared->torn += buf != std::vector<std::uint64_t>(buf.size(), buf[0]);
		if (!shared->first)
			shared->first = buf[0];
		shared->received = buf[0];
	}
}

/* Waits, up to @limit seconds, and returns how long that took. */
static double await(double limit, const std::function<bool()> &what)
{
	const auto start = clock_type::now();

	while (!what() && since(start) < limit)
		usleep(100);
	return since(start);
}

static void put_down(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, nullptr, 0);
}

/* iceoryx's daemon, where it is needed. */
class daemon_process {
public:
	explicit daemon_process(bool needed)
	{
#ifdef WITH_ICEORYX
		if (needed)
			pid = spawn([] {
				dup2(STDERR_FILENO, STDOUT_FILENO);
				std::_Exit(run_roudi());
			});
#else
		(void)needed;
#endif
	}

	~daemon_process()
	{
		if (!alive())
			return;
		kill(pid, SIGTERM);
		await(10, [this] { return !alive(); });
		if (alive())
			put_down(pid);
	}

	bool alive()
	{
		if (pid && waitpid(pid, nullptr, WNOHANG) == pid)
			pid = 0;
		return pid != 0;
	}

private:
	pid_t pid = 0;
};

/* Starts an end that goes on until it is killed. */
static pid_t start(const contestant &c, const channel &channel, bool writer,
		   std::uint64_t number)
{
	return spawn([&] {
		if (writer)
			write_on(c, channel.info, number);
		else
			read_on(c, channel.info);
	});
}

/* What the other end saw. */
struct sight {
	std::vector<double> told, went_on, next;	/* after milliseconds */
	std::uint64_t lost = 0, torn = 0;
};

/* Kills one end in the middle of a stream, then starts another. */
static void kill_one(const contestant &c, bool writer, sight &saw)
{
	constexpr double limit = 3;
	constexpr std::uint64_t later = 1ull << 40;
	daemon_process daemon(c.traits & HAS_DAEMON);
	const channel channel(c, kill_size);

	std::memset(static_cast<void *>(shared), 0, sizeof(*shared));
	pid_t ends[2] = {start(c, channel, false, 0), start(c, channel, true, 1)};

	await(3 * limit, [] { return shared->received > 5000; });
	put_down(ends[writer]);
	const std::uint64_t sent = shared->sent, full = sent + 2 * channel.info.slots;
	const double seen = await(limit, [&] {
		return shared->failed || shared->sent > full;
	});
	if (seen < limit)
		(shared->failed ? saw.told : saw.went_on).push_back(seen * 1e3);

	const std::uint64_t last = shared->received;

	shared->first = 0;
	ends[writer] = start(c, channel, writer, later);
	const double next = await(limit, [&] {
		return writer ? shared->received >= later : shared->first != 0;
	});
	if (next < limit)
		saw.next.push_back(next * 1e3);
	const std::uint64_t expected = writer ? sent : shared->first.load();

	/* A new reader may begin with messages that the other has read. */
	saw.lost += expected > last + !writer ? expected - last - !writer : 0;
	saw.torn += shared->torn;
	put_down(ends[0]);
	put_down(ends[1]);
}

static void print_times(const char *what, const std::vector<double> &times)
{
	if (!times.empty())
		std::printf(" %s %zux, %.1f ms;", what, times.size(), median(times));
}

static void kill_some(const contestant &c, bool writer)
{
	sight saw;

	for (int i = 0; i < KILLS; i++)
		kill_one(c, writer, saw);
	std::printf("  %-12s%s killed %dx:", c.name, writer ? "writer" : "reader", KILLS);
	print_times("told", saw.told);
	print_times("not told, writes on", saw.went_on);
	if (saw.told.size() + saw.went_on.size() < KILLS)
		std::printf(" waits %zux;", KILLS - saw.told.size() - saw.went_on.size());
	print_times("the next one works", saw.next);
	std::printf(" lost %llu, torn %llu\n", (unsigned long long)saw.lost,
		    (unsigned long long)saw.torn);
	if (!saw.told.empty())
		std::printf("  %-12s  \"%s\"\n", "", shared->why);
	std::fflush(stdout);
}

/* Writes nonsense to all memory that this process shares and may write to. */
static std::uint64_t scribble(bool write)
{
	std::ifstream maps("/proc/self/maps");
	std::uint64_t state = 88172645463325252u, bytes = 0;
	std::string line;

	while (std::getline(maps, line)) {
		unsigned long from, to;
		char rights[5];

		/* /dev/zero is the board. */
		if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, rights) != 3 ||
		    std::strcmp(rights, "rw-s") || line.find("/dev/zero") != std::string::npos)
			continue;
		bytes += to - from;
		for (auto *at = reinterpret_cast<volatile std::uint64_t *>(from);
		     write && at != reinterpret_cast<std::uint64_t *>(to); at++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			*at = state;
		}
	}
	return bytes;
}

static void hostile_reader(const contestant &c)
{
	daemon_process daemon(c.traits & HAS_DAEMON);
	const channel channel(c, kill_size);
	int status;

	std::memset(static_cast<void *>(shared), 0, sizeof(*shared));
	const pid_t reader = spawn([&] {
		/* A region that is shared read-only can't get another writer. */
		if (c.flags & ASHM_RING_READONLY)
			await(5, [] { return shared->sent > 0; });
		auto in = c.open(channel.info, false);
		std::vector<std::uint64_t> buf(kill_size / 8);

		for (int i = 0; i < 1000; i++)
			in->receive(buf.data());
		shared->received = scribble(false);
		for (int i = 0; i < 20; i++)
			scribble(true);
		std::_Exit(0);
	});
	const pid_t writer = start(c, channel, true, 1);

	if (await(30, [&] { return waitpid(reader, nullptr, WNOHANG) == reader; }) >= 30)
		put_down(reader);
	const std::uint64_t sent = shared->sent;
	sleep(2);
	std::printf("  %-12sa reader can write to %.1f MiB; the writer ", c.name,
		    double(shared->received) / (1 << 20));
	const bool died = waitpid(writer, &status, WNOHANG) == writer;

	if (died)
		std::printf("died, status %#x", unsigned(status));
	else if (shared->failed)
		std::printf("was told \"%s\"", shared->why);
	else
		std::printf(shared->sent > sent ? "goes on" : "waits");
	if (c.traits & HAS_DAEMON)
		std::printf(", the daemon %s", daemon.alive() ? "lives" : "died");
	std::printf("\n");
	if (!died)
		put_down(writer);
}

static void speed()
{
	daemon_process daemon(true);

	measure("microseconds, one way", 64, latency);
	for (const std::size_t size : {64, 4096, 65536, 1 << 20})
		measure("thousand messages a second", size, throughput);
}

static void death()
{
	const contestant readonly = {"read-only", make_end<ring_end>, ASHM_RING_READONLY, 0};

	std::printf("killed in the middle of a stream of %zu bytes\n", kill_size);
	for (const contestant &c : contestants)
		for (const bool writer : {false, true})
			if (!(c.traits & INSIDE))
				kill_some(c, writer);
	std::printf("\na reader writes to all that it may write to\n");
	hostile_reader(readonly);
	for (const contestant &c : contestants)
		if (!(c.traits & INSIDE))
			hostile_reader(c);
	/* A daemon that died left its memory behind. The next one removes it at its end. */
	daemon_process next(true);
	sleep(1);
}

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";

	if (argc == 3)
		seconds = std::atoi(argv[2]) / 1000.0;
	if (!(what == "speed" && argc <= 3 && seconds > 0) && !(what == "death" && argc == 2)) {
		std::fprintf(stderr, "usage: peers speed [MILLISECONDS] | peers death\n");
		return 2;
	}
	shared = static_cast<board *>(mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	if (shared == MAP_FAILED)
		return 1;
#ifdef WITH_ICEORYX
	silence_iceoryx();
#endif
	what == "speed" ? speed() : death();
	return 0;
}
