/* sum.h - a hash or an HMAC that is being computed. */
#ifndef MODULES_CRYPTO_SUM_H
#define MODULES_CRYPTO_SUM_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "modules/crypto/library.h"

enum { SUM_MOST = EVP_MAX_MD_SIZE };

struct algorithm;

struct sum { /* one of them, or none: all zero */
  EVP_MD_CTX *hash;
  EVP_MAC_CTX *hmac;
};

/* Loads the library. Raises for what is no name of a hash, or not in it. */
const struct algorithm *algorithm_check(lua_State *L, int index);

/* In any thread, from here on; false without memory. Without a key (NULL) it is
 * a hash. */
bool sum_begin(struct sum *sum, const struct algorithm *algorithm,
               const char *key, size_t key_size);
bool sum_add(struct sum *sum, const char *data, size_t size);
/* Its bytes; returns how many, or 0. Then it can only be freed. */
size_t sum_end(struct sum *sum, unsigned char bytes[SUM_MOST]);
bool sum_copy(struct sum *to, const struct sum *from); /* `to` is all zero */
void sum_free(struct sum *sum);                        /* all zero again */

#endif
