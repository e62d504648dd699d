/* request.c - the fields of a request. */
#include "modules/http/request.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/class.h"
#include "host/stream/ends.h"
#include "modules/http/accepts.h"
#include "modules/http/app/routing.h"
#include "modules/http/arrival.h"
#include "modules/http/body.h"
#include "modules/http/client.h"
#include "modules/http/cookies.h"
#include "modules/http/forms/forms.h"
#include "modules/http/forms/upload.h"
#include "modules/http/headers.h"
#include "modules/http/query.h"
#include "modules/http/send.h"
#include "modules/http/target.h"

static const char class_name[] = "neap.http.request";

enum { VALUE_OWN = 1, VALUES = REQUEST_PARAMS };

enum { ROUND = 64 }; /* bytes: so that one's memory is used by the next */

/* ---- its beginning and end ----------------------------------------------- */

struct request *request_push(lua_State *L, struct client *client,
                             int class_ref) {
  const struct head *head = client->intake.head;
  unsigned count = head->trailers; /* none of them has come yet */
  size_t pieces_size = count * sizeof head->pieces[0];
  size_t size = sizeof(struct request) + pieces_size + head->size;
  struct request *request =
    lua_newuserdatauv(L, (size + ROUND - 1) / ROUND * ROUND, VALUES);
  *request = (struct request){.number = client->number,
                              .peer = client->peer,
                              .body.is_none = !client->intake.has_body,
                              .count = count,
                              .method = head->method,
                              .minor = head->minor};
  memcpy(request->pieces, head->pieces, pieces_size);
  memcpy((char *)(request->pieces + count), head->data, head->size);
  lua_rawgeti(L, LUA_REGISTRYINDEX, class_ref);
  lua_setmetatable(L, -2);
  request->client = client;
  client->request = request;
  return request;
}

void request_detach(struct request *request) {
  struct client *client = request->client;
  if (client == NULL) return;
  arrival_close(request);
  if (request->uploads != NULL) uploads_end(request->uploads);
  send_pump(request, UV_ECANCELED);
  client->request = NULL;
  request->client = NULL;
}

struct request *request_check(lua_State *L) {
  return class_check(L, 1, class_name);
}

struct request *request_test(lua_State *L, int index) {
  return class_test(L, index, class_name);
}

/* ---- its bytes ----------------------------------------------------------- */

const char *request_piece(const struct request *request, unsigned index,
                          size_t *size) {
  const char *bytes = (const char *)(request->pieces + request->count);
  *size = request->pieces[index].size;
  return bytes + request->pieces[index].at;
}

void request_push_piece(lua_State *L, const struct request *request,
                        unsigned index) {
  size_t size;
  const char *text = request_piece(request, index, &size);
  lua_pushlstring(L, text, size);
}

/* ---- who it is, for people ----------------------------------------------- */

/* Requests of several runs meet in one log: so the run has a part in it. */
void request_format_id(uint64_t number, char text[REQUEST_ID]) {
  static uint32_t run;
  if (run == 0 && uv_random(NULL, NULL, &run, sizeof run, 0, NULL) < 0)
    run = (uint32_t)uv_hrtime();
  snprintf(text, REQUEST_ID, "%08x-%llu", run, (unsigned long long)number);
}

const char *request_id(const struct request *request, char text[REQUEST_ID]) {
  if (request->id != NULL) return request->id;
  request_format_id(request->number, text);
  return text;
}

enum { TARGET_SHOWN = 80 };

/* (A target has no byte that is not visible: see target.c.) */
void request_describe(const struct request *request,
                      char text[REQUEST_DESCRIPTION]) {
  char id[REQUEST_ID];
  size_t target_size;
  const char *target = request_piece(request, 0, &target_size);
  bool is_long = target_size > TARGET_SHOWN;
  snprintf(text, REQUEST_DESCRIPTION, "%s %.*s%s (request %s)",
           llhttp_method_name((llhttp_method_t)request->method),
           (int)(is_long ? TARGET_SHOWN : target_size), target,
           is_long ? "..." : "", request_id(request, id));
}

/* What a script calls it goes into reports and a header, if it is fit for them. */
static const char *check_id(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return NULL;
  size_t size;
  const char *id = lua_tolstring(L, index, &size);
  if (size == 0 || size >= REQUEST_ID) return NULL;
  for (const char *c = id; c < id + size; c++)
    if (*c <= ' ' || *c > '~') return NULL;
  return id;
}

/* ---- fields -------------------------------------------------------------- */

static int get_method(lua_State *L) {
  const struct request *request = request_check(L);
  lua_pushstring(L, llhttp_method_name((llhttp_method_t)request->method));
  return 1;
}

static int get_target(lua_State *L) {
  request_push_piece(L, request_check(L), 0);
  return 1;
}

const char *request_path(const struct request *request, size_t *size) {
  const char *target = request_piece(request, 0, size);
  return target_path(target, *size, size);
}

static int get_path(lua_State *L) {
  size_t size;
  const struct request *request = request_check(L);
  const char *path = request_path(request, &size);
  lua_pushlstring(L, path + request->base, size - request->base);
  return 1;
}

/* That of the routers in which it is mounted. */
static int get_base(lua_State *L) {
  size_t size;
  const struct request *request = request_check(L);
  lua_pushlstring(L, request_path(request, &size), request->base);
  return 1;
}

static int get_params(lua_State *L) {
  routing_push_params(L, lua_touserdata(L, 1)); /* it has been checked */
  return 1;
}

static int get_route(lua_State *L) {
  request_check(L);
  lua_getiuservalue(L, 1, REQUEST_ROUTE);
  return 1;
}

static int get_version(lua_State *L) {
  lua_pushstring(L, request_check(L)->minor == 0 ? "1.0" : "1.1");
  return 1;
}

static int get_id(lua_State *L) {
  char text[REQUEST_ID];
  request_format_id(request_check(L)->number, text);
  lua_pushstring(L, text);
  return 1;
}

static int get_peer(lua_State *L) {
  const struct request *request = request_check(L);
  if (request->client == NULL)
    peer_push(L, &request->peer);
  else
    ends_push_peer(L, &request->client->stream, &request->peer);
  return 1;
}

static int get_address(lua_State *L) {
  const struct client *client = request_check(L)->client;
  if (client == NULL)
    lua_pushnil(L);
  else
    ends_push_address(L, &client->stream);
  return 1;
}

static int get_query(lua_State *L) {
  size_t size;
  const char *target = request_piece(request_check(L), 0, &size);
  const char *mark = memchr(target, '?', size);
  if (mark == NULL)
    lua_newtable(L);
  else
    query_push(L, mark + 1, size - (size_t)(mark + 1 - target));
  return 1;
}

static int get_headers(lua_State *L) {
  const struct request *request = request_check(L);
  headers_push(L, request);
  return 1;
}

static int get_trailers(lua_State *L) {
  body_push_trailers(L, request_check(L));
  return 1;
}

/* ---- request.name: what is kept with it, methods, what is read ----------- */

void request_push_own(lua_State *L) {
  struct request *request = lua_touserdata(L, 1);
  if (request->has_own) {
    lua_getiuservalue(L, 1, VALUE_OWN);
    return;
  }
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, VALUE_OWN);
  request->has_own = true;
}

bool request_push_kept(lua_State *L, const char *name) {
  const struct request *request = lua_touserdata(L, 1);
  if (!request->has_own) return false;
  lua_getiuservalue(L, 1, VALUE_OWN);
  lua_pushstring(L, name);
  bool kept = lua_rawget(L, -2) != LUA_TNIL;
  lua_remove(L, -2);
  if (!kept) lua_pop(L, 1);
  return kept;
}

void request_keep(lua_State *L, const char *name) {
  request_push_own(L);
  lua_pushstring(L, name);
  lua_rotate(L, -3, -1); /* own, name, value */
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

struct field {
  const char *name;
  lua_CFunction get;
  bool keep; /* it is made once: a script may change it */
};

static const struct field fields[] = {
  {"address", get_address, true},
  {"base", get_base, false},
  {"cookies", cookies_push, true},
  {"headers", get_headers, true},
  {"id", get_id, false},
  {"method", get_method, false},
  {"params", get_params, false},
  {"path", get_path, false},
  {"peer", get_peer, false},
  {"query", get_query, true},
  {"route", get_route, false},
  {"target", get_target, false},
  {"trailers", get_trailers, true},
  {"version", get_version, false},
};

static int push_field(lua_State *L) { /* request, key; methods and fields */
  const struct request *request = request_check(L);
  if (request->has_own) {
    lua_getiuservalue(L, 1, VALUE_OWN);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    lua_settop(L, 2);
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TLIGHTUSERDATA) return 1;
  const struct field *field = lua_touserdata(L, -1);
  lua_settop(L, 1);
  field->get(L);
  if (!field->keep || lua_isnil(L, -1)) return 1;
  lua_pushvalue(L, -1);
  request_keep(L, field->name);
  return 1;
}

static int set_field(lua_State *L) { /* request, key, value */
  struct request *request = request_check(L);
  bool is_id =
    lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "id") == 0;
  const char *id = is_id ? check_id(L, 3) : NULL;
  request_push_own(L);
  lua_insert(L, 2);
  lua_rawset(L, 2);
  if (is_id) request->id = id; /* now it lives there */
  return 0;
}

static const luaL_Reg methods[] = {
  {"accepts", accepts_type},
  {"accepts_encoding", accepts_encoding},
  {"body", body_read},
  {"chunks", body_chunks},
  {"form", forms_form},
  {"header", headers_get},
  {"header_list", headers_list},
  {"json", body_read_json},
  {"parts", forms_parts},
  {"query_list", query_list},
  {"signed_cookie", cookies_signed},
  {NULL, NULL},
};

/* All realms share it, and its reference lies in it. */
int request_class(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, class_name);
  lua_getfield(L, -1, "reference");
  int reference = (int)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return reference;
}

static void keep_reference(lua_State *L) {
  if (lua_getfield(L, -1, "reference") == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
    lua_setfield(L, -3, "reference");
  }
  lua_pop(L, 1);
}

void request_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  keep_reference(L);
  luaL_newlib(L, methods);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_pushlightuserdata(L, (void *)&fields[i]);
    lua_setfield(L, -2, fields[i].name);
  }
  lua_pushcclosure(L, push_field, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, set_field);
  lua_setfield(L, -2, "__newindex");
  lua_pop(L, 1);
}
