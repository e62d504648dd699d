/* accepts.c - the best of some offers, for one request; see values/accept.h. */
#include "modules/http/accepts.h"

#include <lauxlib.h>

#include "modules/http/headers.h"
#include "modules/http/request.h"
#include "modules/http/values/accept.h"

/* `what` it should be, for who offers something else. */
static void check_offers(lua_State *L, enum accept_kind kind,
                         const char *what) {
  int count = lua_gettop(L);
  request_check(L);
  luaL_checkany(L, 2);
  for (int i = 2; i <= count; i++) {
    size_t size;
    const char *offer = luaL_checklstring(L, i, &size);
    if (!accept_is_offer(kind, offer, size)) luaL_argerror(L, i, what);
  }
}

/* Pushes the value of this header, or nil. */
static void push_value(lua_State *L, const char *name) {
  lua_pushcfunction(L, headers_get);
  lua_pushvalue(L, 1);
  lua_pushstring(L, name);
  lua_call(L, 2, 1);
}

static int best(lua_State *L, enum accept_kind kind, const char *name) {
  int count = lua_gettop(L), found = 0;
  unsigned most = 0;
  size_t size = 0, offer_size;
  push_value(L, name);
  const char *value = lua_tolstring(L, -1, &size);
  for (int i = 2; i <= count; i++) {
    const char *offer = lua_tolstring(L, i, &offer_size);
    unsigned weight = accept_weight(kind, value, size, offer, offer_size);
    if (weight <= most) continue;
    most = weight;
    found = i;
  }
  if (found == 0)
    lua_pushnil(L);
  else
    lua_pushvalue(L, found);
  return 1;
}

int accepts_type(lua_State *L) {
  check_offers(L, ACCEPT_TYPE, "a type expected, as \"text/html\"");
  return best(L, ACCEPT_TYPE, "accept");
}

int accepts_encoding(lua_State *L) {
  check_offers(L, ACCEPT_ENCODING, "an encoding expected, as \"gzip\"");
  return best(L, ACCEPT_ENCODING, "accept-encoding");
}
