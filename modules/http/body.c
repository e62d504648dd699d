/* body.c - what scripts get of the body of a request: all of it, once and again,
 * or its pieces.
 *
 * It is read in one of these ways, by one task at a time. What was read whole is
 * kept in the request's own table. */
#include "modules/http/body.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "host/error.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/http/arrival.h"
#include "modules/http/client.h"
#include "modules/http/headers.h"
#include "modules/http/request.h"
#include "modules/http/server.h"
#include "modules/http/unpacking.h"
#include "modules/modules.h"

/* ---- reading: request, options ------------------------------------------- */

static int push_piece(lua_State *L, struct request *request) {
  size_t size;
  const char *piece = arrival_piece(request, &size);
  if (size == 0) {
    lua_pushnil(L);
  } else {
    lua_pushlstring(L, piece, size);
    arrival_take_piece(request);
  }
  return 1;
}

static const char body_key = 0; /* in the request's own table */

static bool push_kept(lua_State *L) {
  request_push_own(L);
  return lua_rawgetp(L, -1, &body_key) == LUA_TSTRING;
}

/* Who asks again gets the same string, also after the end of the request. */
static int push_whole(lua_State *L, struct body *body) {
  request_push_own(L);
  lua_pushlstring(L, body->bytes != NULL ? body->bytes : "", body->size);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, &body_key);
  free(body->bytes);
  body->bytes = NULL;
  body->size = body->capacity = 0;
  return 1;
}

/* (After its own time limit the body may be asked for again.) */
static int fail(lua_State *L, struct request *request, int status) {
  const struct unpacking *unpacking = request->body.unpacking;
  const char *why = unpacking != NULL ? unpacking_why(unpacking) : NULL;
  char code[32];
  if (status == UV_ETIMEDOUT) arrival_refuse(request, 408);
  if (why == NULL) return error_result(L, status, "request body");
  lua_pushnil(L);
  lua_pushfstring(L, "request body: %s: %s", coding_names[unpacking->coding],
                  why);
  lua_pushstring(L, uv_err_name_r(status, code, sizeof code));
  return 3;
}

static int finish(lua_State *L) {
  struct request *request = lua_touserdata(L, 1);
  struct body *body = &request->body;
  if (body->use == BODY_WHOLE && push_kept(L)) return 1;
  int status = body->status != 0 ? body->status : wait_status(L);
  if (request->client == NULL && status == 0 && !body->is_none)
    status = UV_ECANCELED;
  if (status != 0) return fail(L, request, status);
  if (request->client != NULL && request->client->refusal == 408)
    request->client->refusal = 0;
  if (body->use == BODY_WHOLE) return push_whole(L, body);
  if (!body->is_none) return push_piece(L, request);
  lua_pushnil(L);
  return 1;
}

/* In a loop nobody sees what an iterator gives beside nil: what was cut short
 * must not be taken for the whole. As io.lines does. */
static int finish_chunk(lua_State *L) {
  if (finish(L) == 1) return 1;
  lua_pop(L, 1); /* nil, message, code */
  return lua_error(L);
}

static const struct wait body_wait = {"request body", finish, NULL};
static const struct wait chunk_wait = {"request body", finish_chunk, NULL};

/* ---- as JSON ------------------------------------------------------------- */

/* The decoder of neap.json: one for all realms, as it keeps nothing of them. */
static void push_decoder(lua_State *L) {
  static const char decoder_key = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &decoder_key) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_pushcfunction(L, open_json);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "decode");
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &decoder_key);
}

/* What is no JSON is the client's fault, as a body that is too long is. */
static int finish_json(lua_State *L) {
  struct request *request = lua_touserdata(L, 1);
  int count = finish(L), before;
  if (lua_type(L, -count) != LUA_TSTRING) return count;
  before = lua_gettop(L);
  push_decoder(L);
  lua_pushvalue(L, before);
  lua_call(L, 1, LUA_MULTRET);
  count = lua_gettop(L) - before;
  if (count > 1) arrival_refuse(request, 400);
  return count;
}

static const struct wait json_wait = {"request body", finish_json, NULL};

/* ---- waiting for it ------------------------------------------------------ */

/* Who unpacks one piece after the other lets others have a turn between them. */
static int pass(lua_State *L, struct task *task, struct request *request) {
  struct body *body = &request->body;
  bool is_much = body->unpacking != NULL && body->unpacking->holds;
  return (is_much ? wait_turn : wait_pass)(L, task, &body->reader);
}

/* (It is in use only then: where nobody can wait this raises.) */
static int start(lua_State *L, struct request *request, enum body_use use,
                 const struct wait *wait, int callback, int64_t timeout) {
  struct body *body = &request->body;
  struct client *client = request->client;
  struct task *task = wait_begin(L, wait, callback);
  body->use = use;
  if (body->is_none) return wait_pass(L, task, NULL);
  if (client == NULL) {
    if (body->status == 0) body->status = UV_ECANCELED;
    return wait_fail(L, task, body->status);
  }
  if (client->intake.has_body && !client->intake.chunked &&
      client->intake.length > body->limit && body->status == 0)
    arrival_end(request, UV_EMSGSIZE, 413);
  arrival_advance(request);
  if (!arrival_is_enough(request))
    arrival_invite(client); /* may find that it left */
  if (arrival_is_enough(request)) return pass(L, task, request);
  arrival_expect(request);
  return wait_park(L, task, &body->reader, timeout);
}

/* ---- as functions -------------------------------------------------------- */

static const char wanted[] = "another task waits for this request's body";

static void check_free(lua_State *L, const struct request *request) {
  if (arrival_is_wanted(request)) luaL_error(L, "%s", wanted);
}

const char *body_obstacle(const struct request *request, enum body_use use) {
  enum body_use now = request->body.use;
  if (arrival_is_wanted(request)) return wanted;
  if (now == BODY_UNUSED || now == use) return NULL;
  return use == BODY_WHOLE ? "this body is read in pieces already, by chunks()"
                           : "this body has been read whole already, by body()";
}

/* That of the server, unless the script has set another one for this request:
 * req.max_body. */
static lua_Integer limit_of(lua_State *L, const struct request *request) {
  lua_Integer limit = 0;
  if (request->client != NULL && client_server(request->client) != NULL)
    limit = (lua_Integer)client_server(request->client)->limits.body_size;
  if (!request_push_kept(L, "max_body")) return limit;
  int is_integer;
  limit = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || limit < 0)
    luaL_error(L, "req.max_body is %s, no number of bytes",
               luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
  return limit;
}

static void begin(lua_State *L, struct request *request, enum body_use use,
                  int options) {
  const char *why = body_obstacle(request, use);
  if (why != NULL) luaL_error(L, "%s", why);
  request->body.limit = (uint64_t)option_integer(
    L, options, "limit", 0, LUA_MAXINTEGER, limit_of(L, request));
}

static int read_whole(lua_State *L, const struct wait *wait) {
  static const char *const options[] = {"limit", "timeout", NULL};
  struct request *request = request_check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  begin(L, request, BODY_WHOLE, 2);
  return start(L, request, BODY_WHOLE, wait, 3, timeout);
}

int body_read(lua_State *L) {
  return read_whole(L, &body_wait);
}

int body_read_json(lua_State *L) {
  return read_whole(L, &json_wait);
}

/* What `for` calls: request, and its own last value. */
static int next_piece(lua_State *L) {
  int64_t timeout = lua_tointeger(L, lua_upvalueindex(1));
  struct request *request = request_check(L);
  lua_settop(L, 1);
  check_free(L, request); /* there may be other iterators */
  return start(L, request, BODY_PIECES, &chunk_wait, 2, timeout);
}

int body_open_pieces(lua_State *L) {
  struct request *request = request_check(L);
  lua_Integer limit = luaL_optinteger(L, 2, -1);
  lua_settop(L, 1);
  if (limit < 0) limit = limit_of(L, request);
  request->body.limit = (uint64_t)limit;
  request->body.use = BODY_PIECES;
  return 0;
}

int body_piece(lua_State *L) {
  struct request *request = request_check(L);
  int64_t timeout = luaL_checkinteger(L, 2);
  lua_settop(L, 1);
  if (arrival_is_wanted(request)) {
    lua_pushstring(L, wanted);
    return lua_error(L);
  }
  return start(L, request, BODY_PIECES, &body_wait, 2, timeout);
}

int body_chunks(lua_State *L) {
  static const char *const options[] = {"limit", "timeout", NULL};
  struct request *request = request_check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  begin(L, request, BODY_PIECES, 2);
  request->body.use = BODY_PIECES;
  lua_pushinteger(L, timeout);
  lua_pushcclosure(L, next_piece, 1);
  lua_pushvalue(L, 1);
  return 2;
}

/* ---- for middleware ------------------------------------------------------ */

int body_is_as_sent(lua_State *L) {
  const struct body *body = &request_check(L)->body;
  lua_pushboolean(L, !body->is_none && body->unpacking == NULL);
  return 1;
}

int body_unpack(lua_State *L) {
  struct request *request = request_check(L);
  struct body *body = &request->body;
  enum coding coding = (enum coding)luaL_checkoption(L, 2, NULL, coding_names);
  const char *why =
    body_obstacle(request, body->use == BODY_WHOLE ? BODY_PIECES : BODY_WHOLE);
  if (why != NULL) return luaL_error(L, "%s", why);
  if (request->client == NULL || body->is_none) return 0;
  body->unpacking = unpacking_new(coding);
  if (body->unpacking == NULL) return luaL_error(L, "not enough memory");
  return 0;
}

void body_push_trailers(lua_State *L, const struct request *request) {
  const struct client *client = request->client;
  if (client == NULL || client->intake.state != INTAKE_END)
    lua_pushnil(L);
  else
    headers_push_from(L, client->intake.head, client->intake.head->trailers);
}
