/* temp.c - names for what is temporary: in the place that is asked for, and such
 * as nobody can guess. */
#include "modules/fs/temp.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/option.h"
#include "modules/fs/filecopy.h"

enum { TRIES = 100, PREFIX_MOST = 200 };

/* ---- arguments ----------------------------------------------------------- */

static const char *push_text(lua_State *L, const char *name,
                             const char *other) {
  size_t size;
  if (lua_isnil(L, 1)) return lua_pushstring(L, other);
  if (lua_getfield(L, 1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return lua_pushstring(L, other);
  }
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, 1,
                  lua_pushfstring(L, "%s must be a string, not %s", name,
                                  luaL_typename(L, -1)));
  const char *text = lua_tolstring(L, -1, &size);
  luaL_argcheck(L, strlen(text) == size, 1, "a path with a zero in it");
  return text;
}

static const char *push_directory(lua_State *L) {
  const char *usual = getenv("TMPDIR");
  if (usual == NULL || usual[0] == '\0') usual = "/tmp";
  const char *directory = push_text(L, "dir", usual);
  luaL_argcheck(L, directory[0] != '\0', 1, "dir is empty");
  return directory;
}

static const char *push_prefix(lua_State *L) {
  const char *prefix = push_text(L, "prefix", "neap-");
  luaL_argcheck(L, strchr(prefix, '/') == NULL, 1,
                "prefix is the beginning of a name, without '/'");
  luaL_argcheck(L, strlen(prefix) <= PREFIX_MOST, 1, "prefix is too long");
  return prefix;
}

void temp_arguments(lua_State *L, struct temp_place *place) {
  static const char *const options[] = {"dir", "prefix", NULL};
  option_arguments(L, 0, options);
  place->directory = push_directory(L);
  place->prefix = push_prefix(L);
  lua_remove(L, 1);
  lua_rotate(L, 1, -1);
}

size_t temp_place_size(const struct temp_place *place) {
  return strlen(place->directory) + strlen(place->prefix) + 2;
}

struct temp_place temp_place_copy(const struct temp_place *place,
                                  char *memory) {
  size_t size = strlen(place->directory) + 1;
  memcpy(memory, place->directory, size);
  memcpy(memory + size, place->prefix, strlen(place->prefix) + 1);
  return (struct temp_place){memory, memory + size};
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

/* Absolute, as the working directory may change. */
static char *new_path(const struct temp_place *place, const char *base) {
  char unique[UNIQUE_SIZE + 1];
  const char *directory = place->directory;
  size_t size = strlen(base) + strlen(directory) + strlen(place->prefix) +
                sizeof unique + 2;
  char *path = malloc(size);
  if (path == NULL || unique_name(unique) < 0) {
    free(path);
    return NULL;
  }
  const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";
  snprintf(path, size, "%s%s%s%s%s%s", base, base[0] == '\0' ? "" : "/",
           directory, slash, place->prefix, unique);
  return path;
}

static int make_in(const struct temp_place *place, const char *base,
                   int (*make)(const char *path), char **path) {
  int status = UV_EEXIST;
  for (int i = 0; i < TRIES && status == UV_EEXIST; i++) {
    *path = new_path(place, base);
    status = *path == NULL ? UV_ENOMEM : make(*path);
    if (status >= 0) return status;
    free(*path);
    *path = NULL;
  }
  return status;
}

int temp_make(const struct temp_place *place, int (*make)(const char *path),
              char **path) {
  if (place->directory[0] == '/') return make_in(place, "", make, path);
  char *base = getcwd(NULL, 0);
  if (base == NULL) return UV_ENOENT;
  int status = make_in(place, base, make, path);
  free(base);
  return status;
}
