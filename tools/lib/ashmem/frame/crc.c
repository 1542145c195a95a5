// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * CRC-32C, by the CPU's instruction if it has one: SSE4.2 on x86, the CRC extension on
 * ARM. Otherwise bit by bit, which needs no table, but is slow.
 *
 * The instruction has a latency of about three cycles, so data is split into three
 * interleaved lanes: long ones while there is enough, then shorter ones. To join their
 * remainders, use that n zero bytes appended to data multiply its remainder by x^8n
 * modulo the polynomial.
 *
 * Memory that others may write is read once, by atomic loads or one instruction, and the
 * checksum is of what was read. So a correct sum is correct for the copy, even if the
 * original changes.
 */
#include <string.h>

#include "internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <nmmintrin.h>
#define CRC_TARGET	__attribute__((target("sse4.2")))
#define CPUID_ERMS	0x200u	/* leaf 7, ebx */
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include <sys/auxv.h>
#define CRC_TARGET	/* the assembler is told: compilers spell it differently */
#ifndef HWCAP_CRC32
#define HWCAP_CRC32	0x80
#endif
#endif

/* One body for all instances below: their constants must stay constants here. */
#define ALWAYS		__attribute__((always_inline))

#define POLY		0x82f63b78u	/* bits reversed: x^31 is the lowest */
#define BLOCK_MIN	512u		/* bytes from which on a block is worth its start */
#define BLOCK_MAX	16384u
#define LANE		5440u		/* bytes of the longest lane */

/* The machine's word: one load, and one operand of the instruction. */
#if defined(__x86_64__) || defined(__aarch64__)
typedef uint64_t word_t;
#else
typedef uint32_t word_t;
#endif
#define WORD		sizeof(word_t)

/* Which side of a copy is shared. */
enum side {
	SHARED_NONE,
	SHARED_SRC,
	SHARED_DST,
};

static inline ALWAYS word_t load(const char *src, enum side side)
{
	word_t word;

	if (side == SHARED_SRC)
		return atomic_load_explicit((const _Atomic word_t *)src,
					    memory_order_relaxed);
	memcpy(&word, src, WORD);
	return word;
}

static inline ALWAYS void store(char *dst, word_t word, enum side side)
{
	if (side == SHARED_DST)
		atomic_store_explicit((_Atomic word_t *)dst, word,
				      memory_order_relaxed);
	else if (dst)
		memcpy(dst, &word, WORD);
}

static inline ALWAYS uint8_t load_byte(const char *src, enum side side)
{
	if (side == SHARED_SRC)
		return atomic_load_explicit((const _Atomic uint8_t *)src,
					    memory_order_relaxed);
	return (uint8_t)*src;
}

static inline ALWAYS void store_byte(char *dst, uint8_t byte, enum side side)
{
	if (side == SHARED_DST)
		atomic_store_explicit((_Atomic uint8_t *)dst, byte,
				      memory_order_relaxed);
	else if (dst)
		*dst = (char)byte;
}

/* ---- one step ---- */

static inline ALWAYS uint32_t fold(uint32_t crc, unsigned int bits)
{
	while (bits--)
		crc = crc >> 1 ^ (POLY & -(crc & 1));
	return crc;
}

static inline ALWAYS uint32_t byte_by_bits(uint32_t crc, uint8_t byte)
{
	return fold(crc ^ byte, 8);
}

static inline ALWAYS uint32_t word_by_bits(uint32_t crc, word_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = WORD > 4 ? __builtin_bswap64(word) : __builtin_bswap32(word);
#endif
	crc = fold(crc ^ (uint32_t)word, 32);
	if (WORD > 4)
		crc = fold(crc ^ (uint32_t)((uint64_t)word >> 32), 32);
	return crc;
}

#ifdef CRC_TARGET
static inline CRC_TARGET uint32_t
byte_by_cpu(uint32_t crc, uint8_t byte)
{
#if defined(__aarch64__)
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1"
		: "+r" (crc) : "r" ((uint32_t)byte));
	return crc;
#else
	return _mm_crc32_u8(crc, byte);
#endif
}

static inline CRC_TARGET uint32_t
word_by_cpu(uint32_t crc, word_t word)
{
#if defined(__aarch64__)
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1"
		: "+r" (crc) : "r" (word));
	return crc;
#elif defined(__x86_64__)
	return (uint32_t)_mm_crc32_u64(crc, word);
#else
	return _mm_crc32_u32(crc, word);
#endif
}
#endif

/* ---- joining lanes ---- */

/*
 * Bytes of a lane, and x^8 and x^16 to the power of that. Three lanes are 16, 4 or
 * 1 KiB minus a cache line, so a frame of that size leaves only a line. With lanes of
 * 4 KiB each load would wait for the store 4 KiB before it.
 */
struct lane {
	uint32_t size;
	uint32_t once;
	uint32_t twice;
};

static const struct lane lanes[] = {
	{ LANE, 0xaca00c83, 0xceeca6df },
	{ 1344, 0xd27285db, 0x46bf959e },
	{ 320, 0x9030a49c, 0xb469724f },
	{ 0, 0, 0 },
};

/*
 * Joins the remainders of three lanes: a * x^16n + b * x^8n + c. Computes two products
 * in parallel, because each step of one waits for its last step. Bits are reversed.
 */
static uint32_t join(const struct lane *lane, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t once = lane->once, twice = lane->twice;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		c ^= a & -(twice >> 31);
		c ^= b & -(once >> 31);
		twice <<= 1;
		once <<= 1;
		a = fold(a, 1);
		b = fold(b, 1);
	}
	return c;
}

/* ---- whole buffers ---- */

/*
 * One source for all variants: the compiler makes an instance for each instruction and
 * direction.
 */
#define DEFINE_RUN(name, target, byte_step, word_step, side)			\
static target uint32_t name(uint32_t crc, char *dst, const char *src, size_t len) \
{										\
	const struct lane *lane;						\
										\
	for (lane = lanes; lane->size; lane++) {				\
		const size_t n = lane->size;					\
										\
		for (; len >= 3 * n; src += 3 * n, len -= 3 * n) {		\
			uint32_t b = 0, c = 0;					\
			size_t i;						\
										\
			for (i = 0; i < n; i += WORD) {				\
				word_t u = load(src + i, side);			\
				word_t v = load(src + n + i, side);		\
				word_t w = load(src + 2 * n + i, side);		\
										\
				crc = word_step(crc, u);			\
				b = word_step(b, v);				\
				c = word_step(c, w);				\
				if (dst) {					\
					store(dst + i, u, side);		\
					store(dst + n + i, v, side);		\
					store(dst + 2 * n + i, w, side);	\
				}						\
			}							\
			crc = join(lane, crc, b, c);				\
			if (dst)						\
				dst += 3 * n;					\
		}								\
	}									\
	for (; len >= WORD; len -= WORD, src += WORD) {				\
		word_t word = load(src, side);					\
										\
		crc = word_step(crc, word);					\
		if (dst) {							\
			store(dst, word, side);					\
			dst += WORD;						\
		}								\
	}									\
	for (; len; len--, src++) {						\
		uint8_t byte = load_byte(src, side);				\
										\
		crc = byte_step(crc, byte);					\
		if (dst)							\
			store_byte(dst++, byte, side);				\
	}									\
	return crc;								\
}

#define NO_TARGET

DEFINE_RUN(bits_private, NO_TARGET, byte_by_bits, word_by_bits, SHARED_NONE)
DEFINE_RUN(bits_from_shared, NO_TARGET, byte_by_bits, word_by_bits, SHARED_SRC)
DEFINE_RUN(bits_to_shared, NO_TARGET, byte_by_bits, word_by_bits, SHARED_DST)
#ifdef CRC_TARGET
DEFINE_RUN(cpu_private, CRC_TARGET, byte_by_cpu, word_by_cpu, SHARED_NONE)
DEFINE_RUN(cpu_from_shared, CRC_TARGET, byte_by_cpu, word_by_cpu, SHARED_SRC)
DEFINE_RUN(cpu_to_shared, CRC_TARGET, byte_by_cpu, word_by_cpu, SHARED_DST)
#endif

static bool by_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("sse4.2");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
#else
	return false;
#endif
}

const char *libashmem_crc_name(void)
{
	return by_cpu() ? "instruction" : "bitwise";
}

#ifdef CRC_TARGET
#define RUN(which)	(by_cpu() ? cpu_##which : bits_##which)
#else
#define RUN(which)	bits_##which
#endif

uint32_t libashmem_crc(uint32_t crc, const void *buf, size_t len)
{
	return RUN(private)(crc, NULL, buf, len);
}

uint32_t libashmem_crc_shared(uint32_t crc, const void *src, size_t len)
{
	return RUN(from_shared)(crc, NULL, src, len);
}

/* ---- copies ---- */

/*
 * A loop over words fetches the cache lines of another processor one after the other.
 * Where x86's string instruction is fast, it fetches many at a time.
 */
#ifdef __x86_64__
static bool fast_blocks(void)
{
	enum { UNKNOWN, NO, YES };
	static _Atomic int cached;
	int value = atomic_load_explicit(&cached, memory_order_relaxed);
	unsigned int a, b = 0, c, d;

	/* In a guest CPUID traps to the hypervisor: execute it once. */
	if (value == UNKNOWN) {
		value = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & CPUID_ERMS ? YES : NO;
		atomic_store_explicit(&cached, value, memory_order_relaxed);
	}
	return value == YES && by_cpu();
}

static void copy_block(char *dst, const char *src, size_t len)
{
	__asm__ volatile("rep movsb" : "+D" (dst), "+S" (src), "+c" (len) : : "memory");
}
#else
static bool fast_blocks(void)
{
	return false;
}

static void copy_block(char *dst, const char *src, size_t len)
{
	memcpy(dst, src, len);
}
#endif

/*
 * Copies block by block, so that each block is in the first-level cache when its checksum
 * is computed from the private side.
 */
static inline ALWAYS uint32_t blocks(uint32_t crc, char *dst, const char *src,
				     size_t len, enum side side)
{
	size_t n;

	for (; len; len -= n, dst += n, src += n) {
		n = len < BLOCK_MAX ? len : BLOCK_MAX;
		copy_block(dst, src, n);
		crc = libashmem_crc(crc, side == SHARED_SRC ? dst : src, n);
	}
	return crc;
}

static uint32_t blocks_from_shared(uint32_t crc, char *dst, const char *src, size_t len)
{
	return blocks(crc, dst, src, len, SHARED_SRC);
}

static uint32_t blocks_to_shared(uint32_t crc, char *dst, const char *src, size_t len)
{
	return blocks(crc, dst, src, len, SHARED_DST);
}

uint32_t libashmem_crc_copy_out(uint32_t crc, void *dst, const void *src, size_t len)
{
	/* For longer data prefetching works, and the lanes in one pass are faster. */
	if (len >= BLOCK_MIN && len <= BLOCK_MAX && fast_blocks())
		return blocks_from_shared(crc, dst, src, len);
	return RUN(from_shared)(crc, dst, src, len);
}

uint32_t libashmem_crc_copy_in(uint32_t crc, void *dst, const void *src, size_t len)
{
	if (len >= BLOCK_MIN && fast_blocks())
		return blocks_to_shared(crc, dst, src, len);
	return RUN(to_shared)(crc, dst, src, len);
}

static inline ALWAYS void copy(char *dst, const char *src, size_t len, enum side side)
{
	size_t i;

	if (len >= BLOCK_MIN && fast_blocks()) {
		copy_block(dst, src, len);
		return;
	}
	for (i = 0; i + WORD <= len; i += WORD)
		store(dst + i, load(src + i, side), side);
	for (; i < len; i++)
		store_byte(dst + i, load_byte(src + i, side), side);
}

void libashmem_copy_out(void *dst, const void *src, size_t len)
{
	copy(dst, src, len, SHARED_SRC);
}

void libashmem_copy_in(void *dst, const void *src, size_t len)
{
	copy(dst, src, len, SHARED_DST);
}
