/* rundir.c - finds, makes and judges the directory of sockets. What can be
 * decided here is decided by the system's calls alone, without looking at what
 * a directory holds. */
#include "cli/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATH_SIZE = sizeof((struct sockaddr_un){0}).sun_path };

enum candidate { OF_SESSION, OF_USER, OF_SYSTEM, CANDIDATES };

static const char *session(void) {
  const char *path = getenv("XDG_RUNTIME_DIR");
  return path != NULL && path[0] == '/' ? path : NULL;
}

/* False: there is none, or a socket in it would have too long a path. */
static bool name_base(enum candidate which, char path[PATH_SIZE]) {
  enum { REST = sizeof "/neap/1234567890.sock" };
  int size = -1;
  if (which == OF_SYSTEM) size = snprintf(path, PATH_SIZE, "/run");
  if (which == OF_USER)
    size = snprintf(path, PATH_SIZE, "/run/user/%lu", (unsigned long)geteuid());
  if (which == OF_SESSION && session() != NULL)
    size = snprintf(path, PATH_SIZE, "%s", session());
  return size > 0 && size + REST <= PATH_SIZE;
}

static bool name_directory(enum candidate which, char path[PATH_SIZE]) {
  if (!name_base(which, path)) return false;
  strcat(path, "/neap");
  return true;
}

/* NULL, or why it must not be used. */
static const char *problem(const struct stat *info) {
  if (S_ISLNK(info->st_mode)) return "it is a symbolic link";
  if (!S_ISDIR(info->st_mode)) return "it is not a directory";
  if (info->st_uid != geteuid()) return "it belongs to another user";
  if ((info->st_mode & 077) != 0)
    return "others may use it: its mode must be 0700";
  return NULL;
}

/* Who may not write there has nothing to do with what another user has made. */
static bool is_of_others(enum candidate which, const struct stat *info) {
  return which == OF_SYSTEM && info->st_uid != geteuid();
}

static int push_refusal(lua_State *L, const char *path, const char *why) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s is not used: %s", path, why);
  return 2;
}

/* ---- make() -------------------------------------------------------------- */

static int make(lua_State *L) {
  char path[PATH_SIZE];
  for (int which = OF_SESSION; which < CANDIDATES; which++) {
    struct stat info;
    if (!name_directory((enum candidate)which, path)) continue;
    if (mkdir(path, 0700) < 0 && errno != EEXIST) continue;
    if (lstat(path, &info) < 0) continue;
    if (is_of_others((enum candidate)which, &info)) continue;
    const char *why = problem(&info);
    if (why != NULL) return push_refusal(L, path, why);
    lua_pushstring(L, path);
    return 1;
  }
  return 0;
}

/* ---- find() -------------------------------------------------------------- */

/* A session of another kind than the system's stands for itself; in the usual
 * one those programs are found too that were started outside of any. */
static bool is_apart(enum candidate which) {
  char own[PATH_SIZE], usual[PATH_SIZE];
  struct stat info;
  return which == OF_SESSION && name_base(OF_SESSION, own) &&
         name_base(OF_USER, usual) && strcmp(own, usual) != 0 &&
         stat(own, &info) == 0;
}

static int find(lua_State *L) {
  char path[PATH_SIZE];
  lua_newtable(L);
  for (int which = OF_SESSION; which < CANDIDATES; which++) {
    struct stat info;
    if (name_directory((enum candidate)which, path) &&
        lstat(path, &info) == 0 &&
        !is_of_others((enum candidate)which, &info)) {
      const char *why = problem(&info);
      if (why != NULL) return push_refusal(L, path, why);
      lua_pushstring(L, path);
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    if (is_apart((enum candidate)which)) break;
  }
  return 1;
}

/* ---- what is in it ------------------------------------------------------- */

static int add_names(lua_State *L) { /* DIR *, table */
  DIR *directory = lua_touserdata(L, 1);
  const struct dirent *entry;
  while ((entry = readdir(directory)) != NULL) {
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
  }
  return 0;
}

static int list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_newtable(L);
  lua_pushcfunction(L, add_names);
  DIR *directory = opendir(path);
  if (directory == NULL) {
    lua_pop(L, 1);
    return 1;
  }
  lua_pushlightuserdata(L, directory);
  lua_pushvalue(L, -3);
  int status = lua_pcall(L, 2, 0, 0);
  closedir(directory);
  return status == LUA_OK ? 1 : lua_error(L);
}

static bool is_socket(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

static int protect(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_pushboolean(L, is_socket(path) && chmod(path, 0600) == 0);
  return 1;
}

static int remove_socket(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lua_pushboolean(L, is_socket(path) && unlink(path) == 0);
  return 1;
}

static const luaL_Reg functions[] = {
  {"find", find},
  {"list", list},
  {"make", make},
  {"protect", protect},
  {"remove", remove_socket},
  {NULL, NULL},
};

void rundir_set_functions(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lua_pushinteger(L, (lua_Integer)geteuid());
  lua_setfield(L, -2, "uid");
}
