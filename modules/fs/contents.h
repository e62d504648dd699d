/* contents.h - the functions of fs.c that deal with what is in files. */
#ifndef MODULES_FS_CONTENTS_H
#define MODULES_FS_CONTENTS_H

#include <lua.h>

int fs_read(lua_State *L);  /* read.c */
int fs_write(lua_State *L); /* write.c */
int fs_open(lua_State *L);  /* open.c */

#endif
