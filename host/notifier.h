/* notifier.h - what watch.lua and others who watch files are made of: a handle
 * that tells of names in directories, read by one task. */
#ifndef HOST_NOTIFIER_H
#define HOST_NOTIFIER_H

#include <lua.h>

struct notifier;

/* Pushes a table: `notifier`, `lookups`, `stats`, `now`. */
void notifier_push_core(lua_State *L);
/* Pushes the function `open` that watch.lua makes of it. For the root realm. */
void notifier_push_watch(lua_State *L);

/* The one at this index, which is in use until it is left. */
struct notifier *notifier_use(lua_State *L, int index);
void notifier_leave(struct notifier *notifier);
/* Whoever reads goes on, as if it had been told of something. */
void notifier_poke(struct notifier *notifier);

#endif
