// Faults of a disk, for a program that this library is preloaded to (LD_PRELOAD):
//
//   FAULT_SYNC=K   the first K syncs go well, and every later one fails
//   FAULT_READ=N   reads of files *.npy fail as soon as N bytes of them were read
//   FAULT_SHORT=1  reads of files *.npy are interrupted or return a part of what was asked for; says how many on stderr

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long syncs, bytes_read, reads, short_reads;

// The number in a variable, or -1.
static long setting(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : -1;
}

static int is_npy(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path);
    return length >= 4 && memcmp(path + length - 4, ".npy", 4) == 0;
}

// Bytes that a read may return at most; -1 with errno for one that fails.
static ssize_t allowed(int file, size_t count) {
    if (!is_npy(file)) return count;
    long limit = setting("FAULT_READ");
    if (limit >= 0 && bytes_read >= limit) {
        errno = EIO;
        return -1;
    }
    if (setting("FAULT_SHORT") < 0 || count < 2) return count;
    long number = reads++;
    short_reads++;
    if (number % 5 == 3) {
        errno = EINTR;
        return -1;
    }
    // Some thousandth of what was asked for, another one each time: from 1 byte on.
    return 1 + (count - 1) * (number * 389 % 1000) / 1000;
}

#define READ(name, parameters, arguments)                                 \
    ssize_t name parameters {                                             \
        static ssize_t(*real) parameters;                                 \
        if (!real) real = (ssize_t(*) parameters)dlsym(RTLD_NEXT, #name); \
        ssize_t most = allowed(file, count);                              \
        if (most < 0) return -1;                                          \
        count = most;                                                     \
        ssize_t got = real arguments;                                     \
        if (got > 0 && is_npy(file)) bytes_read += got;                   \
        return got;                                                       \
    }

READ(read, (int file, void *into, size_t count), (file, into, count))
READ(pread, (int file, void *into, size_t count, off_t offset), (file, into, count, offset))
READ(pread64, (int file, void *into, size_t count, off64_t offset), (file, into, count, offset))

#define SYNC(name)                                             \
    int name(int file) {                                       \
        static int (*real)(int);                               \
        if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name); \
        long well = setting("FAULT_SYNC");                     \
        if (well >= 0 && syncs++ >= well) {                    \
            errno = EIO;                                       \
            return -1;                                         \
        }                                                      \
        return real(file);                                     \
    }

SYNC(fsync)
SYNC(fdatasync)

__attribute__((destructor)) static void tell(void) {
    if (setting("FAULT_SHORT") >= 0) dprintf(2, "%ld short reads\n", (long)short_reads);
}
