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
from typing import Any, Callable, ContextManager, Iterator, Optional

from ._library import (Handle, Number, Owner, Pointer, Size, check, function, unsigned,
                       view_of)

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

# What a rebuild function raised. It can't pass through C, so _use() raises it again.
_raised = threading.local()


def _callback(rebuild: Callable[[memoryview], object],
              find: Callable[[], Optional[Owner]]) -> Any:
    def call(data: object, contents: int, size: int) -> int:
        try:
            owner = find()
            assert owner is not None  # begin holds a reference
            with view_of(contents, size, owner) as view:
                rebuild(view)
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
        text = None if name is None else os.fsencode(name)
        owner = Owner(_destroy)
        owner.keep = _callback(rebuild, weakref.ref(owner))
        check(_create(text, unsigned(size, Size), owner.keep, None,
                      ctypes.byref(owner.pointer)), "ashm_purgeable_create")
        self._owner = owner

    @property
    def size(self) -> int:
        return _size(self._open().pointer)

    @contextlib.contextmanager
    def _use(self, begin: Any, end: Any, write: bool) -> Iterator[memoryview]:
        owner = self._open()
        at = Pointer()
        _raised.exception = None
        try:
            result = begin(owner.pointer, ctypes.byref(at))
            exception, _raised.exception = _raised.exception, None
            if exception is not None:
                raise exception
            check(result, "ashm_purgeable_begin")
            with view_of(at.value, _size(owner.pointer), owner, not write) as view:
                yield view
        except BaseException:
            if write and at.value:
                _discard(owner.pointer)
            raise
        finally:
            # As of an Owner's: begin waits, and then a handler of Ctrl-C may raise.
            if at.value:
                end(owner.pointer)

    def read(self) -> ContextManager[memoryview]:
        """The contents, complete until the with block ends.

        A view or an array that is kept longer reads zeroes after a purge.
        """
        return self._use(_begin_read, _end_read, False)

    def write(self) -> ContextManager[memoryview]:
        """The contents, to change them; no other thread uses them in the block.

        If an exception leaves the block, the next use rebuilds the contents.
        """
        return self._use(_begin_write, _end_write, True)


def reclaim(size: int = (1 << 64) - 1) -> int:
    """On memfd, free memory of unused objects; returns the number of bytes."""
    freed = ctypes.c_uint64()
    check(_reclaim(unsigned(size), ctypes.byref(freed)), "ashm_purgeable_reclaim")
    return freed.value
