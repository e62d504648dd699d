/* info.c - stat, with the time of birth where the system tells it. */
#include "modules/fs/info.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <uv.h>

#include "modules/fs/kind.h"

#ifdef __linux__

#include <sys/sysmacros.h>

static struct timespec time_of(struct statx_timestamp time) {
  return (struct timespec){.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}

static void fill(const struct statx *from, struct info *info) {
  info->stat = (struct stat){
    .st_dev = makedev(from->stx_dev_major, from->stx_dev_minor),
    .st_ino = from->stx_ino,
    .st_mode = from->stx_mode,
    .st_nlink = from->stx_nlink,
    .st_uid = from->stx_uid,
    .st_gid = from->stx_gid,
    .st_rdev = makedev(from->stx_rdev_major, from->stx_rdev_minor),
    .st_size = (off_t)from->stx_size,
    .st_blksize = (blksize_t)from->stx_blksize,
    .st_blocks = (blkcnt_t)from->stx_blocks,
    .st_atim = time_of(from->stx_atime),
    .st_mtim = time_of(from->stx_mtime),
    .st_ctim = time_of(from->stx_ctime),
  };
  info->has_btime = (from->stx_mask & STATX_BTIME) != 0;
  info->btime = time_of(from->stx_btime);
}

/* Where a sandbox forbids it, or the kernel is old, glibc asks without. */
static int get(int fd, const char *path, int flags, struct info *info) {
  struct statx got;
  if (statx(fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &got) < 0)
    return -1;
  fill(&got, info);
  return 0;
}

#else

static int get(int fd, const char *path, int flags, struct info *info) {
  info->has_btime = false;
  if (path[0] == '\0') return fstat(fd, &info->stat);
  return fstatat(fd, path, &info->stat, flags);
}

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0
#endif

#endif

int info_get(int fd, const char *path, bool follow, struct info *info) {
  int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (path[0] == '\0' && fd >= 0) flags |= AT_EMPTY_PATH;
  return get(fd, path, flags, info) < 0 ? uv_translate_sys_error(errno) : 0;
}

/* ---- the table ----------------------------------------------------------- */

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, struct timespec time) {
  lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec / 1e9);
  lua_setfield(L, -2, name);
}

void info_push(lua_State *L, const struct info *info) {
  const struct stat *stat = &info->stat;
  lua_createtable(L, 0, 16);
  lua_pushstring(L, kind_name(kind_of_mode(stat->st_mode)));
  lua_setfield(L, -2, "kind");
  set_integer(L, "size", (lua_Integer)stat->st_size);
  set_integer(L, "mode", (lua_Integer)(stat->st_mode & 07777));
  set_integer(L, "uid", (lua_Integer)stat->st_uid);
  set_integer(L, "gid", (lua_Integer)stat->st_gid);
  set_integer(L, "nlink", (lua_Integer)stat->st_nlink);
  set_integer(L, "ino", (lua_Integer)stat->st_ino);
  set_integer(L, "dev", (lua_Integer)stat->st_dev);
  set_integer(L, "rdev", (lua_Integer)stat->st_rdev);
  set_integer(L, "blocks", (lua_Integer)stat->st_blocks);
  set_integer(L, "blksize", (lua_Integer)stat->st_blksize);
  set_time(L, "atime", stat->st_atim);
  set_time(L, "mtime", stat->st_mtim);
  set_time(L, "ctime", stat->st_ctim);
  if (info->has_btime) set_time(L, "btime", info->btime);
}
