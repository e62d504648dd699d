/* codec.c - writes and reads base64 and hexadecimal, strictly: a text that is
 * accepted is the only one for its bytes, but for padding and case. */
#include "modules/crypto/codec.h"

#include <stdint.h>

static const char alphabets[][65] = {
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* ---- base64 -------------------------------------------------------------- */

/* The last one or two bytes. */
static size_t write_rest(char *to, const unsigned char *from, size_t size,
                         const char *letters, bool pad) {
  uint32_t bits =
    (uint32_t)from[0] << 16 | (size > 1 ? (uint32_t)from[1] << 8 : 0);
  size_t count = 0;
  to[count++] = letters[bits >> 18];
  to[count++] = letters[bits >> 12 & 63];
  if (size > 1) to[count++] = letters[bits >> 6 & 63];
  while (pad && count < 4) to[count++] = '=';
  return count;
}

size_t codec_to_base64(char *to, const unsigned char *from, size_t size,
                       enum codec_alphabet alphabet, bool pad) {
  const char *letters = alphabets[alphabet];
  size_t count = 0;
  for (; size >= 3; size -= 3, from += 3) {
    uint32_t bits =
      (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | (uint32_t)from[2];
    to[count++] = letters[bits >> 18];
    to[count++] = letters[bits >> 12 & 63];
    to[count++] = letters[bits >> 6 & 63];
    to[count++] = letters[bits & 63];
  }
  if (size > 0) count += write_rest(to + count, from, size, letters, pad);
  return count;
}

static int value_of(char c, enum codec_alphabet alphabet) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == alphabets[alphabet][62]) return 62;
  if (c == alphabets[alphabet][63]) return 63;
  return CODEC_NONE;
}

/* Without its padding; false where there is some that does not belong there. */
static bool trim(const char *from, size_t *size) {
  size_t padding = 0;
  while (padding < 2 && *size > padding && from[*size - padding - 1] == '=')
    padding++;
  if (padding > 0 && *size % 4 != 0) return false;
  *size -= padding;
  return *size % 4 != 1;
}

bool codec_from_base64(unsigned char *to, size_t *count, const char *from,
                       size_t size, enum codec_alphabet alphabet) {
  uint32_t bits = 0;
  unsigned held = 0; /* so many of them are not written yet */
  *count = 0;
  if (!trim(from, &size)) return false;
  for (size_t i = 0; i < size; i++) {
    int value = value_of(from[i], alphabet);
    if (value == CODEC_NONE) return false;
    bits = bits << 6 | (uint32_t)value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    to[(*count)++] = (unsigned char)(bits >> held);
    bits &= (1u << held) - 1;
  }
  return bits == 0;
}

/* ---- hexadecimal --------------------------------------------------------- */

void codec_to_hex(char *to, const unsigned char *from, size_t size) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    *to++ = digits[from[i] >> 4];
    *to++ = digits[from[i] & 15];
  }
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return CODEC_NONE;
}

bool codec_from_hex(unsigned char *to, const char *from, size_t size) {
  if (size % 2 != 0) return false;
  for (size_t i = 0; i < size; i += 2) {
    int high = digit(from[i]), low = digit(from[i + 1]);
    if (high == CODEC_NONE || low == CODEC_NONE) return false;
    *to++ = (unsigned char)(high << 4 | low);
  }
  return true;
}
