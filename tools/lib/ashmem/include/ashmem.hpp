/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * libashmem for C++17 and later: a header over the C functions of the same names.
 *
 * Objects can be moved but not copied. Their destructors release what they own. An
 * object that a call returned (a holding, reading, writing, entry, reservation, slot or
 * loan) keeps the object of that call alive. An empty object, such as one that was moved from,
 * converts to false, and its calls fail with EBADF.
 *
 * The last argument of each call that can fail is a pointer to a std::error_code.
 * Without it the call throws std::system_error. With it the call sets the code, and
 * returns an empty object or a meaningless value. Codes are of std::generic_category()
 * and compare with std::errc. std::bad_alloc is thrown in either case. The C
 * interface's rules for threads apply.
 */
#ifndef ASHMEM_HPP
#define ASHMEM_HPP

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ashmem.h>
#include <ashmem_cache.h>
#include <ashmem_frame.h>
#include <ashmem_purgeable.h>

namespace ashmem {

using milliseconds = std::chrono::milliseconds;

/* As a timeout: wait without limit. */
inline constexpr milliseconds forever{-1};

namespace detail {

/* Throws -errno or stores it in @ec, as the caller chose. Passes other results. */
inline int settle(int ret, const char *call, std::error_code *ec)
{
	if (ret >= 0) {
		if (ec)
			ec->clear();
		return ret;
	}
	const std::error_code error(-ret, std::generic_category());

	if (!ec)
		throw std::system_error(error, call);
	*ec = error;
	return ret;
}

inline int clamp(milliseconds timeout)
{
	const milliseconds longest(std::numeric_limits<int>::max());

	return timeout.count() < 0 ? -1 : int(std::min(timeout, longest).count());
}

/* An object of the C interface. Objects that came from it share its ownership. */
template <class T, void (*End)(T *)>
class handle {
public:
	handle() noexcept = default;
	handle(handle &&) noexcept = default;
	handle(const handle &) = delete;
	handle &operator=(handle &&) noexcept = default;
	handle &operator=(const handle &) = delete;
	~handle() = default;

	explicit operator bool() const noexcept
	{
		return object != nullptr;
	}

	/* For the C interface; still owned here. */
	T *get() const noexcept
	{
		return object.get();
	}

protected:
	void own(T *made)
	{
		object.reset(made, End);
	}

	template <class F, class... A>
	int call(const char *name, std::error_code *ec, F f, A... args) const
	{
		return settle(object ? f(object.get(), args...) : -EBADF, name, ec);
	}

	std::shared_ptr<T> object;
};

} // namespace detail

/* ---- descriptors and mappings ---- */

/* Owns a file descriptor and closes it. */
class descriptor {
public:
	descriptor() noexcept = default;
	explicit descriptor(int number) noexcept : fd(number)
	{
	}
	descriptor(descriptor &&other) noexcept : fd(other.release())
	{
	}
	descriptor &operator=(descriptor &&other) noexcept
	{
		descriptor(std::move(other)).swap(*this);
		return *this;
	}
	~descriptor()
	{
		if (fd >= 0)
			::close(fd);
	}

	void swap(descriptor &other) noexcept
	{
		std::swap(fd, other.fd);
	}

	explicit operator bool() const noexcept
	{
		return fd >= 0;
	}

	int get() const noexcept
	{
		return fd;
	}

	int release() noexcept
	{
		return std::exchange(fd, -1);
	}

private:
	int fd = -1;
};

/* Owns a mapping of a region and unmaps it. It can outlive the region. */
class mapping {
public:
	mapping() noexcept = default;
	mapping(void *at, std::size_t len) noexcept : bytes(at, unmap{len})
	{
	}

	explicit operator bool() const noexcept
	{
		return bytes != nullptr;
	}

	void *data() const noexcept
	{
		return bytes.get();
	}

	std::size_t size() const noexcept
	{
		return bytes ? bytes.get_deleter().len : 0;
	}

private:
	struct unmap {
		std::size_t len;
		void operator()(void *at) const noexcept
		{
			ashm_unmap(at, len);
		}
	};

	std::unique_ptr<void, unmap> bytes;
};

/* ---- regions ---- */

namespace detail {

struct pinned_region {
	explicit pinned_region(::ashm *made) noexcept : region(made)
	{
	}
	pinned_region(const pinned_region &) = delete;
	pinned_region &operator=(const pinned_region &) = delete;
	~pinned_region()
	{
		ashm_close(region);
	}

	::ashm *region;
	std::mutex lock;
	bool held = false;	/* guarded by @lock */
};

inline void end_region(pinned_region *state)
{
	delete state;
}

} // namespace detail

class region;

/* Keeps the contents of a region while it exists. After that they may be purged. */
class holding {
public:
	holding() noexcept = default;

	explicit operator bool() const noexcept
	{
		return held != nullptr;
	}

	/* Some contents were lost earlier and read as zeroes. */
	bool was_lost() const noexcept
	{
		return lost;
	}

private:
	friend class region;

	struct unpin {
		void operator()(detail::pinned_region *state) const noexcept
		{
			const std::lock_guard<std::mutex> guard(state->lock);

			/* A failure is harmless: the contents stay. */
			ashm_unpin(state->region);
			state->held = false;
		}
		std::shared_ptr<detail::pinned_region> owner;
	};

	std::unique_ptr<detail::pinned_region, unpin> held;
	bool lost = false;
};

/* struct ashm. ashmem.h describes the calls and their errors. */
class region : private detail::handle<detail::pinned_region, detail::end_region> {
public:
	region() noexcept = default;

	/* ashm_create() */
	region(const std::string &name, std::size_t size, std::error_code *ec = nullptr)
	{
		::ashm *made = nullptr;

		if (detail::settle(ashm_create(name.c_str(), size, &made), "ashm_create",
				   ec) >= 0)
			take(made);
	}

	/* ashm_adopt(). If it fails, @fd still owns its descriptor. */
	static region adopt(descriptor &&fd, std::error_code *ec = nullptr)
	{
		::ashm *made = nullptr;
		region result;

		if (detail::settle(ashm_adopt(fd.get(), &made), "ashm_adopt", ec) >= 0) {
			fd.release();
			result.take(made);
		}
		return result;
	}

	/* ashm_receive() */
	static region receive(int sock, std::error_code *ec = nullptr)
	{
		::ashm *made = nullptr;
		region result;

		if (detail::settle(ashm_receive(sock, &made), "ashm_receive", ec) >= 0)
			result.take(made);
		return result;
	}

	using handle::operator bool;

	/* For the C interface; still owned here. */
	::ashm *get() const noexcept
	{
		return object ? object->region : nullptr;
	}

	int fd() const noexcept
	{
		return object ? ashm_fd(get()) : -1;
	}

	std::uint64_t size() const noexcept
	{
		return object ? ashm_size(get()) : 0;
	}

	std::string name(std::error_code *ec = nullptr) const
	{
		char text[256] = "";

		on_region("ashm_name", ec, ashm_name, text, sizeof(text));
		return text;
	}

	/* Maps the whole region. @prot: PROT_READ, PROT_WRITE, PROT_EXEC. */
	mapping map(int prot, std::error_code *ec = nullptr) const
	{
		void *at = nullptr;

		if (on_region("ashm_map", ec, ashm_map, prot, &at) < 0)
			return {};
		return {at, std::size_t(size())};
	}

	mapping map_range(int prot, std::uint64_t offset, std::size_t len,
			  std::error_code *ec = nullptr) const
	{
		void *at = nullptr;

		if (on_region("ashm_map_range", ec, ashm_map_range, prot, offset, len,
			      &at) < 0)
			return {};
		return {at, len};
	}

	void read(void *to, std::size_t len, std::uint64_t offset,
		  std::error_code *ec = nullptr) const
	{
		on_region("ashm_read", ec, ashm_read, to, len, offset);
	}

	void write(const void *from, std::size_t len, std::uint64_t offset,
		   std::error_code *ec = nullptr)
	{
		on_region("ashm_write", ec, ashm_write, from, len, offset);
	}

	/* ashm_unpin(). EBUSY while a holding exists. */
	void unpin(std::error_code *ec = nullptr)
	{
		detail::settle(unless_held(ashm_unpin, false), "ashm_unpin", ec);
	}

	/* ashm_pin(). True if contents were lost. EBUSY while a holding exists. */
	bool pin(std::error_code *ec = nullptr)
	{
		return detail::settle(unless_held(ashm_pin, false), "ashm_pin", ec) > 0;
	}

	bool pinned() const noexcept
	{
		return object && ashm_pinned(get());
	}

	/*
	 * Pins as long as the result exists. A second call during that time fails with
	 * EBUSY: it can't know whether the first user has rebuilt lost contents yet.
	 * For memory that threads share, use a purgeable.
	 */
	[[nodiscard]] holding hold(std::error_code *ec = nullptr)
	{
		holding result;
		const int ret = detail::settle(unless_held(ashm_pin, true), "ashm_pin", ec);

		if (ret < 0)
			return result;
		result.held = {object.get(), {object}};
		result.lost = ret == ASHM_WAS_LOST;
		return result;
	}

	void protect(int prot, std::error_code *ec = nullptr)
	{
		on_region("ashm_protect", ec, ashm_protect, prot);
	}

	int prot(std::error_code *ec = nullptr) const
	{
		return on_region("ashm_prot", ec, ashm_prot);
	}

	descriptor share_readonly(std::error_code *ec = nullptr)
	{
		return descriptor(on_region("ashm_share_readonly", ec, ashm_share_readonly));
	}

	void send(int sock, std::error_code *ec = nullptr) const
	{
		detail::settle(object ? ashm_send(sock, fd()) : -EBADF, "ashm_send", ec);
	}

private:
	void take(::ashm *made)
	{
		std::unique_ptr<::ashm, void (*)(::ashm *)> guard(made, ashm_close);

		own(new detail::pinned_region(made));
		guard.release();
	}

	template <class F, class... A>
	int on_region(const char *name, std::error_code *ec, F f, A... args) const
	{
		return detail::settle(object ? f(get(), args...) : -EBADF, name, ec);
	}

	int unless_held(int (*f)(::ashm *), bool held) const
	{
		if (!object)
			return -EBADF;
		const std::lock_guard<std::mutex> guard(object->lock);

		if (object->held)
			return -EBUSY;
		const int ret = f(get());

		object->held = held && ret >= 0;
		return ret;
	}
};

/* ashm_send() of a descriptor, such as one of region::share_readonly(). */
inline void send(int sock, const descriptor &fd, std::error_code *ec = nullptr)
{
	detail::settle(ashm_send(sock, fd.get()), "ashm_send", ec);
}

/* ---- purgeable memory ---- */

namespace detail {

struct maker {
	std::function<void(void *, std::size_t)> rebuild;
	ashm_purgeable *object = nullptr;
};

inline void end_maker(maker *state)
{
	ashm_purgeable_destroy(state->object);
	delete state;
}

struct end_write {
	void operator()(void *) const noexcept
	{
		if (std::uncaught_exceptions() > exceptions)
			ashm_purgeable_discard(owner->object);
		ashm_purgeable_end_write(owner->object);
	}
	std::shared_ptr<maker> owner;
	int exceptions = 0;	/* in flight when writing began */
};

} // namespace detail

class purgeable;

/* Keeps the contents complete while it exists. */
class reading {
public:
	reading() noexcept = default;

	explicit operator bool() const noexcept
	{
		return contents != nullptr;
	}

	const void *data() const noexcept
	{
		return contents.get();
	}

private:
	friend class purgeable;

	struct end {
		void operator()(const void *) const noexcept
		{
			ashm_purgeable_end_read(owner->object);
		}
		std::shared_ptr<detail::maker> owner;
	};

	std::unique_ptr<const void, end> contents;
};

/*
 * The same for changing the contents, in the thread that began. If an exception
 * destroys it, it discards the contents, and the next use rebuilds them.
 */
class writing {
public:
	writing() noexcept = default;

	explicit operator bool() const noexcept
	{
		return contents != nullptr;
	}

	void *data() const noexcept
	{
		return contents.get();
	}

	void discard() noexcept
	{
		if (contents)
			ashm_purgeable_discard(contents.get_deleter().owner->object);
	}

private:
	friend class purgeable;

	std::unique_ptr<void, detail::end_write> contents;
};

/*
 * struct ashm_purgeable. @rebuild gets address and size of the contents and makes them,
 * in the thread that begins to use them. read() and write() let through what it throws,
 * even if they have an error code to set.
 */
class purgeable : private detail::handle<detail::maker, detail::end_maker> {
public:
	using rebuild_function = std::function<void(void *contents, std::size_t size)>;

	purgeable() noexcept = default;

	purgeable(const std::string &name, std::size_t size, rebuild_function rebuild,
		  std::error_code *ec = nullptr)
	{
		own(new detail::maker{std::move(rebuild), nullptr});
		if (detail::settle(ashm_purgeable_create(name.c_str(), size, nullptr, nullptr,
							 &object->object),
				   "ashm_purgeable_create", ec) < 0)
			object.reset();
	}

	using handle::operator bool;

	ashm_purgeable *get() const noexcept
	{
		return object ? object->object : nullptr;
	}

	std::size_t size() const noexcept
	{
		return object ? ashm_purgeable_size(get()) : 0;
	}

	[[nodiscard]] reading read(std::error_code *ec = nullptr) const
	{
		int ret = object ? 0 : -EBADF;
		const void *at = nullptr;
		reading result;
		writing rebuilt;

		if (!ret)
			ret = ashm_purgeable_begin_read(get(), &at);
		/* Others may rebuild at the same time, and read then. */
		while (ret == -ENODATA) {
			rebuilt = begin(ashm_purgeable_begin_rebuild, ret);
			if (ret >= 0)
				ret = ashm_purgeable_begin_read(get(), &at);
		}
		if (detail::settle(ret, "ashm_purgeable_begin_read", ec) >= 0)
			result.contents = {at, {object}};
		return result;
	}

	[[nodiscard]] writing write(std::error_code *ec = nullptr)
	{
		int ret = object ? 0 : -EBADF;
		writing result;

		if (!ret)
			result = begin(ashm_purgeable_begin_write, ret);
		detail::settle(ret, "ashm_purgeable_begin_write", ec);
		return result;
	}

	/* ashm_purgeable_reclaim(). Returns the bytes that it freed. */
	static std::uint64_t reclaim(std::uint64_t bytes, std::error_code *ec = nullptr)
	{
		std::uint64_t freed = 0;

		detail::settle(ashm_purgeable_reclaim(bytes, &freed),
			       "ashm_purgeable_reclaim", ec);
		return freed;
	}

private:
	/* If the rebuild function throws, the result's destructor discards what it made. */
	template <class F>
	writing begin(F f, int &ret) const
	{
		void *at = nullptr;
		writing result;

		ret = f(get(), &at);
		if (at)
			result.contents = {at, {object, std::uncaught_exceptions()}};
		if (ret == ASHM_WAS_LOST) {
			object->rebuild(at, size());
			ret = ashm_purgeable_rebuilt(get());
		}
		return result;
	}
};

/* ---- caches ---- */

namespace detail {

struct release_entry {
	void operator()(const void *) const noexcept
	{
		ashm_cache_release(owner.get(), &held);
	}
	std::shared_ptr<ashm_cache> owner;
	ashm_cache_entry held = {};
};

/* An entry that is held. P is void * or const void *. */
template <class P>
class held_entry {
public:
	held_entry() noexcept = default;

	explicit operator bool() const noexcept
	{
		return contents != nullptr;
	}

	P *data() const noexcept
	{
		return contents.get();
	}

	std::size_t size() const noexcept
	{
		return contents ? contents.get_deleter().held.size : 0;
	}

	/*
	 * What the destructor does. After a failure it is still held: call again. If the
	 * destructor fails, it is held until the cache ends.
	 */
	void release(std::error_code *ec = nullptr)
	{
		finish(ashm_cache_release, "ashm_cache_release", ec);
	}

protected:
	/* Calls @f, after which this is empty unless it failed. */
	template <class F>
	bool finish(F f, const char *name, std::error_code *ec)
	{
		const int ret = !contents ? -EBADF :
			f(contents.get_deleter().owner.get(), &contents.get_deleter().held);

		if (settle(ret, name, ec) < 0)
			return false;
		contents.release();
		contents.get_deleter() = {};
		return true;
	}

	void hold(const std::shared_ptr<ashm_cache> &owner, const ashm_cache_entry &entry)
	{
		contents = {entry.data, {owner, entry}};
	}

	std::unique_ptr<P, release_entry> contents;
};

} // namespace detail

/* An entry of a cache. It stays, and doesn't change, while this exists. */
class entry : public detail::held_entry<const void> {
	friend class cache;
	friend class reservation;
};

/* An entry that is being made. The destructor gives it up unless it was committed. */
class reservation : public detail::held_entry<void> {
public:
	/* Others find the entry from now on. After a failure it is still reserved. */
	entry commit(std::error_code *ec = nullptr)
	{
		const detail::release_entry end = contents.get_deleter();
		entry result;

		if (finish(ashm_cache_commit, "ashm_cache_commit", ec))
			result.hold(end.owner, end.held);
		return result;
	}

private:
	friend class cache;
};

/* struct ashm_cache. A key is any bytes. */
class cache : public detail::handle<ashm_cache, ashm_cache_close> {
public:
	cache() noexcept = default;

	/* ashm_cache_create() */
	cache(const std::string &name, std::uint64_t size, std::uint32_t entries,
	      std::uint32_t key_max, std::error_code *ec = nullptr)
	{
		ashm_cache *made = nullptr;

		if (detail::settle(ashm_cache_create(name.c_str(), size, entries, key_max,
						     &made), "ashm_cache_create", ec) >= 0)
			own(made);
	}

	/* ashm_cache_open(), with copies of both descriptors. */
	static cache open(int index, int contents, std::error_code *ec = nullptr)
	{
		::ashm *parts[2] = {};
		ashm_cache *made = nullptr;
		cache result;
		int ret = copy(index, &parts[0]);

		if (!ret)
			ret = copy(contents, &parts[1]);
		if (!ret)
			ret = ashm_cache_open(parts[0], parts[1], &made);
		if (ret) {
			ashm_close(parts[0]);
			ashm_close(parts[1]);
		}
		if (detail::settle(ret, "ashm_cache_open", ec) >= 0)
			result.own(made);
		return result;
	}

	/* @part: ASHM_CACHE_INDEX or ASHM_CACHE_CONTENTS. The cache keeps it. */
	int fd(int part) const noexcept
	{
		return object ? ashm_cache_fd(get(), part) : -1;
	}

	using handle::get;

	/* If there is no such entry, the result is empty. That is no error. */
	[[nodiscard]] entry get(std::string_view key, std::error_code *ec = nullptr) const
	{
		ashm_cache_entry found = {};
		entry result;

		if (is_there("ashm_cache_get", ec, ashm_cache_get, key.data(), key.size(),
			     &found))
			result.hold(object, found);
		return result;
	}

	[[nodiscard]] reservation reserve(std::string_view key, std::size_t size,
					  std::error_code *ec = nullptr)
	{
		ashm_cache_entry made = {};
		reservation result;

		if (call("ashm_cache_reserve", ec, ashm_cache_reserve, key.data(), key.size(),
			 size, &made) >= 0)
			result.hold(object, made);
		return result;
	}

	void put(std::string_view key, const void *data, std::size_t size,
		 std::error_code *ec = nullptr)
	{
		call("ashm_cache_put", ec, ashm_cache_put, key.data(), key.size(), data, size);
	}

	/* False if there was no such entry. */
	bool drop(std::string_view key, std::error_code *ec = nullptr)
	{
		return is_there("ashm_cache_drop", ec, ashm_cache_drop, key.data(), key.size());
	}

	struct ashm_cache_stat stat(std::error_code *ec = nullptr) const
	{
		struct ashm_cache_stat found = {};

		call("ashm_cache_stat", ec, ::ashm_cache_stat, &found);
		return found;
	}

private:
	static int copy(int fd, ::ashm **made)
	{
		descriptor twin(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
		const int ret = twin ? ashm_adopt(twin.get(), made) : -errno;

		if (!ret)
			twin.release();
		return ret;
	}

	template <class F, class... A>
	bool is_there(const char *name, std::error_code *ec, F f, A... args) const
	{
		const int ret = object ? f(get(), args...) : -EBADF;

		return !detail::settle(ret == -ENOENT ? 1 : ret, name, ec);
	}
};

/* ---- frames ---- */

class frame_writer;
class frame_reader;

/* A frame that is made in place. The destructor drops it unless it was committed. */
class slot {
public:
	slot() noexcept = default;

	explicit operator bool() const noexcept
	{
		return payload != nullptr;
	}

	void *data() const noexcept
	{
		return payload.get();
	}

	/* Empties the slot, even on failure, except if @length exceeds the slot. */
	void commit(std::size_t length, std::uint64_t tag = 0,
		    std::error_code *ec = nullptr)
	{
		const int ret = payload ?
			ashm_frame_commit(payload.get_deleter().owner.get(), length, tag) :
			-EBADF;

		/* With the deleter, which owns the writer. */
		if (ret != -EINVAL)
			payload = decltype(payload)();
		detail::settle(ret, "ashm_frame_commit", ec);
	}

private:
	friend class frame_writer;

	/* After a commit the abort finds nothing to do. */
	struct end {
		void operator()(void *) const noexcept
		{
			ashm_frame_abort(owner.get());
		}
		std::shared_ptr<ashm_writer> owner;
	};

	std::unique_ptr<void, end> payload;
};

/* A frame that is read in place. The destructor releases it. */
class loan {
public:
	loan() noexcept = default;

	explicit operator bool() const noexcept
	{
		return payload != nullptr;
	}

	/* The frame's properties. Its data is valid as long as the loan exists. */
	const ashm_frame &frame() const noexcept
	{
		return known;
	}

	const void *data() const noexcept
	{
		return payload ? known.data : nullptr;
	}

	std::size_t size() const noexcept
	{
		return payload ? std::size_t(known.length) : 0;
	}

	/* Fails if the frame was overwritten: bytes that were read may be of another. */
	void check(std::error_code *ec = nullptr) const
	{
		detail::settle(valid(), "ashm_frame_valid", ec);
	}

	/* The same, then releases the frame. */
	void release(std::error_code *ec = nullptr)
	{
		const int ret = valid();

		/* With the deleter, which owns the reader. */
		payload = decltype(payload)();
		known.data = nullptr;
		detail::settle(ret, "ashm_frame_release", ec);
	}

private:
	friend class frame_reader;

	int valid() const noexcept
	{
		return payload ? ashm_frame_valid(payload.get_deleter().owner.get()) : -EBADF;
	}

	struct end {
		void operator()(const ashm_reader *) const noexcept
		{
			ashm_frame_release(owner.get());
		}
		std::shared_ptr<ashm_reader> owner;
	};

	std::unique_ptr<const ashm_reader, end> payload;
	ashm_frame known = {};
};

/* struct ashm_writer */
class frame_writer : public detail::handle<ashm_writer, ashm_ring_writer_close> {
public:
	frame_writer() noexcept = default;

	void write(const void *data, std::size_t length, std::uint64_t tag = 0,
		   milliseconds timeout = forever, std::error_code *ec = nullptr)
	{
		call("ashm_frame_write", ec, ashm_frame_write, data, length, tag,
		     detail::clamp(timeout));
	}

	[[nodiscard]] slot begin(std::size_t length, milliseconds timeout = forever,
				 std::error_code *ec = nullptr)
	{
		void *at = nullptr;
		slot result;

		if (call("ashm_frame_begin", ec, ashm_frame_begin, length, &at,
			 detail::clamp(timeout)) >= 0)
			result.payload = {at, {object}};
		return result;
	}

private:
	friend class ring;
};

/* struct ashm_reader */
class frame_reader : public detail::handle<ashm_reader, ashm_ring_reader_close> {
public:
	frame_reader() noexcept = default;

	/* The result is also set with EMSGSIZE, so that the caller learns the length. */
	ashm_frame read(void *buf, std::size_t size, milliseconds timeout = forever,
			std::error_code *ec = nullptr)
	{
		ashm_frame frame = {};

		call("ashm_frame_read", ec, ashm_frame_read, buf, size, &frame,
		     detail::clamp(timeout));
		return frame;
	}

	/* Resizes @buf to the frame. */
	ashm_frame read(std::vector<unsigned char> &buf, milliseconds timeout = forever,
			std::error_code *ec = nullptr)
	{
		std::error_code found;
		ashm_frame frame = read(buf.data(), buf.size(), timeout, &found);

		while (found == std::errc::message_size) {
			buf.resize(std::size_t(frame.length));
			frame = read(buf.data(), buf.size(), timeout, &found);
		}
		detail::settle(-found.value(), "ashm_frame_read", ec);
		if (!found)
			buf.resize(std::size_t(frame.length));
		return frame;
	}

	[[nodiscard]] loan borrow(milliseconds timeout = forever,
				  std::error_code *ec = nullptr)
	{
		loan result;

		if (call("ashm_frame_borrow", ec, ashm_frame_borrow, &result.known,
			 detail::clamp(timeout)) >= 0)
			result.payload = {get(), {object}};
		return result;
	}

private:
	friend class ring;
};

/* struct ashm_ring. Its writers and readers may outlive it. */
class ring : public detail::handle<ashm_ring, ashm_ring_detach> {
public:
	ring() noexcept = default;

	/* ashm_ring_size() */
	static std::uint64_t size(const ashm_ring_config &config,
				  std::error_code *ec = nullptr)
	{
		std::uint64_t bytes = 0;

		detail::settle(ashm_ring_size(&config, &bytes), "ashm_ring_size", ec);
		return bytes;
	}

	/* ashm_ring_create() */
	static ring create(int fd, const ashm_ring_config &config,
			   std::error_code *ec = nullptr)
	{
		ashm_ring *made = nullptr;
		ring result;

		if (detail::settle(ashm_ring_create(fd, &config, &made),
				   "ashm_ring_create", ec) >= 0)
			result.own(made);
		return result;
	}

	/* ashm_ring_attach() */
	static ring attach(int fd, unsigned int flags = 0, std::error_code *ec = nullptr)
	{
		ashm_ring *made = nullptr;
		ring result;

		if (detail::settle(ashm_ring_attach(fd, flags, &made), "ashm_ring_attach",
				   ec) >= 0)
			result.own(made);
		return result;
	}

	struct ashm_ring_stat stat(std::error_code *ec = nullptr) const
	{
		struct ashm_ring_stat found = {};

		call("ashm_ring_stat", ec, ::ashm_ring_stat, &found);
		return found;
	}

	/* @time is rounded down to microseconds. */
	void set_spin(std::chrono::nanoseconds time, std::error_code *ec = nullptr)
	{
		const auto us =
			std::chrono::duration_cast<std::chrono::microseconds>(time).count();

		/* Turn what doesn't fit the argument into a value that the call rejects. */
		call("ashm_ring_set_spin", ec, ashm_ring_set_spin,
		     us < 0 || us > ASHM_SPIN_MAX ? ASHM_SPIN_MAX + 1 : unsigned(us));
	}

	void await_writer(milliseconds timeout = forever, std::error_code *ec = nullptr)
	{
		call("ashm_ring_await_writer", ec, ashm_ring_await_writer,
		     detail::clamp(timeout));
	}

	[[nodiscard]] frame_writer writer(std::error_code *ec = nullptr)
	{
		ashm_writer *made = nullptr;
		frame_writer result;

		if (call("ashm_ring_writer", ec, ashm_ring_writer, &made) >= 0)
			result.own(made);
		return result;
	}

	[[nodiscard]] frame_reader reader(unsigned int flags = 0,
					  std::error_code *ec = nullptr)
	{
		ashm_reader *made = nullptr;
		frame_reader result;

		if (call("ashm_ring_reader", ec, ashm_ring_reader, flags, &made) >= 0)
			result.own(made);
		return result;
	}
};

} // namespace ashmem

#endif
