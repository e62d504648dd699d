/* task_list.h - what runs, what waits, for what, since when, and where. */
#ifndef HOST_TASK_LIST_H
#define HOST_TASK_LIST_H

#include <lua.h>
#include <stdio.h>

struct host;

/* `running`: the coroutine whose line is to be shown, or NULL. */
void task_list_print(struct host *host, FILE *file, lua_State *running);
/* Pushes a table of tables, oldest first. */
void task_list_push(lua_State *L);

#endif
