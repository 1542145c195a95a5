// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded: if a file "purged" is in the working directory, the next ashm_pin() removes
 * it and says that contents were lost, as if the kernel had taken them.
 */
#include <ashmem.h>
#include <dlfcn.h>
#include <unistd.h>

int ashm_pin(struct ashm *region)
{
	__typeof__(ashm_pin) *real = (__typeof__(ashm_pin) *)dlsym(RTLD_NEXT, "ashm_pin");
	int ret = real(region);

	return !ret && !unlink("purged") ? ASHM_WAS_LOST : ret;
}
