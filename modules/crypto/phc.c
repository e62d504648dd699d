/* phc.c - reads and writes what a hashed password is kept as. Strictly: there is
 * one way to write each. */
#include "modules/crypto/phc.h"

#include <stdio.h>
#include <string.h>

#include "modules/crypto/codec.h"

static const char head[] = "$scrypt$";

enum { LN_MOST = 24, R_MOST = 64, P_MOST = 64 };

static const uint64_t memory_most = (uint64_t)1 << 30;

uint64_t phc_memory(const struct phc *phc) {
  if (phc->ln < 1 || phc->ln > LN_MOST || phc->ln >= 16 * phc->r) return 0;
  if (phc->r < 1 || phc->r > R_MOST || phc->p < 1 || phc->p > P_MOST) return 0;
  uint64_t block = (uint64_t)128 * phc->r;
  uint64_t memory = block * (((uint64_t)1 << phc->ln) + phc->p + 2);
  return block << phc->ln <= memory_most ? memory : 0;
}

/* ---- read ---------------------------------------------------------------- */

struct rest {
  const char *text;
  size_t size;
};

static bool skip(struct rest *rest, const char *word) {
  size_t size = strlen(word);
  if (rest->size < size || memcmp(rest->text, word, size) != 0) return false;
  rest->text += size;
  rest->size -= size;
  return true;
}

static bool read_number(struct rest *rest, unsigned *number) {
  size_t digits = 0;
  *number = 0;
  for (; digits < rest->size && digits < 4; digits++) {
    char c = rest->text[digits];
    if (c < '0' || c > '9') break;
    *number = *number * 10 + (unsigned)(c - '0');
  }
  if (digits == 0 || rest->text[0] == '0') return false;
  rest->text += digits;
  rest->size -= digits;
  return true;
}

/* Up to a "$", or the end. */
static bool read_bytes(struct rest *rest, unsigned char bytes[PHC_MOST],
                       unsigned *size) {
  unsigned char room[PHC_MOST + 3];
  size_t count;
  const char *end = memchr(rest->text, '$', rest->size);
  size_t length = end != NULL ? (size_t)(end - rest->text) : rest->size;
  if (length > (PHC_MOST + 2) / 3 * 4 || memchr(rest->text, '=', length))
    return false;
  if (!codec_from_base64(room, &count, rest->text, length, CODEC_STANDARD))
    return false;
  if (count < PHC_LEAST || count > PHC_MOST) return false;
  memcpy(bytes, room, count);
  *size = (unsigned)count;
  rest->text += length;
  rest->size -= length;
  return true;
}

bool phc_read(struct phc *phc, const char *text, size_t size) {
  struct rest rest = {text, size};
  return skip(&rest, head) && skip(&rest, "ln=") &&
         read_number(&rest, &phc->ln) && skip(&rest, ",r=") &&
         read_number(&rest, &phc->r) && skip(&rest, ",p=") &&
         read_number(&rest, &phc->p) && skip(&rest, "$") &&
         read_bytes(&rest, phc->salt, &phc->salt_size) && skip(&rest, "$") &&
         read_bytes(&rest, phc->hash, &phc->hash_size) && rest.size == 0 &&
         phc_memory(phc) != 0;
}

/* ---- write --------------------------------------------------------------- */

size_t phc_write(char text[PHC_TEXT], const struct phc *phc) {
  size_t size = (size_t)snprintf(text, PHC_TEXT, "%sln=%u,r=%u,p=%u$", head,
                                 phc->ln, phc->r, phc->p);
  size += codec_to_base64(text + size, phc->salt, phc->salt_size,
                          CODEC_STANDARD, false);
  text[size++] = '$';
  size += codec_to_base64(text + size, phc->hash, phc->hash_size,
                          CODEC_STANDARD, false);
  return size;
}
