/* list.h - fs.list: a directory at once, for the list in names.c. */
#ifndef MODULES_FS_LIST_H
#define MODULES_FS_LIST_H

#include <lua.h>

int fs_list(lua_State *L); /* path [, callback] -> { { name=, kind= } ... } */

#endif
