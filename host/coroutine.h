/* coroutine.h - coroutines that a script makes, and that may wait.
 *
 * A wait inside such a coroutine belongs to the task around it: the mark that
 * wait.c yields is passed on, from resume to resume, down to the task; when
 * the task goes on, so do they all. The script sees none of it. */
#ifndef HOST_COROUTINE_H
#define HOST_COROUTINE_H

#include <lua.h>

/* Replaces what needs it of the library `coroutine`, in this realm. */
void coroutine_open(lua_State *L);

#endif
