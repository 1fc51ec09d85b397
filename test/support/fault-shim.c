/*
 * Faults of storage on command, for LD_PRELOAD: FAULT_PATH names a directory, FAULT_PLAN a file of lines `call nth fault`,
 * as `pwrite 3 EIO` or `fsync 1 stall`; nth counts such calls below the directory, 0 means each. `stall` never returns, `slow`
 * takes three seconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALL_PWRITE, CALL_FSYNC, CALL_OPEN, CALL_MKDIR, CALL_RENAME, CALLS };
static const char *names[CALLS] = {"pwrite", "fsync", "open", "mkdir", "rename"};
static atomic_int counts[CALLS];

static int error_of(const char *name) {
  static const struct { const char *name; int number; } errors[] = {
      {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"ESTALE", ESTALE}, {"EROFS", EROFS}, {"EACCES", EACCES}};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(name, errors[i].name) == 0) return errors[i].number;
  return EIO;
}

/* 0, or the error that this call must give. */
static int fault(int call, const char *path) {
  const char *root = getenv("FAULT_PATH"), *plan = getenv("FAULT_PLAN");
  if (!root || !plan || !path || strncmp(path, root, strlen(root)) != 0) return 0;
  int count = atomic_fetch_add(&counts[call], 1) + 1;
  char name[32], what[32];
  int nth, result = 0;
  FILE *file = fopen(plan, "re");
  if (!file) return 0;
  while (fscanf(file, "%31s %d %31s", name, &nth, what) == 3)
    if (strcmp(name, names[call]) == 0 && (nth == 0 || nth == count)) {
      if (strcmp(what, "stall") == 0)
        for (;;) pause();
      if (strcmp(what, "slow") == 0) {
        sleep(3);
        continue;
      }
      result = error_of(what);
    }
  fclose(file);
  return result;
}

static int fault_fd(int call, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fault(call, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(error) do { int e = (error); if (e) { errno = e; return -1; } } while (0)

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  FAIL(fault_fd(CALL_PWRITE, fd));
  return NEXT(pwrite64)(fd, bytes, length, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  FAIL(fault_fd(CALL_PWRITE, fd));
  return NEXT(pwrite)(fd, bytes, length, at);
}
int fsync(int fd) {
  FAIL(fault_fd(CALL_FSYNC, fd));
  return NEXT(fsync)(fd);
}
int mkdir(const char *path, mode_t mode) {
  FAIL(fault(CALL_MKDIR, path));
  return NEXT(mkdir)(path, mode);
}
int rename(const char *from, const char *to) {
  FAIL(fault(CALL_RENAME, from));
  return NEXT(rename)(from, to);
}
static mode_t mode_of(int flags, va_list list) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; }
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = mode_of(flags, list);
  va_end(list);
  FAIL(fault(CALL_OPEN, path));
  return NEXT(open64)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = mode_of(flags, list);
  va_end(list);
  FAIL(fault(CALL_OPEN, path));
  return NEXT(open)(path, flags, mode);
}
