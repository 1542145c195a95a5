// SPDX-License-Identifier: MIT
/*
 * CRC-32C, by the processor's own instruction where it has one: SSE4.2 on x86,
 * the CRC extension on ARM. Elsewhere by folding in one bit at a time, which needs no
 * table and is as right, but slow.
 *
 * The instruction has a latency of some three steps, so that long data is cut
 * into three lanes that are computed in turn. Their remainders are then put
 * together: appending n zero bytes to data multiplies its remainder by x^8n
 * modulo the polynomial.
 *
 * Memory that others may write is read once, by atomic loads, and what was read
 * goes to both the checksum and the copy: a sum that was right is right for the
 * copy, whatever happened to the original.
 */
#include <string.h>

#include "frame_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <nmmintrin.h>
#define CRC_TARGET	__attribute__((target("sse4.2")))
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include <sys/auxv.h>
#define CRC_TARGET	/* the assembler is told: compilers spell it differently */
#ifndef HWCAP_CRC32
#define HWCAP_CRC32	0x80
#endif
#endif

/* One body for all instances below: what is constant there must be so here. */
#define ALWAYS		__attribute__((always_inline))

#define POLY		0x82f63b78u	/* bits reversed: x^31 is the lowest */
#define LANE		4096u		/* bytes */

/* The machine's word: what it can load as one, and feed to the instruction. */
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

/* The product of two polynomials modulo that of the CRC; bits are reversed. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		product ^= a & -(b >> 31);
		b <<= 1;
		a = fold(a, 1);
	}
	return product;
}

/* x^8n: x^8 raised by squaring. */
static uint32_t power(size_t n)
{
	uint32_t result = 1u << 31, square = 1u << (31 - 8);

	for (; n; n >>= 1) {
		if (n & 1)
			result = multiply(result, square);
		square = multiply(square, square);
	}
	return result;
}

/*
 * x^(8 * LANE). Threads that find it unset compute the same; it can't come out
 * as 0.
 */
static uint32_t lane_power(void)
{
	static _Atomic uint32_t cached;
	uint32_t value = atomic_load_explicit(&cached, memory_order_relaxed);

	if (!value) {
		value = power(LANE);
		atomic_store_explicit(&cached, value, memory_order_relaxed);
	}
	return value;
}

/* ---- whole buffers ---- */

/*
 * Written once for all: each way to compute and each direction is an instance
 * that the compiler makes of it.
 */
#define DEFINE_RUN(name, target, byte_step, word_step, side)			\
static target uint32_t name(uint32_t crc, char *dst, const char *src, size_t len) \
{										\
	while (len >= 3 * LANE) {						\
		uint32_t b = 0, c = 0, shift = lane_power();			\
		size_t i;							\
										\
		for (i = 0; i < LANE; i += WORD) {				\
			word_t u = load(src + i, side);				\
			word_t v = load(src + LANE + i, side);			\
			word_t w = load(src + 2 * LANE + i, side);		\
										\
			crc = word_step(crc, u);				\
			b = word_step(b, v);					\
			c = word_step(c, w);					\
			if (dst) {						\
				store(dst + i, u, side);			\
				store(dst + LANE + i, v, side);			\
				store(dst + 2 * LANE + i, w, side);		\
			}							\
		}								\
		crc = multiply(crc, shift) ^ b;					\
		crc = multiply(crc, shift) ^ c;					\
		src += 3 * LANE;						\
		len -= 3 * LANE;						\
		if (dst)							\
			dst += 3 * LANE;					\
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

uint32_t libashmem_crc_copy_out(uint32_t crc, void *dst, const void *src, size_t len)
{
	return RUN(from_shared)(crc, dst, src, len);
}

uint32_t libashmem_crc_copy_in(uint32_t crc, void *dst, const void *src, size_t len)
{
	return RUN(to_shared)(crc, dst, src, len);
}
