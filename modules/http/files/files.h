/* files.h - what http.file and http.static, which are Lua, need of the machine:
 * functions of `core`, see http.c. */
#ifndef HTTP_FILES_FILES_H
#define HTTP_FILES_FILES_H

#include <lua.h>

/* The name of the waits for a disk, which end by themselves, and soon. */
extern const char files_waits[];

int files_open(lua_State *L);   /* (root, name, how) -> see open.c */
int files_list(lua_State *L);   /* (root, name, ...) -> see directory.c */
int files_judge(lua_State *L);  /* (request, etag, modified, size) -> judge.c */
int files_path(lua_State *L);   /* (path) -> name, slash, hidden | nil, fault */
int files_encode(lua_State *L); /* (text) -> percent-encoded */
int files_date(lua_State *L);   /* (modified) -> last-modified */
int files_random(lua_State *L); /* () -> 24 digits that nobody guesses */

#endif
