# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""Regions of shared memory."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
from typing import Any, Iterator, Optional, Tuple

from ._library import (FileLike, Handle, Number, Owner, Pointer, Size, check, descriptor,
                       function, lasting_view, library, make, readable, repeated, unsigned)

_create = function("ashm_create", ctypes.c_char_p, Size, Pointer)
_adopt = function("ashm_adopt", Number, Pointer)
_receive = function("ashm_receive", Number, Pointer)
_send = function("ashm_send", Number, Number)
_close = function("ashm_close", Pointer, result=None)
_fd = function("ashm_fd", Pointer)
_size = function("ashm_size", Pointer, result=ctypes.c_uint64)
_map_range = function("ashm_map_range", Pointer, Number, ctypes.c_uint64, Size, Pointer)
_unmap = function("ashm_unmap", Pointer, Size)
_name = function("ashm_name", Pointer, ctypes.c_char_p, Size)
_read = function("ashm_read", Pointer, Pointer, Size, ctypes.c_uint64)
_write = function("ashm_write", Pointer, Pointer, Size, ctypes.c_uint64)
_pin = function("ashm_pin", Pointer)
_unpin = function("ashm_unpin", Pointer)
_pinned = function("ashm_pinned", Pointer)
_protect = function("ashm_protect", Pointer, Number)
_prot = function("ashm_prot", Pointer)
_share_readonly = function("ashm_share_readonly", Pointer)
_backend = function("ashm_backend", ctypes.POINTER(ctypes.c_char_p))
library.ashm_version.restype = ctypes.c_char_p


def version() -> str:
    """The library's version, such as "0.1.0"."""
    return str(library.ashm_version().decode())


def backend() -> Tuple[str, str]:
    """The backend of new regions, "ashmem" or "memfd", and the reason for it."""
    why = ctypes.c_char_p()
    kind = check(_backend(ctypes.byref(why)), "ashm_backend")
    return ("ashmem" if kind == 1 else "memfd"), (why.value or b"").decode()


class Region(Handle):
    """Shared memory of a fixed size: see ashm_create(3).

    Errors are OSError with the errno of the function's man page. Any thread may call.
    If a thread closes the region during another's call, that call still completes.

    >>> with Region("example", 4096) as region:
    ...     region.write(b"hello", 100)
    ...     region.read(5, 100)
    b'hello'
    """

    # The user that pins. Never wait for it: a child may find it there forever.
    _user: object = None
    _doubt = False

    def __init__(self, name: Optional[str], size: int) -> None:
        text = None if name is None else os.fsencode(name)
        self._owner = make(lambda made: _create(text, unsigned(size, Size), made),
                           "ashm_create", _close)

    @classmethod
    def adopt(cls, fd: int) -> Region:
        """Make a Region of a descriptor; the Region then owns and closes it."""
        region = cls.__new__(cls)
        pointer = Pointer()
        region._owner = Owner(_close)
        check(repeated(lambda: _adopt(descriptor(fd), ctypes.byref(pointer))), "ashm_adopt")
        # Not earlier: who gets an exception, even of a signal's handler, still owns fd.
        region._owner.pointer = pointer
        return region

    @classmethod
    def receive(cls, sock: FileLike) -> Region:
        """Receive a region from a peer: see ashm_receive(3)."""
        region = cls.__new__(cls)
        region._owner = make(lambda made: _receive(descriptor(sock), made),
                             "ashm_receive", _close)
        return region

    def send(self, sock: FileLike) -> None:
        """Pass the region to the process at the other end of a Unix socket."""
        owner = self._open()
        send_descriptor(sock, _fd(owner.pointer))

    def fileno(self) -> int:
        """The descriptor; the Region still owns it."""
        return _fd(self._open().pointer)

    @property
    def size(self) -> int:
        return _size(self._open().pointer)

    @property
    def name(self) -> str:
        owner = self._open()
        text = ctypes.create_string_buffer(256)
        check(_name(owner.pointer, text, len(text)), "ashm_name")
        return os.fsdecode(text.value)

    def map(self, prot: int = mmap.PROT_READ | mmap.PROT_WRITE, offset: int = 0,
            length: Optional[int] = None) -> memoryview:
        """Map the region, or a part of it; offset is a multiple of the page size.

        The mapping can outlive the Region. It stays until no object made from it is left, such
        as memoryviews and numpy.frombuffer(). Nothing is copied.

        >>> region = Region("example", 4096)
        >>> with region.map() as memory:
        ...     memory[:5] = b"hello"
        >>> region.read(5)
        b'hello'
        """
        owner = self._open()
        if length is None:
            length = max(_size(owner.pointer) - offset, 0)
        unsigned(prot, Number)
        unsigned(offset)
        unsigned(length, Size)
        # Not mmap.mmap(), which keeps a descriptor and refuses the rest of a last page.
        mapping = make(lambda at: _map_range(owner.pointer, prot, offset, length, at),
                       "ashm_map_range", lambda at: _unmap(at, length))
        return lasting_view(mapping.pointer.value, length, mapping,
                            not prot & mmap.PROT_WRITE)

    def _within(self, offset: int, length: int, name: str) -> None:
        if length < 0 or offset < 0 or offset + length > self.size:
            check(-errno.ERANGE, name)

    def read(self, length: int, offset: int = 0) -> bytes:
        """Read exactly length bytes, or raise OSError."""
        owner = self._open()
        self._within(offset, length, "ashm_read")
        buffer = bytearray(length)
        if length:
            into = (ctypes.c_char * length).from_buffer(buffer)
            check(_read(owner.pointer, into, length, offset), "ashm_read")
        return bytes(buffer)

    def write(self, data: Any, offset: int = 0) -> None:
        """Write all of data, bytes or any object with a buffer, or raise OSError."""
        owner = self._open()
        what, length = readable(data)
        self._within(offset, length, "ashm_write")
        check(_write(owner.pointer, what, length, offset), "ashm_write")

    # ---- purging ----

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Owner]:
        owner = self._open()
        user = object()
        try:
            # One step, and it says who did it, even if a signal's handler raises behind it.
            if self.__dict__.setdefault("_user", user) is not user:
                raise OSError(errno.EBUSY, "the region is being pinned by another user")
            yield owner
        finally:
            if self._user is user:
                del self._user

    def _pin(self, owner: Owner) -> int:
        # If a signal's handler raises behind the call, the next one tells of a loss.
        doubt, self._doubt = self._doubt, True
        result = _pin(owner.pointer)
        self._doubt = doubt and result < 0
        return result or int(doubt)

    def unpin(self) -> None:
        """Let the kernel purge the contents when memory is short."""
        with self._alone() as owner:
            check(_unpin(owner.pointer), "ashm_unpin")

    def pin(self) -> bool:
        """Keep the contents; true if some were lost and read as zeroes now."""
        with self._alone() as owner:
            return check(self._pin(owner), "ashm_pin") == 1

    @property
    def is_pinned(self) -> bool:
        return bool(_pinned(self._open().pointer))

    @contextlib.contextmanager
    def pinned(self) -> Iterator[bool]:
        """Keep the contents until the with block ends; after it they may be purged.

        Yields whether contents were lost. A second user at the same time gets OSError
        (EBUSY), because it can't know whether the first has rebuilt lost contents yet.
        For memory that threads share, use a Purgeable.

        >>> region = Region("example", 4096)
        >>> region.unpin()
        >>> with region.pinned() as lost:
        ...     region.is_pinned, lost
        (True, False)
        >>> region.is_pinned
        False
        """
        with self._alone() as owner:
            result = 0
            try:
                result = self._pin(owner)
                yield check(result, "ashm_pin") == 1
            finally:
                # A failure is harmless: the contents stay.
                if result >= 0:
                    _unpin(owner.pointer)

    # ---- rights ----

    def protect(self, prot: int) -> None:
        """Take rights away from later mappings: see ashm_protect(3)."""
        owner = self._open()
        check(_protect(owner.pointer, unsigned(prot, Number)), "ashm_protect")

    @property
    def prot(self) -> int:
        """The rights that later mappings can have."""
        owner = self._open()
        return check(_prot(owner.pointer), "ashm_prot")

    def share_readonly(self) -> int:
        """A new descriptor that allows only reading; the caller closes it."""
        owner = self._open()
        return check(_share_readonly(owner.pointer), "ashm_share_readonly")


def send_descriptor(sock: FileLike, file: FileLike) -> None:
    """Pass a region's descriptor to the process at the other end of a Unix socket."""
    check(repeated(lambda: _send(descriptor(sock), descriptor(file))), "ashm_send")
