/* reading.c - body.c and query.c, as the Lua beside it calls them. */
#include "modules/http/forms/reading.h"

#include "host/host.h"
#include "modules/http/arrival.h"
#include "modules/http/body.h"
#include "modules/http/headers.h"
#include "modules/http/query.h"
#include "modules/http/request.h"

static int refuse(lua_State *L) {
  arrival_refuse(request_check(L), (int)luaL_checkinteger(L, 2));
  return 0;
}

static int obstacle(lua_State *L) {
  const struct request *request = request_check(L);
  lua_pushstring(
    L, body_obstacle(request, lua_toboolean(L, 2) ? BODY_PIECES : BODY_WHOLE));
  return 1;
}

static const char kept_key = 0; /* in the request's own table */

static int kept(lua_State *L) {
  request_check(L);
  request_push_own(L);
  lua_rawgetp(L, -1, &kept_key);
  return 1;
}

static int keep(lua_State *L) {
  request_check(L);
  request_push_own(L);
  lua_pushvalue(L, 2);
  lua_rawsetp(L, -2, &kept_key);
  return 0;
}

static int pairs(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  if (!query_push_pairs(L, text, size, luaL_checkinteger(L, 2))) lua_pushnil(L);
  return 1;
}

static int now(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)clock_ms(&host_of(L)->clock));
  return 1;
}

const luaL_Reg reading_functions[] = {
  {"header", headers_get},
  {"keep", keep},
  {"kept", kept},
  {"now", now},
  {"obstacle", obstacle},
  {"open", body_open_pieces},
  {"pairs", pairs},
  {"piece", body_piece},
  {"refuse", refuse},
  {"whole", body_read},
  {NULL, NULL},
};
