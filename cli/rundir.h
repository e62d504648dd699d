/* rundir.h - the directory in which running programs have their sockets.
 *
 * DIR is $XDG_RUNTIME_DIR/neap, or /run/user/UID/neap, or /run/neap: the first
 * that can be made. Whoever could put a socket into it could speak for our
 * programs: so it must be a real directory, ours, and nobody else's to use. */
#ifndef CLI_RUNDIR_H
#define CLI_RUNDIR_H

#include <lua.h>

/* Adds to the table on top of the stack:
 * make() -> the directory, made if need be | nil: there is none
 *   | nil, message: there is one that must not be used
 * find() -> a list of those in which programs of ours may be | nil, message
 * list(directory) -> the names in it
 * protect(path): a socket, for us alone
 * remove(path): a socket, and nothing else
 * uid: who we are */
void rundir_set_functions(lua_State *L);

#endif
