/* send.c - RFC 9112, section 7.1: chunks, or as many bytes as were announced.
 *
 * A body is a function that is called with `write` until it returns nil: what
 * it returns is sent, and so is what it writes. So a generator, a closure and a
 * function that pushes all work. Of an object with chunks() the iterator takes
 * the place of the function, and the object is closed at the end. */
#include "modules/http/send.h"

#include <lauxlib.h>

#include "host/cancel.h"
#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/http/bytes.h"
#include "modules/http/client.h"
#include "modules/http/files/content.h"
#include "modules/http/files/sending.h"
#include "modules/http/header_lines.h"
#include "modules/http/request.h"
#include "modules/http/response.h"

/* ---- write(data [, callback]) -------------------------------------------- */

static int write_finish(lua_State *L) { /* request, data */
  const struct request *request = lua_touserdata(L, 1);
  int status = wait_status(L);
  if (status == 0 && request->client == NULL) status = UV_ECANCELED;
  if (status == 0) status = request->client->stream.broken;
  if (status != 0) return error_result(L, status, "write response body");
  lua_pushboolean(L, 1);
  return 1;
}

static const struct wait write_wait = {"response body", write_finish, NULL};

static int put(struct request *request, const char *data, size_t size) {
  struct client *client = request->client;
  request->written += size;
  if (size == 0) return 0;
  if (!request->is_chunked) return client_put(client, data, size);
  char memory[BYTES_BEFORE + 24];
  struct bytes line;
  bytes_open(&line, NULL, 0, memory, sizeof memory);
  bytes_add_hex(&line, size);
  bytes_add_literal(&line, "\r\n");
  int status = client_put(client, memory + line.begin, line.end - line.begin);
  if (status == 0) status = client_put(client, data, size);
  if (status == 0) status = client_put(client, "\r\n", 2);
  return status;
}

/* It is the handler's own promise. */
static void check_length(lua_State *L, const struct request *request,
                         size_t more) {
  int64_t length = request->length;
  if (length >= 0 && request->written + more > (uint64_t)length)
    luaL_error(L, "the body is longer than its content-length, %I bytes",
               (LUAI_UACINT)length);
}

static int write_data(lua_State *L) { /* data, callback; request */
  struct request *request = lua_touserdata(L, lua_upvalueindex(1));
  size_t size;
  lua_settop(L, 2);
  check_strings(L, 1);
  const char *data = lua_tolstring(L, 1, &size);
  luaL_argcheck(L, size <= INT32_MAX, 1, "more than 2 GB in one write");
  check_length(L, request, size);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  struct task *task = wait_begin(L, &write_wait, 3);
  struct client *client = request->client;
  if (client == NULL || client->phase == PHASE_OVER)
    return wait_fail(L, task, UV_ECANCELED);
  if (stream_pending(&client->stream) > OUTBOX_MOST) {
    handle_close(&client->stream.handle);
    return wait_fail(L, task, UV_ENOBUFS);
  }
  int status = put(request, data, size);
  if (status < 0) return wait_fail(L, task, status);
  timeouts_arm(client); /* it may take nothing of what does not wait, either */
  if (stream_pending(&client->stream) <= OUTBOX_HIGH)
    return wait_pass(L, task, &request->writers);
  return wait_park(L, task, &request->writers, WAIT_FOREVER);
}

/* (They wait in the request, which they hold: the connection may be gone when
 * they run.) */
void send_pump(struct request *request, int status) {
  const struct stream *stream = &request->client->stream;
  bool ready = status != 0 || stream->broken != 0 ||
               stream_pending(stream) <= OUTBOX_HIGH / 2;
  if (ready) wait_wake_all(request->writers, status);
}

/* ---- all of it ----------------------------------------------------------- */

enum { AT_BODY = 1, AT_TRAILERS, AT_WRITE, AT_SOURCE, AT_ARGUMENT, AT_PIECE };

static struct request *request_of(lua_State *L) {
  lua_getupvalue(L, AT_WRITE, 1);
  struct request *request = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return request;
}

static int next(lua_State *L);

/* The end of a chunked body, with what is on top as its trailers. */
static int add_end(lua_State *L, struct request *request) {
  char memory[BYTES_BEFORE + 512];
  struct bytes bytes;
  int trailers = lua_gettop(L);
  lua_pushnil(L);
  bytes_open(&bytes, L, trailers + 1, memory, sizeof memory);
  bytes_add_literal(&bytes, "0\r\n");
  if (lua_istable(L, trailers))
    header_lines_add_trailers(L, &bytes, trailers);
  else if (!lua_isnil(L, trailers))
    luaL_error(L, "trailers are a table, not a %s", luaL_typename(L, trailers));
  bytes_add_literal(&bytes, "\r\n");
  if (request->client != NULL)
    client_put(request->client, bytes.data + bytes.begin,
               bytes.end - bytes.begin);
  return 0;
}

static int got_trailers(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return add_end(L, request_of(L));
}

/* Chunks that have failed say why; functions raise. */
static int end(lua_State *L, const char *failure) {
  struct request *request = request_of(L);
  if (failure != NULL) return luaL_error(L, "the body has failed: %s", failure);
  if (request->length >= 0 && request->written < (uint64_t)request->length)
    return luaL_error(L,
                      "the body has %I bytes, fewer than its "
                      "content-length, %I",
                      (LUAI_UACINT)request->written,
                      (LUAI_UACINT)request->length);
  if (!request->is_chunked) return 0;
  lua_pushvalue(L, AT_TRAILERS);
  if (!lua_isfunction(L, -1)) return add_end(L, request);
  lua_callk(L, 0, 1, 0, got_trailers);
  return add_end(L, request);
}

/* The continuations: what has waited goes on here. */
static int sent(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return next(L);
}

/* The piece, and what may follow a nil, lie at AT_PIECE. True: it is sent. */
static bool send_piece(lua_State *L) {
  if (lua_isnil(L, AT_PIECE)) return false;
  if (!lua_isstring(L, AT_PIECE))
    luaL_error(L, "the body gave a %s, not a string",
               luaL_typename(L, AT_PIECE));
  lua_pushvalue(L, AT_WRITE);
  lua_pushvalue(L, AT_PIECE);
  lua_callk(L, 1, 0, 0, sent);
  return true;
}

static int got_piece(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  if (send_piece(L)) return next(L);
  return end(L, lua_tostring(L, AT_PIECE + 1));
}

/* Until something waits. */
static int next(lua_State *L) {
  for (;;) {
    lua_settop(L, AT_ARGUMENT);
    lua_pushvalue(L, AT_SOURCE);
    lua_pushvalue(L, AT_ARGUMENT);
    lua_callk(L, 1, 2, 0, got_piece);
    if (!send_piece(L)) return end(L, lua_tostring(L, AT_PIECE + 1));
  }
}

static int got_chunks(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  if (lua_isnil(L, AT_SOURCE)) /* and why not */
    return luaL_error(L, "the body has failed: %s",
                      luaL_tolstring(L, AT_ARGUMENT, NULL));
  return next(L);
}

static int told(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int send_file(lua_State *L, struct content *content) {
  uint64_t size = content->end - content->first;
  int64_t length = request_of(L)->length;
  if (length >= 0 && (uint64_t)length != size)
    luaL_error(L, "the body has %I bytes, and its content-length says %I",
               (LUAI_UACINT)size, (LUAI_UACINT)length);
  content->is_taken = true;
  lua_pushcfunction(L, sending_run);
  lua_getupvalue(L, AT_WRITE, 1);
  lua_pushvalue(L, AT_BODY);
  lua_callk(L, 2, 0, 0, told);
  return 0;
}

/* What is to be closed is closed when this returns, or fails. */
static int send_body(lua_State *L) { /* body, trailers, write or nil */
  if (lua_isfunction(L, AT_BODY)) {
    if (lua_isnil(L, AT_WRITE)) return 0;
    lua_pushvalue(L, AT_BODY);
    lua_pushvalue(L, AT_WRITE);
    return next(L);
  }
  if (luaL_getmetafield(L, AT_BODY, "__close") != LUA_TNIL) {
    lua_pop(L, 1);
    lua_toclose(L, AT_BODY);
  }
  if (lua_isnil(L, AT_WRITE)) return 0;
  struct content *content = content_at(L, AT_BODY);
  if (content != NULL && !request_of(L)->is_chunked)
    return send_file(L, content);
  lua_getfield(L, AT_BODY, "chunks");
  lua_pushvalue(L, AT_BODY);
  lua_callk(L, 1, 2, 0, got_chunks); /* AT_SOURCE, AT_ARGUMENT */
  return got_chunks(L, LUA_OK, 0);
}

/* ---- response.after(bytes, message) -------------------------------------- */

static const char after_class[] = "neap.http.after"; /* { function, request } */

/* A body may end in good order because nobody takes it any more. NULL: all went
 * out. */
static const char *failure(lua_State *L, const struct request *request) {
  const struct client *client = request->client;
  if (client == NULL || client->phase == PHASE_OVER ||
      client->stream.handle.closing || client->stream.broken != 0)
    return "the client has left";
  if (lua_isnil(L, 2)) return NULL;
  return cancel_is(L, 2) ? "cancelled" : luaL_tolstring(L, 2, NULL);
}

static int tell(lua_State *L) { /* the pair, the error or nil */
  lua_settop(L, 2);
  lua_rawgeti(L, 1, 2);
  const struct request *request = lua_touserdata(L, 3);
  const char *message = failure(L, request);
  lua_rawgeti(L, 1, 1);
  lua_pushinteger(L, (lua_Integer)request->written);
  lua_pushstring(L, message);
  lua_callk(L, 2, 0, 0, told);
  return 0;
}

void send_push_after(lua_State *L, int request, int after) {
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, after);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, request);
  lua_rawseti(L, -2, 2);
  luaL_setmetatable(L, after_class);
}

void send_open_class(lua_State *L) {
  if (luaL_newmetatable(L, after_class)) {
    lua_pushcfunction(L, tell);
    lua_setfield(L, -2, "__close");
  }
  lua_pop(L, 1);
}

/* ---- the interface ------------------------------------------------------- */

static void push_or_nil(lua_State *L, int index) {
  if (index == 0)
    lua_pushnil(L);
  else
    lua_pushvalue(L, index);
}

void send_push(lua_State *L, int index, const struct response *response) {
  struct request *request = lua_touserdata(L, index);
  request->is_chunked = response->is_chunked;
  request->length = response->length;
  lua_pushcfunction(L, send_body);
  push_or_nil(L, response->body);
  push_or_nil(L, response->trailers);
  if (response->is_skipped) {
    lua_pushnil(L);
    return;
  }
  lua_pushvalue(L, index);
  lua_pushcclosure(L, write_data, 1);
}
