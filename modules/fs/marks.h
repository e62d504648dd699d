/* marks.h - what the system says of files, as numbers to be compared: so a
 * great many can be remembered. Internal to fs.watch. */
#ifndef MODULES_FS_MARKS_H
#define MODULES_FS_MARKS_H

#include <lua.h>

/* A mark is another one when the file is another one, or another text. Bit 0:
 * it is a directory; bit 1: it has just been written, so it may change again
 * and have the same mark; the others mean nothing. 0: it cannot be known. */

/* marks_of(paths [, callback]) -> for each its mark, or false: it is not there.
 * Of a link it is that of the link. */
int marks_of(lua_State *L);
/* The same, but links are followed. */
int marks_followed(lua_State *L);
/* marks_in(paths [, callback]) -> for each directory a list {code, name, mark,
 * name, mark ...}; code: false, or why it could not be listed. */
int marks_in(lua_State *L);

#endif
