// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the ashmem command parses the text of /proc and its arguments.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"

#include <sys/sysmacros.h>

#include "proc.h"

static struct fdinfo parse_info(char *buffer, const char *text)
{
	struct fdinfo info;

	strcpy(buffer, text);
	fdinfo_parse(buffer, strlen(text), &info);
	return info;
}

TEST(fdinfo_of_the_driver)
{
	char buffer[1024];
	struct fdinfo info = parse_info(buffer,
		"pos:\t17\nflags:\t02100002\nmnt_id:\t24\nino:\t9\ninode:\t1026\n"
		"name:\ta\\011b\\012c\\134d\\033\nsize:\t1048576\nprot_mask:\tr-x\n"
		"resident_pages:\t256\nunpinned_pages:\t128\npurgeable_pages:\t96\n"
		"purged_pages:\t32\n");

	EXPECT_EQ(17, info.pos);
	EXPECT_EQ(02100002, info.flags);
	EXPECT_EQ(1026, info.inode);
	EXPECT_EQ(1048576, info.size);
	EXPECT_EQ(PROT_READ | PROT_EXEC, info.mask);
	EXPECT_EQ(256, info.resident);
	EXPECT_EQ(128, info.unpinned);
	EXPECT_EQ(96, info.purgeable);
	EXPECT_EQ(32, info.purged);
	ASSERT_EQ(11, info.name_len);
	/* Only the driver's own escapes are decoded. */
	EXPECT_EQ(0, memcmp("a\tb\nc\\d\\033", info.name, 11));
}

TEST(fdinfo_of_a_region_never_mapped)
{
	char buffer[1024];
	struct fdinfo info = parse_info(buffer,
		"pos:\t0\nflags:\t02\nsize:\t0\nprot_mask:\trwx\n");

	EXPECT_EQ(UNKNOWN, info.inode);
	EXPECT_EQ(0, info.size);
	EXPECT_EQ(UNKNOWN, info.resident);
	EXPECT_EQ(UNKNOWN, info.unpinned);
	EXPECT_EQ(UNKNOWN, info.purgeable);
	EXPECT_EQ(UNKNOWN, info.purged);
	EXPECT_TRUE(!info.name);
}

/* The original driver doesn't escape names: they must not pass for other lines. */
TEST(fdinfo_with_a_forged_name)
{
	char buffer[1024];
	struct fdinfo info = parse_info(buffer,
		"pos:\t0\nflags:\t02\ninode:\t5\n"
		"name:\tx\ninode:\t7\nsize:\t1\npos:\t9\nflags:\t0\nsize:\t8192\n");

	EXPECT_EQ(5, info.inode);
	EXPECT_EQ(8192, info.size);
	EXPECT_EQ(0, info.pos);
	EXPECT_EQ(02, info.flags);
	EXPECT_EQ(-1, info.mask);
}

TEST(fdinfo_of_nonsense)
{
	char buffer[1024];
	struct fdinfo info = parse_info(buffer,
		"size:\t-1\ninode:\tx\nresident_pages:\t99999999999999999999999\n"
		"prot_mask:\trw\nunpinned_pages:\t5q\nflags:\t09\nname:");

	EXPECT_EQ(UNKNOWN, info.size);
	EXPECT_EQ(UNKNOWN, info.inode);
	EXPECT_EQ(UNKNOWN, info.resident);
	EXPECT_EQ(UNKNOWN, info.unpinned);
	EXPECT_EQ(UNKNOWN, info.flags);
	EXPECT_EQ(-1, info.mask);
	EXPECT_TRUE(!info.name);
}

static bool parse_map(char *buffer, const char *text, struct proc_map *map)
{
	strcpy(buffer, text);
	return maps_parse(buffer, strlen(text), map);
}

TEST(maps_lines)
{
	struct proc_map map;
	char buffer[1024];

	ASSERT_TRUE(parse_map(buffer, "7f0000000000-7f0000002000 rw-s 00001000 00:01 1026"
			      "                       /dev/ashmem/a b (deleted)\n", &map));
	EXPECT_EQ(0x7f0000000000, map.start);
	EXPECT_EQ(0x7f0000002000, map.end);
	EXPECT_STREQ("rw-s", map.perms);
	EXPECT_EQ(0x1000, map.offset);
	EXPECT_EQ(makedev(0, 1), map.dev);
	EXPECT_EQ(1026, map.inode);
	EXPECT_STREQ("/dev/ashmem/a b (deleted)", map.path);
	EXPECT_EQ(strlen(map.path), map.path_len);

	ASSERT_TRUE(parse_map(buffer, "1000-2000 ---p 00000000 fd:0a 0\x20\n", &map));
	EXPECT_TRUE(!map.path);
	EXPECT_EQ(makedev(0xfd, 10), map.dev);

	EXPECT_FALSE(parse_map(buffer, "", &map));
	EXPECT_FALSE(parse_map(buffer, "\n", &map));
	EXPECT_FALSE(parse_map(buffer, "2000-1000 rw-s 00000000 00:01 5 /x\n", &map));
	EXPECT_FALSE(parse_map(buffer, "1000-2000 rw-s\n", &map));
	EXPECT_FALSE(parse_map(buffer, "1000-2000 rw-s 0 00:01 x /y\n", &map));
	EXPECT_FALSE(parse_map(buffer, "1000-2000 rw-s 0 0001 5 /y\n", &map));
	EXPECT_FALSE(parse_map(buffer, "zz\n", &map));
}

TEST(maps_paths)
{
	static const struct {
		const char *path;
		bool region;
		enum region_kind kind;
		const char *name;
	} cases[] = {
		{ "/dev/ashmem (deleted)", true, REGION_ASHMEM, NULL },
		{ "/dev/ashmem/a (deleted)", true, REGION_ASHMEM, "a" },
		{ "/dev/ashmem/ (deleted)", true, REGION_ASHMEM, "" },
		{ "/dev/ashmem/ (deleted) (deleted)", true, REGION_ASHMEM, " (deleted)" },
		{ "/dev/ashmem// (deleted)", true, REGION_ASHMEM, "/" },
		{ "/dev/ashmem/../x y\033[2J (deleted)", true, REGION_ASHMEM,
		  "../x y\033[2J" },
		{ "/memfd:ashmem/b (deleted)", true, REGION_MEMFD, "b" },
		{ "/memfd:ashmem (deleted)", true, REGION_MEMFD, NULL },
		{ "/dev/ashmem/a", false, 0, NULL },
		{ "/dev/ashmem", false, 0, NULL },
		{ " (deleted)", false, 0, NULL },
		{ "/dev/ashme (deleted)", false, 0, NULL },
		{ "/dev/ashmemx (deleted)", false, 0, NULL },
		{ "/memfd:ashmemory (deleted)", false, 0, NULL },
		{ "/memfd:x/dev/ashmem/a (deleted)", false, 0, NULL },
		{ "/dev/zero (deleted)", false, 0, NULL },
		{ "", false, 0, NULL },
	};
	enum region_kind kind;
	size_t i, len;
	char *name;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = strdup(cases[i].path);
		struct proc_map map = { .path = path, .path_len = strlen(path) };

		EXPECT_EQ(cases[i].region, maps_is_region(&map, &kind, &name, &len)) {
			TH_LOG("path '%s'", cases[i].path);
		}
		if (cases[i].region) {
			EXPECT_EQ(cases[i].kind, kind);
			EXPECT_EQ(!cases[i].name, !name);
		}
		if (cases[i].region && cases[i].name && name) {
			EXPECT_EQ(strlen(cases[i].name), len);
			EXPECT_EQ(0, memcmp(cases[i].name, name, len));
		}
		free(path);
	}
}

TEST(kernel_escapes)
{
	static const struct {
		const char *text, *only, *plain;
	} cases[] = {
		{ "a\\012b", "\n", "a\nb" },
		{ "a\\011b", "\n", "a\\011b" },
		{ "\\134012", "\n\\", "\\012" },
		{ "a\\0", "\n", "a\\0" },
		{ "\\", "\n", "\\" },
		{ "\\000", "\n", "\\000" },
		{ "\\412", "\n", "\\412" },
		{ "\\01\\012", "\n", "\\01\n" },
	};
	size_t i, len;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = strdup(cases[i].text);

		len = unescape(text, strlen(text), cases[i].only);
		EXPECT_EQ(strlen(cases[i].plain), len);
		EXPECT_EQ(0, memcmp(cases[i].plain, text, len));
		free(text);
	}
}

TEST(task_stat)
{
	uint64_t flags = 0;
	char state = 0;

	EXPECT_TRUE(stat_parse("12 (x) S 1 12 12 0 -1 4194560 1 2\n", &state, &flags));
	EXPECT_EQ('S', state);
	EXPECT_EQ(4194560, flags);
	EXPECT_TRUE(stat_parse("2 (a) R 1) Z 0 0 0 0 -1 2129984 0\n", &state, &flags));
	EXPECT_EQ('Z', state);
	EXPECT_EQ(2129984, flags);
	EXPECT_FALSE(stat_parse("", &state, &flags));
	EXPECT_FALSE(stat_parse("12 (x)", &state, &flags));
	EXPECT_FALSE(stat_parse("12 (x) S 1", &state, &flags));
}

TEST(misc_devices)
{
	EXPECT_EQ(58, misc_minor("232 kvm\n 58 ashmem\n  1 psaux\n", "ashmem"));
	EXPECT_EQ(58, misc_minor(" 58 ashmem", "ashmem"));
	EXPECT_EQ(-1, misc_minor(" 58 ashmemx\n 59 xashmem\n", "ashmem"));
	EXPECT_EQ(-1, misc_minor("", "ashmem"));
	EXPECT_EQ(-1, misc_minor("ashmem\n", "ashmem"));
}

/* For any text, no byte after its end is read, and names are inside it. */
TEST(random_text)
{
	static const char * const seeds[] = {
		"pos:\t0\nflags:\t02\ninode:\t5\nname:\ta\\012\nsize:\t9\nprot_mask:\trwx\n",
		"7f0000000000-7f0000002000 rw-s 00001000 00:01 1026 /dev/ashmem/a (deleted)\n",
		"12 (x) S 1 12 12 0 -1 4194560 1 2\n",
		" 58 ashmem\n  1 psaux\n",
	};
	static const char pool[] = "\n\t\\:0123456789abcdef -/()x\033\377 (deleted)";
	struct rng rng = { .state = rng_seed() };
	char *page_end = (char *)guarded(page_size()) + page_size();
	enum region_kind kind;
	struct proc_map map;
	struct fdinfo info;
	unsigned int i, j, tries = 200000;
	uint64_t number;
	char *text, *name, state;
	size_t len;

	TH_LOG("ASHMEM_SEED=%llu", (unsigned long long)rng.state);
	for (i = 0; i < tries; i++) {
		const char *seed = seeds[rng_below(&rng, 4)];

		/* The text and its NUL end at the end of the page. */
		len = strlen(seed) - rng_below(&rng, 2) * rng_below(&rng, (uint32_t)strlen(seed));
		text = page_end - len - 1;
		memcpy(text, seed, len);
		text[len] = '\0';
		for (j = rng_below(&rng, 6); j && len; j--)
			text[rng_below(&rng, (uint32_t)len)] =
				pool[rng_below(&rng, sizeof(pool) - 1)];
		stat_parse(text, &state, &number);
		misc_minor(text, "ashmem");
		if (rng_below(&rng, 2)) {
			fdinfo_parse(text, len, &info);
			if (info.name) {
				ASSERT_TRUE(info.name >= text);
				ASSERT_TRUE(info.name + info.name_len <= text + len);
			}
		} else if (maps_parse(text, len, &map) &&
			   maps_is_region(&map, &kind, &name, &len) && name) {
			ASSERT_TRUE(name >= text && name + len < page_end);
		}
	}
}

TEST(sizes)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "0x1F", 0, 31 }, { "4k", 0, 4096 },
		{ "1M", 0, 1 << 20 }, { "1MiB", 0, 1 << 20 }, { "2G", 0, 2ULL << 30 },
		{ "3TB", 0, 3ULL << 40 }, { "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 }, { "16777216T", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 }, { "1x", -EINVAL, 0 },
		{ "1KK", -EINVAL, 0 }, { "0x", -EINVAL, 0 }, { "M", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 }, { "0x-1", -EINVAL, 0 },
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		EXPECT_EQ(cases[i].err, parse_size(cases[i].text, &value)) {
			TH_LOG("'%s'", cases[i].text);
		}
		if (!cases[i].err)
			EXPECT_EQ(cases[i].value, value);
	}
	EXPECT_EQ(0, parse_number("7", 7, &value));
	EXPECT_EQ(-ERANGE, parse_number("8", 7, &value));
	EXPECT_EQ(-EINVAL, parse_number("7k", UINT64_MAX, &value));
}

TEST(sizes_printed)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 1023, "1023" }, { 1024, "1.0K" }, { 1025, "1.1K" },
		{ 10137, "9.9K" }, { 10138, "10K" }, { 1048575, "1.0M" },
		{ 1048576, "1.0M" }, { 5ULL << 30, "5.0G" }, { UINT64_MAX, "16E" },
	};
	char text[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		EXPECT_STREQ(cases[i].text, size_text(cases[i].value, text, sizeof(text)));
}

TEST(masks_and_times)
{
	double seconds;
	char text[4];
	int mask;

	EXPECT_EQ(0, parse_mask("r-x", &mask));
	EXPECT_EQ(PROT_READ | PROT_EXEC, mask);
	mask_text(mask, text);
	EXPECT_STREQ("r-x", text);
	EXPECT_EQ(0, parse_mask("-", &mask));
	EXPECT_EQ(0, mask);
	EXPECT_EQ(0, parse_mask("xrw", &mask));
	EXPECT_EQ(PROT_RWX, mask);
	EXPECT_EQ(-EINVAL, parse_mask("", &mask));
	EXPECT_EQ(-EINVAL, parse_mask("rr", &mask));
	EXPECT_EQ(-EINVAL, parse_mask("rq", &mask));
	EXPECT_EQ(0, parse_seconds("0.5", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("0", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("-1", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("nan", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("1s", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("1e99", &seconds));
	EXPECT_EQ(-EINVAL, parse_seconds("", &seconds));
}

TEST(utf8)
{
	static const struct {
		const char *bytes;
		size_t len;
		size_t used;
		uint32_t point;
	} cases[] = {
		{ "a", 1, 1, 'a' }, { "\xc3\xa9", 2, 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 3, 0x20ac }, { "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\x80", 1, 0, 0 }, { "\xc3", 1, 0, 0 }, { "\xc3(", 2, 0, 0 },
		{ "\xc0\x80", 2, 0, 0 }, { "\xc1\xbf", 2, 0, 0 },
		{ "\xe0\x80\x80", 3, 0, 0 }, { "\xed\xa0\x80", 3, 0, 0 },
		{ "\xf0\x80\x80\x80", 4, 0, 0 }, { "\xf4\x90\x80\x80", 4, 0, 0 },
		{ "\xf5\x80\x80\x80", 4, 0, 0 }, { "\xff", 1, 0, 0 },
	};
	uint32_t point;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		point = 0;
		EXPECT_EQ(cases[i].used, text_utf8((const unsigned char *)cases[i].bytes,
						   cases[i].len, &point)) {
			TH_LOG("case %zu", i);
		}
		if (cases[i].used)
			EXPECT_EQ(cases[i].point, point);
	}
}

static char *shown(const char *bytes, size_t *columns)
{
	char *text;

	*columns = text_shown(&text, bytes, strlen(bytes));
	return text;
}

TEST(text_for_terminals)
{
	size_t columns;

	setenv("LC_ALL", "C.UTF-8", 1);
	EXPECT_STREQ("a\\\\b\\012\\033[31m", shown("a\\b\n\033[31m", &columns));
	EXPECT_EQ(16, columns);
	EXPECT_STREQ("\xc3\xa9", shown("\xc3\xa9", &columns));
	EXPECT_EQ(1, columns);
	/* C1 controls and characters that change the direction are escaped, too. */
	EXPECT_STREQ("\\302\\233", shown("\xc2\x9b", &columns));
	EXPECT_STREQ("\\342\\200\\256x", shown("\xe2\x80\xaex", &columns));
	EXPECT_STREQ("\\377\\177", shown("\xff\x7f", &columns));
	setenv("LC_ALL", "C", 1);
	EXPECT_STREQ("\\303\\251", shown("\xc3\xa9", &columns));
	EXPECT_EQ(8, columns);
}

TEST_HARNESS_MAIN
