/* place.h - where the handler is that runs now. */
#ifndef HTTP_APP_PLACE_H
#define HTTP_APP_PLACE_H

#include <lua.h>

/* () -> " (in the handler app.lua:12)", or "": for errors of a function that was
 * called as `return http.json(...)`. That leaves nothing of its caller's frame,
 * so nothing else tells where it was. */
int http_place(lua_State *L);

#endif
