// SPDX-License-Identifier: GPL-2.0
/*
 * Totals for the machine, in /sys/class/misc/ashmem: a file per number, and one
 * for what this kernel lets the driver do.
 *
 * They are counted where contents are lost, which is never a hot path, and
 * added up when somebody reads them.
 */

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/sysfs.h>

#include "ashmem.h"
#include "compat/memcg.h"

static atomic_long_t pages_purged[2];
static atomic_long_t pins_purged;

/**
 * ashmem_stats_purged - count purged pages
 * @pages: how many
 * @pressure: for want of memory, rather than by command
 */
void ashmem_stats_purged(unsigned long pages, bool pressure)
{
	atomic_long_add(pages, &pages_purged[pressure]);
}

/**
 * ashmem_stats_pin_purged - count a PIN that found contents lost
 */
void ashmem_stats_pin_purged(void)
{
	atomic_long_inc(&pins_purged);
}

static ssize_t purgeable_pages_show(struct device *dev, struct device_attribute *attr,
				    char *buf)
{
	return sysfs_emit(buf, "%lu\n", ashmem_lru_pages(&ashmem_lru));
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
	return sysfs_emit(buf, "%d\n", compat_shrinks_by_memcg());
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
