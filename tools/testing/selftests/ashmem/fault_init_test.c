// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of the module's init fails in turn. Then the module must not be
 * loaded, must log what failed, must leave nothing behind, and must load at the next
 * try. Has the requirements of fault_test.
 */
#include "kselftest_harness.h"
#include "fault_util.h"
#include "module_util.h"

FIXTURE(init)
{
	struct faults faults;
	int log;
};

FIXTURE_SETUP(init)
{
	const char *lacking = faults_begin(&self->faults);

	if (!lacking)
		lacking = module_is_fixed();
	if (lacking)
		SKIP(return, "%s", lacking);
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(init)
{
	faults_end(&self->faults);
	if (module_refs() < 0)
		EXPECT_EQ(0, module_load());
}

/* Is there a new line of our init in the log? @err gets its error. */
static bool init_complained(int log, int *err)
{
	char line[2048], *text;
	bool found = false;
	ssize_t got;

	while ((got = read(log, line, sizeof(line) - 1)) > 0 ||
	       (got < 0 && errno == EPIPE)) {
		if (got < 0)
			continue;
		line[got] = '\0';
		text = strstr(line, MODULE ": could not ");
		if (!text)
			continue;
		text = strstr(text, "(error ");
		found = text && sscanf(text, "(error %d)", err) == 1;
	}
	return found;
}

/* Any trace of the module? */
static bool module_left_something(void)
{
	char line[512];
	bool found = module_refs() >= 0 || listed_in_proc_misc() ||
		     !access("/sys/class/misc/ashmem", F_OK);
	FILE *f = fopen("/proc/slabinfo", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "ashmem_", 7);
	if (f)
		fclose(f);
	return found;
}

/*
 * The kernel makes hundreds of allocations before our init runs. So go backwards from
 * the last one, to the first that our init does not report.
 */
TEST_F_TIMEOUT(init, leaves_nothing_when_it_fails, 1800)
{
	const unsigned int plenty = 1000000;
	unsigned int nth, failures = 0, survived = 0;
	int err = 0;
	long ret;

	ASSERT_EQ(0, module_unload_soon());
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, module_unload_soon());
	ASSERT_FALSE(module_left_something());
	ASSERT_TRUE(fault_arm(&self->faults, plenty));
	ret = module_load();
	/* Some of the other allocations happen only sometimes. */
	nth = plenty - fault_disarm(&self->faults) + 10;
	ASSERT_EQ(0, ret);
	init_complained(self->log, &err);

	for (; nth; nth--) {
		if (module_refs() >= 0)
			ASSERT_EQ(0, module_unload_soon());
		ASSERT_TRUE(fault_arm(&self->faults, nth));
		ret = module_load();
		if (!fault_disarm(&self->faults))
			survived += !ret;
		if (!ret) {
			EXPECT_TRUE(node_appears(true));
			continue;
		}
		if (!init_complained(self->log, &err)) {
			if (failures)
				break;
			continue;
		}
		failures++;
		EXPECT_EQ(err, ret);
		EXPECT_TRUE(ret == -ENOMEM || ret == -ENOSPC)
			TH_LOG("step %u: errno %ld", nth, -ret);
		EXPECT_FALSE(module_left_something())
			TH_LOG("step %u: errno %ld", nth, -ret);
	}
	/* At least one of each thing that init sets up. */
	EXPECT_LE(6, failures);
	TH_LOG("%u faults in init, %u survived", failures, survived);
	EXPECT_EQ(0, module_load());
}

TEST_HARNESS_MAIN
