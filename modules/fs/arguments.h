/* arguments.h - what the functions about names take: modes, times ... */
#ifndef MODULES_FS_ARGUMENTS_H
#define MODULES_FS_ARGUMENTS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* All raise for what they cannot take. */

mode_t check_mode(lua_State *L, int index);          /* permission bits */
unsigned check_id(lua_State *L, int index);          /* of a user; -1: none */
struct timespec check_time(lua_State *L, int index); /* seconds since 1970 */
int check_access(lua_State *L, int index); /* "r", "w", "x": R_OK ... */

/* Of the table of options at an index, or nil. */
bool option_is(lua_State *L, int index, const char *name, bool otherwise);
mode_t option_mode(lua_State *L, int index, const char *name, mode_t otherwise);
/* Pushes it. */
const char *option_path(lua_State *L, int index, const char *name,
                        const char *otherwise);

#endif
