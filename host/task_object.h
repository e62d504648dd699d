/* task_object.h - what a script holds of a task: task:join(), :cancel(), .name
 *
 * It outlives the task, and keeps how it ended: its results or its error. A
 * task that nobody holds has none. */
#ifndef HOST_TASK_OBJECT_H
#define HOST_TASK_OBJECT_H

#include <lua.h>
#include <stdbool.h>

#include "host/task.h"

struct task_object;

enum { /* user values */
       TASK_OBJECT_RESULT = 1,
       TASK_OBJECT_SINK /* for the task's sink to keep something */
};

void task_object_open(lua_State *L); /* its class */
/* Pushes one that stands for no task yet. May raise. */
struct task_object *task_object_new(lua_State *L);
void task_object_bind(struct task_object *object, struct task *task);

/* For task.c, see struct task_sink. */
bool task_object_settle(lua_State *L, struct task *task, enum task_end end);
void task_object_end(struct task *task, enum task_end end);
void task_object_forget(struct task *task);

#endif
