/* fingerprint.h - what a file holds, in two numbers: its size and a hash of its
 * bytes. Equal fingerprints are taken for equal content: this is for changes
 * that people make, not against somebody who looks for a collision. */
#ifndef HOST_FINGERPRINT_H
#define HOST_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fingerprint {
  uint64_t size;
  uint64_t hash;
};

enum { FINGERPRINT_TEXT = 40 };

struct fingerprint fingerprint_bytes(const void *bytes, size_t size);
/* The same for bytes that come in pieces: begin with those of nothing. */
void fingerprint_add(struct fingerprint *fingerprint, const void *bytes,
                     size_t size);
/* Blocks. False where there is no readable regular file; links are followed. */
bool fingerprint_file(const char *path, struct fingerprint *fingerprint);
/* "size:hash", the hash as 16 digits of hexadecimal. */
void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[FINGERPRINT_TEXT]);

#endif
