/* urls.c - paths of requests, and the texts that are made for answers. */
#include <lauxlib.h>
#include <stdint.h>
#include <uv.h>

#include "host/host.h"
#include "modules/http/files/files.h"
#include "modules/http/values/dates.h"
#include "modules/http/values/percent.h"

/* name, slash, hidden; or nil where it names no file that could be there. */
int files_path(lua_State *L) {
  size_t size;
  struct path_name name;
  luaL_Buffer buffer;
  const char *path = luaL_checklstring(L, 1, &size);
  char *to = luaL_buffinitsize(L, &buffer, size + 1);
  enum path_fault fault = path_normalize(to, path, size, &name);
  if (fault != PATH_OK) {
    lua_pushnil(L);
    lua_pushstring(L, fault == PATH_MALFORMED ? "malformed" : "outside");
    return 2;
  }
  luaL_pushresultsize(&buffer, name.size);
  lua_pushboolean(L, name.is_directory);
  lua_pushboolean(L, name.is_hidden);
  return 3;
}

int files_encode(lua_State *L) {
  size_t size;
  luaL_Buffer buffer;
  const char *text = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, size <= SIZE_MAX / 4, 1, "too long");
  char *to = luaL_buffinitsize(L, &buffer, 3 * size);
  luaL_pushresultsize(&buffer, percent_encode(to, text, size));
  return 1;
}

/* RFC 9110, 8.8.2.1: never later than now, whatever a file says. */
int files_date(lua_State *L) {
  char text[DATES_SIZE];
  int64_t date = luaL_checkinteger(L, 1);
  int64_t now = (int64_t)clock_wall(&host_of(L)->clock);
  dates_format(date < now ? date : now, text);
  lua_pushstring(L, text);
  return 1;
}

/* What lies between parts must not be guessed by who has written them. */
int files_random(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[12];
  char text[2 * sizeof bytes];
  int status = uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL);
  if (status < 0)
    return luaL_error(L, "no random bytes: %s", uv_strerror(status));
  for (size_t i = 0; i < sizeof bytes; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
  return 1;
}
