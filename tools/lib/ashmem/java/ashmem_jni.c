// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * What java/android/os calls. Results below 0 are -errno; Java throws.
 */
#include <ashmem.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* On the stack, because arrays of Java may move and must not be held for long. */
#define COPY_SIZE	16384

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static struct ashm *region_of(jlong region)
{
	return (struct ashm *)(uintptr_t)region;
}

/* ---- Region ---- */

static jlong create_region(JNIEnv *env, jclass class, jstring name, jint size)
{
	const char *text = name ? (*env)->GetStringUTFChars(env, name, NULL) : NULL;
	struct ashm *region;
	int ret;

	if (name && !text)
		return -ENOMEM;
	ret = ashm_create(text, (size_t)size, &region);
	if (text)
		(*env)->ReleaseStringUTFChars(env, name, text);
	return ret ? ret : (jlong)(uintptr_t)region;
}

static jlong adopt_region(JNIEnv *env, jclass class, jint fd)
{
	struct ashm *region;
	int ret = ashm_adopt(fd, &region);

	return ret ? ret : (jlong)(uintptr_t)region;
}

static void close_region(JNIEnv *env, jclass class, jlong region)
{
	ashm_close(region_of(region));
}

static jlong region_size(JNIEnv *env, jclass class, jlong region)
{
	return (jlong)ashm_size(region_of(region));
}

static jint region_fd(JNIEnv *env, jclass class, jlong region)
{
	return ashm_fd(region_of(region));
}

static jlong map_region(JNIEnv *env, jclass class, jlong region, jint prot, jint offset,
			jint length)
{
	void *at;
	int ret = ashm_map_range(region_of(region), prot, (uint64_t)offset, (size_t)length, &at);

	return ret ? ret : (jlong)(uintptr_t)at;
}

static jint protect_region(JNIEnv *env, jclass class, jlong region, jint prot)
{
	return ashm_protect(region_of(region), prot);
}

static jint read_region(JNIEnv *env, jclass class, jlong region, jbyteArray to, jint at,
			jint length, jint offset)
{
	jbyte copy[COPY_SIZE];
	jint done, part;
	int ret;

	for (done = 0; done < length; done += part) {
		part = length - done < COPY_SIZE ? length - done : COPY_SIZE;
		ret = ashm_read(region_of(region), copy, (size_t)part,
				(uint64_t)offset + (uint64_t)done);
		if (ret)
			return ret;
		(*env)->SetByteArrayRegion(env, to, at + done, part, copy);
	}
	return 0;
}

static jint write_region(JNIEnv *env, jclass class, jlong region, jbyteArray from, jint at,
			 jint length, jint offset)
{
	jbyte copy[COPY_SIZE];
	jint done, part;
	int ret;

	for (done = 0; done < length; done += part) {
		part = length - done < COPY_SIZE ? length - done : COPY_SIZE;
		(*env)->GetByteArrayRegion(env, from, at + done, part, copy);
		ret = ashm_write(region_of(region), copy, (size_t)part,
				 (uint64_t)offset + (uint64_t)done);
		if (ret)
			return ret;
	}
	return 0;
}

static jint pin_region(JNIEnv *env, jclass class, jlong region)
{
	return ashm_pin(region_of(region));
}

static jint unpin_region(JNIEnv *env, jclass class, jlong region)
{
	return ashm_unpin(region_of(region));
}

/* ---- Mapping ---- */

static jobject view_mapping(JNIEnv *env, jclass class, jlong address, jint length)
{
	return (*env)->NewDirectByteBuffer(env, (void *)(uintptr_t)address, length);
}

static jlong address_of_view(JNIEnv *env, jclass class, jobject buffer)
{
	return (jlong)(uintptr_t)(*env)->GetDirectBufferAddress(env, buffer);
}

/* In one step: an access must never find nothing there. */
static jint replace_mapping(JNIEnv *env, jclass class, jlong address, jint length)
{
	void *at = mmap((void *)(uintptr_t)address, (size_t)length, PROT_READ | PROT_WRITE,
			MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? -errno : 0;
}

static void unmap_mapping(JNIEnv *env, jclass class, jlong address, jint length)
{
	munmap((void *)(uintptr_t)address, (size_t)length);
}

/* ---- Descriptor ---- */

static jint dup_descriptor(JNIEnv *env, jclass class, jint fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

static void close_descriptor(JNIEnv *env, jclass class, jint fd)
{
	close(fd);
}

/* ---- the JVM loads the library ---- */

static JNINativeMethod calls[] = {
	{ "create", "(Ljava/lang/String;I)J", create_region },
	{ "adopt", "(I)J", adopt_region },
	{ "close", "(J)V", close_region },
	{ "size", "(J)J", region_size },
	{ "fd", "(J)I", region_fd },
	{ "map", "(JIII)J", map_region },
	{ "protect", "(JI)I", protect_region },
	{ "read", "(J[BIII)I", read_region },
	{ "write", "(J[BIII)I", write_region },
	{ "pin", "(J)I", pin_region },
	{ "unpin", "(J)I", unpin_region },
	{ "view", "(JI)Ljava/nio/ByteBuffer;", view_mapping },
	{ "address", "(Ljava/nio/ByteBuffer;)J", address_of_view },
	{ "replace", "(JI)I", replace_mapping },
	{ "unmap", "(JI)V", unmap_mapping },
	{ "dupFd", "(I)I", dup_descriptor },
	{ "closeFd", "(I)V", close_descriptor },
};

jint JNI_OnLoad(JavaVM *vm, void *reserved)
{
	JNIEnv *env;
	jclass class;

	if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8))
		return -1;
	class = (*env)->FindClass(env, "android/os/Library");
	if (!class || (*env)->RegisterNatives(env, class, calls, ARRAY_SIZE(calls)))
		return -1;
	return JNI_VERSION_1_8;
}
