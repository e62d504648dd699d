/* walk.h - fs.walk and fs.entries. */
#ifndef MODULES_FS_WALK_H
#define MODULES_FS_WALK_H

#include <lua.h>

int fs_walk(lua_State *L);    /* path [, options] [, callback] -> iterator */
int fs_entries(lua_State *L); /* the same */
void walk_open_class(lua_State *L);

#endif
