// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem doctor, on machines made for it and on this one.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"

#include <sys/utsname.h>

#include <elf.h>

#define RELEASE		"6.12.9-test"
#define MODULES		"/lib/modules/" RELEASE
#define BOOT_ID		"01234567-89ab-cdef-0123-456789abcdef"
#define SECOND		"/dev/ashmem" BOOT_ID

/* A healthy machine, except that its /dev/ashmem is /dev/null. */
FIXTURE(patient)
{
	char *root;
	struct output o;
};

FIXTURE_SETUP(patient)
{
	unsigned long auxv[] = { AT_PAGESZ, 4096, AT_NULL, 0 };

	self->root = temp_dir();
	put_bytes(self->root, "/proc/self/auxv", auxv, sizeof(auxv));
	put_file(self->root, "/proc/sys/kernel/osrelease", RELEASE "\n");
	put_file(self->root, "/proc/modules", "ashmem_linux 32768 0 - Live 0x0\n");
	put_file(self->root, "/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
		 "memory\t0\t5\t1\n");
	put_file(self->root, "/proc/filesystems", "nodev\tbinder\n");
	put_file(self->root, "/sys/class/misc/ashmem/dev", "1:3\n");
	put_file(self->root, "/sys/class/misc/ashmem/purgeable_pages", "0\n");
	put_file(self->root, "/sys/module/ashmem_linux/version", ASHMEM_VERSION "\n");
	put_file(self->root, "/proc/sys/kernel/random/boot_id", BOOT_ID "\n");
	put_file(self->root, "/proc/pressure/memory", "some avg10=0.00\n");
	put_file(self->root, "/dev/binder", "");
	put_file(self->root, "/dev/hwbinder", "");
	put_file(self->root, "/dev/vndbinder", "");
	put_link(self->root, "/dev/ashmem", "/dev/null");
	put_link(self->root, SECOND, "/dev/null");
	setenv(TEST_ROOT, self->root, 1);
	unsetenv("ASHMEM_BACKEND");
}

FIXTURE_TEARDOWN(patient)
{
	remove_tree(self->root);
}

/* Checks the level of a check on this machine, and a part of its text. */
#define DOCTOR(check, level, part)	DOCTOR_OF(check, level, part, NULL)
#define ANDROID(check, level, part)	DOCTOR_OF(check, level, part, "--android")
#define DOCTOR_OF(check, level, part, ...) do { \
	const char *anchor__ = "\"check\": \"" check "\"", *level__ = level; \
	ASHMEM(&self->o, -1, "doctor", "--json", __VA_ARGS__); \
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len)); \
	EXPECT_STREQ(format("\"%s\"", level__), \
		     json_get(self->o.out, anchor__, "level")); \
	EXPECT_TRUE(strstr(json_get(self->o.out, anchor__, "text"), part)) { \
		TH_LOG("%s", json_get(self->o.out, anchor__, "text")); \
	} \
	/* Advice comes with each check that isn't ok, and only with those. */ \
	EXPECT_EQ(!strcmp("ok", level__), \
		  !strcmp("null", json_get(self->o.out, anchor__, "advice"))); \
} while (0)

static void drop(const char *root, const char *path)
{
	remove_tree(format("%s%s", root, path));
}

static void no_module(const char *root)
{
	drop(root, "/proc/modules");
	drop(root, "/sys/class/misc/ashmem");
	drop(root, "/sys/module");
	drop(root, "/dev/ashmem");
	drop(root, SECOND);
}

static void drop_binder(const char *root)
{
	drop(root, "/dev/binder");
	drop(root, "/dev/hwbinder");
	drop(root, "/dev/vndbinder");
}

TEST_F(patient, kernels)
{
	DOCTOR("kernel", "ok", "is supported");
	put_file(self->root, "/proc/sys/kernel/osrelease", "5.10.0-1-amd64\n");
	DOCTOR("kernel", "ok", "is supported");
	put_file(self->root, "/proc/sys/kernel/osrelease", "5.9.16\n");
	DOCTOR("kernel", "bad", "too old");
	EXPECT_EQ(4, self->o.code);
	put_file(self->root, "/proc/sys/kernel/osrelease", "4.19.0\n");
	DOCTOR("kernel", "bad", "too old");
	put_file(self->root, "/proc/sys/kernel/osrelease", "7.3.5+deb13\n");
	DOCTOR("kernel", "ok", "is supported");
	put_file(self->root, "/proc/sys/kernel/osrelease", "7.4.0-rc1\n");
	DOCTOR("kernel", "warn", "newer");
	put_file(self->root, "/proc/sys/kernel/osrelease", "10.0\n");
	DOCTOR("kernel", "warn", "newer");
}

TEST_F(patient, module)
{
	DOCTOR("module", "ok", "is loaded");
	no_module(self->root);
	DOCTOR("module", "bad", "isn't installed for " RELEASE);
	EXPECT_EQ(4, self->o.code);
	put_file(self->root, "/var/lib/dkms/ashmem/0.1.0/x", "");
	DOCTOR("module", "bad", "DKMS knows");
	put_file(self->root, MODULES "/modules.dep",
		 "kernel/x/y.ko: z.ko\nupdates/my_ashmem_linux.ko:\n");
	DOCTOR("module", "bad", "DKMS knows");
	put_file(self->root, MODULES "/modules.dep",
		 "kernel/x/y.ko: z.ko\nupdates/ashmem-linux.ko.xz: kernel/x/y.ko\n");
	DOCTOR("module", "bad", "installed for " RELEASE ", but not loaded");
	put_file(self->root, "/etc/modprobe.d/no.conf", "# install ashmem_linux\n"
		 "blacklist ashmem_linuxer\n");
	DOCTOR("module", "bad", "but not loaded");
	put_file(self->root, "/etc/modprobe.d/no.conf", "\n blacklist\tashmem_linux\n");
	DOCTOR("module", "bad", "/etc/modprobe.d/no.conf keeps it");
	put_file(self->root, "/lib/modprobe.d/x.conf", "install ashmem-linux /bin/false\n");
	DOCTOR("module", "bad", "/lib/modprobe.d/x.conf has modprobe do something else");
}

TEST_F(patient, drivers)
{
	DOCTOR("driver", "ok", ASHMEM_VERSION);
	put_file(self->root, "/sys/module/ashmem_linux/version", "0.0.1\n");
	DOCTOR("driver", "warn", "is version 0.0.1, this command " ASHMEM_VERSION);
	drop(self->root, "/sys/class/misc/ashmem/purgeable_pages");
	DOCTOR("driver", "warn", "another driver's");
	DOCTOR("module", "ok", "is loaded");
	put_file(self->root, MODULES "/modules.dep",
		 "kernel/drivers/staging/android/ashmem_linux.ko:\n");
	DOCTOR("driver", "warn", "(the kernel's own)");
	drop(self->root, "/proc/modules");
	DOCTOR("driver", "warn", "built into the kernel");
	DOCTOR("module", "ok", "built in");
	no_module(self->root);
	DOCTOR("driver", "warn", "modprobe would load the kernel's own");
	put_file(self->root, "/proc/modules", "ashmem_linux 32768 0 - Live 0x0\n");
	DOCTOR("driver", "bad", "there is no device");
}

TEST_F(patient, signatures)
{
	DOCTOR("signature", "ok", "without signature");
	put_file(self->root, "/sys/kernel/security/lockdown", "none [integrity] x\n");
	DOCTOR("signature", "ok", "lockdown is 'integrity'");
	no_module(self->root);
	put_file(self->root, MODULES "/modules.dep", "updates/ashmem_linux.ko:\n");
	put_file(self->root, MODULES "/updates/ashmem_linux.ko",
		 "ELF, but not signed so far.\n");
	DOCTOR("signature", "bad", "the module isn't signed");
	put_file(self->root, MODULES "/updates/ashmem_linux.ko",
		 "ELF~Module signature appended~\n");
	DOCTOR("signature", "warn", "the module is signed");
	put_file(self->root, MODULES "/modules.dep", "updates/ashmem_linux.ko.xz:\n");
	DOCTOR("signature", "bad", "signed modules only");
	put_file(self->root, "/sys/kernel/security/lockdown", "[none] integrity x\n");
	DOCTOR("signature", "ok", "without signature");
	put_file(self->root, "/sys/module/module/parameters/sig_enforce", "Y\n");
	DOCTOR("signature", "bad", "module.sig_enforce is set");
}

TEST_F(patient, nodes)
{
	DOCTOR("node", "ok", "/dev/ashmem is 1:3, mode 0666");
	/* /dev/null has none of ashmem's ioctls. */
	DOCTOR("permission", "bad", "doesn't behave like ashmem");
	put_link(self->root, "/dev/ashmem", "/dev/zero");
	DOCTOR("node", "bad", "isn't the kernel's device 1:3");
	put_file(self->root, "/dev/ashmem", "");
	DOCTOR("node", "bad", "isn't the kernel's device 1:3");
	drop(self->root, "/dev/ashmem");
	DOCTOR("node", "bad", "is missing");
	EXPECT_TRUE(has(self->o.out, "mknod -m 666 /dev/ashmem c 1 3"));
	EXPECT_EQ(0, count_of(self->o.out, "\"permission\""));
	no_module(self->root);
	ASHMEM(&self->o, -1, "doctor");
	EXPECT_EQ(0, count_of(self->o.out, "node"));
	put_link(self->root, "/dev/ashmem", "/dev/null");
	DOCTOR("node", "warn", "no driver is behind it");
}

TEST_F(patient, second_name)
{
	DOCTOR("second", "ok", SECOND " is there");
	put_link(self->root, SECOND, "/dev/zero");
	DOCTOR("second", "warn", "is another device");
	drop(self->root, SECOND);
	DOCTOR("second", "warn", "is missing");
	EXPECT_TRUE(has(self->o.out, "ashmem-nodes"));
	no_module(self->root);
	ASHMEM(&self->o, -1, "doctor");
	EXPECT_EQ(0, count_of(self->o.out, "second"));
	put_link(self->root, SECOND, "/dev/zero");
	DOCTOR("second", "warn", "no driver is behind it");
}

/* The levels of Android 10 to 17, each as the first letter of its word. */
static const char *android_levels(struct output *o)
{
	static char levels[9];
	unsigned int version;

	ASHMEM(o, -1, "doctor", "--json", "--android");
	for (version = 10; version <= 17; version++)
		levels[version - 10] =
			json_get(o->out, format("\"android %u\"", version), "level")[1];
	return levels;
}

/* ok: on ashmem, warn: on memfd, bad: doesn't start. */
TEST_F(patient, androids)
{
	EXPECT_STREQ("oooooooo", android_levels(&self->o));
	ANDROID("android 10", "ok", "opens /dev/ashmem");
	ANDROID("android 13", "ok", "opens /dev/ashmem<boot_id>");
	drop(self->root, "/dev/ashmem");
	EXPECT_STREQ("booooooo", android_levels(&self->o));
	put_link(self->root, "/dev/ashmem", "/dev/null");
	put_link(self->root, SECOND, "/dev/zero");
	EXPECT_STREQ("oooooobw", android_levels(&self->o));
	ANDROID("android 15", "ok", "opens /dev/ashmem");
	ANDROID("android 16", "bad", "won't start: needs ashmem");
	EXPECT_TRUE(has(self->o.out, "ashmem-nodes makes both"));
	no_module(self->root);
	EXPECT_STREQ("bwwwwwbw", android_levels(&self->o));
	EXPECT_EQ(4, self->o.code);
	ANDROID("android 12", "warn", "androidboot.use_memfd=1");
	EXPECT_TRUE(has(self->o.out, "load ashmem_linux"));
	drop_binder(self->root);
	put_file(self->root, "/proc/filesystems", "nodev\tproc\n");
	EXPECT_STREQ("bbbbbbbb", android_levels(&self->o));
	ANDROID("android 12", "bad", "won't start without Binder; works with memfd");
}

TEST_F(patient, one_android)
{
	ASHMEM(&self->o, -1, "doctor", "--android", "16");
	EXPECT_EQ(1, count_of(self->o.out, "android 1"));
	EXPECT_TRUE(has(self->o.out, "\nok    android 16  finds ashmem"));
	EXPECT_EQ(0, count_of(self->o.out, "permission"));
	put_file(self->root, "/sys/fs/cgroup/cgroup.controllers", "memory\n");
	DOCTOR_OF("hierarchy", "ok", "version 2", "-a", "12");
	DOCTOR_OF("hierarchy", "warn", "Android 10 and 11", "-a", "11");
	drop(self->root, "/sys/fs");
	DOCTOR_OF("hierarchy", "ok", "version 1", "-a", "11");
}

TEST_F(patient, android_around)
{
	unsigned long auxv[] = { AT_UID, 0, AT_PAGESZ, 4096, AT_NULL, 0 };

	put_bytes(self->root, "/proc/self/auxv", auxv, sizeof(auxv));
	ANDROID("pages", "ok", "4 KiB");
	EXPECT_STREQ("oooooooo", android_levels(&self->o));
	auxv[3] = 16384;
	put_bytes(self->root, "/proc/self/auxv", auxv, sizeof(auxv));
	ANDROID("pages", "warn", "16 KiB");
	EXPECT_TRUE(has(self->o.out, "Android 15 or later"));
	EXPECT_STREQ("bbbbbooo", android_levels(&self->o));
	auxv[3] = 65536;
	put_bytes(self->root, "/proc/self/auxv", auxv, sizeof(auxv));
	ANDROID("pages", "warn", "64 KiB");
	EXPECT_STREQ("bbbbbbbb", android_levels(&self->o));
	ANDROID("pressure", "ok", "PSI");
	drop(self->root, "/proc/pressure");
	ANDROID("pressure", "warn", "without PSI");
	EXPECT_TRUE(has(self->o.out, "psi=1"));
	ANDROID("cgroups", "ok", "for the cgroup that pays for them");
	put_file(self->root, "/sys/class/misc/ashmem/memcg_aware", "0\n");
	ANDROID("cgroups", "ok", "no memory cgroup exists yet");
	EXPECT_EQ(0, count_of(self->o.out, "\"apps\""));
}

TEST_F(patient, android_app_access)
{
	if (getuid() || mknod(format("%s/dev/x", self->root), S_IFCHR | 0660, 0x103))
		SKIP(return, "needs root, to make a node");
	put_link(self->root, "/dev/ashmem", "x");
	put_link(self->root, SECOND, "x");
	chmod(format("%s/dev/x", self->root), 0660);
	ANDROID("apps", "warn", "mode 0660: apps in Android");
	EXPECT_EQ(2, count_of(self->o.out, "\"apps\""));
	DOCTOR("node", "warn", "mode 0660, user 0 and group 0");
	/* A site may want that, so the advice is not to change it at once. */
	EXPECT_TRUE(has(self->o.out, "fine if this site wants it"));
	chmod(format("%s/dev/x", self->root), 0666);
	ANDROID("second", "ok", "mode 0666");
	EXPECT_EQ(0, count_of(self->o.out, "\"apps\""));
}

TEST_F(patient, node_modes)
{
	if (getuid() || mknod(format("%s/dev/x", self->root), S_IFCHR | 0600, 0x103))
		SKIP(return, "needs root, to make a node");
	put_link(self->root, "/dev/ashmem", "x");
	chmod(format("%s/dev/x", self->root), 0600);
	DOCTOR("node", "warn", "mode 0600");
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	DOCTOR("permission", "bad", "user 65534 may not open /dev/ashmem");
	EXPECT_EQ(0, setresuid(0, 0, 0));
}

TEST_F(patient, cgroups)
{
	DOCTOR("cgroups", "ok", "for the cgroup that pays for them");
	put_file(self->root, "/proc/cgroups", "memory\t0\t5\t1\nx\nmemory\t0\t1\t0\n");
	DOCTOR("cgroups", "warn", "without memory cgroups");
	put_file(self->root, "/sys/fs/cgroup/cgroup.controllers", "cpuset memory pids\n");
	DOCTOR("cgroups", "ok", "for the cgroup that pays for them");
	put_file(self->root, "/proc/sys/kernel/osrelease", "6.6.30\n");
	DOCTOR("cgroups", "warn", "whole machine only");
	put_file(self->root, "/proc/sys/kernel/osrelease", "6.7.0\n");
	DOCTOR("cgroups", "ok", "for the cgroup that pays for them");
	/* The driver's own answer counts more than the kernel's version. */
	put_file(self->root, "/proc/sys/kernel/osrelease", "6.1.0\n");
	put_file(self->root, "/sys/class/misc/ashmem/memcg_aware", "1\n");
	DOCTOR("cgroups", "ok", "unpinned pages are purged for the cgroup");
	put_file(self->root, "/sys/class/misc/ashmem/memcg_aware", "0\n");
	DOCTOR("cgroups", "warn", "on 6.1.0 a container");
	EXPECT_TRUE(has(self->o.out, "run Linux 6.7 or later"));
}

TEST_F(patient, cgroups_of_a_recent_kernel)
{
	static const char *const others[] = {
		"quiet\n", "quiet x=nokmem\n", "cgroup.memory=nosocket nokmem\n",
	};
	size_t i;

	put_file(self->root, "/sys/class/misc/ashmem/memcg_aware", "0\n");
	DOCTOR("cgroups", "ok", "no memory cgroup exists yet");
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		put_file(self->root, "/proc/cmdline", others[i]);
		DOCTOR("cgroups", "ok", "no memory cgroup exists yet");
	}
	put_file(self->root, "/proc/cmdline", "quiet cgroup.memory=nokmem\n");
	DOCTOR("cgroups", "warn", "with cgroup.memory=nokmem");
	put_file(self->root, "/proc/cmdline", "cgroup.memory=nosocket,nokmem quiet\n");
	DOCTOR("cgroups", "warn", "with cgroup.memory=nokmem");
	EXPECT_EQ(0, count_of(self->o.out, "6.7"));
	put_file(self->root, "/proc/cgroups", "memory\t0\t1\t0\n");
	DOCTOR("cgroups", "warn", "without memory cgroups");
}

TEST_F(patient, binder)
{
	DOCTOR("binder", "ok", "binder, hwbinder, vndbinder (redroid, Waydroid)");
	drop_binder(self->root);
	DOCTOR("binder", "ok", "binderfs, which redroid and Waydroid mount");
	put_file(self->root, "/dev/binderfs/binder", "");
	DOCTOR("binder", "ok", "is there: binder");
	ANDROID("binder", "ok", "is there: binder");
	/* A container needs this: its instance of binderfs has all three devices. */
	put_file(self->root, "/proc/filesystems", "nodev\tbinderx\n");
	ANDROID("binder", "warn", "as binder only");
	drop(self->root, "/dev/binderfs");
	put_file(self->root, "/sys/module/binder_linux/refcnt", "0\n");
	DOCTOR("binder", "warn", "without any device");
	EXPECT_TRUE(has(self->o.out, "rmmod binder_linux; modprobe"));
	drop(self->root, "/sys/module/binder_linux");
	DOCTOR("binder", "warn", "has no Binder");
	put_file(self->root, MODULES "/modules.dep", "kernel/binder_linux.ko.zst:\n");
	DOCTOR("binder", "warn", "isn't loaded");
}

/* Devices with other names are needed: no advice removes them. */
TEST_F(patient, binder_by_other_names)
{
	static const char * const stems[] = { "anbox-%sbinder", "%spuddlejumper", "%sbonder" };
	size_t i;

	drop_binder(self->root);
	put_file(self->root, "/proc/filesystems", "nodev\tproc\n");
	put_file(self->root, "/sys/module/binder_linux/refcnt", "3\n");
	DOCTOR("binder", "warn", "in use, by names that are unknown");
	EXPECT_EQ(0, count_of(self->o.out, "rmmod binder_linux"));
	for (i = 0; i < ARRAY_SIZE(stems); i++) {
		put_file(self->root, format(format("/dev/%s", stems[i]), ""), "");
		DOCTOR("binder", "ok", format(stems[i], ""));
		EXPECT_EQ(0, count_of(self->o.out, "rmmod binder_linux"));
		put_file(self->root, format(format("/dev/%s", stems[i]), "hw"), "");
		ANDROID("binder", "warn", "Android opens three devices");
		put_file(self->root, format(format("/dev/%s", stems[i]), "vnd"), "");
		ANDROID("binder", "ok", "(Waydroid");
		EXPECT_EQ(0, count_of(self->o.out, "rmmod binder_linux"));
		drop(self->root, "/dev");
		put_file(self->root, "/dev/null", "");
	}
	put_file(self->root, "/sys/module/binder_linux/parameters/devices", "one,two\n");
	put_file(self->root, "/dev/two", "");
	DOCTOR("binder", "ok", "names of this site: two");
	/* redroid's page for Debian gives each container three of many devices. */
	put_file(self->root, "/sys/module/binder_linux/parameters/devices",
		 "binder1,binder2,binder3\n");
	put_file(self->root, "/dev/binder1", "");
	ANDROID("binder", "ok", "names of this site: binder1; an Android");
}

TEST_F(patient, library)
{
	DOCTOR("memfd", "ok", "memfd with seals");
	setenv("ASHMEM_BACKEND", "memfd", 1);
	DOCTOR("library", "ok", "of memfd");
	setenv("ASHMEM_BACKEND", "nonsense", 1);
	DOCTOR("library", "bad", "can't make regions");
}

TEST_F(patient, proc)
{
	put_file(self->root, "/proc/sys/kernel/yama/ptrace_scope", "3\n");
	DOCTOR("proc", "warn", "ptrace_scope is 3");
	put_file(self->root, "/proc/sys/kernel/yama/ptrace_scope", "1\n");
	DOCTOR("proc", "ok", "regions of");
	if (getuid())
		SKIP(return, "needs root, to become another user");
	put_file(self->root, "/proc/mounts", "proc /proc proc rw,hidepid=invisible 0 0\n"
		 "x / ext4 rw 0 0\n");
	DOCTOR("proc", "ok", "all processes");
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	DOCTOR("proc", "warn", "hidepid=invisible");
	EXPECT_EQ(0, setresuid(0, 0, 0));
	put_file(self->root, "/proc/mounts", "proc /proc proc rw,hidepid=2 0 0\n"
		 "proc /proc proc rw 0 0\n");
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	DOCTOR("proc", "ok", "this user's processes");
	EXPECT_EQ(0, setresuid(0, 0, 0));
}

TEST_F(patient, exit_codes)
{
	/* /dev/null isn't ashmem: bad. */
	ASHMEM(&self->o, -1, "doctor");
	EXPECT_EQ(4, self->o.code);
	EXPECT_STREQ("", self->o.err);
	EXPECT_TRUE(has(self->o.out, "\nbad   permission  "));
	EXPECT_TRUE(has(self->o.out, "\n                  -> "));
	ASHMEM(&self->o, -1, "doctor", "-j");
	EXPECT_EQ(4, self->o.code);
	EXPECT_STREQ("\"bad\"", json_get(self->o.out, "{", "worst"));
	if (!have_device())
		SKIP(return, "no /dev/ashmem");
	put_link(self->root, "/dev/ashmem", "/dev/ashmem");
	put_link(self->root, SECOND, "/dev/ashmem");
	put_bytes(self->root, "/sys/class/misc/ashmem/dev", "", 0);
	put_file(self->root, "/proc/misc", file_read("/proc/misc", NULL));
	ASHMEM(&self->o, -1, "doctor", "-j");
	EXPECT_EQ(0, self->o.code);
	EXPECT_STREQ("\"ok\"", json_get(self->o.out, "{", "worst"));
	put_file(self->root, "/proc/sys/kernel/osrelease", "6.1.0\n");
	ASHMEM(&self->o, -1, "doctor", "-j");
	EXPECT_EQ(3, self->o.code);
	EXPECT_STREQ("\"warn\"", json_get(self->o.out, "{", "worst"));
}

/* The machine as it is. */
TEST(here)
{
	bool device = have_device();
	struct utsname uts;
	struct output o;
	unsigned int major, minor;
	char *dot;

	unsetenv("ASHMEM_BACKEND");
	ASHMEM(&o, -1, "doctor", "--json");
	EXPECT_TRUE(json_valid(o.out, o.out_len));
	EXPECT_STREQ("", o.err);
	EXPECT_STREQ("\"ok\"", json_get(o.out, "\"memfd\"", "level"));
	EXPECT_TRUE(strstr(json_get(o.out, "\"library\"", "text"),
			   device ? "of /dev/ashmem" : "of memfd"));
	if (!device) {
		EXPECT_EQ(4, o.code);
		EXPECT_STREQ("\"bad\"", json_get(o.out, "\"module\"", "level"));
		SKIP(return, "no /dev/ashmem");
	}
	EXPECT_STREQ("\"ok\"", json_get(o.out, "\"module\"", "level"));
	EXPECT_STREQ("\"ok\"", json_get(o.out, "\"node\"", "level"));
	EXPECT_STREQ("\"ok\"", json_get(o.out, "\"permission\"", "level"));
	EXPECT_STREQ("\"ok\"", json_get(o.out, "\"signature\"", "level"));
	ASSERT_EQ(0, uname(&uts));
	major = (unsigned int)strtoul(uts.release, &dot, 10);
	minor = (unsigned int)strtoul(dot + 1, NULL, 10);
	if (in_guest()) {
		EXPECT_STREQ("\"ok\"", json_get(o.out, "\"kernel\"", "level"));
		EXPECT_STREQ("\"ok\"", json_get(o.out, "\"driver\"", "level"));
		/* The driver does what doctor says: see cgroup_test. */
		EXPECT_STREQ(major > 6 || (major == 6 && minor >= 7) ? "\"ok\"" : "\"warn\"",
			     json_get(o.out, "\"cgroups\"", "level"));
		EXPECT_NE(4, o.code);
	}
	ASHMEM(&o, -1, "doctor");
	diagnose(o.out);
}

TEST_HARNESS_MAIN
