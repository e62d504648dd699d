/* calls.h - what the simple functions about names do: one call of the system
 * each, or a few. In a thread: no Lua, no host. */
#ifndef MODULES_FS_CALLS_H
#define MODULES_FS_CALLS_H

#include <stdbool.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>

#include "modules/fs/info.h"

struct call { /* its arguments, and what comes of it */
  char *path, *other;
  mode_t mode;
  unsigned uid, gid;
  int access;
  struct timespec atime, mtime;
  bool parents;
  char *text; /* malloc: a path that was found */
  struct info info;
  struct statvfs space;
};

/* 0, or one of libuv's statuses. */
typedef int call_work(struct call *call);

call_work call_access, call_chmod, call_chown, call_link, call_lstat,
  call_mkdir, call_readlink, call_realpath, call_rename, call_space, call_stat,
  call_symlink, call_utime;

#endif
