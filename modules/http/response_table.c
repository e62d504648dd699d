/* response_table.c - the forms of an answer become one.
 *
 * The table is marked by its metatable: what has been through here once is not
 * looked at again, until it is sent. There are two marks, as a script may keep
 * what http.response gave it, and return it each time: what middleware gets is
 * another table, of this one request, and it may write its cookies there. */
#include "modules/http/response_table.h"

#include <lauxlib.h>

#include "modules/http/headers.h"
#include "modules/http/response.h"

static const char made = 0, given = 0; /* addresses: keys of the metatables */

static bool is_marked(lua_State *L, int index, const char *mark) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, mark);
  bool is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is;
}

/* Names that differ in case only would be one line, and one value lost. */
static void add_header(lua_State *L, int handler, int headers) {
  size_t size; /* ... name, value */
  if (lua_type(L, -2) != LUA_TSTRING)
    response_refuse(L, handler,
                    lua_pushfstring(L, "a header with a name that is a %s",
                                    luaL_typename(L, -2)));
  const char *name = lua_tolstring(L, -2, &size);
  headers_push_lower(L, name, size);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, headers) != LUA_TNIL)
    response_refuse(L, handler,
                    lua_pushfstring(L, "the header '%s' twice", name));
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, headers);
}

static void push_headers(lua_State *L, int handler, int index) {
  lua_newtable(L);
  if (index == 0) return;
  int headers = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    add_header(L, handler, headers);
    lua_pop(L, 1);
  }
}

static void set_field(lua_State *L, const char *name, int index) {
  if (index == 0) return;
  lua_pushvalue(L, index);
  lua_setfield(L, -2, name);
}

/* The results begin at `first`, the handler lies before them. */
static int make(lua_State *L, int first, const char *mark) {
  luaL_checkstack(L, LUA_MINSTACK, "too many results");
  struct response response = response_read(L, first - 1, first);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, response.status);
  lua_setfield(L, -2, "status");
  push_headers(L, first - 1, response.headers);
  lua_setfield(L, -2, "headers");
  set_field(L, "body", response.body);
  set_field(L, "trailers", response.trailers);
  set_field(L, "after", response.after);
  lua_rawgetp(L, LUA_REGISTRYINDEX, mark);
  lua_setmetatable(L, -2);
  return 1;
}

int response_table(lua_State *L) { /* nil, results */
  bool is_one =
    lua_gettop(L) == 2 && (is_marked(L, 2, &made) || is_marked(L, 2, &given));
  return is_one ? 1 : make(L, 2, &made);
}

int response_table_of(lua_State *L) { /* request, handler, results */
  bool is_one = lua_gettop(L) == 3 && is_marked(L, 3, &given);
  return is_one ? 1 : make(L, 3, &given);
}

int response_typed(lua_State *L) { /* type, results */
  make(L, 2, &made);
  lua_getfield(L, -1, "headers");
  if (lua_getfield(L, -1, "content-type") == LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_setfield(L, -3, "content-type");
  }
  lua_pop(L, 2);
  return 1;
}

/* All realms share them. */
static void open_mark(lua_State *L, const char *mark) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, mark) == LUA_TNIL) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, mark);
  }
  lua_pop(L, 1);
}

void response_table_open_class(lua_State *L) {
  open_mark(L, &made);
  open_mark(L, &given);
}
