// SPDX-License-Identifier: GPL-2.0-only

import android.os.MemoryFile;
import android.os.ParcelFileDescriptor;
import android.os.SharedMemory;
import android.system.ErrnoException;
import android.system.OsConstants;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** The Java classes: what Android documents, and what must not end the JVM. */
public final class JavaTest {
    private static final int SIZE = 65536;
    private static final int READ = OsConstants.PROT_READ;
    private static final int WRITE = OsConstants.PROT_WRITE;

    private JavaTest() {}

    // ---- helpers ----

    private static void same(Object expected, Object found) {
        if (!expected.equals(found)) {
            throw new AssertionError("expected " + expected + ", found " + found);
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    private static <T extends Throwable> T fails(Class<T> kind, Action action) {
        try {
            action.run();
        } catch (Throwable e) {
            if (kind.isInstance(e)) {
                return kind.cast(e);
            }
            throw new AssertionError("expected " + kind.getName(), e);
        }
        throw new AssertionError("no " + kind.getName());
    }

    private static void failsWith(int errno, Action action) {
        same(errno, fails(ErrnoException.class, action).errno);
    }

    private static int fds() {
        return new File("/proc/self/fd").list().length;
    }

    /** How many mappings this process has of regions of that name. */
    private static long mappings(String name) throws IOException {
        return Files.lines(Path.of("/proc/self/maps")).filter(s -> s.contains(name)).count();
    }

    /** The address space in use, in KiB. */
    private static long space() throws IOException {
        return Files.lines(Path.of("/proc/self/status")).filter(s -> s.startsWith("VmSize:"))
            .mapToLong(s -> Long.parseLong(s.replaceAll("\\D", ""))).sum();
    }

    private static void collectUntil(Callable<Boolean> done) throws Exception {
        for (int i = 0; !done.call(); i++) {
            if (i == 500) {
                throw new AssertionError("not collected");
            }
            System.gc();
            Thread.sleep(10);
        }
    }

    private static byte[] bytes(int value, int count) {
        byte[] result = new byte[count];
        Arrays.fill(result, (byte) value);
        return result;
    }

    private static ByteBuffer part(ByteBuffer buffer, int from) {
        return buffer.duplicate().position(from).slice();
    }

    /** Runs all at once; what one throws ends the test. */
    private static void together(Action... actions) throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (Action action : actions) {
            Thread thread = new Thread(() -> {
                try {
                    action.run();
                } catch (Throwable e) {
                    thrown.set(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (thrown.get() != null) {
            throw new AssertionError("in a thread", thrown.get());
        }
    }

    // ---- SharedMemory ----

    static void testContents() throws Exception {
        try (SharedMemory memory = SharedMemory.create("java", SIZE)) {
            same(SIZE, memory.getSize());
            ByteBuffer all = memory.mapReadWrite();
            same(SIZE, all.capacity());
            same((byte) 0, all.get(SIZE - 1));
            all.put(4096, (byte) 7).put(SIZE - 1, (byte) 9);
            ByteBuffer read = memory.mapReadOnly();
            same((byte) 9, read.get(SIZE - 1));
            ByteBuffer part = memory.map(READ | WRITE, 4096, 10);
            same(10, part.capacity());
            same((byte) 7, part.get(0));
            fails(IndexOutOfBoundsException.class, () -> part.get(10));
            part.put(9, (byte) 8);
            same((byte) 8, read.get(4105));
            for (ByteBuffer buffer : new ByteBuffer[] {all, read, part}) {
                SharedMemory.unmap(buffer);
            }
        }
        SharedMemory.create(null, 1).close();
    }

    static void testArguments() throws Exception {
        fails(IllegalArgumentException.class, () -> SharedMemory.create("none", 0));
        fails(IllegalArgumentException.class, () -> SharedMemory.create("none", -1));
        try (SharedMemory memory = SharedMemory.create("java", SIZE)) {
            int[][] wrong = {
                {READ, -1, 1}, {READ, 0, 0}, {READ, 0, -1}, {READ, 0, SIZE + 1},
                {READ, SIZE, 1}, {READ, 4096, SIZE}, {READ, Integer.MAX_VALUE, 4096},
                {READ, 4096, Integer.MAX_VALUE}, {8 | READ, 0, 1}, {-1, 0, 1}, {WRITE, 0, 1},
                {OsConstants.PROT_NONE, 0, 1}};
            for (int[] a : wrong) {
                fails(IllegalArgumentException.class, () -> memory.map(a[0], a[1], a[2]));
            }
            failsWith(OsConstants.EINVAL, () -> memory.map(READ, 1, 1));
            fails(IllegalArgumentException.class, () -> memory.setProtect(8));
        }
    }

    static void testReadOnly() throws Exception {
        try (SharedMemory memory = SharedMemory.create("java", SIZE)) {
            ByteBuffer before = memory.mapReadWrite();
            ByteBuffer read = memory.mapReadOnly();
            same(true, read.isReadOnly());
            fails(ReadOnlyBufferException.class, () -> read.put(0, (byte) 1));
            same(true, memory.setProtect(READ | WRITE));
            same(true, memory.setProtect(READ));
            same(false, memory.setProtect(READ | WRITE));
            failsWith(OsConstants.EACCES, memory::mapReadWrite);
            before.put(0, (byte) 5);
            same((byte) 5, memory.mapReadOnly().get(0));
            try (SharedMemory twin = SharedMemory.fromFileDescriptor(memory.getFdDup())) {
                failsWith(OsConstants.EACCES, twin::mapReadWrite);
                same((byte) 5, twin.mapReadOnly().get(0));
            }
        }
    }

    static void testClosed() throws Exception {
        SharedMemory memory = SharedMemory.create("java", SIZE);
        ByteBuffer buffer = memory.mapReadWrite();
        memory.close();
        memory.close();
        fails(IllegalStateException.class, memory::getSize);
        fails(IllegalStateException.class, memory::mapReadOnly);
        fails(IllegalStateException.class, memory::getFdDup);
        fails(IllegalStateException.class, () -> memory.setProtect(READ));
        buffer.put(SIZE - 1, (byte) 3);
        same((byte) 3, buffer.get(SIZE - 1));
        SharedMemory.unmap(buffer);
    }

    static void testPassedOn() throws Exception {
        int before = fds();
        SharedMemory twin;
        try (SharedMemory memory = SharedMemory.create("java", SIZE)) {
            ParcelFileDescriptor fd = memory.getFdDup();
            twin = SharedMemory.fromFileDescriptor(fd);
            fails(IllegalStateException.class, fd::getFd);
            fd.close();
            memory.mapReadWrite().put(1, (byte) 2);
        }
        same(SIZE, twin.getSize());
        same((byte) 2, twin.mapReadOnly().get(1));
        twin.close();
        try (FileOutputStream other = new FileOutputStream("/dev/null")) {
            int number = Integer.parseInt(
                new File("/proc/self/fd").list(JavaTest::isNull)[0]);
            ParcelFileDescriptor copy = ParcelFileDescriptor.fromFd(number);
            fails(IllegalArgumentException.class, () -> SharedMemory.fromFileDescriptor(copy));
            other.write(1);
        }
        fails(IOException.class, () -> ParcelFileDescriptor.fromFd(-1));
        fails(IllegalArgumentException.class, () -> ParcelFileDescriptor.adoptFd(-1));
        /* The JVM's own threads open files, too, and close them soon. */
        for (int i = 0; i < 100 && fds() > before; i++) {
            Thread.sleep(10);
        }
        same(before, fds());
    }

    private static boolean isNull(File dir, String name) {
        try {
            return Files.readSymbolicLink(new File(dir, name).toPath())
                .toString().equals("/dev/null");
        } catch (IOException e) {
            return false;
        }
    }

    static void testUsedAfterUnmap() throws Exception {
        try (SharedMemory memory = SharedMemory.create("unmapped", SIZE)) {
            ByteBuffer buffer = memory.mapReadWrite();
            ByteBuffer twin = buffer.duplicate();
            ByteBuffer part = part(buffer, 16);
            ByteBuffer read = memory.mapReadOnly();
            buffer.put(16, (byte) 6);
            fails(IllegalArgumentException.class, () -> SharedMemory.unmap(part));
            fails(IllegalArgumentException.class,
                () -> SharedMemory.unmap(ByteBuffer.allocateDirect(10)));
            fails(IllegalArgumentException.class,
                () -> SharedMemory.unmap(ByteBuffer.allocate(10)));
            SharedMemory.unmap(twin);
            same(1L, mappings("unmapped"));
            same((byte) 0, buffer.get(16));
            same((byte) 0, part.get(0));
            part.put(0, (byte) 7);
            same((byte) 6, read.get(16));
            SharedMemory.unmap(buffer);
            same((byte) 7, part.get(0));
            // Others take no address that a buffer still has.
            List<ByteBuffer> others = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                others.add(memory.mapReadWrite().put(16, (byte) 8));
            }
            same((byte) 7, buffer.get(16));
            others.forEach(SharedMemory::unmap);
            SharedMemory.unmap(read);
            same(0L, mappings("unmapped"));
        }
    }

    static void testCollected() throws Exception {
        int before = fds();
        ByteBuffer part = null;
        for (int i = 0; i < 20; i++) {
            SharedMemory memory = SharedMemory.create("collected", SIZE);
            part = part(memory.mapReadWrite().put(100, (byte) i), 100);
            new MemoryFile("collected", SIZE);
            memory.getFdDup();
        }
        collectUntil(() -> fds() == before && mappings("collected") == 1);
        same((byte) 19, part.get(0));
        part = null;
        collectUntil(() -> mappings("collected") == 0);
        long used = space();
        try (SharedMemory memory = SharedMemory.create("space", 1 << 28)) {
            for (int i = 0; i < 8; i++) {
                SharedMemory.unmap(memory.mapReadWrite());
            }
        }
        collectUntil(() -> space() < used + (1 << 20));
    }

    static void testClosedUnderThreads() throws Exception {
        for (int i = 0; i < 100; i++) {
            SharedMemory memory = SharedMemory.create("java", SIZE);
            Action use = () -> {
                try {
                    for (;;) {
                        SharedMemory.unmap(memory.mapReadWrite().put(5, (byte) 5));
                        memory.getFdDup().close();
                    }
                } catch (IllegalStateException e) {
                    // It was closed.
                }
            };
            together(use, use, () -> {
                Thread.sleep(1);
                memory.close();
            });
        }
    }

    static void testUnmappedUnderThreads() throws Exception {
        try (SharedMemory memory = SharedMemory.create("java", SIZE)) {
            for (int i = 0; i < 100; i++) {
                ByteBuffer buffer = memory.mapReadWrite();
                AtomicBoolean done = new AtomicBoolean();
                Action use = () -> {
                    while (!done.get()) {
                        buffer.put(SIZE - 1, (byte) 1);
                        buffer.get(0);
                    }
                };
                Action unmap = () -> {
                    SharedMemory.unmap(buffer);
                    done.set(true);
                };
                together(use, use, unmap, unmap);
            }
        }
    }

    static void testExceptions() {
        ErrnoException e = new ErrnoException("open", OsConstants.ENOENT);
        same("open failed: ENOENT", e.getMessage());
        same("x failed: errno 12345", new ErrnoException("x", 12345, e).getMessage());
        same(e, fails(IOException.class, e::rethrowAsIOException).getCause());
    }

    // ---- MemoryFile ----

    static void testFile() throws Exception {
        fails(IOException.class, () -> new MemoryFile("none", 0));
        MemoryFile file = new MemoryFile("java", SIZE);
        byte[] data = bytes(4, SIZE);
        same(SIZE, file.length());
        file.writeBytes(data, 10, SIZE - 20, 20);
        same(25, file.readBytes(data, SIZE - 25, 5, 25));
        same((byte) 4, data[4]);
        same((byte) 0, data[9]);
        same((byte) 4, data[10]);
        file.writeBytes(bytes(6, SIZE), 0, 0, SIZE);
        file.readBytes(data, 0, 0, SIZE);
        same(true, Arrays.equals(bytes(6, SIZE), data));
        int[][] wrong = {{-1, 0, 1}, {0, -1, 1}, {0, 0, -1}, {SIZE, 0, 1}, {0, SIZE, 1},
            {1, 0, SIZE}, {0, 1, SIZE}, {Integer.MAX_VALUE, 0, Integer.MAX_VALUE}};
        for (int[] a : wrong) {
            fails(IndexOutOfBoundsException.class,
                () -> file.readBytes(data, a[0], a[1], a[2]));
            fails(IndexOutOfBoundsException.class,
                () -> file.writeBytes(data, a[1], a[0], a[2]));
        }
        file.close();
        file.close();
        same(SIZE, file.length());
        fails(IOException.class, () -> file.readBytes(data, 0, 0, 1));
        fails(IOException.class, () -> file.writeBytes(data, 0, 0, 1));
        fails(IOException.class, () -> file.allowPurging(true));
        fails(IOException.class, () -> file.getInputStream().read());
    }

    static void testStreams() throws Exception {
        MemoryFile file = new MemoryFile(null, 10);
        OutputStream out = file.getOutputStream();
        out.write(200);
        out.write(new byte[] {1, 2, 3, 4, 5}, 1, 4);
        fails(IndexOutOfBoundsException.class, () -> out.write(new byte[6]));
        out.write(new byte[5]);
        InputStream in = file.getInputStream();
        same(10, in.available());
        same(200, in.read());
        same(true, in.markSupported());
        in.mark(100);
        same(2L, in.skip(2));
        same(4, in.read());
        in.reset();
        byte[] data = new byte[20];
        same(9, in.read(data));
        same((byte) 2, data[0]);
        same(-1, in.read());
        same(-1, in.read(data));
        same(0, in.read(data, 0, 0));
        same(0L, in.skip(1));
        same(0, in.available());
        file.close();
    }

    /** tests/purge_shim.c does this. */
    private static void purge() throws IOException {
        new FileOutputStream("purged").close();
    }

    static void testPurging() throws Exception {
        MemoryFile file = new MemoryFile("java", SIZE);
        byte[] data = bytes(1, 10);
        same(false, file.isPurgingAllowed());
        same(false, file.allowPurging(false));
        same(false, file.allowPurging(true));
        same(true, file.isPurgingAllowed());
        same(true, file.allowPurging(true));
        file.writeBytes(data, 0, 0, 10);
        file.readBytes(data, 0, 0, 10);
        purge();
        fails(IOException.class, () -> file.readBytes(data, 0, 0, 10));
        file.writeBytes(data, 0, 0, 10);
        purge();
        fails(IOException.class, () -> file.writeBytes(data, 0, 0, 10));
        file.readBytes(data, 0, 0, 10);
        // A loss that nothing but this call saw is told later.
        purge();
        same(true, file.allowPurging(false));
        fails(IOException.class, () -> file.readBytes(data, 0, 0, 10));
        file.readBytes(data, 0, 0, 10);
        // It is pinned: the shim isn't asked.
        purge();
        file.readBytes(data, 0, 0, 10);
        same(true, new File("purged").delete());
        file.close();
    }

    static void testFileUnderThreads() throws Exception {
        for (int i = 0; i < 50; i++) {
            MemoryFile file = new MemoryFile("java", SIZE);
            Action use = () -> {
                try {
                    for (byte[] data = new byte[SIZE];;) {
                        file.writeBytes(data, 0, 0, SIZE);
                        file.allowPurging(!file.isPurgingAllowed());
                        file.readBytes(data, 0, 0, SIZE);
                    }
                } catch (IOException e) {
                    same("closed", e.getMessage());
                }
            };
            together(use, use, () -> {
                Thread.sleep(1);
                file.close();
            });
        }
    }

    // ---- all of them ----

    public static void main(String[] arguments) throws Exception {
        String backend = System.getenv().getOrDefault("ASHMEM_BACKEND", "any");
        Method[] methods = Arrays.stream(JavaTest.class.getDeclaredMethods())
            .filter(m -> m.getName().startsWith("test"))
            .sorted(Comparator.comparing(Method::getName)).toArray(Method[]::new);
        int number = 0;
        boolean failed = false;
        for (Method method : methods) {
            String verdict = "ok ";
            try {
                method.invoke(null);
            } catch (InvocationTargetException e) {
                e.getCause().printStackTrace(System.out);
                verdict = "not ok ";
                failed = true;
            }
            System.out.println(verdict + ++number + " java." + backend + "."
                + method.getName());
        }
        System.exit(failed ? 1 : 0);
    }
}
