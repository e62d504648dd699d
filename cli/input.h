/* input.h - reads standard input line by line while the loop turns.
 *
 * libuv only says when there is something to read; the bytes are read one by
 * one, as a shell does: so what follows the line is left for io.read and for
 * the programs that a script starts. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <lua.h>

/* Pushes two functions, for cli/repl.lua:
 * open() -> an object whose wait() ends when there is something to read, or
 *   with wake(); nil where reading does not wait: a file.
 * read() -> what is there, up to the end of the line; "" at the end of all. */
void input_push(lua_State *L);

#endif
