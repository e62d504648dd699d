/* text.c - crypto.base64, crypto.hex, and back. Nothing here needs the library,
 * and nothing waits. */
#include <lauxlib.h>

#include "host/option.h"
#include "modules/crypto/codec.h"
#include "modules/crypto/crypto.h"

static int fail(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  lua_pushliteral(L, "EINVAL");
  return 3;
}

static enum codec_alphabet check_alphabet(lua_State *L) {
  static const char *const names[] = {"url", NULL};
  option_check(L, 2, names);
  lua_settop(L, 2);
  return option_flag(L, 2, "url") ? CODEC_URL : CODEC_STANDARD;
}

int crypto_base64(lua_State *L) {
  size_t size;
  luaL_Buffer buffer;
  const char *data = luaL_checklstring(L, 1, &size);
  enum codec_alphabet alphabet = check_alphabet(L);
  char *to = luaL_buffinitsize(L, &buffer, codec_base64_room(size));
  luaL_pushresultsize(&buffer,
                      codec_to_base64(to, (const unsigned char *)data, size,
                                      alphabet, alphabet == CODEC_STANDARD));
  return 1;
}

int crypto_from_base64(lua_State *L) {
  size_t size, count;
  luaL_Buffer buffer;
  const char *text = luaL_checklstring(L, 1, &size);
  enum codec_alphabet alphabet = check_alphabet(L);
  char *to = luaL_buffinitsize(L, &buffer, size / 4 * 3 + 2);
  if (!codec_from_base64((unsigned char *)to, &count, text, size, alphabet))
    return fail(L, "from_base64: this is not base64");
  luaL_pushresultsize(&buffer, count);
  return 1;
}

int crypto_hex(lua_State *L) {
  size_t size;
  luaL_Buffer buffer;
  const char *data = luaL_checklstring(L, 1, &size);
  char *to = luaL_buffinitsize(L, &buffer, size * 2);
  codec_to_hex(to, (const unsigned char *)data, size);
  luaL_pushresultsize(&buffer, size * 2);
  return 1;
}

int crypto_from_hex(lua_State *L) {
  size_t size;
  luaL_Buffer buffer;
  const char *text = luaL_checklstring(L, 1, &size);
  char *to = luaL_buffinitsize(L, &buffer, size / 2);
  if (!codec_from_hex((unsigned char *)to, text, size))
    return fail(L, "from_hex: these are not pairs of hexadecimal digits");
  luaL_pushresultsize(&buffer, size / 2);
  return 1;
}
