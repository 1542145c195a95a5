// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of the whole machine in /sys/class/misc/ashmem, which count pages that exist.
 * See Documentation/ABI/testing/sysfs-class-misc-ashmem.
 */

#include <linux/device.h>
#include <linux/minmax.h>
#include <linux/sysfs.h>

#include "compat/list_lru.h"
#include "stats.h"

DEFINE_PER_CPU(long [ASHMEM_STATS], ashmem_stats);
const struct list_lru *ashmem_stats_lists;

static unsigned long sum(enum ashmem_stat stat)
{
	unsigned long total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		/* The others go on counting. */
		total += data_race(READ_ONCE(per_cpu(ashmem_stats, cpu)[stat]));
	return total;
}

#define SHOW(name, format, value)						\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	return sysfs_emit(buf, format "\n", value);				\
}

SHOW(memcg_aware, "%d", compat_list_lru_by_memcg(ashmem_stats_lists))
static DEVICE_ATTR_RO(memcg_aware);

/* The CPUs are read one by one, so the sum can be negative. */
SHOW(purgeable_pages, "%ld", max_t(long, sum(ASHMEM_PURGEABLE), 0))
static DEVICE_ATTR_RO(purgeable_pages);

SHOW(pressure_purged_pages, "%lu", sum(ASHMEM_PRESSURE_PURGED))
static DEVICE_ATTR_RO(pressure_purged_pages);

SHOW(command_purged_pages, "%lu", sum(ASHMEM_COMMAND_PURGED))
static DEVICE_ATTR_RO(command_purged_pages);

SHOW(purged_pins, "%lu", sum(ASHMEM_PURGED_PINS))
static DEVICE_ATTR_RO(purged_pins);

static struct attribute *stats_attrs[] = {
	&dev_attr_memcg_aware.attr,
	&dev_attr_purgeable_pages.attr,
	&dev_attr_pressure_purged_pages.attr,
	&dev_attr_command_purged_pages.attr,
	&dev_attr_purged_pins.attr,
	NULL
};

static const struct attribute_group stats_group = {
	.attrs = stats_attrs,
};

const struct attribute_group *ashmem_stats_groups[] = {
	&stats_group,
	NULL
};
