# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""Memory that the kernel may purge, and that is rebuilt when needed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import threading
import weakref
from typing import Any, Callable, Iterator, Optional

from ._library import (Handle, Number, Owner, Pointer, Size, check, function, release,
                       unsigned, view_of)

_rebuild_fn = ctypes.CFUNCTYPE(Number, Pointer, Pointer, Size)
_create = function("ashm_purgeable_create", ctypes.c_char_p, Size, _rebuild_fn, Pointer,
                   Pointer)
_destroy = function("ashm_purgeable_destroy", Pointer, result=None)
_size = function("ashm_purgeable_size", Pointer, result=Size)
_begin_read = function("ashm_purgeable_begin_read", Pointer, Pointer)
_begin_write = function("ashm_purgeable_begin_write", Pointer, Pointer)
_end_read = function("ashm_purgeable_end_read", Pointer)
_end_write = function("ashm_purgeable_end_write", Pointer)
_discard = function("ashm_purgeable_discard", Pointer)
_reclaim = function("ashm_purgeable_reclaim", ctypes.c_uint64,
                    ctypes.POINTER(ctypes.c_uint64))

# What a rebuild function raised. It can't pass through C, so _begin() raises it again.
_raised = threading.local()


def _callback(rebuild: Callable[[memoryview], object],
              find: Callable[[], Optional[Owner]]) -> Any:
    def call(data: object, contents: int, size: int) -> int:
        try:
            owner = find()
            assert owner is not None  # begin holds a reference
            view = view_of(contents, size, owner)
            try:
                rebuild(view)
            finally:
                release(view)
            return 0
        except BaseException as exception:
            _raised.exception = exception
            return -errno.ECANCELED

    return _rebuild_fn(call)


class Purgeable(Handle):
    """Contents of size bytes that can be purged; rebuild writes them into a view again.

    Any thread may use it: see ashm_purgeable_create(3). If rebuild raises an exception,
    the with statement that needed the contents raises it.

    >>> picture = Purgeable("picture", 4096, lambda view: view.__setitem__(0, 7))
    >>> with picture.read() as pixels:
    ...     pixels[0]
    7
    """

    def __init__(self, name: Optional[str], size: int,
                 rebuild: Callable[[memoryview], object]) -> None:
        self._owner = None
        text = None if name is None else os.fsencode(name)
        pointer = Pointer()
        found: Callable[[], Optional[Owner]] = lambda: None
        callback = _callback(rebuild, lambda: found())
        check(_create(text, unsigned(size, Size), callback, None, ctypes.byref(pointer)),
              "ashm_purgeable_create")
        self._owner = Owner(pointer, _destroy, callback)
        found = weakref.ref(self._owner)

    @property
    def size(self) -> int:
        return _size(self._open().pointer)

    def _begin(self, owner: Owner, begin: Any) -> memoryview:
        at = Pointer()
        _raised.exception = None
        result = begin(owner.pointer, ctypes.byref(at))
        exception, _raised.exception = _raised.exception, None
        if exception is not None:
            raise exception
        check(result, "ashm_purgeable_begin")
        return view_of(at.value or 0, _size(owner.pointer), owner)

    @contextlib.contextmanager
    def read(self) -> Iterator[memoryview]:
        """The contents, complete until the with block ends.

        A view or an array that is kept longer reads zeroes after a purge.
        """
        owner = self._open()
        view = self._begin(owner, _begin_read).toreadonly()
        try:
            yield view
        finally:
            release(view)
            _end_read(owner.pointer)

    @contextlib.contextmanager
    def write(self) -> Iterator[memoryview]:
        """The contents, to change them; no other thread uses them in the block.

        If an exception leaves the block, the next use rebuilds the contents.
        """
        owner = self._open()
        view = self._begin(owner, _begin_write)
        try:
            yield view
        except BaseException:
            _discard(owner.pointer)
            raise
        finally:
            release(view)
            _end_write(owner.pointer)


def reclaim(size: int = (1 << 64) - 1) -> int:
    """On memfd, free memory of unused objects; returns the number of bytes."""
    freed = ctypes.c_uint64()
    check(_reclaim(unsigned(size), ctypes.byref(freed)), "ashm_purgeable_reclaim")
    return freed.value
