/* lookup.h - what the system looks up on the way to a file, and what it says of
 * the file: two questions about paths, for those who watch them. */
#ifndef HOST_LOOKUP_H
#define HOST_LOOKUP_H

#include <lua.h>
#include <stdbool.h>
#include <time.h>

/* lookups(paths [, callback]) -> for each a list {directory, name, what,
 * directory, ...}: every name that is looked up on the way, up to the file or
 * the first name that is not there; `what` is "directory", or "" for all that
 * may be a file now or soon: links, too. False for "/" and "." alone. */
int lookup_steps(lua_State *L);
/* stats(paths [, callback]) -> for each a text that differs when the file may
 * have changed, or false where there is none. */
int lookup_stats(lua_State *L);

/* Whatever happens next may have the same time. */
bool lookup_is_recent(const struct timespec *time);

#endif
