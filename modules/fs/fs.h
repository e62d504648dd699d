/* fs.h - the parts of `neap.fs`, and what they share. Each part adds its
 * functions to the module's table, which lies on top of L. */
#ifndef MODULES_FS_FS_H
#define MODULES_FS_FS_H

#include <lua.h>
#include <stddef.h>

void fs_open_contents(lua_State *L); /* read, write, open */
void fs_open_names(lua_State *L);    /* stat, list, copy, ... */
void fs_open_watch(lua_State *L);    /* watch */

/* A path may hold every byte but zero. `size` may be NULL. */
const char *fs_check_path(lua_State *L, int index, size_t *size);
/* nil, "read conf.lua: no such file or directory", "ENOENT": the path lies at
 * this index. Returns 3. */
int fs_error(lua_State *L, int status, const char *what, int path);

#endif
