/* editor.h - edits a line on the terminal while the loop turns.
 *
 * For cli/repl.lua. The library runs in a fiber that is left whenever it would
 * have to wait for a key, so tasks run between two keys; what they print goes
 * above the line, which is drawn again below it. */
#ifndef CLI_REPL_EDITOR_H
#define CLI_REPL_EDITOR_H

#include <lua.h>

/* () -> editor; or nil and why there is none.
 *
 * editor:begin(prompt)    a new line
 * editor:step()           takes the keys that are there; then one of
 *   "keys"                there are no more: wait for standard input
 *   "line", text          it has been entered
 *   "complete", text      up to the cursor: editor:answer(insert, list) first
 *   "interrupted"         by editor:interrupt()
 *   "end"                 Ctrl-D, or nobody is there any more
 * editor:interrupt()      as Ctrl-C; then call step()
 * editor:remember(text)   for the history
 * editor:columns()
 * editor:close()          the terminal is as it was before */
int editor_open(lua_State *L);

#endif
