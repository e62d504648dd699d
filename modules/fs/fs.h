/* fs.h - the parts of `neap.fs`. Each adds its functions to the module's table,
 * which lies on top of L. */
#ifndef MODULES_FS_FS_H
#define MODULES_FS_FS_H

#include <lua.h>

void fs_open_contents(lua_State *L); /* read, write, open */
void fs_open_names(lua_State *L);    /* stat, list, copy, ... */
void fs_open_watch(lua_State *L);    /* watch */

#endif
