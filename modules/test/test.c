/* test.c - module `neap.test`: what specs use.
 *
 * Each feature is a Lua file of its name, and what it needs of the machine a
 * list of C functions here; test.lua puts them together. Nothing of it is in
 * effect before a spec asks, and all of it ends with its spec. */
#include "modules/test/test.h"

#include <lauxlib.h>

#include "host/embedded.h"
#include "modules/modules.h"

/* load(name) -> what stands in the file modules/test/NAME.lua, a function */
static int load_feature(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_pushfstring(L, "modules/test/%s.lua", name);
  embedded_load(L, lua_tostring(L, -1));
  return 1;
}

static const luaL_Reg functions[] = {
  {"load", load_feature},
  {NULL, NULL},
};

/* One line for each feature that has C functions. */
static const luaL_Reg *const features[] = {
  functions,  test_capture, test_clock, test_files,
  test_leaks, test_shuffle, test_spawn,
};

int open_test(lua_State *L) {
  test_capture_open(L);
  test_spawn_open(L);
  embedded_load(L, "modules/test/test.lua");
  lua_newtable(L);
  for (size_t i = 0; i < sizeof features / sizeof *features; i++)
    luaL_setfuncs(L, features[i], 0);
  lua_call(L, 1, 1);
  return 1;
}
