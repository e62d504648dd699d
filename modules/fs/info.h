/* info.h - what the system knows of a file, and the table that scripts get. */
#ifndef MODULES_FS_INFO_H
#define MODULES_FS_INFO_H

#include <lua.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#ifdef __APPLE__ /* has other names for what POSIX calls so */
#define st_atim st_atimespec
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

struct info {
  struct stat stat;
  struct timespec btime;
  bool has_btime;
};

/* In a thread: of a path in the directory `fd`, or of `fd` itself (path "").
 * 0, or one of libuv's statuses. */
int info_get(int fd, const char *path, bool follow, struct info *info);
void info_push(lua_State *L, const struct info *info); /* the table */

#endif
