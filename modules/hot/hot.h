/* hot.h - module `neap.hot`: the program is replaced while it runs.
 *
 * Requests to reload come from scripts, signals, the control socket and from
 * watching files. They are served one after the other by one task of the root
 * generation, in reload.lua; those that come meanwhile are served by one more
 * reload. What all generations share is a table, see hot_push_shared. */
#ifndef HOT_HOT_H
#define HOT_HOT_H

#include <lauxlib.h>

struct host;

/* SIGHUP, between tasks: a reload, whose outcome goes to stderr. */
void hot_hang_up(struct host *host);
/* The root loads the program, and again whenever one of its files changes. */
int hot_watch(struct host *host);
/* In a task of the root generation: pushes the module reload.lua, a table. */
void hot_push_reload(lua_State *L);

/* Pushes what all generations share: a table. */
int hot_push_shared(lua_State *L);

/* news.c: hot.wait, and what wakes it */
int hot_wait(lua_State *L);
int hot_tell_live(lua_State *L);

/* reload.lua's half of the machine */
extern const luaL_Reg hot_transaction[];

#endif
