/* equal.h - compares secrets: how long it takes tells nothing of where they
 * differ. */
#ifndef MODULES_CRYPTO_EQUAL_H
#define MODULES_CRYPTO_EQUAL_H

#include <stdbool.h>
#include <stddef.h>

static inline bool equal_bytes(const void *left, const void *right,
                               size_t size) {
  const volatile unsigned char *a = left, *b = right;
  unsigned char difference = 0;
  for (size_t i = 0; i < size; i++)
    difference = (unsigned char)(difference | (a[i] ^ b[i]));
  return difference == 0;
}

#endif
