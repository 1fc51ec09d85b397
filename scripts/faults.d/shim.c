/*
 * LD_PRELOAD: the file calls of a program on what lies below $FAULT_ROOT, counted. From call $FAULT_AT on (or at that one
 * alone, where $FAULT_ONCE is set) each fails with $FAULT_ERRNO, or never returns (FAULT_ERRNO=stall; SIGKILL ends it).
 * $FAULT_COUNT: a file that is told the number of calls. $FAULT_LOG: a journal of all calls with what they wrote, from
 * which power-cut.ts puts together what a disk may hold after a cut. $FAULT_CLOCK: a file with seconds that the wall clock is off.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;

static int below(const char *path) {
  const char *root = getenv("FAULT_ROOT");
  return root && path && !strncmp(path, root, strlen(root));
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, buffer, 4095);
  if (n < 0) return 0;
  buffer[n] = 0;
  return buffer;
}

/* One entry: operation, length of each path, offset, length of the data; then these. */
static void journal(char op, const char *a, const char *b, int64_t offset, const void *data, size_t length) {
  const char *file = getenv("FAULT_LOG");
  if (!file) return;
  static int fd = -1;
  if (fd < 0) fd = REAL(open64)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct { uint32_t op, a, b, length; int64_t offset; } head = { op, a ? strlen(a) : 0, b ? strlen(b) : 0, length, offset };
  struct iovec parts[] = { { &head, sizeof head }, { (void *)a, head.a }, { (void *)b, head.b }, { (void *)data, length } };
  if (REAL(writev)(fd, parts, 4) < 0) abort();
}

/* 0: go on. -1: fail with errno. */
static int gate(const char *path) {
  if (!below(path)) return 0;
  pthread_mutex_lock(&lock);
  long n = ++calls;
  const char *count = getenv("FAULT_COUNT");
  if (count) {
    int fd = REAL(open64)(count, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char text[24];
    int length = snprintf(text, sizeof text, "%8ld\n", n);
    if (REAL(pwrite64)(fd, text, length, 0) < 0) abort();
    close(fd);
  }
  pthread_mutex_unlock(&lock);
  const char *at = getenv("FAULT_AT"), *what = getenv("FAULT_ERRNO");
  if (!at || !what || n < atol(at) || (getenv("FAULT_ONCE") && n > atol(at))) return 0;
  if (!strcmp(what, "stall")) for (;;) pause();
  errno = atoi(what);
  return -1;
}

#define ON_FD(ret, name, args, call, op, offset, data, length)                          \
  ret name args {                                                                       \
    char buffer[4096];                                                                  \
    const char *path = path_of(fd, buffer);                                             \
    if (gate(path)) return -1;                                                          \
    ret got = REAL(name) call;                                                          \
    if (got >= 0 && below(path)) journal(op, path, 0, offset, data, length);            \
    return got;                                                                         \
  }

ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t length, off64_t at), (fd, data, length, at), 'w', at, data, got)
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t length, off_t at), (fd, data, length, at), 'w', at, data, got)
ON_FD(int, fsync, (int fd), (fd), 's', 0, 0, 0)
ON_FD(int, fdatasync, (int fd), (fd), 's', 0, 0, 0)
ON_FD(int, ftruncate64, (int fd, off64_t size), (fd, size), 't', size, 0, 0)
ON_FD(int, ftruncate, (int fd, off_t size), (fd, size), 't', size, 0, 0)

ssize_t write(int fd, const void *data, size_t length) {
  char buffer[4096];
  const char *path = path_of(fd, buffer);
  if (!below(path)) return REAL(write)(fd, data, length);
  off64_t at = lseek64(fd, 0, SEEK_CUR);
  if (gate(path)) return -1;
  ssize_t got = REAL(write)(fd, data, length);
  if (got >= 0) journal('w', path, 0, at, data, got);
  return got;
}

static int do_open(const char *path, int flags, mode_t mode) {
  if ((flags & (O_CREAT | O_WRONLY | O_RDWR)) && gate(path)) return -1;
  int fd = REAL(open64)(path, flags, mode);
  if (fd >= 0 && (flags & O_CREAT) && below(path)) journal('c', path, 0, 0, 0, 0);
  return fd;
}
int open64(const char *path, int flags, ...) { va_list v; va_start(v, flags); int mode = va_arg(v, int); va_end(v); return do_open(path, flags, mode); }
int open(const char *path, int flags, ...) { va_list v; va_start(v, flags); int mode = va_arg(v, int); va_end(v); return do_open(path, flags, mode); }

int mkdir(const char *path, mode_t mode) {
  if (gate(path)) return -1;
  int got = REAL(mkdir)(path, mode);
  if (!got && below(path)) journal('d', path, 0, 0, 0, 0);
  return got;
}
int rename(const char *from, const char *to) {
  if (gate(to)) return -1;
  int got = REAL(rename)(from, to);
  if (!got && below(to)) journal('r', from, to, 0, 0, 0);
  return got;
}
int unlink(const char *path) {
  if (gate(path)) return -1;
  int got = REAL(unlink)(path);
  if (!got && below(path)) journal('u', path, 0, 0, 0, 0);
  return got;
}
/* Whole trees go by this one, relative to their directory. */
int unlinkat(int fd, const char *name, int flags) {
  char directory[4096], path[8192];
  if (*name == '/' || fd == AT_FDCWD) snprintf(path, sizeof path, "%s", name);
  else if (path_of(fd, directory)) snprintf(path, sizeof path, "%s/%s", directory, name);
  else return REAL(unlinkat)(fd, name, flags);
  if (gate(path)) return -1;
  int got = REAL(unlinkat)(fd, name, flags);
  if (!got && below(path)) journal('u', path, 0, 0, 0, 0);
  return got;
}
int rmdir(const char *path) {
  int got = REAL(rmdir)(path);
  if (!got && below(path)) journal('u', path, 0, 0, 0, 0);
  return got;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int got = REAL(clock_gettime)(clock, now);
  const char *file = clock == CLOCK_REALTIME ? getenv("FAULT_CLOCK") : 0;
  if (!got && file) {
    char text[32] = "";
    int fd = REAL(open64)(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
    if (fd >= 0) close(fd);
  }
  return got;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
