/* library.h - OpenSSL's libcrypto, loaded when it is first needed: a script that
 * has no use for it does not pay for it at each start. */
#ifndef MODULES_CRYPTO_LIBRARY_H
#define MODULES_CRYPTO_LIBRARY_H

#include <lua.h>
#include <openssl/evp.h>
#include <stdint.h>

struct libcrypto { /* functions of openssl/evp.h */
  int (*init)(uint64_t, const void *);
  EVP_MD *(*md_fetch)(OSSL_LIB_CTX *, const char *, const char *);
  EVP_MD_CTX *(*md_new)(void);
  void (*md_free)(EVP_MD_CTX *);
  int (*md_init)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *);
  int (*md_update)(EVP_MD_CTX *, const void *, size_t);
  int (*md_final)(EVP_MD_CTX *, unsigned char *, unsigned int *);
  int (*md_copy)(EVP_MD_CTX *, const EVP_MD_CTX *);
  EVP_MAC *(*mac_fetch)(OSSL_LIB_CTX *, const char *, const char *);
  EVP_MAC_CTX *(*mac_new)(EVP_MAC *);
  void (*mac_free)(EVP_MAC_CTX *);
  EVP_MAC_CTX *(*mac_copy)(const EVP_MAC_CTX *);
  int (*mac_init)(EVP_MAC_CTX *, const unsigned char *, size_t,
                  const OSSL_PARAM *);
  int (*mac_update)(EVP_MAC_CTX *, const unsigned char *, size_t);
  int (*mac_final)(EVP_MAC_CTX *, unsigned char *, size_t *, size_t);
  int (*scrypt)(const char *, size_t, const unsigned char *, size_t, uint64_t,
                uint64_t, uint64_t, uint64_t, unsigned char *, size_t);
};

/* On the loop. Raises where it is not installed, or cannot be used. */
void library_check(lua_State *L);
/* After that, in any thread. */
extern const struct libcrypto *const libcrypto;

#endif
