/* mounting.c - what is mounted sees of a path what follows its prefix.
 *
 * The path that the client has sent stays where it is: only the place where it
 * begins moves. What a script has put in its place, or in that of the base, is
 * another string within. Whatever happens there, whoever stands outside finds
 * base and path as they were. */
#include "modules/http/app/mounting.h"

#include <lauxlib.h>

#include "modules/http/request.h"

static const char class_name[] = "neap.http.mounting";

struct mounting { /* what it was before; and as user values: */
  uint32_t base, route;
};

enum { VALUE_REQUEST = 1, VALUE_PATH, VALUE_BASE, VALUES = VALUE_BASE };

static int undo(lua_State *L) { /* mounting, error */
  const struct mounting *before = lua_touserdata(L, 1);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, VALUE_BASE);
  lua_getiuservalue(L, 1, VALUE_PATH);
  lua_getiuservalue(L, 1, VALUE_REQUEST);
  struct request *request = lua_touserdata(L, -1);
  request->base = before->base;
  request->route = before->route;
  lua_replace(L, 1);
  if (!request->has_own) return 0;
  request_keep(L, "path");
  request_keep(L, "base");
  return 0;
}

static void push_guard(lua_State *L, const struct request *request, int kept) {
  struct mounting *before = lua_newuserdatauv(L, sizeof *before, VALUES);
  *before = (struct mounting){request->base, request->route};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, VALUE_REQUEST);
  lua_pushvalue(L, kept);
  lua_setiuservalue(L, -2, VALUE_PATH);
  if (request_push_kept(L, "base")) lua_setiuservalue(L, -2, VALUE_BASE);
  luaL_setmetatable(L, class_name);
  lua_toclose(L, -1);
}

/* Where all is as the client has sent it nothing is kept. */
static void set_base(lua_State *L, const struct request *request, int kept,
                     const char *path, size_t rest) {
  size_t size;
  bool has_base = request_push_kept(L, "base");
  if (!has_base && lua_isnil(L, kept)) return;
  if (!has_base)
    lua_pushlstring(L, request_path(request, &size), request->base);
  lua_pushlstring(L, path, rest);
  lua_concat(L, 2);
  request_keep(L, "base");
}

void mounting_begin(lua_State *L, struct request *request, int kept,
                    const char *path, size_t rest) {
  size_t size;
  push_guard(L, request, kept);
  set_base(L, request, kept, path, rest);
  lua_getiuservalue(L, 1, REQUEST_ROUTE);
  request->route = (uint32_t)lua_rawlen(L, -1);
  lua_pop(L, 1);
  if (lua_isnil(L, kept)) {
    request_path(request, &size);
    request->base += (uint32_t)rest;
    if (request->base > size) request->base = (uint32_t)size; /* of "" */
  } else {
    lua_pushvalue(L, kept);
    path = lua_tolstring(L, -1, &size);
    if (rest > size) rest = size;
    lua_pushlstring(L, path + rest, size - rest);
    request_keep(L, "path");
    lua_pop(L, 1);
  }
}

void mounting_open_class(lua_State *L) {
  if (luaL_newmetatable(L, class_name)) {
    lua_pushcfunction(L, undo);
    lua_setfield(L, -2, "__close");
  }
  lua_pop(L, 1);
}
