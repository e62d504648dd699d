/* content.h - an open file as a body: userdata with chunks(), that is read in
 * pieces, by the thread pool. */
#ifndef HTTP_FILES_CONTENT_H
#define HTTP_FILES_CONTENT_H

#include <lua.h>
#include <stdint.h>

/* Pushes one of so many bytes. The descriptor is its own then; where this
 * raises, it still is the caller's. */
void content_push(lua_State *L, int fd, uint64_t size);
void content_open_class(lua_State *L);

#endif
