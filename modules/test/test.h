/* test.h - the C functions of each feature of `neap.test`.
 * The Lua file of the feature finds them, by these names, in `core`. */
#ifndef MODULES_TEST_TEST_H
#define MODULES_TEST_TEST_H

#include <lauxlib.h>

extern const luaL_Reg test_capture[];
extern const luaL_Reg test_clock[];
extern const luaL_Reg test_files[];
extern const luaL_Reg test_leaks[];
extern const luaL_Reg test_shuffle[];
extern const luaL_Reg test_spawn[];

void test_capture_open(lua_State *L); /* their classes */
void test_spawn_open(lua_State *L);

#endif
