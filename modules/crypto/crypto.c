/* crypto.c - module `neap.crypto`: random bytes, hashes, passwords, and bytes as
 * text. Random bytes are the system's; the rest is OpenSSL's. */
#include "modules/crypto/crypto.h"

#include <lauxlib.h>
#include <uv.h>

#include "modules/crypto/equal.h"
#include "modules/modules.h"

enum { RANDOM_MOST = 1 << 20 }; /* more would hold the loop */

/* Raises where there are none: nobody is to go on without. */
static int crypto_random(lua_State *L) {
  luaL_Buffer buffer;
  lua_Integer size = luaL_checkinteger(L, 1);
  luaL_argcheck(L, size >= 0 && size <= RANDOM_MOST, 1,
                "from 0 to 1048576 bytes at once");
  char *bytes = luaL_buffinitsize(L, &buffer, (size_t)size);
  int status =
    size > 0 ? uv_random(NULL, NULL, bytes, (size_t)size, 0, NULL) : 0;
  if (status < 0)
    return luaL_error(L, "the system has no random bytes: %s",
                      uv_strerror(status));
  luaL_pushresultsize(&buffer, (size_t)size);
  return 1;
}

static int crypto_equal(lua_State *L) {
  size_t left_size, right_size;
  const char *left = luaL_checklstring(L, 1, &left_size);
  const char *right = luaL_checklstring(L, 2, &right_size);
  lua_pushboolean(L, left_size == right_size &&
                       equal_bytes(left, right, left_size));
  return 1;
}

static const luaL_Reg functions[] = {
  {"base64", crypto_base64},
  {"equal", crypto_equal},
  {"from_base64", crypto_from_base64},
  {"from_hex", crypto_from_hex},
  {"hash", crypto_hash},
  {"hasher", crypto_hasher},
  {"hex", crypto_hex},
  {"hmac", crypto_hmac},
  {"password", crypto_password},
  {"random", crypto_random},
  {"verify_password", crypto_verify_password},
  {NULL, NULL},
};

int open_crypto(lua_State *L) {
  hasher_open_class(L);
  luaL_newlib(L, functions);
  return 1;
}
