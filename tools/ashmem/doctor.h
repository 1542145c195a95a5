/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the checks of ashmem doctor share.
 */

#ifndef _ASHMEM_DOCTOR_H
#define _ASHMEM_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD };

/**
 * struct finding - what a check found
 * @check: which one
 * @level: how bad it is
 * @text: in a sentence; allocated
 * @advice: what to do about it; allocated, NULL if there is nothing to do
 */
struct finding {
	const char *check;
	enum level level;
	char *text;
	char *advice;
};

/**
 * struct patient - what is known of the machine before the checks
 * @release: the kernel's, as uname(2) says it
 * @major: of the release
 * @minor: of the release
 * @rdev: the device; 0 if the kernel has none
 * @module_file: where modprobe finds the module, below /lib/modules/RELEASE; NULL
 * @loaded: the module is loaded
 * @ours: the driver behind the device is this project's
 * @android: the first version of Android that is asked about; 0 if none is
 * @android_last: the last one
 * @findings: so far
 * @count: how many
 */
struct patient {
	char *release;
	unsigned int major, minor;
	dev_t rdev;
	char *module_file;
	bool loaded;
	bool ours;
	unsigned int android, android_last;
	struct finding *findings;
	size_t count, room;
};

/* doctor.c; both texts are allocated and belong to the finding from then on */
void found(struct patient *patient, const char *check, enum level level, char *text,
	   char *advice);
bool there_is(const char *path);
char *module_find(const struct patient *patient, const char *name);

/* doctor_module.c */
void check_kernel(struct patient *patient);
void check_module(struct patient *patient);
void check_driver(struct patient *patient);
void check_signature(struct patient *patient);

/* doctor_device.c */
void check_node(struct patient *patient);
void check_permission(struct patient *patient);
void check_cgroups(struct patient *patient);
void check_second_name(struct patient *patient);
char *second_name(void);
bool is_device(const struct patient *patient, const char *path, mode_t *mode);

/* doctor_binder.c */
void check_binder(struct patient *patient);

/* doctor_android.c */
#define ANDROID_FIRST	10
#define ANDROID_LAST	17
void check_page_size(struct patient *patient);
void check_pressure(struct patient *patient);
void check_hierarchy(struct patient *patient);
void check_app_access(struct patient *patient);
void check_android(struct patient *patient);

/* doctor_system.c */
void check_memfd(struct patient *patient);
void check_library(struct patient *patient);
void check_proc(struct patient *patient);

#endif /* _ASHMEM_DOCTOR_H */
