/* contents.h - the functions of fs.c that deal with what is in files. */
#ifndef MODULES_FS_CONTENTS_H
#define MODULES_FS_CONTENTS_H

#include <lua.h>

int fs_read(lua_State *L); /* read.c */

#endif
