/* formats.h - what the arguments of a read ask for, and the values it gives. */
#ifndef HOST_STREAM_FORMATS_H
#define HOST_STREAM_FORMATS_H

#include <lua.h>

#include "host/stream/inbox.h"

/* The formats lie from index 2 on: the index of the last one; 1: there is none. */
int formats_last(lua_State *L);
struct want formats_check(lua_State *L, int last);
/* Pushes what lies there. False: nil. */
bool formats_push(lua_State *L, const char *bytes, const struct format *format,
                  const struct span *span);

#endif
