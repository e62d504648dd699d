/* contents.h - the functions of fs.c that deal with what is in files. */
#ifndef MODULES_FS_CONTENTS_H
#define MODULES_FS_CONTENTS_H

#include <lua.h>

int fs_read(lua_State *L);  /* read.c */
int fs_write(lua_State *L); /* write.c */
int fs_open(lua_State *L);  /* open.c */

/* At this index lies a string, or a list of them, which becomes one string: it
 * may hold thousands of small ones. Raises for anything else. */
void fs_check_data(lua_State *L, int index);

#endif
