/* files.c - directories for specs: a new one, one inside it, and the end of all
 * that is in one. They are small and local: the calls of the system are made
 * right here, on the loop. */
#include <errno.h>
#include <ftw.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/error.h"
#include "modules/test/test.h"

enum { DESCRIPTORS_MOST = 16 };

static int failed(lua_State *L, const char *what, const char *path) {
  int status = uv_translate_sys_error(errno);
  lua_pushfstring(L, "%s %s", what, path);
  return error_result(L, status, lua_tostring(L, -1));
}

/* new_directory() -> path */
static int new_directory(lua_State *L) {
  char path[4096];
  const char *parent = getenv("TMPDIR");
  if (parent == NULL || parent[0] != '/') parent = "/tmp";
  int size = snprintf(path, sizeof path, "%s/neap-XXXXXX", parent);
  if (size >= (int)sizeof path) return luaL_error(L, "TMPDIR is too long");
  if (mkdtemp(path) == NULL) return failed(L, "mkdtemp", path);
  lua_pushstring(L, path);
  return 1;
}

/* It may be there already. */
static int make_directory(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  if (mkdir(path, 0777) < 0 && errno != EEXIST) return failed(L, "mkdir", path);
  lua_pushboolean(L, 1);
  return 1;
}

/* Goes on where one cannot be removed; then its directory cannot be, and that
 * is told. */
static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *walk) {
  (void)info, (void)kind;
  int status = remove(path);
  return status < 0 && walk->level == 0 ? -1 : 0;
}

static int remove_tree(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  if (nftw(path, remove_one, DESCRIPTORS_MOST, FTW_DEPTH | FTW_PHYS) < 0 &&
      errno != ENOENT)
    return failed(L, "remove", path);
  lua_pushboolean(L, 1);
  return 1;
}

const luaL_Reg test_files[] = {
  {"make_directory", make_directory},
  {"new_directory", new_directory},
  {"remove_tree", remove_tree},
  {NULL, NULL},
};
