/* phc.h - the text that a hashed password is kept as: the algorithm, what it is
 * to cost, salt and hash, as other programs write it, too (the PHC string format;
 * passlib): "$scrypt$ln=15,r=8,p=3$SALT$HASH", both in base64 without "=". */
#ifndef MODULES_CRYPTO_PHC_H
#define MODULES_CRYPTO_PHC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PHC_SALT = 16,
  PHC_HASH = 32, /* bytes, of those that we make */
  PHC_LEAST = 8,
  PHC_MOST = 64, /* bytes of salt or hash, of those that we read */
  PHC_TEXT = 256
};

struct phc {
  unsigned ln, r, p; /* RFC 7914; N is 2^ln */
  unsigned salt_size, hash_size;
  unsigned char salt[PHC_MOST], hash[PHC_MOST];
};

/* What scrypt takes with these, in bytes; 0: they cannot be, or are far more
 * than anybody should be made to spend. */
uint64_t phc_memory(const struct phc *phc);
/* False: it is none, or its parameters cannot be. */
bool phc_read(struct phc *phc, const char *text, size_t size);
size_t phc_write(char text[PHC_TEXT], const struct phc *phc);

#endif
