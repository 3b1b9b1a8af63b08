// Lets one call that writes below a folder fail, loaded in front of the C library with LD_PRELOAD.
//
// FAULT_FOLDER  the folder
// FAULT_AT      which of the calls below it, counted from 1
// FAULT_KIND    full      this write and all later ones: no space left on the device, after half of its bytes
//               sync      this fsync or fdatasync fails
//               rename    this rename fails
//               open      this file cannot be made or opened for writing
//               kill      half of this write is done, and the process is killed
// FAULT_COUNT   a file that the number of calls of that kind is written to at the end, if none failed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int is(const char *kind) {
    const char *wanted = getenv("FAULT_KIND");
    return wanted && strcmp(wanted, kind) == 0;
}

static int below(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int open_below(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

// 0 before the call that fails, 1 at it, 2 behind it.
static int place(void) {
    long at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    long call = ++calls;
    return call < at ? 0 : call == at ? 1 : 2;
}

__attribute__((destructor)) static void count(void) {
    const char *file = getenv("FAULT_COUNT");
    FILE *out = file ? fopen(file, "w") : NULL;
    if (!out) return;
    fprintf(out, "%ld", (long)calls);
    fclose(out);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if ((is("full") || is("kill")) && open_below(fd)) {
        int now = place();
        if (now == 1 && is("kill")) {
            real(fd, bytes, length / 2);
            kill(getpid(), SIGKILL);
        }
        if (is("full")) {
            if (now == 1 && length > 1) return real(fd, bytes, length / 2);
            if (now >= 1) {
                errno = ENOSPC;
                return -1;
            }
        }
    }
    return real(fd, bytes, length);
}

static int sync_fails(int fd) {
    if (!is("sync") || !open_below(fd) || place() != 1) return 0;
    errno = EIO;
    return 1;
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return sync_fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return sync_fails(fd) ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    char path[4096];
    if (to[0] != '/' && getcwd(path, sizeof path / 2)) {
        strncat(path, "/", 2);
        strncat(path, to, sizeof path / 2 - 2);
    } else {
        snprintf(path, sizeof path, "%s", to);
    }
    if (is("rename") && below(path) && place() == 1) {
        errno = EIO;
        return -1;
    }
    return real(from, to);
}

static int open_fails(const char *name, int flags) {
    char path[4096];
    if (!is("open") || (flags & O_ACCMODE) == O_RDONLY) return 0;
    if (name[0] != '/' && getcwd(path, sizeof path / 2)) {
        strncat(path, "/", 2);
        strncat(path, name, sizeof path / 2 - 2);
    } else {
        snprintf(path, sizeof path, "%s", name);
    }
    if (!below(path) || place() != 1) return 0;
    errno = EROFS;
    return 1;
}

int open64(const char *name, int flags, ...) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_fails(name, flags) ? -1 : real(name, flags, mode);
}
