/* copy.h - fs.copy: a file or a tree, for the list in names.c. */
#ifndef MODULES_FS_COPY_H
#define MODULES_FS_COPY_H

#include <lua.h>

int fs_copy(lua_State *L); /* from, to [, options] [, callback] -> true */

#endif
