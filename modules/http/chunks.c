/* chunks.c - RFC 9112, 7.1, and not a byte besides.
 *
 * A size is 1 to 16 hexadecimal digits, then CRLF or ";". Extensions mean
 * nothing to us, and are bounded, in each chunk and in all of a request: else
 * whole streams could be sent in them that no limit of a body sees. Lines end with
 * CRLF: what one reader takes for a line's end, the other must too. */
#include "modules/http/chunks.h"

#include <string.h>

enum { DIGITS = 16, EXTENSION = 256, EXTENSIONS = 4096 };

static void begin_size(struct intake *intake) {
  intake->phase = CHUNKS_SIZE;
  intake->left = 0;
  intake->count = 0;
  intake->extension = 0;
}

void chunks_begin(struct intake *intake) {
  begin_size(intake);
  intake->extensions = 0;
}

static int hex(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

static void on_size(struct intake *intake, unsigned char c) {
  int digit = hex(c);
  if (digit >= 0) {
    if (intake->count++ == DIGITS)
      intake_refuse(intake, 400, "a chunk size of too many digits");
    intake->left = intake->left << 4 | (unsigned)digit;
  } else if (intake->count == 0) {
    intake_refuse(intake, 400, "a chunk without a size");
  } else if (c == '\r') {
    intake->phase = intake->left > 0 ? CHUNKS_SIZE_LF : CHUNKS_LAST_LF;
  } else if (c == ';') {
    intake->phase = CHUNKS_EXTENSION;
  } else {
    intake_refuse(intake, 400, "a chunk size is malformed");
  }
}

static void on_extension(struct intake *intake, unsigned char c) {
  if (c == '\r')
    intake->phase = intake->left > 0 ? CHUNKS_SIZE_LF : CHUNKS_LAST_LF;
  else if ((c < ' ' && c != '\t') || c == 0x7f)
    intake_refuse(intake, 400, "a control byte in a chunk extension");
  else if (++intake->extension > EXTENSION || ++intake->extensions > EXTENSIONS)
    intake_refuse(intake, 400, "chunk extensions are too long");
}

static void on_end(struct intake *intake, unsigned char c, char expected) {
  if (c != expected)
    intake_refuse(intake, 400, "a chunk does not end with CRLF");
  else if (intake->phase == CHUNKS_DATA_LF)
    begin_size(intake);
  else if (intake->phase == CHUNKS_LAST_LF)
    intake->phase = CHUNKS_TRAILERS;
  else
    intake->phase++;
}

static void step(struct intake *intake, unsigned char c) {
  switch (intake->phase) {
    case CHUNKS_SIZE: on_size(intake, c); break;
    case CHUNKS_EXTENSION: on_extension(intake, c); break;
    case CHUNKS_DATA_CR: on_end(intake, c, '\r'); break;
    default: on_end(intake, c, '\n'); break;
  }
}

size_t chunks_take(struct intake *intake, char *bytes, size_t size,
                   size_t *decoded) {
  size_t at = 0;
  *decoded = 0;
  while (at < size && intake->phase != CHUNKS_TRAILERS &&
         intake->state != INTAKE_REFUSED) {
    if (intake->phase != CHUNKS_DATA) {
      step(intake, (unsigned char)bytes[at++]);
      continue;
    }
    size_t part = size - at;
    if (part > intake->left) part = (size_t)intake->left;
    memmove(bytes + *decoded, bytes + at, part);
    at += part;
    *decoded += part;
    intake->left -= part;
    if (intake->left == 0) intake->phase = CHUNKS_DATA_CR;
  }
  return at;
}
