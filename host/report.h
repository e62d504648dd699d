/* report.h - what becomes of an error that ends a task.
 *
 * It is counted, and told with its traceback and where the task came from: to
 * the function given to neap.on_error, or else to stderr. A failing on_error
 * is told to stderr, with what it should have handled. */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include <lua.h>
#include <stdbool.h>

struct task;

int report_trace(lua_State *L); /* the message handler of every task */
/* In `settle` of a sink: pushes the traceback of the task's error, or nil. */
void report_push_trace(lua_State *L, const struct task *task);
/* Raises the error below the top in the task that has waited for it. On top is
 * the traceback of the task that has failed, or nil: a report shows it, too. */
int report_pass_on(lua_State *L);
/* Inside the task, the error on top of L. `taken`: somebody else has it. */
void report_failure(lua_State *L, struct task *task, bool taken);
/* In `settle` of a sink, the error on top of L: pushes what it says, with its
 * traceback, and where the task came from. */
void report_push_error(lua_State *L, const struct task *task);
/* "neap: ", and of later versions of the program also which one it is of. */
void report_begin(const struct task *task);
/* Outside, where Lua can say no more: straight to stderr. */
void report_broken(struct task *task, const char *message);

#endif
