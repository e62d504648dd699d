/* arguments.h - what the functions about names take: modes, times ... */
#ifndef MODULES_FS_ARGUMENTS_H
#define MODULES_FS_ARGUMENTS_H

#include <lua.h>
#include <sys/types.h>
#include <time.h>

/* All raise for what they cannot take. */

mode_t check_mode(lua_State *L, int index);          /* permission bits */
unsigned check_id(lua_State *L, int index);          /* of a user; -1: none */
struct timespec check_time(lua_State *L, int index); /* seconds since 1970 */
int check_access(lua_State *L, int index); /* "r", "w", "x": R_OK ... */

#endif
