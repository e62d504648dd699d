/* process.h - the parts of module `neap.process`. */
#ifndef MODULES_PROCESS_H
#define MODULES_PROCESS_H

#include <lua.h>

void process_push_env(lua_State *L); /* env.c */
int process_run(lua_State *L);       /* run.c */
void process_open_run(lua_State *L);
int process_spawn(lua_State *L); /* spawn.c */
void process_open_spawn(lua_State *L);

#endif
