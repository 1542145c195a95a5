# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""A cache of many entries by key, which the kernel may purge."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from typing import Any, Callable, ContextManager, Iterator, NamedTuple, Optional, Tuple

from ._library import (FileLike, Handle, Number, Owner, Pointer, Size, check, descriptor,
                       function, make, readable, unsigned, view_of)

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64


class _Entry(ctypes.Structure):
    _fields_ = [("data", Pointer), ("size", Size), ("slot", _U32)]


class CacheStat(NamedTuple):
    """struct ashm_cache_stat"""

    size: int
    resident: int
    entries: int
    entries_max: int
    hits: int
    misses: int
    purged: int
    evicted: int
    built: int
    handles: int


class _Stat(ctypes.Structure):
    _fields_ = [*((name, _U64) for name in CacheStat._fields[:-1]),
                ("handles", _U32), ("reserved", _U32)]


_create = function("ashm_cache_create", ctypes.c_char_p, _U64, _U32, _U32, Pointer)
_attach = function("ashm_cache_open", Pointer, Pointer, Pointer)
_close = function("ashm_cache_close", Pointer, result=None)
_fd = function("ashm_cache_fd", Pointer, Number)
_get = function("ashm_cache_get", Pointer, Pointer, Size, Pointer)
_reserve = function("ashm_cache_reserve", Pointer, Pointer, Size, Size, Pointer)
_commit = function("ashm_cache_commit", Pointer, Pointer)
_release = function("ashm_cache_release", Pointer, Pointer)
_put = function("ashm_cache_put", Pointer, Pointer, Size, Pointer, Size)
_drop = function("ashm_cache_drop", Pointer, Pointer, Size)
_stat = function("ashm_cache_stat", Pointer, Pointer)
_adopt = function("ashm_adopt", Number, Pointer)
_close_region = function("ashm_close", Pointer, result=None)


def _copy(file: FileLike, region: Pointer) -> None:
    fd = os.dup(descriptor(file))
    try:
        check(_adopt(fd, ctypes.byref(region)), "ashm_adopt")
    finally:
        if not region.value:
            os.close(fd)


def _is_there(result: int, name: str) -> bool:
    return result != -errno.ENOENT and check(result, name) == 0


class Cache(Handle):
    """Entries of any size by key, which processes share: see ashm_cache_create(3).

    size is in bytes, for all entries; there are up to entries of them, with keys of up
    to key_max bytes. Any thread may use it.

    >>> cache = Cache("icons", 1 << 20, 100, 16)
    >>> with cache.reserve(b"mail", 11) as icon:
    ...     icon[:] = b"an envelope"
    >>> with cache.get(b"mail") as icon:
    ...     None if icon is None else bytes(icon)
    b'an envelope'
    """

    def __init__(self, name: Optional[str], size: int, entries: int,
                 key_max: int) -> None:
        text = None if name is None else os.fsencode(name)
        self._owner = make(
            lambda made: _create(text, unsigned(size), unsigned(entries, _U32),
                                 unsigned(key_max, _U32), made),
            "ashm_cache_create", _close)

    @classmethod
    def open(cls, index: FileLike, contents: FileLike) -> Cache:
        """Open a cache of another process by copies of its two descriptors."""
        cache = cls.__new__(cls)
        owner = Owner(_close)
        parts = Pointer(), Pointer()
        try:
            _copy(index, parts[0])
            _copy(contents, parts[1])
            check(_attach(*parts, ctypes.byref(owner.pointer)), "ashm_cache_open")
        finally:
            # The parts belong to a cache from its beginning.
            if not owner.pointer.value:
                for part in parts:
                    _close_region(part)
        cache._owner = owner
        return cache

    def descriptors(self) -> Tuple[int, int]:
        """The descriptors of index and contents, for open(); the Cache keeps them."""
        owner = self._open()
        return _fd(owner.pointer, 0), _fd(owner.pointer, 1)

    @contextlib.contextmanager
    def _hold(self, call: Callable[[Owner, Any], int], name: str, new: bool) -> Iterator[Any]:
        owner = self._open()
        entry = _Entry()
        made = ctypes.byref(entry)
        result = 0
        try:
            if _is_there(call(owner, made), name):
                with view_of(entry.data, entry.size, owner, not new) as view:
                    yield view
                if new:
                    check(_commit(owner.pointer, made), "ashm_cache_commit")
            else:
                yield None
        finally:
            # As an Owner's pointer: it is set if the entry is held.
            if entry.slot:
                result = _release(owner.pointer, made)
        # If this fails, the entry is held until the cache is closed.
        check(result, "ashm_cache_release")

    def get(self, key: Any) -> ContextManager[Optional[memoryview]]:
        """The contents of an entry, which stay as they are until the block ends.

        None if there is no such entry, or not any more. A view or an array that is kept
        longer may read zeroes or another entry.
        """
        return self._hold(lambda owner, made: _get(owner.pointer, *readable(key), made),
                          "ashm_cache_get", False)

    def reserve(self, key: Any, size: int) -> ContextManager[memoryview]:
        """A new entry, to be filled; others find it after the block.

        An exception that leaves the block gives it up. Nothing may write to it later.
        """
        return self._hold(
            lambda owner, made: _reserve(owner.pointer, *readable(key),
                                         unsigned(size, Size), made),
            "ashm_cache_reserve", True)

    def put(self, key: Any, data: Any) -> None:
        """Add or replace an entry: bytes, or any object with a buffer."""
        owner = self._open()
        check(_put(owner.pointer, *readable(key), *readable(data)), "ashm_cache_put")

    def drop(self, key: Any) -> bool:
        """Remove an entry; false if there was none."""
        owner = self._open()
        return _is_there(_drop(owner.pointer, *readable(key)), "ashm_cache_drop")

    def stat(self) -> CacheStat:
        owner = self._open()
        found = _Stat()
        check(_stat(owner.pointer, ctypes.byref(found)), "ashm_cache_stat")
        return CacheStat(*(getattr(found, name) for name in CacheStat._fields))
