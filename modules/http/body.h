/* body.h - the body of a request, as scripts read it: whole, or in pieces. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <lua.h>

#include "modules/http/request.h"

int body_read(lua_State *L);      /* request:body([options] [, callback]) */
int body_read_json(lua_State *L); /* request:json([options] [, callback]) */
int body_chunks(lua_State *L);    /* request:chunks([options]) */

/* ---- for middleware (core) ------------------------------------------------- */

/* (request) -> it has a body, and that is given as it was sent */
int body_is_as_sent(lua_State *L);
/* (request, encoding): it comes packed, and is unpacked while it is read. */
int body_unpack(lua_State *L);

/* ---- for others that read it for a script (forms) --------------------------- */

/* Why it cannot be read in this way, or NULL. */
const char *body_obstacle(const struct request *request, enum body_use use);
/* (request, limit or nil): it is read in pieces. */
int body_open_pieces(lua_State *L);
/* (request, milliseconds or -1) -> piece | nil | nil, message, code; waits */
int body_piece(lua_State *L);

void body_push_trailers(lua_State *L, const struct request *request);

#endif
