/*
 * hang-fs DIRECTORY MOUNTPOINT CONTROL: a FUSE file system that shows DIRECTORY at MOUNTPOINT, and answers nothing while
 * the file CONTROL exists: whoever waits then hangs in the kernel. With `taken` in it a request is taken first, and who
 * waits for that is beyond SIGKILL; with `deaf` none is taken, and SIGKILL ends who waits, as on a hard NFS mount. While
 * CONTROL.lie exists it changes a bit of what it is given to write, and says that all is well. SIGKILL for hang-fs itself
 * is a server that died (ENOTCONN). It speaks the kernel's protocol itself (linux/fuse.h); one thread, one request at a
 * time. Prints a line when it is ready.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int device;
static const char *root, *control;
static char lie[4096];

/* A node is a name below another; one whose file is gone has none. */
static struct node { uint64_t parent; char *name; } *nodes;
static uint64_t count = FUSE_ROOT_ID + 1;

static uint64_t find(uint64_t parent, const char *name) {
  for (uint64_t id = FUSE_ROOT_ID + 1; id < count; id++)
    if (nodes[id].parent == parent && nodes[id].name && !strcmp(nodes[id].name, name)) return id;
  return 0;
}

static uint64_t node(uint64_t parent, const char *name) {
  uint64_t id = find(parent, name);
  if (id) return id;
  nodes = realloc(nodes, (count + 1) * sizeof *nodes);
  nodes[count] = (struct node){ parent, strdup(name) };
  return count++;
}

static void forget(uint64_t parent, const char *name) {
  uint64_t id = find(parent, name);
  if (id) nodes[id].name = 0;
}

static char *path(uint64_t id, const char *name) {
  static char buffers[4][8192];
  static int next;
  char *out = buffers[next++ & 3], tail[8192] = "", longer[8192];
  if (name) snprintf(tail, sizeof tail, "/%s", name);
  for (; id != FUSE_ROOT_ID; id = nodes[id].parent) {
    snprintf(longer, sizeof longer, "/%.255s%.7000s", nodes[id].name ? nodes[id].name : "\x01gone", tail);
    strcpy(tail, longer);
  }
  snprintf(out, 8192, "%.1000s%.7000s", root, tail);
  return out;
}

static void answer(uint64_t unique, int error, const void *data, size_t length) {
  struct fuse_out_header head = { sizeof head + length, -error, unique };
  struct iovec parts[] = { { &head, sizeof head }, { (void *)data, length } };
  /* A request may have been interrupted meanwhile (ENOENT). */
  if (writev(device, parts, length ? 2 : 1) < 0 && errno != ENOENT) perror("hang-fs: answer");
}

static struct fuse_attr attributes(const struct stat *s) {
  return (struct fuse_attr){
    .ino = s->st_ino, .size = s->st_size, .blocks = s->st_blocks, .atime = s->st_atim.tv_sec, .mtime = s->st_mtim.tv_sec,
    .ctime = s->st_ctim.tv_sec, .atimensec = s->st_atim.tv_nsec, .mtimensec = s->st_mtim.tv_nsec,
    .ctimensec = s->st_ctim.tv_nsec, .mode = s->st_mode, .nlink = s->st_nlink, .uid = s->st_uid, .gid = s->st_gid,
    .rdev = s->st_rdev, .blksize = s->st_blksize };
}

/* Of what is at `name` now, whose maker is whoever asked. */
static int entry(struct fuse_in_header *in, const char *name, int isNew, struct fuse_entry_out *out) {
  struct stat s;
  char *at = path(in->nodeid, name);
  if (isNew && lchown(at, in->uid, in->gid) < 0) return errno;
  if (lstat(at, &s) < 0) return errno;
  *out = (struct fuse_entry_out){ .nodeid = node(in->nodeid, name), .attr = attributes(&s) };
  return 0;
}

static int set(uint64_t id, const struct fuse_setattr_in *a) {
  char *at = path(id, 0);
  if (a->valid & FATTR_SIZE && (a->valid & FATTR_FH ? ftruncate(a->fh, a->size) : truncate(at, a->size)) < 0) return errno;
  if (a->valid & FATTR_MODE && chmod(at, a->mode & 07777) < 0) return errno;
  if (a->valid & (FATTR_UID | FATTR_GID)
      && lchown(at, a->valid & FATTR_UID ? a->uid : -1, a->valid & FATTR_GID ? a->gid : -1) < 0) return errno;
  if (a->valid & (FATTR_ATIME | FATTR_MTIME)) {
    struct timespec times[] = { { a->atime, a->valid & FATTR_ATIME ? a->atimensec : UTIME_OMIT },
                                { a->mtime, a->valid & FATTR_MTIME ? a->mtimensec : UTIME_OMIT } };
    if (a->valid & FATTR_ATIME_NOW) times[0].tv_nsec = UTIME_NOW;
    if (a->valid & FATTR_MTIME_NOW) times[1].tv_nsec = UTIME_NOW;
    if (utimensat(AT_FDCWD, at, times, AT_SYMLINK_NOFOLLOW) < 0) return errno;
  }
  return 0;
}

static int move(uint64_t from, uint64_t to, const char *names) {
  const char *old = names, *new = names + strlen(names) + 1;
  if (rename(path(from, old), path(to, new)) < 0) return errno;
  forget(to, new);
  uint64_t id = find(from, old);
  if (id) nodes[id] = (struct node){ to, strdup(new) };
  return 0;
}

static size_t list(DIR *directory, uint64_t offset, char *out, size_t room) {
  size_t used = 0;
  seekdir(directory, offset);
  for (struct dirent *d; (d = readdir(directory)); ) {
    size_t length = strlen(d->d_name), size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + length);
    if (used + size > room) break;
    struct fuse_dirent *item = (void *)(out + used);
    *item = (struct fuse_dirent){ d->d_ino, telldir(directory), length, d->d_type };
    memcpy(item->name, d->d_name, length);
    used += size;
  }
  return used;
}

static void serve(struct fuse_in_header *in, char *data) {
  static char bytes[1 << 20];
  struct stat s;
  struct statvfs v;
  struct fuse_entry_out made = { 0 };
  uint64_t id = in->nodeid;
  int error = 0, fd;
#define REPLY(out) answer(in->unique, error, &(out), error ? 0 : sizeof(out))
#define DONE(call) do { if ((call) < 0) error = errno; answer(in->unique, error, 0, 0); } while (0)
  switch (in->opcode) {
  case FUSE_INIT: {
    struct fuse_init_in *a = (void *)data;
    struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = a->max_readahead,
                                 .flags = FUSE_BIG_WRITES, .max_write = 131072, .time_gran = 1 };
    REPLY(out);
    break;
  }
  case FUSE_LOOKUP: error = entry(in, data, 0, &made); REPLY(made); break;
  case FUSE_GETATTR: {
    struct fuse_getattr_in *a = (void *)data;
    if ((a->getattr_flags & FUSE_GETATTR_FH ? fstat(a->fh, &s) : lstat(path(id, 0), &s)) < 0) error = errno;
    struct fuse_attr_out out = { .attr = attributes(&s) };
    REPLY(out);
    break;
  }
  case FUSE_SETATTR: {
    if (!(error = set(id, (void *)data)) && lstat(path(id, 0), &s) < 0) error = errno;
    struct fuse_attr_out out = { .attr = attributes(&s) };
    REPLY(out);
    break;
  }
  case FUSE_MKDIR: {
    struct fuse_mkdir_in *a = (void *)data;
    char *name = (char *)(a + 1);
    error = mkdir(path(id, name), a->mode & 07777) < 0 ? errno : entry(in, name, 1, &made);
    REPLY(made);
    break;
  }
  case FUSE_SYMLINK: {
    char *target = data + strlen(data) + 1;
    error = symlink(target, path(id, data)) < 0 ? errno : entry(in, data, 1, &made);
    REPLY(made);
    break;
  }
  case FUSE_LINK: {
    struct fuse_link_in *a = (void *)data;
    char *name = (char *)(a + 1);
    error = link(path(a->oldnodeid, 0), path(id, name)) < 0 ? errno : entry(in, name, 0, &made);
    REPLY(made);
    break;
  }
  case FUSE_READLINK: {
    ssize_t n = readlink(path(id, 0), bytes, sizeof bytes);
    answer(in->unique, n < 0 ? errno : 0, bytes, n < 0 ? 0 : n);
    break;
  }
  case FUSE_CREATE: {
    struct fuse_create_in *a = (void *)data;
    char *name = (char *)(a + 1);
    struct { struct fuse_entry_out entry; struct fuse_open_out open; } out = { 0 };
    fd = open(path(id, name), (a->flags & ~O_APPEND) | O_CREAT | O_CLOEXEC, a->mode & 07777);
    error = fd < 0 ? errno : entry(in, name, 1, &out.entry);
    out.open.fh = fd;
    REPLY(out);
    break;
  }
  case FUSE_OPEN: {
    fd = open(path(id, 0), (((struct fuse_open_in *)data)->flags & ~O_APPEND) | O_CLOEXEC);
    if (fd < 0) error = errno;
    struct fuse_open_out out = { .fh = fd };
    REPLY(out);
    break;
  }
  case FUSE_OPENDIR: {
    DIR *directory = opendir(path(id, 0));
    if (!directory) error = errno;
    struct fuse_open_out out = { .fh = (uintptr_t)directory };
    REPLY(out);
    break;
  }
  case FUSE_READ: {
    struct fuse_read_in *a = (void *)data;
    ssize_t n = pread(a->fh, bytes, a->size, a->offset);
    answer(in->unique, n < 0 ? errno : 0, bytes, n < 0 ? 0 : n);
    break;
  }
  case FUSE_READDIR: {
    struct fuse_read_in *a = (void *)data;
    answer(in->unique, 0, bytes, list((DIR *)(uintptr_t)a->fh, a->offset, bytes, a->size));
    break;
  }
  case FUSE_WRITE: {
    struct fuse_write_in *a = (void *)data;
    if (a->size && access(lie, F_OK) == 0) ((char *)(a + 1))[a->size / 2] ^= 1;
    ssize_t n = pwrite(a->fh, a + 1, a->size, a->offset);
    if (n < 0) error = errno;
    struct fuse_write_out out = { .size = n };
    REPLY(out);
    break;
  }
  case FUSE_STATFS: {
    if (statvfs(root, &v) < 0) error = errno;
    struct fuse_statfs_out out = { .st = { v.f_blocks, v.f_bfree, v.f_bavail, v.f_files, v.f_ffree, v.f_bsize, 255, v.f_frsize } };
    REPLY(out);
    break;
  }
  case FUSE_UNLINK: DONE(unlink(path(id, data))); if (!error) forget(id, data); break;
  case FUSE_RMDIR: DONE(rmdir(path(id, data))); if (!error) forget(id, data); break;
  case FUSE_RENAME:
    answer(in->unique, move(id, ((struct fuse_rename_in *)data)->newdir, data + sizeof(struct fuse_rename_in)), 0, 0);
    break;
  case FUSE_RENAME2: {
    struct fuse_rename2_in *a = (void *)data;
    answer(in->unique, a->flags ? EINVAL : move(id, a->newdir, (char *)(a + 1)), 0, 0);
    break;
  }
  case FUSE_FSYNC: DONE(fsync(((struct fuse_fsync_in *)data)->fh)); break;
  case FUSE_RELEASE: close(((struct fuse_release_in *)data)->fh); answer(in->unique, 0, 0, 0); break;
  case FUSE_RELEASEDIR: closedir((DIR *)(uintptr_t)((struct fuse_release_in *)data)->fh); answer(in->unique, 0, 0, 0); break;
  case FUSE_FSYNCDIR: case FUSE_DESTROY: answer(in->unique, 0, 0, 0); break;
  case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: break;
  /* FUSE_FLUSH among them, which is not asked again then: who is killed would wait for it as it closes its files. */
  default: answer(in->unique, ENOSYS, 0, 0);
  }
}

static int hangs(const char *how) {
  char told[8] = "";
  int fd = open(control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  read(fd, told, sizeof told - 1);
  close(fd);
  return !strcmp(told, how);
}

int main(int argc, char **argv) {
  static char request[1 << 20];
  if (argc != 4) return 2;
  root = argv[1];
  control = argv[3];
  snprintf(lie, sizeof lie, "%s.lie", control);
  nodes = calloc(count, sizeof *nodes);
  umask(0);
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[128];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", device);
  if (device < 0 || mount("hang-fs", argv[2], "fuse.hang-fs", MS_NOSUID | MS_NODEV, options) < 0) {
    perror("hang-fs");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    while (hangs("deaf")) usleep(10000);
    ssize_t got = read(device, request, sizeof request);
    if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    /* ENODEV: no longer mounted. */
    if (got < 0) return errno != ENODEV;
    while (hangs("taken")) usleep(10000);
    request[got] = 0;
    serve((struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
  }
}
