/* core.h - what the Lua of `neap test` needs of the machine. Internal to it:
 * each function adds its own to the table on top of L. */
#ifndef CLI_TEST_CORE_H
#define CLI_TEST_CORE_H

#include <lua.h>

/* Pushes the table, with all of it. May raise. */
void test_push_core(lua_State *L);

void test_add_limit(lua_State *L);
void test_add_coverage(lua_State *L);

#endif
