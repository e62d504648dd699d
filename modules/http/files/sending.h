/* sending.h - an open file goes to its client: from the one descriptor to the
 * other, and through no memory of ours. */
#ifndef HTTP_FILES_SENDING_H
#define HTTP_FILES_SENDING_H

#include <lua.h>

/* (request, content): what is to be sent of it, and nothing else, after what has
 * been written. Returns nothing when all of it is the system's, or when the client
 * has left; raises where the file fails. Waits, and is to be called with a
 * continuation. */
int sending_run(lua_State *L);

#endif
