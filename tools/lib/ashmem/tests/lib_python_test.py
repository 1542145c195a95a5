# SPDX-License-Identifier: GPL-2.0-only
"""The Python package: what it adds to the library, on both kinds of memory.

Usage: lib_python_test.py
"""

import contextlib
import ctypes
import doctest
import errno
import gc
import importlib
import math
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import unittest.mock
import weakref

import ashmem
from ashmem import WAIT, Cache, Purgeable, Region, Ring, ring_size

try:
    import numpy
except ImportError:
    numpy = None

SIZE = 65536


def count_fds():
    return len(os.listdir("/proc/self/fd"))


def purge_beside(use, running):
    """Purges while four threads call use(), which lowers running[0] at its end."""
    users = [threading.Thread(target=use) for _ in range(4)]
    for user in users:
        user.start()
    while running[0]:
        ashmem.reclaim()
    for user in users:
        user.join()


class Case(unittest.TestCase):
    def setUp(self):
        gc.collect()
        self.fds = count_fds()

    def tearDown(self):
        gc.collect()
        self.assertEqual(self.fds, count_fds())

    def fails(self, number, call, *arguments, **keywords):
        with self.assertRaises(OSError) as caught:
            call(*arguments, **keywords)
        self.assertEqual(errno.errorcode[number], errno.errorcode[caught.exception.errno])

    def mappings(self):
        with open("/proc/self/maps") as maps:
            return sum("ashmem/python" in line for line in maps)

    def interrupted(self, name, call):
        """Calls, with an exception as of a signal's handler right behind a call of C."""
        module, name = name.split(".")
        module = sys.modules["ashmem." + module]
        real = getattr(module, name)

        def then_raise(*arguments):
            real(*arguments)
            raise KeyboardInterrupt

        with unittest.mock.patch.object(module, name, then_raise):
            self.assertRaises(KeyboardInterrupt, call)

    def in_child(self, run):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                run()
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(0, os.waitpid(pid, 0)[1])


class Regions(Case):
    def test_contents(self):
        with Region("python", SIZE) as region:
            self.assertEqual(("python", SIZE), (region.name, region.size))
            region.write(b"hello", SIZE - 5)
            region.write(bytearray(b"world"))
            region.write(memoryview(b"0123456789")[::-2], 10)
            self.assertEqual(b"hello", region.read(5, SIZE - 5))
            self.assertEqual(b"world", region.read(5))
            self.assertEqual(b"97531", region.read(5, 10))
            self.assertEqual(b"", region.read(0, SIZE))
            region.write(b"", SIZE)
        self.assertTrue(region.closed)
        with self.assertRaisesRegex(ValueError, "closed"):
            region.read(1)
        self.assertEqual("", Region(None, 1).name)
        self.assertRegex(ashmem.version(), r"^\d+\.\d+")
        self.assertEqual(os.environ["ASHMEM_BACKEND"], ashmem.backend()[0])

    def test_errors(self):
        region = Region("python", SIZE)
        self.fails(errno.ERANGE, region.read, 1, SIZE)
        self.fails(errno.ERANGE, region.read, -1)
        self.fails(errno.ERANGE, region.write, b"x", SIZE)
        self.fails(errno.ERANGE, region.write, b"x", -1)
        self.fails(errno.ERANGE, region.write, b"x", 1 << 64)
        self.fails(errno.ERANGE, region.map, offset=SIZE - 4096, length=4097)
        self.fails(errno.EINVAL, region.map, length=0)
        self.fails(errno.EINVAL, region.map, offset=SIZE)
        self.fails(errno.EINVAL, region.map, offset=2 * SIZE)
        self.fails(errno.EINVAL, region.map, prot=0x100)
        self.fails(errno.EINVAL, region.map, offset=100, length=SIZE)
        self.fails(errno.ERANGE, region.map, offset=2 * SIZE, length=1)
        self.fails(errno.EINVAL, Region, "none", 0)
        self.fails(errno.EBADF, Region.adopt, -1)
        for call in (lambda: Region("none", -1), lambda: Region("none", (1 << 64) + 1),
                     lambda: region.map(offset=-4096), lambda: region.map(length=-1),
                     lambda: region.map(prot=1 << 32),
                     lambda: region.protect(1 << 32), lambda: Region.adopt(1 << 32),
                     lambda: ring_size(1, (1 << 32) + 2),
                     lambda: ashmem.reclaim((1 << 64) + 1)):
            self.assertRaises(OverflowError, call)
        self.assertRaises(TypeError, region.write, "text")
        with open(os.devnull) as other:
            self.fails(errno.ENOTTY, Region.adopt, other.fileno())
            other.read()
        self.assertEqual(7, region.prot)

    def test_adopt_and_pass_on(self):
        region = Region("python", SIZE)
        Region.adopt(os.dup(region.fileno())).write(b"a")
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with here, there:
            region.send(here)
            twin = Region.receive(there)
            self.assertEqual(b"a", twin.read(1))
            fd = region.share_readonly()
            ashmem.send_descriptor(here, fd)
            os.close(fd)
            reader = Region.receive(there)
            self.assertEqual(b"a", reader.read(1))
            self.fails(errno.EACCES, reader.write, b"b")
            self.fails(errno.EACCES, reader.map)
            region.write(b"c")
            self.assertEqual(b"c", reader.map(mmap.PROT_READ)[:1])
            here.close()
            self.fails(errno.EPIPE, Region.receive, there)

    def test_last_page(self):
        page = mmap.PAGESIZE
        region = Region("python", page + 100)
        region.write(b"x", page)
        before = self.mappings()
        for prot in (mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE):
            with region.map(prot, page, page) as memory:
                self.assertEqual((page, b"x", b"\0"), (len(memory), memory[:1], memory[-1:]))
                if prot & mmap.PROT_WRITE:
                    memory[1] = ord("y")
                else:
                    self.assertRaises(TypeError, memory.__setitem__, 1, 0)
        self.assertEqual(b"xy", region.read(2, page))
        self.fails(errno.ERANGE, region.map, length=2 * page + 1)
        self.interrupted("_region._map_range", lambda: region.map(length=2 * page))
        self.assertEqual(before, self.mappings())

    def test_memory_outlives_region(self):
        region = Region("python", SIZE)
        before, fds = self.mappings(), count_fds()
        memory = region.map()
        self.assertEqual((before + 1, fds), (self.mappings(), count_fds()))
        view = memoryview(memory)[100:200]
        region.write(b"x", 100)
        region.close()
        self.assertEqual(b"x", view[:1])
        memory.release()
        del region, memory
        gc.collect()
        view[99] = 7
        self.assertEqual((ord("x"), 7), (view[0], view[99]))
        del view
        gc.collect()
        self.assertEqual(0, self.mappings())

    @unittest.skipUnless(numpy, "no numpy")
    def test_numpy(self):
        region = Region("python", SIZE)
        array = numpy.frombuffer(region.map(), dtype="<u4")
        array[1] = 0x01020304
        self.assertEqual(b"\4\3\2\1", region.read(4, 4))
        region.write(numpy.arange(6, dtype="<u2").reshape(2, 3), 4)
        self.assertEqual([0x10000, 0x30002], list(array[1:3]))
        region.close()
        gc.collect()
        self.assertEqual(0x50004, array[3])

    def test_pinned(self):
        region = Region("python", SIZE)
        region.unpin()
        self.assertFalse(region.is_pinned)
        with region.pinned() as lost:
            self.assertFalse(lost)
            self.assertTrue(region.is_pinned)
            self.fails(errno.EBUSY, region.unpin)
            self.fails(errno.EBUSY, region.pin)
            self.fails(errno.EBUSY, region.pinned().__enter__)
            thread = threading.Thread(target=self.fails, args=(errno.EBUSY, region.pin))
            thread.start()
            thread.join()
            self.assertTrue(region.is_pinned)
        self.assertFalse(region.is_pinned)
        with self.assertRaises(KeyboardInterrupt), region.pinned():
            raise KeyboardInterrupt
        self.assertFalse(region.is_pinned)
        self.assertFalse(region.pin())
        with region.pinned():
            self.in_child(lambda: self.fails(errno.EBUSY, region.pin))
            twin = Region.adopt(os.dup(region.fileno()))
            region.close()
        self.assertEqual(SIZE, twin.size)

    def test_interrupted(self):
        region = Region("python", SIZE)
        self.interrupted("_region._create", lambda: Region("python", SIZE))
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with here, there:
            region.send(here)
            self.interrupted("_region._receive", lambda: Region.receive(there))
        fd = os.dup(region.fileno())
        self.interrupted("_region._adopt", lambda: Region.adopt(fd))
        os.close(fd)

    def test_interrupted_pin(self):
        region = Region("python", SIZE)
        region.unpin()
        self.interrupted("_region._pin", region.pinned().__enter__)
        self.assertFalse(region.is_pinned)
        # No caller was told whether the contents were lost.
        self.assertTrue(region.pin())
        self.assertFalse(region.pin())
        with unittest.mock.patch("ashmem._region._pin", lambda _: -errno.EPERM):
            self.fails(errno.EPERM, region.pinned().__enter__)
        self.assertTrue(region.is_pinned)

    def test_closed_under_threads(self):
        for _ in range(50):
            region = Region("python", 1 << 20)
            data = bytes(1 << 20)

            def use():
                try:
                    while True:
                        region.write(data)
                        region.read(1 << 20)
                except ValueError:
                    pass

            users = [threading.Thread(target=use) for _ in range(3)]
            for user in users:
                user.start()
            time.sleep(0.002)
            region.close()
            for user in users:
                user.join()


class Purgeables(Case):
    def setUp(self):
        super().setUp()
        self.made = 0

    def rebuild(self, view):
        self.made += 1
        view[:] = bytes([self.made]) * len(view)

    def test_made_again(self):
        object = Purgeable("python", SIZE, self.rebuild)
        self.assertEqual((SIZE, 0), (object.size, self.made))
        with object.read() as outer, object.read() as inner:
            self.assertEqual((1, 1), (outer[0], inner[SIZE - 1]))
            self.assertRaises(TypeError, outer.__setitem__, 0, 1)
            ashmem.reclaim()
            self.assertEqual(1, inner[0])
        self.assertRaises(ValueError, lambda: inner[0])
        with object.write() as view:
            view[0] = 77
        with object.read() as view:
            self.assertEqual((77, 1), (view[0], self.made))
        if ashmem.backend()[0] == "memfd":
            self.assertEqual(SIZE, ashmem.reclaim(1))
            with object.read() as view:
                self.assertEqual((2, 2), (view[0], self.made))
        object.close()
        self.assertRaises(ValueError, object.read().__enter__)

    def test_watch(self):
        def watched():
            # It ends or begins on its own.
            for _ in range(100):
                names = []
                for task in os.listdir("/proc/self/task"):
                    with contextlib.suppress(OSError), \
                            open(f"/proc/self/task/{task}/comm") as name:
                        names.append(name.read())
                yield "ashmem-reclaim\n" in names
                time.sleep(0.05)

        with unittest.mock.patch("ashmem._purgeable._watch", lambda on: on and -errno.EMFILE):
            self.fails(errno.EMFILE, ashmem.watch, True)
            ashmem.watch(False)
        try:
            ashmem.watch(True)
        except OSError as error:
            self.assertEqual(errno.EOPNOTSUPP, error.errno)
            self.skipTest("nothing to watch")
        object = Purgeable("python", 1 << 20, self.rebuild)
        with object.read():
            self.assertTrue(ashmem.backend()[0] != "memfd" or any(watched()))
            ashmem.watch(False)
            self.assertFalse(all(watched()))
            ashmem.watch(True)

    def test_exceptions(self):
        object = Purgeable("python", SIZE, self.rebuild)
        with self.assertRaises(ZeroDivisionError), object.write() as view:
            view[0] = 99
            raise ZeroDivisionError
        with object.read() as view:
            self.assertEqual((2, 2), (view[0], self.made))
        with self.assertRaises(ZeroDivisionError), object.read():
            raise ZeroDivisionError
        with object.read() as view:
            self.assertEqual(2, self.made)
        # Nothing is held any more.
        with object.write() as view:
            view[0] = 3

    def test_rebuild_raises(self):
        raising = [KeyboardInterrupt, LookupError, None]

        def rebuild(view):
            exception = raising.pop(0)
            if exception:
                raise exception
            view[0] = 5

        inner = Purgeable("inner", SIZE, rebuild)

        def copy(view):
            with inner.read() as contents:
                view[:] = contents

        outer = Purgeable("outer", SIZE, copy)
        self.assertRaises(KeyboardInterrupt, inner.read().__enter__)
        self.assertRaises(LookupError, outer.write().__enter__)
        with outer.read() as view:
            self.assertEqual(5, view[0])
        own = Purgeable("own", SIZE, lambda view: own.read().__enter__())
        self.fails(errno.EDEADLK, own.read().__enter__)

    def ends(self, use):
        """Whether another thread that uses the contents doesn't wait."""
        def run():
            with use():
                pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(5)
        return not thread.is_alive()

    def writes(self, object):
        return self.ends(object.write)

    def test_read_beside_one_that_rebuilt(self):
        object = Purgeable("python", SIZE, self.rebuild)
        with object.read():
            self.assertTrue(self.ends(object.read))

    def test_close_drops_rebuild(self):
        class Source:
            def rebuild(self, view):
                view[0] = 1

        source = Source()
        kept = weakref.ref(source)
        object = Purgeable("python", SIZE, source.rebuild)
        del source
        with object.read() as view:
            self.assertEqual(1, view[0])
        del view
        object.close()
        gc.collect()
        self.assertIsNone(kept())

    def test_read_at_the_same_time(self):
        """Both find no contents; each ends only when the other reads, too."""
        object = Purgeable("python", SIZE, self.rebuild)
        found, read = threading.Barrier(2), threading.Barrier(2)
        real = ashmem._purgeable._begin_read
        first = threading.local()
        seen = []

        def begin_read(*arguments):
            result = real(*arguments)
            if not hasattr(first, "done"):
                first.done = True
                found.wait(5)
            return result

        def run():
            with object.read() as view, contextlib.suppress(threading.BrokenBarrierError):
                read.wait(5)
                seen.append(view[0])

        with unittest.mock.patch.object(ashmem._purgeable, "_begin_read", begin_read):
            threads = [threading.Thread(target=run) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual([self.made] * 2, seen)
        self.assertEqual(1, self.made)

    def test_interrupted(self):
        self.interrupted("_purgeable._create",
                         lambda: Purgeable("python", SIZE, self.rebuild))
        object = Purgeable("python", SIZE, self.rebuild)
        self.interrupted("_purgeable._begin_read", lambda: object.read().__enter__())
        self.assertTrue(self.writes(object))
        self.interrupted("_purgeable._begin_write", lambda: object.write().__enter__())
        self.assertTrue(self.writes(object))
        for call in "_begin_read", "_begin_rebuild", "_rebuilt", "_end_write":
            object = Purgeable("python", SIZE, self.rebuild)
            self.interrupted("_purgeable." + call, lambda: object.read().__enter__())
            self.assertTrue(self.writes(object))
            with object.read() as view:
                self.assertEqual(self.made, view[SIZE - 1])

    def test_signal_while_waiting(self):
        object = Purgeable("python", SIZE, self.rebuild)
        held = threading.Event()

        def read():
            with object.read():
                held.set()
                time.sleep(0.1)

        def spoil():
            with contextlib.suppress(LookupError), object.write():
                held.set()
                time.sleep(0.1)
                raise LookupError

        def handle(*_):
            raise ZeroDivisionError

        before = signal.signal(signal.SIGALRM, handle)
        try:
            # The second leaves no contents: the signal is handled before they are made again.
            for hold, use in (read, object.write), (spoil, object.read):
                held.clear()
                thread = threading.Thread(target=hold)
                thread.start()
                held.wait()
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                self.assertRaises(ZeroDivisionError, use().__enter__)
                thread.join()
                self.assertTrue(self.writes(object))
        finally:
            signal.signal(signal.SIGALRM, before)
        with object.read() as view:
            self.assertEqual(self.made, view[0])

    def test_memory_outlives_object(self):
        kept = []
        object = Purgeable("python", SIZE, lambda view: kept.append(view[10:20]))
        with object.write() as view:
            part = view[100:200]
            part[0] = 9
        with object.read() as view:
            copy = view[100:200]
        del object, view
        gc.collect()
        ashmem.reclaim()
        self.assertIn(part[0], (0, 9))
        part[1], kept[0][0] = 1, 2
        self.assertEqual((1, 2), (copy[1], kept[0][0]))

    @unittest.skipUnless(numpy, "no numpy")
    def test_numpy(self):
        def rebuild(view):
            numpy.frombuffer(view, dtype="u1")[:] = 3

        object = Purgeable("python", SIZE, rebuild)
        with object.read() as view:
            array = numpy.frombuffer(view, dtype="u1")
            self.assertEqual(3 * SIZE, array.sum())
            self.assertFalse(array.flags.writeable)
        object.close()
        gc.collect()
        self.assertIn(array[0], (0, 3))

    def test_cycle(self):
        class Picture:
            def __init__(self):
                self.contents = Purgeable("python", SIZE, self.make)

            def make(self, view):
                view[0] = 1

        with Picture().contents.read() as view:
            self.assertEqual(1, view[0])

    def test_threads(self):
        object = Purgeable("python", SIZE, self.rebuild_threads)
        wrong, running = [], [4]

        def use():
            for i in range(100):
                if i % 5:
                    with object.read() as view:
                        if view != view[:1].tobytes() * SIZE:
                            wrong.append(view[0])
                    continue
                try:
                    with object.write() as view:
                        view[:SIZE // 2] = b"\2" * (SIZE // 2)
                        if i % 2:
                            raise ZeroDivisionError
                        view[:] = b"\3" * SIZE
                except ZeroDivisionError:
                    pass
            running[0] -= 1

        purge_beside(use, running)
        self.assertEqual([], wrong)
        self.assertGreater(self.made, 1)

    def rebuild_threads(self, view):
        self.made += 1
        view[:] = b"\1" * SIZE

    def test_child(self):
        object = Purgeable("python", SIZE, self.rebuild)

        def child():
            self.fails(errno.ECHILD, object.read().__enter__)
            object.close()
            with Purgeable("own", SIZE, self.rebuild).read() as view:
                self.assertEqual(2, view[0])

        with object.read() as view:
            self.in_child(child)
            self.assertEqual(1, view[0])


class Caches(Case):
    def setUp(self):
        super().setUp()
        self.cache = Cache("python", 4 * SIZE, 10, 8)

    def tearDown(self):
        del self.cache
        super().tearDown()

    def has(self, cache, key):
        with cache.get(key) as view:
            return None if view is None else bytes(view)

    def test_entries(self):
        cache = self.cache
        self.assertIsNone(self.has(cache, b"one"))
        cache.put(b"one", b"1" * SIZE)
        cache.put(bytearray(b"a\0b"), memoryview(b"0123456789")[::-2])
        cache.put(b"none", b"")
        self.assertEqual(b"97531", self.has(cache, b"a\0b"))
        self.assertEqual(b"", self.has(cache, b"none"))
        with cache.get(b"one") as view:
            self.assertRaises(TypeError, view.__setitem__, 0, 1)
            cache.put(b"one", b"2")
            self.assertEqual(b"2", self.has(cache, b"one"))
            ashmem.reclaim()
            self.assertEqual(b"1" * SIZE, view)
        self.assertRaises(ValueError, lambda: view[0])
        if ashmem.backend()[0] == "memfd":
            self.assertIsNone(self.has(cache, b"one"))
            cache.put(b"one", b"2")
        self.assertTrue(cache.drop(b"one"))
        self.assertFalse(cache.drop(b"one"))
        stat = cache.stat()
        self.assertEqual((4 * SIZE, 10, 1), (stat.size, stat.entries_max, stat.handles))
        self.assertGreaterEqual(stat.hits, 4)
        self.assertGreaterEqual(stat.built, 1)
        cache.close()
        self.assertRaises(ValueError, cache.put, b"", b"")
        self.assertRaises(ValueError, cache.get(b"one").__enter__)

    def test_reserve(self):
        with self.cache.reserve(b"made", 4 * SIZE) as view:
            view[:] = b"5" * (4 * SIZE)
            self.assertIsNone(self.has(self.cache, b"made"))
            self.fails(errno.ENOSPC, self.cache.put, b"other", b"x")
        self.assertEqual(b"5" * (4 * SIZE), self.has(self.cache, b"made"))
        with self.cache.reserve(b"made", 0):
            pass
        self.assertEqual(b"", self.has(self.cache, b"made"))
        with self.assertRaises(ZeroDivisionError):
            with self.cache.reserve(b"made", SIZE) as view:
                view[0] = 6
                raise ZeroDivisionError
        with self.assertRaises(ZeroDivisionError), self.cache.get(b"made"):
            raise ZeroDivisionError
        self.assertEqual(b"", self.has(self.cache, b"made"))
        # Nothing is held any more.
        self.cache.put(b"all", bytes(4 * SIZE))

    def test_errors(self):
        self.fails(errno.EINVAL, Cache, "none", SIZE, 0, 1)
        self.fails(errno.EINVAL, self.cache.get(b"too long!").__enter__)
        self.fails(errno.EINVAL, self.cache.drop, b"")
        self.fails(errno.EFBIG, self.cache.reserve(b"big", 4 * SIZE + 1).__enter__)
        self.assertRaises(OverflowError, Cache, "none", SIZE, (1 << 32) + 1, 1)
        self.assertRaises(OverflowError, self.cache.reserve(b"big", -1).__enter__)
        self.assertRaises(TypeError, self.cache.put, "text", b"")
        region = Region("other", SIZE)
        self.fails(errno.ENODATA, Cache.open, region, region)
        region.write(b"text")
        self.fails(errno.EPROTO, Cache.open, region, region)
        self.fails(errno.EBADF, Cache.open, self.cache.descriptors()[0], -1)
        with open(os.devnull) as other:
            self.fails(errno.ENOTTY, Cache.open, other, other)

    def test_processes(self):
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def child():
            self.fails(errno.ECHILD, self.cache.put, b"key", b"")
            self.cache.close()
            twin = Cache.open(Region.receive(there), Region.receive(there))
            self.assertEqual(2, twin.stat().handles)
            self.assertEqual(b"hello", self.has(twin, b"key"))
            twin.put(b"answer", b"world")

        self.cache.put(b"key", b"hello")
        with here, there:
            for fd in self.cache.descriptors():
                ashmem.send_descriptor(here, fd)
            with self.cache.get(b"key") as view:
                self.in_child(child)
                self.assertEqual(b"hello", view)
        self.assertEqual(b"world", self.has(self.cache, b"answer"))

    def test_interrupted(self):
        self.interrupted("_cache._create", lambda: Cache("python", SIZE, 10, 8))

        def attach():
            Cache.open(*self.cache.descriptors())

        self.interrupted("_cache._attach", attach)
        gc.collect()
        self.assertEqual(1, self.cache.stat().handles)
        with unittest.mock.patch("os.close", side_effect=AssertionError):
            self.interrupted("_cache._adopt", attach)
        self.cache.put(b"key", b"hello")
        self.interrupted("_cache._get", self.cache.get(b"key").__enter__)
        self.interrupted("_cache._reserve", self.cache.reserve(b"made", SIZE).__enter__)
        # Nothing is held any more.
        self.cache.put(b"all", bytes(4 * SIZE))

    def test_memory_outlives_cache(self):
        cache = Cache("python", SIZE, 10, 8)
        with cache.reserve(b"key", SIZE) as view:
            part = view[100:200]
        with cache.get(b"key") as view:
            copy = view[100:200]
        cache.close()
        del cache, view
        gc.collect()
        part[1] = 1
        self.assertEqual(1, copy[1])

    @unittest.skipUnless(numpy, "no numpy")
    def test_numpy(self):
        self.cache.put(numpy.array([1, 2], dtype="<u4"), numpy.arange(6, dtype="<u2"))
        with self.cache.get(b"\1\0\0\0\2\0\0\0") as view:
            array = numpy.frombuffer(view, dtype="<u2")
            self.assertEqual([0, 1, 2, 3, 4, 5], list(array))
            self.assertFalse(array.flags.writeable)

    def test_threads(self):
        wrong, running = [], [4]

        def use():
            for i in range(200):
                key = b"%d" % (i % 7)
                with self.cache.get(key) as view:
                    if view is not None and view != view[:1].tobytes() * len(view):
                        wrong.append(key)
                try:
                    with self.cache.reserve(key, 8192) as view:
                        view[:4096] = b"\2" * 4096
                        if i % 3 == 0:
                            raise ZeroDivisionError
                        view[:] = b"\3" * 8192
                except ZeroDivisionError:
                    pass
            running[0] -= 1

        purge_beside(use, running)
        self.assertEqual([], wrong)


class Frames(Case):
    def setUp(self):
        super().setUp()
        self.make(WAIT)

    def make(self, flags):
        self.region = Region("python", ring_size(100_000, 4, flags))
        self.ring = Ring.create(self.region, 100_000, 4, flags)
        self.writer, self.reader = self.ring.writer(), self.ring.reader()

    def tearDown(self):
        del self.region, self.ring, self.writer, self.reader
        super().tearDown()

    def test_copied(self):
        self.writer.write(b"hello", tag=(1 << 64) - 1)
        self.writer.write(bytearray(100_000))
        self.writer.write(b"")
        frame = self.reader.read()
        self.assertEqual((b"hello", 1, 0, (1 << 64) - 1, 1), frame)
        self.assertEqual(100_000, len(self.reader.read().data))
        self.assertEqual(b"", self.reader.read(0).data)
        self.fails(errno.EAGAIN, self.reader.read, 0)
        self.fails(errno.ETIMEDOUT, self.reader.read, 0.01)
        self.fails(errno.EMSGSIZE, self.writer.write, bytes(100_001))
        self.assertRaises(OverflowError, self.writer.write, b"", 1 << 64)
        for number in range(4):
            self.writer.write(b"%d" % number)
        self.fails(errno.EAGAIN, self.writer.write, b"", timeout=0)
        stat = self.ring.stat()
        self.assertEqual((7, 4, "alive", 1), (stat.frames, stat.unread, stat.writer,
                                              stat.readers))
        self.ring.await_writer(0)
        self.ring.await_writer(math.inf)
        self.ring.await_writer(1e308)
        self.writer.close()
        self.assertEqual([b"0", b"1", b"2", b"3"], [frame.data for frame in self.reader])
        self.assertRaises(ValueError, self.writer.write, b"")
        self.fails(errno.ETIMEDOUT, self.ring.await_writer, 0.01)
        self.fails(errno.EBADF, Ring.attach, -1)
        self.fails(errno.EUSERS, lambda: [self.ring.reader() for _ in range(9)])

    def test_in_place(self):
        with self.writer.frame(5, tag=7) as view:
            view[:] = b"hello"
        with self.reader.borrow() as frame:
            self.assertEqual((b"hello", 1, 0, 7, 1), frame)
            self.fails(errno.EINPROGRESS, self.reader.read)
            self.fails(errno.EINPROGRESS, self.reader.borrow().__enter__)
        self.assertRaises(ValueError, lambda: frame.data[0])
        with self.assertRaises(ZeroDivisionError), self.writer.frame(5):
            raise ZeroDivisionError
        self.fails(errno.EAGAIN, self.reader.read, 0)
        self.writer.write(b"next")
        with self.assertRaises(ZeroDivisionError), self.reader.borrow():
            raise ZeroDivisionError
        self.fails(errno.EAGAIN, self.reader.read, 0)
        with self.writer.frame(1) as view:
            self.writer.close()
            view[0] = 1
        self.assertEqual(b"\1", self.reader.read().data)

    def test_spin(self):
        self.ring.set_spin(0.0001)
        self.fails(errno.EINVAL, self.ring.set_spin, 1.1)
        self.assertRaises(OverflowError, self.ring.set_spin, -1)
        self.fails(errno.ETIMEDOUT, self.reader.read, 0.01)

    def test_overwritten(self):
        self.make(ashmem.UNCHECKED)
        self.writer.write(b"first")

        def overwritten():
            with self.reader.borrow():
                for _ in range(4):
                    self.writer.write(b"other")

        self.fails(errno.ESTALE, overwritten)
        self.assertEqual((b"other", 2), self.reader.read()[:2])
        with self.assertRaises(ZeroDivisionError), self.reader.borrow():
            for _ in range(4):
                self.writer.write(b"other")
            raise ZeroDivisionError

    def test_memory_outlives_all(self):
        with self.writer.frame(5) as view:
            view[:] = b"hello"
            part = view[1:]
        with self.reader.borrow() as frame:
            rest = frame.data[2:]
        for object in self.writer, self.reader, self.ring, self.region:
            object.close()
        del view, frame
        gc.collect()
        self.assertEqual((b"ello", b"llo"), (part, rest))

    def test_signals(self):
        def handle(*_):
            if raising:
                raise ZeroDivisionError
            self.fails(errno.EAGAIN, self.reader.read, 0)

        raising = False
        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            start = time.monotonic()
            self.fails(errno.ETIMEDOUT, self.reader.read, 0.05)
            self.assertGreaterEqual(time.monotonic() - start, 0.05)
            raising = True
            self.assertRaises(ZeroDivisionError, self.reader.read)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        self.writer.write(b"after")
        self.assertEqual(b"after", self.reader.read().data)

    def test_interrupted(self):
        self.interrupted("_frame._attach", lambda: Ring.attach(self.region))
        self.interrupted("_frame._reader", self.ring.reader)
        gc.collect()
        self.assertEqual(1, self.ring.stat().readers)
        self.interrupted("_frame._begin", self.writer.frame(5).__enter__)
        with self.writer.frame(5) as view:
            # That it was refused is not yet known either.
            self.interrupted("_frame._begin", self.writer.frame(5).__enter__)
            view[:] = b"hello"
        self.writer.write(b"world")
        self.interrupted("_frame._borrow", self.reader.borrow().__enter__)
        self.assertEqual(b"world", self.reader.read(0).data)
        self.writer.close()
        self.interrupted("_frame._writer", self.ring.writer)
        self.ring.writer().close()

    def test_threads_share_handles(self):
        got, count = [], 200

        def read():
            for frame in self.reader:
                got.append(int(frame.data))

        def write(first):
            for number in range(first, first + count):
                self.writer.write(b"%d" % number)

        readers = [threading.Thread(target=read) for _ in range(3)]
        writers = [threading.Thread(target=write, args=(i * count,)) for i in range(3)]
        for thread in readers + writers:
            thread.start()
        for thread in writers:
            thread.join()
        self.writer.close()
        for thread in readers:
            thread.join()
        self.assertEqual(list(range(3 * count)), sorted(got))

    def test_closed_under_reader(self):
        got = []
        thread = threading.Thread(target=lambda: got.append(self.reader.read().data))
        thread.start()
        time.sleep(0.02)
        self.reader.close()
        self.ring.close()
        gc.collect()
        self.writer.write(b"late")
        thread.join()
        self.assertEqual([b"late"], got)

    def test_child(self):
        thread = threading.Thread(target=self.reader.read)
        thread.start()
        time.sleep(0.02)

        def child():
            # The thread that has the reader's lock is not there.
            self.fails(errno.ECHILD, self.reader.read)
            self.fails(errno.ECHILD, self.writer.write, b"")
            for object in self.reader, self.writer, self.ring:
                object.close()
            gc.collect()
            Ring.attach(self.region).stat()

        with self.writer.frame(1) as view:
            self.in_child(child)
            view[0] = 1
        thread.join()
        self.assertEqual("alive", self.ring.stat().writer)

    @unittest.skipUnless(numpy, "no numpy")
    def test_numpy(self):
        with self.writer.frame(8) as view:
            numpy.frombuffer(view, dtype="<u4")[:] = 1, 2
        self.writer.write(numpy.array([3, 4], dtype="<u4"))
        for want in [1, 2], [3, 4]:
            with self.reader.borrow() as frame:
                self.assertEqual(want, list(numpy.frombuffer(frame.data, dtype="<u4")))


class Process(Case):
    def test_exit_with_all_in_use(self):
        program = """if True:
            import threading, ashmem
            region = ashmem.Region("exit", ashmem.ring_size(100, 4, ashmem.WAIT))
            memory = region.map()
            ring = ashmem.Ring.create(region, 100, 4, ashmem.WAIT)
            writer, reader = ring.writer(), ring.reader()
            threading.Thread(target=reader.read, daemon=True).start()
            object = ashmem.Purgeable("exit", 4096, lambda view: None)
            view = object.read().__enter__()
            frame = writer.frame(10).__enter__()
            cache = ashmem.Cache("exit", 4096, 1, 1)
            entry = cache.reserve(b"x", 10).__enter__()
        """
        done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", program],
                              stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((0, b""), (done.returncode, done.stderr))

    def test_types(self):
        package = os.path.dirname(ashmem.__file__)
        self.assertTrue(os.path.exists(os.path.join(package, "py.typed")))
        try:
            importlib.import_module("mypy")
        except ImportError:
            self.skipTest("no mypy")
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict",
                               "--cache-dir", os.devnull, package],
                              stdout=subprocess.PIPE, text=True)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_readme(self):
        with open(os.environ["README"]) as readme:
            lines = readme.read().split("\n    import ashmem\n", 1)
        self.assertEqual(2, len(lines), "no program in README.md")
        program = lines[1].split("\n\n", 1)[0]
        exec("if True:\n    import ashmem\n" + program, {})


class Result(unittest.TestResult):
    """Prints each test as a line of TAP."""

    number = 0

    def tell(self, test, ok, note=""):
        Result.number += 1
        name = f"python.{os.environ['ASHMEM_BACKEND']}.{test.id().replace('__main__.', '')}"
        print(f"{ok} {Result.number} {name}{note}", flush=True)

    def addSuccess(self, test):
        self.tell(test, "ok")

    def addSkip(self, test, reason):
        self.tell(test, "ok", f" # SKIP {reason}")

    def _failed(self, test, error):
        print("".join("# " + line + "\n" for line in
                      self._exc_info_to_string(error, test).splitlines()), end="")
        self.tell(test, "not ok")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._failed(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._failed(test, error)


def run_here():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    for name in "", "._region", "._purgeable", "._cache", "._frame":
        suite.addTest(doctest.DocTestSuite(importlib.import_module("ashmem" + name)))
    result = Result()
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


def main():
    status = 0
    # The library keeps the choice for the process.
    for backend in "ashmem", "memfd":
        if backend == "ashmem" and not os.path.exists("/dev/ashmem"):
            print("ok python.ashmem # SKIP no /dev/ashmem here", flush=True)
            continue
        done = subprocess.run([sys.executable, *sys.orig_argv[1:], "--here"],
                              env={**os.environ, "ASHMEM_BACKEND": backend})
        status |= done.returncode != 0
        if done.returncode not in (0, 1):
            print(f"not ok python.{backend} ended with status {done.returncode}")
    return status


if __name__ == "__main__":
    sys.exit(run_here() if sys.argv[1:] == ["--here"] else main())
