/* objects.h - neap.compress.encoder and neap.compress.decoder: boxes of one. */
#ifndef MODULES_COMPRESS_OBJECTS_H
#define MODULES_COMPRESS_OBJECTS_H

#include <lua.h>
#include <stdbool.h>

#include "modules/compress/coder.h"

/* Pushes the box of a new coder. Raises without memory. */
struct coder *objects_push(lua_State *L, enum coding coding, bool encodes);
void objects_open_classes(lua_State *L);

#endif
