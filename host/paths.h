/* paths.h - where require looks for modules, beside the places of Lua's own.
 *
 * LuaRocks installs into ./lua_modules (a project's own) and ~/.luarocks (a
 * user's own). They come before the system's places. LUA_PATH and LUA_CPATH
 * replace all of them, as ever; their ";;" stands for all of them. */
#ifndef HOST_PATHS_H
#define HOST_PATHS_H

#include <lua.h>

void paths_open(lua_State *L); /* in a fresh realm */

#endif
