/* interrupt.h - Ctrl-C, while lines are typed: it ends a line, not the program.
 *
 * A line that waits is cancelled by cli/repl.lua, which is told in a task; one
 * that computes is ended where it is. Pressed again, while nothing answers, it
 * ends whatever computes. */
#ifndef CLI_REPL_INTERRUPT_H
#define CLI_REPL_INTERRUPT_H

#include <lua.h>

int interrupt_take(lua_State *L); /* from now on */
/* Until it is pressed; once more may have come meanwhile. */
int interrupt_wait(lua_State *L);
int interrupt_line(lua_State *L); /* (id): the task of the line that runs */

#endif
