/* fs.c - module `neap.fs`: files, their names and their changes.
 *
 * Everything here is done in libuv's thread pool (host/job.h), or, where a file
 * may keep its reader waiting, by the poller: never on the loop. */
#include "modules/fs/fs.h"

#include <lauxlib.h>
#include <string.h>

#include "host/error.h"
#include "modules/modules.h"

const char *fs_check_path(lua_State *L, int index, size_t *size) {
  size_t length;
  luaL_argexpected(L, lua_type(L, index) == LUA_TSTRING, index, "string");
  const char *path = lua_tolstring(L, index, &length);
  luaL_argcheck(L, strlen(path) == length, index, "a path with a zero in it");
  if (size != NULL) *size = length;
  return path;
}

int fs_error(lua_State *L, int status, const char *what, int path) {
  lua_pushfstring(L, "%s %s", what, lua_tostring(L, path));
  return error_result(L, status, lua_tostring(L, -1));
}

int open_fs(lua_State *L) {
  lua_newtable(L);
  fs_open_contents(L);
  fs_open_names(L);
  fs_open_watch(L);
  return 1;
}
