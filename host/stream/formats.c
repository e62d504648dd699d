/* formats.c - io.read's formats, from Lua and back to it. */
#include "host/stream/formats.h"

#include <lauxlib.h>

int formats_last(lua_State *L) {
  int last = 1, top = lua_gettop(L);
  while (last < top && (lua_type(L, last + 1) == LUA_TNUMBER ||
                        lua_type(L, last + 1) == LUA_TSTRING))
    last++;
  return last;
}

static struct format check_format(lua_State *L, int index) {
  static const struct {
    char letter;
    enum format_kind kind;
  } kinds[] = {{'l', FORMAT_LINE},
               {'L', FORMAT_LINE_KEPT},
               {'a', FORMAT_ALL},
               {'n', FORMAT_NUMBER}};
  if (lua_type(L, index) == LUA_TNUMBER) {
    lua_Integer count = luaL_checkinteger(L, index);
    luaL_argcheck(L, count >= 0 && count <= UINT32_MAX, index,
                  "count out of range");
    return (struct format){FORMAT_COUNT, (uint32_t)count};
  }
  const char *text = luaL_checkstring(L, index);
  if (*text == '*') text++; /* as io.read does, for old scripts */
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (*text == kinds[i].letter) return (struct format){kinds[i].kind, 0};
  luaL_argerror(L, index, "invalid format");
  return (struct format){FORMAT_SOME, 0};
}

struct want formats_check(lua_State *L, int last) {
  struct want want = {1, {{FORMAT_SOME, 0}}, false};
  luaL_argcheck(L, last - 1 <= FORMATS_MOST, 2 + FORMATS_MOST,
                "more than four formats in one read");
  for (int i = 2; i <= last; i++) want.formats[i - 2] = check_format(L, i);
  if (last > 1) want.count = last - 1;
  return want;
}

bool formats_push(lua_State *L, const char *bytes, const struct format *format,
                  const struct span *span) {
  if (!span->found) {
    lua_pushnil(L);
    return false;
  }
  lua_pushlstring(L, bytes + span->start, span->size);
  if (format->kind != FORMAT_NUMBER) return true;
  if (lua_stringtonumber(L, lua_tostring(L, -1)) == 0) lua_pushnil(L);
  lua_remove(L, -2);
  return !lua_isnil(L, -1);
}
