/* run.h - runs tasks, each inside a protected call.
 *
 * A task that has not begun needs no coroutine of its own where the one before
 * it has just returned: it begins in that one, without a way back through the
 * loop. Nothing else differs: it is between two tasks all the same. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include <lua.h>
#include <stdbool.h>

struct host;

/* Runs the tasks that are ready now. What they make ready waits for the next
 * time, so tasks that keep waking each other cannot starve the sockets. */
void run_ready(struct host *host);
/* For task.c: what each coroutine begins with. */
void run_push_body(lua_State *co);
bool run_is_to_begin(lua_State *co); /* a task that has not, lies on it */
/* In the body of a task that C has begun: pops a value, which is kept until the
 * task has been settled. (After an error its stack is no more.) */
void run_keep(lua_State *L);

#endif
