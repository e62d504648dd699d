/* modules.h - the one list of what Lua can require from the program. */
#ifndef MODULES_MODULES_H
#define MODULES_MODULES_H

#include <lua.h>

/* Fills a fresh realm: the modules, and what of Lua is ours. */
int modules_open(lua_State *L);

int open_neap(lua_State *L);
int open_crypto(lua_State *L);
int open_fs(lua_State *L);
int open_hot(lua_State *L);
int open_http(lua_State *L);
int open_http_middleware(lua_State *L);
int open_json(lua_State *L);
int open_net(lua_State *L);
int open_process(lua_State *L);
int open_signal(lua_State *L);
int open_test(lua_State *L);
int open_timer(lua_State *L);

#endif
