/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints. The inode number of its backing identifies a region, as in /proc/PID/maps.
 * Formats only name fields: libtraceevent, which perf and trace-cmd use, parses a - b + c as
 * a - (b + c).
 */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM ashmem

#if !defined(_ASHMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _ASHMEM_TRACE_H

#include <linux/tracepoint.h>

#include "ashmem.h"

TRACE_EVENT(ashmem_open,
	TP_PROTO(struct ashmem_region *region),
	TP_ARGS(region),
	TP_STRUCT__entry(
		__field(const void *, region)
	),
	TP_fast_assign(
		__entry->region = region;
	),
	TP_printk("region=%p", __entry->region)
);

TRACE_EVENT(ashmem_map,
	TP_PROTO(struct ashmem_region *region, unsigned long start, unsigned long end,
		 bool shared),
	TP_ARGS(region, start, end, shared),
	TP_STRUCT__entry(
		__field(const void *, region)
		__field(unsigned long, ino)
		__field(size_t, size)
		__field(unsigned long, start)
		__field(unsigned long, end)
		__field(bool, shared)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->ino = ashmem_backing_ino(region->backing);
		__entry->size = region->size;
		__entry->start = start;
		__entry->end = end;
		__entry->shared = shared;
	),
	TP_printk("region=%p ino=%lu size=%zu start=%#lx end=%#lx %s",
		  __entry->region, __entry->ino, __entry->size, __entry->start,
		  __entry->end, __entry->shared ? "shared" : "private")
);

TRACE_EVENT(ashmem_pin,
	TP_PROTO(struct ashmem_region *region, unsigned long first, unsigned long last,
		 bool purged),
	TP_ARGS(region, first, last, purged),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned long, first)
		__field(unsigned long, pages)
		__field(bool, purged)
	),
	TP_fast_assign(
		__entry->ino = ashmem_backing_ino(region->backing);
		__entry->first = first;
		__entry->pages = last - first + 1;
		__entry->purged = purged;
	),
	TP_printk("ino=%lu first=%lu pages=%lu %s", __entry->ino, __entry->first,
		  __entry->pages, __entry->purged ? "was_purged" : "not_purged")
);

TRACE_EVENT(ashmem_unpin,
	TP_PROTO(struct ashmem_region *region, unsigned long first, unsigned long last),
	TP_ARGS(region, first, last),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned long, first)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->ino = ashmem_backing_ino(region->backing);
		__entry->first = first;
		__entry->pages = last - first + 1;
	),
	TP_printk("ino=%lu first=%lu pages=%lu", __entry->ino, __entry->first,
		  __entry->pages)
);

/* One step of a purge: it took @pages, of which @freed were in memory, in @nsecs. */
TRACE_EVENT(ashmem_purge,
	TP_PROTO(struct ashmem_region *region, unsigned long first,
		 unsigned long pages, unsigned long freed, bool pressure, u64 nsecs),
	TP_ARGS(region, first, pages, freed, pressure, nsecs),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned long, first)
		__field(unsigned long, pages)
		__field(unsigned long, freed)
		__field(bool, pressure)
		__field(u64, nsecs)
	),
	TP_fast_assign(
		__entry->ino = ashmem_backing_ino(region->backing);
		__entry->first = first;
		__entry->pages = pages;
		__entry->freed = freed;
		__entry->pressure = pressure;
		__entry->nsecs = nsecs;
	),
	TP_printk("ino=%lu first=%lu pages=%lu freed=%lu reason=%s nsecs=%llu",
		  __entry->ino, __entry->first, __entry->pages, __entry->freed,
		  __entry->pressure ? "pressure" : "command", __entry->nsecs)
);

TRACE_EVENT(ashmem_shrinker_count,
	TP_PROTO(int nid, unsigned long pages),
	TP_ARGS(nid, pages),
	TP_STRUCT__entry(
		__field(int, nid)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->nid = nid;
		__entry->pages = pages;
	),
	TP_printk("nid=%d pages=%lu", __entry->nid, __entry->pages)
);

TRACE_EVENT(ashmem_shrinker_scan,
	TP_PROTO(int nid, unsigned long nr_to_scan, unsigned long scanned,
		 unsigned long freed),
	TP_ARGS(nid, nr_to_scan, scanned, freed),
	TP_STRUCT__entry(
		__field(int, nid)
		__field(unsigned long, nr_to_scan)
		__field(unsigned long, scanned)
		__field(unsigned long, freed)
	),
	TP_fast_assign(
		__entry->nid = nid;
		__entry->nr_to_scan = nr_to_scan;
		__entry->scanned = scanned;
		__entry->freed = freed;
	),
	TP_printk("nid=%d nr_to_scan=%lu scanned=%lu freed=%lu", __entry->nid,
		  __entry->nr_to_scan, __entry->scanned, __entry->freed)
);

#endif /* _ASHMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
