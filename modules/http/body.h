/* body.h - the body of a request: read whole, or in pieces as it comes. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "modules/http/request.h"

struct client;

int body_read(lua_State *L);      /* request:body([options] [, callback]) */
int body_read_json(lua_State *L); /* request:json([options] [, callback]) */
int body_chunks(lua_State *L);    /* request:chunks([options]) */

/* ---- for middleware (core) ------------------------------------------------- */

/* (request) -> how long its body may be, where who reads it says nothing */
int body_limit(lua_State *L);
/* (request, string): it was read whole, and is this from now on, as if it had
 * come so: to be read again, in any way. */
int body_replace(lua_State *L);

/* ---- for others that read it for a script (forms) --------------------------- */

/* Why it cannot be read in this way, or NULL. */
const char *body_obstacle(const struct request *request, enum body_use use);
/* (request, limit or nil): it is read in pieces. */
int body_open_pieces(lua_State *L);
/* (request, milliseconds or -1) -> piece | nil | nil, message, code; waits */
int body_piece(lua_State *L);
/* It is the client's fault: if the handler fails, this is the answer. */
void body_refuse(struct request *request, int answer);

void body_push_trailers(lua_State *L, const struct request *request);

/* Who has announced a body may wait for this before it sends it. It cannot come
 * when the answer has begun. */
void body_invite(struct client *client);

/* Something has come, or nothing more will: true, a task is ready for it. */
bool body_pump(struct request *request);
bool body_is_wanted(const struct request *request); /* or NULL */
/* The connection has ended, or answers with this status: nothing more comes. */
void body_fail(struct request *request, int status);
void body_close(struct request *request); /* the request is over */
/* For timeouts.c: has somebody waited for it, and it has come too slowly? */
bool body_is_slow(const struct request *request, uint64_t now);

#endif
