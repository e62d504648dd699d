/* temp.h - fs.tempfile and fs.tempdir: what goes with who has made it. */
#ifndef MODULES_FS_TEMP_H
#define MODULES_FS_TEMP_H

#include <lua.h>

int fs_tempdir(lua_State *L);  /* [options] [, callback] -> directory */
int fs_tempfile(lua_State *L); /* the same -> file */
void temp_open_class(lua_State *L);

#endif
