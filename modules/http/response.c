/* response.c - from the results of a handler to what is to be sent.
 *
 *   "text"   |   status [, body [, headers]]   |   { status =, headers =, body = }
 */
#include "modules/http/response.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "modules/http/app/routing.h"
#include "modules/http/bytes.h"
#include "modules/http/date.h"
#include "modules/http/files/content.h"
#include "modules/http/header_lines.h"
#include "modules/http/refusal.h"

struct source { /* of an error: the results, and who returned them */
  lua_State *L;
  int handler;
};

/* It has returned, so that is all that is known of it. */
void response_push_place(lua_State *L, int handler) {
  lua_Debug ar;
  routing_push_handler(L, handler);
  if (lua_istable(L, -1) && luaL_getmetafield(L, -1, "__call") != LUA_TNIL)
    lua_remove(L, -2);
  if (lua_isfunction(L, -1)) {
    lua_getinfo(L, ">S", &ar);
    lua_pushfstring(L, " (%s:%d)", ar.short_src, ar.linedefined);
  } else {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
}

/* Where a script has asked for a response itself, see answers.lua, that is known. */
int response_refuse(lua_State *L, int handler, const char *what) {
  luaL_where(L, handler == 1 ? 2 : 0);
  lua_pushliteral(L, "the handler");
  response_push_place(L, handler);
  lua_pushfstring(L,
                  " returned %s; a response is a string, "
                  "status [, body [, headers]], or "
                  "{ status =, headers =, body = }",
                  what);
  lua_concat(L, 4);
  return lua_error(L);
}

static int refuse(const struct source *from, const char *what) {
  return response_refuse(from->L, from->handler, what);
}

static int refuse_type(const struct source *from, const char *what, int index) {
  const char *article = lua_isnil(from->L, index) ? "" : "a ";
  return refuse(from, lua_pushfstring(from->L, "%s%s%s", what, article,
                                      luaL_typename(from->L, index)));
}

/* ---- its parts ----------------------------------------------------------- */

static int read_status(const struct source *from, int index) {
  lua_State *L = from->L;
  int is_integer;
  lua_Integer status = lua_tointegerx(L, index, &is_integer);
  if (lua_type(L, index) != LUA_TNUMBER || !is_integer || status < 200 ||
      status > 599)
    refuse(from, lua_pushfstring(L,
                                 "the status %s, which is none (an integer"
                                 " from 200 to 599)",
                                 luaL_tolstring(L, index, NULL)));
  return (int)status;
}

static void check_list(const struct source *from, int index) {
  lua_State *L = from->L;
  lua_pushnil(L);
  if (lua_next(L, index) == 0) return;
  if (lua_getfield(L, index, "headers") == LUA_TTABLE)
    refuse(from, "as its body a response, which has a status of its own");
  refuse(from, "as its body a table that is no list of strings (http.json"
               " makes a response of it)");
}

/* A list of strings becomes one, in its place. */
static void join(const struct source *from, int index) {
  lua_State *L = from->L;
  luaL_Buffer buffer;
  lua_Integer count = luaL_len(L, index);
  if (count == 0) check_list(from, index);
  luaL_buffinit(L, &buffer);
  for (lua_Integer i = 1; i <= count; i++) {
    int type = lua_geti(L, index, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      refuse_type(from, "as its body a list with ", -1);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  lua_replace(L, index);
}

static bool has_chunks(lua_State *L, int index) {
  if (!lua_istable(L, index) &&
      (!lua_isuserdata(L, index) ||
       luaL_getmetafield(L, index, "__index") == LUA_TNIL))
    return false;
  bool has = lua_getfield(L, index, "chunks") == LUA_TFUNCTION;
  lua_settop(L, -2);
  return has;
}

/* A file that is in memory: a text like others. */
static bool read_content(struct content *content, struct response *response) {
  if (content == NULL || content->text == NULL) return false;
  response->content = content;
  response->text = content->text + content->first;
  response->size = (size_t)(content->end - content->first);
  return true;
}

static void read_body(const struct source *from, int index,
                      struct response *response) {
  lua_State *L = from->L;
  if (lua_isnoneornil(L, index)) return;
  response->body = index;
  if (read_content(content_at(L, index), response)) return;
  switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER: break;
    case LUA_TFUNCTION: response->is_stream = true; return;
    default:
      response->is_stream = has_chunks(L, index);
      if (response->is_stream) return;
      if (!lua_istable(L, index)) refuse_type(from, "as its body ", index);
      join(from, index);
  }
  response->text = lua_tolstring(L, index, &response->size);
  if (response->size > INT32_MAX) /* more than goes into one write */
    refuse(from, "as its body more than 2 GB (a function can give it)");
}

static void read_headers(const struct source *from, int index,
                         struct response *response) {
  if (lua_isnoneornil(from->L, index)) return;
  if (!lua_istable(from->L, index)) refuse_type(from, "as its headers ", index);
  response->headers = index;
}

static void read_trailers(const struct source *from, int index,
                          struct response *response) {
  if (lua_isnil(from->L, index)) return;
  if (!lua_istable(from->L, index) && !lua_isfunction(from->L, index))
    refuse_type(from, "as its trailers ", index);
  response->trailers = index;
}

static void read_after(const struct source *from, int index,
                       struct response *response) {
  if (lua_isnil(from->L, index)) return;
  if (!lua_isfunction(from->L, index))
    refuse_type(from, "as its `after` ", index);
  response->after = index;
}

/* ---- one table ----------------------------------------------------------- */

static void check_names(const struct source *from, int index) {
  static const char *const names[] = {"status", "headers", "body", "trailers",
                                      "after"};
  enum { NAMES = sizeof names / sizeof *names };
  lua_State *L = from->L;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    bool known = false;
    lua_pop(L, 1);
    for (int i = 0; i < NAMES && lua_type(L, -1) == LUA_TSTRING; i++)
      known = known || strcmp(lua_tostring(L, -1), names[i]) == 0;
    if (known) continue;
    refuse(from, lua_pushfstring(L,
                                 "a table with the field '%s' (http.json"
                                 " makes a response of data)",
                                 luaL_tolstring(L, -1, NULL)));
  }
}

static void read_table(const struct source *from, int index,
                       struct response *response) {
  lua_State *L = from->L;
  check_names(from, index);
  if (lua_getfield(L, index, "status") != LUA_TNIL)
    response->status = read_status(from, lua_gettop(L));
  lua_getfield(L, index, "headers");
  read_headers(from, lua_gettop(L), response);
  lua_getfield(L, index, "body");
  read_body(from, lua_gettop(L), response);
  lua_getfield(L, index, "trailers");
  read_trailers(from, lua_gettop(L), response);
  lua_getfield(L, index, "after");
  read_after(from, lua_gettop(L), response);
}

/* `return nil, message`: something has failed, and nobody looked. */
static int refuse_nothing(const struct source *from, int index) {
  lua_State *L = from->L;
  if (lua_type(L, index + 1) != LUA_TSTRING)
    return refuse(from, lua_isnone(L, index) ? "nothing" : "nil");
  return refuse(from,
                lua_pushfstring(L, "nil, \"%s\"", lua_tostring(L, index + 1)));
}

/* "text", 404 would be 200 otherwise. */
static void check_count(const struct source *from, int first, int most) {
  lua_State *L = from->L;
  for (int i = first + most; i <= lua_gettop(L); i++)
    if (!lua_isnil(L, i))
      refuse(from,
             lua_pushfstring(L, "a %s with a %s behind it",
                             luaL_typename(L, first), luaL_typename(L, i)));
}

struct response response_read(lua_State *L, int handler, int first) {
  const struct source from = {L, handler};
  struct response response = {
    .status = 200, .text = "", .length = -1, .handler = handler};
  switch (lua_type(L, first)) {
    case LUA_TSTRING:
      check_count(&from, first, 1);
      read_body(&from, first, &response);
      break;
    case LUA_TNUMBER:
      check_count(&from, first, 3);
      response.status = read_status(&from, first);
      read_headers(&from, first + 2, &response);
      read_body(&from, first + 1, &response);
      break;
    case LUA_TTABLE:
      check_count(&from, first, 1);
      read_table(&from, first, &response);
      break;
    case LUA_TFUNCTION:
      refuse(&from, "a function (as a body it stands behind a status, as a"
                    " handler it is called: f(req))");
      break;
    case LUA_TNIL:
    case LUA_TNONE: refuse_nothing(&from, first); break;
    default: refuse_type(&from, "", first);
  }
  return response;
}

/* ---- its head ------------------------------------------------------------ */

/* RFC 9110, section 6.4.1. */
static bool has_no_body(const struct response *response) {
  return response->status == 204 || response->status == 304;
}

static void put_begin(struct bytes *bytes, const struct clock *clock,
                      int status, bool dated) {
  char line[64];
  size_t size;
  const char *begin = date_begin(clock, &size);
  if (status == 200 && !dated) {
    bytes_put_before(bytes, begin, size);
    return;
  }
  if (!dated) bytes_put_before(bytes, begin + DATE_AT, size - DATE_AT);
  int line_size = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status,
                           refusal_reason(status));
  bytes_put_before(bytes, line, (size_t)line_size);
}

static void add_length(struct bytes *bytes, int64_t length) {
  bytes_add_literal(bytes, "Content-Length: ");
  bytes_add_number(bytes, (uint64_t)length);
  bytes_add_literal(bytes, "\r\n");
}

/* How its end is to be found. */
static void add_framing(struct bytes *bytes, struct response *response,
                        struct reply *reply) {
  if (has_no_body(response)) {
    response->is_skipped = true;
    if (response->length >= 0) add_length(bytes, response->length);
  } else if (!response->is_stream || response->length >= 0) {
    add_length(bytes, response->length);
  } else if (reply->old) {
    reply->keep_alive = false; /* its end is that of the connection */
  } else {
    bytes_add_literal(bytes, "Transfer-Encoding: chunked\r\n");
    response->is_chunked = true;
  }
}

static void check_length(lua_State *L, struct response *response,
                         const struct header_lines *lines,
                         const struct reply *reply) {
  if (has_no_body(response)) { /* 304: what it would have been */
    response->length = response->status == 304 ? lines->length : -1;
    return;
  }
  if (response->is_stream || (reply->head_only && lines->length >= 0)) {
    response->length = lines->length;
    return;
  }
  if (lines->length >= 0 && (size_t)lines->length != response->size) {
    response_push_place(L, response->handler);
    luaL_error(L,
               "response header 'content-length' says %I, but the body has %I"
               " bytes, returned by the handler%s",
               (LUAI_UACINT)lines->length, (LUAI_UACINT)response->size,
               lua_tostring(L, -1));
  }
  response->length = (int64_t)response->size;
}

void response_add_head(struct bytes *bytes, const struct clock *clock,
                       struct response *response, struct reply *reply) {
  struct header_lines lines = {.length = -1};
  if (response->headers != 0)
    lines =
      header_lines_add(bytes->L, bytes, response->headers, response->handler);
  check_length(bytes->L, response, &lines, reply);
  if (lines.close) reply->keep_alive = false;
  if (!lines.type && response->body != 0 && !has_no_body(response))
    bytes_add_literal(bytes, "Content-Type: text/plain; charset=utf-8\r\n");
  add_framing(bytes, response, reply);
  if (!reply->keep_alive)
    bytes_add_literal(bytes, "Connection: close\r\n");
  else if (reply->old)
    bytes_add_literal(bytes, "Connection: keep-alive\r\n");
  bytes_add_literal(bytes, "\r\n");
  put_begin(bytes, clock, response->status, lines.date);
  if (reply->head_only) response->is_skipped = true;
  if (response->is_skipped) response->size = 0;
}
