/* beneath.c - on Linux the kernel does it (openat2, since 5.6). Elsewhere, and
 * where that is forbidden, each name is opened in the directory before it, and
 * may be no link: what a link leads to cannot be judged without a race. */
#include "modules/http/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#if defined(__linux__) && !defined(BENEATH_PORTABLE)
#define HAS_PATHS /* O_PATH: what is there can be looked at without opening */
#ifdef __has_include
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif
#endif
#endif

/* A directory that is only gone through need not be readable. */
#if defined(HAS_PATHS)
#define THROUGH O_PATH
#elif defined(O_SEARCH)
#define THROUGH O_SEARCH
#else
#define THROUGH O_RDONLY
#endif

enum {
  ALWAYS = O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
  NAME_MOST = 1024,
  TRIES = 16 /* while somebody renames directories */
};

static int status_of(int fd) {
  return fd >= 0 ? fd : uv_translate_sys_error(errno);
}

/* ---- by the kernel ------------------------------------------------------- */

#ifdef RESOLVE_BENEATH
/* UV_ENOSYS: it cannot be had. (O_PATH takes no other flag with it.) */
static int open_by_kernel(int root, const char *name, int flags) {
  int all = (flags & O_PATH) != 0 ? O_CLOEXEC : ALWAYS;
  struct open_how how = {.flags = (unsigned)(flags | all),
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int status = UV_EAGAIN;
  for (int i = 0; status == UV_EAGAIN && i < TRIES; i++)
    status = status_of((int)syscall(SYS_openat2, root, name, &how, sizeof how));
  return status;
}

/* Once and for all: a filter of system calls answers EPERM for those that it does
 * not know, which would also be an answer about a file. */
static bool is_there(void) {
  static _Atomic int known; /* 1: yes, 2: no */
  if (known == 0) {
    int fd = open_by_kernel(AT_FDCWD, ".", O_PATH | O_DIRECTORY);
    known = fd == UV_ENOSYS || fd == UV_EPERM ? 2 : 1;
    if (fd >= 0) close(fd);
  }
  return known == 1;
}
#else
static int open_by_kernel(int root, const char *name, int flags) {
  (void)root, (void)name, (void)flags;
  return UV_ENOSYS;
}

static bool is_there(void) {
  return false;
}
#endif

/* ---- by names ------------------------------------------------------------ */

/* The next name of the path, into `name`; what is behind it, NULL: it is too
 * long, or means another directory. */
static const char *take_name(const char *path, char name[NAME_MOST]) {
  size_t size = strcspn(path, "/");
  if (size == 0 || size >= NAME_MOST) return NULL;
  memcpy(name, path, size);
  name[size] = '\0';
  if (strcmp(name, "..") == 0) return NULL;
  path += size;
  return path + strspn(path, "/");
}

/* The directory that the last name is in, which goes to `name`; `root` where the
 * path has no other. */
static int open_parent(int root, const char *path, char name[NAME_MOST]) {
  int at = root;
  for (;;) {
    const char *rest = take_name(path, name);
    if (rest != NULL && *rest == '\0') return at;
    int fd = UV_EXDEV;
    if (rest != NULL)
      fd = status_of(
        openat(at, name, THROUGH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (at != root) close(at);
    if (fd < 0) return fd;
    at = fd;
    path = rest;
  }
}

static int open_by_names(int root, const char *path, int flags) {
  char name[NAME_MOST];
  int at = open_parent(root, path, name);
  if (at < 0) return at;
  int fd = status_of(openat(at, name, flags | ALWAYS | O_NOFOLLOW));
  if (at != root) close(at);
  return fd;
}

int beneath_open(int root, const char *name, int flags) {
  if (*name == '\0') name = ".";
  if (is_there()) return open_by_kernel(root, name, flags);
  return open_by_names(root, name, flags);
}

/* ---- for reading --------------------------------------------------------- */

static bool is_wanted(const struct stat *about) {
  return S_ISREG(about->st_mode) || S_ISDIR(about->st_mode);
}

static int look(int fd, struct stat *about) {
  if (fd < 0) return fd;
  int status = fstat(fd, about) == 0 ? 0 : uv_translate_sys_error(errno);
  if (status == 0 && !is_wanted(about)) status = UV_ENXIO;
  return status;
}

#ifdef HAS_PATHS
static int check(int root, const char *name, struct stat *about) {
  int fd = beneath_open(root, name, O_PATH);
  int status = look(fd, about);
  if (fd >= 0) close(fd);
  return status;
}
#else
static int check(int root, const char *path, struct stat *about) {
  char name[NAME_MOST];
  int at = open_parent(root, *path == '\0' ? "." : path, name);
  if (at < 0) return at;
  int status = fstatat(at, name, about, AT_SYMLINK_NOFOLLOW) == 0
                 ? 0
                 : uv_translate_sys_error(errno);
  if (at != root) close(at);
  return status == 0 && !is_wanted(about) ? UV_ENXIO : status;
}
#endif

int beneath_open_to_read(int root, const char *name, struct stat *about) {
  int status = check(root, name, about);
  if (status < 0) return status;
  int fd = beneath_open(root, name, O_RDONLY);
  status = look(fd, about); /* it may be another one by now */
  if (status == 0) return fd;
  if (fd >= 0) close(fd);
  return status;
}
