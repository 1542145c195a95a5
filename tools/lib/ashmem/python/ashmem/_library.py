# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""The shared library: its functions, its errors, and the ownership of its objects.

An object must not end during a call that uses its pointer. So an Owner ends its object
only when the last reference to the Owner is gone. Each call and each view of the
object's memory holds such a reference. close() only drops one, from any thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import math
import os
import time
from typing import Any, Callable, Iterator, Optional, Protocol, Tuple, TypeVar, Union

library = ctypes.CDLL("libashmem.so.0")

Number = ctypes.c_int
Pointer = ctypes.c_void_p
Size = ctypes.c_size_t
Timeout = Optional[float]


class HasFileno(Protocol):
    """An object with a descriptor: a Region, a socket."""

    def fileno(self) -> int: ...


FileLike = Union[int, HasFileno]


def function(name: str, *arguments: Any, result: Any = Number) -> Callable[..., int]:
    """A function of the library; the GIL is released while it runs."""
    found: Any = getattr(library, name)
    found.argtypes = arguments
    found.restype = result
    return found  # type: ignore[no-any-return]


def unsigned(value: int, kind: Any = ctypes.c_uint64) -> int:
    """Rejects values that ctypes would truncate."""
    if not 0 <= value < 1 << 8 * ctypes.sizeof(kind):
        raise OverflowError(f"{value} is out of range")
    return value


def check(result: int, name: str) -> int:
    """Returns a result, or raises OSError for -errno."""
    if result < 0:
        raise OSError(-result, f"{name}: {os.strerror(-result)}")
    return result


class Owner:
    """An object of the library, which ends with this one, and is made after it.

    C writes a pointer only if it succeeds. Not so the result: the handler of a signal may
    raise an exception right behind the call, and then nothing else would end the object.
    """

    def __init__(self, end: Callable[..., int]) -> None:
        self.pointer = Pointer()
        self.keep: Any = None  # what ends with it
        self._end = end

    def __del__(self) -> None:
        if self.pointer:
            self._end(self.pointer)


def make(call: Callable[[Any], int], name: str, end: Callable[..., int]) -> Owner:
    owner = Owner(end)
    check(repeated(lambda: call(ctypes.byref(owner.pointer))), name)
    return owner


Same = TypeVar("Same", bound="Handle")


class Handle:
    """The base of all objects of this package: they can be closed."""

    _owner: Optional[Owner]

    def close(self) -> None:
        """Close the object; it ends when no call and no view uses it any more."""
        self._owner = None

    @property
    def closed(self) -> bool:
        return self._owner is None

    def _open(self) -> Owner:
        owner = self._owner
        if owner is None:
            raise ValueError(f"{type(self).__name__} is closed")
        return owner

    def __enter__(self: Same) -> Same:
        self._open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def descriptor(file: FileLike) -> int:
    fd = file if isinstance(file, int) else file.fileno()
    return unsigned(fd, Number) if fd >= 0 else -1


def readable(data: Any) -> Tuple[Any, int]:
    """An argument for const void *, and its length. Copies read-only and scattered data."""
    if isinstance(data, bytes):
        return data, len(data)
    view = memoryview(data)
    if not view.nbytes or view.readonly or not view.c_contiguous:
        return view.tobytes(), view.nbytes
    return (ctypes.c_char * view.nbytes).from_buffer(view), view.nbytes


def lasting_view(address: Optional[int], size: int, owner: Owner,
                 readonly: bool = False) -> memoryview:
    """A view of an object's memory. The object lives as long as any part of the view."""
    view = memoryview(bytearray())
    if address and size:
        array = (ctypes.c_ubyte * size).from_address(address)
        array.owner = owner  # type: ignore[attr-defined]
        view = memoryview(array).cast("B")
    return view.toreadonly() if readonly else view


@contextlib.contextmanager
def view_of(address: Optional[int], size: int, owner: Owner,
            readonly: bool = False) -> Iterator[memoryview]:
    """A view of an object's memory, for a block.

    If another object was made from it, the view and its memory stay.
    """
    view = lasting_view(address, size, owner, readonly)
    try:
        yield view
    finally:
        with contextlib.suppress(BufferError):
            view.release()


def repeated(call: Callable[[], int]) -> int:
    """Repeats a call that a signal interrupted. Python has run its handlers by then."""
    while True:
        result = call()
        if result != -errno.EINTR:
            return result


def waiting(call: Callable[[int], int], timeout: Timeout) -> int:
    """Calls with a timeout in milliseconds. Repeats a call that a signal interrupted."""
    end = None if timeout is None else time.monotonic() + timeout
    left = timeout
    while True:
        ms = -1 if left is None else math.ceil(min(max(left, 0) * 1000, 0x7fffffff))
        result = call(ms)
        if result != -errno.EINTR:
            break
        if end is not None:
            left = end - time.monotonic()
    # A signal interrupted the call, and no time was left to repeat it.
    if result == -errno.EAGAIN and timeout:
        return -errno.ETIMEDOUT
    return result
