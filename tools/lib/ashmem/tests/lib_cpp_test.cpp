// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem.hpp: what C++ adds to the library. Objects end once, whatever throws; errors
 * come as exceptions and as codes. All on both kinds of memory, a process each.
 */
#include <ashmem.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include <dirent.h>
#include <fcntl.h>
#include <linux/ashmem.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

using std::errc;
using namespace std::chrono_literals;

static bool failed;

#define EXPECT(cond) do { \
	if (!(cond)) { \
		std::printf("# %s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
		failed = true; \
	} \
} while (0)

/* @statement throws std::system_error of errc @wanted. */
#define EXPECT_THROW(wanted, statement) do { \
	std::error_code thrown_code; \
	try { \
		statement; \
	} catch (const std::system_error &e) { \
		thrown_code = e.code(); \
	} \
	EXPECT(thrown_code == errc::wanted); \
} while (0)

template <class T>
constexpr bool only_moves = std::is_nothrow_move_constructible_v<T> &&
	std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T> &&
	!std::is_copy_assignable_v<T>;

static_assert(only_moves<ashmem::descriptor> && only_moves<ashmem::mapping>);
static_assert(only_moves<ashmem::region> && only_moves<ashmem::holding>);
static_assert(only_moves<ashmem::purgeable> && only_moves<ashmem::reading>);
static_assert(only_moves<ashmem::writing> && only_moves<ashmem::ring>);
static_assert(only_moves<ashmem::cache> && only_moves<ashmem::entry>);
static_assert(only_moves<ashmem::reservation>);
static_assert(only_moves<ashmem::frame_writer> && only_moves<ashmem::frame_reader>);
static_assert(only_moves<ashmem::slot> && only_moves<ashmem::loan>);

static bool on_device;
static constexpr std::size_t size = 65536;

static int count_fds()
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool filled(const void *at, int byte)
{
	const auto *bytes = static_cast<const unsigned char *>(at);

	return bytes[0] == byte && !std::memcmp(bytes, bytes + 1, size - 1);
}

/* ---- regions ---- */

static void regions()
{
	ashmem::region region("cpp", size);
	char text[6] = "";

	EXPECT(region && region.size() == size && region.name() == "cpp");
	region.write("hello", 6, size - 6);
	region.read(text, 6, size - 6);
	EXPECT(!std::strcmp(text, "hello"));

	ashmem::region moved(std::move(region));
	EXPECT(moved && !region && region.fd() == -1 && region.size() == 0);
	region = std::move(moved);
	EXPECT(region && !moved);

	ashmem::mapping map = region.map(PROT_READ);
	EXPECT(map.size() == size && !std::memcmp(static_cast<char *>(map.data()) + size - 6,
						  "hello", 6));
	ashmem::mapping part = region.map_range(PROT_READ, 4096, 4096);
	EXPECT(part.size() == 4096);
	/* Also when another region takes its place. */
	region = ashmem::region("other", size);
	EXPECT(region.name() == "other" && static_cast<char *>(map.data())[size - 2] == 'o');
	map = std::move(part);
	EXPECT(map.size() == 4096 && part.size() == 0);
}

static void errors()
{
	std::error_code ec = std::make_error_code(errc::io_error);
	ashmem::region region("cpp", size, &ec);
	char byte = 0;

	EXPECT(!ec && region);
	EXPECT_THROW(result_out_of_range, region.read(&byte, 1, size));
	region.write(&byte, 1, size, &ec);
	EXPECT(ec == errc::result_out_of_range);
	EXPECT(ec.category() == std::generic_category());
	EXPECT(!region.map(-1, &ec) && ec == errc::invalid_argument);
	EXPECT_THROW(invalid_argument, ashmem::region("none", 0));
	EXPECT(!ashmem::region("none", 0, &ec) && ec == errc::invalid_argument);
	try {
		region.map_range(PROT_READ, 1, 1);
	} catch (const std::system_error &e) {
		EXPECT(std::strstr(e.what(), "ashm_map_range"));
	}

	ashmem::region empty;
	EXPECT_THROW(bad_file_descriptor, empty.write(&byte, 1, 0));
	EXPECT_THROW(bad_file_descriptor, empty.pin());
	EXPECT(!empty.hold(&ec) && ec == errc::bad_file_descriptor);
	EXPECT_THROW(bad_file_descriptor, ashmem::ring().stat());
	EXPECT_THROW(bad_file_descriptor, (void)ashmem::purgeable().read());

	/* A descriptor of something else stays its owner's. */
	ashmem::descriptor null(open("/dev/null", O_RDWR));
	EXPECT(!ashmem::region::adopt(std::move(null), &ec) && ec && null);
	ashmem::descriptor fd(dup(region.fd()));
	ashmem::region adopted = ashmem::region::adopt(std::move(fd));
	EXPECT(adopted.size() == size && !fd);
}

/* Gives memory that isn't pinned back, where that is possible. */
static bool purge(const ashmem::region &region)
{
	return on_device && ioctl(region.fd(), ASHMEM_PURGE_ALL_CACHES, 0) >= 0;
}

static void holds()
{
	std::error_code ec;
	ashmem::region region("cpp", size);

	region.write("x", 1, 0);
	EXPECT(region.pinned() && !region.pin());
	region.unpin();
	EXPECT(!region.pinned());
	bool gone = purge(region);
	{
		ashmem::holding held = region.hold();

		EXPECT(held && held.was_lost() == gone && region.pinned());
		EXPECT_THROW(device_or_resource_busy, (void)region.hold());
		EXPECT_THROW(device_or_resource_busy, region.unpin());
		region.pin(&ec);
		EXPECT(ec == errc::device_or_resource_busy);
		ashmem::holding moved(std::move(held));
		EXPECT(moved && !held && region.pinned());
	}
	EXPECT(!region.pinned());
	try {
		ashmem::holding held = region.hold();

		throw std::runtime_error("in the middle");
	} catch (const std::runtime_error &) {
	}
	EXPECT(!region.pinned() && !region.pin());

	ashmem::holding held = region.hold();
	region = ashmem::region();
	EXPECT(held);
	held = ashmem::holding();
}

static void passing_on()
{
	std::error_code ec;
	int pair[2];

	EXPECT(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	ashmem::descriptor here(pair[0]), there(pair[1]);
	ashmem::region region("cpp", size);
	region.write("a", 1, 0);
	region.send(here.get());
	ashmem::region twin = ashmem::region::receive(there.get());
	twin.write("b", 1, 0);

	ashmem::send(here.get(), region.share_readonly());
	ashmem::region reader = ashmem::region::receive(there.get());
	char byte = 0;
	reader.read(&byte, 1, 0);
	EXPECT(byte == 'b' && !(reader.prot() & PROT_WRITE));
	EXPECT_THROW(permission_denied, reader.write("c", 1, 0));
	region.write("c", 1, 0);
	here = ashmem::descriptor();
	EXPECT(!ashmem::region::receive(there.get(), &ec) && ec == errc::broken_pipe);
}

/* ---- purgeable memory ---- */

static void purge_unused(const ashmem::region &any)
{
	if (!purge(any))
		ashmem::purgeable::reclaim(UINT64_MAX);
}

static void purgeables()
{
	ashmem::region any("any", 4096);
	int made = 0;
	ashmem::purgeable object("cpp", size, [&](void *at, std::size_t len) {
		std::memset(at, ++made, len);
	});

	EXPECT(object.size() == size && made == 0);
	{
		ashmem::reading first = object.read(), second = object.read();

		EXPECT(made == 1 && filled(first.data(), 1) && first.data() == second.data());
		purge_unused(any);
		EXPECT(filled(second.data(), 1));
	}
	purge_unused(any);
	std::memset(object.write().data(), 77, size);
	EXPECT(made == 2 && filled(object.read().data(), 77));

	/* A change that ends by an exception doesn't count. */
	try {
		ashmem::writing change = object.write();

		std::memset(change.data(), 88, size / 2);
		throw std::runtime_error("in the middle");
	} catch (const std::runtime_error &) {
	}
	EXPECT(filled(object.read().data(), 3) && made == 3);
	/* One that is made while another passes does. */
	struct changer {
		ashmem::purgeable &object;
		~changer()
		{
			std::memset(object.write().data(), 99, size);
		}
	};
	try {
		changer changes{object};

		throw std::runtime_error("passing");
	} catch (const std::runtime_error &) {
	}
	EXPECT(filled(object.read().data(), 99));
	object.write().discard();
	EXPECT(filled(object.read().data(), 4));

	/* What is in use outlives the object. */
	ashmem::reading last = object.read();
	object = ashmem::purgeable();
	purge_unused(any);
	EXPECT(filled(last.data(), 4));
}

static void failing_rebuild()
{
	std::error_code ec;
	bool good = false;
	ashmem::purgeable inner("inner", size, [&](void *at, std::size_t len) {
		if (!good)
			throw std::out_of_range("not now");
		std::memset(at, 5, len);
	});
	ashmem::purgeable outer("outer", size, [&](void *at, std::size_t len) {
		std::memcpy(at, inner.read().data(), len);
	});
	int caught = 0;

	for (int i = 0; i < 3; i++) {
		try {
			ashmem::reading none = i ? outer.read(&ec) : inner.read();
		} catch (const std::out_of_range &) {
			caught++;
		}
	}
	EXPECT(caught == 3);

	/* C doesn't know the function. */
	const void *at;
	EXPECT(ashm_purgeable_begin_read(inner.get(), &at) == -ENODATA);
	good = true;
	EXPECT(filled(outer.read().data(), 5));

	ashmem::purgeable own;
	own = ashmem::purgeable("own", size, [&](void *, std::size_t) { (void)own.read(); });
	EXPECT_THROW(resource_deadlock_would_occur, (void)own.read());
}

/* Readers and writers, some of which throw, under who takes memory away. */
static void threads()
{
	constexpr int crowd = 4, rounds = 300;
	ashmem::region any("any", 4096);
	std::atomic<int> wrong{0}, running{crowd};
	ashmem::purgeable object("crowd", size, [](void *at, std::size_t len) {
		std::memset(at, 1, len);
	});
	const auto use = [&](int seed) {
		for (int i = 0; i < rounds; i++) {
			if ((i + seed) % 5) {
				ashmem::reading contents = object.read();

				wrong += !filled(contents.data(), *static_cast<const char *>(
					contents.data()));
				continue;
			}
			try {
				ashmem::writing change = object.write();

				std::memset(change.data(), 2, size / 2);
				if (i % 2)
					throw std::runtime_error("in the middle");
				std::memset(change.data(), 3, size);
			} catch (const std::runtime_error &) {
			}
		}
		running--;
	};
	std::vector<std::thread> users;

	for (int i = 0; i < crowd; i++)
		users.emplace_back(use, i);
	while (running)
		purge_unused(any);
	for (std::thread &user : users)
		user.join();
	EXPECT(wrong == 0);
}

/* ---- caches ---- */

static ashmem::cache another(const ashmem::cache &cache)
{
	return ashmem::cache::open(cache.fd(ASHM_CACHE_INDEX), cache.fd(ASHM_CACHE_CONTENTS));
}

static void put(ashmem::cache &cache, std::string_view key, int byte)
{
	const std::vector<unsigned char> data(size, std::uint8_t(byte));

	cache.put(key, data.data(), size);
}

static bool has(const ashmem::cache &cache, std::string_view key, int byte)
{
	const ashmem::entry entry = cache.get(key);

	return entry && entry.size() == size && filled(entry.data(), byte);
}

static void caches()
{
	constexpr std::string_view binary("a\0b", 3);
	ashmem::region any("any", 4096);
	ashmem::cache cache("cpp", 4 * size, 10, 8), twin = another(cache);

	EXPECT(!cache.get("one") && cache.stat().misses == 1);
	put(cache, "one", 1);
	put(cache, binary, 2);
	cache.put("none", nullptr, 0);
	EXPECT(has(twin, "one", 1) && has(twin, binary, 2) && !twin.get("a"));
	EXPECT(twin.get("none") && twin.get("none").size() == 0);
	EXPECT(cache.stat().entries == 3 && cache.stat().handles == 2);

	/* What is held stays; the rest may go. */
	ashmem::entry held = cache.get("one");
	put(twin, "one", 3);
	EXPECT(filled(held.data(), 1) && has(cache, "one", 3));
	ashmem::entry moved(std::move(held));
	EXPECT(moved && !held && held.size() == 0 && !held.data());
	purge_unused(any);
	EXPECT(filled(moved.data(), 1));
	put(twin, "one", 3);
	EXPECT(twin.drop("one") && !twin.drop("one") && !cache.get("one"));
	EXPECT(filled(moved.data(), 1));

	/* No longer than that: one of the cache's size has room now. */
	moved.release();
	cache = another(twin);
	EXPECT(!moved && cache.stat().handles == 2);
	EXPECT(cache.reserve("all", 4 * size));
	EXPECT(!cache.get("all") && cache.stat().entries == 0);

	/* It keeps the cache open. */
	put(cache, "last", 4);
	moved = cache.get("last");
	cache = ashmem::cache();
	twin = ashmem::cache();
	EXPECT(filled(moved.data(), 4));
}

static void reservations()
{
	ashmem::cache cache("cpp", 2 * size, 10, 8);
	ashmem::reservation made = cache.reserve("made", size);
	std::error_code ec;

	std::memset(made.data(), 5, made.size());
	EXPECT(!cache.get("made"));
	{
		const ashmem::entry entry = made.commit();

		EXPECT(!made && filled(entry.data(), 5) && has(cache, "made", 5));
		/* It is still held, so there is no room. */
		EXPECT(!cache.reserve("all", 2 * size, &ec) && ec == errc::no_space_on_device);
	}
	EXPECT_THROW(bad_file_descriptor, made.commit());
	EXPECT_THROW(bad_file_descriptor, made.release());
	try {
		ashmem::reservation half = cache.reserve("made", size);

		std::memset(half.data(), 6, size / 2);
		throw std::runtime_error("in the middle");
	} catch (const std::runtime_error &) {
	}
	EXPECT(has(cache, "made", 5));
	EXPECT(cache.reserve("all", 2 * size, &ec) && !ec);
}

static void cache_errors()
{
	ashmem::cache cache("cpp", size, 10, 8), none;
	ashmem::region other("other", size);
	std::error_code ec;

	EXPECT_THROW(invalid_argument, ashmem::cache("none", 0, 1, 1));
	EXPECT(!ashmem::cache("none", size, 1, 1025, &ec) && ec == errc::invalid_argument);
	EXPECT_THROW(invalid_argument, (void)cache.get("too long!"));
	EXPECT(!cache.get("", &ec) && ec == errc::invalid_argument);
	EXPECT_THROW(file_too_large, cache.put("big", &ec, size + 1));
	EXPECT_THROW(bad_file_descriptor, (void)none.get("key"));
	EXPECT_THROW(bad_file_descriptor, none.drop("key"));
	EXPECT_THROW(bad_file_descriptor, none.stat());
	EXPECT(none.fd(ASHM_CACHE_INDEX) < 0 && cache.fd(2) < 0);
	other.write("text", 4, 0);
	EXPECT_THROW(protocol_error, ashmem::cache::open(other.fd(), other.fd()));
	EXPECT(!ashmem::cache::open(cache.fd(0), -1, &ec) && ec == errc::bad_file_descriptor);
	EXPECT(!cache.get("key", &ec) && !ec);
}

static void cache_in_child()
{
	ashmem::cache cache("cpp", size, 10, 8);
	ashmem::reservation made = cache.reserve("key", size);
	std::fflush(stdout);
	const pid_t pid = fork();

	if (!pid) {
		std::error_code ec;

		made.commit(&ec);
		const bool kept = bool(made);

		made = ashmem::reservation();
		cache = ashmem::cache();
		std::_Exit(ec.value() != ECHILD || !kept);
	}
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid && !status);
	EXPECT(made.commit() && cache.stat().handles == 1);
}

/* ---- frames ---- */

static ashm_ring_config config(std::uint32_t flags)
{
	ashm_ring_config config = {};

	config.frame_max = 4096;
	config.slots = 4;
	config.flags = flags;
	return config;
}

static void frames()
{
	ashmem::region region("cpp", std::size_t(ashmem::ring::size(config(ASHM_RING_WAIT))));
	ashmem::ring ring = ashmem::ring::create(region.fd(), config(ASHM_RING_WAIT));
	ashmem::frame_writer writer = ring.writer();
	ashmem::frame_reader reader = ashmem::ring::attach(region.fd()).reader();
	std::vector<unsigned char> buf;
	std::error_code ec;

	EXPECT_THROW(device_or_resource_busy, (void)ring.writer());
	EXPECT_THROW(resource_unavailable_try_again, reader.read(buf, 0ms));
	reader.read(buf, 5ms, &ec);
	EXPECT(ec == errc::timed_out);
	writer.write("hello", 6, 42);
	char small[2];
	EXPECT(reader.read(small, 2, 0ms, &ec).length == 6 && ec == errc::message_size);
	ashm_frame frame = reader.read(buf, 0ms, &ec);
	EXPECT(!ec && frame.tag == 42 && buf.size() == 6 && !std::memcmp(buf.data(), "hello", 6));
	writer.write("x", 1);
	reader.read(buf);
	EXPECT(buf.size() == 1);
	EXPECT(ring.stat().frames == 2 && ring.stat().readers == 1);

	ring.set_spin(50us);
	EXPECT_THROW(invalid_argument, ring.set_spin(2s));
	EXPECT_THROW(invalid_argument, ring.set_spin(-1us));
	ring = ashmem::ring();
	for (std::uint64_t i = 0; i < 4; i++)
		writer.write(&i, sizeof(i));
	EXPECT_THROW(resource_unavailable_try_again, writer.write(buf.data(), 1, 0, 0ms));
	reader = ashmem::frame_reader();
	EXPECT_THROW(broken_pipe, writer.write(buf.data(), 1));
	EXPECT_THROW(message_size, writer.write(buf.data(), 4097));
}

static void frames_in_place()
{
	ashmem::region region("cpp", std::size_t(ashmem::ring::size(config(0))));
	ashmem::ring ring = ashmem::ring::create(region.fd(), config(0));
	ashmem::frame_writer writer = ring.writer();
	ashmem::frame_reader reader = ring.reader();
	std::error_code ec;

	ashmem::slot slot = writer.begin(3);
	std::memcpy(slot.data(), "abc", 3);
	slot.commit(4, 0, &ec);
	EXPECT(ec == errc::invalid_argument && slot);
	slot.commit(3, 7);
	EXPECT(!slot);
	EXPECT_THROW(bad_file_descriptor, slot.commit(3));
	{
		ashmem::loan loan = reader.borrow();

		EXPECT(loan.size() == 3 && loan.frame().tag == 7);
		EXPECT(!std::memcmp(loan.data(), "abc", 3));
		loan.check();
		EXPECT_THROW(operation_in_progress, (void)reader.borrow(0ms));
		loan.release();
		EXPECT(!loan && !loan.data());
	}
	/* An exception drops the frame that was begun, and gives back what is lent. */
	try {
		ashmem::slot dropped = writer.begin(3);

		throw std::runtime_error("in the middle");
	} catch (const std::runtime_error &) {
	}
	EXPECT(!reader.borrow(0ms, &ec) && ec == errc::resource_unavailable_try_again);
	writer.write("d", 1);
	try {
		ashmem::loan dropped = reader.borrow();

		throw std::runtime_error("in the middle");
	} catch (const std::runtime_error &) {
	}
	writer.write("e", 1);
	ashmem::loan loan = reader.borrow();
	EXPECT(!std::memcmp(loan.data(), "e", 1));
	for (int i = 0; i < 4; i++)
		writer.write("f", 1);
	loan.check(&ec);
	EXPECT(ec.value() == ESTALE);
	loan.release(&ec);
	EXPECT(ec.value() == ESTALE);
	loan = reader.borrow();
	reader = ashmem::frame_reader();
	EXPECT(!std::memcmp(loan.data(), "f", 1));

	ashmem::loan moved = std::move(loan);
	EXPECT(moved.size() == 1 && !loan.data() && !loan.size());
}

/* A slot and a loan that are empty don't keep the writer and the reader. */
static void emptied()
{
	ashmem::region region("cpp", std::size_t(ashmem::ring::size(config(ASHM_RING_WAIT))));
	ashmem::ring ring = ashmem::ring::create(region.fd(), config(ASHM_RING_WAIT));
	ashmem::frame_writer writer = ring.writer();
	ashmem::frame_reader reader = ring.reader();
	ashmem::slot slot = writer.begin(1);

	slot.commit(1);
	ashmem::loan loan = reader.borrow();
	loan.release();
	writer = ashmem::frame_writer();
	EXPECT(ring.stat().writer == ASHM_WRITER_CLOSED);
	reader = ashmem::frame_reader();
	EXPECT(ring.stat().readers == 0);
}

/* A child's copies end without a trace in the parent. */
static void children()
{
	ashmem::region region("cpp", std::size_t(ashmem::ring::size(config(ASHM_RING_WAIT))));
	ashmem::ring ring = ashmem::ring::create(region.fd(), config(ASHM_RING_WAIT));
	ashmem::frame_writer writer = ring.writer();
	ashmem::frame_reader reader = ring.reader();
	ashmem::purgeable object("cpp", size, [](void *at, std::size_t len) {
		std::memset(at, 1, len);
	});
	ashmem::reading contents = object.read();
	std::fflush(stdout);
	const pid_t pid = fork();

	if (!pid) {
		std::error_code ec, other;

		writer.write("x", 1, 0, 0ms, &ec);
		(void)object.read(&other);
		writer = ashmem::frame_writer();
		reader = ashmem::frame_reader();
		contents = ashmem::reading();
		object = ashmem::purgeable();
		std::_Exit(ec.value() != ECHILD || other.value() != ECHILD);
	}
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid && !status);
	std::vector<unsigned char> buf;
	writer.write("x", 1);
	EXPECT(reader.read(buf, 0ms).seq == 1 && filled(contents.data(), 1));
}

static const struct {
	const char *name;
	void (*run)();
} tests[] = {
	{"regions", regions},
	{"errors", errors},
	{"holds", holds},
	{"passing_on", passing_on},
	{"purgeables", purgeables},
	{"failing_rebuild", failing_rebuild},
	{"threads", threads},
	{"caches", caches},
	{"reservations", reservations},
	{"cache_errors", cache_errors},
	{"cache_in_child", cache_in_child},
	{"frames", frames},
	{"frames_in_place", frames_in_place},
	{"emptied", emptied},
	{"children", children},
};

/* The library keeps the choice for the process. */
static int run_on(const char *backend, int number)
{
	setenv("ASHMEM_BACKEND", backend, 1);
	on_device = !std::strcmp(backend, "ashmem");
	const int fds = count_fds();
	int status = 0;

	for (const auto &test : tests) {
		failed = false;
		try {
			test.run();
		} catch (const std::exception &e) {
			std::printf("# it threw: %s\n", e.what());
			failed = true;
		}
		EXPECT(count_fds() == fds);
		std::printf("%sok %d cpp.%s.%s\n", failed ? "not " : "", ++number, backend,
			    test.name);
		status |= failed;
	}
	return status;
}

int main()
{
	constexpr int count = sizeof(tests) / sizeof(tests[0]);
	int number = 0, status, result = 0;

	std::printf("TAP version 13\n1..%d\n", 2 * count);
	for (const char *backend : {"ashmem", "memfd"}) {
		if (!std::strcmp(backend, "ashmem") && access("/dev/ashmem", F_OK)) {
			for (const auto &test : tests)
				std::printf("ok %d cpp.%s.%s # SKIP no /dev/ashmem here\n",
					    ++number, backend, test.name);
			continue;
		}
		std::fflush(stdout);
		const pid_t pid = fork();
		if (!pid) {
			status = run_on(backend, number);
			std::fflush(stdout);
			std::_Exit(status);
		}
		waitpid(pid, &status, 0);
		result |= !!status;
		number += count;
	}
	return result;
}
