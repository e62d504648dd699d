/* chunk.h - loads a Lua file, and notes what it held.
 *
 * The notes of a generation know every file that was read for it, and those
 * that were looked for and not there: so it can be told later whether a
 * restart would be another program. In them: `files`, from the path to the
 * fingerprint or false; `modules`, from the path to the name that was asked
 * for; `native`, the same as files, of modules in C. */
#ifndef HOST_CHUNK_H
#define HOST_CHUNK_H

#include <lua.h>

/* As luaL_loadfile: pushes the chunk, or a message. `module`: what it is called
 * by scripts, or NULL. */
int chunk_load(lua_State *L, const char *path, const char *module);
/* Notes a file of any kind, as it is now. */
void chunk_note_file(lua_State *L, const char *path, const char *notes);

#endif
