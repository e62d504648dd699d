/* cookies.c - req.cookies and req:signed_cookie.
 *
 * Where a name is there twice the first one counts: browsers send first what has
 * the longer path. What signs is the counterpart in app/cookies.lua. */
#include "modules/http/cookies.h"

#include <lauxlib.h>
#include <strings.h>

#include "modules/http/request.h"
#include "modules/http/values/cookies.h"
#include "modules/modules.h"

/* ---- req.cookies --------------------------------------------------------- */

static void push_value(lua_State *L, const struct cookie *cookie) {
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, cookie->value_size);
  luaL_pushresultsize(&buffer,
                      cookies_decode(to, cookie->value, cookie->value_size));
}

/* To the table on top. */
static void add_header(lua_State *L, const char *header, size_t size) {
  struct cookie cookie;
  while (cookies_next(&header, &size, &cookie)) {
    lua_pushlstring(L, cookie.name, cookie.name_size);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) != LUA_TNIL) {
      lua_pop(L, 2);
      continue;
    }
    lua_pop(L, 1);
    push_value(L, &cookie);
    lua_rawset(L, -3);
  }
}

int cookies_push(lua_State *L) {
  const struct request *request = request_check(L);
  lua_newtable(L);
  for (unsigned i = 1; i + 1 < request->count; i += 2) {
    size_t size;
    const char *name = request_piece(request, i, &size);
    if (size != 6 || strncasecmp(name, "cookie", 6) != 0) continue;
    const char *header = request_piece(request, i + 1, &size);
    add_header(L, header, size);
  }
  return 1;
}

/* ---- req:signed_cookie(name, secret) ------------------------------------- */

enum { AT_NAME = 2, AT_SECRETS, AT_CRYPTO, AT_VALUE, SECRET_LEAST = 16 };

/* Functions of neap.crypto: of all realms, they are C and keep nothing. */
static void push_crypto(lua_State *L) {
  static const char key = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_pushcfunction(L, open_crypto);
  lua_call(L, 0, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

/* The secret on top, and off. */
static void check_secret(lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, AT_SECRETS,
                  lua_pushfstring(L, "a secret is a string, not a %s",
                                  luaL_typename(L, -1)));
  luaL_argcheck(L, lua_rawlen(L, -1) >= SECRET_LEAST, AT_SECRETS,
                "a secret has 16 bytes or more");
  lua_pop(L, 1);
}

/* One becomes a list of one. */
static void check_secrets(lua_State *L) {
  lua_settop(L, AT_SECRETS);
  if (lua_type(L, AT_SECRETS) != LUA_TTABLE) {
    lua_createtable(L, 1, 0);
    lua_insert(L, AT_SECRETS);
    lua_rawseti(L, AT_SECRETS, 1);
  }
  lua_Integer count = (lua_Integer)lua_rawlen(L, AT_SECRETS);
  luaL_argcheck(L, count > 0, AT_SECRETS, "there is no secret in the list");
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, AT_SECRETS, i);
    check_secret(L);
  }
}

/* Pushes what the secret on top makes of the text below it, and takes both. */
static void sign(lua_State *L) {
  lua_getfield(L, AT_CRYPTO, "base64");
  lua_getfield(L, AT_CRYPTO, "hmac");
  lua_pushliteral(L, "sha256");
  lua_rotate(L, -5, 3);
  lua_insert(L, -2); /* base64, hmac, "sha256", secret, text */
  lua_call(L, 3, 1);
  lua_createtable(L, 0, 1);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "url");
  lua_call(L, 2, 1);
}

/* Whether one of the secrets has made the signature that begins there. */
static bool is_genuine(lua_State *L, const char *value, const char *dot) {
  bool genuine = false;
  lua_Integer count = (lua_Integer)lua_rawlen(L, AT_SECRETS);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_getfield(L, AT_CRYPTO, "equal");
    lua_pushvalue(L, AT_NAME);
    lua_pushliteral(L, "=");
    lua_pushlstring(L, value, (size_t)(dot - value));
    lua_concat(L, 3);
    lua_rawgeti(L, AT_SECRETS, i);
    sign(L);
    lua_pushlstring(L, dot + 1,
                    lua_rawlen(L, AT_VALUE) - (size_t)(dot + 1 - value));
    lua_call(L, 2, 1);
    genuine = lua_toboolean(L, -1) || genuine;
    lua_pop(L, 1);
  }
  return genuine;
}

int cookies_signed(lua_State *L) {
  request_check(L);
  luaL_checkstring(L, AT_NAME);
  check_secrets(L);
  push_crypto(L);
  lua_getfield(L, 1, "cookies");
  lua_pushvalue(L, AT_NAME);
  if (!lua_istable(L, -2) || lua_rawget(L, -2) != LUA_TSTRING) {
    lua_pushnil(L);
    return 1;
  }
  lua_replace(L, AT_VALUE);
  lua_settop(L, AT_VALUE);
  size_t size;
  const char *value = lua_tolstring(L, AT_VALUE, &size);
  while (size > 0 && value[size - 1] != '.') size--; /* behind the last one */
  if (size == 0 || !is_genuine(L, value, value + size - 1))
    lua_pushnil(L);
  else
    lua_pushlstring(L, value, size - 1);
  return 1;
}
