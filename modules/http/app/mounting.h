/* mounting.h - a request within what is mounted at a prefix. */
#ifndef HTTP_APP_MOUNTING_H
#define HTTP_APP_MOUNTING_H

#include <lua.h>
#include <stddef.h>

struct request;

/* From here on the path of the request at index 1 begins behind `rest` bytes of
 * it, and these end its base; pushes what undoes that when the function that
 * calls this is over, or fails. `kept`: the index of the path, where middleware
 * has given it one, or of nil. */
void mounting_begin(lua_State *L, struct request *request, int kept,
                    const char *path, size_t rest);
void mounting_open_class(lua_State *L);

#endif
