/* headers.c - one header without a table, or all of them in one. */
#include "modules/http/headers.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "modules/http/head.h"
#include "modules/http/request.h"

static const char class_name[] = "neap.http.headers";

/* ---- one ----------------------------------------------------------------- */

/* RFC 9110, section 5.3, and RFC 6265, section 5.4, for cookies. */
static const char *separator(const char *name, size_t size) {
  return size == 6 && strncasecmp(name, "cookie", 6) == 0 ? "; " : ", ";
}

/* The index of the next value of that name, from piece `index` on, or 0. */
static unsigned find(const struct request *request, const char *name,
                     size_t name_size, unsigned index) {
  for (; index + 1 < request->count; index += 2) {
    size_t size;
    const char *text = request_piece(request, index, &size);
    if (size == name_size && strncasecmp(text, name, size) == 0)
      return index + 1;
  }
  return 0;
}

bool headers_push_one(lua_State *L, const struct request *request,
                      const char *name, size_t size) {
  unsigned at = find(request, name, size, 1);
  if (at == 0) return false;
  request_push_piece(L, request, at);
  while ((at = find(request, name, size, at + 1)) != 0) {
    lua_pushstring(L, separator(name, size));
    request_push_piece(L, request, at);
    lua_concat(L, 3);
  }
  return true;
}

int headers_get(lua_State *L) {
  const struct request *request = request_check(L);
  size_t size;
  const char *name = luaL_checklstring(L, 2, &size);
  if (!headers_push_one(L, request, name, size)) lua_pushnil(L);
  return 1;
}

int headers_list(lua_State *L) {
  const struct request *request = request_check(L);
  size_t size;
  const char *name = luaL_checklstring(L, 2, &size);
  lua_Integer count = 0;
  lua_newtable(L);
  for (unsigned at = 0; (at = find(request, name, size, at + 1)) != 0;) {
    request_push_piece(L, request, at);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* ---- all ----------------------------------------------------------------- */

void headers_push_lower(lua_State *L, const char *text, size_t size) {
  luaL_Buffer buffer;
  char *lower = luaL_buffinitsize(L, &buffer, size);
  for (size_t i = 0; i < size; i++)
    lower[i] =
      (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i]);
  luaL_pushresultsize(&buffer, size);
}

struct text {
  const char *bytes;
  size_t size;
};

/* To the table on top. */
static void add(lua_State *L, struct text name, struct text value) {
  headers_push_lower(L, name.bytes, name.size);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushlstring(L, value.bytes, value.size);
  } else {
    lua_pushstring(L, separator(name.bytes, name.size));
    lua_pushlstring(L, value.bytes, value.size);
    lua_concat(L, 3);
  }
  lua_rawset(L, -3);
}

static void set_class(lua_State *L) {
  luaL_setmetatable(L, class_name);
}

void headers_new(lua_State *L, int count) {
  lua_createtable(L, 0, count);
  set_class(L);
}

void headers_add(lua_State *L, const char *name, size_t name_size,
                 const char *value, size_t value_size) {
  add(L, (struct text){name, name_size}, (struct text){value, value_size});
}

void headers_push(lua_State *L, const struct request *request) {
  lua_createtable(L, 0, (int)request->count / 2);
  for (unsigned i = 1; i + 1 < request->count; i += 2) {
    struct text name, value;
    name.bytes = request_piece(request, i, &name.size);
    value.bytes = request_piece(request, i + 1, &value.size);
    add(L, name, value);
  }
  set_class(L);
}

void headers_push_from(lua_State *L, const struct head *head, unsigned first) {
  lua_newtable(L);
  for (unsigned i = first; i + 1 < head->count; i += 2) {
    struct text name, value;
    name.bytes = head_piece(head, i, &name.size);
    value.bytes = head_piece(head, i + 1, &value.size);
    add(L, name, value);
  }
  set_class(L);
}

/* Names are lower-case there: this one is spelled otherwise, or missing. */
static int index_headers(lua_State *L) {
  size_t size;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *name = lua_tolstring(L, 2, &size);
  headers_push_lower(L, name, size);
  lua_rawget(L, 1);
  return 1;
}

void headers_open_class(lua_State *L) {
  luaL_newmetatable(L, class_name);
  lua_pushcfunction(L, index_headers);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
