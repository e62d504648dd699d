/* tool.c - directories, other programs and near words, for our own commands.
 * They hold up nobody, so what is quick blocks. */
#include "cli/tool.h"

#include <errno.h>
#include <lauxlib.h>
#include <sys/stat.h>
#include <uv.h>

#include "cli/suggest.h"
#include "host/embedded.h"
#include "host/error.h"
#include "host/host.h"

enum { NAMES_MOST = 256 };

/* load("fields") -> the chunk cli/fields.lua */
static int load(lua_State *L) {
  embedded_load(L, lua_pushfstring(L, "cli/%s.lua", luaL_checkstring(L, 1)));
  return 1;
}

/* suggest(word, names) -> the one that was meant, or nil */
static int suggest_name(lua_State *L) {
  const char *names[NAMES_MOST + 1];
  const char *word = luaL_checkstring(L, 1);
  lua_Integer count = luaL_len(L, 2);
  if (count > NAMES_MOST) count = NAMES_MOST;
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 2, i + 1);
    names[i] = luaL_checkstring(L, -1); /* the table keeps it */
    lua_pop(L, 1);
  }
  names[count] = NULL;
  lua_pushstring(L, suggest(word, names));
  return 1;
}

/* mkdir(path) -> true */
static int make_directory(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  if (mkdir(path, 0777) < 0)
    return error_result(L, uv_translate_sys_error(errno),
                        lua_pushfstring(L, "create %s", path));
  lua_pushboolean(L, 1);
  return 1;
}

/* kind(path) -> "directory", "file" or nil */
static int kind(lua_State *L) {
  struct stat info;
  if (stat(luaL_checkstring(L, 1), &info) < 0) return 0;
  lua_pushstring(L, S_ISDIR(info.st_mode) ? "directory" : "file");
  return 1;
}

static int push_entries(lua_State *L) {
  uv_fs_t *request = lua_touserdata(L, 1);
  uv_dirent_t entry;
  lua_newtable(L);
  for (lua_Integer i = 1; uv_fs_scandir_next(request, &entry) == 0; i++) {
    lua_pushstring(L, entry.name);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* scan(directory) -> its names */
static int scan(lua_State *L) {
  uv_fs_t request;
  const char *path = luaL_checkstring(L, 1);
  int status = uv_fs_scandir(&host_of(L)->loop, &request, path, 0, NULL);
  if (status < 0) {
    uv_fs_req_cleanup(&request);
    return error_result(L, status, lua_pushfstring(L, "read %s", path));
  }
  lua_pushcfunction(L, push_entries);
  lua_pushlightuserdata(L, &request);
  status = lua_pcall(L, 1, 1, 0);
  uv_fs_req_cleanup(&request);
  return status == LUA_OK ? 1 : lua_error(L);
}

static const luaL_Reg functions[] = {
  {"kind", kind},
  {"load", load},
  {"mkdir", make_directory},
  {"scan", scan},
  {"suggest", suggest_name},
  {NULL, NULL},
};

void tool_push(lua_State *L) {
  luaL_newlib(L, functions);
}
