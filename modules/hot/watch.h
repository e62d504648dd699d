/* watch.h - tells when files have changed. Internal to neap.hot. */
#ifndef MODULES_HOT_WATCH_H
#define MODULES_HOT_WATCH_H

#include <lua.h>

/* Pushes a table with what watch.lua needs: `notifier`, `lookups`, `stats`,
 * `now`. */
void hot_push_watch_core(lua_State *L);
/* Pushes the function `open` that watch.lua makes of it. For the root realm. */
void hot_push_watch(lua_State *L);

#endif
