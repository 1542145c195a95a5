# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""Memory that the kernel may purge, and that is rebuilt when needed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from typing import Callable, ContextManager, Iterator, Optional

from ._library import (Handle, Number, Owner, Pointer, Size, check, function, make, unsigned,
                       view_of)

_create = function("ashm_purgeable_create", ctypes.c_char_p, Size, Pointer, Pointer, Pointer)
_destroy = function("ashm_purgeable_destroy", Pointer, result=None)
_size = function("ashm_purgeable_size", Pointer, result=Size)
_begin_read = function("ashm_purgeable_begin_read", Pointer, Pointer)
_begin_rebuild = function("ashm_purgeable_begin_rebuild", Pointer, Pointer)
_begin_write = function("ashm_purgeable_begin_write", Pointer, Pointer)
_end_read = function("ashm_purgeable_end_read", Pointer)
_end_write = function("ashm_purgeable_end_write", Pointer)
_rebuilt = function("ashm_purgeable_rebuilt", Pointer)
_discard = function("ashm_purgeable_discard", Pointer)
_reclaim = function("ashm_purgeable_reclaim", ctypes.c_uint64,
                    ctypes.POINTER(ctypes.c_uint64))
_watch = function("ashm_purgeable_watch", Number)


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
        size = unsigned(size, Size)
        # No callback: at its entry a signal's handler can raise, which C isn't told.
        owner = make(lambda pointer: _create(text, size, None, None, pointer),
                     "ashm_purgeable_create", _destroy)
        owner.keep = rebuild
        self._owner = owner

    @property
    def size(self) -> int:
        return _size(self._open().pointer)

    @staticmethod
    def _make(begin: Callable[..., int], owner: Owner, size: int,
              writing: ctypes.c_void_p) -> int:
        """Begins, and makes contents that are not there."""
        result = begin(owner.pointer, ctypes.byref(writing))
        if result > 0:
            with view_of(writing.value, size, owner) as view:
                owner.keep(view)
            result = _rebuilt(owner.pointer)
        return result

    @contextlib.contextmanager
    def _use(self, write: bool) -> Iterator[memoryview]:
        owner = self._open()
        size = _size(owner.pointer)
        # C sets them if it succeeds. A handler of Ctrl-C may raise right behind the call.
        writing, reading = Pointer(), Pointer()
        try:
            if write:
                result = self._make(_begin_write, owner, size, writing)
            else:
                result = _begin_read(owner.pointer, ctypes.byref(reading))
                # Other threads may rebuild at the same time, and read then.
                while result == -errno.ENODATA:
                    result = self._make(_begin_rebuild, owner, size, writing)
                    if result >= 0:
                        result = _begin_read(owner.pointer, ctypes.byref(reading))
                if writing.value:
                    _end_write(owner.pointer)
                    writing.value = None
            check(result, "ashm_purgeable_begin")
            with view_of(writing.value or reading.value, size, owner, not write) as view:
                yield view
        except BaseException:
            if writing.value:
                _discard(owner.pointer)
            raise
        finally:
            if reading.value:
                _end_read(owner.pointer)
            if writing.value:
                _end_write(owner.pointer)

    def read(self) -> ContextManager[memoryview]:
        """The contents, complete until the with block ends.

        A view or an array that is kept longer reads zeroes after a purge.
        """
        return self._use(False)

    def write(self) -> ContextManager[memoryview]:
        """The contents, to change them; no other thread uses them in the block.

        If an exception leaves the block, the next use rebuilds the contents.
        """
        return self._use(True)


def reclaim(size: int = (1 << 64) - 1) -> int:
    """On memfd, free memory of unused objects; returns the number of bytes."""
    freed = ctypes.c_uint64()
    check(_reclaim(unsigned(size), ctypes.byref(freed)), "ashm_purgeable_reclaim")
    return freed.value


def watch(on: bool) -> None:
    """Whether a thread frees memory of unused objects on memfd when memory is short.

    It does at the start: see ashm_purgeable_watch(3).
    """
    check(_watch(int(on)), "ashm_purgeable_watch")
