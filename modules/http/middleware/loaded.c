/* loaded.c - which files the program that runs was made of: lines of a file that
 * has changed since are not the lines that run. */
#include "modules/http/middleware/loaded.h"

#include <lauxlib.h>
#include <string.h>

#include "host/fingerprint.h"
#include "host/generation.h"

enum { AT_PATH = 1, AT_TEXT };

int http_is_as_loaded(lua_State *L) {
  size_t size;
  char now[FINGERPRINT_TEXT];
  luaL_checkstring(L, AT_PATH);
  const char *text = luaL_checklstring(L, AT_TEXT, &size);
  generation_push_notes(L, generation_here(L));
  if (lua_getfield(L, -1, "files") != LUA_TTABLE) return 0;
  lua_pushvalue(L, AT_PATH);
  const char *then =
    lua_rawget(L, -2) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  if (then == NULL) return 0;
  struct fingerprint print = fingerprint_bytes(text, size);
  fingerprint_format(&print, now);
  lua_pushboolean(L, strcmp(now, then) == 0);
  return 1;
}
