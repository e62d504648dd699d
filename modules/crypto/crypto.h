/* crypto.h - what the parts of `neap.crypto` have for scripts. */
#ifndef MODULES_CRYPTO_CRYPTO_H
#define MODULES_CRYPTO_CRYPTO_H

#include <lua.h>

enum {
  CRYPTO_AT_ONCE = 128 * 1024, /* bytes: more are hashed in a thread */
  CRYPTO_SLICE = 1 << 20       /* bytes, between two looks at who waits */
};

int crypto_hash(lua_State *L);
int crypto_hmac(lua_State *L);
int crypto_hasher(lua_State *L);
void hasher_open_class(lua_State *L);

int crypto_base64(lua_State *L);
int crypto_from_base64(lua_State *L);
int crypto_hex(lua_State *L);
int crypto_from_hex(lua_State *L);

int crypto_password(lua_State *L);
int crypto_verify_password(lua_State *L);

#endif
