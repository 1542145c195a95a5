# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""Frames through a region: one writer, many readers."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import threading
from typing import Any, Callable, Iterator, NamedTuple

from ._library import (FileLike, Handle, Number, Owner, Pointer, Size, Timeout, check,
                       descriptor, function, make, readable, unsigned, view_of, waiting)

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64


class _Config(ctypes.Structure):
    _fields_ = [("frame_max", _U64), ("slots", _U32), ("flags", _U32),
                ("readers", _U32), ("reserved", _U32)]


class _Stat(ctypes.Structure):
    _fields_ = [("region_size", _U64), ("frame_max", _U64), ("frames", _U64),
                ("slots", _U32), ("flags", _U32), ("readers_max", _U32),
                ("readers", _U32), ("generation", _U32), ("writer", _U32),
                ("unread", _U32), ("reserved", _U32)]


class _Frame(ctypes.Structure):
    _fields_ = [("data", Pointer), ("length", _U64), ("seq", _U64), ("missed", _U64),
                ("tag", _U64), ("generation", _U32), ("reserved", _U32)]


_ring_size = function("ashm_ring_size", Pointer, ctypes.POINTER(_U64))
_create = function("ashm_ring_create", Number, Pointer, Pointer)
_attach = function("ashm_ring_attach", Number, ctypes.c_uint, Pointer)
_detach = function("ashm_ring_detach", Pointer, result=None)
_stat = function("ashm_ring_stat", Pointer, Pointer)
_set_spin = function("ashm_ring_set_spin", Pointer, ctypes.c_uint)
_await_writer = function("ashm_ring_await_writer", Pointer, Number)
_writer = function("ashm_ring_writer", Pointer, Pointer)
_writer_close = function("ashm_ring_writer_close", Pointer, result=None)
_reader = function("ashm_ring_reader", Pointer, ctypes.c_uint, Pointer)
_reader_close = function("ashm_ring_reader_close", Pointer, result=None)
_write = function("ashm_frame_write", Pointer, Pointer, Size, _U64, Number)
_begin = function("ashm_frame_begin", Pointer, Size, Pointer, Number)
_commit = function("ashm_frame_commit", Pointer, Size, _U64)
_abort = function("ashm_frame_abort", Pointer)
_read = function("ashm_frame_read", Pointer, Pointer, Size, Pointer, Number)
_borrow = function("ashm_frame_borrow", Pointer, Pointer, Number)
_release = function("ashm_frame_release", Pointer)

WAIT, READONLY, UNCHECKED = 1, 2, 4


class RingStat(NamedTuple):
    """struct ashm_ring_stat; writer is "never", "alive", "closed" or "died"."""

    region_size: int
    frame_max: int
    frames: int
    slots: int
    flags: int
    readers_max: int
    readers: int
    generation: int
    writer: str
    unread: int


class Frame(NamedTuple):
    """A frame that was copied out of a ring."""

    data: bytes
    seq: int
    missed: int
    tag: int
    generation: int


class BorrowedFrame(NamedTuple):
    """A frame that is read in place."""

    data: memoryview
    seq: int
    missed: int
    tag: int
    generation: int


def _config(frame_max: int, slots: int, flags: int, readers: int) -> _Config:
    return _Config(unsigned(frame_max), unsigned(slots, _U32), unsigned(flags, _U32),
                   unsigned(readers, _U32), 0)


def ring_size(frame_max: int, slots: int, flags: int = 0, readers: int = 0) -> int:
    """The number of bytes that a ring needs in a region."""
    config = _config(frame_max, slots, flags, readers)
    size = _U64()
    check(_ring_size(ctypes.byref(config), ctypes.byref(size)), "ashm_ring_size")
    return size.value


class _User(Handle):
    """A writer or a reader. One thread at a time, of the process that made it, uses it."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._process = os.getpid()
        # Recursive: a signal handler may use the object in the middle of a call.
        self._lock = threading.RLock()

    def _lone(self) -> Any:
        # Check this first: in a child the lock may stay locked forever.
        if os.getpid() != self._process:
            raise OSError(errno.ECHILD, "made by the parent process")
        return self._lock

    @contextlib.contextmanager
    def _in_place(self, begin: Callable[[], int], end: Callable[[], int],
                  drop: Callable[[], object]) -> Iterator[None]:
        """A block between begin and end; an exception in one of the three calls drop."""
        try:
            with self._lone():
                begin()
            yield
            with self._lone():
                end()
        except BaseException:
            with contextlib.suppress(OSError), self._lone():
                drop()
            raise


class Writer(_User):
    """The right to write to a ring; Ring.writer() makes it."""

    def write(self, data: Any, tag: int = 0, timeout: Timeout = None) -> None:
        """Write bytes, or any object with a buffer, as a frame.

        timeout is in seconds: see ashm_frame_write(3).
        """
        what, length = readable(data)
        unsigned(tag)
        owner = self._open()
        with self._lone():
            check(waiting(lambda ms: _write(owner.pointer, what, length, tag, ms),
                          timeout), "ashm_frame_write")

    @contextlib.contextmanager
    def frame(self, length: int, tag: int = 0,
              timeout: Timeout = None) -> Iterator[memoryview]:
        """A frame that is made in place. An exception that leaves the block drops it."""
        at = Pointer()
        unsigned(length, Size)
        unsigned(tag)
        owner = self._open()
        with self._in_place(
                lambda: check(waiting(
                    lambda ms: _begin(owner.pointer, length, ctypes.byref(at), ms),
                    timeout), "ashm_frame_begin"),
                lambda: check(_commit(owner.pointer, length, tag), "ashm_frame_commit"),
                lambda: at.value and _abort(owner.pointer)), \
                view_of(at.value, length, owner) as view:
            yield view


class Reader(_User):
    """A place in the sequence of frames; Ring.reader() makes it.

    Iteration ends when the writer has closed.
    """

    def __init__(self, owner: Owner) -> None:
        super().__init__(owner)
        self._buffer = bytearray(4096)

    def read(self, timeout: Timeout = None) -> Frame:
        """The next frame, copied; timeout is in seconds: see ashm_frame_read(3)."""
        frame = _Frame()
        owner = self._open()
        with self._lone():
            while True:
                size = len(self._buffer)
                into = (ctypes.c_char * size).from_buffer(self._buffer)
                result = waiting(lambda ms: _read(owner.pointer, into, size,
                                                  ctypes.byref(frame), ms), timeout)
                if result != -errno.EMSGSIZE:
                    break
                self._buffer = bytearray(frame.length)
            check(result, "ashm_frame_read")
            data = memoryview(into)[:frame.length].tobytes()
        return Frame(data, frame.seq, frame.missed, frame.tag, frame.generation)

    @contextlib.contextmanager
    def borrow(self, timeout: Timeout = None) -> Iterator[BorrowedFrame]:
        """The next frame, in place, until the block ends.

        If the writer overwrites it before that, the end of the block raises OSError
        (ESTALE): discard what was read. A ring with WAIT keeps the frame.
        """
        frame = _Frame()
        owner = self._open()
        with self._in_place(
                lambda: check(waiting(
                    lambda ms: _borrow(owner.pointer, ctypes.byref(frame), ms),
                    timeout), "ashm_frame_borrow"),
                lambda: check(_release(owner.pointer), "ashm_frame_release"),
                lambda: frame.data and _release(owner.pointer)), \
                view_of(frame.data, frame.length, owner, True) as view:
            yield BorrowedFrame(view, frame.seq, frame.missed, frame.tag,
                                frame.generation)

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                yield self.read()
            except BrokenPipeError:
                return


class Ring(Handle):
    """A ring of frames in a region: see ashm_ring_create(3).

    >>> from ashmem import Region, Ring, WAIT, ring_size
    >>> region = Region("frames", ring_size(4096, 8, WAIT))
    >>> ring = Ring.create(region, 4096, 8, WAIT)
    >>> with ring.writer() as writer:
    ...     writer.write(b"hello", tag=1)
    >>> [(frame.data, frame.tag) for frame in ring.reader()]
    [(b'hello', 1)]
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    @classmethod
    def create(cls, region: FileLike, frame_max: int, slots: int, flags: int = 0,
               readers: int = 0) -> Ring:
        """Make a ring in a region; flags are WAIT, READONLY and UNCHECKED, or-ed."""
        config = _config(frame_max, slots, flags, readers)
        return cls(make(lambda made: _create(descriptor(region), ctypes.byref(config), made),
                        "ashm_ring_create", _detach))

    @classmethod
    def attach(cls, region: FileLike, readonly: bool = False) -> Ring:
        """Use the ring that is in a region."""
        return cls(make(lambda made: _attach(descriptor(region), int(readonly), made),
                        "ashm_ring_attach", _detach))

    def writer(self) -> Writer:
        """Become the ring's writer; there is one at a time."""
        owner = self._open()
        return Writer(make(lambda made: _writer(owner.pointer, made), "ashm_ring_writer",
                           _writer_close))

    def reader(self, newest: bool = False) -> Reader:
        """Become a reader that starts with the oldest frame, or with the next new one."""
        owner = self._open()
        return Reader(make(lambda made: _reader(owner.pointer, int(newest), made),
                           "ashm_ring_reader", _reader_close))

    def stat(self) -> RingStat:
        owner = self._open()
        found = _Stat()
        check(_stat(owner.pointer, ctypes.byref(found)), "ashm_ring_stat")
        values = {name: getattr(found, name) for name in RingStat._fields}
        values["writer"] = ("never", "alive", "closed", "died")[found.writer]
        return RingStat(**values)

    def set_spin(self, seconds: float) -> None:
        """Set how long calls spin before they sleep: see ashm_ring_set_spin(3)."""
        owner = self._open()
        check(_set_spin(owner.pointer, unsigned(int(seconds * 1_000_000), ctypes.c_uint)),
              "ashm_ring_set_spin")

    def await_writer(self, timeout: Timeout = None) -> None:
        """Wait until the ring has a living writer."""
        owner = self._open()
        check(waiting(lambda ms: _await_writer(owner.pointer, ms), timeout),
              "ashm_ring_await_writer")
