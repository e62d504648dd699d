/* part_events.h - the multipart parser, for reader.lua. */
#ifndef HTTP_FORMS_PART_EVENTS_H
#define HTTP_FORMS_PART_EVENTS_H

#include <lauxlib.h>

/* parser(boundary, header_size, headers)
 * feed(parser, string): its bytes are next; nil: there are no more
 * event(parser) -> nothing: it wants more bytes
 *               -> "part", name, filename or nil, type or nil, headers
 *               -> "data", string
 *               -> "part end"   |   "end"
 *               -> "refused", why, status for the client or nil, code
 * content_type(text) -> "multipart", boundary or nil | "urlencoded" | nothing */
extern const luaL_Reg part_events_functions[];
void part_events_open_class(lua_State *L);

#endif
