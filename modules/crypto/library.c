/* library.c - finds the functions of libcrypto by their names. It stays loaded
 * until the program ends, and is not cleaned up then: a thread of the pool may
 * still be in it. */
#include "modules/crypto/library.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stddef.h>

static struct libcrypto functions;
const struct libcrypto *const libcrypto = &functions;

static const struct {
  const char *name;
  size_t offset;
} names[] = {
  {"OPENSSL_init_crypto", offsetof(struct libcrypto, init)},
  {"EVP_MD_fetch", offsetof(struct libcrypto, md_fetch)},
  {"EVP_MD_CTX_new", offsetof(struct libcrypto, md_new)},
  {"EVP_MD_CTX_free", offsetof(struct libcrypto, md_free)},
  {"EVP_DigestInit_ex2", offsetof(struct libcrypto, md_init)},
  {"EVP_DigestUpdate", offsetof(struct libcrypto, md_update)},
  {"EVP_DigestFinal_ex", offsetof(struct libcrypto, md_final)},
  {"EVP_MD_CTX_copy_ex", offsetof(struct libcrypto, md_copy)},
  {"EVP_MAC_fetch", offsetof(struct libcrypto, mac_fetch)},
  {"EVP_MAC_CTX_new", offsetof(struct libcrypto, mac_new)},
  {"EVP_MAC_CTX_free", offsetof(struct libcrypto, mac_free)},
  {"EVP_MAC_CTX_dup", offsetof(struct libcrypto, mac_copy)},
  {"EVP_MAC_init", offsetof(struct libcrypto, mac_init)},
  {"EVP_MAC_update", offsetof(struct libcrypto, mac_update)},
  {"EVP_MAC_final", offsetof(struct libcrypto, mac_final)},
  {"EVP_PBE_scrypt", offsetof(struct libcrypto, scrypt)},
};

static void find_all(lua_State *L, void *library) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *symbol = dlsym(library, names[i].name);
    if (symbol == NULL)
      luaL_error(L, "neap.crypto: this " NEAP_LIBCRYPTO " has no %s",
                 names[i].name);
    *(void **)((char *)&functions + names[i].offset) = symbol;
  }
}

void library_check(lua_State *L) {
  static bool loaded;
  if (loaded) return;
  void *library = dlopen(NEAP_LIBCRYPTO, RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL)
    luaL_error(L,
               "neap.crypto needs OpenSSL 3, and cannot load " NEAP_LIBCRYPTO
               " (Debian: apt install libssl3): %s",
               dlerror());
  find_all(L, library);
  if (functions.init(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) !=
      1)
    luaL_error(L, "neap.crypto: " NEAP_LIBCRYPTO " cannot begin");
  loaded = true;
}
