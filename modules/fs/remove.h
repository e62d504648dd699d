/* remove.h - fs.remove: a file or a tree, for the list in names.c. */
#ifndef MODULES_FS_REMOVE_H
#define MODULES_FS_REMOVE_H

#include <lua.h>

int fs_remove(lua_State *L); /* path [, options] [, callback] -> true */

#endif
