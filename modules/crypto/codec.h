/* codec.h - bytes as text: base64 (RFC 4648, 4 and 5) and hexadecimal. */
#ifndef MODULES_CRYPTO_CODEC_H
#define MODULES_CRYPTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>

enum codec_alphabet { CODEC_STANDARD, CODEC_URL };

enum { CODEC_NONE = -1 };

/* What writing so many bytes takes at most. */
static inline size_t codec_base64_room(size_t size) {
  return (size / 3 + 1) * 4;
}

/* Returns how many characters there are. */
size_t codec_to_base64(char *to, const unsigned char *from, size_t size,
                       enum codec_alphabet alphabet, bool pad);
/* There is room for size / 4 * 3 + 2 bytes. Strictly: only the alphabet, "=" at
 * the end as many as belong there or none, no bits left over. False: it is none. */
bool codec_from_base64(unsigned char *to, size_t *count, const char *from,
                       size_t size, enum codec_alphabet alphabet);

/* There is room for twice as many, and for half as many. */
void codec_to_hex(char *to, const unsigned char *from, size_t size);
bool codec_from_hex(unsigned char *to, const char *from, size_t size);

#endif
