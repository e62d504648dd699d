/* sum.c - what OpenSSL computes with two sets of functions, as one. The
 * algorithms are fetched once, on the loop; threads only read them. */
#include "modules/crypto/sum.h"

#include <lauxlib.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

struct algorithm {
  const char *name, *theirs;
  EVP_MD *md; /* NULL: not fetched yet */
};

static struct algorithm algorithms[] = {
  {"blake2b512", "BLAKE2B-512", NULL},
  {"md5", "MD5", NULL},
  {"sha1", "SHA1", NULL},
  {"sha224", "SHA224", NULL},
  {"sha256", "SHA256", NULL},
  {"sha3-256", "SHA3-256", NULL},
  {"sha3-512", "SHA3-512", NULL},
  {"sha384", "SHA384", NULL},
  {"sha512", "SHA512", NULL},
};

enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static EVP_MAC *hmac;

/* ---- which one ----------------------------------------------------------- */

static void unknown(lua_State *L, int index, const char *name) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < ALGORITHMS; i++) {
    if (i > 0) luaL_addstring(&buffer, ", ");
    luaL_addstring(&buffer, algorithms[i].name);
  }
  luaL_pushresult(&buffer);
  luaL_argerror(L, index,
                lua_pushfstring(L, "unknown hash '%s' (there are: %s)", name,
                                lua_tostring(L, -1)));
}

/* Where only approved ones are allowed (FIPS) md5 is missing. */
static void fetch(lua_State *L, int index, struct algorithm *algorithm) {
  library_check(L);
  if (hmac == NULL) hmac = libcrypto->mac_fetch(NULL, "HMAC", NULL);
  algorithm->md = libcrypto->md_fetch(NULL, algorithm->theirs, NULL);
  if (hmac == NULL || algorithm->md == NULL)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "OpenSSL has no '%s' here",
                                  hmac == NULL ? "hmac" : algorithm->name));
}

const struct algorithm *algorithm_check(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (size_t i = 0; i < ALGORITHMS; i++) {
    if (strcmp(algorithms[i].name, name) != 0) continue;
    if (algorithms[i].md == NULL) fetch(L, index, &algorithms[i]);
    return &algorithms[i];
  }
  unknown(L, index, name);
  return NULL;
}

/* ---- in any thread: no Lua ----------------------------------------------- */

static bool begin_hmac(struct sum *sum, const struct algorithm *algorithm,
                       const char *key, size_t key_size) {
  const OSSL_PARAM parameters[] = {
    OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)algorithm->theirs,
                           strlen(algorithm->theirs)),
    OSSL_PARAM_END};
  sum->hmac = libcrypto->mac_new(hmac);
  return sum->hmac != NULL &&
         libcrypto->mac_init(sum->hmac, (const unsigned char *)key, key_size,
                             parameters) == 1;
}

bool sum_begin(struct sum *sum, const struct algorithm *algorithm,
               const char *key, size_t key_size) {
  *sum = (struct sum){NULL, NULL};
  if (key != NULL) return begin_hmac(sum, algorithm, key, key_size);
  sum->hash = libcrypto->md_new();
  return sum->hash != NULL &&
         libcrypto->md_init(sum->hash, algorithm->md, NULL) == 1;
}

bool sum_add(struct sum *sum, const char *data, size_t size) {
  if (sum->hash != NULL)
    return libcrypto->md_update(sum->hash, data, size) == 1;
  return libcrypto->mac_update(sum->hmac, (const unsigned char *)data, size) ==
         1;
}

size_t sum_end(struct sum *sum, unsigned char bytes[SUM_MOST]) {
  unsigned count = 0;
  size_t size = 0;
  if (sum->hash == NULL)
    return libcrypto->mac_final(sum->hmac, bytes, &size, SUM_MOST) == 1 ? size
                                                                        : 0;
  return libcrypto->md_final(sum->hash, bytes, &count) == 1 ? count : 0;
}

bool sum_copy(struct sum *to, const struct sum *from) {
  if (from->hmac != NULL) {
    to->hmac = libcrypto->mac_copy(from->hmac);
    return to->hmac != NULL;
  }
  to->hash = libcrypto->md_new();
  return to->hash != NULL && libcrypto->md_copy(to->hash, from->hash) == 1;
}

void sum_free(struct sum *sum) {
  if (sum->hash != NULL) libcrypto->md_free(sum->hash);
  if (sum->hmac != NULL) libcrypto->mac_free(sum->hmac);
  *sum = (struct sum){NULL, NULL};
}
