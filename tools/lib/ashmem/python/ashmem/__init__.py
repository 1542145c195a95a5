# SPDX-License-Identifier: MIT
# Copyright (c) 2026 ashmem maintainers
"""Shared memory from /dev/ashmem or memfd, through libashmem: see libashmem(3).

Region is shared memory. Programs pass it by descriptor, share it read-only, and let
the kernel purge it when memory is short. Purgeable rebuilds its contents after a
purge. Cache has many entries by key, which may be purged one by one. Ring passes frames
from one writer to many readers.

Calls return memory as memoryview, so numpy.frombuffer() and similar functions need no
copy. A view keeps its memory mapped after its object was closed.

Functions that fail raise OSError with the errno of their man page. Rings, caches and Purgeable
objects belong to the process that made them: in a child after fork() they raise
ECHILD.
"""

from ._cache import Cache, CacheStat
from ._frame import (READONLY, UNCHECKED, WAIT, BorrowedFrame, Frame, Reader, Ring,
                     RingStat, Writer, ring_size)
from ._purgeable import Purgeable, reclaim, watch
from ._region import Region, backend, send_descriptor, version

__all__ = [
    "READONLY", "UNCHECKED", "WAIT", "BorrowedFrame", "Cache", "CacheStat", "Frame",
    "Purgeable", "Reader", "Region", "Ring", "RingStat", "Writer", "backend", "reclaim", "ring_size",
    "send_descriptor", "version", "watch",
]
