// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of the whole machine in /sys/class/misc/ashmem, which count pages that exist.
 * See Documentation/ABI/testing/sysfs-class-misc-ashmem.
 */

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/sysfs.h>

#include "compat/list_lru.h"
#include "stats.h"

static atomic_long_t pages_purged[2];
static atomic_long_t pins_purged;
DEFINE_PER_CPU(long, ashmem_stats_purgeable);
const struct list_lru *ashmem_stats_lists;

/* @pressure: by the shrinker, not by ASHMEM_PURGE_ALL_CACHES. */
void ashmem_stats_purged(unsigned long pages, bool pressure)
{
	atomic_long_add(pages, &pages_purged[pressure]);
}

void ashmem_stats_pin_purged(void)
{
	atomic_long_inc(&pins_purged);
}

static ssize_t purgeable_pages_show(struct device *dev, struct device_attribute *attr,
				    char *buf)
{
	long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		pages += per_cpu(ashmem_stats_purgeable, cpu);
	/* The CPUs are read one by one, so the sum can be negative. */
	return sysfs_emit(buf, "%ld\n", max(pages, 0L));
}
static DEVICE_ATTR_RO(purgeable_pages);

static ssize_t pressure_purged_pages_show(struct device *dev,
					  struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", atomic_long_read(&pages_purged[true]));
}
static DEVICE_ATTR_RO(pressure_purged_pages);

static ssize_t command_purged_pages_show(struct device *dev,
					 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", atomic_long_read(&pages_purged[false]));
}
static DEVICE_ATTR_RO(command_purged_pages);

static ssize_t purged_pins_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%lu\n", atomic_long_read(&pins_purged));
}
static DEVICE_ATTR_RO(purged_pins);

static ssize_t memcg_aware_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%d\n", compat_list_lru_by_memcg(ashmem_stats_lists));
}
static DEVICE_ATTR_RO(memcg_aware);

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
