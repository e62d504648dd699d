/* loaded.h - which files the program that runs was made of. */
#ifndef HTTP_LOADED_H
#define HTTP_LOADED_H

#include <lua.h>

/* is_as_loaded(path, text): whether the version that runs has read this text at
 * that path; nil: it has not read that path at all. */
int http_is_as_loaded(lua_State *L);

#endif
