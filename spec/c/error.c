/* error.c - what a failure is called, also where libuv has no name for it. */
#include "host/error.h"

#include <assert.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static void expect(lua_State *L, int status, const char *message,
                   const char *code) {
  assert(error_result(L, status, "write x") == 3);
  assert(lua_isnil(L, -3));
  assert(strcmp(lua_tostring(L, -2), message) == 0);
  assert(strcmp(lua_tostring(L, -1), code) == 0);
  lua_settop(L, 0);
}

int main(void) {
  lua_State *L = luaL_newstate();
  assert(L != NULL);
  expect(L, UV_ENOSPC, "write x: no space left on device", "ENOSPC");
  expect(L, UV_ETIMEDOUT, "write x: timed out", "ETIMEDOUT");
#ifdef EDQUOT
  expect(L, uv_translate_sys_error(EDQUOT), "write x: disk quota exceeded",
         "EDQUOT");
#endif
#ifdef ESTALE
  expect(L, uv_translate_sys_error(ESTALE), "write x: stale file handle",
         "ESTALE");
#endif
  lua_close(L);
  puts("error: ok");
  return 0;
}
