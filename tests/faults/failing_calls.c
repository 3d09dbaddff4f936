/* Lets the nth call that changes a file fail, once or from then on. Loaded before the C library (LD_PRELOAD). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

static long left = -1; /* calls until one fails; -1: none does */
static long seen;
static int with, keeps_on, failed;

void fail_at(long nth, int error, int from_then_on) { left = nth, with = error, keeps_on = from_then_on, seen = failed = 0; }
long calls_seen(void) { return seen; }
int has_failed(void) { return failed; }

static int fails(void)
{
    seen++;
    if (left < 0 || --left > 0) return 0;
    if (!keeps_on) left = -1;
    else left = 0;
    failed = 1;
    errno = with;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return fails() ? -1 : REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return fails() ? -1 : REAL(pwrite64)(fd, data, size, at); }
int ftruncate(int fd, off_t size) { return fails() ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails() ? -1 : REAL(ftruncate64)(fd, size); }
int fsync(int fd) { return fails() ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails() ? -1 : REAL(fdatasync)(fd); }
int unlink(const char *path) { return fails() ? -1 : REAL(unlink)(path); }
