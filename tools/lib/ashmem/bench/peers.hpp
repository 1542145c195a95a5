// SPDX-License-Identifier: GPL-2.0-only
/*
 * One end of a one-way channel, by a ring of ours and by libraries that do the same.
 *
 * Each copies a message from and to a buffer of the caller. Each holds up to path.slots
 * messages, loses none, and makes a sender wait that is too fast.
 */
#ifndef PEERS_HPP
#define PEERS_HPP

#include <ashmem.hpp>

#include <cstring>
#include <functional>
#include <string>

#include <unistd.h>

/* What both ends know. */
struct path {
	std::string name;
	std::size_t size;		/* of a message */
	std::uint32_t slots;
	bool spin;			/* as far as the library can */
	std::uint32_t flags;		/* of the ring */
	const ashmem::region *region;
};

/* A call that fails throws std::system_error. */
class end {
public:
	virtual ~end() = default;
	virtual void send(const void *data) = 0;
	virtual void receive(void *data) = 0;
};

/* What is special. */
enum {
	INSIDE = 1,			/* between threads of one process */
	HAS_THREADS = 2,		/* besides those that call it */
	HAS_DAEMON = 4,
};

struct contestant {
	const char *name;
	std::unique_ptr<end> (*open)(const path &, bool writes);
	std::uint32_t flags;		/* of the ring, or 0 */
	int traits;
};

/* ---- ours ---- */

inline ashm_ring_config config_of(const path &l)
{
	ashm_ring_config config = {};

	config.frame_max = l.size;
	config.slots = l.slots;
	config.flags = l.flags;
	return config;
}

class ring_end : public end {
public:
	ring_end(const path &l, bool writes) : size(l.size)
	{
		const bool readonly = !writes && l.flags & ASHM_RING_READONLY;
		const ashmem::descriptor lesser =
			readonly ? ashmem::region::adopt(ashmem::descriptor(dup(
				l.region->fd()))).share_readonly() : ashmem::descriptor();
		ashmem::ring ring = ashmem::ring::attach(readonly ? lesser.get() :
							 l.region->fd(), readonly);

		if (l.spin)
			ring.set_spin(std::chrono::milliseconds(100));
		if (writes)
			writer = ring.writer();
		else
			reader = ring.reader();
	}

	void send(const void *data) override
	{
		writer.write(data, size);
	}

	void receive(void *data) override
	{
		reader.read(data, size);
	}

private:
	std::size_t size;
	ashmem::frame_writer writer;
	ashmem::frame_reader reader;
};

/* ---- iceoryx ---- */

#ifdef WITH_ICEORYX
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/roudi/iceoryx_roudi_app.hpp>
#include <iceoryx_posh/roudi/cmd_line_args.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <iceoryx_hoofs/log/logmanager.hpp>

class iceoryx_end : public end {
	using text = iox::capro::IdString_t;

public:
	iceoryx_end(const path &l, bool writes) : size(l.size)
	{
		static const bool once = (iox::runtime::PoshRuntime::initRuntime(
			iox::RuntimeName_t(iox::cxx::TruncateToCapacity,
					   "peer" + std::to_string(getpid()))), true);
		const iox::capro::ServiceDescription service(
			text("ashmem"), text("peers"),
			text(iox::cxx::TruncateToCapacity, l.name));

		if (once && writes)
			publish(service);
		else
			subscribe(service, l.slots);
	}

	void send(const void *data) override
	{
		auto loaned = publisher->loan(std::uint32_t(size));

		if (loaned.has_error())
			throw std::system_error(ENOBUFS, std::generic_category(), "loan");
		std::memcpy(loaned.value(), data, size);
		publisher->publish(loaned.value());
	}

	void receive(void *data) override
	{
		for (;;) {
			auto taken = subscriber->take();

			if (!taken.has_error()) {
				std::memcpy(data, taken.value(), size);
				subscriber->release(taken.value());
				return;
			}
			if (taken.get_error() != iox::popo::ChunkReceiveResult::NO_CHUNK_AVAILABLE)
				throw std::system_error(EPROTO, std::generic_category(), "take");
		}
	}

private:
	void publish(const iox::capro::ServiceDescription &service)
	{
		iox::popo::PublisherOptions options;

		options.subscriberTooSlowPolicy =
			iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
		publisher = std::make_unique<iox::popo::UntypedPublisher>(service, options);
		while (!publisher->hasSubscribers())
			usleep(1000);
	}

	void subscribe(const iox::capro::ServiceDescription &service, std::uint32_t slots)
	{
		iox::popo::SubscriberOptions options;

		options.queueCapacity = slots;
		options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
		subscriber = std::make_unique<iox::popo::UntypedSubscriber>(service, options);
	}

	std::size_t size;
	std::unique_ptr<iox::popo::UntypedPublisher> publisher;
	std::unique_ptr<iox::popo::UntypedSubscriber> subscriber;
};

inline void silence_iceoryx()
{
	iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
		iox::log::LogLevel::kOff, iox::log::LogLevelOutput::kHideLogLevel);
}

/* The daemon that iceoryx needs. It runs until SIGTERM. */
inline int run_roudi()
{
	iox::config::CmdLineArgs_t arguments;

	arguments.logLevel = iox::log::LogLevel::kOff;
	return iox::roudi::IceOryxRouDiApp(arguments, iox::RouDiConfig_t().setDefaults()).run();
}
#endif

/* ---- ZeroMQ ---- */

#ifdef WITH_ZMQ
#include <zmq.h>

class zmq_end : public end {
public:
	zmq_end(const path &l, bool writes, const char *scheme) : size(l.size)
	{
		/* Both ends of inproc need one context; the process's end ends it. */
		static void *const context = zmq_ctx_new();
		const int slots = int(l.slots) / 2, linger = 0;

		socket = check(zmq_socket(context, writes ? ZMQ_PUSH : ZMQ_PULL),
			       static_cast<void *>(nullptr));
		zmq_setsockopt(socket, ZMQ_SNDHWM, &slots, sizeof(slots));
		zmq_setsockopt(socket, ZMQ_RCVHWM, &slots, sizeof(slots));
		zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
		check((writes ? zmq_bind : zmq_connect)(socket, (scheme + l.name).c_str()), -1);
	}

	~zmq_end() override
	{
		zmq_close(socket);
	}

	void send(const void *data) override
	{
		check(zmq_send(socket, data, size, 0), -1);
	}

	void receive(void *data) override
	{
		check(zmq_recv(socket, data, size, 0), -1);
	}

private:
	template <class T>
	static T check(T result, T failure)
	{
		if (result == failure)
			throw std::system_error(zmq_errno(), std::generic_category(), "zmq");
		return result;
	}

	std::size_t size;
	void *socket;
};
#endif

/* ---- nng ---- */

#ifdef WITH_NNG
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

class nng_end : public end {
public:
	nng_end(const path &l, bool writes, const char *scheme) : size(l.size)
	{
		const int slots = int(l.slots) / 2;

		check(nng_pair0_open(&socket));
		nng_socket_set_int(socket, NNG_OPT_SENDBUF, slots);
		nng_socket_set_int(socket, NNG_OPT_RECVBUF, slots);
		nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0);
		nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, 1);
		nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, 10);
		if (writes)
			check(nng_listen(socket, (scheme + l.name).c_str(), nullptr, 0));
		else
			check(nng_dial(socket, (scheme + l.name).c_str(), nullptr,
				       NNG_FLAG_NONBLOCK));
	}

	~nng_end() override
	{
		nng_close(socket);
	}

	void send(const void *data) override
	{
		check(nng_send(socket, const_cast<void *>(data), size, 0));
	}

	void receive(void *data) override
	{
		std::size_t length = size;

		check(nng_recv(socket, data, &length, 0));
	}

private:
	static void check(int error)
	{
		if (error)
			throw std::system_error(EIO, std::generic_category(), nng_strerror(error));
	}

	std::size_t size;
	nng_socket socket = NNG_SOCKET_INITIALIZER;
};
#endif

/* ---- all of them ---- */

template <class T>
std::unique_ptr<end> make_end(const path &l, bool writes)
{
	return std::make_unique<T>(l, writes);
}

inline constexpr char ipc[] = "ipc://", inproc[] = "inproc://";

template <class T, const char *Scheme>
std::unique_ptr<end> make_end(const path &l, bool writes)
{
	return std::make_unique<T>(l, writes, Scheme);
}

/* The first one is what the others are compared with. */
inline const std::vector<contestant> contestants = {
	{"ring", make_end<ring_end>, ASHM_RING_WAIT, 0},
	{"unchecked", make_end<ring_end>, ASHM_RING_WAIT | ASHM_RING_UNCHECKED, 0},
#ifdef WITH_ICEORYX
	{"iceoryx", make_end<iceoryx_end>, 0, HAS_DAEMON},
#endif
#ifdef WITH_ZMQ
	{"zmq ipc", make_end<zmq_end, ipc>, 0, HAS_THREADS},
	{"zmq inproc", make_end<zmq_end, inproc>, 0, HAS_THREADS | INSIDE},
#endif
#ifdef WITH_NNG
	{"nng ipc", make_end<nng_end, ipc>, 0, HAS_THREADS},
	{"nng inproc", make_end<nng_end, inproc>, 0, HAS_THREADS | INSIDE},
#endif
};

#endif
