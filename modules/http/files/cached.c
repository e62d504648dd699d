/* cached.c - on Linux since 5.12: names are looked up in the cache of names
 * (RESOLVE_CACHED), and bytes are taken from the cache of pages (RWF_NOWAIT).
 *
 * Neither of them covers everything: a file system that lives elsewhere may ask
 * there when a file is opened. So the loop touches only file systems that a
 * thread has met before, and that are known to live in this machine. */
#include "modules/http/files/cached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#endif
#endif

#if defined(RESOLVE_CACHED) && defined(RWF_NOWAIT) &&                          \
  defined(AT_STATX_DONT_SYNC)

/* ---- file systems -------------------------------------------------------- */

/* Devices; the lowest bit: it cannot read without waiting. 0: a free place. When
 * all are taken, files of further ones go through the pool. */
enum { DEVICES = 16, IS_SLOW = 1 };
static _Atomic uint64_t devices[DEVICES];

static uint64_t key_of(dev_t device) {
  return ((uint64_t)device + 1) << 1;
}

/* Its place, or the first that is free, or NULL. */
static _Atomic uint64_t *place_of(dev_t device) {
  for (int i = 0; i < DEVICES; i++) {
    uint64_t at = atomic_load_explicit(&devices[i], memory_order_relaxed);
    if (at == 0 || (at & ~(uint64_t)IS_SLOW) == key_of(device))
      return &devices[i];
  }
  return NULL;
}

static bool is_fine(dev_t device) {
  _Atomic uint64_t *place = place_of(device);
  return place != NULL && atomic_load(place) == key_of(device);
}

static bool is_local(int fd) {
  static const uint32_t kinds[] = {
    0xef53 /* ext4 */,     0x58465342 /* xfs */,   0x9123683e /* btrfs */,
    0xf2f52010 /* f2fs */, 0x01021994 /* tmpfs */,
  };
  struct statfs about;
  if (fstatfs(fd, &about) < 0) return false;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if ((uint32_t)about.f_type == kinds[i]) return true;
  return false;
}

void cached_learn(int fd, dev_t device) {
  _Atomic uint64_t *place = place_of(device);
  uint64_t is_free = 0;
  if (place == NULL || atomic_load(place) != 0) return;
  uint64_t key = key_of(device) | (is_local(fd) ? 0 : IS_SLOW);
  atomic_compare_exchange_strong(place, &is_free, key); /* or another time */
}

static void forget(int fd) {
  struct stat about;
  if (fstat(fd, &about) < 0) return;
  _Atomic uint64_t *place = place_of(about.st_dev);
  if (place != NULL) atomic_store(place, key_of(about.st_dev) | IS_SLOW);
}

/* ---- files --------------------------------------------------------------- */

/* What an old kernel, or a filter of system calls, says is no answer. */
static int status_of(long result) {
  if (result >= 0) return (int)result;
  if (errno == ENOSYS || errno == EINVAL || errno == EPERM) return UV_EAGAIN;
  return uv_translate_sys_error(errno);
}

static int open_at(int root, const char *path, int flags) {
  struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                         .resolve = RESOLVE_CACHED};
  if (root != AT_FDCWD) how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (*path == '\0') path = ".";
  return status_of(syscall(SYS_openat2, root, path, &how, sizeof how));
}

int cached_open_root(const char *path) {
  return open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

int cached_stat(int fd, struct stat *about) {
  struct statx all;
  int status = status_of(
    statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &all));
  if (status < 0) return status;
  dev_t device = makedev(all.stx_dev_major, all.stx_dev_minor);
  if (!is_fine(device)) return UV_EAGAIN;
  memset(about, 0, sizeof *about);
  about->st_dev = device;
  about->st_ino = all.stx_ino;
  about->st_mode = all.stx_mode;
  about->st_size = (off_t)all.stx_size;
  about->st_mtim.tv_sec = all.stx_mtime.tv_sec;
  about->st_mtim.tv_nsec = all.stx_mtime.tv_nsec;
  return 0;
}

/* What is neither a file nor a directory is told apart before it is opened. */
int cached_look(int root, const char *path, struct stat *about) {
  int fd = open_at(root, path, O_PATH);
  if (fd < 0) return fd;
  int status = cached_stat(fd, about);
  close(fd);
  if (status < 0) return status;
  return S_ISREG(about->st_mode) || S_ISDIR(about->st_mode) ? 0 : UV_ENXIO;
}

int cached_open_to_read(int root, const char *path, struct stat *about) {
  int status = cached_look(root, path, about);
  if (status < 0) return status;
  return open_at(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

int cached_read(int fd, char *text, size_t size) {
  struct iovec all = {text, size};
  if (size == 0) return 0;
  ssize_t got = preadv2(fd, &all, 1, 0, RWF_NOWAIT);
  if (got < 0 && errno == EOPNOTSUPP) forget(fd);
  return got >= 0 && (size_t)got == size ? 0 : UV_EAGAIN;
}

#else

void cached_learn(int fd, dev_t device) {
  (void)fd, (void)device;
}

int cached_open_root(const char *path) {
  (void)path;
  return UV_EAGAIN;
}

int cached_open_to_read(int root, const char *path, struct stat *about) {
  (void)root, (void)path, (void)about;
  return UV_EAGAIN;
}

int cached_look(int root, const char *path, struct stat *about) {
  (void)root, (void)path, (void)about;
  return UV_EAGAIN;
}

int cached_stat(int fd, struct stat *about) {
  (void)fd, (void)about;
  return UV_EAGAIN;
}

int cached_read(int fd, char *text, size_t size) {
  (void)fd, (void)text, (void)size;
  return UV_EAGAIN;
}

#endif
