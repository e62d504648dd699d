/* blocking.h - which C function has held the loop, and what to use instead.
 *
 * Asked only after a task has held it for too long (signals.c): nothing is
 * slower while all is well. A function in C cannot be interrupted, but the hook
 * that was set meanwhile is called as soon as it returns. */
#ifndef HOST_BLOCKING_H
#define HOST_BLOCKING_H

#include <lua.h>
#include <stdbool.h>

enum { BLOCKING_NAME = 80 };

struct blocking {
  char name[BLOCKING_NAME]; /* "os.execute", "file:read" */
  const char *instead;      /* or NULL: nothing is known */
};

/* In the signal handler: the task that runs now is late. */
void blocking_mark(void);
/* In the hook that follows: true if it comes from a function in C that has been
 * in there since, and not from one that happened to run just then. */
bool blocking_find(lua_State *L, lua_Debug *ar, struct blocking *found);

#endif
